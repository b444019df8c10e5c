//! The SIMD core's convolutions as operations of candle's autograd on the CPU, all cores, the images of a batch side by
//! side. candle's own convolution has a naive loop for a backward pass.
//!
//! A batch is cut into the same shards whatever the number of cores, and their sums are added in order: the same
//! seed gives the same weights.

use std::sync::Mutex;

use candle_core::{CpuStorage, CustomOp3, Layout, Result, Shape, Storage, Tensor, bail};
use rayon::prelude::*;

use crate::kernel::conv::transpose::{ConvTranspose, adjoint};
use crate::kernel::conv::{Conv, ConvShape};
use crate::kernel::simd::Level;
use crate::network::Kind;

/// Into how many pieces a batch is cut.
const SHARDS: usize = 8;

/// A convolution with bias, and with ReLU and 2x2 max-pool if the shape says so: images `[batch, rows, cols, channels]`,
/// weight `[channels, depth, kernel, kernel]`, bias `[channels]`.
struct ConvOp {
    shape: ConvShape,
    saved: Mutex<Option<Saved>>,
}

/// What the backward pass needs of the forward pass.
struct Saved {
    conv: Conv,
    winners: Vec<u32>,
}

/// A transposed convolution with bias, and with ReLU if asked for: weight `[depth, channels, kernel, kernel]`.
struct ConvTransposeOp {
    /// The convolution whose adjoint it is.
    shape: ConvShape,
    relu: bool,
    saved: Mutex<Option<ConvTranspose>>,
}

/// Gradients of a shard, or of a batch.
struct Gradients {
    images: Vec<f32>,
    weight: Vec<f32>,
    bias: Vec<f32>,
}

/// Applies a [`Kind::Conv`] and the ReLU and pooling after it.
///
/// # Errors
/// When candle fails, or `layer` is another one.
pub fn conv(
    x: &Tensor,
    weight: &Tensor,
    bias: &Tensor,
    layer: Kind,
    relu: bool,
    pool: bool,
) -> Result<Tensor> {
    let Kind::Conv { channels, kernel, stride, groups: 1 } = layer else {
        bail!("{layer:?} is no convolution")
    };
    let (_, rows, cols, depth) = x.dims4()?;
    let shape = ConvShape { input: [rows, cols, depth], channels, kernel, stride, relu, pool };
    x.contiguous()?.apply_op3(weight, bias, ConvOp { shape, saved: Mutex::new(None) })
}

/// Applies a [`Kind::ConvTranspose`] and the ReLU after it.
///
/// # Errors
/// When candle fails, or `layer` is another one.
pub fn conv_transpose(x: &Tensor, weight: &Tensor, bias: &Tensor, layer: Kind, relu: bool) -> Result<Tensor> {
    let Kind::ConvTranspose { channels, kernel, stride } = layer else {
        bail!("{layer:?} is no transposed convolution")
    };
    let (_, rows, cols, depth) = x.dims4()?;
    let shape = adjoint([rows, cols, depth], channels, kernel, stride);
    x.contiguous()?.apply_op3(weight, bias, ConvTransposeOp { shape, relu, saved: Mutex::new(None) })
}

fn size(shape: [usize; 3]) -> usize {
    shape.iter().product()
}

/// The numbers of a contiguous tensor.
fn slice<'a>(storage: &'a CpuStorage, layout: &Layout) -> Result<&'a [f32]> {
    match layout.contiguous_offsets() {
        Some((start, end)) => Ok(&storage.as_slice::<f32>()?[start..end]),
        None => bail!("a convolution needs contiguous tensors"),
    }
}

/// Calls `f` with the numbers of contiguous tensors on the CPU.
fn with_slices<T>(tensors: [&Tensor; 3], f: impl FnOnce([&[f32]; 3]) -> Result<T>) -> Result<T> {
    let contiguous = [tensors[0].contiguous()?, tensors[1].contiguous()?, tensors[2].contiguous()?];
    let [a, b, c] = [&contiguous[0], &contiguous[1], &contiguous[2]].map(Tensor::storage_and_layout);
    let (Storage::Cpu(x), Storage::Cpu(y), Storage::Cpu(z)) = (&*a.0, &*b.0, &*c.0) else {
        bail!("this operation runs on the CPU")
    };
    f([slice(x, a.1)?, slice(y, b.1)?, slice(z, c.1)?])
}

