// The lab, end to end, in Chromium.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { beforeEach, test } from 'node:test';
import { Offers } from '../../www/app/offers.js';
import { LabTable } from '../../www/lab/state.js';
import { catalogue, resultIn } from './helpers.js';
import { complaints, context, page, server } from './on-page.js';

const FIELDS = catalogue.record;
const offers = new Offers(catalogue);
const table = new LabTable(offers, offers.datasets.find(({ lab }) => lab));
const initialState = () => table.initial();
const readHash = (hash) => table.readHash(hash);
const writeHash = (state) => table.writeHash(state);

let requests;

beforeEach(() => {
  requests = [];
  context.on('request', (request) => requests.push(request));
});

const open = (hash = '') => page.goto(`${server.url}lab.html${hash}`);

/** What a button saves: {name, bytes}. */
async function saved(button) {
  const [download] = await Promise.all([page.waitForEvent('download'), page.click(button)]);
  return { name: download.suggestedFilename(), bytes: readFileSync(await download.path()) };
}

const savedJson = async () => JSON.parse((await saved('#save-json')).bytes);

/** Waits until some digits are done on each network. */
const begun = () => page.waitForFunction(() => {
  const done = [...document.querySelectorAll('#table tr[data-network]')].map((e) => Number(e.dataset.attacked));
  return done.length > 0 && done.every((n) => n >= 3);
});

/** The rows of the table: {network, attack, budget, attacked, fooled, misread}. */
const rows = () => page.$$eval('#table tr[data-network]', (all) => all.map((e) => ({ ...e.dataset })));

test('what is written into the hash is read back, and what is not right is said', () => {
  const state = { ...initialState(), networks: ['mnist-dense', 'mnist-conv-vae'], attacks: ['linf', 'l1', 'lbfgs'], digits: 200, l1: [2.5, 10], seed: 3, inference: 'sampled', run: 1 };
  assert.deepEqual(readHash(writeHash(state)), { state, problems: [] });
  assert.deepEqual(readHash(writeHash(initialState())), { state: initialState(), problems: [] });
  assert.deepEqual(readHash(''), { state: initialState(), problems: [] });
  assert.equal(writeHash({ ...initialState(), networks: ['mnist-cnn', 'own:mine'] }).includes('own'), false);
  // Budgets are sorted, each is there once, and name their attack.
  assert.deepEqual(readHash('#linf=8/255,0.1').state.linf, [8 / 255, 0.1]);
  const { state: short } = readHash('#l1=20,5,20');
  assert.deepEqual([short.attacks, short.l1], [['l1'], [5, 20]]);
  for (const wrong of ['digits=9', 'digits=1001', 'digits=ten', 'linf=0', 'linf=0.1,,0.2', 'linf=2', 'l1=', 'steps=0', 'networks=mnist', 'networks=lfw-cnn', 'attacks=', 'seed=-1', 'inference=x', 'hat=1', 'toString=1', 'run=2']) {
    const { state: read, problems } = readHash(`#${wrong}`);
    assert.deepEqual(read, initialState(), wrong);
    assert.equal(problems.length, 1, wrong);
  }
});

