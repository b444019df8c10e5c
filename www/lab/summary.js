// What the records of a study say: rows of a table, curves, and VAEs beside plain networks. The statistics are the crate's,
// computed in a worker.

/** @import { Study } from './study.js' */
/** @import { LabTable } from './state.js' */

/** Whether the network read the digit rightly before the attack; others are not counted. */
const read = (record) => record?.clean_predicted === record?.label;

/** Places on the axis of a curve without budgets. */
const PLACES = 25;

/** Distances from 0 to just above the largest of these. */
function distances(values) {
  const most = Math.max(...values, 1e-3);
  return Array.from({ length: PLACES }, (_, i) => (most * i) / (PLACES - 1));
}

/**
 * Sums up a study, as far as it is.
 * @param {Study} study @param {LabTable} table @param {string[]} grades from the best of an attack to none
 * @param {(asked: Array) => Promise<Float64Array[]>} ask `statistics` of an engine
 * @returns {Promise<{rows: object[], curves: object[], comparisons: object[]}>} an interval is [value, low, high]
 */
export async function summarise(study, table, grades, ask) {
  const asked = [];
  // Gives the place of an answer; those are put in below.
  const want = (...question) => asked.push(question) - 1;
  const groups = [...study.groups()].map((group) => {
    const done = group.records.filter(Boolean);
    const attacked = done.filter(read);
    const fooled = attacked.filter(({ success }) => success);
    return { ...group, done, attacked, fooled };
  });
  const rows = groups.map(({ network, attack, budget, done, attacked, fooled }) => {
    const of = (name) => Float64Array.from(fooled, (record) => record[name]);
    return {
      network, attack, budget, attacked: attacked.length, misread: done.length - attacked.length, hits: fooled.length,
      fooled: want('share', fooled.length, attacked.length), l2: want('quartiles', of('l2')),
      ...Object.fromEntries(['l1', 'linf', 'ssim', 'confidence'].map((name) => [name, want('median', of(name))])),
      refused: attacked.filter(({ refused }) => refused).length,
      grades: Object.fromEntries(grades.map((name) => [name, attacked.filter(({ grade }) => grade === name).length])),
    };
  });
  const curves = groups.filter(({ budget }) => budget === null).flatMap(({ network, attack, attacked, fooled }) => {
    const { norm } = table.attack(attack);
    const x = distances(groups.filter((one) => one.attack === attack).flatMap((one) => one.fooled.map((record) => record[norm])));
    return x.map((at) => {
      const hits = fooled.filter((record) => record[norm] <= at).length;
      return { network, attack, x: at, hits, attacked: attacked.length, fooled: want('share', hits, attacked.length) };
    });
  });
  const comparisons = [...compared(groups, study, table, want)];
  const answers = asked.length ? await ask(asked) : [];
  for (const row of rows) {
    for (const name of ['fooled', 'l2', 'l1', 'linf', 'ssim', 'confidence']) row[name] = answers[row[name]];
  }
  for (const one of /** @type {any[]} */ ([...curves, ...comparisons])) one[one.kind ?? 'fooled'] = answers[one[one.kind ?? 'fooled']];
  const budgeted = rows.filter(({ budget }) => budget !== null).map(({ budget, ...row }) => ({ ...row, x: budget }));
  return { rows, curves: [...budgeted, ...curves].filter(({ attacked }) => attacked > 0), comparisons };
}

/** Each VAE beside each plain network, attack by attack, on the digits that both read rightly. @param {any[]} groups @param {Study} study @param {LabTable} table @param {(...question: any[]) => number} want */
function* compared(groups, { vaes, settings: { inference } }, table, want) {
  for (const a of groups.filter(({ network }) => vaes.has(network))) {
    for (const b of groups.filter(({ network }) => !vaes.has(network))) {
      if (a.attack !== b.attack || a.budget !== b.budget) continue;
      // Against draws a search ends at another confidence, and so at other distances.
      if (a.budget === null && inference === 'sampled') continue;
      const about = { vae: a.network, plain: b.network, attack: a.attack, budget: a.budget };
      const pairs = a.records.map((record, i) => [record, b.records[i]]).filter(([x, y]) => x && y && read(x) && read(y));
      if (a.budget === null) {
        const both = pairs.filter(([x, y]) => x.success && y.success);
        yield { ...about, n: both.length, kind: 'ratio', ratio: want('median', Float64Array.from(both, ([x, y]) => x[table.attack(a.attack).norm] / y[table.attack(a.attack).norm])) };
      } else {
        const [first, second] = [pairs.filter(([x, y]) => x.success && !y.success), pairs.filter(([x, y]) => y.success && !x.success)];
        yield { ...about, n: pairs.length, kind: 'difference', difference: want('pairedDifference', first.length, second.length, pairs.length) };
      }
    }
  }
}
