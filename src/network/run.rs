//! A network, or a part of one, with its weights, ready to run: its outputs, and the gradient of a function of
//! them with respect to the input, for one input or for several at once. Buffers are made once (and grow with the largest
//! batch); a step allocates nothing.

use std::sync::Arc;

use super::layer::{Kind, Shape};
use super::spec::{Part, Spec, parameters, shapes};
use crate::error::{Error, Result};
use crate::kernel::conv::transpose::{ConvTranspose, adjoint};
use crate::kernel::conv::{Conv, ConvShape};
use crate::kernel::rows::{RowMatrix, Term};
use crate::kernel::simd::Level;

/// A network that runs on this machine.
#[derive(Clone, Debug)]
pub struct Net {
    level: Level,
    /// The shape of what goes in.
    input: Shape,
    inputs: usize,
    outputs: usize,
    stages: Vec<Stage>,
}

/// Neighbouring layers that run as one, with their output, and the gradient with respect to their input.
///
/// Both hold one image after the other, each as long as the stride says.
#[derive(Clone, Debug)]
struct Stage {
    op: Op,
    output: Vec<f32>,
    output_stride: usize,
    input_gradient: Vec<f32>,
    gradient_stride: usize,
}

impl Stage {
    /// Makes room for so many images.
    fn grow(&mut self, count: usize) {
        if self.output.len() < count * self.output_stride {
            self.output.resize(count * self.output_stride, 0.0);
            self.input_gradient.resize(count * self.gradient_stride, 0.0);
            match &mut self.op {
                Op::Conv { conv, winners } => winners.resize(count * conv.outputs(), 0),
                Op::Prototypes(prototypes) => prototypes.inputs.resize(count * prototypes.size, 0.0),
                _ => {}
            }
        }
    }

    fn output(&self, image: usize) -> &[f32] {
        &self.output[image * self.output_stride..][..self.output_stride]
    }

    fn input_gradient(&self, image: usize) -> &[f32] {
        &self.input_gradient[image * self.gradient_stride..][..self.gradient_stride]
    }
}

#[derive(Clone, Debug)]
enum Op {
    Conv { conv: Conv, winners: Vec<u32> },
    ConvTranspose(ConvTranspose),
    Dense(Dense),
    Resample(Resample),
    Pad(Pad),
    Scale(Scale),
    Prototypes(Prototypes),
}

/// Zeros around an image: where its rows lie in the larger one.
#[derive(Clone, Copy, Debug)]
struct Pad {
    rows: usize,
    /// Numbers in a row of the image, and of the larger one.
    row: usize,
    wide: usize,
    /// Where the first row begins in the larger one.
    first: usize,
}

/// A factor and a summand for each channel.
#[derive(Clone, Debug)]
struct Scale {
    factors: Arc<[f32]>,
    summands: Arc<[f32]>,
}

/// Minus the squared distances from prototypes.
#[derive(Clone, Debug)]
struct Prototypes {
    /// Numbers in a prototype.
    size: usize,
    /// One after the other.
    all: Arc<[f32]>,
    /// What came in last: the distances alone do not tell the direction.
    inputs: Vec<f32>,
}

/// Mean over windows, or repetition of pixels.
#[derive(Clone, Copy, Debug)]
struct Resample {
    /// Rows, columns and channels on the side with fewer of them.
    coarse: [usize; 3],
    /// Columns on the other side.
    fine_cols: usize,
    factor: usize,
    /// Whether it repeats.
    up: bool,
}

/// A dense layer with both directions of its product.
#[derive(Clone, Debug)]
struct Dense {
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

impl Net {
    /// Plans `spec` with its tensors (in the order and shapes of [`Spec::parameters`]) for this machine.
    ///
    /// # Errors
    /// [`Error::Unsupported`] for an order of layers that no kernel covers, [`Error::BadInput`] for tensors
    /// of the wrong length.
    pub fn new(spec: &Spec, tensors: &[Vec<f32>]) -> Result<Self> {
        Self::at_level(Level::detect(), spec, tensors)
    }

    /// [`new`](Self::new) for a given instruction set.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn at_level(level: Level, spec: &Spec, tensors: &[Vec<f32>]) -> Result<Self> {
        Self::part(level, spec, Part::Classifier, tensors)
    }

