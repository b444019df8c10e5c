// The picture attacked towards every other label.

/** @import { Session } from '../app/session.js' */

import { byId } from '../parts/dom.js';
import { Gallery } from '../parts/gallery.js';

/** @param {HTMLElement} root @param {Session} session */
export function mount(root, session) {
  const gallery = new Gallery(byId('gallery'));
  session.on('reset', () => (root.hidden = true));
  session.on('every', ({ wanted, labels }) => {
    gallery.start(wanted, labels);
    root.hidden = false;
    root.scrollIntoView({ block: 'nearest' });
    byId('gallery-summary').textContent = '';
  });
  session.on('every-outcome', ({ target, outcome, labels }) => gallery.show(target, outcome, labels));
  session.on('every-refused', ({ target, why }) => gallery.refuse(target, why));
  session.on('every-ended', (words) => (byId('gallery-summary').textContent = words));
}
