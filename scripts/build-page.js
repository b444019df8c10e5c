#!/usr/bin/env node
// Builds pkg/page/ of the modules in www/: a file for each page and one for its workers, small and without words for people, so
// that a visitor loads a few files instead of eighty. Writes into www/index.html which of them come beside each other.
//   node scripts/build-page.js           builds
//   node scripts/build-page.js --check   fails when pkg/page/ or the list is not what the modules give; writes nothing

import { mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const root = fileURLToPath(new URL('..', import.meta.url));
const folder = `${root}pkg/page`;
const index = `${root}www/index.html`;

/** What is loaded, and of what it is made. Each stands alone: visitors of one page do not wait for what another shares with it. */
const ENTRIES = { early: 'engine/early.js', main: 'app/main.js', worker: 'engine/worker.js', lab: 'lab/main.js', bench: 'app/bench.js' };

/** The files of an entry by name, and those that the first of them cannot start without. */
async function built(name, module) {
  const { outputFiles, metafile } = await build({
    entryPoints: { [name]: `${root}www/${module}` },
    absWorkingDir: root, outdir: folder, write: false, metafile: true,
    bundle: true, minify: true, format: 'esm', target: 'es2022', charset: 'utf8', legalComments: 'none',
    // A worker is one file, with the glue of the wasm, which it always needs. What reads ONNX stays apart.
    splitting: name !== 'worker', external: ['../../pkg/import/*'], chunkNames: `${name}-[hash]`,
    logLevel: 'warning',
  });
  const files = new Map(outputFiles.map(({ path, contents }) => [basename(path), Buffer.from(contents)]));
  const first = [`${name}.js`];
  for (const file of first) {
    for (const { path, kind } of metafile.outputs[`pkg/page/${file}`].imports) {
      if (kind === 'import-statement' && !first.includes(basename(path))) first.push(basename(path));
    }
  }
  return { files, first };
}

const all = new Map();
const preloads = [];
for (const [name, module] of Object.entries(ENTRIES)) {
  const { files, first } = await built(name, module);
  for (const [file, contents] of files) all.set(file, contents);
  if (name === 'main') preloads.push(...first);
}

const page = readFileSync(index, 'utf8');
const [begin, end] = ['begin', 'end'].map((place) => `<!-- loaded beside each other: ${place} -->`);
const [from, to] = [page.indexOf(begin), page.indexOf(end)];
if (from < 0 || to < from) throw new Error('www/index.html has lost its mark “loaded beside each other”');
const links = preloads.map((file) => `\n  <link rel="modulepreload" href="../pkg/page/${file}">`);
const wanted = `${page.slice(0, from + begin.length)}${links.join('')}\n  ${page.slice(to)}`;

if (process.argv.includes('--check')) {
  const there = readdirSync(folder).sort();
  const same = there.join() === [...all.keys()].sort().join() && there.every((file) => readFileSync(`${folder}/${file}`).equals(all.get(file)));
  if (!same || wanted !== page) {
    console.error('pkg/page/ is older than the modules in www/: run node scripts/build-page.js and commit pkg/ and www/index.html');
    process.exit(1);
  }
} else {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  for (const [file, contents] of all) writeFileSync(`${folder}/${file}`, contents);
  if (wanted !== page) writeFileSync(index, wanted);
  console.log(`pkg/page/: ${all.size} files, ${[...all.values()].reduce((sum, { length }) => sum + length, 0)} bytes`);
}
