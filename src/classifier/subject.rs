//! What is attacked: what the attacker sees and differentiates, and what answers in the end. A plain network is both; a VAE
//! that samples is seen through known draws and answers by fresh ones; a defence changes both, or one.

use super::defence::{self, Apply, Attacker, Defence, Guard, Named};
use super::{Copied, Network, Vae};
use crate::error::{Error, Result};
use crate::kernel::softmax::softmax;
use crate::metrics::argmax;
use crate::network::{Spec, Weights};

/// The seed of the draws that an attack on a sampling network descends.
const DRAWS: u64 = 1;
/// How many of these draws an attack takes the mean loss over, unless someone says otherwise (expectation over
/// transformation, Athalye et al. 2018).
pub const EOT: usize = 64;
/// Answers of a sampling network that a result is scored on: the attack saw none of their draws.
pub const FRESH: u64 = 64;

/// How a VAE classifier reads an image. What is no VAE takes no notice.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "cli", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "cli", serde(rename_all = "lowercase"))]
pub enum Inference {
    /// Through the mean of the latent vector: always the same answer.
    #[default]
    Mean,
    /// Through draws of it, their probabilities averaged: another answer each time.
    Sampled,
}

impl Inference {
    /// Both.
    pub const ALL: [Self; 2] = [Self::Mean, Self::Sampled];

    /// Its name in links, records and on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Mean => "mean",
            Self::Sampled => "sampled",
        }
    }
}

impl std::str::FromStr for Inference {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self> {
        let found = Self::ALL.into_iter().find(|inference| inference.name() == name);
        found.ok_or_else(|| Error::unknown("inference", name, Self::ALL.map(Self::name)))
    }
}

/// How what is deployed reads an image.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Reading {
    /// The likeliest label; where answers are drawn, the one that most of them name.
    pub predicted: usize,
    /// Whether the image is refused.
    pub refused: bool,
    /// Share of the answers that are what is wanted, where answers are drawn.
    pub fresh: Option<f64>,
    /// Whether it is what is wanted; where answers are drawn, whether at least half of them are.
    pub reached: bool,
    /// The probability of what is wanted, the mean over the answers.
    pub confidence: f32,
}

/// What is attacked.
pub struct Subject {
    /// The name of the network, and the data set of its images.
    pub network: String,
    pub dataset: String,
    pub inference: Inference,
    /// The defences that it stands behind, as they were asked for; empty for none.
    pub defence: String,
    /// Who attacks it, where it stands behind any.
    pub attacker: Option<Attacker>,
    /// What the attack sees.
    pub seen: Box<dyn Copied>,
    /// What answers in the end; `None` where that is what is seen.
    pub deployed: Option<Box<dyn Copied>>,
}

impl Clone for Subject {
    fn clone(&self) -> Self {
        Self {
            network: self.network.clone(),
            dataset: self.dataset.clone(),
            inference: self.inference,
            defence: self.defence.clone(),
            attacker: self.attacker,
            seen: self.seen.copied(),
            deployed: self.deployed.as_ref().map(|deployed| deployed.copied()),
        }
    }
}

impl Subject {
    /// The network of `weights`, read as `inference` says, with what a sampling VAE needs: draws that one answer averages
    /// (`samples`), and draws over which an attack takes the mean loss (`eot`).
    ///
    /// # Errors
    /// As [`Network::new`] and [`Vae::sampled`].
    pub fn new(weights: &Weights, inference: Inference, samples: usize, eot: usize) -> Result<Self> {
        match inference {
            Inference::Sampled if weights.spec.is_vae() => {
                Self::sampled(weights, &Vae::sampled(weights, samples, DRAWS)?, samples, eot)
            }
            _ => Ok(Self::plain(weights, Box::new(Network::new(weights)?))),
        }
    }

    /// [`new`](Self::new) of a VAE whose weights are packed already, which it shares.
    ///
    /// # Errors
    /// [`Error::BadInput`] for 0 samples.
    pub fn of_vae(
        weights: &Weights,
        vae: &Vae,
        inference: Inference,
        samples: usize,
        eot: usize,
    ) -> Result<Self> {
        match inference {
            Inference::Mean => Ok(Self::plain(weights, Box::new(vae.through_mean()?))),
            Inference::Sampled => Self::sampled(weights, vae, samples, eot),
        }
    }

