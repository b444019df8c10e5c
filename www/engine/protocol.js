// What goes between the page and its workers, as types. The catalogue, the records and the frames are the crate's: see
// src/catalogue.rs, src/judge/record.rs and src/wasm/.

/**
 * @typedef {object} Field a field of an attack
 * @property {string} key
 * @property {'choice' | 'number' | 'flag'} kind
 * @property {boolean} main whether it is shown at first sight
 * @property {any} initial null where there need be none, or where it follows norm and data set
 * @property {string[]} [choices]
 * @property {Record<string, string>} [aliases] older words for these
 * @property {number} [low]
 * @property {number} [high]
 * @property {boolean} [whole]
 * @property {boolean} [optional]
 * @property {boolean} [budget] whether default and offer are those of the data set under the norm
 * @property {number[] | null} [slider] from, to, in which steps
 * @property {number[]} [values]
 *
 * @typedef {{key: string, title: string, source: string, norms: string[], study: boolean, decides: boolean, rounds: boolean,
 *   starts: boolean, gradient: boolean, fields: Field[]}} Attack
 * @typedef {{initial: number, low: number, high: number, step: number, several: number[]}} Budgets
 * @typedef {{key: string, title: string, nouns: [string, string], image: [number, number, number], labels: string[], named: boolean,
 *   measure: string, valid: number, confident: number, pictures: 'sample' | 'server' | 'none', sample: string | null,
 *   lab: string | null, budgets: Record<string, Budgets>}} Dataset
 * @typedef {{key: string, dataset: string, family: string, title: string, vae: boolean, control_of: string | null, defends: string | null,
 *   labels?: string[]}} NetworkEntry `labels`: of one that the visitor brought; those of its data set otherwise
 * @typedef {{key: string, title: string, datasets: string[], guard: string | null, alarms: number | null, first: boolean}} Defence `first`: whether it stands for its kind; `guard`: the family of
 *   the networks that stand guard, `alarms`: how many percent of clean images they refuse
 * @typedef {{version: number, record: string[], grades: string[], inferences: string[], norms: string[], datasets: Dataset[],
 *   networks: NetworkEntry[], defences: Defence[], attackers: string[], attacks: Attack[]}} Catalogue
 *
 * @typedef {{model: string, inference: string, defence: string, attacker: string}} Subject what is attacked, and what the attacker knows of
 *   its defence, by names
 * @typedef {{image: Float32Array, index: number, label: number, target: number | null, start?: Float32Array | null, file?: string | null,
 *   only_if_read?: boolean}} Task what an attack is about; target null: away from the label
 * @typedef {{name: string, dataset?: string, image?: string, labels?: string}} OnnxAsked what is asked for besides a file in ONNX: what the network
 *   is called, whose images it reads, their size (32x32x3), what its labels stand for; each but the first only where the file does not tell
 * @typedef {{attack: string, [field: string]: any}} Settings an attack with the values of its fields
 * @typedef {{valid?: number, confident?: number}} Thresholds the visitor's, where there are any
 *
 * @typedef {Record<string, any>} Outcome the record of an attack, its image, probabilities, times (ms, firstMs) and how it is
 *   graded (measure, valid_at, confident_at); of a VAE also what its decoder sees (seen)
 * @typedef {Record<string, any>} Frame where an attack stands: see src/wasm/trial.rs
 * @typedef {{name: string, title: string, family: string, dataset: string, image: [number, number, number], labels: string[],
 *   vae: boolean, control_of: string | null, defends: string | null, measure: string, valid: number, confident: number, facts: Record<string, string>,
 *   digest: string, build: string, mapPoints: Float32Array, mapLabels: Uint8Array}} Network a loaded network
 */

export {};
