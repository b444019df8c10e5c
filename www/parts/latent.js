// A VAE from inside: what its decoder makes of the digit before and after, and the digit's walk over a map of the latent
// space. A frame's `seen` is two coordinates on the map, then the decoder's image.

import { drawImage } from './pixels.js';

const SIZE = 360;
/** Ten colours that stay apart on light and dark grounds; the glyphs say the same without them. */
export const COLOURS = ['#c8401a', '#2f7ed8', '#2a9d5c', '#b58900', '#8e5bd0', '#d0408f', '#1f9aa8', '#7a8a2a', '#e07b39', '#6b7a90'];

export class Latent {
  #section;
  #before;
  #after;
  #map;
  /** @type {any} */
  #points = null;
  /** @type {any} */
  #labels = null;
  #range = 1;
  /** @type {HTMLCanvasElement | null} */
  #ground = null;

  /** @param {{section: HTMLElement, before: HTMLCanvasElement, after: HTMLCanvasElement, map: HTMLCanvasElement}} parts */
  constructor({ section, before, after, map }) {
    Object.assign(map, { width: 2 * SIZE, height: 2 * SIZE });
    [this.#section, this.#before, this.#after, this.#map] = [section, before, after, map];
  }

  /** Takes the map of a network: {points, labels}; nothing is shown of a network that is no VAE. */
  use({ vae, mapPoints, mapLabels }) {
    this.#section.hidden = !vae;
    this.#points = vae ? mapPoints : null;
    this.#labels = mapLabels;
    this.#map.parentElement.hidden = !mapPoints?.length;
    this.#ground = null;
    this.#range = 1.05 * (mapPoints ?? []).reduce((most, p) => Math.max(most, Math.abs(p)), 1e-6);
  }

  /** Shows the digit as it is. */
  start(seen) {
    if (!this.#points) return;
    drawImage(this.#before, seen.subarray(2));
    drawImage(this.#after, seen.subarray(2));
    this.#walk([seen], 0);
  }

  /** Shows the frame at `index`, with the way there. */
  show(frames, index) {
    if (!this.#points || !frames[index].seen) return;
    drawImage(this.#before, frames[0].seen.subarray(2));
    drawImage(this.#after, frames[index].seen.subarray(2));
    this.#walk(frames.slice(0, index + 1).map(({ seen }) => seen), index);
  }

  /** A place in pixels of the map. @returns {[number, number]} */
  #place(x, y) {
    return [SIZE * (1 + x / this.#range), SIZE * (1 - y / this.#range)];
  }

  #walk(seen, index) {
    const context = /** @type {CanvasRenderingContext2D} */ (this.#map.getContext('2d'));
    this.#ground ??= this.#drawGround();
    context.clearRect(0, 0, 2 * SIZE, 2 * SIZE);
    context.drawImage(this.#ground, 0, 0);
    const ink = getComputedStyle(this.#section).color;
    Object.assign(context, { strokeStyle: ink, lineWidth: 4, lineJoin: 'round' });
    context.beginPath();
    for (const [x, y] of seen) context.lineTo(...this.#place(x, y));
    context.stroke();
    for (const [[x, y], radius] of [[seen[0], 8], [seen.at(-1), 13]]) {
      context.beginPath();
      context.arc(...this.#place(x, y), radius, 0, 2 * Math.PI);
      context.fillStyle = radius > 8 ? ink : getComputedStyle(document.body).backgroundColor;
      context.fill();
      context.stroke();
    }
    Object.assign(this.#map.dataset, { index, x: seen.at(-1)[0].toFixed(3), y: seen.at(-1)[1].toFixed(3) });
  }

  /** The test digits, drawn once for each network. */
  #drawGround() {
    const canvas = Object.assign(document.createElement('canvas'), { width: 2 * SIZE, height: 2 * SIZE });
    const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext('2d'));
    Object.assign(context, { font: '600 16px system-ui, sans-serif', textAlign: 'center', textBaseline: 'middle', globalAlpha: 0.75 });
    this.#labels.forEach((/** @type {number} */ label, /** @type {number} */ i) => {
      context.fillStyle = COLOURS[label % COLOURS.length];
      context.fillText(String(label), ...this.#place(this.#points[2 * i], this.#points[2 * i + 1]));
    });
    return canvas;
  }
}
