// The page's side of a worker: calls that return promises, and a worker that can be lost and replaced.

/** @import { Catalogue, Frame, Network, OnnxAsked, Outcome, Settings, Subject, Task, Thresholds } from './protocol.js' */

/** How long a worker may take to notice a cancel before it is ended, in milliseconds. */
const PATIENCE = 400;

/** The weights that the visitor brought, for every worker that is yet to start. @type {Map<string, {bytes: Uint8Array, digest: string}>} */
const own = new Map();

/** The worker that was started before this, if there is one that has not failed. @param {string} build */
function takeEarly(build) {
  const { early } = /** @type {{early?: import('./early.js').Early}} */ (globalThis);
  if (early?.build !== build) return null;
  Object.assign(globalThis, { early: undefined });
  return early.failed ? null : early.worker;
}

/** What a call ends with that nobody wants any more. */
export class Cancelled extends Error {}

/**
 * @typedef {{message: Record<string, any>, resolve: (answer: any) => void, reject: (error: Error) => void,
 *   onFrames: ((frames: Frame[]) => void) | null, again: boolean}} Call `again`: whether it may be asked of another worker
 */

export class Engine {
  /** @type {Worker | null} */
  #worker = null;
  /** @type {Map<number, Call>} */
  #calls = new Map();
  #next = 1;
  #build;

  /** @param {string} build which build of the wasm to run: one of the folders of pkg/ */
  constructor(build) {
    this.#build = build;
  }

  get build() {
    return this.#build;
  }

  #started() {
    if (this.#worker) return this.#worker;
    const worker = takeEarly(this.#build) ?? new Worker(new URL(`./worker.js?build=${this.#build}`, import.meta.url), { type: 'module' });
    this.#worker = worker;
    for (const [name, kept] of own) worker.postMessage({ type: 'keep', name, ...kept });
    worker.onmessage = ({ data }) => this.#answer(data);
    worker.onerror = (event) => {
      event.preventDefault?.();
      this.#restart(
        new Error(
          `The attack engine could not be started or has stopped${event.message ? ` (${event.message})` : ''}. ` +
            'Please try again, or reload the page.',
        ),
      );
    };
    return worker;
  }

  /**
   * Ends the worker. What else was asked of it is asked of the next one, once; what shows its steps fails with `error`.
   * @param {Error} error @param {boolean} [all] whether everything fails
   */
  #restart(error, all = false) {
    this.#worker?.terminate();
    this.#worker = null;
    for (const [id, call] of [...this.#calls]) {
      if (call.again && !all) {
        call.again = false;
        this.#started().postMessage(call.message);
      } else {
        this.#calls.delete(id);
        call.reject(error);
      }
    }
  }

