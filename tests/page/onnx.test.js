// The visitor's own network, in ONNX: tried where there are images to try it on, asked about where there are none, attacked like any other.

import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { misread, more, ready, resultIn } from './helpers.js';
import { page, server, silent } from './on-page.js';

silent(/404/);

const open = async (hash = '') => {
  await page.goto(server.url + hash);
  await ready(page);
};
const network = (name, buffer = readFileSync(`tests/data/onnx/${name}.onnx`)) => page.setInputFiles('#own', { name: `${name}.onnx`, mimeType: '', buffer });
const says = (words) => page.waitForFunction((w) => document.getElementById('notice').textContent.includes(w), words);
const asked = () => page.waitForSelector('#feeding[open]');
const chosen = (name) => page.waitForFunction((n) => document.getElementById('facts').textContent.startsWith(`${n} (${n})`), name);

/** Brings a picture as it is, and attacks it. */
async function attackPicture(set = {}) {
  await page.setInputFiles('#picture', 'www/preview.png');
  await page.waitForSelector('#crop[open]');
  await page.click('#crop-take');
  await page.waitForFunction(() => document.getElementById('original-read').textContent);
  for (const [selector, value] of Object.entries(set)) await page.selectOption(selector, value);
  await page.click('#attack');
  return resultIn(page, 'done');
}

/** A shipped network as a file of ONNX. */
function exported(name) {
  const folder = mkdtempSync(join(tmpdir(), 'misread-'));
  const path = join(folder, 'net.onnx');
  misread('export', `models/${name}.safetensors`, '--onnx', path);
  const bytes = readFileSync(path);
  rmSync(folder, { recursive: true });
  return bytes;
}

test('one of digits is dropped on the page, fed rightly, attacked, and named in the link', async () => {
  const bytes = exported('mnist-cnn');
  await open();
  await network('mine', bytes);
  await says('mine.onnx reads 100 of the 100 digits here rightly, fed with pixels from 0 to 1: looks right');
  await page.click('#attack');
  await page.waitForFunction(() => /own:mine/.test(document.getElementById('result').dataset.record ?? ''));
  // The shipped network, and so the shipped network's attack.
  assert.equal((await resultIn(page, 'done')).success, 'true');
  const link = new URL(page.url());
  const { own, model } = Object.fromEntries(new URLSearchParams(link.hash.slice(1)));
  assert.match(own, /^[0-9a-f]{8}$/);
  assert.equal(model, 'mnist-cnn');
  // Whoever follows the link is told, and that it is the one once it comes.
  await page.goto('about:blank');
  await open(link.hash);
  await says(`The link is about a network that only its maker has (${own})`);
  await network('renamed', bytes);
  await says('This is the network that the link was about');
  // What is no good is said, and nothing is lost.
  await network('broken', bytes.subarray(0, 5000));
  await says('broken.onnx: cannot read the ONNX file: it ends in the middle');
  await network('refused-norm');
  await says('LayerNormalization');
  await chosen('renamed');
});

test('of one in colour is asked how it is fed and what its labels are; it is attacked, duels and stands behind defences', async () => {
  await open();
  await network('resnet');
  await asked();
  assert.match(await page.textContent('#feeding-words'), /resnet.onnx reads images of 32 × 32 in colour and tells 10 labels apart/);
  assert.deepEqual(await page.$$eval('#feeding-how option', (all) => all.map(({ value }) => value)), ['unit', 'cifar10', 'imagenet', 'signed', 'bytes']);
  await page.selectOption('#feeding-how', 'cifar10');
  await page.fill('#feeding-labels', 'one, two');
  await page.click('#feeding-take');
  await says('it puts out 10 numbers, and 2 labels are given');
  await network('resnet');
  await asked();
  await page.selectOption('#feeding-how', 'signed');
  await page.fill('#feeding-labels', 'plane\ncar\nbird\ncat\ndeer\ndog\nfrog\nhorse\nship\ntruck');
  await page.click('#feeding-take');
  await chosen('resnet');
  // From a tab of its own; without a picture there is nothing to attack yet.
  assert.equal(await page.isChecked('#datasets input[value="own-32x32x3"]'), true);
  await more(page);
  await page.$eval('input[name="attack-method"][value="linf"]', (chosen) => chosen.click());
  await page.waitForFunction(() => /attack=linf/.test(location.hash));
  const plain = await attackPicture();
  const record = JSON.parse(plain.record);
  assert.deepEqual([record.network, record.dataset, record.defence], ['own:resnet', 'own-32x32x3', null]);
  assert.ok(record.linf <= 0.0301 && record.gradients > 0, plain.record);
  // Behind a defence, which the attack is told about.
  await page.click('#shields input[value="mean3"] + *');
  await page.waitForFunction(() => JSON.parse(document.getElementById('result').dataset.record ?? '{}').defence === 'mean3');
  await network('resnet-new');
  await asked();
  await page.click('#feeding-take');
  await chosen('resnet-new');
  // The other one tells other things apart, by the names that it was given.
  await page.click('#duel');
  await page.waitForFunction(() => document.getElementById('duel-section').dataset.ms);
  assert.match(await page.textContent('#duelled'), /resnet/);
});

test('how large its images are is asked where the file leaves it open, and pictures are cut to that', async () => {
  await open();
  await network('open');
  await asked();
  await page.fill('#feeding-size', '12x16x3');
  await page.click('#feeding-take');
  await page.waitForFunction(() => /12 × 16 in colour/.test(document.getElementById('feeding-words').textContent));
  await page.click('#feeding-take');
  await chosen('open');
  const result = await attackPicture({ '#read-as': 'any' });
  assert.equal(JSON.parse(result.record).dataset, 'own-12x16x3');
  assert.deepEqual(await page.$eval('#original', ({ width, height }) => [width, height]), [16, 12]);
  // A size that is none is said.
  await network('open');
  await asked();
  await page.fill('#feeding-size', 'large');
  await page.click('#feeding-take');
  await says("'large' is not like 32x32x3");
  // Who thinks better of it keeps what there was.
  await network('open');
  await asked();
  await page.keyboard.press('Escape');
  await page.waitForSelector('#feeding[open]', { state: 'detached' });
  await chosen('open');
});

test('of one that reads digits badly is asked whether it is about something else', async () => {
  await open();
  await network('lenet5');
  await asked();
  assert.match(await page.textContent('#feeding-words'), /lenet5.onnx reads \d+ of the 100 digits here rightly, however it is fed/);
  await page.click('#feeding-other');
  await page.waitForFunction(() => /28 × 28 in grey/.test(document.getElementById('feeding-words').textContent));
  await page.fill('#feeding-labels', '["a", "b", "c", "d", "e", "f", "g", "h", "i", "j"]');
  await page.click('#feeding-take');
  await chosen('lenet5');
  assert.equal(await page.isVisible('#draw'), false);
  const result = await attackPicture();
  assert.equal(JSON.parse(result.record).dataset, 'own-28x28x1');
  // Back among the digits.
  await page.click('#datasets input[value="mnist"] + *');
  await page.waitForFunction(() => /mnist-cnn/.test(document.getElementById('facts').textContent));
  assert.equal(await page.isVisible('#draw'), true);
});
