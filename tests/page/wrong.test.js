// What goes wrong outside the page: servers, links, files, browsers. Said in words, with a way on.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { catalogue, facesDuelled, resultIn } from './helpers.js';
import { anew, complaints, page, server, silent } from './on-page.js';

const lfw = catalogue.datasets.find(({ key }) => key === 'lfw');
const SIZE = lfw.image.reduce((product, n) => product * n, 1);

silent(/404|500|503|ERR_FAILED|ERR_CONNECTION/);

const looked = () => page.waitForFunction(() => !document.getElementById('attack').disabled && document.getElementById('original-read').textContent);
const said = async (pattern) => {
  await page.waitForFunction((p) => new RegExp(p).test(document.getElementById('notice').textContent), pattern.source);
  const words = await page.textContent('#notice');
  assert.doesNotMatch(words, /undefined|null|is not a function|is not iterable|is not defined|Cannot|Unexpected/);
  return words;
};

/** Faces of a made-up server: `faces` as in its index; those in `broken` cannot be had. */
async function facesOf(people, faces, broken = {}) {
  await page.route('**/faces/index.json', (route) => route.fulfill({ json: { people, faces } }));
  await page.route(/\/faces\/\d+$/, (route) => {
    const index = Number(route.request().url().split('/').at(-1));
    if (broken[index]) return route.fulfill(broken[index]);
    const bytes = Buffer.from(Array.from({ length: SIZE }, (_, i) => (i * (index + 3)) >> 5 & 255));
    return route.fulfill({ body: bytes, contentType: 'application/octet-stream' });
  });
}
const face = (index, label) => ({ index, label, file: `Ada_L/Ada_L_${index}.jpg` });

/** A weights file with other metadata. */
function changed(file, change) {
  const bytes = readFileSync(file);
  const length = Number(bytes.readBigUInt64LE());
  const header = JSON.parse(bytes.subarray(8, 8 + length));
  change(header.__metadata__);
  const text = Buffer.from(JSON.stringify(header));
  const size = Buffer.alloc(8);
  size.writeBigUInt64LE(BigInt(text.length));
  return Buffer.concat([size, text, bytes.subarray(8 + length)]);
}
const bring = (name, buffer) => page.setInputFiles('#own', { name, mimeType: '', buffer });

for (const [path, started] of [['', '#attack:not([disabled])'], ['lab.html', '#run:not([disabled])']]) {
  for (const [how, fail] of [['broken off', (route) => route.abort()], ['503', (route) => route.fulfill({ status: 503 })]]) {
    test(`a download of the engine that failed once (${how}) is tried again: ${path || 'the page'}`, async () => {
      let asked = 0;
      await page.route('**/misread_bg.wasm', (route) => (++asked === 1 ? fail(route) : route.continue()));
      await page.goto(server.url + path);
      await said(how === '503' ? /could not send the attack engine \(it answered 503\)/ : /download of the attack engine broke off/);
      await page.click('#notice button');
      await page.waitForSelector(started);
      assert.ok(asked >= 2 && (await page.isHidden('#notice')));
    });
  }
}

test('whatever alters the state writes the address', async () => {
  await page.goto(`${server.url}#digit=3&target=5&epsilon=0.2`);
  await looked();
  await page.click('#datasets label:has-text("Faces")');
  await page.waitForFunction(() => /No faces ship/.test(document.getElementById('faces-words').textContent));
  const shown = await page.inputValue('#epsilon');
  assert.equal(new URL(page.url()).hash.match(/epsilon=([^&]*)/)[1], shown);
  assert.match(page.url(), /target=auto/);
  await page.reload();
  await page.waitForFunction(() => /No faces ship/.test(document.getElementById('faces-words').textContent));
  assert.equal(await page.inputValue('#epsilon'), shown);
});

