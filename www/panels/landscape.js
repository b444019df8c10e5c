// The landscape: the plane of two attacks on the picture, and what one, two or three subjects read all over it. Where a gradient is hidden
// one sees a cliff.

/** @import { Session } from '../app/session.js' */
/** @import { Plane } from '../parts/plane.js' */
/** @import { Offered } from '../parts/subjects.js' */

import { aim, ruled, startFor } from '../app/aim.js';
import { TICK } from '../app/opening.js';
import { element } from '../parts/dom.js';
import { COLOURS } from '../parts/latent.js';
import { drawImage, newCanvas } from '../parts/pixels.js';
import { SIDE, imageAt, planeOf, seats } from '../parts/plane.js';
import { of, subjectsLike } from '../parts/subjects.js';
import { errorWords } from '../words/en.js';
import { LANDSCAPE, landscapeAlt, planeWords, pointWords } from '../words/late-en.js';

/** Side of a drawing, in pixels. */
const SIZE = 492;

/** @typedef {{labels: Int16Array, confidences: Float32Array, refusals: Uint8Array}} Readings */

/** @param {HTMLElement} root @param {Session} session */
export function mount(root, session) {
  const { offers } = session;
  const select = (/** @type {string} */ id) => element('select', { id });
  const besides = [select('landscape-second'), select('landscape-third')];
  const words = element('p', { className: 'small', id: 'landscape-words' });
  const shown = element('div', { className: 'landscapes' });
  const status = element('p', { id: 'landscape-status', className: 'small' });
  status.setAttribute('role', 'status');
  root.append(
    element('div', { className: 'row' }, ...besides.map((one) => element('label', {}, `${LANDSCAPE.beside} `, one))),
    shown, status, words,
  );
  /** What is drawn: for which picture, target and subjects. */
  let drawn = '';
  /** @type {Plane | null} */
  let plane = null;
  let latest = 0;

  const fill = () => {
    const { model } = session.state;
    const all = subjectsLike(offers, model);
    const options = () => [element('option', { value: '', textContent: LANDSCAPE.none }), ...all.map(({ value, title }) => element('option', { value, textContent: title }))];
    for (const one of besides) {
      const before = one.value;
      one.replaceChildren(...options());
      one.value = all.some(({ value }) => value === before) ? before : '';
    }
  };
  /** Who is drawn: the chosen one as it stands, and those beside it. */
  const subjects = () => {
    const { model, defence } = session.state;
    const all = subjectsLike(offers, model);
    const own = of(offers, model, defence);
    own.subject = { ...own.subject, inference: session.state.inference };
    const chosen = besides.map(({ value }) => all.find((one) => one.value === value)).filter((one) => one !== undefined && one.value !== own.value);
    return [own, ...new Map(chosen.map((one) => [/** @type {Offered} */ (one).value, /** @type {Offered} */ (one)])).values()];
  };

  /** The two attacks that span the plane: the one that is shown, else the closest; and the closest towards another label. */
  const span = async () => {
    const { clean, network, outcome } = session.current;
    if (!clean || !network) return null;
    const own = of(offers, session.state.model, session.state.defence).subject;
    const { label, target, about } = aim(session);
    const values = ruled(session, offers.closest, { mode: 'min', steps: TICK(clean.image.length) });
    const attack = async (/** @type {number} */ towards) => {
      const task = { ...about.task, target: towards };
      const start = await startFor(session, offers.closest, task);
      return session.engine.attack({ subject: own, task: { ...task, start }, attack: offers.settings(offers.closest, values) });
    };
    const first = outcome && outcome.l2 > 0 ? outcome : await attack(target);
    const towards = outcome?.success ? outcome.predicted : target;
    const others = [...clean.probabilities.keys()].filter((i) => i !== label && i !== towards);
    const second = others.reduce((best, i) => (clean.probabilities[i] > clean.probabilities[best] ? i : best));
    const { image } = await attack(second);
    words.textContent = planeWords({ first: network.labels[towards], second: network.labels[second] });
    return planeOf(clean.image, first.image, image, SIDE(clean.image.length));
  };

  const draw = async () => {
    if (root.hidden) return;
    const { clean, network, outcome } = session.current;
    if (!clean || !network) {
      status.textContent = LANDSCAPE.first;
      return;
    }
    const all = subjects();
    const now = [session.dataset.key, session.state.digit, session.state.model, session.state.defence, outcome?.l2 ?? 0, outcome?.predicted ?? '', ...all.map(({ value }) => value)].join();
    if (now === drawn) return;
    drawn = now;
    const mine = ++latest;
    status.textContent = LANDSCAPE.busy;
    try {
      plane = await span();
      if (mine !== latest) return;
      shown.replaceChildren();
      if (!plane) return;
      const start = performance.now();
      const made = all.map((one) => place(one, /** @type {Plane} */ (plane), network.labels));
      for (const { read } of made) {
        await read();
        if (mine !== latest) return;
        root.dataset.ms = String(Math.round(performance.now() - start));
      }
      status.textContent = '';
      root.dataset.subjects = String(all.length);
    } catch (/** @type {any} */ error) {
      drawn = '';
      if (mine === latest) status.textContent = errorWords(error);
    }
  };

  /** Room for a subject's readings. @param {Offered} one @param {Plane} grid @param {string[]} names */
  const place = ({ title, subject }, grid, names) => {
    const side = grid.places.length;
    const canvas = element('canvas', { width: SIZE, height: SIZE, tabIndex: 0 });
    canvas.setAttribute('role', 'img');
    const image = newCanvas();
    const said = element('span', { className: 'small' });
    const under = element('div', { className: 'point' }, image, said);
    shown.append(element('figure', {}, element('figcaption', {}, element('strong', { textContent: title })), canvas, under));
    /** @type {Readings | null} */
    let readings = null;
    /** Where the hand or the keyboard points. */
    let at = { row: 0, column: 0 };
    const look = () => {
      const { row, column } = at;
      const [x, y] = [grid.places[column], grid.places[side - 1 - row]];
      const cell = row * side + column;
      drawImage(image, imageAt(grid, x, y));
      if (!readings) return;
      const l2 = Math.hypot(x, y);
      said.textContent = pointWords({ label: names[readings.labels[cell]], p: readings.confidences[cell], refused: readings.refusals[cell] === 1, l2 });
      paintPlane(canvas, grid, readings, names, rings(), at);
    };
    const point = (/** @type {PointerEvent} */ event) => {
      const { left, top, width, height } = canvas.getBoundingClientRect();
      const of = (/** @type {number} */ share) => Math.min(Math.max(Math.floor(share * side), 0), side - 1);
      at = { row: of((event.clientY - top) / height), column: of((event.clientX - left) / width) };
      look();
    };
    canvas.addEventListener('pointermove', point);
    canvas.addEventListener('pointerdown', point);
    canvas.addEventListener('keydown', (/** @type {KeyboardEvent} */ event) => {
      const step = /** @type {Record<string, [number, number]>} */ ({ ArrowUp: [-1, 0], ArrowDown: [1, 0], ArrowLeft: [0, -1], ArrowRight: [0, 1] })[event.key];
      if (!step) return;
      event.preventDefault();
      const inside = (/** @type {number} */ n) => Math.min(Math.max(n, 0), side - 1);
      at = { row: inside(at.row + step[0]), column: inside(at.column + step[1]) };
      look();
    });
    const zero = grid.places.reduce((best, x, i) => (Math.abs(x) < Math.abs(grid.places[best]) ? i : best), 0);
    const read = async () => {
      const found = { labels: new Int16Array(side * side), confidences: new Float32Array(side * side), refusals: new Uint8Array(side * side) };
      const rows = Array.from({ length: side }, (_, row) => row);
      let done = 0;
      await session.many.onPool(rows, async (worker, row) => {
        const line = await worker.plane(subject, grid, grid.places[side - 1 - row]);
        found.labels.set(line.labels, row * side);
        found.confidences.set(line.confidences, row * side);
        found.refusals.set(line.refusals, row * side);
        done++;
      });
      if (done < side) return;
      readings = found;
      at = { row: side - 1 - zero, column: zero };
      const shares = shareOf(found, names);
      canvas.setAttribute('aria-label', landscapeAlt({ title, shares }));
      canvas.dataset.read = JSON.stringify(Object.fromEntries(shares));
      look();
    };
    return { read };
  };

  /** The radii that are drawn: how far the attack went, and what one hardly sees. */
  const rings = () => {
    const { network } = session.current;
    const seen = network?.measure === 'l2' ? ({ ...network, ...session.thresholds }).valid : null;
    return { ball: plane?.first ?? 0, seen };
  };

  session.on('view', (view) => view === root.dataset.panel && draw());
  session.on('outcome', () => draw());
  session.on('network', fill);
  session.on('networks', fill);
  session.on('reset', () => {
    latest++;
    drawn = '';
    shown.replaceChildren();
    words.textContent = status.textContent = '';
    delete root.dataset.ms;
  });
  for (const one of besides) one.addEventListener('change', draw);
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', () => {
    drawn = '';
    draw();
  });
  fill();
}

