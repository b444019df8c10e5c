//! Thin bindings for the page: newtypes around the crate's own types, nothing else.

#[cfg(not(feature = "onnx"))]
mod bench;
#[cfg(not(feature = "onnx"))]
mod catalogue;
#[cfg(feature = "onnx")]
mod import;
#[cfg(not(feature = "onnx"))]
mod network;
mod object;
#[cfg(not(feature = "onnx"))]
pub mod statistics;
#[cfg(not(feature = "onnx"))]
mod trial;
#[cfg(not(feature = "onnx"))]
mod universal;

use wasm_bindgen::prelude::*;

use crate::error::Error;
use crate::kernel::simd::Level;

#[cfg(not(feature = "onnx"))]
pub use bench::{bench, peak_gflops};
#[cfg(not(feature = "onnx"))]
pub use catalogue::{catalogue, described};
#[cfg(feature = "onnx")]
pub use import::Import;
#[cfg(not(feature = "onnx"))]
pub use network::{Guards, Network, Samples, Subject};
#[cfg(not(feature = "onnx"))]
pub use trial::{Trial, grade};
#[cfg(not(feature = "onnx"))]
pub use universal::Universal;

/// Sends panics to the console with their place, once for each instance.
#[wasm_bindgen(start)]
pub fn start() {
    console_error_panic_hook::set_once();
}

/// Which instruction set this build runs on, e.g. `simd128`.
#[wasm_bindgen]
pub fn build() -> String {
    Level::detect().name().into()
}

/// An error as the page gets it: words in English, and a `key` for those of other languages.
fn thrown(error: Error) -> JsValue {
    let js = js_sys::Error::new(&error.to_string());
    object::set(&js, "key", &error.key().into());
    js.into()
}
