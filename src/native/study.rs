//! The command `study`: every network under every attack, on the same images with the same targets; what was found for
//! H0; and the checks that an honest evaluation owes (Carlini et al. 2019, "On Evaluating Adversarial Robustness").

use std::io::Write;
use std::path::PathBuf;

use anyhow::{Context, Result, ensure};
use serde::Serialize;

use super::bench::shipped_networks;
use super::cores::on_all_cores;
use super::images::{Image, Images, Target, read_weights};
use super::report::Record;
use super::subject::{Reading, Subject, attack_one};
use crate::arch::{Dataset, LFW, Validity};
use crate::attack;
use crate::attack::iterative::L1Form;
use crate::attack::options::Method;
use crate::metrics::grade::Grade;
use crate::metrics::ssim::ssim;
use crate::metrics::statistics::{Interval, median, paired_difference, share};
use crate::study::Thresholds;
use crate::weights::Weights;

/// What to study.
#[derive(Clone, Debug)]
pub struct Options {
    /// Which data set.
    pub dataset: &'static Dataset,
    /// How many test images, from the first on.
    pub images: usize,
    /// Weights files; the shipped ones when there are none.
    pub models: Vec<PathBuf>,
    /// Draws of an attack on a VAE that samples.
    pub eot: usize,
    /// JSON instead of tables.
    pub json: bool,
    /// The folder of the data sets.
    pub data: PathBuf,
}

/// The budgets of the iterative attacks on a data set.
struct Budgets {
    linf: [f32; 4],
    l1: [f32; 3],
    /// The place in `linf` of the budget at which attacks are replayed on other networks, and at which one step is compared
    /// with many.
    replayed: usize,
}

const DIGITS: Budgets = Budgets { linf: [0.05, 0.1, 0.2, 0.3], l1: [10.0, 20.0, 40.0], replayed: 1 };
const FACES: Budgets = Budgets { linf: [0.0025, 0.005, 0.01, 0.02], l1: [25.0, 50.0, 150.0], replayed: 1 };

impl Budgets {
    fn of(dataset: &Dataset) -> &'static Self {
        if dataset.name == LFW.name { &FACES } else { &DIGITS }
    }
}

/// The budget at which nothing bounds a pixel.
const UNBOUNDED: f32 = 1.0;
/// The probability that L-BFGS must reach on draws that it knows, against a network that then draws others.
const SURE: f32 = 0.7;

/// A network, and how it reads.
struct Entrant {
    name: String,
    weights: Weights,
    sampled: bool,
    subject: Subject,
    runs: Vec<Run>,
}

/// An attack on all images.
struct Run {
    options: attack::Options,
    records: Vec<Record>,
    images: Vec<Vec<f32>>,
}

/// A line of `--json`.
#[derive(Serialize)]
struct Line<'a> {
    network: &'a str,
    epsilon: Option<f32>,
    #[serde(flatten)]
    record: &'a Record,
}

impl Run {
    /// What the attack is called in a table.
    fn title(&self) -> String {
        match self.options.method {
            Method::Linf => format!("L∞ ≤ {}", self.options.budget),
            Method::L1(_) => format!("L1 ≤ {}", self.options.budget),
            Method::Lbfgs => "L-BFGS".into(),
        }
    }

    /// The attacks on images that were read rightly before.
    fn on_read(&self) -> impl Iterator<Item = &Record> {
        self.records.iter().filter(|r| r.clean_predicted == r.label)
    }

    fn fooled(&self) -> Interval {
        share(self.on_read().filter(|r| r.success).count(), self.on_read().count())
    }

    fn median(&self, value: fn(&Record) -> f64) -> Interval {
        median(&self.on_read().filter(|r| r.success).map(value).collect::<Vec<_>>())
    }
}

