// What counts as valid and as confident.

/** @import { Session } from '../app/session.js' */

import { byId, put } from '../parts/dom.js';
import { percent, plain } from '../words/en.js';
import { thresholdWords } from '../words/late-en.js';

/** @param {HTMLElement} _ @param {Session} session */
export function mount(_, session) {
  const show = () => {
    const { network } = session.current;
    if (!network) return;
    const { valid, confident } = { ...network, ...session.thresholds };
    const ssim = network.measure === 'ssim';
    put(byId('thresholds-words'), { textContent: thresholdWords(network.measure, session.dataset) });
    put(byId('valid-words'), { textContent: ssim ? 'Valid from an SSIM of' : 'Valid up to an L2 of' });
    const limits = ssim ? { min: 0.5, max: 1, step: 0.005 } : { min: 0, max: 20, step: 0.1 };
    put(byId('valid'), { ...limits, value: valid });
    put(byId('valid-value'), { textContent: plain(valid) });
    put(byId('confident'), { value: confident });
    put(byId('confident-value'), { textContent: percent(confident) });
    byId('valid').setAttribute('aria-valuetext', plain(valid));
    byId('confident').setAttribute('aria-valuetext', percent(confident));
  };
  session.on('state', show);
  session.on('network', show);
  for (const id of ['valid', 'confident']) {
    byId(id).addEventListener('input', (/** @type {any} */ { target }) => {
      session.change({ [id]: Number(target.value) });
      session.actions.regrade();
    });
  }
}
