// The levels of Defend: what each puts before the network, and how many of the pictures that ship fall behind it, to an attack that does
// not know of it and to one that does.

/** @import { Lesson } from '../words/late-en.js' */
/** @import { Offers } from './offers.js' */
/** @import { Session } from './session.js' */
/** @import { Subject } from '../engine/protocol.js' */

import { LESSONS } from '../words/late-en.js';
import { ruled } from './aim.js';
import { STEPS } from './opening.js';

/** Gradients of the search that counts, and of a second, longer one for those that withstood it. */
const GRADIENTS = [150, 600];

/** @typedef {{lesson: Lesson, model: string, defence: string}} Level what a level attacks */

/** The levels of a data set: its first network, what it can stand behind, what was trained to withstand in its place. @param {Offers} offers @param {string} dataset @returns {Level[]} */
export function levelsOf(offers, dataset) {
  const [base] = offers.names(dataset);
  const defences = offers.defencesOf(dataset).map(({ key }) => key);
  return LESSONS.flatMap((lesson, place) => {
    if (place === 0) return [{ lesson, model: base, defence: '' }];
    if (defences.includes(lesson.key)) return [{ lesson, model: base, defence: lesson.key }];
    const trained = offers.networks.find(({ family, defends }) => family === lesson.key && defends === base);
    return trained ? [{ lesson, model: trained.key, defence: '' }] : [];
  });
}

/** Goes to a level, with an attack that does not know of it. @param {Session} session @param {number} n from 1 on @param {string} [dataset] */
export async function enter(session, n, dataset = session.dataset.key) {
  const { offers, actions } = session;
  const levels = levelsOf(offers, dataset);
  const level = Math.min(Math.max(n, 1), levels.length);
  const { model, defence } = levels[level - 1];
  const attacker = level === 1 ? offers.attackers[0] : 'blind';
  session.change({ level, model, defence, attacker, inference: offers.inferences[0] });
  await actions.load();
  await passing(session);
  await actions.closest();
}

/** Of a picture that is misread or refused as it is there is nothing to catch: takes the next that is read, unless it is the visitor's own. @param {Session} session */
async function passing(session) {
  const all = (session.current.pictures?.all ?? []).filter(({ id }) => id >= 0);
  const from = all.findIndex(({ id }) => id === session.state.digit);
  const wrong = () => session.current.clean?.refused || session.current.clean?.predicted !== session.current.clean?.label;
  for (let i = 1; from >= 0 && wrong() && i < all.length; i++) {
    await session.actions.pick(all[(from + i) % all.length].id);
  }
}

/**
 * @typedef {{clean: boolean, alarm: boolean, blind: boolean, told: boolean, tried: number}} Fallen one picture: whether it is read rightly and let
 *   through as it is, refused as it is, misread by either attack; how many of the searches were made
 */

/** The counts of levels, as far as they are. */
export class Counts {
  #session;
  /** By level and budget, then by picture. @type {Map<string, Map<number, Fallen>>} */
  #known = new Map();

  /** @param {Session} session */
  constructor(session) {
    this.#session = session;
  }

  /** The pictures that are counted. */
  #pictures() {
    return this.#session.current.pictures?.labelled ?? [];
  }

  /** Up to which L2 a change counts as hardly visible. */
  get within() {
    const { network } = this.#session.current;
    return { ...network, ...this.#session.thresholds }.valid ?? 1;
  }

  /** @param {Level} level */
  #of(level) {
    const key = [level.model, level.defence, this.within].join('\n');
    const known = this.#known.get(key) ?? new Map();
    this.#known.set(key, known);
    return known;
  }

  /** What is known of a level. @param {Level} level */
  sum(level) {
    const all = [...this.#of(level).values()];
    const many = (/** @type {(one: Fallen) => boolean} */ is) => all.filter(is).length;
    const count = this.#pictures().length;
    return {
      done: all.length, all: count, clean: many(({ clean }) => clean), alarms: many(({ alarm }) => alarm), blind: many(({ blind }) => blind), told: many(({ told }) => told),
      within: this.within, ended: all.length === count && all.every(({ told, clean, tried }) => told || !clean || tried === GRADIENTS.length),
    };
  }

  /** Counts what is not yet known of a level, on all workers. @param {Level} level @param {boolean} first whether nothing is defended @param {() => void} each hears of every step */
  async count(level, first, each) {
    const session = this.#session;
    const { offers, current } = session;
    const known = this.#of(level);
    const { network, pictures } = current;
    if (!pictures || !network) return;
    const epsilon = this.within;
    const subject = (/** @type {string} */ attacker) => /** @type {Subject} */ ({ model: level.model, inference: offers.inferences[0], defence: level.defence, attacker });
    const [told, blind] = [subject(offers.attackers[0]), subject('blind')];
    const within = offers.settings(offers.within, ruled(session, offers.within, { mode: 'fixed', steps: STEPS, epsilon }));
    const searches = GRADIENTS.map((steps) => offers.settings(offers.closest, ruled(session, offers.closest, { mode: 'fixed', steps, epsilon })));
    const own = this.#pictures();
    for (const [round, search] of searches.entries()) {
      const left = own.filter(({ id }) => {
        const one = known.get(id);
        return !one || (one.clean && !one.told && one.tried <= round);
      });
      await session.many.onPool(left, async (worker, { id, label }, signal) => {
        const image = await pictures.image(id);
        const truth = network.labels.indexOf(/** @type {string} */ (label));
        const other = own.find((picture) => picture.label !== label);
        const task = { image, index: id, label: truth, target: null, only_if_read: true, start: other ? await pictures.image(other.id) : null };
        const one = known.get(id) ?? { clean: false, alarm: false, blind: false, told: false, tried: 0 };
        if (one.tried === 0) {
          const { predicted, refused } = await worker.read(told, image, id);
          [one.clean, one.alarm] = [predicted === truth && !refused, refused];
          if (one.clean && !first) one.blind = (await worker.attack({ subject: blind, task, attack: within }, { signal })).success;
        }
        if (one.clean) one.told = (await worker.attack({ subject: told, task, attack: search }, { signal })).success;
        one.tried = round + 1;
        known.set(id, one);
        each();
      });
    }
  }
}
