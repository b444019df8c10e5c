// The attacks that the lab offers, made of the catalogue: the one that decides, as a search under each norm, whose distances make
// a curve; and the study's, at budgets where they have some.

/** @import { Offers } from '../app/offers.js' */
/** @import { Attack } from '../engine/protocol.js' */

import { normWords } from '../words/en.js';
import { attackWords, fieldWords } from '../words/late-en.js';

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

/** What the lab offers of an attack. @param {Attack} attack @returns {LabAttack[]} */
function offered(attack) {
  const { key, title, norms, decides } = attack;
  const { short } = attackWords(attack);
  const budget = attack.fields.find((field) => field.budget);
  if (decides) {
    return norms.map((norm) => {
      const { symbol, axis } = normWords(norm);
      return { key: `${key}-${norm}`, attack: key, norm, short: `${short} ${symbol}`, title: `${title}, ${symbol}`, axis, decides, bounded: false };
    });
  }
  const [norm] = norms;
  const axis = budget ? `ε: ${fieldWords(key, budget, norm).words}` : normWords(norm).axis;
  return [{ key, attack: key, norm, short, title: budget ? title : `${title}, the closest image`, axis, decides, bounded: Boolean(budget) }];
}

/** Each attack of the lab, in its order. @param {Offers} offers @returns {LabAttack[]} */
export function labAttacks({ attacks }) {
  return [...attacks.filter(({ decides }) => decides), ...attacks.filter(({ study, decides }) => study && !decides)].flatMap(offered);
}
