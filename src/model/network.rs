//! A feed-forward network as a classifier.

use super::Classifier;
use crate::error::Result;
use crate::kernel::softmax::Loss;
use crate::net::Net;
use crate::weights::Weights;

/// A feed-forward network: one image, one answer.
#[derive(Clone, Debug)]
pub struct Network {
    net: Net,
    logit_gradient: Vec<f32>,
}

impl Network {
    /// The network that `weights` belong to.
    ///
    /// # Errors
    /// As [`Net::new`].
    pub fn new(weights: &Weights) -> Result<Self> {
        Ok(Self::from(Net::new(weights.arch, &weights.tensors)?))
    }

    /// The SIMD core behind it.
    pub fn net(&self) -> &Net {
        &self.net
    }
}

impl From<Net> for Network {
    fn from(net: Net) -> Self {
        let logit_gradient = vec![0.0; net.arch().classes()];
        Self { net, logit_gradient }
    }
}

impl Classifier for Network {
    fn pixels(&self) -> usize {
        self.net.arch().pixels()
    }

    fn shape(&self) -> [usize; 3] {
        self.net.arch().dataset.image
    }

    fn classes(&self) -> usize {
        self.net.arch().classes()
    }

    fn logits(&mut self, image: &[f32], logits: &mut [f32]) {
        logits.copy_from_slice(self.net.forward(image));
    }

    fn loss_and_gradient(
        &mut self,
        image: &[f32],
        loss: Loss,
        logits: &mut [f32],
        gradient: &mut [f32],
    ) -> f32 {
        logits.copy_from_slice(self.net.forward(image));
        let loss = loss.evaluate(logits, &mut self.logit_gradient);
        gradient.copy_from_slice(self.net.input_gradient(&self.logit_gradient));
        loss
    }
}
