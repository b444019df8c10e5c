// All pictures of the data set, to pick from, and the visitor's own.

/** @import { Session } from '../app/session.js' */
/** @import { Pictures } from '../app/pictures.js' */

import { Gone } from '../app/pictures.js';
import { Choices } from '../parts/choices.js';
import { byId } from '../parts/dom.js';
import { idle } from '../parts/idle.js';
import { drawImage, newCanvas } from '../parts/pixels.js';
import { datasetWords } from '../words/en.js';

/** Pictures that are drawn in one go. */
const ONCE = 10;

/** @param {HTMLElement} _ @param {Session} session */
export function mount(_, session) {
  /** @type {Choices | null} */
  let digits = null;
  session.on('state', () => digits?.pick(String(session.state.digit)));
  session.on('pictures', async (/** @type {Pictures} */ pictures) => {
    const { dataset, all, count } = pictures;
    const { one, own, bring } = datasetWords(dataset);
    const brought = dataset.pictures === 'server';
    document.body.classList.toggle('named', dataset.named);
    document.body.classList.toggle('faces-shown', brought);
    byId('pick-words').textContent = `Pick a ${one}`;
    byId('faces-words').textContent = count ? own : bring;
    const canvases = all.map(() => newCanvas());
    byId('digits').classList.toggle('faces', brought);
    digits = new Choices(byId('digits'), {
      name: 'digit',
      options: canvases.map((content, i) => ({ value: String(all[i].id), label: all[i].title, content })),
      columns: brought ? 6 : 10,
      onPick: (value) => session.actions.pick(Number(value)),
    });
    digits.pick(String(session.state.digit));
    /** @type {{id: number, why: string}[]} */
    const gone = [];
    for (let from = 0; from < all.length; from += ONCE) {
      // So that nothing else waits for them.
      await idle();
      if (session.current.pictures !== pictures) return;
      await Promise.all(all.slice(from, from + ONCE).map(async ({ id }, i) => {
        try {
          const image = await pictures.image(id);
          if (session.current.pictures === pictures) drawImage(canvases[from + i], image);
        } catch (/** @type {any} */ error) {
          // That the server does not answer at all is said when a picture is picked.
          if (error instanceof Gone) gone.push({ id, why: error.message });
        }
      }));
    }
    if (session.current.pictures === pictures) session.actions.drop(gone);
  });
}
