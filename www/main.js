// Wires state, engine and views together.

import { ATTACKS, THREE, engineOptions, following, inRounds, normOf, startsFromWanted } from './attacks.js';
import * as bring from './bring.js';
import { Duel } from './duel.js';
import { Cancelled, Engine } from './engine.js';
import * as networks from './networks.js';
import { Pool } from './pool.js';
import * as pictureSets from './pictures.js';
import { FIELDS, readHash, translated, writeHash } from './state.js';
import { bestBuild, whyUnsupported } from './support.js';
import * as text from './text.js';
import { AttackCards } from './view/attacks.js';
import { Bars } from './view/bars.js';
import { Choices } from './view/choices.js';
import { Compare } from './view/compare.js';
import { Crop } from './view/crop.js';
import { Curve } from './view/curve.js';
import { Eye } from './view/eye.js';
import { Gallery } from './view/gallery.js';
import { Latent } from './view/latent.js';
import { drawImage, drawPerturbation, newCanvas, useShape } from './view/pixels.js';
import { notify, report as put } from './view/notice.js';
import { Player } from './view/player.js';

const { likeliest } = networks;
const $ = (id) => document.getElementById(id);
const result = $('result');
const gallery = new Gallery($('gallery'));
const compare = new Compare($('compared'), 'attack');
const duel = new Duel({ section: $('duel-section'), columns: $('duelled'), summary: $('duel-summary'), table: $('duel-transfer') });
const latent = new Latent({ section: $('latent'), before: $('seen-before'), after: $('seen-after'), map: $('latent-map') });
const curve = new Curve($('curve'), $('curve-words'));

let engine;
let pool = null; // the workers of a duel, of Every target and All three attacks, made when first wanted
let state;
let pictures = null; // what can be attacked, for the data set of the chosen network
const pictureSetsSeen = new Map(); // data set to its pictures
let network; // {title, labels, facts, thresholds, build, vae, mapPoints, mapLabels}
let digits;
let datasets;
let cards;
let targets;
let models;
let inference;
let bars;
let eye;
let job = null; // the attack that runs: {cancel}
// The digit as the network reads it: {image, label, probabilities}. Null until it is known.
let clean = null;
let outcome = null; // how the latest attack on it ended

const crop = new Crop({
  dialog: $('crop'), canvas: $('crop-canvas'), zoom: $('crop-zoom'), take: $('crop-take'), cancel: $('crop-cancel'), video: $('crop-video'),
});

const onCards = {
  onPick: (attack) => change({ attack }),
  onChange: (attack, name, value) => {
    const attacks = { ...state.attacks, [attack]: { ...state.attacks[attack], ...following(attack, name, value, pictures.dataset) } };
    change({ attack, attacks });
  },
};

/** A label in words. */
const named = (label) => network.labels[label];

const player = new Player((frame, index, frames) => {
  drawImage($('adversarial'), frame.image);
  const gain = drawPerturbation($('perturbation'), clean.image, frame.image);
  $('gain').textContent = gain ? `magnified × ${text.plain(gain)}` : 'nothing yet';
  $('adversarial-read').textContent = `reads ${named(frame.predicted)} (${text.percent(frame.probabilities[frame.predicted])})`;
  bars.after(frame.probabilities);
  showNumbers(frame);
  curve.mark(index);
  latent.show(frames, index);
  $('replay').value = index;
  $('replay-value').textContent = `step ${text.plain(frame.step)} of ${text.plain(frames.at(-1).step)}`;
});

/** The name under which the engine knows the chosen network. */
const chosen = () => networks.key(state.model, state.inference);

/** The parameters of the chosen attack. */
const parameters = () => state.attacks[state.attack];

/** The visitor's thresholds, where there are any. */
function thresholds() {
  const { valid, confident } = state;
  return { ...(valid !== '' && { valid }), ...(confident !== '' && { confident }) };
}

