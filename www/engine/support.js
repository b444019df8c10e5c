// What a browser must have for this page, and words for one that has not.

/** A module with one simd128 instruction. */
const SIMD = [
  0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0, 10, 10, 1, 8, 0, 65, 0, 253, 15, 253, 98, 11,
];

/** A module with the one relaxed instruction that the build uses: f32x4.relaxed_madd of three splats. */
export const RELAXED = [
  0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0, 10, 19, 1, 17, 0, 65, 1, 253, 15, 65, 2, 253, 15,
  65, 3, 253, 15, 253, 133, 2, 11,
];

/** What is said where there is no WebAssembly: on the page, or in its workers alone. */
export const NO_WASM = 'This browser has no WebAssembly, which the attacks need, or it is switched off: by a setting, by an extension, or by the lockdown mode of the system, which can be lifted for this page.';

/** The fastest build of the wasm that this browser runs. */
export function bestBuild() {
  return WebAssembly.validate(new Uint8Array(RELAXED)) ? 'relaxed-simd' : 'simd128';
}

/** Why this browser cannot run the page, or null when it can. */
export function whyUnsupported() {
  if (typeof WebAssembly !== 'object') {
    return NO_WASM;
  }
  if (!WebAssembly.validate(new Uint8Array(SIMD))) {
    return 'This browser’s WebAssembly lacks SIMD, which the attacks need. Chrome and Edge have it since version 91, Firefox since 89, Safari since 16.4.';
  }
  if (typeof Worker !== 'function') {
    return 'This browser has no Web Workers, in which the attacks run.';
  }
  return null;
}
