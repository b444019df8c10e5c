// The numbers of the attack, to be pasted elsewhere.

/** @import { Session } from '../app/session.js' */

/** @param {HTMLElement} root @param {Session} session */
export function mount(root, session) {
  const words = root.textContent;
  session.on('reset', () => (root.textContent = words));
  root.addEventListener('click', async () => {
    const { outcome } = session.current;
    if (!outcome) return;
    try {
      await navigator.clipboard.writeText(JSON.stringify(outcome.record, null, 2));
      root.textContent = 'Copied';
    } catch {
      session.tell('notice', { words: 'This browser lets the page copy nothing. The lab saves records as files.' });
    }
  });
}
