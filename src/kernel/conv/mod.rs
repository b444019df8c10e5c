//! Convolution over NHWC images, fused with its bias, ReLU and 2x2 max-pool, and its gradient with
//! respect to the input.
//!
//! Forward: a register tile of four output positions by up to three vectors of output channels. In WebAssembly the
//! patches of a few tiles at a time are packed into a panel that stays in the first-level cache, so that the inner loop
//! reads two streams from front to back ([`PACKED`]); there is no larger im2col.
//! With pooling the four positions of a tile are one pooling window, and its maximum is taken in registers.
//!
//! Gradient: only the positions that won their window and passed the ReLU carry any, so it is a sum of
//! weight rows ([`RowMatrix`]) for those alone. See [`Backward`].
//!
//! [`transpose`] has the adjoint of a convolution.

pub mod depthwise;
mod forward;
mod gradient;
#[cfg(test)]
mod tests;
pub mod transpose;
mod weights;

use std::sync::Arc;

use super::lines::Lines;
use super::rows::{RowMatrix, Strips, Term};
use super::simd::{Level, dispatch};
use forward::forward;
use gradient::{strips_gradient, window_gradient};
use weights::weight_gradient;

/// Output positions in a register tile.
const TILE: usize = 4;
/// Vectors of output channels in a register tile: natively 12 sums, 3 weights and 1 input fill 16 registers. Engines
/// of WebAssembly keep one of these for themselves, and would spill.
const VECTORS: usize = if cfg!(target_arch = "wasm32") { 2 } else { 3 };
/// Whether patches are packed before they are multiplied: engines of WebAssembly compute every address anew that is no constant away
/// from another. Natively the four of a tile are read where they lie, which is faster by a tenth.
const PACKED: bool = cfg!(target_arch = "wasm32");
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

/// A convolution with its weights packed for one level; copies share them.
#[derive(Clone, Debug)]
pub struct Conv {
    level: Level,
    shape: ConvShape,
    /// Groups of up to [`VECTORS`] vectors of output channels: bias, then `[kernel * run][group]`.
    forward: Arc<[Group]>,
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
    /// Channels x the rows of the kernel, each a strip. All positions are summed for one block of columns before the next, so
    /// that its weights stay in the first-level cache.
    Strips(RowMatrix),
}

/// The largest matrix of [`Backward::Window`], in floats: half of a first-level cache.
const WINDOW_FLOATS: usize = 4096;

/// Room made once for what is made anew in every pass.
#[derive(Clone, Debug)]
struct Scratch {
    /// Packed patches of some tiles, where they are packed: for each tile, for each weight of a patch, the inputs of its positions.
    panel: Vec<f32>,
    /// The terms of each position of a tile, `channels` each.
    tile: Vec<Term>,
    /// The terms of all positions, one list after the other, and room for one more.
    terms: Vec<Term>,
    /// The list of each position that has outputs, row after row.
    positions: Vec<List>,
    /// The gradient of the patch that a window covers.
    patch: Vec<f32>,
    /// How many terms each channel has.
    counts: Vec<u32>,
}