    /// A part of `spec` for a given instruction set, with all of the network's tensors.
    ///
    /// # Errors
    /// As [`new`](Self::new); [`Error::Unsupported`] when the network has no such part.
    pub fn part(level: Level, spec: &Spec, part: Part, tensors: &[Vec<f32>]) -> Result<Self> {
        let all = spec.parameters();
        let fits = all.len() == tensors.len() && all.iter().zip(tensors).all(|(p, t)| p.count() == t.len());
        if !fits {
            return Err(Error::BadInput(format!("these tensors are not those of '{}'", spec.name)));
        }
        let (input, layers) =
            spec.part(part).ok_or_else(|| unsupported(spec, &format!("it has no {part:?}")))?;
        let own: Vec<&Vec<f32>> = parameters(input, layers)
            .iter()
            .filter_map(|own| all.iter().position(|p| p.name == own.name))
            .map(|i| &tensors[i])
            .collect();
        let mut tensors = own.into_iter();
        let mut tensor =
            || tensors.next().ok_or_else(|| unsupported(spec, "it has more layers than tensors"));
        let kinds: Vec<Kind> = layers.iter().map(|layer| layer.kind).collect();
        let shapes = shapes(input, layers);
        if shapes.len() != layers.len() + 1 {
            return Err(unsupported(spec, "its layers do not fit each other"));
        }
        let size = |s: Shape| s.iter().product::<usize>();
        let mut stages = Vec::new();
        let mut i = 0;
        while let Some(&kind) = kinds.get(i) {
            let input = shapes[i];
            let follows = |at: usize, what: Kind| kinds.get(at) == Some(&what);
            let relu = follows(i + 1, Kind::Relu);
            let alone = || {
                let why = format!("layer {} ({kind}) has to follow a convolution or a dense layer", i + 1);
                Err(unsupported(spec, &why))
            };
            let (next, op) = match kind {
                Kind::Conv { channels, kernel, stride } => {
                    let after = i + 1 + usize::from(relu);
                    let pool = follows(after, Kind::MaxPool2);
                    let (weight, bias) = (tensor()?, tensor()?);
                    let shape = ConvShape { input, channels, kernel, stride, relu, pool };
                    let conv = Conv::new(level, shape, weight, bias);
                    let winners = vec![0; shape.output().iter().product()];
                    (after + usize::from(pool), Op::Conv { conv, winners })
                }
                Kind::Dense(outputs) => {
                    let (weight, bias) = (tensor()?, tensor()?);
                    let dense = Dense::new(level, input, outputs, relu, weight, bias);
                    (i + 1 + usize::from(relu), Op::Dense(dense))
                }
                Kind::ConvTranspose { channels, kernel, stride } => {
                    let (weight, bias) = (tensor()?, tensor()?);
                    let shape = adjoint(input, channels, kernel, stride);
                    let up = ConvTranspose::new(level, shape, relu, weight, bias);
                    (i + 1 + usize::from(relu), Op::ConvTranspose(up))
                }
                Kind::AvgPool(factor) => {
                    let (coarse, fine_cols) = (shapes[i + 1], input[1]);
                    (i + 1, Op::Resample(Resample { coarse, fine_cols, factor, up: false }))
                }
                Kind::Upsample(factor) => {
                    let (coarse, fine_cols) = (input, shapes[i + 1][1]);
                    (i + 1, Op::Resample(Resample { coarse, fine_cols, factor, up: true }))
                }
                Kind::Pad([top, left, ..]) => {
                    let ([rows, cols, channels], wide) = (input, shapes[i + 1][1] * input[2]);
                    let pad = Pad { rows, row: cols * channels, wide, first: top * wide + left * channels };
                    (i + 1, Op::Pad(pad))
                }
                Kind::Scale => {
                    let (factors, summands) = (tensor()?.as_slice().into(), tensor()?.as_slice().into());
                    (i + 1, Op::Scale(Scale { factors, summands }))
                }
                // Images lie in memory pixel by pixel, as the vector is to be read.
                Kind::Unflatten(_) if i > 0 => {
                    i += 1;
                    continue;
                }
                Kind::Prototypes(_) => {
                    let (size, all) = (size(input), tensor()?.as_slice().into());
                    (i + 1, Op::Prototypes(Prototypes { size, all, inputs: vec![0.0; size] }))
                }
                Kind::Relu | Kind::MaxPool2 | Kind::Unflatten(_) => return alone(),
            };
            i = next;
            let (slack, padded) = match &op {
                Op::Conv { conv, .. } => (conv.slack(), size(shapes[i])),
                Op::ConvTranspose(up) => (level.lanes(), size(shapes[i]) + up.slack()),
                Op::Dense(dense) => (level.lanes(), dense.forward.padded_cols()),
                Op::Resample(_) | Op::Pad(_) | Op::Scale(_) | Op::Prototypes(_) => {
                    (level.lanes(), size(shapes[i]))
                }
            };
            let (output_stride, gradient_stride) = (padded, size(input) + slack);
            let (output, input_gradient) = (vec![0.0; output_stride], vec![0.0; gradient_stride]);
            stages.push(Stage { op, output, output_stride, input_gradient, gradient_stride });
        }
        if stages.is_empty() {
            return Err(unsupported(spec, "it has no layers"));
        }
        Ok(Self { level, input, inputs: size(input), outputs: size(shapes[layers.len()]), stages })
    }

