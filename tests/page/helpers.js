// A server of the real program and a Chromium, for the tests of the page.

import { execFileSync, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { chromium } from 'playwright-core';

const root = fileURLToPath(new URL('../..', import.meta.url));
const program = `${root}/target/release/misread`;

/** What the program answers. */
export const misread = (...args) => execFileSync(program, args, { cwd: root, encoding: 'utf8' });

/** All that there is, as the page gets it from its worker. */
export const catalogue = JSON.parse(misread('catalogue'));
/** How many networks of faces a duel of all has: those that were not trained to withstand attacks. */
export const facesDuelled = catalogue.networks.filter(({ dataset, defends }) => dataset === 'lfw' && !defends).length;

/** Starts the server: {url, stop}; with a folder, that is where it looks for data sets. */
export async function serve(data = 'tests/page') {
  const child = spawn(program, ['--port', '18080', '--data-dir', data], { cwd: root });
  const url = await new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('exit', (code) => reject(new Error(`the server ended with ${code}`)));
    createInterface({ input: child.stdout }).on('line', (line) => {
      const match = line.match(/http:\/\/\S+/);
      if (match) resolve(match[0]);
    });
  });
  return { url, stop: () => child.kill() };
}

export function browse() {
  return chromium.launch({
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    args: [
      '--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking',
      '--disable-component-update', '--disable-sync', '--use-fake-device-for-media-stream', '--use-fake-ui-for-media-stream',
    ],
  });
}

/** A page of its own for a test, and what it complains of (but for what is `forgiven`): {context, page, complaints}. */
export async function visit(browser, forgiven = /(?!)/, options = {}) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options });
  const page = await context.newPage();
  const complaints = [];
  page.on('pageerror', (error) => complaints.push(error.message));
  page.on('console', (message) => message.type() === 'error' && !forgiven.test(message.text()) && complaints.push(message.text()));
  return { context, page, complaints };
}

/** The data attributes of #result once it is in one of the states. */
export async function resultIn(page, ...states) {
  await page.waitForFunction((s) => s.includes(document.getElementById('result').dataset.state), states);
  return page.$eval('#result', (e) => ({ ...e.dataset, text: e.textContent }));
}

/** Holds back what the page asks for until what is answered is called. */
export async function holdBack(page, glob) {
  let release;
  const released = new Promise((resolve) => (release = resolve));
  await page.route(glob, async (route) => {
    await released;
    await route.continue();
  });
  return release;
}

/** Opens what is folded below the stage, if it is. */
export async function more(page) {
  if (!(await page.$eval('#more', (e) => e.open))) await page.click('#more > summary');
}

/** Waits until the page has its network and its digits. */
export async function ready(page) {
  await page.waitForFunction(() => !document.getElementById('attack').disabled);
}
