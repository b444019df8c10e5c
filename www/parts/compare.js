// Attacks on one digit, side by side: a column for each attack, or for each network.

import { milliseconds, percent, plain } from '../words/en.js';
import { drawImage, drawPerturbation, newCanvas } from './pixels.js';

/** @type {[string, (outcome: Record<string, any>, labels: string[]) => string][]} */
const ROWS = [
  ['reads', ({ predicted, refused }, labels) => (refused ? 'refused' : labels[predicted])],
  ['confidence', ({ confidence }) => percent(confidence)],
  ['grade', ({ grade }) => grade],
  ['L0', ({ l0 }) => plain(l0)],
  ['L1', ({ l1 }) => plain(l1)],
  ['L2', ({ l2 }) => plain(l2)],
  ['L∞', ({ linf }) => plain(linf)],
  ['SSIM', ({ ssim }) => plain(ssim)],
  ['survives PNG', ({ survives_png }) => (survives_png ? 'yes' : 'no')],
  ['gradients', ({ gradients }) => plain(gradients)],
  ['time', ({ ms }) => milliseconds(ms)],
];

export class Compare {
  #root;
  #kind;
  #columns = new Map();

  /** @param {HTMLElement} root  @param {string} kind what a column stands for: its name in the data attributes */
  constructor(root, kind) {
    this.#root = root;
    this.#kind = kind;
  }

  /** Makes room for columns: [[name, title], ...]. */
  start(columns) {
    this.#columns.clear();
    this.#root.replaceChildren(
      ...columns.map(([name, title]) => {
        const column = Object.assign(document.createElement('figure'), { className: 'compared' });
        column.dataset[this.#kind] = name;
        const heading = Object.assign(document.createElement('h3'), { textContent: title });
        const canvases = ['Attacked', 'What is added'].map((label) => newCanvas(`${label}: ${title}`));
        const pair = Object.assign(document.createElement('div'), { className: 'pair' });
        pair.append(...canvases);
        const words = Object.assign(document.createElement('p'), { className: 'small', textContent: 'waiting…' });
        const list = Object.assign(document.createElement('dl'), { className: 'numbers' });
        column.append(heading, pair, words, list);
        this.#columns.set(name, { column, canvases, words, list });
        return column;
      }),
    );
  }

  show(name, original, outcome, labels, rule) {
    const { column, canvases, words, list } = this.#columns.get(name);
    drawImage(canvases[0], outcome.image);
    const gain = drawPerturbation(canvases[1], original, outcome.image);
    Object.assign(column.dataset, { success: outcome.success, grade: outcome.grade });
    words.textContent = `${outcome.success ? 'Misread' : outcome.refused ? 'Refused' : 'Withstood'} (${rule}); the change is magnified × ${plain(gain)}`;
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

  refuse(name, why) {
    this.#columns.get(name).words.textContent = why;
  }
}
