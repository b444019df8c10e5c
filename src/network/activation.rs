//! Functions of one number that stand between layers: value, slope, and how they are written.

use std::fmt;

use crate::number;

/// A function that is applied to every number by itself.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Activation {
    /// `max(x, 0)`.
    Relu,
    /// `x` where it is above zero, elsewhere this many times it (Maas, Hannun, Ng 2013).
    LeakyRelu(f32),
    /// `x`, no lower than the first number and no higher than the second: ReLU6 and its like.
    Clip(f32, f32),
    /// `1 / (1 + exp(-x))`.
    Sigmoid,
    /// The hyperbolic tangent.
    Tanh,
    /// The error function.
    Erf,
    /// `x Phi(x)`, with the normal distribution function (Hendrycks, Gimpel 2016).
    Gelu,
    /// The same by their approximation, `x / 2 (1 + tanh(sqrt(2 / pi) (x + 0.044715 x^3)))`.
    GeluTanh,
    /// `x sigmoid(x)`, also called Swish (Ramachandran, Zoph, Le 2017).
    Silu,
    /// `max(0, min(1, slope x + shift))`.
    HardSigmoid(f32, f32),
    /// `x max(0, min(1, x / 6 + 1 / 2))` (Howard et al. 2019).
    HardSwish,
    /// `x` where it is above zero, elsewhere this many times `exp(x) - 1` (Clevert, Unterthiner, Hochreiter 2016).
    Elu(f32),
    /// `log(1 + exp(x))`.
    Softplus,
    /// Rounding to whole multiples of a step, as a network of 8-bit integers does it: `step (min(high, max(low, round(x / step))))`, low
    /// and high being whole numbers. Its gradient is the straight-through one (Bengio, Leonard, Courville 2013): 1 within the range.
    Round {
        /// The step.
        step: f32,
        /// The lowest multiple.
        low: f32,
        /// The highest multiple.
        high: f32,
    },
}

/// `sqrt(2 / pi)` and the factor of the cube in [`Activation::GeluTanh`].
const GELU: [f32; 2] = [0.797_884_6, 0.044_715];

impl Activation {
    /// Its value and its slope at `x`; where it bends, the slope from below.
    pub fn at(self, x: f32) -> (f32, f32) {
        let sigmoid = |x: f32| 1.0 / (1.0 + (-x).exp());
        match self {
            Self::Relu if x > 0.0 => (x, 1.0),
            Self::Relu => (0.0, 0.0),
            Self::LeakyRelu(_) | Self::Elu(_) if x > 0.0 => (x, 1.0),
            Self::LeakyRelu(slope) => (slope * x, slope),
            Self::Elu(slope) => (slope * x.exp_m1(), slope * x.exp()),
            Self::Clip(low, high) => (x.max(low).min(high), inside(x, low, high)),
            Self::Sigmoid => {
                let y = sigmoid(x);
                (y, y * (1.0 - y))
            }
            Self::Tanh => {
                let y = x.tanh();
                (y, 1.0 - y * y)
            }
            Self::Erf => (libm::erff(x), std::f32::consts::FRAC_2_SQRT_PI * (-x * x).exp()),
            // Where what follows would multiply nothing by what is beyond all numbers.
            Self::Gelu | Self::GeluTanh if x.abs() > 12.0 => Self::Relu.at(x),
            Self::Gelu => {
                let below = 0.5 * (1.0 + libm::erff(x * std::f32::consts::FRAC_1_SQRT_2));
                let density = 0.5
                    * std::f32::consts::FRAC_2_SQRT_PI
                    * std::f32::consts::FRAC_1_SQRT_2
                    * (-0.5 * x * x).exp();
                (x * below, below + x * density)
            }
            Self::GeluTanh => {
                let [outer, cube] = GELU;
                let tanh = (outer * (x + cube * x * x * x)).tanh();
                let inner = outer * (1.0 + 3.0 * cube * x * x);
                (0.5 * x * (1.0 + tanh), 0.5 * (1.0 + tanh) + 0.5 * x * (1.0 - tanh * tanh) * inner)
            }
            Self::Silu => {
                let y = sigmoid(x);
                (x * y, y + x * y * (1.0 - y))
            }
            Self::HardSigmoid(slope, shift) => {
                let y = slope * x + shift;
                (y.clamp(0.0, 1.0), slope * inside(y, 0.0, 1.0))
            }
            Self::HardSwish if x <= -3.0 => (0.0, 0.0),
            Self::HardSwish if x > 3.0 => (x, 1.0),
            Self::HardSwish => (x * (x / 6.0 + 0.5), x / 3.0 + 0.5),
            Self::Softplus => (x.max(0.0) + (-x.abs()).exp().ln_1p(), sigmoid(x)),
            Self::Round { step, low, high } => {
                let whole = (x / step).round_ties_even();
                (step * whole.max(low).min(high), inside(whole, low - 0.5, high + 0.5))
            }
        }
    }

