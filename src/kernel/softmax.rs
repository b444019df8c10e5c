//! Stable softmax, and the losses that attacks descend, on logits.

/// Writes `softmax(logits)` to `probabilities` and returns `log(sum(exp(logits)))`.
///
/// # Panics
/// When the slices differ in length or are empty.
pub fn softmax(logits: &[f32], probabilities: &mut [f32]) -> f32 {
    assert_eq!(logits.len(), probabilities.len());
    let max = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let mut sum = 0.0;
    for (p, z) in probabilities.iter_mut().zip(logits) {
        *p = (z - max).exp();
        sum += *p;
    }
    for p in probabilities.iter_mut() {
        *p /= sum;
    }
    max + sum.ln()
}

/// A loss on logits, in nats, that falls as a network comes nearer to what an attack wants. Computed from the
/// margin between a label and all others together, never from the logarithm of a probability: neither loss nor
/// gradient is lost where the network is sure.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Loss {
    /// `-log p(label)`, the cross-entropy: that this label is read.
    Label(usize),
    /// `-log(1 - p(label))`: that any other label is read. Its gradient has the direction of the ascent of the
    /// label's cross-entropy, but does not vanish where the network is sure of the label.
    Other(usize),
}

impl Loss {
    /// The loss at `logits`; writes its gradient with respect to them.
    ///
    /// # Panics
    /// When the slices differ in length, hold fewer than two numbers, or the label is outside them.
    pub fn evaluate(self, logits: &[f32], gradient: &mut [f32]) -> f32 {
        assert!(logits.len() == gradient.len() && logits.len() > 1);
        let (Self::Label(label) | Self::Other(label)) = self;
        // The softmax among the others, and the margin of the label over their log-sum-exp.
        let own = logits[label];
        gradient.copy_from_slice(logits);
        gradient[label] = f32::NEG_INFINITY;
        let max = gradient.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        let mut sum = 0.0;
        for g in gradient.iter_mut() {
            *g = (*g - max).exp();
            sum += *g;
        }
        let margin = own - (max + sum.ln());
        let (loss, slope) = match self {
            Self::Label(_) => (softplus(-margin), -sigmoid(-margin)),
            Self::Other(_) => (softplus(margin), sigmoid(margin)),
        };
        for g in gradient.iter_mut() {
            *g *= -slope / sum;
        }
        gradient[label] = slope;
        loss
    }
}

/// `log(1 + exp(x))`.
pub fn softplus(x: f32) -> f32 {
    x.max(0.0) + (-x.abs()).exp().ln_1p()
}

/// `1 / (1 + exp(-x))`.
pub fn sigmoid(x: f32) -> f32 {
    if x < 0.0 { x.exp() / (1.0 + x.exp()) } else { 1.0 / (1.0 + (-x).exp()) }
}

#[cfg(test)]
mod tests {
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;

    #[test]
    fn losses_and_gradients_match_f64() {
        let logits = [3.0f32, -1.0, 0.5, 9.0, -7.0];
        let sum: f64 = logits.iter().map(|&z| f64::from(z).exp()).sum();
        let p = logits.map(|z| f64::from(z).exp() / sum);
        for label in 0..logits.len() {
            for loss in [Loss::Label(label), Loss::Other(label)] {
                let mut gradient = [0.0; 5];
                let value = f64::from(loss.evaluate(&logits, &mut gradient));
                let expected =
                    if loss == Loss::Label(label) { -p[label].ln() } else { -(1.0 - p[label]).ln() };
                assert!((value - expected).abs() <= 1e-4 * expected, "{loss:?}: {value} and {expected}");
                for (i, &g) in gradient.iter().enumerate() {
                    let hot = f64::from(u8::from(i == label));
                    let e = match loss {
                        Loss::Label(_) => p[i] - hot,
                        Loss::Other(_) => p[i] - (1.0 - hot) * p[i] / (1.0 - p[label]),
                    };
                    let g = f64::from(g);
                    assert!((g - e).abs() <= 1e-4 * e.abs().max(1e-6), "{loss:?} at {i}: {g} and {e}");
                }
            }
        }
    }

    #[test]
    fn a_network_that_is_sure_still_has_a_gradient() {
        for (loss, towards) in [(Loss::Label(1), 1), (Loss::Other(0), 1)] {
            let mut gradient = [0.0; 3];
            let value = loss.evaluate(&[300.0, 0.0, -300.0], &mut gradient);
            assert!((value - 300.0).abs() < 1e-3, "{value}");
            assert!(gradient[0] == 1.0 && gradient[towards] == -1.0, "{gradient:?}");
        }
    }
}
