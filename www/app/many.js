// A picture attacked in many ways at once, on all workers: towards every label, by every attack of the study, on every network; and
// read by the others.

/** @import { Outcome } from '../engine/protocol.js' */
/** @import { Session } from './session.js' */

import { Cancelled } from '../engine/client.js';
import { Pool } from '../engine/pool.js';
import { attackTitle, datasetWords, errorWords } from '../words/en.js';
import { aim, ruled, startFor } from './aim.js';
import { TICK } from './opening.js';
import { Stale } from './session.js';

/** What is said of a network with other labels, beside others. */
const OTHERS = 'tells other people or things apart, so that its reading cannot be compared';

export class Many {
  /** @type {Session} */
  #session;
  /** The workers, made when first wanted. @type {Pool | null} */
  #pool = null;

  /** @param {Session} session */
  constructor(session) {
    this.#session = session;
  }

  /** Ends the workers, which know nothing of what has come since they began. */
  end() {
    this.#pool?.stop();
    this.#pool = null;
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

  /** Whether there is something to attack, once it is known towards which label. */
  async #ready() {
    if (this.#free()) await this.#session.aside((still) => this.#session.actions.nearest(still));
    return this.#free();
  }

  /**
   * Does something for each of some items on all workers, beside whatever else is done for what is current.
   * @template I
   * @param {I[]} items @param {(worker: import('../engine/client.js').Engine, item: I, signal: AbortSignal) => Promise<void>} work
   */
  onPool(items, work) {
    const session = this.#session;
    return session.aside(async (still, signal) => {
      this.#pool ??= new Pool(session.engine.build);
      await still(this.#pool.map(items, async (worker, item) => {
        if (!signal.aborted) await work(worker, item, signal);
      }));
    });
  }

  /**
   * How little in L2 breaks each of these networks on the picture, by short searches.
   * @param {string[]} names @param {(name: string, outcome: Outcome | null) => void} each hears of one; null where it is misread as it is
   */
  async breaks(names, each) {
    const session = this.#session;
    const { about } = aim(session);
    const { closest } = session.offers;
    const values = ruled(session, closest, { mode: 'min', steps: TICK(about.task.image.length) });
    const start = await startFor(session, closest, about.task);
    await this.onPool(names, async (worker, model, signal) => {
      const subject = { model, inference: 'mean', defence: '', attacker: 'adaptive' };
      try {
        const outcome = await worker.attack({ subject, task: { ...about.task, start }, attack: session.offers.settings(closest, values) }, { signal });
        if (!signal.aborted && outcome.success) each(model, outcome);
      } catch (/** @type {any} */ error) {
        if (!signal.aborted && error.key === 'skipped') each(model, null);
      }
    });
  }

  /** Attacks the picture towards every other label at once. */
  async every() {
    if (!this.#free()) return;
    const session = this.#session;
    const network = /** @type {NonNullable<typeof session.current.network>} */ (session.current.network);
    const { label, about } = aim(session);
    const { attack } = session.state;
    const settings = session.offers.settings(attack, session.parameters);
    const wanted = [...network.labels.keys()].filter((target) => target !== label);
    const { labels } = network;
    session.tell('every', { wanted, labels });
    let fooled = 0;
    const done = await this.#onAll(wanted, `Attacking towards ${wanted.length} labels`, async (worker, target, signal) => {
      try {
        const task = { ...about.task, target };
        const outcome = await worker.attack({ ...about, task: { ...task, start: await startFor(session, attack, task) }, attack: settings }, { signal });
        signal.throwIfAborted();
        fooled += Number(outcome.success);
        session.tell('every-outcome', { target, outcome, labels });
      } catch (error) {
        refused(error, signal, (why) => session.tell('every-refused', { target, why }));
      }
    }, (words) => session.tell('every-ended', words));
    const { labels: others } = datasetWords(session.dataset);
    if (done) session.tell('every-ended', `${attackTitle(session.offers.attack(attack))}: this ${labels[label]} could be made to read as ${fooled} of the ${wanted.length} other ${others}.`);
  }

  /** The study's attacks on the picture, each with its own parameters. */
  async compare() {
    if (!(await this.#ready())) return;
    const session = this.#session;
    const network = /** @type {NonNullable<typeof session.current.network>} */ (session.current.network);
    const { label, target, targeted, about } = aim(session);
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
    if (!(await this.#ready())) return;
    const session = this.#session;
    const network = /** @type {NonNullable<typeof session.current.network>} */ (session.current.network);
    const all = session.offers.rivals(session.state.duel, session.dataset.key);
    // What another label stands for in each cannot be aimed at, nor compared.
    const names = all.filter((name) => session.offers.comparable(name, session.state.model));
    const { attack } = session.state;
    const values = { ...session.parameters };
    const { about } = aim(session);
    const subject = (/** @type {string} */ model) => ({ ...session.subject, model });
    const start = performance.now();
    session.tell('duel', { names: all, image: about.task.image, labels: network.labels, attack, values });
    for (const name of all) if (!names.includes(name)) session.tell('duel-refused', { name, why: OTHERS });
    const wanted = await startFor(session, attack, about.task);
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
        const { predicted, confidence, refused: guarded } = await worker.read(subject(name), image, index);
        row.set(from, { read: predicted, p: confidence, refused: guarded });
      }
    }), failed));
    if (replayed) session.tell('duel-ended', { outcomes, readings, ms: performance.now() - start });
  }

  /** How the other networks read the attacked image. */
  transfer() {
    const session = this.#session;
    const { outcome } = session.current;
    if (!outcome) return;
    const { subject } = session;
    const names = session.offers.rivals('', session.dataset.key).filter((model) => model !== outcome.subject.model);
    session.tell('transfer', names);
    session.aside(async (still) => {
      for (const model of names) {
        if (!session.offers.comparable(model, outcome.subject.model)) {
          session.tell('transferred', { model, why: OTHERS, outcome });
          continue;
        }
        try {
          const { predicted, confidence, refused: guarded } = await still(session.engine.read({ ...subject, model }, outcome.image, outcome.index));
          session.tell('transferred', { model, predicted, confidence, refused: guarded, outcome });
        } catch (/** @type {any} */ error) {
          await still(Promise.resolve());
          session.tell('transferred', { model, why: errorWords(error), outcome });
        }
      }
    });
  }
}

/** An attack among several that has nothing to do says why; what ends all of them is passed on. @param {any} error @param {AbortSignal} signal @param {(why: string) => void} say */
function refused(error, signal, say) {
  if (signal.aborted || error instanceof Cancelled) throw error;
  say(errorWords(error));
}
