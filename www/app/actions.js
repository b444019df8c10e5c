// What can be done with what is current: look at a picture, attack it, and bring one's own. Many ways at once: see many.js.

/** @import { Frame, Outcome } from '../engine/protocol.js' */
/** @import { Session, Still } from './session.js' */
/** @import { Pictures } from './pictures.js' */

import { read, rounded } from '../parts/drawing.js';
import { kindOf, useless } from '../parts/kind.js';
import { FOUND_OWN, changedWords, datasetWords, errorWords, foreignWords } from '../words/en.js';
import { aim, ruled, startFor } from './aim.js';
import { NEAREST, OPENING, STEPS } from './opening.js';
import { OWN } from './state.js';
import { Gone, picturesOf } from './pictures.js';

/** How many attacks one can go back. */
const PAST = 30;

/** Waits until the page is seen. */
const seen = () => new Promise((resolve) => {
  if (!document.hidden) resolve(undefined);
  else document.addEventListener('visibilitychange', resolve, { once: true });
});

export class Actions {
  /** @type {Session} */
  #session;
  /** Whether what is attacked live has changed since it was last begun, and whether it is under way. */
  #again = false;
  #live = false;
  /** The attacks that ended, as states, the latest last. @type {import('./state.js').State[]} */
  #past = [];
  /** @type {Map<string, Promise<Pictures>>} */
  #pictures = new Map();
  /** What the weights of the network are told apart by that a link was about, and which only its maker has. */
  #foreign = '';

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
        this.#takeLink();
        this.#nameOwn(network);
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

