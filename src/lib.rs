//! Attack handwritten-digit and face classifiers in the browser and natively.
//!
//! From the ground floor up; nothing imports from a floor above its own (`tests/it/floors.rs` reads the `use` lines):
//!
//! * [`error`]: what can go wrong, in words; `number`: numbers as they are written
//! * [`kernel`]: SIMD arithmetic on slices
//! * [`metrics`]: norms, similarity, validity and grade of an attacked image, and statistics of many
//! * [`network`]: networks as data, as bytes, and running
//! * [`datasets`]: a descriptor a data set
//! * [`zoo`]: the networks, an entry an architecture; `onnx`: networks in and out of ONNX (feature `onnx`)
//! * [`classifier`]: what an attack sees, what is deployed, and the defences
//! * [`attack`]: the attacks, each with its descriptor
//! * [`judge`]: an attack on a subject, and the record of it
//! * [`bench`]: how long a gradient takes on this machine
//! * [`catalogue`]: all that page and command line offer, as data
//! * `wasm`: bindings for the page (wasm32)
//! * `native`: files, data sets, cores and the server (feature `cli`)
//! * `train`: training with candle (feature `train`)
//! * `study`: every network under every attack, and the report (feature `cli`)
//! * `cli`: the commands (feature `cli`)

pub mod attack;
pub mod bench;
pub mod catalogue;
pub mod classifier;
pub mod datasets;
pub mod error;
pub mod judge;
pub mod kernel;
pub mod metrics;
pub mod network;
mod number;
#[cfg(feature = "onnx")]
pub mod onnx;
pub mod zoo;

#[cfg(feature = "cli")]
pub mod cli;
#[cfg(feature = "cli")]
pub mod native;
#[cfg(feature = "cli")]
pub mod study;
#[cfg(feature = "train")]
pub mod train;
#[cfg(target_arch = "wasm32")]
pub mod wasm;

#[cfg(all(test, target_arch = "wasm32"))]
wasm_bindgen_test::wasm_bindgen_test_configure!(run_in_browser);
