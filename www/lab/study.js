// The experiment: every digit, network, attack and budget, on all workers. A study that was stopped goes on where it was.

/** @import { Engine } from '../engine/client.js' */
/** @import { Offers } from '../app/offers.js' */
/** @import { LabTable } from './state.js' */

import { Cancelled } from '../engine/client.js';
import { sampleImages } from '../parts/pixels.js';
import { errorWords } from '../words/en.js';

/** How long the workers may take to end their attacks after a stop before they are ended, in milliseconds. */
const PATIENCE = 1500;

/** @typedef {{attack: string, budget: number | null}} Planned an attack of the lab at a budget; a search has none */

/** The attacks of a study in their order. @param {LabTable} table @param {Record<string, any>} settings @returns {Planned[]} */
export const plan = (table, settings) =>
  table.attacks
    .filter(({ key }) => settings.attacks.includes(key))
    .flatMap(({ key, bounded }) => (bounded ? settings[key] : [null]).map((/** @type {number | null} */ budget) => ({ attack: key, budget })));

/**
 * The probability that a search must reach on draws that it knows, against a VAE that then draws others, as in the native
 * study: what just fools the known draws seldom fools fresh ones.
 */
export const SURE = 0.7;

/** What the engine needs to know of an attack. @param {Offers} offers @param {LabTable} table @param {Planned} planned @param {boolean} draws @param {Record<string, any>} settings */
function settingsOf(offers, table, { attack: key, budget }, draws, { steps, seed }) {
  const { attack, norm, decides } = table.attack(key);
  const { fields } = offers.attack(attack);
  const field = fields.find((one) => one.budget);
  const unbounded = budget === null;
  // The one that decides counts its gradients, not its steps.
  return offers.settings(attack, {
    mode: unbounded ? 'min' : 'fixed', norm, ...(field && budget !== null && { [field.key]: budget }),
    steps: decides ? fields.find((one) => one.key === 'steps')?.initial : steps,
    confidence: unbounded && draws ? SURE : 0, stop: 0, seed: unbounded && !decides ? '' : seed,
  });
}

export class Study {
  #offers;
  #table;
  /** @type {{i: number, network: string, label: number, index: number, records: Record<string, any>[]}[]} */
  #items;
  #images;
  /** @type {Planned[]} */
  #plan;
  #stopped = true;
  /** @type {Set<AbortController>} */
  #calls = new Set();

  /** What went wrong, in words, where something did. @type {string | null} */
  wrong = null;
  /** Attacks that are done, with those that there was no need for. */
  done = 0;
  /** By what the attacks are graded. @type {Record<string, number>} */
  thresholds;

  /**
   * @param {Offers} offers @param {LabTable} table
   * @param {Record<string, any>} settings as in the table of the state
   * @param {{pixels: Uint8Array, labels: Uint8Array, indices: Uint32Array}} digits
   */
  constructor(offers, table, settings, digits) {
    [this.#offers, this.#table] = [offers, table];
    this.settings = settings;
    this.#plan = plan(table, settings);
    const { dataset } = table;
    this.thresholds = { [`valid_${dataset.measure}`]: settings.valid, confident: dataset.confident };
    this.#images = (/** @type {number} */ i) => sampleImages(dataset.image, digits.pixels, i);
    // Digit after digit, so that the curves of all networks grow together.
    const numbers = Array.from({ length: Math.min(settings.digits, digits.labels.length) }, (_, i) => i);
    this.#items = numbers.flatMap((i) =>
      settings.networks.map((/** @type {string} */ network) => ({ i, network, label: digits.labels[i], index: digits.indices[i], records: [] })));
  }

  /** The names of those networks that are VAEs. */
  get vaes() {
    return new Set(this.settings.networks.filter((/** @type {string} */ name) => this.#offers.network(name).vae));
  }

  /** How many attacks there are. */
  get all() {
    return this.#items.length * this.#plan.length;
  }

  /** Whether all of it is done. */
  get complete() {
    return this.done === this.all;
  }

  /** One record for each attack so far, in the order digit, network, attack, budget, however the workers were. */
  get records() {
    return this.#items.flatMap(({ records }) => records);
  }

  /** What is being found: records of an attack on a network, digit after digit, for {network, attack, budget}. */
  *groups() {
    const { networks: names } = this.settings;
    for (const [n, network] of names.entries()) {
      const own = this.#items.filter((_, i) => i % names.length === n);
      for (const [p, { attack, budget }] of this.#plan.entries()) {
        yield { network, attack, budget, records: own.map(({ records }) => records[p]) };
      }
    }
  }

  /**
   * Does what is left, until it is done or stopped; never fails, see `wrong`.
   * @param {import('../engine/pool.js').Pool} pool
   */
  async run(pool) {
    this.wrong = null;
    this.#stopped = false;
    const left = this.#items.filter(({ records }) => records.length < this.#plan.length);
    await pool.map(left, (engine, item) => this.#attack(engine, item)).catch((error) => this.fail(error));
    this.#stopped = true;
  }

  /** Stops; what is done stays. Resolves to whether the workers are still good. */
  async stop(ended, pool) {
    this.#stopped = true;
    for (const call of this.#calls) call.abort(new Cancelled('stopped'));
    const late = new Promise((resolve) => setTimeout(resolve, PATIENCE, 'late'));
    if ((await Promise.race([ended, late])) !== 'late') return true;
    pool.stop();
    return false;
  }

  /** Stops because of an error; a cancel is none. */
  fail(error) {
    if (!(error instanceof Cancelled)) this.wrong ??= errorWords(error);
    this.#stopped = true;
  }

  /** All attacks on one digit and one network that are still to be done. @param {Engine} engine @param {any} item */
  async #attack(engine, item) {
    const { i, network, label, index } = item;
    const { inference, defence, attacker } = this.settings;
    const draws = inference === 'sampled' && this.#offers.network(network).vae;
    const classes = this.#table.dataset.labels.length;
    while (!this.#stopped && item.records.length < this.#plan.length) {
      const planned = this.#plan[item.records.length];
      const call = new AbortController();
      this.#calls.add(call);
      try {
        const task = { image: this.#images(i), index, label, target: (label + 1) % classes, only_if_read: true };
        const attack = settingsOf(this.#offers, this.#table, planned, draws, this.settings);
        const { record } = await engine.attack({ subject: { model: network, inference, defence, attacker }, task, attack, thresholds: { valid: this.settings.valid } }, { signal: call.signal });
        item.records.push(record);
        this.done++;
      } catch (error) {
        this.fail(error);
        return;
      } finally {
        this.#calls.delete(call);
      }
    }
  }
}
