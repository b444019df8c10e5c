//! A small convolutional network for grey images of 28 x 28.

use super::super::{Architecture, LABELS, POOL, RELU};
use crate::network::Kind;

/// 3x3 conv 32, ReLU, pool, 3x3 conv 64, ReLU, pool, dense 128, ReLU, dense: 225,034 weights for ten labels.
pub static CNN: Architecture = Architecture {
    name: "cnn",
    title: "Convolutional network",
    image: [28, 28, 1],
    control_of: None,
    defends: None,
    layers: &[
        ("conv1", Kind::conv(32, 3, 1)),
        RELU,
        POOL,
        ("conv2", Kind::conv(64, 3, 1)),
        RELU,
        POOL,
        ("dense1", Kind::Dense(128)),
        RELU,
        ("dense2", Kind::Dense(LABELS)),
    ],
    vae: None,
    recipe: |_| (),
    shipped: &["mnist"],
};
