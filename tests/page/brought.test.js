// What the visitor brings: pictures of every kind, files that are none, and the camera.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { more, ready, resultIn } from './helpers.js';
import { browser, context, page, server, silent } from './on-page.js';

silent(/404/);

const open = async (hash = '') => {
  await page.goto(server.url + hash);
  await ready(page);
};
const faces = async () => {
  await page.goto(`${server.url}#model=lfw-cnn`);
  await page.waitForFunction(() => /No faces ship/.test(document.getElementById('faces-words').textContent));
};

/** Drops a file on the page. @param {Buffer} bytes */
const drop = (name, type, bytes) => page.evaluate(({ name, type, data }) => {
  const transfer = new DataTransfer();
  transfer.items.add(new File([Uint8Array.from(atob(data), (c) => c.charCodeAt(0))], name, { type }));
  document.body.dispatchEvent(new DragEvent('drop', { dataTransfer: transfer, bubbles: true, cancelable: true }));
}, { name, type, data: bytes.toString('base64') });

/** A picture that `draw` (the text of a function of a context and its side) draws. */
async function drawn(draw, type = 'image/png', side = 200) {
  const url = await page.evaluate(({ draw, type, side }) => {
    const canvas = Object.assign(document.createElement('canvas'), { width: side, height: side });
    // The page's policy lets no text become code: the few drawings are named.
    const context = canvas.getContext('2d');
    if (draw === 'seven') {
      context.fillStyle = '#eee';
      context.fillRect(0, 0, side, side);
      context.strokeStyle = '#222';
      context.lineWidth = 18;
      context.beginPath();
      context.moveTo(60, 50);
      context.lineTo(140, 50);
      context.lineTo(85, 155);
      context.stroke();
    } else if (draw === 'dot') {
      context.fillStyle = '#c00';
      context.fillRect(90, 90, 20, 20);
    }
    return canvas.toDataURL(type);
  }, { draw, type, side });
  return Buffer.from(url.split(',')[1], 'base64');
}

const said = async (pattern) => {
  await page.waitForFunction((p) => new RegExp(p).test(document.getElementById('notice').textContent), pattern.source);
  const words = await page.textContent('#notice');
  assert.doesNotMatch(words, /undefined|null|is not a function/);
};

test('files are told apart by their first bytes: HEIC, what is nothing, weights under another name', async () => {
  await open();
  const heic = Buffer.concat([Buffer.from([0, 0, 0, 24]), Buffer.from('ftypheic'), Buffer.alloc(60, 7)]);
  for (const type of ['image/heic', '']) {
    await drop('IMG_0001.HEIC', type, heic);
    await said(/IMG_0001\.HEIC is no picture that this browser can read.*save it as JPEG/);
  }
  await drop('notes.txt', 'text/plain', Buffer.from('dear diary'));
  await said(/notes\.txt is neither a picture .* nor a network/);
  await drop('empty', '', Buffer.alloc(0));
  await said(/empty is neither/);
  await drop('weights.bin', 'application/octet-stream', readFileSync('models/mnist-dense.safetensors'));
  await page.waitForFunction(() => /\(mnist-dense\)/.test(document.getElementById('facts').textContent));
});

test('a picture that is dropped among digits is read as a digit', async () => {
  await open('#digit=3');
  await drop('seven.dat', '', await drawn('seven'));
  await page.waitForSelector('#crop[open]');
  assert.match(await page.textContent('#crop-words'), /light on dark/);
  await page.click('#crop-take');
  await page.waitForFunction(() => /^reads 7/.test(document.getElementById('original-read').textContent));
  assert.equal(await page.$eval('#original', (e) => e.width), 28);
  assert.equal(await page.$$eval('#digits canvas', (all) => all.length), 101);
  assert.match(page.url(), /digit=own/);
  await page.click('#attack');
  const result = await resultIn(page, 'done', 'error');
  assert.deepEqual([result.state, result.label], ['done', '7']);
  // Whoever opens its link sees another digit, is told so, and attacks nothing.
  const link = page.url();
  assert.doesNotMatch(link, /run=1/);
  await page.goto('about:blank');
  await page.goto(link);
  await said(/only its maker has/);
  assert.equal(await page.$eval('#result', (e) => e.dataset.state), 'idle');
});

test('what is transparent is white, in the window and in what is computed on, however it is moved', async () => {
  await faces();
  await page.setInputFiles('#picture', { name: 'dot.png', mimeType: 'image/png', buffer: await drawn('dot') });
  await page.waitForSelector('#crop[open]');
  await page.fill('#crop-zoom', '3');
  await page.focus('#crop-canvas');
  for (let i = 0; i < 5; i++) await page.keyboard.press('ArrowRight');
  const red = () => page.evaluate(() => {
    const { data } = document.getElementById('crop-canvas').getContext('2d').getImageData(0, 0, 308, 308);
    let [red, other] = [0, 0];
    for (let i = 0; i < data.length; i += 4) {
      if (data[i] > 150 && data[i + 1] < 100) red++;
      else if (data[i] < 250 || data[i + 3] < 255) other++;
    }
    return { red, other };
  });
  const shown = await red();
  // 20 of 200 pixels, three times as near, once: no trail.
  assert.ok(Math.abs(shown.red - (0.1 * 3 * 308) ** 2) < 900 && shown.other < 800, JSON.stringify(shown));
  await page.click('#crop-take');
  await page.waitForFunction(() => document.getElementById('original-read').textContent);
  const corner = await page.evaluate(() => [...document.getElementById('original').getContext('2d').getImageData(0, 0, 1, 1).data]);
  assert.deepEqual(corner, [255, 255, 255, 255]);
});

