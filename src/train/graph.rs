//! The candle graph of an architecture: autograd for training, and the oracle of the SIMD core.

use candle_core::{Device, Result, Tensor, Var, bail};

use super::ops;
use crate::kernel::conv::TIE;
use crate::network::spec::parameters;
use crate::network::{Activation, Kind, Part, Spec, Window};

/// Who computes the convolutions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Engine {
    /// candle alone, on any device.
    Candle,
    /// The SIMD core, on the CPU: many times faster there.
    Simd,
    /// candle's own convolutions, as it has them for GPUs. (On the CPU their backward pass is a naive loop.)
    Device,
}

/// A network with its trained tensors as candle variables.
pub struct Graph {
    spec: Spec,
    engine: Engine,
    /// In the order of [`Spec::parameters`].
    pub variables: Vec<Var>,
    names: Vec<String>,
}

/// What a VAE makes of a batch.
pub struct VaeOutputs {
    /// `[batch, latent]`.
    pub mean: Tensor,
    /// `[batch, latent]`.
    pub log_variance: Tensor,
    /// `[batch, classes]`, read from the drawn latent vector.
    pub logits: Tensor,
    /// `[batch, pixels]`: the logits of the reconstruction of the drawn latent vector.
    pub pixels: Tensor,
}

impl Graph {
    /// A network with the given tensors, flat, in the order of [`Spec::parameters`].
    ///
    /// # Errors
    /// When candle fails.
    pub fn new(spec: &Spec, tensors: &[Vec<f32>], device: &Device, engine: Engine) -> Result<Self> {
        let parameters = spec.parameters();
        let variables = parameters
            .iter()
            .zip(tensors)
            .map(|(p, values)| Var::from_tensor(&Tensor::from_slice(values, p.shape.as_slice(), device)?))
            .collect::<Result<_>>()?;
        Ok(Self {
            spec: spec.clone(),
            engine,
            variables,
            names: parameters.into_iter().map(|p| p.name).collect(),
        })
    }

    /// A network with He-uniform weights (He et al. 2015) and zero biases, drawn from `rng`; those of the last layer of a
    /// VAE's decoder, and those of an embedding and of prototypes, times their gains.
    ///
    /// # Errors
    /// When candle fails.
    pub fn random(
        spec: &Spec,
        rng: &mut fastrand::Rng,
        device: &Device,
        engine: Engine,
        (decoder_gain, embedding_gain): (f32, f32),
    ) -> Result<Self> {
        let parameters = spec.parameters();
        // Each layer of a VAE has a weight and a bias, and the decoder's come last.
        let last = if spec.is_vae() { parameters.len() - 2 } else { parameters.len() };
        let tensors: Vec<Vec<f32>> = parameters
            .iter()
            .enumerate()
            .map(|(i, p)| {
                let gain = match p.name.as_str() {
                    _ if i == last => decoder_gain,
                    "embedding.weight" | "prototypes.weight" => embedding_gain,
                    _ => 1.0,
                };
                let bound = if p.shape.len() > 1 { gain * (6.0 / p.fan_in as f32).sqrt() } else { 0.0 };
                (0..p.count()).map(|_| (2.0 * rng.f32() - 1.0) * bound).collect()
            })
            .collect();
        Self::new(spec, &tensors, device, engine)
    }

    /// Who computes it.
    pub fn engine(&self) -> Engine {
        self.engine
    }

    /// The tensors, flat, in the order of [`Spec::parameters`].
    ///
    /// # Errors
    /// When candle fails.
    pub fn tensors(&self) -> Result<Vec<Vec<f32>>> {
        self.variables.iter().map(|v| v.flatten_all()?.to_vec1()).collect()
    }

    /// Logits (`[batch, classes]`) of images (`[batch, rows, cols, channels]`), a VAE's through the mean.
    ///
    /// # Errors
    /// When candle fails.
    pub fn logits(&self, images: &Tensor) -> Result<Tensor> {
        self.part(Part::Classifier, images)?.flatten_from(1)
    }

