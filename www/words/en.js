// The words of the pages in English: of all that the catalogue names, by key, and of what depends on what happened. A page in
// another language has another file like this one. What has no words here is called what the catalogue calls it.

/** @import { Attack, Dataset, Defence, Field, NetworkEntry, Outcome, Network } from '../engine/protocol.js' */

/** @typedef {{words?: string, symbol?: string}} FieldWords */
/** @typedef {{title?: string, short?: string, sentence?: string, fields?: Record<string, FieldWords>, choices?: Record<string, Record<string, string>>}} AttackWords */

/** @type {Record<string, FieldWords>} */
const FIELDS = {
  steps: { symbol: 'n', words: 'steps' },
  c: { symbol: 'c', words: 'weight of the error' },
  confidence: { symbol: 'p', words: 'probability to reach' },
  restarts: { symbol: 'r', words: 'runs, while none succeeds' },
  stop: { words: 'stop at the first success' },
  seed: { words: 'start at a random point' },
};

/** @type {Record<string, Record<string, string>>} */
const CHOICES = {
  mode: { fixed: 'this budget', min: 'smallest budget' },
  form: { published: 'published form', sparse: 'sparse form' },
  loss: { ce: 'cross-entropy', dlr: 'DLR', margin: 'margin' },
};

/** @type {Record<string, {symbol: string, budget: string, bound: (budget: string) => string, axis: string}>} */
const NORMS = {
  l2: { symbol: 'L2', budget: 'length of the change', bound: (e) => `With a change of length ${e}`, axis: 'L2: length of the change' },
  linf: { symbol: 'L∞', budget: 'how far a pixel may go', bound: (e) => `With no pixel changed by more than ${e}`, axis: 'L∞: the largest change of a pixel' },
  l1: { symbol: 'L1', budget: 'sum of all changes', bound: (e) => `With changes of ${e} in all`, axis: 'L1: sum of all changes' },
};

/** @type {Record<string, AttackWords>} */
const ATTACKS = {
  linf: { short: 'L∞', sentence: 'Small steps along the sign of the gradient: every pixel changes, none by more than ε.' },
  l1: { short: 'L1', sentence: 'Steps along the gradient; all changes together stay below ε. The sparse form moves a few pixels only.' },
  lbfgs: {
    sentence: 'Weighs closeness against error, and seeks the smallest weight c that still fools: the closest image of all.',
    fields: { steps: { words: 'iterations a round' } },
    choices: { mode: { fixed: 'this weight', min: 'smallest weight' } },
  },
  strongest: {
    short: 'strongest',
    sentence: 'Auto-PGD and searches for the closest image, one after the other, until it is certain: where a network breaks.',
    fields: { steps: { words: 'gradients at most' }, seed: { words: 'other random starts' } },
    choices: { mode: { min: 'closest image' } },
  },
  apgd: { short: 'APGD', sentence: 'Steps with momentum that grow shorter where the loss has stalled.' },
  hopskipjump: {
    sentence: 'Sees the label alone: asks thousands of times which side of the boundary an image lies on.',
    fields: { steps: { words: 'queries' }, seed: { words: 'other random directions' } },
    choices: { mode: { fixed: 'until this close', min: 'closest image' } },
  },
  square: {
    short: 'Square',
    sentence: 'Puts random squares on the image and keeps those that help: sees the answers, never a gradient.',
    fields: { steps: { words: 'queries' }, seed: { words: 'other random squares' } },
  },
  fgsm: { short: 'FGSM', sentence: 'A single step along the sign of the gradient, as long as ε: the quickest attack, and the weakest.' },
};

/** By family. @type {Record<string, string>} */
const NETWORKS = {
  siamese: 'Siamese', cnn: 'CNN', dense: 'Dense', 'conv-encoder': 'Strided CNN', vae: 'Vanilla VAE', 'conv-vae': 'Convolutional VAE',
  'cnn-adversarial': 'CNN, adversarially trained', 'cnn-distilled': 'CNN, distilled', 'conv-vae-adversarial': 'Convolutional VAE, adversarially trained',
};

