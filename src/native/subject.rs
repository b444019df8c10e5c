//! What is attacked, and one attack on it.

use std::time::Instant;

use anyhow::{Context, Result};

use super::images::Image;
use super::record::Record;
use crate::attack::{self, Goal, Outcome, run_all};
use crate::error::Error;
use crate::kernel::softmax;
use crate::metrics::argmax;
use crate::metrics::grade::Grade;
use crate::metrics::norms::Norms;
use crate::model::{Classifier, Inference, Model};
use crate::study::{DRAWS, Fresh, Thresholds, fresh, measure, stored};
use crate::weights::Weights;

/// How a VAE classifier reads, and how it is attacked then.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reading {
    /// Through the mean.
    Mean,
    /// Through samples.
    Sampled {
        /// Draws that one answer averages.
        samples: usize,
        /// Draws over which an attack takes the mean loss (expectation over transformation, Athalye et al. 2018).
        eot: usize,
    },
}

/// A network under attack.
#[derive(Clone, Debug)]
pub struct Subject {
    /// What the attack sees.
    pub model: Model,
    /// What answers in the end, when that draws anew each time.
    deployed: Option<Model>,
    /// Rows, columns and channels of an image.
    shape: [usize; 3],
}

impl Subject {
    /// The network of `weights`.
    ///
    /// # Errors
    /// As [`Model::new`].
    pub fn new(weights: &Weights, reading: Reading) -> Result<Self> {
        let (inference, deployed) = match reading {
            Reading::Mean => (Inference::Mean, None),
            Reading::Sampled { samples, eot } => {
                let sampled = |samples| Inference::Sampled { samples, seed: DRAWS };
                (sampled(eot), Some(Model::new(weights, sampled(samples))?))
            }
        };
        let shape = weights.arch.dataset.image;
        Ok(Self { model: Model::new(weights, inference)?, deployed, shape })
    }

    /// Whether `pixels`, made of `image` by any attack, reach the goal: by the likeliest label, against a network that
    /// samples by at least half of its fresh answers.
    pub fn fooled(&mut self, image: &Image, pixels: &[f32], goal: Goal) -> bool {
        match &mut self.deployed {
            Some(deployed) => reread(deployed, pixels, goal, image).succeeds(),
            None => {
                let mut logits = vec![0.0; self.model.classes()];
                self.model.logits(pixels, &mut logits);
                goal.reached(argmax(&logits))
            }
        }
    }
}

/// What an attack on one image came to.
#[derive(Clone, Debug)]
pub struct Attacked {
    /// What is written down of it.
    pub record: Record,
    /// The attacked image; the original where there was nothing to attack.
    pub image: Vec<f32>,
    /// How long the attack took.
    pub milliseconds: f64,
}

/// What one attack is: an image, what is wanted of it, and an image of the wanted label to start from, for attacks that see
/// labels alone.
#[derive(Clone, Copy, Debug)]
pub struct Task<'a> {
    pub image: &'a Image,
    pub goal: Goal,
    pub start: Option<&'a Image>,
}

