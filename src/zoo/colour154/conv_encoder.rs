//! The convolutional VAE's layers as a plain classifier.

use super::super::Architecture;
use super::conv_vae::LAYERS;
use crate::datasets::Recipe;

/// The layers of the convolutional VAE, without KL and sampling: its control.
pub static CONV_ENCODER: Architecture = Architecture {
    name: "conv-encoder",
    title: "Strided convolutional network",
    image: [154, 154, 3],
    control_of: Some("conv-vae"),
    defends: None,
    layers: LAYERS,
    vae: None,
    recipe: |recipe| *recipe = Recipe { epochs: 80, dropout: 0.0, ..*recipe },
    shipped: &["lfw"],
};
