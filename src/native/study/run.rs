//! Makes the attacks of a study, on all cores, and writes down each.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;

use anyhow::{Context, Result, anyhow, ensure};

use super::journal::{Header, Journal};
use super::line::{Line, Timing};
use super::plan::{Entrant, Job, Plan, Reads, Stored};
use crate::arch::{Arch, Dataset};
use crate::attack::Goal;
use crate::attack::options::Method;
use crate::native::images::{Image, Images, Target, read_weights};
use crate::native::progress;
use crate::native::subject::{Attacked, Reading, Subject, Task, attack_known, unattacked};
use crate::study::Thresholds;

/// The networks and images of a plan, ready to be attacked.
pub struct World {
    pub plan: Plan,
    pub parts: Vec<Ready>,
}

/// What a part of a plan names.
pub struct Ready {
    pub dataset: &'static Dataset,
    pub images: Vec<Image>,
    /// One for each entrant.
    pub subjects: Vec<Subject>,
}

/// Loads what `plan` names; `files` says where a network's weights are, by the name of its entrant.
///
/// # Errors
/// When a file cannot be read, or there are too few images.
pub fn load(plan: Plan, files: &BTreeMap<String, PathBuf>, data: &Path) -> Result<World> {
    let mut parts = Vec::new();
    for part in &plan.parts {
        let mut subjects = Vec::new();
        let mut ready = None;
        for entrant in &part.entrants {
            let path =
                files.get(&entrant.name()).with_context(|| format!("{} has no file", entrant.name()))?;
            let weights = read_weights(path)?;
            let reading = match entrant.reading {
                Reads::Mean => Reading::Mean,
                Reads::Sampled => Reading::Sampled { samples: 1, eot: plan.eot },
            };
            subjects.push(Subject::new(&weights, reading)?);
            if ready.is_none() {
                let images: Images =
                    format!("test:0..{}", part.images).parse().map_err(anyhow::Error::msg)?;
                ready = Some((weights.arch.dataset, images.load(&weights, data)?));
            }
        }
        let (dataset, images) = ready.context("there is no network to study")?;
        parts.push(Ready { dataset, images, subjects });
    }
    Ok(World { plan, parts })
}

impl World {
    /// Makes an attack: its record, its timing, and the attacked image.
    ///
    /// # Errors
    /// When a network answers with something that is not a number.
    pub fn make(&self, subjects: &mut [Vec<Subject>], job: Job) -> Result<(Line, Timing, Vec<f32>)> {
        let (part, ready) = (&self.plan.parts[job.part], &self.parts[job.part]);
        let (entrant, image) = (&part.entrants[job.entrant], &ready.images[job.image]);
        let goal = Target::Next.goal(image.label, Arch::by_name(&entrant.arch)?.classes());
        let subjects = &mut subjects[job.part];
        let attacked = attack(&mut subjects[job.entrant], image, goal, job, ready.dataset)?;
        let mut replayed = BTreeMap::new();
        if job.spec.replayed && attacked.record.refused.is_none() {
            for (other, subject) in part.entrants.iter().zip(subjects) {
                if shown(entrant, other, job.spec.options.method) {
                    replayed.insert(other.name(), subject.fooled(image, &attacked.image, goal));
                }
            }
        }
        let Attacked { record, image, milliseconds } = attacked;
        let line = Line {
            job: job.number,
            dataset: part.dataset.clone(),
            network: entrant.network.clone(),
            reading: entrant.reading,
            precision: entrant.precision,
            purpose: job.spec.purpose,
            record,
            replayed,
        };
        Ok((line, Timing { job: job.number, milliseconds }, image))
    }

    /// Makes the attacks of a shard that are not yet written down in `folder`.
    ///
    /// # Errors
    /// As [`make`](Self::make) and [`Journal`]; when a worker thread fails.
    pub fn run(&self, header: &Header, folder: &Path) -> Result<()> {
        let jobs: Vec<Job> = self.plan.jobs().into_iter().filter(|j| header.shard.has(j.number)).collect();
        let numbers: Vec<usize> = jobs.iter().map(|j| j.number).collect();
        let (mut journal, done) = Journal::open(folder, header, &numbers)?;
        if done > 0 {
            eprintln!("{done} of {} attacks are there already", jobs.len());
        }
        let bar = progress::bar(jobs.len() as u64, "study");
        bar.set_position(done as u64);
        bar.reset_eta();
        let jobs = &jobs[done..];
        let next = AtomicUsize::new(0);
        let threads = std::thread::available_parallelism().map_or(1, |n| n.get()).min(jobs.len());
        let (sender, receiver) = mpsc::channel();
        std::thread::scope(|scope| {
            for _ in 0..threads {
                let (sender, next) = (sender.clone(), &next);
                scope.spawn(move || {
                    let mut subjects: Vec<Vec<Subject>> =
                        self.parts.iter().map(|p| p.subjects.clone()).collect();
                    loop {
                        let place = next.fetch_add(1, Ordering::Relaxed);
                        let Some(&job) = jobs.get(place) else { break };
                        // The receiver goes away when it could not write.
                        if sender.send((place, self.make(&mut subjects, job))).is_err() {
                            break;
                        }
                    }
                });
            }
            drop(sender);
            // Workers finish out of order; what comes early waits here for its turn.
            let mut early = BTreeMap::new();
            let mut written = 0;
            for (place, made) in receiver {
                early.insert(place, made);
                while let Some(made) = early.remove(&written) {
                    let (line, timing, _) = made?;
                    journal.append(&json(&line)?, &json(&timing)?)?;
                    written += 1;
                    bar.inc(1);
                    bar.set_message(format!("{} {}", line.network, line.record.attack));
                }
            }
            ensure!(
                written == jobs.len(),
                anyhow!("a worker thread failed; the same command goes on from there")
            );
            Ok(())
        })?;
        bar.finish_and_clear();
        Ok(())
    }
}

/// An attack on an image that the network reads rightly; others are written down as they are.
fn attack(subject: &mut Subject, image: &Image, goal: Goal, job: Job, dataset: &Dataset) -> Result<Attacked> {
    let options = job.spec.options;
    let mut record = unattacked(subject, image, goal, options);
    if record.read_rightly() {
        let known = (vec![record], Thresholds::new(dataset.validity));
        let attacked = attack_known(subject, &[Task { image, goal, start: None }], options, known)?;
        return attacked.into_iter().next().context("an attack came to nothing");
    }
    record.refused = Some("misread before any attack".into());
    Ok(Attacked { record, image: image.pixels.clone(), milliseconds: 0.0 })
}

/// Whether images of `attacked` are shown to `other`: to a network's own weights in another precision, to the same VAE
/// reading through draws, and to other architectures' networks that are checked too. Sampling ones, which answer slowly,
/// see those of one attack.
fn shown(attacked: &Entrant, other: &Entrant, method: Method) -> bool {
    if attacked.network == other.network {
        let twin = attacked.precision != other.precision && other.reading == Reads::Mean;
        // Images made without chance are what masking by chance would be seen by.
        let draws = other.reading == Reads::Sampled && attacked.precision == Stored::Int8;
        return twin || draws && method == Method::Linf;
    }
    let now = other.reading == Reads::Mean || method == Method::Linf;
    attacked.checked && other.checked && now && attacked.arch != other.arch
}

fn json(value: &impl serde::Serialize) -> Result<String> {
    let mut text = serde_json::to_string(value)?;
    text.push('\n');
    Ok(text)
}
