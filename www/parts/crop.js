// A picture of the visitor's, cut to the sides that the network reads, mostly a square: drag to move it; the slider, or two fingers, to come nearer. The pixels stay in this
// page.

import { kindOf } from './kind.js';
import { found, lighter } from './ink.js';
import { drawImage, readBack, shape } from './pixels.js';

/** How large the window is drawn, in pixels. */
const WINDOW = 308;
const LARGEST = 40 << 20;
/** Side of the square in which a digit is looked for. */
const LOOK = 140;
/** What lies behind a picture that is transparent, in the window and in what is computed on. */
const BACKGROUND = '#fff';

/** Ends a camera. @param {MediaStream | null} stream */
const stop = (stream) => stream?.getTracks().forEach((track) => track.stop());

export class Crop {
  #dialog;
  #canvas;
  #zoom;
  #video;
  #say;
  /** What a digit comes to, and how it is found. */
  #digit;
  /** Whether the visitor has said how light the ink is. */
  #told = false;
  /** What is shown. @type {any} */
  #picture = null;
  #at = { x: 0, y: 0 };
  /** The fingers, or the mouse, that hold the picture. @type {Map<number, {x: number, y: number}>} */
  #held = new Map();
  /** @type {(image: Float32Array) => void} */
  #onTake = () => {};
  /** Whether what is read is ink on paper, so that a digit is looked for. */
  inked = true;
  /** What was asked for last: what comes for something else is not wanted any more. */
  #wanted = { camera: false };
  /** A camera that the browser was asked for and has not given yet: it is asked once. @type {Promise<MediaStream> | null} */
  #asked = null;