    /// [`logits`](Self::logits) of a training step: what the inputs of the first dense layer are multiplied by (`[batch, inputs]`) says
    /// which are dropped, and how the others make up for it (Srivastava et al. 2014).
    ///
    /// # Errors
    /// When candle fails.
    pub fn training_logits(&self, images: &Tensor, kept: Option<&Tensor>) -> Result<Tensor> {
        self.run(Part::Classifier, images, kept, false)
    }

    /// [`logits`](Self::logits) whose gradient with respect to the images alone is asked for.
    ///
    /// # Errors
    /// When candle fails.
    pub fn frozen_logits(&self, images: &Tensor) -> Result<Tensor> {
        self.run(Part::Classifier, images, None, true)?.flatten_from(1)
    }

    /// Embeddings (`[batch, numbers]`) and logits of a training step of a siamese network.
    ///
    /// # Errors
    /// When candle fails, or this is no such network.
    pub fn embeddings(&self, images: &Tensor, kept: Option<&Tensor>) -> Result<(Tensor, Tensor)> {
        let embeddings = self.run(Part::Embedding, images, kept, false)?;
        let Some(prototypes) = self.variables.last() else { bail!("the network has no prototypes") };
        let logits = distances(&embeddings, prototypes)?;
        Ok((embeddings, logits))
    }

    /// A VAE's outputs for images (`[batch, rows, cols, channels]`) and standard normal noise (`[batch, latent]`).
    ///
    /// # Errors
    /// When candle fails, or this is no VAE.
    pub fn vae(&self, images: &Tensor, noise: &Tensor) -> Result<VaeOutputs> {
        let features = self.part(Part::Encoder, images)?;
        let mean = self.part(Part::Mean, &features)?;
        let log_variance = self.part(Part::LogVariance, &features)?;
        let z = (&mean + ((&log_variance * 0.5)?.exp()? * noise)?)?;
        let logits = self.part(Part::Head, &z)?;
        let pixels = self.part(Part::Decoder, &z)?.flatten_from(1)?;
        Ok(VaeOutputs { mean, log_variance, logits, pixels })
    }

    /// What a part makes of its input, `[batch, ...]`.
    fn part(&self, part: Part, input: &Tensor) -> Result<Tensor> {
        self.run(part, input, None, false)
    }

