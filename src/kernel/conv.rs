//! Convolution over NHWC images, fused with its bias, ReLU and 2x2 max-pool, and its gradient with
//! respect to the input.
//!
//! Forward: a register tile of four output positions by up to three vectors of output channels. The patches of a
//! few tiles at a time are packed into a panel that stays in the first-level cache, so that the inner loop reads two
//! streams from front to back (engines of WebAssembly compute every other address anew); there is no larger im2col.
//! With pooling the four positions of a tile are one pooling window, and its maximum is taken in registers.
//!
//! Gradient: only the positions that won their window and passed the ReLU carry any, so it is a sum of
//! weight rows ([`RowMatrix`]) for those alone. See [`Backward`].

use super::rows::{RowMatrix, Term};
use super::simd::{Level, Simd, dispatch};

/// Output positions in a register tile.
const TILE: usize = 4;
/// Vectors of output channels in a register tile: natively 12 sums, 3 weights and 1 input fill 16 registers. Engines
/// of WebAssembly keep one of these for themselves, and would spill.
const VECTORS: usize = if cfg!(target_arch = "wasm32") { 2 } else { 3 };
/// The size aimed at for packed patches, in floats: half of a first-level cache.
const PANEL_FLOATS: usize = 4096;
/// How much larger than an earlier value of its window a later one must be to win. Ties go to the first; and
/// values that differ by rounding alone are ties, or else the gradient would depend on the instruction set.
/// Exact ties are common: backgrounds are constant, strokes saturate, weights are small whole numbers.
pub const TIE: f32 = 1e-5;
/// A winner that says: switched off by the ReLU.
const OFF: u32 = TILE as u32;

/// What a convolution works on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConvShape {
    /// Rows, columns and channels of the input.
    pub input: [usize; 3],
    /// Output channels.
    pub channels: usize,
    /// Rows and columns of the kernel.
    pub kernel: usize,
    /// Step between output positions.
    pub stride: usize,
    /// Whether a ReLU follows.
    pub relu: bool,
    /// Whether a 2x2 max-pool of stride 2 follows (rows and columns that do not fill a window are dropped).
    pub pool: bool,
}

impl ConvShape {
    /// Rows, columns and channels of the convolution before pooling.
    fn unpooled(&self) -> [usize; 3] {
        let side = |n: usize| (n - self.kernel) / self.stride + 1;
        [side(self.input[0]), side(self.input[1]), self.channels]
    }

    /// Rows, columns and channels of the output.
    pub fn output(&self) -> [usize; 3] {
        let [h, w, c] = self.unpooled();
        if self.pool { [h / 2, w / 2, c] } else { [h, w, c] }
    }

    /// Floats of a kernel row: contiguous in an NHWC image.
    fn run(&self) -> usize {
        self.kernel * self.input[2]
    }
}

/// A convolution with its weights packed for one level.
#[derive(Clone, Debug)]
pub struct Conv {
    level: Level,
    shape: ConvShape,
    /// Groups of up to [`VECTORS`] vectors of output channels: bias, then `[kernel * run][group]`.
    forward: Vec<Group>,
    backward: Backward,
    /// Where in the input the patch of each output position begins, tile after tile.
    offsets: Vec<u32>,
    scratch: Scratch,
}

/// The weights as the gradient reads them.
#[derive(Clone, Debug)]
enum Backward {
    /// Few input channels and a pooling window: row `channel * TILE + p` is the channel's kernel where position `p`
    /// of the window has it, in the patch that all positions of the window cover. One short sum a window.
    Window(RowMatrix),
    /// For each kernel row, `channels x run`. All positions are summed for one kernel row before the next, so
    /// that its weights stay in the first-level cache.
    Rows(Vec<RowMatrix>),
}

/// The largest matrix of [`Backward::Window`], in floats: half of a first-level cache.
const WINDOW_FLOATS: usize = 4096;

