// The race: a hundred digits a subject; the budget grows, and one after the other falls to what is read instead, while the curve of what is
// still read draws itself.

/** @import { Session } from '../app/session.js' */
/** @import { Offered } from '../parts/subjects.js' */
/** @import { Outcome } from '../engine/protocol.js' */

import { ruled } from '../app/aim.js';
import { NORM, TICK } from '../app/opening.js';
import * as chart from '../lab/chart.js';
import * as files from '../lab/export.js';
import { element } from '../parts/dom.js';
import { save } from '../parts/download.js';
import { Mosaic } from '../parts/mosaic.js';
import { subjectsLike } from '../parts/subjects.js';
import { errorWords, normWords, rulerWords } from '../words/en.js';
import { RACE, raceBusy, raceEnded, raceLeft, raceNote } from '../words/late-en.js';

/** How many may take part, how long a race takes in milliseconds, and the steps of the budget. */
const [MOST, TIME, FINE] = [4, 9000, 300];

/**
 * @typedef {{offered: Offered, mosaic: Mosaic, left: HTMLElement, canvas: HTMLCanvasElement, fallen: ({l2: number, image: Float32Array, read: string} | null)[], records: Record<string, any>[]}} Racer
 *   `fallen`: of each digit the smallest change; null where none was found
 */