    fn run(&self, part: Part, input: &Tensor, mut kept: Option<&Tensor>, frozen: bool) -> Result<Tensor> {
        let Some((shape, layers)) = self.spec.part(part) else { bail!("the network has no {part:?}") };
        let own = parameters(shape, layers);
        let mut variables = own
            .iter()
            .filter_map(|own| self.names.iter().position(|name| *name == own.name))
            .map(|i| if frozen { self.variables[i].detach() } else { self.variables[i].as_tensor().clone() });
        let mut one = || match variables.next() {
            Some(tensor) => Ok(tensor),
            None => bail!("the network has more layers than tensors"),
        };
        // The input, then what each layer puts out; nothing where it was computed together with the next.
        let mut values: Vec<Option<Tensor>> = vec![Some(input.clone())];
        let readers = |place: usize| {
            let reads = layers
                .iter()
                .enumerate()
                .flat_map(|(i, layer)| layer.from.iter().map(move |back| i + 1 - back));
            reads.filter(|read| *read == place).count()
        };
        let follows = |i: usize, kind: Kind| {
            layers.get(i).is_some_and(|layer| layer.kind == kind && layer.from == [1]) && readers(i) == 1
        };
        while values.len() <= layers.len() {
            let i = values.len() - 1;
            let layer = &layers[i];
            let read = |back: &usize| values.get(i + 1 - back).cloned().flatten();
            let all: Option<Vec<Tensor>> = layer.from.iter().map(read).collect();
            let Some(mut all) = all else { bail!("layer {} reads what is not there", i + 1) };
            if all.len() > 1 {
                // A vector beside images is one of a single pixel.
                all = all.iter().map(as_image).collect::<Result<_>>()?;
            }
            let x = all[0].clone();
            // How many of the layers after it are computed with it.
            let mut more = 0;
            let y = match layer.kind {
                Kind::Conv { kernel, stride, groups, .. } => {
                    let (weight, bias) = (one()?, one()?);
                    let relu = follows(i + 1, Kind::RELU);
                    let pool = follows(i + 1 + usize::from(relu), Kind::MaxPool(Window::TWO));
                    if self.engine == Engine::Simd && groups == 1 {
                        more = usize::from(relu) + usize::from(pool);
                        ops::conv(&x, &weight, &bias, layer.kind, relu, pool)?
                    } else {
                        let mut x = match self.engine {
                            Engine::Device => own_conv(&x, &weight, stride, groups)?,
                            _ => conv(&x, &weight, kernel, stride, groups)?,
                        };
                        // max(relu(x + b)) = relu(max(x) + b), on a quarter of the numbers.
                        if relu && pool {
                            x = max_pool2(&x)?;
                            more = 2;
                        }
                        x = x.broadcast_add(&bias)?;
                        if relu && pool { x.relu()? } else { x }
                    }
                }
                Kind::ConvTranspose { stride, .. } => {
                    let (weight, bias) = (one()?, one()?);
                    let relu = follows(i + 1, Kind::RELU);
                    if self.engine == Engine::Simd {
                        more = usize::from(relu);
                        ops::conv_transpose(&x, &weight, &bias, layer.kind, relu)?
                    } else {
                        // candle's own, which has channels first.
                        let x = x.permute((0, 3, 1, 2))?.contiguous()?;
                        let y = x.conv_transpose2d(&weight, 0, 0, stride, 1)?;
                        y.permute((0, 2, 3, 1))?.broadcast_add(&bias)?
                    }
                }
                Kind::Activation(activation) => function(&x, activation)?,
                Kind::MaxPool(Window::TWO) => max_pool2(&x)?,
                Kind::MaxPool(window) => max_pool(&x, window)?,
                Kind::AvgPool(window) => mean_pool(&x, window)?,
                Kind::Upsample(n) => {
                    let (batch, rows, cols, channels) = x.dims4()?;
                    let x = x.reshape((batch, rows, 1, cols, 1, channels))?;
                    x.broadcast_as((batch, rows, n, cols, n, channels))?.reshape((
                        batch,
                        rows * n,
                        cols * n,
                        channels,
                    ))?
                }
                Kind::Dense(_) => {
                    let (weight, bias) = (one()?, one()?);
                    // The tensors count an image channel by channel.
                    let x = if x.rank() == 4 { x.permute((0, 3, 1, 2))? } else { x };
                    let mut x = x.flatten_from(1)?;
                    if let Some(kept) = kept.take() {
                        x = (x * kept)?;
                    }
                    let y = if x.device().is_cpu() { product(&x, &weight)? } else { x.matmul(&weight.t()?)? };
                    y.broadcast_add(&bias)?
                }
                Kind::Pad([top, left, bottom, right]) => {
                    x.pad_with_zeros(1, top, bottom)?.pad_with_zeros(2, left, right)?
                }
                Kind::Scale => {
                    let (factors, summands) = (one()?, one()?);
                    x.broadcast_mul(&factors)?.broadcast_add(&summands)?
                }
                Kind::Transpose => x.transpose(1, 2)?.contiguous()?,
                Kind::Sum => all[1..].iter().try_fold(x, |sum, other| sum + other)?,
                Kind::Product => x.broadcast_mul(&all[1])?,
                Kind::Concat => Tensor::cat(&all, x.rank() - 1)?,
                Kind::Prototypes(_) => distances(&x, &one()?)?,
                Kind::Unflatten([rows, cols, channels]) => x.reshape((x.dim(0)?, rows, cols, channels))?,
            };
            values.extend((0..more).map(|_| None));
            values.push(Some(y));
        }
        match values.pop().flatten() {
            Some(output) => Ok(output),
            None => bail!("the network has no layers"),
        }
    }
}