/// Room made once for what is made anew in every pass.
#[derive(Clone, Debug)]
struct Scratch {
    /// Packed patches of some tiles: for each tile, for each weight of a patch, the inputs of its positions.
    panel: Vec<f32>,
    /// The terms of each position of a tile (`channels` each), then those that are [`OFF`] (up to all of them).
    tile: Vec<Term>,
    /// The terms of all positions, one after the other.
    terms: Vec<Term>,
    /// For each position that has terms: where its patch begins, and where its terms end.
    positions: Vec<(u32, u32)>,
    /// The gradient of the patch that a window covers.
    patch: Vec<f32>,
}

/// Weights of neighbouring output channels.
#[derive(Clone, Debug)]
struct Group {
    /// First output channel.
    first: usize,
    /// Output channels; the lanes past them are zeros.
    channels: usize,
    /// Vectors.
    vectors: usize,
    bias: Vec<f32>,
    weight: Vec<f32>,
}

impl Conv {
    /// Packs `weight` (`[channels][input channels][kernel][kernel]`) and `bias` (`[channels]`).
    ///
    /// # Panics
    /// When a slice does not fit `shape`, or the kernel does not fit the input.
    pub fn new(level: Level, shape: ConvShape, weight: &[f32], bias: &[f32]) -> Self {
        let ConvShape { input: [rows, cols, depth], channels, kernel, stride, .. } = shape;
        assert!(kernel > 0 && stride > 0 && kernel <= rows && kernel <= cols);
        assert_eq!(weight.len(), channels * depth * kernel * kernel);
        assert_eq!(bias.len(), channels);
        assert!(rows * cols * depth <= u32::MAX as usize);
        let at = |channel: usize, row: usize, j: usize| {
            weight[((channel * depth + j % depth) * kernel + row) * kernel + j / depth]
        };
        let run = shape.run();

        let lanes = level.lanes();
        let mut forward = Vec::new();
        let mut first = 0;
        while first < channels {
            let left = (channels - first).div_ceil(lanes);
            // Two tiles of two vectors keep the multipliers busier than one of three and one of one.
            let vectors = if left == 4 { 2 } else { left.min(VECTORS) };
            let width = vectors * lanes;
            let end = (first + width).min(channels);
            let lane = |f: &dyn Fn(usize) -> f32, l: usize| if first + l < end { f(first + l) } else { 0.0 };
            forward.push(Group {
                first,
                channels: end - first,
                vectors,
                bias: (0..width).map(|l| lane(&|c| bias[c], l)).collect(),
                weight: (0..kernel * run * width)
                    .map(|i| lane(&|c| at(c, i / width / run, i / width % run), i % width))
                    .collect(),
            });
            first = end;
        }
        // Rows and columns that the positions of a pooling window cover.
        let side = kernel + stride;
        let backward = if shape.pool && channels * TILE * side * side * depth <= WINDOW_FLOATS {
            Backward::Window(RowMatrix::pack(level, channels * TILE, side * side * depth, |row, i| {
                let (channel, p) = (row / TILE, row % TILE);
                let (i, j, c) = (i / depth / side, i / depth % side, i % depth);
                // Coordinates in the kernel; those before its first wrap around and are outside, too.
                let (r, k) = (i.wrapping_sub(p / 2 * stride), j.wrapping_sub(p % 2 * stride));
                if r < kernel && k < kernel { at(channel, r, k * depth + c) } else { 0.0 }
            }))
        } else {
            let matrix = |row| RowMatrix::pack(level, channels, run, |channel, j| at(channel, row, j));
            Backward::Rows((0..kernel).map(matrix).collect())
        };

        let [h, w, _] = shape.unpooled();
        let offset = |i: usize, j: usize| ((i * stride * cols + j * stride) * depth) as u32;
        let mut offsets = Vec::new();
        if shape.pool {
            for i in 0..h / 2 {
                for j in 0..w / 2 {
                    offsets
                        .extend([(0, 0), (0, 1), (1, 0), (1, 1)].map(|(r, c)| offset(2 * i + r, 2 * j + c)));
                }
            }
        } else {
            offsets.extend((0..h * w).map(|p| offset(p / w, p % w)));
            // A last tile that is not full computes its last position again.
            while !offsets.len().is_multiple_of(TILE) {
                offsets.push(offsets[offsets.len() - 1]);
            }
        }
        let patch = TILE * kernel * run;
        let scratch = Scratch {
            panel: vec![0.0; patch * (PANEL_FLOATS / patch).clamp(1, (offsets.len() / TILE).max(1))],
            tile: vec![Term::default(); channels * TILE * 2],
            terms: vec![Term::default(); shape.output().iter().product()],
            positions: Vec::with_capacity(offsets.len()),
            patch: match &backward {
                Backward::Window(matrix) => vec![0.0; matrix.padded_cols()],
                Backward::Rows(_) => Vec::new(),
            },
        };
        Self { level, shape, forward, backward, offsets, scratch }
    }

