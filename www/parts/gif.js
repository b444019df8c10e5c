// An animation as a GIF (GIF89a, CompuServe 1990): frames of pixels, each with how long it is seen; at most 256 colours over all.

/** Bits of a colour's channel that are told apart when colours are counted. */
const BITS = 5;

/** @typedef {{data: Uint8ClampedArray, delay: number}} Frame bytes red, green, blue, opaque; hundredths of a second */

/** The key of a colour. @param {Uint8ClampedArray} data @param {number} at */
const keyOf = (data, at) => ((data[at] >> (8 - BITS)) << (2 * BITS)) | ((data[at + 1] >> (8 - BITS)) << BITS) | (data[at + 2] >> (8 - BITS));

/**
 * At most 256 colours for these frames, by median cut (Heckbert 1982), and which of them stands for each key.
 * @param {Frame[]} frames
 */
function palette(frames) {
  /** Of each key that occurs: how often, and the sums of its channels. @type {Map<number, number[]>} */
  const counts = new Map();
  for (const { data } of frames) {
    for (let at = 0; at < data.length; at += 4) {
      const key = keyOf(data, at);
      const sum = counts.get(key) ?? [0, 0, 0, 0];
      for (const [i, add] of [1, data[at], data[at + 1], data[at + 2]].entries()) sum[i] += add;
      counts.set(key, sum);
    }
  }
  const colours = [...counts].map(([key, [n, r, g, b]]) => ({ key, n, rgb: [r / n, g / n, b / n] }));
  let boxes = [colours];
  while (boxes.length < 256) {
    // The box that spreads farthest is cut at its middle.
    const spreads = boxes.map((box) => [0, 1, 2].map((c) => (box.length < 2 ? 0 : Math.max(...box.map(({ rgb }) => rgb[c])) - Math.min(...box.map(({ rgb }) => rgb[c])))));
    const widest = spreads.map((spread) => Math.max(...spread));
    const most = Math.max(...widest);
    if (most <= 0) break;
    const place = widest.indexOf(most);
    const channel = spreads[place].indexOf(most);
    const sorted = boxes[place].toSorted((a, b) => a.rgb[channel] - b.rgb[channel]);
    const middle = sorted.length >> 1;
    boxes = [...boxes.slice(0, place), sorted.slice(0, middle), sorted.slice(middle), ...boxes.slice(place + 1)];
  }
  /** @type {Map<number, number>} */
  const index = new Map();
  const table = new Uint8Array(3 * 256);
  boxes.forEach((box, i) => {
    const all = box.reduce((sum, { n }) => sum + n, 0);
    for (let c = 0; c < 3; c++) table[3 * i + c] = Math.round(box.reduce((sum, { n, rgb }) => sum + n * rgb[c], 0) / Math.max(all, 1));
    for (const { key } of box) index.set(key, i);
  });
  return { table, index };
}

/** Indices of 8 bits, compressed as GIF has it (Welch 1984), in blocks. @param {Uint8Array} indices @returns {number[]} */
function compressed(indices) {
  const [clear, end] = [256, 257];
  /** @type {number[]} */
  const bytes = [];
  let [size, next, bits, held] = [9, 258, 0, 0];
  /** @type {Map<number, number>} */
  let known = new Map();
  const put = (/** @type {number} */ code) => {
    bits |= code << held;
    held += size;
    while (held >= 8) {
      bytes.push(bits & 255);
      bits >>>= 8;
      held -= 8;
    }
  };
  put(clear);
  let prefix = indices[0];
  for (let i = 1; i < indices.length; i++) {
    const key = (prefix << 8) | indices[i];
    const code = known.get(key);
    if (code !== undefined) {
      prefix = code;
      continue;
    }
    put(prefix);
    if (next === 4096) {
      put(clear);
      [known, size, next] = [new Map(), 9, 258];
    } else {
      if (next === 1 << size) size++;
      known.set(key, next++);
    }
    prefix = indices[i];
  }
  put(prefix);
  put(end);
  if (held > 0) bytes.push(bits & 255);
  /** @type {number[]} */
  const blocks = [];
  for (let at = 0; at < bytes.length; at += 255) {
    const block = bytes.slice(at, at + 255);
    blocks.push(block.length, ...block);
  }
  return [...blocks, 0];
}

/** The bytes of an animation that goes on for ever. @param {number} width @param {number} height @param {Frame[]} frames */
export function gif(width, height, frames) {
  const { table, index } = palette(frames);
  const two = (/** @type {number} */ n) => [n & 255, n >> 8];
  const text = (/** @type {string} */ letters) => [...letters].map((letter) => letter.charCodeAt(0));
  const parts = [
    Uint8Array.from([...text('GIF89a'), ...two(width), ...two(height), 0xf7, 0, 0]), table,
    Uint8Array.from([0x21, 0xff, 11, ...text('NETSCAPE2.0'), 3, 1, 0, 0, 0]),
  ];
  for (const { data, delay } of frames) {
    const indices = new Uint8Array(width * height);
    for (let i = 0; i < indices.length; i++) indices[i] = index.get(keyOf(data, 4 * i)) ?? 0;
    parts.push(Uint8Array.from([0x21, 0xf9, 4, 4, ...two(delay), 0, 0, 0x2c, 0, 0, 0, 0, ...two(width), ...two(height), 0, 8]), Uint8Array.from(compressed(indices)));
  }
  parts.push(Uint8Array.from([0x3b]));
  return new Blob(parts, { type: 'image/gif' });
}
