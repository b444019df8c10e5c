//! From layers to stages: what runs as one, and who reads whom.

use std::sync::Arc;

use super::dense::Dense;
use super::grouped::Grouped;
use super::pointwise::{Function, Product, Prototypes, Scale};
use super::pool::Pool;
use super::reorder::{Concat, Pad, Transpose, Upsample};
use super::stage::{Op, Stage};
use crate::error::{Error, Result};
use crate::kernel::conv::depthwise::Depthwise;
use crate::kernel::conv::transpose::{ConvTranspose, adjoint};
use crate::kernel::conv::{Conv, ConvShape};
use crate::kernel::simd::Level;
use crate::network::layer::{Kind, Layer, Shape, Window};
use crate::network::spec::shapes;

/// The stages that layers come to, and the numbers that the last one puts out. `tensors` are theirs, in order; `unsupported` makes an
/// error of words.
///
/// # Errors
/// Where the layers do not fit each other, or there are too few tensors.
pub(super) fn stages(
    level: Level,
    input: Shape,
    layers: &[Layer],
    tensors: &[&[f32]],
    unsupported: impl Fn(&str) -> Error,
) -> Result<(Vec<Stage>, usize)> {
    let mut tensors = tensors.iter().copied();
    let mut tensor = || tensors.next().ok_or_else(|| unsupported("it has more layers than tensors"));
    let shapes = shapes(input, layers);
    if shapes.len() != layers.len() + 1 {
        return Err(unsupported("its layers do not fit each other"));
    }
    let size = |s: Shape| s.iter().product::<usize>();
    // How many read the input, and each layer.
    let mut readers = vec![0; shapes.len()];
    let places = |i: usize| layers[i].from.iter().map(move |back| i + 1 - back);
    (0..layers.len()).for_each(|i| places(i).for_each(|place| readers[place] += 1));
    // Whether a layer is of a kind and reads the one before it, which nobody else does.
    let follows = |i: usize, kind: Kind| {
        layers.get(i).is_some_and(|layer| layer.kind == kind && layer.from == [1]) && readers[i] == 1
    };
    // The stage, from 1 on, that puts out what each layer does; 0 for the input.
    let mut stage_of = vec![0; shapes.len()];
    let mut stages = Vec::new();
    let mut i = 0;
    while let Some(Layer { kind, .. }) = layers.get(i) {
        let reads: Vec<usize> = places(i).collect();
        let own: Vec<Shape> = reads.iter().map(|place| shapes[*place]).collect();
        let (input, output) = (own[0], shapes[i + 1]);
        let relu = follows(i + 1, Kind::RELU);
        let mut next = i + 1;
        let op = match *kind {
            Kind::Conv { channels, kernel, stride, groups } => {
                let (weight, bias) = (tensor()?, tensor()?);
                let mut shape = ConvShape { input, channels, kernel, stride, relu: false, pool: false };
                if groups > 1 && groups == channels && groups == input[2] {
                    Op::Depthwise(Depthwise::new(level, input, kernel, stride, weight, bias))
                } else if groups > 1 {
                    Op::Grouped(Box::new(Grouped::new(level, shape, groups, weight, bias)))
                } else {
                    next += usize::from(relu);
                    let pool = follows(next, Kind::MaxPool(Window::TWO));
                    next += usize::from(pool);
                    shape = ConvShape { relu, pool, ..shape };
                    let winners = vec![0; size(shape.output())];
                    Op::Conv { conv: Conv::new(level, shape, weight, bias), winners }
                }
            }
            Kind::Dense(outputs) => {
                next += usize::from(relu);
                Op::Dense(Dense::new(level, input, outputs, relu, tensor()?, tensor()?))
            }
            Kind::ConvTranspose { channels, kernel, stride } => {
                next += usize::from(relu);
                let shape = adjoint(input, channels, kernel, stride);
                Op::ConvTranspose(ConvTranspose::new(level, shape, relu, tensor()?, tensor()?))
            }
            Kind::Activation(activation) => Op::Function(Function::new(activation, size(input))),
            Kind::AvgPool(window) => Op::Pool(Pool::new(window, input, output, false)),
            Kind::MaxPool(window) => Op::Pool(Pool::new(window, input, output, true)),
            Kind::Upsample(factor) => Op::Upsample(Upsample { input, factor }),
            Kind::Pad([top, left, ..]) => {
                let ([rows, cols, channels], wide) = (input, output[1] * input[2]);
                Op::Pad(Pad { rows, row: cols * channels, wide, first: top * wide + left * channels })
            }
            Kind::Scale => {
                let [factors, summands] = [tensor()?, tensor()?].map(Arc::from);
                Op::Scale(Scale { factors, summands })
            }
            Kind::Transpose => Op::Transpose(Transpose { input }),
            Kind::Sum => Op::Sum,
            Kind::Product => Op::Product(Product::new([size(own[0]), size(own[1])])),
            Kind::Concat => {
                let channels = own.iter().map(|shape| shape[2]).collect();
                Op::Concat(Concat { channels, all: output[2] })
            }
            Kind::Prototypes(_) => {
                let size = size(input);
                Op::Prototypes(Prototypes { size, all: tensor()?.into(), inputs: vec![0.0; size] })
            }
            // Images lie in memory pixel by pixel, as the vector is to be read.
            Kind::Unflatten(_) => {
                stage_of[i + 1] = stage_of[reads[0]];
                i += 1;
                continue;
            }
        };
        // Of what adds, each part has the whole gradient; of others, each its own.
        let mut parts = Vec::with_capacity(own.len());
        let mut gradients = 0;
        for (place, shape) in reads.iter().zip(&own) {
            parts.push((stage_of[*place], if matches!(op, Op::Sum) { 0 } else { gradients }));
            gradients += size(*shape);
        }
        let numbers = size(shapes[next]);
        let (slack, output_stride) = match &op {
            Op::Conv { conv, .. } => (conv.slack(), numbers),
            Op::ConvTranspose(up) => (level.lanes(), numbers + up.slack()),
            Op::Dense(dense) => (level.lanes(), dense.padded_outputs()),
            _ => (level.lanes(), numbers),
        };
        let gradient_stride = gradients + slack;
        stages.push(Stage {
            op,
            reads: parts,
            readers: Vec::new(),
            size: numbers,
            output: vec![0.0; output_stride],
            output_stride,
            input_gradient: vec![0.0; gradient_stride],
            gradient_stride,
            sum: Vec::new(),
        });
        stage_of[i + 1..=next].fill(stages.len());
        i = next;
    }
    if stages.is_empty() || stage_of[layers.len()] != stages.len() {
        return Err(unsupported("it has no layers that compute anything at its end"));
    }
    Ok((stages, size(shapes[layers.len()])))
}

/// Tells every stage who reads it, now that all are there; returns who reads what goes in.
pub(super) fn link(stages: &mut [Stage]) -> Vec<(usize, usize)> {
    let mut readers = vec![Vec::new(); stages.len() + 1];
    for (i, stage) in stages.iter().enumerate() {
        stage.reads.iter().for_each(|(stage, part)| readers[*stage].push((i, *part)));
    }
    let mut readers = readers.into_iter();
    let of_input = readers.next().unwrap_or_default();
    for (stage, readers) in stages.iter_mut().zip(readers) {
        stage.readers = readers;
    }
    of_input
}