    /// What it works on.
    pub fn shape(&self) -> ConvShape {
        self.shape
    }

    /// Floats that the gradient's buffer needs past the input's own: whole vectors may be written there
    /// (zeros are added).
    pub fn slack(&self) -> usize {
        self.level.lanes()
    }

    /// Computes `output` (NHWC, of [`ConvShape::output`]) of `input`, and `winners` beside it: which
    /// position of its window each output came from, for [`input_gradient`](Self::input_gradient).
    ///
    /// # Panics
    /// When a slice is shorter than its shape.
    pub fn forward(&mut self, input: &[f32], output: &mut [f32], winners: &mut [u32]) {
        let size = |s: [usize; 3]| s.iter().product::<usize>();
        assert!(input.len() >= size(self.shape.input));
        assert!(output.len() >= size(self.shape.output()) && winners.len() >= size(self.shape.output()));
        let mut panel = std::mem::take(&mut self.scratch.panel);
        let (this, room) = (&*self, &mut panel[..]);
        // SAFETY: `offsets` hold patch origins whose patches lie inside an input of the asserted size,
        // the stores end at the asserted output size, and the panel has room for a tile at least.
        unsafe {
            dispatch!(this.level, forward, this: &Conv, input: &[f32], room: &mut [f32], output: &mut [f32],
                winners: &mut [u32])
        }
        self.scratch.panel = panel;
    }

    /// Adds to `gradient` (NHWC like the input, with [`slack`](Self::slack)) the gradient with respect to
    /// the input, given that with respect to the output and the `winners` of the forward pass.
    ///
    /// # Panics
    /// When a slice is shorter than its shape (with slack).
    pub fn input_gradient(&mut self, winners: &[u32], output_gradient: &[f32], gradient: &mut [f32]) {
        let size = |s: [usize; 3]| s.iter().product::<usize>();
        assert!(gradient.len() >= size(self.shape.input) + self.slack());
        let outputs = size(self.shape.output());
        assert!(winners.len() >= outputs && output_gradient.len() >= outputs);
        let Self { level, shape, backward, offsets, scratch, .. } = self;
        let (shape, offsets) = (*shape, &offsets[..]);
        // SAFETY: as in `forward`; the scratch has room for all terms of a tile on each list, and for all terms.
        unsafe {
            match backward {
                Backward::Window(matrix) => {
                    let matrix = &*matrix;
                    dispatch!(*level, window_gradient, shape: ConvShape, matrix: &RowMatrix, offsets: &[u32],
                        winners: &[u32], output_gradient: &[f32], gradient: &mut [f32], scratch: &mut Scratch)
                }
                Backward::Rows(matrices) => {
                    let matrices = &matrices[..];
                    dispatch!(*level, rows_gradient, shape: ConvShape, matrices: &[RowMatrix], offsets: &[u32],
                        winners: &[u32], output_gradient: &[f32], gradient: &mut [f32], scratch: &mut Scratch)
                }
            }
        }
    }
}

