// A defence at first sight: one of each kind, switched on against an attack that does not know it; then the attack is told.

/** @import { Session } from '../app/session.js' */

import { Choices } from '../parts/choices.js';
import { byId } from '../parts/dom.js';
import { shieldSays, shieldWords } from '../words/en.js';

/** Stands for the network that was trained to withstand attacks. */
const TRAINED = 'trained';

/** @param {HTMLElement} _ @param {Session} session */
export function mount(_, session) {
  const { offers } = session;
  /** @type {Choices | null} */
  let shields = null;
  /** The network without its training. */
  const bare = () => offers.network(session.state.model).defends ?? session.state.model;
  /** The first that was trained for it. */
  const trained = () => offers.networks.find(({ defends }) => defends === bare())?.key ?? null;
  const chosen = () => (offers.network(session.state.model).defends ? TRAINED : session.state.defence);
  const offered = () => {
    const { key } = offers.datasetOf(session.state.model);
    const all = offers.defencesOf(key).filter(({ first }) => first);
    return ['', ...all.map((defence) => defence.key), ...(trained() ? [TRAINED] : [])];
  };
  let shown = '';
  const show = () => {
    const options = offered();
    if (shown !== options.join()) {
      shown = options.join();
      shields = new Choices(byId('shields'), {
        name: 'shield',
        options: options.map((value) => ({ value, label: shieldWords(value) })),
        onPick: async (value) => {
          const blind = value ? 'blind' : offers.attackers[0];
          const model = value === TRAINED ? trained() : bare();
          await session.actions.choose({ model: model ?? bare(), defence: value === TRAINED ? '' : value, attacker: blind });
          await session.actions.attack();
        },
      });
    }
    shields?.pick(chosen());
    const defence = offers.defences.find(({ key }) => key === session.state.defence);
    byId('shield-says').textContent = shieldSays(defence ?? null, session.state.attacker);
  };
  session.on('state', show);
  session.on('pictures', show);
}
