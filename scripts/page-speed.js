#!/usr/bin/env node
// How fast the page is in Chromium on this machine: what a visitor waits for, with a cold cache, and what it costs to go on.
// Prints a table; asserts nothing, as a busy machine is slower.
//   node scripts/page-speed.js            (needs target/release/misread)
//   node scripts/page-speed.js --memory   and the memory over 8,000 attacks in a row

import { readFileSync, readdirSync } from 'node:fs';
import { browse, serve } from '../tests/page/helpers.js';

const RUNS = Number(process.env.RUNS ?? 5);
const SIZES = { 'desktop, 1280 x 800': { width: 1280, height: 800 }, 'phone, 390 x 844': { width: 390, height: 844 } };
const median = (values) => [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)];

/** What the page notes of itself. */
const watch = () => {
  const seen = { picture: 0, live: 0, tasks: [], shift: 0 };
  Object.assign(window, { seen });
  new PerformanceObserver((list) => list.getEntries().forEach(({ startTime, duration }) => seen.tasks.push([startTime, duration]))).observe({ type: 'longtask', buffered: true });
  new PerformanceObserver((list) => list.getEntries().forEach(({ value, hadRecentInput }) => (seen.shift += hadRecentInput ? 0 : value))).observe({ type: 'layout-shift', buffered: true });
  new PerformanceObserver((list) => list.getEntries().forEach(({ name, startTime }) => name === 'first-contentful-paint' && (seen.picture = startTime))).observe({ type: 'paint', buffered: true });
  addEventListener('DOMContentLoaded', () => {
    const result = document.getElementById('result');
    const look = () => (seen.live ||= result.dataset.state === 'done' ? performance.now() : 0);
    new MutationObserver(look).observe(result, { attributes: true });
    look();
  });
};

/** The memory of a browser's pages, in MiB: of all processes that descend from this one, what is theirs alone. */
function memory() {
  const parents = new Map();
  for (const pid of readdirSync('/proc').filter((name) => /^\d+$/.test(name))) {
    try {
      parents.set(pid, readFileSync(`/proc/${pid}/stat`, 'utf8').split(') ')[1].split(' ')[1]);
    } catch {
      // It has ended.
    }
  }
  const ours = (pid) => pid === String(process.pid) || (parents.has(pid) && ours(parents.get(pid)));
  let sum = 0;
  for (const pid of parents.keys()) {
    try {
      if (!ours(pid) || !/type=renderer/.test(readFileSync(`/proc/${pid}/cmdline`, 'utf8'))) continue;
      sum += Number(readFileSync(`/proc/${pid}/status`, 'utf8').match(/RssAnon:\s+(\d+)/)?.[1] ?? 0) / 1024;
    } catch {
      // It has ended.
    }
  }
  return sum;
}

