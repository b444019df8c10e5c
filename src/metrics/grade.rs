//! How an attack is graded: validity times confidence.

use super::norms::Norms;
use crate::error::{Error, Result};

/// The probability from which the network counts as confident of the false label.
pub const CONFIDENT: f64 = 0.8;

/// When an attacked image counts as valid: not distorted to the naked eye. There is no agreed measure of it (Sharif,
/// Bauer, Reiter 2018, "On the suitability of Lp-norms for creating and preventing adversarial examples"); this is a
/// stated stand-in.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Validity {
    /// Euclidean length of the change, in pixel units of [0, 1], at most this.
    L2AtMost(f64),
    /// Structural similarity with the original at least this.
    SsimAtLeast(f64),
}

/// What an attack is graded by.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Thresholds {
    /// When the attacked image counts as still readable.
    pub validity: Validity,
    /// The probability of the false label from which the network counts as confident.
    pub confident: f64,
}

impl Thresholds {
    /// The stated defaults, with the validity of a data set.
    pub fn new(validity: Validity) -> Self {
        Self { validity, confident: CONFIDENT }
    }

    /// The same measures, with other thresholds where there are some.
    ///
    /// # Errors
    /// [`Error::BadInput`] for a length below 0, a likeness or a probability outside [0, 1], and what is no number.
    pub fn with(self, valid: Option<f64>, confident: Option<f64>) -> Result<Self> {
        let validity = valid.map_or(self.validity, |valid| self.validity.at(valid));
        let thresholds = Self { validity, confident: confident.unwrap_or(self.confident) };
        let (most, valid) = match validity {
            Validity::L2AtMost(valid) => (f64::MAX, valid),
            Validity::SsimAtLeast(valid) => (1.0, valid),
        };
        if !(0.0..=most).contains(&valid) {
            let why =
                "the threshold of validity is out of range: an L2 norm starts at 0, an SSIM lies from 0 to 1";
            return Err(Error::BadInput(why.into()));
        }
        if !(0.0..=1.0).contains(&thresholds.confident) {
            return Err(Error::BadInput(
                "the threshold of confidence is out of range: it lies from 0 to 1".into(),
            ));
        }
        Ok(thresholds)
    }

    /// Whether an image is valid, and how the attack is graded.
    pub fn grade(self, success: bool, norms: &Norms, ssim: f64, confidence: f32) -> (bool, Grade) {
        let valid = self.validity.holds(norms, ssim);
        (valid, Grade::of(success, valid, f64::from(confidence) >= self.confident))
    }
}

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
    /// All of them, from the best of an attack to none.
    pub const ALL: [Self; 5] = [Self::High, Self::Moderate, Self::Low, Self::Ineffective, Self::Failed];

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
    /// What is measured, and the threshold: `l2` or `ssim`.
    pub fn measure(self) -> (&'static str, f64) {
        match self {
            Self::L2AtMost(most) => ("l2", most),
            Self::SsimAtLeast(least) => ("ssim", least),
        }
    }

    /// The same measure with another threshold.
    pub fn at(self, threshold: f64) -> Self {
        match self {
            Self::L2AtMost(_) => Self::L2AtMost(threshold),
            Self::SsimAtLeast(_) => Self::SsimAtLeast(threshold),
        }
    }

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
