//! The networks for colour images of 154 x 154 whose defence is how they are trained: with the layers of what they defend.

use super::super::Architecture;
use super::cnn::CNN;
use crate::datasets::{Adversarial, Recipe};
use crate::metrics::norms::Norm;

/// The convolutional network, trained on its own adversarial images.
pub static CNN_ADVERSARIAL: Architecture = Architecture {
    name: "cnn-adversarial",
    title: "Adversarially trained network",
    defends: Some("cnn"),
    recipe: |recipe| {
        *recipe =
            Recipe { adversarial: Some(Adversarial { norm: Norm::Linf, epsilon: 0.01, steps: 3 }), ..*recipe }
    },
    shipped: &["lfw"],
    ..CNN
};

/// The convolutional network, trained on the softened answers of a first one.
pub static CNN_DISTILLED: Architecture = Architecture {
    name: "cnn-distilled",
    title: "Distilled network",
    defends: Some("cnn"),
    recipe: |recipe| *recipe = Recipe { temperature: Some(20.0), ..*recipe },
    shipped: &["lfw"],
    ..CNN
};
