//! A convolutional network for colour images of 154 x 154.

use super::super::{Architecture, relu};
use crate::network::{Kind, Layer};

/// 5x5 conv of stride 2, then 3x3 convs, pooled thrice, dense 128: 141 MFLOP an input gradient.
pub static CNN: Architecture = Architecture {
    name: "cnn",
    title: "Convolutional network",
    image: [154, 154, 3],
    control_of: None,
    layers: |classes| {
        let pool = || Layer::plain(Kind::MaxPool2);
        vec![
            Layer::conv("conv1", 24, 5, 2),
            relu(),
            pool(),
            Layer::conv("conv2", 48, 3, 1),
            relu(),
            pool(),
            Layer::conv("conv3", 96, 3, 1),
            relu(),
            pool(),
            Layer::conv("conv4", 128, 3, 1),
            relu(),
            Layer::dense("dense1", 128),
            relu(),
            Layer::dense("dense2", classes),
        ]
    },
    vae: None,
    recipe: |recipe| recipe,
    shipped: &["lfw"],
};
