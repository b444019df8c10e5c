//! The command `attack`: attacks images of a data set and reports each of them.

use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context, Result, bail, ensure};
use clap::Args;
use clap::builder::PossibleValuesParser;

use super::Data;
use super::aim::Aim;
use super::fields::Fields;
use super::numbers::{counts, number};
use super::report::{Timed, print_json, print_table};
use crate::attack::{self, Goal};
use crate::classifier::{Attacker, EOT, Inference, MAX_SAMPLES, Subject};
use crate::datasets::{Dataset, Image};
use crate::judge::{Judged, Task, judge_all};
use crate::metrics::grade::Thresholds;
use crate::native::cores::{on_all_cores, shares};
use crate::native::guards;
use crate::native::images::{Images, find_weights, read_weights, start_for, stem};
use crate::native::picture;
use crate::native::tensors::{Numbers, Tensor, save_npy, save_npz};
use crate::network::Shape;

#[derive(Args)]
pub struct Attack {
    /// The weights file
    #[arg(long, default_value = "models/mnist-cnn.safetensors")]
    model: PathBuf,
    /// How a VAE reads: through the mean of its latent vector, or through draws of it
    #[arg(long, default_value = "mean", value_parser = inferences())]
    inference: String,
    /// Draws that one answer of a sampling VAE averages (1 when not given)
    #[arg(long, value_parser = counts(1, MAX_SAMPLES))]
    samples: Option<usize>,
    /// Draws over which an attack on a sampling VAE takes the mean loss (64 when not given)
    #[arg(long, value_parser = counts(1, MAX_SAMPLES))]
    eot: Option<usize>,
    /// The defence that the network stands behind, several with + between, the first next to the network: grey2, median3,
    /// siamese5 (a guard that refuses, with 5 % of false alarms), vae1 and so on
    #[arg(long, default_value = "none")]
    defence: String,
    /// What the attack knows of the defence: all, nothing, or of everything the answers alone
    #[arg(long, default_value = "adaptive", value_parser = attackers())]
    attacker: String,
    /// Which attack; linf when not given, of a black box square
    #[arg(long, value_parser = attacks())]
    attack: Option<String>,
    #[command(flatten)]
    fields: Fields,
    /// An attacked image counts as valid from this L2 norm down, or this SSIM up (the data set's own when not given)
    #[arg(long, value_parser = number, allow_negative_numbers = true)]
    valid: Option<f64>,
    /// The network counts as confident from this probability on (0.8 when not given)
    #[arg(long, value_parser = number, allow_negative_numbers = true)]
    confident: Option<f64>,
    /// test:A..B of the test set, sample:N or sample:A..B of the images that the page ships; or files (PNG, JPEG, .npy) and folders of
    /// them, where a picture has the label that its folder is called, and otherwise that which the network reads
    #[arg(long, default_value = "test:0..100", num_args = 1..)]
    images: Vec<Images>,
    /// The label to aim at: next (the true one plus 1), any wrong one, least-likely, random (random:SEED), a label or its number, or a
    /// file with one a line
    #[arg(long, default_value = "next")]
    target: String,
    /// Prints one JSON object an image instead of a table
    #[arg(long)]
    json: bool,
    /// Writes original, adversarial image and magnified perturbation as PNG into this folder; to a file .npy the attacked images alone,
    /// to .npz those with originals, labels, targets and what is read, all to the bit
    #[arg(long)]
    save: Option<PathBuf>,
    #[command(flatten)]
    data: Data,
}

/// Takes the names of attacks.
pub fn attacks() -> PossibleValuesParser {
    PossibleValuesParser::new(attack::ALL.iter().map(|attack| {
        clap::builder::PossibleValue::new(attack.name).help(format!("{} ({})", attack.title, attack.source))
    }))
}

fn attackers() -> PossibleValuesParser {
    PossibleValuesParser::new(Attacker::ALL.map(Attacker::name))
}

fn inferences() -> PossibleValuesParser {
    PossibleValuesParser::new(Inference::ALL.map(Inference::name))
}

/// The names of the attacks that use no gradient.
fn gradient_free() -> Vec<&'static str> {
    attack::ALL.iter().filter(|attack| attack.traits.gradient_free).map(|attack| attack.name).collect()
}

/// Images among which one is sought to start from.
pub(super) const STARTS: usize = 1_000;

