// Defend, and what opens when somebody asks for it: levels, landscape, race, one noise, one's own eye, sharing. In Chromium, end to end;
// and the arithmetic below it.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { levelsOf } from '../../www/app/levels.js';
import { Offers } from '../../www/app/offers.js';
import { read, rounded, written } from '../../www/parts/drawing.js';
import { gif } from '../../www/parts/gif.js';
import { imageAt, planeOf, seats } from '../../www/parts/plane.js';
import { share, thresholdOf } from '../../www/parts/psychometric.js';
import { catalogue, misread, resultIn, visit } from './helpers.js';
import { browser, complaints, context, page, server } from './on-page.js';

const open = async (hash = '') => {
  await page.goto(server.url + hash);
  return resultIn(page, 'done', 'error');
};
/** Waits for a data attribute of an element; all of them then. */
const data = async (selector, name, value) => {
  await page.waitForFunction(([s, n, v]) => {
    const found = document.querySelector(s)?.dataset[n];
    return v === undefined ? found !== undefined : found === v;
  }, [selector, name, value]);
  return page.$eval(selector, (e) => ({ ...e.dataset }));
};

test('every lesson has a level of digits, and none stands for something that is not there', () => {
  const offers = new Offers(catalogue);
  const levels = levelsOf(offers, 'mnist');
  assert.equal(levels.length, 7);
  assert.deepEqual(levels.map(({ model, defence }) => `${model} ${defence}`.trim()), [
    'mnist-cnn', 'mnist-cnn grey2', 'mnist-cnn mean3', 'mnist-cnn-distilled', 'mnist-cnn conv-vae5', 'mnist-cnn siamese5', 'mnist-cnn-adversarial',
  ]);
  assert.ok(levelsOf(offers, 'lfw').length >= 5);
});

test('a level: blind it is caught, told it is misread, and what is left is counted', async () => {
  const { attacker, success, defence } = await open('#level=2');
  assert.deepEqual([attacker, success, defence], ['blind', 'false', 'grey2']);
  assert.match(await page.textContent('#level-outcome'), /^Caught/);
  assert.equal(await page.getAttribute('#nav-defend', 'aria-current'), 'page');
  await page.click('#level-tell');
  await page.waitForFunction(() => document.getElementById('result').dataset.attacker === 'adaptive');
  const told = await resultIn(page, 'done');
  assert.equal(told.success, 'true');
  const count = await data('#level-count', 'ended', 'true');
  const [blind, fooled, clean] = [count.blind, count.told, count.clean].map(Number);
  assert.ok(count.done === '100' && blind < 15 && fooled > 75 && fooled <= clean && clean > 95, JSON.stringify(count));
  const words = await page.textContent('#level-count');
  assert.match(words, new RegExp(`^Misread: blind ${blind}, told ${fooled} of 100 digits, by a change of at most L2 1\\.5\\. It reads ${clean} of 100 clean ones\\.$`));
  // The address repeats the level; another network leaves it.
  assert.match(page.url(), /level=2/);
  await page.reload();
  await resultIn(page, 'done');
  assert.match(await page.textContent('#level-words'), /^Level 2 of 7/);
  assert.ok(await page.$eval('#level-chips input:checked', (e) => e.value === '2' && e.parentElement.textContent.length > 2));
  await page.click('#level-next');
  await page.waitForFunction(() => /^Level 3/.test(document.getElementById('level-words').textContent));
  await resultIn(page, 'done');
  assert.deepEqual(complaints, []);
});

test('a guard is counted with its false alarms, on a picture that it lets pass', async () => {
  const { refused, success } = await open('#level=6');
  assert.deepEqual([success, refused], ['false', 'true']);
  assert.match(await page.textContent('#level-outcome'), /^Caught: refused/);
  await data('#level-count', 'done', '100');
  assert.match(await page.textContent('#level-count'), /It refuses \d+ of the clean ones\./);
  assert.deepEqual(complaints, []);
});

test('a level that was beaten stays so on this machine, until it is forgotten', async () => {
  await open('#level=1');
  await page.waitForFunction(() => /✓/.test(document.getElementById('level-chips').textContent));
  await page.reload();
  await resultIn(page, 'done');
  assert.match(await page.textContent('#level-chips'), /1 ✓ no defence/);
  await page.click('#more > summary');
  await page.click('#forget');
  await open('#level=2');
  assert.doesNotMatch(await page.textContent('#level-chips'), /✓/);
});

