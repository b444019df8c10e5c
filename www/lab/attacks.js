// The attacks that the lab offers, made of the catalogue: the one that decides, as a search under each norm, whose distances make
// a curve; and the study's, at budgets where they have some.

/** @import { Offers } from '../app/offers.js' */

import { attackWords, fieldWords, normWords } from '../words/en.js';

/**
 * @typedef {object} LabAttack
 * @property {string} key its name in links
 * @property {string} attack
 * @property {string} norm
 * @property {string} short
 * @property {string} title
 * @property {string} axis
 * @property {boolean} decides whether it is strong enough for a verdict
 * @property {boolean} bounded whether it has budgets
 */

/** Each attack of the lab, in its order. @param {Offers} offers @returns {LabAttack[]} */
export function labAttacks(offers) {
  return offers.attacks.filter(({ study, decides }) => study || decides).sort((a, b) => Number(b.decides) - Number(a.decides)).flatMap((attack) => {
    const { short = attack.title } = attackWords(attack);
    const budget = attack.fields.find((field) => field.budget);
    if (attack.decides) {
      return attack.norms.map((norm) => {
        const { symbol, axis } = normWords(norm);
        const names = { short: `${short} ${symbol}`, title: `${attack.title}, ${symbol}` };
        return { key: `${attack.key}-${norm}`, attack: attack.key, norm, ...names, axis, decides: true, bounded: false };
      });
    }
    const norm = attack.norms[0];
    const axis = budget ? `ε: ${fieldWords(attack.key, budget, norm).words}` : normWords(norm).axis;
    const title = budget ? attack.title : `${attack.title}, the closest image`;
    return [{ key: attack.key, attack: attack.key, norm, short, title, axis, decides: false, bounded: Boolean(budget) }];
  });
}
