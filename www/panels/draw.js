// A digit of the visitor's own: drawn, read while it is drawn, with a map of where ink would bring the wanted label nearer and where
// erasing would (one gradient, as a step of the attack within a strength shows it).

/** @import { Session } from '../app/session.js' */
/** @import { Digit } from '../parts/ink.js' */

import { ruled } from '../app/aim.js';
import { likeliestThree } from '../app/offers.js';
import { byId, element } from '../parts/dom.js';
import { MIDDLE, SIDE, centred } from '../parts/ink.js';
import { Pad } from '../parts/pad.js';
import { paints } from '../parts/pixels.js';
import { errorWords } from '../words/en.js';
import { PAD, padWords } from '../words/late-en.js';

/** How far the step goes whose direction is shown. */
const STEP = 0.5;

/** @param {HTMLElement} root @param {Session} session */
export function mount(root, session) {
  const dialog = /** @type {HTMLDialogElement} */ (root);
  const target = /** @type {HTMLSelectElement} */ (byId('pad-target'));
  const map = /** @type {HTMLCanvasElement} */ (byId('pad-wish'));
  const open = /** @type {HTMLButtonElement} */ (byId('draw'));
  /** Whether something is asked for, and whether the drawing has changed since. */
  let [asking, again, ended] = [false, false, false];
  /** Which view is shown: under a noise a drawing is not attacked besides. */
  let view = '';
  session.on('view', (shown) => (view = shown));
  /** The drawing as a digit. @type {Digit | null} */
  let digit = null;
  const say = (/** @type {string} */ words) => (byId('pad-read').textContent = words);
  const clearMap = () => map.getContext('2d')?.clearRect(0, 0, map.width, map.height);
  const pad = new Pad(byId('pad-ink'), {
    moved: () => follow(false),
    ended: () => follow(true),
  });

  /** Reads what is drawn, the latest of it; after a stroke also the map. @param {boolean} whole */
  async function follow(whole) {
    ended ||= whole;
    if (asking) {
      again = true;
      return;
    }
    asking = true;
    try {
      do {
        again = false;
        const finished = ended;
        ended = false;
        await look(finished);
      } while (again || ended);
    } catch (/** @type {any} */ error) {
      say(errorWords(error));
    } finally {
      asking = false;
    }
  }

  /** @param {boolean} finished */
  async function look(finished) {
    const { network } = session.current;
    digit = centred(pad.ink(), pad.side);
    byId('pad-take').disabled = !digit || !network;
    byId('pad-undo').disabled = byId('pad-clear').disabled = pad.strokes === 0;
    if (!digit || !network) {
      clearMap();
      say(PAD);
      return;
    }
    const { predicted, refused, probabilities } = await session.engine.read(session.subject, digit.image);
    say(padWords(likeliestThree(probabilities, network.labels), refused, network.labels[Number(target.value)]));
    if (finished) await wish(predicted);
  }

  /** Paints where ink would help. @param {number} predicted */
  async function wish(predicted) {
    const wanted = Number(target.value);
    const now = digit;
    clearMap();
    if (!now || !byId('pad-show').checked || wanted === predicted) return;
    const { within } = session.offers;
    const values = ruled(session, within, { mode: 'fixed', steps: 1, epsilon: STEP });
    const task = { image: now.image, index: 0, label: predicted, target: wanted };
    const { image } = await session.engine.attack({ subject: session.subject, task, attack: session.offers.settings(within, values) }).catch(() => ({ image: now.image }));
    if (again || now !== digit) return;
    const change = now.image.map((x, i) => image[i] - x);
    const most = change.reduce((max, d) => Math.max(max, Math.abs(d)), 0);
    const context = map.getContext('2d');
    if (!context || most <= 0) return;
    const side = 1 / now.scale;
    // The field is black whatever the page is.
    const [up, down] = paints(true);
    change.forEach((d, i) => {
      const [r, g, b] = d > 0 ? up : down;
      context.fillStyle = `rgb(${r} ${g} ${b} / ${(0.85 * Math.abs(d)) / most})`;
      context.fillRect(now.x + ((i % SIDE) - MIDDLE) * side, now.y + (Math.floor(i / SIDE) - MIDDLE) * side, side + 0.5, side + 0.5);
    });
  }

  session.on('network', ({ labels }) => {
    const before = target.value;
    target.replaceChildren(...labels.map((/** @type {string} */ label, /** @type {number} */ i) => element('option', { value: String(i), textContent: label })));
    target.value = before && Number(before) < labels.length ? before : '3';
  });
  session.on('current', () => (open.disabled = !session.current.network));
  open.addEventListener('click', () => {
    dialog.showModal();
    follow(true);
  });
  target.addEventListener('change', () => follow(true));
  byId('pad-show').addEventListener('change', () => follow(true));
  byId('pad-erase').addEventListener('click', () => {
    pad.erases = !pad.erases;
    byId('pad-erase').setAttribute('aria-pressed', String(pad.erases));
  });
  byId('pad-undo').addEventListener('click', () => pad.undo());
  byId('pad-clear').addEventListener('click', () => pad.clear());
  byId('pad-close').addEventListener('click', () => dialog.close());
  byId('pad-photo').addEventListener('click', () => {
    dialog.close();
    byId('picture').click();
  });
  byId('pad-take').addEventListener('click', async () => {
    if (!digit) return;
    dialog.close();
    await session.actions.draw(digit.image, view !== 'noise');
  });
}