/// A batch of vectors as images of one pixel.
fn as_image(x: &Tensor) -> Result<Tensor> {
    if x.rank() == 4 { Ok(x.clone()) } else { x.unsqueeze(1)?.unsqueeze(1) }
}

/// Minus the squared distances of embeddings (`[batch, numbers]`) from prototypes (`[labels, numbers]`).
fn distances(embeddings: &Tensor, prototypes: &Tensor) -> Result<Tensor> {
    // All differences: the shorter |x|^2 - 2 x p + |p|^2 loses what is small between large numbers.
    let differences = embeddings.flatten_from(1)?.unsqueeze(1)?.broadcast_sub(prototypes)?;
    differences.sqr()?.sum(2)?.neg()
}

/// The negative evidence lower bound's terms, summed over pixels and latent dimensions, averaged over the batch:
/// `-log p(x | z)` with pixels as probabilities of Bernoulli draws, and `KL(q(z | x) || N(0, 1))` (Kingma & Welling
/// 2014, appendix B). `images` are `[batch, pixels]`.
///
/// # Errors
/// When candle fails.
pub fn elbo_terms(outputs: &VaeOutputs, images: &Tensor) -> Result<(Tensor, Tensor)> {
    let l = &outputs.pixels;
    // softplus(l) - x l, with softplus(l) = max(l, 0) + log(1 + exp(-|l|)).
    let softplus = (l.relu()? + (l.abs()?.neg()?.exp()? + 1.0)?.log()?)?;
    let reconstruction = (softplus - (images * l)?)?.sum(1)?.mean(0)?;
    let VaeOutputs { mean, log_variance, .. } = outputs;
    let kl = ((mean.sqr()? + log_variance.exp()?)? - log_variance)?;
    let kl = ((kl - 1.0)?.sum(1)?.mean(0)? * 0.5)?;
    Ok((reconstruction, kl))
}

/// Numbers that a matrix product sums over at once: no more than what candle's products sum in one go on every CPU. Longer sums they cut as
/// long as the first-level cache of the machine is, and round otherwise on each.
const SUMMED: usize = 512;

/// `x weight^T`, of `[batch, inputs]` and `[outputs, inputs]`, in pieces of which neither the product nor its gradients sum over more than
/// [`SUMMED`] inputs or outputs.
fn product(x: &Tensor, weight: &Tensor) -> Result<Tensor> {
    let (outputs, inputs) = weight.dims2()?;
    let mut columns = Vec::new();
    for first in (0..outputs).step_by(SUMMED) {
        let rows = weight.narrow(0, first, SUMMED.min(outputs - first))?;
        let mut sum: Option<Tensor> = None;
        for start in (0..inputs).step_by(SUMMED) {
            let count = SUMMED.min(inputs - start);
            let part = x.narrow(1, start, count)?.matmul(&rows.narrow(1, start, count)?.t()?)?;
            sum = Some(match sum {
                None => part,
                Some(sum) => (sum + part)?,
            });
        }
        columns.extend(sum);
    }
    if columns.len() == 1 { Ok(columns.remove(0)) } else { Tensor::cat(&columns, 1) }
}

/// Convolution by candle's own, which has channels first.
fn own_conv(x: &Tensor, weight: &Tensor, stride: usize, groups: usize) -> Result<Tensor> {
    let x = x.permute((0, 3, 1, 2))?.contiguous()?;
    x.conv2d(weight, 0, stride, 1, groups)?.permute((0, 2, 3, 1))?.contiguous()
}

