//! The convolutional VAE for colour images of 154 x 154.

use super::super::{Architecture, Entry, LABELS, RELU, VaeParts};
use crate::datasets::Recipe;
use crate::network::Kind;

/// Strided convolutions 24, 48, 64 and 96, latent 64, transposed convolutions back: 177 MFLOP an input gradient.
pub static CONV_VAE: Architecture = Architecture {
    name: "conv-vae",
    title: "Convolutional VAE",
    image: [154, 154, 3],
    control_of: None,
    defends: None,
    layers: LAYERS,
    vae: Some(VaeParts {
        latent: 64,
        encoder: 8,
        log_variance: "log_variance",
        decoder: &[
            ("decoder1", Kind::Dense(8 * 8 * 96)),
            RELU,
            ("", Kind::Unflatten([8, 8, 96])),
            ("decoder2", Kind::ConvTranspose { channels: 64, kernel: 4, stride: 2 }),
            RELU,
            ("decoder3", Kind::ConvTranspose { channels: 48, kernel: 3, stride: 2 }),
            RELU,
            ("decoder4", Kind::ConvTranspose { channels: 24, kernel: 3, stride: 2 }),
            RELU,
            ("decoder5", Kind::ConvTranspose { channels: 3, kernel: 6, stride: 2 }),
        ],
    }),
    recipe: |recipe| *recipe = Recipe { epochs: 80, dropout: 0.0, ..*recipe },
    shipped: &["lfw"],
};

/// From the image to the logits; those of the control, too.
pub(super) static LAYERS: &[Entry] = &[
    ("encoder1", Kind::conv(24, 6, 2)),
    RELU,
    ("encoder2", Kind::conv(48, 3, 2)),
    RELU,
    ("encoder3", Kind::conv(64, 3, 2)),
    RELU,
    ("encoder4", Kind::conv(96, 4, 2)),
    RELU,
    ("mean", Kind::Dense(64)),
    ("head1", Kind::Dense(64)),
    RELU,
    ("head2", Kind::Dense(LABELS)),
];
