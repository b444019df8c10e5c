// The catalogue as the pages ask it: what there is, by key, with the networks that the visitor brought among the rest.

/** @import { Engine } from '../engine/client.js' */
/** @import { Attack, Catalogue, Dataset, Field, NetworkEntry, Settings } from '../engine/protocol.js' */

import { errorWords, importedWords, networkWords } from '../words/en.js';
import { NORM } from './opening.js';

/**
 * What is asked of the visitor about a network in ONNX: how large its images are (`size`), whether it is about something else than what it
 * reads badly (`doubt`), or how it is fed and what its labels stand for (`feeding`).
 * @typedef {{file: string, kind: 'size'} | {file: string, kind: 'doubt', right: number, of: number, dataset: Dataset}
 *   | {file: string, kind: 'feeding', feedings: {name: string, title: string}[], labels: string[], dataset: Dataset}} Question
 * @typedef {{size?: string, other?: boolean, feeding?: string, labels?: string}} Answer
 * @typedef {object} Visitor what helps to take a network
 * @property {(dataset: Dataset) => Promise<{images: Float32Array[], labels: number[]}>} samples images on which one is tried, with their labels
 * @property {((question: Question) => Promise<Answer | null>) | null} ask null where nothing is asked, and for an answer that the visitor does not give
 */

/** Marks a network that the visitor brought. */
const OWN = 'own:';
/** The largest weights file that is taken, in bytes. */
const LARGEST = 64 << 20;

/** The label that is read, of the probabilities of all. @param {Float32Array} probabilities */
export const likeliest = (probabilities) => probabilities.indexOf(Math.max(...probabilities));

/** The labels that are read first, with their probabilities: the likeliest three. @param {Float32Array} probabilities @param {string[]} labels */
export const likeliestThree = (probabilities, labels) =>
  [...probabilities.keys()].sort((i, j) => probabilities[j] - probabilities[i]).slice(0, 3).map((i) => ({ label: labels[i], p: probabilities[i] }));

export class Offers {
  /** @type {Catalogue} */
  #catalogue;
  /** The networks that the visitor brought. @type {Map<string, NetworkEntry>} */
  #own = new Map();
  /** The data sets of which these are, where they are in no catalogue, and the defences for each. @type {Map<string, {dataset: Dataset, defences: string[]}>} */
  #sets = new Map();

  /** @param {Catalogue} catalogue */
  constructor(catalogue) {
    this.#catalogue = catalogue;
  }

  /** The version of the attacks: as long as it is the same, an attack on the same weights comes to the same. */
  get version() {
    return this.#catalogue.version;
  }

  get attacks() {
    return this.#catalogue.attacks;
  }

