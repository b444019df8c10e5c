//! The vanilla VAE for colour images of 154 x 154.

use super::super::{Architecture, relu};
use crate::datasets::Recipe;
use crate::network::spec::Vae;
use crate::network::{Kind, Layer};

/// A vanilla VAE that sees images at half their resolution: at the whole one its two large layers alone would hold twelve
/// million weights.
pub static VAE: Architecture = Architecture {
    name: "vae",
    title: "Vanilla VAE",
    image: [154, 154, 3],
    control_of: None,
    layers,
    vae: Some(|| Vae {
        latent: 32,
        encoder: 3,
        log_variance: Layer::dense("log_variance", 32),
        decoder: vec![
            Layer::dense("decoder1", 48),
            Layer::dense("decoder2", 77 * 77 * 3),
            Layer::plain(Kind::Unflatten([77, 77, 3])),
            Layer::plain(Kind::Upsample(2)),
        ],
    }),
    recipe: |recipe| Recipe {
        epochs: 200,
        dropout: 0.0,
        // Without convolutions, faces are told apart late: at the usual weight the decoder takes it all.
        label_weight: 15_000.0,
        decoder_gain: 0.05,
        ..recipe
    },
    shipped: &["lfw"],
};

/// From the image to the logits; those of the control, too.
pub(super) fn layers(classes: usize) -> Vec<Layer> {
    vec![
        Layer::plain(Kind::AvgPool(2)),
        Layer::dense("encoder1", 112),
        relu(),
        Layer::dense("mean", 32),
        Layer::dense("head1", 64),
        relu(),
        Layer::dense("head2", classes),
    ]
}