/// Images of a shard of a batch.
fn shard(batch: usize) -> usize {
    batch.div_ceil(SHARDS).max(1)
}

impl Gradients {
    /// As tensors; no images where none were asked for.
    fn tensors(self, x: &Tensor, weight: &Tensor, bias: &Tensor) -> Result<[Option<Tensor>; 3]> {
        let images = match self.images.is_empty() {
            true => None,
            false => Some(Tensor::from_vec(self.images, x.shape(), x.device())?),
        };
        let weight = Tensor::from_vec(self.weight, weight.shape(), x.device())?;
        Ok([images, Some(weight), Some(Tensor::from_vec(self.bias, bias.shape(), x.device())?)])
    }

    /// The sum over shards, in order, with the weights in the layout of `conv`'s.
    fn merge(shards: Vec<Self>, conv: &Conv) -> Self {
        let mut shards = shards.into_iter();
        let mut sum = shards.next().unwrap_or(Self { images: vec![], weight: vec![], bias: vec![] });
        for shard in shards {
            sum.images.extend(shard.images);
            sum.weight.iter_mut().zip(shard.weight).for_each(|(s, g)| *s += g);
            sum.bias.iter_mut().zip(shard.bias).for_each(|(s, g)| *s += g);
        }
        sum.weight = conv.unpack_weights(&sum.weight);
        sum
    }
}

impl CustomOp3 for ConvOp {
    fn name(&self) -> &'static str {
        "convolution"
    }

    fn cpu_fwd(
        &self,
        s1: &CpuStorage,
        l1: &Layout,
        s2: &CpuStorage,
        l2: &Layout,
        s3: &CpuStorage,
        l3: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let (images, weight, bias) = (slice(s1, l1)?, slice(s2, l2)?, slice(s3, l3)?);
        let conv = Conv::new(Level::detect(), self.shape, weight, bias);
        let (inputs, [h, w, c]) = (size(self.shape.input), self.shape.output());
        let (outputs, batch) = (h * w * c, images.len() / inputs);
        let (mut out, mut winners) = (vec![0.0; batch * outputs], vec![0; batch * outputs]);
        let n = shard(batch);
        images
            .par_chunks(n * inputs)
            .zip(out.par_chunks_mut(n * outputs))
            .zip(winners.par_chunks_mut(n * outputs))
            .for_each(|((images, out), winners)| {
                let mut conv = conv.clone();
                for ((image, out), winners) in images
                    .chunks_exact(inputs)
                    .zip(out.chunks_exact_mut(outputs))
                    .zip(winners.chunks_exact_mut(outputs))
                {
                    conv.forward(image, out, winners);
                }
            });
        if let Ok(mut saved) = self.saved.lock() {
            *saved = Some(Saved { conv, winners });
        }
        Ok((CpuStorage::F32(out), Shape::from((batch, h, w, c))))
    }

    fn bwd(
        &self,
        x: &Tensor,
        weight: &Tensor,
        bias: &Tensor,
        _result: &Tensor,
        gradient: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
        let saved = self.saved.lock().ok().and_then(|mut saved| saved.take());
        let Some(Saved { conv, winners }) = saved else { bail!("there was no forward pass") };
        let wanted = x.track_op();
        let gradients = with_slices([x, gradient, bias], |[images, gradient, _]| {
            let (inputs, outputs) = (size(self.shape.input), size(self.shape.output()));
            let n = shard(images.len() / inputs);
            let shards = images
                .par_chunks(n * inputs)
                .zip(gradient.par_chunks(n * outputs))
                .zip(winners.par_chunks(n * outputs))
                .map(|((images, gradient), winners)| {
                    let mut conv = conv.clone();
                    let mut sum = Gradients {
                        images: Vec::with_capacity(if wanted { images.len() } else { 0 }),
                        weight: vec![0.0; conv.weight_sums()],
                        bias: vec![0.0; self.shape.channels],
                    };
                    let mut padded = vec![0.0; inputs + conv.slack()];
                    for ((image, gradient), winners) in images
                        .chunks_exact(inputs)
                        .zip(gradient.chunks_exact(outputs))
                        .zip(winners.chunks_exact(outputs))
                    {
                        padded[..inputs].copy_from_slice(image);
                        padded[inputs..].fill(0.0);
                        conv.weight_gradient(&padded, winners, gradient, &mut sum.weight);
                        conv.bias_gradient(winners, gradient, &mut sum.bias);
                        if wanted {
                            padded.fill(0.0);
                            conv.input_gradient(winners, gradient, &mut padded);
                            sum.images.extend_from_slice(&padded[..inputs]);
                        }
                    }
                    sum
                })
                .collect();
            Ok(Gradients::merge(shards, &conv))
        })?;
        let [images, weight, bias] = gradients.tensors(x, weight, bias)?;
        Ok((images, weight, bias))
    }
}

