//! Networks in ONNX, in a build of their own that the page loads when somebody brings one.

use wasm_bindgen::prelude::*;

use super::{object, thrown};
use crate::datasets::Dataset;
use crate::network::Weights;
use crate::network::weights::{Facts, Precision};
use crate::onnx::{self, FEEDINGS, Feeding};

/// What a network may have been trained on: `[{name, title}]`.
#[wasm_bindgen(unchecked_return_type = "any[]")]
pub fn feedings() -> JsValue {
    let all = FEEDINGS
        .iter()
        .map(|feeding| object::from([("name", feeding.name.into()), ("title", feeding.title.into())]));
    all.collect::<js_sys::Array>().into()
}

/// The weights file of a network in ONNX that reads the images of a data set, fed as the feeding of that name says; throws what is
/// not right, or not run.
#[wasm_bindgen(js_name = importOnnx)]
pub fn import_onnx(bytes: &[u8], name: &str, dataset: &str, feeding: &str) -> Result<Vec<u8>, JsValue> {
    let made = || {
        let (spec, tensors) =
            onnx::import(bytes, name, Dataset::by_name(dataset)?, Feeding::by_name(feeding)?)?;
        let facts = Facts::from([("fed".into(), feeding.into())]);
        Weights::to_bytes(&spec, &tensors, Precision::F32, None, &facts)
    };
    made().map_err(thrown)
}
