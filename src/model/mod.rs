//! What an attack sees of a network.

mod network;
mod vae;

pub use network::Network;
pub use vae::{Elbo, Vae, normal};

use crate::error::{Error, Result};
use crate::kernel::softmax::Loss;
use crate::weights::Weights;

/// A classifier whose loss can be differentiated with respect to its input.
///
/// Images are flat, rows x columns x channels, in [0, 1]. Slices of other lengths are a bug of the caller
/// and panic.
pub trait Classifier {
    /// Numbers in an image.
    fn pixels(&self) -> usize;

    /// Rows, columns and channels of an image; one row where the classifier knows of none.
    fn shape(&self) -> [usize; 3] {
        [1, self.pixels(), 1]
    }

    /// Labels, and so logits.
    fn classes(&self) -> usize;

    /// Whether it answers by draws, of which an attack knows some and others decide.
    fn draws(&self) -> bool {
        false
    }

    /// Writes the logits of `image`.
    fn logits(&mut self, image: &[f32], logits: &mut [f32]);

    /// The loss at `image`, in nats. Writes the logits, and the loss's gradient with respect to the image.
    fn loss_and_gradient(
        &mut self,
        image: &[f32],
        loss: Loss,
        logits: &mut [f32],
        gradient: &mut [f32],
    ) -> f32;

    /// Answers several queries at once; the same numbers as one by one.
    fn evaluate(&mut self, queries: &mut [Query<'_>]) {
        for query in queries {
            *query.value = match &mut query.gradient {
                Some(gradient) => self.loss_and_gradient(query.image, query.loss, query.logits, gradient),
                None => {
                    self.logits(query.image, query.logits);
                    query.loss.evaluate(query.logits, query.scratch)
                }
            };
        }
    }
}

/// What is asked of a classifier, and where the answer goes.
#[derive(Debug)]
pub struct Query<'a> {
    /// The image, in [0, 1].
    pub image: &'a [f32],
    /// The loss that is asked for.
    pub loss: Loss,
    /// Takes the loss, in nats.
    pub value: &'a mut f32,
    /// Takes the logits.
    pub logits: &'a mut [f32],
    /// Room for as many numbers as there are logits.
    pub scratch: &'a mut [f32],
    /// Takes the loss's gradient with respect to the image, where it is asked for.
    pub gradient: Option<&'a mut [f32]>,
}

/// Moves the queries that want a gradient to the front, in their order; returns how many they are.
fn gradients_first(queries: &mut [Query<'_>]) -> usize {
    let mut count = 0;
    for i in 0..queries.len() {
        if queries[i].gradient.is_some() {
            queries[count..=i].rotate_right(1);
            count += 1;
        }
    }
    count
}

/// How a VAE classifier reads an image.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Inference {
    /// Through the mean of the latent vector: always the same answer.
    #[default]
    Mean,
    /// Through `samples` draws of the latent vector, their probabilities averaged. The draws are those of `seed` until
    /// [`Model::answers`].
    Sampled {
        /// Draws for one answer, at least 1.
        samples: usize,
        /// Of the draws.
        seed: u64,
    },
}

/// Any network, ready to be attacked.
#[derive(Clone, Debug)]
pub enum Model {
    /// One image, one answer.
    Network(Network),
    /// A VAE that samples.
    Sampled(Box<Vae>),
}

impl Model {
    /// The network that `weights` belong to.
    ///
    /// # Errors
    /// As [`Network::new`]; [`Error::BadInput`] when a network without a latent vector is to sample, or 0 samples are
    /// asked for.
    pub fn new(weights: &Weights, inference: Inference) -> Result<Self> {
        match inference {
            Inference::Mean => Ok(Self::Network(Network::new(weights)?)),
            Inference::Sampled { .. } if weights.arch.vae.is_none() => Err(Error::BadInput(format!(
                "'{}' has no latent vector to sample: only a VAE has",
                weights.arch.name
            ))),
            Inference::Sampled { samples, seed } => {
                Ok(Self::Sampled(Box::new(Vae::sampled(weights, samples, seed)?)))
            }
        }
    }

    /// Calls `f` with the answer (logits) of each of `seeds` to an image: where nothing is drawn, all are the same.
    ///
    /// # Panics
    /// When the image is too short.
    pub fn answers(&mut self, image: &[f32], seeds: impl Iterator<Item = u64>, mut f: impl FnMut(&[f32])) {
        match self {
            Self::Sampled(vae) => vae.answers(image, seeds, f),
            Self::Network(network) => {
                let mut logits = vec![0.0; network.classes()];
                network.logits(image, &mut logits);
                seeds.for_each(|_| f(&logits));
            }
        }
    }

    fn classifier(&mut self) -> &mut dyn Classifier {
        match self {
            Self::Network(network) => network,
            Self::Sampled(vae) => vae.as_mut(),
        }
    }
}

impl Classifier for Model {
    fn pixels(&self) -> usize {
        match self {
            Self::Network(network) => network.pixels(),
            Self::Sampled(vae) => vae.pixels(),
        }
    }

    fn shape(&self) -> [usize; 3] {
        match self {
            Self::Network(network) => network.shape(),
            Self::Sampled(vae) => vae.shape(),
        }
    }

    fn classes(&self) -> usize {
        match self {
            Self::Network(network) => network.classes(),
            Self::Sampled(vae) => vae.classes(),
        }
    }

    fn draws(&self) -> bool {
        matches!(self, Self::Sampled(_))
    }

    fn logits(&mut self, image: &[f32], logits: &mut [f32]) {
        self.classifier().logits(image, logits);
    }

    fn loss_and_gradient(
        &mut self,
        image: &[f32],
        loss: Loss,
        logits: &mut [f32],
        gradient: &mut [f32],
    ) -> f32 {
        self.classifier().loss_and_gradient(image, loss, logits, gradient)
    }

    fn evaluate(&mut self, queries: &mut [Query<'_>]) {
        self.classifier().evaluate(queries);
    }
}
