// The same picture, target, attack and budget on several networks at once, and each result replayed on the others.

/** @import { Session } from '../app/session.js' */

import { Compare } from '../parts/compare.js';
import { byId } from '../parts/dom.js';
import { showTransfer } from '../parts/transfer.js';
import { rule } from '../words/en.js';
import { duelled } from '../words/late-en.js';

/** @param {HTMLElement} root @param {Session} session */
export function mount(root, session) {
  const { offers } = session;
  const compare = new Compare(byId('duelled'), 'model');
  /** @type {any} */
  let shown = null;
  const contestants = () => shown.names.map((/** @type {string} */ name) => ({ name, title: offers.short(name) }));
  session.on('reset', () => delete root.dataset.ms);
  session.on('duel', (about) => {
    shown = about;
    delete root.dataset.ms;
    compare.start(contestants().map((/** @type {any} */ { name, title }) => [name, title]));
    byId('duel-transfer').replaceChildren();
    byId('duel-summary').textContent = '';
  });
  session.on('duel-outcome', ({ name, outcome }) => {
    compare.show(name, shown.image, outcome, shown.labels, rule(offers.rules(shown.attack, shown.values)));
  });
  session.on('duel-refused', ({ name, why }) => compare.refuse(name, why));
  session.on('duel-ended', ({ words, outcomes, readings, ms }) => {
    byId('duel-summary').textContent = words ?? duelled(contestants(), outcomes, shown.values);
    if (words) return;
    showTransfer(byId('duel-transfer'), contestants(), outcomes, readings, shown.labels);
    root.dataset.ms = ms;
  });
}
