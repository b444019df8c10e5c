//! The vanilla VAE for grey images of 28 x 28.

use super::super::{Architecture, relu};
use crate::datasets::Recipe;
use crate::network::Layer;
use crate::network::spec::Vae;

/// The vanilla VAE of Kingma & Welling, 784-400-20 and back, whose latent vector a small dense network reads.
pub static VAE: Architecture = Architecture {
    name: "vae",
    title: "Vanilla VAE",
    image: [28, 28, 1],
    control_of: None,
    layers: |classes| {
        vec![
            Layer::dense("encoder1", 400),
            relu(),
            Layer::dense("mean", 20),
            Layer::dense("head1", 64),
            relu(),
            Layer::dense("head2", classes),
        ]
    },
    vae: Some(|| Vae {
        latent: 20,
        encoder: 2,
        log_variance: Layer::dense("log_variance", 20),
        decoder: vec![Layer::dense("decoder1", 400), relu(), Layer::dense("decoder2", 784)],
    }),
    recipe: |recipe| Recipe { epochs: 40, ..recipe },
    shipped: &["mnist"],
};