  /** @param {any} data */
  #answer({ id, type, answer, frames, message, key, fatal }) {
    const call = this.#calls.get(id);
    if (type === 'frames') {
      call?.onFrames?.(frames);
      return;
    }
    this.#calls.delete(id);
    if (type === 'error') {
      call?.reject(Object.assign(new Error(message), { key }));
      if (fatal) this.#restart(new Error(message));
    } else if (answer.cancelled) {
      call?.reject(new Cancelled('cancelled'));
    } else {
      call?.resolve(answer);
    }
  }

  /**
   * @param {string} type @param {Record<string, any>} [parameters]
   * @param {{onFrames?: ((frames: Frame[]) => void) | null, signal?: AbortSignal | null}} [options]
   * @returns {Promise<any>}
   */
  #call(type, parameters = {}, { onFrames = null, signal = null } = {}) {
    if (signal?.aborted) return Promise.reject(new Cancelled('cancelled'));
    const id = this.#next++;
    const message = { ...parameters, id, type };
    const stop = () => {
      this.#worker?.postMessage({ id, type: 'cancel' });
      setTimeout(() => {
        const call = this.#calls.get(id);
        if (!call) return;
        // It alone was cancelled: the others go on.
        this.#calls.delete(id);
        call.reject(new Cancelled('cancelled'));
        this.#restart(new Cancelled('cancelled'));
      }, PATIENCE);
    };
    signal?.addEventListener('abort', stop, { once: true });
    return new Promise((resolve, reject) => {
      this.#calls.set(id, { message, resolve, reject, onFrames, again: onFrames === null });
      this.#started().postMessage(message);
    }).finally(() => signal?.removeEventListener('abort', stop));
  }

  /** All that is offered. @returns {Promise<Catalogue>} */
  async catalogue() {
    const { catalogue, build } = await this.#call('catalogue');
    // It may have had to take another than the one that was asked for.
    this.#build = build;
    return catalogue;
  }

  /**
   * Images that come with the page: a file of models/ with images of a data set.
   * @param {string} dataset @param {string} file
   * @returns {Promise<{pixels: Uint8Array, labels: Uint8Array, indices: Uint32Array}>}
   */
  samples(dataset, file) {
    return this.#call('samples', { dataset, file });
  }

  /** Statistics with their 95 % intervals: an array of answers to [[name, ...arguments], ...]. @param {any[][]} asked */
  async statistics(asked) {
    return (await this.#call('statistics', { asked })).answers;
  }

  /** What is offered for a data set that is in no catalogue. @param {string} dataset @returns {Promise<{dataset: import('./protocol.js').Dataset, defences: string[]}>} */
  described(dataset) {
    return this.#call('described', { dataset });
  }

  /** Loads a network. @param {string} model @returns {Promise<Network>} */
  load(model) {
    return this.#call('load', { model });
  }

  /**
   * Takes weights that the visitor brought; fails, in words, when something is not right with them.
   * @param {string} name @param {Uint8Array} bytes @param {Uint8Array} file the file that they came in, where they were made of another
   * @returns {Promise<Network>}
   */
  async adopt(name, bytes, file = bytes) {
    const { about, digest } = await this.#call('adopt', { name, bytes, file });
    own.set(name, { bytes, digest });
    return about;
  }

  /**
   * What a network in ONNX is about; fails, in words, when something is not right with it, with the key `no-size` where the file leaves open how
   * large its images are.
   * @param {{bytes: Uint8Array, asked: OnnxAsked}} about
   * @returns {Promise<{labels: string[], feedings: {name: string, title: string}[], dataset: import('./protocol.js').Dataset, defences: string[]}>}
   */
  onnxAbout(about) {
    return this.#call('onnxAbout', about);
  }

  /**
   * A network in ONNX as a weights file, fed as `feeding` says or, where that is empty, in the way in which it reads most of these images
   * rightly.
   * @param {{bytes: Uint8Array, asked: OnnxAsked, feeding: string, images: Float32Array[], labels: number[]}} about
   * @returns {Promise<{bytes: Uint8Array, right: number, of: number, fed: string}>} `fed`: in what way, in words
   */
  onnxWeights(about) {
    return this.#call('onnxWeights', about);
  }

  /** What a VAE makes of an image: two coordinates on its map, then the decoder's image. @param {string} model @param {Float32Array} image */
  async see(model, image) {
    return (await this.#call('see', { model, image })).seen;
  }

  /**
   * How a subject reads an image, of that index in its set.
   * @param {Subject} subject @param {Float32Array} image @param {number} [index]
   * @returns {Promise<{predicted: number, refused: boolean, confidence: number, probabilities: Float32Array}>}
   */
  read(subject, image, index = 0) {
    return this.#call('read', { subject, image, index });
  }

  /**
   * How a subject reads along a line of a plane.
   * @param {Subject} subject @param {{origin: Float32Array, u: Float32Array, v: Float32Array, places: number[]}} plane @param {number} y where the line lies
   * @returns {Promise<{labels: Int16Array, confidences: Float32Array, refusals: Uint8Array}>}
   */
  plane(subject, { origin, u, v, places }, y) {
    return this.#call('plane', { subject, origin, u, v, places, y });
  }

  /**
   * Finds one change that fools a subject on many images; `onFrames` hears of every pass.
   * @param {{subject: Subject, norm: string, epsilon: number, passes: number, images: Float32Array, labels: number[]}} about
   * @param {{onFrames?: (frames: Frame[]) => void, signal?: AbortSignal}} [options]
   * @returns {Promise<{change: Float32Array, readings: Int32Array, pass: number}>} of each image the label that is read with it, -1 where it is refused
   */
  universal(about, { onFrames, signal } = {}) {
    return this.#call('universal', about, { onFrames, signal });
  }

  /** The multiply-add peak of this machine in this engine, in GFLOP/s. */
  async peak() {
    return (await this.#call('peak')).gflops;
  }

  /** Times the gradient at `images`: {model, batch, ms, gflops, percent_of_peak}. @param {string} model @param {Float32Array} images */
  bench(model, images) {
    return this.#call('bench', { model, images });
  }

  /** How a record is graded under other thresholds. @param {Record<string, any>} record @param {Thresholds} thresholds */
  grade(record, thresholds) {
    return this.#call('grade', { record, thresholds });
  }

  /**
   * Attacks; `onFrames` gets the images as they come, `signal` ends it: then it fails with Cancelled.
   * @param {{subject: Subject, task: Task, attack: Settings, thresholds?: Thresholds}} about
   * @param {{onFrames?: (frames: Frame[]) => void, signal?: AbortSignal}} [options]
   * @returns {Promise<Outcome>}
   */
  async attack(about, { onFrames, signal } = {}) {
    return (await this.#call('attack', { ...about, quiet: !onFrames }, { onFrames, signal })).outcome;
  }

  /** Ends the worker; what is under way fails with Cancelled. */
  stop() {
    this.#restart(new Cancelled('stopped'), true);
  }
}