    /// Its name in a weights file, and its numbers with theirs.
    fn parts(self) -> (&'static str, Vec<(&'static str, f32)>) {
        match self {
            Self::Relu => ("relu", vec![]),
            Self::LeakyRelu(slope) => ("leaky-relu", vec![("slope", slope)]),
            Self::Clip(low, high) => ("clip", vec![("low", low), ("high", high)]),
            Self::Sigmoid => ("sigmoid", vec![]),
            Self::Tanh => ("tanh", vec![]),
            Self::Erf => ("erf", vec![]),
            Self::Gelu => ("gelu", vec![]),
            Self::GeluTanh => ("gelu-tanh", vec![]),
            Self::Silu => ("silu", vec![]),
            Self::HardSigmoid(slope, shift) => ("hard-sigmoid", vec![("slope", slope), ("shift", shift)]),
            Self::HardSwish => ("hard-swish", vec![]),
            Self::Elu(slope) => ("elu", vec![("slope", slope)]),
            Self::Softplus => ("softplus", vec![]),
            Self::Round { step, low, high } => ("round", vec![("step", step), ("low", low), ("high", high)]),
        }
    }

    /// How many numbers it is made of.
    pub fn count(self) -> usize {
        self.parts().1.len()
    }

    /// The one of that name, with its numbers as `get` has them by theirs; `None` where there is no such.
    ///
    /// # Errors
    /// In words, where a number is missing, or not possible.
    pub fn read<'a>(
        name: &str,
        get: impl Fn(&str) -> Result<&'a str, String>,
    ) -> Result<Option<Self>, String> {
        let number = |key: &str| -> Result<f32, String> {
            let text = get(key)?;
            let number = number::parse(text).map(|number| number as f32).filter(|number| number.is_finite());
            number.ok_or_else(|| format!("'{key}={text}' has no number"))
        };
        Ok(Some(match name {
            "relu" => Self::Relu,
            "leaky-relu" => Self::LeakyRelu(number("slope")?),
            "clip" => Self::Clip(number("low")?, number("high")?),
            "sigmoid" => Self::Sigmoid,
            "tanh" => Self::Tanh,
            "erf" => Self::Erf,
            "gelu" => Self::Gelu,
            "gelu-tanh" => Self::GeluTanh,
            "silu" => Self::Silu,
            "hard-sigmoid" => Self::HardSigmoid(number("slope")?, number("shift")?),
            "hard-swish" => Self::HardSwish,
            "elu" => Self::Elu(number("slope")?),
            "softplus" => Self::Softplus,
            "round" => match (number("step")?, number("low")?, number("high")?) {
                (step, low, high) if step > 0.0 && low <= high => Self::Round { step, low, high },
                _ => return Err("rounding needs a step above zero, and a range".into()),
            },
            _ => return Ok(None),
        }))
    }
}

/// 1 within a range, 0 outside and at its ends.
fn inside(x: f32, low: f32, high: f32) -> f32 {
    if low < x && x < high { 1.0 } else { 0.0 }
}

impl fmt::Display for Activation {
    /// As it stands in a weights file, e.g. `leaky-relu slope=0.01`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (name, numbers) = self.parts();
        f.write_str(name)?;
        numbers.iter().try_for_each(|(key, value)| write!(f, " {key}={value}"))
    }
}

#[cfg(test)]
pub(crate) mod tests {
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;

    /// One of each.
    pub(crate) const ALL: [Activation; 14] = [
        Activation::Relu,
        Activation::LeakyRelu(0.01),
        Activation::Clip(0.0, 6.0),
        Activation::Sigmoid,
        Activation::Tanh,
        Activation::Erf,
        Activation::Gelu,
        Activation::GeluTanh,
        Activation::Silu,
        Activation::HardSigmoid(0.2, 0.5),
        Activation::HardSwish,
        Activation::Elu(0.7),
        Activation::Softplus,
        Activation::Round { step: 0.25, low: -3.0, high: 40.0 },
    ];

    #[test]
    fn the_slope_is_that_of_the_values() {
        for activation in ALL {
            for x in [-20.0f32, -3.3, -1.2, -0.4, 0.3, 1.1, 2.9, 4.4, 30.0] {
                let step = if matches!(activation, Activation::Round { .. }) { 0.25 } else { 1e-2 };
                let value = |x: f32| f64::from(activation.at(x).0);
                let slope = (value(x + step) - value(x - step)) / (2.0 * f64::from(step));
                let found = f64::from(activation.at(x).1);
                assert!((slope - found).abs() < 3e-3, "{activation} at {x}: {found} beside {slope}");
            }
        }
    }

    #[test]
    fn nothing_large_is_no_number() {
        for activation in ALL {
            for x in [-1e30f32, -100.0, 0.0, 100.0, 1e30] {
                let (value, slope) = activation.at(x);
                assert!(value.is_finite() && slope.is_finite(), "{activation} at {x}: {value}, {slope}");
            }
        }
    }
}
