// What can be done with what is current: look at a picture, attack it, alone or many ways at once, and see what came of it.

/** @import { Outcome, Task } from '../engine/protocol.js' */
/** @import { Session, Still } from './session.js' */
/** @import { Pictures } from './pictures.js' */

import { Cancelled } from '../engine/client.js';
import { Pool } from '../engine/pool.js';
import { attackWords, datasetWords, errorWords } from '../words/en.js';
import { likeliest } from './offers.js';
import { picturesOf } from './pictures.js';
import { Stale } from './session.js';

export class Actions {
  /** @type {Session} */
  #session;
  /** The workers of a duel and its like, made when first wanted. @type {Pool | null} */
  #pool = null;
  /** @type {Map<string, Promise<Pictures>>} */
  #pictures = new Map();

  /** @param {Session} session */
  constructor(session) {
    this.#session = session;
  }

  /** Loads what the state asks for: pictures and network; may be called again after it failed. */
  load() {
    const session = this.#session;
    session.tell('notice', { words: '' });
    session.set({ network: null, clean: null, outcome: null });
    session.tell('reset');
    return session.turn(async (still) => {
      session.tell('busy', 'Loading the network…');
      try {
        await this.#useDataset(still);
        const network = await still(session.engine.load(session.state.model));
        session.set({ network });
        session.tell('network', network);
        session.tell('busy', '');
        session.tell('state');
        if (!session.current.pictures?.count) return;
        await this.#look(still);
      } catch (/** @type {any} */ error) {
        still(Promise.resolve()).then(() => session.tell('notice', { words: errorWords(error), retry: () => this.load() }), () => {});
        throw error;
      }
      if (session.state.run) this.attack();
    });
  }

