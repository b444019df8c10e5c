//! Thin bindings for the page: newtypes around the crate's own types, nothing else. What reads ONNX is a build of its own, which the
//! page loads when somebody brings such a file.

#[cfg(feature = "onnx")]
mod import;
mod object;
#[cfg(not(feature = "onnx"))]
mod page;

use wasm_bindgen::prelude::*;

use crate::error::Error;
use crate::kernel::simd::Level;

#[cfg(feature = "onnx")]
pub use import::Import;
#[cfg(not(feature = "onnx"))]
pub use page::*;

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
