//! Neighbouring layers that run as one, with what they put out and the gradient with respect to what they read.

use super::dense::Dense;
use super::grouped::Grouped;
use super::pointwise::{Function, Product, Prototypes, Scale};
use super::pool::Pool;
use super::reorder::{Concat, Pad, Transpose, Upsample};
use crate::kernel::conv::Conv;
use crate::kernel::conv::depthwise::Depthwise;
use crate::kernel::conv::transpose::ConvTranspose;

/// A stage. Its buffers hold one image after the other, each as long as the stride says.
#[derive(Clone, Debug)]
pub(super) struct Stage {
    pub op: Op,
    /// The stages whose outputs it reads, from 1 on; 0 is what goes in. For each where in an image's gradient its part begins.
    pub reads: Vec<(usize, usize)>,
    /// Who reads its output: which stages (from 0 on), and where in their gradients its part begins.
    pub readers: Vec<(usize, usize)>,
    /// Numbers of an output.
    pub size: usize,
    pub output: Vec<f32>,
    pub output_stride: usize,
    pub input_gradient: Vec<f32>,
    pub gradient_stride: usize,
    /// Where several read it, the sum of their gradients.
    pub sum: Vec<f32>,
}

#[derive(Clone, Debug)]
pub(super) enum Op {
    Conv { conv: Conv, winners: Vec<u32> },
    Depthwise(Depthwise),
    Grouped(Box<Grouped>),
    ConvTranspose(ConvTranspose),
    Dense(Dense),
    Function(Function),
    Pool(Pool),
    Upsample(Upsample),
    Pad(Pad),
    Scale(Scale),
    Transpose(Transpose),
    Sum,
    Product(Product),
    Concat(Concat),
    Prototypes(Prototypes),
}

impl Stage {
    /// Makes room for so many images.
    pub fn grow(&mut self, count: usize) {
        if self.output.len() < count * self.output_stride {
            self.output.resize(count * self.output_stride, 0.0);
            self.input_gradient.resize(count * self.gradient_stride, 0.0);
            match &mut self.op {
                Op::Conv { conv, winners } => winners.resize(count * conv.outputs(), 0),
                Op::Function(function) => function.slopes.resize(count * function.size, 0.0),
                Op::Pool(pool) => pool.grow(count),
                Op::Product(product) => {
                    product.kept.resize(count * product.sizes.iter().sum::<usize>(), 0.0);
                }
                Op::Prototypes(prototypes) => prototypes.inputs.resize(count * prototypes.size, 0.0),
                _ => {}
            }
        }
    }

    pub fn output(&self, image: usize) -> &[f32] {
        &self.output[image * self.output_stride..][..self.output_stride]
    }

    /// The gradient with respect to what it reads, from where a part of it begins.
    pub fn input_gradient(&self, image: usize, part: usize) -> &[f32] {
        &self.input_gradient[image * self.gradient_stride..][part..self.gradient_stride]
    }

    /// Computes its outputs for so many images; `input` has what the stage of that number puts out for an image.
    pub fn forward<'a>(&mut self, input: impl Fn(usize, usize) -> &'a [f32], count: usize) {
        self.grow(count);
        let Self { op, reads, size, output, output_stride: stride, .. } = self;
        let (stride, size) = (*stride, *size);
        let part = |part: usize, image: usize| input(reads[part].0, image);
        if let Op::Dense(dense) = op {
            dense.forward(|image| part(0, image), output, stride, count);
            return;
        }
        for (i, output) in output.chunks_exact_mut(stride).enumerate().take(count) {
            let input = part(0, i);
            match op {
                Op::Conv { conv, winners } => {
                    let outputs = conv.outputs();
                    conv.forward(input, output, &mut winners[i * outputs..(i + 1) * outputs]);
                }
                Op::Depthwise(conv) => conv.forward(input, output),
                Op::Grouped(conv) => conv.forward(input, &mut output[..size]),
                Op::ConvTranspose(up) => up.forward(input, output),
                Op::Function(function) => function.forward(i, input, &mut output[..size]),
                Op::Pool(pool) => pool.forward(i, input, output),
                Op::Upsample(up) => up.forward(input, output),
                Op::Pad(pad) => {
                    output.fill(0.0);
                    pad.rows(|inner, outer| output[outer].copy_from_slice(&input[inner]));
                }
                Op::Scale(scale) => scale.forward(input, &mut output[..size]),
                Op::Transpose(transpose) => transpose.forward(input, output),
                Op::Sum => {
                    output[..size].copy_from_slice(&input[..size]);
                    for other in 1..reads.len() {
                        output.iter_mut().zip(&part(other, i)[..size]).for_each(|(y, x)| *y += x);
                    }
                }
                Op::Product(product) => product.forward(i, [input, part(1, i)], output),
                Op::Concat(concat) => {
                    for other in 0..reads.len() {
                        concat.put(other, part(other, i), &mut output[..size]);
                    }
                }
                Op::Prototypes(prototypes) => prototypes.forward(i, input, output),
                Op::Dense(_) => {}
            }
        }
    }

    /// Computes the gradients with respect to what it read, given those with respect to its outputs.
    pub fn backward<'a>(&mut self, gradient: impl Fn(usize) -> &'a [f32], count: usize) {
        let Self {
            op,
            reads,
            size,
            output,
            output_stride: stride,
            input_gradient,
            gradient_stride: from,
            ..
        } = self;
        let (stride, from, size) = (*stride, *from, *size);
        input_gradient[..count * from].fill(0.0);
        if let Op::Dense(dense) = op {
            dense.input_gradient((output, stride), gradient, (input_gradient, from), count);
            return;
        }
        let images = output.chunks_exact(stride).zip(input_gradient.chunks_exact_mut(from));
        for (i, (output, to)) in images.enumerate().take(count) {
            let gradient = gradient(i);
            match op {
                Op::Conv { conv, winners } => {
                    let outputs = conv.outputs();
                    conv.input_gradient(&winners[i * outputs..(i + 1) * outputs], gradient, to);
                }
                Op::Depthwise(conv) => conv.input_gradient(&gradient[..size], to),
                Op::Grouped(conv) => conv.input_gradient(&gradient[..size], to),
                Op::ConvTranspose(up) => up.input_gradient(output, gradient, to),
                Op::Function(function) => function.input_gradient(i, &gradient[..size], to),
                Op::Pool(pool) => pool.input_gradient(i, &gradient[..size], to),
                Op::Upsample(up) => up.input_gradient(gradient, to),
                Op::Pad(pad) => pad.rows(|inner, outer| to[inner].copy_from_slice(&gradient[outer])),
                Op::Scale(scale) => scale.input_gradient(&gradient[..size], &mut to[..size]),
                Op::Transpose(transpose) => transpose.input_gradient(gradient, to),
                // One for all that it reads.
                Op::Sum => to[..size].copy_from_slice(&gradient[..size]),
                Op::Product(product) => product.input_gradient(i, gradient, to),
                Op::Concat(concat) => {
                    for (other, (_, part)) in reads.iter().enumerate() {
                        let own = size / concat.all * concat.channels[other];
                        concat.take(other, &gradient[..size], &mut to[*part..part + own]);
                    }
                }
                Op::Prototypes(prototypes) => prototypes.input_gradient(i, gradient, to),
                Op::Dense(_) => {}
            }
        }
    }
}
