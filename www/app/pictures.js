// What can be attacked: the images that ship with the page; for a data set that grants no right to pass its images on the
// visitor's own, where the server on this machine offers them, and pictures that the visitor brings. None leaves the machine.

/** @import { Dataset } from '../engine/protocol.js' */
/** @import { Engine } from '../engine/client.js' */

import { sampleImages } from '../parts/pixels.js';

/** Images of the visitor's that are shown to pick from. */
const SHOWN = 36;

/** The true labels, and images by number; the label of a picture that the visitor brought is not known: null. */
export class Pictures {
  #load;
  /** @type {Map<number, Float32Array>} */
  #own = new Map();
  dataset;
  /** @type {(number | null)[]} */
  labels;
  titles;

  /** @param {Dataset} dataset @param {number[]} labels @param {string[]} titles @param {(i: number) => Promise<Float32Array> | Float32Array} load */
  constructor(dataset, labels, titles, load) {
    [this.dataset, this.labels, this.titles, this.#load] = [dataset, labels, titles, load];
  }

  get count() {
    return this.labels.length;
  }

  /** Image `i`, flat, in [0, 1]. @param {number} i */
  async image(i) {
    return this.#own.get(i) ?? this.#load(i);
  }

  /** Takes a picture of the visitor's; returns its number. @param {Float32Array} image */
  add(image) {
    this.#own.set(this.count, image);
    this.titles.push('your picture');
    this.labels.push(null);
    return this.count - 1;
  }
}

/** The pictures of a data set. @param {Dataset} dataset @param {Engine} engine */
export async function picturesOf(dataset, engine) {
  if (dataset.pictures === 'sample') return shipped(dataset, engine);
  return dataset.pictures === 'server' ? served(dataset) : new Pictures(dataset, [], [], () => new Float32Array());
}

/** Those that ship with the page. @param {Dataset} dataset @param {Engine} engine */
async function shipped(dataset, engine) {
  const samples = await engine.samples(dataset.key, /** @type {string} */ (dataset.sample));
  const labels = [...samples.labels];
  const titles = labels.map((label, i) => `${dataset.labels[label]}, number ${i} of the sample`);
  return new Pictures(dataset, labels, titles, (i) => sampleImages(dataset.image, samples.pixels, i));
}

/** Those that the server of this page has, if it has any. @param {Dataset} dataset */
async function served(dataset) {
  let index = { people: /** @type {string[]} */ ([]), faces: /** @type {number[]} */ ([]) };
  try {
    const response = await fetch(new URL('faces/index.json', document.baseURI));
    if (response.ok) index = await response.json();
  } catch {
    // A host without images: the visitor brings pictures.
  }
  const shown = index.faces.slice(0, SHOWN);
  const size = dataset.image.reduce((product, n) => product * n, 1);
  const load = async (/** @type {number} */ i) => {
    const response = await fetch(new URL(`faces/${i}`, document.baseURI));
    if (!response.ok) throw new Error(`The server could not send face ${i} (it answered ${response.status}).`);
    const bytes = new Uint8Array(await response.arrayBuffer());
    if (bytes.length !== size) throw new Error(`The server sent face ${i} incompletely.`);
    return Float32Array.from(bytes, (p) => p / 255);
  };
  return new Pictures(dataset, [...shown], shown.map((label) => index.people[label]), load);
}
