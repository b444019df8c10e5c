// The words of the page that depend on what happened.

import { ATTACKS, normOf } from './attacks.js';

export const percent = (p) => {
  const value = 100 * p;
  if (value > 99.95 && value < 100) return '> 99.9 %';
  if (value > 0 && value < 0.05) return '< 0.1 %';
  return `${value.toFixed(1)} %`;
};

/** A number for people: 0.3, 12.4, 3,120. */
export const plain = (value) => {
  const digits = value >= 100 ? 0 : value >= 10 ? 1 : value >= 1 ? 2 : 4;
  return value.toLocaleString('en', { maximumFractionDigits: digits });
};

export const milliseconds = (ms) => (ms < 1000 ? `${plain(ms)} ms` : `${(ms / 1000).toFixed(2)} s`);

/** A digit with its article; a name as it is. */
export const a = (label) => (/^\d/.test(label) ? (/^8|^1[18]$/.test(label) ? `an ${label}` : `a ${label}`) : label);

/** What bounded an attack, in words. */
function bound({ attack, norm, mode, epsilon }) {
  if (mode === 'min') return 'Within all budgets that were tried';
  if (attack === 'lbfgs') return 'With this weight of the error';
  const e = plain(epsilon);
  return { l1: `With changes of ${e} in all`, l2: `With a change of length ${e}`, linf: `With no pixel changed by more than ${e}` }[norm];
}

/** One sentence on how an attack ended: labels and aim in words. */
export function verdict({ label, target, targeted, predicted, confidence, success, attack, norm, mode, epsilon, wanted }) {
  if (success) {
    return `Misread: you still see ${a(label)}, the network reads ${predicted} and is ${percent(confidence)} sure.`;
  }
  const sought = targeted ? `${target}` : 'anything else';
  if (predicted === label) {
    return `Withstood: the network still reads ${label}. ${bound({ attack, norm, mode, epsilon })}, it could not be brought to read ${sought}.`;
  }
  if (wanted > 0 && (targeted ? predicted === target : true)) {
    return `Not sure enough: the network reads ${predicted}, but with ${percent(confidence)} instead of the ${percent(wanted)} that were asked for.`;
  }
  return `Missed: the network reads ${predicted}, neither ${label} nor the ${target} that was asked for (${percent(confidence)} for ${target}).`;
}

/** Whether the image counts as valid, with the threshold. */
export function validity({ measure, valid, validAt, l2, ssim }) {
  const [name, value, sign] = measure === 'l2' ? ['L2', l2, valid ? '≤' : '>'] : ['SSIM', ssim, valid ? '≥' : '<'];
  return `${valid ? 'valid' : 'not valid'} (${name} ${plain(value)} ${sign} ${plain(validAt)})`;
}

/** When an attack ended, without which a confidence says nothing. */
export function rule({ attack, mode, stop, confidence }) {
  const sure = confidence > 0 ? ` at ${percent(confidence)}` : '';
  if (mode === 'min') return `the closest success${sure}`;
  return stop === 1 || !('stop' in ATTACKS[attack].fields) ? `stopped at the first success${sure}` : 'after all steps';
}

/** The grade and what it rests on. */
export function graded(outcome, parameters) {
  const { grade, success, confidence, confidentAt, survivesPng, fresh } = outcome;
  const drawn = fresh === null ? '' : ` It reached its aim in ${percent(fresh)} of 64 fresh draws of the latent vector.`;
  if (!success) return `Grade: failed. The image is ${validity(outcome)}.${drawn}`;
  const sure = confidence >= confidentAt;
  return (
    `Grade: ${grade}: ${validity(outcome)}, ${sure ? 'confident' : 'not confident'} ` +
    `(${percent(confidence)} ${sure ? '≥' : '<'} ${percent(confidentAt)}; ${rule(parameters)}). ` +
    `${survivesPng ? 'Still fools the network' : 'No longer fools the network'} once saved as a PNG of 8-bit pixels.${drawn}`
  );
}

/** One sentence on a duel: who was fooled, and by how little where the smallest budget was sought. */
export function duelled(contestants, outcomes, rules) {
  const ended = contestants.filter(({ name }) => outcomes.has(name)).map(({ name, title }) => ({ title, ...outcomes.get(name) }));
  const fooled = ended.filter(({ success }) => success);
  const withstood = ended.filter(({ success }) => !success).map(({ title }) => title);
  const list = (all) => (all.length > 1 ? `${all.slice(0, -1).join(', ')} and ${all.at(-1)}` : all.join(''));
  const stood = withstood.length ? ` Withstood by ${list(withstood)}.` : '';
  if (!fooled.length) return 'No network was fooled.';
  if (rules.mode === 'min') {
    const norm = normOf(rules.attack, rules);
    const name = norm === 'l2' ? 'an L2 of ' : '';
    const sorted = fooled.sort((a, b) => a[norm] - b[norm]);
    return `Fooled: ${list(sorted.map((one) => `${one.title} at ${name}${plain(one[norm])}`))}.${stood}`;
  }
  const sure = (one) => `${one.title} (${percent(one.confidence)})`;
  return `Fooled: ${list(fooled.map(sure))}.${stood}`;
}

export const CANCELLED = 'Cancelled. The digit is as it was when you stopped.';

/** What is known of a network, from the facts of its weights. */
export function facts({ title, facts: f, build }) {
  const accuracy = Number(f.accuracy_int8);
  const reads = accuracy > 0 ? `reads ${(100 * accuracy).toFixed(2)} % of the ${Number(f.test_images ?? 10000).toLocaleString('en')} test images rightly` : 'of unknown accuracy';
  const bound = f.elbo_int8 ? `; its evidence lower bound on them is ${f.elbo_int8} nats` : '';
  return `${title} (${f.arch}), int8 weights: ${reads}${bound}. Running on your machine (WebAssembly, ${build}).`;
}
