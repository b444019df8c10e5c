// What the catalogue names is named nowhere else: no list of networks, attacks, data sets or defences in pages and scripts. Their
// words stand in www/words/, one file a language.

import assert from 'node:assert/strict';
import { readFileSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { catalogue } from './helpers.js';

const files = (folder) => readdirSync(folder).flatMap((name) => {
  const path = join(folder, name);
  return statSync(path).isDirectory() ? files(path) : [path];
});

// Some attacks are called like the norm that they bound, which is a field of records, too; some by words of everyday: these are
// looked for in quotes alone.
const { networks, attacks, datasets, defences, norms } = catalogue;
const keys = (all) => all.map(({ key }) => key).filter((key) => !norms.includes(key));
const bare = keys([...networks, ...datasets, ...defences]).map((name) => [name, new RegExp(`(?<![\\w-])${name}(?![\\w-])`)]);
const quoted = keys(attacks).map((name) => [name, new RegExp(`['"\`]${name}['"\`]`)]);
const names = [...bare, ...quoted];

test('pages and scripts hold no list of what there is', () => {
  const sources = [...files('www').filter((path) => !path.startsWith(join('www', 'words'))), 'scripts/page-weight', 'scripts/build-wasm'];
  const read = sources.filter((path) => /\.(js|html)$|scripts/.test(path));
  assert.ok(read.length > 40 && names.length > 15);
  const found = read.flatMap((path) => {
    const text = readFileSync(path, 'utf8');
    return names.filter(([, is]) => is.test(text)).map(([name]) => `${path}: ${name}`);
  });
  assert.deepEqual(found, []);
});
