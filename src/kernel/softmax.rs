//! Stable softmax and cross-entropy on logits.

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

/// Cross-entropy of `label` under `softmax(logits)`, in nats, through log-softmax (never the log of a
/// softmax, never clipped). Writes its gradient with respect to the logits, `softmax - onehot`.
///
/// # Panics
/// When the slices differ in length or `label` is outside them.
pub fn cross_entropy(logits: &[f32], label: usize, gradient: &mut [f32]) -> f32 {
    let log_sum = softmax(logits, gradient);
    // 1 - p loses all digits when p rounds to 1; the sum of the others does not, and the gradient
    // of a network that is sure of the label keeps its direction.
    let others: f32 = gradient.iter().enumerate().filter(|&(i, _)| i != label).map(|(_, p)| p).sum();
    gradient[label] = -others;
    log_sum - logits[label]
}

#[cfg(test)]
mod tests {
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;

    #[test]
    fn loss_and_gradient_match_f64() {
        let logits = [3.0f32, -1.0, 0.5, 90.0, -70.0];
        for label in 0..logits.len() {
            let mut gradient = [0.0; 5];
            let loss = cross_entropy(&logits, label, &mut gradient);
            let sum: f64 = logits.iter().map(|&z| (z as f64 - 90.0).exp()).sum();
            let expected = 90.0 + sum.ln() - logits[label] as f64;
            assert!((loss as f64 - expected).abs() <= 1e-5 * expected.max(1.0));
            for (i, &g) in gradient.iter().enumerate() {
                let p = (logits[i] as f64 - 90.0).exp() / sum;
                let e = if i == label { p - 1.0 } else { p };
                assert!((g as f64 - e).abs() < 1e-6, "label {label} at {i}: {g} and {e}");
            }
        }
    }

    #[test]
    fn a_saturated_network_still_has_a_gradient() {
        let mut gradient = [0.0; 2];
        cross_entropy(&[40.0, 0.0], 0, &mut gradient);
        assert!(gradient[0] < 0.0 && gradient[1] > 0.0);
    }
}
