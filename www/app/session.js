// What the page is about: one state, one engine, and one immutable `current`. Panels change the state and ask for actions here,
// and hear of what follows; they do not know each other. Whatever is asked for belongs to what is current when it is asked for:
// once that has changed, it ends without a word, so that nothing that comes late is ever shown.

/** @import { Dataset, Frame, Network, Outcome, Subject } from '../engine/protocol.js' */
/** @import { Offers } from './offers.js' */
/** @import { Pictures } from './pictures.js' */
/** @import { State, Table } from './state.js' */

import { Cancelled } from '../engine/client.js';
import { Address } from '../parts/address.js';

/**
 * @typedef {object} Current
 * @property {Pictures | null} pictures what can be attacked
 * @property {Network | null} network the chosen one, once it is loaded
 * @property {{image: Float32Array, label: number, probabilities: Float32Array, predicted: number, refused: boolean, nearest?: number} | null} clean the picture as it is read,
 *   once that is known; `nearest`: the label that is nearest, once that was asked for
 * @property {Outcome | null} outcome how the latest attack on it ended, with `subject`, `rules` and the labels in words
 */

/** What is told that outlasts the picture it was told of. */
const LASTS = ['shape', 'pictures', 'networks', 'network', 'state', 'current', 'busy', 'past', 'view'];

/** What ends work that belongs to what is no longer current. */
export class Stale extends Error {}

/** @typedef {<T>(promise: Promise<T>) => Promise<T>} Still waits for a promise; fails once what it was wanted for is no longer current */

export class Session {
  offers;
  engine;
  table;
  /** @type {State} */
  state;
  /** @type {Readonly<Current>} */
  #current = Object.freeze({ pictures: null, network: null, clean: null, outcome: null });
  /** @type {Map<string, ((detail: any) => void)[]>} */
  #listeners = new Map();
  /** What was told last, in the order in which it was told. @type {Map<string, any>} */
  #told = new Map();
  #scope = new AbortController();
  #address = new Address();
  /** Which work the buttons wait for. @type {AbortController | null} */
  #busy = null;
  /** Opens what comes when it is asked for, by name: see late.js. @type {(name: string) => Promise<void>} */
  open = async () => {};
  /** What can be done: see actions.js. @type {import('./actions.js').Actions} */
  actions = /** @type {any} */ (null);
  /** The same many ways at once: see many.js. @type {import('./many.js').Many} */
  many = /** @type {any} */ (null);

  /** @param {Offers} offers @param {import('../engine/client.js').Engine} engine @param {Table} table */
  constructor(offers, engine, table) {
    [this.offers, this.engine, this.table] = [offers, engine, table];
    this.state = table.initial();
  }

  get current() {
    return this.#current;
  }

  /** The data set of the pictures that are shown. @returns {Dataset} */
  get dataset() {
    return this.#current.pictures?.dataset ?? this.offers.datasetOf(this.state.model);
  }

  /** What is attacked. @returns {Subject} */
  get subject() {
    const { model, inference, defence, attacker } = this.state;
    return { model, inference, defence, attacker };
  }

  /** The parameters of the chosen attack. */
  get parameters() {
    return this.state.attacks[this.state.attack];
  }

  /** The visitor's thresholds, where there are any. */
  get thresholds() {
    const { valid, confident } = this.state;
    return { ...(valid !== '' && { valid }), ...(confident !== '' && { confident }) };
  }

  /** The label of a picture in the words of the network; null where it has none for it, or the picture none. @param {number | 'own'} id @returns {number | null} */
  labelOf(id) {
    const { pictures, network } = this.#current;
    const label = pictures?.get(id)?.label ?? null;
    const at = label === null || !network ? -1 : network.labels.indexOf(label);
    return at < 0 ? null : at;
  }

  /** Whether an attack, or several, are under way. */
  get busy() {
    return this.#busy !== null;
  }

