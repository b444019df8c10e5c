//! A siamese network for colour images of 154 x 154: one trunk for both images of a pair; read by its nearest prototype.

use super::super::{Architecture, LABELS, POOL, RELU};
use crate::datasets::{PairLoss, Recipe};
use crate::network::Kind;

/// The convolutional network's layers up to its last, then an embedding of 64 numbers and a prototype a label.
pub static SIAMESE: Architecture = Architecture {
    name: "siamese",
    title: "Siamese network",
    image: [154, 154, 3],
    control_of: None,
    defends: None,
    layers: &[
        ("conv1", Kind::conv(24, 5, 2)),
        RELU,
        POOL,
        ("conv2", Kind::conv(48, 3, 1)),
        RELU,
        POOL,
        ("conv3", Kind::conv(96, 3, 1)),
        RELU,
        POOL,
        ("conv4", Kind::conv(128, 3, 1)),
        RELU,
        ("dense1", Kind::Dense(128)),
        RELU,
        ("embedding", Kind::Dense(64)),
        ("prototypes", Kind::Prototypes(LABELS)),
    ],
    vae: None,
    // A threshold of 1 % false alarms needs 99 photographs or more.
    recipe: |recipe| {
        *recipe = Recipe { held_out: 120, batch: 64, pair_loss: PairLoss::Prototypes, ..*recipe }
    },
    shipped: &["lfw"],
};
