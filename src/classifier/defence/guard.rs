//! Guards: what stands beside a classifier and refuses an image that is none of those that it knows.
//!
//! A siamese network refuses an image whose embedding lies too far from the prototype of the label that is read; a VAE one
//! that it reconstructs too badly (Meng & Chen 2017, "MagNet: a Two-Pronged Defense against Adversarial Examples", section
//! 4.1). What is too far stands in the guard's weights file: as far as so many percent of clean validation images are.
//!
//! An attacker who knows a guard meets the refusal as one more answer, whose logit lies above that of the wanted label by the
//! guard's distance ([`Refusal`]): every attack and every loss then fights guard and network at once, and spends its gradient
//! on that of the two which withstands it more. (Carlini & Wagner 2017, "Adversarial Examples Are Not Easily Detected:
//! Bypassing Ten Detection Methods", section 3: the detector as one more class.)

use crate::classifier::{Classifier, Copied, Network, Query, Subject, Vae};
use crate::error::{Error, Result};
use crate::kernel::softmax::Refusal;
use crate::metrics::argmax;
use crate::network::weights::{Facts, Weights};
use crate::network::{Shape, Spec};
use crate::number;

/// The percentages of clean validation images of which thresholds are kept.
pub const PERCENTS: [usize; 4] = [1, 2, 5, 10];
/// The fact under which a weights file keeps them: a percentage and its threshold, the next one, and so on.
pub const FACT: &str = "thresholds";
/// Nats by which a refusal's logit rises above the label's where the distance (the root of the score) is twice its threshold.
/// Of 1, 2, 3, 5, 10, 30 and 100 those from 1 to 3 found most; of the distance, its square and its logarithm, the distance.
const STEEPNESS: f32 = 2.0;

/// What a guard looks at.
#[derive(Clone, Debug)]
enum Watch {
    /// The squared distance of the embedding from the prototype of each label: a siamese network's logits, without their sign.
    Distance(Network),
    /// The squared error of the reconstruction, whatever the label.
    Reconstruction(Box<Vae>),
}

/// A network that can stand guard, and from which score on it refuses.
#[derive(Clone, Debug)]
pub struct Guard {
    watch: Watch,
    name: String,
    labels: usize,
    pixels: usize,
    thresholds: Vec<(usize, f32)>,
}

impl Guard {
    /// The guard that the network of `weights` makes.
    ///
    /// # Errors
    /// [`Error::BadInput`] where it is neither a siamese network nor a VAE, or its thresholds cannot be read.
    pub fn new(weights: &Weights) -> Result<Self> {
        if weights.spec.is_vae() {
            let vae = Vae::sampled(weights, 1, 0)?;
            return Self::of_vae(&weights.spec, &weights.facts, &vae);
        }
        Self::of_network(&weights.spec, &weights.facts, &Network::new(weights)?)
    }

