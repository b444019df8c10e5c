//! What the page works with.

mod bench;
mod catalogue;
mod network;
pub mod statistics;
mod trial;
mod universal;

pub use bench::{bench, peak_gflops};
pub use catalogue::{catalogue, described};
pub use network::{Guards, Network, Samples, Subject};
pub use trial::{Trial, grade};
pub use universal::Universal;

use super::{object, thrown};
