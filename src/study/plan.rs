//! What a study consists of: which networks, which attacks, which images, in which order. The order is fixed, so that a
//! study can be interrupted, cut into shards and put together again.

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};

use crate::attack::hopskipjump::HOPSKIPJUMP;
use crate::attack::l1::{L1, L1Form};
use crate::attack::linf::LINF;
use crate::attack::square::SQUARE;
use crate::attack::strongest::STRONGEST;
use crate::attack::{self, Descriptor, Options};
use crate::classifier::Inference;
use crate::datasets::Dataset;
use crate::judge::Record;
use crate::metrics::grade::CONFIDENT;
use crate::metrics::norms::Norm;
use crate::native::images::Target;

/// Steps of an attack; iterations of each minimisation of L-BFGS. Under L1 a data set may need more.
pub const STEPS: usize = 40;
/// Queries of the attacks that use no gradient.
pub const QUERIES: usize = 1_000;
/// The L-infinity budget at which nothing bounds a pixel.
pub const UNBOUNDED: f32 = 1.0;
/// The probability that a search must reach on draws that it knows, against a network that then draws others.
pub const SURE: f32 = 0.7;

/// Which records a plan comes to: counts up with every change of [`specs`], of [`Plan::jobs`], or of what is recorded.
pub const VERSION: u32 = 10;

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
    /// Test images: the first, of each label as many as the data set's study has at most.
    pub images: usize,
    /// Their numbers and labels; empty before they are read.
    #[serde(default)]
    pub chosen: Vec<Chosen>,
    /// The SHA-256 of these images with their numbers and labels; empty before they are read.
    pub digest: String,
    /// The median distance of these images from the nearest training image of another label, in each norm.
    #[serde(default)]
    pub nearest: Option<[f64; 3]>,
    /// The norms in which the smallest change is sought, by name.
    pub norms: Vec<String>,
    /// Gradients of a search for it under L-infinity, L1 and L2, at most.
    pub gradients: [usize; 3],
    pub series: Vec<Series>,
    pub entrants: Vec<Entrant>,
}

/// An image that is studied.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Chosen {
    /// Its index in the test set.
    pub index: usize,
    pub label: usize,
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
    pub norm: Norm,
    pub budget: Option<f32>,
}

impl Series {
    /// The attacks of it.
    ///
    /// # Errors
    /// When there is no attack of that name.
    pub fn keys(&self) -> Result<Vec<Key>> {
        let attack = attack::by_name(&self.attack)?;
        let norm = attack.norms[0];
        if self.budgets.is_empty() {
            return Ok(vec![Key { attack, norm, budget: None }]);
        }
        Ok(self.budgets.iter().map(|&budget| Key { attack, norm, budget: Some(budget) }).collect())
    }
}

impl Key {
    /// The search for the smallest change in a norm.
    pub fn smallest(norm: Norm) -> Self {
        Self { attack: &STRONGEST, norm, budget: None }
    }

    /// What it is called in a table.
    pub fn title(self) -> String {
        match self.budget {
            Some(budget) => format!("{} ≤ {budget}", self.norm.symbol()),
            None if *self.attack == STRONGEST => format!("smallest {}", self.norm.symbol()),
            None => self.attack.title.into(),
        }
    }

    /// Whether it seeks the closest image.
    pub fn searches(self) -> bool {
        self.budget.is_none()
    }

    /// Whether an attack with these options is this one.
    pub fn made_with(self, options: &Options) -> bool {
        (options.attack, options.norm, options.fixed_budget()) == (self.attack, self.norm, self.budget)
    }

