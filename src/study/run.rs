//! Makes the attacks of a study, on all cores, and writes down each.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::time::Instant;

use anyhow::{Context, Result, anyhow, ensure};

use super::journal::{Header, Journal};
use super::line::{Line, Timing};
use super::nearest::nearest;
use super::plan::{Chosen, Entrant, Job, Part, Plan, Stored};
use crate::attack::Descriptor;
use crate::attack::linf::LINF;
use crate::classifier::{Inference, Subject};
use crate::datasets::{Dataset, Image};
use crate::judge::{Judged, Task, fooled, judge_all};
use crate::metrics::grade::Thresholds;
use crate::native::cores::{caught, threads};
use crate::native::files::sha256;
use crate::native::images::{Images, read_weights, start_for};
use crate::native::progress;
use crate::network::Weights;

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
    /// What each label stands for: the same for all.
    pub labels: Vec<String>,
}

/// Images, from the first on, whose distances from training images are measured.
const MEASURED: usize = 500;

/// Loads what `plan` names; `files` says where a network's weights are, by the name of its entrant.
///
/// # Errors
/// When a file cannot be read, or there are too few images.
pub fn load(mut plan: Plan, files: &BTreeMap<String, PathBuf>, data: &Path) -> Result<World> {
    let mut parts = Vec::new();
    let eot = plan.eot;
    for part in &mut plan.parts {
        let mut subjects = Vec::new();
        let mut ready: Option<(Vec<String>, Pictured)> = None;
        for entrant in &part.entrants {
            let path =
                files.get(&entrant.name()).with_context(|| format!("{} has no file", entrant.name()))?;
            let weights = read_weights(path)?;
            let mut subject = Subject::new(&weights, entrant.inference, 1, eot)?;
            subject.network.clone_from(&entrant.network);
            subjects.push(subject);
            match &ready {
                // The same images are shown to all, with the same targets.
                Some((labels, _)) => ensure!(
                    *labels == weights.spec.labels,
                    "{} tells other labels apart than the other networks of {}: study it by itself",
                    entrant.name(),
                    part.dataset
                ),
                None => {
                    ready = Some((weights.spec.labels.clone(), images(part, &weights, data)?));
                }
            }
        }
        let (labels, (images, nearest)) = ready.context("there is no network to study")?;
        let digest = digest(&images);
        ensure!(
            part.digest.is_empty() || part.digest == digest,
            "the images of {} under {} are not those that were studied",
            part.dataset,
            data.display()
        );
        part.chosen = images.iter().map(|&Image { index, label, .. }| Chosen { index, label }).collect();
        part.digest = digest;
        part.nearest = nearest;
        parts.push(Ready { dataset: part.dataset()?, images, subjects, labels });
    }
    Ok(World { plan, parts })
}

/// Images, and how far they lie from training images of another label ([`Part::nearest`]).
type Pictured = (Vec<Image>, Option<[f64; 3]>);

/// The images of a part, measured where it is new.
fn images(part: &Part, weights: &Weights, data: &Path) -> Result<Pictured> {
    let most = part.dataset()?.study.of_a_label;
    let all = Images::test(if most == usize::MAX { part.images } else { usize::MAX }).load(weights, data)?;
    let images = chosen(all, part.images, most);
    ensure!(
        images.len() == part.images,
        "{} images of {} were asked for; there are {}{}",
        part.images,
        part.dataset,
        images.len(),
        match most {
            usize::MAX => String::new(),
            most => format!(", taking at most {most} of a label"),
        }
    );
    if !part.digest.is_empty() {
        return Ok((images, part.nearest));
    }
    let nearest = nearest(&images[..images.len().min(MEASURED)], weights, data)
        .inspect_err(|why| eprintln!("note: distances between images are left out ({why:#})"));
    Ok((images, nearest.ok()))
}

/// The first `count` images, leaving out what is more than `most` of a label.
fn chosen(images: Vec<Image>, count: usize, most: usize) -> Vec<Image> {
    let mut taken = BTreeMap::new();
    let wanted = |image: &Image| {
        let of_a_label = taken.entry(image.label).or_insert(0);
        *of_a_label += 1;
        *of_a_label <= most
    };
    images.into_iter().filter(wanted).take(count).collect()
}

/// The SHA-256 of images with their numbers, labels and files: two studies are of the same images where it is the same.
fn digest(images: &[Image]) -> String {
    let mut bytes = Vec::new();
    for Image { index, file, label, pixels } in images {
        bytes.extend_from_slice(
            format!("{index} {label} {}\n", file.as_deref().unwrap_or_default()).as_bytes(),
        );
        // The 8 bits that they come in.
        bytes.extend(pixels.iter().map(|x| (x * 255.0).round() as u8));
    }
    sha256(&bytes)
}

