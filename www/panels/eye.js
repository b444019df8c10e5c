// The naked eye: can one still read it?

/** @import { Session } from '../app/session.js' */

import { byId } from '../parts/dom.js';
import { Eye } from '../parts/eye.js';
import { validity } from '../words/en.js';

/** @param {HTMLElement} _ @param {Session} session */
export function mount(_, session) {
  const parts = { dialog: byId('eye'), canvas: byId('eye-image'), answers: byId('eye-answers'), verdict: byId('eye-verdict'), tally: byId('eye-tally') };
  /** @type {Eye | null} */
  let eye = null;
  /** @type {string[] | null} */
  let shown = null;
  session.on('network', ({ labels }) => {
    if (shown?.join('\n') === labels.join('\n')) return;
    shown = labels;
    eye = new Eye(parts, labels);
  });
  byId('more').addEventListener('toggle', () => eye?.tally());
  session.on('reset', () => {
    byId('after-attack').hidden = true;
    eye?.forget();
  });
  session.on('outcome', () => {
    byId('after-attack').hidden = false;
    eye?.forget();
  });
  byId('eye-ask').addEventListener('click', () => {
    const { outcome } = session.current;
    if (outcome) eye?.ask({ image: outcome.image, label: outcome.label, valid: outcome.valid, words: validity(outcome) });
  });
}