/// Runs the study and prints it.
///
/// # Errors
/// When a file cannot be read, or the results cannot be written.
pub fn study(options: &Options) -> Result<()> {
    ensure!(options.images > 0, "a study needs images");
    let models = if options.models.is_empty() {
        shipped_networks(Some(options.dataset))?
    } else {
        options.models.clone()
    };
    let mut entrants = Vec::new();
    for path in &models {
        let weights = read_weights(path)?;
        let mut add = |sampled: bool| {
            let reading =
                if sampled { Reading::Sampled { samples: 1, eot: options.eot } } else { Reading::Mean };
            let subject = Subject::new(&weights, reading)?;
            let name = format!("{}{}", weights.arch.name, if sampled { ", sampled" } else { "" });
            entrants.push(Entrant { name, weights: weights.clone(), sampled, subject, runs: Vec::new() });
            Ok::<_, anyhow::Error>(())
        };
        add(false)?;
        if weights.arch.vae.is_some() {
            add(true)?;
        }
    }
    let dataset = entrants.first().context("there is no network to study")?.weights.arch.dataset;
    ensure!(
        entrants.iter().all(|e| e.weights.arch.dataset == dataset),
        "these networks belong to different data sets"
    );
    let images: Images = format!("test:0..{}", options.images).parse().map_err(anyhow::Error::msg)?;
    let images = images.load(&entrants[0].weights, &options.data)?;
    let thresholds = Thresholds::new(dataset.validity);
    for entrant in &mut entrants {
        for attack in attacks(Budgets::of(dataset), entrant.sampled) {
            let run = run(entrant, &images, attack, thresholds)?;
            entrant.runs.push(run);
        }
    }
    let out = &mut std::io::stdout().lock();
    if !options.json
        && let Validity::SsimAtLeast(least) = thresholds.validity
    {
        let noise = noise(&images, dataset.image);
        writeln!(
            out,
            "Valid: SSIM at least {least}. Uniform noise of ±8/255 has a median SSIM of {:.3} [{:.3}, {:.3}] here.\n",
            noise.value, noise.low, noise.high
        )?;
    }
    let written = if options.json {
        print_lines(out, &entrants)
    } else {
        print_tables(out, &entrants)
            .and_then(|()| print_h0(out, &entrants))
            .map_err(anyhow::Error::from)
            .and_then(|()| {
                print_checks(out, &mut entrants, &images, thresholds)?;
                Ok(())
            })
    };
    match written {
        // The reader of a pipe may go away early; that is its right.
        Err(e)
            if e.downcast_ref()
                .is_some_and(|e: &std::io::Error| e.kind() == std::io::ErrorKind::BrokenPipe) =>
        {
            Ok(())
        }
        other => other.context("cannot write the results"),
    }
}

/// What the validity threshold means: the SSIM of images with uniform noise of 8/255, which is plainly visible.
fn noise(images: &[Image], shape: [usize; 3]) -> Interval {
    let of = |image: &Image| {
        let mut rng = fastrand::Rng::with_seed(image.index as u64);
        let noisy = |x: &f32| (x + 8.0 / 255.0 * (2.0 * rng.f32() - 1.0)).clamp(0.0, 1.0);
        let changed: Vec<f32> = image.pixels.iter().map(noisy).collect();
        ssim(shape, &image.pixels, &changed)
    };
    median(&images.iter().map(of).collect::<Vec<_>>())
}

/// The attacks of the study.
fn attacks(budgets: &Budgets, sampled: bool) -> Vec<attack::Options> {
    let with = |method, budget| attack::Options { budget, ..attack::Options::new(method) };
    let mut all: Vec<attack::Options> = budgets.linf.iter().map(|&e| with(Method::Linf, e)).collect();
    all.extend(budgets.l1.iter().map(|&e| with(Method::L1(L1Form::Strong), e)));
    let lbfgs = attack::Options::new(Method::Lbfgs);
    all.push(attack::Options { confidence: if sampled { SURE } else { 0.0 }, ..lbfgs });
    all
}

fn run(entrant: &Entrant, images: &[Image], options: attack::Options, thresholds: Thresholds) -> Result<Run> {
    let classes = entrant.weights.arch.classes();
    let bar = format!("{} {}", entrant.name, options.method.name());
    let results = on_all_cores(&bar, images, &entrant.subject, |subject, image| {
        attack_one(subject, image, Target::Next.goal(image.label, classes), options, thresholds)
    })?;
    let (records, images) = results.into_iter().unzip();
    Ok(Run { options, records, images })
}

