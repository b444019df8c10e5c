//! How an attack is graded: validity times confidence.

use super::norms::Norms;
use crate::arch::Validity;

/// The probability from which the network counts as confident of the false label.
pub const CONFIDENT: f64 = 0.8;

/// The grade of an attack.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[cfg_attr(feature = "cli", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "cli", serde(rename_all = "lowercase"))]
pub enum Grade {
    /// Valid and confident: the eye reads the original, the network is sure of the false label.
    High,
    /// Confident, but not valid.
    Moderate,
    /// Valid, but not confident.
    Low,
    /// Neither.
    Ineffective,
    /// The network does not read what was wanted; counted apart.
    Failed,
}

impl Grade {
    /// The grade of an attack that did (`success`) or did not reach its goal.
    pub fn of(success: bool, valid: bool, confident: bool) -> Self {
        match (success, valid, confident) {
            (false, ..) => Self::Failed,
            (true, true, true) => Self::High,
            (true, false, true) => Self::Moderate,
            (true, true, false) => Self::Low,
            (true, false, false) => Self::Ineffective,
        }
    }

    /// In lower case, as it stands in records.
    pub fn name(self) -> &'static str {
        match self {
            Self::High => "high",
            Self::Moderate => "moderate",
            Self::Low => "low",
            Self::Ineffective => "ineffective",
            Self::Failed => "failed",
        }
    }
}

impl Validity {
    /// Whether a perturbation counts as one that leaves the original readable.
    pub fn holds(self, norms: &Norms, ssim: f64) -> bool {
        match self {
            Self::L2AtMost(most) => norms.l2 <= most,
            Self::SsimAtLeast(least) => ssim >= least,
        }
    }
}

#[cfg(test)]
mod tests {
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;

    #[test]
    fn the_four_grades_and_failure() {
        use Grade::*;
        let grades = [(true, true), (false, true), (true, false), (false, false)];
        let of = |success| grades.map(|(valid, confident)| Grade::of(success, valid, confident));
        assert_eq!(of(true), [High, Moderate, Low, Ineffective]);
        assert_eq!(of(false), [Failed; 4]);
        let norms = Norms { l2: 1.5, ..Norms::default() };
        assert!(Validity::L2AtMost(1.5).holds(&norms, 0.0) && !Validity::L2AtMost(1.4).holds(&norms, 1.0));
        assert!(
            Validity::SsimAtLeast(0.95).holds(&norms, 0.95)
                && !Validity::SsimAtLeast(0.95).holds(&norms, 0.9)
        );
    }
}
