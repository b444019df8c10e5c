//! The vanilla VAE for grey images of 28 x 28.

use super::super::{Architecture, LABELS, RELU, VaeParts};
use crate::datasets::Recipe;
use crate::network::Kind;

/// The vanilla VAE of Kingma & Welling, 784-400-20 and back, whose latent vector a small dense network reads.
pub static VAE: Architecture = Architecture {
    name: "vae",
    title: "Vanilla VAE",
    image: [28, 28, 1],
    control_of: None,
    defends: None,
    layers: &[
        ("encoder1", Kind::Dense(400)),
        RELU,
        ("mean", Kind::Dense(20)),
        ("head1", Kind::Dense(64)),
        RELU,
        ("head2", Kind::Dense(LABELS)),
    ],
    vae: Some(VaeParts {
        latent: 20,
        encoder: 2,
        log_variance: "log_variance",
        decoder: &[("decoder1", Kind::Dense(400)), RELU, ("decoder2", Kind::Dense(784))],
    }),
    recipe: |recipe| *recipe = Recipe { epochs: 40, ..*recipe },
    shipped: &["mnist"],
};
