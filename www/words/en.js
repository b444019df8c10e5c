// The words of the pages in English: of all that the catalogue names, by key, and of what depends on what happened. A page in
// another language has another file like this one. What has no words here is called what the catalogue calls it.

/** @import { Attack, Dataset, Defence, NetworkEntry, Outcome } from '../engine/protocol.js' */

/** @type {Record<string, {symbol: string, budget: string, bound: (budget: string) => string, axis: string}>} */
export const NORMS = {
  l2: { symbol: 'L2', budget: 'length of the change', bound: (e) => `With a change of length ${e}`, axis: 'L2: length of the change' },
  linf: { symbol: 'L∞', budget: 'how far a pixel may go', bound: (e) => `With no pixel changed by more than ${e}`, axis: 'L∞: the largest change of a pixel' },
  l1: { symbol: 'L1', budget: 'sum of all changes', bound: (e) => `With changes of ${e} in all`, axis: 'L1: sum of all changes' },
};

/** By family. @type {Record<string, string>} */
export const NETWORKS = {
  siamese: 'Siamese', cnn: 'CNN', dense: 'Dense', 'conv-encoder': 'Strided CNN', vae: 'Vanilla VAE', 'conv-vae': 'Convolutional VAE',
  'cnn-adversarial': 'CNN, adversarially trained', 'cnn-distilled': 'CNN, distilled', 'conv-vae-adversarial': 'Convolutional VAE, adversarially trained',
};

/** By family. @type {Record<string, string>} */
const TICKS = { vae: 'VAE', 'conv-vae': 'conv. VAE', 'conv-encoder': 'strided' };

/** Defences at first sight. @type {Record<string, string>} */
const SHIELDS = { '': 'none', grey2: 'grey levels', mean3: 'blur', siamese5: 'siamese', trained: 'trained' };

/**
 * The tab of a data set, what its labels are called, and what is said where the images are the visitor's own, and where there are none.
 * @type {Record<string, {tab: string, labels: string, own?: string, bring?: string}>}
 */
const DATASETS = {
  mnist: { tab: 'Digits', labels: 'digits' },
  lfw: {
    tab: 'Faces',
    labels: 'people',
    own: 'These are your own images of Labeled Faces in the Wild, sent by the program on your machine.',
    bring: 'No faces ship with this page. With the program on your machine, fetch lfw brings the images of Labeled Faces in the Wild; or bring a picture of your own:',
  },
};

/** Errors that are put in other words than the crate's, by key. @type {Record<string, (message: string) => string>} */
const ERRORS = {};

/** What the language throws for a mistake of the page's: its message says nothing to a visitor. */
const MISTAKES = [TypeError, ReferenceError, RangeError, SyntaxError];

/** What an error says. @param {Error & {key?: string}} error */
export function errorWords(error) {
  if (MISTAKES.some((mistake) => error instanceof mistake)) {
    console.warn(error);
    return 'Something is wrong in this page itself; the browser’s console says more. Please try again, or reload the page.';
  }
  return ERRORS[error.key ?? '']?.(error.message) ?? error.message;
}

/** Attacks that are called otherwise than by the crate, by key. @type {Record<string, string>} */
const TITLES = {};

/** @param {Attack} attack */
export const attackTitle = ({ key, title }) => TITLES[key] ?? title;

/** @param {string} norm */
export const normWords = (norm) => NORMS[norm] ?? { symbol: norm, budget: norm, bound: (/** @type {string} */ e) => `Within ${e}`, axis: norm };

/** What fits on a chip. @param {NetworkEntry} network */
export const networkWords = ({ family, title }) => NETWORKS[family] ?? title;

/** @param {Dataset} dataset */
export const datasetWords = ({ key, title, nouns: [one, several] }) => {
  const plain = { one, several, tab: title, labels: 'labels', own: '', bring: 'Bring a picture of your own:' };
  return Object.assign(plain, DATASETS[key]);
};

export const percent = (/** @type {number} */ p) => {
  const value = 100 * p;
  if (value > 99.95 && value < 100) return '> 99.9 %';
  if (value > 0 && value < 0.05) return '< 0.1 %';
  return `${value.toFixed(1)} %`;
};

/** A number for people: 0.3, 12.4, 3,120. */
export const plain = (/** @type {number} */ value) => {
  const digits = value >= 100 ? 0 : value >= 10 ? 1 : value >= 1 ? 2 : 4;
  // Not toLocaleString, of which the first call takes tens of milliseconds.
  const [whole, part] = String(Number(value.toFixed(digits))).split('.');
  return whole.replace(/\B(?=(\d{3})+$)/g, ',') + (part ? `.${part}` : '');
};

export const milliseconds = (/** @type {number} */ ms) => (ms < 1000 ? `${plain(ms)} ms` : `${(ms / 1000).toFixed(2)} s`);

