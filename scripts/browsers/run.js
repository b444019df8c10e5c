#!/usr/bin/env node
// The page in Firefox and in WebKitGTK, as far as they are installed: it opens with a misread digit, the strength attacks live, a digit
// is drawn and attacked, an attack is played, a defence is broken, the landscape, the race and one noise are drawn, an attack is shared,
// a network in ONNX is brought, the lab opens with the study, nothing is cut off; with pictures of it at three widths, light and dark.
//   (cd scripts/browsers && npm ci && node run.js [FOLDER FOR PICTURES])     (needs target/release/misread; WebKit wants a display, or xvfb-run)
// Debian: firefox-esr; webkit2gtk-driver. The test command looks at Chromium.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import puppeteer from 'puppeteer-core';
import { serve } from '../../tests/page/helpers.js';

const [folder = 'target/pictures'] = process.argv.slice(2);
const WIDTHS = [[1280, 800], [768, 1024], [360, 740]];
const FIREFOX = process.env.FIREFOX ?? '/usr/bin/firefox-esr';
const WEBKIT = { driver: process.env.WEBKIT_DRIVER ?? '/usr/bin/WebKitWebDriver', browser: process.env.WEBKIT ?? '/usr/lib/x86_64-linux-gnu/webkit2gtk-4.1/MiniBrowser' };

/** A browser: {name, go, size, run, picture, close}; `run` runs the text of a function body in the page. */
async function firefox(dark) {
  const browser = await puppeteer.launch({
    browser: 'firefox', executablePath: FIREFOX, headless: true,
    extraPrefsFirefox: { 'layout.css.prefers-color-scheme.content-override': dark ? 0 : 1 },
  });
  const page = await browser.newPage();
  return {
    name: 'firefox',
    go: (url) => page.goto(url),
    size: (width, height) => page.setViewport({ width, height }),
    run: (body) => page.evaluate(`(async () => { ${body} })()`),
    picture: async () => Buffer.from(await page.screenshot()),
    close: () => browser.close(),
  };
}

/** WebDriver as the W3C has it, as far as it is needed. */
async function webkit(dark) {
  const port = 4455;
  const driver = spawn(WEBKIT.driver, [`--port=${port}`], { stdio: 'ignore', env: { ...process.env, ...(dark && { GTK_THEME: 'Adwaita:dark' }) } });
  const call = async (method, path, body) => {
    const answer = await fetch(`http://127.0.0.1:${port}${path}`, { method, ...(body && { body: JSON.stringify(body) }) });
    const { value } = await answer.json();
    if (!answer.ok) throw new Error(`${path}: ${value.error}: ${value.message}`);
    return value;
  };
  const options = { binary: WEBKIT.browser, args: ['--automation'] };
  let session;
  for (let tries = 0; !session; tries++) {
    try {
      session = await call('POST', '/session', { capabilities: { alwaysMatch: { 'webkitgtk:browserOptions': options } } });
    } catch (error) {
      if (tries > 20) throw error;
      await new Promise((resolve) => setTimeout(resolve, 250));
    }
  }
  const path = `/session/${session.sessionId}`;
  await call('POST', `${path}/timeouts`, { script: 60_000 });
  return {
    name: 'webkit',
    go: (url) => call('POST', `${path}/url`, { url }),
    size: (width, height) => call('POST', `${path}/window/rect`, { width, height: height + 60 }),
    run: (body) => call('POST', `${path}/execute/async`, { script: `const done = arguments[0]; (async () => { ${body} })().then(done, (error) => done(String(error)));`, args: [] }),
    picture: async () => Buffer.from(await call('GET', `${path}/screenshot`), 'base64'),
    close: async () => {
      await call('DELETE', path).catch(() => {});
      driver.kill();
    },
  };
}

const WAIT = `const until = async (what) => { for (let i = 0; i < 1200; i++) { const value = what(); if (value) return value; await new Promise((r) => setTimeout(r, 25)); } throw new Error('never: ' + what); };
  const result = document.getElementById('result'); const data = () => ({ ...result.dataset, text: result.textContent });`;

