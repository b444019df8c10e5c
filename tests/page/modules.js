// The modules of the page, by what they import.

import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const www = new URL('../../www/', import.meta.url);

/** All modules that `entry` loads with it, as paths from www/, itself first. @param {string} entry */
export function modules(entry) {
  const found = new Set([entry]);
  for (const module of found) {
    const text = readFileSync(fileURLToPath(new URL(module, www)), 'utf8');
    for (const [, from] of text.matchAll(/^(?:import|export)\s(?:[^;']*?from\s+)?'(\.[^']+)';/gm)) {
      found.add(new URL(from, new URL(module, www)).href.slice(www.href.length));
    }
  }
  return [...found];
}
