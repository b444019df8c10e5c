//! The vanilla VAE for colour images of 154 x 154.

use super::super::{Architecture, Entry, LABELS, RELU, VaeParts};
use crate::datasets::Recipe;
use crate::network::{Kind, Window};

/// A vanilla VAE that sees images at half their resolution: at the whole one its two large layers alone would hold twelve
/// million weights.
pub static VAE: Architecture = Architecture {
    name: "vae",
    title: "Vanilla VAE",
    image: [154, 154, 3],
    control_of: None,
    defends: None,
    layers: LAYERS,
    vae: Some(VaeParts {
        latent: 32,
        encoder: 3,
        log_variance: "log_variance",
        decoder: &[
            ("decoder1", Kind::Dense(48)),
            ("decoder2", Kind::Dense(77 * 77 * 3)),
            ("", Kind::Unflatten([77, 77, 3])),
            ("", Kind::Upsample(2)),
        ],
    }),
    recipe: |recipe| {
        *recipe = Recipe {
            epochs: 200,
            dropout: 0.0,
            // Without convolutions, faces are told apart late: at the usual weight the decoder takes it all.
            label_weight: 15_000.0,
            decoder_gain: 0.05,
            ..*recipe
        }
    },
    shipped: &["lfw"],
};

/// From the image to the logits; those of the control, too.
pub(super) static LAYERS: &[Entry] = &[
    ("", Kind::AvgPool(Window::tiles(2))),
    ("encoder1", Kind::Dense(112)),
    RELU,
    ("mean", Kind::Dense(32)),
    ("head1", Kind::Dense(64)),
    RELU,
    ("head2", Kind::Dense(LABELS)),
];
