// What can be attacked: the images that ship with the page; for a data set that grants no right to pass its images on the
// visitor's own, where the server on this machine offers them, and pictures that the visitor brings. None leaves the machine.

/** @import { Dataset } from '../engine/protocol.js' */
/** @import { Engine } from '../engine/client.js' */

import { sampleImages } from '../parts/pixels.js';

/** Images of the visitor's that are shown to pick from. */
const SHOWN = 36;

/**
 * @typedef {object} Picture
 * @property {number} id its number in its set, whatever others are missing; below 0: one that the visitor brought
 * @property {string | null} label what it is, in words; null where that is not known
 * @property {string} title
 * @property {string | null} file the name of its file, where it has one of its own
 */

/** What ends the use of one picture, not of the others. */
export class Gone extends Error {}

/** The pictures of a data set. */
export class Pictures {
  #load;
  /** Those that the visitor brought, and those that were loaded. @type {Map<number, Float32Array>} */
  #known = new Map();
  #brought = 0;
  /** @type {Picture[]} */
  #all;
  dataset;
  /** What is to be said of them, if anything. */
  said;

  /** @param {Dataset} dataset @param {Picture[]} all @param {(id: number) => Promise<Float32Array> | Float32Array} load @param {string} [said] */
  constructor(dataset, all, load, said = '') {
    [this.dataset, this.#all, this.#load, this.said] = [dataset, all, load, said];
  }

  get count() {
    return this.#all.length;
  }

  /** All of them, in the order in which they are shown. @returns {readonly Picture[]} */
  get all() {
    return this.#all;
  }

  /** Those of which it is known what they show: not the visitor's own. */
  get labelled() {
    return this.#all.filter(({ id, label }) => id >= 0 && label !== null);
  }

  /** Their images, and the places of their labels among these names. @param {string[]} names */
  async samples(names) {
    const { labelled } = this;
    const images = await Promise.all(labelled.map(({ id }) => this.image(id)));
    return { images, labels: labelled.map(({ label }) => names.indexOf(/** @type {string} */ (label))) };
  }

  /** @param {number | 'own'} id */
  get(id) {
    return this.#all.find((picture) => picture.id === id) ?? null;
  }

  /** An image, flat, in [0, 1]; fails with Gone when it alone cannot be had. @param {number} id */
  async image(id) {
    const image = this.#known.get(id) ?? (await this.#load(id));
    this.#known.set(id, image);
    return image;
  }

  /** Takes a picture of the visitor's; returns its number. @param {Float32Array} image */
  add(image) {
    const id = -(++this.#brought);
    this.#known.set(id, image);
    this.#all = [...this.#all, { id, label: null, title: 'your picture', file: null }];
    return id;
  }

  /** Offers one no longer. @param {number} id */
  drop(id) {
    this.#all = this.#all.filter((picture) => picture.id !== id);
  }
}

/** The pictures of a data set. @param {Dataset} dataset @param {Engine} engine */
export async function picturesOf(dataset, engine) {
  if (dataset.pictures === 'sample') return shipped(dataset, engine);
  return dataset.pictures === 'server' ? served(dataset) : new Pictures(dataset, [], () => new Float32Array());
}

/** Those that ship with the page. @param {Dataset} dataset @param {Engine} engine */
async function shipped(dataset, engine) {
  const samples = await engine.samples(dataset.key, /** @type {string} */ (dataset.sample));
  const all = Array.from(samples.labels, (label, id) => {
    const name = dataset.labels[label];
    return { id, label: name, title: `${name}, number ${id} of the sample`, file: null };
  });
  return new Pictures(dataset, all, (id) => sampleImages(dataset.image, samples.pixels, id));
}

/** What the server says of its faces, where it is of the form `{people: [name], faces: [{index, label, file}]}`. @param {any} index @returns {Picture[] | null} */
function listed(index) {
  const whole = (/** @type {any} */ n) => Number.isInteger(n) && n >= 0;
  const right = Array.isArray(index?.people) && Array.isArray(index?.faces) &&
    index.faces.every((/** @type {any} */ face) => whole(face?.index) && typeof index.people[face.label] === 'string');
  if (!right) return null;
  return index.faces.map((/** @type {any} */ { index: id, label, file }) => {
    const name = index.people[label];
    return { id, label: name, title: name, file: typeof file === 'string' ? file : null };
  });
}

/** Those that the server of this page has, if it has any. @param {Dataset} dataset */
async function served(dataset) {
  /** @type {Picture[] | null} */
  let all = [];
  try {
    const response = await fetch(new URL('faces/index.json', document.baseURI));
    if (response.ok) all = listed(await response.json().catch(() => null));
  } catch {
    // A host without images: the visitor brings pictures.
  }
  const said = all ? '' : 'The server’s list of faces is not of a form that this page knows, so it offers none; is the program as new as the page?';
  const size = dataset.image.reduce((product, n) => product * n, 1);
  const load = async (/** @type {number} */ id) => {
    let response;
    try {
      response = await fetch(new URL(`faces/${id}`, document.baseURI));
    } catch {
      throw new Error('The server of this page does not answer. Is the program still running?');
    }
    if (!response.ok) throw new Gone(`the server answered ${response.status}`);
    const bytes = new Uint8Array(await response.arrayBuffer().catch(() => new ArrayBuffer(0)));
    if (bytes.length !== size) throw new Gone('the server sent it incompletely');
    return Float32Array.from(bytes, (p) => p / 255);
  };
  return new Pictures(dataset, (all ?? []).slice(0, SHOWN), load, said);
}
