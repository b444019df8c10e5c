// What the visitor brings: files that are dropped, pasted or chosen, and the camera. Weights go one way, pictures another.

/** @import { Session } from '../app/session.js' */

import { Crop } from '../parts/crop.js';
import { byId } from '../parts/dom.js';
import { onDrop } from '../parts/drop.js';

const isPicture = (/** @type {File} */ { type }) => /^image\//.test(type);

/** @param {HTMLElement} _ @param {Session} session */
export function mount(_, session) {
  const { actions } = session;
  const crop = new Crop({
    dialog: byId('crop'), canvas: byId('crop-canvas'), zoom: byId('crop-zoom'), take: byId('crop-take'), cancel: byId('crop-cancel'), video: byId('crop-video'),
  });
  const picture = (/** @type {File} */ file) => actions.bringPicture((take) => crop.file(file, take));
  const bring = (/** @type {File} */ file) => (isPicture(file) ? picture(file) : actions.bringWeights(file));
  byId('own').addEventListener('change', (/** @type {any} */ { target }) => {
    const [file] = target.files;
    if (file) actions.bringWeights(file);
    target.value = '';
  });
  byId('picture').addEventListener('change', (/** @type {any} */ { target }) => {
    const [file] = target.files;
    if (file) picture(file);
    target.value = '';
  });
  byId('camera').addEventListener('click', () => actions.bringPicture((take) => crop.camera(take)));
  addEventListener('paste', ({ clipboardData }) => {
    const file = [...(clipboardData?.files ?? [])].find(isPicture);
    if (file) bring(file);
  });
  onDrop(bring);
}
