// How the attack ended, in a sentence, and its grade; in the data attributes of #result also for programs.

/** @import { Pictures } from '../app/pictures.js' */
/** @import { Session } from '../app/session.js' */
/** @import { Outcome } from '../engine/protocol.js' */

import { byId } from '../parts/dom.js';
import { report } from '../parts/notice.js';
import { CANCELLED, because, cleanWords, emptyWords, errorWords, graded, headline } from '../words/en.js';

/** @param {HTMLElement} root @param {Session} session */
export function mount(root, session) {
  const say = (/** @type {string} */ state, /** @type {string} */ words, /** @type {Record<string, any>} */ data = {}) => {
    // What the page greets with stays until there is something of its own to show.
    if (state === 'idle' && root.querySelector('.opening') && location.hash.length < 2) return;
    report(state, words, data);
    byId('grade').textContent = '';
    byId('because').textContent = '';
    byId('tell').hidden = true;
    document.body.classList.toggle('fooled', data.success === true);
    document.body.classList.toggle('held', state === 'done' && data.success === false);
  };
  session.on('reset', () => say('idle', ''));
  session.on('pictures', (/** @type {Pictures} */ { count, dataset }) => {
    if (count === 0) say('idle', emptyWords(dataset));
  });
  const own = () => session.labelOf(session.state.digit) === null;
  /** Whether a guard refuses the picture as it is. */
  let alarmed = false;
  session.on('clean', ({ predicted, refused }) => {
    alarmed = refused === true;
    const { clean, network } = session.current;
    if (!clean || !network) return;
    say('idle', cleanWords({ label: network.labels[clean.label], predicted: network.labels[predicted], refused, own: own() }));
  });
  session.on('attack', () => say('running', root.textContent ?? ''));
  session.on('cancelled', () => say('idle', CANCELLED));
  session.on('failed', (error) => say('error', errorWords(error)));
  session.on('outcome', (/** @type {Outcome} */ outcome) => {
    const { label, target, values, record } = outcome;
    const { labels } = /** @type {NonNullable<typeof session.current.network>} */ (session.current.network);
    const targeted = target !== null;
    const budgetField = session.offers.budgetOf(outcome.attack)?.key;
    const ended = {
      label: labels[label], target: targeted ? labels[target] : '', targeted, predicted: labels[outcome.predicted], outcome, mode: values.mode,
      budget: budgetField ? values[budgetField] : 0, weight: !budgetField, wanted: values.confidence ?? 0,
      own: own(), alarmed,
    };
    const { success, refused, predicted, confidence, linf, l1, l2, l0, ssim, valid, grade, survives_png, steps, gradients, queries, norm, attack, budget, fresh, defence, attacker, ms, firstMs } = outcome;
    say('done', headline(ended), {
      success, refused, predicted, confidence, linf, l1, l2, l0, ssim, valid, grade, survivesPng: survives_png, steps, ms, gradEvals: gradients,
      queries, norm, label, target: targeted ? target : 'any', attack, mode: values.mode, budget: budget ?? '', firstMs: firstMs ?? '',
      fresh: fresh ?? '', defence: defence ?? '', attacker: attacker ?? '', record: JSON.stringify(record),
    });
    byId('because').textContent = because(ended);
    byId('grade').textContent = graded(outcome, session.offers.rules(attack, values));
    byId('tell').hidden = attacker !== 'blind';
  });
  byId('tell').addEventListener('click', () => session.actions.tellAttack());
  session.on('regraded', (/** @type {Outcome} */ outcome) => {
    Object.assign(root.dataset, { valid: outcome.valid, grade: outcome.grade });
    byId('grade').textContent = graded(outcome, session.offers.rules(outcome.attack, outcome.values));
  });
}
