// The experiment: every digit, network, attack and budget, on all workers. A study that was stopped goes on where it was.

import { ATTACKS, engineOptions } from '../attacks.js';
import { Cancelled } from '../engine.js';
import * as networks from '../networks.js';
import { LAB } from './attacks.js';
import { sampleImages } from '../view/pixels.js';

/** How long the workers may take to end their attacks after a stop before they are ended, in milliseconds. */
const PATIENCE = 1500;

/** The label after the true one: what every attack aims at. */
export const next = (label) => (label + 1) % 10;

/** The attacks of a study in their order: [{attack, budget}]; those that seek the closest image have no budget. */
export const plan = ({ attacks, ...settings }) =>
  Object.keys(LAB)
    .filter((attack) => attacks.includes(attack))
    .flatMap((attack) => (settings[attack] ?? [null]).map((budget) => ({ attack, budget })));

/**
 * The probability that L-BFGS must reach on draws that it knows, against a VAE that then draws others, as in the native
 * study: what just fools the known draws seldom fools fresh ones.
 */
export const SURE = 0.7;

/** What the engine needs to know of an attack. */
function options({ attack, budget, reading }, { steps, seed }) {
  const unbounded = budget === null;
  const confidence = unbounded && reading === 'sampled' ? SURE : 0;
  const { method, norm } = LAB[attack];
  const { fields } = ATTACKS[method];
  // The strongest attack counts its gradients, not its steps; where its budget is sought, the one it begins with is any.
  const several = 'norm' in fields;
  return engineOptions(method, {
    mode: unbounded ? 'min' : 'fixed', norm: several ? norm : undefined, epsilon: budget ?? fields.epsilon?.initial, c: fields.c?.initial,
    steps: several ? fields.steps.initial : steps, confidence, stop: 0, seed: unbounded && !several ? '' : seed,
  });
}

export class Study {
  #items;
  #images;
  #plan;
  #stopped = true;
  #calls = new Set();

  /** What went wrong, in words, where something did. */
  wrong = null;
  /** Attacks that are done, with those that there was no need for. */
  done = 0;

  /**
   * @param {object} settings as in the table of the state
   * @param {{pixels: Uint8Array, labels: Uint8Array, indices: Uint32Array}} digits
   * @param {Set<string>} vaes the names of those networks that are VAEs
   */
  constructor(settings, digits, vaes) {
    Object.assign(this, { settings, vaes });
    this.#plan = plan(settings);
    this.#images = (i) => sampleImages(digits, i);
    // Digit after digit, so that the curves of all networks grow together.
    const numbers = Array.from({ length: Math.min(settings.digits, digits.labels.length) }, (_, i) => i);
    this.#items = numbers.flatMap((i) =>
      settings.networks.map((network) => ({ i, network, label: digits.labels[i], index: digits.indices[i], read: null, records: [] })));
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
   * @param {import('../pool.js').Pool} pool
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
    for (const { cancel } of this.#calls) cancel();
    const late = new Promise((resolve) => setTimeout(resolve, PATIENCE, 'late'));
    if ((await Promise.race([ended, late])) !== 'late') return true;
    pool.stop();
    return false;
  }

  /** Stops because of an error; a cancel is none. */
  fail(error) {
    if (!(error instanceof Cancelled)) this.wrong ??= error.message;
    this.#stopped = true;
  }

  /** All attacks on one digit and one network that are still to be done. */
  async #attack(engine, item) {
    const { i, network, label, index } = item;
    const vae = this.vaes.has(network);
    const model = networks.key(network, this.settings.inference);
    let second = false;
    while (!this.#stopped && item.records.length < this.#plan.length) {
      try {
        const image = this.#images(i);
        item.read ??= await engine.answer(model, image, index);
        const { attack, budget } = this.#plan[item.records.length];
        const about = {
          dataset: 'mnist', network, reading: vae ? this.settings.inference : 'mean', attack: LAB[attack].method, norm: LAB[attack].norm,
          budget, index, label, target: next(label), clean_predicted: item.read.predicted,
        };
        const outcome = about.clean_predicted === label ? await this.#outcome(engine, { model, image, index, about: { ...about, attack } }) : misread(item.read.probabilities, about);
        item.records.push({ ...about, ...outcome });
        this.done++;
      } catch (error) {
        // A worker that was lost is replaced by the next call; what is lost again is lost for good.
        if (second || error instanceof Cancelled) {
          this.fail(error);
          return;
        }
        second = true;
      }
    }
  }

  async #outcome(engine, { model, image, index, about }) {
    const call = engine.attack({ model, image, label: about.target, targeted: true, index, quiet: true, options: options(about, this.settings) });
    this.#calls.add(call);
    try {
      const { outcome: end } = await call.promise;
      const { predicted, success, confidence, l0, l1, l2, linf, ssim, valid, grade, survivesPng, steps, gradients, queries } = end;
      this.thresholds ??= { valid_l2: end.validAt, confident: end.confidentAt };
      return { predicted, success, confidence, l0, l1, l2, linf, ssim, valid, grade, survives_png: survivesPng, steps, gradients, queries };
    } finally {
      this.#calls.delete(call);
    }
  }
}

/** What is recorded of a digit that is misread without an attack: it is not attacked. */
const misread = (probabilities, { clean_predicted: predicted, target }) => ({
  predicted, success: false, confidence: probabilities[target], l0: 0, l1: 0, l2: 0, linf: 0, ssim: 1, valid: true, grade: null,
  survives_png: false, steps: 0, gradients: 0, queries: 0,
});
