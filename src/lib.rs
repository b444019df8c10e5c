//! Attack handwritten-digit and face classifiers in the browser and natively.
//!
//! From the ground floor up; nothing imports from a floor above its own:
//!
//! * [`kernel`]: SIMD arithmetic on slices
//! * [`arch`]: networks as data
//! * [`latent`]: a map of a latent space
//! * [`weights`]: bytes to tensors and back
//! * [`samples`]: the images that the page ships
//! * [`net`]: an architecture with weights, ready to run
//! * [`model`]: what an attack sees of a network
//! * [`attack`]: the attacks
//! * [`metrics`]: norms, similarity and grade of an attacked image
//! * [`study`]: what is recorded of an attack
//! * [`bench`]: how long a gradient takes on this machine
//! * `web`: bindings for the page (wasm32)
//! * `native`: data sets, files and the server (feature `cli`)
//! * `train`: training with candle (feature `train`)

pub mod arch;
pub mod attack;
pub mod bench;
pub mod error;
pub mod kernel;
pub mod latent;
pub mod metrics;
pub mod model;
pub mod net;
pub mod samples;
pub mod study;
pub mod weights;

#[cfg(feature = "cli")]
pub mod native;
#[cfg(feature = "train")]
pub mod train;
#[cfg(target_arch = "wasm32")]
pub mod web;

#[cfg(all(test, target_arch = "wasm32"))]
wasm_bindgen_test::wasm_bindgen_test_configure!(run_in_browser);
