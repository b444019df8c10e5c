//! What a study consists of: which networks, which attacks, which images, in which order. The order is fixed, so that a
//! study can be interrupted, cut into shards and put together again.

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

use crate::attack::l1::{L1, L1Form};
use crate::attack::linf::LINF;
use crate::attack::square::SQUARE;
use crate::attack::{self, Descriptor, Options};
use crate::classifier::Inference;
use crate::datasets::Dataset;
use crate::judge::Record;

/// Steps of an attack; iterations of each minimisation of L-BFGS. Under L1 a data set may need more.
pub const STEPS: usize = 40;
/// Queries of the attack that uses no gradient.
pub const QUERIES: usize = 1_000;
/// The L-infinity budget at which nothing bounds a pixel.
pub const UNBOUNDED: f32 = 1.0;
/// The probability that a search must reach on draws that it knows, against a network that then draws others.
pub const SURE: f32 = 0.7;

/// Which records a plan comes to: counts up with every change of [`specs`], of [`Plan::jobs`], or of what is recorded.
pub const VERSION: u32 = 6;

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
    /// The SHA-256 of these images with their numbers and labels; empty before they are read.
    pub digest: String,
    pub series: Vec<Series>,
    pub entrants: Vec<Entrant>,
}

/// An attack at several budgets, rising; one without budgets seeks the closest image.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Series {
    pub attack: String,
    pub budgets: Vec<f32>,
}

/// An attack at a budget, or in search of the closest image: what a report tells attacks apart by.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Key {
    pub attack: &'static Descriptor,
    pub budget: Option<f32>,
}

impl Series {
    /// The attacks of it.
    ///
    /// # Errors
    /// When there is no attack of that name.
    pub fn keys(&self) -> Result<Vec<Key>> {
        let attack = attack::by_name(&self.attack)?;
        if self.budgets.is_empty() {
            return Ok(vec![Key { attack, budget: None }]);
        }
        Ok(self.budgets.iter().map(|&budget| Key { attack, budget: Some(budget) }).collect())
    }
}

impl Key {
    /// What it is called in a table.
    pub fn title(self) -> String {
        match self.budget {
            Some(budget) => format!("{} ≤ {budget}", self.attack.norms[0].symbol()),
            None => self.attack.title.into(),
        }
    }

    /// Whether it seeks the closest image.
    pub fn searches(self) -> bool {
        self.budget.is_none()
    }

    /// Whether an attack with these options is this one.
    pub fn made_with(self, options: &Options) -> bool {
        options.attack == self.attack && options.fixed_budget() == self.budget
    }

    /// Whether a record is of this attack. A search has no budget of its own.
    pub fn is(self, record: &Record) -> bool {
        record.attack == self.attack.name && (self.budget.is_none() || record.budget == self.budget)
    }
}

