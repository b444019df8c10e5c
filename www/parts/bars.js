// The probabilities of all labels, before and after, as bars.

import { percent } from '../words/en.js';

export class Bars {
  #rows;

  constructor(body, labels) {
    this.#rows = labels.map((label) => {
      const row = document.createElement('tr');
      const head = Object.assign(document.createElement('th'), { scope: 'row', textContent: label });
      const cells = ['before', 'after'].map((kind) => {
        const cell = document.createElement('td');
        const bar = Object.assign(document.createElement('span'), { className: `bar ${kind}` });
        const text = Object.assign(document.createElement('span'), { className: 'value' });
        cell.append(bar, text);
        row.append(cell);
        return { bar, text };
      });
      row.prepend(head);
      return { row, cells };
    });
    body.replaceChildren(...this.#rows.map(({ row }) => row));
  }

  #show(which, probabilities) {
    this.#rows.forEach(({ cells }, i) => {
      const p = probabilities?.[i];
      cells[which].bar.style.setProperty('--p', p ?? 0);
      cells[which].text.textContent = p === undefined ? '' : percent(p);
    });
  }

  before(probabilities) {
    this.#show(0, probabilities);
  }

  after(probabilities) {
    this.#show(1, probabilities);
  }

  /** Marks the true label and the one aimed at. */
  mark(label, target) {
    this.#rows.forEach(({ row }, i) => {
      row.classList.toggle('true-label', i === label);
      row.classList.toggle('target', i === target);
    });
  }
}
