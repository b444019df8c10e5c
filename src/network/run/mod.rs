//! A network, or a part of one, with its weights, ready to run: its outputs, and the gradient of a function of
//! them with respect to the input, for one input or for several at once. Buffers are made once (and grow with the largest
//! batch); a step allocates nothing.

mod dense;
mod grouped;
mod plan;
mod pointwise;
mod pool;
mod reorder;
mod stage;

use stage::Stage;

use super::layer::Shape;
use super::spec::{Part, Spec, parameters};
use crate::error::{Error, Result};
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
    /// Who reads what goes in: which stages, and where in their gradients its part begins; where they are several, the sums of
    /// these gradients, image after image.
    readers: Vec<(usize, usize)>,
    sum: Vec<f32>,
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
        let tensors: Vec<&[f32]> = own.into_iter().map(Vec::as_slice).collect();
        let (stages, outputs) = plan::stages(level, input, layers, &tensors, |why| unsupported(spec, why))?;
        Ok(Self::linked(level, input, outputs, stages))
    }

    fn linked(level: Level, input: Shape, outputs: usize, mut stages: Vec<Stage>) -> Self {
        let readers = plan::link(&mut stages);
        let inputs = input.iter().product();
        Self { level, input, inputs, outputs, stages, readers, sum: Vec::new() }
    }

    /// Nets one after the other as one, with the packed weights of these.
    ///
    /// # Errors
    /// [`Error::BadInput`] when one does not read what the one before it puts out.
    pub fn chain(nets: &[&Self]) -> Result<Self> {
        let fits = nets.windows(2).all(|pair| pair[0].outputs == pair[1].inputs);
        let ([first, .., last], true) = (nets, fits) else {
            return Err(Error::BadInput("these parts do not fit each other".into()));
        };
        let mut stages: Vec<Stage> = Vec::new();
        for net in nets {
            // What goes into a net comes out of the last stage before it.
            let before = stages.len();
            stages.extend(net.stages.iter().cloned());
            for stage in &mut stages[before..] {
                stage.reads.iter_mut().for_each(|(stage, _)| *stage += before);
            }
        }
        Ok(Self::linked(first.level, first.input, last.outputs, stages))
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
        let size = self.inputs;
        for at in 0..self.stages.len() {
            let (done, rest) = self.stages.split_at_mut(at);
            let Some(stage) = rest.first_mut() else { break };
            let input = |from: usize, i: usize| match from.checked_sub(1) {
                Some(from) => done[from].output(i),
                None => &inputs[i * size..(i + 1) * size],
            };
            stage.forward(input, count);
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
        for at in (0..self.stages.len()).rev() {
            let (before, after) = self.stages.split_at_mut(at + 1);
            let Some(stage) = before.last_mut() else { break };
            let (readers, size) = (std::mem::take(&mut stage.readers), stage.size);
            let mut sum = std::mem::take(&mut stage.sum);
            let of = |(reader, part): (usize, usize), i| after[reader - at - 1].input_gradient(i, part);
            add_up(&readers, of, &mut sum, size, count);
            let gradient = |i: usize| match readers[..] {
                [] => &output_gradients[i * outputs..(i + 1) * outputs],
                [one] => of(one, i),
                _ => &sum[i * size..(i + 1) * size],
            };
            stage.backward(gradient, count);
            (stage.readers, stage.sum) = (readers, sum);
        }
        let of = |(reader, part): (usize, usize), i| self.stages[reader].input_gradient(i, part);
        add_up(&self.readers, of, &mut self.sum, self.inputs, count);
    }

    /// The gradient with respect to input `i` of the latest batch.
    ///
    /// # Panics
    /// When there was no such input.
    pub fn gradient_of(&self, i: usize) -> &[f32] {
        match self.readers[..] {
            [] => &[],
            [(reader, part)] => &self.stages[reader].input_gradient(i, part)[..self.inputs],
            _ => &self.sum[i * self.inputs..(i + 1) * self.inputs],
        }
    }
}

/// Where several read what has `size` numbers, the sums of their gradients, image after image.
fn add_up<'a>(
    readers: &[(usize, usize)],
    of: impl Fn((usize, usize), usize) -> &'a [f32],
    sum: &mut Vec<f32>,
    size: usize,
    count: usize,
) {
    let [first, rest @ ..] = readers else { return };
    if rest.is_empty() {
        return;
    }
    if sum.len() < count * size {
        sum.resize(count * size, 0.0);
    }
    for (i, sum) in sum.chunks_exact_mut(size).enumerate().take(count) {
        sum.copy_from_slice(&of(*first, i)[..size]);
        for reader in rest {
            sum.iter_mut().zip(of(*reader, i)).for_each(|(sum, g)| *sum += g);
        }
    }
}

fn unsupported(spec: &Spec, why: &str) -> Error {
    Error::Unsupported { network: spec.name.clone(), why: why.into() }
}

#[cfg(test)]
mod tests;
