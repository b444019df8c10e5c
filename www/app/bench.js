// Times gradients and the pool of workers. The result is a table, and /** @type {any} */ (window).benchResult for programs.
// bench.html#build=simd128 forces a build.

import { Cancelled, Engine } from '../engine/client.js';
import { Pool } from '../engine/pool.js';
import { bestBuild, whyUnsupported } from '../engine/support.js';
import { sampleImages } from '../parts/pixels.js';
import { notify } from '../parts/notice.js';
import { errorWords, plain } from '../words/en.js';
import { Offers } from './offers.js';

const BUILDS = ['simd128', 'relaxed-simd'];
const BATCHES = [1, 8, 32];
const DIGITS = 100;

const $ = (/** @type {string} */ id) => /** @type {any} */ (document.getElementById(id));

function addRow(row) {
  const cells = [row.model, row.batch, plain(row.ms), plain(row.ms / row.batch), plain(row.gflops), plain(row.percent_of_peak)];
  const tr = document.createElement('tr');
  tr.append(...cells.map((cell) => Object.assign(document.createElement('td'), { textContent: cell })));
  $('rows').append(tr);
}

/** Attacks all images of the sample on a pool, with the first attack there is. @param {Pool} pool @param {any} about */
function attackAll(pool, { samples, dataset, model, attack }) {
  const numbers = Array.from({ length: DIGITS }, (_, i) => i);
  const subject = { model, inference: 'mean', defence: '', attacker: 'adaptive' };
  return pool.map(numbers, async (engine, i) => {
    const label = samples.labels[i];
    const image = sampleImages(dataset.image, samples.pixels, i);
    const task = { image, index: i, label, target: (label + 1) % dataset.labels.length, only_if_read: true };
    await engine.attack({ subject, task, attack: { attack } });
  });
}

/** How long 100 digits take on one worker and on all, in milliseconds. @param {string} build @param {number} workers @param {any} about @param {Running} running */
async function measurePool(build, workers, about, running) {
  const pools = { one: new Pool(build, 1), all: new Pool(build, workers) };
  running.push(...Object.values(pools));
  const best = { one: Infinity, all: Infinity };
  // Once to load, and for the engine to optimise its code; then in turns, the best of each, so that a busy moment
  // hits both.
  for (const pool of Object.values(pools)) await attackAll(pool, about);
  for (let round = 0; round < 5; round++) {
    for (const [name, pool] of Object.entries(pools)) {
      const start = performance.now();
      await attackAll(pool, about);
      best[name] = Math.min(best[name], performance.now() - start);
    }
  }
  return { workers, ms_one: best.one, ms_all: best.all, speedup: best.one / best.all };
}

/** What works for a measurement, and can be stopped. @typedef {{stop(): void}[]} Running */

/** Measures, and shows each number when it is there. @param {Running} running */
async function run(running) {
  const wanted = new URLSearchParams(location.hash.slice(1)).get('build');
  if (wanted && !BUILDS.includes(wanted)) throw new Error(`There is no build “${wanted}”; there are ${BUILDS.join(' and ')}.`);
  const steps = BATCHES.length + 3;
  let done = 0;
  const progress = (words) => {
    $('progress').value = done++ / steps;
    $('status').textContent = words;
  };

  const engine = new Engine(wanted ?? bestBuild());
  running.push(engine);
  progress('Loading…');
  const offers = new Offers(await engine.catalogue());
  const { build } = engine;
  $('build').textContent = build;
  const [dataset] = offers.datasets;
  const [model] = offers.names(dataset.key);
  const samples = await engine.samples(dataset.key, dataset.sample ?? '');
  progress('Multiplying and adding…');
  /** @type {any} */
  const result = { build, peak_gflops: await engine.peak(), rows: [] };
  $('peak').textContent = `${plain(result.peak_gflops)} GFLOP/s`;
  await engine.load(model);
  for (const batch of BATCHES) {
    progress(`${model}, batch ${batch}…`);
    const row = await engine.bench(model, sampleImages(dataset.image, samples.pixels, 0, batch));
    result.rows.push(row);
    addRow(row);
  }
  const workers = navigator.hardwareConcurrency || 2;
  progress(`${workers} workers against one…`);
  result.pool = await measurePool(build, workers, { samples, dataset, model, attack: offers.attacks[0].key }, running);
  const { ms_one, ms_all, speedup } = result.pool;
  $('pool').textContent =
    `${plain(ms_one)} ms on one worker, ${plain(ms_all)} ms on ${workers} (${plain(speedup)} times faster)`;
  $('progress').value = 1;
  $('status').textContent = 'Done.';
  /** @type {any} */ (window).benchResult = result;
}

/** What runs now. @type {Running} */
let running = [];

/** Measures once, from a press of the button to its end or a cancel. */
async function begin() {
  notify('');
  $('rows').replaceChildren();
  for (const id of ['peak', 'pool']) $(id).textContent = '–';
  delete (/** @type {any} */ (window).benchResult);
  running = [];
  [$('start').disabled, $('cancel').disabled] = [true, false];
  try {
    await run(running);
  } catch (/** @type {any} */ error) {
    const cancelled = error instanceof Cancelled;
    $('status').textContent = cancelled ? 'Cancelled.' : '';
    if (!cancelled) notify(errorWords(error), begin);
    /** @type {any} */ (window).benchResult = { error: cancelled ? 'cancelled' : errorWords(error) };
  } finally {
    for (const part of running) part.stop();
    [$('start').disabled, $('cancel').disabled] = [false, true];
  }
}

const unsupported = whyUnsupported();
if (unsupported) notify(unsupported);
else {
  $('start').disabled = false;
  $('start').addEventListener('click', begin);
  $('cancel').addEventListener('click', () => running.forEach((part) => part.stop()));
}
addEventListener('hashchange', () => location.reload());
