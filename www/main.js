// Wires state, engine and views together.

import { Cancelled, Engine } from './engine.js';
import { Pool } from './pool.js';
import { FIELDS, readHash, writeHash } from './state.js';
import { bestBuild, whyUnsupported } from './support.js';
import * as text from './text.js';
import { Bars } from './view/bars.js';
import { Choices } from './view/choices.js';
import { Gallery } from './view/gallery.js';
import { SIDE, drawImage, drawPerturbation, sampleImages } from './view/pixels.js';
import { Player } from './view/player.js';

/** What the slider of steps stands for. */
const STEPS = [1, 2, 5, 10, 20, 40, 60, 100, 200, 500, 1000, 5000, 20000];

const $ = (id) => document.getElementById(id);
const result = $('result');
const gallery = new Gallery($('gallery'));

let engine;
let pool = null; // the workers of Every target, made when first wanted
let state;
let samples; // {pixels, labels, indices}
let network; // {title, labels, facts, build}
let digits;
let targets;
let bars;
let job = null; // the attack that runs: {cancel}
// The digit as the network reads it: {image, label, probabilities}. Null until it is known.
let clean = null;

const player = new Player((frame) => {
  drawImage($('adversarial'), frame.image);
  const gain = drawPerturbation($('perturbation'), clean.image, frame.image);
  $('gain').textContent = gain ? `magnified × ${text.plain(gain)}` : 'nothing yet';
  $('adversarial-read').textContent = `reads ${frame.predicted} (${text.percent(frame.probabilities[frame.predicted])})`;
  bars.after(frame.probabilities);
  showNumbers(frame);
});

function showNumbers(frame, ms) {
  const show = (id, value) => ($(id).textContent = frame ? value() : '–');
  show('linf', () => text.plain(frame.linf));
  show('l2', () => text.plain(frame.l2));
  show('l1', () => text.plain(frame.l1));
  show('taken', () => text.plain(frame.step));
  show('gradients', () => text.plain(frame.gradients));
  $('time').textContent = ms === undefined ? '–' : text.milliseconds(ms);
}

/** Words above the form, with a button that tries again when `retry` is given. */
function notify(message, retry) {
  const notice = $('notice');
  notice.replaceChildren(message);
  if (retry) {
    const button = Object.assign(document.createElement('button'), { type: 'button', textContent: 'Try again' });
    button.addEventListener('click', retry);
    notice.append(button);
  }
  notice.hidden = !message;
}

/** Puts a state into `#result`, for people and for programs. */
function report(dataState, words, data = {}) {
  for (const name of Object.keys(result.dataset)) delete result.dataset[name];
  Object.assign(result.dataset, { state: dataState }, data);
  result.textContent = words;
  document.body.classList.toggle('fooled', data.success === true);
}

function busy(running, words) {
  $('attack').disabled = $('every').disabled = running || !network || !samples;
  $('cancel').disabled = !running;
  $('status').textContent = words;
}

function change(changes) {
  Object.assign(state, changes, { run: 0 });
  history.replaceState(null, '', writeHash(state));
  showState();
}

function showState() {
  $('epsilon').value = state.epsilon;
  $('epsilon-value').textContent = text.plain(state.epsilon);
  $('steps').value = STEPS.findIndex((s, i) => s >= state.steps || i === STEPS.length - 1);
  $('steps-value').textContent = text.plain(state.steps);
  digits?.pick(String(state.digit));
  targets?.pick(state.target);
  if (samples) targets?.disable([String(samples.labels[state.digit])]);
}

/** Shows the picked digit as it is, and how the network reads it. */
async function showDigit() {
  job?.cancel();
  player.stop();
  clean = null;
  $('gallery-section').hidden = true;
  const { digit, model } = state;
  const image = sampleImages(samples, digit);
  drawImage($('original'), image);
  drawImage($('adversarial'), image);
  drawPerturbation($('perturbation'), image, image);
  for (const id of ['original-read', 'adversarial-read', 'gain']) $(id).textContent = '';
  bars.after(null);
  showNumbers(null);
  report('idle', '');
  const probabilities = await engine.read(model, image);
  if (digit !== state.digit || model !== state.model) return;
  clean = { image, label: samples.labels[digit], probabilities };
  const predicted = likeliest(probabilities);
  $('original-read').textContent = `reads ${predicted} (${text.percent(probabilities[predicted])})`;
  bars.before(probabilities);
  bars.mark(clean.label, -1);
}

/** The label that is read. */
const likeliest = (probabilities) => probabilities.indexOf(Math.max(...probabilities));

/** The likeliest label that is neither the true one nor the one read. */
function likeliestOther({ label, probabilities }) {
  const predicted = likeliest(probabilities);
  const others = [...probabilities.keys()].filter((i) => i !== label && i !== predicted);
  return others.reduce((best, i) => (probabilities[i] > probabilities[best] ? i : best));
}

async function attack() {
  if (job) return;
  try {
    await showDigit();
    if (job || !clean) return;
    await runAttack();
  } catch (error) {
    fail(error);
  }
}