/// Attacks images, all at once, so that dense layers share their weights. A refusal is a record too. Against a network that
/// samples, success, reading and confidence are those of fresh answers (success: at least half of them), not of the draws
/// that the attack descended. The time of each is its share of the whole.
///
/// # Errors
/// When an option is out of range, or the network answers with something that is not a number.
pub fn attack_all(
    subject: &mut Subject,
    tasks: &[Task<'_>],
    options: attack::Options,
    thresholds: Thresholds,
) -> Result<Vec<Attacked>> {
    let records = tasks.iter().map(|task| unattacked(subject, task.image, task.goal, options)).collect();
    attack_known(subject, tasks, options, (records, thresholds))
}

/// [`attack_all`] on images of which the records without an attack, [`unattacked`], are known.
///
/// # Errors
/// As [`attack_all`].
pub fn attack_known(
    subject: &mut Subject,
    tasks: &[Task<'_>],
    options: attack::Options,
    (records, thresholds): (Vec<Record>, Thresholds),
) -> Result<Vec<Attacked>> {
    let start = Instant::now();
    let model = &subject.model;
    let mut attacks = Vec::with_capacity(tasks.len());
    for Task { image, goal, start } in tasks {
        let start = start.map(|image| &image.pixels[..]);
        attacks.push(options.attack_from(model, &image.pixels, *goal, start)?);
    }
    let mut zeros: Vec<Option<f32>> = vec![None; tasks.len()];
    let ends = run_all(&mut attacks, &mut subject.model, |i, progress| {
        zeros[i].get_or_insert(progress.zero_gradient);
    });
    let milliseconds = start.elapsed().as_secs_f64() * 1e3 / tasks.len() as f64;
    let mut attacked = Vec::with_capacity(tasks.len());
    for ((((task, attack), end), zeros), mut record) in
        tasks.iter().zip(&attacks).zip(ends).zip(zeros).zip(records)
    {
        record.zero_gradient = zeros.unwrap_or(0.0);
        let end = match end {
            Ok(end) => end,
            Err(Error::Refused(why)) => {
                record.refused = Some(why);
                attacked.push(Attacked { record, image: task.image.pixels.clone(), milliseconds: 0.0 });
                continue;
            }
            Err(error) => return Err(error.into()),
        };
        let outcome = attack.outcome().context("the attack has no outcome")?;
        judge(subject, *task, outcome, options, (&mut record, thresholds));
        (record.steps, record.gradients, record.queries) = (end.step, end.gradients, end.queries);
        attacked.push(Attacked { record, image: outcome.image.clone(), milliseconds });
    }
    Ok(attacked)
}

/// Writes down what an attack came to.
fn judge(
    subject: &mut Subject,
    Task { image, goal, .. }: Task<'_>,
    outcome: &Outcome,
    options: attack::Options,
    (record, thresholds): (&mut Record, Thresholds),
) {
    let Subject { model, deployed, shape } = subject;
    let best = outcome.progress;
    let measures = measure(model, goal, (&image.pixels, *shape), outcome, thresholds);
    let Norms { l0, l1, l2, linf } = best.norms;
    (record.l0, record.l1, record.l2, record.linf) = (l0, l1, l2, linf);
    (record.predicted, record.success, record.confidence) = (best.predicted, best.success, best.confidence);
    record.loss = best.loss;
    (record.ssim, record.valid, record.grade) = (measures.ssim, measures.valid, Some(measures.grade));
    record.survives_png = measures.survives_png;
    record.budget = options.budget_of(&best).map(|b| b as f32);
    if let Some(deployed) = deployed {
        let fresh = reread(deployed, &outcome.image, goal, image);
        record.fresh = Some(fresh.share);
        record.success = fresh.succeeds();
        record.predicted = fresh.predicted;
        record.confidence = fresh.confidence;
        record.survives_png =
            record.success && reread(deployed, &stored(&outcome.image), goal, image).succeeds();
        if options.search && !record.success {
            record.budget = None;
        }
        let confident = f64::from(fresh.confidence) >= thresholds.confident;
        record.grade = Some(Grade::of(record.success, record.valid, confident));
    }
}

/// Asks a sampling network for fresh answers to `pixels`, the image itself or what an attack made of it.
fn reread(deployed: &mut Model, pixels: &[f32], goal: Goal, image: &Image) -> Fresh {
    fresh(deployed, pixels, goal, image.index as u64)
}

/// The record of an image as it is.
pub fn unattacked(subject: &mut Subject, image: &Image, goal: Goal, options: attack::Options) -> Record {
    let model = &mut subject.model;
    let classes = model.classes();
    let (mut logits, mut probabilities) = (vec![0.0; classes], vec![0.0; classes]);
    model.logits(&image.pixels, &mut logits);
    softmax::softmax(&logits, &mut probabilities);
    let predicted = match &mut subject.deployed {
        Some(deployed) => reread(deployed, &image.pixels, goal, image).predicted,
        None => argmax(&logits),
    };
    Record {
        attack: options.method.name().into(),
        norm: options.method.norm().name().into(),
        budget: (!options.search).then_some(options.budget),
        index: image.index,
        label: image.label,
        target: if let Goal::Target(label) = goal { Some(label) } else { None },
        clean_predicted: predicted,
        predicted,
        success: false,
        confidence: goal.confidence(&probabilities),
        loss: 0.0,
        l0: 0,
        l1: 0.0,
        l2: 0.0,
        linf: 0.0,
        ssim: 1.0,
        valid: true,
        grade: None,
        survives_png: false,
        fresh: None,
        zero_gradient: 0.0,
        steps: 0,
        gradients: 0,
        queries: 0,
        refused: None,
    }
}
