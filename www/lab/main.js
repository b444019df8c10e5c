// Wires the lab together: settings, a study on all workers, and what it finds.

/** @import { Pool } from '../engine/pool.js' */

import { Offers } from '../app/offers.js';
import { Engine } from '../engine/client.js';
import { Pool as Workers } from '../engine/pool.js';
import { bestBuild, whyUnsupported } from '../engine/support.js';
import { Address } from '../parts/address.js';
import { onArrival } from '../parts/arrivals.js';
import { byId as $, element } from '../parts/dom.js';
import { save } from '../parts/download.js';
import { kindOf } from '../parts/kind.js';
import { notify, report } from '../parts/notice.js';
import { sampleImages } from '../parts/pixels.js';
import { errorWords, milliseconds } from '../words/en.js';
import * as chart from './chart.js';
import * as files from './export.js';
import { Form } from './form.js';
import { ownThreshold } from '../parts/kept.js';
import { presets } from './presets.js';
import { LabTable } from './state.js';
import { SURE, Study, plan } from './study.js';
import { summarise } from './summary.js';
import { showTable } from './table.js';
import * as words from './words.js';

/** The least time between two drawings of the results, in milliseconds. */
const PAUSE = 250;
/** What is said while the results come in. */
const RUNNING = 'The bands narrow with every digit.';
/** What stands for a finding where there is none. */
const NOTHING = { title: 'Nothing yet', words: 'it takes a VAE and a plain network.' };

/** @typedef {{network: string, norm: string, attacked: number, distances: (number | null)[]}} Shipped a curve of the shipped study */

/** The curves of the study that ships, of a data set; none where they cannot be had. @param {string} dataset @returns {Promise<Shipped[]>} */
async function shipped(dataset) {
  try {
    const response = await fetch(new URL('../../models/study/curves.json', import.meta.url));
    const { parts } = await response.json();
    return parts.find((/** @type {any} */ part) => part.dataset === dataset)?.curves ?? [];
  } catch {
    return [];
  }
}

