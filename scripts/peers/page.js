// The same gradient of the same network by TensorFlow.js and by both builds of misread, in turns, in one thread.

/* global tf */

const ROUNDS = 7;
const TURN = 80; // milliseconds each contender works in its turn, at least
const BATCHES = [1, 32];

const bytes = async (path) => new Uint8Array(await (await fetch(path)).arrayBuffer());

/** The tensors of a safetensors file: {name: {shape, data}}. */
function tensors(file) {
  const length = Number(new DataView(file.buffer).getBigUint64(0, true));
  const header = JSON.parse(new TextDecoder().decode(file.subarray(8, 8 + length)));
  const types = { I8: Int8Array, U8: Uint8Array, F32: Float32Array, U32: Uint32Array };
  return Object.fromEntries(
    Object.entries(header).filter(([name]) => name !== '__metadata__').map(([name, { dtype, shape, data_offsets: [a, b] }]) => {
      return [name, { shape, data: new types[dtype](file.slice(8 + length + a, 8 + length + b).buffer) }];
    }),
  );
}

/** A dequantized weight `[out, in...]`, its entries reordered: `to(o, i)` says where entry (o, i) goes. */
function weight(file, name, shape, to) {
  const { shape: [out], data } = file[name];
  const scale = file[`${name}.scale`].data;
  const inputs = data.length / out;
  const values = new Float32Array(data.length);
  for (let o = 0; o < out; o++) {
    for (let i = 0; i < inputs; i++) values[to(o, i)] = data[o * inputs + i] * scale[o];
  }
  return tf.tensor(values, shape);
}

/** The network in TensorFlow.js: a function from images and labels to the gradient. */
function tensorflow(file) {
  const bias = (name) => tf.tensor1d(file[`${name}.bias`].data);
  const conv = (name, depth, out) => weight(file, `${name}.weight`, [3, 3, depth, out], (o, i) => ((i % 9) * depth + Math.floor(i / 9)) * out + o);
  // The file counts the inputs of the first dense layer channel by channel (64 of 5 x 5), TensorFlow.js pixel by pixel.
  const dense = (name, inputs, out, at) => weight(file, `${name}.weight`, [inputs, out], (o, i) => at(i) * out + o);
  const w = [
    conv('conv1', 1, 32), bias('conv1'), conv('conv2', 32, 64), bias('conv2'),
    dense('dense1', 1600, 128, (i) => (i % 25) * 64 + Math.floor(i / 25)), bias('dense1'),
    dense('dense2', 128, 10, (i) => i), bias('dense2'),
  ];
  // The wasm backend has no gradient of its own max-pool; this is one, from kernels that it has.
  const pool = (x, side, channels) => {
    const even = side - (side % 2);
    const cut = even === side ? x : tf.slice(x, [0, 0, 0, 0], [-1, even, even, -1]);
    const columns = tf.reshape(cut, [-1, 2, channels]);
    const half = tf.maximum(tf.slice(columns, [0, 0, 0], [-1, 1, -1]), tf.slice(columns, [0, 1, 0], [-1, 1, -1]));
    const rows = tf.reshape(half, [-1, 2, (even / 2) * channels]);
    const most = tf.maximum(tf.slice(rows, [0, 0, 0], [-1, 1, -1]), tf.slice(rows, [0, 1, 0], [-1, 1, -1]));
    return tf.reshape(most, [-1, even / 2, even / 2, channels]);
  };
  const logits = (x) => {
    const a = pool(tf.relu(tf.add(tf.conv2d(x, w[0], 1, 'valid'), w[1])), 26, 32);
    const b = pool(tf.relu(tf.add(tf.conv2d(a, w[2], 1, 'valid'), w[3])), 11, 64);
    const c = tf.relu(tf.add(tf.matMul(tf.reshape(b, [-1, 1600]), w[4]), w[5]));
    return tf.add(tf.matMul(c, w[6]), w[7]);
  };
  return (images, batch, label) =>
    tf.tidy(() => {
      const onehot = tf.cast(tf.oneHot(tf.fill([batch], label, 'int32'), 10), 'float32');
      const loss = (x) => tf.neg(tf.sum(tf.mul(onehot, tf.logSoftmax(logits(x)))));
      return tf.grad(loss)(tf.tensor4d(images, [batch, 28, 28, 1])).dataSync();
    });
}

async function ours(build, file) {
  // One glue for all builds: asked for by another name, it is another instance.
  const module = await import(`/pkg/misread.js?build=${build}`);
  await module.default({ module_or_path: `/pkg/${build}/misread_bg.wasm` });
  const network = new module.Subject(new module.Network(file), 'mean', '');
  return (images, batch, label) => {
    let last;
    for (let i = 0; i < batch; i++) last = network.lossAndGradient(images.subarray(i * 784, (i + 1) * 784), label);
    return last.subarray(11);
  };
}

const median = (values) => values.sort((a, b) => a - b)[values.length >> 1];

async function run() {
  const file = await bytes('/models/mnist-cnn.safetensors');
  const sample = tensors(await bytes('/models/mnist-sample.safetensors'));
  const images = Float32Array.from(sample.images.data.subarray(0, 32 * 784), (p) => p / 255);
  tf.wasm.setWasmPaths('/scripts/peers/node_modules/@tensorflow/tfjs-backend-wasm/dist/');
  tf.wasm.setThreadsCount(1);
  const contenders = { 'misread simd128': await ours('simd128', file), 'misread relaxed-simd': await ours('relaxed-simd', file) };
  for (const backend of ['wasm', 'cpu']) {
    await tf.setBackend(backend);
    await tf.ready();
    const gradient = tensorflow(tensors(file));
    contenders[`TensorFlow.js ${backend}`] = gradient;
  }
  const backendOf = (name) => name.startsWith('TensorFlow') && name.split(' ')[1];
  const results = [];
  for (const batch of BATCHES) {
    const input = images.subarray(0, batch * 784);
    const turns = Object.fromEntries(Object.keys(contenders).map((name) => [name, []]));
    let reference;
    for (let round = 0; round <= ROUNDS; round++) {
      for (const [name, gradient] of Object.entries(contenders)) {
        if (backendOf(name)) await tf.setBackend(backendOf(name));
        let calls = 0;
        let last;
        const start = performance.now();
        do {
          last = gradient(input, batch, 3);
          calls++;
        } while (performance.now() - start < TURN);
        // The first round warms up, and shows that all compute the same thing.
        if (round > 0) turns[name].push((performance.now() - start) / calls);
        else {
          const tail = last.slice(-784);
          reference ??= tail;
          const length = (v) => Math.hypot(...v);
          const error = length(tail.map((v, i) => v - reference[i])) / length(reference);
          if (!(error < 1e-3)) throw new Error(`${name}, batch ${batch}: the gradient differs by ${error}`);
        }
      }
    }
    for (const [name, ms] of Object.entries(turns)) results.push({ name, batch, ms: median(ms) });
  }
  return results;
}

run().then((results) => (window.peers = { results }), (error) => (window.peers = { error: String(error?.stack ?? error) }));
