// What a browser must have for this page, and words for one that has not.

/** A module with one simd128 instruction. */
const SIMD = [
  0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0, 10, 10, 1, 8, 0, 65, 0, 253, 15, 253, 98, 11,
];

/** A module with one relaxed-simd instruction. */
const RELAXED_SIMD = [
  0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0, 10, 15, 1, 13, 0, 65, 1, 253, 15, 65, 2, 253, 15,
  253, 128, 2, 11,
];

/** The fastest build of the wasm that this browser runs. */
export function bestBuild() {
  return WebAssembly.validate(new Uint8Array(RELAXED_SIMD)) ? 'relaxed-simd' : 'simd128';
}

/** Why this browser cannot run the page, or null when it can. */
export function whyUnsupported() {
  if (typeof WebAssembly !== 'object') {
    return 'This browser has no WebAssembly (or it is switched off), which the attacks need. Any current browser has it.';
  }
  if (!WebAssembly.validate(new Uint8Array(SIMD))) {
    return 'This browser’s WebAssembly lacks SIMD, which the attacks need. Chrome and Edge have it since version 91, Firefox since 89, Safari since 16.4.';
  }
  if (typeof Worker !== 'function') {
    return 'This browser has no Web Workers, in which the attacks run.';
  }
  return null;
}
