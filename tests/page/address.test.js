// The address under a hand that does not rest.

import assert from 'node:assert/strict';
import { mock, test } from 'node:test';

test('of many changes in a row few are written, the last one in the end, and what the browser refuses reaches nobody', async () => {
  mock.timers.enable({ apis: ['setTimeout'] });
  const written = [];
  let refuses = false;
  Object.assign(globalThis, {
    addEventListener() {},
    history: {
      replaceState(_, __, hash) {
        if (refuses) throw new DOMException('Attempt to use history.replaceState() more than 100 times per 10 seconds', 'SecurityError');
        written.push(hash);
      },
    },
  });
  const { Address } = await import('../../www/parts/address.js');
  const address = new Address();
  address.write('#first');
  assert.deepEqual(written, ['#first'], 'a single one at once');
  for (let i = 0; i < 400; i++) address.write(`#${i}`);
  assert.ok(written.length < 100, `${written.length}`);
  mock.timers.tick(1000);
  assert.equal(written.at(-1), '#399');
  refuses = true;
  address.write('#refused');
  mock.timers.tick(1000);
  address.flush();
  mock.timers.reset();
});
