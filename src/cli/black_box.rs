//! The command `black-box`: how far one gets who is given no gradient, by the number of queries: curves and a table.

use std::fmt::Write;
use std::path::PathBuf;

use anyhow::{Result, anyhow, ensure};
use clap::Args;
use plotters::prelude::*;

use super::Data;
use super::attack::STARTS;
use super::defences::{attacked, budgets, count, read, replayed};
use super::numbers::counts;
use crate::attack::{Norm, Options};
use crate::classifier::{Attacker, Inference, Subject};
use crate::datasets::{Dataset, Image};
use crate::error::Error;
use crate::judge::{Task, Trial};
use crate::metrics::grade::Thresholds;
use crate::metrics::statistics::median;
use crate::native::cores::on_all_cores;
use crate::native::files::write_atomically;
use crate::native::guards;
use crate::native::images::{Images, Target, find_weights, read_weights, shipped, start_for};
use crate::network::Weights;
use crate::study::defended::{self, Asking, Questioned};

/// Numbers of queries at which it is told how far one has come.
const MARKS: [usize; 10] = [10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000];
/// Gradients of Auto-PGD on the network that images are transferred from.
const STEPS: usize = 50;
/// How near to the smallest change that an image came to at last counts as that.
const NEAR: f64 = 1.1;

#[derive(Args)]
pub struct BlackBox {
    /// The weights file of the network that is attacked
    #[arg(long, default_value = "models/mnist-cnn.safetensors")]
    model: PathBuf,
    /// What the network stands behind, as in `attack`
    #[arg(long, default_value = "none")]
    defence: String,
    /// The networks whose adversarial images are replayed, with commas between; every other that ships when not given
    #[arg(long, value_delimiter = ',')]
    from: Option<Vec<PathBuf>>,
    /// The images that are attacked
    #[arg(long, default_value = "test:0..100")]
    images: Images,
    /// What the network is to read: next, any or a label
    #[arg(long, default_value = "next")]
    target: Target,
    /// The most queries an image
    #[arg(long, default_value_t = 5_000, value_parser = counts(10, 1_000_000))]
    queries: usize,
    /// Where the tables go, as Markdown, with a picture of the curves beside; to standard output when not given
    #[arg(long)]
    out: Option<PathBuf>,
    #[command(flatten)]
    data: Data,
}

/// How far one has come: each time that an image came nearer, after how many queries, and how far it is then.
type Trace = Vec<(usize, f64)>;

/// A curve: its name, and a share in percent for numbers of queries.
type Curve = (String, Vec<(f64, f64)>);

/// An attack on every image that is read rightly, and what it came to by its queries.
fn traces(
    subject: &Subject,
    images: &[Image],
    starts: &[Image],
    target: Target,
    options: &Options,
    what: &str,
) -> Result<Vec<Trace>> {
    let labels = subject.seen.labels();
    let traces = on_all_cores(what, images, subject, |subject, image| {
        let goal = target.goal(image.label, labels);
        let task =
            Task { start: start_for(starts, image, goal), only_if_read: true, ..Task::new(image, goal) };
        let mut trial = Trial::new(subject, &task, options)?;
        let mut trace = Trace::new();
        loop {
            let progress = match trial.step(subject) {
                Err(Error::Skipped(_)) => return Ok(None),
                progress => progress?,
            };
            if let Some(best) = trial.attack().outcome().map(|outcome| outcome.progress).filter(|p| p.success)
            {
                let far = options.norm.of(&best.norms);
                if trace.last().is_none_or(|(_, last)| far < *last) {
                    trace.push((progress.queries, far));
                }
            }
            if progress.done {
                return Ok(Some(trace));
            }
        }
    })?;
    Ok(traces.into_iter().flatten().collect())
}

/// How far an image is after so many queries; without end where it has not been read as wanted.
fn after(trace: &Trace, queries: usize) -> f64 {
    trace.iter().take_while(|(asked, _)| *asked <= queries).last().map_or(f64::INFINITY, |(_, far)| *far)
}

/// Share of the images, in percent, that are within a budget after so many queries.
fn within(traces: &[Trace], queries: usize, budget: f32) -> f64 {
    let hits = traces.iter().filter(|trace| after(trace, queries) <= f64::from(budget)).count();
    100.0 * hits as f64 / traces.len().max(1) as f64
}

/// The median of what there is for each image; infinite where half of them have nothing.
fn middle(values: impl Iterator<Item = f64>, digits: usize) -> String {
    let median = median(&values.collect::<Vec<_>>()).value;
    if median.is_finite() { format!("{median:.digits$}") } else { "–".into() }
}