/** @type {Record<string, string>} */
const DEFENCES = {
  grey2: 'black and white', grey4: '4 levels of grey', grey8: '8 levels of grey', median3: 'medians of 3 × 3', mean3: 'means of 3 × 3',
  coarse2: 'half as fine', coarse4: 'a quarter as fine', monochrome: 'grey, not colour', noise10: 'with 10 % noise', noise25: 'with 25 % noise',
};

/** By family. @type {Record<string, string>} */
const TICKS = { vae: 'VAE', 'conv-vae': 'conv. VAE', 'conv-encoder': 'strided' };

/** Defences at first sight. @type {Record<string, string>} */
const SHIELDS = { '': 'none', grey2: 'grey levels', mean3: 'blur', siamese5: 'siamese', trained: 'trained' };

/** @type {Record<string, string>} */
const ATTACKERS = { adaptive: 'knows the defence', blind: 'does not know it', 'black-box': 'sees answers alone' };

/** @type {Record<string, string>} */
const INFERENCES = { mean: 'the mean', sampled: 'a draw, another each time' };

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

/** What stands beside a search of the lab, by norm. @type {Record<string, string>} */
const SEARCHES = {
  l2: 'the shortest change, sought with up to 1,000 gradients: this decides',
  linf: 'the least that the most changed pixel changes',
  l1: 'the least that all pixels change together',
};

/** What stands before the budgets of an attack of the lab, by norm. @type {Record<string, string>} */
const BUDGETS = { linf: 'no pixel changes by more than', l1: 'all changes together stay below', l2: 'the change is no longer than' };

/** What stands beside an attack of the lab: before its budgets, where it has some. @param {{norm: string, bounded: boolean, decides: boolean}} attack */
export function labWords({ norm, bounded, decides }) {
  if (bounded) return BUDGETS[norm] ?? norm;
  return decides ? (SEARCHES[norm] ?? norm) : 'has no budget: it seeks the closest image that fools';
}

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

/** @param {Attack} attack */
export const attackWords = ({ key, title }) => ({ title, short: title, sentence: title, ...ATTACKS[key] });

/** What a field of an attack is called, under a norm. @param {string} attack @param {Field} field @param {string} norm */
export function fieldWords(attack, field, norm) {
  const own = field.budget ? { symbol: 'ε', words: NORMS[norm]?.budget ?? norm } : FIELDS[field.key];
  return { words: field.key, ...own, ...ATTACKS[attack]?.fields?.[field.key] };
}

/** What a choice is called. @param {string} attack @param {string} field @param {string} value */
export const choiceWords = (attack, field, value) =>
  ATTACKS[attack]?.choices?.[field]?.[value] ?? CHOICES[field]?.[value] ?? (field === 'norm' ? normWords(value).symbol : value);

/** @param {string} norm */
export const normWords = (norm) => NORMS[norm] ?? { symbol: norm, budget: norm, bound: (/** @type {string} */ e) => `Within ${e}`, axis: norm };

/** What a network does, by family: a line for people. @type {Record<string, string>} */
const NOTES = {
  cnn: 'looks for strokes, then for what they make', dense: 'weighs all pixels at once', 'conv-encoder': 'looks for strokes, in strides',
  vae: 'squeezes the picture into a few numbers and reads those', 'conv-vae': 'looks for strokes, squeezes them into a few numbers, reads those',
  siamese: 'compares the picture with some that it knows', 'cnn-adversarial': 'has seen attacks while it learned',
  'cnn-distilled': 'learned from how another hesitates', 'conv-vae-adversarial': 'squeezes into a few numbers, and has seen attacks',
};

/** @param {NetworkEntry} network */
export const networkNote = ({ family }) => NOTES[family] ?? '';

/** What fits on a chip. @param {NetworkEntry} network */
export const networkWords = ({ family, title }) => NETWORKS[family] ?? title;

/** @param {Defence} defence */
export const defenceWords = ({ key, title, guard, alarms }) =>
  DEFENCES[key] ?? (guard ? `${NETWORKS[guard] ?? guard}, ${alarms} % false alarms` : title);

/** @param {string} attacker */
export const attackerWords = (attacker) => ATTACKERS[attacker] ?? attacker;

/** @param {string} inference */
export const inferenceWords = (inference) => INFERENCES[inference] ?? inference;

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
const sureness = (p) => (p >= 0.99 ? 'almost certain' : p >= 0.9 ? 'very sure' : p >= 0.8 ? 'sure' : p >= 0.5 ? 'not very sure' : 'unsure');

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

