// Plays the images of an attack one after the other. An attack is over in the time of one screen refresh; here it takes
// about a second, so that it can be watched, and can be wound back afterwards. Long attacks are shown as they come.

/** How long a whole attack plays, in milliseconds. */
const DURATION = 1200;

export class Player {
  /** @type {any[]} */
  #frames = [];
  #expected = 1;
  #shown = 0;
  #last = null; // when the latest tick was; null before the first
  #request = 0;
  #show;
  #onEnd = () => {};
  #complete = false;

  /** @param {(frame: any, index: number, frames: any[]) => void} show draws one frame */
  constructor(show) {
    this.#show = show;
  }

  get frames() {
    return this.#frames;
  }

  /** Begins a new attack of about `expected` frames. */
  start(expected) {
    this.clear();
    this.#expected = expected;
    this.#last = null;
    this.#request = requestAnimationFrame((now) => this.#tick(now));
  }

  add(frames) {
    this.#frames.push(...frames);
  }

  /** No more frames will come; calls `onEnd` once the last is shown. */
  finish(onEnd) {
    this.#complete = true;
    this.#onEnd = onEnd;
    this.#expected = this.#frames.length;
    if (matchMedia('(prefers-reduced-motion: reduce)').matches) this.#shown = this.#frames.length - 1;
  }

  /** Shows frame `index` and stays there. */
  seek(index) {
    this.stop();
    if (this.#frames[index]) this.#show(this.#frames[index], index, this.#frames);
  }

  stop() {
    cancelAnimationFrame(this.#request);
    this.#onEnd = () => {};
  }

  /** Stops and forgets. */
  clear() {
    this.stop();
    this.#frames = [];
    this.#shown = 0;
    this.#complete = false;
  }

  #tick(now) {
    const end = this.#frames.length - 1;
    // The time of an animation frame alone: it can lie before performance.now() of the moment in which it was asked for.
    const passed = Math.max(now - (this.#last ?? now), 0);
    this.#last = now;
    this.#shown = Math.min(this.#shown + (passed / DURATION) * this.#expected, Math.max(end, 0));
    const index = Math.floor(this.#shown);
    if (end >= 0) this.#show(this.#frames[index], index, this.#frames);
    if (this.#complete && this.#shown >= end) {
      this.#onEnd();
      return;
    }
    this.#request = requestAnimationFrame((later) => this.#tick(later));
  }
}