    /// Whether a record is of this attack. A search has no budget of its own.
    pub fn is(self, record: &Record) -> bool {
        let same = record.attack == self.attack.name && record.norm == self.norm.name();
        same && (self.budget.is_none() || record.budget == self.budget)
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

    /// Images, from the first on, that are attacked at fixed budgets.
    pub fn fixed(&self) -> usize {
        self.dataset().map_or(self.images, |dataset| self.images.min(dataset.study.fixed))
    }

    /// Images whose attacks of one kind are a group.
    pub fn together(&self) -> usize {
        self.dataset().map_or(1, |dataset| dataset.study.together.max(1))
    }

    /// Images, from the first on, that are attacked towards every label.
    pub fn every_target(&self) -> usize {
        self.dataset().map_or(0, |dataset| self.images.min(dataset.study.every_target))
    }

    /// Steps of an attack.
    pub fn steps(&self, attack: &'static Descriptor) -> usize {
        match self.dataset() {
            Ok(dataset) if *attack == L1 => dataset.study.steps_l1,
            _ => STEPS,
        }
    }

    /// The norms in which the smallest change is sought. A name that no norm has is left out: reading a plan refuses it first.
    pub fn norms(&self) -> Vec<Norm> {
        self.norms.iter().filter_map(|name| name.parse().ok()).collect()
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
        self.norms
            .iter()
            .try_for_each(|name| name.parse::<Norm>().map(drop))
            .context("the plan of the study")?;
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
    /// The three attacks that the study before this one made, at fixed budgets or as they are.
    Study,
    /// The smallest change that is read as the next label.
    Smallest,
    /// The smallest change that is read as any wrong label.
    Untargeted,
    /// The smallest change of which the network is sure: what is graded.
    Graded,
    /// The smallest change towards each of the other labels.
    EveryTarget,
    /// One step where the study takes many.
    SingleStep,
    /// A budget that bounds nothing.
    Unbounded,
    /// The Square Attack, which asks for no gradient.
    GradientFree,
    /// HopSkipJump, which asks for the label alone.
    DecisionBased,
}

/// An attack of the study.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Spec {
    pub purpose: Purpose,
    pub target: Target,
    pub options: Options,
    /// Whether the attacked image is shown to the other networks.
    pub replayed: bool,
    /// How many images it is made on, from the first on.
    pub images: usize,
}

/// The attacks on an entrant.
pub fn specs(part: &Part, entrant: &Entrant, seed: Option<u64>) -> Vec<Spec> {
    let full = entrant.precision == Stored::F32;
    let mean = entrant.inference == Inference::Mean;
    let twin = part.entrants.iter().any(|e| e.network == entrant.network && e.precision != entrant.precision);
    let middle = part.middle();
    // A network that draws takes as many gradients for each draw.
    let images = if mean { part.fixed() } else { part.dear() };
    let of = |purpose, target, options, images| Spec { purpose, target, options, replayed: false, images };
    let study = |key: Key| Spec {
        replayed: middle.contains(&key) && (entrant.checked || twin) && mean,
        ..of(
            Purpose::Study,
            Target::Next,
            options(part, key, mean, seed),
            if full && key.searches() { part.dear() } else { images },
        )
    };
    // Weights in full are there for the replays alone, and to see whether they are fooled as near.
    let wanted = |key: &Key| !full || middle.contains(key);
    let mut all: Vec<Spec> = part.keys().into_iter().filter(wanted).map(study).collect();
    // A search against a network that draws ends elsewhere.
    if mean {
        for norm in part.norms() {
            let once = options(part, Key::smallest(norm), mean, seed);
            let images = if full { part.dear() } else { part.images };
            all.push(of(Purpose::Smallest, Target::Next, once, images));
            if full {
                continue;
            }
            all.push(of(Purpose::Untargeted, Target::Any, once, images));
            let sure = Options { confidence: CONFIDENT as f32, ..once };
            all.push(of(Purpose::Graded, Target::Next, sure, images));
            let (labels, every) = (part.dataset().map_or(0, |d| d.labels.len()), part.every_target());
            all.extend((2..labels).map(|by| of(Purpose::EveryTarget, Target::Turned(by), once, every)));
        }
    }
    if !entrant.checked || full {
        return all;
    }
    let mut check = |purpose, options, images| all.push(of(purpose, Target::Next, options, images));
    for key in middle {
        let once = options(part, key, mean, seed);
        if let Some(budget) = key.budget.filter(|_| *key.attack == LINF) {
            let single = Options { steps: 1, alpha: Some(budget), ..once };
            check(Purpose::SingleStep, single, images);
            check(Purpose::Unbounded, Options { budget: UNBOUNDED, ..once }, images);
            if mean {
                let square = Options { budget, steps: QUERIES, early_stop: true, ..Options::new(&SQUARE) };
                check(Purpose::GradientFree, square, part.dear());
            }
        }
    }
    if mean && part.norms().contains(&Norm::L2) {
        let asks = Options { norm: Norm::L2, steps: QUERIES, search: true, ..Options::new(&HOPSKIPJUMP) };
        check(Purpose::DecisionBased, asks, part.dear());
    }
    all
}

/// The options of an attack of the study. Under L1 the sparse form; a search against a network that draws goes on until it is
/// sure on the draws that it knows.
fn options(part: &Part, key: Key, mean: bool, seed: Option<u64>) -> Options {
    let default = Options::new(key.attack);
    let form = if *key.attack == L1 { L1Form::Sparse } else { default.form };
    if *key.attack == STRONGEST {
        let steps = part.gradients[key.norm as usize];
        return Options { norm: key.norm, steps, search: true, ..default };
    }
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
    /// The attacks of this number, which follow each other, are one attack on one network, made on several images at once.
    pub group: usize,
    pub part: usize,
    pub image: usize,
    pub entrant: usize,
    pub spec: Spec,
}

impl Plan {
    /// All attacks, some images after the others, so that what an interrupted study leaves compares all networks.
    pub fn jobs(&self) -> Vec<Job> {
        let (mut jobs, mut group) = (Vec::new(), 0);
        for (part, p) in self.parts.iter().enumerate() {
            let specs: Vec<Vec<Spec>> = p.entrants.iter().map(|e| specs(p, e, self.seed)).collect();
            for first in (0..p.images).step_by(p.together()) {
                for (entrant, specs) in specs.iter().enumerate() {
                    for &spec in specs.iter().filter(|s| first < s.images) {
                        for image in first..(first + p.together()).min(spec.images).min(p.images) {
                            jobs.push(Job { number: jobs.len(), group, part, image, entrant, spec });
                        }
                        group += 1;
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
        let part = Part {
            dataset: "mnist".into(),
            images: 130,
            chosen: Vec::new(),
            digest: String::new(),
            nearest: None,
            norms: Norm::ALL.map(|norm| norm.name().to_owned()).to_vec(),
            gradients: [100; 3],
            series,
            entrants,
        };
        Plan { version: VERSION, seed: None, eot: 16, parts: vec![part] }
    }

    #[test]
    fn jobs_are_numbered_in_a_fixed_order_and_dear_checks_end() {
        let jobs = plan().jobs();
        assert!(jobs.iter().enumerate().all(|(i, job)| job.number == i));
        assert!(jobs.is_sorted_by_key(|job| (job.image / MNIST.study.together, job.entrant, job.group)));
        for group in jobs.chunk_by(|a, b| a.group == b.group) {
            let same = |job: &Job| (job.entrant, job.spec) == (group[0].entrant, group[0].spec);
            assert!(group.iter().all(same) && group.len() <= MNIST.study.together);
        }
        assert_eq!(jobs.chunk_by(|a, b| a.group == b.group).count(), jobs[jobs.len() - 1].group + 1);
        let of = |image, entrant| jobs.iter().filter(|j| j.image == image && j.entrant == entrant).count();
        // 6 L-infinity, 5 L1, L-BFGS, and three searches in three norms; the first network has 4 checks more, weights in full take
        // 3 attacks and 3 searches.
        assert_eq!([0, 1, 2, 3].map(|e| of(0, e)), [25, 6, 21, 14]);
        assert_eq!([0, 1, 2, 3].map(|e| of(50, e)), [23, 2, 21, 0]);
    }
}
