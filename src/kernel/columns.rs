//! Long vectors side by side, as an optimiser keeps them: inner products with all of them, and sums of them. A colour image
//! has tens of thousands of variables, so that what costs is memory: columns may be kept in f32 (all is summed in f64), each
//! pass goes block by block, and what all columns are taken with stays at hand.
//!
//! Sums have sixteen lanes at every level, and nothing is fused: the same numbers give the same sums on every machine.

use super::simd::{Level, Simd, dispatch};

/// Numbers of a column that are read in one go: a vector of them stays in the nearest cache.
pub const BLOCK: usize = 512;
/// Partial sums of an inner product, so that the additions need not wait for each other.
const LANES: usize = 16;

/// What a column is kept in.
pub trait Number: Copy + Into<f64> {
    /// The nearest.
    fn nearest(x: f64) -> Self;
}

impl Number for f32 {
    fn nearest(x: f64) -> Self {
        x as Self
    }
}

impl Number for f64 {
    fn nearest(x: f64) -> Self {
        x
    }
}

/// The inner product of two vectors of one length.
pub fn dot(a: &[f64], b: &[f64]) -> f64 {
    product(a, b)
}

/// `out[j] += columns[j] . v`.
///
/// # Panics
/// When a column is shorter than `v`.
pub fn dots(level: Level, columns: &[&[impl Number]], v: &[f64], out: &mut [f64]) {
    // SAFETY: the kernel is safe code; `level` says that this machine has the instructions.
    unsafe { dispatch!(level, dots_at, columns: &[&[impl Number]], v: &[f64], out: &mut [f64]) }
}

/// `out += sum_j factors[j] columns[j]`.
///
/// # Panics
/// When a column is shorter than `out`.
pub fn add(level: Level, columns: &[&[impl Number]], factors: &[f64], out: &mut [f64]) {
    // SAFETY: as in `dots`.
    unsafe { dispatch!(level, add_at, columns: &[&[impl Number]], factors: &[f64], out: &mut [f64]) }
}

/// SAFETY: `S` must be enabled; nothing else is asked for. So for `add_at`.
#[inline(always)]
#[allow(clippy::extra_unused_type_parameters)] // It says for which instructions the loop is compiled.
unsafe fn dots_at<S: Simd>(columns: &[&[impl Number]], v: &[f64], out: &mut [f64]) {
    for start in (0..v.len()).step_by(BLOCK) {
        let end = (start + BLOCK).min(v.len());
        for (column, out) in columns.iter().zip(out.iter_mut()) {
            *out += product(&column[start..end], &v[start..end]);
        }
    }
}

#[inline(always)]
#[allow(clippy::extra_unused_type_parameters)] // It says for which instructions the loop is compiled.
unsafe fn add_at<S: Simd>(columns: &[&[impl Number]], factors: &[f64], out: &mut [f64]) {
    for start in (0..out.len()).step_by(BLOCK) {
        let end = (start + BLOCK).min(out.len());
        let out = &mut out[start..end];
        for (column, &factor) in columns.iter().zip(factors) {
            for (out, c) in out.iter_mut().zip(&column[start..end]) {
                *out += factor * (*c).into();
            }
        }
    }
}

/// Compiled with the instructions of what it is inlined into.
#[inline(always)]
fn product(a: &[impl Number], b: &[f64]) -> f64 {
    let mut sums = [0.0; LANES];
    let (whole_a, whole_b) = (a.chunks_exact(LANES), b.chunks_exact(LANES));
    let rest: f64 = whole_a.remainder().iter().zip(whole_b.remainder()).map(|(a, b)| (*a).into() * b).sum();
    for (a, b) in whole_a.zip(whole_b) {
        for ((sum, a), b) in sums.iter_mut().zip(a).zip(b) {
            *sum += (*a).into() * b;
        }
    }
    sums.iter().sum::<f64>() + rest
}

#[cfg(test)]
mod tests {
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;

    #[test]
    fn passes_match_plain_sums_at_every_level_around_the_edges_of_lanes_and_blocks() {
        let mut rng = fastrand::Rng::with_seed(6);
        for n in [0, 1, 15, 16, 17, BLOCK - 1, BLOCK, BLOCK + 1, 2 * BLOCK + 33] {
            let columns: Vec<Vec<f32>> = (0..3).map(|_| (0..n).map(|_| rng.f32() - 0.5).collect()).collect();
            let columns: Vec<&[f32]> = columns.iter().map(Vec::as_slice).collect();
            let in_full: Vec<Vec<f64>> =
                columns.iter().map(|column| column.iter().map(|&x| x.into()).collect()).collect();
            let plain = |a: &[f64], b: &[f64]| -> f64 { a.iter().zip(b).map(|(a, b)| a * b).sum() };
            let mut seen: Vec<Vec<f64>> = Vec::new();
            for level in Level::available() {
                let mut out = [1.0; 3];
                dots(level, &columns, &in_full[1], &mut out);
                let mut sum = in_full[0].clone();
                add(level, &columns, &[2.0, -0.5, 0.25], &mut sum);
                for i in 0..3 {
                    assert!((out[i] - 1.0 - plain(&in_full[i], &in_full[1])).abs() < 1e-10, "{level:?} {n}");
                    let product = dot(&in_full[i], &in_full[2]);
                    assert!((product - plain(&in_full[i], &in_full[2])).abs() < 1e-10);
                }
                for (i, s) in sum.iter().enumerate() {
                    let expected = 3.0 * in_full[0][i] - 0.5 * in_full[1][i] + 0.25 * in_full[2][i];
                    assert!((s - expected).abs() < 1e-12, "{level:?} {n}");
                }
                seen.push([&out[..], &sum].concat());
            }
            assert!(seen.windows(2).all(|w| w[0] == w[1]), "every level sums alike");
        }
    }
}
