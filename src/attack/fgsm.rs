//! The fast gradient sign method (Goodfellow, Shlens, Szegedy 2015, "Explaining and Harnessing Adversarial Examples", section
//! 4): one step along the sign of the gradient, as long as the budget.

use super::descriptor::{Descriptor, Field, Traits};
use super::iterative::{BasicIterative, Step};
use super::{Norm, Options};

/// The fast gradient sign method: the Basic Iterative Method with a single step.
pub static FGSM: Descriptor = Descriptor {
    name: "fgsm",
    title: "Fast gradient sign, L∞",
    source: "Goodfellow, Shlens and Szegedy 2015",
    norms: &[Norm::Linf],
    searches: false,
    steps: 1,
    fields: &[Field::mode("fixed"), Field::epsilon(1.0), Field::CONFIDENCE],
    traits: Traits {
        study: false,
        decides: false,
        rounds: true,
        needs_start: false,
        takes_start: false,
        gradient_free: false,
    },
    make: |options, model, image, goal, _| {
        let options = Options { steps: 1, alpha: Some(options.budget), ..*options };
        Ok(Box::new(BasicIterative::new(model, image, goal, options.iterative(Step::Sign))?))
    },
};
