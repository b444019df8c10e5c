//! What a study consists of: which networks, which attacks, which images, in which order. The order is fixed, so that a
//! study can be interrupted, cut into shards and put together again.

use serde::{Deserialize, Serialize};

use crate::arch::{Dataset, LFW, MNIST};
use crate::attack::Options;
use crate::attack::iterative::L1Form;
use crate::attack::options::Method;

/// Steps of an attack; iterations of each minimisation of L-BFGS.
pub const STEPS: usize = 40;
/// Steps of the L1 attack on digits, which needs as many until twice as many fool no more (by a point).
pub const STEPS_L1_DIGITS: usize = 80;
/// Queries of the attack that uses no gradient.
pub const QUERIES: usize = 1_000;
/// The L-infinity budget at which nothing bounds a pixel.
const UNBOUNDED: f32 = 1.0;
/// The probability that L-BFGS must reach on draws that it knows, against a network that then draws others.
pub const SURE: f32 = 0.7;

/// Which records a plan comes to: counts up with every change of [`specs`], of [`Plan::jobs`], or of what is recorded.
pub const VERSION: u32 = 4;

/// All that a study's records depend on.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Plan {
    /// [`VERSION`] when it was made.
    pub version: u32,
    /// Of the random starts of the iterative attacks; they start at the image where there is none.
    pub seed: Option<u64>,
    /// Draws over which an attack on a sampling VAE takes the mean loss.
    pub eot: usize,
    /// One for each data set.
    pub parts: Vec<Part>,
}

/// What is studied on a data set.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Part {
    pub dataset: String,
    /// Test images, from the first on.
    pub images: usize,
    pub budgets: Budgets,
    pub entrants: Vec<Entrant>,
}

impl Part {
    /// Images, from the first on, on which checks are made that cost as much as the attack itself. A photograph costs a
    /// hundred times what a digit does.
    pub fn dear(&self) -> usize {
        self.images.min(if self.dataset == LFW.name { 15 } else { 50 })
    }

    /// Steps of an attack.
    pub fn steps(&self, method: Method) -> usize {
        let digits_l1 = self.dataset == MNIST.name && matches!(method, Method::L1(_));
        if digits_l1 { STEPS_L1_DIGITS } else { STEPS }
    }
}

/// A network, and how it reads.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entrant {
    /// The stem of its file.
    pub network: String,
    pub arch: String,
    /// Of its training.
    pub seed: String,
    pub reading: Reads,
    pub precision: Stored,
    /// Of the weights file.
    pub sha256: String,
    /// Whether the checks are made on it: the first network of each architecture.
    pub checked: bool,
}

/// How a network reads an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Reads {
    /// Without chance; a VAE through the mean of its latent vector.
    Mean,
    /// Through a draw of it.
    Sampled,
}

/// How the weights are stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Stored {
    Int8,
    F32,
}

impl Entrant {
    /// Its name in a report, and where its images are replayed.
    pub fn name(&self) -> String {
        let sampled = if self.reading == Reads::Sampled { " sampled" } else { "" };
        let full = if self.precision == Stored::F32 { " f32" } else { "" };
        format!("{}{sampled}{full}", self.network)
    }
}

/// The budgets of the iterative attacks, rising.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Budgets {
    pub linf: Vec<f32>,
    pub l1: Vec<f32>,
    pub lbfgs: bool,
}

impl Budgets {
    /// Those of a data set. They run from where hardly any image is fooled to where all are; some are the same a pixel
    /// for both data sets (L-infinity 0.02 and 0.05; L1 10 on digits and 907.5 on faces), so that these can be compared.
    pub fn of(dataset: &Dataset) -> Self {
        if dataset.name == LFW.name {
            let (linf, l1) = (vec![0.0025, 0.005, 0.01, 0.02, 0.05], vec![25.0, 50.0, 150.0, 400.0, 907.5]);
            return Self { linf, l1, lbfgs: true };
        }
        let (linf, l1) = (vec![0.02, 0.05, 0.1, 0.15, 0.2, 0.3], vec![5.0, 10.0, 20.0, 30.0, 40.0]);
        Self { linf, l1, lbfgs: true }
    }

    /// The budget of a list at which images are replayed and checks are made: one at which some are fooled, not all.
    pub fn middle(list: &[f32]) -> Option<f32> {
        list.get(list.len().saturating_sub(1) / 2).copied()
    }
}

/// What an attack is made for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Purpose {
    /// The study itself.
    Study,
    /// One step where the study takes many.
    SingleStep,
    /// Twice the steps.
    DoubleSteps,
    /// A budget that bounds nothing.
    Unbounded,
    /// The Square Attack, which asks for no gradient.
    GradientFree,
}

/// An attack of the study.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Spec {
    pub purpose: Purpose,
    pub options: Options,
    /// Whether the attacked image is shown to the other networks.
    pub replayed: bool,
    /// Whether it is made on the first images only.
    pub dear: bool,
}

