// What the network is to read instead.

/** @import { Session } from '../app/session.js' */

import { Choices } from '../parts/choices.js';
import { byId, element } from '../parts/dom.js';

/** @param {HTMLElement} root @param {Session} session */
export function mount(root, session) {
  /** @type {Choices | null} */
  let targets = null;
  /** @type {string[] | null} */
  let shown = null;
  const show = () => {
    const { clean } = session.current;
    targets?.pick(session.state.target);
    const own = String(clean?.label ?? session.labelOf(session.state.digit));
    targets?.disable([own]);
    for (const option of select.options) option.disabled = option.value === own;
    select.value = session.state.target;
    select.disabled = false;
  };
  const select = /** @type {HTMLSelectElement} */ (byId('read-as'));
  select.addEventListener('change', () => session.change({ target: select.value }));
  session.on('network', ({ labels }) => {
    if (shown?.join('\n') !== labels.join('\n')) {
      shown = labels;
      const options = [
        { value: 'auto', label: 'Choose for me' },
        ...labels.map((/** @type {string} */ label, /** @type {number} */ i) => ({ value: String(i), label })),
        { value: 'any', label: 'Anything else' },
      ];
      select.replaceChildren(...options.map(({ value, label }) => element('option', { value, textContent: value === 'auto' ? 'what is nearest' : value === 'any' ? 'anything else' : label })));
      targets = new Choices(root, { name: 'target', options, onPick: (target) => session.change({ target }) });
    }
    show();
  });
  session.on('state', show);
  session.on('clean', show);
}
