// What belongs to what is no longer current ends without a word: changes in the middle of things.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { holdBack, more, ready, resultIn } from './helpers.js';
import { page, server, silent } from './on-page.js';

silent(/404/);

const open = (hash = '') => page.goto(server.url + hash);
const looked = () => page.waitForFunction(() => !document.getElementById('attack').disabled && document.getElementById('original-read').textContent);
const chosen = (name) => page.waitForFunction((n) => new RegExp(`\\(${n}\\)`).test(document.getElementById('facts').textContent), name);

/** Opens a page of which the engine is held back until the visitor has handed over files: one chosen, one dropped. */
async function handOver(path, chosen, dropped) {
  const release = await holdBack(page, '**/misread_bg.wasm');
  await page.goto(server.url + path);
  const bytes = readFileSync('models/mnist-dense.safetensors');
  if (chosen) await page.setInputFiles('#own', { name: chosen, mimeType: '', buffer: bytes });
  if (dropped) {
    await page.evaluate(({ name, data }) => {
      const transfer = new DataTransfer();
      transfer.items.add(new File([Uint8Array.from(atob(data), (c) => c.charCodeAt(0))], name));
      return document.body.dispatchEvent(new DragEvent('drop', { dataTransfer: transfer, bubbles: true, cancelable: true }));
    }, { name: dropped, data: bytes.toString('base64') });
  }
  release();
}

test('what is chosen or dropped before the engine is there is taken once it is', async () => {
  await handOver('#digit=3&run=1', null, 'dropped.safetensors');
  await chosen('mnist-dense');
  await looked();
  assert.match(page.url(), /digit=3/);
  assert.ok(await page.isHidden('#notice'));
  for (const [one, other] of [['mine.safetensors', null], [null, 'dropped.safetensors']]) {
    await page.goto('about:blank');
    await handOver('lab.html', one, other);
    const name = (one ?? other).replace('.safetensors', '');
    await page.waitForSelector(`#networks input[value="own:${name}"]:checked`, { state: 'attached' });
  }
});

test('another network is chosen while all three attacks run', async () => {
  await open('#digit=7&target=3&steps=20000&l1.steps=20000');
  await looked();
  await page.click('#compare');
  await page.waitForFunction(() => !document.getElementById('cancel').disabled);
  await page.click('#models label:has-text("Dense")');
  await chosen('mnist-dense');
  await looked();
  assert.ok(await page.isHidden('#compare-section'));
  assert.ok(await page.isHidden('#notice'));
  await page.click('.card-title:has-text("L-BFGS")');
  await page.click('#attack');
  assert.equal((await resultIn(page, 'done', 'error')).attack, 'lbfgs');
});

test('a picture that is picked while the network is on its way is read once it is there', async () => {
  const release = await holdBack(page, '**/models/mnist-cnn.safetensors');
  await open();
  await page.click('#strip label >> nth=4');
  release();
  await looked();
  assert.match(await page.textContent('#original-read'), /^reads 4/);
});

test('Faces and at once Digits again leaves digits with a digit network', async () => {
  await open();
  await looked();
  // The answer about faces comes when digits are wanted again.
  await page.route('**/faces/index.json', async (route) => {
    await new Promise((resolve) => setTimeout(resolve, 400));
    await route.fulfill({ json: { people: ['Ada L'], faces: [0, 0] } });
  });
  await page.click('#datasets label:has-text("Faces")');
  await page.click('#datasets label:has-text("Digits")');
  await looked();
  await page.waitForTimeout(800);
  assert.equal(await page.$$eval('#digits canvas', (all) => all.length), 100);
  assert.equal(await page.$eval('#original', (e) => e.width), 28);
  await page.click('#attack');
  assert.equal((await resultIn(page, 'done', 'error')).label, '3');
  assert.match(page.url(), /model=mnist-cnn/);
});

test('a cancel that takes a new worker lets the other calls go on', async () => {
  await open('#digit=7&target=3');
  await looked();
  const read = await page.evaluate(async () => {
    const { Engine, Cancelled } = await import('./engine/client.js');
    const engine = new Engine('simd128');
    const { attacks: [attack], networks: [network], datasets: [dataset] } = await engine.catalogue();
    const subject = { model: network.key, inference: 'mean', defence: '', attacker: 'adaptive' };
    const image = new Float32Array(dataset.image.reduce((a, b) => a * b)).fill(0.5);
    const { predicted } = await engine.read(subject, image);
    // A gradient-free search of which a step takes longer than the worker is given: it cannot notice the cancel in time.
    const cancel = new AbortController();
    const slow = { subject, task: { image, index: 0, label: predicted, target: (predicted + 1) % 10 }, attack: { attack: attack.key, steps: 100000 } };
    const blocked = engine.attack(slow, { signal: cancel.signal }).then(() => 'done', (error) => (error instanceof Cancelled ? 'cancelled' : error.message));
    const post = Worker.prototype.postMessage;
    Worker.prototype.postMessage = function (message) {
      if (message.type !== 'cancel') post.call(this, message);
    };
    cancel.abort();
    const others = await Promise.all([engine.load(network.key), engine.read(subject, image)].map((call) => call.then(() => 'done', (error) => error.message)));
    Worker.prototype.postMessage = post;
    const result = { blocked: await blocked, others };
    engine.stop();
    return result;
  });
  assert.deepEqual(read, { blocked: 'cancelled', others: ['done', 'done'] });
});

