// What the pages say above their forms and of their results.

import { byId, put } from './dom.js';

// What stands there for a page whose scripts do not run.
document.getElementById('unstarted')?.remove();

/** Words above the form, with a button that tries again when `retry` is given. @param {string} message @param {() => void} [retry] */
export function notify(message, retry) {
  const notice = byId('notice');
  notice.replaceChildren(message);
  if (retry) {
    const button = Object.assign(document.createElement('button'), { type: 'button', textContent: 'Try again' });
    button.addEventListener('click', retry);
    notice.append(button);
  }
  notice.hidden = !message;
}

/** Puts a state into `#result`, for people and for programs. @param {string} dataState @param {string} words @param {Record<string, any>} [data] */
export function report(dataState, words, data = {}) {
  const result = byId('result');
  for (const name of Object.keys(result.dataset)) if (name !== 'panel' && name !== 'state' && !(name in data)) delete result.dataset[name];
  put(result.dataset, data);
  // Told anew, whatever it was: who waits for a result hears of this.
  result.dataset.state = dataState;
  put(result, { textContent: words });
}