    /// Nets one after the other as one, with the packed weights of these.
    ///
    /// # Errors
    /// [`Error::BadInput`] when one does not read what the one before it puts out.
    pub fn chain(nets: &[&Self]) -> Result<Self> {
        let fits = nets.windows(2).all(|pair| pair[0].outputs == pair[1].inputs);
        match (nets, fits) {
            ([first, .., last], true) => Ok(Self {
                outputs: last.outputs,
                stages: nets.iter().flat_map(|net| net.stages.iter().cloned()).collect(),
                ..(*first).clone()
            }),
            _ => Err(Error::BadInput("these parts do not fit each other".into())),
        }
    }

    /// Rows, columns and channels of what goes in.
    pub fn input(&self) -> Shape {
        self.input
    }

    /// The instruction set that it runs on.
    pub fn level(&self) -> Level {
        self.level
    }

    /// Numbers that go in.
    pub fn inputs(&self) -> usize {
        self.inputs
    }

    /// Numbers that come out.
    pub fn outputs(&self) -> usize {
        self.outputs
    }

    /// The outputs for an input: the logits (`[classes]`) of an image (rows x columns x channels, in [0, 1]), or what
    /// the part makes of what it reads.
    ///
    /// # Panics
    /// When the input is too short.
    pub fn forward(&mut self, input: &[f32]) -> &[f32] {
        self.forward_batch(input, 1);
        self.outputs_of(0)
    }

    /// [`forward`](Self::forward) for `count` inputs, one after the other; [`outputs_of`](Self::outputs_of) has what came
    /// out. The same numbers as one by one.
    ///
    /// # Panics
    /// When there are too few numbers for so many inputs.
    pub fn forward_batch(&mut self, inputs: &[f32], count: usize) {
        assert!(inputs.len() >= count * self.inputs, "the inputs are too short");
        let mut done: &mut [Stage] = &mut [];
        let mut rest = &mut self.stages[..];
        while let Some((stage, later)) = rest.split_first_mut() {
            stage.grow(count);
            let input = |i: usize| match done.last() {
                Some(before) => before.output(i),
                None => &inputs[i * self.inputs..(i + 1) * self.inputs],
            };
            let stride = stage.output_stride;
            match &mut stage.op {
                Op::Conv { conv, winners } => {
                    let images =
                        stage.output.chunks_exact_mut(stride).zip(winners.chunks_exact_mut(conv.outputs()));
                    for (i, (output, winners)) in images.enumerate().take(count) {
                        conv.forward(input(i), output, winners);
                    }
                }
                Op::Dense(dense) => dense.forward(input, &mut stage.output, stride, count),
                op => {
                    for (i, output) in stage.output.chunks_exact_mut(stride).enumerate().take(count) {
                        match op {
                            Op::ConvTranspose(up) => up.forward(input(i), output),
                            Op::Resample(resample) if resample.up => resample.repeat(input(i), output, 1.0),
                            Op::Resample(resample) => {
                                output.fill(0.0);
                                resample.gather(input(i), output, resample.share());
                            }
                            Op::Pad(pad) => {
                                output.fill(0.0);
                                pad.rows(|inner, outer| output[outer].copy_from_slice(&input(i)[inner]));
                            }
                            Op::Scale(scale) => scale.forward(input(i), output),
                            Op::Prototypes(prototypes) => prototypes.forward(i, input(i), output),
                            Op::Conv { .. } | Op::Dense(_) => {}
                        }
                    }
                }
            }
            done = std::slice::from_mut(stage);
            rest = later;
        }
    }