  /** Those of the catalogue, then those of the visitor's networks. */
  get datasets() {
    return [...this.#catalogue.datasets, ...[...this.#sets.values()].map(({ dataset }) => dataset)];
  }

  get defences() {
    return this.#catalogue.defences;
  }

  /** Those that do something to the images of a data set. @param {string} dataset */
  defencesOf(dataset) {
    const own = this.#sets.get(dataset)?.defences;
    return this.defences.filter(({ key, datasets }) => own?.includes(key) ?? datasets.includes(dataset));
  }

  get attackers() {
    return this.#catalogue.attackers;
  }

  get inferences() {
    return this.#catalogue.inferences;
  }

  get norms() {
    return this.#catalogue.norms;
  }

  get grades() {
    return this.#catalogue.grades;
  }

  /** The fields of a record. */
  get record() {
    return this.#catalogue.record;
  }

  /** The networks that ship, and those of the visitor. */
  get networks() {
    return [...this.#catalogue.networks, ...this.#own.values()];
  }

  /** Whether a network is the visitor's. @param {string} name */
  isOwn(name) {
    return this.#own.has(name);
  }

  /** The names of the networks that ship. */
  get shipped() {
    return this.#catalogue.networks.map(({ key }) => key);
  }

  /** @param {string} key @returns {Attack} */
  attack(key) {
    return /** @type {Attack} */ (this.attacks.find((attack) => attack.key === key));
  }

  /** The attack that seeks the closest image: the one on which verdicts rest. */
  get closest() {
    return /** @type {Attack} */ (this.attacks.find(({ decides }) => decides)).key;
  }

  /** The one that stays within a strength in the norm of the ruler: by gradients, from wherever it helps to begin. */
  get within() {
    const able = (/** @type {Attack} */ { study, decides, gradient, starts, norms }) => !study && !decides && gradient && starts && norms.includes(NORM);
    return /** @type {Attack} */ (this.attacks.find(able)).key;
  }

  /** The attacks of the study, in their published forms. */
  get study() {
    return this.attacks.filter(({ study }) => study);
  }

  /** @param {string} key @returns {Dataset} */
  dataset(key) {
    return /** @type {Dataset} */ (this.datasets.find((dataset) => dataset.key === key));
  }

  /** @param {string} name @returns {NetworkEntry} */
  network(name) {
    return /** @type {NetworkEntry} */ (this.networks.find(({ key }) => key === name));
  }

  /** The data set of a network. @param {string} name */
  datasetOf(name) {
    return this.dataset(this.network(name).dataset);
  }

  /** What a network tells apart. @param {string} name */
  labelsOf(name) {
    return this.network(name).labels ?? this.datasetOf(name).labels;
  }

  /** Whether two networks tell the same apart, so that what one reads can be compared with what the other does. @param {string} a @param {string} b */
  comparable(a, b) {
    return this.labelsOf(a).join('\n') === this.labelsOf(b).join('\n');
  }

  /** A network that ships and reads the same images: for links, in which one of the visitor's cannot stand. @param {string} name */
  shippedFor(name) {
    const { dataset } = this.network(name);
    return this.shipped.find((one) => this.network(one).dataset === dataset);
  }

  /** The names of a data set's networks: those that ship first. @param {string} dataset */
  names(dataset) {
    return this.networks.filter((network) => network.dataset === dataset).map(({ key }) => key);
  }

  /** A network's name for people. @param {string} name */
  short(name) {
    return name.startsWith(OWN) ? name.slice(OWN.length) : networkWords(this.network(name));
  }

  /**
   * The networks of a duel: those that were picked, or all but those that were trained to withstand attacks, whose weights come
   * when they are chosen.
   * @param {string} duel @param {string} dataset */
  rivals(duel, dataset) {
    const all = this.names(dataset);
    const picked = duel.split(',').filter((name) => all.includes(name));
    return picked.length >= 2 ? picked : all.filter((name) => !this.network(name).defends);
  }

  /** The norm that an attack works in, with these values of its fields. @param {string} attack @param {Record<string, any>} values */
  normOf(attack, values = {}) {
    return values.norm ?? this.attack(attack).norms[0];
  }

  /** The budget field of an attack. @param {string} attack */
  budgetOf(attack) {
    return this.attack(attack).fields.find(({ budget }) => budget);
  }

  /** A field as it is for a data set under a norm: a budget has their default and offer. @param {Field} field @param {Dataset} dataset @param {string} norm @returns {Field} */
  fieldFor(field, dataset, norm) {
    if (!field.budget) return field;
    const { initial, low, high, step } = dataset.budgets[norm];
    return { ...field, initial, slider: [low, high, step] };
  }

  /** What the engine needs to know of an attack. @param {string} attack @param {Record<string, any>} values @returns {Settings} */
  settings(attack, values) {
    const own = this.attack(attack).fields.map(({ key, kind }) => [key, kind === 'flag' ? values[key] === 1 : (values[key] ?? null)]);
    return { attack, ...Object.fromEntries(own.map(([key, value]) => [key, value === '' ? null : value])) };
  }

  /** When an attack ends, for the words that say so. @param {string} attack @param {Record<string, any>} values */
  rules(attack, values) {
    return { ...values, stops: this.attack(attack).fields.some(({ key }) => key === 'stop') };
  }

  /**
   * Takes a network of the visitor's, a weights file or ONNX; what is not right with it is thrown in words.
   * @param {File} file @param {Engine} engine @param {Visitor} visitor
   * @returns {Promise<{name: string, said: string} | null>} its name, and what is to be said of it; null where the visitor thought better of it
   */
  async adopt(file, engine, visitor) {
    if (file.size > LARGEST) throw new Error(`${file.name} is ${file.size} bytes long; at most ${LARGEST} are taken.`);
    const bytes = new Uint8Array(await file.arrayBuffer());
    const name = OWN + file.name.replace(/\.(safetensors|onnx)$/i, '').replaceAll(/[,~]/g, '-');
    try {
      const made = /\.onnx$/i.test(file.name) ? await this.#converted(file.name, bytes, name.slice(OWN.length), engine, visitor) : { bytes, said: '' };
      if (!made) return null;
      const { dataset, family, title, vae, control_of, defends, labels } = await engine.adopt(name, made.bytes, bytes);
      await this.#need(dataset, engine);
      this.#own.set(name, { key: name, dataset, family, title, vae, control_of, defends, labels });
      return { name, said: made.said };
    } catch (/** @type {any} */ error) {
      throw new Error(`${file.name}: ${errorWords(error)}`);
    }
  }

  /** Makes sure that a data set is known; images of a visitor's own are. @param {string} key @param {Engine} engine */
  async #need(key, engine) {
    if (this.dataset(key)) return;
    const { dataset, defences } = await engine.described(key);
    if (dataset.key.startsWith('own-')) this.#sets.set(key, { dataset, defences });
    else throw new Error(`this page has no images of the data set ${key}.`);
  }

  /**
   * A network in ONNX as a weights file: tried on images where there are some, fed as the visitor says where there are none.
   * @param {string} file @param {Uint8Array} bytes @param {string} name @param {Engine} engine @param {Visitor} visitor
   */
  async #converted(file, bytes, name, engine, { samples, ask }) {
    /** @type {import('../engine/protocol.js').OnnxAsked} */
    const asked = { name };
    let about;
    try {
      about = await engine.onnxAbout({ bytes, asked });
    } catch (/** @type {any} */ error) {
      if (error.key !== 'no-size' || !ask) throw error;
      const answer = await ask({ file, kind: 'size' });
      if (!answer) return null;
      asked.image = answer.size;
      about = await engine.onnxAbout({ bytes, asked });
    }
    const [rows, cols, channels] = about.dataset.image;
    if (channels !== 1 && channels !== 3) throw new Error(`it reads images of ${channels} channels; this page shows grey and colour, which have 1 and 3.`);
    const known = this.dataset(about.dataset.key);
    const { images, labels } = known ? await samples(known) : { images: [], labels: [] };
    if (images.length) {
      const made = await engine.onnxWeights({ bytes, asked, feeding: '', images, labels });
      const said = importedWords(file, made, known);
      if (made.right >= images.length / 2 || !ask) return { bytes: made.bytes, said };
      const answer = await ask({ file, kind: 'doubt', right: made.right, of: made.of, dataset: known });
      if (!answer) return null;
      if (!answer.other) return { bytes: made.bytes, said };
      asked.dataset = `own-${rows}x${cols}x${channels}`;
      about = await engine.onnxAbout({ bytes, asked });
    }
    if (!ask) throw new Error(`it reads ${about.dataset.title}, of which there are no images here.`);
    const answer = await ask({ file, kind: 'feeding', feedings: about.feedings, labels: about.labels, dataset: about.dataset });
    if (!answer) return null;
    asked.labels = answer.labels;
    const made = await engine.onnxWeights({ bytes, asked, feeding: answer.feeding ?? '', images: [], labels: [] });
    return { bytes: made.bytes, said: importedWords(file, made, about.dataset) };
  }
}
