// What the page opens with, and what its ruler does: attacks in L2, the norm in which it is measured what the eye sees.

/** The norm of the ruler. */
export const NORM = 'l2';
/** The picture that is attacked first: the first 3 of the sample. */
export const DIGIT = 3;
/** How sure the network is to be of the closest image, and the gradients of that search. */
export const OPENING = { norm: NORM, mode: 'min', confidence: 0.9, steps: 200 };
/** Steps of an attack within a strength. */
export const STEPS = 40;
/** Gradients that say how far a network is from breaking, and which label is nearest; of large images fewer. */
export const [TICK, NEAREST] = [(/** @type {number} */ pixels) => (pixels > 10_000 ? 80 : 100), (/** @type {number} */ pixels) => (pixels > 10_000 ? 20 : 60)];

/** Whether an attack is one that the ruler speaks of. @param {import('./offers.js').Offers} offers @param {string} attack @param {Record<string, any>} values */
export const onRuler = ({ closest, within }, attack, { norm, mode }) => norm === NORM && ((attack === closest && mode === 'min') || (attack === within && mode === 'fixed'));