    /// What came out for input `i` of the latest batch.
    ///
    /// # Panics
    /// When there was no such input.
    pub fn outputs_of(&self, i: usize) -> &[f32] {
        self.stages.last().map_or(&[], |stage| &stage.output(i)[..self.outputs])
    }

    /// Gradient with respect to the input of a function whose gradient with respect to the outputs is given,
    /// at the input that [`forward`](Self::forward) saw last. Same layout as the input.
    ///
    /// # Panics
    /// When `output_gradient` is shorter than the outputs.
    pub fn input_gradient(&mut self, output_gradient: &[f32]) -> &[f32] {
        self.input_gradient_batch(output_gradient, 1);
        self.gradient_of(0)
    }

    /// [`input_gradient`](Self::input_gradient) for the first `count` inputs of the latest batch, whose output gradients lie
    /// one after the other; [`gradient_of`](Self::gradient_of) has them.
    ///
    /// # Panics
    /// When there are too few output gradients, or there were fewer inputs.
    pub fn input_gradient_batch(&mut self, output_gradients: &[f32], count: usize) {
        let outputs = self.outputs;
        let mut above: Option<&Stage> = None;
        for stage in self.stages.iter_mut().rev() {
            let gradient = |i: usize| match above {
                Some(above) => above.input_gradient(i),
                None => &output_gradients[i * outputs..(i + 1) * outputs],
            };
            let (stride, from) = (stage.output_stride, stage.gradient_stride);
            stage.input_gradient[..count * from].fill(0.0);
            if let Op::Dense(dense) = &mut stage.op {
                let outputs = (&stage.output[..], stride);
                dense.input_gradient(outputs, gradient, (&mut stage.input_gradient, from), count);
                above = Some(stage);
                continue;
            }
            let images = stage.output.chunks_exact(stride).zip(stage.input_gradient.chunks_exact_mut(from));
            for (i, (output, input_gradient)) in images.enumerate().take(count) {
                match &mut stage.op {
                    Op::Conv { conv, winners } => {
                        let winners = &winners[i * conv.outputs()..(i + 1) * conv.outputs()];
                        conv.input_gradient(winners, gradient(i), input_gradient);
                    }
                    Op::ConvTranspose(up) => up.input_gradient(output, gradient(i), input_gradient),
                    Op::Resample(resample) if resample.up => {
                        resample.gather(gradient(i), input_gradient, 1.0);
                    }
                    Op::Resample(resample) => {
                        resample.repeat(gradient(i), input_gradient, resample.share());
                    }
                    Op::Pad(pad) => {
                        pad.rows(|inner, outer| input_gradient[inner].copy_from_slice(&gradient(i)[outer]));
                    }
                    Op::Scale(scale) => {
                        scale.input_gradient(gradient(i), &mut input_gradient[..output.len()])
                    }
                    Op::Prototypes(prototypes) => prototypes.input_gradient(i, gradient(i), input_gradient),
                    Op::Dense(_) => {}
                }
            }
            above = Some(stage);
        }
    }

    /// The gradient with respect to input `i` of the latest batch.
    ///
    /// # Panics
    /// When there was no such input.
    pub fn gradient_of(&self, i: usize) -> &[f32] {
        self.stages.first().map_or(&[], |stage| &stage.input_gradient(i)[..self.inputs])
    }
}

impl Resample {
    /// The weight of a pixel in the mean of its window.
    fn share(self) -> f32 {
        1.0 / (self.factor * self.factor) as f32
    }

    /// Calls `f` with the place of each pixel of the finer side and of the one that stands for it on the coarser side.
    fn pairs(self, mut f: impl FnMut(usize, usize)) {
        let [rows, cols, channels] = self.coarse;
        for row in 0..rows * self.factor {
            for col in 0..cols * self.factor {
                let fine = (row * self.fine_cols + col) * channels;
                let coarse = (row / self.factor * cols + col / self.factor) * channels;
                f(fine, coarse);
            }
        }
    }

    fn repeat(self, coarse: &[f32], fine: &mut [f32], weight: f32) {
        let channels = self.coarse[2];
        self.pairs(|to, from| {
            for c in 0..channels {
                fine[to + c] = weight * coarse[from + c];
            }
        });
    }

    fn gather(self, fine: &[f32], coarse: &mut [f32], weight: f32) {
        let channels = self.coarse[2];
        self.pairs(|from, to| {
            for c in 0..channels {
                coarse[to + c] += weight * fine[from + c];
            }
        });
    }
}

