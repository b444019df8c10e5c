//! The Basic Iterative Method under L-infinity (Kurakin, Goodfellow, Bengio 2016, "Adversarial examples in
//! the physical world", section 2.2 and 2.3).

use super::{Attack, Candidate, Goal, Progress};
use crate::error::{Error, Result};
use crate::model::Classifier;

/// The most steps that may be asked for.
pub const MAX_STEPS: usize = 100_000;

/// What the attack may do.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LinfOptions {
    /// The budget: the most that a pixel may change, in (0, 1].
    pub epsilon: f32,
    /// Steps, 1 to [`MAX_STEPS`].
    pub steps: usize,
    /// How far a pixel moves in a step; `2.5 epsilon / steps` when not given.
    pub alpha: Option<f32>,
}

/// `x <- clamp(x0 + clamp(x + alpha * s * sgn(g) - x0, -eps, eps), 0, 1)`, all steps, where `g` is the gradient
/// of the cross-entropy of the goal's label and `s` -1 towards a target, +1 away from a label.
#[derive(Clone, Debug)]
pub struct BasicIterativeLinf {
    options: LinfOptions,
    alpha: f32,
    candidate: Candidate,
    taken: usize,
    evaluated: bool,
}

impl BasicIterativeLinf {
    /// An attack on `image` (in [0, 1]).
    ///
    /// # Errors
    /// [`Error::BadInput`] for an image, a label or a parameter that is out of range.
    pub fn new(model: &dyn Classifier, image: &[f32], goal: Goal, options: LinfOptions) -> Result<Self> {
        let LinfOptions { epsilon, steps, alpha } = options;
        if !(epsilon > 0.0 && epsilon <= 1.0) {
            return Err(Error::BadInput(format!(
                "epsilon is {epsilon}; it must lie above 0 and be at most 1"
            )));
        }
        if !(1..=MAX_STEPS).contains(&steps) {
            return Err(Error::BadInput(format!(
                "{steps} steps were asked for; it must be 1 to {MAX_STEPS}"
            )));
        }
        let alpha = alpha.unwrap_or(2.5 * epsilon / steps as f32);
        if !(alpha > 0.0 && alpha.is_finite()) {
            return Err(Error::BadInput(format!("the step size is {alpha}; it must be above 0")));
        }
        let candidate = Candidate::new(model, image, goal)?;
        Ok(Self { options, alpha, candidate, taken: 0, evaluated: false })
    }

    fn update(&mut self) {
        let Candidate { goal, original, image, gradient, .. } = &mut self.candidate;
        let (epsilon, step) = (self.options.epsilon, self.alpha * goal.direction());
        for ((x, x0), g) in image.iter_mut().zip(original).zip(gradient) {
            // f32::signum gives 1 for 0; a pixel without a gradient has to stay where it is.
            let moved = *x + step * (f32::from(*g > 0.0) - f32::from(*g < 0.0));
            *x = (*x0 + (moved - *x0).clamp(-epsilon, epsilon)).clamp(0.0, 1.0);
        }
    }
}

impl Attack for BasicIterativeLinf {
    fn step(&mut self, model: &mut dyn Classifier) -> Result<Progress> {
        if self.evaluated {
            if self.taken == self.options.steps {
                return Err(Error::Refused("the attack has ended".into()));
            }
            self.update();
            self.taken += 1;
        }
        self.evaluated = true;
        self.candidate.evaluate(model, self.taken, self.taken == self.options.steps)
    }

    fn image(&self) -> &[f32] {
        &self.candidate.image
    }

    fn probabilities(&self) -> &[f32] {
        &self.candidate.probabilities
    }
}
