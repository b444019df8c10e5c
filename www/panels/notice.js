// What went wrong, above the form, with a way on.

/** @import { Session } from '../app/session.js' */

import { notify } from '../parts/notice.js';

/** @param {HTMLElement} root @param {Session} session */
export function mount(root, session) {
  session.on('notice', ({ words, retry }) => notify(words, retry));
  // What a link says that is not right comes last, unless there is worse.
  session.on('said', (words) => root.hidden && notify(words));
}
