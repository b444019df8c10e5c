// The address follows what is shown. A browser takes only so many changes in a while (WebKit: 100 in ten seconds, then it throws), and
// each costs a quarter of a frame, so that of many in a row the last alone is written, when the hand rests or what it asked for is there; and
// nothing that it refuses reaches anyone.

/** How many changes are written at once, of how many milliseconds; what comes after them waits until there was none so long. */
const [AT_ONCE, WHILE, REST] = [4, 1_000, 300];

export class Address {
  /** When the latest changes came. @type {number[]} */
  #came = [];
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
    this.#came = [...this.#came.filter((time) => now - time < WHILE), now];
    this.#waiting = hash;
    clearTimeout(this.#timer);
    if (this.#came.length <= AT_ONCE) this.flush();
    else this.#timer = setTimeout(() => this.flush(), REST);
  }

  /** Writes what waits. */
  flush() {
    const hash = this.#waiting;
    if (hash === null) return;
    this.#waiting = null;
    try {
      history.replaceState(null, '', hash);
    } catch {
      // The address stays behind; the page goes on.
    }
  }
}