impl Part {
    /// The data set.
    ///
    /// # Errors
    /// When there is none of that name.
    pub fn dataset(&self) -> Result<&'static Dataset> {
        Ok(Dataset::by_name(&self.dataset)?)
    }

    /// Images, from the first on, on which checks are made that cost as much as the attack itself.
    pub fn dear(&self) -> usize {
        self.dataset().map_or(self.images, |dataset| self.images.min(dataset.study.dear))
    }

    /// Steps of an attack.
    pub fn steps(&self, attack: &'static Descriptor) -> usize {
        match self.dataset() {
            Ok(dataset) if *attack == L1 => dataset.study.steps_l1,
            _ => STEPS,
        }
    }

    /// The attacks, series by series. A name that no attack has is left out: reading a plan refuses it first.
    pub fn series(&self) -> Vec<Vec<Key>> {
        self.series.iter().filter_map(|series| series.keys().ok()).collect()
    }

    /// All attacks.
    pub fn keys(&self) -> Vec<Key> {
        self.series().concat()
    }

    /// One of each series: the middle budget, at which some are fooled, not all; or the search.
    pub fn middle(&self) -> Vec<Key> {
        let middle = |keys: Vec<Key>| keys.get(keys.len().saturating_sub(1) / 2).copied();
        self.series().into_iter().filter_map(middle).collect()
    }

    /// The middle budget of an attack.
    pub fn middle_of(&self, attack: &Descriptor) -> Option<Key> {
        self.middle().into_iter().find(|key| key.attack == attack && key.budget.is_some())
    }

    /// Whether everything that it names is there.
    ///
    /// # Errors
    /// When it names a data set or an attack that is not.
    pub fn check(&self) -> Result<()> {
        self.dataset()?;
        self.series.iter().try_for_each(|series| series.keys().map(drop)).context("the plan of the study")
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
    pub inference: Inference,
    pub precision: Stored,
    /// Of the weights file.
    pub sha256: String,
    /// Whether the checks are made on it: the first network of each architecture.
    pub checked: bool,
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
        let sampled = if self.inference == Inference::Sampled { " sampled" } else { "" };
        let full = if self.precision == Stored::F32 { " f32" } else { "" };
        format!("{}{sampled}{full}", self.network)
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
    let full = entrant.precision == Stored::F32;
    let mean = entrant.inference == Inference::Mean;
    let twin = part.entrants.iter().any(|e| e.network == entrant.network && e.precision != entrant.precision);
    let middle = part.middle();
    let study = |key: Key| Spec {
        purpose: Purpose::Study,
        options: options(part, key, mean, seed),
        replayed: middle.contains(&key) && (entrant.checked || twin) && mean,
        dear: full && key.searches(),
    };
    // Weights in full are there for the replays alone.
    let wanted = |key: &Key| !full || middle.contains(key);
    let mut all: Vec<Spec> = part.keys().into_iter().filter(wanted).map(study).collect();
    if !entrant.checked || full {
        return all;
    }
    let mut check = |purpose, options, dear| all.push(Spec { purpose, options, replayed: false, dear });
    for key in middle {
        let once = options(part, key, mean, seed);
        let twice = Options { steps: 2 * once.steps, ..once };
        match key.budget {
            Some(budget) if *key.attack == LINF => {
                check(Purpose::SingleStep, Options { steps: 1, alpha: Some(budget), ..once }, false);
                check(Purpose::DoubleSteps, twice, false);
                check(Purpose::Unbounded, Options { budget: UNBOUNDED, ..once }, false);
                if mean {
                    let square =
                        Options { budget, steps: QUERIES, early_stop: true, ..Options::new(&SQUARE) };
                    check(Purpose::GradientFree, square, true);
                }
            }
            Some(_) => check(Purpose::DoubleSteps, twice, false),
            None if mean => check(Purpose::DoubleSteps, twice, true),
            None => {}
        }
    }
    all
}

/// The options of an attack of the study. Under L1 the sparse form; a search against a network that draws goes on until it is
/// sure on the draws that it knows.
fn options(part: &Part, key: Key, mean: bool, seed: Option<u64>) -> Options {
    let default = Options::new(key.attack);
    let form = if *key.attack == L1 { L1Form::Sparse } else { default.form };
    let steps = part.steps(key.attack);
    match key.budget {
        Some(budget) => Options { budget, steps, seed, form, search: false, ..default },
        None => Options { steps, form, search: true, confidence: if mean { 0.0 } else { SURE }, ..default },
    }
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
    use crate::datasets::MNIST;
    use crate::metrics::norms::Norm;

    fn plan() -> Plan {
        let entrant = |network: &str, inference, precision, checked| Entrant {
            network: network.into(),
            arch: network.into(),
            seed: "1".into(),
            inference,
            precision,
            sha256: String::new(),
            checked,
        };
        let entrants = vec![
            entrant("mnist-cnn", Inference::Mean, Stored::Int8, true),
            entrant("mnist-cnn", Inference::Mean, Stored::F32, false),
            entrant("mnist-cnn-2", Inference::Mean, Stored::Int8, false),
            entrant("mnist-vae", Inference::Sampled, Stored::Int8, true),
        ];
        let series =
            |attack: &str, budgets: &[f32]| Series { attack: attack.into(), budgets: budgets.to_vec() };
        let series = vec![
            series("linf", MNIST.budgets(Norm::Linf).study),
            series("l1", MNIST.budgets(Norm::L1).study),
            series("lbfgs", &[]),
        ];
        let part = Part { dataset: "mnist".into(), images: 130, digest: String::new(), series, entrants };
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
}