impl Pad {
    /// Calls `f` with where each row lies in the image and in the larger one.
    fn rows(self, mut f: impl FnMut(std::ops::Range<usize>, std::ops::Range<usize>)) {
        for row in 0..self.rows {
            let (inner, outer) = (row * self.row, self.first + row * self.wide);
            f(inner..inner + self.row, outer..outer + self.row);
        }
    }
}

impl Scale {
    fn forward(&self, input: &[f32], output: &mut [f32]) {
        let channels = self.factors.len();
        for (y, x) in output.chunks_exact_mut(channels).zip(input.chunks_exact(channels)) {
            for (((y, x), factor), summand) in y.iter_mut().zip(x).zip(&*self.factors).zip(&*self.summands) {
                *y = x * factor + summand;
            }
        }
    }

    fn input_gradient(&self, gradient: &[f32], input_gradient: &mut [f32]) {
        let channels = self.factors.len();
        for (to, g) in input_gradient.chunks_exact_mut(channels).zip(gradient.chunks_exact(channels)) {
            for ((to, g), factor) in to.iter_mut().zip(g).zip(&*self.factors) {
                *to = g * factor;
            }
        }
    }
}

impl Prototypes {
    fn forward(&mut self, image: usize, input: &[f32], output: &mut [f32]) {
        let input = &input[..self.size];
        self.inputs[image * self.size..][..self.size].copy_from_slice(input);
        for (y, prototype) in output.iter_mut().zip(self.all.chunks_exact(self.size)) {
            *y = -input.iter().zip(prototype).map(|(x, p)| (x - p) * (x - p)).sum::<f32>();
        }
    }

    fn input_gradient(&self, image: usize, gradient: &[f32], input_gradient: &mut [f32]) {
        let input = &self.inputs[image * self.size..][..self.size];
        for (g, prototype) in gradient.iter().zip(self.all.chunks_exact(self.size)) {
            for ((to, x), p) in input_gradient.iter_mut().zip(input).zip(prototype) {
                *to += 2.0 * g * (p - x);
            }
        }
    }
}

