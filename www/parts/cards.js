// The attacks as cards: which one, and its parameters.

/** @import { Offers } from '../app/offers.js' */
/** @import { Dataset, Field } from '../engine/protocol.js' */

import { plain } from '../words/en.js';
import { attackWords, choiceWords, fieldWords } from '../words/late-en.js';
import { Choices } from './choices.js';
import { element, put } from './dom.js';

export class AttackCards {
  /** @type {Map<string, {card: any, radio: any, controls: Map<string, Control>}>} */
  #cards = new Map();
  #offers;
  #dataset;
  #folded;

  /**
   * @param {HTMLElement} root what to fill
   * @param {Offers} offers what there is
   * @param {Dataset} dataset for which images
   * @param {{onPick: (attack: string) => void, onChange: (attack: string, name: string, value: any) => void}} on
   */
  constructor(root, offers, dataset, { onPick, onChange }) {
    [this.#offers, this.#dataset] = [offers, dataset];
    const cards = offers.attacks.map((attack, place) => {
      const { key, title, source, fields, study } = attack;
      const radio = element('input', { type: 'radio', name: 'attack-method', value: key });
      radio.addEventListener('change', () => onPick(key));
      const card = element('section', { className: 'card' });
      card.addEventListener('click', (/** @type {any} */ { target }) => {
        if (!target.closest('input, label, summary, button')) radio.click();
      });
      const body = element('div', { className: 'card-body' });
      const more = element('details', {}, element('summary', { textContent: 'More' }));
      const controls = new Map();
      for (const field of fields) {
        const norm = offers.normOf(key);
        // The first attack's controls have plain names, so that #epsilon is what it always was.
        const id = place === 0 ? field.key : `${key}-${field.key}`;
        const control = build(id, key, offers.fieldFor(field, dataset, norm), norm, (value) => onChange(key, field.key, value));
        controls.set(field.key, control);
        (field.main ? body : more).append(control.root);
      }
      body.append(more);
      card.append(
        element('label', { className: 'card-title' }, radio, element('span', { textContent: title })),
        element('p', { className: 'small', textContent: attackWords(attack).sentence, title: source }),
        body,
      );
      this.#cards.set(key, { card, radio, controls });
      return { card, study };
    });
    // The study's stand open, the others are folded until one is wanted.
    const of = (/** @type {boolean} */ study) => cards.filter((one) => one.study === study).map(({ card }) => card);
    const folded = element('div', { className: 'cards' }, ...of(false));
    this.#folded = element('details', { className: 'more-attacks' }, element('summary', { textContent: 'Stronger attacks, and those without a gradient' }), folded);
    root.replaceChildren(...of(true), this.#folded);
  }

  /** Shows which attack is chosen and all parameters. @param {string} chosen @param {Record<string, Record<string, any>>} attacks */
  show(chosen, attacks) {
    this.#folded.open ||= !this.#offers.attack(chosen).study;
    for (const [attack, { card, radio, controls }] of this.#cards) {
      radio.checked = attack === chosen;
      card.classList.toggle('chosen', attack === chosen);
      const values = attacks[attack];
      const norm = this.#offers.normOf(attack, values);
      for (const field of this.#offers.attack(attack).fields) {
        const control = /** @type {Control} */ (controls.get(field.key));
        control.suit?.(this.#offers.fieldFor(field, this.#dataset, norm), norm);
        control.show(values[field.key]);
      }
    }
  }
}

/** @typedef {{root: HTMLElement, show: (value: any) => void, suit?: (field: Field, norm: string) => void}} Control */

/**
 * The control of a parameter; `suit` takes what else the field is, under another norm.
 * @param {string} id @param {string} attack @param {Field} field @param {string} norm @param {(value: any) => void} set
 * @returns {Control}
 */
function build(id, attack, field, norm, set) {
  const { symbol, words: name } = fieldWords(attack, field, norm);
  if (field.kind === 'choice') {
    const root = element('div', { className: 'chips small-chips' });
    const options = (field.choices ?? []).map((value) => ({ value, label: choiceWords(attack, field.key, value) }));
    const choices = new Choices(root, { name: id, options, onPick: set });
    return { root, show: (value) => choices.pick(value) };
  }
  if (field.kind === 'flag') {
    const box = element('input', { type: 'checkbox', id });
    box.addEventListener('change', () => set(box.checked ? 1 : 0));
    return { root: element('label', { className: 'check' }, box, ` ${name}`), show: (value) => (box.checked = value === 1) };
  }
  if (field.optional) {
    const { low = 0, high = 0 } = field;
    const box = element('input', { type: 'checkbox', id: `${id}-on` });
    const input = element('input', { type: 'number', id, min: low, max: high, step: 1, ariaLabel: field.key });
    const send = () => set(box.checked ? Math.min(high, Math.max(low, Math.trunc(Number(input.value)) || 0)) : '');
    box.addEventListener('change', () => {
      if (box.checked && input.value === '') input.value = 1;
      send();
    });
    input.addEventListener('change', send);
    const show = (/** @type {any} */ value) => {
      box.checked = value !== '';
      input.disabled = value === '';
      if (value !== '') input.value = value;
    };
    return { root: element('div', { className: 'check' }, element('label', {}, box, ` ${name}, ${field.key} `), input), show };
  }
  const input = element('input', { type: 'range', id });
  const output = element('output');
  output.setAttribute('for', id);
  const label = element('label', { htmlFor: id });
  const words = element('span', { textContent: name });
  if (symbol) label.append(element('var', { textContent: symbol }), ': ');
  label.append(words, ' ', output);
  const values = field.values?.length ? field.values : null;
  const range = ({ slider, low, high } = field) => {
    const [min, max, step] = slider ?? [low, high, 'any'];
    put(input, values ? { min: 0, max: values.length - 1, step: 1 } : { min, max, step });
  };
  range();
  input.addEventListener('input', () => set(values ? values[input.value] : Number(input.value)));
  const show = (/** @type {any} */ value) => {
    put(input, { value: values ? values.findIndex((v, i) => v >= value || i === values.length - 1) : value });
    put(output, { textContent: plain(value) });
    input.setAttribute('aria-valuetext', plain(value));
  };
  const suit = (/** @type {Field} */ now, /** @type {string} */ norm) => {
    range(now);
    put(words, { textContent: fieldWords(attack, now, norm).words });
  };
  return { root: element('div', { className: 'slider' }, label, input), show, suit };
}
