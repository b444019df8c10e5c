// Digits found in drawings and photographs: what comes out is the digit that went in, as the data set has it.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { SIDE, centred, found, lighter } from '../../www/parts/ink.js';

const COUNT = 40;
const bytes = readFileSync('models/mnist-sample.safetensors');
const length = Number(bytes.readBigUInt64LE());
const header = JSON.parse(bytes.subarray(8, 8 + length));
const [name] = Object.keys(header).filter((key) => header[key].shape?.at(-1) === SIDE || header[key].data_offsets?.[1] - header[key].data_offsets?.[0] >= 78_400);
const pixels = bytes.subarray(8 + length + header[name].data_offsets[0]);
const digits = Array.from({ length: COUNT }, (_, n) => Float32Array.from(pixels.subarray(n * 784, (n + 1) * 784), (p) => p / 255));

/** How alike two images are, from -1 to 1. */
function alike(a, b) {
  const centre = (of) => {
    const mean = of.reduce((sum, x) => sum + x, 0) / of.length;
    return of.map((x) => x - mean);
  };
  const [x, y] = [centre(a), centre(b)];
  const dot = (p, q) => p.reduce((sum, value, i) => sum + value * q[i], 0);
  return dot(x, y) / Math.sqrt(dot(x, x) * dot(y, y));
}

/** A digit as a photograph: `size` of `side` pixels large, on paper in uneven light, with grain, a dark edge and a spot of dirt. */
function photograph(digit, side, size, [left, top], light, random) {
  const grey = new Float32Array(side * side);
  for (let i = 0; i < side; i++) {
    for (let j = 0; j < side; j++) {
      const [u, v] = [((j - left) / size) * SIDE - 0.5, ((i - top) / size) * SIDE - 0.5];
      const at = (row, column) => (row < 0 || column < 0 || row >= SIDE || column >= SIDE ? 0 : digit[row * SIDE + column]);
      const [a, b] = [u - Math.floor(u), v - Math.floor(v)];
      const [column, row] = [Math.floor(u), Math.floor(v)];
      let ink = (1 - b) * ((1 - a) * at(row, column) + a * at(row, column + 1)) + b * ((1 - a) * at(row + 1, column) + a * at(row + 1, column + 1));
      if (j < 4 || Math.hypot(i - 0.93 * side, j - 0.9 * side) < 1.5) ink = Math.max(ink, 0.8);
      const shade = 0.95 - 0.3 * (i / side) - 0.12 * (j / side);
      const value = shade * (1 - 0.7 * ink) + 0.03 * (random() - 0.5);
      grey[i * side + j] = Math.min(Math.max(light ? 1 - value : value, 0), 1);
    }
  }
  return grey;
}

/** Numbers in [0, 1) by mulberry32, so that every run is the same. */
function numbers(seed) {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

test('what is as the data set has it stays as it is', () => {
  for (const [n, digit] of digits.entries()) {
    const { image, scale } = centred(digit, SIDE);
    assert.ok(alike(image, digit) > 0.85 && Math.abs(scale - 1) < 0.12, `${n}: ${alike(image, digit)}, scale ${scale}`);
  }
});

test('a drawing is scaled and centred, wherever and however large it is', () => {
  const digit = digits[3];
  const size = 280;
  for (const [at, large] of [[[20, 30], 120], [[100, 10], 170], [[0, 0], 280]]) {
    const ink = photograph(digit, size, large, at, false, () => 0.5).map((_, i) => {
      const [row, column] = [Math.floor(i / size), i % size];
      const [u, v] = [Math.floor(((column - at[0]) / large) * SIDE), Math.floor(((row - at[1]) / large) * SIDE)];
      return u < 0 || v < 0 || u >= SIDE || v >= SIDE ? 0 : digit[v * SIDE + u];
    });
    assert.ok(alike(centred(ink, size).image, digit) > 0.93, `${at}, ${large}: ${alike(centred(ink, size).image, digit)}`);
  }
  assert.equal(centred(new Float32Array(784), SIDE), null);
});

test('in a photograph ink and paper are told apart, light is evened, dirt and edges are left out', () => {
  const random = numbers(5);
  const side = 140;
  for (const light of [false, true]) {
    let good = 0;
    for (const digit of digits) {
      const size = 60 + Math.floor(50 * random());
      const at = [8 + Math.floor((side - size - 16) * random()), 4 + Math.floor((side - size - 8) * random())];
      const grey = photograph(digit, side, size, at, light, random);
      assert.equal(lighter(grey, side), light);
      good += Number(alike(found(grey, side, light)?.image ?? new Float32Array(784).fill(0.1), digit) > 0.75);
    }
    assert.ok(good >= 0.95 * COUNT, `${good} of ${COUNT} found, ${light ? 'light' : 'dark'} ink`);
  }
  // Blank paper holds no digit.
  assert.equal(found(photograph(new Float32Array(784), side, 80, [20, 20], false, random).map((x, i) => (i % side < 6 || Math.floor(i / side) > 120 ? 0.7 : x)), side, false)?.image.some((x) => x > 0.5) ?? false, false);
});