impl Dense {
    /// `weight` is `[outputs][channels * rows * cols]` for an `input` of rows, columns, channels.
    fn new(
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

    /// Makes room for the terms of so many images.
    fn grow(&mut self, count: usize) {
        if self.ends.len() < count {
            self.terms.resize(count * self.forward.rows().max(self.backward.rows()), Term::default());
            self.ends.resize(count, 0);
            self.cursors.resize(count, 0);
        }
    }

    fn forward<'a>(
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

    fn input_gradient<'a>(
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

fn unsupported(spec: &Spec, why: &str) -> Error {
    Error::Unsupported { network: spec.name.clone(), why: why.into() }
}

#[cfg(test)]
mod tests {
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;
    use crate::zoo;

    /// Weights of about the size that keeps activations of order one.
    pub(crate) fn random_tensors(spec: &Spec, seed: u64) -> Vec<Vec<f32>> {
        let mut rng = fastrand::Rng::with_seed(seed);
        let tensor = |p: &crate::network::Parameter| {
            let bound = (6.0 / p.fan_in as f32).sqrt();
            (0..p.count()).map(|_| (2.0 * rng.f32() - 1.0) * bound).collect()
        };
        spec.parameters().iter().map(tensor).collect()
    }

    #[test]
    fn the_gradient_is_the_slope_of_the_logits_at_every_level() {
        let cnn = zoo::by_name("mnist-cnn").unwrap();
        let tensors = random_tensors(&cnn, 4);
        let mut rng = fastrand::Rng::with_seed(5);
        let image: Vec<f32> = (0..784).map(|_| rng.f32()).collect();
        let direction: Vec<f32> = (0..784).map(|_| rng.f32() - 0.5).collect();
        let weights: Vec<f32> = (0..10).map(|_| rng.f32() - 0.5).collect();
        for level in Level::available() {
            let mut net = Net::at_level(level, &cnn, &tensors).unwrap();
            let mut value = |t: f32| -> f64 {
                let x: Vec<f32> = image.iter().zip(&direction).map(|(x, d)| x + t * d).collect();
                net.forward(&x).iter().zip(&weights).map(|(z, w)| (z * w) as f64).sum()
            };
            let step = 1e-3;
            let slope = (value(step) - value(-step)) / (2.0 * step as f64);
            net.forward(&image);
            let gradient = net.input_gradient(&weights);
            let expected: f64 = gradient.iter().zip(&direction).map(|(g, d)| (g * d) as f64).sum();
            assert!((slope - expected).abs() < 2e-2 * expected.abs(), "{level:?}: {slope} and {expected}");
        }
    }

    #[test]
    fn the_gradient_of_every_part_of_every_network_is_its_slope_at_every_level() {
        let parts = [
            Part::Classifier,
            Part::Embedding,
            Part::Encoder,
            Part::Mean,
            Part::LogVariance,
            Part::Head,
            Part::Decoder,
        ];
        for (spec, part) in zoo::all().iter().flat_map(|a| parts.map(|p| (a, p))) {
            if spec.part(part).is_none() {
                continue;
            }
            let tensors = random_tensors(spec, 4);
            for level in Level::available() {
                let mut net = Net::part(level, spec, part, &tensors).unwrap();
                // How far slope and gradient are apart, as a share of its length, at a random point.
                let mut apart = |seed: u64| -> f64 {
                    let mut rng = fastrand::Rng::with_seed(seed);
                    let mut random = |n: usize| -> Vec<f32> { (0..n).map(|_| rng.f32() - 0.5).collect() };
                    let (input, direction) = (random(net.inputs()), random(net.inputs()));
                    let weights = random(net.outputs());
                    let mut value = |t: f32| -> f64 {
                        let x: Vec<f32> = input.iter().zip(&direction).map(|(x, d)| x + t * d).collect();
                        net.forward(&x).iter().zip(&weights).map(|(z, w)| f64::from(z * w)).sum()
                    };
                    let step = 2e-4;
                    // A step may cross a bend of the network on one side of the point, seldom on both.
                    let [behind, here, ahead] = [-step, 0.0, step].map(&mut value);
                    let slopes = [here - behind, ahead - here].map(|change| change / f64::from(step));
                    net.forward(&input);
                    let gradient = net.input_gradient(&weights);
                    let along: f64 = gradient.iter().zip(&direction).map(|(g, d)| f64::from(g * d)).sum();
                    let length = gradient.iter().map(|g| f64::from(g * g)).sum::<f64>().sqrt();
                    slopes
                        .map(|slope| (slope - along).abs() / length)
                        .into_iter()
                        .fold(f64::INFINITY, f64::min)
                };
                let found = [6, 7, 8].map(&mut apart);
                let good = found.iter().all(|apart| *apart < 2e-2);
                assert!(good, "{} {part:?} {level:?}: apart by {found:?}", spec.name);
            }
        }
    }

    #[test]
    fn tensors_of_the_wrong_length_are_refused() {
        let cnn = zoo::by_name("mnist-cnn").unwrap();
        let mut tensors = random_tensors(&cnn, 4);
        tensors[2].pop();
        assert!(matches!(Net::new(&cnn, &tensors), Err(Error::BadInput(_))));
        let tensors = random_tensors(&cnn, 4);
        let decoder = Net::part(Level::detect(), &cnn, Part::Decoder, &tensors);
        assert!(matches!(decoder, Err(Error::Unsupported { .. })));
    }

    #[test]
    fn a_batch_has_the_same_bits_as_one_by_one() {
        let mut rng = fastrand::Rng::with_seed(8);
        let parts = [Part::Classifier, Part::Encoder, Part::Head, Part::Decoder];
        for (spec, part) in zoo::all().iter().flat_map(|a| parts.map(|p| (a, p))) {
            if spec.part(part).is_none() {
                continue;
            }
            let mut net = Net::part(Level::detect(), spec, part, &random_tensors(spec, 4)).unwrap();
            let mut alone = net.clone();
            let (inputs, outputs) = (net.inputs(), net.outputs());
            // A smaller batch after a larger one must not see what that left behind.
            for count in [3, 2] {
                let mut random = |n: usize| -> Vec<f32> { (0..n).map(|_| rng.f32() - 0.3).collect() };
                let (images, to_outputs) = (random(count * inputs), random(count * outputs));
                net.forward_batch(&images, count);
                net.input_gradient_batch(&to_outputs, count);
                for i in 0..count {
                    let expected = alone.forward(&images[i * inputs..(i + 1) * inputs]).to_vec();
                    assert_eq!(net.outputs_of(i), expected, "{} {part:?} {i} of {count}", spec.name);
                    let expected = alone.input_gradient(&to_outputs[i * outputs..(i + 1) * outputs]);
                    assert_eq!(net.gradient_of(i), expected, "{} {part:?} {i} of {count}", spec.name);
                }
            }
        }
    }
}
