// The networks that the page offers: those that ship with it, and those that the visitor brings.

import { MODELS, datasetOf as shippedDataset } from './state.js';

/** What fits on a chip. */
const SHORT = {
  'mnist-cnn': 'CNN',
  'mnist-dense': 'Dense',
  'mnist-conv-encoder': 'Strided CNN',
  'mnist-vae': 'Vanilla VAE',
  'mnist-conv-vae': 'Convolutional VAE',
  'lfw-cnn': 'CNN',
  'lfw-dense': 'Dense',
  'lfw-vae': 'Vanilla VAE',
  'lfw-conv-vae': 'Convolutional VAE',
};

/** Marks a network that the visitor brought. */
const OWN = 'own:';
/** Marks a VAE that reads through samples. */
const SAMPLED = '~sampled';

/** The largest weights file that is taken, in bytes. */
const LARGEST = 64 << 20;

/** The networks that the visitor brought, with their data sets. */
const own = new Map();

/** The data set of a network. */
export const datasetOf = (name) => own.get(name) ?? shippedDataset(name);

/** The names of a data set's networks: those that ship first. */
export const names = (dataset) => [...MODELS, ...own.keys()].filter((name) => datasetOf(name) === dataset);

/** The label that is read, of the probabilities of all. */
export const likeliest = (probabilities) => probabilities.indexOf(Math.max(...probabilities));

/** A network's name for people. */
export const short = (name) => SHORT[name] ?? name.slice(OWN.length);

/** The name under which the engine knows a network that reads as `inference` says; what is no VAE takes no notice. */
export const key = (name, inference) => (inference === 'sampled' ? name + SAMPLED : name);

/** The networks of a duel: those that were picked, or all. */
export const rivals = (duel, dataset) => {
  const picked = duel.split(',').filter((name) => names(dataset).includes(name));
  return picked.length >= 2 ? picked : names(dataset);
};

/**
 * Takes a weights file of the visitor's; what is not right with it is thrown in words.
 * @returns {Promise<string>} its name
 */
export async function adopt(file, engine) {
  if (file.size > LARGEST) throw new Error(`${file.name} is ${file.size} bytes long; at most ${LARGEST} are taken.`);
  const bytes = new Uint8Array(await file.arrayBuffer());
  const name = OWN + file.name.replace(/\.safetensors$/, '').replaceAll(/[,~]/g, '-');
  const { dataset } = await engine.adopt(name, bytes).catch((error) => {
    throw new Error(`${file.name}: ${error.message}`);
  });
  own.set(name, dataset);
  return name;
}
