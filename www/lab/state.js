// The settings of the lab as one typed table, mirrored in the URL's hash like those of the page:
// lab.html#networks=mnist-cnn,mnist-vae&digits=200&linf=0.05,0.1&steps=40&run=1

import { MODELS, choice, datasetOf, number } from '../state.js';
import { LAB } from './attacks.js';

/** The networks that read digits. */
export const NETWORKS = MODELS.filter((name) => datasetOf(name) === 'mnist');

/** The most budgets that one attack may have. */
const MOST = 20;

/** Some of `values`, with commas between; at least one. */
const several = (values, initial) => ({
  initial,
  parse: (text) => {
    const picked = text.split(',').map((name) => name.trim());
    // In the order of the table, each once.
    return picked.every((name) => values.includes(name)) ? values.filter((name) => picked.includes(name)) : undefined;
  },
  expects: `some of ${values.join(', ')} with commas between`,
});

/** Budgets with commas between, the smallest first, each once. */
const budgets = (low, high, initial) => ({
  initial,
  parse: (text) => {
    const all = text.split(',').map((part) => (part.trim() === '' ? NaN : Number(part)));
    const right = all.length <= MOST && all.every((value) => value >= low && value <= high);
    return right ? [...new Set(all)].sort((a, b) => a - b) : undefined;
  },
  expects: `1 to ${MOST} numbers from ${low} to ${high} with commas between`,
});

export const FIELDS = {
  networks: several(NETWORKS, ['mnist-cnn', 'mnist-vae']),
  // How a VAE reads: through the mean of its latent vector, or through draws of it.
  inference: choice('mean', 'sampled'),
  // The first so many of the test set.
  digits: number(100, 10, 1000, { whole: true }),
  attacks: several(Object.keys(LAB), ['strongest-l2']),
  linf: budgets(0.001, 1, [0.02, 0.05, 0.08, 0.1, 0.15, 0.2, 0.25, 0.3]),
  l1: budgets(0.1, 784, [5, 10, 15, 20, 30, 40]),
  steps: number(40, 1, 1000, { whole: true }),
  // Of random starts; none: at the original.
  seed: number('', 0, 4294967295, { whole: true, optional: true }),
  // 1: run as soon as the page is there.
  run: number(0, 0, 1, { whole: true }),
};

/** A value as it stands in a field or a link. */
export const written = (value) => (Array.isArray(value) ? value.join(', ') : String(value));

/** The defaults. */
export const initialState = () => Object.fromEntries(Object.entries(FIELDS).map(([name, { initial }]) => [name, initial]));

/**
 * Reads a hash. Fields that are missing take their defaults; where `attacks` is missing, an attack whose budgets are named
 * is meant.
 * @returns {{state: object, problems: string[]}} problems: one sentence for each value that was not right
 */
export function readHash(hash) {
  const state = initialState();
  const problems = [];
  const named = [];
  for (const [name, text] of new URLSearchParams(hash.replace(/^#/, ''))) {
    if (!Object.hasOwn(FIELDS, name)) {
      problems.push(`The link asks for “${name}”, which the lab does not know.`);
      continue;
    }
    const { initial, parse, expects } = FIELDS[name];
    const value = parse(text);
    if (value === undefined) problems.push(`The link asks for ${name} “${text}”; it has to be ${expects}. Using ${written(initial) || 'none'}.`);
    else {
      state[name] = value;
      named.push(name);
    }
  }
  const meant = Object.keys(LAB).filter((attack) => named.includes(attack));
  if (!named.includes('attacks') && meant.length) state.attacks = meant;
  return { state, problems };
}

/** The hash that opens the lab with these settings. Networks that the visitor brought are left out: nobody else has them. */
export function writeHash(state) {
  const entries = Object.entries(FIELDS)
    .filter(([name]) => !['linf', 'l1'].includes(name) || state.attacks.includes(name))
    .filter(([name]) => !['inference', 'seed', 'run'].includes(name) || state[name] !== FIELDS[name].initial)
    .map(([name]) => [name, name === 'networks' ? state.networks.filter((network) => NETWORKS.includes(network)) : state[name]])
    .filter(([name, value]) => name !== 'networks' || value.length);
  return `#${entries.map(([name, value]) => `${name}=${Array.isArray(value) ? value.join(',') : value}`).join('&')}`;
}
