// What a network stands behind: a reduction of the image, a guard beside the network, and what the attack knows of them. The two
// compose; other orders, and more of them, have links.

/** @import { Offers } from '../app/offers.js' */

import { attackerWords, defenceWords } from '../words/late-en.js';
import { Choices } from './choices.js';
import { element } from './dom.js';

export class Defences {
  #offers;
  #reductions;
  #guards;
  #attackers;
  #attackerRow;
  #picked = { reduction: '', guard: '' };

  /**
   * @param {HTMLElement} root what to fill
   * @param {Offers} offers @param {string} dataset of whose images
   * @param {(changes: {defence?: string, attacker?: string}) => void} onPick
   */
  constructor(root, offers, dataset, onPick) {
    this.#offers = offers;
    const offered = offers.defencesOf(dataset);
    const row = (/** @type {string} */ name) => element('div', { id: name, className: 'chips small-chips' });
    const words = (/** @type {string} */ textContent) => element('p', { className: 'small', textContent });
    const [reduction, guard, attacker] = ['reduction', 'guard', 'attacker'].map(row);
    const compose = (/** @type {{reduction?: string, guard?: string}} */ changed) => {
      this.#picked = { ...this.#picked, ...changed };
      onPick({ defence: [this.#picked.reduction, this.#picked.guard].filter(Boolean).join('+') });
    };
    const choices = (/** @type {HTMLElement} */ place, /** @type {'reduction' | 'guard'} */ name, /** @type {string} */ none) => {
      const own = offered.filter((one) => (one.guard !== null) === (name === 'guard'));
      const options = [{ value: '', label: none }, ...own.map((one) => ({ value: one.key, label: defenceWords(one) }))];
      return new Choices(place, { name, options, onPick: (value) => compose({ [name]: value }) });
    };
    this.#reductions = choices(reduction, 'reduction', 'it is');
    this.#guards = choices(guard, 'guard', 'none');
    this.#attackers = new Choices(attacker, {
      name: 'attacker',
      options: offers.attackers.map((value) => ({ value, label: attackerWords(value) })),
      onPick: (value) => onPick({ attacker: value }),
    });
    this.#attackerRow = element('div', { hidden: true }, words('The attack'), attacker);
    root.replaceChildren(
      words('The image reaches the network as'), reduction,
      words('A guard beside it, which refuses an image that is none of those it knows:'), guard, this.#attackerRow,
    );
  }

  /** Shows what is chosen, before these networks. @param {{defence: string, attacker: string}} chosen @param {string[]} networks */
  pick({ defence, attacker }, networks) {
    const names = defence.split('+').filter(Boolean);
    const first = (/** @type {boolean} */ guarding) => names.find((name) => this.#isGuard(name) === guarding) ?? '';
    this.#picked = { reduction: first(false), guard: first(true) };
    this.#reductions.pick(this.#picked.reduction);
    this.#guards.pick(this.#picked.guard);
    this.#attackers.pick(attacker);
    this.#attackerRow.hidden = !defence && !networks.some((name) => this.#offers.network(name)?.defends);
  }

  /** A name that is offered nowhere is that of a guard in full, or with other false alarms. @param {string} name */
  #isGuard(name) {
    return this.#offers.defences.find(({ key }) => key === name)?.guard !== null;
  }
}