/// SAFETY: the slices have been checked against `conv.shape`; `panel` has room for a tile at least.
#[inline(always)]
unsafe fn forward<S: Simd>(
    conv: &Conv,
    input: &[f32],
    panel: &mut [f32],
    output: &mut [f32],
    winners: &mut [u32],
) {
    let patch = TILE * conv.shape.kernel * conv.shape.run();
    let tiles = panel.len() / patch;
    for (block, offsets) in conv.offsets.chunks(TILE * tiles).enumerate() {
        for (offsets, panel) in offsets.chunks_exact(TILE).zip(panel.chunks_exact_mut(patch)) {
            // SAFETY: the patches of these offsets lie inside `input`.
            unsafe { pack(conv.shape, input, offsets, panel) };
        }
        let panel = &panel[..offsets.len() / TILE * patch];
        for group in &conv.forward {
            // SAFETY: passed on.
            unsafe {
                match group.vectors {
                    1 => forward_group::<S, 1>(conv, group, panel, block * tiles, output, winners),
                    2 => forward_group::<S, 2>(conv, group, panel, block * tiles, output, winners),
                    _ => forward_group::<S, VECTORS>(conv, group, panel, block * tiles, output, winners),
                }
            }
        }
    }
}

/// Packs the patches of a tile. SAFETY: those at `offsets`, of which there are `TILE`, lie inside `input`.
#[inline(always)]
unsafe fn pack(shape: ConvShape, input: &[f32], offsets: &[u32], panel: &mut [f32]) {
    let run = shape.run();
    let row_stride = shape.input[1] * shape.input[2];
    for (row, panel) in panel.chunks_exact_mut(TILE * run).enumerate() {
        // SAFETY: a run of each patch.
        let x: [&[f32]; TILE] = std::array::from_fn(|p| unsafe {
            let start = *offsets.get_unchecked(p) as usize + row * row_stride;
            input.get_unchecked(start..start + run)
        });
        for (j, column) in panel.chunks_exact_mut(TILE).enumerate() {
            for (value, x) in column.iter_mut().zip(x) {
                // SAFETY: a panel row holds `run` columns.
                *value = unsafe { *x.get_unchecked(j) };
            }
        }
    }
}

/// The tiles packed in `panel`, of which the first is number `first`, for one group of channels.
///
/// SAFETY: as [`forward`], and `group` has `N` vectors of `S`.
#[inline(always)]
unsafe fn forward_group<S: Simd, const N: usize>(
    conv: &Conv,
    group: &Group,
    panel: &[f32],
    first: usize,
    output: &mut [f32],
    winners: &mut [u32],
) {
    let ConvShape { channels, relu, pool, .. } = conv.shape;
    let positions = conv.shape.output()[0] * conv.shape.output()[1];
    let patch = TILE * conv.shape.kernel * conv.shape.run();
    for (t, panel) in panel.chunks_exact(patch).enumerate() {
        let t = first + t;
        // SAFETY: `place` stays inside the output.
        unsafe {
            let sums = tile::<S, N>(group, panel);
            let zero = S::splat(0.0); // also position 0 as a winner: winners are numbers in a vector's bits
            if pool {
                for v in 0..N {
                    let (mut best, mut winner) = (sums[0][v], zero);
                    for (p, sum) in sums.iter().enumerate().skip(1) {
                        let bar = S::add(best, S::splat(TIE));
                        winner = S::select_gt(sum[v], bar, S::splat(f32::from_bits(p as u32)), winner);
                        best = S::select_gt(sum[v], bar, sum[v], best);
                    }
                    if relu {
                        winner = S::select_gt(best, zero, winner, S::splat(f32::from_bits(OFF)));
                        best = S::max(best, zero);
                    }
                    place::<S>(group, channels, t, v, best, output.as_mut_ptr());
                    place::<S>(group, channels, t, v, winner, winners.as_mut_ptr().cast());
                }
            } else {
                for (p, sum) in sums.iter().enumerate() {
                    let position = t * TILE + p;
                    if position >= positions {
                        break;
                    }
                    let own = S::splat(f32::from_bits(p as u32));
                    for (v, &sum) in sum.iter().enumerate() {
                        let (mut value, mut winner) = (sum, own);
                        if relu {
                            winner = S::select_gt(value, zero, winner, S::splat(f32::from_bits(OFF)));
                            value = S::max(value, zero);
                        }
                        place::<S>(group, channels, position, v, value, output.as_mut_ptr());
                        place::<S>(group, channels, position, v, winner, winners.as_mut_ptr().cast());
                    }
                }
            }
        }
    }
}