test('a plane has the image at its middle, both changes on it, and lengths that are those of the changes', () => {
  const origin = Float32Array.from({ length: 50 }, (_, i) => 0.3 + 0.4 * Math.abs(Math.sin(i)));
  const [one, other] = [1, 2].map((k) => origin.map((x, i) => x + 0.02 * Math.sin(3 * k * i + k)));
  const plane = planeOf(origin, one, other, 21);
  const far = (a, b) => Math.hypot(...a.map((x, i) => x - b[i]));
  assert.ok(Math.abs(plane.first - far(one, origin)) < 1e-6);
  assert.ok(far(imageAt(plane, 0, 0), origin) < 1e-7 && far(imageAt(plane, plane.first, 0), one) < 1e-5 && far(imageAt(plane, ...plane.second), other) < 1e-5);
  assert.ok(Math.abs(plane.u.reduce((sum, x, i) => sum + x * plane.v[i], 0)) < 1e-5);
  const [x, y] = [plane.places[3], plane.places[17]];
  assert.ok(Math.abs(far(imageAt({ ...plane, origin: origin.map(() => 0.5) }, x, y), origin.map(() => 0.5)) - Math.hypot(x, y)) < 1e-5);
  assert.ok(planeOf(origin, one, one, 21).v.every(Number.isFinite));
  assert.equal(planeOf(origin, origin, other, 21), null);
  // A label's name stands inside what it holds.
  const labels = new Int16Array(81).map((_, i) => (i % 9 < 5 ? 1 : 2));
  assert.deepEqual([...seats(labels, 9)].map(([label, cell]) => [label, labels[cell]]), [[1, 1], [2, 2]]);
});

test('the landscape is what the network reads, of several beside each other', async () => {
  const { predicted, label } = await open('#digit=7&attack=strongest&run=1');
  await page.click('#landscape');
  await data('#landscape-view', 'subjects', '1');
  const [read] = await page.$$eval('#landscape-view figure > canvas', (all) => all.map((e) => JSON.parse(e.dataset.read)));
  assert.ok(read[label] > 0.1 && read[predicted] > 0.05, JSON.stringify(read));
  assert.ok(Math.abs(Object.values(read).reduce((a, b) => a + b, 0) - 1) < 1e-6);
  // By hand and by key: the middle is the picture, to the right the attack.
  const canvas = await page.$('#landscape-view figure > canvas');
  await canvas.focus();
  assert.match(await page.textContent('#landscape-view .point'), new RegExp(`reads ${label}, .*L2 0\\.0`));
  for (let i = 0; i < 22; i++) await page.keyboard.press('ArrowRight');
  assert.match(await page.textContent('#landscape-view .point'), new RegExp(`reads ${predicted},`));
  await page.selectOption('#landscape-second', { index: 2 });
  await data('#landscape-view', 'subjects', '2');
  assert.equal((await page.$$('#landscape-view figure > canvas')).length, 2);
  // Another picture is drawn anew, and the view stays.
  await page.click('#strip label:nth-child(5)');
  await page.click('#attack');
  await page.waitForFunction(() => document.getElementById('result').dataset.label === '4');
  await data('#landscape-view', 'subjects', '2');
  assert.ok(await page.isVisible('#landscape-view'));
  assert.deepEqual(complaints, []);
});

test('a race: digits fall as the budget grows, the smaller change first, and it can be saved', async () => {
  await open();
  await page.emulateMedia({ reducedMotion: 'reduce' });
  await page.click('#race');
  await page.waitForSelector('#race-entries input');
  const picked = await page.$$eval('#race-entries input:checked', (all) => all.map((e) => e.value));
  assert.ok(picked.length >= 2 && picked.length <= 4);
  for (const box of (await page.$$('#race-entries input:checked')).slice(1)) await box.uncheck();
  await page.click('#race-run');
  await data('#race-view', 'done', '100');
  const left = async (share) => {
    await page.$eval('#race-budget', (e, at) => {
      e.value = at * e.max;
      e.dispatchEvent(new Event('input'));
    }, share);
    return Number(await page.$eval('#race-view .racers [data-left]', (e) => e.dataset.left));
  };
  const all = [];
  for (const share of [0, 0.25, 0.5, 0.75, 1]) all.push(await left(share));
  assert.ok(all[0] >= 98 && all.at(-1) === 0 && all.every((n, i) => i === 0 || n <= all[i - 1]) && all[2] > 5, String(all));
  assert.match(await page.textContent('#race-status'), /Half of the digits have fallen: CNN at L2 \d/);
  const [csv] = await Promise.all([page.waitForEvent('download'), page.click('#race-csv')]);
  const lines = readFileSync(await csv.path(), 'utf8').trim().split('\n');
  assert.equal(lines.length, 101);
  const l2 = lines.slice(1).map((line) => Number(line.split(',')[lines[0].split(',').indexOf('l2')])).sort((a, b) => a - b);
  // What the slider says is what the records say.
  const middle = await page.$eval('#race-budget', (e) => {
    e.value = e.max / 2;
    e.dispatchEvent(new Event('input'));
    return Number(e.getAttribute('aria-valuetext').match(/[\d.]+$/)[0]);
  });
  assert.ok(Math.abs(l2.filter((far) => far > middle).length - all[2]) <= 1);
  assert.deepEqual(complaints, []);
});

