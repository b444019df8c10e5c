// The words of the lab that depend on what was found.

/** @import { Offers } from '../app/offers.js' */
/** @import { LabTable } from './state.js' */

import { normWords, plain } from '../words/en.js';

/** Experiments that are ready, by key: what they ask, and what they run. @type {Record<string, [string, string]>} */
export const PRESETS = {
  question: ['Is a VAE harder to fool?', 'The closest change of each digit, on a CNN and on both VAEs.'],
  controls: ['Does it matter that it is a VAE?', 'Each VAE beside its own layers as a plain network.'],
  norms: ['Does the answer hang on the norm?', 'The closest change in length (L2), in the largest pixel (L∞), in all (L1).'],
  published: ['What do the published attacks say?', 'The study’s three attacks at their budgets, which are not the strongest.'],
};

/** The button that runs. */
export const RUN = { repeat: 'Repeat it here', run: 'Run' };

/** What stands there before anything was run. @param {boolean} behind whether the study's curves do */
export const before = (behind) => (behind ? 'What the study found is in grey. Repeat it, and watch your own curves grow over it.' : 'Press the button, and watch the curves grow.');

/** An attack with its budget: L∞ ≤ 0.1. @param {LabTable} table @param {{attack: string, budget: number | null}} planned */
export const bounded = (table, { attack, budget }) => (budget === null ? table.attack(attack).short : `${table.attack(attack).short} ≤ ${budget}`);

/** A share in percent without the sign. */
export const points = (share) => (100 * share).toFixed(1);

/** How long something takes, roughly. */
export function duration(ms) {
  const seconds = Math.ceil(ms / 1000);
  if (seconds < 90) return `${seconds} s`;
  return seconds < 5400 ? `${Math.round(seconds / 60)} minutes` : `${plain(seconds / 3600)} hours`;
}

/** How many attacks these settings make. @param {Record<string, any>} settings @param {number} attacks */
export function amount({ digits, networks: names }, attacks) {
  const count = (n, word) => `${n.toLocaleString('en')} ${word}${n === 1 ? '' : 's'}`;
  return `${count(digits, 'digit')} × ${count(names.length, 'network')} × ${count(attacks, 'attack')} = ${(digits * names.length * attacks).toLocaleString('en')}`;
}

const pair = ({ vae, plain: other }) => `${vae} ${other}`;

/**
 * What was found for H0.
 * @param {any[]} comparisons of `summarise` @param {LabTable} table @param {Offers} offers
 * @returns {{verdict: string, pairs: {vae: string, plain: string, title: string, words: string}[]}} a verdict, where there is
 *   more than one pair, and a sentence for each VAE beside each plain network
 */
export function found(comparisons, table, offers) {
  const decides = (/** @type {string} */ attack) => table.attack(attack).decides;
  // Where the strongest attack was run, it alone decides.
  const strong = comparisons.some(({ attack }) => decides(attack));
  return decided(strong ? comparisons.filter(({ attack }) => decides(attack)) : comparisons, strong, table, offers);
}

/** What is said where no attack was strong enough for a verdict. */
const WEAK = 'By these attacks, which are not the strongest: with “the strongest” the answer may be another, under L1 above all.';

/** @param {any[]} comparisons @param {boolean} strong @param {LabTable} table @param {Offers} offers */
function decided(comparisons, strong, table, offers) {
  const all = [...new Set(comparisons.map(pair))].map((one) => comparisons.filter((other) => pair(other) === one && other.n));
  const pairs = all.filter((own) => own.length).map((own) => {
    const { vae, plain: other } = own[0];
    const { weaker, words } = difference(table, own.filter(({ kind }) => kind === 'difference'));
    const title = `${offers.short(vae)} beside ${offers.short(other)}`;
    const ratios = own.filter(({ kind }) => kind === 'ratio').map((one) => ratio(table, one));
    // What the strongest attack says counts where it was run; the norms may differ.
    const said = strong ? agreed(ratios.map((one) => one.weaker)) : weaker;
    return { vae, plain: other, weaker: said, title, words: [words, ...ratios.map((one) => one.words)].filter(Boolean).join(' ') };
  });
  const summed = verdict(pairs.map(({ weaker }) => weaker).filter(Boolean));
  return { verdict: [summed, strong || !pairs.length ? '' : WEAK].filter(Boolean).join(' '), pairs };
}

/** How many pairs speak for and against H0. */
function verdict(weaker) {
  if (weaker.length < 2) return '';
  const of = (which) => weaker.filter((one) => one === which).length;
  const [vae, other, none] = [of('vae'), of('plain'), of('neither')];
  if (vae === weaker.length) return 'Not so here: every VAE is more vulnerable than every plain network beside it.';
  if (other === weaker.length) return 'So it is here: every VAE is less vulnerable than every plain network beside it.';
  return `Of ${weaker.length} pairs the VAE is the more vulnerable one in ${vae} and the less vulnerable one in ${other}; ${none} cannot be told from chance.`;
}

/** Where the two differ most, and which of them is the weaker one there. */
function difference(table, all) {
  if (!all.length) return { weaker: null, words: '' };
  const most = all.reduce((best, one) => (Math.abs(one.difference[0]) > Math.abs(best.difference[0]) ? one : best));
  const [value, low, high] = most.difference;
  const at = `at ${bounded(table, most)}${all.length > 1 ? ', where they differ most' : ''},`;
  const of = `of the ${most.n} digits that both read rightly`;
  if (value === 0) return { weaker: 'neither', words: `both are fooled equally often ${of}, at ${all.length > 1 ? 'every budget' : bounded(table, most)}.` };
  const [more, from, to] = value > 0 ? ['more', low, high] : ['fewer', -high, -low];
  const lead = `${at} the VAE is fooled on ${points(Math.abs(value))} points ${more} ${of} (95 % interval ${points(from)} to ${points(to)})`;
  if (from <= 0) return { weaker: 'neither', words: `${lead}, too little to tell from chance.` };
  return value > 0 ? { weaker: 'vae', words: `${lead}: it is the more vulnerable one.` } : { weaker: 'plain', words: `${lead}: it is the less vulnerable one, as H0 says.` };
}

/** The one that all norms name; neither where they differ. */
const agreed = (weaker) => (weaker.every((one) => one === weaker[0]) ? (weaker[0] ?? null) : 'neither');

/** How far an attack had to go for the VAE, beside the other, and which of them is the weaker one by that. */
function ratio(table, { attack, n, ratio: of }) {
  const [value, low, high] = Array.from(of, (v) => v.toFixed(2));
  const weaker = of[1] > 1 ? 'plain' : of[2] < 1 ? 'vae' : 'neither';
  const says = { plain: ', as H0 says', vae: ', which is against H0', neither: ', too little to tell from chance' }[weaker];
  const { decides: strong, norm, short } = table.attack(attack);
  const who = strong ? 'The strongest attack' : short;
  return { weaker, words: `${who} goes ${value} times as far for the VAE (${normWords(norm).symbol}, median of ${n} digits, ${low} to ${high})${says}.` };
}