/// Stores vector `v` of a group at a position of an NHWC buffer, without what lies past its channels.
#[inline(always)]
unsafe fn place<S: Simd>(
    group: &Group,
    channels: usize,
    position: usize,
    v: usize,
    value: S::V,
    to: *mut f32,
) {
    let start = position * channels + group.first + v * S::LANES;
    let count = group.channels - v * S::LANES;
    // SAFETY: `count` channels of this position are left from `start` on, and a vector has at most 16 lanes.
    unsafe {
        if count >= S::LANES {
            S::store(to.add(start), value);
        } else {
            let mut lanes = [0.0; 16];
            S::store(lanes.as_mut_ptr(), value);
            std::ptr::copy_nonoverlapping(lanes.as_ptr(), to.add(start), count);
        }
    }
}

/// The register tile: `TILE` packed patches times `N` vectors of weights.
///
/// SAFETY: `group` has `N` vectors for every `TILE` floats of `panel`.
#[inline(always)]
unsafe fn tile<S: Simd, const N: usize>(group: &Group, panel: &[f32]) -> [[S::V; N]; TILE] {
    // SAFETY: the contract above.
    unsafe {
        let bias: [S::V; N] = std::array::from_fn(|v| S::load(group.bias.as_ptr().add(v * S::LANES)));
        let mut sums = [bias; TILE];
        let mut w = group.weight.as_ptr();
        let mut x = panel.as_ptr();
        let end = x.add(panel.len());
        while x < end {
            let weights: [S::V; N] = std::array::from_fn(|v| S::load(w.add(v * S::LANES)));
            for (p, sum) in sums.iter_mut().enumerate() {
                let x = S::splat(*x.add(p));
                for (s, weight) in sum.iter_mut().zip(weights) {
                    *s = S::mul_add(x, weight, *s);
                }
            }
            w = w.add(N * S::LANES);
            x = x.add(TILE);
        }
        sums
    }
}

/// [`Backward::Window`]. SAFETY: the slices have been checked against `shape`, and `matrix` is of level `S`.
#[inline(always)]
unsafe fn window_gradient<S: Simd>(
    shape: ConvShape,
    matrix: &RowMatrix,
    offsets: &[u32],
    winners: &[u32],
    output_gradient: &[f32],
    gradient: &mut [f32],
    scratch: &mut Scratch,
) {
    let channels = shape.channels;
    let row_stride = shape.input[1] * shape.input[2];
    let side = shape.kernel + shape.stride;
    let run = side * shape.input[2];
    let windows = winners.chunks_exact(channels).zip(output_gradient.chunks_exact(channels));
    for (offsets, (winners, weights)) in offsets.chunks_exact(TILE).zip(windows) {
        let mut count = 0;
        for (channel, (&winner, &weight)) in winners.iter().zip(weights).enumerate() {
            // No branch: half of them would be mispredicted.
            let row = (channel * TILE + (winner as usize).min(TILE - 1)) as u32;
            // SAFETY: at most `channels` terms are written.
            unsafe { *scratch.tile.get_unchecked_mut(count) = Term { row, weight } };
            count += usize::from(winner < OFF);
        }
        if count == 0 {
            continue;
        }
        scratch.patch.fill(0.0);
        // SAFETY: the patch is as long as the padded columns; the rows are below `channels * TILE`.
        unsafe { matrix.add_rows_at::<S>(&scratch.tile[..count], scratch.patch.as_mut_ptr()) };
        for (row, values) in scratch.patch[..side * run].chunks_exact(run).enumerate() {
            let start = offsets[0] as usize + row * row_stride;
            for (y, v) in gradient[start..start + run].iter_mut().zip(values) {
                *y += v;
            }
        }
    }
}

