// The settings of the lab as a form: built from what there is, read, and checked in words.

/** @import { Offers } from '../app/offers.js' */
/** @import { LabTable } from './state.js' */

import { Choices } from '../parts/choices.js';
import { Defences } from '../parts/defences.js';
import { byId, element } from '../parts/dom.js';
import { inferenceWords, labWords } from '../words/late-en.js';
import { written } from './state.js';

export class Form {
  #offers;
  #table;
  #change;
  /** What is not right: field to words. @type {Map<string, string>} */
  wrong = new Map();
  #inference;
  #defences;

  /** @param {Offers} offers @param {LabTable} table @param {(changes: Record<string, any>) => void} change */
  constructor(offers, table, change) {
    [this.#offers, this.#table, this.#change] = [offers, table, change];
    byId('attack-rows').replaceChildren(...table.attacks.map((attack) => this.#row(attack)));
    this.buildNetworks();
    this.#inference = new Choices(byId('inference'), {
      name: 'inference',
      options: offers.inferences.map((value) => ({ value, label: inferenceWords(value) })),
      onPick: (value) => change({ inference: value }),
    });
    this.#defences = new Defences(byId('defence'), offers, table.dataset.key, change);
    for (const name of this.#typed) {
      byId(name).addEventListener('input', () => this.#take(name, false));
      byId(name).addEventListener('change', () => this.#take(name, true));
    }
    // Budgets are typed for an attack that is to run.
    for (const { key } of table.bounded) {
      byId(key).addEventListener('change', () => {
        byId(`use-${key}`).checked = true;
        this.#takeTicked('attacks');
      });
    }
    byId('settings').addEventListener('change', (/** @type {any} */ { target }) => ['networks', 'attacks'].includes(target.name) && this.#takeTicked(target.name));
  }

  /** The fields that are typed into. */
  get #typed() {
    return [...this.#table.bounded.map(({ key }) => key), 'digits', 'steps', 'seed', 'valid'];
  }

  /** @param {import('./attacks.js').LabAttack} offered */
  #row(offered) {
    const { key, short, bounded } = offered;
    const box = element('input', { type: 'checkbox', id: `use-${key}`, name: 'attacks', value: key });
    const row = element('div', { className: 'budgets' }, element('label', { className: 'check' }, box, element('span', { textContent: short })));
    const words = labWords(offered);
    if (bounded) {
      const input = element('input', { id: key, type: 'text', inputMode: 'decimal', autocomplete: 'off', spellcheck: false });
      input.setAttribute('aria-describedby', `${key}-wrong`);
      const wrong = element('p', { id: `${key}-wrong`, className: 'wrong', hidden: true });
      wrong.setAttribute('role', 'alert');
      row.append(element('label', { htmlFor: key, textContent: words }), input, wrong);
    } else row.append(element('span', { textContent: words }));
    return row;
  }

  buildNetworks() {
    byId('networks').replaceChildren(
      ...this.#offers.names(this.#table.dataset.key).map((value) => {
        const box = element('input', { type: 'checkbox', name: 'networks', value });
        return element('label', { className: 'check' }, box, this.#offers.short(value));
      }),
    );
  }

  /** Says what is not right with a field; nothing when all is. @param {string} name @param {string} message */
  #complain(name, message) {
    const place = byId(`${name}-wrong`);
    place.textContent = message;
    place.hidden = !message;
    byId(name)?.setAttribute('aria-invalid', String(Boolean(message)));
    if (message) this.wrong.set(name, message);
    else this.wrong.delete(name);
  }

  /** Takes what a visitor types into a field; says what is not right with it once it is `typed`. @param {string} name @param {boolean} typed */
  #take(name, typed) {
    const { parse, expects } = this.#table.fields[name];
    const value = parse(byId(name).value);
    if (typed || value !== undefined) this.#complain(name, value === undefined ? `This has to be ${expects}.` : '');
    if (value !== undefined && typed) byId(name).value = written(value);
    this.#change(value !== undefined ? { [name]: value } : {});
  }

  /** Takes what is ticked. @param {string} name */
  #takeTicked(name) {
    const boxes = /** @type {HTMLInputElement[]} */ ([...byId('settings').querySelectorAll(`input[name=${name}]:checked`)]);
    const picked = boxes.map(({ value }) => value);
    this.#complain(name, picked.length ? '' : `Choose at least one of the ${name}.`);
    this.#change(picked.length ? { [name]: picked } : {});
  }

  /** Puts the settings into the form. @param {Record<string, any>} state */
  show(state) {
    for (const name of ['networks', 'attacks']) {
      for (const box of byId('settings').querySelectorAll(`input[name=${name}]`)) box.checked = state[name].includes(box.value);
    }
    for (const name of this.#typed) byId(name).value = written(state[name]);
    this.#inference.pick(state.inference);
    this.#defences.pick(/** @type {{defence: string, attacker: string}} */ (/** @type {unknown} */ (state)), state.networks);
    for (const name of [...this.wrong.keys()]) this.#complain(name, '');
  }
}