  /** Takes what a link that repeats an attack says besides: its drawing; and says so where weights or attacks have changed since. */
  #takeLink() {
    const session = this.#session;
    const { drawing, weights, version, run } = session.state;
    const { pictures, network } = session.current;
    if (!drawing && !weights && !version) return;
    const known = { drawing: '', weights: '', version: /** @type {''} */ ('') };
    const size = pictures?.dataset.image.reduce((product, n) => product * n, 1) ?? 0;
    const image = drawing && pictures?.dataset.image[2] === 1 ? read(drawing, size) : null;
    if (image && pictures) {
      session.change({ ...known, digit: pictures.add(image) }, { run });
      session.tell('pictures', pictures);
    } else session.change(known, { run });
    const said = changedWords({ drawing: drawing !== '' && !image, weights: weights !== '' && weights !== network?.digest, version: version !== '' && version !== session.offers.version });
    if (said) session.tell('said', said);
  }

  /** Says in the address that the network is the visitor's own, by what its weights are told apart by; where a link was about such a one, that it is or is not. @param {import('../engine/protocol.js').Network} network */
  #nameOwn({ digest }) {
    const session = this.#session;
    const { own, model, run } = session.state;
    const mine = session.offers.isOwn(model);
    if (own && !mine) {
      this.#foreign = own;
      session.tell('said', foreignWords(own));
    } else if (mine && this.#foreign === digest) {
      this.#foreign = '';
      session.tell('said', FOUND_OWN);
    }
    if (own !== (mine ? digest : '')) session.change({ own: mine ? digest : '' }, { run: own && !mine ? 0 : run });
  }

  /** Makes the page one of the data set that the chosen network needs. @param {Still} still */
  async #useDataset(still) {
    const session = this.#session;
    const dataset = session.offers.datasetOf(session.state.model);
    const before = session.current.pictures?.dataset;
    if (before === dataset) return;
    const pictures = await still(this.#picturesOf(dataset));
    session.set({ pictures, network: null, clean: null, outcome: null });
    if (before) {
      const { digit, target } = session.table.fields;
      const attacks = session.table.translated(session.state.attacks, before, dataset);
      const first = pictures.get(digit.initial) ? digit.initial : (pictures.all[0]?.id ?? digit.initial);
      // What does nothing to these images stays behind.
      const does = session.offers.defencesOf(dataset.key).map(({ key }) => key);
      const defence = session.state.defence.split('+').filter((name) => does.includes(name)).join('+');
      session.change({ attacks, defence, digit: first, target: target.initial, valid: '' }, { run: session.state.run });
    }
    session.tell('shape', dataset.image);
    session.tell('pictures', pictures);
    if (pictures.said) session.tell('said', pictures.said);
  }

  /** The pictures of a data set, loaded once; what failed can be tried again. @param {import('../engine/protocol.js').Dataset} dataset */
  #picturesOf(dataset) {
    const known = this.#pictures.get(dataset.key) ?? picturesOf(dataset, this.#session.engine);
    this.#pictures.set(dataset.key, known);
    known.catch(() => this.#pictures.delete(dataset.key));
    return known;
  }

  /** Goes on with another network, or the same read or defended in another way. @param {{model?: string, inference?: string, defence?: string, attacker?: string}} changes */
  choose(changes) {
    this.#session.change(changes);
    return this.load();
  }

  /** The same attack once more, which now knows what the network stands behind. */
  async tellAttack() {
    await this.choose({ attacker: 'adaptive' });
    await this.attack();
  }

  /** Picks a picture. @param {number} digit */
  pick(digit) {
    const session = this.#session;
    const same = session.state.target === String(session.labelOf(digit));
    session.change({ digit, ...(same && { target: session.table.fields.target.initial }) });
    return this.look();
  }

  /** Shows the picked picture as it is, and how the network reads it. While the network is on its way, it goes on being so. */
  look() {
    if (!this.#session.current.network) return this.load();
    return this.#session.turn((still) => this.#look(still));
  }

  /** @param {Still} still */
  async #look(still) {
    const session = this.#session;
    const { pictures, network } = session.current;
    session.set({ clean: null, outcome: null });
    session.tell('reset');
    if (!pictures || !network) return;
    this.#putRight();
    const digit = /** @type {number} */ (session.state.digit);
    if (!pictures.get(digit)) return;
    let image;
    try {
      image = await still(pictures.image(digit));
    } catch (error) {
      if (!(error instanceof Gone)) throw error;
      this.drop([{ id: digit, why: error.message }]);
      return this.#look(still);
    }
    session.tell('picture', image);
    const { probabilities, predicted, confidence, refused } = await still(session.engine.read(session.subject, image, digit));
    const seen = network.vae ? await still(session.engine.see(session.state.model, image)) : null;
    // Of a picture that the visitor brought, the network's own reading is what an attack is to change.
    session.set({ clean: { image, label: session.labelOf(digit) ?? predicted, probabilities, predicted, refused } });
    session.settle();
    session.tell('clean', { predicted, confidence, refused, seen });
  }

  /** Says what the state asks for that is not there, and puts it right. */
  #putRight() {
    const session = this.#session;
    const { pictures, network } = session.current;
    const { digit, target } = session.state;
    const [first] = pictures?.all ?? [];
    if (first && !pictures?.get(digit)) {
      const { one } = datasetWords(session.dataset);
      // Another picture is shown, not attacked.
      session.change({ digit: first.id });
      session.tell('said', digit === OWN ? `The link is about a picture that only its maker has. This is another ${one}.` : `There is no ${one} ${digit} here; this is another.`);
    }
    const wanted = target === 'auto' || target === 'any' ? null : Number(target);
    const label = session.labelOf(session.state.digit);
    if (wanted === null || (wanted < (network?.labels.length ?? 0) && wanted !== label)) return;
    const why = wanted === label ? 'what the picture shows' : 'no label of this network';
    session.change({ target: session.table.fields.target.initial }, { run: session.state.run });
    session.tell('said', `The target ${network?.labels[wanted] ?? wanted} is ${why}; one is chosen for you.`);
  }

  /** Offers pictures no longer that cannot be had. @param {{id: number, why: string}[]} gone */
  drop(gone) {
    const session = this.#session;
    const { pictures } = session.current;
    const left = gone.filter(({ id }) => pictures?.get(id));
    if (!pictures || !left.length) return;
    for (const { id, why } of left) {
      session.tell('said', `${pictures.get(id)?.title} (${id}) is left out: ${why}.`);
      pictures.drop(id);
    }
    if (pictures.count && !pictures.get(session.state.digit)) session.change({ digit: pictures.all[0].id });
    session.tell('pictures', pictures);
  }

  /** Attacks, and shows every step. */
  async attack() {
    const session = this.#session;
    if (session.busy || !session.current.network || !session.current.pictures?.count) return;
    const wanted = session.state.digit;
    this.#again = false;
    await session.turn(async (still) => {
      await this.#look(still);
      await this.nearest(still);
    });
    const { network, clean } = session.current;
    // Another picture than the one that was asked for is not attacked unasked.
    if (session.busy || !clean || !network || session.state.digit !== wanted) return;
    const { attack } = session.state;
    const values = { ...session.parameters };
    const { label, target, targeted } = aim(session);
    const named = (/** @type {number} */ i) => network.labels[i];
    session.change({}, { run: 1 });
    session.tell('attack', { label, target: targeted ? target : -1, values, attack });
    const words = `Attacking: ${named(label)} → ${targeted ? named(target) : 'anything else'}`;
    await session.occupy(words, async (still, signal) => {
      const outcome = await this.#attacked(still, signal, (frames) => !signal.aborted && session.tell('frames', frames));
      session.set({ outcome });
      session.tell('outcome', outcome);
      this.#remember();
    });
  }

  /**
   * What the attack that the state asks for comes to.
   * @param {Still} still @param {AbortSignal} signal @param {(frames: Frame[]) => void} [onFrames]
   * @returns {Promise<Outcome>}
   */
  async #attacked(still, signal, onFrames) {
    const session = this.#session;
    const { attack } = session.state;
    const values = { ...session.parameters };
    const { label, target, targeted, about } = aim(session);
    const start = await still(startFor(session, attack, about.task));
    const settings = session.offers.settings(attack, values);
    const ended = session.engine.attack({ ...about, task: { ...about.task, start }, attack: settings }, { onFrames, signal });
    return { ...(await still(ended)), label, target: targeted ? target : null, subject: about.subject, values };
  }

  /** Finds out which label is nearest, where the attack is to choose: by a short search away from the label. @param {Still} still */
  async nearest(still) {
    const session = this.#session;
    const { clean } = session.current;
    if (session.state.target !== 'auto' || !clean || clean.nearest !== undefined) return;
    const { about } = aim(session);
    const { closest } = session.offers;
    const values = ruled(session, closest, { mode: 'min', steps: NEAREST(clean.image.length) });
    const task = { ...about.task, target: null };
    try {
      const start = await still(startFor(session, closest, task));
      const { success, predicted } = await still(session.engine.attack({ ...about, task: { ...task, start }, attack: session.offers.settings(closest, values) }));
      if (success && session.current.clean === clean) session.set({ clean: { ...clean, nearest: predicted } });
    } catch {
      // What is misread as it is, or gives no gradient, has no nearest label: the likeliest does.
      await still(Promise.resolve());
    }
  }

  /** Attacks at once, and again while the state changes: shows how each attack ended, not its steps. */
  live() {
    this.#again = true;
    const session = this.#session;
    if (this.#live || !session.current.clean || !session.current.network) return;
    session.quit();
    this.#live = true;
    return session.aside(async (still, signal) => {
      try {
        while (this.#again) {
          await still(seen());
          this.#again = false;
          await this.nearest(still);
          const outcome = { ...(await this.#attacked(still, signal)), atOnce: true };
          session.set({ outcome });
          session.tell('outcome', outcome);
        }
        this.#remember();
      } finally {
        this.#live = false;
        // Asked for after what this belonged to was over.
        if (signal.aborted && this.#again) queueMicrotask(() => this.#again && this.live());
      }
    });
  }

  /** Attacks live within a strength. @param {number} epsilon */
  strength(epsilon) {
    const session = this.#session;
    this.#goOver(session.offers.within, { mode: 'fixed', steps: STEPS, epsilon });
    return this.live();
  }

  /** Goes for the closest image of which the network is sure, as the page does when it opens. */
  closest() {
    const session = this.#session;
    this.#goOver(session.offers.closest, OPENING);
    return this.attack();
  }

  /** Goes over to an attack of the ruler. @param {string} attack @param {Record<string, any>} own its parameters */
  #goOver(attack, own) {
    const session = this.#session;
    session.change({ attack, attacks: { ...session.state.attacks, [attack]: ruled(session, attack, own) } }, { run: 1 });
  }

  /** Remembers the attack that ended. */
  #remember() {
    const session = this.#session;
    session.settle();
    const state = structuredClone({ ...session.state, run: 1 });
    if (JSON.stringify(this.#past.at(-1)) !== JSON.stringify(state)) this.#past = [...this.#past, state].slice(-PAST);
    session.tell('past', this.#past.length);
  }

  /** Makes the attack before the latest again. */
  async undo() {
    const session = this.#session;
    if (session.busy || this.#past.length < 2) return;
    this.#past.pop();
    const before = JSON.stringify(session.subject);
    session.state = structuredClone(/** @type {import('./state.js').State} */ (this.#past.at(-1)));
    session.change({}, { run: 1 });
    if (JSON.stringify(session.subject) !== before) await this.load();
    else await this.attack();
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
      const adopted = await session.offers.adopt(file, session.engine, {
        samples: async (dataset) => (await this.#picturesOf(dataset)).samples(dataset.labels),
        ask: async (question) => {
          await session.open('feeding');
          return new Promise((answer) => session.tell('asked', { question, answer }));
        },
      });
      if (!adopted) return;
      session.many.end();
      session.tell('networks');
      await this.choose({ model: adopted.name });
      if (adopted.said) session.tell('said', adopted.said);
    } catch (/** @type {any} */ error) {
      session.tell('notice', { words: errorWords(error) });
    }
  }

  /** Takes a file that the visitor dropped or pasted, for what it is. @param {File} file @param {(file: File) => void} picture */
  async bring(file, picture) {
    const kind = await kindOf(file);
    if (kind === 'weights') await this.bringWeights(file);
    else if (kind === 'unknown') this.#session.tell('notice', { words: useless(file) });
    else picture(file);
  }

  /** Lets the visitor cut a picture, which is read as one of the data set that is shown. @param {(take: (image: Float32Array) => void) => Promise<void>} open */
  async bringPicture(open) {
    const session = this.#session;
    try {
      session.tell('notice', { words: '' });
      await open((image) => this.#take(image));
    } catch (/** @type {any} */ error) {
      session.tell('notice', { words: errorWords(error) });
    }
  }

  /** Takes a square of the visitor's picture. @param {Float32Array} image */
  #take(image) {
    const session = this.#session;
    const { pictures } = session.current;
    if (!pictures || image.length !== pictures.dataset.image.reduce((product, n) => product * n, 1)) return;
    // One that can travel in a link is from the start as the link will have it.
    session.change({ digit: pictures.add(pictures.dataset.image[2] === 1 ? rounded(image) : image) });
    session.tell('pictures', pictures);
    session.tell('busy', '');
    return this.look();
  }

  /** Takes a drawing of the visitor's, and attacks it, or not. @param {Float32Array} image @param {boolean} attacks */
  async draw(image, attacks) {
    await this.#take(image);
    if (attacks) await this.attack();
  }
}
