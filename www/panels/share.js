// The attack to be passed on: a picture, an animation, a link that repeats it, its numbers.

/** @import { Session } from '../app/session.js' */
/** @import { Card } from '../parts/card.js' */

import { HEIGHT, WIDTH, drawCard } from '../parts/card.js';
import { byId, element } from '../parts/dom.js';
import { png, save } from '../parts/download.js';
import { written } from '../parts/drawing.js';
import { gif } from '../parts/gif.js';
import { drawImage, drawPerturbation, newCanvas, trustCanvas } from '../parts/pixels.js';
import { errorWords } from '../words/en.js';
import { SHARE, shareNumbers } from '../words/late-en.js';

/** How large the animation is beside the picture, and how long its pictures are seen, in hundredths of a second; the last longer. */
const [SCALE, SEEN, LAST] = [0.5, 110, 320];

/** @param {HTMLElement} root @param {Session} session */
export function mount(root, session) {
  const dialog = /** @type {HTMLDialogElement} */ (root);
  const { offers } = session;
  const preview = element('canvas', { width: WIDTH, height: HEIGHT, className: 'shared' });
  preview.setAttribute('role', 'img');
  const button = (/** @type {string} */ id, /** @type {string} */ textContent) => element('button', { type: 'button', id, textContent });
  const [picture, animation, link, numbers, share, close] = [
    button('share-picture', SHARE.picture), button('share-animation', SHARE.animation), button('share-link', SHARE.link),
    button('share-numbers', SHARE.numbers), button('share-sheet', SHARE.share), button('share-close', SHARE.close),
  ];
  const words = element('p', { className: 'small', id: 'share-words' });
  words.setAttribute('role', 'status');
  dialog.append(preview, element('div', { className: 'answers' }, picture, animation, link, numbers, share, close), words);

  /** The attack as a card. @returns {Card | null} */
  const card = () => {
    const { outcome, clean, network } = session.current;
    if (!outcome || !clean || !network) return null;
    const canvasOf = (/** @type {Float32Array} */ image) => {
      const canvas = newCanvas();
      drawImage(canvas, image);
      return canvas;
    };
    const added = newCanvas();
    drawPerturbation(added, clean.image, outcome.image, false);
    const sees = byId('sees-figure').hidden ? null : byId('sees');
    const [before, after] = [network.labels[outcome.label], network.labels[outcome.predicted]];
    return {
      sentence: byId('result').textContent, fooled: outcome.success, foot: SHARE.foot,
      numbers: shareNumbers({ network: offers.short(session.state.model), l2: outcome.l2, p: outcome.probabilities[outcome.predicted], label: after }),
      pictures: [
        { canvas: canvasOf(clean.image), words: `${SHARE.yours}: ${before}`, sign: '' },
        { canvas: added, words: SHARE.added, sign: '+', paper: true },
        { canvas: canvasOf(outcome.image), words: SHARE.attacked, sign: '=' },
        ...(sees ? [{ canvas: sees, words: `${SHARE.sees}: ${after}`, sign: '→' }] : []),
      ],
    };
  };
  /** The link that repeats it. */
  const address = () => {
    const { network, clean, pictures } = session.current;
    const { digit } = session.state;
    const own = pictures?.get(digit)?.label === null;
    const drawing = own && clean && pictures?.dataset.image[2] === 1 ? written(clean.image) : '';
    const hash = session.table.writeHash({ ...session.state, run: 1, drawing, weights: session.state.own ? '' : (network?.digest ?? ''), version: offers.version });
    return { url: new URL(hash, location.href).href, travels: !own || drawing !== '' };
  };
  const attempt = (/** @type {() => Promise<void>} */ work) => async () => {
    words.textContent = '';
    try {
      trustCanvas();
      await work();
    } catch (/** @type {any} */ error) {
      // Whoever closes the sheet of the system has not failed.
      if (error?.name !== 'AbortError') words.textContent = errorWords(error);
    }
  };
  const file = async () => new File([await png(preview)], 'misread.png', { type: 'image/png' });

  picture.addEventListener('click', attempt(async () => save('misread.png', await png(preview))));
  animation.addEventListener('click', attempt(async () => {
    const of = card();
    if (!of) return;
    words.textContent = SHARE.busy;
    const canvas = element('canvas', { width: WIDTH * SCALE, height: HEIGHT * SCALE });
    const context = /** @type {CanvasRenderingContext2D} */ (canvas.getContext('2d', { willReadFrequently: true }));
    const frames = [];
    for (let shown = 1; shown <= of.pictures.length; shown++) {
      drawCard(canvas, of, shown);
      frames.push({ data: context.getImageData(0, 0, canvas.width, canvas.height).data, delay: shown === of.pictures.length ? LAST : SEEN });
      // A frame at a time, so that the page goes on answering.
      await new Promise((resolve) => setTimeout(resolve));
    }
    save('misread.gif', gif(canvas.width, canvas.height, frames));
    words.textContent = '';
  }));
  link.addEventListener('click', attempt(async () => {
    const { url, travels } = address();
    let said = SHARE.copied;
    try {
      await navigator.clipboard.writeText(url);
    } catch {
      said = `${SHARE.uncopied} ${url}`;
    }
    dialog.dataset.link = url;
    words.textContent = travels ? said : `${said} ${SHARE.faces}`;
  }));
  numbers.addEventListener('click', attempt(async () => {
    const { outcome, network } = session.current;
    if (!outcome) return;
    const run = { link: address().url, version: offers.version, weights: network?.digest, build: network?.build, record: outcome.record };
    save('misread.json', `${JSON.stringify(run, null, 2)}\n`, 'application/json');
  }));
  share.addEventListener('click', attempt(async () => {
    await navigator.share({ files: [await file()], text: `${byId('result').textContent} ${address().url}` });
  }));
  close.addEventListener('click', () => dialog.close());
  session.on('open-share', async () => {
    const of = card();
    if (!of) return;
    words.textContent = '';
    delete dialog.dataset.link;
    drawCard(preview, of);
    preview.setAttribute('aria-label', `${of.sentence} ${of.numbers}`);
    share.hidden = !navigator.canShare?.({ files: [new File([], 'misread.png', { type: 'image/png' })] });
    dialog.showModal();
  });
}