fn print_lines(out: &mut dyn Write, entrants: &[Entrant]) -> Result<()> {
    for entrant in entrants {
        for run in &entrant.runs {
            for record in &run.records {
                let epsilon = (run.options.method != Method::Lbfgs).then_some(run.options.budget);
                serde_json::to_writer(&mut *out, &Line { network: &entrant.name, epsilon, record })?;
                writeln!(out)?;
            }
        }
    }
    Ok(())
}

fn percent(i: Interval) -> String {
    format!("{:.1} [{:.1}, {:.1}]", 100.0 * i.value, 100.0 * i.low, 100.0 * i.high)
}

fn print_tables(out: &mut dyn Write, entrants: &[Entrant]) -> std::io::Result<()> {
    for entrant in entrants {
        let read = entrant.runs[0].on_read().count();
        let total = entrant.runs[0].records.len();
        let pixels = entrant.weights.arch.pixels() as f64;
        writeln!(
            out,
            "## {}\n\nreads {read} of {total} images rightly; these are attacked.\n",
            entrant.name
        )?;
        writeln!(
            out,
            "| attack | fooled, % [95 %] | L2, median [95 %] | L2 a pixel | L1 | L1 a pixel | L∞ | SSIM | confidence | high | moderate | low | \
             ineffective | failed |"
        )?;
        writeln!(out, "|---|---|---|---|---|---|---|---|---|---|---|---|---|---|")?;
        for run in &entrant.runs {
            let (l2, l1) = (run.median(|r| r.l2), run.median(|r| r.l1).value);
            let count = |grade| run.on_read().filter(|r| r.grade == Some(grade)).count();
            writeln!(
                out,
                "| {} | {} | {:.2} [{:.2}, {:.2}] | {:.4} | {:.1} | {:.5} | {:.4} | {:.3} | {:.2} | {} | {} | {} | {} | {} |",
                run.title(),
                percent(run.fooled()),
                l2.value,
                l2.low,
                l2.high,
                l2.value / pixels.sqrt(),
                l1,
                l1 / pixels,
                run.median(|r| r.linf).value,
                run.median(|r| r.ssim).value,
                run.median(|r| r.confidence.into()).value,
                count(Grade::High),
                count(Grade::Moderate),
                count(Grade::Low),
                count(Grade::Ineffective),
                count(Grade::Failed),
            )?;
        }
        writeln!(out)?;
    }
    Ok(())
}

/// The attacks on images that both entrants read rightly, pair by pair.
fn pairs<'a>(a: &'a Run, b: &'a Run) -> Vec<(&'a Record, &'a Record)> {
    let read = |r: &Record| r.clean_predicted == r.label;
    a.records.iter().zip(&b.records).filter(|(a, b)| read(a) && read(b)).collect()
}

/// Each VAE beside each plain network, on the images that both read rightly.
fn print_h0(out: &mut dyn Write, entrants: &[Entrant]) -> std::io::Result<()> {
    let (vaes, plain): (Vec<&Entrant>, Vec<&Entrant>) =
        entrants.iter().partition(|e| e.weights.arch.vae.is_some());
    if vaes.is_empty() || plain.is_empty() {
        return Ok(());
    }
    writeln!(out, "## H0: a VAE classifier is less vulnerable than a CNN\n")?;
    writeln!(
        out,
        "Points by which the VAE is fooled more often than the plain network (above 0: the VAE is the weaker), on the \
         images that both read rightly, with paired 95 % intervals; for L-BFGS the median of the VAE's L2 over the \
         plain network's, image by image (below 1: the VAE is the weaker). Intervals without 0, or 1, decide.\n"
    )?;
    write!(out, "| VAE | beside |")?;
    vaes[0].runs.iter().try_for_each(|run| write!(out, " {} |", run.title()))?;
    writeln!(out, "\n|---|---|{}", "---|".repeat(vaes[0].runs.len()))?;
    for vae in &vaes {
        for other in &plain {
            write!(out, "| {} | {} |", vae.name, other.name)?;
            for (a, b) in vae.runs.iter().zip(&other.runs) {
                let pairs = pairs(a, b);
                let same_rule = a.options.confidence == b.options.confidence;
                if a.options.method == Method::Lbfgs && !same_rule {
                    // Attacks that stop at other confidences end at other distances.
                    write!(out, " – |")?;
                } else if a.options.method == Method::Lbfgs {
                    let both = pairs.iter().filter(|(a, b)| a.success && b.success);
                    let i = median(&both.map(|(a, b)| a.l2 / b.l2).collect::<Vec<_>>());
                    write!(out, " × {:.2} [{:.2}, {:.2}] |", i.value, i.low, i.high)?;
                } else {
                    let alone = |f: fn(bool, bool) -> bool| {
                        pairs.iter().filter(|(a, b)| f(a.success, b.success)).count()
                    };
                    let i = paired_difference(alone(|a, b| a && !b), alone(|a, b| b && !a), pairs.len());
                    write!(
                        out,
                        " {:+.1} [{:+.1}, {:+.1}] |",
                        100.0 * i.value,
                        100.0 * i.low,
                        100.0 * i.high
                    )?;
                }
            }
            writeln!(out)?;
        }
    }
    writeln!(out)
}

