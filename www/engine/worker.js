// The attack engine: the crate's wasm in a worker of its own, so that the page never waits for it.
// Takes {id, type, ...} and answers {id, type, ...}; what throws comes back as {id, type: 'error'}.

/** @import * as Wasm from '../../pkg/misread.js' */
/** @import { Settings, Subject, Task, Thresholds } from './protocol.js' */

import { errorWords } from '../words/en.js';
import { NO_WASM } from './support.js';

/** How long the engine works before it looks for messages, in milliseconds. */
const SLICE = 12;
/** About how many images of an attack are sent to the page, however many steps it has: large images fill memory. */
const FRAMES = (/** @type {number} */ pixels) => (pixels > 10_000 ? 40 : 160);
/** About how many steps a search takes. */
const SEARCHED = 300;

// The worker's own address says which build it runs: worker.js?build=simd128.
const PLAIN = 'simd128';
const build = new URL(location.href).searchParams.get('build') ?? PLAIN;

/** A failure after which the worker is of no use. */
class Fatal extends Error {}

/**
 * @param {string} path
 * @param {string} what its words
 */
async function download(path, what) {
  let response;
  try {
    response = await fetch(new URL(path, import.meta.url));
  } catch {
    throw new Error(`The download of ${what} broke off. Is the network there?`);
  }
  if (!response.ok) throw new Error(`The server could not send ${what} (it answered ${response.status}).`);
  return response;
}

/** @param {string} path @param {string} what */
async function bytesOf(path, what) {
  const response = await download(path, what);
  try {
    return new Uint8Array(await response.arrayBuffer());
  } catch {
    throw new Error(`The download of ${what} broke off before its end.`);
  }
}

const started = (async () => {
  if (typeof WebAssembly !== 'object') throw new Fatal(NO_WASM);
  try {
    const wasm = await import('../../pkg/misread.js').catch(() => {
      throw new Error('The download of its program broke off. Is the network there?');
    });
    const load = async (/** @type {string} */ name) => wasm.default({ module_or_path: await download(`../../pkg/${name}/misread_bg.wasm`, 'the attack engine') });
    try {
      await load(build);
    } catch (error) {
      // What the probe took for good may still hold an instruction that this browser does not know.
      if (!(error instanceof WebAssembly.CompileError) || build === PLAIN) throw error;
      await load(PLAIN);
    }
    return wasm;
  } catch (/** @type {any} */ error) {
    throw new Fatal(`The attack engine could not be started: ${errorWords(error)}`);
  }
})();
// Each job says so by itself.
started.catch(() => {});

/** What reads ONNX, once it was wanted. @type {Promise<typeof import('../../pkg/import/misread.js')> | null} */
let importer = null;

/** Loads what reads ONNX; what failed can be tried again. */
function importing() {
  importer ??= (async () => {
    const made = await import('../../pkg/import/misread.js').catch(() => {
      throw new Error('The download of what reads ONNX broke off. Is the network there?');
    });
    await made.default({ module_or_path: await download('../../pkg/import/misread_bg.wasm', 'what reads ONNX') });
    return made;
  })();
  importer.catch(() => (importer = null));
  return importer;
}

/** The visitor's own weights by name, and what their file is told apart by. @type {Map<string, {bytes: Uint8Array, digest: string}>} */
const own = new Map();
/** What is loaded, or on its way: two that want a network first share one download. @type {Map<string, Promise<Wasm.Network>>} */
const networks = new Map();
/** @type {Map<string, Promise<Wasm.Subject>>} */
const subjects = new Map();
/** What was replaced and may still be in use: freed when nothing runs. @type {Promise<{free(): void}>[]} */
const retired = [];
/** @type {Set<number>} */
const cancelled = new Set();
let running = 0;

/**
 * What `make` makes, once for each key; what failed is forgotten, so that it can be tried again.
 * @template T
 * @param {Map<string, Promise<T>>} made @param {string} key @param {() => Promise<T>} make
 */
function once(made, key, make) {
  const known = made.get(key);
  if (known) return known;
  const promise = make();
  made.set(key, promise);
  promise.catch(() => made.get(key) === promise && made.delete(key));
  return promise;
}

/** What weights are told apart by: 32 bits of FNV-1a over them, in hexadecimal. @type {Map<string, string>} */
const digests = new Map();

/** @param {Uint8Array} bytes */
function digestOf(bytes) {
  let hash = 0x811c9dc5;
  for (let i = 0; i < bytes.length; i++) hash = Math.imul(hash ^ bytes[i], 0x01000193);
  return (hash >>> 0).toString(16).padStart(8, '0');
}

/** @param {string} name */
const network = (name) => once(networks, name, async () => {
  const { Network } = await started;
  const mine = own.get(name);
  const bytes = mine?.bytes ?? (await bytesOf(`../../models/${name}.safetensors`, `the weights of ${name}`));
  const made = new Network(bytes, name);
  digests.set(name, mine?.digest ?? digestOf(bytes));
  return made;
});