test('a number in a link that means nothing here is said and put right, on load and when the link is changed', async () => {
  await page.goto(`${server.url}#target=12&digit=7&run=1`);
  await said(/target 12 is no label of this network/);
  assert.equal((await resultIn(page, 'done')).label, '7');
  assert.match(page.url(), /target=auto/);
  assert.ok(await page.isChecked('#targets input[value=auto]'));
  await page.evaluate(() => (location.hash = '#digit=7&target=7&run=1'));
  await said(/target 7 is what the picture shows/);
  assert.notEqual((await resultIn(page, 'done')).target, '7');
  await page.evaluate(() => (location.hash = '#digit=123&run=1'));
  await said(/no digit 123 here/);
  assert.doesNotMatch(page.url(), /digit=123|run=1/);
  assert.equal(await page.$eval('#result', (e) => e.dataset.state), 'idle');
  await facesOf(lfw.labels, [face(4, 0), face(9, 1)]);
  await page.goto('about:blank');
  await page.goto(`${server.url}#model=lfw-cnn&digit=77&run=1`);
  await said(/no face 77 here/);
  await looked();
  assert.match(page.url(), /digit=4/);
});

test('a face keeps its number when others are missing, and its file stands in the record', async () => {
  await facesOf(lfw.labels, [face(4, 0), face(9, 1)]);
  await page.goto(`${server.url}#model=lfw-cnn&digit=9&steps=2&run=1`);
  const record = JSON.parse((await resultIn(page, 'done')).record);
  assert.deepEqual([record.index, record.label, record.file], [9, 1, 'Ada_L/Ada_L_9.jpg']);
});