impl CustomOp3 for ConvTransposeOp {
    fn name(&self) -> &'static str {
        "transposed convolution"
    }

    fn cpu_fwd(
        &self,
        s1: &CpuStorage,
        l1: &Layout,
        s2: &CpuStorage,
        l2: &Layout,
        s3: &CpuStorage,
        l3: &Layout,
    ) -> Result<(CpuStorage, Shape)> {
        let (images, weight, bias) = (slice(s1, l1)?, slice(s2, l2)?, slice(s3, l3)?);
        let up = ConvTranspose::new(Level::detect(), self.shape, self.relu, weight, bias);
        let (inputs, [h, w, c]) = (size(self.shape.output()), self.shape.input);
        let (outputs, batch) = (h * w * c, images.len() / inputs);
        let mut out = vec![0.0; batch * outputs];
        let n = shard(batch);
        images.par_chunks(n * inputs).zip(out.par_chunks_mut(n * outputs)).for_each(|(images, out)| {
            let mut up = up.clone();
            let mut padded = vec![0.0; outputs + up.slack()];
            for (image, out) in images.chunks_exact(inputs).zip(out.chunks_exact_mut(outputs)) {
                up.forward(image, &mut padded);
                out.copy_from_slice(&padded[..outputs]);
            }
        });
        if let Ok(mut saved) = self.saved.lock() {
            *saved = Some(up);
        }
        Ok((CpuStorage::F32(out), Shape::from((batch, h, w, c))))
    }

    fn bwd(
        &self,
        x: &Tensor,
        weight: &Tensor,
        bias: &Tensor,
        result: &Tensor,
        gradient: &Tensor,
    ) -> Result<(Option<Tensor>, Option<Tensor>, Option<Tensor>)> {
        let Some(up) = self.saved.lock().ok().and_then(|mut saved| saved.take()) else {
            bail!("there was no forward pass")
        };
        let gradients = with_slices([x, gradient, result], |[images, gradient, result]| {
            let (inputs, outputs) = (size(self.shape.output()), size(self.shape.input));
            let n = shard(images.len() / inputs);
            let shards = images
                .par_chunks(n * inputs)
                .zip(gradient.par_chunks(n * outputs))
                .zip(result.par_chunks(n * outputs))
                .map(|((images, gradient), result)| {
                    let mut up = up.clone();
                    let mut sum = Gradients {
                        images: vec![0.0; images.len()],
                        weight: vec![0.0; up.conv().weight_sums()],
                        bias: vec![0.0; self.shape.input[2]],
                    };
                    for (((image, to_image), gradient), result) in images
                        .chunks_exact(inputs)
                        .zip(sum.images.chunks_exact_mut(inputs))
                        .zip(gradient.chunks_exact(outputs))
                        .zip(result.chunks_exact(outputs))
                    {
                        up.input_gradient(result, gradient, to_image);
                        up.parameter_gradients(image, &mut sum.weight, &mut sum.bias);
                    }
                    sum
                })
                .collect();
            Ok(Gradients::merge(shards, up.conv()))
        })?;
        let [images, weight, bias] = gradients.tensors(x, weight, bias)?;
        Ok((images, weight, bias))
    }
}
