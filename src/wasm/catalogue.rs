//! The catalogue as a plain object.

use wasm_bindgen::prelude::*;

use super::object;

/// Networks, data sets, attacks with their fields, and defences: all that is offered.
#[wasm_bindgen(unchecked_return_type = "any")]
pub fn catalogue() -> JsValue {
    object::of(&crate::catalogue::catalogue())
}
