//! Networks in and out of ONNX (the Open Neural Network Exchange): a file that a course or a colleague made becomes a [`Spec`] with its
//! tensors, and a network of the house a file that any other tool runs.
//!
//! What is read: classifiers whose layers follow one another, of convolutions (with padding), dense layers, ReLU, pooling, batch
//! normalisation, normalisation of the input by constants, and whatever only re-orders. What is not known is refused by name.

mod export;
mod graph;
mod import;
mod proto;

pub use export::export;
pub use import::import;

use crate::error::{Error, Result};

/// The largest file that is read, in bytes.
pub const MAX_BYTES: usize = 64 << 20;
const WHAT: &str = "the ONNX file";

/// What a network was trained on: it sees `factor * x + summand` of a pixel `x` in [0, 1].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Feeding {
    /// Its name on the command line and in the page.
    pub name: &'static str,
    /// What it is, in words.
    pub title: &'static str,
    /// Of every channel.
    pub factor: f32,
    /// Of every channel.
    pub summand: f32,
}

/// The mean and the standard deviation of the pixels of MNIST.
const MNIST: (f32, f32) = (0.1307, 0.3081);

/// All that can be tried: as pixels are, from -1 to 1, normalised as MNIST usually is, as bytes; each with light and dark exchanged, too.
pub const FEEDINGS: [Feeding; 8] = [
    feeding("unit", "pixels from 0 to 1", 1.0, 0.0, false),
    feeding("mnist", "pixels less 0.1307 over 0.3081", 1.0 / MNIST.1, -MNIST.0 / MNIST.1, false),
    feeding("signed", "pixels from -1 to 1", 2.0, -1.0, false),
    feeding("bytes", "pixels from 0 to 255", 255.0, 0.0, false),
    feeding("unit-inverted", "pixels from 0 to 1, dark on light", 1.0, 0.0, true),
    feeding(
        "mnist-inverted",
        "pixels less 0.1307 over 0.3081, dark on light",
        1.0 / MNIST.1,
        -MNIST.0 / MNIST.1,
        true,
    ),
    feeding("signed-inverted", "pixels from -1 to 1, dark on light", 2.0, -1.0, true),
    feeding("bytes-inverted", "pixels from 0 to 255, dark on light", 255.0, 0.0, true),
];

const fn feeding(
    name: &'static str,
    title: &'static str,
    factor: f32,
    summand: f32,
    inverted: bool,
) -> Feeding {
    let (factor, summand) = if inverted { (-factor, factor + summand) } else { (factor, summand) };
    Feeding { name, title, factor, summand }
}

impl Feeding {
    /// The one of that name.
    ///
    /// # Errors
    /// [`Error::Unknown`], with the names there are.
    pub fn by_name(name: &str) -> Result<Self> {
        let found = FEEDINGS.into_iter().find(|feeding| feeding.name == name);
        found.ok_or_else(|| Error::unknown("feeding", name, FEEDINGS.map(|feeding| feeding.name)))
    }
}

fn bad(why: impl Into<String>) -> Error {
    Error::bad_file(WHAT, why)
}

#[cfg(test)]
mod tests;
