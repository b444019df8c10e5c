// Files that the visitor hands over: chosen, dropped anywhere on the page, pasted. What comes before the page can take it waits.

/** @typedef {'own' | 'picture' | 'drop' | 'paste'} Way an input's id, or how else a file came */

/** @type {Map<Way, (file: File) => void>} */
const takers = new Map();
/** @type {Map<Way, File>} */
const waiting = new Map();

/** @param {Way} way @param {File | undefined} file */
function arrive(way, file) {
  if (!file) return;
  const take = takers.get(way);
  if (take) take(file);
  else waiting.set(way, file);
}

/** Takes the files that come in a way; one that came already comes once what is under way has run. @param {Way} way @param {(file: File) => void} take */
export function onArrival(way, take) {
  takers.set(way, take);
  const file = waiting.get(way);
  waiting.delete(way);
  if (file) queueMicrotask(() => take(file));
}

for (const input of /** @type {NodeListOf<HTMLInputElement>} */ (document.querySelectorAll('input[type=file]'))) {
  const chosen = () => {
    arrive(/** @type {Way} */ (input.id), input.files?.[0]);
    input.value = '';
  };
  input.addEventListener('change', chosen);
  // It may have been chosen before this was loaded.
  if (input.files?.length) chosen();
}
addEventListener('dragover', (event) => {
  event.preventDefault();
  document.body.classList.add('dropping');
});
addEventListener('dragleave', () => document.body.classList.remove('dropping'));
addEventListener('drop', (event) => {
  event.preventDefault();
  document.body.classList.remove('dropping');
  arrive('drop', event.dataTransfer?.files[0]);
});
addEventListener('paste', ({ clipboardData }) => arrive('paste', [...(clipboardData?.files ?? [])].find(({ type }) => type.startsWith('image/'))));
