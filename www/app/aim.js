// What an attack on what is current is after, and where it starts.

/** @import { Task } from '../engine/protocol.js' */
/** @import { Session } from './session.js' */

import { likeliest } from './offers.js';
import { NORM } from './opening.js';

/** What the attack is after. @param {Session} session */
export function aim(session) {
  const { state, current, subject } = session;
  const clean = /** @type {NonNullable<typeof current.clean>} */ (current.clean);
  const { image, label, probabilities } = clean;
  const targeted = state.target !== 'any';
  const wanted = Number(state.target);
  // Of a picture that the visitor brought, the network's own reading may be the one that was aimed at.
  const target = wanted < probabilities.length && wanted !== label ? wanted : (clean.nearest ?? likeliestOther(clean));
  const picture = current.pictures?.get(state.digit);
  /** @type {Task} */
  const task = { image, index: Math.abs(Number(state.digit)), label, target: targeted ? target : null, start: null, file: picture?.file ?? null };
  return { label, target, targeted, about: { subject, task, thresholds: session.thresholds } };
}

/** The parameters of an attack in the norm of the ruler, but for these its defaults. @param {Session} session @param {string} attack @param {Record<string, any>} own */
export const ruled = (session, attack, own) => ({ ...session.table.initialOf(attack, session.dataset, NORM), ...own });

/** An image that reads as wanted, where the attack may begin at one. @param {Session} session @param {string} attack @param {Task} task */
export async function startFor(session, attack, task) {
  const { offers, state, current } = session;
  const { pictures } = current;
  if (!offers.attack(attack).starts || !pictures) return null;
  const reached = (/** @type {number | null} */ other) => other !== null && (task.target === null ? other !== task.label : other === task.target);
  const found = pictures.all.find(({ id }) => id !== state.digit && reached(session.labelOf(id)));
  return found ? pictures.image(found.id).catch(() => null) : null;
}

/** The likeliest label that is neither the true one nor the one read. @param {{label: number, probabilities: Float32Array}} clean */
function likeliestOther({ label, probabilities }) {
  const predicted = likeliest(probabilities);
  const others = [...probabilities.keys()].filter((i) => i !== label && i !== predicted);
  return others.reduce((best, i) => (probabilities[i] > probabilities[best] ? i : best));
}
