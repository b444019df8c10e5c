//! A transposed convolution: the adjoint of a convolution, with bias and ReLU. Its forward pass is the convolution's
//! gradient, its gradient the convolution's forward pass.

use super::{Conv, ConvShape};
use crate::kernel::simd::Level;

/// A transposed convolution with its weights packed for one level.
#[derive(Clone, Debug)]
pub struct ConvTranspose {
    conv: Conv,
    /// For each output channel.
    bias: Vec<f32>,
    relu: bool,
    winners: Vec<u32>,
    /// The gradient that passed the ReLU, and slack.
    passed: Vec<f32>,
}

/// The convolution whose adjoint a transposed convolution of `input` (rows, columns, channels) is.
pub fn adjoint([rows, cols, depth]: [usize; 3], channels: usize, kernel: usize, stride: usize) -> ConvShape {
    let side = |n: usize| (n - 1) * stride + kernel;
    let input = [side(rows), side(cols), channels];
    ConvShape { input, channels: depth, kernel, stride, relu: false, pool: false }
}

impl ConvTranspose {
    /// Of `shape`, its adjoint: packs `weight` (`[shape.channels][output channels][kernel][kernel]`) and `bias` (one for
    /// each output channel, a channel of `shape.input`).
    ///
    /// # Panics
    /// As [`Conv::new`].
    pub fn new(level: Level, shape: ConvShape, relu: bool, weight: &[f32], bias: &[f32]) -> Self {
        let size = |s: [usize; 3]| s.iter().product::<usize>();
        let conv = Conv::new(level, shape, weight, &vec![0.0; shape.channels]);
        let passed = vec![0.0; size(shape.input) + conv.slack()];
        Self { conv, bias: bias.to_vec(), relu, winners: vec![0; size(shape.output())], passed }
    }

    /// Floats beyond an output that may be written.
    pub fn slack(&self) -> usize {
        self.conv.slack()
    }

    /// The convolution whose adjoint it is.
    pub fn conv(&self) -> &Conv {
        &self.conv
    }

    fn outputs(&self) -> usize {
        self.passed.len() - self.conv.slack()
    }

    /// The output for `input`, both NHWC; `output` has [`slack`](Self::slack) behind it.
    ///
    /// # Panics
    /// When a slice is too short.
    pub fn forward(&mut self, input: &[f32], output: &mut [f32]) {
        for pixel in output.chunks_mut(self.bias.len()) {
            pixel.copy_from_slice(&self.bias[..pixel.len()]);
        }
        let input = &input[..self.winners.len()];
        Conv::winners_of(input, self.conv.shape().channels, &mut self.winners);
        self.conv.input_gradient(&self.winners, input, output);
        if self.relu {
            output.iter_mut().for_each(|y| *y = y.max(0.0));
        }
    }

    /// The gradient with respect to the input, given that with respect to `output`, what [`forward`](Self::forward) gave.
    ///
    /// # Panics
    /// When a slice is too short.
    pub fn input_gradient(&mut self, output: &[f32], gradient: &[f32], input_gradient: &mut [f32]) {
        let outputs = self.outputs();
        for ((passed, &g), &y) in self.passed[..outputs].iter_mut().zip(gradient).zip(output) {
            *passed = if self.relu && y <= 0.0 { 0.0 } else { g };
        }
        self.conv.forward(&self.passed, input_gradient, &mut self.winners);
    }

    /// Adds the gradients with respect to weight ([`Conv::weight_sums`]) and bias for the gradient that
    /// [`input_gradient`](Self::input_gradient) saw last, and the `input` that it belongs to.
    ///
    /// # Panics
    /// When a slice is too short.
    pub fn parameter_gradients(&mut self, input: &[f32], weight: &mut [f32], bias: &mut [f32]) {
        for pixel in self.passed[..self.outputs()].chunks_exact(self.bias.len()) {
            bias.iter_mut().zip(pixel).for_each(|(sum, g)| *sum += g);
        }
        Conv::winners_of(input, self.conv.shape().channels, &mut self.winners);
        self.conv.weight_gradient(&self.passed, &self.winners, input, weight);
    }
}
