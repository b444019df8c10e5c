// The three attacks on one digit, side by side.

import { ATTACKS } from '../attacks.js';
import { milliseconds, percent, plain } from '../text.js';
import { SIDE, drawImage, drawPerturbation } from './pixels.js';

const ROWS = [
  ['reads', ({ predicted }, labels) => labels[predicted]],
  ['confidence', ({ confidence }) => percent(confidence)],
  ['grade', ({ grade }) => grade],
  ['L0', ({ l0 }) => plain(l0)],
  ['L1', ({ l1 }) => plain(l1)],
  ['L2', ({ l2 }) => plain(l2)],
  ['L∞', ({ linf }) => plain(linf)],
  ['SSIM', ({ ssim }) => plain(ssim)],
  ['survives PNG', ({ survivesPng }) => (survivesPng ? 'yes' : 'no')],
  ['gradients', ({ gradients }) => plain(gradients)],
  ['time', ({ ms }) => milliseconds(ms)],
];

export class Compare {
  #root;
  #columns = new Map();

  constructor(root) {
    this.#root = root;
  }

  /** Makes room for each attack. */
  start() {
    this.#columns.clear();
    this.#root.replaceChildren(
      ...Object.entries(ATTACKS).map(([attack, { title }]) => {
        const column = Object.assign(document.createElement('figure'), { className: 'compared' });
        column.dataset.attack = attack;
        const heading = Object.assign(document.createElement('h3'), { textContent: title });
        const canvases = ['Attacked', 'What is added'].map((label) => {
          const canvas = Object.assign(document.createElement('canvas'), { width: SIDE, height: SIDE });
          canvas.setAttribute('role', 'img');
          canvas.setAttribute('aria-label', `${label}: ${title}`);
          return canvas;
        });
        const pair = Object.assign(document.createElement('div'), { className: 'pair' });
        pair.append(...canvases);
        const words = Object.assign(document.createElement('p'), { className: 'small', textContent: 'waiting…' });
        const list = Object.assign(document.createElement('dl'), { className: 'numbers' });
        column.append(heading, pair, words, list);
        this.#columns.set(attack, { column, canvases, words, list });
        return column;
      }),
    );
  }

  show(attack, original, outcome, labels, rule) {
    const { column, canvases, words, list } = this.#columns.get(attack);
    drawImage(canvases[0], outcome.image);
    const gain = drawPerturbation(canvases[1], original, outcome.image);
    Object.assign(column.dataset, { success: outcome.success, grade: outcome.grade });
    words.textContent = `${outcome.success ? 'Misread' : 'Withstood'} (${rule}); the change is magnified × ${plain(gain)}`;
    list.replaceChildren(
      ...ROWS.map(([name, value]) => {
        const row = document.createElement('div');
        row.append(
          Object.assign(document.createElement('dt'), { textContent: name }),
          Object.assign(document.createElement('dd'), { textContent: value(outcome, labels) }),
        );
        return row;
      }),
    );
  }

  refuse(attack, why) {
    this.#columns.get(attack).words.textContent = why;
  }
}
