// Images onto canvases: grey or colour, in the shape that the chosen networks read.

let current = [28, 28, 1];

/** Rows, columns and channels of an image. */
export const shape = () => current;

/** Sets that shape, and the size of these canvases. */
export function useShape(to, canvases) {
  current = to;
  // What lies in a frame of its own is drawn in these sides.
  document.documentElement.style.setProperty('--form', String(to[1] / to[0]));
  for (const canvas of canvases) Object.assign(canvas, { width: to[1], height: to[0] });
}

/** A canvas for an image; with `label` it is an image to screen readers, too. @param {string | null} [label] */
export function newCanvas(label = null) {
  const canvas = Object.assign(document.createElement('canvas'), { width: current[1], height: current[0] });
  if (label !== null) {
    canvas.setAttribute('role', 'img');
    canvas.setAttribute('aria-label', label);
  }
  return canvas;
}

/**
 * `count` images of shipped pixels (0 to 255) from number `from` on, flat, in [0, 1].
 * @param {number[]} image its shape @param {Uint8Array} pixels @param {number} from @param {number} [count]
 */
export function sampleImages(image, pixels, from, count = 1) {
  const size = image.reduce((product, n) => product * n, 1);
  return Float32Array.from(pixels.subarray(from * size, (from + count) * size), (p) => p / 255);
}

/** Lets `fill` write the bytes of all pixels, red, green, blue and opaque. @param {any} canvas @param {(bytes: Uint8ClampedArray) => void} fill */
function paint(canvas, fill) {
  const context = canvas.getContext('2d');
  const [rows, cols] = current;
  const data = context.createImageData(cols, rows);
  fill(data.data);
  context.putImageData(data, 0, 0);
}

/** An image in [0, 1]. Plain loops: of a photograph there are 71,148 values, many times a second. */
export function drawImage(canvas, image) {
  const colour = current[2] === 3;
  paint(canvas, (bytes) => {
    // Written into such bytes a number is rounded.
    for (let i = 0, at = 0; at < bytes.length; at += 4) {
      bytes[at] = 255 * image[i];
      bytes[at + 1] = 255 * image[colour ? i + 1 : i];
      bytes[at + 2] = 255 * image[colour ? i + 2 : i];
      bytes[at + 3] = 255;
      i += colour ? 3 : 1;
    }
  });
}

/** What becomes lighter and darker is painted so; on dark paper in lighter colours. */
const PAINTS = { light: [[217, 95, 2], [31, 90, 180]], dark: [[255, 150, 70], [110, 170, 255]] };

/** The colours of what becomes lighter, and darker. @param {boolean} [dark] whether they lie on dark paper */
export const paints = (dark = matchMedia('(prefers-color-scheme: dark)').matches) => PAINTS[dark ? 'dark' : 'light'];

/**
 * `image - original`, the mean over the channels, magnified so that the largest change has full colour.
 * @param {HTMLCanvasElement} canvas @param {Float32Array} original @param {Float32Array} image @param {boolean} [dark] whether it lies on dark paper
 * @returns {number} by how much it is magnified; 0 when nothing changed
 */
export function drawPerturbation(canvas, original, image, dark = undefined) {
  const [rows, cols, channels] = current;
  const change = new Float32Array(rows * cols);
  let largest = 0;
  for (let i = 0, from = 0; i < change.length; i++) {
    let sum = 0;
    for (let channel = 0; channel < channels; channel++, from++) sum += image[from] - original[from];
    change[i] = sum / channels;
    largest = Math.max(largest, Math.abs(change[i]));
  }
  const gain = largest > 0 ? 1 / largest : 0;
  const [up, down] = paints(dark);
  paint(canvas, (bytes) => {
    for (let i = 0, at = 0; i < change.length; i++, at += 4) {
      // Where nothing changed, what lies behind is seen: paper, light or dark.
      bytes.set(change[i] > 0 ? up : down, at);
      bytes[at + 3] = 255 * Math.abs(change[i]) * gain;
    }
  });
  return gain;
}

const UNREADABLE = 'This browser does not let the page read the pixels of a picture as they are (some guard their users’ privacy so). Allow this page to read canvases, and try again.';

/** Side of the square that is drawn to see whether pixels come back as they went in. */
const PROBE = 32;

/** Reads pixels; fails in words where the browser forbids it. @param {CanvasRenderingContext2D} context @param {number} rows @param {number} cols */
function pixels(context, rows, cols) {
  try {
    return context.getImageData(0, 0, cols, rows).data;
  } catch {
    throw new Error(UNREADABLE);
  }
}

/** Fails in words where what is read of a canvas is not what was drawn: forbidden, or with noise in it. */
export function trustCanvas() {
  const context = newContext(PROBE, PROBE);
  const drawn = context.createImageData(PROBE, PROBE);
  for (let i = 0; i < drawn.data.length; i++) drawn.data[i] = i % 4 === 3 ? 255 : (i * 73 + (i >> 5) * 29) & 255;
  context.putImageData(drawn, 0, 0);
  if (!pixels(context, PROBE, PROBE).every((value, i) => value === drawn.data[i])) throw new Error(UNREADABLE);
}

/** @param {number} rows @param {number} cols */
function newContext(rows, cols) {
  const canvas = Object.assign(document.createElement('canvas'), { width: cols, height: rows });
  const context = canvas.getContext('2d', { willReadFrequently: true });
  if (!context) throw new Error('This browser gives the page nothing to draw on.');
  return context;
}

/**
 * What `draw` draws, flat, in [0, 1], of so many channels: in colour, or in grey (luma of ITU-R BT.601).
 * @param {number} rows @param {number} cols @param {number} channels @param {(context: CanvasRenderingContext2D) => void} draw
 */
export function readBack(rows, cols, channels, draw) {
  trustCanvas();
  const context = newContext(rows, cols);
  draw(context);
  const data = pixels(context, rows, cols);
  const image = new Float32Array(rows * cols * channels);
  for (let i = 0; i < rows * cols; i++) {
    const rgb = [data[4 * i] / 255, data[4 * i + 1] / 255, data[4 * i + 2] / 255];
    if (channels === 1) image[i] = 0.299 * rgb[0] + 0.587 * rgb[1] + 0.114 * rgb[2];
    else image.set(rgb, channels * i);
  }
  return image;
}
