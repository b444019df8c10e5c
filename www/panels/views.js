// The views of the stage: this attack, every target, a duel, all three attacks, the landscape, the race, one noise for all. Each takes the
// place of the others.

/** @import { Session } from '../app/session.js' */

import { byId } from '../parts/dom.js';

/** The views by the button that opens them. */
const VIEWS = {
  pictures: 'pictures-view', every: 'gallery-section', duel: 'duel-section', compare: 'compare-section', landscape: 'landscape-view', race: 'race-view', noise: 'noise-view',
};
/** Those that stay when another picture is picked. */
const STAYS = ['landscape', 'race', 'noise'];

/** @param {HTMLElement} root @param {Session} session */
export function mount(root, session) {
  let now = '';
  const show = (/** @type {string} */ shown) => {
    for (const [button, view] of Object.entries(VIEWS)) {
      byId(view).hidden = button !== shown;
      byId(button).setAttribute('aria-pressed', String(button === shown));
    }
    if (now === shown) return;
    now = shown;
    session.tell('view', shown);
  };
  for (const what of ['every', 'duel', 'compare']) session.on(what, () => show(what));
  session.on('reset', () => STAYS.includes(now) || show('pictures'));
  // A landscape is drawn anew of each attack; whoever attacks beside a race or a noise wants to see the attack.
  session.on('attack', () => now === 'landscape' || show('pictures'));
  session.on('pictures', ({ dataset }) => {
    // What goes over many digits has none of faces.
    for (const id of ['race', 'noise']) byId(id).hidden = dataset.pictures !== 'sample';
    if (STAYS.includes(now) && byId(now).hidden) show('pictures');
  });
  byId('pictures').addEventListener('click', () => show('pictures'));
  for (const name of STAYS) {
    byId(name).addEventListener('click', async () => {
      show(name);
      await session.open(name);
    });
  }
  // Whoever follows a link to an attack in another norm than the ruler's wants what is folded.
  session.on('linked', () => (byId('more').open = true));
  show('pictures');
}
