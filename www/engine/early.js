// Starts the engine's worker before the scripts of the page are there, so that its program and, where no link asks for another, the
// first network are on their way. The page's client takes it over; where something went wrong, the client starts its own and says so.

import { bestBuild, whyUnsupported } from './support.js';

/** @typedef {{build: string, worker: Worker, failed: boolean}} Early */

if (!whyUnsupported()) {
  const build = bestBuild();
  const worker = new Worker(new URL(`./worker.js?build=${build}`, import.meta.url), { type: 'module' });
  /** @type {Early} */
  const early = { build, worker, failed: false };
  worker.onerror = (event) => {
    event.preventDefault?.();
    early.failed = true;
  };
  Object.assign(globalThis, { early });
  if (location.hash.length < 2) worker.postMessage({ type: 'warm' });
}
