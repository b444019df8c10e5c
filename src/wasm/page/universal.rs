//! One change for many images.

use wasm_bindgen::prelude::*;

use super::network::Subject;
use super::thrown;
use crate::attack::universal;

/// The search for a universal perturbation.
#[wasm_bindgen]
pub struct Universal(universal::Universal);

#[wasm_bindgen]
impl Universal {
    /// Over `images`, one after the other, each with its label: a change of at most `epsilon` in `norm` (`l2` or `linf`), in so many
    /// passes. Throws what is not right.
    #[wasm_bindgen(constructor)]
    pub fn new(
        norm: &str,
        epsilon: f32,
        passes: usize,
        images: &[f32],
        labels: &[usize],
    ) -> Result<Universal, JsValue> {
        let search =
            norm.parse().and_then(|norm| universal::Universal::new(norm, epsilon, passes, images, labels));
        search.map(Self).map_err(thrown)
    }

    /// Goes once over all images, on what an attacker sees of the subject; true at the end.
    pub fn pass(&mut self, subject: &mut Subject) -> Result<bool, JsValue> {
        self.0.pass(&mut *subject.0.seen).map_err(thrown)
    }

    /// The change that has fooled most so far.
    pub fn change(&self) -> Vec<f32> {
        self.0.change().into()
    }

    /// What is read of each image with it; -1 where it is refused.
    pub fn readings(&self) -> Vec<i32> {
        self.0.readings().iter().map(|read| read.map_or(-1, |label| label as i32)).collect()
    }
}
