// One noise for all: a universal perturbation, made live over the shipped digits, then laid over the picture, which may be one's own.

/** @import { Session } from '../app/session.js' */

import { NORM } from '../app/opening.js';
import { byId, element } from '../parts/dom.js';
import { Mosaic } from '../parts/mosaic.js';
import { drawImage, drawPerturbation, newCanvas } from '../parts/pixels.js';
import { errorWords, rulerWords } from '../words/en.js';
import { NOISE, noiseOver, noiseWords } from '../words/late-en.js';

/** How often the digits are gone over, and how long the noise may be at first. */
const [PASSES, LENGTH] = [100, 3];

/** An image with a change on it, cut off at black and white. @param {Float32Array} image @param {Float32Array} change */
const laidOver = (image, change) => image.map((x, i) => Math.min(Math.max(x + change[i], 0), 1));

/** @param {HTMLElement} root @param {Session} session */
export function mount(root, session) {
  const slider = element('input', { type: 'range', id: 'noise-budget', min: 0.5, max: 6, step: 0.1, value: LENGTH });
  const value = element('output', { textContent: rulerWords(LENGTH) });
  const go = element('button', { type: 'button', id: 'noise-run', className: 'main', textContent: NOISE.go });
  const stop = element('button', { type: 'button', id: 'noise-stop', textContent: NOISE.stop, hidden: true });
  const own = element('button', { type: 'button', id: 'noise-draw', className: 'small-button', textContent: NOISE.draw });
  const said = element('p', { id: 'noise-words', className: 'said' });
  said.setAttribute('role', 'status');
  const [noise, over] = [newCanvas(NOISE.noise), newCanvas(NOISE.over)];
  const all = element('canvas');
  const mosaic = new Mosaic(all);
  mosaic.describe(NOISE.all);
  const read = element('span', { id: 'noise-over' });
  root.append(
    element('p', { textContent: NOISE.lead }),
    element('div', { className: 'slider' }, element('label', { htmlFor: slider.id }, NOISE.budget, value), slider),
    element('div', { className: 'buttons' }, go, stop, own), said,
    element('div', { className: 'noises' },
      element('figure', {}, noise, element('figcaption', { textContent: NOISE.noise })),
      element('figure', {}, over, element('figcaption', {}, `${NOISE.over}: `, read)),
      element('figure', { className: 'wide' }, all, element('figcaption', { textContent: NOISE.all }))),
  );
  /** The noise, and for which network it was made. @type {{change: Float32Array, subject: string} | null} */
  let made = null;
  let mine = 0;
  /** @type {AbortController | null} */
  let going = null;
  const who = () => JSON.stringify(session.subject);

  /** Lays the noise over the picture. */
  const lay = async () => {
    const { clean, network } = session.current;
    read.textContent = '';
    if (!clean || !network) return;
    if (!made || made.subject !== who()) {
      drawImage(over, clean.image);
      read.textContent = NOISE.none;
      return;
    }
    const { change } = made;
    const image = laidOver(clean.image, change);
    drawImage(over, image);
    const subject = session.subject;
    const { predicted, refused } = await session.engine.read(subject, image);
    if (session.current.clean !== clean) return;
    read.textContent = noiseOver(network.labels[clean.label], refused ? null : network.labels[predicted]);
    over.setAttribute('aria-label', `${NOISE.over}: ${read.textContent}`);
  };

  const search = async () => {
    const { pictures, network } = session.current;
    if (!pictures || !network) return;
    const now = ++mine;
    const { images, labels } = await pictures.samples(network.labels);
    const size = images[0].length;
    const flat = new Float32Array(size * images.length);
    images.forEach((image, i) => flat.set(image, i * size));
    const nothing = new Float32Array(size);
    const subject = who();
    mosaic.start(images.length);
    [go.disabled, stop.hidden] = [true, false];
    going = new AbortController();
    const show = (/** @type {{change: Float32Array, readings: Int32Array, pass: number}} */ { change, readings, pass }, /** @type {boolean} */ ended) => {
      if (now !== mine) return;
      made = { change, subject };
      drawPerturbation(noise, nothing, change);
      const misread = Array.from(readings, (label, i) => label >= 0 && label !== labels[i]);
      images.forEach((image, i) => mosaic.show(i, laidOver(image, change), misread[i] ? network.labels[readings[i]] : null, String(pass)));
      said.textContent = noiseWords(misread.filter(Boolean).length, images.length, ended);
      mosaic.describe(said.textContent);
      Object.assign(root.dataset, { fooled: misread.filter(Boolean).length, ended });
    };
    const about = { subject: session.subject, norm: NORM, epsilon: Number(slider.value), passes: PASSES, images: flat, labels };
    try {
      await session.aside(async (still, signal) => {
        const stopped = /** @type {AbortController} */ (going).signal;
        const found = await still(session.engine.universal(about, { onFrames: (frames) => show(/** @type {any} */ (frames.at(-1)), false), signal: AbortSignal.any([signal, stopped]) }));
        show(found, true);
      });
    } finally {
      if (now === mine) [go.disabled, stop.hidden] = [false, true];
    }
    if (now === mine) await lay();
  };

  go.addEventListener('click', () => search().catch((error) => (said.textContent = errorWords(error))));
  stop.addEventListener('click', () => going?.abort());
  own.addEventListener('click', () => byId('draw').click());
  slider.addEventListener('input', () => {
    value.textContent = rulerWords(Number(slider.value));
    slider.setAttribute('aria-valuetext', value.textContent);
  });
  session.on('clean', lay);
  session.on('network', () => {
    if (made?.subject === who()) return;
    mine++;
    made = null;
    said.textContent = '';
    [go.disabled, stop.hidden] = [false, true];
    delete root.dataset.fooled;
    mosaic.start(0);
    for (const canvas of [noise, over]) canvas.getContext('2d')?.clearRect(0, 0, canvas.width, canvas.height);
  });
  session.on('view', (view) => view === root.dataset.panel && lay());
}
