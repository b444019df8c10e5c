// The plane of two changes to an image: its directions, its grid, and the image at a point of it.

/** Points along a side; of large images fewer. */
export const SIDE = (/** @type {number} */ pixels) => (pixels > 10_000 ? 17 : 41);
/** From where to where it reaches, as shares of the longer change. */
const REACH = [-0.6, 1.4];

const dot = (/** @type {Float32Array} */ a, /** @type {Float32Array} */ b) => a.reduce((sum, x, i) => sum + x * b[i], 0);
const scaled = (/** @type {Float32Array} */ a, /** @type {number} */ by) => a.map((x) => x * by);

/**
 * @typedef {{origin: Float32Array, u: Float32Array, v: Float32Array, first: number, second: [number, number], places: number[]}} Plane an image, two
 *   directions of length 1 at right angles; where the changes lie: the first at (first, 0), the second at `second`; places of the grid, for
 *   both directions: all are L2 distances
 */

/**
 * The plane through an image and two others. Where the second change goes the same way as the first, another direction takes its place.
 * @param {Float32Array} origin @param {Float32Array} one @param {Float32Array} other @param {number} side points along a side
 * @returns {Plane | null} null where the first is the image itself
 */
export function planeOf(origin, one, other, side) {
  const [d, e] = [one, other].map((image) => image.map((x, i) => x - origin[i]));
  const first = Math.sqrt(dot(d, d));
  if (!(first > 0)) return null;
  const u = scaled(d, 1 / first);
  const along = dot(e, u);
  let rest = e.map((x, i) => x - along * u[i]);
  let across = Math.sqrt(dot(rest, rest));
  const parallel = across < 1e-3 * first;
  if (parallel) {
    // Any other will do: the same one always.
    const wave = origin.map((_, i) => Math.sin(12.9898 * i));
    const share = dot(wave, u);
    rest = wave.map((x, i) => x - share * u[i]);
    across = Math.sqrt(dot(rest, rest));
  }
  const v = scaled(rest, 1 / across);
  const most = Math.max(first, parallel ? 0 : Math.hypot(along, across));
  const places = Array.from({ length: side }, (_, i) => most * (REACH[0] + ((REACH[1] - REACH[0]) * i) / (side - 1)));
  return { origin, u, v, first, second: parallel ? [0, 0] : [along, across], places };
}

/** The image at a point, cut off at black and white. @param {Pick<Plane, 'origin' | 'u' | 'v'>} plane @param {number} x @param {number} y */
export const imageAt = ({ origin, u, v }, x, y) => origin.map((value, i) => Math.min(Math.max(value + x * u[i] + y * v[i], 0), 1));

/**
 * Where the name of a label is to stand: of each label that is read on at least a fiftieth of the grid the cell that lies deepest in what it holds.
 * @param {Int16Array} labels row by row; -1 for refused @param {number} side
 * @returns {Map<number, number>} label to cell
 */
export function seats(labels, side) {
  /** @type {Map<number, {cell: number, depth: number}>} */
  const best = new Map();
  /** @type {Map<number, number>} */
  const count = new Map();
  for (let cell = 0; cell < labels.length; cell++) {
    const label = labels[cell];
    count.set(label, (count.get(label) ?? 0) + 1);
    const [i, j] = [Math.floor(cell / side), cell % side];
    let depth = Math.min(i, j, side - 1 - i, side - 1 - j) + 1;
    for (let other = 0; other < labels.length; other++) {
      if (labels[other] === label) continue;
      depth = Math.min(depth, Math.hypot(Math.floor(other / side) - i, (other % side) - j));
      if (depth <= (best.get(label)?.depth ?? 0)) break;
    }
    if (depth > (best.get(label)?.depth ?? 0)) best.set(label, { cell, depth });
  }
  return new Map([...best].filter(([label]) => (count.get(label) ?? 0) >= labels.length / 50).map(([label, { cell }]) => [label, cell]));
}
