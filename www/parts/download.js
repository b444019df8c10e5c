// Files that the page makes and the visitor keeps.

/** Offers a file. @param {string} name @param {string | Blob} content @param {string} [type] */
export function save(name, content, type) {
  const url = URL.createObjectURL(content instanceof Blob ? content : new Blob([content], { type }));
  Object.assign(document.createElement('a'), { href: url, download: name }).click();
  // Some browsers begin to read it only after the click is over.
  setTimeout(() => URL.revokeObjectURL(url), 10_000);
}

/** A canvas as a PNG; fails in words where the browser makes none. @param {HTMLCanvasElement} canvas @returns {Promise<Blob>} */
export const png = (canvas) => new Promise((resolve, reject) => {
  canvas.toBlob((blob) => (blob ? resolve(blob) : reject(new Error('This browser made no PNG of the picture. It may be set to let no page read pictures; allow it for this page.'))));
});
