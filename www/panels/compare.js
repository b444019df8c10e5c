// The study's attacks on the picture, side by side.

/** @import { Session } from '../app/session.js' */

import { Compare } from '../parts/compare.js';
import { byId } from '../parts/dom.js';
import { percent, plain, rule } from '../words/en.js';

/** @param {HTMLElement} _ @param {Session} session */
export function mount(_, session) {
  const { offers } = session;
  const compare = new Compare(byId('compared'), 'attack');
  /** @type {any} */
  let shown = null;
  session.on('compare', (about) => {
    shown = about;
    compare.start(about.attacks.map((/** @type {string} */ name) => [name, offers.attack(name).title]));
    byId('compare-summary').textContent = '';
  });
  session.on('compare-outcome', ({ attack, outcome }) => {
    const rules = rule(offers.rules(attack, shown.parameters[attack]));
    compare.show(attack, shown.image, outcome, shown.labels, rules);
  });
  session.on('compare-refused', ({ attack, why }) => compare.refuse(attack, why));
  session.on('compare-ended', ({ words, label, target, measure, valid, confident }) => {
    const aim = `${label} → ${target ?? 'anything else'}`;
    byId('compare-summary').textContent =
      words ?? `${aim}. Valid: ${measure === 'ssim' ? 'SSIM at least' : 'L2 at most'} ${plain(valid)}; confident: at least ${percent(confident)}.`;
  });
}
