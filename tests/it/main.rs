//! The integration tests, one binary.

mod allocations;
mod attacks;
mod cli;
mod data;
mod defences;
mod floors;
mod golden;
mod judge;
mod oracles;
#[cfg(feature = "train")]
mod parity;
mod server;
mod study;
#[cfg(feature = "train")]
mod train;
mod version;
mod weights;

#[path = "../common/mod.rs"]
mod common;
