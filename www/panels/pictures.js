// Which data set, and which of its pictures.

/** @import { Session } from '../app/session.js' */
/** @import { Pictures } from '../app/pictures.js' */

import { Gone } from '../app/pictures.js';
import { Choices } from '../parts/choices.js';
import { byId } from '../parts/dom.js';
import { drawImage, newCanvas, useShape } from '../parts/pixels.js';
import { datasetWords } from '../words/en.js';

/** The canvases of the page that show a picture of the data set. */
const CANVASES = ['original', 'perturbation', 'adversarial', 'eye-image', 'seen-before', 'seen-after'];

/** @param {HTMLElement} _ @param {Session} session */
export function mount(_, session) {
  const { offers } = session;
  const datasets = new Choices(byId('datasets'), {
    name: 'dataset',
    options: offers.datasets.map((dataset) => ({ value: dataset.key, label: datasetWords(dataset).tab })),
    onPick: (dataset) => session.actions.choose({ model: offers.names(dataset)[0] }),
  });
  /** @type {Choices | null} */
  let digits = null;
  session.on('state', () => {
    datasets.pick(offers.network(session.state.model).dataset);
    digits?.pick(String(session.state.digit));
  });
  session.on('pictures', (/** @type {Pictures} */ pictures) => {
    const { dataset, all, count } = pictures;
    const { one, own, bring } = datasetWords(dataset);
    const brought = dataset.pictures === 'server';
    useShape(dataset.image, CANVASES.map(byId));
    document.body.classList.toggle('named', dataset.named);
    document.body.classList.toggle('faces-shown', brought);
    byId('pick-words').textContent = `Pick a ${one}`;
    byId('picture-row').hidden = !brought;
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
    const drawn = canvases.map(async (canvas, i) => {
      const { id } = all[i];
      try {
        const image = await pictures.image(id);
        if (session.current.pictures === pictures) drawImage(canvas, image);
      } catch (/** @type {any} */ error) {
        // That the server does not answer at all is said when a picture is picked.
        if (error instanceof Gone) return [{ id, why: error.message }];
      }
      return [];
    });
    Promise.all(drawn).then((gone) => session.current.pictures === pictures && session.actions.drop(gone.flat()));
  });
}
