//! The convolutional VAE for grey images of 28 x 28.

use super::super::{Architecture, relu};
use crate::datasets::Recipe;
use crate::network::spec::Vae;
use crate::network::{Kind, Layer};

/// Strided convolutions 32, 64 and 64, latent 20, transposed convolutions back.
pub static CONV_VAE: Architecture = Architecture {
    name: "conv-vae",
    title: "Convolutional VAE",
    image: [28, 28, 1],
    control_of: None,
    layers,
    vae: Some(|| Vae {
        latent: 20,
        encoder: 6,
        log_variance: Layer::dense("log_variance", 20),
        decoder: vec![
            Layer::dense("decoder1", 256),
            relu(),
            Layer::plain(Kind::Unflatten([2, 2, 64])),
            Layer::conv_transpose("decoder2", 64, 4, 2),
            relu(),
            Layer::conv_transpose("decoder3", 32, 3, 2),
            relu(),
            Layer::conv_transpose("decoder4", 1, 4, 2),
        ],
    }),
    recipe: |recipe| Recipe { epochs: 40, ..recipe },
    shipped: &["mnist"],
};

/// From the image to the logits; those of the control, too.
pub(super) fn layers(classes: usize) -> Vec<Layer> {
    vec![
        Layer::conv("encoder1", 32, 4, 2),
        relu(),
        Layer::conv("encoder2", 64, 3, 2),
        relu(),
        Layer::conv("encoder3", 64, 4, 2),
        relu(),
        Layer::dense("mean", 20),
        Layer::dense("head1", 64),
        relu(),
        Layer::dense("head2", classes),
    ]
}
