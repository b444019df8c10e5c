// The words of what follows, or opens when somebody asks for it, in English: the levels of Defend, the landscape, the race, one noise for
// all, the visitor's own eye, what is shared, what is folded below the stage, the lab. What is read at first sight stands in en.js.

/** @import { Attack, Dataset, Defence, Field, Network, NetworkEntry, Outcome } from '../engine/protocol.js' */

import { NETWORKS, NORMS, a, attackTitle, datasetWords, normWords, othersWords, percent, plain, rulerWords, sureness } from './en.js';

/** @typedef {{words?: string, symbol?: string}} FieldWords */
/** @typedef {{short?: string, sentence?: string, fields?: Record<string, FieldWords>, choices?: Record<string, Record<string, string>>}} AttackWords */

/**
 * @typedef {{key: string, name: string, tells: string, why: string[], honest: string}} Lesson a level: `key` names a defence or the family of a
 *   network that was trained to withstand; the first has none
 */

/** The levels, in the order in which they are played. @type {Lesson[]} */
export const LESSONS = [
  {
    key: 'none',
    name: 'no defence',
    tells: 'Nothing stands before the network. The attack follows the gradient to the closest image that is misread.',
    why: ['The network is nearly linear around each picture: many tiny changes, each along the gradient, add up to a large change of its answer. It has learned to tell digits apart, not to be calm between them.'],
    honest: 'What is measured here is the bare network: all that follows has to be better than this, for the same change.',
  },
  {
    key: 'grey2',
    name: 'grey levels',
    tells: 'The network now sees black and white alone: every grey is rounded, and faint noise is rounded away.',
    why: ['Rounding hides the gradient: it is zero almost everywhere, so that an attack which follows it stands still. It does not take the weakness away. The attack that knows the rounding passes the gradient through it as if it were not there, and puts its change where a pixel is about to tip over (a “straight-through” estimate: Athalye, Carlini and Wagner 2018).', 'A blind change is spread thin, and the rounding eats it. A told one is put on few pixels, and survives.'],
    honest: 'A defence that breaks the gradient has to be tested by attacks that mend it, and by some that need none.',
  },
  {
    key: 'mean3',
    name: 'blur',
    tells: 'The network now sees a blurred copy: each pixel is the mean of the nine around it.',
    why: ['Blur is a layer like any other, and a smooth one. Put before the network, its gradient is known: the attack computes through it, and finds the changes that a blur lets pass, which are smooth ones. Those cost somewhat more, no more.'],
    honest: 'What stands before the network belongs to the network: attack both as one.',
  },
  {
    key: 'cnn-distilled',
    name: 'distilled',
    tells: 'This network learned from the soft answers of another, at a high temperature. Attacks made for the other are replayed on it.',
    why: ['Distillation makes the logits huge, so that the probabilities come out as exactly 0 and 1 and the gradient of the usual loss as exactly nothing (Papernot et al. 2016). That stopped the attacks of its day. A loss on the logits themselves does not notice (Carlini and Wagner 2017).'],
    honest: 'If an attack fails with a gradient of zero, it is the attack that has failed, not the network that has won.',
  },
  {
    key: 'conv-vae5',
    name: 'the VAE’s guard',
    tells: 'A variational auto-encoder looks at each picture first and refuses what it cannot draw itself.',
    why: ['What is misread and what looks unusual are two different things. The attack that knows the guard fights both at once: it seeks an image that the network misreads and that the guard can still draw (Carlini and Wagner 2017, on ten detectors).', 'And the guard has a price: it refuses good pictures, too.'],
    honest: 'Count its false alarms beside what it catches, and give the attack the guard’s gradient.',
  },
  {
    key: 'siamese5',
    name: 'the siamese guard',
    tells: 'A second network compares each picture with the digits it knows and refuses what is too far from the one that is read.',
    why: ['Two networks that learned from the same digits are fooled by similar changes, and the second one has a gradient, too. To get past both costs a larger change than past one, and in that sense it helps: it raises the price.', 'It refuses good pictures as well, some in a hundred.'],
    honest: 'Attack the pair. A blind attack says how the guard does against people who do not know of it.',
  },
  {
    key: 'cnn-adversarial',
    name: 'adversarially trained',
    tells: 'This network saw attacks all along while it learned, and learned to read the attacked digits. Attacks made for the plain one are replayed on it.',
    why: ['It is the one kind here that holds up (Madry et al. 2018): within the largest change of a pixel (L∞) for which it was trained it still reads most digits. In the length of the change (L2), for which it was not, it falls like the others a little later, and under the sum of all changes (L1) at once.', 'It costs: each pass of the training takes an attack on every picture, and some clean digits are lost.'],
    honest: 'Say in which norm, and up to which size, and test in the others.',
  },
];