/** What is read on which share of a plane, the most first. @param {Readings} readings @param {string[]} names @returns {[string, number][]} */
function shareOf({ labels, refusals }, names) {
  /** @type {Map<string, number>} */
  const count = new Map();
  labels.forEach((label, cell) => {
    const name = refusals[cell] ? 'refused' : names[label];
    count.set(name, (count.get(name) ?? 0) + 1 / labels.length);
  });
  return [...count].sort((a, b) => b[1] - a[1]);
}

/** Draws a plane. @param {HTMLCanvasElement} canvas @param {Plane} plane @param {Readings} readings @param {string[]} names @param {{ball: number, seen: number | null}} rings @param {{row: number, column: number}} at */
function paintPlane(canvas, { places, first, second }, { labels, confidences, refusals }, names, { ball, seen }, at) {
  const context = canvas.getContext('2d');
  if (!context) return;
  const side = places.length;
  const cell = SIZE / side;
  const style = getComputedStyle(document.body);
  const [ink, paper] = [style.getPropertyValue('--ink'), style.getPropertyValue('--card')];
  context.fillStyle = paper;
  context.fillRect(0, 0, SIZE, SIZE);
  for (let i = 0; i < labels.length; i++) {
    // Whole pixels, so that no seam is seen.
    const [x, y, right, bottom] = [i % side, Math.floor(i / side), (i % side) + 1, Math.floor(i / side) + 1].map((n) => Math.round(n * cell));
    context.globalAlpha = 0.2 + 0.7 * confidences[i];
    context.fillStyle = COLOURS[labels[i] % COLOURS.length];
    context.fillRect(x, y, right - x, bottom - y);
    if (!refusals[i]) continue;
    context.globalAlpha = 1;
    Object.assign(context, { strokeStyle: ink, lineWidth: 1.5 });
    context.beginPath();
    context.moveTo(x, bottom);
    context.lineTo(right, y);
    context.stroke();
  }
  context.globalAlpha = 1;
  const step = places[1] - places[0];
  const across = (/** @type {number} */ x) => ((x - places[0]) / step + 0.5) * cell;
  const up = (/** @type {number} */ y) => SIZE - across(y);
  Object.assign(context, { strokeStyle: ink, fillStyle: ink, lineWidth: 2, font: '600 22px system-ui, sans-serif', textAlign: 'center', textBaseline: 'middle' });
  for (const [radius, dash] of /** @type {[number | null, number[]][]} */ ([[ball, []], [seen, [7, 6]]])) {
    if (!radius) continue;
    context.setLineDash(dash);
    context.beginPath();
    context.arc(across(0), up(0), (radius / step) * cell, 0, 2 * Math.PI);
    context.stroke();
  }
  context.setLineDash([]);
  // The picture and the two attacks.
  for (const [x, y, open] of /** @type {[number, number, boolean][]} */ ([[0, 0, true], [first, 0, false], [...second, false]])) {
    context.beginPath();
    context.arc(across(x), up(y), open ? 8 : 5, 0, 2 * Math.PI);
    if (open) context.stroke();
    else context.fill();
  }
  const marks = labels.map((label, i) => (refusals[i] ? -1 : label));
  for (const [label, seat] of seats(marks, side)) {
    if (label < 0) continue;
    const [x, y] = [((seat % side) + 0.5) * cell, (Math.floor(seat / side) + 0.5) * cell];
    Object.assign(context, { lineWidth: 5, strokeStyle: paper });
    context.strokeText(names[label], x, y);
    context.fillText(names[label], x, y);
  }
  Object.assign(context, { lineWidth: 2, strokeStyle: ink });
  context.strokeRect(at.column * cell, at.row * cell, cell, cell);
}
