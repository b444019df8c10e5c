// What the network is to read instead.

/** @import { Session } from '../app/session.js' */

import { Choices } from '../parts/choices.js';

/** @param {HTMLElement} root @param {Session} session */
export function mount(root, session) {
  /** @type {Choices | null} */
  let targets = null;
  /** @type {string[] | null} */
  let shown = null;
  const show = () => {
    const { clean } = session.current;
    targets?.pick(session.state.target);
    targets?.disable([String(clean?.label ?? session.labelOf(session.state.digit))]);
  };
  session.on('network', ({ labels }) => {
    if (shown?.join('\n') !== labels.join('\n')) {
      shown = labels;
      const options = [
        { value: 'auto', label: 'Choose for me' },
        ...labels.map((/** @type {string} */ label, /** @type {number} */ i) => ({ value: String(i), label })),
        { value: 'any', label: 'Anything else' },
      ];
      targets = new Choices(root, { name: 'target', options, onPick: (target) => session.change({ target }) });
    }
    show();
  });
  session.on('state', show);
  session.on('clean', show);
}
