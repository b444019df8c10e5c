//! The command `attack`: attacks images of a data set and reports each of them.

use std::path::PathBuf;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Instant;

use anyhow::{Context, Result, ensure};

use super::images::{Image, Images, Target, read_weights};
use super::report::{Record, print_json, print_table};
use super::{picture, progress};
use crate::arch::Validity;
use crate::attack::{self, Goal, run};
use crate::error::Error;
use crate::kernel::softmax;
use crate::metrics::argmax;
use crate::metrics::norms::Norms;
use crate::model::{Classifier, Network};
use crate::study::{Thresholds, measure};

/// What to attack, and how.
#[derive(Clone, Debug)]
pub struct Options {
    /// The weights file.
    pub model: PathBuf,
    /// Which images.
    pub images: Images,
    /// Which label to aim at.
    pub target: Target,
    /// The attack.
    pub attack: attack::Options,
    /// The validity threshold, if not the data set's own.
    pub valid: Option<f64>,
    /// The confidence threshold, if not the usual one.
    pub confident: Option<f64>,
    /// One JSON object an image instead of a table.
    pub json: bool,
    /// Where pictures go, if anywhere.
    pub save: Option<PathBuf>,
    /// The folder of the data sets.
    pub data: PathBuf,
}

/// A record and the attacked image.
type Attacked = (Record, Vec<f32>);

/// Attacks and reports; pictures go to `options.save`.
///
/// # Errors
/// When a file cannot be read or written, or a parameter is out of range.
pub fn attack(options: &Options) -> Result<()> {
    let weights = read_weights(&options.model)?;
    let network = Network::new(&weights)?;
    let dataset = weights.arch.dataset;
    let images = options.images.load(dataset, &options.data)?;
    if let Target::Label(label) = options.target {
        let classes = network.classes();
        ensure!(label < classes, "there is no label {label}; the network has {classes}");
    }
    let mut thresholds = Thresholds::new(dataset.validity);
    if let Some(value) = options.valid {
        thresholds.validity = match dataset.validity {
            Validity::L2AtMost(_) => Validity::L2AtMost(value),
            Validity::SsimAtLeast(_) => Validity::SsimAtLeast(value),
        };
    }
    thresholds.confident = options.confident.unwrap_or(thresholds.confident);
    let results = on_all_cores(&images, &network, |network, image| {
        attack_one(network, image, dataset.image, thresholds, options)
    })?;
    if let Some(folder) = &options.save {
        for (image, (record, changed)) in images.iter().zip(&results) {
            let name = |what: &str| format!("{}-{}-{what}.png", options.images.set(), record.index);
            let path = |what: &str| folder.join(name(what));
            picture::save_image(&path("original"), dataset.image, &image.pixels)?;
            picture::save_image(&path("adversarial"), dataset.image, changed)?;
            picture::save_perturbation(&path("perturbation"), dataset.image, &image.pixels, changed)?;
        }
    }
    let records: Vec<Record> = results.into_iter().map(|(record, _)| record).collect();
    let printed = if options.json { print_json(&records) } else { print_table(&records, thresholds) };
    match printed {
        // The reader of a pipe may go away early; that is its right.
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        other => other.context("cannot write the results"),
    }
}

/// Calls `work` for every image, on all cores, each thread with its own network and the next image when it is free.
/// The results have the order of the images; the first error ends the work.
fn on_all_cores<T: Send>(
    images: &[Image],
    network: &Network,
    work: impl Fn(&mut Network, &Image) -> Result<T> + Sync,
) -> Result<Vec<T>> {
    let threads = std::thread::available_parallelism().map_or(1, |n| n.get()).min(images.len());
    let bar = progress::bar(images.len() as u64, "attack");
    let next = AtomicUsize::new(0);
    let results: Mutex<Vec<Option<T>>> = Mutex::new(images.iter().map(|_| None).collect());
    let failure = Mutex::new(None);
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                let mut network = network.clone();
                while let Some((i, image)) = {
                    let i = next.fetch_add(1, Ordering::Relaxed);
                    images.get(i).map(|image| (i, image))
                } {
                    match work(&mut network, image) {
                        Ok(result) => {
                            if let Ok(mut results) = results.lock() {
                                results[i] = Some(result);
                            }
                        }
                        Err(error) => {
                            next.store(images.len(), Ordering::Relaxed);
                            if let Ok(mut failure) = failure.lock() {
                                failure.get_or_insert(error);
                            }
                        }
                    }
                    bar.inc(1);
                }
            });
        }
    });
    bar.finish_and_clear();
    if let Some(error) = failure.into_inner().ok().flatten() {
        return Err(error);
    }
    let results = results.into_inner().unwrap_or_default();
    let finished: Vec<T> = results.into_iter().flatten().collect();
    ensure!(finished.len() == images.len(), "a worker thread failed");
    Ok(finished)
}

/// Attacks one image; a refusal is a record too.
fn attack_one(
    network: &mut Network,
    image: &Image,
    shape: [usize; 3],
    thresholds: Thresholds,
    options: &Options,
) -> Result<Attacked> {
    let classes = network.classes();
    let goal = options.target.goal(image.label, classes);
    let (mut logits, mut probabilities) = (vec![0.0; classes], vec![0.0; classes]);
    network.logits(&image.pixels, &mut logits);
    softmax::softmax(&logits, &mut probabilities);
    let clean_predicted = argmax(&logits);
    let mut record = Record {
        index: image.index,
        label: image.label,
        target: if let Goal::Target(label) = goal { Some(label) } else { None },
        clean_predicted,
        attack: options.attack.method.name(),
        predicted: clean_predicted,
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
        budget: None,
        zero_gradient: 0.0,
        steps: 0,
        gradients: 0,
        milliseconds: 0.0,
        refused: None,
    };
    let start = Instant::now();
    let mut attack = options.attack.attack(network, &image.pixels, goal)?;
    let end = match attack.step(network) {
        Ok(first) => {
            record.zero_gradient = first.zero_gradient;
            run(&mut *attack, network)?
        }
        Err(Error::Refused(why)) => {
            record.refused = Some(why);
            return Ok((record, image.pixels.clone()));
        }
        Err(error) => return Err(error.into()),
    };
    record.milliseconds = start.elapsed().as_secs_f64() * 1e3;
    let outcome = attack.outcome().context("the attack has no outcome")?;
    let best = outcome.progress;
    let measures = measure(network, goal, (&image.pixels, shape), outcome, thresholds);
    let Norms { l0, l1, l2, linf } = best.norms;
    (record.l0, record.l1, record.l2, record.linf) = (l0, l1, l2, linf);
    (record.predicted, record.success, record.confidence) = (best.predicted, best.success, best.confidence);
    (record.loss, record.steps, record.gradients) = (best.loss, end.step, end.gradients);
    (record.ssim, record.valid, record.grade) = (measures.ssim, measures.valid, Some(measures.grade));
    record.survives_png = measures.survives_png;
    record.budget = options.attack.budget_of(&best);
    Ok((record, outcome.image.clone()))
}
