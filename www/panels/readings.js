// How sure the network is of each label, before and after, and the numbers of the attack.

/** @import { Session } from '../app/session.js' */

import { Bars } from '../parts/bars.js';
import { byId, put } from '../parts/dom.js';
import { milliseconds, plain } from '../words/en.js';

/** @param {HTMLElement} _ @param {Session} session */
export function mount(_, session) {
  /** @type {Bars | null} */
  let bars = null;
  /** @type {string[] | null} */
  let shown = null;
  const numbers = (/** @type {Record<string, any> | null} */ of) => {
    const show = (/** @type {string} */ id, /** @type {any} */ value) => {
      put(byId(id), { textContent: value === undefined || value === null ? '–' : plain(value) });
    };
    for (const id of ['linf', 'l2', 'l1', 'l0', 'ssim', 'gradients', 'queries', 'budget']) show(id, of?.[id]);
    show('taken', of?.steps ?? of?.step);
    byId('time').textContent = of?.ms === undefined ? '–' : milliseconds(of.ms);
  };
  session.on('network', ({ labels }) => {
    if (shown?.join('\n') === labels.join('\n')) return;
    shown = labels;
    bars = new Bars(byId('bars'), labels);
  });
  session.on('reset', () => {
    bars?.after(null);
    numbers(null);
  });
  session.on('clean', () => {
    const { clean } = session.current;
    if (!clean) return;
    bars?.before(clean.probabilities);
    bars?.mark(clean.label, -1);
  });
  session.on('attack', ({ label, target }) => bars?.mark(label, target));
  session.on('frame', ({ frame }) => {
    bars?.after(frame.probabilities);
    numbers({ ...frame, ms: undefined });
  });
  session.on('played', (outcome) => numbers(outcome));
}
