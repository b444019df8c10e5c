//! A first step on a device beside the same on the CPU: how far loss and gradients are apart.

use anyhow::{Context, Result};
use candle_core::{Device, Tensor};

use super::Options;
use super::graph::{Engine, Graph};
use super::step::{Descent, each_step};
use crate::native::labelled::Labelled;

/// How far apart two computations of a first step are: the loss as a share of it, and of the gradients with respect to each variable the
/// largest difference as a share of the largest number of it (and of a hundredth of the largest of all, at least).
pub struct Apart {
    /// Who computed it, beside candle on the CPU.
    pub engine: &'static str,
    /// Of the loss.
    pub loss: f64,
    /// Of the gradients, the worst of all variables.
    pub gradient: f64,
    /// Which one that is.
    pub variable: String,
}

/// Takes a first step from the same weights with the same draws by candle on the CPU, by the SIMD core, and on the device of the options where
/// that is another.
///
/// # Errors
/// When candle fails.
pub fn compare(options: &Options, train: &Labelled) -> Result<Vec<Apart>> {
    let reference = first_step(&Options { device: Device::Cpu, ..options.clone() }, Engine::Candle, train)?;
    let mut others = vec![("the SIMD core", Engine::Simd, Device::Cpu)];
    if !options.device.is_cpu() {
        others.push(("the device", Engine::Device, options.device.clone()));
    }
    // What cancels out, as the gradient of an embedding's bias does in a loss of pairs, is nothing but rounding: it counts beside the others.
    let numbers = |all: &[Vec<f32>]| all.iter().flatten().fold(0.0f32, |most, x| most.max(x.abs()));
    let least = (1e-2 * numbers(&reference.gradients)).max(f32::MIN_POSITIVE);
    let names: Vec<String> = options.trained.parameters().into_iter().map(|p| p.name).collect();
    let mut found = Vec::new();
    for (engine, with, device) in others {
        let step = first_step(&Options { device, ..options.clone() }, with, train)?;
        let mut worst = (0.0, String::new());
        for ((name, a), b) in names.iter().zip(&step.gradients).zip(&reference.gradients) {
            let largest = b.iter().fold(least, |most, x| most.max(x.abs()));
            let far = a.iter().zip(b).map(|(a, b)| (a - b).abs()).fold(0.0f32, f32::max) / largest;
            if f64::from(far) >= worst.0 {
                worst = (f64::from(far), name.clone());
            }
        }
        let loss = (step.loss / reference.loss - 1.0).abs();
        found.push(Apart { engine, loss, gradient: worst.0, variable: worst.1 });
    }
    Ok(found)
}

/// The loss of a first step, and its gradients with respect to each variable.
struct First {
    loss: f64,
    gradients: Vec<Vec<f32>>,
}

fn first_step(options: &Options, engine: Engine, train: &Labelled) -> Result<First> {
    let Options { ref trained, recipe, ref device, seed, .. } = *options;
    let mut rng = fastrand::Rng::with_seed(seed);
    let gains = (recipe.decoder_gain, recipe.pair_loss.gain());
    let mut tensors = Graph::random(trained, &mut rng, device, engine, gains)?.tensors()?;
    // Biases begin at nothing, where a ReLU of a black background bends: to either side, as each has it.
    for (parameter, values) in trained.parameters().iter().zip(&mut tensors) {
        if parameter.shape.len() == 1 {
            values.iter_mut().for_each(|x| *x += 0.02 * (rng.f32() - 0.5));
        }
    }
    let graph = Graph::new(trained, &tensors, device, engine)?;
    let descent = Descent::new(options, train, engine)?;
    let order: Vec<usize> = (0..recipe.batch.min(train.len())).collect();
    let mut first = None;
    // As in the middle of a training, where all that a loss has is at work.
    let done = 0.5;
    each_step(
        options,
        train,
        &order,
        rng,
        |_| done,
        |_, drawn| {
            let (loss, _) = descent.loss(&graph, drawn, done)?;
            let store = loss.backward()?;
            let flat = |tensor: &Tensor| tensor.flatten_all()?.to_vec1::<f32>();
            let of = |variable: &candle_core::Var| match store.get(variable) {
                Some(gradient) => flat(gradient),
                None => Ok(vec![0.0; variable.elem_count()]),
            };
            let gradients = graph.variables.iter().map(of).collect::<candle_core::Result<_>>()?;
            first = Some(First { loss: f64::from(loss.to_scalar::<f32>()?), gradients });
            Ok(true)
        },
    )?;
    first.context("there are fewer images than a batch has")
}