async function runAttack() {
  const { image, label } = clean;
  const { model, epsilon, steps } = state;
  const targeted = state.target !== 'any';
  const target = state.target === 'auto' ? likeliestOther(clean) : Number(state.target);
  state.run = 1;
  history.replaceState(null, '', writeHash(state));
  bars.mark(label, targeted ? target : -1);
  report('running', '');
  busy(true, `Attacking: ${label} → ${targeted ? target : 'anything else'}`);
  result.scrollIntoView({ block: 'nearest' });
  player.start(Math.min(steps, 160) + 1);
  let last;
  const call = engine.attack(
    { model, image, label: targeted ? target : label, targeted, epsilon, steps },
    (frames) => {
      last = frames.at(-1);
      player.add(frames);
      if (steps > 1000) $('status').textContent = `Step ${text.plain(last.step)} of ${text.plain(steps)}`;
    },
  );
  job = call;
  try {
    const { ms } = await call.promise;
    const { predicted, success, confidence, linf, l1, l2, step, gradients } = last;
    const outcome = { label, target, targeted, predicted, confidence, success, epsilon };
    report('done', text.verdict(outcome), {
      success, predicted, confidence, linf, l1, l2, steps: step, ms, gradEvals: gradients, label,
      target: targeted ? target : 'any',
    });
    player.finish(() => showNumbers(last, ms));
  } catch (error) {
    player.stop();
    if (!(error instanceof Cancelled)) throw error;
    // A cancel because another digit was picked has nothing to say of that one.
    if (clean?.image === image) report('idle', text.CANCELLED);
  } finally {
    if (job === call) {
      job = null;
      busy(false, '');
    }
  }
}

/** Attacks the digit towards every other label at once, on all cores. */
async function attackEvery() {
  if (job || !clean) return;
  const { image, label } = clean;
  const { model, epsilon, steps } = state;
  const { labels } = network;
  const wanted = [...labels.keys()].filter((target) => target !== label);
  gallery.start(wanted, labels);
  $('gallery-section').hidden = false;
  $('gallery-section').scrollIntoView({ block: 'nearest' });
  $('gallery-summary').textContent = '';
  pool ??= new Pool(bestBuild());
  const mine = pool;
  let cancel;
  const cancelled = new Promise((_, reject) => (cancel = () => reject(new Cancelled('cancelled'))));
  const call = { cancel, promise: cancelled };
  job = call;
  busy(true, `Attacking towards ${wanted.length} labels with ${mine.size} workers`);
  let fooled = 0;
  const one = async (worker, target) => {
    let end;
    try {
      const options = { model, image, label: target, targeted: true, epsilon, steps, last: true };
      await worker.attack(options, (frames) => (end = frames.at(-1) ?? end)).promise;
    } catch (error) {
      if (error instanceof Cancelled) throw error;
      gallery.refuse(target, error.message);
      return;
    }
    fooled += Number(end.success);
    gallery.show(target, end, labels);
  };
  try {
    await Promise.race([mine.map(wanted, one), cancelled]);
    $('gallery-summary').textContent =
      `With no pixel changed by more than ${text.plain(epsilon)}, this ${label} could be made to read as ${fooled} of the ${wanted.length} other digits.`;
  } catch (error) {
    mine.stop();
    pool = null;
    $('gallery-summary').textContent = error instanceof Cancelled ? 'Cancelled.' : error.message;
  } finally {
    if (job === call) job = null;
    busy(false, '');
  }
}

function fail(error) {
  player.stop();
  report('error', error.message);
  busy(false, '');
}

function buildDigits() {
  const options = [...samples.labels].map((label, i) => {
    const canvas = Object.assign(document.createElement('canvas'), { width: SIDE, height: SIDE });
    drawImage(canvas, sampleImages(samples, i));
    return { value: String(i), label: `${label}, number ${i} of the sample`, content: canvas };
  });
  const pickDigit = (value) => {
    const changes = { digit: Number(value) };
    if (state.target === String(samples.labels[value])) changes.target = FIELDS.target.initial;
    change(changes);
    showDigit().catch(fail);
  };
  digits = new Choices($('digits'), { name: 'digit', options, columns: 10, onPick: pickDigit });
}

function buildTargets() {
  const options = [
    { value: 'auto', label: 'Choose for me' },
    ...network.labels.map((label, i) => ({ value: String(i), label })),
    { value: 'any', label: 'Anything else' },
  ];
  targets = new Choices($('targets'), { name: 'target', options, onPick: (target) => change({ target }) });
}

/** Loads what an attack needs; may be called again after it failed. */
async function load() {
  notify('');
  report('idle', '');
  busy(false, 'Loading the network…');
  try {
    samples ??= await engine.samples();
    if (!digits) buildDigits();
    network = await engine.load(state.model);
    if (!targets) buildTargets();
    bars ??= new Bars($('bars'), network.labels);
    $('facts').textContent = text.facts(network);
    busy(false, '');
    showState();
    if (state.run) await attack();
    else await showDigit();
  } catch (error) {
    notify(error.message, load);
    fail(error);
  }
}

function readState() {
  const { state: read, problems } = readHash(location.hash);
  state = read;
  showState();
  return problems.join(' ');
}

$('epsilon').addEventListener('input', ({ target }) => change({ epsilon: Number(target.value) }));
$('steps').addEventListener('input', ({ target }) => change({ steps: STEPS[target.value] }));
$('every').addEventListener('click', attackEvery);
$('cancel').addEventListener('click', () => job?.cancel());
$('controls').addEventListener('submit', (event) => {
  event.preventDefault();
  attack();
});
addEventListener('hashchange', async () => {
  job?.cancel();
  await job?.promise.catch(() => {});
  notify(readState());
  if (!network) return;
  if (state.run) attack();
  else showDigit().catch(fail);
});

const problems = readState();
const unsupported = whyUnsupported();
if (unsupported) {
  notify(unsupported);
  report('error', unsupported);
  busy(false, '');
} else {
  engine = new Engine(bestBuild());
  load().then(() => problems && $('notice').hidden && notify(problems));
}
