// Digits as MNIST has them: light ink on dark, its box scaled into 20 x 20 pixels and laid into 28 x 28 so that its centre of mass is in
// the middle (LeCun, Bottou, Bengio and Haffner 1998, section III). Of a drawing, and of a photograph: there paper and ink, light and
// shade, and where the digit is have to be found first.

/** Side of a digit, and of the box that its ink fills. */
export const SIDE = 28;
const BOX = 20;
/** Where the centre of mass lies: in the middle of pixel 14, as it does in MNIST. */
export const MIDDLE = 14.5;
/** Samples of a pixel, along each side. */
const FINE = 5;
/** What counts as ink, as a share of the strongest. */
const INK = 0.15;
/** Of a photograph: the radius within which light is taken to be even, as a share of its side. */
const EVEN = 1 / 6;
/** What deviates less than this share of the strongest is paper; a spot smaller than that share of the largest is dirt. */
const [PAPER, DIRT] = [0.3, 0.08];
/** The least contrast that can be ink. */
const FAINT = 0.06;

/** @typedef {{image: Float32Array, x: number, y: number, scale: number}} Digit the image, and where it was: (j - MIDDLE) / scale + x is where its column j begins */

/** Ink in [0, 1], of a square of `side` pixels, as a digit; null where there is none. @param {Float32Array} ink @param {number} side @returns {Digit | null} */
export function centred(ink, side) {
  const most = ink.reduce((max, v) => Math.max(max, v), 0);
  if (most <= 0) return null;
  let [left, right, top, bottom] = [side, -1, side, -1];
  let [mass, x, y] = [0, 0, 0];
  for (let i = 0; i < ink.length; i++) {
    const [column, row] = [i % side, Math.floor(i / side)];
    mass += ink[i];
    x += ink[i] * (column + 0.5);
    y += ink[i] * (row + 0.5);
    if (ink[i] < INK * most) continue;
    [left, right] = [Math.min(left, column), Math.max(right, column + 1)];
    [top, bottom] = [Math.min(top, row), Math.max(bottom, row + 1)];
  }
  [x, y] = [x / mass, y / mass];
  const scale = BOX / Math.max(right - left, bottom - top);
  /** Bilinear; nothing outside. @param {number} u @param {number} v */
  const at = (u, v) => {
    const [j, i] = [Math.floor(u - 0.5), Math.floor(v - 0.5)];
    const [a, b] = [u - 0.5 - j, v - 0.5 - i];
    const value = (/** @type {number} */ row, /** @type {number} */ column) => (row < 0 || column < 0 || row >= side || column >= side ? 0 : ink[row * side + column]);
    return (1 - b) * ((1 - a) * value(i, j) + a * value(i, j + 1)) + b * ((1 - a) * value(i + 1, j) + a * value(i + 1, j + 1));
  };
  // Where a pixel of the digit is no larger than one of the ink, a mean would blur.
  const fine = scale < 0.5 ? FINE : 1;
  const image = new Float32Array(SIDE * SIDE);
  for (let i = 0; i < image.length; i++) {
    let sum = 0;
    for (let k = 0; k < fine * fine; k++) {
      const u = (i % SIDE) + ((k % fine) + 0.5) / fine - MIDDLE;
      const v = Math.floor(i / SIDE) + (Math.floor(k / fine) + 0.5) / fine - MIDDLE;
      sum += at(x + u / scale, y + v / scale);
    }
    image[i] = Math.min(sum / (fine * fine), 1);
  }
  return { image, x, y, scale };
}

/** How much lighter every pixel is than those around it. @param {Float32Array} grey @param {number} side */
function deviation(grey, side) {
  const radius = Math.max(2, Math.round(EVEN * side));
  const width = side + 1;
  const sums = new Float64Array(width * width);
  for (let i = 0; i < side; i++) for (let j = 0, row = 0; j < side; j++) sums[(i + 1) * width + j + 1] = (row += grey[i * side + j]) + sums[i * width + j + 1];
  return grey.map((value, at) => {
    const [i, j] = [Math.floor(at / side), at % side];
    const [top, bottom] = [Math.max(i - radius, 0), Math.min(i + radius + 1, side)];
    const [left, right] = [Math.max(j - radius, 0), Math.min(j + radius + 1, side)];
    const sum = sums[bottom * width + right] - sums[top * width + right] - sums[bottom * width + left] + sums[top * width + left];
    return value - sum / ((bottom - top) * (right - left));
  });
}

/** Whether the ink is lighter than the paper: of ink there is less, so that it deviates farther. @param {Float32Array} grey @param {number} side */
export const lighter = (grey, side) => deviation(grey, side).reduce((sum, d) => sum + d ** 3, 0) > 0;

/**
 * The digit in a photograph, in grey in [0, 1], of a square of `side` pixels; null where there is none.
 * @param {Float32Array} grey @param {number} side @param {boolean} light whether its ink is lighter than the paper
 * @returns {Digit | null}
 */
export function found(grey, side, light) {
  const sign = light ? 1 : -1;
  const ink = deviation(grey, side).map((d) => sign * d);
  const most = [...ink].sort((a, b) => b - a)[Math.floor(0.01 * ink.length)];
  if (!(most > FAINT)) return null;
  const strong = ink.map((d) => Math.min(Math.max((d / most - PAPER) / (0.8 - PAPER), 0), 1));
  return centred(withoutDirt(strong, side), side);
}

/** Ink without small spots, and without what reaches in from the edge beside something larger. @param {Float32Array} ink @param {number} side */
function withoutDirt(ink, side) {
  const of = new Int32Array(ink.length).fill(-1);
  /** @type {{size: number, edge: boolean}[]} */
  const spots = [];
  for (let start = 0; start < ink.length; start++) {
    if (ink[start] < 0.4 || of[start] >= 0) continue;
    const spot = { size: 0, edge: false };
    const waiting = [start];
    of[start] = spots.length;
    while (waiting.length) {
      const at = /** @type {number} */ (waiting.pop());
      const [i, j] = [Math.floor(at / side), at % side];
      spot.size++;
      spot.edge ||= i === 0 || j === 0 || i === side - 1 || j === side - 1;
      for (const [row, column] of [[i - 1, j], [i + 1, j], [i, j - 1], [i, j + 1], [i - 1, j - 1], [i + 1, j + 1], [i - 1, j + 1], [i + 1, j - 1]]) {
        const next = row * side + column;
        if (row < 0 || column < 0 || row >= side || column >= side || of[next] >= 0 || ink[next] < 0.4) continue;
        of[next] = spots.length;
        waiting.push(next);
      }
    }
    spots.push(spot);
  }
  const inner = spots.filter(({ edge }) => !edge);
  const largest = Math.max(0, ...(inner.length ? inner : spots).map(({ size }) => size));
  const keeps = spots.map(({ size, edge }) => size >= DIRT * largest && !(edge && inner.length > 0));
  // Faint ink beside a spot belongs to it.
  return ink.map((value, at) => {
    const [i, j] = [Math.floor(at / side), at % side];
    for (let row = Math.max(i - 2, 0); row <= Math.min(i + 2, side - 1); row++) {
      for (let column = Math.max(j - 2, 0); column <= Math.min(j + 2, side - 1); column++) {
        const spot = of[row * side + column];
        if (spot >= 0 && keeps[spot]) return value;
      }
    }
    return 0;
  });
}
