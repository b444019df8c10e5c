// The three pictures, every step of an attack as it comes, and its replay with the curves.

/** @import { Session } from '../app/session.js' */

import { Curve } from '../parts/curve.js';
import { byId } from '../parts/dom.js';
import { drawImage, drawPerturbation, useShape } from '../parts/pixels.js';
import { Player } from '../parts/player.js';
import { percent, plain } from '../words/en.js';

/** All canvases that show a picture of the data set. */
const CANVASES = ['original', 'perturbation', 'adversarial', 'sees', 'seen-before', 'seen-after', 'eye-image', 'crop-preview'];

/** The picture that stands there before anything has run. */
const opening = () => document.querySelectorAll('.opening');

/** About how many steps a search plays. */
const SEARCHED = 300;

/** @param {HTMLElement} _ @param {Session} session */
export function mount(_, session) {
  // Before anything is drawn.
  session.on('shape', (/** @type {[number, number, number]} */ image) => useShape(image, CANVASES.map(byId)));
  const curve = new Curve(byId('curve'), byId('curve-words'));
  const named = (/** @type {number} */ label) => session.current.network?.labels[label] ?? '';
  const player = new Player((frame, index, frames) => {
    const { clean } = session.current;
    if (!clean) return;
    drawImage(byId('adversarial'), frame.image);
    const gain = drawPerturbation(byId('perturbation'), clean.image, frame.image);
    byId('gain').textContent = gain ? `magnified × ${plain(gain)}` : 'nothing yet';
    const read = `reads ${named(frame.predicted)} (${percent(frame.probabilities[frame.predicted])})`;
    byId('adversarial-read').textContent = frame.refused ? 'refused' : read;
    byId('adversarial').setAttribute('aria-label', `The attacked picture, which ${frame.refused ? 'is refused' : read}`);
    curve.mark(index);
    byId('replay').value = index;
    byId('replay').setAttribute('aria-valuetext', `step ${plain(frame.step)}, ${read}`);
    byId('replay-value').textContent = `step ${plain(frame.step)} of ${plain(frames.at(-1).step)}`;
    session.tell('frame', { frame, index, frames });
  });
  session.on('reset', () => {
    player.clear();
    curve.draw([]);
    byId('replay-row').hidden = true;
  });
  session.on('picture', (image) => {
    drawImage(byId('original'), image);
    drawImage(byId('adversarial'), image);
    drawPerturbation(byId('perturbation'), image, image);
    for (const id of ['original-read', 'adversarial-read', 'gain']) byId(id).textContent = '';
  });
  /** The picture as it is, as a frame. @type {any} */
  let begun = null;
  session.on('clean', ({ predicted, confidence, refused, seen }) => {
    const { clean } = session.current;
    begun = clean && { image: clean.image, probabilities: clean.probabilities, predicted, refused, seen, step: 0, loss: 0, confidence: 0 };
    // Told to those who show frames, too.
    if (begun) session.tell('frame', { frame: begun, index: 0, frames: [begun] });
    const read = `reads ${named(predicted)} (${percent(confidence)})`;
    byId('original-read').textContent = refused ? `${read}, refused` : read;
    byId('original').setAttribute('aria-label', `The original, which ${read}`);
  });
  /** @type {{rounds: boolean, steps: number}} */
  let running = { rounds: false, steps: 1 };
  session.on('attack', ({ attack, values }) => {
    const { rounds } = session.offers.attack(attack);
    running = { rounds: rounds && values.mode === 'min', steps: values.steps ?? 1 };
    player.start(running.rounds ? SEARCHED : Math.min(running.steps, 160) + 1);
  });
  session.on('frames', (frames) => {
    player.add(frames);
    const last = frames.at(-1);
    const { rounds, steps } = running;
    if (rounds) {
      const found = player.frames.some(({ success }) => success);
      session.tell('status', found ? `Fooled; now looking for less (round ${last.round + 1})` : `Looking for a budget that will do (round ${last.round + 1})`);
    } else if (steps >= 1000) session.tell('status', `Step ${plain(last.step)} of ${plain(steps)}`);
  });
  session.on('outcome', (outcome) => {
    const { clean } = session.current;
    for (const picture of opening()) picture.remove();
    if (outcome.atOnce && clean) {
      // Shown as it ended: what was played before is over.
      player.clear();
      curve.draw([]);
      byId('replay-row').hidden = true;
      player.add([begun, { ...outcome, step: outcome.steps }]);
      player.seek(1);
      session.tell('played', outcome);
      return;
    }
    // The best image comes last, unless it is the last already.
    const best = { ...player.frames.at(-1), ...outcome, step: outcome.steps };
    if (player.frames.at(-1)?.image.some((/** @type {number} */ x, /** @type {number} */ i) => x !== outcome.image[i]) ?? true) player.add([best]);
    curve.draw(player.frames);
    byId('replay').max = player.frames.length - 1;
    byId('replay-row').hidden = false;
    player.finish(() => session.tell('played', outcome));
  });
  session.on('attack', () => opening().forEach((picture) => picture.remove()));
  // On a small screen one picture is large; held, it is the original.
  const root = byId('pictures-view');
  const hold = (/** @type {boolean} */ held) => {
    root.classList.toggle('held', held);
    byId('hold').setAttribute('aria-pressed', String(held));
  };
  for (const place of [byId('hold'), byId('adversarial')]) {
    place.addEventListener('pointerdown', () => hold(true));
    for (const end of ['pointerup', 'pointercancel', 'pointerleave']) place.addEventListener(end, () => hold(false));
    place.addEventListener('contextmenu', (/** @type {Event} */ event) => event.preventDefault());
  }
  byId('hold').addEventListener('keydown', (/** @type {KeyboardEvent} */ event) => event.key === ' ' && !event.repeat && hold(true));
  byId('hold').addEventListener('keyup', () => hold(false));
  for (const ending of ['failed', 'cancelled']) session.on(ending, () => player.stop());
  byId('replay').addEventListener('input', ({ target }) => player.seek(Number(target.value)));
}
