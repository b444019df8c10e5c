// What the network sees: of a VAE what its decoder makes of the image; of others, which keep no image, the mean of the pictures here
// that bear the label it reads. Which of the two it is, is said.

/** @import { Session } from '../app/session.js' */
/** @import { Pictures } from '../app/pictures.js' */

import { byId } from '../parts/dom.js';
import { drawImage } from '../parts/pixels.js';
import { a, meanWords } from '../words/en.js';

/** @param {HTMLElement} root @param {Session} session */
export function mount(root, session) {
  /** By label. @type {Map<string, Promise<Float32Array | null>>} */
  let means = new Map();
  /** What is shown, so that what comes late is not. */
  let latest = 0;
  /** The mean of the pictures of a label, if there are any. @param {Pictures} pictures @param {string} label */
  const mean = async (pictures, label) => {
    const own = pictures.all.filter((picture) => picture.label === label);
    const images = (await Promise.all(own.map(({ id }) => pictures.image(id).catch(() => null)))).filter((image) => image !== null);
    if (!images.length) return null;
    const sum = new Float32Array(images[0].length);
    for (const image of images) for (let i = 0; i < sum.length; i++) sum[i] += image[i] / images.length;
    return sum;
  };
  session.on('pictures', () => (means = new Map()));
  session.on('frame', async ({ frame }) => {
    const { network, pictures } = session.current;
    if (!network || !pictures) return;
    const mine = ++latest;
    const label = network.labels[frame.predicted];
    const words = byId('sees-words');
    root.classList.toggle('refused', frame.refused === true);
    if (frame.seen) {
      root.hidden = false;
      drawImage(byId('sees'), frame.seen.subarray(2));
      words.textContent = `${a(label)}: what its decoder makes of it`;
      byId('sees').setAttribute('aria-label', `What the decoder of the network makes of it, which reads ${label}`);
      return;
    }
    if (!means.has(label)) means.set(label, mean(pictures, label));
    const image = await means.get(label);
    if (mine !== latest) return;
    root.hidden = !image;
    if (!image) return;
    drawImage(byId('sees'), image);
    words.textContent = meanWords(label, pictures.dataset);
    byId('sees').setAttribute('aria-label', `The mean of the pictures of ${label} here`);
  });
}
