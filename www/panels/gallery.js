// The picture attacked towards every other label.

/** @import { Session } from '../app/session.js' */

import { byId } from '../parts/dom.js';
import { Gallery } from '../parts/gallery.js';

/** @param {HTMLElement} _ @param {Session} session */
export function mount(_, session) {
  const gallery = new Gallery(byId('gallery'));
  session.on('every', ({ wanted, labels }) => {
    gallery.start(wanted, labels);
    byId('gallery-summary').textContent = '';
  });
  session.on('every-outcome', ({ target, outcome, labels }) => gallery.show(target, outcome, labels));
  session.on('every-refused', ({ target, why }) => gallery.refuse(target, why));
  session.on('every-ended', (words) => (byId('gallery-summary').textContent = words));
}