/** Goes through what a visitor does. */
async function visit(browser, url, look) {
  const run = (body) => browser.run(`${WAIT} ${body}`);
  await browser.size(1280, 800);
  await browser.go(url);
  const opened = await run(`await until(() => result.dataset.state === 'done'); return data();`);
  assert.match(opened.text, /^You see a 3\. The network sees an? \d\.$/, JSON.stringify(opened));
  assert.equal(opened.valid, 'true');
  const moved = await run(`const strength = document.getElementById('strength'); strength.value = '500'; strength.dispatchEvent(new Event('input', { bubbles: true }));
    await until(() => result.dataset.attack !== '${opened.attack}' && result.dataset.state === 'done'); return data();`);
  assert.equal(moved.success, 'true');
  const drawn = await run(`await until(() => !document.getElementById('draw').disabled); document.getElementById('draw').click(); const pad = document.getElementById('pad-ink'); pad.setPointerCapture = () => {};
    const { left, top, width, height } = pad.getBoundingClientRect();
    const at = (type, [x, y]) => pad.dispatchEvent(new PointerEvent(type, { pointerId: 1, clientX: left + x * width, clientY: top + y * height, bubbles: true }));
    const way = [[0.3, 0.25], [0.5, 0.25], [0.7, 0.25], [0.6, 0.5], [0.45, 0.8]];
    at('pointerdown', way[0]); for (const point of way) at('pointermove', point); at('pointerup', way.at(-1));
    const read = await until(() => /^Reads/.test(document.getElementById('pad-read').textContent) && document.getElementById('pad-read').textContent);
    document.getElementById('pad-take').click(); await until(() => location.hash.includes('digit=own') && result.dataset.state === 'done'); return { ...data(), read };`);
  assert.match(drawn.read, /^Reads 7/);
  assert.equal(drawn.success, 'true', JSON.stringify(drawn));
  const replayed = await run(`document.getElementById('attack').click(); await until(() => result.dataset.state === 'done' && !document.getElementById('replay-row').hidden); return data();`);
  assert.equal(replayed.success, 'true');
  for (const [width, height] of WIDTHS) {
    await browser.size(width, height);
    await browser.go('about:blank');
    await browser.go(url);
    const wide = await run(`await until(() => result.dataset.state === 'done'); await until(() => document.querySelectorAll('.tick').length > 3); return document.documentElement.scrollWidth - innerWidth;`);
    assert.ok(wide <= 0, `${wide} pixels too wide at ${width}`);
    look(`${width}`, await browser.picture());
  }
  await browser.size(1280, 800);
  await browser.go('about:blank');
  await browser.go(`${url}#level=2`);
  const left = await run(`const words = document.getElementById('level-outcome'); const count = document.getElementById('level-count');
    await until(() => /^Caught/.test(words.textContent)); document.getElementById('level-tell').click();
    await until(() => result.dataset.attacker === 'adaptive' && result.dataset.state === 'done'); await until(() => count.dataset.done === '100');
    return { ...count.dataset, success: result.dataset.success };`);
  assert.ok(left.success === 'true' && Number(left.told) > 2 * Number(left.blind), JSON.stringify(left));
  look('level', await browser.picture());
  const views = await run(`const open = (id) => document.getElementById(id).click(); const of = (id) => document.getElementById(id + '-view').dataset;
    open('landscape'); await until(() => of('landscape').subjects);
    open('noise'); await until(() => document.getElementById('noise-run')); open('noise-run'); await until(() => of('noise').ended === 'true');
    open('race'); await until(() => document.getElementById('race-run')); open('race-run'); await until(() => of('race').done);
    return [of('landscape').subjects, of('noise').fooled, of('race').done];`);
  assert.ok(views[0] === '1' && Number(views[1]) > 10 && Number(views[2]) >= 100, JSON.stringify(views));
  look('race', await browser.picture());
  const shared = await run(`document.getElementById('pictures').click(); document.getElementById('share-open').click();
    await until(() => document.getElementById('share').open); document.getElementById('share-link').click();
    return until(() => document.getElementById('share').dataset.link);`);
  assert.match(shared, /weights=[0-9a-f]{8}&version=/);
  look('share', await browser.picture());
  // A network of the visitor's own, in colour, which is asked about; a picture for it; an attack.
  const bytes = readFileSync('../../tests/data/onnx/mobile.onnx').toString('base64');
  const own = await run(`document.getElementById('share').close();
    const give = (id, file) => { const data = new DataTransfer(); data.items.add(file); const input = document.getElementById(id); input.files = data.files; input.dispatchEvent(new Event('change', { bubbles: true })); };
    give('own', new File([Uint8Array.from(atob('${bytes}'), (c) => c.charCodeAt(0))], 'mobile.onnx'));
    await until(() => document.getElementById('feeding').open); const asked = document.getElementById('feeding-words').textContent;
    document.getElementById('feeding-take').click(); await until(() => /^mobile/.test(document.getElementById('facts').textContent));
    const canvas = Object.assign(document.createElement('canvas'), { width: 90, height: 90 }); const drawing = canvas.getContext('2d');
    for (let i = 0; i < 9; i++) { drawing.fillStyle = 'hsl(' + 40 * i + ' 80% 50%)'; drawing.fillRect(10 * i, 0, 10, 90); }
    give('picture', new File([await new Promise((done) => canvas.toBlob(done))], 'stripes.png', { type: 'image/png' }));
    await until(() => document.getElementById('crop').open); document.getElementById('crop-take').click();
    await until(() => document.getElementById('original-read').textContent && !document.getElementById('attack').disabled); document.getElementById('attack').click();
    await until(() => result.dataset.state === 'done' && /own-32x32x3/.test(result.dataset.record)); return { asked, ...data() };`);
  assert.match(own.asked, /32 × 32 in colour/);
  look('onnx', await browser.picture());
  await browser.go(`${url}lab.html`);
  assert.equal(await run(`await until(() => document.querySelector('#chart [data-behind]')); return document.querySelectorAll('#chart [data-behind]').length;`), 3);
  look('lab', await browser.picture());
}

mkdirSync(folder, { recursive: true });
const server = await serve();
let failed = false;
try {
  for (const [there, open] of [[existsSync(FIREFOX), firefox], [existsSync(WEBKIT.driver), webkit]]) {
    if (!there) {
      console.log(`${open.name}: not installed`);
      continue;
    }
    for (const dark of [false, true]) {
      const browser = await open(dark);
      try {
        await visit(browser, server.url, (what, picture) => writeFileSync(join(folder, `${browser.name}-${what}-${dark ? 'dark' : 'light'}.png`), picture));
        console.log(`${browser.name}, ${dark ? 'dark' : 'light'}: well`);
      } catch (error) {
        failed = true;
        console.log(`${browser.name}, ${dark ? 'dark' : 'light'}: ${error.message}`);
      } finally {
        await browser.close();
      }
    }
  }
} finally {
  server.stop();
}
process.exitCode = failed ? 1 : 0;
