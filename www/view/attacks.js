// The attacks as cards: which one, and its parameters.

import { ATTACKS, THREE, fieldFor, fieldWith } from '../attacks.js';
import { plain } from '../text.js';
import { Choices } from './choices.js';

const element = (tag, properties = {}, ...children) => {
  const made = Object.assign(document.createElement(tag), properties);
  made.append(...children);
  return made;
};

export class AttackCards {
  #cards = new Map();
  #dataset;
  #folded;

  /**
   * @param {HTMLElement} root what to fill
   * @param {string} dataset for which images
   * @param {{onPick: (attack: string) => void, onChange: (attack: string, name: string, value: *) => void}} on
   */
  constructor(root, dataset, { onPick, onChange }) {
    this.#dataset = dataset;
    const cards = new Map(
      Object.entries(ATTACKS).map(([attack, { title, source, sentence, fields }]) => {
        const radio = element('input', { type: 'radio', name: 'attack-method', value: attack });
        radio.addEventListener('change', () => onPick(attack));
        const card = element('section', { className: 'card' });
        card.addEventListener('click', ({ target }) => {
          if (!target.closest('input, label, summary, button')) radio.click();
        });
        const body = element('div', { className: 'card-body' });
        const more = element('details', {}, element('summary', { textContent: 'More' }));
        const controls = new Map();
        for (const [name, field] of Object.entries(fields)) {
          const set = (value) => onChange(attack, name, value);
          const control = build(attack, name, fieldFor(field, dataset), set);
          controls.set(name, control);
          (['norm', 'mode', 'epsilon', 'c', 'steps'].includes(name) ? body : more).append(control.root);
        }
        body.append(more);
        card.append(
          element('label', { className: 'card-title' }, radio, element('span', { textContent: title })),
          element('p', { className: 'small', textContent: sentence, title: source }),
          body,
        );
        this.#cards.set(attack, { card, radio, controls });
        return [attack, card];
      }),
    );
    // The three that the page began with stand open, the others are folded until one is wanted.
    const others = Object.keys(ATTACKS).filter((attack) => !THREE.includes(attack));
    const folded = element('div', { className: 'cards' }, ...others.map((attack) => cards.get(attack)));
    this.#folded = element('details', { className: 'more-attacks' }, element('summary', { textContent: 'Stronger attacks, and those without a gradient' }), folded);
    root.replaceChildren(...THREE.map((attack) => cards.get(attack)), this.#folded);
  }

  /** Shows which attack is chosen and all parameters. */
  show(chosen, attacks) {
    this.#folded.open ||= !THREE.includes(chosen);
    for (const [attack, { card, radio, controls }] of this.#cards) {
      radio.checked = attack === chosen;
      card.classList.toggle('chosen', attack === chosen);
      const values = attacks[attack];
      for (const [name, { show, suit }] of controls) {
        suit?.(fieldWith(fieldFor(ATTACKS[attack].fields[name], this.#dataset), values, this.#dataset));
        show(values[name]);
      }
    }
  }
}

/** The control of a parameter: {root, show(value), suit(field)}; `suit` takes what else the field is, beside others. */
function build(attack, name, field, set) {
  // The first attack's controls have plain names, so that #epsilon is what it always was.
  const id = attack === 'linf' ? name : `${attack}-${name}`;
  if (field.choices) {
    const root = element('div', { className: 'chips small-chips' });
    const options = Object.entries(field.choices).map(([value, label]) => ({ value, label }));
    const choices = new Choices(root, { name: id, options, onPick: set });
    return { root, show: (value) => choices.pick(value) };
  }
  if (field.check) {
    const box = element('input', { type: 'checkbox', id });
    box.addEventListener('change', () => set(box.checked ? 1 : 0));
    return { root: element('label', { className: 'check' }, box, ` ${field.words}`), show: (value) => (box.checked = value === 1) };
  }
  if (field.optional) {
    const box = element('input', { type: 'checkbox', id: `${id}-on` });
    const input = element('input', { type: 'number', id, min: field.low, max: field.high, step: 1, ariaLabel: 'seed' });
    const send = () => set(box.checked ? Math.min(field.high, Math.max(field.low, Math.trunc(Number(input.value)) || 0)) : '');
    box.addEventListener('change', () => {
      if (box.checked && input.value === '') input.value = 1;
      send();
    });
    input.addEventListener('change', send);
    const show = (value) => {
      box.checked = value !== '';
      input.disabled = value === '';
      if (value !== '') input.value = value;
    };
    return { root: element('div', { className: 'check' }, element('label', {}, box, ` ${field.words}, seed `), input), show };
  }
  const input = element('input', { type: 'range', id });
  const output = element('output');
  output.setAttribute('for', id);
  const label = element('label', { htmlFor: id });
  const words = element('span', { textContent: field.words });
  if (field.symbol) label.append(element('var', { textContent: field.symbol }), ': ');
  label.append(words, ' ', output);
  const { values } = field;
  Object.assign(input, values ? { min: 0, max: values.length - 1, step: 1 } : field.slider);
  input.addEventListener('input', () => set(values ? values[input.value] : Number(input.value)));
  const show = (value) => {
    input.value = values ? values.findIndex((v, i) => v >= value || i === values.length - 1) : value;
    output.textContent = plain(value);
  };
  const suit = ({ slider, words: now }) => {
    if (slider) Object.assign(input, slider);
    words.textContent = now;
  };
  return { root: element('div', { className: 'slider' }, label, input), show, suit };
}
