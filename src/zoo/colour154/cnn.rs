//! A convolutional network for colour images of 154 x 154.

use super::super::{Architecture, LABELS, POOL, RELU};
use crate::network::Kind;

/// 5x5 conv of stride 2, then 3x3 convs, pooled thrice, dense 128: 141 MFLOP an input gradient.
pub static CNN: Architecture = Architecture {
    name: "cnn",
    title: "Convolutional network",
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
        ("dense2", Kind::Dense(LABELS)),
    ],
    vae: None,
    recipe: |_| (),
    shipped: &["lfw"],
};
