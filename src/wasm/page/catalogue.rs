//! The catalogue as a plain object.

use wasm_bindgen::prelude::*;

use super::{object, thrown};
use crate::datasets::Dataset;

/// Networks, data sets, attacks with their fields, and defences: all that is offered.
#[wasm_bindgen(unchecked_return_type = "any")]
pub fn catalogue() -> JsValue {
    object::of(&crate::catalogue::catalogue())
}

/// What is offered for a data set by its name, such as `own-32x32x3`: `{dataset, defences}`.
#[wasm_bindgen(unchecked_return_type = "any")]
pub fn described(dataset: &str) -> Result<JsValue, JsValue> {
    let dataset = Dataset::by_name(dataset).map_err(thrown)?;
    Ok(object::of(&crate::catalogue::described(dataset)))
}