/** What a level begins with. @param {number} n @param {number} all @param {Lesson} lesson */
export const levelWords = (n, all, { name, tells }) => `Level ${n} of ${all}: ${name}. ${tells}`;

/** What the button says that tells the attack of the defence. @param {Lesson} lesson */
export const tellWords = ({ name }) => `Tell the attack about it: ${name}`;

/** How a level stands after an attack. @param {{success: boolean, valid: boolean, refused: boolean, alarmed: boolean, l2: number, attacker: string, first: boolean}} ended */
export function levelEnded({ success, valid, refused, alarmed, l2, attacker, first }) {
  if (refused && alarmed) return 'Refused, and so is your picture as it is: a false alarm, which catches nothing.';
  const far = rulerWords(l2);
  if (attacker === 'blind') {
    if (success) return `Not even caught: the attack that does not know of it gets through (${far}).`;
    return `${refused ? 'Caught: refused' : 'Caught: it is read as it was'}. The attack did not know of it.`;
  }
  if (success && valid) return first ? `Misread, by a change that one hardly sees (${far}).` : `Told, it gets through: misread, by a change that one hardly sees (${far}).`;
  if (success) return `Misread, but one can see it: it took ${far}. Here the defence costs the attacker something.`;
  return 'It holds on this picture.';
}

/**
 * What is left of a network behind a defence, of all pictures that were tried.
 * @param {{done: number, all: number, clean: number, alarms: number, blind: number | null, told: number, within: number, guard: boolean, ended: boolean}} count
 */
export function countWords({ done, all, clean, alarms, blind, told, within, guard, ended }) {
  const both = blind === null ? `Misread: ${told}` : `Misread: blind ${blind}, told ${told}`;
  const refuses = guard ? ` It refuses ${alarms} of the clean ones.` : '';
  const still = done < all ? ' Counting, on your machine…' : ended ? '' : ' Searching longer for those that withstood…';
  return `${both} of ${done} digits, by a change of at most L2 ${plain(within)}. It reads ${clean} of ${done} clean ones.${refuses}${still}`;
}

/** Where no count is made. */
export const NOT_COUNTED = 'Counted over many pictures are digits alone: no others ship with this page.';

export const HONEST = 'An honest test:';

/** What a plane shows. @param {{first: string, second: string}} about the labels that the two attacks aim at */
export const planeWords = ({ first, second }) =>
  `Each point is an image: your picture in the ring, an attack towards ${first} to the right of it, one towards ${second} across. The colour says what is read there, its strength how sure; hatched is refused. The circle is as far as the attack went, the dashed one as far as one hardly sees.`;

/** A point of a plane. @param {{label: string, p: number, refused: boolean, l2: number}} read */
export const pointWords = ({ label, p, refused, l2 }) => `${refused ? 'refused' : `reads ${label}, ${percent(p)}`}, ${rulerWords(l2)}`;

/** What a landscape is described as. @param {{title: string, shares: [string, number][]}} plane */
export const landscapeAlt = ({ title, shares }) => `${title}: read as ${shares.map(([label, share]) => `${label} on ${percent(share)}`).join(', ')} of the plane`;

export const LANDSCAPE = { go: 'Draw it', beside: 'Beside it', none: 'nothing', busy: 'Reading the plane…', first: 'Nothing can be drawn before there is an attack.', axis: 'L2' };

/** What stands above a race. */
export const RACE = {
  lead: 'A hundred digits a network. The budget grows, and each falls as soon as some change within it is misread: to what is read instead.',
  run: 'Race', again: 'Again', budget: 'Budget', stop: 'Stop', most: 'At most four take part.', least: 'Choose who takes part.', axis: 'digits still read, %', title: 'Race',
};

/** How far a race is prepared. @param {number} done @param {number} all */
export const raceBusy = (done, all) => `Looking for the smallest change of each digit: ${done} of ${all}`;

/** How a network stands in a race. @param {number} left @param {number} all */
export const raceLeft = (left, all) => `${left} of ${all} still read`;

/** What a race comes to. @param {{title: string, half: number | null}[]} racers the budget at which half of the digits have fallen */
export const raceEnded = (racers) => `Half of the digits have fallen: ${racers.map(({ title, half }) => `${title} ${half === null ? 'not at all' : `at ${rulerWords(half)}`}`).join(', ')}.`;

