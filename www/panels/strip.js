// Which data set, and what is picked from at first sight: a picture of each label, and those that the visitor brought.

/** @import { Session } from '../app/session.js' */
/** @import { Pictures } from '../app/pictures.js' */

import { Gone } from '../app/pictures.js';
import { Choices } from '../parts/choices.js';
import { byId } from '../parts/dom.js';
import { drawImage, newCanvas } from '../parts/pixels.js';
import { datasetWords } from '../words/en.js';

/** The visitor's own that are shown, the latest. */
const OWN = 3;

/** One picture of each label, then the visitor's latest. @param {Pictures} pictures */
function few({ all }) {
  const labels = new Set();
  const first = all.filter(({ label }) => label !== null && !labels.has(label) && labels.add(label));
  return [...first, ...all.filter(({ id }) => id < 0).slice(-OWN)];
}

/** @param {HTMLElement} _ @param {Session} session */
export function mount(_, session) {
  const { offers } = session;
  const tabs = () => new Choices(byId('datasets'), {
    name: 'dataset',
    options: offers.datasets.map((dataset) => ({ value: dataset.key, label: datasetWords(dataset).tab })),
    onPick: (dataset) => session.actions.choose({ model: offers.names(dataset)[0] }),
  });
  let datasets = tabs();
  // A network that the visitor brought may read other images.
  session.on('networks', () => (datasets = tabs()));
  /** @type {Choices | null} */
  let strip = null;
  const show = () => {
    datasets.pick(offers.network(session.state.model).dataset);
    strip?.pick(String(session.state.digit));
  };
  session.on('state', show);
  session.on('pictures', (/** @type {Pictures} */ pictures) => {
    const shown = few(pictures);
    const canvases = shown.map(() => newCanvas());
    strip = new Choices(byId('strip'), {
      name: 'picture',
      options: shown.map(({ id, title }, i) => ({ value: String(id), label: title, content: canvases[i] })),
      onPick: (value) => session.actions.pick(Number(value)),
    });
    shown.forEach(async ({ id }, i) => {
      const image = await pictures.image(id).catch((error) => {
        // Said when the picture is picked, or by those who show all.
        if (!(error instanceof Gone)) console.warn(error.message);
      });
      if (image && session.current.pictures === pictures) drawImage(canvases[i], image);
    });
    document.body.classList.toggle('no-pictures', pictures.count === 0);
    byId('bring-row').hidden = pictures.dataset.pictures === 'sample';
    byId('draw').hidden = pictures.dataset.pictures !== 'sample';
    show();
  });
  byId('bring-picture').addEventListener('click', () => byId('picture').click());
  byId('bring-camera').addEventListener('click', () => byId('camera').click());
}
