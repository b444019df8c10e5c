// The state of the page as one typed table, mirrored in the URL's hash. A field knows its default, how to
// read itself from text (undefined when the text is not right), and what it expects in words.

const choice = (...values) => ({
  initial: values[0],
  parse: (text) => (values.includes(text) ? text : undefined),
  expects: `one of ${values.join(', ')}`,
});

const number = (initial, low, high, { whole = false } = {}) => ({
  initial,
  parse: (text) => {
    const value = text.trim() === '' ? NaN : Number(text);
    return value >= low && value <= high && (!whole || Number.isInteger(value)) ? value : undefined;
  },
  expects: `a ${whole ? 'whole ' : ''}number from ${low} to ${high}`,
});

export const FIELDS = {
  model: choice('mnist-cnn'),
  attack: choice('linf'),
  // The index in the shipped sample; index i shows the digit i mod 10.
  digit: number(7, 0, 99, { whole: true }),
  // A label, `auto` (the likeliest wrong one) or `any` (an untargeted attack).
  target: choice('auto', 'any', '0', '1', '2', '3', '4', '5', '6', '7', '8', '9'),
  epsilon: number(0.3, 0.001, 1),
  steps: number(40, 1, 100000, { whole: true }),
  // 1: attack as soon as the page is there.
  run: number(0, 0, 1, { whole: true }),
};

/** The defaults. */
export function initialState() {
  return Object.fromEntries(Object.entries(FIELDS).map(([name, field]) => [name, field.initial]));
}

/**
 * Reads a hash like `#digit=7&target=3`. Fields that are missing take their defaults.
 * @returns {{state: object, problems: string[]}} problems: one sentence for each value that was not right
 */
export function readHash(hash) {
  const state = initialState();
  const problems = [];
  for (const [name, text] of new URLSearchParams(hash.replace(/^#/, ''))) {
    const field = FIELDS[name];
    if (!field) {
      problems.push(`The link asks for “${name}”, which this page does not know.`);
      continue;
    }
    const value = field.parse(text);
    if (value === undefined) {
      problems.push(`The link asks for ${name} “${text}”; it has to be ${field.expects}. Using ${field.initial}.`);
    } else {
      state[name] = value;
    }
  }
  return { state, problems };
}

/** The hash that opens the page in this state. */
export function writeHash(state) {
  const entries = Object.keys(FIELDS)
    .filter((name) => name !== 'run' || state.run)
    .map((name) => [name, String(state[name])]);
  return `#${new URLSearchParams(entries)}`;
}
