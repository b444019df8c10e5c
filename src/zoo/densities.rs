//! The convolutional network of faces for the same faces at other densities. A side of half the length takes one halving less
//! (the stride of the first layer, then the pools from the first on), so that the layers behind see as many numbers: what differs
//! is the density of the image. The parts that see it need about as much time at each.

use super::colour154::cnn::CNN as AT_154;
use super::{Architecture, Entry, LABELS, POOL, RELU};
use crate::network::{Kind, Shape};

/// One for each shape.
pub static CNN: &[&Architecture] = &[
    &at([77, 77, 3], AT_77),
    &at([38, 38, 3], AT_38),
    &at([19, 19, 3], AT_19),
    &at([154, 154, 1], AT_154.layers),
    &at([77, 77, 1], AT_77),
    &at([38, 38, 1], AT_38),
    &at([19, 19, 1], AT_19),
];

const fn at(image: Shape, layers: &'static [Entry]) -> Architecture {
    Architecture { image, layers, shipped: &[], ..AT_154 }
}

const CONV1: Entry = ("conv1", Kind::conv(24, 5, 1));
const CONV2: Entry = ("conv2", Kind::conv(48, 3, 1));
const CONV3: Entry = ("conv3", Kind::conv(96, 3, 1));
const CONV4: Entry = ("conv4", Kind::conv(128, 3, 1));
const DENSE1: Entry = ("dense1", Kind::Dense(128));
const DENSE2: Entry = ("dense2", Kind::Dense(LABELS));

const AT_77: &[Entry] =
    &[CONV1, RELU, POOL, CONV2, RELU, POOL, CONV3, RELU, POOL, CONV4, RELU, DENSE1, RELU, DENSE2];
const AT_38: &[Entry] =
    &[CONV1, RELU, CONV2, RELU, POOL, CONV3, RELU, POOL, CONV4, RELU, DENSE1, RELU, DENSE2];
const AT_19: &[Entry] = &[CONV1, RELU, CONV2, RELU, CONV3, RELU, POOL, CONV4, RELU, DENSE1, RELU, DENSE2];
