// What can be started, and what is under way.

/** @import { Session } from '../app/session.js' */

import { byId } from '../parts/dom.js';

/** @param {HTMLElement} _ @param {Session} session */
export function mount(_, session) {
  const { actions, many } = session;
  const show = () => {
    const { network, pictures } = session.current;
    for (const id of ['attack', 'every', 'compare', 'duel', 'landscape', 'race', 'noise']) {
      byId(id).disabled = !network || !pictures?.count;
      // What was pressed keeps the focus while it works.
      byId(id).setAttribute('aria-disabled', String(session.busy || byId(id).disabled));
    }
    const cancel = byId('cancel');
    if (!session.busy && document.activeElement === cancel) byId('attack').focus();
    cancel.disabled = !session.busy;
  };
  session.on('busy', (words) => {
    byId('status').textContent = words;
    show();
  });
  session.on('status', (words) => (byId('status').textContent = words));
  session.on('current', show);
  byId('controls').addEventListener('submit', (/** @type {Event} */ event) => {
    event.preventDefault();
    actions.attack();
  });
  byId('every').addEventListener('click', () => many.every());
  byId('compare').addEventListener('click', () => many.compare());
  byId('duel').addEventListener('click', () => many.duel());
  byId('cancel').addEventListener('click', () => session.cancel());
}
