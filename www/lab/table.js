// The results as a table: a part for each network, a row for each attack and budget.

/** @import { Offers } from '../app/offers.js' */

import { element } from '../parts/dom.js';
import { plain } from '../words/en.js';
import { bounded, points } from './words.js';

const number = (value, digits) => (Number.isNaN(value) ? '–' : value.toFixed(digits));

/** Heading and text of each column but the first. @param {string[]} grades @returns {[string, (row: any) => string][]} */
const columnsOf = (grades) => [
  ['attacked', ({ attacked }) => plain(attacked)],
  ['fooled, % [95 %]', ({ fooled: [value, low, high] }) => (Number.isNaN(value) ? '–' : `${points(value)} [${points(low)}, ${points(high)}]`)],
  ['L2 [quartiles]', ({ l2: [low, median, high] }) => (Number.isNaN(median) ? '–' : `${number(median, 2)} [${number(low, 2)}, ${number(high, 2)}]`)],
  ['L1', ({ l1 }) => number(l1[0], 1)],
  ['L∞', ({ linf }) => number(linf[0], 3)],
  ['SSIM', ({ ssim }) => number(ssim[0], 3)],
  ['confidence', ({ confidence }) => number(confidence[0], 3)],
  ...grades.map((grade) => /** @type {[string, (row: any) => string]} */ ([grade, ({ grades }) => plain(grades[grade])])),
  ['refused', ({ refused }) => plain(refused)],
];

/** Draws the rows of a summary. */
export function showTable(table, rows, inference, vaes, labTable, offers) {
  const columns = columnsOf(offers.grades);
  const head = element('tr', {}, ...['attack', ...columns.map(([title]) => title)].map((textContent) => element('th', { scope: 'col', textContent })));
  const parts = [...new Set(rows.map(({ network }) => network))].map((network) => {
    const own = rows.filter((row) => row.network === network);
    const most = Math.max(...own.map(({ misread }) => misread));
    const how = inference === 'sampled' && vaes.has(network) ? ', sampled' : '';
    const words = most ? `${plain(most)} misread without an attack, left out below` : 'none misread without an attack';
    const title = element('th', { scope: 'rowgroup', colSpan: columns.length + 1 }, element('span', { className: 'part' }, element('strong', { textContent: offers.short(network) + how }), ` · ${words}`));
    return element('tbody', {}, element('tr', { className: 'group' }, title), ...own.map((row) => {
      const cells = columns.map(([, text]) => element('td', { textContent: text(row) }));
      const line = element('tr', {}, element('th', { scope: 'row', textContent: bounded(labTable, row) }), ...cells);
      const { attack, budget, attacked, hits, misread } = row;
      Object.assign(line.dataset, { network, attack, budget: budget ?? '', attacked, fooled: hits, misread });
      return line;
    }));
  });
  table.replaceChildren(element('thead', {}, head), ...parts);
}