    /// [`new`](Self::new) of a VAE whose weights are packed already, which it shares.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn of_vae(spec: &Spec, facts: &Facts, vae: &Vae) -> Result<Self> {
        Self::of(spec, facts, Watch::Reconstruction(Box::new(vae.clone())))
    }

    /// [`new`](Self::new) of a network whose weights are packed already, which it shares.
    ///
    /// # Errors
    /// As [`new`](Self::new).
    pub fn of_network(spec: &Spec, facts: &Facts, network: &Network) -> Result<Self> {
        if spec.embedding().is_none() {
            let why = format!("'{}' cannot stand guard: only a siamese network or a VAE can", spec.name);
            return Err(Error::BadInput(why));
        }
        Self::of(spec, facts, Watch::Distance(network.clone()))
    }

    fn of(spec: &Spec, facts: &Facts, watch: Watch) -> Result<Self> {
        let wrong = || Error::BadInput(format!("the thresholds of '{}' cannot be read", spec.name));
        let mut thresholds = Vec::new();
        let mut words = facts.get(FACT).map_or("", String::as_str).split(' ').filter(|word| !word.is_empty());
        while let (Some(percent), threshold) = (words.next(), words.next()) {
            let percent = percent.parse().map_err(|_| wrong())?;
            let threshold = threshold.and_then(number::parse).ok_or_else(wrong)? as f32;
            if !(threshold > 0.0 && threshold.is_finite()) {
                return Err(wrong());
            }
            thresholds.push((percent, threshold));
        }
        let (labels, pixels) = (spec.classes(), spec.pixels());
        Ok(Self { watch, name: spec.name.clone(), labels, pixels, thresholds })
    }

    /// The name of its network.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The score of an image of which `label` is read: the squared distance of the embedding from that label's prototype, or the
    /// squared error of the reconstruction.
    ///
    /// # Panics
    /// When the image is too short, or there is no such label.
    pub fn score(&mut self, image: &[f32], label: usize) -> f32 {
        let mut scores = vec![0.0; self.labels];
        self.scores(image, 1, &mut scores);
        scores[label]
    }

    /// The threshold at so many percent of false alarms.
    ///
    /// # Errors
    /// [`Error::BadInput`], with those that there are.
    pub fn threshold(&self, percent: usize) -> Result<f32> {
        let found = self.thresholds.iter().find(|(p, _)| *p == percent);
        found.map(|(_, threshold)| *threshold).ok_or_else(|| {
            let name = &self.name;
            Error::BadInput(if self.thresholds.is_empty() {
                format!("'{name}' has no thresholds in its weights file to stand guard by: set them with 'calibrate'")
            } else {
                let there: Vec<String> = self.thresholds.iter().map(|(p, _)| p.to_string()).collect();
                format!("'{name}' has thresholds for {} % of false alarms, not for {percent}", there.join(", "))
            })
        })
    }

    /// The scores of `count` images, one after the other, under each label.
    fn scores(&mut self, images: &[f32], count: usize, scores: &mut [f32]) {
        match &mut self.watch {
            Watch::Distance(network) => {
                let net = network.net_mut();
                net.forward_batch(images, count);
                for (i, scores) in scores.chunks_exact_mut(self.labels).enumerate() {
                    scores.iter_mut().zip(net.outputs_of(i)).for_each(|(score, logit)| *score = -logit);
                }
            }
            Watch::Reconstruction(vae) => {
                let all = images.chunks_exact(self.pixels).zip(scores.chunks_exact_mut(self.labels));
                all.for_each(|(image, scores)| scores.fill(vae.reconstruction_error(image, None)));
            }
        }
    }

    /// Adds the gradients of a loss, whose slopes with respect to the scores of the first images of the latest
    /// [`scores`](Self::scores) are given, to those of these images.
    fn add_gradients(&mut self, queries: &mut [Query<'_>], slopes: &[f32]) {
        let labels = self.labels;
        match &mut self.watch {
            Watch::Distance(network) => {
                let net = network.net_mut();
                let to_logits: Vec<f32> = slopes.iter().map(|slope| -slope).collect();
                net.input_gradient_batch(&to_logits, queries.len());
                for (i, query) in queries.iter_mut().enumerate() {
                    if let Some(gradient) = &mut query.gradient {
                        gradient.iter_mut().zip(net.gradient_of(i)).for_each(|(g, own)| *g += own);
                    }
                }
            }
            Watch::Reconstruction(vae) => {
                for (query, slopes) in queries.iter_mut().zip(slopes.chunks_exact(labels)) {
                    let slope = slopes.iter().sum::<f32>();
                    if let (Some(gradient), true) = (&mut query.gradient, slope != 0.0) {
                        vae.reconstruction_error(query.image, Some((slope, gradient)));
                    }
                }
            }
        }
    }

    /// Puts a subject behind this guard.
    ///
    /// # Errors
    /// [`Error::BadInput`] where it has no threshold for so many percent of false alarms, or knows other images or labels.
    pub fn before(self, subject: Subject, percent: usize) -> Result<Subject> {
        let threshold = self.threshold(percent)?;
        let (pixels, labels) = (subject.seen.pixels(), subject.seen.labels());
        if (pixels, labels) != (self.pixels, self.labels) {
            let (name, network) = (&self.name, &subject.network);
            return Err(Error::BadInput(format!(
                "'{name}' cannot guard '{network}': it knows images of {} numbers and {} labels, not {pixels} and {labels}",
                self.pixels, self.labels
            )));
        }
        Ok(subject.wrapped(&|inner| Box::new(Guarded { inner, guard: self.clone(), threshold })))
    }
}

/// What a weights file keeps of the scores of clean images: for each of [`PERCENTS`] the score that at most so many percent of
/// such images exceed (Vovk, Gammerman, Shafer 2005: of n scores the `(n + 1)(1 - p)`-th, so that one more image exceeds it with
/// a probability of at most p; the largest, where they are too few for that).
pub fn thresholds(mut scores: Vec<f32>) -> String {
    scores.sort_by(f32::total_cmp);
    let of = |percent: &usize| {
        let rank = ((scores.len() + 1) * (100 - percent)).div_ceil(100).min(scores.len());
        scores.get(rank.max(1) - 1).map(|threshold| format!("{percent} {threshold}"))
    };
    PERCENTS.iter().filter_map(of).collect::<Vec<_>>().join(" ")
}