/// First signs of gradient masking (Athalye et al. 2018), network by network.
fn print_checks(
    out: &mut dyn Write,
    entrants: &mut [Entrant],
    images: &[Image],
    thresholds: Thresholds,
) -> Result<()> {
    let budgets = Budgets::of(entrants[0].weights.arch.dataset);
    let (at, replayed) = (budgets.replayed, budgets.linf[budgets.replayed]);
    writeln!(out, "## Checks for gradient masking\n")?;
    writeln!(
        out,
        "| network | fooled more as L∞ grows | as L1 grows | unbounded L∞, % | 40 steps beside one at L∞ ≤ {replayed}, % | \
         best transfer at L∞ ≤ {replayed} beside white-box, % |"
    )?;
    writeln!(out, "|---|---|---|---|---|---|")?;
    let linf = attack::Options::new(Method::Linf);
    for i in 0..entrants.len() {
        let unbounded = attack::Options { budget: UNBOUNDED, ..linf };
        let unbounded = run(&entrants[i], images, unbounded, thresholds)?.fooled();
        let single = attack::Options { budget: replayed, steps: 1, alpha: Some(replayed), ..linf };
        let single = run(&entrants[i], images, single, thresholds)?.fooled();
        let grows = |runs: &[Run]| {
            let shares: Vec<f64> = runs.iter().map(|r| r.fooled().value).collect();
            if shares.is_sorted() { "yes" } else { "NO" }
        };
        let by_linf = grows(&entrants[i].runs[..budgets.linf.len()]);
        let by_l1 = grows(&entrants[i].runs[budgets.linf.len()..][..budgets.l1.len()]);
        let white = entrants[i].runs[at].fooled();
        let transfer = best_transfer(entrants, i, at, images)?;
        let (source, transferred) = transfer.unwrap_or((String::new(), share(0, 0)));
        writeln!(
            out,
            "| {} | {by_linf} | {by_l1} | {:.1} | {:.1}, {:.1} | {:.1} (from {source}), {:.1} |",
            entrants[i].name,
            100.0 * unbounded.value,
            100.0 * white.value,
            100.0 * single.value,
            100.0 * transferred.value,
            100.0 * white.value,
        )?;
    }
    Ok(())
}

/// The other network whose attacked images fool entrant `i` most often, with how often, of those that both read rightly.
fn best_transfer(
    entrants: &mut [Entrant],
    i: usize,
    at: usize,
    images: &[Image],
) -> Result<Option<(String, Interval)>> {
    let mut best: Option<(String, Interval)> = None;
    for j in (0..entrants.len()).filter(|&j| j != i) {
        if entrants[j].weights.arch.name == entrants[i].weights.arch.name {
            continue;
        }
        let replayed: Vec<(&Image, &Vec<f32>)> = images.iter().zip(&entrants[j].runs[at].images).collect();
        let read = on_all_cores("transfer", &replayed, &entrants[i].subject, |subject, (image, pixels)| {
            Ok(subject.reads(image, pixels))
        })?;
        let both = pairs(&entrants[i].runs[at], &entrants[j].runs[at]);
        let own = both.iter().filter(|(own, _)| {
            let place = own.index - images[0].index;
            Some(read[place]) == own.target
        });
        let hits = share(own.count(), both.len());
        if best.as_ref().is_none_or(|(_, b)| hits.value > b.value) {
            best = Some((entrants[j].weights.arch.name.to_owned(), hits));
        }
    }
    Ok(best)
}
