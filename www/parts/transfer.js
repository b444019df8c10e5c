// How each network of a duel reads the images that were made to fool the others.

import { percent } from '../words/en.js';

const element = (tag, properties = {}) => Object.assign(document.createElement(tag), properties);

/**
 * A table: a row for each network that was attacked, a column for each that reads.
 * @param {HTMLTableElement} table
 * @param {{name: string, title: string}[]} networks
 * @param {Map<string, {predicted: number, success: boolean}>} outcomes how the attack on each ended
 * @param {Map<string, Map<string, {read: number, p: number, refused: boolean}>>} readings reader, then whose image
 * @param {string[]} labels
 */
export function showTransfer(table, networks, outcomes, readings, labels) {
  const head = element('tr');
  head.append(
    element('th', { scope: 'col', textContent: 'made for' }),
    ...networks.map(({ title }) => element('th', { scope: 'col', textContent: `read by ${title}` })),
  );
  const rows = networks
    .filter(({ name }) => outcomes.has(name))
    .map(({ name, title }) => {
      const row = element('tr');
      const { predicted, success } = /** @type {{predicted: number, success: boolean}} */ (outcomes.get(name));
      row.append(
        element('th', { scope: 'row', textContent: title }),
        ...networks.map(({ name: reader }) => {
          const reading = readings.get(reader)?.get(name);
          if (!reading) return element('td', { textContent: '–' });
          const { read, p, refused } = reading;
          const cell = element('td', { textContent: refused ? 'refused' : `${labels[read]} (${percent(p)})` });
          Object.assign(cell.dataset, { from: name, reader, read, refused, fooled: success && !refused && read === predicted });
          return cell;
        }),
      );
      return row;
    });
  const [thead, tbody] = [element('thead'), element('tbody')];
  thead.append(head);
  tbody.append(...rows);
  table.replaceChildren(thead, tbody);
}
