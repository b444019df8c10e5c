//! The convolutional VAE for grey images of 28 x 28.

use super::super::{Architecture, Entry, LABELS, RELU, VaeParts};
use crate::datasets::Recipe;
use crate::network::Kind;

/// Strided convolutions 32, 64 and 64, latent 20, transposed convolutions back.
pub static CONV_VAE: Architecture = Architecture {
    name: "conv-vae",
    title: "Convolutional VAE",
    image: [28, 28, 1],
    control_of: None,
    defends: None,
    layers: LAYERS,
    vae: Some(VaeParts {
        latent: 20,
        encoder: 6,
        log_variance: "log_variance",
        decoder: &[
            ("decoder1", Kind::Dense(256)),
            RELU,
            ("", Kind::Unflatten([2, 2, 64])),
            ("decoder2", Kind::ConvTranspose { channels: 64, kernel: 4, stride: 2 }),
            RELU,
            ("decoder3", Kind::ConvTranspose { channels: 32, kernel: 3, stride: 2 }),
            RELU,
            ("decoder4", Kind::ConvTranspose { channels: 1, kernel: 4, stride: 2 }),
        ],
    }),
    recipe: |recipe| *recipe = Recipe { epochs: 40, ..*recipe },
    shipped: &["mnist"],
};

/// From the image to the logits; those of the control, too.
pub(super) static LAYERS: &[Entry] = &[
    ("encoder1", Kind::conv(32, 4, 2)),
    RELU,
    ("encoder2", Kind::conv(64, 3, 2)),
    RELU,
    ("encoder3", Kind::conv(64, 4, 2)),
    RELU,
    ("mean", Kind::Dense(20)),
    ("head1", Kind::Dense(64)),
    RELU,
    ("head2", Kind::Dense(LABELS)),
];
