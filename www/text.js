// The words of the page that depend on what happened.

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

/** A label with its article. */
export const a = (label) => (/^8|^1[18]$/.test(label) ? `an ${label}` : `a ${label}`);

/** What bounded an attack, in words. */
function bound({ attack, mode, epsilon }) {
  if (mode === 'min') return 'Within all budgets that were tried';
  if (attack === 'lbfgs') return 'With this weight of the error';
  return attack === 'l1' ? `With changes of ${plain(epsilon)} in all` : `With no pixel changed by more than ${plain(epsilon)}`;
}

/** One sentence on how an attack ended. */
export function verdict({ label, target, targeted, predicted, confidence, success, attack, mode, epsilon, wanted }) {
  if (success) {
    return `Misread: you still see ${a(label)}, the network reads ${predicted} and is ${percent(confidence)} sure.`;
  }
  const sought = targeted ? `${target}` : 'anything else';
  if (predicted === label) {
    return `Withstood: the network still reads ${label}. ${bound({ attack, mode, epsilon })}, it could not be brought to read ${sought}.`;
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
export function rule({ mode, stop, confidence }) {
  const sure = confidence > 0 ? ` at ${percent(confidence)}` : '';
  if (mode === 'min') return `the closest success${sure}`;
  return stop === 1 ? `stopped at the first success${sure}` : 'after all steps';
}

/** The grade and what it rests on. */
export function graded(outcome, parameters) {
  const { grade, success, confidence, confidentAt, survivesPng } = outcome;
  if (!success) return `Grade: failed. The image is ${validity(outcome)}.`;
  const sure = confidence >= confidentAt;
  return (
    `Grade: ${grade}: ${validity(outcome)}, ${sure ? 'confident' : 'not confident'} ` +
    `(${percent(confidence)} ${sure ? '≥' : '<'} ${percent(confidentAt)}; ${rule(parameters)}). ` +
    `${survivesPng ? 'Still fools the network' : 'No longer fools the network'} once saved as a PNG of 8-bit pixels.`
  );
}

export const CANCELLED = 'Cancelled. The digit is as it was when you stopped.';

/** What is known of a network, from the facts of its weights. */
export function facts({ title, facts: f, build }) {
  return `${title} (${f.arch}), int8 weights: reads ${(100 * f.accuracy_int8).toFixed(2)} % of the 10,000 test digits rightly. Running on your machine (WebAssembly, ${build}).`;
}
