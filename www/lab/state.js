// The settings of the lab as one typed table, mirrored in the URL's hash like those of the page:
// lab.html#networks=NAME,NAME&digits=200&ATTACK=0.05,0.1&steps=40&run=1

/** @import { Offers } from '../app/offers.js' */
/** @import { Dataset } from '../engine/protocol.js' */
/** @import { Entry } from '../app/state.js' */

import { choice, defences, number, numberOf } from '../app/state.js';
import { labAttacks } from './attacks.js';

/** The most budgets that one attack may have. */
const MOST = 20;

/** Some of `values`, with commas between; at least one. @param {string[]} values @param {string[]} initial @returns {Entry} */
const several = (values, initial) => ({
  initial,
  parse: (text) => {
    const picked = text.split(',').map((name) => name.trim());
    // In the order of the table, each once.
    return picked.every((name) => values.includes(name)) ? values.filter((name) => picked.includes(name)) : undefined;
  },
  expects: `some of ${values.join(', ')} with commas between`,
});

/** Budgets with commas between, the smallest first, each once. @param {number} low @param {number} high @param {number[]} initial @returns {Entry} */
const budgets = (low, high, initial) => ({
  initial,
  parse: (text) => {
    const all = text.split(',').map(numberOf);
    const right = all.length <= MOST && all.every((value) => value >= low && value <= high);
    return right ? [...new Set(all)].sort((a, b) => a - b) : undefined;
  },
  expects: `1 to ${MOST} numbers from ${low} to ${high} with commas between`,
});

/** The largest budget that makes a difference. @param {string} norm @param {Dataset} dataset */
const most = (norm, { image }) => (norm.endsWith('inf') ? 1 : image.reduce((product, n) => product * n, 1));

/** A value as it stands in a field or a link. @param {any} value */
export const written = (value) => (Array.isArray(value) ? value.join(', ') : String(value));

/** The table of the lab's settings for a data set. */
export class LabTable {
  dataset;
  attacks;
  /** The networks that ship. */
  networks;
  /** @type {Record<string, Entry>} */
  fields;

  /** @param {Offers} offers @param {Dataset} dataset */
  constructor(offers, dataset) {
    [this.dataset, this.attacks] = [dataset, labAttacks(offers)];
    this.networks = offers.shipped.filter((name) => offers.network(name).dataset === dataset.key);
    const plain = this.networks.find((name) => !offers.network(name).vae);
    const vae = this.networks.find((name) => offers.network(name).vae);
    const pair = [plain, vae].filter((name) => name !== undefined);
    this.fields = {
      networks: several(this.networks, pair),
      // How a VAE reads: through the mean of its latent vector, or through draws of it.
      inference: choice(...offers.inferences),
      // What the networks stand behind, and what the attacks know of it.
      defence: defences(offers),
      attacker: choice(...offers.attackers),
      // The first so many of the test set.
      digits: number(100, 10, 1000, { whole: true }),
      attacks: several(this.attacks.map(({ key }) => key), [this.attacks[0].key]),
      ...Object.fromEntries(this.bounded.map(({ key, norm }) => {
        const { several: usual } = dataset.budgets[norm];
        return [key, budgets(usual[0] < 1 ? 0.001 : 0.1, most(norm, dataset), usual)];
      })),
      steps: number(40, 1, 1000, { whole: true }),
      // Up to which L2 an attacked digit counts as valid.
      valid: number(dataset.valid, 0, 30),
      // Of random starts; none: at the original.
      seed: number('', 0, 4294967295, { whole: true, optional: true }),
      // 1: run as soon as the page is there.
      run: number(0, 0, 1, { whole: true }),
    };
  }

  /** The attacks that have budgets. */
  get bounded() {
    return this.attacks.filter(({ bounded }) => bounded);
  }

  /** @param {string} key */
  attack(key) {
    return /** @type {import('./attacks.js').LabAttack} */ (this.attacks.find((attack) => attack.key === key));
  }

  /** The defaults. @returns {Record<string, any>} */
  initial() {
    return Object.fromEntries(Object.entries(this.fields).map(([name, { initial }]) => [name, initial]));
  }

  /**
   * Reads a hash. Fields that are missing take their defaults; where `attacks` is missing, an attack whose budgets are named
   * is meant.
   * @param {string} hash
   * @returns {{state: Record<string, any>, problems: string[]}} problems: one sentence for each value that was not right
   */
  readHash(hash) {
    const state = this.initial();
    /** @type {string[]} */
    const problems = [];
    /** @type {string[]} */
    const named = [];
    for (const [name, text] of new URLSearchParams(hash.replace(/^#/, ''))) {
      if (!Object.hasOwn(this.fields, name)) {
        problems.push(`The link asks for “${name}”, which the lab does not know.`);
        continue;
      }
      const { initial, parse, expects } = this.fields[name];
      const value = parse(text);
      if (value === undefined) problems.push(`The link asks for ${name} “${text}”; it has to be ${expects}. Using ${written(initial) || 'none'}.`);
      else {
        state[name] = value;
        named.push(name);
      }
    }
    const meant = this.attacks.map(({ key }) => key).filter((key) => named.includes(key));
    if (!named.includes('attacks') && meant.length) state.attacks = meant;
    return { state, problems };
  }

  /** The hash that opens the lab with these settings. Networks that the visitor brought are left out: nobody else has them. @param {Record<string, any>} state */
  writeHash(state) {
    const budgeted = this.bounded.map(({ key }) => key);
    const entries = Object.entries(this.fields)
      .filter(([name]) => !budgeted.includes(name) || state.attacks.includes(name))
      .filter(([name, { initial }]) => !['inference', 'defence', 'attacker', 'seed', 'valid', 'run'].includes(name) || state[name] !== initial)
      .map(([name]) => [name, name === 'networks' ? state.networks.filter((/** @type {string} */ network) => this.networks.includes(network)) : state[name]])
      .filter(([name, value]) => name !== 'networks' || value.length);
    return `#${entries.map(([name, value]) => `${name}=${Array.isArray(value) ? value.join(',') : value}`).join('&')}`;
  }
}
