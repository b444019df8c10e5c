//! Sums of the rows of a matrix, weighted by a sparse list: `y += sum_i c_i * W[r_i, :]`.
//!
//! The one product behind dense layers (the rows are inputs, those that a ReLU switched off are not
//! on the list), their gradients, and the gradient of a convolution (the rows are output channels).
//! What is off the list costs nothing, which halves the work of a ReLU network.

use std::sync::Arc;

use super::simd::{Level, Simd, dispatch};

/// Vectors of a row that are summed in registers at once.
const BLOCK: usize = 8;
/// Of a batch, how many bytes of the matrix all images go over before the next: half of a second-level cache.
const SHARED_BYTES: usize = 256 << 10;

/// A row of a [`RowMatrix`] and its weight in the sum.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Term {
    /// Which row.
    pub row: u32,
    /// Its weight.
    pub weight: f32,
}

/// A matrix packed for [`RowMatrix::add_rows`]: blocks of columns, each block row after row, so that a
/// sum reads memory in order. Rows are padded with zeros to whole vectors of the level. Copies share the weights.
#[derive(Clone, Debug)]
pub struct RowMatrix {
    level: Level,
    rows: usize,
    cols: usize,
    /// `cols` rounded up to whole vectors.
    padded: usize,
    data: Arc<[f32]>,
}

impl RowMatrix {
    /// Packs a `rows x cols` matrix whose entries `at(row, col)` gives.
    pub fn pack(level: Level, rows: usize, cols: usize, at: impl Fn(usize, usize) -> f32) -> Self {
        let width = BLOCK * level.lanes();
        let padded = cols.next_multiple_of(level.lanes());
        let mut data = Vec::with_capacity(rows * padded);
        for start in (0..padded).step_by(width) {
            let end = (start + width).min(padded);
            for row in 0..rows {
                data.extend((start..end).map(|col| if col < cols { at(row, col) } else { 0.0 }));
            }
        }
        Self { level, rows, cols, padded, data: data.into() }
    }

    /// Rows of the matrix.
    pub fn rows(&self) -> usize {
        self.rows
    }

    /// Columns of the matrix, without padding.
    pub fn cols(&self) -> usize {
        self.cols
    }

    /// Columns of the matrix with the padding: what [`add_rows`](Self::add_rows) may touch of `y`.
    pub fn padded_cols(&self) -> usize {
        self.padded
    }

    /// `y[c] += sum of term.weight * W[term.row, c]` over `terms`, in their order. Past
    /// [`cols`](Self::cols), `y` gains zeros up to [`padded_cols`](Self::padded_cols).
    ///
    /// # Panics
    /// When `y` is shorter than the padded columns, or a term's row is outside the matrix.
    #[inline]
    pub fn add_rows(&self, terms: &[Term], y: &mut [f32]) {
        assert!(y.len() >= self.padded_cols(), "y is shorter than the padded columns");
        self.add_rows_batch((terms, &[terms.len()]), y, self.padded_cols(), &mut [0]);
    }

    /// [`add_rows`](Self::add_rows) for several `y` at once, which share each part of the matrix while it is near: sum
    /// `i` takes the terms up to `ends[i]` (from where the one before it ended), by rising rows, and goes to
    /// `ys[i * stride..]`. The same additions in the same order as one by one. `cursors` is scratch, as long as `ends`.
    ///
    /// # Panics
    /// When a slice is too short, or a term's row is outside the matrix.
    pub fn add_rows_batch(
        &self,
        (terms, ends): (&[Term], &[usize]),
        ys: &mut [f32],
        stride: usize,
        cursors: &mut [usize],
    ) {
        let (count, cols) = (ends.len(), self.padded_cols());
        assert!(stride >= cols && cursors.len() >= count, "the sums or the cursors have too little room");
        assert!(count == 0 || ys.len() >= (count - 1) * stride + cols, "the sums are too short");
        let all = ends.last().copied().unwrap_or(0);
        assert!(ends.is_sorted() && terms.len() >= all, "the terms end before the last sum");
        assert!(
            terms[..all].iter().all(|t| (t.row as usize) < self.rows),
            "a term's row is outside the matrix"
        );
        let (this, batch) = (self, Sums { ys: ys.as_mut_ptr(), stride });
        // SAFETY: checked just above.
        unsafe {
            dispatch!(self.level, add_rows_shared, this: &RowMatrix, terms: &[Term], ends: &[usize], batch: Sums,
                cursors: &mut [usize])
        }
    }

