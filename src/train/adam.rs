//! Adam (Kingma & Ba 2015), with moments that a checkpoint can hold; candle-nn keeps its own to itself.

use candle_core::backprop::GradStore;
use candle_core::{Result, Tensor, Var};

use crate::network::Parameter;

const BETA1: f64 = 0.9;
const BETA2: f64 = 0.999;
const EPSILON: f64 = 1e-8;

/// Inputs above which a layer's rate falls with their number (Yang & Hu 2021): Adam moves all weights of a layer by the same
/// amount, and what they sum over moves by that times the inputs.
const WIDE: usize = 10_000;

fn scale(fan_in: usize) -> f64 {
    if fan_in > WIDE { 1_000.0 / fan_in as f64 } else { 1.0 }
}

/// The optimiser with its state.
pub struct Adam {
    variables: Vec<Var>,
    /// By how much the rate of each variable is smaller.
    scales: Vec<f64>,
    /// First and second moment of each variable.
    pub moments: Vec<[Tensor; 2]>,
    /// Steps taken.
    pub steps: usize,
}

impl Adam {
    /// At rest.
    ///
    /// # Errors
    /// When candle fails.
    pub fn new(variables: Vec<Var>, parameters: &[Parameter]) -> Result<Self> {
        let scales =
            parameters.iter().map(|p| if p.shape.len() > 1 { scale(p.fan_in) } else { 1.0 }).collect();
        let moments =
            variables.iter().map(|v| Ok([v.zeros_like()?, v.zeros_like()?])).collect::<Result<_>>()?;
        Ok(Self { variables, scales, moments, steps: 0 })
    }

    /// One step down `gradients` at the given rate, with a decay of the weights apart from it (Loshchilov & Hutter 2019;
    /// biases do not decay).
    ///
    /// # Errors
    /// When candle fails.
    pub fn step(&mut self, gradients: &GradStore, rate: f64, decay: f64) -> Result<()> {
        self.steps += 1;
        let correction = |beta: f64| 1.0 - beta.powf(self.steps as f64);
        let (first, second) = (correction(BETA1), correction(BETA2));
        let variables = self.variables.iter().zip(&self.scales);
        for ((variable, scale), moments) in variables.zip(&mut self.moments) {
            let rate = rate * scale;
            let Some(gradient) = gradients.get(variable) else { continue };
            let gradient = &gradient.detach();
            let m = ((&moments[0] * BETA1)? + (gradient * (1.0 - BETA1))?)?;
            let v = ((&moments[1] * BETA2)? + (gradient.sqr()? * (1.0 - BETA2))?)?;
            let step = ((&m * (rate / first))? / ((&v / second)?.sqrt()? + EPSILON)?)?;
            let kept = match variable.rank() {
                1 => variable.as_tensor().clone(),
                _ if decay == 0.0 => variable.as_tensor().clone(),
                _ => (variable.as_tensor() * (1.0 - rate * decay))?,
            };
            variable.set(&(kept - step)?.detach())?;
            *moments = [m.detach(), v.detach()];
        }
        Ok(())
    }
}
