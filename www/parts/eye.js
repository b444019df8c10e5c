// The naked eye: shows the attacked digit alone and asks what it is. The answers stay in this browser.

import { a } from '../words/en.js';
import { drawImage } from './pixels.js';

const KEY = 'misread-eye';

export class Eye {
  #dialog;
  #canvas;
  #answers;
  #verdict;
  #tally;
  #case = null;
  #labels;

  /** @param {{dialog: HTMLDialogElement, canvas: HTMLCanvasElement, answers: HTMLElement, verdict: HTMLElement, tally: HTMLElement}} parts */
  constructor(parts, labels) {
    ({ dialog: this.#dialog, canvas: this.#canvas, answers: this.#answers, verdict: this.#verdict, tally: this.#tally } = parts);
    this.#labels = labels;
    this.#answers.replaceChildren(
      ...[...labels, 'I cannot tell'].map((text, i) => {
        const button = Object.assign(document.createElement('button'), { type: 'button', textContent: text });
        button.addEventListener('click', () => this.#answer(i < labels.length ? i : null, text));
        return button;
      }),
    );
  }

  /** Asks about an image: {image, label, valid, words} with the computed verdict in words. */
  ask(question) {
    this.#case = question;
    drawImage(this.#canvas, question.image);
    this.#dialog.showModal();
  }

  forget() {
    this.#case = null;
    this.#verdict.textContent = '';
    delete this.#verdict.dataset.valid;
  }

  #answer(answer, text) {
    this.#dialog.close();
    if (!this.#case) return;
    const { label, valid, words } = this.#case;
    const original = a(this.#labels[label]);
    const agrees = answer === label;
    this.#verdict.dataset.valid = agrees;
    this.#verdict.textContent = agrees
      ? `Your eye: still ${original}, so valid. By the numbers: ${words}.`
      : `Your eye: ${answer === null ? 'not readable' : a(text)}, no longer ${original}, so not valid. By the numbers: ${words}.`;
    const all = [...answers(), { label, answer, valid }].slice(-1000);
    try {
      localStorage.setItem(KEY, JSON.stringify(all));
    } catch {
      // A browser that keeps nothing still shows this one verdict.
    }
    this.tally(all);
  }

  /** Says how the answers so far agree. What is kept is looked at no sooner: it takes a while. */
  tally(all = answers()) {
    if (!all.length) return;
    const read = all.filter(({ label, answer }) => label === answer).length;
    const same = all.filter(({ label, answer, valid }) => (label === answer) === valid).length;
    this.#tally.textContent =
      `So far you read the original in ${read} of ${all.length} attacked images; the computed verdict agreed with your eye in ${same}. Kept in this browser only.`;
  }
}

/** Forgets them. */
export function forgetAnswers() {
  try {
    localStorage.removeItem(KEY);
  } catch {
    // Where nothing can be kept there is nothing to forget.
  }
}

/** The answers that are kept in this browser. */
export function answers() {
  try {
    const all = JSON.parse(localStorage.getItem(KEY) ?? '[]');
    return Array.isArray(all) ? all.filter((one) => one && Number.isInteger(one.label) && 'answer' in one) : [];
  } catch {
    return [];
  }
}
