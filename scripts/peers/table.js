// Prints the results of bench-peers as one table of ratios.

const [browser, native, lbfgs, train, epoch] = process.argv.slice(2).map((text) => JSON.parse(text));
const ms = (value) => value.toFixed(value < 10 ? 2 : value < 100 ? 1 : 0);
const rows = [['what', 'peer', 'peer ms', 'misread ms', 'times faster']];
const add = (what, peer, theirs, ours) => rows.push([what, peer, ms(theirs), ms(ours), (theirs / ours).toFixed(1)]);

const inBrowser = (name, batch) => browser.find((r) => r.name === name && r.batch === batch).ms;
for (const build of ['simd128', 'relaxed-simd']) {
  for (const batch of [1, 32]) {
    for (const backend of ['wasm', 'cpu']) {
      const peer = `TensorFlow.js ${backend}`;
      add(`gradient in Chromium, ${build}, batch ${batch}`, peer, inBrowser(peer, batch), inBrowser(`misread ${build}`, batch));
    }
  }
}
for (const batch of [1, 32]) {
  add(`gradient in Chromium, relaxed-simd, batch ${batch}`, 'PyTorch native', native.ms[`PyTorch ${batch}`], inBrowser('misread relaxed-simd', batch));
}
add('gradient native, batch 1', 'PyTorch', native.ms['PyTorch 1'], native.ms['misread 1']);
add('gradient native, an image of a large batch (100; 32)', 'PyTorch', native.ms['PyTorch 100'] / 100, native.ms['misread 32'] / 32);
add(`L-inf attack, 100 digits, 40 steps, ${native.threads} threads`, 'Foolbox', native.ms['Foolbox attack'], native.ms['misread attack']);
add('L-BFGS attack, a digit, 1 thread', 'Foolbox 2.4', 1e3 * lbfgs.foolbox.seconds, 1e3 * lbfgs.misread.seconds);
add(`training mnist-cnn, an epoch, ${train.threads} threads`, 'PyTorch', 1e3 * train.seconds_an_epoch, 1e3 * epoch);
for (const build of [1, 32]) {
  const [plain, fused] = ['simd128', 'relaxed-simd'].map((name) => inBrowser(`misread ${name}`, build));
  rows.push([`relaxed-simd beside simd128, batch ${build}`, 'itself', ms(plain), ms(fused), (plain / fused).toFixed(2)]);
}
const widths = rows[0].map((_, i) => Math.max(...rows.map((r) => r[i].length)));
for (const [i, row] of rows.entries()) {
  console.log(`| ${row.map((cell, j) => (j < 2 ? cell.padEnd(widths[j]) : cell.padStart(widths[j]))).join(' | ')} |`);
  if (i === 0) console.log(`|${widths.map((w, j) => (j < 2 ? '-'.repeat(w + 2) : `${'-'.repeat(w + 1)}:`)).join('|')}|`);
}
console.log(`\nfooled of 100: Foolbox ${native.fooled.Foolbox}, misread ${native.fooled.misread}`);
const { foolbox, misread } = lbfgs;
console.log(
  `L-BFGS, 20 digits: fooled ${foolbox.success} and ${misread.success}, median L2 ${foolbox.median_l2.toFixed(3)} and ` +
    `${misread.median_l2.toFixed(3)}, gradients a digit ${foolbox.median_gradients} (median) and at most ${misread.most_gradients}`,
);
