// The table of state and its mirror in the hash.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Offers } from '../../www/app/offers.js';
import { Table } from '../../www/app/state.js';
import { catalogue } from './helpers.js';

const table = new Table(new Offers(catalogue));
const initialState = () => table.initial();
const opening = () => table.opening();
const readHash = (hash) => table.readHash(hash);
const writeHash = (state) => table.writeHash(state);

test('what is written is read back', () => {
  const state = { ...initialState(), digit: 42, target: 'any', attack: 'l1', valid: 2.5, run: 1, inference: 'sampled', defence: 'grey2+grey8', duel: 'mnist-cnn,mnist-vae' };
  Object.assign(state.attacks.l1, { mode: 'min', epsilon: 12.5, form: 'published', seed: 3 });
  Object.assign(state.attacks.lbfgs, { c: 7, confidence: 0.9 });
  assert.deepEqual(readHash(writeHash(state)), { state, problems: [] });
  assert.deepEqual(readHash(writeHash(initialState())), { state: initialState(), problems: [] });
  assert.deepEqual(readHash(writeHash(opening())), { state: opening(), problems: [] });
  assert.deepEqual(readHash(''), { state: opening(), problems: [] });
});

test('a link from before the page opened with another attack goes on meaning the first one', () => {
  for (const hash of ['#run=1', '#digit=7&run=1', '#epsilon=0.2', '#model=mnist-cnn&digit=7&target=auto&mode=fixed&epsilon=0.2&steps=40']) {
    const { state, problems } = readHash(hash);
    assert.deepEqual([state.attack, state.digit, state.attacks, problems], ['linf', 7, initialState().attacks, []], hash);
  }
  for (const hash of ['', '#digit=5', '#model=mnist-vae&target=2']) assert.deepEqual(readHash(hash).state.attacks, opening().attacks, hash);
});

test('parameters belong to the attack that is named, wherever it stands', () => {
  const { state, problems } = readHash('#epsilon=30&attack=l1&mode=min&confidence=0.9&seed=5&linf.epsilon=0.1');
  assert.deepEqual(problems, []);
  const { l1, linf } = state.attacks;
  assert.deepEqual([l1.epsilon, l1.mode, l1.confidence, l1.seed, linf.epsilon], [30, 'min', 0.9, 5, 0.1]);
});

test('a value that is not right becomes the default and a sentence', () => {
  const wrong = [
    'digit=-1', 'digit=1.5', 'digit=', 'epsilon=0', 'epsilon=2', 'steps=1e9', 'target=x', 'attack=pgd', 'hat=1', 'defence=grey3', 'fgsm.steps=3', 'mode=max',
    'confidence=1', 'seed=-1', 'inference=guess', 'duel=mnist-cnn,mnist', 'duel=mnist-cnn', 'c=1', 'l2.epsilon=1', 'lbfgs.seed=1', 'toString=1',
  ];
  for (const hash of wrong) {
    const { state, problems } = readHash(`#${hash}`);
    const asks = !Object.hasOwn(table.fields, hash.split('=')[0]) || hash.startsWith('attack');
    assert.deepEqual(state, asks ? initialState() : opening(), hash);
    assert.equal(problems.length, 1, hash);
  }
});

test('what the visitor brought is left out of the link, which stays one of the same data set', async () => {
  const own = new Offers(catalogue);
  for (const [name, model] of [['mine', 'mnist-cnn'], ['face', 'lfw-vae']]) {
    const { dataset } = own.network(model);
    await own.adopt(new File(['x'], `${name}.safetensors`), { adopt: async () => ({ ...own.network(model), labels: own.dataset(dataset).labels }) });
  }
  const ours = new Table(own);
  const state = { ...ours.initial(), model: 'own:mine', duel: 'mnist-cnn,own:mine', digit: -2, run: 1 };
  const hash = ours.writeHash(state);
  assert.deepEqual(readHash(hash), { state: { ...initialState(), digit: 'own' }, problems: [] }, 'and nobody else\'s picture is attacked');
  const lfw = own.dataset('lfw');
  const faces = readHash(ours.writeHash({ ...ours.initial(lfw), model: 'own:face', digit: 12 }));
  assert.deepEqual(faces.problems, []);
  assert.deepEqual([faces.state.model, faces.state.attacks, faces.state.digit], [own.names('lfw')[0], ours.initial(lfw).attacks, 12]);
});

test('a budget is a number or a fraction', () => {
  const { state, problems } = readHash('#epsilon=8/255');
  assert.deepEqual([state.attacks.linf.epsilon, problems], [8 / 255, []]);
  for (const wrong of ['1/0', '/255', '1/2/3', '8/x']) assert.equal(readHash(`#epsilon=${wrong}`).problems.length, 1, wrong);
});