test('labels go by name: a network of other people reads the same picture under its own', async () => {
  await facesOf(lfw.labels, [face(0, 0), face(1, 6)]);
  await page.goto(`${server.url}#model=lfw-cnn&digit=1`);
  await looked();
  const others = ['Nobody Known', ...[...lfw.labels].reverse().slice(0, 6)];
  await bring('others.safetensors', changed('models/lfw-dense.safetensors', (facts) => (facts.labels = others.join('\n'))));
  await page.waitForFunction((name) => document.querySelector('#targets')?.textContent.includes(name), others[0]);
  await looked();
  // The last of seven is the second of these, and can be no target.
  assert.ok(await page.isDisabled(`#targets input[value="${others.indexOf(lfw.labels[6])}"]`));
  await page.click('#attack');
  const result = await resultIn(page, 'done', 'error');
  assert.equal(result.label, String(others.indexOf(lfw.labels[6])));
  // Of a person that it does not know, it has no true label: its own reading is what an attack changes.
  await page.click('#strip label >> nth=0');
  await looked();
  const read = (await page.textContent('#original-read')).match(/^reads (.*) \(/)[1];
  assert.ok(await page.isDisabled(`#targets input[value="${others.indexOf(read)}"]`));
  // What the shipped networks read cannot be compared with it.
  await page.click('#duel');
  await page.waitForFunction(() => document.getElementById('duel-section').dataset.ms);
  const columns = await page.$$eval('#duelled .compared', (all) => all.map((e) => [e.dataset.model, e.textContent]));
  assert.equal(columns.filter(([, words]) => /tells other people or things apart/.test(words)).length, facesDuelled);
});

test('one broken picture is left out, the others stay', async () => {
  const broken = { 0: { status: 500, body: 'x' }, 5: { body: 'short' } };
  await facesOf(lfw.labels, [face(0, 0), face(3, 1), face(5, 2), face(7, 3)], broken);
  await page.goto(`${server.url}#model=lfw-cnn&digit=0`);
  await looked();
  await said(/\(0\) is left out: the server answered 500\..*\(5\) is left out: the server sent it incompletely/);
  assert.deepEqual(await page.$$eval('#digits input', (all) => all.map(({ value }) => value)), ['3', '7']);
  assert.match(page.url(), /digit=3/);
});

test('a list of faces of another form is said, and pictures can be brought', async () => {
  for (const json of [{ people: ['Ada L'], faces: [0, 0] }, [], { faces: 3 }, 'x']) {
    await page.route('**/faces/index.json', (route) => route.fulfill({ json }));
    await page.goto('about:blank');
    await page.goto(`${server.url}#model=lfw-cnn`);
    await said(/list of faces is not of a form that this page knows/);
    assert.ok(await page.isVisible('#bring-row'));
    await page.unroute('**/faces/index.json');
  }
});

test('weights whose facts are missing or odd are taken by their architecture, or refused in words', async () => {
  await page.goto(server.url);
  await looked();
  for (const [name, change] of [['odd', (facts) => (facts.dataset = 'odd')], ['none', (facts) => Object.keys(facts).filter((key) => !['arch', 'labels', 'format'].includes(key)).forEach((key) => delete facts[key])]]) {
    await bring(`${name}.safetensors`, changed('models/mnist-dense.safetensors', change));
    await page.waitForFunction((n) => document.querySelector(`#models input[value="own:${n}"]`)?.checked || !document.getElementById('notice').hidden, name);
    if (await page.isHidden('#notice')) {
      await looked();
      await page.click('#attack');
      assert.equal((await resultIn(page, 'done', 'error')).state, 'done', name);
    } else await said(new RegExp(name));
  }
  await bring('strange.safetensors', changed('models/mnist-dense.safetensors', (facts) => (facts.arch = 'strange-net')));
  await said(/strange/);
});

test('an eye whose memory is of another form, or forbidden, still sees', async () => {
  for (const kept of ['[null]', '{"a":1}', '[1,"x",[]]', 'nonsense', null]) {
    await anew();
    await page.addInitScript((kept) => {
      if (kept === null) Object.defineProperty(window, 'localStorage', { get: () => { throw new DOMException('denied', 'SecurityError'); } });
      else localStorage.setItem('misread-eye', kept);
    }, kept);
    await page.goto(`${server.url}#digit=7&target=3&run=1`);
    await resultIn(page, 'done');
    await page.click('#eye-ask');
    await page.click('#eye-answers button >> nth=7');
    assert.match(await page.textContent('#eye-verdict'), /still a 7/);
  }
});

test('WebAssembly that is missing, on the page or in its workers alone, is said with what may be the reason', async () => {
  await page.route('**/pkg/page/worker.js*', async (route) => {
    const response = await route.fetch();
    await route.fulfill({ response, body: `delete globalThis.WebAssembly;\n${await response.text()}` });
  });
  await page.goto(server.url);
  assert.match(await said(/no WebAssembly/), /lockdown mode/);
  await page.unroute('**/pkg/page/worker.js*');
  await page.addInitScript(() => delete globalThis.WebAssembly);
  await page.goto('about:blank');
  await page.goto(server.url);
  assert.match(await said(/no WebAssembly/), /lockdown mode/);
});

test('a build that does not compile is replaced by the plain one, and the page says which runs', async () => {
  const { RELAXED } = await import('../../www/engine/support.js');
  // What the probe holds is what the build uses: relaxed multiply-add, and no other relaxed instruction.
  assert.equal(Buffer.from(RELAXED).includes(Buffer.from([0xfd, 0x85, 0x02])), true);
  await page.route('**/relaxed-simd/misread_bg.wasm', (route) => route.fulfill({ body: Buffer.from('\0asm\x01\0\0\0\xff\xff', 'latin1'), contentType: 'application/wasm' }));
  await page.goto(server.url);
  await looked();
  await page.waitForFunction(() => /WebAssembly, simd128\)/.test(document.getElementById('facts').textContent));
  await page.click('#duel');
  await page.waitForFunction(() => document.getElementById('duel-section').dataset.ms);
});

test('a page that is opened as a file says what to do', async () => {
  for (const name of ['index', 'lab', 'bench']) {
    await page.goto(`file://${fileURLToPath(new URL(`../../www/${name}.html`, import.meta.url))}`);
    await page.waitForFunction(() => getComputedStyle(document.getElementById('unstarted')).visibility === 'visible');
    assert.match(await page.textContent('#unstarted'), /the program serves it/);
    complaints.length = 0;
    await page.goto(`${server.url}${name === 'index' ? '' : `${name}.html`}`);
    await page.waitForFunction(() => !document.getElementById('unstarted'));
  }
});

test('a measurement waits to be asked, and can be cancelled', async () => {
  await page.setViewportSize({ width: 360, height: 740 });
  await page.goto(`${server.url}bench.html`);
  await page.click('#start');
  await page.click('#cancel');
  await page.waitForFunction(() => document.getElementById('status').textContent === 'Cancelled.');
  assert.ok(await page.isEnabled('#start'));
  assert.equal(await page.evaluate(() => document.documentElement.scrollWidth), 360);
});
