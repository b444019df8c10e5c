// What the visitor brings: files that are dropped, pasted or chosen, and the camera. Weights go one way, pictures another.

/** @import { Session } from '../app/session.js' */

import { onArrival } from '../parts/arrivals.js';
import { Crop } from '../parts/crop.js';
import { byId } from '../parts/dom.js';

/** @param {HTMLElement} _ @param {Session} session */
export function mount(_, session) {
  const { actions } = session;
  const crop = new Crop({
    dialog: byId('crop'), canvas: byId('crop-canvas'), zoom: byId('crop-zoom'), take: byId('crop-take'), cancel: byId('crop-cancel'), video: byId('crop-video'),
    digit: { figure: byId('crop-result'), preview: byId('crop-preview'), find: byId('crop-find'), invert: byId('crop-invert') },
  }, (words) => session.tell('notice', { words }));
  const picture = (/** @type {File} */ file) => actions.bringPicture((take) => crop.file(file, take));
  const bring = (/** @type {File} */ file) => actions.bring(file, picture);
  session.on('pictures', ({ dataset }) => {
    crop.inked = dataset.image[2] === 1 && dataset.pictures === 'sample';
    byId('crop-words').textContent = crop.inked ? 'It is read in grey, light on dark: a light background is turned dark.' : '';
  });
  const camera = /** @type {HTMLButtonElement} */ (byId('camera'));
  onArrival('own', (file) => actions.bringWeights(file));
  onArrival('picture', picture);
  onArrival('paste', bring);
  onArrival('drop', bring);
  camera.addEventListener('click', () => actions.bringPicture((take) => crop.camera(take)));
  camera.disabled = false;
}