/** The lab, for what there is. @param {Engine} engine for statistics and what the visitor brings @param {Offers} offers */
function lab(engine, offers) {
  const dataset = /** @type {import('../engine/protocol.js').Dataset} */ (offers.datasets.find(({ lab }) => lab));
  const table = new LabTable(offers, dataset);
  const { state: asked, problems } = table.readHash(location.hash);
  const state = asked;
  const address = new Address();
  /** What the study found that ships. @type {Shipped[]} */
  let known = [];
  /** The workers that attack. @type {Pool | null} */
  let pool = null;
  /** The latest, which may be complete or not; null before the first. @type {any} */
  let study = null;
  /** Its run. @type {Promise<void> | null} */
  let running = null;
  /** What the workers do for it. @type {Promise<any>} */
  let work = Promise.resolve();
  /** @type {any} */
  let summary = { rows: [], curves: [], comparisons: [] };
  let fits = false; // whether the settings are still those of the latest study
  let spent = 0; // milliseconds on the latest study so far
  const form = new Form(offers, table, change);
  const all = presets(offers, table);
  $('presets').replaceChildren(...all.map(({ key, settings: own }) => {
    const [title, what] = words.PRESETS[key];
    const button = element('button', { type: 'button' }, element('strong', { textContent: title }), element('small', { textContent: what }));
    button.dataset.preset = key;
    button.addEventListener('click', () => {
      if (running) return;
      change({ ...table.initial(), valid: state.valid, ...own });
      form.show(state);
    });
    return button;
  }));

  /** Which buttons can be pressed. */
  function showButtons() {
    const idle = !running;
    $('run').disabled = !idle || form.wrong.size > 0;
    if (form.wrong.size) $('details').open = true;
    for (const button of $('presets').children) button.disabled = !idle;
    $('cancel').disabled = idle || !study;
    $('go-on').hidden = !idle || !fits || !study || study.complete || form.wrong.size > 0;
    for (const field of $('settings').querySelectorAll('fieldset')) field.disabled = !idle;
    for (const id of ['save-csv', 'save-json', 'save-svg', 'save-png']) $(id).disabled = !study?.done;
    if (idle) $('status').textContent = form.wrong.size ? 'Something above is not right.' : `${words.amount(state, plan(table, state).length)} attacks`;
  }

  /** Takes a change of the settings; results stay as they are, they have their own. */
  function change(changes) {
    Object.assign(state, changes, { run: 0 });
    fits = false;
    address.write(table.writeHash(state));
    showButtons();
    if (!study) drawResults();
    showPreset();
  }

  /** Marks the experiment that the settings are. */
  function showPreset() {
    for (const button of $('presets').children) {
      const { settings: own } = /** @type {import('./presets.js').Preset} */ (all.find(({ key }) => key === button.dataset.preset));
      button.setAttribute('aria-pressed', String(Object.entries(own).every(([name, value]) => String(state[name]) === String(value))));
    }
    $('run').textContent = study || !known.length ? words.RUN.run : words.RUN.repeat;
  }

  /** Empties the results. */
  function clear() {
    summary = { rows: [], curves: [], comparisons: [] };
    drawResults();
  }

  /** What the chart is drawn of. */
  function drawing(width, colours) {
    const settings = study?.settings ?? state;
    const all = offers.names(dataset.key);
    const shown = settings.networks.map((name) => {
      const how = settings.inference === 'sampled' && offers.network(name).vae ? ', sampled' : '';
      return { name, title: offers.short(name) + how, look: all.indexOf(name) };
    });
    // Beside other settings the study says nothing.
    const comparable = settings.inference === offers.inferences[0] && !settings.defence;
    const behind = table.attacks.filter(({ key, decides }) => comparable && decides && settings.attacks.includes(key)).flatMap(({ key: attack, norm }) =>
      known.filter((one) => one.norm === norm && settings.networks.includes(one.network)).map(({ network, distances }) => {
        const points = distances.flatMap((far, i) => (far === null ? [] : [/** @type {[number, number]} */ ([far, i / (distances.length - 1)])]));
        return { attack, network, title: offers.short(network), look: all.indexOf(network), points };
      }));
    const panels = table.attacks.filter(({ key }) => settings.attacks.includes(key)).map(({ key: attack, title, axis }) => {
      const own = summary.curves.filter((point) => point.attack === attack).map(({ x }) => x);
      const before = behind.filter((one) => one.attack === attack).map(({ points }) => points[Math.floor(0.96 * points.length)]?.[0] ?? 0);
      return { attack, title, axis, dense: !settings[attack], most: Math.max(...(settings[attack] ?? [...own, ...before, ...(own.length + before.length ? [] : [2])])) };
    });
    $('behind').hidden = !behind.length;
    return { width, colours, networks: shown, panels, curves: summary.curves, behind };
  }

  const drawChart = () => chart.draw($('chart'), drawing(Math.max(300, Math.floor($('chart').parentElement.clientWidth)), chart.theme()));

  function drawResults() {
    drawChart();
    $('findings').hidden = !study;
    const { inference: how, valid } = study?.settings ?? state;
    $('valid-at').textContent = String(valid);
    showTable($('table'), summary.rows, how, study?.vaes ?? new Set(), table, offers);
    const { verdict, pairs } = words.found(summary.comparisons, table, offers);
    $('verdict').textContent = verdict;
    $('found').replaceChildren(...(pairs.length ? pairs : [NOTHING]).map(({ vae = '', plain = '', title, words: said }) => {
      const line = element('li', {}, element('strong', { textContent: title }), `: ${said}`);
      Object.assign(line.dataset, { vae, plain });
      return line;
    }));
  }

  /** Sums up a study as far as it is, and draws that. */
  async function showResults(mine) {
    const found = await summarise(mine, table, offers.grades, (asked) => engine.statistics(asked));
    if (mine !== study) return;
    summary = found;
    drawResults();
  }

  function showProgress(mine, start, before) {
    const { done, all } = mine;
    $('progress').value = all ? done / all : 0;
    const now = performance.now() - start;
    const left = done > before ? (now * (all - done)) / (done - before) : null;
    const time = left === null ? 'loading…' : `about ${words.duration(left)} left`;
    $('status').textContent = `${done.toLocaleString('en')} of ${all.toLocaleString('en')} attacks, ${time}`;
  }

  /** Begins a study of the settings, with words above the form where there is something to say of them. */
  async function begin(said = '') {
    if (running || form.wrong.size) return;
    notify(said);
    change({});
    state.run = 1;
    address.write(table.writeHash(state));
    study = null;
    fits = true;
    spent = 0;
    clear();
    const start = performance.now();
    report('running', RUNNING);
    showPreset();
    await occupy(async () => {
      $('status').textContent = 'Loading the digits…';
      try {
        study = new Study(offers, table, { ...state }, await engine.samples(dataset.key, dataset.lab ?? ''));
      } catch (/** @type {any} */ error) {
        report('error', '');
        notify(errorWords(error), () => begin());
        return;
      }
      spent = performance.now() - start;
      await goOn();
    });
  }

  /** Marks the page as busy while `work` runs. */
  async function occupy(work) {
    running = work();
    showButtons();
    try {
      await running;
    } catch (/** @type {any} */ error) {
      report('error', '');
      notify(errorWords(error), () => begin());
    } finally {
      running = null;
      showButtons();
    }
  }

  /** Does what is left of the study. */
  async function goOn() {
    const mine = study;
    const [start, before] = [performance.now(), mine.done];
    report('running', RUNNING);
    showButtons();
    $('chart').scrollIntoView({ block: 'nearest' });
    pool ??= new Workers(engine.build);
    let ended = false;
    work = mine.run(pool).then(() => (ended = true));
    for (let pause = PAUSE; !ended; ) {
      showProgress(mine, start, before);
      await Promise.race([work, new Promise((resolve) => setTimeout(resolve, pause))]);
      if (ended || mine.done === before) continue;
      const drawn = performance.now();
      await showResults(mine).catch((error) => mine.fail(error));
      pause = Math.max(PAUSE, 3 * (performance.now() - drawn));
    }
    spent += performance.now() - start;
    await showResults(mine);
    showProgress(mine, start, before);
    const counts = `${mine.done.toLocaleString('en')} of ${mine.all.toLocaleString('en')} attacks`;
    const data = { ms: Math.round(spent), attacks: mine.done };
    if (mine.complete) report('done', `${mine.all.toLocaleString('en')} attacks in ${milliseconds(spent)}.`, data);
    else if (mine.wrong) {
      report('error', `Stopped after ${counts}. What is done stays.`, data);
      notify(mine.wrong, resume);
    } else report('cancelled', `Cancelled after ${counts}. What is shown and saved is what was done until then.`, data);
  }

  /** Goes on with a study that was stopped. */
  function resume() {
    notify('');
    return occupy(goOn);
  }

  /** Stops the study; what is done stays. */
  async function cancel() {
    if (!running || !pool || !study) return;
    $('status').textContent = 'Stopping…';
    const mine = pool;
    if (!(await study.stop(work, mine)) && pool === mine) pool = null;
  }

  /** What a file of records says of how they came about. @param {Study} made */
  function settings(made) {
    const { networks, inference, defence, attacker, digits, attacks, steps, seed } = made.settings;
    const budgets = table.bounded.filter(({ key }) => attacks.includes(key)).map(({ key }) => [key, made.settings[key]]);
    const searches = attacks.some((/** @type {string} */ key) => !table.attack(key).bounded);
    return {
      dataset: dataset.key, networks, inference, ...(defence && { defence, attacker }), digits, target: `(label + 1) mod ${dataset.labels.length}`, attacks, ...Object.fromEntries(budgets),
      steps, seed: seed === '' ? null : seed, ...(searches && inference === 'sampled' && { confidence_on_draws: SURE }),
      ...made.thresholds, build: engine.build, complete: made.complete,
    };
  }

  /** The chart as it is saved: on white, of one size on all machines, with what it shows. */
  function savedChart() {
    const { digits, steps, seed } = study.settings;
    const part = study.complete ? '' : `, as far as ${study.done.toLocaleString('en')} of ${study.all.toLocaleString('en')} attacks`;
    const note = `${dataset.title}, the first ${digits} test digits${part}; aim: the next digit; ${steps} steps${seed === '' ? '' : `; random starts, seed ${seed}`}; 95 % Wilson bands.`;
    const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
    chart.draw(svg, { ...drawing(960, chart.LIGHT), note });
    return svg;
  }

  /** Takes a weights file of the visitor's. @param {File} file */
  async function bringOwn(file) {
    if (running) return;
    try {
      const { pixels, labels } = await engine.samples(dataset.key, dataset.sample ?? '');
      const images = Array.from(labels, (_, i) => sampleImages(dataset.image, pixels, i));
      const adopted = await offers.adopt(file, engine, {
        samples: async ({ key }) => (key === dataset.key ? { images, labels: [...labels] } : { images: [], labels: [] }),
        ask: null,
      });
      if (!adopted) return;
      const { name, said } = adopted;
      if (offers.labelsOf(name).join('\n') !== dataset.labels.join('\n') && offers.network(name).dataset === dataset.key) {
        throw new Error(`${file.name} tells other things apart than the images of the lab show.`);
      }
      if (offers.network(name).dataset !== dataset.key) throw new Error(`${file.name} reads ${offers.datasetOf(name).nouns[1]}; the lab is about ${dataset.nouns[1]}.`);
      pool?.stop();
      pool = null;
      form.buildNetworks();
      notify(said);
      study = null;
      clear();
      change({ networks: [...new Set([...state.networks, name])] });
      form.show(state);
    } catch (/** @type {any} */ error) {
      notify(errorWords(error));
    }
  }

  function listen() {
    $('settings').addEventListener('submit', (event) => {
      event.preventDefault();
      begin();
    });
    $('cancel').addEventListener('click', cancel);
    $('go-on').addEventListener('click', resume);
    $('save-csv').addEventListener('click', () => save('misread-lab.csv', files.csv(offers.record, study.records), 'text/csv'));
    $('save-json').addEventListener('click', () => save('misread-lab.json', files.json(settings(study), offers.record, study.records), 'application/json'));
    $('save-svg').addEventListener('click', () => save('misread-lab.svg', files.svgText(savedChart()), 'image/svg+xml'));
    $('save-png').addEventListener('click', async () => {
      try {
        save('misread-lab.png', await files.png(savedChart()));
      } catch (/** @type {any} */ error) {
        notify(errorWords(error));
      }
    });
    onArrival('own', bringOwn);
    onArrival('drop', async (file) => ((await kindOf(file)) === 'weights' ? bringOwn(file) : notify(`${file.name} is no weights file (.safetensors) and no ONNX, which is what the lab can take.`)));
    addEventListener('hashchange', () => location.reload());
    matchMedia('(prefers-color-scheme: dark)').addEventListener('change', drawChart);
    new ResizeObserver(drawChart).observe($('chart').parentElement);
  }

  // Who follows no link is asked the first question.
  if (location.hash.length < 2) Object.assign(state, all[0].settings);
  // The threshold of the visitor's own eye, where one was taken over and the link names none.
  const own = ownThreshold();
  if (own !== null && !/[#&]valid=/.test(location.hash)) state.valid = own;
  // Whoever follows a link wants to see what it sets.
  $('details').open = location.hash.length > 1;
  form.show(state);
  showButtons();
  clear();
  listen();
  showPreset();
  shipped(dataset.key).then((curves) => {
    known = curves;
    drawChart();
    showPreset();
    if ($('result').dataset.state === 'idle') report('idle', words.before(known.length > 0));
  });
  notify(problems.join(' '));
  if (state.run) begin(problems.join(' '));
  else report('idle', words.before(false));
}

async function start() {
  const engine = new Engine(bestBuild());
  lab(engine, new Offers(await engine.catalogue()));
  document.body.classList.remove('waiting');
}

/** @param {string} words @param {() => void} [retry] */
function failed(words, retry) {
  notify(words, retry);
  report('error', words);
}

function open() {
  notify('');
  start().catch((error) => failed(errorWords(error), open));
}

const unsupported = whyUnsupported();
if (unsupported) failed(unsupported);
else open();
