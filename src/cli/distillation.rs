//! The command `distillation`: what three losses see of a distilled network, as a table. The attacks of 2016 that distillation
//! withstood took the logarithm of a softmax in single precision, which a network with large logits drives to exactly 0 or 1,
//! where there is no slope (Carlini, Wagner 2017, "Towards evaluating the robustness of neural networks", section V).

use std::fmt::Write;
use std::path::PathBuf;

use anyhow::{Context, Result, ensure};
use clap::Args;

use super::Data;
use super::defences::{attacked, read};
use crate::attack::{Norm, Options};
use crate::classifier::{Classifier, Copied, Inference, Query, Subject};
use crate::datasets::{Dataset, Image};
use crate::judge::{Task, judge_all};
use crate::kernel::softmax::{Aim, softmax};
use crate::metrics::grade::Thresholds;
use crate::metrics::statistics::median;
use crate::native::cores::on_all_cores;
use crate::native::files::write_atomically;
use crate::native::images::{Images, Target, find_weights, read_weights};
use crate::network::{Shape, Weights};

#[derive(Args)]
pub struct Distillation {
    /// The weights file of the distilled network
    #[arg(long, default_value = "models/mnist-cnn-distilled.safetensors")]
    model: PathBuf,
    /// The images that are attacked
    #[arg(long, default_value = "test:0..200")]
    images: Images,
    /// Where the table goes, as Markdown; to standard output when not given
    #[arg(long)]
    out: Option<PathBuf>,
    #[command(flatten)]
    data: Data,
}

/// A classifier whose loss is the logarithm of a softmax in single precision: where the label's probability is exactly 0, or
/// exactly 1, no slope is left. For this lesson alone.
struct Saturating(Box<dyn Copied>);

impl Clone for Saturating {
    fn clone(&self) -> Self {
        Self(self.0.copied())
    }
}

impl Classifier for Saturating {
    fn pixels(&self) -> usize {
        self.0.pixels()
    }

    fn shape(&self) -> Shape {
        self.0.shape()
    }

    fn classes(&self) -> usize {
        self.0.classes()
    }

    fn logits(&mut self, image: &[f32], logits: &mut [f32]) {
        self.0.logits(image, logits);
    }

