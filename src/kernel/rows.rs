//! Sums of the rows of a matrix, weighted by a sparse list: `y += sum_i c_i * W[r_i, :]`.
//!
//! The one product behind dense layers (the rows are inputs, those that a ReLU switched off are not
//! on the list), their gradients, and the gradient of a convolution (the rows are output channels).
//! What is off the list costs nothing, which halves the work of a ReLU network.

use std::sync::Arc;

use super::lines::Lines;
use super::simd::{Level, Simd, dispatch};

/// Vectors of a row that are summed in registers at once.
const BLOCK: usize = 8;
/// The same of a short sum, of which there are many: more sums keep the multipliers busier, as far as there are registers.
const SHORT_BLOCK: usize = if cfg!(target_arch = "wasm32") { BLOCK } else { 12 };
/// How many bytes of the matrix short sums go over, one after the other: a first-level cache.
const NEAR_BYTES: usize = 32 << 10;
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
    blocks: Arc<[Block]>,
    data: Lines,
}

/// Neighbouring columns of a [`RowMatrix`].
#[derive(Clone, Debug)]
struct Block {
    /// Where in a row it begins, in floats.
    start: usize,
    vectors: usize,
    /// Where each vector belongs in a sum.
    offsets: [usize; SHORT_BLOCK],
}

/// Columns of a matrix in strips, which lie apart in a sum: as the rows of a kernel do in an image.
#[derive(Clone, Copy, Debug)]
pub struct Strips {
    /// How many there are.
    pub count: usize,
    /// Columns of each.
    pub cols: usize,
    /// From where one begins in a sum to where the next does; not less than the columns.
    pub stride: usize,
}

impl RowMatrix {
    /// Packs a `rows x cols` matrix whose entries `at(row, col)` gives.
    pub fn pack(level: Level, rows: usize, cols: usize, at: impl Fn(usize, usize) -> f32) -> Self {
        let strips = Strips { count: 1, cols, stride: 0 };
        let most = |_| BLOCK;
        Self::in_blocks(level, rows, strips, most, |row, _, col| at(row, col))
    }

    /// Packs a matrix for [`add_strips_at`](Self::add_strips_at), whose entries `at(row, strip, col)` gives.
    pub fn pack_strips(
        level: Level,
        rows: usize,
        strips: Strips,
        at: impl Fn(usize, usize, usize) -> f32,
    ) -> Self {
        // As many as stay near and are summed at once; of blocks that are alike none is so narrow that its sums wait for each other.
        let even = |vectors: usize| {
            let most = (NEAR_BYTES / (4 * rows * level.lanes()).max(1)).clamp(BLOCK, SHORT_BLOCK);
            vectors.div_ceil(vectors.div_ceil(most).max(1)).max(1)
        };
        Self::in_blocks(level, rows, strips, even, at)
    }

    /// In blocks of as many vectors as `width` says for all of a row.
    fn in_blocks(
        level: Level,
        rows: usize,
        strips: Strips,
        width: impl Fn(usize) -> usize,
        at: impl Fn(usize, usize, usize) -> f32,
    ) -> Self {
        let (lanes, cols) = (level.lanes(), strips.cols);
        let padded = cols.next_multiple_of(lanes);
        let vectors: Vec<(usize, usize)> = (0..strips.count)
            .flat_map(|strip| (0..padded).step_by(lanes).map(move |col| (strip, col)))
            .collect();
        let mut data = Vec::with_capacity(rows * vectors.len() * lanes);
        let mut blocks = Vec::new();
        for chunk in vectors.chunks(width(vectors.len())) {
            let mut offsets = [0; SHORT_BLOCK];
            for (offset, (strip, col)) in offsets.iter_mut().zip(chunk) {
                *offset = strip * strips.stride + col;
            }
            blocks.push(Block { start: data.len() / rows.max(1), vectors: chunk.len(), offsets });
            for row in 0..rows {
                for &(strip, start) in chunk {
                    let value = |col| if col < cols { at(row, strip, col) } else { 0.0 };
                    data.extend((start..start + lanes).map(value));
                }
            }
        }
        Self { level, rows, cols, padded, blocks: blocks.into(), data: data.into_iter().collect() }
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
        for block in self.blocks.iter() {
            // SAFETY: passed on.
            unsafe { blocks::<S>(self, block, terms, y, Order::Before) };
        }
    }