/// A classifier with a guard beside it, which sees the same images.
struct Guarded {
    inner: Box<dyn Copied>,
    guard: Guard,
    threshold: f32,
}

impl Clone for Guarded {
    fn clone(&self) -> Self {
        Self { inner: self.inner.copied(), guard: self.guard.clone(), threshold: self.threshold }
    }
}

/// By how much a refusal's logit lies above that of a label with this score.
fn lead(score: f32, threshold: f32) -> f32 {
    STEEPNESS * ((score / threshold).sqrt() - 1.0)
}

/// Writes the refusal's logit after those of the labels; where another guard's stands there already, the larger of both.
fn refuse(scores: &[f32], threshold: f32, logits: &mut [f32], refused: bool) {
    let labels = scores.len();
    let read = argmax(&logits[..labels]);
    let own = logits[read] + lead(scores[read], threshold);
    logits[labels] = if refused { own.max(logits[labels]) } else { own };
}

impl Classifier for Guarded {
    fn pixels(&self) -> usize {
        self.inner.pixels()
    }

    fn shape(&self) -> Shape {
        self.inner.shape()
    }

    fn classes(&self) -> usize {
        self.guard.labels + 1
    }

    fn refuses(&self) -> bool {
        true
    }

    fn draws(&self) -> bool {
        self.inner.draws()
    }

    fn answers(&mut self, image: &[f32], seeds: &mut dyn Iterator<Item = u64>, f: &mut dyn FnMut(&[f32])) {
        let Self { inner, guard, threshold } = self;
        let mut scores = vec![0.0; guard.labels];
        guard.scores(image, 1, &mut scores);
        let mut logits = vec![0.0; guard.labels + 1];
        let refused = inner.refuses();
        inner.answers(image, seeds, &mut |own| {
            logits[..own.len()].copy_from_slice(own);
            refuse(&scores, *threshold, &mut logits, refused);
            f(&logits);
        });
    }

    fn logits(&mut self, image: &[f32], logits: &mut [f32]) {
        let mut scores = vec![0.0; self.guard.labels];
        self.guard.scores(image, 1, &mut scores);
        let own = self.inner.classes();
        self.inner.logits(image, &mut logits[..own]);
        refuse(&scores, self.threshold, logits, self.inner.refuses());
    }

    fn evaluate(&mut self, queries: &mut [Query<'_>]) {
        let gradients = crate::classifier::gradients_first(queries);
        let (labels, own) = (self.guard.labels, self.inner.classes());
        let mut scores = vec![0.0; queries.len() * labels];
        if let [query] = queries {
            self.guard.scores(query.image, 1, &mut scores);
        } else {
            let images: Vec<f32> = queries.iter().flat_map(|query| query.image).copied().collect();
            self.guard.scores(&images, queries.len(), &mut scores);
        }
        // The network behind hears of the larger of the leads of this guard and of one before it.
        let mut refusals: Vec<Refusal> = queries
            .iter()
            .zip(scores.chunks_exact(labels))
            .map(|(query, scores)| {
                let outer = |label: usize| query.refusal.as_ref().map_or(f32::MIN, |r| r.leads[label]);
                Refusal::new(scores.iter().enumerate().map(|(i, &s)| lead(s, self.threshold).max(outer(i))))
            })
            .collect();
        let mut inner: Vec<Query<'_>> = queries
            .iter_mut()
            .zip(&mut refusals)
            .map(|(query, refusal)| {
                let query = query.passed_on();
                let (logits, scratch) = (&mut query.logits[..own], &mut query.scratch[..own]);
                Query { refusal: Some(refusal), logits, scratch, ..query }
            })
            .collect();
        self.inner.evaluate(&mut inner);
        drop(inner);
        let mut slopes = vec![0.0; gradients * labels];
        for (i, (query, refusal)) in queries.iter_mut().zip(&refusals).enumerate() {
            let scores = &scores[i * labels..][..labels];
            refuse(scores, self.threshold, query.logits, self.inner.refuses());
            for (label, &slope) in refusal.slopes.iter().enumerate() {
                let own = refusal.leads[label] <= lead(scores[label], self.threshold);
                if let (Some(outer), false) = (&mut query.refusal, own) {
                    outer.slopes[label] += outer.weight * slope;
                } else if i < gradients {
                    // Of the distance, which has no slope where it is 0.
                    let distance = (scores[label] * self.threshold).sqrt().max(f32::MIN_POSITIVE);
                    slopes[i * labels + label] = slope * 0.5 * STEEPNESS / distance;
                }
            }
        }
        self.guard.add_gradients(&mut queries[..gradients], &slopes);
    }
}
