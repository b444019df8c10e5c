//! The ground floor: dense arithmetic on the CPU. Slices in, slices out; it knows no network and no
//! file.
//!
//! Every kernel is written once over [`simd::Simd`] and instantiated for each instruction set by
//! [`simd::Level`]; a scalar oracle stands beside it and the tests hold every back-end to it.

pub mod columns;
pub mod conv;
mod lines;
pub mod peak;
pub mod rows;
pub mod simd;
pub mod softmax;