/** What stands below the curves that a race saves. */
export const raceNote = 'The shipped digits; any wrong label; the smallest L2 that the strongest attack found; 95 % Wilson bands.';

export const NOISE = {
  lead: 'A universal perturbation: one change, made on the hundred digits here, that fools the network on many of them, and on digits it has never seen.',
  go: 'Make it', budget: 'How long it may be (L2)', none: 'Make it first.', draw: 'Draw a digit under it', stop: 'Stop',
  noise: 'The noise, magnified', over: 'Your picture with it', all: 'The digits with it; framed is misread',
};

/** How many one noise fools. @param {number} fooled @param {number} all @param {boolean} ended */
export const noiseWords = (fooled, all, ended) => `This one picture fools ${fooled} of ${all}${ended ? '.' : ' so far…'}`;

/** What one noise does to the picture. @param {string} before @param {string | null} after null: refused */
export const noiseOver = (before, after) => (after === null ? `was ${before}; refused` : after === before ? `still ${before}` : `was ${before}; reads ${after}`);

export const EYE = {
  lead: 'Ten pictures, each seen for a moment and changed more than the one before. What do you read? Your answers stay on this machine.',
  start: 'Begin', next: 'Ready? The picture is shown for two seconds.', cannot: 'I cannot tell', gone: 'What was it?', take: 'Take it as the threshold', again: 'Once more', close: 'Close', taken: 'Taken: this page and the lab go by your eye.',
};

/** Where the test of the eye stands. @param {number} round @param {number} all */
export const eyeRound = (round, all) => `${round} of ${all}`;

/** What the test of the eye comes to. @param {{threshold: number, low: number, high: number, right: number, all: number}} found */
export const eyeFound = ({ threshold, low, high, right, all }) =>
  `You read ${right} of ${all}. At an L2 of ${threshold.toFixed(1)} you would still read half of what you read unchanged (95 % interval ${low.toFixed(1)} to ${high.toFixed(1)}: ten answers do not say more).`;

export const SHARE = {
  picture: 'Save the picture', animation: 'Save the animation', link: 'Copy the link', numbers: 'Save the numbers', share: 'Share…', close: 'Close', busy: 'Drawing…',
  copied: 'The link is copied.', uncopied: 'This browser lets the page copy nothing; here is the link:', faces: 'A picture of your own that is no digit does not travel in a link: whoever opens it sees another.',
  yours: 'yours', added: 'what is added', attacked: 'attacked', sees: 'the network sees', foot: 'Misread: see a neural network fail. Made on one’s own machine.',
};

/** One line of numbers below a shared picture. @param {{network: string, l2: number, p: number, label: string}} about */
export const shareNumbers = ({ network, l2, p, label }) => `${network} · ${percent(p)} sure of ${a(label)} · ${rulerWords(l2)}`;

export const FEEDING = {
  size: 'The file leaves open how large the images are that the network reads. Rows, columns and channels:', sizeHint: '32x32x3',
  feeding: 'What was it trained on?', labels: 'What do its labels stand for? One a line.', take: 'Take it', cancel: 'Cancel', other: 'It is about something else',
};

/** What is asked where a network reads what is there badly. @param {{file: string, right: number, of: number, several: string}} about */
export const doubtWords = ({ file, right, of, several }) => `${file} reads ${right} of the ${of} ${several} here rightly, however it is fed. Is it about ${several}, or about something else of that size?`;

/** What is asked where nothing is there to try a network on. @param {{file: string, title: string, count: number}} about */
export const feedingWords = ({ file, title, count }) => `${file} reads images of ${title} and tells ${count} labels apart. None of these images are here, so that it cannot be tried how it wants them.`;

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

/** @param {Attack} attack */
export const attackWords = (attack) => ({ title: attackTitle(attack), short: attackTitle(attack), sentence: attackTitle(attack), ...ATTACKS[attack.key] });

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

/** @type {Record<string, string>} */
const DEFENCES = {
  grey2: 'black and white', grey4: '4 levels of grey', grey8: '8 levels of grey', median3: 'medians of 3 × 3', mean3: 'means of 3 × 3',
  coarse2: 'half as fine', coarse4: 'a quarter as fine', monochrome: 'grey, not colour', noise10: 'with 10 % noise', noise25: 'with 25 % noise',
};

