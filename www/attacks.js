// The attacks as the page offers them: words, symbols and parameters. What they do is in the wasm.

/** The values that a slider offers where they are not evenly spaced. */
const STEPS = [1, 2, 5, 10, 20, 40, 60, 100, 200, 500, 1000, 5000, 20000];
const WEIGHTS = [0.001, 0.01, 0.1, 0.5, 1, 2, 5, 10, 20, 50, 100, 1000];

const common = {
  confidence: {
    symbol: 'p', words: 'probability to reach', initial: 0, low: 0, high: 0.999, slider: { min: 0, max: 0.99, step: 0.01 },
  },
  stop: { words: 'stop at the first success', initial: 0, low: 0, high: 1, whole: true, check: true },
};
const seed = { words: 'start at a random point', initial: '', optional: true, low: 0, high: 4294967295, whole: true };
/** The norms, with the budget that each has where an attack knows several, for digits and for faces. */
export const NORMS = {
  l2: { short: 'L2', words: 'length of the change', initial: 3, slider: { min: 0.1, max: 6, step: 0.1 }, faces: { initial: 1, slider: { min: 0.1, max: 6, step: 0.1 } } },
  linf: { short: 'L∞', words: 'how far a pixel may go', initial: 0.2, slider: { min: 0.01, max: 0.6, step: 0.01 }, faces: { initial: 0.01, slider: { min: 0.001, max: 0.06, step: 0.001 } } },
  l1: { short: 'L1', words: 'sum of all changes', initial: 20, slider: { min: 1, max: 100, step: 1 }, faces: { initial: 150, slider: { min: 5, max: 1000, step: 5 } } },
};
const norm = (...names) => ({ initial: names[0], choices: Object.fromEntries(names.map((name) => [name, NORMS[name].short])) });
/** A budget whose meaning follows the norm. */
const byNorm = (name) => ({ ...NORMS[name], symbol: 'ε', low: 0.0001, high: 100000, byNorm: true });
const mode = (initial, fixed, min) => ({ initial, choices: { fixed, min } });

const steps = { symbol: 'n', words: 'steps', initial: 40, low: 1, high: 100000, whole: true, values: STEPS };

/**
 * Each attack, with `faces` in a field for what differs there: `title`, `source`, `sentence`, and `fields`, in the order in which they are shown. A field has an
 * initial value, bounds, and either `values` or `slider`; those marked `more` are folded away.
 */
