//! A feed-forward network as a classifier.

use super::{Classifier, Query, gradients_first};
use crate::error::Result;
use crate::network::{Net, Shape, Weights};

/// A feed-forward network: one image, one answer.
#[derive(Clone, Debug)]
pub struct Network {
    net: Net,
    /// Images of a batch, one after the other, and the gradients with respect to their logits.
    images: Vec<f32>,
    logit_gradients: Vec<f32>,
}

impl Network {
    /// The network that `weights` belong to.
    ///
    /// # Errors
    /// As [`Net::new`].
    pub fn new(weights: &Weights) -> Result<Self> {
        Ok(Self::from(Net::new(&weights.spec, &weights.tensors)?))
    }

    /// The same, to run by itself.
    pub(super) fn net_mut(&mut self) -> &mut Net {
        &mut self.net
    }

    /// The SIMD core behind it.
    pub fn net(&self) -> &Net {
        &self.net
    }
}

impl From<Net> for Network {
    fn from(net: Net) -> Self {
        let logit_gradients = vec![0.0; net.outputs()];
        Self { net, images: Vec::new(), logit_gradients }
    }
}

impl Classifier for Network {
    fn pixels(&self) -> usize {
        self.net.inputs()
    }

    fn shape(&self) -> Shape {
        self.net.input()
    }

    fn classes(&self) -> usize {
        self.net.outputs()
    }

    fn logits(&mut self, image: &[f32], logits: &mut [f32]) {
        logits.copy_from_slice(self.net.forward(image));
    }

    fn evaluate(&mut self, queries: &mut [Query<'_>]) {
        let (count, classes) = (queries.len(), self.classes());
        // Those that want a gradient come first: the others end with the logits.
        let gradients = gradients_first(queries);
        if let [query] = queries {
            self.net.forward(query.image);
        } else {
            self.images.clear();
            queries.iter().for_each(|query| self.images.extend_from_slice(query.image));
            self.net.forward_batch(&self.images, count);
        }
        if self.logit_gradients.len() < count * classes {
            self.logit_gradients.resize(count * classes, 0.0);
        }
        for (i, query) in queries.iter_mut().enumerate() {
            query.logits.copy_from_slice(self.net.outputs_of(i));
            let gradient = &mut self.logit_gradients[i * classes..(i + 1) * classes];
            let refusal = query.refusal.as_deref_mut();
            *query.value = query.loss.evaluate_guarded(query.logits, gradient, refusal);
        }
        self.net.input_gradient_batch(&self.logit_gradients, gradients);
        for (i, query) in queries.iter_mut().enumerate() {
            if let Some(gradient) = &mut query.gradient {
                gradient.copy_from_slice(self.net.gradient_of(i));
            }
        }
    }
}
