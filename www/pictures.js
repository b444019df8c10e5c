// What can be attacked: the digits that ship with the page; for face networks the visitor's own LFW images, where the
// server on this machine offers them, and pictures that the visitor brings. None of them leaves the machine.

import { sampleImages } from './view/pixels.js';

/** Faces that are shown to pick from. */
const FACES = 36;

/** The true labels, and images by number; the label of a picture that the visitor brought is not known: null. */
class Pictures {
  #load;
  #own = new Map();

  constructor(dataset, shape, labels, titles, load) {
    Object.assign(this, { dataset, shape, labels, titles });
    this.#load = load;
  }

  get count() {
    return this.labels.length;
  }

  /** Image `i`, flat, in [0, 1]. */
  async image(i) {
    return this.#own.get(i) ?? this.#load(i);
  }

  /** Takes a picture of the visitor's; returns its number. */
  add(image) {
    this.#own.set(this.count, image);
    this.titles.push('your picture');
    this.labels.push(null);
    return this.count - 1;
  }
}

/** The digits that ship with the page. */
export async function digits(engine) {
  const samples = await engine.samples();
  const labels = [...samples.labels];
  const titles = labels.map((label, i) => `${label}, number ${i} of the sample`);
  return new Pictures('mnist', [28, 28, 1], labels, titles, (i) => sampleImages(samples, i));
}

/** The faces that the server of this page has, if it has any. */
export async function faces() {
  const shape = [154, 154, 3];
  let index = { people: [], faces: [] };
  try {
    const response = await fetch(new URL('faces/index.json', document.baseURI));
    if (response.ok) index = await response.json();
  } catch {
    // A host without faces: the visitor brings pictures.
  }
  const shown = index.faces.slice(0, FACES);
  const load = async (i) => {
    const response = await fetch(new URL(`faces/${i}`, document.baseURI));
    if (!response.ok) throw new Error(`The server could not send face ${i} (it answered ${response.status}).`);
    const bytes = new Uint8Array(await response.arrayBuffer());
    if (bytes.length !== shape[0] * shape[1] * shape[2]) throw new Error(`The server sent face ${i} incompletely.`);
    return Float32Array.from(bytes, (p) => p / 255);
  };
  return new Pictures('lfw', shape, [...shown], shown.map((label) => index.people[label]), load);
}
