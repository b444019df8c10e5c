//! The convolutional VAE for colour images of 154 x 154.

use super::super::{Architecture, relu};
use crate::datasets::Recipe;
use crate::network::spec::Vae;
use crate::network::{Kind, Layer};

/// Strided convolutions 24, 48, 64 and 96, latent 64, transposed convolutions back: 177 MFLOP an input gradient.
pub static CONV_VAE: Architecture = Architecture {
    name: "conv-vae",
    title: "Convolutional VAE",
    image: [154, 154, 3],
    control_of: None,
    layers: |classes| {
        vec![
            Layer::conv("encoder1", 24, 6, 2),
            relu(),
            Layer::conv("encoder2", 48, 3, 2),
            relu(),
            Layer::conv("encoder3", 64, 3, 2),
            relu(),
            Layer::conv("encoder4", 96, 4, 2),
            relu(),
            Layer::dense("mean", 64),
            Layer::dense("head1", 64),
            relu(),
            Layer::dense("head2", classes),
        ]
    },
    vae: Some(|| Vae {
        latent: 64,
        encoder: 8,
        log_variance: Layer::dense("log_variance", 64),
        decoder: vec![
            Layer::dense("decoder1", 8 * 8 * 96),
            relu(),
            Layer::plain(Kind::Unflatten([8, 8, 96])),
            Layer::conv_transpose("decoder2", 64, 4, 2),
            relu(),
            Layer::conv_transpose("decoder3", 48, 3, 2),
            relu(),
            Layer::conv_transpose("decoder4", 24, 3, 2),
            relu(),
            Layer::conv_transpose("decoder5", 3, 6, 2),
        ],
    }),
    recipe: |recipe| Recipe { epochs: 80, dropout: 0.0, ..recipe },
    shipped: &["lfw"],
};
