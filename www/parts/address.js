// The address follows what is shown. A browser takes only so many changes in a while (WebKit: 100 in ten seconds, then it throws), so
// that of many in a row the last alone is written, when the hand rests; and nothing that it refuses reaches anyone.

/** How many changes are written at once, in how many milliseconds; what comes after them waits so long. */
const [AT_ONCE, WHILE, REST] = [40, 10_000, 500];

export class Address {
  /** When the latest changes were written. @type {number[]} */
  #written = [];
  /** What waits. @type {string | null} */
  #waiting = null;
  #timer = 0;

  constructor() {
    addEventListener('pagehide', () => this.flush());
    // Whoever types another address does not want the one that waits.
    addEventListener('hashchange', () => (this.#waiting = null));
  }

  /** Puts a hash into the address, now or soon. @param {string} hash */
  write(hash) {
    const now = performance.now();
    this.#written = this.#written.filter((time) => now - time < WHILE);
    this.#waiting = hash;
    clearTimeout(this.#timer);
    if (this.#written.length < AT_ONCE) this.flush();
    else this.#timer = setTimeout(() => this.flush(), REST);
  }

  /** Writes what waits. */
  flush() {
    const hash = this.#waiting;
    if (hash === null) return;
    this.#waiting = null;
    this.#written.push(performance.now());
    try {
      history.replaceState(null, '', hash);
    } catch {
      // The address stays behind; the page goes on.
    }
  }
}