impl World {
    /// Makes the attacks of one group: of each its record, its timing (its share of all), and the attacked image.
    ///
    /// # Errors
    /// When a network answers with something that is not a number.
    pub fn make(
        &self,
        subjects: &mut [Vec<Subject>],
        group: &[Job],
    ) -> Result<Vec<(Line, Timing, Vec<f32>)>> {
        let Some(&Job { part: place, entrant: attacked, spec, .. }) = group.first() else {
            return Ok(Vec::new());
        };
        let (part, ready) = (&self.plan.parts[place], &self.parts[place]);
        let (entrant, subjects) = (&part.entrants[attacked], &mut subjects[place]);
        let begun = Instant::now();
        let task = |job: &Job| {
            let image = &ready.images[job.image];
            let goal = spec.target.goal(image.label, ready.labels.len());
            let start = start_for(&ready.images, image, goal).filter(|_| spec.options.attack.traits.starts());
            Task { only_if_read: true, start, ..Task::new(image, goal) }
        };
        let tasks: Vec<Task<'_>> = group.iter().map(task).collect();
        let thresholds = Thresholds::new(ready.dataset.validity);
        let judged = judge_all(&mut subjects[attacked], &tasks, &spec.options, thresholds)?;
        let milliseconds = begun.elapsed().as_secs_f64() * 1e3 / group.len() as f64;
        let mut made = Vec::with_capacity(group.len());
        for ((job, task), Judged { record, image, .. }) in group.iter().zip(&tasks).zip(judged) {
            let mut replayed = BTreeMap::new();
            if spec.replayed && record.skipped.is_none() {
                for (other, subject) in part.entrants.iter().zip(subjects.iter_mut()) {
                    if shown(entrant, other, spec.options.attack) {
                        replayed.insert(other.name(), fooled(subject, task.image, &image, task.goal));
                    }
                }
            }
            let (precision, purpose) = (entrant.precision, spec.purpose);
            let line = Line { job: job.number, precision, purpose, record, replayed };
            made.push((line, Timing { job: job.number, milliseconds }, image));
        }
        Ok(made)
    }

    /// Makes the attacks of a shard that are not yet written down in `folder`.
    ///
    /// # Errors
    /// As [`make`](Self::make) and [`Journal`]; when a worker thread fails.
    pub fn run(&self, header: &Header, folder: &Path) -> Result<()> {
        let jobs: Vec<Job> = self.plan.jobs().into_iter().filter(|j| header.shard.has(j.group)).collect();
        let numbers: Vec<usize> = jobs.iter().map(|j| j.number).collect();
        let (mut journal, done) = Journal::open(folder, header, &numbers)?;
        if done > 0 {
            eprintln!("{done} of {} attacks are there already", jobs.len());
        }
        let bar = progress::bar(jobs.len() as u64, "study");
        bar.set_position(done as u64);
        bar.reset_eta();
        let jobs = &jobs[done..];
        let groups: Vec<&[Job]> = jobs.chunk_by(|a, b| a.group == b.group).collect();
        let next = AtomicUsize::new(0);
        let threads = threads(groups.len());
        let (sender, receiver) = mpsc::channel();
        std::thread::scope(|scope| {
            for _ in 0..threads {
                let (sender, next, groups) = (sender.clone(), &next, &groups);
                scope.spawn(move || {
                    let mut subjects: Vec<Vec<Subject>> =
                        self.parts.iter().map(|p| p.subjects.clone()).collect();
                    loop {
                        let place = next.fetch_add(1, Ordering::Relaxed);
                        let Some(&group) = groups.get(place) else { break };
                        // The receiver goes away when it could not write.
                        if sender.send((place, caught(|| self.make(&mut subjects, group)))).is_err() {
                            break;
                        }
                    }
                });
            }
            drop(sender);
            // Workers finish out of order; what comes early waits here for its turn.
            let mut early = BTreeMap::new();
            let (mut turn, mut written) = (0, 0);
            for (place, made) in receiver {
                early.insert(place, made);
                while let Some(made) = early.remove(&turn) {
                    turn += 1;
                    for (line, timing, _) in made.context("the same command goes on from there")? {
                        journal.append(&json(&line)?, &json(&timing)?)?;
                        written += 1;
                        bar.inc(1);
                        bar.set_message(format!("{} {}", line.record.network, line.record.attack));
                    }
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

/// Whether images of `attacked` are shown to `other`: to a network's own weights in another precision, to the same VAE
/// reading through draws, and to other architectures' networks that are checked too. Sampling ones, which answer slowly,
/// see those of one attack.
fn shown(attacked: &Entrant, other: &Entrant, attack: &Descriptor) -> bool {
    if attacked.network == other.network {
        let twin = attacked.precision != other.precision && other.inference == Inference::Mean;
        // Images made without chance are what masking by chance would be seen by.
        let draws = other.inference == Inference::Sampled && attacked.precision == Stored::Int8;
        return twin || draws && *attack == LINF;
    }
    let now = other.inference == Inference::Mean || *attack == LINF;
    attacked.checked && other.checked && now && attacked.arch != other.arch
}

fn json(value: &impl serde::Serialize) -> Result<String> {
    let mut text = serde_json::to_string(value)?;
    text.push('\n');
    Ok(text)
}
