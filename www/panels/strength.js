// The ruler: how long the change may be (L2), where each network breaks on this picture, and from where on the eye notices. Moving it
// attacks anew each time.

/** @import { Session } from '../app/session.js' */
/** @import { Outcome } from '../engine/protocol.js' */

import { onRuler, NORM } from '../app/opening.js';
import { byId, element } from '../parts/dom.js';
import { idle } from '../parts/idle.js';
import { plain, rulerWords, tickWords } from '../words/en.js';

/** The ruler's own steps. */
const FINE = 1000;
/** The rows in which the names of the networks find room, and how wide a letter is as a share of a ruler of that many pixels. */
const [ROWS, LETTER] = [4, 8.2];
/** Images larger than this are attacked for one network alone, as the others are large, too. */
const LARGE = 10_000;

/** @param {HTMLElement} _ @param {Session} session */
export function mount(_, session) {
  const { offers } = session;
  const input = /** @type {HTMLInputElement} */ (byId('strength'));
  let most = 1;
  // Small changes matter more: half of the ruler is the first quarter of what it spans.
  const place = (/** @type {number} */ l2) => Math.sqrt(Math.min(l2 / most, 1));
  const value = () => Number((most * (Number(input.value) / FINE) ** 2).toFixed(3));
  Object.assign(input, { min: 50, max: FINE, step: 1 });
  /** Where networks break, by name; of one that misreads the picture as it is 0. @type {Map<string, number>} */
  let broken = new Map();
  /** For which picture and target that was asked, and is. */
  let asked = { picture: '', digit: /** @type {number | 'own' | null} */ (null), model: '' };

  const forget = () => [broken, asked] = [new Map(), { picture: '', digit: null, model: '' }];
  const say = (/** @type {number} */ l2) => {
    const words = rulerWords(l2);
    byId('strength-value').textContent = words;
    input.setAttribute('aria-valuetext', words);
  };
  const show = (/** @type {number} */ l2) => {
    input.value = String(Math.round(FINE * place(l2)));
    say(l2);
  };
  const ticks = () => {
    const { network } = session.current;
    const width = byId('ticks').clientWidth || 600;
    const ends = new Array(ROWS).fill(-1);
    const sorted = [...broken].sort((a, b) => a[1] - b[1]);
    const marks = sorted.map(([name, l2]) => {
      const at = place(l2);
      const title = offers.short(name);
      const short = tickWords(offers.network(name), title);
      const long = (LETTER * short.length + 12) / width;
      const free = ends.findIndex((end) => end < at);
      const row = free < 0 ? ends.indexOf(Math.min(...ends)) : free;
      // Near the end a name stands before its tick.
      const before = at + long > 1;
      ends[row] = before ? at : at + long;
      const tick = element('button', { type: 'button', className: `tick${before ? ' before' : ''}`, title: `${title} breaks at L2 ${plain(l2)}: attack it` }, element('span', { textContent: short }));
      tick.dataset.model = name;
      tick.dataset.l2 = String(l2);
      if (name === session.state.model) tick.setAttribute('aria-current', 'true');
      tick.style.setProperty('--at', String(at));
      tick.style.setProperty('--row', String(row));
      tick.addEventListener('click', async () => {
        await session.actions.choose({ model: name });
        await session.actions.live();
      });
      return tick;
    });
    if (network?.measure === NORM) {
      const { valid } = { ...network, ...session.thresholds };
      const eye = element('span', { className: 'seen', title: `From a length of ${plain(valid)} on, the change counts as visible` }, 'visible');
      eye.style.setProperty('--at', String(place(valid)));
      marks.push(eye);
    }
    byId('ticks').replaceChildren(...marks);
  };
  /** The networks that are compared: the first, the VAEs, one that was trained to withstand, and the chosen one. */
  const compared = () => {
    const { image, key } = session.dataset;
    if (image.reduce((product, n) => product * n, 1) > LARGE) return [session.state.model];
    const own = offers.names(key).filter((name) => offers.shipped.includes(name));
    const trained = own.find((name) => offers.network(name).defends === own[0]);
    if (!own.length) return [session.state.model];
    return [...new Set([own[0], ...own.filter((name) => offers.network(name).vae && !offers.network(name).defends), ...(trained ? [trained] : []), session.state.model])];
  };
  const ask = async (/** @type {Outcome} */ outcome) => {
    const { digit, model } = session.state;
    const now = { picture: [session.dataset.key, digit, outcome.target].join(), digit, model };
    if (asked.picture === now.picture && asked.model === model) return;
    if (asked.picture !== now.picture) broken = new Map();
    asked = now;
    ticks();
    await idle(2000);
    if (asked !== now || session.current.outcome?.label !== outcome.label) return;
    // A search that was longer, and was to be surer, has come nearer than the short one may.
    const known = outcome.success && !outcome.refused && session.state.defence === '' ? outcome[NORM] : Infinity;
    const left = compared().filter((name) => !broken.has(name));
    await session.many.breaks(left, (name, found) => {
      if (asked !== now) return;
      broken.set(name, found ? Math.min(found[NORM], name === model ? known : Infinity) : 0);
      ticks();
    });
  };

  session.on('pictures', ({ dataset }) => {
    most = dataset.budgets[NORM].high;
    forget();
    ticks();
  });
  const closest = /** @type {HTMLButtonElement} */ (byId('closest'));
  session.on('current', () => (closest.disabled = input.disabled = !session.current.clean || !session.current.network));
  closest.addEventListener('click', () => session.actions.closest());
  session.on('network', ticks);
  session.on('picture', () => {
    if (asked.digit !== session.state.digit) forget();
    ticks();
  });
  session.on('regraded', ticks);
  session.on('clean', () => {
    byId('strength-value').textContent = '';
    input.setAttribute('aria-valuetext', '');
  });
  session.on('outcome', (/** @type {Outcome} */ outcome) => {
    const { attack, values } = outcome;
    const own = onRuler(offers, attack, values);
    // What the hand holds stays where it is.
    if (own && values.mode === 'fixed') {
      if (document.activeElement !== input || Math.abs(value() - values.epsilon) > 0.02) show(values.epsilon);
    } else if (outcome[NORM] > 0) show(outcome[NORM]);
    if (own) ask(outcome);
  });
  input.addEventListener('input', () => {
    say(value());
    session.actions.strength(value());
  });
}