/** @param {Subject} subject */
const subject = ({ model, inference, defence, attacker }) => once(subjects, [model, inference, defence, attacker].join('\n'), async () => {
  const { Guards, Subject } = await started;
  const attacked = await network(model);
  const guards = new Guards();
  try {
    for (const name of attacked.guards(defence)) guards.add(await network(name));
    const made = new Subject(attacked, inference, defence, attacker, guards);
    const { defends } = attacked.about();
    if (attacker === 'blind' && defends) made.takenFor(await subject({ model: defends, inference, defence: '', attacker: 'adaptive' }));
    return made;
  } finally {
    guards.free();
  }
});

/** Takes weights that the visitor brought, in place of others of that name. @param {string} name @param {Uint8Array} bytes @param {string} digest of the file that they came in */
function keep(name, bytes, digest) {
  own.set(name, { bytes, digest });
  for (const [made, ours] of [[networks, (/** @type {string} */ key) => key === name], [subjects, (/** @type {string} */ key) => key.split('\n')[0] === name]]) {
    for (const [key, promise] of /** @type {Map<string, Promise<any>>} */ (made)) {
      if (!(/** @type {(key: string) => boolean} */ (ours)(key))) continue;
      /** @type {Map<string, Promise<any>>} */ (made).delete(key);
      retired.push(promise);
    }
  }
}

/** Lets messages (a cancel, say) in; unlike a timer, without a pause. */
function breathe() {
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      resolve(undefined);
    };
    port2.postMessage(null);
  });
}

