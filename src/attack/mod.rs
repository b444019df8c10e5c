//! The attacks. Each is a stepper: it yields its progress after every evaluation of the network, can be dropped between
//! two steps, and is deterministic.

mod bisection;
mod candidate;
pub mod iterative;
mod l1;
pub mod lbfgs;
pub mod lbfgsb;
mod linf;
pub mod options;
pub mod square;

pub use options::Options;

use crate::error::Result;
use crate::kernel::softmax::Loss;
use crate::metrics::norms::Norms;
use crate::model::Classifier;

/// What an attack is after.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Goal {
    /// That the network reads this label.
    Target(usize),
    /// That the network reads anything but this label.
    Away(usize),
}

impl Goal {
    /// The label it names.
    pub fn label(self) -> usize {
        match self {
            Self::Target(label) | Self::Away(label) => label,
        }
    }

    /// The loss that an attack descends.
    pub fn loss(self) -> Loss {
        match self {
            Self::Target(label) => Loss::Label(label),
            Self::Away(label) => Loss::Other(label),
        }
    }

    /// Whether a network that reads `predicted` has been fooled.
    pub fn reached(self, predicted: usize) -> bool {
        match self {
            Self::Target(label) => predicted == label,
            Self::Away(label) => predicted != label,
        }
    }

    /// The probability of the false label: of the target, or of the likeliest wrong one.
    pub fn confidence(self, probabilities: &[f32]) -> f32 {
        match self {
            Self::Target(label) => probabilities[label],
            Self::Away(label) => {
                let others = probabilities.iter().enumerate().filter(|&(i, _)| i != label);
                others.map(|(_, &p)| p).fold(0.0, f32::max)
            }
        }
    }
}

/// Where an attack stands: the state of [`Attack::image`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Progress {
    /// Steps taken; 0 describes the original, or the random start.
    pub step: usize,
    /// How often the attack has begun afresh, with another budget.
    pub round: usize,
    /// What is allowed in this round: the radius of the ball, or L-BFGS's weight `c` of the loss.
    pub budget: f32,
    /// The loss that the attack descends ([`Goal::loss`]), in nats.
    pub loss: f32,
    /// The label that the network reads.
    pub predicted: usize,
    /// Probability of the false label.
    pub confidence: f32,
    /// Whether the goal is reached, with the confidence that was asked for.
    pub success: bool,
    /// Distance from the original.
    pub norms: Norms,
    /// Gradients computed so far.
    pub gradients: usize,
    /// Share of the pixels whose gradient is exactly zero at the image; the first sign of gradient masking.
    /// 0 where no gradient was computed.
    pub zero_gradient: f32,
    /// Whether this is the end.
    pub done: bool,
}

/// The best image that an attack has come by.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome {
    /// Where the attack stood.
    pub progress: Progress,
    /// The image, in [0, 1].
    pub image: Vec<f32>,
    /// The probabilities of all labels there.
    pub probabilities: Vec<f32>,
}

/// An attack on one image.
pub trait Attack {
    /// Takes a step and evaluates the network once (twice at a random start). The first call evaluates the start.
    ///
    /// # Errors
    /// [`Error::Refused`](crate::error::Error::Refused) when the goal is reached before the first step or the attack
    /// has ended, [`Error::BadInput`](crate::error::Error::BadInput) when the network answers with something that is
    /// not a number.
    fn step(&mut self, model: &mut dyn Classifier) -> Result<Progress>;

    /// The image that the latest [`Progress`] describes.
    fn image(&self) -> &[f32];

    /// The probabilities of all labels at that image.
    fn probabilities(&self) -> &[f32];

    /// The best image so far: with a fixed budget the latest that reaches the goal, in a search the closest one; where
    /// none does, the one with the lowest loss. `None` before the first step.
    fn outcome(&self) -> Option<&Outcome>;
}

/// Runs an attack to its end. [`Attack::outcome`] has the result.
///
/// # Errors
/// Those of [`Attack::step`].
pub fn run(attack: &mut dyn Attack, model: &mut dyn Classifier) -> Result<Progress> {
    loop {
        let progress = attack.step(model)?;
        if progress.done {
            return Ok(progress);
        }
    }
}
