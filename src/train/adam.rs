//! Adam (Kingma & Ba 2015), with moments that a checkpoint can hold; candle-nn keeps its own to itself.

use candle_core::backprop::GradStore;
use candle_core::{Result, Tensor, Var};

const BETA1: f64 = 0.9;
const BETA2: f64 = 0.999;
const EPSILON: f64 = 1e-8;

/// The optimiser with its state.
pub struct Adam {
    variables: Vec<Var>,
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
    pub fn new(variables: Vec<Var>) -> Result<Self> {
        let moments =
            variables.iter().map(|v| Ok([v.zeros_like()?, v.zeros_like()?])).collect::<Result<_>>()?;
        Ok(Self { variables, moments, steps: 0 })
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
        for (variable, moments) in self.variables.iter().zip(&mut self.moments) {
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