test('a run ends with curves, a table, a finding and files of all records', async () => {
  await open('#networks=mnist-cnn,mnist-vae');
  await page.waitForFunction(() => !document.getElementById('run').disabled);
  // Nothing is downloaded before it is wanted.
  assert.ok(!requests.some((request) => /safetensors/.test(request.url())));
  await page.fill('#digits', '12');
  await page.check('#use-l1');
  await page.uncheck('[name=attacks][value=strongest-l2]');
  await page.fill('#linf', '0.3, 0.05, 0.1');
  await page.fill('#l1', '20');
  await page.click('#run');
  const result = await resultIn(page, 'done', 'error');
  assert.equal(result.state, 'done');
  assert.equal(result.attacks, String(12 * 2 * 4));
  assert.ok(result.ms > 0);
  assert.match(page.url(), /lab\.html#networks=mnist-cnn,mnist-vae&digits=12&attacks=linf,l1&linf=0\.05,0\.1,0\.3&l1=20&steps=40&run=1$/);

  const shown = await rows();
  assert.deepEqual(shown.map(({ network, attack, budget }) => `${network} ${attack} ${budget}`), ['mnist-cnn', 'mnist-vae'].flatMap((network) =>
    ['linf 0.05', 'linf 0.1', 'linf 0.3', 'l1 20'].map((what) => `${network} ${what}`)));
  for (const network of ['mnist-cnn', 'mnist-vae']) {
    const fooled = shown.filter((row) => row.network === network && row.attack === 'linf').map((row) => Number(row.fooled));
    assert.ok(fooled[0] < fooled[2] && fooled.every((hits, i) => !i || hits >= fooled[i - 1]), `${network}: ${fooled}`);
  }
  // A line of three points and a band for each network, and one point in the other panel.
  const drawn = await page.$$eval('#chart [data-network] polyline', (all) => all.map((e) => e.getAttribute('points').split(' ').length));
  assert.deepEqual(drawn, [3, 3, 1, 1]);
  assert.match(await page.textContent('#found [data-vae=mnist-vae][data-plain=mnist-cnn]'), /Vanilla VAE beside CNN: at L.* ≤ .*95 % interval .*more vulnerable/);

  const csv = (await saved('#save-csv')).bytes.toString();
  const [head, ...lines] = csv.trimEnd().split('\n').map((line) => line.split(','));
  assert.deepEqual(head, FIELDS);
  assert.equal(lines.length, 96);
  const { settings, records } = await savedJson();
  assert.deepEqual(Object.keys(records[0]), FIELDS);
  assert.deepEqual(records.map((record) => FIELDS.map((name) => (record[name] === null ? '' : String(record[name])))), lines);
  const { networks, digits, linf, l1, steps, seed, valid_l2: valid, confident, complete } = settings;
  assert.deepEqual([networks, digits, linf, l1, steps, seed, valid, confident, complete], [['mnist-cnn', 'mnist-vae'], 12, [0.05, 0.1, 0.3], [20], 40, null, 1.5, 0.8, true]);
  // In the order digit, network, attack, budget; the first test digits, each towards the next label.
  assert.deepEqual(records.slice(0, 4).map(({ attack, budget }) => [attack, budget]), [['linf', 0.05], ['linf', 0.1], ['linf', 0.3], ['l1', 20]]);
  records.forEach((record, i) => assert.deepEqual([record.index, record.network], [Math.floor(i / 8), i % 8 < 4 ? 'mnist-cnn' : 'mnist-vae']));
  assert.deepEqual(records.filter((_, i) => i % 8 === 0).map(({ label }) => label), [7, 2, 1, 0, 4, 1, 4, 9, 5, 9, 0, 6]);
  for (const { label, target, clean_predicted: clean, success, attack, budget, linf: most, l1: sum, grade } of records) {
    assert.equal(target, (label + 1) % 10);
    assert.ok(attack === 'linf' ? most <= budget + 1e-6 : sum <= budget + 1e-3);
    assert.equal(grade === null, clean !== label);
    assert.ok(!success || clean === label);
  }
  // The table counts what the records say.
  for (const row of shown) {
    const own = records.filter((r) => r.network === row.network && r.attack === row.attack && String(r.budget) === row.budget);
    const read = own.filter((r) => r.clean_predicted === r.label);
    assert.deepEqual([row.attacked, row.fooled, row.misread].map(Number), [read.length, read.filter((r) => r.success).length, own.length - read.length]);
  }
  const svg = (await saved('#save-svg')).bytes.toString();
  assert.match(svg, /^<\?xml/);
  assert.ok(svg.includes('polyline') && svg.includes('first 12 test digits') && !/class=|style=/.test(svg));
  const png = await saved('#save-png');
  assert.equal(png.name, 'misread-lab.png');
  assert.equal(png.bytes.subarray(1, 4).toString(), 'PNG');
  assert.equal(png.bytes.readUInt32BE(16), 1920);
  for (const request of requests.filter((one) => !one.url().startsWith('blob:'))) {
    assert.equal(request.method(), 'GET');
    assert.equal(new URL(request.url()).origin, new URL(server.url).origin, request.url());
  }
  assert.deepEqual(complaints, []);
});

test('a cancelled run keeps what is done, says so, and goes on', async () => {
  await open('#digits=150&networks=mnist-cnn,mnist-conv-vae&linf=0.1,0.2&run=1');
  await begun();
  await page.click('#cancel');
  const result = await resultIn(page, 'cancelled', 'done');
  assert.equal(result.state, 'cancelled');
  const done = Number(result.attacks);
  assert.ok(done >= 10 && done < 600, `${done} attacks`);
  assert.match(result.text, /Cancelled after .* of 600 attacks/);
  const { settings, records } = await savedJson();
  assert.equal(settings.complete, false);
  assert.equal(records.length, done);
  assert.equal((await rows()).reduce((sum, row) => sum + Number(row.attacked) + Number(row.misread), 0), done);
  await page.click('#go-on');
  assert.equal((await resultIn(page, 'done', 'error')).attacks, '600');
  const all = (await savedJson()).records;
  assert.equal(all.length, 600);
  assert.equal(new Set(all.map(({ network, index, budget }) => `${network} ${index} ${budget}`)).size, 600);
  // Other settings are another study, whose results these are not yet.
  await page.fill('#linf', '0.1');
  assert.ok(await page.isHidden('#go-on'));
  assert.deepEqual(complaints, []);
});

test('the settings are checked in words', async () => {
  await open('#digits=5000&linf=0.1,x&hat=1');
  await page.waitForFunction(() => !document.getElementById('run').disabled);
  const notice = await page.textContent('#notice');
  assert.match(notice, /digits “5000”; it has to be a whole number from 10 to 1000. Using 100\./);
  assert.match(notice, /linf “0\.1,x”; it has to be 1 to 20 numbers from 0\.001 to 1 with commas between\. Using 0\.02, 0\.05/);
  assert.match(notice, /“hat”, which the lab does not know/);
  assert.equal(await page.inputValue('#digits'), '100');
  await page.fill('#linf', '0.1 0.2');
  await page.dispatchEvent('#linf', 'change');
  assert.match(await page.textContent('#linf-wrong'), /1 to 20 numbers/);
  assert.ok(await page.isDisabled('#run'));
  await page.fill('#linf', '0.2,0.1');
  await page.dispatchEvent('#linf', 'change');
  assert.equal(await page.inputValue('#linf'), '0.1, 0.2');
  for (const box of await page.$$('#networks input:checked')) await box.uncheck();
  assert.match(await page.textContent('#networks-wrong'), /at least one/);
  assert.ok(await page.isDisabled('#run'));
  await page.check('#networks input[value=mnist-dense]');
  await page.click('#run');
  await resultIn(page, 'running', 'done');
  assert.deepEqual(complaints, []);
});

test('digits and weights that do not come are said, and what is done stays', async () => {
  await page.route('**/mnist-lab.safetensors', (route) => route.abort());
  await page.route('**/mnist-vae.safetensors', (route) => route.fulfill({ status: 404, body: '' }));
  await open('#digits=10&linf=0.1&run=1');
  assert.equal((await resultIn(page, 'error', 'done')).state, 'error');
  assert.match(await page.textContent('#notice'), /The download of the images broke off/);
  await page.unroute('**/mnist-lab.safetensors');
  await page.click('#notice button');
  await page.waitForFunction(() => /mnist-vae/.test(document.getElementById('notice').textContent));
  assert.equal((await resultIn(page, 'error', 'done')).state, 'error');
  assert.match(await page.textContent('#notice'), /could not send the weights of mnist-vae/);
  await page.unroute('**/mnist-vae.safetensors');
  await page.click('#notice button');
  assert.equal((await resultIn(page, 'done')).attacks, '20');
  assert.ok(await page.isHidden('#notice'));
});

test('the lab opens with a question and what the study found; presets are settings in words', async () => {
  await open();
  await page.waitForSelector('#chart [data-behind]');
  assert.deepEqual(await page.$$eval('#chart [data-behind]', (all) => all.map((e) => e.dataset.behind)), ['mnist-cnn', 'mnist-vae', 'mnist-conv-vae']);
  assert.deepEqual([await page.textContent('#run'), await page.isHidden('#settings')], ['Repeat it here', true]);
  assert.equal(await page.$eval('#presets [aria-pressed=true]', (e) => e.dataset.preset), 'question');
  await page.click('#presets [data-preset=norms]');
  await page.waitForFunction(() => document.querySelectorAll('#chart [data-behind]').length === 9);
  assert.match(await page.textContent('#status'), /50 digits × 3 networks × 3 attacks = 450/);
  await page.click('#presets [data-preset=controls]');
  assert.match(page.url(), /networks=mnist-dense,mnist-conv-encoder,mnist-vae,mnist-conv-vae&/);
  // A tenth of the digits, and the curves come where the study has them.
  await page.click('#details > summary');
  await page.fill('#digits', '20');
  await page.uncheck('#networks input[value=mnist-conv-encoder]');
  await page.uncheck('#networks input[value=mnist-conv-vae]');
  await page.fill('#valid', '2');
  await page.click('#run');
  assert.equal((await resultIn(page, 'done', 'error')).attacks, '40');
  const { settings, records } = await savedJson();
  assert.equal(settings.valid_l2, 2);
  assert.ok(records.every(({ success, l2, valid }) => !success || valid === (l2 <= 2)));
  const shipped = JSON.parse(readFileSync('models/study/curves.json')).parts[0].curves;
  for (const network of ['mnist-dense', 'mnist-vae']) {
    const far = records.filter((one) => one.network === network && one.success).map(({ l2 }) => l2).sort((a, b) => a - b);
    const { distances } = shipped.find((one) => one.network === network && one.norm === 'l2');
    const ratio = far[far.length >> 1] / distances[25];
    assert.ok(ratio > 0.7 && ratio < 1.4, `${network}: ${ratio}`);
  }
  assert.deepEqual(complaints, []);
});

test('a lost worker is replaced, and nothing is missing', async () => {
  await open('#digits=150&linf=0.1,0.2&run=1');
  let lost = 0;
  // Playwright knows the workers of a page, but cannot end them: they end themselves.
  await begun();
  for (const worker of page.workers()) {
    await worker.evaluate(() => setTimeout(() => { throw new Error('lost'); })).then(() => lost++, () => {});
  }
  assert.ok(lost > 0);
  assert.equal((await resultIn(page, 'done', 'error')).attacks, '600');
});

test('weights of the visitor\'s take part', async () => {
  await open();
  await page.click('summary');
  await page.setInputFiles('#own', { name: 'nothing.safetensors', mimeType: '', buffer: Buffer.from('no weights') });
  await page.waitForSelector('#notice:not([hidden])');
  assert.match(await page.textContent('#notice'), /nothing\.safetensors/);
  await page.setInputFiles('#own', { name: 'mine.safetensors', mimeType: '', buffer: readFileSync('models/mnist-conv-vae.safetensors') });
  await page.waitForSelector('#networks input[value="own:mine"]:checked');
  await page.fill('#digits', '10');
  await page.fill('#linf', '0.1');
  await page.uncheck('[name=attacks][value=strongest-l2]');
  await page.click('#run');
  // A CNN, both VAEs and this one.
  assert.equal((await resultIn(page, 'done', 'error')).attacks, '40');
  assert.match(await page.textContent('#found'), /mine beside CNN/);
  assert.ok(!page.url().includes('own'));
});

test('the strongest attack draws whole curves and decides; others say that they are weaker', async () => {
  await open('#networks=mnist-dense,mnist-vae&digits=20&attacks=strongest-l2,linf&linf=0.1&run=1');
  const result = await resultIn(page, 'done', 'error');
  assert.deepEqual([result.state, result.attacks], ['done', '80']);
  const { records } = await savedJson();
  const own = records.filter(({ attack }) => attack === 'strongest');
  assert.equal(own.length, 40);
  for (const { success, norm, budget, l2, gradients, queries, label, clean_predicted: clean, predicted, target } of own) {
    // The budget of a search is the smallest that it found.
    assert.equal(norm, 'l2');
    if (success) assert.ok(Math.abs(budget - l2) < 1e-5);
    else assert.equal(budget, null);
    if (clean === label) assert.ok(success && predicted === target && gradients === 1000 && queries > gradients);
  }
  // The curve of distances begins at no digit and ends at all.
  const curve = await page.$$eval('#chart [data-network] polyline', (all) => all.map((e) => e.getAttribute('points').split(' ').length));
  assert.deepEqual(curve, [25, 25, 1, 1]);
  const found = await page.textContent('#found [data-vae=mnist-vae][data-plain=mnist-dense]');
  assert.match(found, /The strongest attack goes 0\.\d+ times as far for the VAE \(L2, median of \d+ digits/);
  assert.doesNotMatch(found, /L∞ ≤/);
  assert.doesNotMatch(await page.textContent('#verdict'), /not the strongest/);
  await page.goto('about:blank');
  await open('#networks=mnist-dense,mnist-vae&digits=10&l1=10&run=1');
  assert.equal((await resultIn(page, 'done', 'error')).state, 'done');
  assert.match(await page.textContent('#verdict'), /not the strongest/);
});

test('on a phone the lab fits, and it stays readable in the dark', async () => {
  await page.setViewportSize({ width: 360, height: 740 });
  await page.emulateMedia({ colorScheme: 'dark' });
  await open('#digits=10&attacks=linf,l1,lbfgs&linf=0.1,0.2&l1=10,20&run=1');
  assert.equal((await resultIn(page, 'done')).attacks, '100');
  const width = await page.evaluate(() => document.documentElement.scrollWidth);
  assert.ok(width <= 360, `the page is ${width} pixels wide`);
  assert.equal(await page.$eval('#chart rect', (e) => e.getAttribute('fill')), '#211d18');
  assert.deepEqual(complaints, []);
});