test('one noise fools many, and is laid over the picture', async () => {
  await open('#model=mnist-conv-vae&digit=7&attack=strongest&run=1');
  await page.click('#noise');
  await page.waitForSelector('#noise-run');
  assert.match(await page.textContent('#noise-over'), /Make it first/);
  await page.click('#noise-run');
  const { fooled } = await data('#noise-view', 'ended', 'true');
  assert.ok(Number(fooled) > 40, fooled);
  assert.equal(await page.textContent('#noise-words'), `This one picture fools ${fooled} of 100.`);
  await page.waitForFunction(() => /was 7; reads \d|still 7/.test(document.getElementById('noise-over').textContent));
  // Another picture under the same noise; a drawing is not attacked besides.
  await page.click('#strip label:nth-child(2)');
  await page.waitForFunction(() => /was 1; reads \d|still 1/.test(document.getElementById('noise-over').textContent));
  assert.ok(await page.isVisible('#noise-view'));
  assert.deepEqual(complaints, []);
});

test('the threshold of an eye is what its answers say, and covers the truth as often as it should', () => {
  const ladder = Array.from({ length: 10 }, (_, i) => 1.5 * 8 ** (i / 9));
  const all = thresholdOf(ladder.map((strength) => ({ strength, right: true })));
  const none = thresholdOf(ladder.map((strength) => ({ strength, right: false })));
  const half = thresholdOf(ladder.map((strength, i) => ({ strength, right: i < 5 })));
  assert.ok(none.threshold < 1.5 && half.threshold > 3 && half.threshold < 6 && all.threshold > 8, JSON.stringify([none, half, all]));
  for (const { low, threshold, high } of [all, none, half]) assert.ok(low < threshold && threshold < high);
  assert.ok(Math.abs(share(3, 3) - (0.1 + 0.88 / 2)) < 1e-9 && share(0.1, 3) > 0.97 && share(9, 3) < 0.11);
  // Eyes whose threshold is drawn from where it is looked for.
  let state = 7;
  const random = () => (state = (Math.imul(state, 1664525) + 1013904223) >>> 0) / 2 ** 32;
  let inside = 0;
  for (let eye = 0; eye < 400; eye++) {
    const truth = 0.5 * 40 ** random();
    const { low, high } = thresholdOf(ladder.map((strength) => ({ strength, right: random() < share(strength, truth) })));
    inside += Number(low <= truth && truth <= high);
  }
  assert.ok(inside > 0.91 * 400 && inside < 0.99 * 400, `${inside} of 400`);
});

test('one’s own eye becomes the threshold of page and lab', async () => {
  await open('#digit=7&attack=strongest&run=1');
  await page.click('#measure-open');
  await page.waitForSelector('#measure-start');
  await page.click('#measure-start');
  for (let round = 1; round <= 10; round++) {
    await data('#measure', 'round', String(round));
    await page.waitForFunction(() => document.querySelector('#measure .measured canvas'));
    // An eye that never can tell, by hand.
    await page.click('#measure-answers button:last-child');
  }
  const { threshold } = await data('#measure', 'threshold');
  assert.match(await page.textContent('#measure-words'), /^You read 0 of 10\./);
  await page.click('#measure-take');
  assert.match(page.url(), new RegExp(`valid=${threshold}`));
  await page.click('#measure-close');
  await page.goto(`${server.url}lab.html`);
  await page.waitForFunction(() => !document.body.classList.contains('waiting'));
  assert.equal(await page.inputValue('#valid'), threshold);
  assert.deepEqual(complaints, []);
});

test('a drawing goes into a link and comes out the same', () => {
  const image = rounded(Float32Array.from({ length: 784 }, (_, i) => Math.abs(Math.sin(i))));
  const text = written(image);
  assert.match(text, /^[\w-]{523}$/);
  assert.deepEqual(read(text, 784), image);
  for (const wrong of ['', 'ab', text.slice(0, -4), '***']) assert.equal(read(wrong, 784), null);
});