function showNumbers(frame, { ms, budget } = {}) {
  const show = (id, value) => ($(id).textContent = frame && value() !== undefined ? text.plain(value()) : '–');
  for (const id of ['linf', 'l2', 'l1', 'l0', 'ssim', 'gradients', 'queries']) show(id, () => frame[id]);
  show('taken', () => frame.steps ?? frame.step);
  show('budget', () => budget ?? frame.budget ?? undefined);
  $('time').textContent = ms === undefined ? '–' : text.milliseconds(ms);
}

/** Puts a state into `#result`. */
function report(dataState, words, data = {}) {
  put(dataState, words, data);
  $('grade').textContent = '';
  document.body.classList.toggle('fooled', data.success === true);
}

function busy(running, words) {
  for (const id of ['attack', 'every', 'compare', 'duel']) $(id).disabled = running || !network || !pictures?.count;
  $('cancel').disabled = !running;
  $('status').textContent = words;
}

function change(changes) {
  Object.assign(state, changes, { run: 0 });
  history.replaceState(null, '', writeHash(state));
  showState();
}

function showState() {
  cards?.show(state.attack, state.attacks);
  digits?.pick(String(state.digit));
  targets?.pick(state.target);
  models?.pick(state.model);
  datasets?.pick(networks.datasetOf(state.model));
  inference?.pick(state.inference);
  showRivals();
  if (pictures) targets?.disable([String(clean?.label ?? pictures.labels[state.digit])]);
  if (network) {
    const { valid, confident } = { ...network.thresholds, ...thresholds() };
    const ssim = network.thresholds.measure === 'ssim';
    Object.assign($('valid'), ssim ? { min: 0.5, max: 1, step: 0.005 } : { min: 0, max: 10, step: 0.1 });
    $('valid-words').textContent = ssim ? 'Valid from an SSIM of' : 'Valid up to an L2 of';
    $('valid').value = valid;
    $('valid-value').textContent = text.plain(valid);
    $('confident').value = confident;
    $('confident-value').textContent = text.percent(confident);
  }
}

/** Shows the picked digit as it is, and how the network reads it. */
async function showDigit() {
  job?.cancel();
  player.clear();
  curve.draw([]);
  clean = outcome = null;
  for (const id of ['gallery-section', 'compare-section', 'replay-row', 'after-attack']) $(id).hidden = true;
  duel.hide();
  const { digit } = state;
  const model = chosen();
  report('idle', '');
  if (digit >= pictures.count) return;
  const image = await pictures.image(digit);
  if (digit !== state.digit || model !== chosen()) return;
  drawImage($('original'), image);
  drawImage($('adversarial'), image);
  drawPerturbation($('perturbation'), image, image);
  for (const id of ['original-read', 'adversarial-read', 'gain']) $(id).textContent = '';
  bars.after(null);
  showNumbers(null);
  const probabilities = await engine.read(model, image);
  const seen = network.vae ? await engine.see(model, image) : null;
  if (digit !== state.digit || model !== chosen()) return;
  if (seen) latent.start(seen);
  const predicted = likeliest(probabilities);
  // Of a picture that the visitor brought, the network's own reading is what an attack is to change.
  clean = { image, label: pictures.labels[digit] ?? predicted, probabilities };
  targets?.disable([String(clean.label)]);
  $('original-read').textContent = `reads ${named(predicted)} (${text.percent(probabilities[predicted])})`;
  bars.before(probabilities);
  bars.mark(clean.label, -1);
}

/** An image that reads as wanted, where the attack begins at one; null where there is none, or need be none. */
async function wantedImage(method, label, targeted) {
  if (!startsFromWanted(method)) return null;
  const reached = (other) => other !== undefined && (targeted ? other === label : other !== label);
  const i = pictures.labels.findIndex((other, at) => at !== state.digit && reached(other));
  return i < 0 ? null : pictures.image(i);
}

/** The likeliest label that is neither the true one nor the one read. */
function likeliestOther({ label, probabilities }) {
  const predicted = likeliest(probabilities);
  const others = [...probabilities.keys()].filter((i) => i !== label && i !== predicted);
  return others.reduce((best, i) => (probabilities[i] > probabilities[best] ? i : best));
}

