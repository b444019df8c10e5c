// What counts as valid and as confident.

/** @import { Session } from '../app/session.js' */

import { byId } from '../parts/dom.js';
import { percent, plain, thresholdWords } from '../words/en.js';

/** @param {HTMLElement} _ @param {Session} session */
export function mount(_, session) {
  const show = () => {
    const { network } = session.current;
    if (!network) return;
    const { valid, confident } = { ...network, ...session.thresholds };
    const ssim = network.measure === 'ssim';
    byId('thresholds-words').textContent = thresholdWords(network.measure, session.dataset);
    Object.assign(byId('valid'), ssim ? { min: 0.5, max: 1, step: 0.005 } : { min: 0, max: 20, step: 0.1 });
    byId('valid-words').textContent = ssim ? 'Valid from an SSIM of' : 'Valid up to an L2 of';
    byId('valid').value = valid;
    byId('valid-value').textContent = plain(valid);
    byId('confident').value = confident;
    byId('confident-value').textContent = percent(confident);
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
