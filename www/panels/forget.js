// What is kept on this machine, said, and forgotten when asked.

import { byId } from '../parts/dom.js';
import { answers, forgetAnswers } from '../parts/eye.js';
import { forgetKept } from '../parts/kept.js';
import { keptWords } from '../words/late-en.js';

export function mount() {
  const show = () => (byId('kept').textContent = keptWords(answers().length));
  byId('more').addEventListener('toggle', show);
  byId('forget').addEventListener('click', () => {
    forgetAnswers();
    forgetKept();
    // What was brought is in this page alone: it goes with it.
    location.assign(location.pathname);
  });
}
