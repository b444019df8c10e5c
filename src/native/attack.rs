//! The command `attack`: attacks images of a data set and reports each of them.

use std::io::{IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context, Result, bail, ensure};
use serde::Serialize;

use super::fetch::{Split, mnist};
use super::picture;
use super::progress;
use crate::attack::linf::{BasicIterativeLinf, LinfOptions};
use crate::attack::{Attack, Goal, run};
use crate::error::Error;
use crate::kernel::softmax;
use crate::metrics::argmax;
use crate::metrics::norms::Norms;
use crate::model::{Classifier, Network};
use crate::samples::Samples;
use crate::weights::{MAX_BYTES, Weights};

/// Which images: a range of the test set, or of the sample that the page ships.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Images {
    sample: bool,
    range: std::ops::Range<usize>,
}

impl std::str::FromStr for Images {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let help = || format!("'{text}' is not like test:0..100, test:7, sample:0..10 or sample:7");
        let (set, range) = text.split_once(':').ok_or_else(help)?;
        let sample = match set {
            "test" => false,
            "sample" => true,
            _ => return Err(help()),
        };
        let number = |n: &str| n.parse::<usize>().map_err(|_| help());
        let range = match range.split_once("..") {
            Some((from, to)) => number(from)?..number(to)?,
            None => number(range)?..number(range)?.checked_add(1).ok_or_else(help)?,
        };
        if range.is_empty() {
            return Err(format!("'{text}' holds no image"));
        }
        Ok(Self { sample, range })
    }
}

/// Which label to aim at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target {
    /// (true label + 1) mod the number of labels.
    Next,
    /// Any wrong label: an untargeted attack.
    Any,
    /// This label.
    Label(usize),
}

impl std::str::FromStr for Target {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        match text {
            "next" => Ok(Self::Next),
            "any" => Ok(Self::Any),
            _ => text.parse().map(Self::Label).map_err(|_| format!("'{text}' is not next, any or a label")),
        }
    }
}

/// What to attack, and how.
#[derive(Clone, Debug)]
pub struct Options {
    /// The weights file.
    pub model: PathBuf,
    /// Which images.
    pub images: Images,
    /// Which label to aim at.
    pub target: Target,
    /// The attack's parameters.
    pub linf: LinfOptions,
    /// One JSON object an image instead of a table.
    pub json: bool,
    /// Where pictures go, if anywhere.
    pub save: Option<PathBuf>,
    /// The folder of the data sets.
    pub data: PathBuf,
}

/// One attacked image, as it is reported.
#[derive(Clone, Debug, Serialize)]
struct Record {
    /// Its index in the set it was taken from.
    index: usize,
    /// The true label.
    label: usize,
    /// The label aimed at; null when any wrong one would do.
    target: Option<usize>,
    /// What the network read before the attack.
    clean_predicted: usize,
    /// What it reads after.
    predicted: usize,
    success: bool,
    /// Probability of the false label.
    confidence: f32,
    l1: f64,
    l2: f64,
    linf: f64,
    steps: usize,
    /// Gradients computed.
    gradients: usize,
    milliseconds: f64,
    /// Why there was nothing to attack, if there was nothing.
    #[serde(skip_serializing_if = "Option::is_none")]
    refused: Option<String>,
}

/// A record and the attacked image.
type Attacked = (Record, Vec<f32>);

struct Image {
    index: usize,
    label: usize,
    pixels: Vec<f32>,
}

/// Attacks and reports; pictures go to `options.save`.
///
/// # Errors
/// When a file cannot be read or written, or a parameter is out of range.
pub fn attack(options: &Options) -> Result<()> {
    let weights = read_weights(&options.model)?;
    let network = Network::new(&weights)?;
    let images = load(options, &weights)?;
    if let Target::Label(label) = options.target {
        ensure!(
            label < network.classes(),
            "there is no label {label}; the network has {}",
            network.classes()
        );
    }
    let bar = progress::bar(images.len() as u64, "attack");
    let threads = std::thread::available_parallelism().map_or(1, |n| n.get()).min(images.len());
    let results: Vec<Result<Vec<Attacked>>> = std::thread::scope(|scope| {
        let workers: Vec<_> = images
            .chunks(images.len().div_ceil(threads))
            .map(|images| {
                let (mut network, bar) = (network.clone(), &bar);
                scope.spawn(move || {
                    images
                        .iter()
                        .map(|image| {
                            let result = attack_one(&mut network, image, options);
                            bar.inc(1);
                            result
                        })
                        .collect()
                })
            })
            .collect();
        workers.into_iter().map(|w| w.join().unwrap_or_else(|_| bail!("a worker thread failed"))).collect()
    });
    bar.finish_and_clear();
    let mut records = Vec::new();
    for result in results {
        records.extend(result?);
    }

    if let Some(folder) = &options.save {
        let set = if options.images.sample { "sample" } else { "test" };
        let shape = weights.arch.dataset.image;
        for (image, (record, changed)) in images.iter().zip(&records) {
            let path = |what: &str| folder.join(format!("{set}-{}-{what}.png", record.index));
            picture::save_image(&path("original"), shape, &image.pixels)?;
            picture::save_image(&path("adversarial"), shape, changed)?;
            picture::save_perturbation(&path("perturbation"), shape, &image.pixels, changed)?;
        }
    }
    let records: Vec<Record> = records.into_iter().map(|(r, _)| r).collect();
    let printed = if options.json { print_json(&records) } else { print_table(&records) };
    match printed {
        // The reader of a pipe may go away early; that is its right.
        Err(error) if error.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        other => other.context("cannot write the results"),
    }
}

