// The state of the page as one typed table, mirrored in the URL's hash. A field knows its default, how to read itself
// from text (undefined when the text is not right), and what it expects in words.
//
// `attacks` holds the parameters of each attack. In the hash those of the chosen attack stand under their own names
// (epsilon=0.2), those of the others, where they differ from the defaults, after the attack's (l1.epsilon=30).

import { ATTACKS, fieldFor, fieldWith, following } from './attacks.js';

export const choice = (...values) => ({
  initial: values[0],
  parse: (text) => (values.includes(text) ? text : undefined),
  expects: `one of ${values.join(', ')}`,
});

/** A choice that understands older names too. */
const renamed = (field, aliases = {}) => ({ ...field, parse: (text) => field.parse(Object.hasOwn(aliases, text) ? aliases[text] : text) });

export const number = (initial, low, high, { whole = false, optional = false } = {}) => ({
  initial,
  parse: (text) => {
    if (optional && text === '') return '';
    const value = text.trim() === '' ? NaN : Number(text);
    return value >= low && value <= high && (!whole || Number.isInteger(value)) ? value : undefined;
  },
  expects: `a ${whole ? 'whole ' : ''}number from ${low} to ${high}`,
});

/** The networks that ship with the page. */
export const MODELS = ['mnist-cnn', 'mnist-dense', 'mnist-conv-encoder', 'mnist-vae', 'mnist-conv-vae', 'lfw-cnn', 'lfw-dense', 'lfw-vae', 'lfw-conv-vae'];

/** The data set of a network that ships. */
export const datasetOf = (model) => model.split('-')[0];

/** Some of the networks, with commas between; none stands for all. */
const some = {
  initial: '',
  parse: (text) => (text === '' || text.split(',').every((name) => MODELS.includes(name)) ? text : undefined),
  expects: `names of ${MODELS.join(', ')} with commas between`,
};

export const FIELDS = {
  model: choice(...MODELS),
  // How a VAE reads: through the mean of its latent vector, or through draws of it.
  inference: choice('mean', 'sampled'),
  // The networks of a duel.
  duel: some,
  attack: choice(...Object.keys(ATTACKS)),
  // The index in the shipped sample; index i shows the digit i mod 10.
  digit: number(7, 0, 99, { whole: true }), // or of the faces that the server offers
  // A label, `auto` (the likeliest wrong one) or `any` (an untargeted attack).
  target: {
    initial: 'auto',
    parse: (text) => (/^(auto|any|\d{1,3})$/.test(text) && !(Number(text) > 255) ? text : undefined),
    expects: 'auto, any or the number of a label',
  },
  // The L2 norm up to which an attacked digit counts as valid, and the probability from which on a network counts as
  // confident; `` for the network's own defaults.
  valid: number('', 0, 30, { optional: true }),
  confident: number('', 0, 1, { optional: true }),
  // 1: attack as soon as the page is there.
  run: number(0, 0, 1, { whole: true }),
};

/** The parameters of each attack on a data set: {linf: {epsilon: field, ...}, ...}. */
const parametersOf = (dataset) => Object.fromEntries(
  Object.entries(ATTACKS).map(([attack, { fields }]) => [
    attack,
    Object.fromEntries(
      Object.entries(fields).map(([name, field]) => {
        const f = fieldFor(field, dataset);
        if (!f.choices) return [name, number(f.initial, f.low, f.high, f)];
        const names = Object.keys(f.choices);
        return [name, { ...renamed(choice(...names), f.aliases), initial: f.initial }];
      }),
    ),
  ]),
);

const PARAMETERS = { mnist: parametersOf('mnist'), lfw: parametersOf('lfw') };

/** The attacks of a state with the defaults of one data set, where they stand, changed to those of another. */
export function translated(attacks, from, to) {
  // Where a budget follows the norm, so does its default.
  const initial = (dataset, attack, name) =>
    name === 'epsilon' ? fieldWith(fieldFor(ATTACKS[attack].fields[name], dataset), attacks[attack], dataset).initial : PARAMETERS[dataset][attack][name].initial;
  const value = (attack, name, current) => (current === initial(from, attack, name) ? initial(to, attack, name) : current);
  return Object.fromEntries(
    Object.entries(attacks).map(([attack, values]) => [
      attack,
      Object.fromEntries(Object.entries(values).map(([name, current]) => [name, value(attack, name, current)])),
    ]),
  );
}

