// The catalogue as the pages ask it: what there is, by key, with the networks that the visitor brought among the rest.

/** @import { Attack, Catalogue, Dataset, Field, Network, NetworkEntry, Settings } from '../engine/protocol.js' */

import { errorWords, importedWords, networkWords } from '../words/en.js';
import { NORM } from './opening.js';

/** @typedef {{dataset: string, images: Float32Array[], labels: number[]}} Tried images on which a network is tried, with their labels */

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

  get datasets() {
    return this.#catalogue.datasets;
  }

  get defences() {
    return this.#catalogue.defences;
  }

  /** Those that do something to the images of a data set. @param {string} dataset */
  defencesOf(dataset) {
    return this.defences.filter(({ datasets }) => datasets.includes(dataset));
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
   * Takes a network of the visitor's, a weights file or ONNX; what is not right with it is thrown in words. One in ONNX is tried on images
   * of the data set that it is for.
   * @param {File} file @param {import('../engine/client.js').Engine} engine @param {Tried} tried
   * @returns {Promise<{name: string, said: string}>} its name, and what is to be said of it
   */
  async adopt(file, engine, tried) {
    if (file.size > LARGEST) throw new Error(`${file.name} is ${file.size} bytes long; at most ${LARGEST} are taken.`);
    const bytes = new Uint8Array(await file.arrayBuffer());
    const name = OWN + file.name.replace(/\.(safetensors|onnx)$/i, '').replaceAll(/[,~]/g, '-');
    /** @type {Network} */
    let about;
    let said = '';
    try {
      if (/\.onnx$/i.test(file.name)) {
        const made = await engine.importOnnx({ name: name.slice(OWN.length), bytes, ...tried });
        said = importedWords(file.name, made, this.dataset(tried.dataset));
        about = await engine.adopt(name, made.bytes);
      } else about = await engine.adopt(name, bytes);
    } catch (/** @type {any} */ error) {
      throw new Error(`${file.name}: ${errorWords(error)}`);
    }
    const { dataset, family, title, vae, control_of, defends, labels } = about;
    if (!this.dataset(dataset)) throw new Error(`${file.name}: this page has no images of the data set ${dataset}.`);
    this.#own.set(name, { key: name, dataset, family, title, vae, control_of, defends, labels });
    return { name, said };
  }
}
