// Which network, how a VAE reads, what the network stands behind, what the attack knows of that, and who takes part in a duel.

/** @import { Session } from '../app/session.js' */

import { Choices } from '../parts/choices.js';
import { Defences } from '../parts/defences.js';
import { byId, element } from '../parts/dom.js';
import { facts, inferenceWords, networkNote } from '../words/late-en.js';

/** @param {HTMLElement} _ @param {Session} session */
export function mount(_, session) {
  const { offers } = session;
  /** @type {Choices | null} */
  let models = null;
  const inference = new Choices(byId('inference'), {
    name: 'inference',
    options: offers.inferences.map((value) => ({ value, label: inferenceWords(value) })),
    onPick: (value) => session.actions.choose({ inference: value }),
  });
  /** @type {Defences | null} */
  let defences = null;
  const boxes = () => /** @type {HTMLInputElement[]} */ ([...byId('rivals').querySelectorAll('input')]);
  const show = () => {
    const { state } = session;
    models?.pick(state.model);
    inference.pick(state.inference);
    defences?.pick(state, [state.model]);
    const names = offers.rivals(state.duel, offers.network(state.model).dataset);
    for (const box of boxes()) box.checked = names.includes(box.value);
  };
  const build = () => {
    const names = offers.names(offers.network(session.state.model).dataset);
    models = new Choices(byId('models'), {
      name: 'model',
      options: names.map((value) => ({ value, label: offers.short(value), note: networkNote(offers.network(value)) })),
      onPick: (model) => session.actions.choose({ model }),
    });
    defences = new Defences(byId('defence'), offers, offers.network(session.state.model).dataset, (changes) => session.actions.choose(changes));
    byId('rivals').replaceChildren(
      ...names.map((value) => element('label', { className: 'check' }, element('input', { type: 'checkbox', value }), offers.short(value))),
    );
    show();
  };
  // Fewer than two make no duel, so then the usual ones take part again.
  byId('rivals').addEventListener('change', () => {
    const picked = boxes().filter(({ checked }) => checked).map(({ value }) => value);
    const usual = offers.rivals('', offers.network(session.state.model).dataset).join(',');
    session.change({ duel: picked.length < 2 || picked.join(',') === usual ? '' : picked.join(',') });
  });
  session.on('pictures', build);
  session.on('networks', build);
  session.on('state', show);
  session.on('network', (network) => {
    byId('inference-row').hidden = !network.vae;
    byId('facts').textContent = facts(network);
  });
}
