// What is kept on this machine, and forgotten when asked: levels that were beaten, and the threshold of the visitor's own eye. (Answers to
// single pictures: eye.js.) A browser that keeps nothing does without.

const LEVELS = 'misread-levels';
const THRESHOLD = 'misread-threshold';

/** @param {string} key */
function read(key) {
  try {
    return JSON.parse(localStorage.getItem(key) ?? 'null');
  } catch {
    return null;
  }
}

/** @param {string} key @param {any} value */
function write(key, value) {
  try {
    localStorage.setItem(key, JSON.stringify(value));
  } catch {
    // It is forgotten with the page.
  }
}

/** The levels that were beaten while nothing could be kept. @type {Set<string>} */
const now = new Set();

/** The levels that were beaten. @returns {Set<string>} */
export function beaten() {
  const kept = read(LEVELS);
  return new Set([...(Array.isArray(kept) ? kept.filter((one) => typeof one === 'string') : []), ...now]);
}

/** Takes a level as beaten; all that are. @param {string} level */
export function beat(level) {
  now.add(level);
  const all = beaten();
  write(LEVELS, [...all]);
  return all;
}

/** The threshold of the visitor's eye, an L2; null where none was taken over. @returns {number | null} */
export function ownThreshold() {
  const kept = read(THRESHOLD);
  return typeof kept === 'number' && kept > 0 && kept <= 30 ? kept : null;
}

/** @param {number} threshold */
export const keepThreshold = (threshold) => write(THRESHOLD, threshold);

/** Forgets all of it. */
export function forgetKept() {
  now.clear();
  for (const key of [LEVELS, THRESHOLD]) {
    try {
      localStorage.removeItem(key);
    } catch {
      // Where nothing can be kept there is nothing to forget.
    }
  }
}