/// Convolution as one matrix product over shifted copies: candle's own convolution has a naive loop for a
/// backward pass on the CPU, this one's backward pass is matrix products too. Channels come last, so that
/// all copies are of contiguous runs. Of groups, one after the other.
fn conv(x: &Tensor, weight: &Tensor, kernel: usize, stride: usize, groups: usize) -> Result<Tensor> {
    if groups > 1 {
        let (depth, channels) = (x.dim(3)? / groups, weight.dim(0)? / groups);
        let part = |group: usize| {
            let x = x.narrow(3, group * depth, depth)?;
            conv(&x, &weight.narrow(0, group * channels, channels)?, kernel, stride, 1)
        };
        return Tensor::cat(&(0..groups).map(part).collect::<Result<Vec<_>>>()?, 3);
    }
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
fn every(x: &Tensor, dim: usize, start: usize, count: usize, step: usize) -> Result<Tensor> {
    let index: Vec<u32> = (0..count).map(|i| (start + i * step) as u32).collect();
    x.contiguous()?.index_select(&Tensor::new(index, x.device())?, dim)
}

/// 2x2 max-pool whose gradient goes to the first maximum of a window, row by row. candle's own hands it to
/// every tied one, and ties are common: the background of a digit is constant.
fn max_pool2(x: &Tensor) -> Result<Tensor> {
    let (batch, rows, cols, channels) = x.dims4()?;
    let (h, w) = (rows / 2, cols / 2);
    let x = x.narrow(1, 0, 2 * h)?.narrow(2, 0, 2 * w)?.contiguous()?;
    let across = larger_half(&x.reshape((batch, 2 * h, w, 2, channels))?, 3)?;
    larger_half(&across.reshape((batch, h, 2, w, channels))?, 2)
}

/// Of a tensor with two entries along `dim`, the larger ones, the first where they tie (as the SIMD core has
/// it: within [`TIE`]); `dim` goes away.
fn larger_half(x: &Tensor, dim: usize) -> Result<Tensor> {
    let half = |i: usize| x.narrow(dim, i, 1)?.squeeze(dim)?.contiguous();
    let (first, second) = (half(0)?, half(1)?);
    (&first + f64::from(TIE))?.ge(&second)?.where_cond(&first, &second)
}

/// The pixels of each window, `[batch, rows, cols, channels]` for each of its places; what lies outside the image is `outside`.
fn windows(x: &Tensor, window: Window, outside: f64) -> Result<Vec<Tensor>> {
    let Window { size, stride, pad: [top, left, bottom, right] } = window;
    let padded = |x: &Tensor| x.pad_with_zeros(1, top, bottom)?.pad_with_zeros(2, left, right);
    // Zero inside, `outside` around.
    let frame = ((padded(&x.ones_like()?)? - 1.0)? * -outside)?;
    let x = (padded(x)? + frame)?;
    let (_, rows, cols, _) = x.dims4()?;
    let (h, w) = ((rows - size[0]) / stride[0] + 1, (cols - size[1]) / stride[1] + 1);
    let place = |i: usize| every(&every(&x, 1, i / size[1], h, stride[0])?, 2, i % size[1], w, stride[1]);
    (0..size[0] * size[1]).map(place).collect()
}

/// Maximum over windows; the first of those that tie.
fn max_pool(x: &Tensor, window: Window) -> Result<Tensor> {
    let mut all = windows(x, window, -1e30)?.into_iter();
    let Some(first) = all.next() else { bail!("a window without places") };
    all.try_fold(first, |best, next| next.gt(&(&best + f64::from(TIE))?)?.where_cond(&next, &best))
}

/// Mean over what windows cover of the image.
fn mean_pool(x: &Tensor, window: Window) -> Result<Tensor> {
    let sum = |x: &Tensor| {
        let all = windows(x, window, 0.0)?;
        all[1..].iter().try_fold(all[0].clone(), |sum, next| sum + next)
    };
    sum(x)? / sum(&x.ones_like()?)?
}

/// A function of each number.
fn function(x: &Tensor, activation: Activation) -> Result<Tensor> {
    let sigmoid = |x: &Tensor| (x.neg()?.exp()? + 1.0)?.recip();
    // By ramps, since candle's own clamp keeps no gradient; a bound beyond all numbers is none.
    let clip = |x: &Tensor, low: f64, high: f64| -> Result<Tensor> {
        let beyond = f64::from(f32::MAX);
        let x = if low <= -beyond { x.clone() } else { ((x - low)?.relu()? + low)? };
        if high >= beyond { Ok(x) } else { high - (high - &x)?.relu()? }
    };
    match activation {
        Activation::Relu => x.relu(),
        Activation::LeakyRelu(slope) => x.relu()? - (x.neg()?.relu()? * f64::from(slope))?,
        Activation::Clip(low, high) => clip(x, low.into(), high.into()),
        Activation::Sigmoid => sigmoid(x),
        Activation::Tanh => x.tanh(),
        Activation::Erf => x.erf(),
        Activation::Gelu => x.gelu_erf(),
        Activation::GeluTanh => x.gelu(),
        Activation::Silu => x * sigmoid(x)?,
        Activation::HardSigmoid(slope, shift) => clip(&x.affine(slope.into(), shift.into())?, 0.0, 1.0),
        Activation::HardSwish => x * clip(&x.affine(1.0 / 6.0, 0.5)?, 0.0, 1.0)?,
        Activation::Elu(slope) => x.elu(slope.into()),
        Activation::Softplus => x.relu()? + (x.abs()?.neg()?.exp()? + 1.0)?.log()?,
        Activation::Round { step, low, high } => {
            let (step, low, high) = (f64::from(step), f64::from(low), f64::from(high));
            let ranged = clip(&(x / step)?, low, high)?;
            // The gradient passes by the rounding.
            (&ranged + (ranged.round()? - &ranged)?.detach())? * step
        }
    }
}

#[cfg(test)]
mod tests {
    use candle_core::Device;

    use super::*;

    #[test]
    fn a_product_and_its_gradients_have_the_bits_of_sums_in_order() {
        // Without fused multiply-add a sum rounds twice a term, and promises nothing.
        #[cfg(target_arch = "x86_64")]
        if !std::is_x86_feature_detected!("fma") {
            return;
        }
        let mut rng = fastrand::Rng::with_seed(5);
        let (batch, inputs, outputs) = (7, 1_300, 700);
        let mut random = |n: usize| -> Vec<f32> { (0..n).map(|_| rng.f32() - 0.5).collect() };
        let (a, b, g) = (random(batch * inputs), random(outputs * inputs), random(batch * outputs));
        let var = |values: &[f32], rows, cols| Var::from_slice(values, (rows, cols), &Device::Cpu).unwrap();
        let (x, weight) = (var(&a, batch, inputs), var(&b, outputs, inputs));
        let y = product(&x, &weight).unwrap();
        let loss = (&y * var(&g, batch, outputs).as_tensor()).unwrap().sum_all().unwrap();
        let gradients = loss.backward().unwrap();
        // The terms of each sum in order, in pieces, each begun at nothing.
        let sum = |count: usize, term: &dyn Fn(usize) -> (f32, f32)| -> f32 {
            let piece = |start: usize| {
                (start..(start + SUMMED).min(count)).fold(0.0f32, |sum, i| term(i).0.mul_add(term(i).1, sum))
            };
            (0..count).step_by(SUMMED).map(piece).reduce(|sum, piece| sum + piece).unwrap_or(0.0)
        };
        let bits = |tensor: &Tensor| -> Vec<u32> {
            tensor.flatten_all().unwrap().to_vec1::<f32>().unwrap().into_iter().map(f32::to_bits).collect()
        };
        let of =
            |count: usize, f: &dyn Fn(usize) -> f32| (0..count).map(|i| f(i).to_bits()).collect::<Vec<u32>>();
        let expected = of(batch * outputs, &|i| {
            sum(inputs, &|k| (a[i / outputs * inputs + k], b[i % outputs * inputs + k]))
        });
        assert!(bits(&y) == expected, "the product");
        let to_x = of(batch * inputs, &|i| {
            sum(outputs, &|o| (g[i / inputs * outputs + o], b[o * inputs + i % inputs]))
        });
        assert!(bits(gradients.get(&x).unwrap()) == to_x, "the gradient of the inputs");
        let to_weight = of(outputs * inputs, &|i| {
            sum(batch, &|n| (g[n * outputs + i / inputs], a[n * inputs + i % inputs]))
        });
        assert!(bits(gradients.get(&weight).unwrap()) == to_weight, "the gradient of the weights");
    }
}
