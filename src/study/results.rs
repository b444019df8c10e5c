//! A study's records as a report reads them: by data set, network and attack.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;

use anyhow::{Context, Result, ensure};

use super::journal::RECORDS;
use super::line::Line;
use super::plan::{Chosen, Entrant, Key, Part, Plan, Purpose, Stored};
use super::words::range;
use crate::attack::strongest::STRONGEST;
use crate::classifier::Inference;
use crate::datasets::Dataset;
use crate::metrics::grade::Grade;
use crate::metrics::norms::Norm;
use crate::metrics::statistics::{Interval, quartiles, wilson};
use crate::network::Spec;
use crate::zoo;

/// All records of a study.
pub struct Results {
    pub plan: Plan,
    pub parts: Vec<PartResults>,
}

impl Results {
    /// The parts whose images are as their data set has them, not at another density.
    pub fn as_they_are(&self) -> impl Iterator<Item = &PartResults> {
        self.parts.iter().filter(|p| p.dataset.density_of.is_none())
    }
}

/// The records of a data set.
pub struct PartResults {
    pub part: Part,
    pub dataset: &'static Dataset,
    /// By the name of the entrant, in the order of the images.
    lines: BTreeMap<String, Vec<Line>>,
}

/// Networks of one architecture that read in one way; they differ in the seed of their training.
#[derive(Clone, Debug)]
pub struct Group {
    pub spec: Spec,
    pub inference: Inference,
    pub entrants: Vec<Entrant>,
}

impl Group {
    /// What it is called in a report.
    pub fn title(&self) -> String {
        let name = match self.family() {
            "cnn" => "CNN",
            "dense" => "dense",
            "conv-encoder" => "strided CNN",
            "vae" => "vanilla VAE",
            "conv-vae" => "convolutional VAE",
            _ => &self.spec.title,
        };
        if self.draws() { format!("{name}, sampled") } else { name.into() }
    }

    /// The networks that it is one of a kind with, whatever the data set.
    pub fn family(&self) -> &str {
        &self.spec.family
    }

    /// Whether it reads through draws.
    pub fn draws(&self) -> bool {
        self.inference == Inference::Sampled
    }

    /// Whether these are the same networks, reading in the same way.
    pub fn is(&self, other: &Self) -> bool {
        self.spec.name == other.spec.name && self.inference == other.inference
    }

    /// Whether it is the plain network of the layers of `vae`: its control.
    pub fn controls(&self, vae: &Self) -> bool {
        self.spec.control_of.as_deref() == Some(&vae.spec.name)
    }
}

/// Reads the records in `folder`.
///
/// # Errors
/// When a line is damaged, or the file cannot be read.
pub fn read(folder: &Path, plan: &Plan) -> Result<Results> {
    let path = folder.join(RECORDS);
    let mut parts = Vec::new();
    for part in &plan.parts {
        part.check()?;
        let dataset = part.dataset()?;
        parts.push(PartResults { part: part.clone(), dataset, lines: BTreeMap::new() });
    }
    let jobs = plan.jobs();
    let file = File::open(&path).with_context(|| format!("cannot read {}", path.display()))?;
    for (i, text) in BufReader::new(file).lines().enumerate() {
        let place = || format!("line {} of {}", i + 1, path.display());
        let line: Line = serde_json::from_str(&text.with_context(place)?).with_context(place)?;
        let job = jobs.get(line.job).with_context(place)?;
        let part = &mut parts[job.part];
        let entrant = &part.part.entrants[job.entrant];
        let record = &line.record;
        let same = (&part.part.dataset, &entrant.network, entrant.inference, entrant.precision)
            == (&record.dataset, &record.network, record.inference, line.precision);
        let pictured = part.part.chosen.get(job.image).map(|chosen| chosen.index);
        let meant = (pictured, job.spec.purpose, job.spec.options.attack.name)
            == (Some(record.index), line.purpose, record.attack.as_str());
        ensure!(same && meant, "{} is of another attack than the study's number {}", place(), line.job);
        part.lines.entry(entrant.name()).or_default().push(line);
    }
    Ok(Results { plan: plan.clone(), parts })
}

impl PartResults {
    /// The records of an entrant under an attack, in the order of the images.
    pub fn lines(&self, entrant: &Entrant, purpose: Purpose, attack: Key) -> Vec<&Line> {
        let all = self.lines.get(&entrant.name()).map_or(&[][..], Vec::as_slice);
        all.iter().filter(|l| l.purpose == purpose && attack.is(&l.record)).collect()
    }

    /// How many records there are.
    pub fn count(&self) -> usize {
        self.lines.values().map(Vec::len).sum()
    }

    /// What its images are called.
    pub fn title(&self) -> String {
        self.dataset.title.into()
    }

    /// All records, in the order in which they were made.
    pub fn in_order(&self) -> Vec<&Line> {
        let mut all: Vec<&Line> = self.lines.values().flatten().collect();
        all.sort_by_key(|l| l.job);
        all
    }

    /// The networks with int8 weights by architecture and inference, in the order of the plan.
    pub fn groups(&self) -> Vec<Group> {
        let mut groups: Vec<Group> = Vec::new();
        for entrant in self.part.entrants.iter().filter(|e| e.precision == Stored::Int8) {
            let Ok(spec) = zoo::by_name(&entrant.arch) else { continue };
            let inference = entrant.inference;
            let same = |g: &&mut Group| g.spec.name == spec.name && g.inference == inference;
            match groups.iter_mut().find(same) {
                Some(group) => group.entrants.push(entrant.clone()),
                None => groups.push(Group { spec, inference, entrants: vec![entrant.clone()] }),
            }
        }
        groups
    }