test('two first uses of a network download it once', async () => {
  const wanted = [];
  page.on('request', (request) => /safetensors/.test(request.url()) && wanted.push(request.url()));
  await open('#digit=7');
  await looked();
  wanted.length = 0;
  await page.evaluate(async () => {
    const { Engine } = await import('./engine/client.js');
    const engine = new Engine('simd128');
    const { networks } = await engine.catalogue();
    const vae = networks.find((network) => network.vae);
    const image = new Float32Array(784);
    await Promise.all(['mean', 'sampled', 'sampled'].map((inference) => engine.read({ model: vae.key, inference, defence: '', attacker: 'adaptive' }, image)));
    engine.stop();
  });
  assert.equal(wanted.length, 1, wanted.join(' '));
});

test('replacing a network of one\'s own in the middle of an attack on it ends the attack, not the page', async () => {
  const mine = (name) => ({ name: 'mine.safetensors', mimeType: '', buffer: readFileSync(`models/${name}.safetensors`) });
  await open('#digit=7&target=3');
  await looked();
  await page.setInputFiles('#own', mine('mnist-dense'));
  await chosen('mnist-dense');
  await looked();
  await page.evaluate(() => { location.hash = `${location.hash.replace(/steps=\d+/, 'steps=100000')}`; });
  await page.$eval('#steps', (e) => { e.value = e.max; e.dispatchEvent(new Event('input', { bubbles: true })); });
  await more(page);
  await page.click('#models label:has-text("mine")');
  await looked();
  await page.click('#attack');
  await resultIn(page, 'running');
  await page.setInputFiles('#own', mine('mnist-cnn'));
  await chosen('mnist-cnn');
  await looked();
  await page.$eval('#steps', (e) => { e.value = 4; e.dispatchEvent(new Event('input', { bubbles: true })); });
  await page.click('#attack');
  const { state, text } = await resultIn(page, 'done', 'error');
  assert.equal(state, 'done', text);
});

test('the replay on the other networks, pressed twice, has each network once', async () => {
  await open('#digit=7&target=3&run=1');
  await resultIn(page, 'done');
  await page.evaluate(() => {
    document.getElementById('transfer-run').click();
    document.getElementById('transfer-run').click();
  });
  await page.waitForFunction(() => document.querySelectorAll('#transfer li[data-predicted]').length === 5);
  await page.waitForTimeout(200);
  assert.equal(await page.$$eval('#transfer li', (all) => all.length), 5);
});

test('what is hidden is not seen, whatever its layout says', async () => {
  await open('#digit=7');
  await ready(page);
  await looked();
  const seen = await page.$$eval('[hidden]', (all) => all.filter((e) => e.getClientRects().length > 0).map((e) => e.id));
  assert.deepEqual(seen, []);
  assert.ok(await page.isHidden('#replay-row'));
});

test('an attack that does not know a guard is refused; told of it, it gets past', async () => {
  await open('#digit=7&target=3&epsilon=0.25&steps=100&defence=siamese5&attacker=blind');
  await looked();
  await page.click('#attack');
  const blind = await resultIn(page, 'done', 'error');
  assert.deepEqual([blind.state, blind.attacker, blind.refused, blind.success], ['done', 'blind', 'true', 'false'], blind.text);
  await page.click('#tell');
  await page.waitForFunction(() => document.getElementById('result').dataset.attacker === 'adaptive');
  const told = await resultIn(page, 'done', 'error');
  assert.deepEqual([told.defence, told.refused, told.success], ['siamese5', 'false', 'true'], told.text);
  assert.ok(await page.isHidden('#tell'));
  assert.doesNotMatch(page.url(), /attacker/);
  // With a reduction before the network, and by another network that stands behind the same.
  await page.click('#defence-row summary');
  await page.click('#reduction label:has-text("medians")');
  await looked();
  assert.match(decodeURIComponent(page.url()), /defence=median3\+siamese5/);
  await page.click('#attacker label:has-text("answers alone")');
  await looked();
  await page.click('#attack');
  const asked = await resultIn(page, 'error', 'done');
  assert.match(asked.text, /needs gradients, which a black box does not give/);
});

test('a defence is chosen, stands in the link and in the result', async () => {
  await open('#digit=7&target=3&epsilon=0.1');
  await looked();
  await page.click('#defence-row summary');
  await page.click('#defence label:has-text("black and white")');
  await looked();
  assert.match(page.url(), /defence=grey2/);
  await page.click('#attack');
  const result = await resultIn(page, 'done', 'error');
  assert.deepEqual([result.state, result.defence, result.refused], ['done', 'grey2', 'false']);
  await page.reload();
  assert.equal((await resultIn(page, 'idle', 'done')).state === 'error', false);
  await page.waitForFunction(() => document.querySelector('#reduction input:checked')?.value === 'grey2');
});
