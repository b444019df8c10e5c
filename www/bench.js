// Times gradients and the pool of workers. The result is a table, and window.benchResult for programs.
// bench.html#build=simd128 forces a build.

import { Engine } from './engine.js';
import { Pool } from './pool.js';
import { bestBuild, whyUnsupported } from './support.js';
import { plain } from './text.js';
import { sampleImages } from './view/pixels.js';

const BUILDS = ['simd128', 'relaxed-simd'];
const MODELS = ['mnist-cnn'];
const BATCHES = [1, 8, 32];
const DIGITS = 100;

const $ = (id) => document.getElementById(id);

function addRow(row) {
  const cells = [row.model, row.batch, plain(row.ms), plain(row.ms / row.batch), plain(row.gflops), plain(row.percent_of_peak)];
  const tr = document.createElement('tr');
  tr.append(...cells.map((cell) => Object.assign(document.createElement('td'), { textContent: cell })));
  $('rows').append(tr);
}

/** Attacks all digits of the sample on a pool. */
function attackAll(pool, samples, model) {
  const digits = Array.from({ length: DIGITS }, (_, i) => i);
  return pool.map(digits, async (engine, i) => {
    const label = (samples.labels[i] + 1) % 10;
    const options = { method: 'linf', published: false, search: false, budget: 0.3, steps: 40, confidence: 0, earlyStop: false, seed: null };
    const { promise } = engine.attack({ model, image: sampleImages(samples, i), label, targeted: true, options, quiet: true });
    await promise.catch((error) => {
      // A digit that is misread by itself, and as just that, is refused: a result like another.
      if (!/already/.test(error.message)) throw error;
    });
  });
}

/** How long 100 digits take on one worker and on all, in milliseconds. */
async function measurePool(build, workers, samples, model) {
  const pools = { one: new Pool(build, 1), all: new Pool(build, workers) };
  const best = { one: Infinity, all: Infinity };
  try {
    // Once to load, and for the engine to optimise its code; then in turns, the best of each, so that a busy moment
    // hits both.
    for (const pool of Object.values(pools)) await attackAll(pool, samples, model);
    for (let round = 0; round < 5; round++) {
      for (const [name, pool] of Object.entries(pools)) {
        const start = performance.now();
        await attackAll(pool, samples, model);
        best[name] = Math.min(best[name], performance.now() - start);
      }
    }
  } finally {
    for (const pool of Object.values(pools)) pool.stop();
  }
  return { workers, ms_one: best.one, ms_all: best.all, speedup: best.one / best.all };
}

async function run() {
  const wanted = new URLSearchParams(location.hash.slice(1)).get('build');
  if (wanted && !BUILDS.includes(wanted)) throw new Error(`There is no build “${wanted}”; there are ${BUILDS.join(' and ')}.`);
  const build = wanted ?? bestBuild();
  $('build').textContent = build;
  const steps = MODELS.length * BATCHES.length + 3;
  let done = 0;
  const progress = (words) => {
    $('progress').value = done++ / steps;
    $('status').textContent = words;
  };

  const engine = new Engine(build);
  progress('Loading…');
  const samples = await engine.samples();
  progress('Multiplying and adding…');
  const result = { build, peak_gflops: await engine.peak(), rows: [] };
  $('peak').textContent = `${plain(result.peak_gflops)} GFLOP/s`;
  for (const model of MODELS) {
    await engine.load(model);
    for (const batch of BATCHES) {
      progress(`${model}, batch ${batch}…`);
      const { percentOfPeak, ...row } = await engine.bench(model, sampleImages(samples, 0, batch));
      result.rows.push({ ...row, percent_of_peak: percentOfPeak });
      addRow(result.rows.at(-1));
    }
  }
  engine.stop();
  const workers = navigator.hardwareConcurrency || 2;
  progress(`${workers} workers against one…`);
  result.pool = await measurePool(build, workers, samples, MODELS[0]);
  const { ms_one, ms_all, speedup } = result.pool;
  $('pool').textContent =
    `${plain(ms_one)} ms on one worker, ${plain(ms_all)} ms on ${workers} (${plain(speedup)} times faster)`;
  $('progress').value = 1;
  $('status').textContent = 'Done.';
  window.benchResult = result;
}

const unsupported = whyUnsupported();
(unsupported ? Promise.reject(new Error(unsupported)) : run()).catch((error) => {
  $('notice').textContent = error.message;
  $('notice').hidden = false;
  $('status').textContent = '';
  window.benchResult = { error: error.message };
});
addEventListener('hashchange', () => location.reload());