    /// [`add_rows`](Self::add_rows) inside a kernel of the same level.
    ///
    /// # Safety
    /// `S` must be this matrix's level, `y` valid for [`padded_cols`](Self::padded_cols) floats, and every
    /// term's row inside the matrix.
    #[inline(always)]
    pub(super) unsafe fn add_rows_at<S: Simd>(&self, terms: &[Term], y: *mut f32) {
        debug_assert_eq!(S::LANES, self.level.lanes());
        let cols = self.padded_cols();
        let mut start = 0;
        while start < cols {
            let vectors = ((cols - start) / S::LANES).min(BLOCK);
            // SAFETY: the block begins after `rows * start` floats and is `vectors` wide.
            unsafe {
                let (w, y) = (self.data.as_ptr().add(self.rows * start), y.add(start));
                blocks::<S>(vectors, w, terms, y);
            }
            start += vectors * S::LANES;
        }
    }
}

/// Where the sums of a batch go.
#[derive(Clone, Copy)]
struct Sums {
    ys: *mut f32,
    stride: usize,
}

/// SAFETY: `S` must be the matrix's level; sorted `ends` within `terms`, whose rows lie in the matrix; as many sums of the
/// padded columns at `batch`.
#[inline(always)]
unsafe fn add_rows_shared<S: Simd>(
    matrix: &RowMatrix,
    terms: &[Term],
    ends: &[usize],
    batch: Sums,
    cursors: &mut [usize],
) {
    let cols = matrix.padded_cols();
    let mut start = 0;
    while start < cols {
        let vectors = ((cols - start) / S::LANES).min(BLOCK);
        let rows = (SHARED_BYTES / (4 * vectors * S::LANES)).max(1);
        for (i, cursor) in cursors.iter_mut().enumerate().take(ends.len()) {
            *cursor = if i == 0 { 0 } else { ends[i - 1] };
        }
        let mut before = 0;
        while before < matrix.rows {
            before += rows;
            for (i, (cursor, &end)) in cursors.iter_mut().zip(ends).enumerate() {
                let rest = &terms[*cursor..end];
                let near = if before >= matrix.rows {
                    rest.len()
                } else {
                    rest.partition_point(|t| (t.row as usize) < before)
                };
                // SAFETY: as in `add_rows_at`; sum `i` begins `i` strides on.
                unsafe {
                    let (w, y) = (
                        matrix.data.as_ptr().add(matrix.rows * start),
                        batch.ys.add(i * batch.stride + start),
                    );
                    blocks::<S>(vectors, w, &rest[..near], y);
                }
                *cursor += near;
            }
        }
        start += vectors * S::LANES;
    }
}

/// [`block`] of so many vectors. SAFETY: as there.
#[inline(always)]
unsafe fn blocks<S: Simd>(vectors: usize, w: *const f32, terms: &[Term], y: *mut f32) {
    // SAFETY: passed on.
    unsafe {
        match vectors {
            1 => block::<S, 1>(w, terms, y),
            2 => block::<S, 2>(w, terms, y),
            3 => block::<S, 3>(w, terms, y),
            4 => block::<S, 4>(w, terms, y),
            5 => block::<S, 5>(w, terms, y),
            6 => block::<S, 6>(w, terms, y),
            7 => block::<S, 7>(w, terms, y),
            _ => block::<S, BLOCK>(w, terms, y),
        }
    }
}

