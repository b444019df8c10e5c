// Images onto canvases.

export const SIDE = 28;

/** `count` images of the sample from number `from` on, flat, in [0, 1]. */
export function sampleImages(samples, from, count = 1) {
  const size = SIDE * SIDE;
  return Float32Array.from(samples.pixels.subarray(from * size, (from + count) * size), (p) => p / 255);
}

function paint(canvas, color) {
  const context = canvas.getContext('2d');
  const data = context.createImageData(SIDE, SIDE);
  for (let i = 0; i < SIDE * SIDE; i++) {
    const [r, g, b] = color(i);
    data.data.set([r, g, b, 255], 4 * i);
  }
  context.putImageData(data, 0, 0);
}

/** A grey image in [0, 1]. */
export function drawImage(canvas, image) {
  paint(canvas, (i) => {
    const v = Math.round(255 * image[i]);
    return [v, v, v];
  });
}

const LIGHTER = [217, 95, 2];
const DARKER = [31, 90, 180];

/**
 * `image - original`, magnified so that the largest change has full colour.
 * @returns {number} by how much it is magnified; 0 when nothing changed
 */
export function drawPerturbation(canvas, original, image) {
  let largest = 0;
  for (let i = 0; i < image.length; i++) largest = Math.max(largest, Math.abs(image[i] - original[i]));
  const gain = largest > 0 ? 1 / largest : 0;
  paint(canvas, (i) => {
    const d = (image[i] - original[i]) * gain;
    const strong = d > 0 ? LIGHTER : DARKER;
    return strong.map((c) => Math.round(255 + (c - 255) * Math.abs(d)));
  });
  return gain;
}