    /// Adds to `y` many short sums of rows in strips, inside a kernel of the same level: for each block of columns the sums that
    /// `sums` gives, each its terms and where in `y` it begins. A sum is made before it is added, so that it need not wait until the
    /// one before it, which overlaps it, is in memory.
    ///
    /// # Safety
    /// `S` must be this matrix's level, `y` valid for every strip of every sum, in whole vectors, and every term's row inside
    /// the matrix.
    #[inline(always)]
    pub(super) unsafe fn add_strips_at<'a, S: Simd, I: Iterator<Item = (&'a [Term], usize)>>(
        &self,
        sums: impl Fn() -> I,
        y: *mut f32,
    ) {
        debug_assert_eq!(S::LANES, self.level.lanes());
        for block in self.blocks.iter() {
            for (terms, start) in sums() {
                // SAFETY: passed on.
                unsafe { blocks::<S>(self, block, terms, y.add(start), Order::After) };
            }
        }
    }
}

/// When what is there already is added to a sum.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Order {
    /// Before the terms.
    Before,
    /// After them.
    After,
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
    for block in matrix.blocks.iter() {
        let rows = (SHARED_BYTES / (4 * block.vectors * S::LANES)).max(1);
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
                    let y = batch.ys.add(i * batch.stride);
                    blocks::<S>(matrix, block, &rest[..near], y, Order::Before);
                }
                *cursor += near;
            }
        }
    }
}

/// [`sum`] of so many vectors. SAFETY: as there; the block is one of the matrix.
#[inline(always)]
unsafe fn blocks<S: Simd>(matrix: &RowMatrix, block: &Block, terms: &[Term], y: *mut f32, order: Order) {
    // SAFETY: a block begins after `rows` times what lies before it in a row.
    unsafe {
        let w = matrix.data.as_ptr().add(matrix.rows * block.start);
        match block.vectors {
            1 => sum::<S, 1>(w, block, terms, y, order),
            2 => sum::<S, 2>(w, block, terms, y, order),
            3 => sum::<S, 3>(w, block, terms, y, order),
            4 => sum::<S, 4>(w, block, terms, y, order),
            5 => sum::<S, 5>(w, block, terms, y, order),
            6 => sum::<S, 6>(w, block, terms, y, order),
            7 => sum::<S, 7>(w, block, terms, y, order),
            #[cfg(not(target_arch = "wasm32"))]
            8 => sum::<S, 8>(w, block, terms, y, order),
            #[cfg(not(target_arch = "wasm32"))]
            9 => sum::<S, 9>(w, block, terms, y, order),
            #[cfg(not(target_arch = "wasm32"))]
            10 => sum::<S, 10>(w, block, terms, y, order),
            #[cfg(not(target_arch = "wasm32"))]
            11 => sum::<S, 11>(w, block, terms, y, order),
            _ => sum::<S, SHORT_BLOCK>(w, block, terms, y, order),
        }
    }
}

/// One block of `N` vectors. SAFETY: `w` holds rows of `N` vectors for every term, `y` a vector at each of the block's offsets.
#[inline(always)]
unsafe fn sum<S: Simd, const N: usize>(
    w: *const f32,
    block: &Block,
    terms: &[Term],
    y: *mut f32,
    order: Order,
) {
    // SAFETY: in bounds by the contract above.
    unsafe {
        let place = |i: usize| y.add(block.offsets[i]);
        let mut sums = [S::splat(0.0); N];
        if order == Order::Before {
            sums = std::array::from_fn(|i| S::load(place(i)));
        }
        for term in terms {
            let row = w.add(term.row as usize * (N * S::LANES));
            let weight = S::splat(term.weight);
            for (i, s) in sums.iter_mut().enumerate() {
                *s = S::mul_add(weight, S::load(row.add(i * S::LANES)), *s);
            }
        }
        // One after the other: the padding of a strip may lie on the next.
        for (i, s) in sums.into_iter().enumerate() {
            let s = if order == Order::After { S::add(S::load(place(i)), s) } else { s };
            S::store(place(i), s);
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