/** @type {Record<string, string>} */
const ATTACKERS = { adaptive: 'knows the defence', blind: 'does not know it', 'black-box': 'sees answers alone' };

/** @type {Record<string, string>} */
const INFERENCES = { mean: 'the mean', sampled: 'a draw, another each time' };

/** What a field of an attack is called, under a norm. @param {string} attack @param {Field} field @param {string} norm */
export function fieldWords(attack, field, norm) {
  const own = field.budget ? { symbol: 'ε', words: NORMS[norm]?.budget ?? norm } : FIELDS[field.key];
  return { words: field.key, ...own, ...ATTACKS[attack]?.fields?.[field.key] };
}

/** What a choice is called. @param {string} attack @param {string} field @param {string} value */
export const choiceWords = (attack, field, value) =>
  ATTACKS[attack]?.choices?.[field]?.[value] ?? CHOICES[field]?.[value] ?? (field === 'norm' ? normWords(value).symbol : value);

/** What a network does, by family: a line for people. @type {Record<string, string>} */
const NOTES = {
  cnn: 'looks for strokes, then for what they make', dense: 'weighs all pixels at once', 'conv-encoder': 'looks for strokes, in strides',
  vae: 'squeezes the picture into a few numbers and reads those', 'conv-vae': 'looks for strokes, squeezes them into a few numbers, reads those',
  siamese: 'compares the picture with some that it knows', 'cnn-adversarial': 'has seen attacks while it learned',
  'cnn-distilled': 'learned from how another hesitates', 'conv-vae-adversarial': 'squeezes into a few numbers, and has seen attacks',
};

/** @param {NetworkEntry} network */
export const networkNote = ({ family }) => NOTES[family] ?? '';

/** @param {Defence} defence */
export const defenceWords = ({ key, title, guard, alarms }) =>
  DEFENCES[key] ?? (guard ? `${NETWORKS[guard] ?? guard}, ${alarms} % false alarms` : title);

/** @param {string} attacker */
export const attackerWords = (attacker) => ATTACKERS[attacker] ?? attacker;

/** @param {string} inference */
export const inferenceWords = (inference) => INFERENCES[inference] ?? inference;

/** What stands below an empty drawing. */
export const PAD = 'Mouse, pen or finger.';

/** How a drawing is read. @param {{label: string, p: number}[]} ranked @param {boolean} refused @param {string} wanted */
export function padWords(ranked, refused, wanted) {
  const [first, ...rest] = ranked;
  if (refused) return 'The guard refuses it.';
  const done = first.label === wanted ? 'It reads what you wanted. ' : '';
  return `${done}Reads ${first.label}, ${sureness(first.p)}; ${othersWords(rest, false)}.`;
}

/** What is kept on this machine. @param {number} answers */
export const keptWords = (answers) =>
  `Kept on this machine: ${answers ? `your ${answers} ${answers === 1 ? 'answer' : 'answers'} to “Can you still read it?”` : 'no answers to “Can you still read it?” yet'}, the levels that you beat and, where you took it over, the threshold of your eye. Pictures, drawings and weights that you bring are in this page alone, until it is closed.`;

/** What counts as valid. @param {string} measure @param {Dataset} dataset */
export function thresholdWords(measure, dataset) {
  const { one } = datasetWords(dataset);
  const counts = measure === 'l2' ? 'while the length of the change (L2) stays below the first threshold' : 'while its likeness to the original (SSIM) stays above the first threshold';
  return `No measure of “the eye still reads the original” is agreed upon. Here a ${one} counts as valid ${counts}; the network counts as confident from the second on. Valid and confident is a high grade, confident alone moderate, valid alone low, neither ineffective.`;
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

/** What is known of a network, from the facts of its weights. @param {Network} network */
export function facts({ title, facts: f, build }) {
  const accuracy = Number(f.accuracy_int8);
  const reads = accuracy > 0 ? `reads ${(100 * accuracy).toFixed(2)} % of the ${plain(Number(f.test_images ?? 10000))} test images rightly` : 'of unknown accuracy';
  const withstood = f.withstood_int8 ? `, and ${(100 * Number(f.withstood_int8)).toFixed(1)} % of the first 1,000 still under attack (${f.withstood_attack})` : '';
  const bound = f.elbo_int8 ? `; its evidence lower bound on them is ${f.elbo_int8} nats` : '';
  return `${title} (${f.arch}), ${f.precision ?? 'int8'} weights: ${reads}${withstood}${bound}. Running on your machine (WebAssembly, ${build}).`;
}

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
