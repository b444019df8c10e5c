// The state of the page as one typed table, mirrored in the URL's hash. A field knows its default, how to read itself
// from text (undefined when the text is not right), and what it expects in words.
//
// `attacks` holds the parameters of each attack. In the hash those of the chosen attack stand under their own names
// (epsilon=0.2), those of the others, where they differ from the defaults, after the attack's (NAME.epsilon=30).

/** @import { Dataset, Field } from '../engine/protocol.js' */
/** @import { Offers } from './offers.js' */

import { DIGIT, OPENING } from './opening.js';

/** @typedef {{initial: any, parse: (text: string) => any, expects: string}} Entry */
/**
 * @typedef {{model: string, inference: string, defence: string, attacker: string, duel: string, attack: string, digit: number | 'own', target: string,
 *   valid: number | '', confident: number | '', level: number, drawing: string,
 *   weights: string, own: string, version: number | '', run: number, attacks: Record<string, Record<string, any>>}} State
 */

/** Stands in a link in place of a picture that the visitor brought. */
export const OWN = 'own';

/** @param {...string} values @returns {Entry} */
export const choice = (...values) => ({
  initial: values[0],
  parse: (text) => (values.includes(text) ? text : undefined),
  expects: `one of ${values.join(', ')}`,
});

/** A number as people type one: 0.03, or a fraction like 8/255; NaN where it is none. @param {string} text */
export function numberOf(text) {
  const parts = text.split('/').map((part) => (part.trim() === '' ? NaN : Number(part)));
  return parts.length === 2 ? parts[0] / parts[1] : parts.length === 1 ? parts[0] : NaN;
}

/**
 * @param {number | ''} initial @param {number} low @param {number} high @param {{whole?: boolean, optional?: boolean}} [kind]
 * @returns {Entry}
 */
export const number = (initial, low, high, { whole = false, optional = false } = {}) => ({
  initial,
  parse: (text) => {
    if (optional && text === '') return '';
    const value = numberOf(text);
    return value >= low && value <= high && (!whole || Number.isInteger(value)) ? value : undefined;
  },
  expects: `a ${whole ? 'whole ' : ''}number from ${low} to ${high}`,
});

/** A text of a form; none at first. @param {RegExp} form @param {string} expects @returns {Entry} */
const text = (form, expects) => ({ initial: '', parse: (given) => (given === '' || form.test(given) ? given : undefined), expects });

/** Names with a sign between, each one of `values`; empty for none. @param {string[]} values @param {string} sign @returns {Entry} */
const some = (values, sign) => ({
  initial: '',
  parse: (text) => (text === '' || text.split(sign).every((name) => values.includes(name)) ? text : undefined),
  expects: `names of ${values.join(', ')} with ${sign === ',' ? 'commas' : sign} between`,
});

/** Defences with + between; a guard's number is its false alarms in percent, its name may be that of its network. @param {Offers} offers @returns {Entry} */
export function defences(offers) {
  const keys = offers.defences.map(({ key }) => key);
  const families = offers.defences.flatMap(({ guard }) => (guard ? [guard, ...offers.datasets.map(({ key }) => `${key}-${guard}`)] : []));
  const known = (/** @type {string} */ name) => keys.includes(name) || (/\d$/.test(name) && families.includes(name.replace(/\d{1,2}$/, '')));
  return {
    initial: '',
    parse: (text) => (text === '' || text.split('+').every(known) ? text : undefined),
    expects: `names of ${keys.join(', ')} with + between`,
  };
}

/** An attack's field as an entry of the table. @param {Field} field @returns {Entry} */
function entryOf({ kind, initial, choices = [], aliases = {}, low = 0, high = 0, whole, optional }) {
  if (kind === 'flag') return number(0, 0, 1, { whole: true });
  if (kind === 'number') return number(initial ?? '', low, high, { whole, optional });
  const own = choice(...choices);
  return { ...own, initial, parse: (text) => own.parse(Object.hasOwn(aliases, text) ? aliases[text] : text) };
}

/** The table of the page's state for what the catalogue offers. */
export class Table {
  #offers;
  /** @type {Record<string, Entry>} */
  fields;