/// Measures and writes.
pub fn run(command: &BlackBox) -> Result<()> {
    let weights = read_weights(&find_weights(&command.model)?)?;
    let (spec, data) = (&weights.spec, command.data.dir()?);
    let dataset = Dataset::by_name(&spec.dataset)?;
    let thresholds = Thresholds::new(dataset.validity);
    let plain = Subject::new(&weights, Inference::Mean, 1, 1)?;
    let finder = &mut guards::finder(&weights);
    let subject = plain.behind(spec, &command.defence, Attacker::BlackBox, finder)?;
    let images = command.images.load(&weights, &data)?;
    let starts = command.images.first(STARTS).load(&weights, &data)?;
    let budgets = |norm: Norm| budgets(dataset, norm);
    let marks: Vec<usize> = MARKS.into_iter().filter(|mark| *mark <= command.queries).collect();
    let name = if subject.defence.is_empty() {
        spec.name.clone()
    } else {
        format!("{}+{}", spec.name, subject.defence)
    };

    let mut text = format!(
        "# {name} as a black box\n\nMade by `{}`. Success in percent of the images that are read rightly and not refused.\n",
        super::typed(None, &[])
    );
    let mut table = |line: String| writeln!(text, "{line}").map_err(|error| anyhow!("cannot write: {error}"));
    let mut panels: Vec<(String, Vec<Curve>)> = Vec::new();
    let heads = |norm: Norm| -> Vec<String> {
        budgets(norm).iter().map(|budget| format!("{} {budget}", norm.symbol())).collect()
    };
    let line = |cells: &[String]| format!("| {} |", cells.join(" | "));
    let rule = |columns: usize| format!("|{}", "---|".repeat(columns));

    // What an attack came to, by the traces that count at each budget: for record, table and picture.
    let asking = |attack: &str, norm: Norm, traces: &[&[Trace]]| Asking {
        attack: attack.into(),
        norm: norm.name().into(),
        budgets: budgets(norm).to_vec(),
        success: traces
            .iter()
            .zip(budgets(norm))
            .map(|(traces, budget)| marks.iter().map(|&mark| within(traces, mark, *budget)).collect())
            .collect(),
    };
    let cells = |asking: &Asking, place: usize| -> Vec<String> {
        asking.success.iter().map(|shares| format!("{:.0}", shares[place])).collect()
    };
    let curves = |asking: &Asking, norm: Norm| -> Vec<Curve> {
        let points =
            |shares: &Vec<f64>| marks.iter().map(|&mark| mark as f64).zip(shares.iter().copied()).collect();
        heads(norm).into_iter().zip(asking.success.iter().map(points)).collect()
    };
    // Who sees the answers: the Square Attack at each budget; its first success is the end.
    let mut squares = Vec::new();
    for &budget in budgets(Norm::Linf) {
        let options = Options { budget, steps: command.queries, early_stop: true, ..Options::of("square")? };
        squares.push(traces(
            &subject,
            &images,
            &starts,
            command.target,
            &options,
            &format!("square {budget}"),
        )?);
    }
    let attacked_images = squares.first().map_or(0, Vec::len);
    ensure!(attacked_images > 0, "none of the images is read rightly, and not refused");
    let mut record = Questioned {
        network: name.clone(),
        command: super::typed(None, &[]),
        attacked: attacked_images,
        untargeted: command.target == Target::Any,
        marks: marks.clone(),
        asking: Vec::new(),
        transfer: Vec::new(),
    };
    let whole: Vec<&[Trace]> = squares.iter().map(|traces| &traces[..]).collect();
    let square = asking("square", Norm::Linf, &whole);
    table(format!("\n## The answers are seen: the Square Attack, {attacked_images} images\n"))?;
    table(line(&[vec!["queries".to_owned()], heads(Norm::Linf)].concat()))?;
    table(rule(1 + squares.len()))?;
    for (place, mark) in marks.iter().enumerate() {
        table(line(&[vec![mark.to_string()], cells(&square, place)].concat()))?;
    }
    let first = squares.iter().map(|traces| {
        middle(traces.iter().map(|trace| trace.first().map_or(f64::INFINITY, |(asked, _)| *asked as f64)), 0)
    });
    table(line(&[vec!["median queries to success".to_owned()], first.collect()].concat()))?;
    panels.push(("Square Attack".into(), curves(&square, Norm::Linf)));
    record.asking.push(square);

    // Who sees the label alone: HopSkipJump, which comes nearer all the time.
    for norm in [Norm::L2, Norm::Linf] {
        let options = Options::of("hopskipjump")?.under(norm)?;
        let options = Options { steps: command.queries, ..options };
        let what = format!("hopskipjump {}", norm.name());
        let traces = traces(&subject, &images, &starts, command.target, &options, &what)?;
        table(format!("\n## The label is seen: HopSkipJump, {}\n", norm.symbol()))?;
        table(line(&[vec!["queries".to_owned(), "median change".to_owned()], heads(norm)].concat()))?;
        table(rule(2 + budgets(norm).len()))?;
        let found = asking("hopskipjump", norm, &vec![&traces[..]; budgets(norm).len()]);
        for (place, &mark) in marks.iter().enumerate() {
            let far = middle(traces.iter().map(|trace| after(trace, mark)), 3);
            table(line(&[vec![mark.to_string(), far], cells(&found, place)].concat()))?;
        }
        let arrived = traces.iter().map(|trace| {
            let end = trace.last().map_or(f64::INFINITY, |(_, far)| NEAR * far);
            trace.iter().find(|(_, far)| *far <= end).map_or(f64::INFINITY, |(asked, _)| *asked as f64)
        });
        table(format!(
            "\nMedian queries until the change is within a tenth of the smallest: {}.",
            middle(arrived, 0)
        ))?;
        panels.push((format!("HopSkipJump, {}", norm.symbol()), curves(&found, norm)));
        record.asking.push(found);
    }

    // Who has other networks for the same images.
    let others: Vec<Weights> = match &command.from {
        Some(from) => from.iter().map(|from| read_weights(&find_weights(from)?)).collect::<Result<_>>()?,
        None => shipped(Some(dataset.name))?.iter().map(|path| read_weights(path)).collect::<Result<_>>()?,
    };
    table("\n## Nothing is seen: images made for another network, by Auto-PGD\n".into())?;
    table(line(&[vec!["made for".to_owned()], heads(Norm::Linf)].concat()))?;
    table(rule(1 + budgets(Norm::Linf).len()))?;
    let wanted: Vec<bool> = read(&subject, &images)?.into_iter().map(|(rightly, _)| rightly).collect();
    let cells = budgets(Norm::Linf).iter().map(|&budget| {
        let options = Options::of("apgd")?.under(Norm::Linf)?;
        Ok(Options { budget, steps: STEPS, search: false, ..options })
    });
    let cells = cells.collect::<crate::error::Result<Vec<Options>>>()?;
    for other in
        others.iter().filter(|other| other.spec.name != spec.name && other.spec.labels == spec.labels)
    {
        let source = Subject::new(other, Inference::Mean, 1, 1)?;
        let made =
            attacked(&source, (&images, &starts), command.target, &cells, thresholds, &other.spec.name)?;
        let shares = made.iter().map(|made| {
            let hits = count(&replayed(&subject, &images, command.target, made, &wanted)?);
            Ok(100.0 * hits as f64 / attacked_images as f64)
        });
        let found = shares.collect::<Result<Vec<f64>>>()?;
        let shares = found.iter().map(|share| format!("{share:.0}")).collect();
        record.transfer.push((other.spec.name.clone(), found));
        table(line(&[vec![format!("`{}`", other.spec.name)], shares].concat()))?;
    }
    match &command.out {
        Some(out) => {
            write_atomically(out, text.as_bytes())?;
            let picture = out.with_extension("svg");
            write_atomically(&picture, figure(&name, &panels, command.queries)?.as_bytes())?;
            defended::write(out, &record)?;
            println!(
                "wrote {}, {} and {}",
                out.display(),
                picture.display(),
                out.with_extension("json").display()
            );
        }
        None => println!("{text}"),
    }
    Ok(())
}

