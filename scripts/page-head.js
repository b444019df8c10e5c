#!/usr/bin/env node
// Writes into www/index.html what stands there before anything runs: the attack that the page greets with, its pictures and its
// sentence, as the page itself makes it. Run it after a change of the shipped weights or of the attack.
//   node scripts/page-head.js           (needs target/release/misread and Chromium)

import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { browse, resultIn, serve } from '../tests/page/helpers.js';

const path = fileURLToPath(new URL('../www/index.html', import.meta.url));
let page = readFileSync(path, 'utf8');

const between = (what, text) => {
  const [begin, end] = ['begin', 'end'].map((place) => `<!-- ${what}: ${place} -->`);
  const [from, to] = [page.indexOf(begin), page.indexOf(end)];
  if (from < 0 || to < from) throw new Error(`www/index.html has lost its mark “${what}”`);
  page = page.slice(0, from + begin.length) + text + page.slice(to);
};
const [server, browser] = await Promise.all([serve(), browse()]);
try {
  const tab = await browser.newPage({ viewport: { width: 1280, height: 800 } });
  await tab.goto(server.url);
  const { text } = await resultIn(tab, 'done');
  await tab.waitForFunction(() => document.getElementById('sees-words').textContent);
  between('the first sentence', `<span class="opening">${text}</span>`);
  for (const id of ['original', 'perturbation', 'adversarial', 'sees']) {
    const url = await tab.$eval(`#${id}`, (canvas) => canvas.toDataURL());
    page = page.replace(new RegExp(`(<canvas id="${id}"[^>]*></canvas>)(<img class="opening"[^>]*>)?`), `$1<img class="opening" alt="" src="${url}">`);
  }
} finally {
  await browser.close();
  server.stop();
}
writeFileSync(path, page);