    /// The group of a family that reads without chance.
    pub fn group(&self, family: &str) -> Option<Group> {
        self.groups().into_iter().find(|g| g.family() == family && !g.draws())
    }

    /// What an attack did to a group. Of the smallest change, targeted or not, the smallest that is known: whatever attack found
    /// it, and towards whatever label where any will do.
    pub fn cell(&self, group: &Group, purpose: Purpose, attack: Key) -> Cell<'_> {
        let known =
            *attack.attack == STRONGEST && [Purpose::Smallest, Purpose::Untargeted].contains(&purpose);
        let of = |entrant| {
            let lines = self.lines(entrant, purpose, attack);
            if known { self.smallest_known(entrant, lines, attack.norm) } else { lines }
        };
        Cell { seeds: group.entrants.iter().map(of).collect() }
    }

    /// What an attack did to a group, whatever others found.
    pub fn alone(&self, group: &Group, purpose: Purpose, attack: Key) -> Cell<'_> {
        Cell { seeds: group.entrants.iter().map(|e| self.lines(e, purpose, attack)).collect() }
    }

    /// For each of these records of an entrant the one of the smallest change, among all that reached the same goal.
    fn smallest_known<'a>(&'a self, entrant: &Entrant, lines: Vec<&'a Line>, norm: Norm) -> Vec<&'a Line> {
        let mut places: BTreeMap<usize, usize> = BTreeMap::new();
        places.extend(lines.iter().enumerate().map(|(place, line)| (line.record.index, place)));
        let mut known = lines.clone();
        let far = |line: &Line| if line.record.success { norm.of(&line.norms()) } else { f64::INFINITY };
        for line in self.lines.get(&entrant.name()).into_iter().flatten() {
            let Some(&place) = places.get(&line.record.index) else { continue };
            let same = [None, line.record.target].contains(&lines[place].record.target);
            if same && far(line) < far(known[place]) {
                known[place] = line;
            }
        }
        known
    }

    /// For each image, the cluster that it is drawn with: of faces the person, of others itself.
    pub fn clusters(&self) -> Vec<usize> {
        let of = |(place, chosen): (usize, &Chosen)| if self.dataset.named { chosen.label } else { place };
        self.part.chosen.iter().enumerate().map(of).collect()
    }

    /// The attacks of this part at budgets, and those that the study before this one made as they are.
    pub fn attacks(&self) -> Vec<Key> {
        self.part.keys()
    }
}

/// The records of an attack, network by network, image by image.
pub struct Cell<'a> {
    pub seeds: Vec<Vec<&'a Line>>,
}

impl<'a> Cell<'a> {
    /// Attacks on images that were read rightly before.
    pub fn attacked(&self) -> impl Iterator<Item = &'a Line> {
        self.seeds.iter().flatten().copied().filter(|l| l.record.read_rightly())
    }

    /// The records of those images only of which there are others.
    pub fn where_there_are(mut self, others: &Cell<'_>) -> Self {
        for (lines, others) in self.seeds.iter_mut().zip(&others.seeds) {
            lines.retain(|l| others.iter().any(|other| other.record.index == l.record.index));
        }
        self
    }

    /// Attacks that reached their goal.
    pub fn fooled(&self) -> impl Iterator<Item = &'a Line> {
        self.attacked().filter(|l| l.record.success)
    }

    /// The share of those attacked for which `is` holds. Images that several networks were attacked on count once for the
    /// width of the interval.
    pub fn share(&self, is: impl Fn(&Line) -> bool) -> Interval {
        let (hits, n) = (self.attacked().filter(|l| is(l)).count(), self.attacked().count());
        self.of_images(hits, n)
    }

    /// The share of those attacked that some change within a budget fools, by the smallest that was found.
    pub fn fooled_within(&self, norm: Norm, budget: f64) -> Interval {
        self.share(|l| l.within(norm, budget))
    }

    /// The share of all images that the network reads rightly whatever is done within a budget.
    pub fn withstand(&self, norm: Norm, budget: f64) -> Interval {
        let all = self.seeds.iter().flatten();
        let hits = all.clone().filter(|l| l.record.read_rightly() && !l.within(norm, budget)).count();
        self.of_images(hits, all.count())
    }

    fn of_images(&self, hits: usize, n: usize) -> Interval {
        wilson(hits as f64 / n as f64, n as f64 / self.seeds.len().max(1) as f64)
    }

    /// The least and the greatest share over the networks; `None` when there is one network only.
    pub fn over_seeds(&self) -> Option<(f64, f64)> {
        let of = |lines: &Vec<&Line>| {
            let read = lines.iter().filter(|l| l.record.read_rightly());
            let hits = read.clone().filter(|l| l.record.success).count();
            hits as f64 / read.count() as f64
        };
        range(&self.seeds.iter().map(of).collect::<Vec<_>>())
    }

    /// Quartiles of a value over the fooled.
    pub fn quartiles(&self, value: impl Fn(&Line) -> f64) -> [f64; 3] {
        quartiles(&self.fooled().map(value).collect::<Vec<_>>())
    }

    /// How many of the attacked were graded so.
    pub fn graded(&self, grade: Grade) -> usize {
        self.attacked().filter(|l| l.record.grade == Some(grade)).count()
    }
}
