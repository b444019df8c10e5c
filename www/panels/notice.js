// What went wrong, above the form, with a way on.

/** @import { Session } from '../app/session.js' */

import { notify } from '../parts/notice.js';

/** @param {HTMLElement} root @param {Session} session */
export function mount(root, session) {
  let said = '';
  session.on('notice', ({ words, retry }) => {
    said = '';
    notify(words, retry);
  });
  // What was not right and has been put right: one after the other, unless there is worse.
  session.on('said', (words) => {
    if (!root.hidden && !said) return;
    said = `${said} ${words}`.trim();
    notify(said);
  });
}
