// How the attack ended, in a sentence, and its grade; in the data attributes of #result also for programs.

/** @import { Session } from '../app/session.js' */
/** @import { Outcome } from '../engine/protocol.js' */

import { byId } from '../parts/dom.js';
import { report } from '../parts/notice.js';
import { CANCELLED, errorWords, graded, verdict } from '../words/en.js';

/** @param {HTMLElement} root @param {Session} session */
export function mount(root, session) {
  const say = (/** @type {string} */ state, /** @type {string} */ words, /** @type {Record<string, any>} */ data = {}) => {
    report(state, words, data);
    byId('grade').textContent = '';
    byId('tell').hidden = true;
    document.body.classList.toggle('fooled', data.success === true);
  };
  session.on('reset', () => say('idle', ''));
  session.on('attack', () => {
    say('running', '');
    root.scrollIntoView({ block: 'nearest' });
  });
  session.on('cancelled', () => say('idle', CANCELLED));
  session.on('failed', (error) => say('error', errorWords(error)));
  session.on('outcome', (/** @type {Outcome} */ outcome) => {
    const { label, target, values, record } = outcome;
    const { labels } = /** @type {NonNullable<typeof session.current.network>} */ (session.current.network);
    const targeted = target !== null;
    const budgetField = session.offers.budgetOf(outcome.attack)?.key;
    const sought = targeted ? labels[target] : '';
    const words = verdict({
      label: labels[label], target: sought, targeted, predicted: labels[outcome.predicted], outcome, mode: values.mode,
      budget: budgetField ? values[budgetField] : 0, weight: !budgetField, wanted: values.confidence ?? 0,
    });
    const { success, refused, predicted, confidence, linf, l1, l2, l0, ssim, valid, grade, survives_png, steps, gradients, queries, norm, attack, budget, fresh, defence, attacker, ms, firstMs } = outcome;
    say('done', words, {
      success, refused, predicted, confidence, linf, l1, l2, l0, ssim, valid, grade, survivesPng: survives_png, steps, ms, gradEvals: gradients,
      queries, norm, label, target: targeted ? target : 'any', attack, mode: values.mode, budget: budget ?? '', firstMs: firstMs ?? '',
      fresh: fresh ?? '', defence: defence ?? '', attacker: attacker ?? '', record: JSON.stringify(record),
    });
    byId('grade').textContent = graded(outcome, session.offers.rules(attack, values));
    byId('tell').hidden = attacker !== 'blind';
  });
  byId('tell').addEventListener('click', () => session.actions.tellAttack());
  session.on('regraded', (/** @type {Outcome} */ outcome) => {
    Object.assign(root.dataset, { valid: outcome.valid, grade: outcome.grade });
    byId('grade').textContent = graded(outcome, session.offers.rules(outcome.attack, outcome.values));
  });
}