  /**
   * @param {{dialog: HTMLDialogElement, canvas: HTMLCanvasElement, zoom: HTMLInputElement, take: HTMLElement, cancel: HTMLElement, video: HTMLVideoElement,
   *   digit: {figure: HTMLElement, preview: HTMLCanvasElement, find: HTMLInputElement, invert: HTMLInputElement}}} parts
   * @param {(words: string) => void} say hears of what went wrong
   */
  constructor({ dialog, canvas, zoom, take, cancel, video, digit }, say) {
    [this.#dialog, this.#canvas, this.#zoom, this.#video, this.#say] = [dialog, canvas, zoom, video, say];
    this.#digit = digit;
    Object.assign(canvas, { width: WINDOW, height: WINDOW });
    digit.find.addEventListener('change', () => this.#draw());
    digit.invert.addEventListener('change', () => {
      this.#told = true;
      this.#draw();
    });
    canvas.addEventListener('pointerdown', ({ pointerId, clientX: x, clientY: y }) => {
      canvas.setPointerCapture(pointerId);
      this.#held.set(pointerId, { x, y });
    });
    canvas.addEventListener('pointermove', (event) => this.#drag(event));
    for (const end of ['pointerup', 'pointercancel', 'lostpointercapture']) {
      canvas.addEventListener(end, (/** @type {any} */ { pointerId }) => this.#held.delete(pointerId));
    }
    canvas.addEventListener('keydown', ({ key }) => {
      const [x, y] = { ArrowLeft: [-8, 0], ArrowRight: [8, 0], ArrowUp: [0, -8], ArrowDown: [0, 8] }[key] ?? [0, 0];
      this.#move(x, y);
    });
    zoom.addEventListener('input', () => this.#draw());
    take.addEventListener('click', () => this.#take());
    cancel.addEventListener('click', () => dialog.close());
    dialog.addEventListener('close', () => this.#end());
  }

  /** Shows a picture file; `onTake` gets the square, flat, in [0, 1]. Fails in words when it is no picture. @param {File} file @param {(image: Float32Array) => void} onTake */
  async file(file, onTake) {
    const mine = this.#want(false);
    if (file.size > LARGEST) throw new Error(`${file.name} is ${file.size} bytes long; at most ${LARGEST} are taken.`);
    let picture;
    try {
      picture = await createImageBitmap(file);
    } catch {
      const heic = (await kindOf(file)) === 'heic';
      throw new Error(
        `${file.name || 'What was pasted'} is no picture that this browser can read.${heic ? ' It is in the form HEIC: save it as JPEG first.' : ''}`,
      );
    }
    if (mine === this.#wanted) this.#open(picture, onTake);
  }

  /** Shows the camera. @param {(image: Float32Array) => void} onTake */
  async camera(onTake) {
    const mine = this.#want(true);
    if (!navigator.mediaDevices?.getUserMedia) throw new Error('A page may use the camera only on https or on localhost, and in a browser that has one.');
    this.#asked ??= navigator.mediaDevices.getUserMedia({ video: { facingMode: 'user' } }).then((stream) => {
      if (!this.#wanted.camera) stop(stream);
      return stream;
    }).finally(() => (this.#asked = null));
    let stream;
    try {
      stream = await this.#asked;
    } catch (/** @type {any} */ error) {
      if (mine !== this.#wanted) return;
      throw new Error(`There is no camera that this page may use (${error.message}).`);
    }
    if (mine !== this.#wanted) return;
    this.#video.srcObject = stream;
    await this.#video.play();
    if (mine !== this.#wanted) return;
    this.#open(this.#video, onTake);
    const live = () => {
      if (this.#picture !== this.#video) return;
      this.#draw();
      requestAnimationFrame(live);
    };
    live();
  }

  /** Takes note of what is asked for now; whatever was under way ends. @param {boolean} camera */
  #want(camera) {
    this.#wanted = { camera };
    if (this.#dialog.open) this.#dialog.close();
    this.#release();
    return this.#wanted;
  }

  #open(picture, onTake) {
    [this.#picture, this.#onTake, this.#at] = [picture, onTake, { x: 0, y: 0 }];
    this.#held.clear();
    this.#zoom.value = '1';
    this.#told = false;
    this.#digit.figure.hidden = !this.inked;
    const [wide, high] = this.#window();
    if (this.#canvas.width !== wide || this.#canvas.height !== high) Object.assign(this.#canvas, { width: wide, height: high });
    this.#canvas.style.aspectRatio = `${wide} / ${high}`;
    this.#draw();
    this.#dialog.showModal();
  }

  #release() {
    this.#picture = null;
    stop(/** @type {MediaStream | null} */ (this.#video.srcObject));
    this.#video.srcObject = null;
  }

  #end() {
    this.#wanted = { camera: false };
    this.#release();
  }

  /** @param {PointerEvent} event */
  #drag({ pointerId, clientX: x, clientY: y }) {
    const from = this.#held.get(pointerId);
    if (!from) return;
    const apart = () => {
      const [a, b] = [...this.#held.values()];
      return Math.hypot(a.x - b.x, a.y - b.y);
    };
    const two = this.#held.size === 2;
    const before = two ? apart() : 0;
    this.#held.set(pointerId, { x, y });
    if (two) {
      this.#zoom.value = String(Number(this.#zoom.value) * (apart() / Math.max(before, 1)));
      this.#draw();
    } else if (this.#held.size === 1) this.#move(x - from.x, y - from.y);
  }

  #move(x, y) {
    this.#at.x += x;
    this.#at.y += y;
    this.#draw();
  }

  /** Width and height of the window: of the sides of what the network reads. @returns {[number, number]} */
  #window() {
    const [rows, cols] = shape();
    return rows > cols ? [Math.round((WINDOW * cols) / rows), WINDOW] : [WINDOW, Math.round((WINDOW * rows) / cols)];
  }

  /** Draws the picture into a context of the window's form, which it fills. @param {CanvasRenderingContext2D} context @param {number} width @param {number} height */
  #paint(context, width, height) {
    const picture = this.#picture;
    if (!picture) return;
    const [wide, high] = this.#window();
    context.fillStyle = BACKGROUND;
    context.fillRect(0, 0, width, height);
    const [w, h] = [picture.videoWidth ?? picture.width, picture.videoHeight ?? picture.height];
    const scale = Math.max(wide / w, high / h) * Number(this.#zoom.value);
    const most = { x: (w * scale - wide) / 2, y: (h * scale - high) / 2 };
    for (const axis of ['x', 'y']) this.#at[axis] = Math.max(-most[axis], Math.min(most[axis], this.#at[axis]));
    const unit = { x: width / wide, y: height / high };
    context.imageSmoothingQuality = 'high';
    context.drawImage(picture, (this.#at.x - most.x) * unit.x, (this.#at.y - most.y) * unit.y, w * scale * unit.x, h * scale * unit.y);
  }

  #draw() {
    this.#paint(/** @type {CanvasRenderingContext2D} */ (this.#canvas.getContext('2d')), ...this.#window());
    if (!this.inked || !this.#picture) return;
    try {
      drawImage(this.#digit.preview, this.#read());
    } catch {
      // Said when it is taken.
    }
  }

  /** What the window holds, as the network gets it: of ink on paper the digit in it, if one is to be found. */
  #read() {
    const [rows, cols, channels] = shape();
    const whole = () => readBack(rows, cols, channels, (context) => this.#paint(context, cols, rows));
    if (!this.inked) return whole();
    const { find, invert } = this.#digit;
    const grey = readBack(LOOK, LOOK, 1, (context) => this.#paint(context, LOOK, LOOK));
    if (!this.#told) invert.checked = lighter(grey, LOOK);
    const digit = find.checked && rows === cols ? found(grey, LOOK, invert.checked) : null;
    if (digit) return digit.image;
    return invert.checked ? whole() : whole().map((x) => 1 - x);
  }

  #take() {
    const onTake = this.#onTake;
    try {
      const image = this.#read();
      this.#dialog.close();
      onTake(image);
    } catch (/** @type {any} */ error) {
      this.#dialog.close();
      this.#say(error.message);
    }
  }
}