/** What the attack is after: {label, target, targeted}, and what the engine needs to know of that. */
function aim() {
  const { image, label } = clean;
  const targeted = state.target !== 'any';
  const wanted = Number(state.target);
  const target = state.target === 'auto' || !(wanted < network.labels.length) ? likeliestOther(clean) : wanted;
  return { label, target, targeted, call: { model: chosen(), image, label: targeted ? target : label, targeted, thresholds: thresholds() } };
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
  const { image } = clean;
  const { attack: method } = state;
  const model = chosen();
  const { mode, epsilon, steps, confidence: wanted } = parameters();
  const { label, target, targeted, call: about } = aim();
  state.run = 1;
  history.replaceState(null, '', writeHash(state));
  bars.mark(label, targeted ? target : -1);
  report('running', '');
  busy(true, `Attacking: ${named(label)} → ${targeted ? named(target) : 'anything else'}`);
  result.scrollIntoView({ block: 'nearest' });
  const rounds = mode === 'min' && inRounds(method);
  player.start(rounds ? 300 : Math.min(steps, 160) + 1);
  const start = await wantedImage(method, about.label, targeted);
  const call = engine.attack({ ...about, start, options: engineOptions(method, parameters()) }, (frames) => {
    player.add(frames);
    const last = frames.at(-1);
    const found = player.frames.find(({ success }) => success);
    if (rounds) {
      $('status').textContent = found
        ? `Fooled; now looking for less (round ${last.round + 1})`
        : `Looking for a budget that will do (round ${last.round + 1})`;
    } else if (steps >= 1000) $('status').textContent = `Step ${text.plain(last.step)} of ${text.plain(steps)}`;
  });
  job = call;
  try {
    const answer = await call.promise;
    outcome = { ...answer.outcome, label, model, rules: { ...parameters(), attack: method } };
    // The best image comes last, unless it is the last already.
    if (player.frames.at(-1)?.step !== outcome.step) player.add([outcome]);
    const { predicted, success, confidence, gradients, queries, ms, firstMs, survivesPng, budget } = outcome;
    const norm = normOf(method, parameters());
    const { linf, l1, l2, l0, ssim, valid, grade } = outcome;
    const inWords = { label: named(label), target: named(target), predicted: named(predicted) };
    const words = text.verdict({ ...inWords, targeted, confidence, success, attack: method, norm, mode, epsilon, wanted });
    report('done', words, {
      success, predicted, confidence, linf, l1, l2, l0, ssim, valid, grade, survivesPng, steps: outcome.steps, ms,
      gradEvals: gradients, queries, norm, label, target: targeted ? target : 'any', attack: method, mode, budget: budget ?? '',
      firstMs: firstMs ?? '', fresh: outcome.fresh ?? '',
    });
    $('grade').textContent = text.graded(outcome, outcome.rules);
    curve.draw(player.frames);
    $('replay').max = player.frames.length - 1;
    for (const id of ['replay-row', 'after-attack']) $(id).hidden = false;
    $('transfer').replaceChildren();
    eye.forget();
    player.finish(() => showNumbers(outcome, { ms, budget }));
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

/**
 * Runs attacks on all workers: `work(worker, item)` for each item, under one Cancel.
 * @returns {Promise<string|null>} what went wrong, in words
 */
async function onAllWorkers(items, words, work) {
  pool ??= new Pool(bestBuild());
  const mine = pool;
  let cancel;
  const cancelled = new Promise((_, reject) => (cancel = () => reject(new Cancelled('cancelled'))));
  const call = { cancel, promise: cancelled };
  job = call;
  busy(true, `${words} with ${mine.size} workers`);
  try {
    await Promise.race([mine.map(items, work), cancelled]);
    return null;
  } catch (error) {
    mine.stop();
    pool = null;
    return error instanceof Cancelled ? 'Cancelled.' : error.message;
  } finally {
    if (job === call) job = null;
    busy(false, '');
  }
}

/** Attacks the digit towards every other label at once. */
async function attackEvery() {
  if (job || !clean) return;
  const { label } = clean;
  const { labels } = network;
  const about = { ...aim().call, targeted: true, quiet: true, options: engineOptions(state.attack, parameters()) };
  const wanted = [...labels.keys()].filter((target) => target !== label);
  gallery.start(wanted, labels);
  $('gallery-section').hidden = false;
  $('gallery-section').scrollIntoView({ block: 'nearest' });
  $('gallery-summary').textContent = '';
  let fooled = 0;
  const wrong = await onAllWorkers(wanted, `Attacking towards ${wanted.length} labels`, async (worker, target) => {
    try {
      const start = await wantedImage(state.attack, target, true);
      const { outcome: end } = await worker.attack({ ...about, label: target, start }).promise;
      fooled += Number(end.success);
      gallery.show(target, end, labels);
    } catch (error) {
      if (error instanceof Cancelled) throw error;
      gallery.refuse(target, error.message);
    }
  });
  $('gallery-summary').textContent =
    wrong ?? `${ATTACKS[state.attack].title}: this ${named(label)} could be made to read as ${fooled} of the ${wanted.length} other ${pictures.dataset === 'lfw' ? 'people' : 'digits'}.`;
}

/** The three attacks on the digit, each with its own parameters. */
async function attackThrice() {
  if (job || !clean) return;
  const { call: about, label, target, targeted } = aim();
  const { image } = clean;
  compare.start(THREE.map((name) => [name, ATTACKS[name].title]));
  $('compare-section').hidden = false;
  $('compare-section').scrollIntoView({ block: 'nearest' });
  $('compare-summary').textContent = '';
  const wrong = await onAllWorkers(THREE, 'Three attacks', async (worker, method) => {
    try {
      const options = engineOptions(method, state.attacks[method]);
      const { outcome: end } = await worker.attack({ ...about, options, quiet: true }).promise;
      compare.show(method, image, end, network.labels, text.rule({ ...state.attacks[method], attack: method }));
    } catch (error) {
      if (error instanceof Cancelled) throw error;
      compare.refuse(method, error.message);
    }
  });
  const { valid, confident } = { ...network.thresholds, ...thresholds() };
  $('compare-summary').textContent =
    wrong ??
    `${named(label)} → ${targeted ? named(target) : 'anything else'}. Valid: ${network.thresholds.measure === 'ssim' ? 'SSIM at least' : 'L2 at most'} ${text.plain(valid)}; confident: at least ${text.percent(confident)}.`;
}

/** The same attack on all networks of the duel. */
async function attackAll() {
  if (job || !clean) return;
  const { image } = clean;
  const names = networks.rivals(state.duel, pictures.dataset);
  const rules = { ...parameters(), attack: state.attack };
  const { targeted, call } = aim();
  const about = { ...call, start: await wantedImage(state.attack, call.label, targeted), options: engineOptions(state.attack, rules) };
  await duel.run(onAllWorkers, { names, inference: state.inference, about, image, labels: network.labels, rules });
}

/** How the other networks read the attacked image. */
async function transfer() {
  if (!outcome) return;
  const { image, label, predicted } = outcome;
  $('transfer').replaceChildren();
  for (const name of networks.names(pictures.dataset).filter((name) => networks.key(name, state.inference) !== outcome.model)) {
    const model = networks.key(name, state.inference);
    const line = document.createElement('li');
    line.dataset.model = name;
    $('transfer').append(line);
    try {
      line.textContent = `${networks.short(name)}: loading…`;
      const probabilities = await engine.read(model, image);
      const read = likeliest(probabilities);
      const words = read === label ? 'not fooled' : read === predicted ? 'fooled as well' : 'misreads it, too, as something else';
      line.dataset.predicted = read;
      line.textContent = `${networks.short(name)}: reads ${named(read)} (${text.percent(probabilities[read])}), ${words}.`;
    } catch (error) {
      line.textContent = `${networks.short(name)}: ${error.message}`;
    }
  }
}

/** Grades the latest outcome again, after a change of the thresholds. */
async function regrade() {
  const mine = outcome;
  if (!mine) return;
  Object.assign(mine, await engine.grade(mine.model, mine, thresholds()));
  if (mine !== outcome || result.dataset.state !== 'done') return;
  Object.assign(result.dataset, { valid: mine.valid, grade: mine.grade });
  $('grade').textContent = text.graded(mine, mine.rules);
}

/** Offers the attacked digit as a file. */
function save() {
  const { label, predicted, image } = outcome;
  const canvas = newCanvas();
  drawImage(canvas, image);
  canvas.toBlob((blob) => {
    const link = Object.assign(document.createElement('a'), { href: URL.createObjectURL(blob), download: `${named(label)}-reads-${named(predicted)}.png`.replaceAll(' ', '-') });
    link.click();
    URL.revokeObjectURL(link.href);
  });
}

function fail(error) {
  player.stop();
  report('error', error.message);
  busy(false, '');
}

/** Draws what can be picked. */
async function buildDigits() {
  const mine = pictures;
  const canvases = mine.labels.map(() => newCanvas());
  const options = canvases.map((content, i) => ({ value: String(i), label: mine.titles[i], content }));
  $('digits').classList.toggle('faces', mine.dataset === 'lfw');
  digits = new Choices($('digits'), { name: 'digit', options, columns: mine.dataset === 'lfw' ? 6 : 10, onPick: pickDigit });
  await Promise.all(
    canvases.map(async (canvas, i) => {
      const image = await mine.image(i);
      if (mine === pictures) drawImage(canvas, image);
    }),
  );
}

function pickDigit(value) {
  const changes = { digit: Number(value) };
  if (state.target === String(pictures.labels[value])) changes.target = FIELDS.target.initial;
  change(changes);
  showDigit().catch(fail);
}

/** Makes the page one of digits or of faces, as the chosen network needs it. */
async function useDataset(dataset) {
  if (pictures?.dataset === dataset) return;
  if (!pictureSetsSeen.has(dataset)) {
    pictureSetsSeen.set(dataset, dataset === 'lfw' ? await pictureSets.faces() : await pictureSets.digits(engine));
  }
  const before = pictures?.dataset;
  pictures = pictureSetsSeen.get(dataset);
  if (before) {
    Object.assign(state, { attacks: translated(state.attacks, before, dataset), digit: FIELDS.digit.initial, target: FIELDS.target.initial, valid: '' });
  }
  state.digit = Math.min(state.digit, Math.max(pictures.count - 1, 0));
  const faces = dataset === 'lfw';
  useShape(pictures.shape, ['original', 'perturbation', 'adversarial', 'eye-image', 'seen-before', 'seen-after'].map($));
  document.body.classList.toggle('named', faces);
  document.body.classList.toggle('faces-shown', faces);
  $('pick-words').textContent = faces ? 'Pick a face' : 'Pick a digit';
  $('picture-row').hidden = !faces;
  $('faces-words').textContent = pictures.count
    ? 'These are your own images of Labeled Faces in the Wild, sent by the program on your machine.'
    : 'No faces ship with this page. With the program on your machine, fetch lfw brings the images of Labeled Faces in the Wild; or bring a picture of your own:';
  cards = new AttackCards($('attacks'), dataset, onCards);
  targets = bars = eye = undefined;
  buildModels();
  await buildDigits();
}

/** Takes a square of the visitor's picture. */
async function takePicture(image) {
  change({ digit: pictures.add(image) });
  await buildDigits();
  busy(false, '');
  showState();
  await showDigit();
}

/** Lets the visitor cut a picture; other networks' visitors are led to the faces first. */
async function bringPicture(open) {
  try {
    if (pictures.dataset !== 'lfw') await pickModel('lfw-cnn');
    await open((image) => takePicture(image).catch(fail));
  } catch (error) {
    notify(error.message);
  }
}

function buildTargets() {
  const options = [
    { value: 'auto', label: 'Choose for me' },
    ...network.labels.map((label, i) => ({ value: String(i), label })),
    { value: 'any', label: 'Anything else' },
  ];
  targets = new Choices($('targets'), { name: 'target', options, onPick: (target) => change({ target }) });
}

function buildModels() {
  const names = networks.names(networks.datasetOf(state.model));
  const options = names.map((value) => ({ value, label: networks.short(value) }));
  datasets ??= new Choices($('datasets'), {
    name: 'dataset',
    options: [{ value: 'mnist', label: 'Digits' }, { value: 'lfw', label: 'Faces' }],
    onPick: (dataset) => pickModel(networks.names(dataset)[0]),
  });
  models = new Choices($('models'), { name: 'model', options, onPick: pickModel });
  inference ??= new Choices($('inference'), {
    name: 'inference',
    options: [{ value: 'mean', label: 'the mean' }, { value: 'sampled', label: 'a draw, another each time' }],
    onPick: (value) => pickModel(state.model, value),
  });
  $('rivals').replaceChildren(
    ...names.map((value) => {
      const label = Object.assign(document.createElement('label'), { className: 'check' });
      label.append(Object.assign(document.createElement('input'), { type: 'checkbox', value }), networks.short(value));
      return label;
    }),
  );
}

/** Which networks the next duel is between. */
function showRivals() {
  const names = networks.rivals(state.duel, networks.datasetOf(state.model));
  for (const box of document.querySelectorAll('#rivals input')) box.checked = names.includes(box.value);
}

/** Takes the visitor's choice; fewer than two make no duel, so then all take part again. */
function pickRivals() {
  const picked = [...document.querySelectorAll('#rivals input:checked')].map(({ value }) => value);
  change({ duel: picked.length < 2 || picked.length === networks.names(pictures.dataset).length ? '' : picked.join(',') });
}

/** Takes a weights file of the visitor's and goes on with it; what is not right is said, and the page stays as it was. */
async function bringOwn(file) {
  try {
    const name = await networks.adopt(file, engine);
    pool?.stop();
    pool = null;
    buildModels();
    await pickModel(name);
  } catch (error) {
    notify(error.message);
  }
}

/** Goes on with another network, which is loaded when it is first chosen. */
async function pickModel(model, how = state.inference) {
  change({ model, inference: how });
  job?.cancel();
  await load();
}

/** Loads what an attack needs; may be called again after it failed. */
async function load() {
  notify('');
  report('idle', '');
  player.stop();
  network = null;
  busy(false, 'Loading the network…');
  const model = chosen();
  try {
    await useDataset(networks.datasetOf(state.model));
    const loaded = await engine.load(model);
    if (model !== chosen()) return;
    network = loaded;
    latent.use(network);
    $('inference-row').hidden = !network.vae;
    if (!targets) buildTargets();
    bars ??= new Bars($('bars'), network.labels);
    const parts = { dialog: $('eye'), canvas: $('eye-image'), answers: $('eye-answers'), verdict: $('eye-verdict'), tally: $('eye-tally') };
    eye ??= new Eye(parts, network.labels);
    $('facts').textContent = text.facts(network);
    busy(false, '');
    showState();
    if (!pictures.count) return;
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

for (const id of ['valid', 'confident']) {
  $(id).addEventListener('input', ({ target }) => {
    change({ [id]: Number(target.value) });
    regrade().catch(fail);
  });
}
$('replay').addEventListener('input', ({ target }) => player.seek(Number(target.value)));
$('eye-ask').addEventListener('click', () => outcome && eye.ask({ ...outcome, words: text.validity(outcome) }));
$('transfer-run').addEventListener('click', transfer);
$('save').addEventListener('click', save);
$('compare').addEventListener('click', attackThrice);
$('duel').addEventListener('click', attackAll);
$('rivals').addEventListener('change', pickRivals);
bring.listen({ onWeights: bringOwn, onPicture: bringPicture, crop });
$('every').addEventListener('click', attackEvery);
$('cancel').addEventListener('click', () => job?.cancel());
$('controls').addEventListener('submit', (event) => {
  event.preventDefault();
  attack();
});
addEventListener('hashchange', async () => {
  job?.cancel();
  await job?.promise.catch(() => {});
  const before = chosen();
  notify(readState());
  if (chosen() !== before) {
    const said = $('notice').textContent;
    await load();
    if (said && $('notice').hidden) notify(said);
    return;
  }
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
