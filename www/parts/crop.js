// A picture of the visitor's, cut to a square: drag to move it, the slider to come nearer. The pixels stay in this page.

import { shape } from './pixels.js';

/** How large the window is drawn, in pixels. */
const WINDOW = 308;
const LARGEST = 40 << 20;

export class Crop {
  #dialog;
  #canvas;
  #zoom;
  #video;
  /** @type {any} */
  #picture = null;
  #at = { x: 0, y: 0 };
  /** @type {(image: Float32Array) => void} */
  #onTake = () => {};

  /** @param {{dialog: HTMLDialogElement, canvas: HTMLCanvasElement, zoom: HTMLInputElement, take: HTMLElement, cancel: HTMLElement, video: HTMLVideoElement}} parts */
  constructor({ dialog, canvas, zoom, take, cancel, video }) {
    [this.#dialog, this.#canvas, this.#zoom, this.#video] = [dialog, canvas, zoom, video];
    Object.assign(canvas, { width: WINDOW, height: WINDOW });
    /** @type {any} */
    let from = null;
    canvas.addEventListener('pointerdown', (event) => {
      canvas.setPointerCapture(event.pointerId);
      from = { x: event.clientX, y: event.clientY };
    });
    canvas.addEventListener('pointermove', (event) => {
      if (!from) return;
      this.#move(event.clientX - from.x, event.clientY - from.y);
      from = { x: event.clientX, y: event.clientY };
    });
    canvas.addEventListener('pointerup', () => (from = null));
    canvas.addEventListener('keydown', ({ key }) => {
      const [x, y] = { ArrowLeft: [-8, 0], ArrowRight: [8, 0], ArrowUp: [0, -8], ArrowDown: [0, 8] }[key] ?? [0, 0];
      this.#move(x, y);
    });
    zoom.addEventListener('input', () => this.#draw());
    take.addEventListener('click', () => this.#take());
    cancel.addEventListener('click', () => dialog.close());
    dialog.addEventListener('close', () => this.#end());
  }

  /** Shows a picture file; `onTake` gets the square, flat, in [0, 1]. Fails in words when it is no picture. */
  async file(file, onTake) {
    if (file.size > LARGEST) throw new Error(`${file.name} is ${file.size} bytes long; at most ${LARGEST} are taken.`);
    let picture;
    try {
      picture = await createImageBitmap(file);
    } catch {
      throw new Error(`${file.name || 'What was pasted'} is no picture that this browser can read.`);
    }
    this.#open(picture, onTake);
  }

  /** Shows the camera. */
  async camera(onTake) {
    let stream;
    try {
      stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: 'user' } });
    } catch (/** @type {any} */ error) {
      throw new Error(`There is no camera that this page may use (${error.message}).`);
    }
    this.#video.srcObject = stream;
    await this.#video.play();
    this.#open(this.#video, onTake);
    const live = () => {
      if (this.#picture !== this.#video) return;
      this.#draw();
      requestAnimationFrame(live);
    };
    live();
  }

  #open(picture, onTake) {
    [this.#picture, this.#onTake, this.#at] = [picture, onTake, { x: 0, y: 0 }];
    this.#zoom.value = 1;
    this.#draw();
    this.#dialog.showModal();
  }

  #end() {
    this.#picture = null;
    for (const track of this.#video.srcObject?.getTracks() ?? []) track.stop();
    this.#video.srcObject = null;
  }

  #move(x, y) {
    this.#at.x += x;
    this.#at.y += y;
    this.#draw();
  }

  /** Draws the picture into a square context, its shorter side filling it. */
  #paint(context, side) {
    const picture = this.#picture;
    const [w, h] = [picture.videoWidth ?? picture.width, picture.videoHeight ?? picture.height];
    const scale = (WINDOW / Math.min(w, h)) * Number(this.#zoom.value);
    const most = { x: (w * scale - WINDOW) / 2, y: (h * scale - WINDOW) / 2 };
    for (const axis of ['x', 'y']) this.#at[axis] = Math.max(-most[axis], Math.min(most[axis], this.#at[axis]));
    const unit = side / WINDOW;
    context.imageSmoothingQuality = 'high';
    context.drawImage(picture, (this.#at.x - most.x) * unit, (this.#at.y - most.y) * unit, w * scale * unit, h * scale * unit);
  }

  #draw() {
    this.#paint(this.#canvas.getContext('2d'), WINDOW);
  }

  #take() {
    const [rows, cols] = shape();
    const canvas = Object.assign(document.createElement('canvas'), { width: cols, height: rows });
    const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext('2d'));
    this.#paint(context, rows);
    const { data } = context.getImageData(0, 0, cols, rows);
    const image = new Float32Array(rows * cols * 3);
    for (let i = 0; i < rows * cols; i++) for (let c = 0; c < 3; c++) image[3 * i + c] = data[4 * i + c] / 255;
    const onTake = this.#onTake;
    this.#dialog.close();
    onTake(image);
  }
}
