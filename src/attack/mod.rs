//! The attacks. Each is a stepper: it yields its progress after every evaluation of the network, can be
//! dropped between two steps, and is deterministic.

pub mod linf;

use crate::error::{Error, Result};
use crate::kernel::softmax;
use crate::metrics::{argmax, norms::Norms};
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
    /// The label whose cross-entropy is descended ([`Target`](Self::Target)) or ascended
    /// ([`Away`](Self::Away)).
    pub fn label(self) -> usize {
        match self {
            Self::Target(label) | Self::Away(label) => label,
        }
    }

    /// The sign of a step along the gradient of that cross-entropy.
    fn direction(self) -> f32 {
        match self {
            Self::Target(_) => -1.0,
            Self::Away(_) => 1.0,
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
    /// Steps taken; 0 describes the original.
    pub step: usize,
    /// Cross-entropy of the goal's label, in nats.
    pub loss: f32,
    /// The label that the network reads.
    pub predicted: usize,
    /// Probability of the false label.
    pub confidence: f32,
    /// Whether the goal is reached.
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

/// An attack on one image.
pub trait Attack {
    /// Takes a step and evaluates the network once. The first call evaluates the original.
    ///
    /// # Errors
    /// [`Error::Refused`] when the goal is reached before the first step or the attack has ended,
    /// [`Error::BadInput`] when the network answers with something that is not a number.
    fn step(&mut self, model: &mut dyn Classifier) -> Result<Progress>;

    /// The image that the latest [`Progress`] describes.
    fn image(&self) -> &[f32];

    /// The probabilities of all labels at that image.
    fn probabilities(&self) -> &[f32];
}

/// Runs an attack to its end.
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

/// The original and the current image, with what the network says of it: what every attack carries along.
#[derive(Clone, Debug)]
struct Candidate {
    goal: Goal,
    original: Vec<f32>,
    image: Vec<f32>,
    logits: Vec<f32>,
    probabilities: Vec<f32>,
    gradient: Vec<f32>,
    gradients: usize,
}

impl Candidate {
    /// # Errors
    /// [`Error::BadInput`] for an image or a label that does not fit the model, or pixels outside [0, 1].
    fn new(model: &dyn Classifier, image: &[f32], goal: Goal) -> Result<Self> {
        if image.len() != model.pixels() {
            return Err(Error::BadInput(format!(
                "the image has {} numbers; the network reads {}",
                image.len(),
                model.pixels()
            )));
        }
        if let Some((i, v)) = image.iter().enumerate().find(|(_, v)| !(0.0..=1.0).contains(*v)) {
            return Err(Error::BadInput(format!("pixel {i} of the image is {v}; pixels lie in [0, 1]")));
        }
        if goal.label() >= model.classes() {
            return Err(Error::BadInput(format!(
                "there is no label {}; the network has {}",
                goal.label(),
                model.classes()
            )));
        }
        Ok(Self {
            goal,
            original: image.to_vec(),
            image: image.to_vec(),
            logits: vec![0.0; model.classes()],
            probabilities: vec![0.0; model.classes()],
            gradient: vec![0.0; image.len()],
            gradients: 0,
        })
    }

    /// Evaluates the network at the image; with its gradient unless this is the end.
    fn evaluate(&mut self, model: &mut dyn Classifier, step: usize, done: bool) -> Result<Progress> {
        let label = self.goal.label();
        let zero_gradient = if done {
            model.logits(&self.image, &mut self.logits);
            0.0
        } else {
            model.loss_and_gradient(&self.image, label, &mut self.logits, &mut self.gradient);
            self.gradients += 1;
            let zeros = self.gradient.iter().filter(|&&g| g == 0.0).count();
            zeros as f32 / self.gradient.len() as f32
        };
        let log_sum = softmax::softmax(&self.logits, &mut self.probabilities);
        if !log_sum.is_finite() || self.gradient.iter().any(|g| !g.is_finite()) {
            return Err(Error::BadInput(
                "the network's answer is not a number: are its weights sound?".into(),
            ));
        }
        let predicted = argmax(&self.logits);
        let success = self.goal.reached(predicted);
        if step == 0 && success {
            return Err(Error::Refused(match self.goal {
                Goal::Target(label) => format!("the network already reads this image as label {label}"),
                Goal::Away(label) => {
                    format!("the network already misreads this image: {predicted} instead of {label}")
                }
            }));
        }
        Ok(Progress {
            step,
            loss: log_sum - self.logits[label],
            predicted,
            confidence: self.goal.confidence(&self.probabilities),
            success,
            norms: Norms::between(&self.original, &self.image),
            gradients: self.gradients,
            zero_gradient,
            done,
        })
    }
}
