// A drawing as it stands in a link: 28 x 28 at 4 bits, two pixels a byte, in base64 as addresses have it.

/** The greys that are told apart. */
const MOST = 15;

/** The nearest image that a link can hold. @param {Float32Array} image */
export const rounded = (image) => image.map((x) => Math.round(MOST * Math.min(Math.max(x, 0), 1)) / MOST);

/** @param {Float32Array} image an even number of pixels */
export function written(image) {
  let bytes = '';
  for (let i = 0; i < image.length; i += 2) bytes += String.fromCharCode((Math.round(MOST * image[i]) << 4) | Math.round(MOST * image[i + 1]));
  return btoa(bytes).replaceAll('+', '-').replaceAll('/', '_').replaceAll('=', '');
}

/** The image of a text; null where it is none of so many pixels. @param {string} text @param {number} pixels */
export function read(text, pixels) {
  let bytes;
  try {
    bytes = atob(text.replaceAll('-', '+').replaceAll('_', '/'));
  } catch {
    return null;
  }
  if (bytes.length !== pixels / 2) return null;
  return Float32Array.from({ length: pixels }, (_, i) => {
    const byte = bytes.charCodeAt(i >> 1);
    return (i % 2 ? byte & MOST : byte >> 4) / MOST;
  });
}
