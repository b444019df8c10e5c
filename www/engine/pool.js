// Work that splits, on as many workers as the machine has cores. Each has its own instance of the wasm, so that
// no cross-origin isolation is needed.

import { Cancelled, Engine } from './client.js';

export class Pool {
  #engines;
  #stopped = false;

  /**
   * @param {string} build which build of the wasm to run
   * @param {number} size how many workers
   */
  constructor(build, size = navigator.hardwareConcurrency || 2) {
    this.#engines = Array.from({ length: size }, () => new Engine(build));
  }

  get size() {
    return this.#engines.length;
  }

  /**
   * Runs `work(engine, item, index)` for every item, each worker taking the next one when it is free.
   * @template I, T
   * @param {I[]} items @param {(engine: Engine, item: I, index: number) => Promise<T>} work
   * @returns {Promise<T[]>} what `work` returned, in the order of the items
   */
  async map(items, work) {
    /** @type {T[]} */
    const results = new Array(items.length);
    let next = 0;
    const run = async (/** @type {Engine} */ engine) => {
      while (next < items.length) {
        if (this.#stopped) throw new Cancelled('stopped');
        const index = next++;
        results[index] = await work(engine, items[index], index);
      }
    };
    await Promise.all(this.#engines.map(run));
    return results;
  }

  /** Ends the workers; what is under way fails with Cancelled. */
  stop() {
    this.#stopped = true;
    for (const engine of this.#engines) engine.stop();
  }
}
