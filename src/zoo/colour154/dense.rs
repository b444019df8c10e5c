//! The vanilla VAE's layers as a plain classifier.

use super::super::Architecture;
use super::vae::LAYERS;
use crate::datasets::Recipe;

/// The layers of the vanilla VAE, without KL and sampling, at the same half resolution: its control.
pub static DENSE: Architecture = Architecture {
    name: "dense",
    title: "Dense network",
    image: [154, 154, 3],
    control_of: Some("vae"),
    defends: None,
    layers: LAYERS,
    vae: None,
    recipe: |recipe| *recipe = Recipe { dropout: 0.0, ..*recipe },
    shipped: &["lfw"],
};
