//! Networks in and out of ONNX (the Open Neural Network Exchange): a file that a course or a colleague made becomes a
//! [`Spec`](crate::network::Spec) with its tensors, and a network of the house a file that any other tool runs.
//!
//! What is read: classifiers of images of convolutions (padded, strided, dilated, grouped), dense layers, pooling, batch normalisation, the
//! usual activations, sums, products and joins of branches, arithmetic with constants, rounding to 8 bits (QDQ), and whatever only
//! re-orders. What is not known is refused by name.
//!
//! `proto` reads and writes the bytes, `graph` makes nodes and constants of them, `fold` computes what does not depend on the image;
//! `builder` and `nodes` make layers of the rest.

mod builder;
mod export;
mod feeding;
mod fold;
mod graph;
mod import;
pub mod labels;
mod nodes;
mod proto;
mod value;
mod windows;

pub use export::export;
pub use feeding::Feeding;
pub use import::{Asked, Imported, Tried, import};

use crate::error::Error;

/// The largest file that is read, in bytes.
pub const MAX_BYTES: usize = 64 << 20;
const WHAT: &str = "the ONNX file";

fn bad(why: impl Into<String>) -> Error {
    Error::bad_file(WHAT, why)
}

#[cfg(test)]
mod tests;