const initials = (fields) => Object.fromEntries(Object.entries(fields).map(([name, field]) => [name, field.initial]));

/** The defaults for a data set. */
export function initialState(dataset = 'mnist') {
  const attacks = Object.fromEntries(Object.entries(PARAMETERS[dataset]).map(([attack, fields]) => [attack, initials(fields)]));
  return { ...initials(FIELDS), attacks };
}

/**
 * Reads a hash like `#digit=7&target=3&attack=l1&epsilon=20`. Fields that are missing take their defaults.
 * @returns {{state: object, problems: string[]}} problems: one sentence for each value that was not right
 */
export function readHash(hash) {
  const parameters = new URLSearchParams(hash.replace(/^#/, ''));
  const model = FIELDS.model.parse(parameters.get('model') ?? '') ?? FIELDS.model.initial;
  const dataset = datasetOf(model);
  const state = initialState(dataset);
  const problems = [];
  const entries = [...parameters];
  const read = (name, text, field, into, key) => {
    const value = field.parse(text);
    if (value !== undefined) into[key] = value;
    else problems.push(`The link asks for ${name} “${text}”; it has to be ${field.expects}. Using ${field.initial || 'none'}.`);
  };
  // Which attack was chosen decides what the other names mean.
  for (const [name, text] of entries) if (Object.hasOwn(FIELDS, name)) read(name, text, FIELDS[name], state, name);
  // A norm comes before the budget that follows it.
  const isNorm = ([name]) => /(^|\.)norm$/.test(name);
  for (const [name, text] of [...entries.filter(isNorm), ...entries.filter((entry) => !isNorm(entry))]) {
    if (Object.hasOwn(FIELDS, name)) continue;
    const [attack, key] = name.includes('.') ? name.split('.') : [state.attack, name];
    const has = (fields, what) => fields && Object.hasOwn(fields, what);
    const fields = PARAMETERS[dataset];
    const field = has(fields, attack) && has(fields[attack], key) && fields[attack][key];
    if (field) {
      read(name, text, field, state.attacks[attack], key);
      if (key === 'norm') Object.assign(state.attacks[attack], following(attack, key, state.attacks[attack].norm, dataset));
    }
    else if (Object.values(fields).some((others) => has(others, key))) {
      problems.push(`The link asks for “${name}”, which is not a parameter of “${attack}”.`);
    } else problems.push(`The link asks for “${name}”, which this page does not know.`);
  }
  return { state, problems };
}

/** The hash that opens the page in this state. */
export function writeHash(state) {
  const entries = Object.keys(FIELDS)
    .filter((name) => (name !== 'run' || state.run) && state[name] !== '')
    .filter((name) => name !== 'inference' || state.inference !== FIELDS.inference.initial)
    // A network that the visitor brought is not there for whoever opens the link.
    .filter((name) => !['model', 'duel'].includes(name) || FIELDS[name].parse(state[name]) !== undefined)
    .map((name) => [name, String(state[name])]);
  const own = PARAMETERS[datasetOf(FIELDS.model.parse(state.model) ?? FIELDS.model.initial)];
  const parameters = Object.entries(state.attacks).flatMap(([attack, values]) => {
    const chosen = attack === state.attack;
    return Object.entries(values)
      .filter(([name, value]) => (chosen && ['norm', 'mode', 'epsilon', 'c', 'steps'].includes(name)) || value !== own[attack][name].initial)
      .map(([name, value]) => [chosen ? name : `${attack}.${name}`, String(value)]);
  });
  const run = entries.findIndex(([name]) => name === 'run');
  entries.splice(run < 0 ? entries.length : run, 0, ...parameters);
  return `#${new URLSearchParams(entries)}`;
}
