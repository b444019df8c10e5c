// A server, a browser and, for each test, a page of its own, for the files whose tests all want that. What is imported of these is what it is
// at the moment.

import assert from 'node:assert/strict';
import { after, afterEach, before, beforeEach } from 'node:test';
import { browse, serve, visit } from './helpers.js';

export let server;
export let browser;
export let context;
export let page;
export let complaints;

/** @type {RegExp | null} */
let forgiven = null;

/** Holds every test to a page that complains of nothing but this. @param {RegExp} [but] */
export const silent = (but = /(?!)/) => (forgiven = but);

before(async () => {
  [server, browser] = await Promise.all([serve(), browse()]);
});

after(async () => {
  await browser?.close();
  server?.stop();
});

/** Another page in place of the one there is, in a context of other options. */
export async function anew(options = {}) {
  await context?.close();
  ({ context, page, complaints } = await visit(browser, forgiven ?? undefined, options));
}

beforeEach(() => anew());

afterEach(async () => {
  if (forgiven) assert.deepEqual(complaints, []);
  await context.close();
});
