//! Networks in ONNX, in a build of their own that the page loads when somebody brings one.

use wasm_bindgen::prelude::*;

use super::{object, thrown};
use crate::datasets::{Dataset, own};
use crate::error::{Error, Result};
use crate::network::Weights;
use crate::network::weights::{Facts, Precision};
use crate::onnx::{self, Asked, Feeding, Imported, labels};

/// A network in ONNX that was read.
#[wasm_bindgen]
pub struct Import(Imported);

#[wasm_bindgen]
impl Import {
    /// Reads a file. `asked` is `{name, dataset, image, labels}`: what the network is called; whose images it reads, what their size is
    /// (`32x32x3`) and what its labels stand for (a text), each of which may be missing. Throws what is not right, or not run.
    #[wasm_bindgen(constructor)]
    pub fn new(bytes: &[u8], asked: &JsValue) -> Result<Import, JsValue> {
        let text = |key: &str| object::get(asked, key).as_string().filter(|text| !text.is_empty());
        let read = || {
            let name = text("name").unwrap_or_default();
            let asked = Asked {
                name: &name,
                dataset: text("dataset").map(|name| Dataset::by_name(&name)).transpose()?,
                image: text("image").map(|size| own::read_shape(&size)).transpose()?,
                labels: text("labels").map(|text| labels::read(&text)).unwrap_or_default(),
            };
            onnx::import(bytes, &asked)
        };
        read().map(Self).map_err(thrown)
    }

    /// The data set whose images it reads.
    #[wasm_bindgen(getter)]
    pub fn dataset(&self) -> String {
        self.0.spec.dataset.clone()
    }

    /// What its labels stand for.
    #[wasm_bindgen(getter)]
    pub fn labels(&self) -> Vec<String> {
        self.0.spec.labels.clone()
    }

    /// How it may be fed: `[{name, title}]`.
    #[wasm_bindgen(unchecked_return_type = "any[]")]
    pub fn feedings(&self) -> JsValue {
        let all = Feeding::all(self.0.spec.image);
        let one = |feeding: &Feeding| {
            object::from([("name", (&feeding.name).into()), ("title", (&feeding.title).into())])
        };
        all.iter().map(one).collect::<js_sys::Array>().into()
    }

    /// The way to feed it in which it reads most of these images rightly (image after image, in [0, 1], and their labels): `{name, title,
    /// right, of}`.
    #[wasm_bindgen(unchecked_return_type = "any")]
    pub fn tried(&self, images: &[f32], labels: &[u8]) -> Result<JsValue, JsValue> {
        let size = self.0.spec.pixels();
        let known: Vec<(&[f32], usize)> =
            images.chunks_exact(size).zip(labels.iter().map(|label| usize::from(*label))).collect();
        let tried = self.0.try_feedings(&known).map_err(thrown)?;
        let best = tried.first().ok_or_else(|| thrown(Error::BadInput("nothing was tried".into())))?;
        Ok(object::from([
            ("name", (&best.feeding.name).into()),
            ("title", (&best.feeding.title).into()),
            ("right", (best.right as f64).into()),
            ("of", (best.of as f64).into()),
        ]))
    }

    /// The weights file of it, fed as the feeding of that name says.
    #[wasm_bindgen(js_name = weightsFile)]
    pub fn weights_file(&self, feeding: &str) -> Result<Vec<u8>, JsValue> {
        let made = || {
            let feeding = Feeding::by_name(feeding, self.0.spec.image)?;
            let Imported { spec, tensors } = self.0.clone().fed(&feeding)?;
            let facts = Facts::from([("fed".into(), feeding.name)]);
            Weights::to_bytes(&spec, &tensors, Precision::F32, None, &facts)
        };
        made().map_err(thrown)
    }
}
