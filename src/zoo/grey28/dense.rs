//! A dense network for grey images of 28 x 28: the control of the vanilla VAE.

use super::super::{Architecture, relu};
use crate::datasets::Recipe;
use crate::network::Layer;

/// Dense 400, ReLU, dense 20, dense 64, ReLU, dense: 324,014 weights for ten labels. No convolution: the pixels'
/// neighbourhood is nothing to it. The layers of the vanilla VAE, without KL and sampling.
pub static DENSE: Architecture = Architecture {
    name: "dense",
    title: "Dense network",
    image: [28, 28, 1],
    control_of: Some("vae"),
    layers: |classes| {
        vec![
            Layer::dense("dense1", 400),
            relu(),
            Layer::dense("dense2", 20),
            Layer::dense("dense3", 64),
            relu(),
            Layer::dense("dense4", classes),
        ]
    },
    vae: None,
    recipe: |recipe| Recipe { epochs: 2 * recipe.epochs, ..recipe },
    shipped: &["mnist"],
};
