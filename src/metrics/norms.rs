//! Norms of a perturbation, in pixel units of [0, 1].

/// The norms of `x' - x`, summed in f64.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Norms {
    /// How many numbers of the image differ at all.
    pub l0: usize,
    /// Sum of absolute differences.
    pub l1: f64,
    /// Euclidean length.
    pub l2: f64,
    /// Largest absolute difference.
    pub linf: f64,
}

impl Norms {
    /// Of `changed - original`, two images of one size.
    pub fn between(original: &[f32], changed: &[f32]) -> Self {
        let mut norms = Self::default();
        for (a, b) in original.iter().zip(changed) {
            let d = (f64::from(*b) - f64::from(*a)).abs();
            norms.l0 += usize::from(d > 0.0);
            norms.l1 += d;
            norms.l2 += d * d;
            norms.linf = norms.linf.max(d);
        }
        norms.l2 = norms.l2.sqrt();
        norms
    }
}

#[cfg(test)]
mod tests {
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;

    #[test]
    fn norms_of_a_three_four_perturbation() {
        let norms = Norms::between(&[0.0, 0.5, 1.0], &[0.75, 0.5, 0.0]);
        assert_eq!(norms, Norms { l0: 2, l1: 1.75, l2: 1.25, linf: 1.0 });
    }
}