  /** @param {Offers} offers */
  constructor(offers) {
    this.#offers = offers;
    this.fields = {
      model: choice(...offers.shipped),
      // How a VAE reads: through the mean of its latent vector, or through draws of it.
      inference: choice(...offers.inferences),
      // What the network stands behind; several with + between.
      defence: defences(offers),
      // What the attack knows of it.
      attacker: choice(...offers.attackers),
      // The networks of a duel; none stands for all.
      duel: some(offers.shipped, ','),
      attack: choice(...offers.attacks.map(({ key }) => key)),
      // The number of a picture: in the shipped sample, or of a face. One that the visitor brought stands in no link.
      digit: {
        initial: 7,
        parse: (text) => (text === OWN ? text : number(7, 0, 99_999, { whole: true }).parse(text)),
        expects: 'the number of a picture',
      },
      // A label, `auto` (the likeliest wrong one) or `any` (an untargeted attack).
      target: {
        initial: 'auto',
        parse: (text) => (/^(auto|any|\d{1,3})$/.test(text) && !(Number(text) > 255) ? text : undefined),
        expects: 'auto, any or the number of a label',
      },
      // The threshold up to which an attacked image counts as valid, and the probability from which on a network counts as
      // confident; `` for the data set's own.
      valid: number('', 0, 30, { optional: true }),
      confident: number('', 0, 1, { optional: true }),
      // Which level of Defend is played; 0 for none.
      level: number(0, 0, 20, { whole: true }),
      // What a link that repeats an attack says besides, and the page itself never keeps: a drawing, what the weights are told apart by, and
      // the version of the attacks.
      drawing: text(/^[\w-]{1,2000}$/, 'a drawing'),
      weights: text(/^[0-9a-f]{8}$/, 'eight hexadecimal digits'),
      // Of a network that the visitor brought, what its weights are told apart by: it stands in no link itself.
      own: text(/^[0-9a-f]{8}$/, 'eight hexadecimal digits'),
      version: number('', 1, 1e6, { whole: true, optional: true }),
      // 1: attack as soon as the page is there.
      run: number(0, 0, 1, { whole: true }),
    };
  }