  /** Makes the page one of the data set that the chosen network needs. @param {Still} still */
  async #useDataset(still) {
    const session = this.#session;
    const dataset = session.offers.datasetOf(session.state.model);
    const before = session.current.pictures?.dataset;
    if (before === dataset) return;
    if (!this.#pictures.has(dataset.key)) this.#pictures.set(dataset.key, picturesOf(dataset, session.engine));
    let pictures;
    try {
      pictures = await still(/** @type {Promise<Pictures>} */ (this.#pictures.get(dataset.key)));
    } catch (error) {
      this.#pictures.delete(dataset.key);
      throw error;
    }
    if (before) {
      const { digit, target } = session.table.fields;
      Object.assign(session.state, {
        attacks: session.table.translated(session.state.attacks, before, dataset), digit: digit.initial, target: target.initial, valid: '',
      });
    }
    session.state.digit = Math.min(session.state.digit, Math.max(pictures.count - 1, 0));
    session.set({ pictures, network: null, clean: null, outcome: null });
    session.tell('pictures', pictures);
  }

  /** Goes on with another network, or the same read or defended in another way. @param {{model?: string, inference?: string, defence?: string}} changes */
  choose(changes) {
    this.#session.change(changes);
    return this.load();
  }

  /** Picks a picture. @param {number} digit */
  pick(digit) {
    const session = this.#session;
    const same = session.state.target === String(session.current.pictures?.labels[digit]);
    session.change({ digit, ...(same && { target: session.table.fields.target.initial }) });
    return this.look();
  }

  /** Shows the picked picture as it is, and how the network reads it. */
  look() {
    return this.#session.turn((still) => this.#look(still));
  }

  /** @param {Still} still */
  async #look(still) {
    const session = this.#session;
    const { pictures, network } = session.current;
    session.set({ clean: null, outcome: null });
    session.tell('reset');
    const { digit } = session.state;
    if (!pictures || !network || digit >= pictures.count) return;
    const image = await still(pictures.image(digit));
    session.tell('picture', image);
    const { probabilities, predicted, confidence } = await still(session.engine.read(session.subject, image, digit));
    const seen = network.vae ? await still(session.engine.see(session.state.model, image)) : null;
    // Of a picture that the visitor brought, the network's own reading is what an attack is to change.
    session.set({ clean: { image, label: pictures.labels[digit] ?? predicted, probabilities } });
    session.tell('clean', { predicted, confidence, seen });
  }

  /** What the attack is after. */
  #aim() {
    const { state, current, subject } = this.#session;
    const clean = /** @type {NonNullable<typeof current.clean>} */ (current.clean);
    const { image, label, probabilities } = clean;
    const targeted = state.target !== 'any';
    const wanted = Number(state.target);
    const target = state.target === 'auto' || !(wanted < probabilities.length) ? likeliestOther(clean) : wanted;
    /** @type {Task} */
    const task = { image, index: state.digit, label, target: targeted ? target : null, start: null };
    return { label, target, targeted, about: { subject, task, thresholds: this.#session.thresholds } };
  }

  /** An image that reads as wanted, where the attack begins at one. @param {string} attack @param {Task} task */
  async #start(attack, task) {
    const { offers, state, current } = this.#session;
    const { pictures } = current;
    if (!offers.attack(attack).needs_start || !pictures) return null;
    const reached = (/** @type {number | null} */ other) => other !== null && (task.target === null ? other !== task.label : other === task.target);
    const i = pictures.labels.findIndex((other, at) => at !== state.digit && reached(other));
    return i < 0 ? null : pictures.image(i);
  }

  /** Attacks, and shows every step. */
  async attack() {
    const session = this.#session;
    if (session.busy || !session.current.network || !session.current.pictures?.count) return;
    await session.turn((still) => this.#look(still));
    const { network, clean } = session.current;
    if (session.busy || !clean || !network) return;
    const { attack } = session.state;
    const values = { ...session.parameters };
    const { label, target, targeted, about } = this.#aim();
    const named = (/** @type {number} */ i) => network.labels[i];
    session.change({}, { run: 1 });
    session.tell('attack', { label, target: targeted ? target : -1, values, attack });
    const words = `Attacking: ${named(label)} → ${targeted ? named(target) : 'anything else'}`;
    await session.occupy(words, async (still, signal) => {
      const start = await still(this.#start(attack, about.task));
      const onFrames = (/** @type {any[]} */ frames) => !signal.aborted && session.tell('frames', frames);
      const settings = session.offers.settings(attack, values);
      const ended = session.engine.attack({ ...about, task: { ...about.task, start }, attack: settings }, { onFrames, signal });
      const outcome = { ...(await still(ended)), label, target: targeted ? target : null, subject: about.subject, values };
      session.set({ outcome });
      session.tell('outcome', outcome);
    });
  }

  /**
   * Attacks in several ways at once, on all workers, under one Cancel.
   * @template I
   * @param {I[]} items @param {string} words @param {(pool: import('../engine/client.js').Engine, item: I, signal: AbortSignal) => Promise<void>} work
   * @param {(why: string) => void} failed hears of what ended it before its time
   * @returns {Promise<boolean>} whether all was done
   */
  async #onAll(items, words, work, failed) {
    const session = this.#session;
    this.#pool ??= new Pool(session.engine.build);
    const pool = this.#pool;
    let done = false;
    await session.occupy(`${words} with ${pool.size} workers`, async (still, signal) => {
      try {
        await still(pool.map(items, (worker, item) => work(worker, item, signal)));
        done = true;
      } catch (/** @type {any} */ error) {
        if (error instanceof Stale) throw error;
        pool.stop();
        if (this.#pool === pool) this.#pool = null;
        failed(error instanceof Cancelled ? 'Cancelled.' : errorWords(error));
      }
    });
    return done;
  }

  /** Whether there is something to attack, and nothing is under way. */
  #free() {
    const { busy, current } = this.#session;
    return !busy && current.clean !== null && current.network !== null;
  }

  /** Attacks the picture towards every other label at once. */
  async every() {
    if (!this.#free()) return;
    const session = this.#session;
    const network = /** @type {NonNullable<typeof session.current.network>} */ (session.current.network);
    const { label, about } = this.#aim();
    const { attack } = session.state;
    const settings = session.offers.settings(attack, session.parameters);
    const wanted = [...network.labels.keys()].filter((target) => target !== label);
    const { labels } = network;
    session.tell('every', { wanted, labels });
    let fooled = 0;
    const done = await this.#onAll(wanted, `Attacking towards ${wanted.length} labels`, async (worker, target, signal) => {
      try {
        const task = { ...about.task, target };
        const outcome = await worker.attack({ ...about, task: { ...task, start: await this.#start(attack, task) }, attack: settings }, { signal });
        signal.throwIfAborted();
        fooled += Number(outcome.success);
        session.tell('every-outcome', { target, outcome, labels });
      } catch (error) {
        refused(error, signal, (why) => session.tell('every-refused', { target, why }));
      }
    }, (words) => session.tell('every-ended', words));
    const { labels: others } = datasetWords(session.dataset);
    if (done) session.tell('every-ended', `${attackWords(session.offers.attack(attack)).title}: this ${labels[label]} could be made to read as ${fooled} of the ${wanted.length} other ${others}.`);
  }

  /** The study's attacks on the picture, each with its own parameters. */
  async compare() {
    if (!this.#free()) return;
    const session = this.#session;
    const network = /** @type {NonNullable<typeof session.current.network>} */ (session.current.network);
    const { label, target, targeted, about } = this.#aim();
    const attacks = session.offers.study.map(({ key }) => key);
    const parameters = structuredClone(session.state.attacks);
    const { measure, valid, confident } = { ...network, ...session.thresholds };
    session.tell('compare', { attacks, image: about.task.image, labels: network.labels, parameters });
    const done = await this.#onAll(attacks, 'Three attacks', async (worker, attack, signal) => {
      try {
        const outcome = await worker.attack({ ...about, attack: session.offers.settings(attack, parameters[attack]) }, { signal });
        signal.throwIfAborted();
        session.tell('compare-outcome', { attack, outcome });
      } catch (error) {
        refused(error, signal, (why) => session.tell('compare-refused', { attack, why }));
      }
    }, (words) => session.tell('compare-ended', { words }));
    if (done) session.tell('compare-ended', { label: network.labels[label], target: targeted ? network.labels[target] : null, measure, valid, confident });
  }

  /** The same attack on several networks, and each result read by all of them. */
  async duel() {
    if (!this.#free()) return;
    const session = this.#session;
    const network = /** @type {NonNullable<typeof session.current.network>} */ (session.current.network);
    const names = session.offers.rivals(session.state.duel, session.dataset.key);
    const { attack, inference, defence } = session.state;
    const values = { ...session.parameters };
    const { about } = this.#aim();
    const subject = (/** @type {string} */ model) => ({ model, inference, defence });
    const start = performance.now();
    session.tell('duel', { names, image: about.task.image, labels: network.labels, attack, values });
    const wanted = await this.#start(attack, about.task);
    const settings = session.offers.settings(attack, values);
    /** @type {Map<string, Outcome>} */
    const outcomes = new Map();
    const readings = new Map();
    const failed = (/** @type {string} */ words) => session.tell('duel-ended', { words });
    const guarded = (/** @type {(worker: import('../engine/client.js').Engine, name: string, signal: AbortSignal) => Promise<void>} */ work) =>
      async (/** @type {import('../engine/client.js').Engine} */ worker, /** @type {string} */ name, /** @type {AbortSignal} */ signal) => {
        try {
          await work(worker, name, signal);
        } catch (error) {
          refused(error, signal, (why) => session.tell('duel-refused', { name, why }));
        }
      };
    const attacked = await this.#onAll(names, `Attacking ${names.length} networks`, guarded(async (worker, name, signal) => {
      const outcome = await worker.attack({ ...about, subject: subject(name), task: { ...about.task, start: wanted }, attack: settings }, { signal });
      signal.throwIfAborted();
      outcomes.set(name, outcome);
      session.tell('duel-outcome', { name, outcome });
    }), failed);
    const replayed = attacked && (await this.#onAll(names, 'Replaying', guarded(async (worker, name) => {
      const row = new Map();
      readings.set(name, row);
      for (const [from, { image, index }] of outcomes) {
        const { predicted, confidence } = await worker.read(subject(name), image, index);
        row.set(from, { read: predicted, p: confidence });
      }
    }), failed));
    if (replayed) session.tell('duel-ended', { outcomes, readings, ms: performance.now() - start });
  }

  /** How the other networks read the attacked image. */
  transfer() {
    const session = this.#session;
    const { outcome } = session.current;
    if (!outcome) return;
    const { inference, defence } = session.state;
    const names = session.offers.names(session.dataset.key).filter((model) => model !== outcome.subject.model);
    session.tell('transfer', names);
    session.aside(async (still) => {
      for (const model of names) {
        try {
          const { predicted, confidence } = await still(session.engine.read({ model, inference, defence }, outcome.image, outcome.index));
          session.tell('transferred', { model, predicted, confidence, outcome });
        } catch (/** @type {any} */ error) {
          await still(Promise.resolve());
          session.tell('transferred', { model, why: errorWords(error), outcome });
        }
      }
    });
  }

  /** Grades the latest outcome again, after a change of the thresholds. */
  regrade() {
    const session = this.#session;
    const before = session.current.outcome;
    if (!before) return;
    session.aside(async (still) => {
      const graded = await still(session.engine.grade(before.record, session.thresholds));
      if (session.current.outcome !== before) return;
      const outcome = { ...before, ...graded };
      session.set({ outcome });
      session.tell('regraded', outcome);
    });
  }

  /** Takes a weights file of the visitor's and goes on with it; what is not right is said, and the page stays as it was. @param {File} file */
  async bringWeights(file) {
    const session = this.#session;
    try {
      const model = await session.offers.adopt(file, session.engine);
      this.#pool?.stop();
      this.#pool = null;
      session.tell('networks');
      await this.choose({ model });
    } catch (/** @type {any} */ error) {
      session.tell('notice', { words: errorWords(error) });
    }
  }

  /** Lets the visitor cut a picture; who looks at images that are no photographs is led to those that are first. @param {(take: (image: Float32Array) => void) => Promise<void>} open */
  async bringPicture(open) {
    const session = this.#session;
    try {
      if (session.dataset.pictures !== 'server') {
        const own = session.offers.datasets.find(({ pictures }) => pictures === 'server');
        if (own) await this.choose({ model: session.offers.names(own.key)[0] });
      }
      await open((image) => this.#take(image));
    } catch (/** @type {any} */ error) {
      session.tell('notice', { words: errorWords(error) });
    }
  }

  /** Takes a square of the visitor's picture. @param {Float32Array} image */
  #take(image) {
    const session = this.#session;
    const { pictures } = session.current;
    if (!pictures) return;
    session.change({ digit: pictures.add(image) });
    session.tell('pictures', pictures);
    session.tell('busy', '');
    return this.look();
  }
}

/** The likeliest label that is neither the true one nor the one read. @param {{label: number, probabilities: Float32Array}} clean */
function likeliestOther({ label, probabilities }) {
  const predicted = likeliest(probabilities);
  const others = [...probabilities.keys()].filter((i) => i !== label && i !== predicted);
  return others.reduce((best, i) => (probabilities[i] > probabilities[best] ? i : best));
}

/** An attack among several that has nothing to do says why; what ends all of them is passed on. @param {any} error @param {AbortSignal} signal @param {(why: string) => void} say */
function refused(error, signal, say) {
  if (signal.aborted || error instanceof Cancelled) throw error;
  say(errorWords(error));
}
