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
/** About how many images of an attack are sent to the page, however many steps it has: large images fill memory. */
const FRAMES = (pixels) => (pixels > 10_000 ? 40 : 160);
/** About how many steps a search takes. */
const SEARCHED = 300;

const networks = new Map();
/** The weights that were loaded, by name: those of the visitor come as bytes. */
const weights = new Map();
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

/** The network called `key`: a name, with `~sampled` after it for a VAE that is to read through draws. */
async function network(key) {
  const { Network } = await started;
  if (!networks.has(key)) {
    const [name, sampled] = key.split('~');
    if (!weights.has(name)) weights.set(name, await download(`../models/${name}.safetensors`, `the weights of ${name}`));
    let made;
    try {
      made = new Network(weights.get(name));
    } catch (error) {
      weights.delete(name);
      throw error;
    }
    if (sampled && made.isVae()) made.sample();
    networks.set(key, made);
  }
  return networks.get(key);
}

/** Takes weights that the visitor brought. */
function keep(name, bytes) {
  weights.set(name, bytes);
  for (const key of [...networks.keys()].filter((key) => key.split('~')[0] === name)) {
    networks.get(key).free();
    networks.delete(key);
  }
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
async function begin(net, image, label, targeted, { method, sparse, norm, loss, restarts, search, budget, steps, confidence, earlyStop, seed }, start) {
  const { Attack, AttackOptions } = await started;
  const options = new AttackOptions(method);
  try {
    if (norm) options.under(norm);
    if (sparse) options.sparse();
    if (loss) options.descend(loss);
    if (restarts) options.restarts = restarts;
    Object.assign(options, { search, budget, steps, confidence, earlyStop });
    if (seed !== null) options.seed = seed;
    return new Attack(net, image, label, targeted, options, start ?? new Float32Array());
  } finally {
    options.free();
  }
}

/** A progress as a plain object. */
function read(progress) {
  const { step, round, budget, loss, predicted, confidence, success, l0, l1, l2, linf, gradients, queries, done } = progress;
  progress.free();
  return { step, round, budget, loss, predicted, confidence, success, l0, l1, l2, linf, gradients, queries, done };
}

/** Validity and grade, by the network's own thresholds where the visitor has none. */
function grade(net, success, l2, ssim, confidence, thresholds) {
  const { measure, valid: validAt, confident: confidentAt } = { ...net.thresholds(), ...thresholds };
  const { valid, grade: name } = net.grade(success, l2, ssim, confidence, validAt, confidentAt);
  return { valid, grade: name, measure, validAt, confidentAt };
}

/** The best image of an attack with all that is measured of it. */
function outcome(net, attack, { label, targeted, thresholds, index }) {
  const made = attack.outcome(net);
  const image = made.image();
  const progress = { ...read(made.progress()), fresh: null };
  // Where draws decide, fresh ones do: the attack did not see them.
  const [fresh, predicted, confidence] = net.fresh(image, label, targeted, index);
  if (fresh !== undefined) Object.assign(progress, { fresh, predicted, confidence, success: fresh >= 0.5 });
  const { ssim, survivesPng } = made;
  const answer = {
    ...progress, ssim, survivesPng, budget: made.budget ?? null, image, probabilities: made.probabilities(),
    ...seen(net, image),
    ...grade(net, progress.success, progress.l2, ssim, progress.confidence, thresholds),
  };
  made.free();
  return answer;
}

/** What a VAE makes of an image; nothing for other networks. */
const seen = (net, image) => (net.isVae() ? { seen: net.see(image) } : {});

const jobs = {
  async samples({ file }) {
    const { Samples } = await started;
    const samples = new Samples(await download(`../models/${file}.safetensors`, 'the digits'));
    const answer = { pixels: samples.pixels(), labels: samples.labels(), indices: samples.indices() };
    samples.free();
    return answer;
  },

  async load({ model }) {
    const net = await network(model);
    const { build } = await started;
    const vae = net.isVae();
    const map = { mapPoints: net.mapPoints(), mapLabels: net.mapLabels() };
    return { title: net.title(), labels: net.labels(), facts: net.facts(), thresholds: net.thresholds(), build: build(), vae, ...map };
  },

  // Weights that the visitor brought: refused in words when they are not right, else kept under this name.
  async adopt({ name, bytes }) {
    const { Network } = await started;
    const made = new Network(bytes);
    const { dataset } = made.facts();
    made.free();
    keep(name, bytes);
    return { dataset };
  },

  async see({ model, image }) {
    return { seen: (await network(model)).see(image) };
  },

  // With the image's index also the label that is read, of a network that draws by most of its fresh answers.
  async read({ model, image, index = null }) {
    const net = await network(model);
    const probabilities = net.probabilities(image);
    if (index === null) return { probabilities };
    const [, predicted = probabilities.indexOf(Math.max(...probabilities))] = net.fresh(image, 0, true, index);
    return { probabilities, predicted };
  },

  // Sends frames as they come, none with `quiet`; answers with the outcome. Where draws decide, each `index` has its own.
  // `start`: an image of the wanted label, for attacks that begin at one.
  async attack({ id, model, image, label, targeted, options, thresholds = {}, quiet = false, index = 0, start: wanted = null }) {
    const net = await network(model);
    const attack = await begin(net, image, label, targeted, options, wanted);
    try {
      const most = image.length > 10_000 && options.search ? SEARCHED : options.steps;
      const every = Math.ceil(most / FRAMES(image.length));
      const start = performance.now();
      let first = null;
      for (;;) {
        const frames = [];
        const pause = performance.now() + SLICE;
        let end = null;
        do {
          const progress = read(attack.step(net));
          if (progress.success && first === null) first = performance.now() - start;
          if (progress.done) end = { steps: progress.step, gradients: progress.gradients, queries: progress.queries, ms: performance.now() - start };
          if (!quiet && (progress.done || progress.step % every === 0)) {
            const image = attack.image();
            frames.push({ ...progress, image, probabilities: attack.probabilities(), ...seen(net, image) });
          }
        } while (!end && performance.now() < pause);
        if (frames.length) postMessage({ id, type: 'frames', frames });
        if (end) return { outcome: { ...outcome(net, attack, { label, targeted, thresholds, index }), ...end, firstMs: first } };
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

  // Statistics of the crate by name: [['share', hits, n], ['median', values], ...].
  async statistics({ asked }) {
    const { share, median, quartiles, pairedDifference } = await started;
    const known = { share, median, quartiles, pairedDifference };
    return { answers: asked.map(([what, ...values]) => known[what](...values)) };
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
  if (data.type === 'keep') {
    keep(data.name, data.bytes);
    return;
  }
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
