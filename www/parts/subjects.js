// What can be set beside a network: the others that read the same, and itself behind a defence of each kind, by names that fit in an option.

/** @import { Offers } from '../app/offers.js' */
/** @import { Subject } from '../engine/protocol.js' */

import { defenceWords } from '../words/late-en.js';

/** Between the name of a network and its defence. */
const BEHIND = '|';

/** @typedef {{value: string, title: string, subject: Subject}} Offered */

/** What can take part: every network that tells the same apart as `model`, and `model` behind the first defence of each kind. @param {Offers} offers @param {string} model @returns {Offered[]} */
export function subjectsLike(offers, model) {
  const { key } = offers.datasetOf(model);
  const names = offers.names(key).filter((name) => offers.comparable(name, model));
  const base = offers.network(model).defends ?? model;
  const defences = offers.defencesOf(key).filter(({ first }) => first);
  return [...names.map((name) => of(offers, name, '')), ...(names.includes(base) ? defences.map((one) => of(offers, base, one.key)) : [])];
}

/** A network behind a defence, known to the attack. @param {Offers} offers @param {string} model @param {string} defence @returns {Offered} */
export function of(offers, model, defence) {
  const behind = defence.split('+').filter(Boolean).map((name) => {
    const known = offers.defences.find(({ key }) => key === name);
    return known ? defenceWords(known) : name;
  });
  const title = [offers.short(model), ...behind].join(' + ');
  return { value: [model, defence].join(BEHIND), title, subject: { model, inference: offers.inferences[0], defence, attacker: offers.attackers[0] } };
}
