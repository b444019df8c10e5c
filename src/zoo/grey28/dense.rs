//! A dense network for grey images of 28 x 28: the control of the vanilla VAE.

use super::super::{Architecture, LABELS, RELU};
use crate::datasets::Recipe;
use crate::network::Kind;

/// Dense 400, ReLU, dense 20, dense 64, ReLU, dense: 324,014 weights for ten labels. No convolution: the pixels'
/// neighbourhood is nothing to it. The layers of the vanilla VAE, without KL and sampling.
pub static DENSE: Architecture = Architecture {
    name: "dense",
    title: "Dense network",
    image: [28, 28, 1],
    control_of: Some("vae"),
    defends: None,
    layers: &[
        ("dense1", Kind::Dense(400)),
        RELU,
        ("dense2", Kind::Dense(20)),
        ("dense3", Kind::Dense(64)),
        RELU,
        ("dense4", Kind::Dense(LABELS)),
    ],
    vae: None,
    recipe: |recipe| *recipe = Recipe { epochs: 2 * recipe.epochs, ..*recipe },
    shipped: &["mnist"],
};
