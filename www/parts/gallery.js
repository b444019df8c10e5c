// One digit attacked towards every other label: a small picture for each.

import { percent } from '../words/en.js';
import { drawImage, newCanvas } from './pixels.js';

export class Gallery {
  #element;
  #figures = new Map();

  constructor(element) {
    this.#element = element;
  }

  /** Makes room for these targets. */
  start(targets, labels) {
    this.#figures.clear();
    this.#element.replaceChildren(
      ...targets.map((target) => {
        const figure = document.createElement('figure');
        const canvas = newCanvas(`Attacked towards ${labels[target]}`);
        const caption = Object.assign(document.createElement('figcaption'), { textContent: `→ ${labels[target]}` });
        figure.append(canvas, caption);
        this.#figures.set(target, { figure, canvas, caption });
        return figure;
      }),
    );
  }

  /** Shows how the attack towards `target` ended. */
  show(target, { image, predicted, success, refused, probabilities }, labels) {
    const { figure, canvas, caption } = this.#figures.get(target);
    drawImage(canvas, image);
    figure.className = success ? 'misread' : 'withstood';
    caption.textContent = refused ? `→ ${labels[target]}: refused` : `→ ${labels[target]}: reads ${labels[predicted]} (${percent(probabilities[predicted])})`;
  }

  /** Says of one target that there was nothing to attack. */
  refuse(target, why) {
    this.#figures.get(target).caption.textContent = why;
  }
}