/// The attacks on an entrant.
pub fn specs(part: &Part, entrant: &Entrant, seed: Option<u64>) -> Vec<Spec> {
    let Budgets { linf, l1, lbfgs } = &part.budgets;
    let at = |method, budget| Options { budget, steps: part.steps(method), seed, ..Options::new(method) };
    let (middle, middle_l1) = (Budgets::middle(linf), Budgets::middle(l1));
    let strong = Method::L1(L1Form::Sparse);
    let full = entrant.precision == Stored::F32;
    let twin = part.entrants.iter().any(|e| e.network == entrant.network && e.precision != entrant.precision);
    let spec = |options: Options, replayed: bool| Spec {
        purpose: Purpose::Study,
        options,
        replayed: replayed && (entrant.checked || twin) && entrant.reading == Reads::Mean,
        dear: full && options.method == Method::Lbfgs,
    };
    // Weights in full are there for the replays alone.
    let wanted = |list: &[f32], middle| -> Vec<f32> {
        list.iter().copied().filter(|b| !full || Some(*b) == middle).collect()
    };
    let mut all: Vec<Spec> = Vec::new();
    all.extend(wanted(linf, middle).into_iter().map(|b| spec(at(Method::Linf, b), Some(b) == middle)));
    all.extend(wanted(l1, middle_l1).into_iter().map(|b| spec(at(strong, b), Some(b) == middle_l1)));
    let confidence = if entrant.reading == Reads::Sampled { SURE } else { 0.0 };
    let search = Options { steps: STEPS, confidence, ..Options::new(Method::Lbfgs) };
    if *lbfgs {
        all.push(spec(search, true));
    }
    if entrant.checked && !full {
        let check = |purpose, options, dear| Spec { purpose, options, replayed: false, dear };
        if let Some(b) = middle {
            let one = Options { steps: 1, alpha: Some(b), ..at(Method::Linf, b) };
            let twice = Options { steps: 2 * STEPS, ..at(Method::Linf, b) };
            all.push(check(Purpose::SingleStep, one, false));
            all.push(check(Purpose::DoubleSteps, twice, false));
            all.push(check(Purpose::Unbounded, at(Method::Linf, UNBOUNDED), false));
            if entrant.reading == Reads::Mean {
                let square =
                    Options { budget: b, steps: QUERIES, early_stop: true, ..Options::new(Method::Square) };
                all.push(check(Purpose::GradientFree, square, true));
            }
        }
        if let Some(b) = middle_l1 {
            let twice = Options { steps: 2 * part.steps(strong), ..at(strong, b) };
            all.push(check(Purpose::DoubleSteps, twice, false));
        }
        if *lbfgs && entrant.reading == Reads::Mean {
            all.push(check(Purpose::DoubleSteps, Options { steps: 2 * STEPS, ..search }, true));
        }
    }
    all
}

/// One attack on one image: places in the plan.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Job {
    /// Its place in the whole study.
    pub number: usize,
    pub part: usize,
    pub image: usize,
    pub entrant: usize,
    pub spec: Spec,
}

impl Plan {
    /// All attacks, image by image, so that what an interrupted study leaves compares all networks.
    pub fn jobs(&self) -> Vec<Job> {
        let mut jobs = Vec::new();
        for (part, p) in self.parts.iter().enumerate() {
            let specs: Vec<Vec<Spec>> = p.entrants.iter().map(|e| specs(p, e, self.seed)).collect();
            for image in 0..p.images {
                for (entrant, specs) in specs.iter().enumerate() {
                    for &spec in specs.iter().filter(|s| !s.dear || image < p.dear()) {
                        jobs.push(Job { number: jobs.len(), part, image, entrant, spec });
                    }
                }
            }
        }
        jobs
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn plan() -> Plan {
        let entrant = |network: &str, reading, precision, checked| Entrant {
            network: network.into(),
            arch: network.into(),
            seed: "1".into(),
            reading,
            precision,
            sha256: String::new(),
            checked,
        };
        let entrants = vec![
            entrant("mnist-cnn", Reads::Mean, Stored::Int8, true),
            entrant("mnist-cnn", Reads::Mean, Stored::F32, false),
            entrant("mnist-cnn-2", Reads::Mean, Stored::Int8, false),
            entrant("mnist-vae", Reads::Sampled, Stored::Int8, true),
        ];
        let part = Part { dataset: "mnist".into(), images: 130, budgets: Budgets::of(&MNIST), entrants };
        Plan { version: VERSION, seed: None, eot: 16, parts: vec![part] }
    }

    #[test]
    fn jobs_are_numbered_in_a_fixed_order_and_dear_checks_end() {
        let jobs = plan().jobs();
        assert!(jobs.iter().enumerate().all(|(i, job)| job.number == i));
        assert!(jobs.is_sorted_by_key(|job| (job.image, job.entrant)));
        let of = |image, entrant| jobs.iter().filter(|j| j.image == image && j.entrant == entrant).count();
        // 6 L-infinity, 5 L1, L-BFGS; of these the first network has 6 checks more, weights in full take 3.
        assert_eq!([0, 1, 2, 3].map(|e| of(0, e)), [18, 3, 12, 16]);
        assert_eq!([0, 1, 2, 3].map(|e| of(50, e)), [16, 2, 12, 16]);
    }

    #[test]
    fn both_data_sets_share_budgets_a_pixel() {
        let (digits, faces) = (Budgets::of(&MNIST), Budgets::of(&LFW));
        assert!(digits.linf.iter().filter(|b| faces.linf.contains(b)).count() >= 2);
        let a_pixel = |b: &f32, dataset: &Dataset| f64::from(*b) / dataset.pixels() as f64;
        let same = |a: f64, b: f64| (a / b - 1.0).abs() < 1e-3;
        assert!(
            digits.l1.iter().any(|d| faces.l1.iter().any(|f| same(a_pixel(d, &MNIST), a_pixel(f, &LFW))))
        );
        assert!([&digits.linf, &digits.l1, &faces.linf, &faces.l1].iter().all(|list| list.is_sorted()));
    }
}