/// One block of `N` vectors. SAFETY: `w` holds rows of `N` vectors for every term, `y` `N` vectors.
#[inline(always)]
unsafe fn block<S: Simd, const N: usize>(w: *const f32, terms: &[Term], y: *mut f32) {
    // SAFETY: in bounds by the contract above.
    unsafe {
        let mut sum: [S::V; N] = std::array::from_fn(|i| S::load(y.add(i * S::LANES)));
        for term in terms {
            let row = w.add(term.row as usize * (N * S::LANES));
            let weight = S::splat(term.weight);
            for (i, s) in sum.iter_mut().enumerate() {
                *s = S::mul_add(weight, S::load(row.add(i * S::LANES)), *s);
            }
        }
        for (i, s) in sum.iter().enumerate() {
            S::store(y.add(i * S::LANES), *s);
        }
    }
}

#[cfg(test)]
mod tests {
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;

    #[test]
    fn every_level_sums_rows_like_the_oracle_at_sizes_around_the_blocks() {
        let mut rng = fastrand::Rng::with_seed(1);
        for cols in [1, 3, 4, 5, 7, 8, 9, 31, 32, 33, 63, 64, 65, 96, 130] {
            let rows = 7;
            let w: Vec<f32> = (0..rows * cols).map(|_| rng.f32() - 0.5).collect();
            let terms: Vec<Term> = [6, 0, 3, 3, 5].map(|row| Term { row, weight: rng.f32() - 0.5 }).to_vec();
            let start: Vec<f32> = (0..cols).map(|_| rng.f32()).collect();
            for level in Level::available() {
                let matrix = RowMatrix::pack(level, rows, cols, |r, c| w[r * cols + c]);
                let mut y = start.clone();
                y.resize(matrix.padded_cols(), 7.0);
                matrix.add_rows(&terms, &mut y);
                for c in 0..cols {
                    let sum = |t: &Term| t.weight as f64 * w[t.row as usize * cols + c] as f64;
                    let expected = start[c] as f64 + terms.iter().map(sum).sum::<f64>();
                    assert!((y[c] as f64 - expected).abs() < 1e-6, "{level:?} cols {cols} at {c}");
                }
                assert!(y[cols..].iter().all(|&v| v == 7.0), "padding gained more than zeros");
            }
        }
    }

    #[test]
    fn a_batch_sums_to_the_same_bits_as_one_by_one() {
        let mut rng = fastrand::Rng::with_seed(2);
        // More rows than are shared at once, so that the lists are cut.
        let (rows, cols) = (SHARED_BYTES / 8, 37);
        let w: Vec<f32> = (0..rows * cols).map(|_| rng.f32() - 0.5).collect();
        for level in Level::available() {
            let matrix = RowMatrix::pack(level, rows, cols, |r, c| w[r * cols + c]);
            let stride = matrix.padded_cols() + 3;
            let (mut terms, mut ends) = (Vec::new(), Vec::new());
            for count in [0, 300, 1, 77] {
                let mut list: Vec<u32> = (0..count).map(|_| rng.u32(0..rows as u32)).collect();
                list.sort_unstable();
                terms.extend(list.into_iter().map(|row| Term { row, weight: rng.f32() - 0.5 }));
                ends.push(terms.len());
            }
            let start: Vec<f32> = (0..4 * stride).map(|_| rng.f32()).collect();
            let (mut alone, mut together) = (start.clone(), start);
            for (i, &end) in ends.iter().enumerate() {
                let first = if i == 0 { 0 } else { ends[i - 1] };
                matrix.add_rows(&terms[first..end], &mut alone[i * stride..]);
            }
            matrix.add_rows_batch((&terms, &ends), &mut together, stride, &mut [0; 4]);
            assert_eq!(alone, together, "{level:?}");
        }
    }
}