/** What the page asks for, by name. @type {Record<string, (asked: any) => Promise<any>>} */
const jobs = {
  async catalogue() {
    const wasm = await started;
    return { catalogue: wasm.catalogue(), build: wasm.build() };
  },

  async samples({ dataset, file }) {
    const { Samples } = await started;
    const samples = new Samples(dataset, await bytesOf(`../../models/${file}.safetensors`, 'the images'));
    const answer = { pixels: samples.pixels(), labels: samples.labels(), indices: samples.indices() };
    samples.free();
    return answer;
  },

  async described({ dataset }) {
    return (await started).described(dataset);
  },

  async load({ model }) {
    const loaded = await network(model);
    const { build } = await started;
    return { ...loaded.about(), facts: loaded.facts(), digest: digests.get(model), build: build(), mapPoints: loaded.mapPoints(), mapLabels: loaded.mapLabels() };
  },

  // Weights that the visitor brought: refused in words when they are not right, else kept under this name.
  async adopt({ name, bytes, file }) {
    const { Network } = await started;
    const made = new Network(bytes, name);
    const about = made.about();
    made.free();
    const digest = digestOf(file);
    keep(name, bytes, digest);
    return { about, digest };
  },

  // What a network in ONNX is about; what reads the file comes when the first is brought.
  async onnxAbout({ bytes, asked }) {
    const { described } = await started;
    const { Import } = await importing();
    const made = new Import(bytes, asked);
    try {
      return { labels: made.labels, feedings: made.feedings(), ...described(made.dataset) };
    } finally {
      made.free();
    }
  },

  // It as a weights file: fed as it is said, or in the way in which it reads most of these images rightly.
  async onnxWeights({ bytes, asked, feeding, images, labels }) {
    const { Import } = await importing();
    const made = new Import(bytes, asked);
    try {
      const all = new Float32Array(images.reduce((/** @type {number} */ sum, /** @type {Float32Array} */ image) => sum + image.length, 0));
      let at = 0;
      for (const image of images) [at] = [at + image.length, all.set(image, at)];
      const fed = feeding ? { name: feeding, right: 0, of: 0, title: made.feedings().find((/** @type {any} */ { name }) => name === feeding)?.title } : made.tried(all, Uint8Array.from(labels));
      return { bytes: made.weightsFile(fed.name), right: fed.right, of: fed.of, fed: fed.title };
    } finally {
      made.free();
    }
  },

  async see({ model, image }) {
    return { seen: (await network(model)).see(image) };
  },

  async read({ subject: wanted, image, index = 0 }) {
    return (await subject(wanted)).read(image, index);
  },

  // What a subject reads along a line of a plane: at `origin + x u + y v` for every x of `places`, cut off at black and white.
  async plane({ subject: wanted, origin, u, v, places, y }) {
    const reader = await subject(wanted);
    const [labels, confidences, refusals] = [new Int16Array(places.length), new Float32Array(places.length), new Uint8Array(places.length)];
    // Comes when it is wanted: not with the first attack.
    const { imageAt } = await import('../parts/plane.js');
    for (const [i, x] of places.entries()) {
      const { predicted, confidence, refused } = reader.read(imageAt({ origin, u, v }, x, y), 0);
      [labels[i], confidences[i], refusals[i]] = [predicted, confidence, Number(refused)];
    }
    return { labels, confidences, refusals };
  },

  // One change for many images: goes on until it is done or cancelled, and sends what it has after every pass.
  async universal({ id, subject: wanted, norm, epsilon, passes, images, labels }) {
    const { Universal } = await started;
    const attacked = await subject(wanted);
    const search = new Universal(norm, epsilon, passes, images, Uint32Array.from(labels));
    try {
      for (let done = false, pass = 1; ; pass++) {
        done = search.pass(attacked);
        const now = { change: search.change(), readings: search.readings(), pass };
        if (done) return now;
        postMessage({ id, type: 'frames', frames: [now] });
        await breathe();
        if (cancelled.delete(id)) return { cancelled: true };
      }
    } finally {
      search.free();
    }
  },

  /**
   * Sends frames as they come, none with `quiet`; answers with the outcome. Of an image that is to be attacked only if it is
   * read rightly, that it was not is an outcome, too.
   * @param {{id: number, subject: Subject, task: Task, attack: Settings, thresholds: Thresholds, quiet: boolean}} asked
   */
  async attack({ id, subject: wanted, task, attack, thresholds = {}, quiet = false }) {
    const { Trial, grade } = await started;
    const [attacked, weights] = [await subject(wanted), await network(wanted.model)];
    const { vae, dataset } = weights.about();
    const trial = new Trial(attacked, task, attack);
    const { image } = task;
    const most = attack.mode === 'min' && image.length > 10_000 ? SEARCHED : (attack.steps ?? 1);
    const every = Math.ceil(most / FRAMES(image.length));
    const seen = (/** @type {Float32Array} */ pixels) => (vae ? { seen: weights.see(pixels) } : {});
    try {
      for (let done = false; ; ) {
        const frames = [];
        const pause = performance.now() + SLICE;
        do {
          try {
            done = trial.step(attacked);
          } catch (/** @type {any} */ error) {
            if (error.key !== 'skipped' || !task.only_if_read) throw error;
            done = true;
            break;
          }
          if (!quiet && (done || trial.at % every === 0)) {
            const frame = trial.frame();
            frames.push({ ...frame, ...seen(frame.image) });
          }
        } while (!done && performance.now() < pause);
        if (frames.length) postMessage({ id, type: 'frames', frames });
        if (done) {
          const { record, image, stored, probabilities, milliseconds, first_milliseconds } = trial.judged(attacked, thresholds);
          const judged = { ...record, ...(record.skipped === null && grade(record, dataset, thresholds)) };
          return { outcome: { ...judged, image, stored, probabilities, ms: milliseconds, firstMs: first_milliseconds, record, ...seen(image) } };
        }
        await breathe();
        if (cancelled.delete(id)) return { cancelled: true };
      }
    } finally {
      trial.free();
    }
  },

  // How an outcome is graded under thresholds of the visitor's.
  async grade({ record, thresholds }) {
    return (await started).grade(record, record.dataset, thresholds);
  },

  async peak() {
    return { gflops: (await started).peakGflops() };
  },

  // Statistics of the crate by name: [['share', hits, n], ['median', values], ...].
  async statistics({ asked }) {
    const { share, median, quartiles, pairedDifference } = await started;
    /** @type {Record<string, (...values: any[]) => Float64Array>} */
    const known = { share, median, quartiles, pairedDifference };
    return { answers: asked.map((/** @type {[string, ...any[]]} */ [what, ...values]) => known[what](...values)) };
  },

  // How long the gradient takes at these images.
  async bench({ model, images }) {
    return (await started).bench(await network(model), images);
  },
};

self.onmessage = async ({ data }) => {
  const { id, type } = data;
  if (type === 'keep') {
    keep(data.name, data.bytes, data.digest);
    return;
  }
  // What will be wanted first, before it is: that it cannot be had is said when it is.
  if (type === 'warm') {
    started.then((wasm) => network(wasm.catalogue().networks[0].key)).catch(() => {});
    return;
  }
  if (type === 'cancel') {
    cancelled.add(id);
    return;
  }
  running++;
  try {
    const answer = await jobs[type](data);
    postMessage({ answer, id, type: 'done' });
  } catch (/** @type {any} */ error) {
    // A trap leaves the instance in an unknown state, and what did not start will not: the page starts another worker.
    const trapped = typeof WebAssembly === 'object' && error instanceof WebAssembly.RuntimeError;
    const message = trapped
      ? `The attack engine stopped unexpectedly (${error.message}). It has been started afresh; please try again.`
      : errorWords(error instanceof Error || error?.message ? error : new Error(String(error)));
    postMessage({ id, type: 'error', message, key: error?.key ?? null, fatal: trapped || error instanceof Fatal });
  } finally {
    cancelled.delete(id);
    if (--running === 0) for (const promise of retired.splice(0)) promise.then((made) => made.free(), () => {});
  }
};
