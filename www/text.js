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

/** One sentence on how an attack ended. */
export function verdict({ label, target, targeted, predicted, confidence, success, epsilon }) {
  if (success) {
    return `Misread: you still see a ${label}, the network reads ${predicted} and is ${percent(confidence)} sure.`;
  }
  const sought = targeted ? `${target}` : 'anything else';
  return predicted === label
    ? `Withstood: the network still reads ${label}. With no pixel changed by more than ${plain(epsilon)}, it could not be brought to read ${sought}.`
    : `Missed: the network reads ${predicted}, neither ${label} nor the ${target} that was asked for (${percent(confidence)} for ${target}).`;
}

export const CANCELLED = 'Cancelled. The digit is as it was when you stopped.';

/** What is known of a network, from the facts of its weights. */
export function facts({ title, facts: f, build }) {
  return `${title} (${f.arch}), int8 weights: reads ${(100 * f.accuracy_int8).toFixed(2)} % of the 10,000 test digits rightly. Running on your machine (WebAssembly, ${build}).`;
}
