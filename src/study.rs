//! What is recorded of an attack: one code for page and command line.

use crate::arch::Validity;
use crate::attack::{Goal, Outcome};
use crate::kernel::softmax::softmax;
use crate::metrics::argmax;
use crate::metrics::grade::{CONFIDENT, Grade};
use crate::metrics::ssim::ssim;
use crate::model::{Classifier, Model};

/// What an attack is graded by.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Thresholds {
    /// When the attacked image counts as still readable.
    pub validity: Validity,
    /// The probability of the false label from which the network counts as confident.
    pub confident: f64,
}

impl Thresholds {
    /// The stated defaults, with the validity of a data set.
    pub fn new(validity: Validity) -> Self {
        Self { validity, confident: CONFIDENT }
    }
}

/// What is measured of an attack's outcome, beyond its progress.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Measures {
    /// Structural similarity with the original.
    pub ssim: f64,
    /// Whether the image counts as still readable.
    pub valid: bool,
    /// Validity times confidence.
    pub grade: Grade,
    /// Whether the attack succeeded, and still does when the image is rounded to 8 bits a pixel, as a PNG stores it.
    pub survives_png: bool,
}

/// Measures the outcome of an attack on `original`, an image of `shape` (rows, columns, channels).
pub fn measure(
    model: &mut dyn Classifier,
    goal: Goal,
    (original, shape): (&[f32], [usize; 3]),
    outcome: &Outcome,
    thresholds: Thresholds,
) -> Measures {
    let Outcome { progress, image, .. } = outcome;
    let ssim = ssim(shape, original, image);
    let valid = thresholds.validity.holds(&progress.norms, ssim);
    let confident = f64::from(progress.confidence) >= thresholds.confident;
    let mut logits = vec![0.0; model.classes()];
    model.logits(&stored(image), &mut logits);
    Measures {
        ssim,
        valid,
        grade: Grade::of(progress.success, valid, confident),
        survives_png: progress.success && goal.reached(argmax(&logits)),
    }
}

/// An image (in [0, 1]) as a PNG stores it: rounded to 8 bits.
pub fn stored(image: &[f32]) -> Vec<f32> {
    image.iter().map(|x| (x * 255.0).round() / 255.0).collect()
}

/// The seed of the draws that an attack on a sampling network descends.
pub const DRAWS: u64 = 1;
/// How many of these draws an attack takes the mean loss over, unless someone says otherwise.
pub const EOT: usize = 64;
/// Answers of a sampling network that a result is scored on: the attack saw none of their draws.
pub const FRESH: u64 = 64;

/// How a sampling network answers an image over fresh draws.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Fresh {
    /// Share of the answers that reach the goal.
    pub share: f64,
    /// The label that most of them name.
    pub predicted: usize,
    /// The mean of the goal's confidence.
    pub confidence: f32,
}

impl Fresh {
    /// Whether this counts as a success: at least half of the answers reach the goal.
    pub fn succeeds(&self) -> bool {
        self.share >= 0.5
    }
}

/// Asks a sampling network [`FRESH`] times how it reads `image`. Each `index` has draws of its own, none of which is a
/// draw of [`DRAWS`].
pub fn fresh(deployed: &mut Model, image: &[f32], goal: Goal, index: u64) -> Fresh {
    let classes = deployed.classes();
    let mut probabilities = vec![0.0; classes];
    let mut votes = vec![0.0f32; classes];
    let (mut reached, mut confidence) = (0, 0.0);
    let seeds = (0..FRESH).map(|i| (1 << 32) + index * FRESH + i);
    deployed.answers(image, seeds, |logits| {
        softmax(logits, &mut probabilities);
        let read = argmax(logits);
        votes[read] += 1.0;
        reached += u64::from(goal.reached(read));
        confidence += goal.confidence(&probabilities);
    });
    let share = reached as f64 / FRESH as f64;
    Fresh { share, predicted: argmax(&votes), confidence: confidence / FRESH as f32 }
}