/// Reads a weights file, of which nothing absurdly long is read.
///
/// # Errors
/// When it cannot be read, or is not right.
pub fn read_weights(path: &Path) -> Result<Weights> {
    let context = || format!("cannot read {}", path.display());
    let length = std::fs::metadata(path).with_context(context)?.len();
    ensure!(
        length <= MAX_BYTES as u64,
        "{} is {length} bytes long; at most {MAX_BYTES} are read",
        path.display()
    );
    let bytes = std::fs::read(path).with_context(context)?;
    Weights::from_bytes(&bytes).with_context(|| path.display().to_string())
}

fn load(options: &Options, weights: &Weights) -> Result<Vec<Image>> {
    let Images { sample, range } = options.images.clone();
    let check = |count: usize| {
        ensure!(
            range.end <= count,
            "images {}..{} were asked for; there are {count}",
            range.start,
            range.end
        );
        Ok(())
    };
    if sample {
        let dataset = weights.arch.dataset;
        let path = super::server::root()?.join(format!("models/{}-sample.safetensors", dataset.name));
        let bytes = std::fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
        let samples = Samples::from_bytes(dataset, &bytes)?;
        check(samples.len())?;
        let image = |i| Ok(Image { index: i, label: samples.labels[i].into(), pixels: samples.image(i)? });
        range.map(image).collect()
    } else {
        let digits = mnist(&options.data, Split::Test)?;
        check(digits.len())?;
        Ok(range
            .map(|i| Image { index: i, label: digits.labels[i].into(), pixels: digits.image(i) })
            .collect())
    }
}

/// Attacks one image; a refusal is a record too.
fn attack_one(network: &mut Network, image: &Image, options: &Options) -> Result<Attacked> {
    let classes = network.classes();
    let goal = match options.target {
        Target::Next => Goal::Target((image.label + 1) % classes),
        Target::Label(label) => Goal::Target(label),
        Target::Any => Goal::Away(image.label),
    };
    let mut probabilities = vec![0.0; classes];
    let mut logits = vec![0.0; classes];
    network.logits(&image.pixels, &mut logits);
    softmax::softmax(&logits, &mut probabilities);
    let clean_predicted = argmax(&logits);
    let mut record = Record {
        index: image.index,
        label: image.label,
        target: if let Goal::Target(label) = goal { Some(label) } else { None },
        clean_predicted,
        predicted: clean_predicted,
        success: false,
        confidence: goal.confidence(&probabilities),
        l1: 0.0,
        l2: 0.0,
        linf: 0.0,
        steps: 0,
        gradients: 0,
        milliseconds: 0.0,
        refused: None,
    };
    let start = Instant::now();
    let mut attack = BasicIterativeLinf::new(network, &image.pixels, goal, options.linf)?;
    match run(&mut attack, network) {
        Ok(end) => {
            let Norms { l1, l2, linf } = end.norms;
            record.milliseconds = start.elapsed().as_secs_f64() * 1e3;
            (record.predicted, record.success, record.confidence) =
                (end.predicted, end.success, end.confidence);
            (record.l1, record.l2, record.linf) = (l1, l2, linf);
            (record.steps, record.gradients) = (end.step, end.gradients);
        }
        Err(Error::Refused(why)) => record.refused = Some(why),
        Err(error) => return Err(error.into()),
    }
    Ok((record, attack.image().to_vec()))
}

fn print_json(records: &[Record]) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    for record in records {
        serde_json::to_writer(&mut out, record)?;
        writeln!(out)?;
    }
    Ok(())
}

fn print_table(records: &[Record]) -> std::io::Result<()> {
    let mut out = std::io::stdout().lock();
    let (bold, plain) = if out.is_terminal() { ("\x1b[1m", "\x1b[0m") } else { ("", "") };
    writeln!(
        out,
        "{bold}{:>6} {:>6} {:>7} {:>6} {:>8} {:>11} {:>8} {:>7} {:>7} {:>6} {:>8}{plain}",
        "index", "label", "target", "reads", "fooled", "confidence", "L1", "L2", "Linf", "steps", "ms"
    )?;
    for r in records {
        let target = r.target.map_or("any".into(), |t| t.to_string());
        write!(out, "{:>6} {:>6} {target:>7} {:>6} ", r.index, r.label, r.predicted)?;
        match &r.refused {
            Some(why) => writeln!(out, "{:>8} {why}", "refused")?,
            None => writeln!(
                out,
                "{:>8} {:>11.4} {:>8.2} {:>7.3} {:>7.4} {:>6} {:>8.2}",
                if r.success { "yes" } else { "no" },
                r.confidence,
                r.l1,
                r.l2,
                r.linf,
                r.steps,
                r.milliseconds
            )?,
        }
    }
    let read: Vec<&Record> = records.iter().filter(|r| r.clean_predicted == r.label).collect();
    let fooled = read.iter().filter(|r| r.success).count();
    let refused = records.iter().filter(|r| r.refused.is_some()).count();
    writeln!(
        out,
        "\n{bold}{fooled} of {} digits that the network reads rightly were fooled ({:.1} %){plain}",
        read.len(),
        100.0 * fooled as f64 / read.len().max(1) as f64
    )?;
    writeln!(
        out,
        "{} of {} images were misread before any attack; {refused} attacks were refused; {:.2} ms an attack",
        records.len() - read.len(),
        records.len(),
        records.iter().map(|r| r.milliseconds).sum::<f64>() / (records.len() - refused).max(1) as f64
    )
}