test('a shared link repeats the attack on one’s own drawing, and says what has changed', async () => {
  await open();
  await page.click('#draw');
  const box = await (await page.$('#pad-ink')).boundingBox();
  await page.mouse.move(box.x + 0.5 * box.width, box.y + 0.2 * box.height);
  await page.mouse.down();
  for (let i = 1; i <= 10; i++) await page.mouse.move(box.x + (0.5 - 0.01 * i) * box.width, box.y + (0.2 + 0.06 * i) * box.height);
  await page.mouse.up();
  await page.waitForFunction(() => !document.getElementById('pad-take').disabled);
  await page.click('#pad-take');
  await page.waitForFunction(() => document.getElementById('result').dataset.state === 'done');
  const first = JSON.parse((await resultIn(page, 'done')).record);
  await page.click('#share-open');
  await page.waitForSelector('#share-link');
  await page.click('#share-link');
  const { link } = await data('#share', 'link');
  assert.match(link, new RegExp(`drawing=[\\w-]{523}&weights=[0-9a-f]{8}&version=${catalogue.version}&`));
  const [json] = await Promise.all([page.waitForEvent('download'), page.click('#share-numbers')]);
  const run = JSON.parse(readFileSync(await json.path(), 'utf8'));
  assert.deepEqual([run.link, run.version, run.record.l2], [link, catalogue.version, first.l2]);
  const [animation] = await Promise.all([page.waitForEvent('download'), page.click('#share-animation')]);
  const bytes = [...readFileSync(await animation.path())];
  const frames = await page.evaluate(async (all) => {
    const decoder = new ImageDecoder({ data: Uint8Array.from(all), type: 'image/gif' });
    await decoder.tracks.ready;
    const { frameCount } = decoder.tracks.selectedTrack;
    const { image } = await decoder.decode({ frameIndex: frameCount - 1 });
    return { frameCount, width: image.displayWidth, height: image.displayHeight };
  }, bytes);
  assert.deepEqual(frames, { frameCount: 4, width: 600, height: 315 });
  const [picture] = await Promise.all([page.waitForEvent('download'), page.click('#share-picture')]);
  const png = readFileSync(await picture.path());
  assert.deepEqual([png.readUInt32BE(16), png.readUInt32BE(20)], [1200, 630]);

  // Somebody else opens it.
  const other = await visit(browser);
  await other.page.goto(link);
  const again = JSON.parse((await resultIn(other.page, 'done')).record);
  assert.deepEqual([again.l2, again.predicted, again.confidence], [first.l2, first.predicted, first.confidence]);
  assert.doesNotMatch(await other.page.textContent('#notice'), /changed/);
  await other.page.goto('about:blank');
  await other.page.goto(link.replace(/weights=\w+/, 'weights=00000000').replace(`version=${catalogue.version}`, 'version=999').replace(/drawing=[\w-]+/, 'drawing=abc'));
  await other.page.waitForFunction(() => /drawing in the link cannot be read.*weights of this network have changed.*attacks have changed/.test(document.getElementById('notice').textContent));
  await other.context.close();
  assert.deepEqual(complaints, []);
});

test('an animation is what was drawn, to the colour, when there are few of them', async () => {
  const [width, height] = [20, 12];
  const drawn = [[200, 40, 30], [20, 90, 220]].map((colour) => Uint8ClampedArray.from({ length: 4 * width * height }, (_, i) => (i % 4 === 3 ? 255 : Math.floor(i / 4) % 7 === 0 ? 255 : colour[i % 4])));
  const bytes = [...new Uint8Array(await gif(width, height, drawn.map((pixels) => ({ data: pixels, delay: 10 }))).arrayBuffer())];
  await page.goto(server.url);
  const seen = await page.evaluate(async (all) => {
    const decoder = new ImageDecoder({ data: Uint8Array.from(all), type: 'image/gif' });
    await decoder.tracks.ready;
    const frames = [];
    for (let frameIndex = 0; frameIndex < decoder.tracks.selectedTrack.frameCount; frameIndex++) {
      const { image } = await decoder.decode({ frameIndex });
      const canvas = new OffscreenCanvas(image.displayWidth, image.displayHeight);
      const drawing = canvas.getContext('2d');
      drawing.drawImage(image, 0, 0);
      frames.push([...drawing.getImageData(0, 0, canvas.width, canvas.height).data]);
    }
    return frames;
  }, bytes);
  assert.deepEqual(seen, drawn.map((pixels) => [...pixels]));
  // One with more colours than a table holds, and longer than its codes.
  const noisy = Uint8ClampedArray.from({ length: 4 * 120 * 90 }, (_, i) => (i % 4 === 3 ? 255 : Math.abs(Math.imul(i, 2654435761)) >> 8));
  const large = [...new Uint8Array(await gif(120, 90, [{ data: noisy, delay: 10 }]).arrayBuffer())];
  const apart = await page.evaluate(async ([all, pixels]) => {
    const bitmap = await createImageBitmap(new Blob([Uint8Array.from(all)], { type: 'image/gif' }));
    const drawing = new OffscreenCanvas(120, 90).getContext('2d');
    drawing.drawImage(bitmap, 0, 0);
    const { data: found } = drawing.getImageData(0, 0, 120, 90);
    return found.reduce((sum, x, i) => sum + Math.abs(x - pixels[i]), 0) / found.length;
  }, [large, [...noisy]]);
  assert.ok(apart < 20, String(apart));
});
