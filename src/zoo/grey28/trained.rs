//! The networks for grey images of 28 x 28 whose defence is how they are trained: with the layers of what they defend.

use super::super::Architecture;
use super::cnn::CNN;
use super::conv_vae::CONV_VAE;
use crate::datasets::{Adversarial, Recipe};
use crate::metrics::norms::Norm;

/// The radius that robust networks of digits are trained for and measured at (Madry et al. 2018).
const RADIUS: Adversarial = Adversarial { norm: Norm::Linf, epsilon: 0.3, steps: 7 };

/// The convolutional network, trained on its own adversarial images.
pub static CNN_ADVERSARIAL: Architecture = Architecture {
    name: "cnn-adversarial",
    title: "Adversarially trained network",
    defends: Some("cnn"),
    recipe: |recipe| *recipe = Recipe { epochs: 24, rate: 0.001, adversarial: Some(RADIUS), ..*recipe },
    shipped: &["mnist"],
    ..CNN
};

/// The convolutional network, trained on the softened answers of a first one.
pub static CNN_DISTILLED: Architecture = Architecture {
    name: "cnn-distilled",
    title: "Distilled network",
    defends: Some("cnn"),
    recipe: |recipe| *recipe = Recipe { epochs: 12, temperature: Some(20.0), ..*recipe },
    shipped: &["mnist"],
    ..CNN
};

/// The convolutional VAE, trained to reconstruct clean images from adversarial ones and to read them.
pub static CONV_VAE_ADVERSARIAL: Architecture = Architecture {
    name: "conv-vae-adversarial",
    title: "Adversarially trained VAE",
    defends: Some("conv-vae"),
    recipe: |recipe| *recipe = Recipe { epochs: 40, rate: 0.001, adversarial: Some(RADIUS), ..*recipe },
    shipped: &["mnist"],
    ..CONV_VAE
};
