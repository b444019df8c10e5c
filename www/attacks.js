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
    source: 'after Tramèr and Boneh 2019, Croce and Hein 2021',
    sentence: 'Moves the few pixels that matter most; all changes together stay below ε.',
    fields: {
      mode: { initial: 'fixed', choices: { fixed: 'this budget', min: 'smallest budget' } },
      epsilon: {
        symbol: 'ε', words: 'sum of all changes', initial: 20, low: 0.1, high: 100000, slider: { min: 1, max: 100, step: 1 },
        faces: { initial: 150, slider: { min: 5, max: 1000, step: 5 } },
      },
      steps,
      form: { initial: 'strong', choices: { strong: 'strong form', published: 'published form' } },
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
};

/** A field as it is for a data set. */
export const fieldFor = (field, dataset) => (dataset === 'lfw' ? { ...field, ...field.faces } : field);

/** What the engine needs to know: the parameters of `name` as `values` has them. */
export function engineOptions(name, values) {
  const { mode, epsilon, c, steps: most, confidence, stop, seed: drawn = '', form = 'strong' } = values;
  return {
    method: name,
    published: form === 'published',
    search: mode === 'min',
    budget: name === 'lbfgs' ? c : epsilon,
    steps: most,
    confidence,
    earlyStop: stop === 1,
    seed: drawn === '' ? null : drawn,
  };
}
