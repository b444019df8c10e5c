//! The step of the Basic Iterative Method under L-infinity (Kurakin, Goodfellow, Bengio 2016, "Adversarial examples in
//! the physical world", sections 2.2 and 2.3).

use super::descriptor::{Descriptor, Field, Traits};
use super::iterative::{BasicIterative, Step};
use super::{Norm, Options};

/// Basic Iterative under L-infinity.
pub static LINF: Descriptor = Descriptor {
    name: "linf",
    title: "Basic Iterative, L∞",
    source: "Kurakin, Goodfellow and Bengio 2016",
    norms: &[Norm::Linf],
    searches: false,
    steps: 40,
    fields: &[
        Field::mode("fixed"),
        Field::epsilon(1.0),
        Field::STEPS,
        Field::ALPHA,
        Field::CONFIDENCE,
        Field::STOP,
        Field::SEED,
    ],
    traits: Traits {
        study: true,
        decides: false,
        rounds: true,
        needs_start: false,
        takes_start: false,
        gradient_free: false,
    },
    make: |options: &Options, model, image, goal, _| {
        Ok(Box::new(BasicIterative::new(model, image, goal, options.iterative(Step::Sign))?))
    },
};

/// `x <- clamp(x0 + clamp(x - alpha sgn(g) - x0, -eps, eps), 0, 1)`.
pub fn step(original: &[f32], image: &mut [f32], gradient: &[f32], epsilon: f32, alpha: f32) {
    for ((x, x0), g) in image.iter_mut().zip(original).zip(gradient) {
        // f32::signum gives 1 for 0; a pixel without a gradient has to stay where it is.
        let moved = *x - alpha * (f32::from(*g > 0.0) - f32::from(*g < 0.0));
        *x = (*x0 + (moved - *x0).clamp(-epsilon, epsilon)).clamp(0.0, 1.0);
    }
}

/// Moves each pixel to within `epsilon` of the original's, and into the box.
pub fn project(original: &[f32], image: &mut [f32], epsilon: f32) {
    for (x, x0) in image.iter_mut().zip(original) {
        *x = (x0 + (*x - x0).clamp(-epsilon, epsilon)).clamp(0.0, 1.0);
    }
}

/// A point drawn evenly from the ball, moved into the box.
pub fn random(original: &[f32], image: &mut [f32], epsilon: f32, rng: &mut fastrand::Rng) {
    for (x, x0) in image.iter_mut().zip(original) {
        *x = (x0 + epsilon * (2.0 * rng.f32() - 1.0)).clamp(0.0, 1.0);
    }
}
