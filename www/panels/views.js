// The views of the stage: this attack, every target, a duel, all three attacks. Each takes the place of the others.

/** @import { Session } from '../app/session.js' */

import { byId } from '../parts/dom.js';

/** The views by the button that opens them. */
const VIEWS = { pictures: 'pictures-view', every: 'gallery-section', duel: 'duel-section', compare: 'compare-section' };

/** @param {HTMLElement} root @param {Session} session */
export function mount(root, session) {
  const show = (/** @type {string} */ shown) => {
    for (const [button, view] of Object.entries(VIEWS)) {
      byId(view).hidden = button !== shown;
      byId(button).setAttribute('aria-pressed', String(button === shown));
    }
  };
  for (const what of ['every', 'duel', 'compare']) session.on(what, () => show(what));
  for (const what of ['reset', 'attack']) session.on(what, () => show('pictures'));
  byId('pictures').addEventListener('click', () => show('pictures'));
  // Whoever follows a link to an attack in another norm than the ruler's wants what is folded.
  session.on('linked', () => (byId('more').open = true));
  show('pictures');
}
