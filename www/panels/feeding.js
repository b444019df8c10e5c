// What only the visitor knows of a network in ONNX: how large its images are, how they are fed, what its labels stand for.

/** @import { Session } from '../app/session.js' */
/** @import { Answer, Question } from '../app/offers.js' */

import { element } from '../parts/dom.js';
import { datasetWords } from '../words/en.js';
import { FEEDING, doubtWords, feedingWords } from '../words/late-en.js';

/** @param {HTMLElement} root @param {Session} session */
export function mount(root, session) {
  const dialog = /** @type {HTMLDialogElement} */ (root);
  const words = element('p', { id: 'feeding-words' });
  const size = element('input', { id: 'feeding-size', type: 'text', required: true, placeholder: FEEDING.sizeHint });
  const how = element('select', { id: 'feeding-how' });
  const labels = element('textarea', { id: 'feeding-labels', rows: 6, spellcheck: false });
  const rows = {
    size: element('label', {}, FEEDING.size, size),
    how: element('label', {}, FEEDING.feeding, how),
    labels: element('label', {}, FEEDING.labels, labels),
  };
  const [take, other, cancel] = [
    element('button', { id: 'feeding-take', textContent: FEEDING.take, className: 'main' }),
    element('button', { type: 'button', id: 'feeding-other', textContent: FEEDING.other }),
    element('button', { type: 'button', id: 'feeding-cancel', textContent: FEEDING.cancel }),
  ];
  const form = element('form', { method: 'dialog' }, words, rows.size, rows.how, rows.labels, element('div', { className: 'answers' }, take, other, cancel));
  dialog.append(form);

  /** Whoever waits for an answer. @type {(answer: Answer | null) => void} */
  let waiting = () => {};
  /** @param {Answer | null} answer */
  const end = (answer) => {
    const asked = waiting;
    waiting = () => {};
    if (dialog.open) dialog.close();
    asked(answer);
  };
  form.addEventListener('submit', (event) => {
    event.preventDefault();
    end({ size: size.value, feeding: how.value, labels: labels.value });
  });
  other.addEventListener('click', () => end({ other: true }));
  cancel.addEventListener('click', () => end(null));
  // Unless the next question is there already.
  dialog.addEventListener('close', () => !dialog.open && end(null));

  session.on('asked', (/** @type {{question: Question, answer: (answer: Answer | null) => void}} */ { question, answer }) => {
    // What was asked before is not wanted any more.
    waiting(null);
    waiting = answer;
    const { kind, file } = question;
    rows.size.hidden = kind !== 'size';
    rows.how.hidden = rows.labels.hidden = kind !== 'feeding';
    size.disabled = kind !== 'size';
    other.hidden = kind !== 'doubt';
    words.hidden = kind === 'size';
    if (kind === 'doubt') {
      const { several } = datasetWords(question.dataset);
      words.textContent = doubtWords({ file, right: question.right, of: question.of, several });
    } else if (kind === 'feeding') {
      words.textContent = feedingWords({ file, title: question.dataset.title, count: question.labels.length });
      how.replaceChildren(...question.feedings.map(({ name, title }) => element('option', { value: name, textContent: title })));
      labels.value = question.labels.join('\n');
    }
    dialog.showModal();
  });
}