const [server, browser] = await Promise.all([serve(), browse()]);
// What is sent is packed in the first seconds of a server; visitors come later.
let worker = 0;
for (const name of ['relaxed-simd/misread_bg.wasm', 'page/main.js', 'page/worker.js']) {
  for (let coding = ''; coding !== 'br'; ) {
    const response = await fetch(`${server.url}pkg/${name}`, { headers: { 'accept-encoding': 'br' } });
    coding = response.headers.get('content-encoding');
    worker = Number(response.headers.get('content-length') ?? 0);
  }
}
try {
  for (const [name, viewport] of Object.entries(SIZES)) {
    const runs = [];
    for (let run = 0; run < RUNS; run++) {
      const context = await browser.newContext({ viewport });
      const page = await context.newPage();
      await page.addInitScript(watch);
      const files = [];
      page.on('requestfinished', (request) => {
        const ended = Date.now();
        files.push(request.sizes().then((sizes) => ({ ...sizes, ended, url: request.url() })).catch(() => null));
      });
      await page.goto(server.url);
      await page.waitForFunction(() => window.seen.live);
      const loaded = await page.evaluate(() => structuredClone(window.seen));
      const resources = await page.evaluate(() => performance.getEntriesByType('resource').map(({ responseEnd, encodedBodySize, transferSize }) => [responseEnd, transferSize || encodedBodySize]));
      const [own] = await page.evaluate(() => performance.getEntriesByType('navigation').map(({ transferSize }) => transferSize));
      const until = (time) => resources.filter(([end]) => end <= time).reduce((sum, [, size]) => sum + size, own) / 1000;
      // Those of the workers, too, of which the page knows nothing. Of a worker's own script the browser tells no size here.
      const live = (await page.evaluate(() => performance.timeOrigin)) + loaded.live;
      const before = (await Promise.all(files)).filter((file) => file && file.ended <= live);
      const size = ({ responseBodySize, responseHeadersSize, url }) => responseHeadersSize + (responseBodySize || (/worker\.js/.test(url) ? worker : 0));
      const all = before.reduce((sum, file) => sum + size(file), 0) / 1000;
      // Then an attack, played, and two seconds of a strength that moves at every frame.
      await page.waitForTimeout(1500);
      const attacked = await page.evaluate(async () => {
        window.seen.tasks.length = 0;
        document.getElementById('attack').click();
        await new Promise((resolve) => setTimeout(resolve, 2500));
        const longest = Math.max(0, ...window.seen.tasks.map(([, duration]) => duration));
        window.seen.tasks.length = 0;
        const strength = document.getElementById('strength');
        let frames = 0;
        const begun = performance.now();
        await new Promise((resolve) => {
          const tick = (now) => {
            strength.value = String(300 + 200 * Math.sin(now / 200));
            strength.dispatchEvent(new Event('input', { bubbles: true }));
            frames++;
            if (now - begun < 2000) requestAnimationFrame(tick);
            else resolve();
          };
          requestAnimationFrame(tick);
        });
        return { longest, moved: Math.max(0, ...window.seen.tasks.map(([, duration]) => duration)), frames: (1000 * frames) / (performance.now() - begun) };
      });
      runs.push({
        'first picture, ms': loaded.picture, 'live, ms': loaded.live, 'KB until the first picture': until(loaded.picture), 'KB until live (the page)': until(loaded.live), 'KB in all until live': all,
        'longest task at load, ms': Math.max(0, ...loaded.tasks.map(([, duration]) => duration)), 'layout shift': loaded.shift,
        'longest task of an attack, ms': attacked.longest, 'longest task while the strength moves, ms': attacked.moved, 'frames a second then': attacked.frames,
      });
      await context.close();
    }
    console.log(`${name}, median of ${RUNS}`);
    for (const key of Object.keys(runs[0])) console.log(`  ${key.padEnd(44)} ${median(runs.map((run) => run[key])).toFixed(key === 'layout shift' ? 3 : 0)}`);
  }
  if (process.argv.includes('--memory')) {
    const page = await browser.newPage({ viewport: SIZES['desktop, 1280 x 800'] });
    await page.goto(server.url);
    const attacks = (count) => page.evaluate(async (n) => {
      const [strength, result] = ['strength', 'result'].map((id) => document.getElementById(id));
      for (let i = 0; i < n; i++) {
        const ended = new Promise((resolve) => new MutationObserver((_, observer) => {
          observer.disconnect();
          resolve();
        }).observe(result, { attributes: true, attributeFilter: ['data-ms', 'data-record'] }));
        strength.value = String(250 + (i % 300));
        strength.dispatchEvent(new Event('input', { bubbles: true }));
        await ended;
      }
    }, count);
    await page.waitForFunction(() => document.getElementById('result').dataset.state === 'done');
    const seen = [];
    // What nobody holds any more is collected when the browser likes, so that a process grows and shrinks by a third: it is collected
    // first, and what the page still holds stands beside it.
    const tools = await page.context().newCDPSession(page);
    await tools.send('HeapProfiler.enable');
    const counts = [1000, 1000, 2000, 2000, 2000];
    for (const count of counts) {
      await attacks(count);
      await tools.send('HeapProfiler.collectGarbage');
      await page.waitForTimeout(1500);
      const { usedSize, embedderHeapUsedSize, backingStorageSize } = await tools.send('Runtime.getHeapUsage');
      const { nodes, jsEventListeners } = await tools.send('Memory.getDOMCounters');
      seen.push([(usedSize + embedderHeapUsedSize + backingStorageSize) / 2 ** 20, nodes, jsEventListeners, memory()]);
    }
    let all = 0;
    console.log('after attacks in a row: the page holds, MiB; nodes; listeners; the processes of pages take, MiB');
    counts.forEach((count, i) => console.log(`  ${String((all += count)).padStart(6)}  ${seen[i].map((value, j) => value.toFixed(j ? 0 : 2)).join('; ')}`));
  }
} finally {
  await browser.close();
  server.stop();
}
