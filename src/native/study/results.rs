//! A study's records as a report reads them: by data set, network and attack.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead, BufReader};
use std::path::Path;

use anyhow::{Context, Result, ensure};

use super::journal::RECORDS;
use super::line::Line;
use super::plan::{Budgets, Entrant, Part, Plan, Purpose, Reads, Stored};
use super::words::range;
use crate::arch::{Arch, Dataset};
use crate::attack::Options;
use crate::attack::options::Method;
use crate::metrics::grade::Grade;
use crate::metrics::statistics::{Interval, quartiles, wilson};

/// An attack with its budget, as a report tells attacks apart.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Attack {
    Linf(f32),
    L1(f32),
    Lbfgs,
}

impl Attack {
    /// What it is called in a table.
    pub fn title(self) -> String {
        match self {
            Self::Linf(budget) => format!("L∞ ≤ {budget}"),
            Self::L1(budget) => format!("L1 ≤ {budget}"),
            Self::Lbfgs => "L-BFGS".into(),
        }
    }

    /// Its budget, where it has one.
    pub fn budget(self) -> Option<f64> {
        match self {
            Self::Linf(budget) | Self::L1(budget) => Some(budget.into()),
            Self::Lbfgs => None,
        }
    }

    /// The attacks of a part, as [`Purpose::Study`] makes them.
    pub fn all(budgets: &Budgets) -> Vec<Self> {
        let bounded = Self::bounded(budgets).into_iter().flat_map(|(_, attacks)| attacks);
        bounded.chain(budgets.lbfgs.then_some(Self::Lbfgs)).collect()
    }

    /// Those with a budget, by the norm that it bounds.
    pub fn bounded(budgets: &Budgets) -> [(&'static str, Vec<Self>); 2] {
        [
            ("L∞", budgets.linf.iter().map(|&b| Self::Linf(b)).collect()),
            ("L1", budgets.l1.iter().map(|&b| Self::L1(b)).collect()),
        ]
    }

    /// One of each kind: the middle budget of each norm, and L-BFGS.
    pub fn middle(budgets: &Budgets) -> Vec<Self> {
        let linf = Budgets::middle(&budgets.linf).map(Self::Linf);
        let l1 = Budgets::middle(&budgets.l1).map(Self::L1);
        [linf, l1, budgets.lbfgs.then_some(Self::Lbfgs)].into_iter().flatten().collect()
    }

    /// Whether an attack with these options is this one.
    pub fn made_with(self, options: &Options) -> bool {
        match self {
            Self::Linf(budget) => options.method == Method::Linf && options.budget == budget,
            Self::L1(budget) => matches!(options.method, Method::L1(_)) && options.budget == budget,
            Self::Lbfgs => options.method == Method::Lbfgs,
        }
    }

    fn is(self, line: &Line) -> bool {
        match self {
            // The Square Attack, made for a purpose of its own, keeps to the same ball.
            Self::Linf(budget) => {
                ["linf", "square"].contains(&&*line.record.attack) && line.record.budget == Some(budget)
            }
            Self::L1(budget) => line.record.attack == "l1" && line.record.budget == Some(budget),
            // A search has no budget of its own.
            Self::Lbfgs => line.record.attack == "lbfgs",
        }
    }
}

/// All records of a study.
pub struct Results {
    pub plan: Plan,
    pub parts: Vec<PartResults>,
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
    pub arch: &'static Arch,
    pub reading: Reads,
    pub entrants: Vec<Entrant>,
}

impl Group {
    /// What it is called in a report.
    pub fn title(&self) -> String {
        let name = match self.kind() {
            "cnn" => "CNN",
            "dense" => "dense",
            "conv-encoder" => "strided CNN",
            "vae" => "vanilla VAE",
            "conv-vae" => "convolutional VAE",
            other => other,
        };
        if self.reading == Reads::Sampled { format!("{name}, sampled") } else { name.into() }
    }

    /// The architecture's name without its data set.
    pub fn kind(&self) -> &'static str {
        self.arch.name.split_once('-').map_or(self.arch.name, |(_, kind)| kind)
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
        let arch = part.entrants.first().context("there is no network in the study")?;
        let dataset = Arch::by_name(&arch.arch)?.dataset;
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
        let same = (&part.part.dataset, &entrant.network, entrant.reading, entrant.precision)
            == (&line.dataset, &line.network, line.reading, line.precision);
        let meant = (job.image, job.spec.purpose, job.spec.options.method.name())
            == (line.record.index, line.purpose, line.record.attack.as_str());
        ensure!(same && meant, "{} is of another attack than the study's number {}", place(), line.job);
        part.lines.entry(entrant.name()).or_default().push(line);
    }
    Ok(Results { plan: plan.clone(), parts })
}

impl PartResults {
    /// The records of an entrant under an attack, in the order of the images.
    pub fn lines(&self, entrant: &Entrant, purpose: Purpose, attack: Attack) -> Vec<&Line> {
        let all = self.lines.get(&entrant.name()).map_or(&[][..], Vec::as_slice);
        all.iter().filter(|l| l.purpose == purpose && attack.is(l)).collect()
    }

    /// How many records there are.
    pub fn count(&self) -> usize {
        self.lines.values().map(Vec::len).sum()
    }

    /// What its images are called.
    pub fn title(&self) -> String {
        self.dataset.name.to_uppercase()
    }

    /// All records, in the order in which they were made.
    pub fn in_order(&self) -> Vec<&Line> {
        let mut all: Vec<&Line> = self.lines.values().flatten().collect();
        all.sort_by_key(|l| l.job);
        all
    }

    /// The networks with int8 weights by architecture and reading, in the order of the plan.
    pub fn groups(&self) -> Vec<Group> {
        let mut groups: Vec<Group> = Vec::new();
        for entrant in self.part.entrants.iter().filter(|e| e.precision == Stored::Int8) {
            let Ok(arch) = Arch::by_name(&entrant.arch) else { continue };
            let same = |g: &&mut Group| g.arch.name == arch.name && g.reading == entrant.reading;
            match groups.iter_mut().find(same) {
                Some(group) => group.entrants.push(entrant.clone()),
                None => {
                    groups.push(Group { arch, reading: entrant.reading, entrants: vec![entrant.clone()] })
                }
            }
        }
        groups
    }

    /// The group of an architecture that reads without chance.
    pub fn group(&self, kind: &str) -> Option<Group> {
        self.groups().into_iter().find(|g| g.kind() == kind && g.reading == Reads::Mean)
    }

    /// What an attack did to a group.
    pub fn cell(&self, group: &Group, purpose: Purpose, attack: Attack) -> Cell<'_> {
        Cell { seeds: group.entrants.iter().map(|e| self.lines(e, purpose, attack)).collect() }
    }

    /// The attacks of this part.
    pub fn attacks(&self) -> Vec<Attack> {
        Attack::all(&self.part.budgets)
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

    /// The share of all images that the network still reads rightly in the end.
    pub fn robust(&self) -> Interval {
        let all = self.seeds.iter().flatten();
        let hits =
            all.clone().filter(|l| l.record.read_rightly() && l.record.predicted == l.record.label).count();
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