/** Counts the cameras that are on; each is given only when `window.give` is called. */
const slowCamera = () => page.addInitScript(() => {
  const real = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
  const tracks = [];
  window.asked = 0;
  window.live = () => tracks.filter(({ readyState }) => readyState === 'live').length;
  const given = new Promise((resolve) => (window.give = resolve));
  navigator.mediaDevices.getUserMedia = async (wanted) => {
    window.asked++;
    await given;
    const stream = await real(wanted);
    tracks.push(...stream.getTracks());
    return stream;
  };
});

test('a camera that is pressed twice is asked for once, and none stays on after Cancel', async () => {
  await slowCamera();
  await faces();
  await page.click('#bring-camera');
  await page.click('#bring-camera');
  await page.evaluate(() => window.give());
  await page.waitForSelector('#crop[open]');
  assert.deepEqual(await page.evaluate(() => [window.asked, window.live()]), [1, 1]);
  await page.click('#crop-cancel');
  await page.waitForFunction(() => window.live() === 0);
});

test('a camera that comes after a file was chosen is turned off and opens nothing', async () => {
  await slowCamera();
  await faces();
  const buffer = await drawn('dot');
  await page.click('#bring-camera');
  await page.setInputFiles('#picture', { name: 'dot.png', mimeType: 'image/png', buffer });
  await page.waitForSelector('#crop[open]');
  await page.click('#crop-cancel');
  await page.evaluate(() => window.give());
  await page.waitForFunction(() => window.live() === 0 && window.asked === 1);
  await page.evaluate(() => new Promise((resolve) => setTimeout(resolve, 300)));
  assert.ok(await page.isHidden('#crop'));
});

test('a drag that the system takes away ends, and two fingers come nearer', async () => {
  await faces();
  await page.setInputFiles('#picture', { name: 'seven.png', mimeType: 'image/png', buffer: await drawn('seven') });
  await page.waitForSelector('#crop[open]');
  const after = (events) => page.evaluate((events) => {
    const canvas = document.getElementById('crop-canvas');
    canvas.setPointerCapture = () => {};
    for (const [type, pointerId, clientX] of events) canvas.dispatchEvent(new PointerEvent(type, { pointerId, clientX, clientY: 100, bubbles: true }));
    return [document.getElementById('crop-zoom').value, canvas.toDataURL()];
  }, events);
  await page.fill('#crop-zoom', '2');
  const [, start] = await after([]);
  const [, cancelled] = await after([['pointerdown', 1, 100], ['pointercancel', 1, 100], ['pointermove', 1, 160]]);
  assert.equal(cancelled, start);
  const [, moved] = await after([['pointerdown', 1, 100], ['pointermove', 1, 130], ['pointerup', 1, 130]]);
  assert.notEqual(moved, start);
  const [zoom] = await after([['pointerdown', 1, 100], ['pointerdown', 2, 200], ['pointermove', 2, 300], ['pointerup', 1, 100], ['pointerup', 2, 300]]);
  assert.equal(Number(zoom), 4);
});

test('a browser that gives no camera, no pixels or other pixels says so in words', async () => {
  await page.addInitScript(() => Object.defineProperty(Navigator.prototype, 'mediaDevices', { get: () => undefined }));
  await faces();
  const buffer = await drawn('dot');
  await page.click('#bring-camera');
  await said(/camera only on https or on localhost/);
  const take = async () => {
    await page.setInputFiles('#picture', { name: 'dot.png', mimeType: 'image/png', buffer });
    await page.waitForSelector('#crop[open]');
    await page.click('#crop-take');
  };
  await page.evaluate(() => {
    const { getImageData } = CanvasRenderingContext2D.prototype;
    window.restore = () => (CanvasRenderingContext2D.prototype.getImageData = getImageData);
    CanvasRenderingContext2D.prototype.getImageData = function (...area) {
      const image = getImageData.apply(this, area);
      for (let i = 0; i < image.data.length; i += 97) image.data[i] ^= 1;
      return image;
    };
  });
  await take();
  await said(/does not let the page read the pixels/);
  await page.evaluate(() => {
    CanvasRenderingContext2D.prototype.getImageData = () => {
      throw new DOMException('The operation is insecure.', 'SecurityError');
    };
  });
  await take();
  await said(/does not let the page read the pixels/);
  await page.evaluate(() => window.restore());
  await take();
  await page.waitForFunction(() => document.getElementById('original-read').textContent);
  await page.evaluate(() => (HTMLCanvasElement.prototype.toBlob = (done) => done(null)));
  await page.click('#attack');
  await resultIn(page, 'done');
  await more(page);
  await page.click('#save');
  await said(/made no PNG/);
});
