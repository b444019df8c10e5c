// How much a picture may be changed before an eye reads it no longer, from a few answers: the posterior of the threshold of a psychometric
// function of fixed slope (Watson and Pelli 1983, "QUEST: a Bayesian adaptive psychometric method"), on a grid.

/** The share of answers that are right by luck, that are wrong for no reason, and how steep the function falls. */
const [LUCK, SLIP, SLOPE] = [0.1, 0.02, 3];
/** Where thresholds are looked for, and in how many steps, evenly in their logarithm. */
const [LOW, HIGH, STEPS] = [0.5, 20, 400];

/** The share of right answers at a strength, for a threshold at which half is lost of what can be. @param {number} strength @param {number} threshold */
export const share = (strength, threshold) => LUCK + (1 - LUCK - SLIP) * Math.exp(-Math.LN2 * (strength / threshold) ** SLOPE);

/**
 * The threshold, as the median of its posterior with the interval that holds 95 % of it.
 * @param {{strength: number, right: boolean}[]} answers
 */
export function thresholdOf(answers) {
  const grid = Array.from({ length: STEPS }, (_, i) => LOW * (HIGH / LOW) ** ((i + 0.5) / STEPS));
  const logs = grid.map((threshold) => answers.reduce((sum, { strength, right }) => {
    const p = share(strength, threshold);
    return sum + Math.log(right ? p : 1 - p);
  }, 0));
  const most = Math.max(...logs);
  const weights = logs.map((log) => Math.exp(log - most));
  const all = weights.reduce((sum, w) => sum + w, 0);
  const quantile = (/** @type {number} */ q) => {
    let sum = 0;
    for (let i = 0; i < grid.length; i++) {
      sum += weights[i] / all;
      if (sum >= q) return grid[i];
    }
    return HIGH;
  };
  return { threshold: quantile(0.5), low: quantile(0.025), high: quantile(0.975) };
}
