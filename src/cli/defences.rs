//! The command `defences`: every defence of a network beside the attacks that do not know it and those that do, as a table.

use std::path::{Path, PathBuf};
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use clap::Args;

use super::Data;
use super::attack::STARTS;
use super::numbers::counts;
use crate::attack::options::Value;
use crate::attack::{Norm, Options};
use crate::classifier::defence;
use crate::classifier::{Attacker, Inference, Subject};
use crate::datasets::{Dataset, Image};
use crate::judge::{Task, fooled, judge_all};
use crate::metrics::grade::Thresholds;
use crate::native::cores::{on_all_cores, shares};
use crate::native::files::write_atomically;
use crate::native::guards;
use crate::native::images::{Images, Target, find_weights, read_weights, start_for};
use crate::network::Weights;
use crate::study::defended::{self, Defended, NONE, Row};
use crate::zoo;

/// Test images on which accuracy and false alarms are counted, where there are so many.
const CLEAN: usize = 2_000;

#[derive(Args)]
pub struct Defences {
    /// The weights file of the network that is defended
    #[arg(long, default_value = "models/mnist-cnn.safetensors")]
    model: PathBuf,
    /// The defences, with commas between, and networks that were trained to defend this one; all that are offered when not given
    #[arg(long, value_delimiter = ',')]
    defences: Option<Vec<String>>,
    /// The network whose adversarial images are replayed, for transfer
    #[arg(long)]
    from: Option<PathBuf>,
    /// The images that are attacked
    #[arg(long, default_value = "test:0..200")]
    images: Images,
    /// Gradients of a run of Auto-PGD: one from the image and, where that fails, one from an image of the wanted label
    #[arg(long, default_value_t = 100, value_parser = counts(1, 100_000))]
    steps: usize,
    /// Gradients of the strongest attack, which is tried last on what withstood all else; 0 leaves it out
    #[arg(long, default_value_t = 500, value_parser = counts(0, 100_000))]
    gradients: usize,
    /// Queries of the Square Attack
    #[arg(long, default_value_t = 1_000, value_parser = counts(1, 1_000_000))]
    queries: usize,
    /// Where the table goes, as Markdown; to standard output when not given
    #[arg(long)]
    out: Option<PathBuf>,
    #[command(flatten)]
    data: Data,
}

/// An attacked image, and whether it reached the goal.
pub(super) type Made = (Vec<f32>, bool);

/// A norm with five budgets.
type Norms = Vec<(Norm, Vec<f32>)>;

/// Attacks every image once for each norm and budget; in the order of norms, budgets and images, the attacked image and whether
/// the goal was reached.
pub(super) fn attacked(
    subject: &Subject,
    (images, starts): (&[Image], &[Image]),
    target: Target,
    cells: &[Options],
    thresholds: Thresholds,
    what: &str,
) -> Result<Vec<Vec<Made>>> {
    let classes = subject.seen.labels();
    let jobs: Vec<(&Options, &[Image])> =
        cells.iter().flat_map(|options| shares(images).map(move |some| (options, some))).collect();
    let done = on_all_cores(what, &jobs, subject, |subject, (options, some)| {
        let goal = |image: &Image| target.goal(image.label, classes);
        let tasks: Vec<Task<'_>> = some
            .iter()
            .map(|image| Task {
                start: start_for(starts, image, goal(image)),
                ..Task::new(image, goal(image))
            })
            .collect();
        let judged = judge_all(subject, &tasks, options, thresholds)?;
        Ok(judged.into_iter().map(|judged| (judged.image, judged.record.success)).collect::<Vec<_>>())
    })?;
    let mut done = done.into_iter().flatten();
    Ok(cells.iter().map(|_| done.by_ref().take(images.len()).collect()).collect())
}

/// The budgets of a norm that the tables have: the study's last five.
pub(super) fn budgets(dataset: &Dataset, norm: Norm) -> &'static [f32] {
    let all = dataset.budgets(norm).study;
    &all[all.len().saturating_sub(5)..]
}

/// Of each image, whether it is read rightly and not refused, and whether it is refused.
pub(super) fn read(subject: &Subject, images: &[Image]) -> Result<Vec<(bool, bool)>> {
    on_all_cores("clean images", images, subject, |subject, image| {
        let read = subject.read(&image.pixels, image.index as u64, |label| label == image.label, |_| 1.0);
        Ok((read.reached && !read.refused, read.refused))
    })
}

