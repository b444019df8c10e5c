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
    return { title: net.title(), labels: net.labels(), facts: net.facts(), build: build() };
  },

  async read({ model, image }) {
    return { probabilities: (await network(model)).probabilities(image) };
  },

  // With `last`, only the image at the end is sent.
  async attack({ id, model, image, label, targeted, epsilon, steps, last = false }) {
    const net = await network(model);
    const { LinfAttack } = await started;
    const attack = new LinfAttack(net, image, label, targeted, epsilon, steps);
    try {
      const every = Math.ceil(steps / FRAMES);
      const begin = performance.now();
      for (;;) {
        const frames = [];
        const pause = performance.now() + SLICE;
        let end;
        do {
          const progress = attack.step(net);
          const { step, loss, predicted, confidence, success, l1, l2, linf, gradients, done } = progress;
          progress.free();
          if (done || (!last && step % every === 0)) {
            const frame = { step, loss, predicted, confidence, success, l1, l2, linf, gradients };
            frames.push({ ...frame, image: attack.image(), probabilities: attack.probabilities() });
          }
          if (done) end = performance.now() - begin;
        } while (end === undefined && performance.now() < pause);
        postMessage({ id, type: 'frames', frames });
        if (end !== undefined) return { ms: end };
        await breathe();
        if (cancelled.delete(id)) return { cancelled: true };
      }
    } finally {
      attack.free();
    }
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