  /** Hears of something. @param {string} what @param {(detail: any) => void} listener */
  on(what, listener) {
    const all = this.#listeners.get(what) ?? [];
    this.#listeners.set(what, [...all, listener]);
  }

  /**
   * Lets a panel in that comes later: it hears what was told last of all that it listens to and that still holds.
   * @param {() => void} mount
   */
  admit(mount) {
    const before = new Map([...this.#listeners].map(([what, all]) => [what, all.length]));
    mount();
    for (const [what, detail] of [...this.#told]) {
      for (const listener of (this.#listeners.get(what) ?? []).slice(before.get(what) ?? 0)) listener(detail);
    }
  }

  /** Tells of something. @param {string} what @param {any} [detail] */
  tell(what, detail) {
    if (what === 'reset') for (const told of [...this.#told.keys()]) if (!LASTS.includes(told)) this.#told.delete(told);
    this.#told.delete(what);
    this.#told.set(what, detail);
    for (const listener of this.#listeners.get(what) ?? []) listener(detail);
  }

  /** Has the address say what is shown now. */
  settle() {
    this.#address.flush();
  }

  /** Takes a change of the state, and writes it into the address. @param {Partial<State>} changes @param {{run?: number}} [options] */
  change(changes, { run = 0 } = {}) {
    Object.assign(this.state, changes, { run });
    this.#address.write(this.table.writeHash(this.state));
    this.tell('state');
  }

  /** Puts something in place of what is current. @param {Partial<Current>} changes */
  set(changes) {
    this.#current = Object.freeze({ ...this.#current, ...changes });
    this.tell('current');
  }

  /**
   * Goes over to something else: ends all that was under way, then does `work`, which ends in its turn when something else comes.
   * @param {(still: Still, signal: AbortSignal) => Promise<void>} work
   */
  async turn(work) {
    this.#scope.abort(new Stale());
    this.#scope = new AbortController();
    this.quit();
    await this.#attempt(work, this.#scope.signal);
  }

  /**
   * Does something for what is current, beside whatever else is done for it.
   * @param {(still: Still, signal: AbortSignal) => Promise<void>} work
   */
  aside(work) {
    return this.#attempt(work, this.#scope.signal);
  }

  /**
   * Does what the buttons wait for, one at a time, until it ends or is cancelled.
   * @param {string} words @param {(still: Still, signal: AbortSignal) => Promise<void>} work
   */
  async occupy(words, work) {
    if (this.#busy) return;
    const mine = new AbortController();
    this.#busy = mine;
    this.tell('busy', words);
    const scope = this.#scope.signal;
    try {
      await this.#attempt(work, AbortSignal.any([scope, mine.signal]), scope);
    } finally {
      if (this.#busy === mine) this.quit();
    }
  }

  /** Ends what the buttons wait for. */
  cancel() {
    this.#busy?.abort(new Cancelled('cancelled'));
  }

  /** Ends what the buttons wait for without a word, for what takes its place. */
  quit() {
    if (!this.#busy) return;
    this.#busy.abort(new Stale());
    this.#busy = null;
    this.tell('busy', '');
  }

  /** @param {(still: Still, signal: AbortSignal) => Promise<void>} work @param {AbortSignal} signal @param {AbortSignal} [scope] */
  async #attempt(work, signal, scope = signal) {
    let end = () => {};
    const ended = new Promise((_, reject) => (end = () => reject(signal.reason)));
    ended.catch(() => {});
    signal.addEventListener('abort', end, { once: true });
    /** @type {Still} */
    const still = async (promise) => {
      signal.throwIfAborted();
      const value = await Promise.race([promise, /** @type {Promise<never>} */ (ended)]);
      signal.throwIfAborted();
      return value;
    };
    try {
      await work(still, signal);
    } catch (error) {
      if (scope.aborted || error instanceof Stale) return;
      this.tell(error instanceof Cancelled ? 'cancelled' : 'failed', error);
    } finally {
      // A picture may be attacked a thousand times: nothing of each is to stay with it.
      signal.removeEventListener('abort', end);
    }
  }
}
