// The attack engine: the crate's wasm in a worker of its own, so that the page never waits for it.
// Takes {id, type, ...} and answers {id, type, ...}; what throws comes back as {id, type: 'error'}.

// The worker's own address says which build it runs: worker.js?build=simd128.
const name = new URL(location.href).searchParams.get('build') ?? 'simd128';
const started = import(`../pkg/${name}/misread.js`).then(async (module) => {
  await module.default();
  return module;
});

/** How long the engine works before it looks for messages, in milliseconds. */
const SLICE = 12;
/** About how many images of an attack are sent to the page, however many steps it has. */
const FRAMES = 160;

const networks = new Map();
const cancelled = new Set();

async function download(path, what) {
  let response;
  try {
    response = await fetch(new URL(path, import.meta.url));
  } catch {
    throw new Error(`The download of ${what} broke off. Is the network there?`);
  }
  if (!response.ok) throw new Error(`The server could not send ${what} (it answered ${response.status}).`);
  try {
    return new Uint8Array(await response.arrayBuffer());
  } catch {
    throw new Error(`The download of ${what} broke off before its end.`);
  }
}

async function network(name) {
  const { Network } = await started;
  if (!networks.has(name)) {
    const bytes = await download(`../models/${name}.safetensors`, `the weights of ${name}`);
    networks.set(name, new Network(bytes));
  }
  return networks.get(name);
}

/** Lets messages (a cancel, say) in; unlike a timer, without a pause. */
function breathe() {
  return new Promise((resolve) => {
    const { port1, port2 } = new MessageChannel();
    port1.onmessage = () => {
      port1.close();
      resolve();
    };
    port2.postMessage(null);
  });
}

/** The attack that the options of the page describe. */
async function begin(net, image, label, targeted, { method, published, search, budget, steps, confidence, earlyStop, seed }) {
  const { Attack, AttackOptions } = await started;
  const options = new AttackOptions(method);
  try {
    if (published) options.published();
    Object.assign(options, { search, budget, steps, confidence, earlyStop });
    if (seed !== null) options.seed = seed;
    return new Attack(net, image, label, targeted, options);
  } finally {
    options.free();
  }
}

/** A progress as a plain object. */
function read(progress) {
  const { step, round, budget, loss, predicted, confidence, success, l0, l1, l2, linf, gradients, done } = progress;
  progress.free();
  return { step, round, budget, loss, predicted, confidence, success, l0, l1, l2, linf, gradients, done };
}

/** Validity and grade, by the network's own thresholds where the visitor has none. */
function grade(net, success, l2, ssim, confidence, thresholds) {
  const { measure, valid: validAt, confident: confidentAt } = { ...net.thresholds(), ...thresholds };
  const { valid, grade: name } = net.grade(success, l2, ssim, confidence, validAt, confidentAt);
  return { valid, grade: name, measure, validAt, confidentAt };
}

/** The best image of an attack with all that is measured of it. */
function outcome(net, attack, thresholds) {
  const made = attack.outcome(net);
  const progress = read(made.progress());
  const { ssim, survivesPng } = made;
  const answer = {
    ...progress, ssim, survivesPng, budget: made.budget ?? null, image: made.image(), probabilities: made.probabilities(),
    ...grade(net, progress.success, progress.l2, ssim, progress.confidence, thresholds),
  };
  made.free();
  return answer;
}

const jobs = {
  async samples() {
    const { Samples } = await started;
    const samples = new Samples(await download('../models/mnist-sample.safetensors', 'the digits'));
    const answer = { pixels: samples.pixels(), labels: samples.labels(), indices: samples.indices() };
    samples.free();
    return answer;
  },

  async load({ model }) {
    const net = await network(model);
    const { build } = await started;
    return { title: net.title(), labels: net.labels(), facts: net.facts(), thresholds: net.thresholds(), build: build() };
  },

  async read({ model, image }) {
    return { probabilities: (await network(model)).probabilities(image) };
  },

  // Sends frames as they come, none with `quiet`; answers with the outcome.
  async attack({ id, model, image, label, targeted, options, thresholds = {}, quiet = false }) {
    const net = await network(model);
    const attack = await begin(net, image, label, targeted, options);
    try {
      const every = Math.ceil(options.steps / FRAMES);
      const start = performance.now();
      let first = null;
      for (;;) {
        const frames = [];
        const pause = performance.now() + SLICE;
        let end = null;
        do {
          const progress = read(attack.step(net));
          if (progress.success && first === null) first = performance.now() - start;
          if (progress.done) end = { steps: progress.step, gradients: progress.gradients, ms: performance.now() - start };
          if (!quiet && (progress.done || progress.step % every === 0)) {
            frames.push({ ...progress, image: attack.image(), probabilities: attack.probabilities() });
          }
        } while (!end && performance.now() < pause);
        if (frames.length) postMessage({ id, type: 'frames', frames });
        if (end) return { outcome: { ...outcome(net, attack, thresholds), ...end, firstMs: first } };
        await breathe();
        if (cancelled.delete(id)) return { cancelled: true };
      }
    } finally {
      attack.free();
    }
  },

  // How an outcome is graded under thresholds of the visitor's.
  async grade({ model, outcome: { success, l2, ssim, confidence }, thresholds }) {
    return grade(await network(model), success, l2, ssim, confidence, thresholds);
  },

  async peak() {
    return { gflops: (await started).peakGflops(() => performance.now()) };
  },

  // How long the gradient takes at these images.
  async bench({ model, images }) {
    const { BenchRow } = await started;
    const row = BenchRow.measure(await network(model), images, () => performance.now());
    const answer = { model: row.model, batch: row.batch, ms: row.ms, gflops: row.gflops, percentOfPeak: row.percentOfPeak };
    row.free();
    return answer;
  },
};

self.onmessage = async ({ data }) => {
  if (data.type === 'cancel') {
    cancelled.add(data.id);
    return;
  }
  try {
    const answer = await jobs[data.type](data);
    postMessage({ ...answer, id: data.id, type: 'done' });
  } catch (error) {
    // A trap leaves the instance in an unknown state; the page starts another worker.
    const fatal = error instanceof WebAssembly.RuntimeError;
    const message = fatal
      ? `The attack engine stopped unexpectedly (${error.message}). It has been started afresh; please try again.`
      : String(error?.message ?? error);
    postMessage({ id: data.id, type: 'error', message, fatal });
  } finally {
    cancelled.delete(data.id);
  }
};