/// Success against queries, a panel for each attack and a line for each budget.
fn figure(name: &str, panels: &[(String, Vec<Curve>)], most: usize) -> Result<String> {
    let mut svg = String::new();
    {
        let root = SVGBackend::with_string(&mut svg, (420 * panels.len() as u32, 340)).into_drawing_area();
        draw(&root, name, panels, most as f64).map_err(|error| anyhow!("cannot draw the curves: {error}"))?;
    }
    Ok(svg)
}

fn draw(
    root: &DrawingArea<SVGBackend<'_>, plotters::coord::Shift>,
    name: &str,
    panels: &[(String, Vec<Curve>)],
    most: f64,
) -> Result<(), Box<dyn std::error::Error>> {
    root.fill(&WHITE)?;
    for (area, (title, curves)) in root.split_evenly((1, panels.len())).iter().zip(panels) {
        let mut chart = ChartBuilder::on(area)
            .caption(format!("{name}: {title}"), ("sans-serif", 15))
            .margin(12)
            .x_label_area_size(38)
            .y_label_area_size(46)
            .build_cartesian_2d((MARKS[0] as f64..most).log_scale(), 0.0..101.0)?;
        let mut mesh = chart.configure_mesh();
        mesh.light_line_style(WHITE).bold_line_style(RGBColor(232, 232, 232));
        mesh.x_desc("queries").y_desc("success, %").x_label_formatter(&|x| format!("{x:.0}")).draw()?;
        for (place, (label, points)) in curves.iter().enumerate() {
            let colour = HSLColor(0.6, 0.75, 0.75 - 0.12 * place as f64);
            chart
                .draw_series(LineSeries::new(points.iter().copied(), colour.stroke_width(2)))?
                .label(label.clone())
                .legend(move |(x, y)| PathElement::new([(x, y), (x + 16, y)], colour.stroke_width(2)));
        }
        chart
            .configure_series_labels()
            .position(SeriesLabelPosition::UpperLeft)
            .border_style(WHITE)
            .draw()?;
    }
    Ok(())
}