/// Of images made by any attack, which reach the goal, of those that are `wanted`.
pub(super) fn replayed(
    subject: &Subject,
    images: &[Image],
    target: Target,
    made: &[Made],
    wanted: &[bool],
) -> Result<Vec<bool>> {
    let classes = subject.seen.labels();
    let jobs: Vec<usize> = (0..images.len()).collect();
    on_all_cores("replay", &jobs, subject, |subject, &i| {
        let goal = target.goal(images[i].label, classes);
        Ok(wanted[i] && fooled(subject, &images[i], &made[i].0, goal))
    })
}

/// How many there are that are true.
pub(super) fn count(hits: &[bool]) -> usize {
    hits.iter().filter(|&&hit| hit).count()
}

/// How many fall at each budget of a norm, in rising order, to who does not know a defence and to who does. Each of `budgets` holds
/// which images the former fools, and what the latter does besides: his are the images of the former, too, and what
/// succeeded at a smaller budget; what is left of those that are `wanted` is attacked with each attack in turn.
fn told(
    subject: &Subject,
    (images, starts): (&[Image], &[Image]),
    budgets: &[(&[bool], Vec<Options>)],
    wanted: &[bool],
    (thresholds, name): (Thresholds, &str),
) -> Result<Vec<[usize; 2]>> {
    let (mut counts, mut known) = (Vec::new(), vec![false; images.len()]);
    for (blind, attacks) in budgets {
        known.iter_mut().zip(*blind).for_each(|(known, &blind)| *known |= blind);
        for options in attacks {
            let left: Vec<usize> = (0..images.len()).filter(|&i| wanted[i] && !known[i]).collect();
            let some: Vec<Image> = left.iter().map(|&i| images[i].clone()).collect();
            let what = format!("{name}, {} {} {}", options.attack.name, options.norm.name(), options.budget);
            let made = attacked(
                subject,
                (&some, starts),
                Target::Next,
                std::slice::from_ref(options),
                thresholds,
                &what,
            )?;
            left.iter().zip(made.iter().flatten()).for_each(|(&i, (_, success))| known[i] |= success);
        }
        counts.push([count(blind), count(&known)]);
    }
    Ok(counts)
}