/// [`Backward::Rows`]. SAFETY: the slices have been checked against `shape`, and `matrices` are of level `S`.
#[inline(always)]
unsafe fn rows_gradient<S: Simd>(
    shape: ConvShape,
    matrices: &[RowMatrix],
    offsets: &[u32],
    winners: &[u32],
    output_gradient: &[f32],
    gradient: &mut [f32],
    scratch: &mut Scratch,
) {
    let channels = shape.channels;
    let row_stride = shape.input[1] * shape.input[2];
    // Outputs that share one tile: a pooling window, or four positions that follow each other.
    let outputs = if shape.pool { channels } else { channels * TILE };
    let total = shape.output().iter().product::<usize>();
    let Scratch { tile, terms, positions, .. } = scratch;
    positions.clear();
    let mut end = 0;
    for (t, offsets) in offsets.chunks_exact(TILE).enumerate() {
        let range = t * outputs..((t + 1) * outputs).min(total);
        let mut counts = [0usize; TILE + 1];
        for (i, (&winner, &weight)) in winners[range.clone()].iter().zip(&output_gradient[range]).enumerate()
        {
            // No branch: half of them would be mispredicted. What is OFF goes to a list that nobody reads.
            let p = (winner as usize).min(TILE);
            let row = (i % channels) as u32;
            // SAFETY: the list of a position gains at most `channels` terms (each channel once), the last one,
            // of what is OFF, at most `channels * TILE`.
            unsafe { *tile.get_unchecked_mut(p * channels + counts[p]) = Term { row, weight } };
            counts[p] += 1;
        }
        for (p, &offset) in offsets.iter().enumerate() {
            if counts[p] > 0 {
                let list = &tile[p * channels..p * channels + counts[p]];
                terms[end..end + list.len()].copy_from_slice(list);
                end += list.len();
                positions.push((offset, end as u32));
            }
        }
    }
    for (row, matrix) in matrices.iter().enumerate() {
        let mut start = 0;
        for &(offset, end) in &*positions {
            // SAFETY: the patch lies inside the input; its padding inside the slack. Rows are channels.
            unsafe {
                let y = gradient.as_mut_ptr().add(offset as usize + row * row_stride);
                matrix.add_rows_at::<S>(&terms[start..end as usize], y);
            }
            start = end as usize;
        }
    }
}

#[cfg(test)]
mod tests {
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;

    /// The oracle: plain loops in f64. Returns the output and, for a loss `sum(d * output)`, its gradient.
    fn oracle(s: ConvShape, weight: &[f32], bias: &[f32], x: &[f32], d: &[f32]) -> (Vec<f64>, Vec<f64>) {
        let [h, w, _] = s.unpooled();
        let [oh, ow, _] = s.output();
        let [_, in_w, depth] = s.input;
        let input_at = |i: usize, j: usize, r: usize, k: usize, c: usize| {
            ((i * s.stride + r) * in_w + j * s.stride + k) * depth + c
        };
        let weight_at =
            |o: usize, r: usize, k: usize, c: usize| ((o * depth + c) * s.kernel + r) * s.kernel + k;
        let taps: Vec<(usize, usize, usize)> = (0..s.kernel * s.kernel * depth)
            .map(|t| (t / depth / s.kernel, t / depth % s.kernel, t % depth))
            .collect();
        let pre = |i: usize, j: usize, o: usize| {
            let sum = |&(r, k, c): &(usize, usize, usize)| {
                x[input_at(i, j, r, k, c)] as f64 * weight[weight_at(o, r, k, c)] as f64
            };
            bias[o] as f64 + taps.iter().map(sum).sum::<f64>()
        };
        let (mut out, mut gradient) = (Vec::new(), vec![0.0; x.len()]);
        for i in 0..oh {
            for j in 0..ow {
                for o in 0..s.channels {
                    let window: Vec<(usize, usize)> = if s.pool {
                        [(0, 0), (0, 1), (1, 0), (1, 1)].map(|(r, k)| (2 * i + r, 2 * j + k)).to_vec()
                    } else {
                        vec![(i, j)]
                    };
                    assert!(window.iter().all(|&(i, j)| i < h && j < w));
                    let (mut best, mut at) = (f64::NEG_INFINITY, (0, 0));
                    for (i, j) in window {
                        let value = pre(i, j, o);
                        if value > best + f64::from(TIE) {
                            (best, at) = (value, (i, j));
                        }
                    }
                    if s.relu && best <= 0.0 {
                        out.push(0.0);
                        continue;
                    }
                    for &(r, k, c) in &taps {
                        gradient[input_at(at.0, at.1, r, k, c)] +=
                            d[out.len()] as f64 * weight[weight_at(o, r, k, c)] as f64;
                    }
                    out.push(best);
                }
            }
        }
        (out, gradient)
    }