/** What stands below an empty drawing. */
export const PAD = 'Mouse, pen or finger.';

/** How a drawing is read. @param {{label: string, p: number}[]} ranked @param {boolean} refused @param {string} wanted */
export function padWords(ranked, refused, wanted) {
  const [first, ...rest] = ranked;
  if (refused) return 'The guard refuses it.';
  const done = first.label === wanted ? 'It reads what you wanted. ' : '';
  return `${done}Reads ${first.label}, ${sureness(first.p)}; ${othersWords(rest, false)}.`;
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

/** What is kept on this machine. @param {number} answers */
export const keptWords = (answers) =>
  `Kept on this machine: ${answers ? `your ${answers} ${answers === 1 ? 'answer' : 'answers'} to “Can you still read it?”` : 'no answers to “Can you still read it?” yet'}, the levels that you beat and, where you took it over, the threshold of your eye. Pictures, drawings and weights that you bring are in this page alone, until it is closed.`;

/** What counts as valid. @param {string} measure @param {Dataset} dataset */
export function thresholdWords(measure, dataset) {
  const { one } = datasetWords(dataset);
  const counts = measure === 'l2' ? 'while the length of the change (L2) stays below the first threshold' : 'while its likeness to the original (SSIM) stays above the first threshold';
  return `No measure of “the eye still reads the original” is agreed upon. Here a ${one} counts as valid ${counts}; the network counts as confident from the second on. Valid and confident is a high grade, confident alone moderate, valid alone low, neither ineffective.`;
}

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

const list = (/** @type {string[]} */ all) => (all.length > 1 ? `${all.slice(0, -1).join(', ')} and ${all.at(-1)}` : all.join(''));

/**
 * One sentence on a duel: who was fooled, and by how little where the smallest budget was sought.
 * @param {{name: string, title: string}[]} contestants @param {Map<string, Outcome>} outcomes @param {{mode?: string}} rules
 */
export function duelled(contestants, outcomes, { mode }) {
  const ended = contestants.flatMap(({ name, title }) => {
    const outcome = outcomes.get(name);
    return outcome ? [{ title, outcome }] : [];
  });
  const fooled = ended.filter(({ outcome }) => outcome.success);
  const withstood = ended.filter(({ outcome }) => !outcome.success).map(({ title }) => title);
  const stood = withstood.length ? ` Withstood by ${list(withstood)}.` : '';
  if (!fooled.length) return 'No network was fooled.';
  if (mode === 'min') {
    const far = (/** @type {Outcome} */ outcome) => outcome[outcome.norm];
    const name = fooled[0].outcome.norm === 'l2' ? 'an L2 of ' : '';
    const sorted = fooled.sort((a, b) => far(a.outcome) - far(b.outcome));
    return `Fooled: ${list(sorted.map(({ title, outcome }) => `${title} at ${name}${plain(far(outcome))}`))}.${stood}`;
  }
  return `Fooled: ${list(fooled.map(({ title, outcome }) => `${title} (${percent(outcome.confidence)})`))}.${stood}`;
}

/** What is said where a part of the page does not come. */
export const NOT_LOADED = 'This part of the page could not be loaded. Is the network there?';

export const CANCELLED = 'Cancelled. The picture is as it was when you stopped.';

/** What is known of a network, from the facts of its weights. @param {Network} network */
export function facts({ title, facts: f, build }) {
  const accuracy = Number(f.accuracy_int8);
  const reads = accuracy > 0 ? `reads ${(100 * accuracy).toFixed(2)} % of the ${plain(Number(f.test_images ?? 10000))} test images rightly` : 'of unknown accuracy';
  const withstood = f.withstood_int8 ? `, and ${(100 * Number(f.withstood_int8)).toFixed(1)} % of the first 1,000 still under attack (${f.withstood_attack})` : '';
  const bound = f.elbo_int8 ? `; its evidence lower bound on them is ${f.elbo_int8} nats` : '';
  return `${title} (${f.arch}), ${f.precision ?? 'int8'} weights: ${reads}${withstood}${bound}. Running on your machine (WebAssembly, ${build}).`;
}