/// The terms of a position.
#[derive(Clone, Copy, Debug, Default)]
struct List {
    /// Where in the input its patch begins.
    offset: u32,
    /// Its terms.
    start: u32,
    end: u32,
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
    bias: Lines,
    weight: Lines,
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
            let strips = Strips { count: kernel, cols: run, stride: cols * depth };
            Backward::Strips(RowMatrix::pack_strips(level, channels, strips, at))
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
            panel: vec![
                0.0;
                if PACKED {
                    patch * (PANEL_FLOATS / patch).clamp(1, (offsets.len() / TILE).max(1))
                } else {
                    0
                }
            ],
            tile: vec![Term::default(); channels * TILE],
            terms: vec![Term::default(); shape.output().iter().product::<usize>() + 1],
            positions: vec![List::default(); if shape.pool { offsets.len() } else { h * w }],
            patch: match &backward {
                Backward::Window(matrix) => vec![0.0; matrix.padded_cols()],
                Backward::Strips(_) => Vec::new(),
            },
            counts: vec![0; channels],
        };
        Self { level, shape, forward: forward.into(), backward, offsets, scratch }
    }

    /// What it works on.
    pub fn shape(&self) -> ConvShape {
        self.shape
    }

    /// Floats of an output.
    pub fn outputs(&self) -> usize {
        self.shape.output().iter().product()
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
        // the stores end at the asserted output size, and the panel has room for a tile at least where there are any.
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
                Backward::Strips(matrix) => {
                    let matrix = &*matrix;
                    dispatch!(*level, strips_gradient, shape: ConvShape, matrix: &RowMatrix, offsets: &[u32],
                        winners: &[u32], output_gradient: &[f32], gradient: &mut [f32], scratch: &mut Scratch)
                }
            }
        }
    }

    /// What [`forward`](Self::forward) of a convolution without ReLU and pooling puts into `winners`, for a transposed
    /// convolution that begins with the gradient: its `input` (of [`ConvShape::output`]) takes part where it is not 0.
    ///
    /// # Panics
    /// When `winners` is shorter than the input.
    pub fn winners_of(input: &[f32], channels: usize, winners: &mut [u32]) {
        let winners = winners[..input.len()].chunks_exact_mut(channels).zip(input.chunks_exact(channels));
        for (position, (winners, input)) in winners.enumerate() {
            for (winner, &x) in winners.iter_mut().zip(input) {
                *winner = if x == 0.0 { OFF } else { (position % TILE) as u32 };
            }
        }
    }

    /// Floats of the sums of [`weight_gradient`](Self::weight_gradient).
    pub fn weight_sums(&self) -> usize {
        self.shape.channels * self.shape.kernel * self.padded_run()
    }

    /// A kernel row in whole vectors.
    fn padded_run(&self) -> usize {
        self.shape.run().next_multiple_of(self.level.lanes())
    }

    /// Adds to `sums` (of [`weight_sums`](Self::weight_sums)) the gradient with respect to the weights, given that with
    /// respect to the output and the `input` (with [`slack`](Self::slack), finite) and `winners` of the forward pass.
    /// [`unpack_weights`](Self::unpack_weights) reads them.
    ///
    /// # Panics
    /// When a slice is shorter than its shape (with slack).
    pub fn weight_gradient(
        &mut self,
        input: &[f32],
        winners: &[u32],
        output_gradient: &[f32],
        sums: &mut [f32],
    ) {
        let size = |s: [usize; 3]| s.iter().product::<usize>();
        assert!(input.len() >= size(self.shape.input) + self.slack());
        let outputs = size(self.shape.output());
        assert!(winners.len() >= outputs && output_gradient.len() >= outputs);
        assert!(sums.len() >= self.weight_sums());
        let Self { level, shape, offsets, scratch, .. } = self;
        let (shape, offsets) = (*shape, &offsets[..]);
        // SAFETY: the slices were checked above; the sums of a kernel row are whole vectors of the level.
        unsafe {
            dispatch!(*level, weight_gradient, shape: ConvShape, offsets: &[u32], input: &[f32], winners: &[u32],
                output_gradient: &[f32], sums: &mut [f32], scratch: &mut Scratch)
        }
    }

    /// Adds to `sums` (`[channels]`) the gradient with respect to the bias, given that with respect to the output and the
    /// `winners` of the forward pass.
    ///
    /// # Panics
    /// When `sums` is shorter than the channels.
    pub fn bias_gradient(&self, winners: &[u32], output_gradient: &[f32], sums: &mut [f32]) {
        let channels = self.shape.channels;
        let sums = &mut sums[..channels];
        for (winners, gradient) in winners.chunks_exact(channels).zip(output_gradient.chunks_exact(channels))
        {
            for ((sum, &winner), &g) in sums.iter_mut().zip(winners).zip(gradient) {
                *sum += if winner < OFF { g } else { 0.0 };
            }
        }
    }

    /// The sums of [`weight_gradient`](Self::weight_gradient) in the layout of [`new`](Self::new)'s weight.
    pub fn unpack_weights(&self, sums: &[f32]) -> Vec<f32> {
        let ConvShape { input: [_, _, depth], channels, kernel, .. } = self.shape;
        let padded = self.padded_run();
        let mut weight = Vec::with_capacity(channels * depth * kernel * kernel);
        for channel in 0..channels {
            for c in 0..depth {
                for row in 0..kernel {
                    let sums = &sums[(channel * kernel + row) * padded..];
                    weight.extend((0..kernel).map(|k| sums[k * depth + c]));
                }
            }
        }
        weight
    }
}
