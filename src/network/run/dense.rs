//! Dense layers.

use crate::kernel::rows::{RowMatrix, Term};
use crate::kernel::simd::Level;

/// A dense layer with both directions of its product.
#[derive(Clone, Debug)]
pub(super) struct Dense {
    /// Rows are inputs.
    forward: RowMatrix,
    /// Rows are outputs.
    backward: RowMatrix,
    bias: Vec<f32>,
    relu: bool,
    /// The terms of all images of a batch, where those of each end, and scratch of that length.
    terms: Vec<Term>,
    ends: Vec<usize>,
    cursors: Vec<usize>,
}

impl Dense {
    /// `weight` is `[outputs][channels * rows * cols]` for an `input` of rows, columns, channels.
    pub(super) fn new(
        level: Level,
        [rows, cols, channels]: [usize; 3],
        outputs: usize,
        relu: bool,
        weight: &[f32],
        bias: &[f32],
    ) -> Self {
        let inputs = rows * cols * channels;
        // The file counts inputs channel by channel, the core pixel by pixel.
        let at = |o: usize, i: usize| weight[o * inputs + (i % channels) * rows * cols + i / channels];
        let forward = RowMatrix::pack(level, inputs, outputs, |i, o| at(o, i));
        let backward = RowMatrix::pack(level, outputs, inputs, at);
        let mut padded = bias.to_vec();
        padded.resize(forward.padded_cols(), 0.0);
        let (terms, ends, cursors) = (vec![Term::default(); inputs.max(outputs)], vec![0], vec![0]);
        Self { forward, backward, bias: padded, relu, terms, ends, cursors }
    }

    /// Numbers from one output to the next.
    pub(super) fn padded_outputs(&self) -> usize {
        self.forward.padded_cols()
    }

    /// Makes room for the terms of so many images.
    fn grow(&mut self, count: usize) {
        if self.ends.len() < count {
            self.terms.resize(count * self.forward.rows().max(self.backward.rows()), Term::default());
            self.ends.resize(count, 0);
            self.cursors.resize(count, 0);
        }
    }

    /// The outputs of so many images, `stride` numbers apart.
    pub(super) fn forward<'a>(
        &mut self,
        input: impl Fn(usize) -> &'a [f32],
        outputs: &mut [f32],
        stride: usize,
        count: usize,
    ) {
        self.grow(count);
        let mut end = 0;
        for (i, output) in outputs.chunks_exact_mut(stride).enumerate().take(count) {
            output.copy_from_slice(&self.bias);
            end += list_nonzero(&input(i)[..self.forward.rows()], |_| true, &mut self.terms[end..]);
            self.ends[i] = end;
        }
        self.forward.add_rows_batch((&self.terms, &self.ends[..count]), outputs, stride, &mut self.cursors);
        if self.relu {
            outputs[..count * stride].iter_mut().for_each(|y| *y = y.max(0.0));
        }
    }

    /// Adds the gradients with respect to their inputs, given those with respect to what [`forward`](Self::forward) put out.
    pub(super) fn input_gradient<'a>(
        &mut self,
        (outputs, stride): (&[f32], usize),
        gradient: impl Fn(usize) -> &'a [f32],
        (input_gradients, input_stride): (&mut [f32], usize),
        count: usize,
    ) {
        self.grow(count);
        let mut end = 0;
        for (i, output) in outputs.chunks_exact(stride).enumerate().take(count) {
            let passes = |i: usize| !self.relu || output[i] > 0.0;
            end += list_nonzero(&gradient(i)[..self.backward.rows()], passes, &mut self.terms[end..]);
            self.ends[i] = end;
        }
        let terms = (&self.terms[..], &self.ends[..count]);
        self.backward.add_rows_batch(terms, input_gradients, input_stride, &mut self.cursors);
    }
}

/// Writes a term for each value that `passes` and is not zero; returns how many.
fn list_nonzero(values: &[f32], passes: impl Fn(usize) -> bool, terms: &mut [Term]) -> usize {
    let mut count = 0;
    for (i, &weight) in values.iter().enumerate() {
        // No branch: which values are zero cannot be predicted.
        terms[count] = Term { row: i as u32, weight };
        count += usize::from((weight != 0.0) & passes(i));
    }
    count
}