    #[test]
    fn every_level_matches_the_oracle_at_sizes_around_the_tiles() {
        let mut rng = fastrand::Rng::with_seed(2);
        let mut random = |n: usize| -> Vec<f32> { (0..n).map(|_| rng.f32() - 0.5).collect() };
        for (side, depth, kernel, stride) in
            [(6, 1, 3, 1), (7, 3, 3, 1), (9, 4, 3, 2), (5, 8, 4, 1), (8, 2, 1, 1)]
        {
            for channels in [1, 3, 4, 8, 12, 13, 16, 20, 24, 32, 33] {
                for (relu, pool) in [(false, false), (true, false), (false, true), (true, true)] {
                    let shape =
                        ConvShape { input: [side, side + 1, depth], channels, kernel, stride, relu, pool };
                    let size = |s: [usize; 3]| s.iter().product::<usize>();
                    let (inputs, outputs) = (size(shape.input), size(shape.output()));
                    let weight = random(channels * depth * kernel * kernel);
                    let (bias, x, d) = (random(channels), random(inputs), random(outputs));
                    let (expected, expected_gradient) = oracle(shape, &weight, &bias, &x, &d);
                    for level in Level::available() {
                        let mut conv = Conv::new(level, shape, &weight, &bias);
                        let (mut y, mut winners) = (vec![0.0; outputs], vec![0; outputs]);
                        conv.forward(&x, &mut y, &mut winners);
                        let mut gradient = vec![0.0; inputs + conv.slack()];
                        conv.input_gradient(&winners, &d, &mut gradient);
                        for (a, e) in y.iter().zip(&expected) {
                            assert!((*a as f64 - e).abs() < 1e-5, "{level:?} {shape:?}: {a} and {e}");
                        }
                        for (a, e) in gradient.iter().zip(&expected_gradient) {
                            assert!(
                                (*a as f64 - e).abs() < 1e-5,
                                "{level:?} {shape:?}: gradient {a} and {e}"
                            );
                        }
                        assert!(gradient[inputs..].iter().all(|&v| v == 0.0));
                    }
                }
            }
        }
    }

    #[test]
    fn ties_in_a_window_go_to_the_first() {
        let shape = ConvShape { input: [2, 2, 1], channels: 1, kernel: 1, stride: 1, relu: true, pool: true };
        for level in Level::available() {
            let mut conv = Conv::new(level, shape, &[2.0], &[0.0]);
            let (mut y, mut winners) = ([0.0], [0]);
            // Ties but for rounding.
            conv.forward(&[0.5, 0.5 + f32::EPSILON, 0.5, 0.5 + f32::EPSILON], &mut y, &mut winners);
            let mut gradient = vec![0.0; 4 + conv.slack()];
            conv.input_gradient(&winners, &[1.0], &mut gradient);
            assert_eq!((y[0], &gradient[..4]), (1.0, &[2.0, 0.0, 0.0, 0.0][..]), "{level:?}");
        }
    }
}
