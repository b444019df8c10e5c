//! A small convolutional network for grey images of 28 x 28.

use super::super::{Architecture, relu};
use crate::network::{Kind, Layer};

/// 3x3 conv 32, ReLU, pool, 3x3 conv 64, ReLU, pool, dense 128, ReLU, dense: 225,034 weights for ten labels.
pub static CNN: Architecture = Architecture {
    name: "cnn",
    title: "Convolutional network",
    image: [28, 28, 1],
    control_of: None,
    layers: |classes| {
        let pool = || Layer::plain(Kind::MaxPool2);
        vec![
            Layer::conv("conv1", 32, 3, 1),
            relu(),
            pool(),
            Layer::conv("conv2", 64, 3, 1),
            relu(),
            pool(),
            Layer::dense("dense1", 128),
            relu(),
            Layer::dense("dense2", classes),
        ]
    },
    vae: None,
    recipe: |recipe| recipe,
    shipped: &["mnist"],
};
