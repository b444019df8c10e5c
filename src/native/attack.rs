//! The command `attack`: attacks images of a data set and reports each of them.

use std::path::PathBuf;

use anyhow::{Context, Result, ensure};

use super::cores::{on_all_cores, threads};
use super::images::{Image, Images, Target, read_weights};
use super::picture;
use super::report::{Timed, print_json, print_table};
use super::subject::{Attacked, Reading, Subject, Task, attack_all};
use crate::arch::Validity;
use crate::attack::options::Method;
use crate::attack::{self, Goal};
use crate::study::Thresholds;

/// What to attack, and how.
#[derive(Clone, Debug)]
pub struct Options {
    /// The weights file.
    pub model: PathBuf,
    /// How a VAE reads.
    pub reading: Reading,
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

/// Images that are attacked at once.
const BATCH: usize = 16;
/// Images among which one is sought to start from.
const STARTS: usize = 1_000;

/// An image of the wanted label (of any other, where the goal is to get away).
fn start_for<'a>(starts: &'a [Image], image: &Image, goal: Goal) -> Option<&'a Image> {
    starts.iter().find(|start| start.index != image.index && goal.reached(start.label))
}

/// Attacks and reports; pictures go to `options.save`.
///
/// # Errors
/// When a file cannot be read or written, or a parameter is out of range.
pub fn attack(options: &Options) -> Result<()> {
    let weights = read_weights(&options.model)?;
    let subject = Subject::new(&weights, options.reading)?;
    let dataset = weights.arch.dataset;
    let images = options.images.load(&weights, &options.data)?;
    if let Target::Label(label) = options.target {
        let classes = weights.arch.classes();
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
    // What HopSkipJump starts from: the first images of the set.
    let starts = match options.attack.method {
        Method::HopSkipJump(_) => options.images.first(STARTS).load(&weights, &options.data)?,
        _ => Vec::new(),
    };
    let tasks: Vec<Task<'_>> = images
        .iter()
        .map(|image| {
            let goal = options.target.goal(image.label, weights.arch.classes());
            Task { image, goal, start: start_for(&starts, image, goal) }
        })
        .collect();
    let size = images.len().div_ceil(threads(images.len()).max(1)).clamp(1, BATCH);
    let batches: Vec<&[Task<'_>]> = tasks.chunks(size).collect();
    let results: Vec<Attacked> = on_all_cores("attack", &batches, &subject, |subject, batch| {
        attack_all(subject, batch, options.attack, thresholds)
    })?
    .into_iter()
    .flatten()
    .collect();
    if let Some(folder) = &options.save {
        for (image, Attacked { record, image: changed, .. }) in images.iter().zip(&results) {
            let name = |what: &str| format!("{}-{}-{what}.png", options.images.set(), record.index);
            let path = |what: &str| folder.join(name(what));
            picture::save_image(&path("original"), dataset.image, &image.pixels)?;
            picture::save_image(&path("adversarial"), dataset.image, changed)?;
            picture::save_perturbation(&path("perturbation"), dataset.image, &image.pixels, changed)?;
        }
    }
    let timed = |a: Attacked| Timed { record: a.record, milliseconds: a.milliseconds };
    let records: Vec<Timed> = results.into_iter().map(timed).collect();
    let printed = if options.json { print_json(&records) } else { print_table(&records, thresholds) };
    match printed {
        // The reader of a pipe may go away early; that is its right.
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        other => other.context("cannot write the results"),
    }
}