    /// A classifier that answers as it is seen, under the name of the network of `weights`.
    pub fn plain(weights: &Weights, seen: Box<dyn Copied>) -> Self {
        Self {
            network: weights.spec.name.clone(),
            dataset: weights.spec.dataset.clone(),
            inference: Inference::Mean,
            defence: String::new(),
            attacker: None,
            seen,
            deployed: None,
        }
    }

    fn sampled(weights: &Weights, vae: &Vae, samples: usize, eot: usize) -> Result<Self> {
        let (seen, deployed) = (vae.drawing(eot, DRAWS)?, vae.drawing(samples, DRAWS)?);
        let plain = Self::plain(weights, Box::new(seen));
        Ok(Self { inference: Inference::Sampled, deployed: Some(Box::new(deployed)), ..plain })
    }

    /// This subject, of the network of `spec`, behind defences, by their names with `+` between, the first next to the network
    /// (none for an empty name or `none`), as an attacker sees them. `guard` finds the guard that a network makes.
    ///
    /// # Errors
    /// [`Error::Unknown`] for a name that no defence has, [`Error::BadInput`] for one that does nothing to such images, and what
    /// `guard` says.
    pub fn behind(
        self,
        spec: &Spec,
        names: &str,
        attacker: Attacker,
        guard: &mut dyn FnMut(&str) -> Result<Guard>,
    ) -> Result<Self> {
        let bare = self.seen.copied();
        let list: Vec<&str> = defence::names(names).collect();
        let mut subject = self;
        for name in &list {
            match defence::by_name(name, spec)? {
                Named::Guard(network, percent) => subject = guard(&network)?.before(subject, percent)?,
                Named::Alone(Defence { apply: Apply::Change(change), .. }) => subject = change(subject),
                Named::Alone(Defence { apply: Apply::Reduce(reduction), .. }) => {
                    reduction.check(subject.seen.shape())?;
                    subject = subject.wrapped(&|inner| reduction.before(inner, false));
                }
            }
        }
        subject.defence = list.join("+");
        if list.is_empty() {
            return Ok(subject);
        }
        subject.attacker = Some(attacker);
        if attacker == Attacker::Blind {
            subject.see(bare);
        }
        Ok(subject)
    }

    /// This subject as one attacks it who takes it for `bare`, the network that it was trained to defend: what is made there is
    /// replayed here.
    pub fn taken_for(&mut self, bare: &Self) {
        self.attacker = Some(Attacker::Blind);
        self.see(bare.seen.copied());
    }

    /// Has something else seen than what answers in the end.
    fn see(&mut self, other: Box<dyn Copied>) {
        let known = std::mem::replace(&mut self.seen, other);
        self.deployed.get_or_insert(known);
    }

    /// This subject with something around both what is seen and what is deployed.
    pub(super) fn wrapped(self, around: &dyn Fn(Box<dyn Copied>) -> Box<dyn Copied>) -> Self {
        Self { seen: around(self.seen), deployed: self.deployed.map(around), ..self }
    }

    /// How what is deployed reads `pixels`, and whether that is what `reached` wants and how sure `confidence` says it is of it
    /// (of the probabilities). An image's `index` in its set decides which draws are fresh to it: none is one that an attack
    /// descends.
    pub fn read(
        &mut self,
        pixels: &[f32],
        index: u64,
        reached: impl Fn(usize) -> bool,
        confidence: impl Fn(&[f32]) -> f32,
    ) -> Reading {
        let deployed = self.deployed.as_mut().unwrap_or(&mut self.seen);
        let (draws, labels, refuses) = (deployed.draws(), deployed.labels(), deployed.refuses());
        let mut probabilities = vec![0.0; labels];
        let answers = if draws { FRESH } else { 1 };
        let (mut votes, mut hits, mut refusals, mut sum) = (vec![0.0f32; labels], 0, 0, 0.0);
        let mut seeds = (0..answers).map(|i| (1 << 32) + index * FRESH + i);
        deployed.answers(pixels, &mut seeds, &mut |logits| {
            softmax(&logits[..labels], &mut probabilities);
            let (read, refused) = (argmax(&logits[..labels]), refuses && argmax(logits) >= labels);
            votes[read] += 1.0;
            refusals += u64::from(refused);
            hits += u64::from(!refused && reached(read));
            sum += confidence(&probabilities);
        });
        let share = hits as f64 / answers as f64;
        Reading {
            predicted: argmax(&votes),
            refused: 2 * refusals >= answers,
            fresh: draws.then_some(share),
            reached: share >= 0.5,
            confidence: sum / answers as f32,
        }
    }
}
