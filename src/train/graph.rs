//! The candle graph of an architecture: autograd for training, and the oracle of the SIMD core.

use candle_core::{Device, Tensor, Var};

use crate::arch::{Arch, Layer};
use crate::kernel::conv::TIE;

/// A network with its trained tensors as candle variables.
pub struct Graph {
    arch: &'static Arch,
    /// In the order of [`Arch::parameters`].
    pub variables: Vec<Var>,
}

impl Graph {
    /// A network with the given tensors, flat, in the order of [`Arch::parameters`].
    pub fn new(arch: &'static Arch, tensors: &[Vec<f32>], device: &Device) -> candle_core::Result<Self> {
        let variables = arch
            .parameters()
            .iter()
            .zip(tensors)
            .map(|(p, values)| Var::from_tensor(&Tensor::from_slice(values, p.shape.as_slice(), device)?))
            .collect::<candle_core::Result<_>>()?;
        Ok(Self { arch, variables })
    }

    /// A network with He-uniform weights (He et al. 2015) and zero biases, drawn from `rng`.
    pub fn random(
        arch: &'static Arch,
        rng: &mut fastrand::Rng,
        device: &Device,
    ) -> candle_core::Result<Self> {
        let tensors: Vec<Vec<f32>> = arch
            .parameters()
            .iter()
            .map(|p| {
                let bound = if p.shape.len() > 1 { (6.0 / p.fan_in as f32).sqrt() } else { 0.0 };
                (0..p.count()).map(|_| (2.0 * rng.f32() - 1.0) * bound).collect()
            })
            .collect();
        Self::new(arch, &tensors, device)
    }

    /// The tensors, flat, in the order of [`Arch::parameters`].
    pub fn tensors(&self) -> candle_core::Result<Vec<Vec<f32>>> {
        self.variables.iter().map(|v| v.flatten_all()?.to_vec1()).collect()
    }

    /// Logits (`[batch, classes]`) of images (`[batch, rows, cols, channels]`).
    pub fn logits(&self, images: &Tensor) -> candle_core::Result<Tensor> {
        let mut x = images.clone();
        let mut variables = self.variables.iter().map(Var::as_tensor);
        let mut pair = || match (variables.next(), variables.next()) {
            (Some(w), Some(b)) => Ok((w, b)),
            _ => candle_core::bail!("the network has more layers than tensors"),
        };
        let mut layers = self.arch.layers;
        while let [layer, rest @ ..] = layers {
            layers = rest;
            x = match *layer {
                Layer::Conv { kernel, stride, .. } => {
                    let (weight, bias) = pair()?;
                    x = conv(&x, weight, kernel, stride)?;
                    // max(relu(x + b)) = relu(max(x) + b), on a quarter of the numbers.
                    let pooled = rest.starts_with(&[Layer::Relu, Layer::MaxPool2]);
                    if pooled {
                        x = max_pool2(&x)?;
                        layers = &rest[2..];
                    }
                    x = x.broadcast_add(bias)?;
                    if pooled { x.relu()? } else { x }
                }
                Layer::Relu => x.relu()?,
                Layer::MaxPool2 => max_pool2(&x)?,
                Layer::Dense { .. } => {
                    let (weight, bias) = pair()?;
                    // The tensors count an image channel by channel.
                    let x = if x.rank() == 4 { x.permute((0, 3, 1, 2))? } else { x };
                    x.flatten_from(1)?.matmul(&weight.t()?)?.broadcast_add(bias)?
                }
            };
        }
        Ok(x)
    }
}

/// Convolution as one matrix product over shifted copies: candle's own convolution has a naive loop for a
/// backward pass on the CPU, this one's backward pass is matrix products too. Channels come last, so that
/// all copies are of contiguous runs.
fn conv(x: &Tensor, weight: &Tensor, kernel: usize, stride: usize) -> candle_core::Result<Tensor> {
    let (batch, rows, cols, depth) = x.dims4()?;
    let (h, w) = ((rows - kernel) / stride + 1, (cols - kernel) / stride + 1);
    let mut shifted = Vec::with_capacity(kernel * kernel);
    for i in 0..kernel {
        for j in 0..kernel {
            shifted.push(if stride == 1 {
                x.narrow(1, i, h)?.narrow(2, j, w)?
            } else {
                every(&every(x, 1, i, h, stride)?, 2, j, w, stride)?
            });
        }
    }
    let patch = kernel * kernel * depth;
    let patches = Tensor::cat(&shifted, 3)?.reshape((batch * h * w, patch))?;
    let channels = weight.dim(0)?;
    let weight = weight.permute((2, 3, 1, 0))?.reshape((patch, channels))?;
    patches.matmul(&weight)?.reshape((batch, h, w, channels))
}

/// `count` slices of `x` along `dim`: `start`, `start + step`, ...
fn every(x: &Tensor, dim: usize, start: usize, count: usize, step: usize) -> candle_core::Result<Tensor> {
    let index: Vec<u32> = (0..count).map(|i| (start + i * step) as u32).collect();
    x.index_select(&Tensor::new(index, x.device())?, dim)
}

/// 2x2 max-pool whose gradient goes to the first maximum of a window, row by row. candle's own hands it to
/// every tied one, and ties are common: the background of a digit is constant.
fn max_pool2(x: &Tensor) -> candle_core::Result<Tensor> {
    let (batch, rows, cols, channels) = x.dims4()?;
    let (h, w) = (rows / 2, cols / 2);
    let x = x.narrow(1, 0, 2 * h)?.narrow(2, 0, 2 * w)?.contiguous()?;
    let across = larger_half(&x.reshape((batch, 2 * h, w, 2, channels))?, 3)?;
    larger_half(&across.reshape((batch, h, 2, w, channels))?, 2)
}

/// Of a tensor with two entries along `dim`, the larger ones, the first where they tie (as the SIMD core has
/// it: within [`TIE`]); `dim` goes away.
fn larger_half(x: &Tensor, dim: usize) -> candle_core::Result<Tensor> {
    let half = |i: usize| x.narrow(dim, i, 1)?.squeeze(dim)?.contiguous();
    let (first, second) = (half(0)?, half(1)?);
    (&first + f64::from(TIE))?.ge(&second)?.where_cond(&first, &second)
}
