#!/usr/bin/env node
// Writes into www/index.html what stands there before anything runs: the attack that the page greets with, its pictures and its
// sentence, as the page itself makes it. Run it after a change of the shipped weights or of the attack.
//   node scripts/page-head.js           (needs target/release/misread and Chromium)

import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { crc32, deflateSync } from 'node:zlib';
import { browse, resultIn, serve } from '../tests/page/helpers.js';

const path = fileURLToPath(new URL('../www/index.html', import.meta.url));
let page = readFileSync(path, 'utf8');

const between = (what, text) => {
  const [begin, end] = ['begin', 'end'].map((place) => `<!-- ${what}: ${place} -->`);
  const [from, to] = [page.indexOf(begin), page.indexOf(end)];
  if (from < 0 || to < from) throw new Error(`www/index.html has lost its mark “${what}”`);
  page = page.slice(0, from + begin.length) + text + page.slice(to);
};

/** A picture (PNG, ISO/IEC 15948) as an address: grey where it has no colours, without transparency where it has none. */
const address = ({ width, height, data }) => {
  const pixels = Array.from({ length: width * height }, (_, i) => data.slice(4 * i, 4 * i + 4));
  const opaque = pixels.every(([, , , alpha]) => alpha === 255);
  const grey = opaque && pixels.every(([r, g, b]) => r === g && g === b);
  const [type, channels] = grey ? [0, 1] : opaque ? [2, 3] : [6, 4];
  const rows = Array.from({ length: height }, (_, y) => [0, ...pixels.slice(y * width, (y + 1) * width).flatMap((pixel) => pixel.slice(0, channels))]);
  const chunk = (type, bytes) => {
    const body = Buffer.concat([Buffer.from(type, 'latin1'), bytes]);
    const number = (value) => Buffer.from(Uint32Array.of(value).buffer).reverse();
    return Buffer.concat([number(bytes.length), body, number(crc32(body))]);
  };
  const head = Buffer.from([0, 0, 0, width, 0, 0, 0, height, 8, type, 0, 0, 0]);
  const image = deflateSync(Buffer.from(rows.flat()), { level: 9 });
  const signature = Buffer.from('\x89PNG\r\n\x1a\n', 'latin1');
  return `data:image/png;base64,${Buffer.concat([signature, chunk('IHDR', head), chunk('IDAT', image), chunk('IEND', Buffer.alloc(0))]).toString('base64')}`;
};

const [server, browser] = await Promise.all([serve(), browse()]);
try {
  const tab = await browser.newPage({ viewport: { width: 1280, height: 800 } });
  await tab.goto(server.url);
  const { text } = await resultIn(tab, 'done');
  await tab.waitForFunction(() => document.getElementById('sees-words').textContent);
  between('the first sentence', `<span class="opening">${text}</span>`);
  for (const id of ['original', 'perturbation', 'adversarial', 'sees']) {
    const picture = await tab.$eval(`#${id}`, (canvas) => {
      const { width, height } = canvas;
      return { width, height, data: [...canvas.getContext('2d').getImageData(0, 0, width, height).data] };
    });
    const url = address(picture);
    page = page.replace(new RegExp(`(<canvas id="${id}"[^>]*></canvas>)(<img class="opening"[^>]*>)?`), `$1<img class="opening" alt="" src="${url}">`);
  }
} finally {
  await browser.close();
  server.stop();
}
writeFileSync(path, page);
