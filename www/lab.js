// Wires the lab together: settings, a study on all workers, and what it finds.

import { onDrop } from './bring.js';
import { Engine } from './engine.js';
import { LAB } from './lab/attacks.js';
import * as chart from './lab/chart.js';
import * as files from './lab/export.js';
import { FIELDS, NETWORKS, initialState, readHash, writeHash, written } from './lab/state.js';
import { SURE, Study, plan } from './lab/study.js';
import { summarise } from './lab/summary.js';
import { showTable } from './lab/table.js';
import * as words from './lab/words.js';
import * as networks from './networks.js';
import { Pool } from './pool.js';
import { bestBuild, whyUnsupported } from './support.js';
import { milliseconds } from './text.js';
import { Choices } from './view/choices.js';
import { notify, report } from './view/notice.js';

const $ = (id) => document.getElementById(id);

/** The first digits of the test set, for the lab alone. */
const DIGITS = 'mnist-lab';
/** The least time between two drawings of the results, in milliseconds. */
const PAUSE = 250;
/** What is said while the results come in. */
const RUNNING = 'The bands narrow with every digit.';
/** What stands for a finding where there is none. */
const NOTHING = { title: 'Nothing yet', words: 'it takes a VAE and a plain network.' };

let state = initialState();
let engine; // for digits, statistics and what the visitor brings
let pool = null; // the workers that attack
let study = null; // the latest, which may be complete or not
let running = null; // its run: a promise
let work = Promise.resolve(); // what the workers do for it
let summary = { rows: [], curves: [], comparisons: [] };
let inference;
let fits = false; // whether the settings are still those of the latest study
let spent = 0; // milliseconds on the latest study so far
const vaes = new Set(NETWORKS.filter((name) => name.endsWith('-vae')));
const wrong = new Map(); // what is not right in the form: field to words

/** Which buttons can be pressed. */
function showButtons() {
  const idle = !running;
  $('run').disabled = !idle || wrong.size > 0 || !engine;
  $('cancel').disabled = idle || !study;
  $('go-on').hidden = !idle || !fits || !study || study.complete || wrong.size > 0;
  for (const field of document.querySelectorAll('#settings fieldset')) field.disabled = !idle;
  for (const id of ['save-csv', 'save-json', 'save-svg', 'save-png']) $(id).disabled = !study?.done;
  if (idle) $('status').textContent = wrong.size ? 'Something above is not right.' : `${words.amount(state, plan(state).length)} attacks`;
}

/** Takes a change of the settings; results stay as they are, they have their own. */
function change(changes) {
  Object.assign(state, changes, { run: 0 });
  fits = false;
  history.replaceState(null, '', writeHash(state));
  showButtons();
  if (!study) drawResults();
}

/** Says what is not right with a field; nothing when all is. */
function complain(name, message) {
  const place = $(`${name}-wrong`);
  place.textContent = message;
  place.hidden = !message;
  $(name)?.setAttribute('aria-invalid', String(Boolean(message)));
  if (message) wrong.set(name, message);
  else wrong.delete(name);
}

/** Takes what a visitor types into a field; says what is not right with it once it is `typed`. */
function take(name, typed) {
  const value = FIELDS[name].parse($(name).value);
  if (typed || value !== undefined) complain(name, value === undefined ? `This has to be ${FIELDS[name].expects}.` : '');
  if (value !== undefined) change({ [name]: value });
  if (value !== undefined && typed) $(name).value = written(value);
  showButtons();
}

/** Takes what is ticked. */
function takeTicked(name) {
  const picked = [...document.querySelectorAll(`#settings input[name=${name}]:checked`)].map(({ value }) => value);
  complain(name, picked.length ? '' : `Choose at least one of the ${name}.`);
  if (picked.length) change({ [name]: picked });
  else showButtons();
}

function buildNetworks() {
  $('networks').replaceChildren(
    ...networks.names('mnist').map((value) => {
      const label = Object.assign(document.createElement('label'), { className: 'check' });
      label.append(Object.assign(document.createElement('input'), { type: 'checkbox', name: 'networks', value }), networks.short(value));
      return label;
    }),
  );
}

/** Puts the settings into the form. */
function showState() {
  for (const name of ['networks', 'attacks']) {
    for (const box of document.querySelectorAll(`#settings input[name=${name}]`)) box.checked = state[name].includes(box.value);
  }
  for (const name of ['linf', 'l1', 'digits', 'steps', 'seed']) $(name).value = written(state[name]);
  inference.pick(state.inference);
  for (const name of [...wrong.keys()]) complain(name, '');
}

/** Empties the results. */
function clear() {
  summary = { rows: [], curves: [], comparisons: [] };
  drawResults();
}

/** What the chart is drawn of. */
function drawing(width, colours) {
  const settings = study?.settings ?? state;
  const all = networks.names('mnist');
  const shown = settings.networks.map((name) => {
    const how = settings.inference === 'sampled' && vaes.has(name) ? ', sampled' : '';
    return { name, title: networks.short(name) + how, look: all.indexOf(name) };
  });
  const panels = Object.keys(LAB).filter((attack) => settings.attacks.includes(attack)).map((attack) => {
    const { title, axis } = LAB[attack];
    const known = summary.curves.filter((point) => point.attack === attack).map(({ x }) => x);
    return { attack, title, axis, dense: !settings[attack], most: Math.max(...(settings[attack] ?? (known.length ? known : [2]))) };
  });
  return { width, colours, networks: shown, panels, curves: summary.curves };
}

const drawChart = () => chart.draw($('chart'), drawing(Math.max(300, Math.floor($('chart').parentElement.clientWidth)), chart.theme()));

