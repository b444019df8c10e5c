// What the visitor brings: files that are dropped, pasted or chosen, and the camera. Weights go one way, pictures another.

const $ = (id) => document.getElementById(id);
const isPicture = ({ type }) => /^image\//.test(type);

/**
 * Listens for all of it.
 * @param {{onWeights: (file: File) => void, onPicture: (open: (take: (image: Float32Array) => void) => Promise<void>) => void,
 *   crop: import('./view/crop.js').Crop}} to
 */
export function listen({ onWeights, onPicture, crop }) {
  const bring = (file) => (isPicture(file) ? onPicture((take) => crop.file(file, take)) : onWeights(file));
  $('own').addEventListener('change', ({ target }) => {
    const [file] = target.files;
    if (file) onWeights(file);
    target.value = '';
  });
  $('picture').addEventListener('change', ({ target }) => {
    const [file] = target.files;
    if (file) onPicture((take) => crop.file(file, take));
    target.value = '';
  });
  $('camera').addEventListener('click', () => onPicture((take) => crop.camera(take)));
  addEventListener('paste', ({ clipboardData }) => {
    const file = [...(clipboardData?.files ?? [])].find(isPicture);
    if (file) bring(file);
  });
  onDrop(bring);
}

/** Takes a file that is dropped anywhere on the page. */
export function onDrop(take) {
  addEventListener('dragover', (event) => {
    event.preventDefault();
    document.body.classList.add('dropping');
  });
  addEventListener('dragleave', () => document.body.classList.remove('dropping'));
  addEventListener('drop', (event) => {
    event.preventDefault();
    document.body.classList.remove('dropping');
    const file = event.dataTransfer?.files[0];
    if (file) take(file);
  });
}