export const ATTACKS = {
  linf: {
    title: 'Basic Iterative, L∞',
    short: 'L∞',
    source: 'Kurakin, Goodfellow and Bengio 2016',
    sentence: 'Small steps along the sign of the gradient: every pixel changes, none by more than ε.',
    fields: {
      mode: { initial: 'fixed', choices: { fixed: 'this budget', min: 'smallest budget' } },
      epsilon: {
        symbol: 'ε', words: 'how far a pixel may go', initial: 0.2, low: 0.0001, high: 1, slider: { min: 0.01, max: 0.6, step: 0.01 },
        faces: { initial: 0.01, slider: { min: 0.001, max: 0.06, step: 0.001 } },
      },
      steps,
      ...common,
      seed,
    },
  },
  l1: {
    title: 'Basic Iterative, L1',
    short: 'L1',
    source: 'as in Foolbox; the sparse form after Tramèr and Boneh 2019, Croce and Hein 2021',
    sentence: 'Steps along the gradient; all changes together stay below ε. The sparse form moves a few pixels only.',
    fields: {
      mode: { initial: 'fixed', choices: { fixed: 'this budget', min: 'smallest budget' } },
      epsilon: {
        symbol: 'ε', words: 'sum of all changes', initial: 20, low: 0.1, high: 100000, slider: { min: 1, max: 100, step: 1 },
        faces: { initial: 150, slider: { min: 5, max: 1000, step: 5 } },
      },
      steps,
      form: { initial: 'published', choices: { published: 'published form', sparse: 'sparse form' }, aliases: { strong: 'sparse' } },
      ...common,
      seed,
    },
  },
  lbfgs: {
    title: 'L-BFGS',
    short: 'L-BFGS',
    source: 'Szegedy et al. 2014',
    sentence: 'Weighs closeness against error, and seeks the smallest weight c that still fools: the closest image of all.',
    fields: {
      mode: { initial: 'min', choices: { fixed: 'this weight', min: 'smallest weight' } },
      c: { symbol: 'c', words: 'weight of the error', initial: 0.1, low: 1e-6, high: 1e10, values: WEIGHTS },
      steps: { ...steps, words: 'iterations a round', high: 10000, values: STEPS.filter((n) => n <= 1000) },
      ...common,
    },
  },
  strongest: {
    title: 'The strongest',
    short: 'strongest',
    source: 'APGD and primal-dual searches: Croce and Hein 2020, Matyasko and Chau 2021',
    sentence: 'Auto-PGD and searches for the closest image, one after the other, until it is certain: where a network breaks.',
    fields: {
      norm: norm('l2', 'linf', 'l1'),
      mode: mode('min', 'this budget', 'closest image'),
      epsilon: byNorm('l2'),
      steps: { ...steps, words: 'gradients at most', initial: 1000, low: 10, values: [100, 200, 500, 1000, 2000, 5000] },
      confidence: common.confidence,
      seed: { ...seed, words: 'other random starts' },
    },
  },
  apgd: {
    title: 'Auto-PGD',
    short: 'APGD',
    source: 'Croce and Hein 2020, 2021',
    sentence: 'Steps with momentum that grow shorter where the loss has stalled.',
    fields: {
      norm: norm('linf', 'l1', 'l2'),
      mode: mode('fixed', 'this budget', 'smallest budget'),
      epsilon: byNorm('linf'),
      steps: { ...steps, initial: 100 },
      loss: { initial: 'ce', choices: { ce: 'cross-entropy', dlr: 'DLR', margin: 'margin' } },
      restarts: { symbol: 'r', words: 'runs, while none succeeds', initial: 1, low: 1, high: 1000, whole: true, values: [1, 2, 5, 10, 20] },
      ...common,
      seed,
    },
  },
  hopskipjump: {
    title: 'HopSkipJump',
    short: 'HopSkipJump',
    source: 'Chen, Jordan and Wainwright 2020',
    sentence: 'Sees the label alone: asks thousands of times which side of the boundary an image lies on.',
    fields: {
      norm: norm('l2', 'linf'),
      mode: mode('min', 'until this close', 'closest image'),
      epsilon: byNorm('l2'),
      steps: { ...steps, words: 'queries', initial: 5000, values: [500, 1000, 2000, 5000, 10000, 20000] },
      confidence: common.confidence,
      seed: { ...seed, words: 'other random directions' },
    },
  },
  square: {
    title: 'Square Attack, L∞',
    short: 'Square',
    source: 'Andriushchenko, Croce, Flammarion and Hein 2020',
    sentence: 'Puts random squares on the image and keeps those that help: sees the answers, never a gradient.',
    fields: {
      epsilon: byNorm('linf'),
      steps: { ...steps, words: 'queries', initial: 1000, values: [200, 500, 1000, 2000, 5000, 10000] },
      ...common,
      seed: { ...seed, words: 'other random squares' },
    },
  },
};

/** The three attacks of the study, in their published forms. */
export const THREE = ['linf', 'l1', 'lbfgs'];

/** The norm that an attack bounds or makes small, with these parameters. */
export const normOf = (attack, { norm: chosen } = {}) => chosen ?? { linf: 'linf', l1: 'l1', lbfgs: 'l2', square: 'linf' }[attack];

/** Whether a search of the attack goes in rounds, each as long as a whole attack. */
export const inRounds = (attack) => [...THREE, 'apgd'].includes(attack);

/** Whether the attack starts from an image that is read as wanted. */
export const startsFromWanted = (attack) => attack === 'hopskipjump';

/** What changes with a parameter: a budget follows the norm. */
export const following = (attack, name, value, dataset) =>
  name === 'norm' && ATTACKS[attack].fields.epsilon?.byNorm ? { norm: value, epsilon: fieldFor(byNorm(value), dataset).initial } : { [name]: value };

/** A field as it stands beside the others: a budget follows the norm. */
export const fieldWith = (field, values, dataset) =>
  (field.byNorm && values.norm ? fieldFor({ ...field, ...NORMS[values.norm] }, dataset) : field);

/** A field as it is for a data set. */
export const fieldFor = (field, dataset) => (dataset === 'lfw' ? { ...field, ...field.faces } : field);

/** What the engine needs to know: the parameters of `name` as `values` has them. */
export function engineOptions(name, values) {
  const { mode: chosen, epsilon, c, steps: most, confidence, stop, seed: drawn = '', form, norm: chosenNorm, loss, restarts } = values;
  return {
    method: name,
    sparse: form === 'sparse',
    norm: chosenNorm ?? null,
    loss: loss ?? null,
    restarts: restarts ?? null,
    search: chosen === 'min',
    budget: name === 'lbfgs' ? c : epsilon,
    steps: most,
    confidence,
    earlyStop: stop === 1,
    seed: drawn === '' ? null : drawn,
  };
}
