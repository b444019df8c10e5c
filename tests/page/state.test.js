// The table of state and its mirror in the hash.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { initialState, readHash, writeHash } from '../../www/state.js';

test('what is written is read back', () => {
  const state = { ...initialState(), digit: 42, target: 'any', epsilon: 0.125, steps: 7, run: 1 };
  assert.deepEqual(readHash(writeHash(state)), { state, problems: [] });
  assert.deepEqual(readHash(''), { state: initialState(), problems: [] });
});

test('a value that is not right becomes the default and a sentence', () => {
  for (const hash of ['digit=-1', 'digit=1.5', 'digit=', 'epsilon=0', 'epsilon=2', 'steps=1e9', 'target=x', 'attack=fgsm', 'hat=1']) {
    const { state, problems } = readHash(`#${hash}`);
    assert.deepEqual(state, initialState(), hash);
    assert.equal(problems.length, 1, hash);
  }
});
