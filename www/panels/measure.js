// The visitor's own eye, measured: ten attacked pictures, each seen for a moment, of a change that grows. What comes of it is a threshold of
// validity with its interval, which one can take over. Nothing leaves the machine.

/** @import { Session } from '../app/session.js' */

import { ruled } from '../app/aim.js';
import { STEPS } from '../app/opening.js';
import { element } from '../parts/dom.js';
import { keepThreshold } from '../parts/kept.js';
import { drawImage, newCanvas } from '../parts/pixels.js';
import { thresholdOf } from '../parts/psychometric.js';
import { errorWords } from '../words/en.js';
import { EYE, eyeFound, eyeRound } from '../words/late-en.js';

/** Rounds, the smallest and the largest change of them (L2), and how long a picture is seen, in milliseconds. */
const [ROUNDS, LEAST, MOST, SEEN] = [10, 1.5, 12, 2000];

const strength = (/** @type {number} */ round) => LEAST * (MOST / LEAST) ** (round / (ROUNDS - 1));

/** @param {HTMLElement} root @param {Session} session */
export function mount(root, session) {
  const dialog = /** @type {HTMLDialogElement} */ (root);
  const words = element('p', { id: 'measure-words' });
  words.setAttribute('role', 'status');
  const place = element('div', { className: 'measured' });
  const answers = element('div', { className: 'answers', id: 'measure-answers' });
  const start = element('button', { type: 'button', className: 'main', id: 'measure-start', textContent: EYE.start });
  const take = element('button', { type: 'button', id: 'measure-take', textContent: EYE.take });
  const close = element('button', { type: 'button', id: 'measure-close', textContent: EYE.close });
  dialog.append(element('p', { className: 'small', textContent: EYE.lead }), place, words, answers, element('div', { className: 'answers' }, start, take, close));
  /** @type {{strength: number, right: boolean}[]} */
  let given = [];
  let found = 0;
  /** What is asked: the label, and how strongly the picture was changed; null between rounds. @type {{label: number, strength: number} | null} */
  let asked = null;
  let mine = 0;

  const reset = () => {
    mine++;
    asked = null;
    given = [];
    place.replaceChildren();
    answers.replaceChildren();
    words.textContent = EYE.next;
    [start.hidden, start.textContent, take.hidden] = [false, EYE.start, true];
  };
  const ask = async () => {
    const { pictures, network } = session.current;
    if (!pictures || !network) return;
    const now = ++mine;
    const round = given.length;
    const { labelled } = pictures;
    const picture = labelled[Math.floor(Math.random() * labelled.length)];
    const image = await pictures.image(picture.id);
    const label = network.labels.indexOf(/** @type {string} */ (picture.label));
    const target = (label + 1 + Math.floor(Math.random() * (network.labels.length - 1))) % network.labels.length;
    const { within } = session.offers;
    const values = ruled(session, within, { mode: 'fixed', steps: STEPS, epsilon: strength(round) });
    const subject = { ...session.subject, defence: '', attacker: session.offers.attackers[0] };
    const { image: attacked, l2 } = await session.engine.attack({ subject, task: { image, index: picture.id, label, target }, attack: session.offers.settings(within, values) });
    if (now !== mine || !dialog.open) return;
    const canvas = newCanvas(eyeRound(round + 1, ROUNDS));
    drawImage(canvas, attacked);
    place.replaceChildren(canvas);
    asked = { label, strength: l2 };
    dialog.dataset.round = String(round + 1);
    words.textContent = eyeRound(round + 1, ROUNDS);
    setTimeout(() => {
      if (now !== mine || !asked) return;
      canvas.getContext('2d')?.clearRect(0, 0, canvas.width, canvas.height);
      words.textContent = `${eyeRound(round + 1, ROUNDS)}. ${EYE.gone}`;
    }, SEEN);
  };
  const answer = (/** @type {number | null} */ label) => {
    if (!asked) return;
    given.push({ strength: asked.strength, right: label === asked.label });
    asked = null;
    if (given.length < ROUNDS) {
      next();
      return;
    }
    mine++;
    place.replaceChildren();
    answers.replaceChildren();
    const { threshold, low, high } = thresholdOf(given);
    found = Number(threshold.toFixed(2));
    words.textContent = eyeFound({ threshold, low, high, right: given.filter(({ right }) => right).length, all: ROUNDS });
    Object.assign(dialog.dataset, { threshold: found, low: low.toFixed(3), high: high.toFixed(3) });
    [start.hidden, start.textContent, take.hidden] = [false, EYE.again, false];
    take.focus();
  };
  const next = () => ask().catch((error) => (words.textContent = errorWords(error)));

  start.addEventListener('click', () => {
    const { network } = session.current;
    if (!network) return;
    reset();
    start.hidden = true;
    // So that what is typed arrives.
    dialog.tabIndex = -1;
    dialog.focus();
    answers.replaceChildren(...[...network.labels, EYE.cannot].map((textContent, i) => {
      const button = element('button', { type: 'button', textContent });
      button.addEventListener('click', () => answer(i < network.labels.length ? i : null));
      return button;
    }));
    next();
  });
  // A digit can be typed.
  dialog.addEventListener('keydown', ({ key }) => {
    const label = session.current.network?.labels.indexOf(key) ?? -1;
    if (label >= 0) answer(label);
  });
  take.addEventListener('click', () => {
    keepThreshold(found);
    session.change({ valid: found }, { run: session.state.run });
    session.actions.regrade();
    words.textContent = EYE.taken;
    take.hidden = true;
  });
  close.addEventListener('click', () => dialog.close());
  dialog.addEventListener('close', reset);
  session.on('open-measure', () => {
    reset();
    dialog.showModal();
  });
}
