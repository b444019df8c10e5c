// The attacks as cards: which one, and its parameters.

/** @import { Session } from '../app/session.js' */
/** @import { Dataset } from '../engine/protocol.js' */

import { AttackCards } from '../parts/cards.js';

/** @param {HTMLElement} root @param {Session} session */
export function mount(root, session) {
  /** @type {AttackCards | null} */
  let cards = null;
  /** @type {Dataset | null} */
  let shown = null;
  const show = () => cards?.show(session.state.attack, session.state.attacks);
  session.on('pictures', ({ dataset }) => {
    if (shown !== dataset) {
      shown = dataset;
      cards = new AttackCards(root, session.offers, dataset, {
        onPick: (attack) => session.change({ attack }),
        onChange: (attack, name, value) => {
          const values = { ...session.state.attacks[attack], ...session.table.following(attack, name, value, dataset) };
          session.change({ attack, attacks: { ...session.state.attacks, [attack]: values } });
        },
      });
    }
    show();
  });
  session.on('state', show);
}