    fn evaluate(&mut self, queries: &mut [Query<'_>]) {
        self.0.evaluate(queries);
        let mut probabilities = vec![0.0; self.classes()];
        for query in queries {
            softmax(query.logits, &mut probabilities);
            let (Aim::Towards(label) | Aim::Away(label)) = query.loss.aim();
            let p = probabilities[label];
            if let (true, Some(gradient)) = (p == 0.0 || p == 1.0, &mut query.gradient) {
                gradient.fill(0.0);
            }
        }
    }
}

/// The network with its logits divided: that is to say, its last layer.
fn divided(weights: &Weights, temperature: f32) -> Weights {
    let mut divided = weights.clone();
    let last = divided.tensors.len() - 2;
    divided.tensors[last..].iter_mut().flatten().for_each(|weight| *weight /= temperature);
    divided
}

/// A row: whose answers are attacked, and how.
struct Row {
    title: String,
    subject: Subject,
}

/// Measures and writes.
pub fn run(command: &Distillation) -> Result<()> {
    let weights = read_weights(&find_weights(&command.model)?)?;
    let spec = &weights.spec;
    let temperature: f32 =
        weights.facts.get("temperature").and_then(|text| text.parse().ok()).with_context(|| {
            format!("'{}' was not distilled: its weights file names no temperature", spec.name)
        })?;
    let defended = spec.defends.as_deref().context("it defends no network")?;
    let bare = read_weights(&find_weights(defended.as_ref())?)?;
    let dataset = Dataset::by_name(&spec.dataset)?;
    let data = command.data.dir()?;
    let images = command.images.load(&weights, &data)?;
    let subject = |weights: &Weights| Subject::new(weights, Inference::Mean, 1, 1);
    let seen = |seen: Box<dyn Copied>| -> Result<Subject> {
        let plain = subject(&weights)?;
        Ok(Subject { deployed: Some(plain.seen), ..Subject::plain(&weights, seen) })
    };
    let rows = [
        Row { title: format!("`{defended}`, this project's loss"), subject: subject(&bare)? },
        Row {
            title: format!("`{}`, softmax in single precision", spec.name),
            subject: seen(Box::new(Saturating(subject(&weights)?.seen)))?,
        },
        Row {
            title: format!("`{}`, the same, logits / {temperature}", spec.name),
            subject: seen(Box::new(Saturating(subject(&divided(&weights, temperature))?.seen)))?,
        },
        Row { title: format!("`{}`, this project's loss", spec.name), subject: subject(&weights)? },
    ];
    let budgets = dataset.budgets(Norm::Linf).study;
    let cells: Vec<Options> = budgets
        .iter()
        .map(|&budget| Ok(Options { budget, ..Options::of("linf")? }))
        .collect::<crate::error::Result<_>>()?;
    let thresholds = Thresholds::new(dataset.validity);
    let mut out = format!(
        "# {} under three losses\n\nMade by `{}`. Success of the Basic Iterative attack towards the next label, in percent of the images \
         that are read rightly.\n\n| {} ",
        spec.name,
        super::typed(None, &[]),
        "attacked"
    );
    budgets.iter().try_for_each(|budget| write!(out, "| L∞ {budget} "))?;
    writeln!(out, "|\n|---|{}", "---|".repeat(budgets.len()))?;
    for Row { title, subject } in &rows {
        let own = read(subject, &images)?;
        let right: Vec<Image> =
            images.iter().zip(own).filter(|(_, (rightly, _))| *rightly).map(|(i, _)| i.clone()).collect();
        ensure!(!right.is_empty(), "none of the images is read rightly");
        let made = attacked(subject, (&right, &[]), Target::Next, &cells, thresholds, title)?;
        write!(out, "| {title} ")?;
        for made in made {
            let hits = made.iter().filter(|(_, success)| *success).count();
            write!(out, "| {:.0} ", 100.0 * hits as f64 / right.len() as f64)?;
        }
        writeln!(out, "|")?;
    }
    if dataset.labels.len() == 10 {
        sentence(&mut out, &rows, &images, thresholds)?;
    }
    match &command.out {
        Some(path) => {
            write_atomically(path, out.as_bytes())?;
            println!("wrote {}", path.display());
        }
        None => println!("{out}"),
    }
    Ok(())
}

/// The study's sentence, as it stands: a 7 attacked towards 4 is read as 4 with a very low probability.
fn sentence(out: &mut String, rows: &[Row], images: &[Image], thresholds: Thresholds) -> Result<()> {
    const FROM: usize = 7;
    const TO: usize = 4;
    let of: Vec<Image> = images.iter().filter(|image| image.label == FROM).cloned().collect();
    writeln!(
        out,
        "\nThe {} images of a {FROM} towards {TO}: how many are read as it, and with which median probability.\n\n\
         | attacked | the closest (L-BFGS) | L∞ 0.3, all steps |\n|---|---|---|",
        of.len()
    )?;
    for Row { title, subject } in rows {
        write!(out, "| {title} ")?;
        for options in [Options::of("lbfgs")?, Options { budget: 0.3, ..Options::of("linf")? }] {
            let sure = on_all_cores(title, &of, subject, |subject, image| {
                let task = Task { only_if_read: true, ..Task::new(image, crate::attack::Goal::Target(TO)) };
                let judged = judge_all(subject, &[task], &options, thresholds)?;
                Ok(judged
                    .into_iter()
                    .next()
                    .and_then(|j| j.record.success.then_some(f64::from(j.record.confidence))))
            })?;
            let sure: Vec<f64> = sure.into_iter().flatten().collect();
            write!(out, "| {} of {}", sure.len(), of.len())?;
            if !sure.is_empty() {
                write!(out, ", {:.2}", median(&sure).value)?;
            }
            out.push(' ');
        }
        writeln!(out, "|")?;
    }
    Ok(())
}
