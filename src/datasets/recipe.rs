//! The parameters of a training.

use crate::error::{Error, Result};
use crate::metrics::norms::Norm;

/// What a siamese network descends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PairLoss {
    /// The contrastive loss of pairs (Hadsell, Chopra, LeCun 2006).
    Contrastive,
    /// The cross-entropy of the distances from prototypes, one a label, that are learnt with the rest.
    Prototypes,
}

impl PairLoss {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Contrastive, Self::Prototypes];

    /// Its name on the command line and in the facts.
    pub fn name(self) -> &'static str {
        match self {
            Self::Contrastive => "contrastive",
            Self::Prototypes => "prototypes",
        }
    }
}

impl PairLoss {
    /// By how much the first weights of an embedding are smaller than He's: at his, distances are many times the margin of 1, and
    /// all that the first steps teach is to shrink them.
    pub fn gain(self) -> f32 {
        match self {
            Self::Contrastive => 0.2,
            Self::Prototypes => 0.5,
        }
    }
}

impl std::str::FromStr for PairLoss {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self> {
        let found = Self::ALL.into_iter().find(|loss| loss.name() == name);
        found.ok_or_else(|| Error::unknown("loss of pairs", name, Self::ALL.map(Self::name)))
    }
}

/// The attack on whose images a network is trained instead of clean ones (Madry et al. 2018, "Towards deep learning models
/// resistant to adversarial attacks"): steps down the loss of every label but the true one from a random point of the ball.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Adversarial {
    /// The norm of the change.
    pub norm: Norm,
    /// The radius of the ball, which grows to this in the first part of a training.
    pub epsilon: f32,
    /// Steps. One is the fast form (Wong, Rice, Kolter 2020, "Fast is better than free").
    pub steps: usize,
}

/// How a network is trained unless someone says otherwise: a data set's own, with what an architecture changes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Recipe {
    /// Passes over the training images.
    pub epochs: usize,
    /// Images a step.
    pub batch: usize,
    /// Adam's rate at the start; it falls to zero along half a cosine.
    pub rate: f64,
    /// Share of every weight that is taken away at each step, in units of the rate (Loshchilov & Hutter 2019).
    pub decay: f64,
    /// Share of the inputs of a classifier's first dense layer that is dropped at each step (Srivastava et al. 2014).
    pub dropout: f32,
    /// By how many rows and columns an image is moved at most, at random; photographs are anyway.
    pub shift: usize,
    /// What a siamese network descends.
    pub pair_loss: PairLoss,
    /// The attack on whose images it is trained, where it is.
    pub adversarial: Option<Adversarial>,
    /// The temperature of a distillation, where it is distilled (Papernot et al. 2016, "Distillation as a defense to adversarial
    /// perturbations"): what the logits are divided by in training.
    pub temperature: Option<f64>,
    /// Weight of the cross-entropy in a VAE's loss. The bound grows with the pixels; the label must not drown in it.
    pub label_weight: f64,
    /// By how much the first weights of a decoder's last layer are smaller than He's. There are few steps for faces: a dense
    /// layer of ten thousands of outputs would spend them on forgetting its first weights.
    pub decoder_gain: f32,
    /// Training images held out, the last ones.
    pub held_out: usize,
    /// Whether the epoch that did best on these is kept. Where they are few, chance would choose: then the last one is.
    pub keep_best: bool,
    /// Whether rare labels weigh more, by the root of how rare they are.
    pub balanced: bool,
}

impl Recipe {
    /// What differs between two trainings, in words; empty where nothing does.
    pub fn difference(&self, other: &Self) -> Vec<String> {
        let mut words = Vec::new();
        let mut differ = |what: &str, a: f64, b: f64| {
            if a != b {
                words.push(format!("{what} ({a} and {b})"));
            }
        };
        differ("epochs", self.epochs as f64, other.epochs as f64);
        differ("images a step", self.batch as f64, other.batch as f64);
        differ("learning rate", self.rate, other.rate);
        differ("weight decay", self.decay, other.decay);
        differ("random shifts", self.shift as f64, other.shift as f64);
        differ("dropout", self.dropout.into(), other.dropout.into());
        let radius = |recipe: &Self| recipe.adversarial.map_or(0.0, |attack| attack.epsilon.into());
        differ("radius of adversarial images", radius(self), radius(other));
        differ("temperature", self.temperature.unwrap_or(1.0), other.temperature.unwrap_or(1.0));
        words
    }
}
