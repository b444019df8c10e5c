//! A siamese network for grey images of 28 x 28 (Bromley et al. 1993, "Signature Verification using a 'Siamese' Time Delay
//! Neural Network"; Hadsell, Chopra, LeCun 2006): one trunk for both images of a pair; read by its nearest prototype.

use super::super::{Architecture, LABELS, POOL, RELU};
use crate::datasets::Recipe;
use crate::network::Kind;

/// The convolutional network's layers up to its last, then an embedding of 32 numbers and a prototype a label.
pub static SIAMESE: Architecture = Architecture {
    name: "siamese",
    title: "Siamese network",
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
        ("embedding", Kind::Dense(32)),
        ("prototypes", Kind::Prototypes(LABELS)),
    ],
    vae: None,
    recipe: |recipe| *recipe = Recipe { epochs: 24, rate: 0.001, shift: 2, ..*recipe },
    shipped: &["mnist"],
};
