// Faces in the page: with images that the visitor has (here made up, under the names of the manifest), and without any.

import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, afterEach, before, beforeEach, test } from 'node:test';
import { browse, facesDuelled, ready, resultIn, serve, visit } from './helpers.js';

const SHOWN = 8;
let data;
let server;
let bare;
let browser;
let context;
let page;
let complaints;
let requests;
let picture;

/** A made-up photograph as a JPEG or PNG. */
async function photograph(type, hue) {
  const drawing = await browser.newPage();
  const url = await drawing.evaluate(([type, hue]) => {
    const canvas = Object.assign(document.createElement('canvas'), { width: 250, height: 250 });
    const context = canvas.getContext('2d');
    for (let i = 0; i < 40; i++) {
      context.fillStyle = `hsl(${hue + 7 * i} 60% ${20 + i}%)`;
      context.beginPath();
      context.arc(125 + 3 * i * Math.cos(i + hue), 125 + 3 * i * Math.sin(i), 70 - i, 0, 7);
      context.fill();
    }
    return canvas.toDataURL(type);
  }, [type, hue]);
  await drawing.close();
  return Buffer.from(url.split(',')[1], 'base64');
}

before(async () => {
  browser = await browse();
  data = mkdtempSync(join(tmpdir(), 'misread-faces-'));
  const test = readFileSync('models/lfw-70.manifest', 'utf8').split('\n').filter((line) => line.startsWith('test ')).slice(0, SHOWN);
  for (const [i, line] of test.entries()) {
    const path = join(data, 'lfw', line.slice(5));
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, await photograph('image/jpeg', 40 * i));
  }
  picture = await photograph('image/png', 200);
  [server, bare] = [await serve(data), await serve()];
});

after(async () => {
  await browser?.close();
  server?.stop();
  bare?.stop();
  rmSync(data, { recursive: true });
});

beforeEach(async () => {
  ({ context, page, complaints } = await visit(browser, /404/));
  requests = [];
  context.on('request', (request) => requests.push(request));
});

afterEach(() => context.close());

test('one\'s own faces are offered, and the three attacks and a duel run on one', async () => {
  await page.goto(`${server.url}#model=lfw-cnn&digit=2`);
  await ready(page);
  assert.equal(await page.$$eval('#digits canvas', (all) => all.length), SHOWN);
  await page.waitForFunction(() => /[A-Z]\w+ \w+/.test(document.getElementById('original-read').textContent));
  for (const [attack, budget] of [['linf', 'epsilon=0.03'], ['l1', 'epsilon=400'], ['lbfgs', 'c=0.1']]) {
    await page.evaluate((hash) => { location.hash = hash; }, `#model=lfw-cnn&digit=2&attack=${attack}&${budget}&run=1`);
    await page.waitForFunction((name) => document.getElementById('result').dataset.attack === name, attack);
    const result = await resultIn(page, 'done', 'error');
    assert.equal(result.success, 'true', attack);
    assert.match(result.text, /^You see [A-Z]\w+ .*\. The network sees [A-Z]/);
    if (attack === 'linf') assert.ok(result.linf <= 0.03);
    if (attack === 'l1') assert.ok(result.l1 <= 400);
  }
  assert.match(await page.textContent('#grade'), /SSIM/);
  await page.evaluate(() => { location.hash = '#model=lfw-vae&digit=1&epsilon=0.05&run=1'; });
  await page.waitForFunction(() => document.getElementById('result').dataset.attack === 'linf');
  assert.equal((await resultIn(page, 'done')).success, 'true');
  assert.ok(await page.isVisible('#latent-map'));
  await page.click('#duel');
  await page.waitForFunction(() => document.getElementById('duel-section').dataset.ms);
  assert.equal(await page.$$eval('#duelled .compared', (all) => all.length), facesDuelled);
  // Back to digits: everything is theirs again.
  await page.click('#datasets label:has-text("Digits")');
  await page.waitForFunction(() => document.querySelectorAll('#digits canvas').length === 100 && !document.getElementById('attack').disabled);
  await page.click('#attack');
  assert.equal((await resultIn(page, 'done')).label, '7');
  assert.match(page.url(), /model=mnist-cnn/);
  assert.deepEqual(complaints, []);
});

test('without faces a picture is brought, cut, read and attacked, and never uploaded', async () => {
  await page.goto(bare.url);
  await ready(page);
  await page.click('#datasets label:has-text("Faces")');
  await page.waitForFunction(() => /No faces ship/.test(document.getElementById('faces-words').textContent));
  assert.ok(await page.isDisabled('#attack'));
  await page.setInputFiles('#picture', { name: 'me.png', mimeType: 'image/png', buffer: picture });
  await page.click('#crop-take');
  await ready(page);
  await page.waitForFunction(() => document.getElementById('original-read').textContent);
  assert.equal(await page.$$eval('#digits canvas', (all) => all.length), 1);
  await page.click('#attack');
  assert.equal((await resultIn(page, 'done')).success, 'true');
  // The camera of the test browser.
  await page.click('#bring-camera');
  await page.click('#crop-take');
  await page.waitForFunction(() => document.querySelectorAll('#digits canvas').length === 2);
  // What is no picture is said, and the page goes on.
  await page.setInputFiles('#picture', { name: 'broken.png', mimeType: 'image/png', buffer: Buffer.from('nothing') });
  await page.waitForSelector('#notice:not([hidden])');
  assert.match(await page.textContent('#notice'), /broken\.png is no picture/);
  await page.click('#attack');
  assert.equal((await resultIn(page, 'done')).success, 'true');
  for (const request of requests) assert.equal(request.method(), 'GET');
  assert.deepEqual(complaints, []);
});

test('the faces page fits a phone', async () => {
  await page.setViewportSize({ width: 360, height: 740 });
  await page.goto(`${server.url}#model=lfw-cnn&digit=1&run=1`);
  await resultIn(page, 'done');
  const width = await page.evaluate(() => document.documentElement.scrollWidth);
  assert.ok(width <= 360, `the page is ${width} pixels wide`);
});