/// Attacks and reports.
pub fn run(command: &Attack) -> Result<()> {
    let attacker: Attacker = command.attacker.parse()?;
    let usual = if attacker == Attacker::BlackBox { "square" } else { "linf" };
    let options = command.fields.options(command.attack.as_deref().unwrap_or(usual))?;
    ensure!(
        attacker != Attacker::BlackBox || options.attack.traits.gradient_free,
        "--attack {} needs gradients, which a black box does not give: choose {}",
        options.attack.name,
        gradient_free().join(" or ")
    );
    let model = find_weights(&command.model)?;
    let weights = read_weights(&model)?;
    let dataset = Dataset::by_name(&weights.spec.dataset)?;
    let inference: Inference = command.inference.parse()?;
    ensure!(
        inference == Inference::Mean || weights.spec.is_vae(),
        "'{}' has no latent vector to sample: only a VAE has",
        weights.spec.name
    );
    ensure!(
        inference == Inference::Sampled || command.samples.is_none() && command.eot.is_none(),
        "--samples and --eot are about draws: say --inference sampled, too"
    );
    let (samples, eot) = (command.samples.unwrap_or(1), command.eot.unwrap_or(EOT));
    let mut subject = Subject::new(&weights, inference, samples, eot)?.behind(
        &weights.spec,
        &command.defence,
        attacker,
        &mut guards::finder(&weights),
    )?;
    if let (Attacker::Blind, Some(defended)) = (attacker, &weights.spec.defends) {
        let bare = read_weights(&find_weights(Path::new(defended))?)?;
        ensure!(bare.spec.labels == weights.spec.labels, "'{defended}' names other labels");
        subject.taken_for(&Subject::new(&bare, inference, samples, eot)?);
    }
    subject.network = stem(&model)?;
    let data = &command.data.dir()?;
    let wanted = Images::together(&command.images)?;
    let images = wanted.load(&weights, data)?;
    let goals = Aim::read(&command.target, &weights.spec)?.goals(&images, &mut *subject.seen)?;
    let thresholds = Thresholds::new(dataset.validity).with(command.valid, command.confident)?;
    // What an attack that may begin at an image of the wanted label starts from: the first images of the set.
    let starts =
        if options.attack.traits.starts() { wanted.first(STARTS).load(&weights, data)? } else { Vec::new() };
    let tasks: Vec<Task<'_>> = images
        .iter()
        .zip(&goals)
        .map(|(image, goal)| Task { start: start_for(&starts, image, *goal), ..Task::new(image, *goal) })
        .collect();
    let batches: Vec<&[Task<'_>]> = shares(&tasks).collect();
    // The time of each is its share of the whole.
    let judged = on_all_cores("attack", &batches, &subject, |subject, batch| {
        let start = Instant::now();
        let judged = judge_all(subject, batch, &options, thresholds)?;
        let milliseconds = start.elapsed().as_secs_f64() * 1e3 / batch.len() as f64;
        Ok(judged.into_iter().map(move |judged| (judged, milliseconds)).collect::<Vec<_>>())
    })?;
    let mut records = Vec::with_capacity(images.len());
    let ending = command.save.as_deref().and_then(Path::extension).unwrap_or_default();
    let as_numbers = ending == "npy" || ending == "npz";
    let mut attacked: Vec<f32> = Vec::new();
    for (original, (judged, milliseconds)) in images.iter().zip(judged.into_iter().flatten()) {
        let Judged { record, stored, image, .. } = judged;
        if as_numbers {
            attacked.extend_from_slice(&image);
        } else if let Some(folder) = &command.save {
            let path = |what: &str| folder.join(format!("{}-{}-{what}.png", wanted.set(), record.index));
            picture::save_image(&path("original"), dataset.image, &original.pixels)?;
            picture::save_image(&path("adversarial"), dataset.image, &stored)?;
            picture::save_perturbation(&path("perturbation"), dataset.image, &original.pixels, &stored)?;
        }
        let milliseconds = if record.skipped.is_some() { 0.0 } else { milliseconds };
        records.push(Timed { record, milliseconds });
    }
    if let Some(path) = command.save.as_deref().filter(|_| as_numbers) {
        save_numbers(path, dataset.image, &images, &goals, attacked, &records)?;
    }
    let printed = if command.json { print_json(&records) } else { print_table(&records, thresholds) };
    match printed {
        // The reader of a pipe may go away early; that is its right.
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => {}
        other => other.context("cannot write the results")?,
    }
    if let Some(why) = records.iter().map(|timed| timed.record.skipped.as_deref()).collect::<Option<Vec<_>>>()
    {
        bail!("nothing was attacked: {}", why.first().copied().unwrap_or("there are no images"));
    }
    Ok(())
}

/// Writes the attacked images to the bit: as .npy `[N, rows, columns, channels]` alone, as .npz with all that belongs to them.
fn save_numbers(
    path: &Path,
    [rows, cols, channels]: Shape,
    images: &[Image],
    goals: &[Goal],
    attacked: Vec<f32>,
    records: &[Timed],
) -> Result<()> {
    let count = images.len();
    let pictures =
        |numbers| Tensor { numbers: Numbers::Floats(numbers), dims: vec![count, rows, cols, channels] };
    let whole = |numbers: Vec<i64>| Tensor { numbers: Numbers::Whole(numbers), dims: vec![count] };
    let adversarial = pictures(attacked);
    if path.extension().is_some_and(|ending| ending == "npy") {
        return save_npy(path, &adversarial);
    }
    let target = |goal: &Goal| match goal {
        Goal::Target(label) => *label as i64,
        Goal::Away(_) => -1,
    };
    let tensors = [
        ("original", pictures(images.iter().flat_map(|image| image.pixels.iter().copied()).collect())),
        ("adversarial", adversarial),
        ("index", whole(images.iter().map(|image| image.index as i64).collect())),
        ("label", whole(images.iter().map(|image| image.label as i64).collect())),
        ("target", whole(goals.iter().map(target).collect())),
        ("predicted", whole(records.iter().map(|timed| timed.record.predicted as i64).collect())),
        ("success", whole(records.iter().map(|timed| i64::from(timed.record.success)).collect())),
    ];
    save_npz(path, &tensors)
}