/// Measures and writes.
pub fn run(command: &Defences) -> Result<()> {
    let weights = read_weights(&find_weights(&command.model)?)?;
    let spec = &weights.spec;
    let dataset = Dataset::by_name(&spec.dataset)?;
    let data = command.data.dir()?;
    let images = command.images.load(&weights, &data)?;
    let clean = command.images.first(CLEAN).load(&weights, &data)?;
    let thresholds = Thresholds::new(dataset.validity);
    let starts = command.images.first(STARTS).load(&weights, &data)?;
    let attackable = (&images[..], &starts[..]);
    let norms: Norms =
        [Norm::Linf, Norm::L1, Norm::L2].map(|norm| (norm, budgets(dataset, norm).to_vec())).into();
    let names: Vec<String> = match &command.defences {
        Some(names) => names.clone(),
        None => {
            let trained =
                zoo::shipped().into_iter().filter(|other| other.defends.as_ref() == Some(&spec.name));
            let offered = defence::offered(dataset).into_iter().map(|offer| offer.name);
            offered.chain(trained.map(|other| other.name)).collect()
        }
    };
    let apgd = |norm: Norm, budget: f32| -> Result<Options> {
        let options = Options::of("apgd")?.under(norm)?;
        Ok(Options { budget, steps: command.steps, restarts: 1, search: false, ..options })
    };
    let strongest = |norm: Norm, budget: f32| -> Result<Options> {
        let mut options = Options::of("strongest")?.under(norm)?;
        options.set("steps", &Value::Number(command.gradients as f64)).context("--gradients")?;
        Ok(Options { budget, search: false, ..options })
    };
    let (mut cells, mut last) = (Vec::new(), Vec::new());
    for (norm, budgets) in &norms {
        for &budget in budgets {
            cells.push(apgd(*norm, budget)?);
            last.push((command.gradients > 0).then(|| strongest(*norm, budget)).transpose()?);
        }
    }
    let middle = norms[0].1[norms[0].1.len() / 2];
    let square = [Options { budget: middle, steps: command.queries, ..Options::of("square")? }];
    let subject = |weights: &Weights, defence: &str| -> Result<Subject> {
        if zoo::by_name(defence).is_ok_and(|other| other.defends.as_ref() == Some(&weights.spec.name)) {
            let trained = read_weights(&find_weights(Path::new(defence))?)?;
            return Ok(Subject::new(&trained, Inference::Mean, 1, 1)?);
        }
        let plain = Subject::new(weights, Inference::Mean, 1, 1)?;
        Ok(plain.behind(&weights.spec, defence, Attacker::Adaptive, &mut guards::finder(weights))?)
    };
    // Before anything is attacked: of a name that is none nothing is lost.
    let defended = std::iter::once(NONE.to_owned()).chain(names);
    let defended = defended.map(|name| Ok((subject(&weights, &name)?, name))).collect::<Result<Vec<_>>>()?;
    let bare = attacked(&subject(&weights, NONE)?, attackable, Target::Next, &cells, thresholds, &spec.name)?;
    let from = match &command.from {
        Some(from) => {
            let other = read_weights(&find_weights(from)?)?;
            ensure!(other.spec.labels == spec.labels, "'{}' names other labels", other.spec.name);
            let at = [apgd(Norm::Linf, middle)?];
            let made = attacked(
                &subject(&other, NONE)?,
                attackable,
                Target::Next,
                &at,
                thresholds,
                &other.spec.name,
            )?;
            Some((other.spec.name.clone(), made.into_iter().next().unwrap_or_default()))
        }
        None => None,
    };
    let mut record = Defended {
        network: spec.name.clone(),
        command: super::typed(None, &[]),
        steps: command.steps,
        gradients: command.gradients,
        queries: command.queries,
        square_budget: middle,
        from: from.as_ref().map(|(name, _)| name.clone()),
        norms: norms.iter().map(|(norm, budgets)| (norm.name().to_owned(), budgets.clone())).collect(),
        rows: Vec::new(),
    };
    let alone = subject(&weights, NONE)?;
    for (subject, name) in defended {
        let times = reading(&alone, &subject, &clean);
        let (all, own) = (read(&subject, &clean)?, read(&subject, &images)?);
        let wanted: Vec<bool> = own.iter().map(|(right, _)| *right).collect();
        let blind = bare
            .iter()
            .map(|made| replayed(&subject, &images, Target::Next, made, &wanted))
            .collect::<Result<Vec<_>>>()?;
        // Of who knows the defence the first success decides, but where answers are drawn: there one has to be surer than that.
        let early_stop = !subject.seen.draws();
        let mut met = blind.iter().zip(cells.iter().zip(&last)).map(|(blind, (cell, last))| {
            let first = (name != NONE).then_some(Options { early_stop, ..*cell });
            (&blind[..], first.into_iter().chain(*last).collect())
        });
        let fooled = norms
            .iter()
            .map(|(_, budgets)| {
                let met: Vec<_> = met.by_ref().take(budgets.len()).collect();
                told(&subject, attackable, &met, &wanted, (thresholds, &name))
            })
            .collect::<Result<Vec<_>>>()?;
        let asked =
            attacked(&subject, attackable, Target::Next, &square, thresholds, &format!("{name}, square"))?;
        let square = asked[0].iter().zip(&wanted).filter(|((_, hit), wanted)| *hit && **wanted).count();
        let transfer = match &from {
            Some((_, made)) => count(&replayed(&subject, &images, Target::Next, made, &wanted)?),
            None => 0,
        };
        let alarms = (0..spec.classes()).map(|label| {
            let of = all.iter().zip(&clean).filter(|(_, image)| image.label == label);
            let refused: Vec<bool> = of.map(|((_, refused), _)| *refused).collect();
            refused.iter().filter(|&&refused| refused).count() as f64 / refused.len().max(1) as f64
        });
        record.rows.push(Row {
            reading: (name != NONE).then_some(times),
            name,
            clean: all.iter().filter(|(right, _)| *right).count() as f64 / all.len() as f64,
            alarms: alarms.collect(),
            attacked: wanted.iter().filter(|&&wanted| wanted).count(),
            fooled,
            square,
            transfer,
        });
        // After each row: what is done is not lost with what is not.
        if let Some(out) = &command.out {
            write_atomically(out, record.markdown().as_bytes())?;
            defended::write(out, &record)?;
        }
    }
    match &command.out {
        Some(out) => println!("wrote {} and {}", out.display(), out.with_extension("json").display()),
        None => println!("{}", record.markdown()),
    }
    Ok(())
}

/// Clean images whose reading is timed, and how often: the fastest time counts.
const TIMED: usize = 10;

/// How many times as long as `alone` it takes `subject` to read an image, on one core: in turns, so that what else the machine does
/// disturbs both.
fn reading(alone: &Subject, subject: &Subject, images: &[Image]) -> f64 {
    let mut both = [alone.clone(), subject.clone()];
    let mut fastest = [f64::INFINITY; 2];
    for _ in 0..TIMED {
        for (subject, fastest) in both.iter_mut().zip(&mut fastest) {
            let begun = Instant::now();
            for image in images.iter().take(TIMED) {
                subject.read(&image.pixels, image.index as u64, |label| label == image.label, |_| 1.0);
            }
            *fastest = fastest.min(begun.elapsed().as_secs_f64());
        }
    }
    fastest[1] / fastest[0]
}
