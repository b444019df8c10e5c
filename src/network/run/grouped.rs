//! A convolution whose channels fall into groups, each of which reads its own: one convolution a group, on channels picked out.

use crate::kernel::conv::{Conv, ConvShape};
use crate::kernel::simd::Level;

use super::reorder::Concat;

/// A grouped convolution.
#[derive(Clone, Debug)]
pub(super) struct Grouped {
    convs: Vec<Conv>,
    /// The channels of the groups, in what is read and in what is put out.
    read: Concat,
    put: Concat,
    /// Rooms for one group: what it reads (with slack), what it puts out, and who takes part.
    input: Vec<f32>,
    output: Vec<f32>,
    winners: Vec<u32>,
}

impl Grouped {
    /// `shape` is that of the whole; `weight` is `[channels][depth of a group][kernel][kernel]`, `bias` `[channels]`.
    pub fn new(level: Level, shape: ConvShape, groups: usize, weight: &[f32], bias: &[f32]) -> Self {
        let [rows, cols, depth] = shape.input;
        let (inside, outside) = (depth / groups, shape.channels / groups);
        let own =
            ConvShape { input: [rows, cols, inside], channels: outside, relu: false, pool: false, ..shape };
        let parts = weight.chunks_exact(weight.len() / groups).zip(bias.chunks_exact(outside));
        let convs: Vec<Conv> = parts.map(|(weight, bias)| Conv::new(level, own, weight, bias)).collect();
        let [h, w, _] = own.output();
        Self {
            input: vec![0.0; rows * cols * inside + level.lanes()],
            output: vec![0.0; h * w * outside],
            winners: vec![0; h * w * outside],
            read: Concat { channels: vec![inside; groups], all: depth },
            put: Concat { channels: vec![outside; groups], all: shape.channels },
            convs,
        }
    }

    pub fn forward(&mut self, input: &[f32], output: &mut [f32]) {
        for (group, conv) in self.convs.iter_mut().enumerate() {
            self.read.take(group, input, &mut self.input);
            conv.forward(&self.input, &mut self.output, &mut self.winners);
            self.put.put(group, &self.output, output);
        }
    }

    pub fn input_gradient(&mut self, gradient: &[f32], input_gradient: &mut [f32]) {
        for (group, conv) in self.convs.iter_mut().enumerate() {
            self.put.take(group, gradient, &mut self.output);
            Conv::winners_of(&self.output, conv.shape().channels, &mut self.winners);
            self.input.fill(0.0);
            conv.input_gradient(&self.winners, &self.output, &mut self.input);
            self.read.put(group, &self.input, input_gradient);
        }
    }
}
