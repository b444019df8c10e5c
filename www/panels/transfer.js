// How the other networks read the attacked picture.

/** @import { Session } from '../app/session.js' */

import { byId, element } from '../parts/dom.js';
import { percent } from '../words/en.js';

/** @param {HTMLElement} root @param {Session} session */
export function mount(root, session) {
  /** @type {Map<string, any>} */
  const lines = new Map();
  byId('transfer-run').addEventListener('click', () => session.many.transfer());
  session.on('reset', () => root.replaceChildren());
  session.on('outcome', () => root.replaceChildren());
  session.on('transfer', (/** @type {string[]} */ names) => {
    lines.clear();
    for (const name of names) {
      const line = element('li', { textContent: `${session.offers.short(name)}: loading…` });
      line.dataset.model = name;
      lines.set(name, line);
    }
    root.replaceChildren(...lines.values());
  });
  session.on('transferred', ({ model, predicted, confidence, refused, why, outcome }) => {
    const line = lines.get(model);
    if (!line) return;
    const name = session.offers.short(model);
    if (why) {
      line.textContent = `${name}: ${why}`;
      return;
    }
    const words = predicted === outcome.label ? 'not fooled' : predicted === outcome.predicted ? 'fooled as well' : 'misreads it, too, as something else';
    Object.assign(line.dataset, { predicted, refused });
    if (refused) {
      line.textContent = `${name}: refuses it, not fooled.`;
      return;
    }
    line.textContent = `${name}: reads ${session.current.network?.labels[predicted]} (${percent(confidence)}), ${words}.`;
  });
}
