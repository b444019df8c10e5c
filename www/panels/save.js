// The attacked picture as a file.

/** @import { Session } from '../app/session.js' */

import { byId } from '../parts/dom.js';
import { drawImage, newCanvas } from '../parts/pixels.js';

/** @param {HTMLElement} _ @param {Session} session */
export function mount(_, session) {
  byId('save').addEventListener('click', () => {
    const { outcome, network } = session.current;
    if (!outcome || !network) return;
    const { label, predicted, image } = outcome;
    const canvas = newCanvas();
    drawImage(canvas, image);
    canvas.toBlob((/** @type {Blob | null} */ blob) => {
      if (!blob) return;
      const download = `${network.labels[label]}-reads-${network.labels[predicted]}.png`.replaceAll(' ', '-');
      const link = Object.assign(document.createElement('a'), { href: URL.createObjectURL(blob), download });
      link.click();
      URL.revokeObjectURL(link.href);
    });
  });
}
