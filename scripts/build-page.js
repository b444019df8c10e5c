#!/usr/bin/env node
// Builds pkg/page/ of the modules and the style in www/: a file for each page and one for its workers, small and without words for people,
// so that a visitor loads a few files instead of eighty.
//   node scripts/build-page.js           builds
//   node scripts/build-page.js --check   fails when pkg/page/ is not what the modules give; writes nothing

import { mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { transform } from 'esbuild';
import { rollup } from 'rollup';

const root = fileURLToPath(new URL('..', import.meta.url));
const folder = `${root}pkg/page`;

/** What is loaded, and of what it is made. Each stands alone: visitors of one page do not wait for what another shares with it. */
const ENTRIES = { early: 'engine/early.js', main: 'app/main.js', worker: 'engine/worker.js', lab: 'lab/main.js', bench: 'app/bench.js' };

/** What is loaded apart, from where the worker finds it in pkg/page. */
const apart = {
  name: 'apart',
  resolveId: (id) => (id.endsWith('/pkg/import/misread.js') ? { id: '../import/misread.js', external: 'absolute' } : null),
};

const small = async (code, loader) =>
  Buffer.from((await transform(code, { loader, minify: true, format: loader === 'js' ? 'esm' : undefined, target: 'es2022', charset: 'utf8', legalComments: 'none' })).code);

/** The files of an entry by name: the first is the entry's, the others come when they are asked for. */
async function built(name, module) {
  const bundle = await rollup({
    input: { [name]: `${root}www/${module}` },
    plugins: [apart],
    onwarn: (warning) => {
      throw new Error(warning.message);
    },
  });
  const { output } = await bundle.generate({
    dir: folder, format: 'es', entryFileNames: '[name].js', chunkFileNames: `${name}-[name].js`,
    // A worker is one file, with the glue of the wasm, which it always needs.
    inlineDynamicImports: name === 'worker',
  });
  await bundle.close();
  return Promise.all(output.map(async ({ fileName, code }) => [fileName, await small(code, 'js')]));
}

const all = new Map([['style.css', await small(readFileSync(`${root}www/style.css`, 'utf8'), 'css')]]);
for (const [name, module] of Object.entries(ENTRIES)) {
  for (const [file, contents] of await built(name, module)) all.set(file, contents);
}

if (process.argv.includes('--check')) {
  const there = readdirSync(folder).sort();
  const same = there.join() === [...all.keys()].sort().join() && there.every((file) => readFileSync(`${folder}/${file}`).equals(all.get(file)));
  if (!same) {
    console.error('pkg/page/ is older than the modules in www/: run node scripts/build-page.js and commit pkg/page/');
    process.exit(1);
  }
} else {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  for (const [file, contents] of all) writeFileSync(`${folder}/${file}`, contents);
  console.log(`pkg/page/: ${all.size} files, ${[...all.values()].reduce((sum, { length }) => sum + length, 0)} bytes`);
}
