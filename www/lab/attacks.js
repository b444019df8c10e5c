// The attacks that the lab offers: those at budgets, and searches for the closest image, whose distances make a curve. What
// they do is in the wasm.

import { ATTACKS, normOf } from '../attacks.js';

const AXES = { linf: 'ε: how far a pixel may go', l1: 'ε: sum of all changes', l2: 'L2: length of the change' };
const DISTANCES = { linf: 'L∞: the largest change of a pixel', l1: 'L1: sum of all changes', l2: AXES.l2 };

const own = (method) => ({ method, norm: normOf(method), short: ATTACKS[method].short, title: ATTACKS[method].title, axis: AXES[normOf(method)] });
const strongest = (norm, short) => ({
  method: 'strongest', norm, short: `strongest ${short}`, title: `The strongest, ${short}`, axis: DISTANCES[norm],
});

/**
 * Each attack by its name in links: which `method` it is under which `norm`, and its words. Verdicts are drawn from the
 * strongest where there are any: the others are what the study names, and not all of them are strong.
 */
export const LAB = {
  'strongest-l2': strongest('l2', 'L2'),
  'strongest-linf': strongest('linf', 'L∞'),
  'strongest-l1': strongest('l1', 'L1'),
  linf: own('linf'),
  l1: own('l1'),
  lbfgs: { ...own('lbfgs'), title: 'L-BFGS, the closest image' },
};

/** Whether an attack is strong enough for a verdict. */
export const decides = (attack) => LAB[attack].method === 'strongest';
