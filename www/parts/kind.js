// What a file is: by its first bytes, whatever its name says; by its name where these say nothing.

/** @typedef {'weights' | 'picture' | 'heic' | 'unknown'} Kind */

/** @type {[Kind, RegExp][]} */
const SIGNS = [
  ['picture', /^\xff\xd8\xff|^\x89PNG|^GIF8|^RIFF....WEBP|^BM|^....ftypavi[fs]/s],
  ['heic', /^....ftyp(?:hei|hev|mif|msf)/s],
  // Eight bytes with the length of a header, which is JSON.
  ['weights', /^.{4}\0{4}\s*\{/s],
];

/** @param {File} file @returns {Promise<Kind>} */
export async function kindOf(file) {
  const start = String.fromCharCode(...new Uint8Array(await file.slice(0, 24).arrayBuffer()));
  const found = SIGNS.find(([, sign]) => sign.test(start));
  if (found) return found[0];
  if (/\.(safetensors|onnx)$/i.test(file.name)) return 'weights';
  return file.type.startsWith('image/') ? 'picture' : 'unknown';
}

/** What is said of a file that is nothing of use here. @param {File} file */
export const useless = ({ name }) => `${name} is neither a picture (JPEG, PNG, GIF, WebP) nor a network (weights that train wrote, .safetensors, or .onnx).`;
