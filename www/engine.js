// The page's side of the worker: calls that return promises, and a worker that can be lost and replaced.

/** How long a worker may take to notice a cancel before it is ended, in milliseconds. */
const PATIENCE = 400;

/** The weights that the visitor brought, for every worker that is yet to start: name to bytes. */
const own = new Map();

export class Cancelled extends Error {}

export class Engine {
  #worker = null;
  #calls = new Map();
  #next = 1;
  #build;

  /** @param {string} build which build of the wasm to run: one of the folders of pkg/ */
  constructor(build) {
    this.#build = build;
  }

  #start() {
    this.#worker = new Worker(new URL(`./worker.js?build=${this.#build}`, import.meta.url), { type: 'module' });
    for (const [name, bytes] of own) this.#worker.postMessage({ type: 'keep', name, bytes });
    this.#worker.onmessage = ({ data }) => this.#answer(data);
    this.#worker.onerror = (event) => {
      event.preventDefault?.();
      this.#restart(
        new Error(
          `The attack engine could not be started or has stopped${event.message ? ` (${event.message})` : ''}. ` +
            'Please try again, or reload the page.',
        ),
      );
    };
  }

  /** Ends the worker; every open call fails with `error`. The next call starts another one. */
  #restart(error) {
    this.#worker?.terminate();
    this.#worker = null;
    const open = [...this.#calls.values()];
    this.#calls.clear();
    for (const call of open) call.reject(error);
  }

  #answer({ id, type, message, fatal, ...answer }) {
    const call = this.#calls.get(id);
    if (type === 'frames') {
      call?.onFrames(answer.frames);
      return;
    }
    this.#calls.delete(id);
    if (type === 'error') {
      call?.reject(new Error(message));
      if (fatal) this.#restart(new Error(message));
    } else if (answer.cancelled) {
      call?.reject(new Cancelled('cancelled'));
    } else {
      call?.resolve(answer);
    }
  }

  #call(type, parameters = {}, onFrames = () => {}) {
    if (!this.#worker) this.#start();
    const id = this.#next++;
    const promise = new Promise((resolve, reject) => {
      this.#calls.set(id, { resolve, reject, onFrames });
      this.#worker.postMessage({ ...parameters, id, type });
    });
    return { id, promise };
  }

  /** Digits that come with the page: {pixels, labels, indices}; the sample, or another file of models/. */
  samples(file = 'mnist-sample') {
    return this.#call('samples', { file }).promise;
  }

  /** Statistics with their 95 % intervals: an array of answers to [[name, ...arguments], ...]. */
  async statistics(asked) {
    return (await this.#call('statistics', { asked }).promise).answers;
  }

  /** Loads a network: {title, labels, facts, thresholds, build, vae, mapPoints, mapLabels}. */
  load(model) {
    return this.#call('load', { model }).promise;
  }

  /** Takes weights that the visitor brought: {dataset}; fails, in words, when something is not right with them. */
  async adopt(name, bytes) {
    const adopted = await this.#call('adopt', { name, bytes }).promise;
    own.set(name, bytes);
    return adopted;
  }

  /** What a VAE makes of an image: two coordinates on its map, then the decoder's image. */
  async see(model, image) {
    return (await this.#call('see', { model, image }).promise).seen;
  }

  /** The probabilities of all labels for an image. */
  async read(model, image) {
    return (await this.#call('read', { model, image }).promise).probabilities;
  }

  /** How an image of the test set is read: {probabilities, predicted}; of a network that draws, `predicted` is what most of its fresh answers name. */
  answer(model, image, index) {
    return this.#call('read', { model, image, index }).promise;
  }

  /** The multiply-add peak of this machine in this engine, in GFLOP/s. */
  async peak() {
    return (await this.#call('peak').promise).gflops;
  }

  /** Times the gradient at `images`: {model, batch, ms, gflops, percentOfPeak}. */
  bench(model, images) {
    return this.#call('bench', { model, images }).promise;
  }

  /** Ends the worker. */
  stop() {
    this.#restart(new Cancelled('stopped'));
  }

  /** How an outcome is graded under other thresholds: {valid, grade, measure, validAt, confidentAt}. */
  grade(model, outcome, thresholds) {
    return this.#call('grade', { model, outcome, thresholds }).promise;
  }

  /**
   * Attacks; `onFrames` gets the images as they come.
   * @returns {{promise: Promise<{outcome: object}>, cancel: () => void}} the promise fails with Cancelled after a cancel
   */
  attack(parameters, onFrames = () => {}) {
    const { id, promise } = this.#call('attack', parameters, onFrames);
    const cancel = () => {
      this.#worker?.postMessage({ id, type: 'cancel' });
      setTimeout(() => {
        if (this.#calls.has(id)) this.#restart(new Cancelled('cancelled'));
      }, PATIENCE);
    };
    return { promise, cancel };
  }
}