  /** The parameters of an attack on a data set under a norm. @param {string} attack @param {Dataset} dataset @param {string} norm @returns {Record<string, Entry>} */
  #parameters(attack, dataset, norm) {
    const { fields } = this.#offers.attack(attack);
    return Object.fromEntries(fields.map((field) => [field.key, entryOf(this.#offers.fieldFor(field, dataset, norm))]));
  }

  /** The defaults of an attack on a data set; under a norm where one is named. @param {string} attack @param {Dataset} dataset @param {string} [norm] */
  initialOf(attack, dataset, norm = this.#offers.attack(attack).norms[0]) {
    const own = this.#parameters(attack, dataset, norm);
    const values = Object.fromEntries(Object.entries(own).map(([key, { initial }]) => [key, initial]));
    return 'norm' in own ? { ...values, norm } : values;
  }

  /** What changes with a parameter: a budget follows the norm. @param {string} attack @param {string} name @param {any} value @param {Dataset} dataset */
  following(attack, name, value, dataset) {
    const budget = this.#offers.budgetOf(attack);
    if (name !== 'norm' || !budget) return { [name]: value };
    return { norm: value, [budget.key]: this.#offers.fieldFor(budget, dataset, value).initial };
  }

  /** The attacks of a state with the defaults of one data set, where they stand, changed to those of another. @param {State['attacks']} attacks @param {Dataset} from @param {Dataset} to */
  translated(attacks, from, to) {
    return Object.fromEntries(
      Object.entries(attacks).map(([attack, values]) => {
        const [old, now] = [from, to].map((dataset) => this.initialOf(attack, dataset, values.norm));
        return [attack, Object.fromEntries(Object.entries(values).map(([key, value]) => [key, value === old[key] ? now[key] : value]))];
      }),
    );
  }

  /** The defaults for a data set. @param {Dataset} [dataset] @returns {State} */
  initial(dataset = this.#offers.datasets[0]) {
    const own = Object.fromEntries(Object.entries(this.fields).map(([name, { initial }]) => [name, initial]));
    const attacks = Object.fromEntries(this.#offers.attacks.map(({ key }) => [key, this.initialOf(key, dataset)]));
    return /** @type {State} */ ({ ...own, attacks });
  }

  /** What the page opens with: the closest image of which the network is sure. @param {Dataset} [dataset] @returns {State} */
  opening(dataset = this.#offers.datasets[0]) {
    const state = this.initial(dataset);
    const { closest } = this.#offers;
    const attacks = { ...state.attacks, [closest]: { ...state.attacks[closest], ...OPENING } };
    return { ...state, attack: closest, digit: DIGIT, attacks };
  }

  /**
   * Reads a hash like `#digit=7&target=3&epsilon=20`. Fields that are missing take their defaults.
   * @param {string} hash
   * @returns {{state: State, problems: string[]}} problems: one sentence for each value that was not right
   */
  readHash(hash) {
    const parameters = new URLSearchParams(hash.replace(/^#/, ''));
    const model = this.fields.model.parse(parameters.get('model') ?? '') ?? this.fields.model.initial;
    const dataset = this.#offers.datasetOf(model);
    // A link that attacks, or says how, and does not name the attack is from before the page opened with another: it means the first.
    const asks = parameters.get('run') === '1' || [...parameters.keys()].some((name) => !Object.hasOwn(this.fields, name));
    const state = parameters.has('attack') || asks ? this.initial(dataset) : this.opening(dataset);
    /** @type {string[]} */
    const problems = [];
    const entries = [...parameters];
    const read = (/** @type {string} */ name, /** @type {string} */ text, /** @type {Entry} */ field, /** @type {any} */ into, /** @type {string} */ key) => {
      const value = field.parse(text);
      if (value !== undefined) into[key] = value;
      else problems.push(`The link asks for ${name} “${text}”; it has to be ${field.expects}. Using ${field.initial || 'none'}.`);
    };
    // Which attack was chosen decides what the other names mean.
    for (const [name, text] of entries) if (Object.hasOwn(this.fields, name)) read(name, text, this.fields[name], state, name);
    // A norm comes before the budget that follows it.
    const isNorm = (/** @type {[string, string]} */ [name]) => /(^|\.)norm$/.test(name);
    for (const [name, text] of [...entries.filter(isNorm), ...entries.filter((entry) => !isNorm(entry))]) {
      if (Object.hasOwn(this.fields, name)) continue;
      const [attack, key] = name.includes('.') ? name.split('.') : [state.attack, name];
      const values = Object.hasOwn(state.attacks, attack) ? state.attacks[attack] : null;
      if (values && Object.hasOwn(values, key)) {
        read(name, text, this.#parameters(attack, dataset, this.#offers.normOf(attack, values))[key], values, key);
        if (key === 'norm') Object.assign(values, this.following(attack, key, values.norm, dataset));
      } else if (Object.values(state.attacks).some((others) => Object.hasOwn(others, key))) {
        problems.push(`The link asks for “${name}”, which is not a parameter of “${attack}”.`);
      } else problems.push(`The link asks for “${name}”, which this page does not know.`);
    }
    if (state.duel && !state.duel.includes(',')) {
      problems.push('The link asks for a duel of one network; it takes two at least. All take part.');
      state.duel = '';
    }
    return { state, problems };
  }

  /** The hash that opens the page in this state. @param {State} state */
  writeHash(state) {
    const { fields } = this;
    const own = /** @type {Record<string, any>} */ (/** @type {unknown} */ (state));
    const model = fields.model.parse(state.model) ?? this.#offers.shippedFor(state.model);
    const entries = Object.keys(fields)
      .filter((name) => (name !== 'run' || own.run) && own[name] !== '')
      .filter((name) => !['inference', 'attacker', 'level'].includes(name) || own[name] !== fields[name].initial)
      // What the visitor brought is not there for whoever opens the link: a network is replaced by one that ships, a picture named.
      .filter((name) => name !== 'duel' || fields[name].parse(own[name]) !== undefined)
      .filter((name) => name !== 'run' || own.digit >= 0 || own.drawing)
      .map((name) => [name, name === 'model' ? model : name === 'digit' && !(own.digit >= 0) ? OWN : String(own[name])])
      .filter(([, value]) => value !== undefined);
    // What one that ships reads the same of, or what the page opens with.
    const dataset = model ? this.#offers.datasetOf(model) : this.#offers.datasets[0];
    const parameters = Object.entries(state.attacks).flatMap(([attack, values]) => {
      const chosen = attack === state.attack;
      const initial = this.initialOf(attack, dataset);
      const main = this.#offers.attack(attack).fields.filter((field) => field.main).map(({ key }) => key);
      return Object.entries(values)
        .filter(([name, value]) => (chosen && main.includes(name)) || value !== initial[name])
        .map(([name, value]) => [chosen ? name : `${attack}.${name}`, String(value)]);
    });
    const run = entries.findIndex(([name]) => name === 'run');
    entries.splice(run < 0 ? entries.length : run, 0, ...parameters);
    return `#${new URLSearchParams(entries)}`;
  }
}
