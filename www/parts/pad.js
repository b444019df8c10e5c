// A field to draw on, with mouse, pen or finger: strokes, which can be taken back one by one.

import { readBack } from './pixels.js';

/** How wide a stroke is, and what erases, as shares of the side. */
const [INK, ERASER] = [0.075, 0.11];

/** @typedef {{erases: boolean, points: [number, number][]}} Stroke */

export class Pad {
  #canvas;
  /** @type {Stroke[]} */
  #strokes = [];
  /** @type {number | null} */
  #pointer = null;
  #on;
  erases = false;

  /** @param {HTMLCanvasElement} canvas a square @param {{moved: () => void, ended: () => void}} on hears of every point, and of every stroke that ended */
  constructor(canvas, on) {
    [this.#canvas, this.#on] = [canvas, on];
    canvas.addEventListener('pointerdown', (event) => {
      if (this.#pointer !== null || event.button > 0) return;
      event.preventDefault();
      this.#pointer = event.pointerId;
      canvas.setPointerCapture(event.pointerId);
      // A pen turned round erases.
      this.#strokes.push({ erases: this.erases || event.button === 5 || (event.buttons & 32) > 0, points: [] });
      this.#add(event);
    });
    canvas.addEventListener('pointermove', (event) => {
      if (event.pointerId !== this.#pointer) return;
      for (const one of event.getCoalescedEvents?.() ?? []) this.#add(one);
      this.#add(event);
    });
    for (const end of ['pointerup', 'pointercancel', 'lostpointercapture']) {
      canvas.addEventListener(end, (/** @type {any} */ { pointerId }) => {
        if (pointerId !== this.#pointer) return;
        this.#pointer = null;
        this.#on.ended();
      });
    }
    this.#draw();
  }

  get side() {
    return this.#canvas.width;
  }

  get strokes() {
    return this.#strokes.length;
  }

  /** @param {PointerEvent} event */
  #add({ clientX, clientY }) {
    const { left, top, width, height } = this.#canvas.getBoundingClientRect();
    this.#strokes.at(-1)?.points.push([((clientX - left) / width) * this.side, ((clientY - top) / height) * this.side]);
    this.#draw();
    this.#on.moved();
  }

  #draw() {
    const context = /** @type {CanvasRenderingContext2D} */ (this.#canvas.getContext('2d', { willReadFrequently: true }));
    this.#paint(context);
  }

  /** @param {CanvasRenderingContext2D} context */
  #paint(context) {
    context.fillStyle = '#000';
    context.fillRect(0, 0, this.side, this.side);
    Object.assign(context, { lineCap: 'round', lineJoin: 'round' });
    for (const { erases, points } of this.#strokes) {
      context.strokeStyle = erases ? '#000' : '#fff';
      context.lineWidth = (erases ? ERASER : INK) * this.side;
      context.beginPath();
      context.moveTo(...points[0]);
      for (const point of points) context.lineTo(...point);
      context.stroke();
    }
  }

  /** What is drawn, flat, in [0, 1]. Fails in words where the browser forbids it. */
  ink() {
    return readBack(this.side, this.side, 1, (context) => this.#paint(context));
  }

  /** Takes the latest stroke back. */
  undo() {
    this.#strokes.pop();
    this.#draw();
    this.#on.ended();
  }

  clear() {
    this.#strokes = [];
    this.#draw();
    this.#on.ended();
  }
}
