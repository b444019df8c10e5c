// The player of an attack's images, with clocks of the test's own.

import assert from 'node:assert/strict';
import { afterEach, beforeEach, test } from 'node:test';
import { Player } from '../../www/parts/player.js';

/** Animation frames that are waiting for their time. */
let waiting;

beforeEach(() => {
  waiting = [];
  globalThis.requestAnimationFrame = (callback) => waiting.push(callback);
  globalThis.cancelAnimationFrame = () => (waiting = []);
  globalThis.matchMedia = () => ({ matches: false });
});

afterEach(() => {
  for (const name of ['requestAnimationFrame', 'cancelAnimationFrame', 'matchMedia']) delete globalThis[name];
});

/** Plays ten frames whose animation frames come at these times; the indices that were shown, and whether it ended. */
function play(times) {
  const shown = [];
  let ended = false;
  const player = new Player((frame, index) => {
    assert.ok(frame, `there is no frame ${index}`);
    shown.push(index);
  });
  player.start(10);
  player.add(Array.from({ length: 10 }, (_, image) => ({ image })));
  player.finish(() => (ended = true));
  for (const now of times) for (const callback of waiting.splice(0)) callback(now);
  return { shown, ended };
}

test('animation frames that lie before the start, or run backwards, show a frame that is there and end', () => {
  const start = performance.now();
  const past = play([start - 20, start - 36, start - 4, start + 3000]);
  assert.deepEqual(past.shown.slice(0, 2), [0, 0]);
  assert.equal(past.shown.at(-1), 9);
  assert.ok(past.ended);
  const backwards = play([5000, 4000, 3000, 2000, 1000, 500]);
  assert.deepEqual(new Set(backwards.shown), new Set([0]), 'time that runs backwards plays nothing');
  assert.ok(!backwards.ended);
});

test('frames are shown in order, in the time that a whole attack takes', () => {
  const { shown, ended } = play(Array.from({ length: 100 }, (_, i) => 16 * i));
  assert.ok(shown.every((index, i) => i === 0 || index >= shown[i - 1]));
  assert.equal(new Set(shown).size, 10);
  assert.ok(ended);
});