/** @param {HTMLElement} root @param {Session} session */
export function mount(root, session) {
  const { offers } = session;
  const entries = element('div', { className: 'rivals', id: 'race-entries' });
  entries.setAttribute('role', 'group');
  entries.setAttribute('aria-label', RACE.least);
  const run = element('button', { type: 'button', id: 'race-run', className: 'main', textContent: RACE.run });
  const stop = element('button', { type: 'button', id: 'race-stop', textContent: RACE.stop, hidden: true });
  const status = element('span', { id: 'race-status', className: 'small' });
  status.setAttribute('role', 'status');
  const slider = element('input', { type: 'range', id: 'race-budget', min: 0, max: FINE, step: 1, value: 0 });
  const value = element('output', { textContent: rulerWords(0) });
  const budget = element('div', { className: 'slider', hidden: true }, element('label', { htmlFor: slider.id }, RACE.budget, value), slider);
  const field = element('div', { className: 'racers' });
  const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
  svg.setAttribute('role', 'img');
  const figure = element('figure', { className: 'chart', hidden: true }, svg);
  const saves = ['CSV', 'JSON', 'SVG', 'PNG'].map((kind) => element('button', { type: 'button', id: `race-${kind.toLowerCase()}`, className: 'small-button', textContent: kind }));
  const saving = element('div', { className: 'buttons', hidden: true }, ...saves);
  root.append(element('p', { textContent: RACE.lead }), entries, element('div', { className: 'buttons' }, run, stop, status), budget, field, figure, saving);

  /** @type {Racer[]} */
  let racers = [];
  /** The digits. @type {Float32Array[]} */
  let images = [];
  let most = 1;
  /** @type {any[]} */
  let curves = [];
  let mine = 0;
  /** @type {AbortController | null} */
  let going = null;

  const boxes = () => /** @type {HTMLInputElement[]} */ ([...entries.querySelectorAll('input')]);
  const fill = () => {
    const { model } = session.state;
    const all = subjectsLike(offers, model);
    const before = boxes().filter(({ checked }) => checked).map(({ value: one }) => one);
    const own = all.map(({ subject }) => subject);
    const base = own[0]?.model;
    // The first, a VAE, one that was trained to withstand.
    const usual = all.filter(({ subject: { model: name, defence } }) => !defence && (name === base || offers.network(name).defends === base || name === all.find((one) => offers.network(one.subject.model).vae)?.subject.model));
    const picked = before.length ? before : usual.slice(0, MOST - 1).map(({ value: one }) => one);
    entries.replaceChildren(...all.map(({ value: one, title }) => element('label', { className: 'check' }, element('input', { type: 'checkbox', value: one, checked: picked.includes(one) }), title)));
  };
  entries.addEventListener('change', (/** @type {any} */ { target }) => {
    if (boxes().filter(({ checked }) => checked).length <= MOST) return;
    target.checked = false;
    status.textContent = RACE.most;
  });

  /** Shows how all stand at a budget. @param {number} l2 */
  const show = (l2) => {
    value.textContent = rulerWords(l2);
    slider.setAttribute('aria-valuetext', value.textContent);
    for (const { mosaic, left, fallen, offered } of racers) {
      let still = 0;
      fallen.forEach((one, place) => {
        const down = one !== null && one.l2 <= l2;
        still += Number(!down);
        mosaic.show(place, down ? one.image : images[place], down ? one.read : null);
      });
      left.textContent = raceLeft(still, fallen.length);
      mosaic.describe(`${offered.title}: ${left.textContent}`);
      left.dataset.left = String(still);
    }
    draw(l2);
  };
  const drawing = (/** @type {number} */ width, /** @type {any} */ colours, /** @type {number} */ upto) => ({
    width, colours, label: RACE.axis,
    networks: racers.map(({ offered: { value: name, title } }, look) => ({ name, title, look })),
    panels: [{ attack: RACE.title, title: '', axis: normWords(NORM).symbol, most, dense: true }],
    curves: curves.filter(({ x }) => x <= upto + 1e-9),
  });
  const draw = (/** @type {number} */ upto) => chart.draw(svg, drawing(Math.max(300, Math.floor(figure.clientWidth)), chart.theme(), upto));

  /** The curves: at every step how many are still read, with their intervals. */
  const summed = async () => {
    const steps = Array.from({ length: 61 }, (_, i) => (most * i) / 60);
    const asked = racers.flatMap(({ fallen }) => steps.map((x) => ['share', fallen.filter((one) => one === null || one.l2 > x).length, fallen.length]));
    const answers = await session.engine.statistics(asked);
    curves = racers.flatMap(({ offered, fallen }, r) => steps.map((x, i) => ({
      network: offered.value, attack: RACE.title, x, hits: asked[r * steps.length + i][1], attacked: fallen.length, fooled: answers[r * steps.length + i],
    })));
  };

  const play = () => {
    const still = mine;
    if (matchMedia('(prefers-reduced-motion: reduce)').matches) {
      slider.value = String(FINE);
      show(most);
      return;
    }
    /** @type {number | null} */
    let start = null;
    const tick = (/** @type {number} */ now) => {
      if (still !== mine || root.hidden) return;
      start ??= now;
      const share = Math.min((now - start) / TIME, 1);
      slider.value = String(Math.round(FINE * share));
      show(most * share);
      if (share < 1) requestAnimationFrame(tick);
    };
    requestAnimationFrame(tick);
  };

  const race = async () => {
    const { pictures, network } = session.current;
    const chosen = boxes().filter(({ checked }) => checked).map(({ value: one }) => one);
    const all = subjectsLike(offers, session.state.model).filter(({ value: one }) => chosen.includes(one));
    if (!pictures || !network) return;
    if (!all.length) {
      status.textContent = RACE.least;
      return;
    }
    const now = ++mine;
    [run.disabled, stop.hidden, saving.hidden, budget.hidden] = [true, false, true, true];
    delete root.dataset.done;
    const shipped = pictures.labelled;
    const samples = await pictures.samples(network.labels);
    const { labels } = samples;
    images = samples.images;
    racers = all.map((offered) => {
      const canvas = element('canvas');
      const left = element('span', { className: 'small' });
      const mosaic = new Mosaic(canvas);
      mosaic.start(shipped.length);
      mosaic.describe(offered.title);
      return { offered, mosaic, left, canvas, fallen: new Array(shipped.length).fill(null), records: [] };
    });
    field.replaceChildren(...racers.map(({ offered, canvas, left }) => element('figure', {}, canvas, element('figcaption', {}, element('strong', { textContent: offered.title }), ' ', left))));
    images.forEach((image, place) => racers.forEach(({ mosaic }) => mosaic.show(place, image, null)));
    const items = shipped.flatMap((picture, place) => racers.map((racer) => ({ picture, place, racer })));
    const settings = offers.settings(offers.closest, ruled(session, offers.closest, { mode: 'min', steps: TICK(images[0].length) }));
    going = new AbortController();
    const { signal: stopped } = going;
    let done = 0;
    status.textContent = raceBusy(0, items.length);
    await session.many.onPool(items, async (worker, { picture, place, racer }, signal) => {
      if (stopped.aborted) return;
      const label = labels[place];
      const other = labels.findIndex((one) => one !== label);
      const task = { image: images[place], index: picture.id, label, target: null, only_if_read: true, start: images[other] };
      const outcome = await worker.attack({ subject: racer.offered.subject, task, attack: settings }, { signal });
      racer.records[place] = outcome.record;
      racer.fallen[place] = fallenOf(outcome, network.labels);
      done++;
      if (now === mine) status.textContent = raceBusy(done, items.length);
    });
    if (now !== mine) return;
    [run.disabled, stop.hidden, run.textContent] = [false, true, RACE.again];
    if (done < items.length) {
      status.textContent = '';
      return;
    }
    most = 1.03 * Math.max(0.1, ...racers.flatMap(({ fallen }) => fallen.map((one) => one?.l2 ?? 0)));
    try {
      await summed();
    } catch (/** @type {any} */ error) {
      status.textContent = errorWords(error);
      return;
    }
    status.textContent = raceEnded(racers.map(({ offered: { title }, fallen }) => ({ title, half: half(fallen) })));
    [budget.hidden, figure.hidden, saving.hidden] = [false, false, false];
    root.dataset.done = String(done);
    play();
  };

  run.addEventListener('click', () => race().catch((error) => (status.textContent = errorWords(error))));
  stop.addEventListener('click', () => {
    going?.abort();
    mine++;
    [run.disabled, stop.hidden] = [false, true];
    status.textContent = '';
  });
  slider.addEventListener('input', () => {
    // The hand takes over.
    mine++;
    show((most * Number(slider.value)) / FINE);
  });
  const records = () => racers.flatMap((racer) => racer.records);
  const settingsOf = () => ({ networks: racers.map(({ offered }) => offered.value), norm: NORM, gradients: TICK(images[0].length), target: null, images: 'the shipped sample', version: offers.version });
  const drawn = () => {
    const made = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
    chart.draw(made, { ...drawing(960, chart.LIGHT, most), note: raceNote });
    return made;
  };
  const [csv, json, image, png] = saves;
  csv.addEventListener('click', () => save('misread-race.csv', files.csv(offers.record, records()), 'text/csv'));
  json.addEventListener('click', () => save('misread-race.json', files.json(settingsOf(), offers.record, records()), 'application/json'));
  image.addEventListener('click', () => save('misread-race.svg', files.svgText(drawn()), 'image/svg+xml'));
  png.addEventListener('click', async () => {
    try {
      save('misread-race.png', await files.png(drawn()));
    } catch (/** @type {any} */ error) {
      session.tell('notice', { words: errorWords(error) });
    }
  });
  new ResizeObserver(() => !figure.hidden && draw((most * Number(slider.value)) / FINE)).observe(figure);
  session.on('network', fill);
  session.on('networks', fill);
  // Another picture or network ends what was being sought; what a race came to stays.
  session.on('reset', () => {
    if (stop.hidden) return;
    mine++;
    [run.disabled, stop.hidden] = [false, true];
    status.textContent = '';
  });
  fill();
}

/** What became of a digit: at which L2 it fell, at 0 where it is misread or refused as it is. @param {Outcome} outcome @param {string[]} names */
function fallenOf({ record, success, l2, image, predicted, refused }, names) {
  if (record.skipped !== null) return { l2: 0, image, read: record.refused ? '–' : names[record.clean_predicted] };
  return success && !refused ? { l2, image, read: names[predicted] } : null;
}

/** The budget at which half have fallen. @param {Racer['fallen']} fallen */
function half(fallen) {
  const all = fallen.map((one) => one?.l2 ?? Infinity).sort((a, b) => a - b);
  const at = all[Math.ceil(all.length / 2) - 1];
  return Number.isFinite(at) ? at : null;
}
