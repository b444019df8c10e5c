// How sure the network is, and whether the eye would notice: in words first, with the numbers for those who tap.

/** @import { Session } from '../app/session.js' */
/** @import { Outcome } from '../engine/protocol.js' */

import { likeliestThree } from '../app/offers.js';
import { byId } from '../parts/dom.js';
import { foolsWords, othersWords, sureWords, visibleWords } from '../words/en.js';

/** @param {HTMLElement} _ @param {Session} session */
export function mount(_, session) {
  const sure = byId('sure');
  /** What is shown: the probabilities, and how the attack ended, if it has. @type {{probabilities: Float32Array, outcome: Outcome | null} | null} */
  let shown = null;
  /** Whether numbers stand in place of words. */
  let numbers = false;
  const show = () => {
    const { network } = session.current;
    sure.hidden = !shown;
    byId('others').textContent = '';
    byId('fools').textContent = '';
    byId('visible').hidden = !shown?.outcome;
    byId('replay-run').hidden = !shown?.outcome;
    byId('share-open').hidden = !shown?.outcome;
    byId('measure-open').hidden = !shown?.outcome || session.dataset.pictures !== 'sample';
    if (!shown || !network) return;
    const { probabilities, outcome } = shown;
    const [first, ...rest] = likeliestThree(probabilities, network.labels);
    sure.textContent = outcome?.refused ? 'refused' : sureWords(first, numbers);
    byId('others').textContent = othersWords(rest, numbers);
    if (!outcome) return;
    const { share, words } = visibleWords(outcome, numbers);
    byId('visible-words').textContent = words;
    // The threshold stands in the middle.
    byId('visible-bar').style.setProperty('--share', String(Math.min(share / 2, 1)));
    byId('visible').dataset.valid = outcome.valid;
    byId('fools').textContent = foolsWords(outcome);
  };
  sure.addEventListener('click', () => {
    numbers = !numbers;
    sure.setAttribute('aria-pressed', String(numbers));
    show();
  });
  const take = (/** @type {typeof shown} */ of) => {
    shown = of;
    show();
  };
  session.on('reset', () => take(null));
  session.on('clean', () => take(session.current.clean && { probabilities: session.current.clean.probabilities, outcome: null }));
  for (const what of ['outcome', 'regraded']) session.on(what, (outcome) => take({ probabilities: outcome.probabilities, outcome }));
  byId('replay-run').addEventListener('click', () => session.actions.attack());
  for (const what of ['share', 'measure']) byId(`${what}-open`).addEventListener('click', () => session.open(what));
  byId('undo').addEventListener('click', () => session.actions.undo());
  session.on('past', (count) => (byId('undo').hidden = count < 2));
}