function drawResults() {
  drawChart();
  $('findings').hidden = !study;
  const { inference: how } = study?.settings ?? state;
  showTable($('table'), summary.rows, how, vaes);
  const { verdict, pairs } = words.found(summary.comparisons);
  $('verdict').textContent = verdict;
  $('found').replaceChildren(...(pairs.length ? pairs : [NOTHING]).map(({ vae = '', plain = '', title, words: said }) => {
    const line = document.createElement('li');
    Object.assign(line.dataset, { vae, plain });
    line.append(Object.assign(document.createElement('strong'), { textContent: title }), `: ${said}`);
    return line;
  }));
}

/** Sums up a study as far as it is, and draws that. A worker that was lost is replaced by the next call. */
async function showResults(mine) {
  const sum = () => summarise(mine, (asked) => engine.statistics(asked));
  const found = await sum().catch(sum);
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
  if (running || wrong.size) return;
  notify(said);
  change({});
  state.run = 1;
  history.replaceState(null, '', writeHash(state));
  study = null;
  fits = true;
  spent = 0;
  clear();
  const start = performance.now();
  report('running', RUNNING);
  await occupy(async () => {
    $('status').textContent = 'Loading the digits…';
    try {
      study = new Study({ ...state }, await engine.samples(DIGITS), vaes);
    } catch (error) {
      report('error', '');
      notify(error.message, () => begin());
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
  } catch (error) {
    report('error', '');
    notify(error.message, () => begin());
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
  pool ??= new Pool(bestBuild());
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

/** What a file of records says of how they came about. */
function settings() {
  const { networks: names, inference: reading, digits, attacks, linf, l1, steps, seed } = study.settings;
  return {
    dataset: 'mnist', networks: names, inference: reading, digits, target: '(label + 1) mod 10', attacks,
    ...(attacks.includes('linf') && { linf }), ...(attacks.includes('l1') && { l1 }), steps, seed: seed === '' ? null : seed,
    ...(attacks.some((attack) => !(attack in study.settings)) && reading === 'sampled' && { confidence_on_draws: SURE }),
    ...study.thresholds, build: bestBuild(), complete: study.complete,
  };
}

/** The chart as it is saved: on white, of one size on all machines, with what it shows. */
function savedChart() {
  const { digits, steps, seed } = study.settings;
  const part = study.complete ? '' : `, as far as ${study.done.toLocaleString('en')} of ${study.all.toLocaleString('en')} attacks`;
  const note = `MNIST, the first ${digits} test digits${part}; aim: the next digit; ${steps} steps${seed === '' ? '' : `; random starts, seed ${seed}`}; 95 % Wilson bands.`;
  const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
  chart.draw(svg, { ...drawing(960, chart.LIGHT), note });
  return svg;
}

/** Takes a weights file of the visitor's. */
async function bringOwn(file) {
  if (running || !file) return;
  try {
    const name = await networks.adopt(file, engine);
    if (networks.datasetOf(name) !== 'mnist') throw new Error(`${file.name} reads faces; the lab is about digits.`);
    const { vae } = await engine.load(name);
    if (vae) vaes.add(name);
    else vaes.delete(name);
    pool?.stop();
    pool = null;
    buildNetworks();
    notify('');
    study = null;
    clear();
    change({ networks: [...new Set([...state.networks, name])] });
    showState();
  } catch (error) {
    notify(error.message);
  }
}

function listen() {
  for (const name of ['linf', 'l1', 'digits', 'steps', 'seed']) {
    $(name).addEventListener('input', () => take(name, false));
    $(name).addEventListener('change', () => take(name, true));
  }
  // Budgets are typed for an attack that is to run.
  for (const name of ['linf', 'l1']) {
    $(name).addEventListener('change', () => {
      $(`use-${name}`).checked = true;
      takeTicked('attacks');
    });
  }
  $('settings').addEventListener('change', ({ target }) => ['networks', 'attacks'].includes(target.name) && takeTicked(target.name));
  $('settings').addEventListener('submit', (event) => {
    event.preventDefault();
    begin();
  });
  $('cancel').addEventListener('click', cancel);
  $('go-on').addEventListener('click', resume);
  $('save-csv').addEventListener('click', () => files.save('misread-lab.csv', files.csv(study.records), 'text/csv'));
  $('save-json').addEventListener('click', () => files.save('misread-lab.json', files.json(settings(), study.records), 'application/json'));
  $('save-svg').addEventListener('click', () => files.save('misread-lab.svg', files.svgText(savedChart()), 'image/svg+xml'));
  $('save-png').addEventListener('click', async () => {
    try {
      files.save('misread-lab.png', await files.png(savedChart()));
    } catch (error) {
      notify(error.message);
    }
  });
  $('own').addEventListener('change', ({ target }) => {
    bringOwn(target.files[0]);
    target.value = '';
  });
  onDrop(bringOwn);
  addEventListener('hashchange', () => location.reload());
  matchMedia('(prefers-color-scheme: dark)').addEventListener('change', drawChart);
  new ResizeObserver(drawChart).observe($('chart').parentElement);
}

inference = new Choices($('inference'), {
  name: 'inference',
  options: [{ value: 'mean', label: 'its mean' }, { value: 'sampled', label: 'a draw, another each time' }],
  onPick: (value) => change({ inference: value }),
});
buildNetworks();
const { state: asked, problems } = readHash(location.hash);
state = asked;
const unsupported = whyUnsupported();
if (!unsupported) engine = new Engine(bestBuild());
showState();
showButtons();
clear();
listen();
notify(unsupported ?? problems.join(' '));
if (unsupported) report('error', unsupported);
else if (state.run) begin(problems.join(' '));
else report('idle', 'Press Run, and watch the curves grow.');