/** A digit with its article; a name as it is. */
export const a = (/** @type {string} */ label) => (/^\d/.test(label) ? (/^8|^1[18]$/.test(label) ? `an ${label}` : `a ${label}`) : label);

/** What bounded an attack, in words. @param {{norm: string, mode?: string, budget: number | null, weight: boolean}} rules */
function bound({ norm, mode, budget, weight }) {
  if (mode === 'min' || budget === null) return 'Within all budgets that were tried';
  if (weight) return 'With this weight of the error';
  return normWords(norm).bound(plain(budget));
}

/**
 * @typedef {{label: string, target: string, targeted: boolean, predicted: string, outcome: Outcome, mode?: string, budget: number | null,
 *   weight: boolean, wanted: number, own: boolean, alarmed: boolean}} Ended how an attack ended: labels and aim in words; `own`: of a
 *   picture of which nobody but the network has said what it shows; `alarmed`: one that a guard refuses as it is
 */

/** One sentence on how an attack ended, about what is on screen. @param {Ended} ended */
export function headline({ label, target, targeted, predicted, outcome, wanted, own, alarmed }) {
  const { success, refused } = outcome;
  const before = own ? `The network read ${a(label)} before, and` : `You see ${a(label)}. The network sees`;
  if (success) return `${before} ${a(predicted)}${own ? ' now' : ''}.`;
  if (refused) return alarmed ? 'The guard refuses it. It refuses the original, too.' : 'The guard noticed: refused.';
  if (predicted === label) return `The network still reads ${a(label)}.`;
  if (wanted > 0 && (!targeted || predicted === target)) return `${before} ${a(predicted)}${own ? ' now' : ''}, but is not sure enough of it.`;
  return `${before} ${a(predicted)}${own ? ' now' : ''}, not the ${target} that was asked for.`;
}

/** Why it did not end otherwise, where that can be said. @param {Ended} ended */
export function because({ label, target, targeted, predicted, outcome, mode, budget, weight, wanted }) {
  const { success, refused, norm, confidence } = outcome;
  if (success) return '';
  if (refused) return `The defence takes this image for none of the network’s. It would have been read as ${predicted}.`;
  const sought = targeted ? target : 'anything else';
  if (predicted === label) return `${bound({ norm, mode, budget, weight })}, it could not be brought to read ${sought}.`;
  if (wanted > 0 && (!targeted || predicted === target)) return `${percent(confidence)} instead of the ${percent(wanted)} that were asked for.`;
  return `${percent(confidence)} for ${target}.`;
}

/** One sentence on a picture as it is. @param {{label: string, predicted: string, refused: boolean, own: boolean}} read */
export function cleanWords({ label, predicted, refused, own }) {
  if (refused) return `The guard refuses this picture as it is; the network would read ${a(predicted)}.`;
  if (own) return `The network reads ${a(predicted)}.`;
  return predicted === label ? `You see ${a(label)}. So does the network.` : `You see ${a(label)}. The network sees ${a(predicted)}, without any attack.`;
}

/** What is said where there is no picture to attack. @param {Dataset} dataset */
export const emptyWords = (dataset) => `No ${datasetWords(dataset).several} come with this page. Bring a picture of your own: it stays on this machine.`;

/** How sure a network is, in words. @param {number} p */
export const sureness = (p) => (p >= 0.99 ? 'almost certain' : p >= 0.9 ? 'very sure' : p >= 0.8 ? 'sure' : p >= 0.5 ? 'not very sure' : 'unsure');

/** How sure a network is of a label: in words, or in numbers. @param {{label: string, p: number}} read @param {boolean} numbers */
export const sureWords = ({ label, p }, numbers) => (numbers ? `${percent(p)} sure of ${label}` : `${sureness(p)} of ${label}`);

/** The labels that come next. @param {{label: string, p: number}[]} rest @param {boolean} numbers */
export const othersWords = (rest, numbers) =>
  rest.length ? `then ${rest.map(({ label, p }) => (numbers ? `${label} (${percent(p)})` : label)).join(', ')}` : '';

/** Whether the eye would notice: how far the change goes as a share of what counts as valid, and that in words. @param {Outcome} outcome @param {boolean} numbers */
export function visibleWords({ measure, valid_at, l2, ssim }, numbers) {
  const share = measure === 'l2' ? l2 / valid_at : (1 - ssim) / Math.max(1 - valid_at, 1e-6);
  const words = share <= 0.5 ? 'looks the same to the eye' : share <= 1 ? 'hardly visible' : share <= 2 ? 'one can see it' : 'plain to see';
  if (!numbers) return { share, words };
  return { share, words: `${words} (${measure === 'l2' ? `L2 ${plain(l2)} of ${plain(valid_at)}` : `SSIM ${plain(ssim)}, valid from ${plain(valid_at)}`})` };
}

