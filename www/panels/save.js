// The attacked picture as a file: of 8 bits, and inside the budget.

/** @import { Session } from '../app/session.js' */

import { byId } from '../parts/dom.js';
import { png, save } from '../parts/download.js';
import { drawImage, newCanvas, trustCanvas } from '../parts/pixels.js';
import { errorWords } from '../words/en.js';

/** @param {HTMLElement} _ @param {Session} session */
export function mount(_, session) {
  byId('save').addEventListener('click', async () => {
    const { outcome, network } = session.current;
    if (!outcome || !network) return;
    const { label, predicted, stored } = outcome;
    try {
      trustCanvas();
      const canvas = newCanvas();
      drawImage(canvas, stored);
      save(`${network.labels[label]}-reads-${network.labels[predicted]}.png`.replaceAll(' ', '-'), await png(canvas));
    } catch (/** @type {any} */ error) {
      session.tell('notice', { words: errorWords(error) });
    }
  });
}