/** The grade, in questions. @param {Outcome} outcome */
export function foolsWords({ success, valid, grade }) {
  return success ? `fools it: yes · looks the same: ${valid ? 'yes' : 'no'} (${grade})` : 'fools it: no';
}

/** What the mean of the pictures of a label is called. @param {string} label @param {Dataset} dataset */
export const meanWords = (label, dataset) => `${a(label)} (the mean of the ${dataset.named ? `${datasetWords(dataset).several} here` : `${label}s here`})`;

/** Where the ruler stands. @param {number} l2 */
export const rulerWords = (l2) => `L2 ${l2.toFixed(2)}`;

/** A network on the ruler, where there is little room. @param {NetworkEntry} network @param {string} [name] what it is called otherwise */
export const tickWords = (network, name = networkWords(network)) => (network.defends ? 'trained' : (TICKS[network.family] ?? name));

/** A defence at first sight. @param {string} value */
export const shieldWords = (value) => SHIELDS[value] ?? value;

/** What is to be said of the defence that is on. @param {Defence | null} defence @param {string} attacker */
export function shieldSays(defence, attacker) {
  const alarms = defence?.alarms ? `It refuses ${defence.alarms} % of clean pictures, too.` : '';
  const blind = attacker === 'blind' ? 'The attack does not know it.' : '';
  return [alarms, blind].filter(Boolean).join(' ');
}

/** What is said of a link that no longer means quite what it did. @param {{drawing: boolean, weights: boolean, version: boolean}} changed */
export const changedWords = ({ drawing, weights, version }) => [
  drawing ? 'The drawing in the link cannot be read; this is another picture.' : '',
  weights ? 'The weights of this network have changed since the link was made: the outcome may differ.' : '',
  version ? 'The attacks have changed since the link was made: the outcome may differ.' : '',
].filter(Boolean).join(' ');

/** What is said of a network in ONNX that was taken. @param {string} file @param {{right: number, of: number, fed: string}} made @param {Dataset} dataset */
export const importedWords = (file, { right, of, fed }, dataset) =>
  of ? `${file} reads ${right} of the ${of} ${datasetWords(dataset).several} here rightly, fed with ${fed}${right >= 0.9 * of ? ': looks right' : '. Was it trained on something else?'}` : `${file} is fed with ${fed}; whether that is right cannot be tried here.`;

/** What is said of a link about a network that only its maker has. @param {string} digest what its weights are told apart by */
export const foreignWords = (digest) => `The link is about a network that only its maker has (${digest}). This is another; bring that one (ONNX or weights), and the attack is on it.`;

/** What is said where the network comes that a link was about. */
export const FOUND_OWN = 'This is the network that the link was about.';

/** Whether the image counts as valid, with the threshold. @param {Outcome} outcome */
export function validity({ measure, valid, valid_at, l2, ssim }) {
  const [name, value, sign] = measure === 'l2' ? ['L2', l2, valid ? '≤' : '>'] : ['SSIM', ssim, valid ? '≥' : '<'];
  return `${valid ? 'valid' : 'not valid'} (${name} ${plain(value)} ${sign} ${plain(valid_at)})`;
}

/**
 * When an attack ended, without which a confidence says nothing.
 * @param {{mode?: string, stop?: number, confidence?: number, stops: boolean}} rules `stops`: whether it can go on after a success
 */
export function rule({ mode, stop, confidence = 0, stops }) {
  const sure = confidence > 0 ? ` at ${percent(confidence)}` : '';
  if (mode === 'min') return `the closest success${sure}`;
  return stop === 1 || !stops ? `stopped at the first success${sure}` : 'after all steps';
}

/** The grade and what it rests on. @param {Outcome} outcome @param {Parameters<typeof rule>[0]} rules */
export function graded(outcome, rules) {
  const { grade, success, confidence, confident_at, survives_png, fresh } = outcome;
  const drawn = fresh === null ? '' : ` It reached its aim in ${percent(fresh)} of 64 fresh draws of the latent vector.`;
  if (!success) return `Grade: failed. The image is ${validity(outcome)}.${drawn}`;
  const sure = confidence >= confident_at;
  return (
    `Grade: ${grade}: ${validity(outcome)}, ${sure ? 'confident' : 'not confident'} ` +
    `(${percent(confidence)} ${sure ? '≥' : '<'} ${percent(confident_at)}; ${rule(rules)}). ` +
    `${survives_png ? 'Still fools the network' : 'No longer fools the network'} once saved as a PNG of 8-bit pixels.${drawn}`
  );
}

/** What is said where a part of the page does not come. */
export const NOT_LOADED = 'This part of the page could not be loaded. Is the network there?';

export const CANCELLED = 'Cancelled. The picture is as it was when you stopped.';
