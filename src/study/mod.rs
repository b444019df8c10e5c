//! The command `study`: every network under every attack, on the same images with the same targets; records that can be
//! interrupted, cut into shards and put together; a report that decides H0 and H1.

pub mod checks;
pub mod defended;
pub mod hypotheses;
pub mod journal;
pub mod line;
pub mod merge;
pub mod nearest;
pub mod plan;
pub mod report;
pub mod results;
pub mod run;
pub mod shard;
mod words;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};

use self::journal::Header;
use self::plan::{Entrant, Part, Plan, Series, Stored, VERSION};
use self::report::defences::Measured;
use self::report::document::Document;
use self::results::{PartResults, Results};
use self::shard::Shard;
use crate::attack::iterative::MAX_STEPS;
use crate::attack::strongest::LEAST_GRADIENTS;
use crate::attack::{self, Descriptor};
use crate::classifier::Inference;
use crate::datasets::{self, Dataset, Source};
use crate::kernel::simd::Level;
use crate::metrics::norms::Norm;
use crate::native::files::sha256;
use crate::native::images::{find_weights, full_precision, read_weights, shipped, stem};
use crate::native::lfw;
use crate::native::root::root;
use crate::network::Weights;
use crate::network::weights::Precision;

/// What to study.
#[derive(Clone, Debug)]
pub struct Options {
    /// Which data set; all whose images are there when none is named.
    pub dataset: Option<&'static Dataset>,
    /// How many test images of each, from the first on.
    pub images: usize,
    /// The norms in which the smallest change is sought.
    pub norms: Vec<Norm>,
    /// Gradients of a search for it, at most, in all norms or in one; the data set's own where none are given.
    pub gradients: Vec<(Option<Norm>, usize)>,
    /// Weights files; the shipped ones, with those of other seeds, when there are none.
    pub models: Vec<PathBuf>,
    /// Which attacks.
    pub attacks: Vec<&'static Descriptor>,
    /// Budgets in place of the data sets' own.
    pub budgets: Vec<(&'static Descriptor, Vec<f32>)>,
    /// Of random starts.
    pub seed: Option<u64>,
    /// Draws of an attack on a VAE that samples.
    pub eot: usize,
    /// Where everything goes.
    pub out: PathBuf,
    /// Which part of the work is to be done.
    pub shard: Shard,
    /// The folder of the data sets.
    pub data: PathBuf,
    /// What was typed, for the report.
    pub command: String,
}

/// Reads `500`, or `l1=500` of one norm.
///
/// # Errors
/// In words.
pub fn parse_gradients(text: &str) -> Result<(Option<Norm>, usize), String> {
    let (norm, number) = match text.split_once('=') {
        Some((name, number)) => (Some(name.parse::<Norm>().map_err(|e| e.to_string())?), number),
        None => (None, text),
    };
    let number = number.parse().map_err(|_| format!("'{text}' is not like 500 or l1=500"))?;
    let range = LEAST_GRADIENTS..=MAX_STEPS;
    if !range.contains(&number) {
        return Err(format!("{number} gradients: it must be {} to {}", range.start(), range.end()));
    }
    Ok((norm, number))
}

/// Gradients of a search under each norm: what is said of one counts before what is said of all.
fn gradients(options: &Options, dataset: &Dataset) -> [usize; 3] {
    let said = |norm: Option<Norm>| {
        options.gradients.iter().rev().find(|(of, _)| *of == norm).map(|(_, number)| *number)
    };
    Norm::ALL
        .map(|norm| said(Some(norm)).or_else(|| said(None)).unwrap_or(dataset.study.gradients[norm as usize]))
}

/// Reads `linf=0.1,0.2` or `l1=10,20`.
///
/// # Errors
/// In words.
pub fn parse_budgets(text: &str) -> Result<(&'static Descriptor, Vec<f32>), String> {
    let help = || format!("'{text}' is not like linf=0.05,0.1 or l1=10,20");
    let (name, list) = text.split_once('=').ok_or_else(help)?;
    let attack = attack::by_name(name).map_err(|e| e.to_string())?;
    if !attack.traits.study {
        return Err(format!("a study makes {name} as a check at most, not at budgets of its own"));
    }
    if attack.searches {
        return Err(format!("{} has no budget: it finds the closest", attack.title));
    }
    let most = attack.norms[0].most(MOST_NUMBERS);
    let mut budgets = Vec::new();
    for number in list.split(',') {
        let budget = attack::options::number(number).ok_or_else(help)? as f32;
        if !(budget > 0.0 && budget <= most && budget.is_finite()) {
            return Err(format!(
                "a budget of {number} is out of range: it must lie above 0 and be at most {most}"
            ));
        }
        budgets.push(budget);
    }
    budgets.sort_by(f32::total_cmp);
    budgets.dedup();
    Ok((attack, budgets))
}

/// The most numbers that an image can have.
const MOST_NUMBERS: usize = 256 * 256 * 4;

/// Makes the study, or its shard, and its report.
///
/// # Errors
/// When a file cannot be read or written, or the options do not fit together.
pub fn study(options: &Options) -> Result<()> {
    ensure!(options.images > 0, "a study needs images");
    ensure!(!options.attacks.is_empty() || !options.norms.is_empty(), "a study needs an attack or a norm");
    ensure!(
        options.attacks.iter().all(|attack| attack.traits.study),
        "a study makes {}; another it makes as a check at most",
        attack::ALL.iter().filter(|a| a.traits.study).map(|a| a.name).collect::<Vec<_>>().join(", ")
    );
    let (plan, files) = plan(options)?;
    let world = run::load(plan, &files, &options.data)?;
    let plan = world.plan.clone();
    let header = Header { plan, shard: options.shard, instructions: Level::detect().name().into() };
    world.run(&header, &options.out)?;
    if options.shard != Shard::WHOLE {
        println!(
            "Shard {}/{} is whole. When all are: study merge DIR... --out DIR",
            options.shard.index, options.shard.count
        );
        return Ok(());
    }
    finish(&options.out, &whole_results(&options.out, &header.plan)?, Some(&world), true, &options.command)
}

/// Joins shards and makes the report, with examples if the networks and images are at hand.
///
/// # Errors
/// As [`merge::merge`] and [`report::write`].
pub fn merge(folders: &[PathBuf], out: &Path, data: &Path, command: &str) -> Result<()> {
    merge::merge(folders, out)?;
    remake(&[out.to_owned()], out, true, data, command)
}

/// Makes a report in `out` of the studies in `folders`, each of other data sets; with examples of faces only when
/// `faces` are allowed.
///
/// # Errors
/// When a folder holds no whole study, two are of one data set, or a file cannot be read or written.
pub fn remake(folders: &[PathBuf], out: &Path, faces: bool, data: &Path, command: &str) -> Result<()> {
    let mut together: Option<Results> = None;
    for folder in folders {
        let header =
            journal::header(folder)?.with_context(|| format!("{} holds no study", folder.display()))?;
        ensure!(header.shard == Shard::WHOLE, "{} holds a shard; merge it with the others", folder.display());
        let results = whole_results(folder, &header.plan)?;
        together = Some(match together {
            None => results,
            Some(mut all) => {
                let (a, b) = (&all.plan, &results.plan);
                ensure!((a.seed, a.eot) == (b.seed, b.eot), "these studies attacked with other options");
                for part in results.parts {
                    let name = &part.part.dataset;
                    let there = all.parts.iter().any(|p| p.part.dataset == *name);
                    ensure!(!there, "{} is another study of {name}", folder.display());
                    all.plan.parts.push(part.part.clone());
                    all.parts.push(part);
                }
                all
            }
        });
    }
    let results = together.context("name the folder of a study")?;
    let world = match reload(&results.plan, data) {
        Ok(world) => Some(world),
        Err(error) => {
            eprintln!("note: the report is made without examples ({error:#})");
            None
        }
    };
    finish(out, &results, world.as_ref(), faces, command)
}

/// The networks and images of a plan that was made elsewhere: the shipped weights that it names.
fn reload(plan: &Plan, data: &Path) -> Result<run::World> {
    let mut files = BTreeMap::new();
    let mut shipped = BTreeMap::new();
    for path in known(&[SEEDS, DENSITIES])? {
        for entrant in add_files(&path, &read_weights(&path)?, &mut files)? {
            shipped.insert(entrant.name(), entrant.sha256);
        }
    }
    for entrant in plan.parts.iter().flat_map(|p| &p.entrants) {
        let name = entrant.name();
        let now = shipped.get(&name).with_context(|| format!("the weights of {name} are not shipped"))?;
        ensure!(*now == entrant.sha256, "the weights of {name} have changed since");
    }
    run::load(plan.clone(), &files, data)
}

/// The records of a study that has all of them.
fn whole_results(folder: &Path, plan: &Plan) -> Result<Results> {
    let results = results::read(folder, plan)?;
    let expected = plan.jobs().len();
    let found = results.parts.iter().map(PartResults::count).sum::<usize>();
    ensure!(
        found == expected,
        "{} holds {found} of {expected} records; run the study again to finish it",
        folder.display()
    );
    Ok(results)
}

fn finish(
    folder: &Path,
    results: &Results,
    world: Option<&run::World>,
    faces: bool,
    command: &str,
) -> Result<()> {
    report::write_csv(results, folder)?;
    let models = root()?.join("models");
    let measured = Measured {
        defended: defended::read_all(&models.join("defences"))?,
        questioned: defended::read_all(&models.join("black-box"))?,
        peers: defended::read_one(&models.join("peers.json"))?,
    };
    let document = report::write(results, &measured, world, faces, command, folder)?;
    println!("{}", summary(&document));
    println!("The report is {}", folder.join("report.html").display());
    Ok(())
}

/// The verdicts of a report, as plain text.
fn summary(document: &Document) -> String {
    let items = document.blocks.iter().find_map(|b| match b {
        report::document::Block::Items(items) => {
            Some(items.iter().map(|i| format!("* {}\n", i.replace("**", ""))).collect())
        }
        _ => None,
    });
    items.unwrap_or_default()
}

/// The folders of networks that are studied besides those that ship: of other seeds; and of other densities, when they are named.
const SEEDS: &str = "models/seeds";
const DENSITIES: &str = "models/density";

/// The shipped networks, and those in folders beside them.
fn known(folders: &[&str]) -> Result<Vec<PathBuf>> {
    let mut all = shipped(None)?;
    for folder in folders {
        let Ok(entries) = std::fs::read_dir(root()?.join(folder)) else { continue };
        let weights = |p: &PathBuf| {
            p.extension().is_some_and(|e| e == "safetensors")
                && !p.to_string_lossy().ends_with(".f32.safetensors")
        };
        let mut found: Vec<PathBuf> = entries.flatten().map(|e| e.path()).filter(weights).collect();
        found.sort();
        all.extend(found);
    }
    Ok(all)
}

/// What the options come to, and where the weights of each entrant are.
fn plan(options: &Options) -> Result<(Plan, BTreeMap<String, PathBuf>)> {
    let given = !options.models.is_empty();
    let named = || options.models.iter().map(|path| find_weights(path)).collect::<Result<_>>();
    let paths: Vec<PathBuf> = if given { named()? } else { known(&[SEEDS])? };
    let mut files = BTreeMap::new();
    let mut parts: Vec<Part> = Vec::new();
    // Of each architecture, the first network is checked; the first whose weights in full are there is held to these.
    let (mut checked, mut full) = (BTreeMap::new(), BTreeMap::new());
    let mut networks = Vec::new();
    for path in &paths {
        let weights = read_weights(path)?;
        if full_precision(path).is_file() {
            full.entry(weights.spec.name.clone()).or_insert(stem(path)?);
        }
        networks.push((path, weights));
    }
    for (path, weights) in &networks {
        let dataset = Dataset::by_name(&weights.spec.dataset)?;
        if options.dataset.is_some_and(|d| d.name != dataset.name) {
            ensure!(!given, "{} was not trained on the data set that was asked for", path.display());
            continue;
        }
        let absent = matches!(dataset.source, Source::Photographs) && lfw::folder(&options.data).is_err();
        if options.dataset.is_none() && !given && absent {
            continue;
        }
        for entrant in add_files(path, weights, &mut files)? {
            let place = match parts.iter().position(|p| p.dataset == dataset.name) {
                Some(place) => place,
                None => {
                    parts.push(Part {
                        dataset: dataset.name.to_owned(),
                        images: options.images,
                        chosen: Vec::new(),
                        digest: String::new(),
                        nearest: None,
                        norms: options.norms.iter().map(|norm| norm.name().to_owned()).collect(),
                        gradients: gradients(options, dataset),
                        series: series(options, dataset),
                        entrants: Vec::new(),
                    });
                    parts.len() - 1
                }
            };
            let entrants = &mut parts[place].entrants;
            let first = checked.entry(weights.spec.name.clone()).or_insert_with(|| entrant.network.clone());
            let checked = *first == entrant.network && entrant.precision == Stored::Int8;
            // Weights in full are there for the checks, and sampling VAEs to see what sampling hides: once each, of those that
            // were trained as usual.
            let wanted = match (entrant.precision, entrant.inference) {
                (Stored::F32, _) => full.get(&weights.spec.name) == Some(&entrant.network),
                (Stored::Int8, Inference::Sampled) => checked && weights.spec.defends.is_none(),
                (Stored::Int8, Inference::Mean) => true,
            };
            if wanted {
                entrants.push(Entrant { checked, ..entrant });
            }
        }
    }
    ensure!(!parts.is_empty(), "there is no network to study");
    for part in &parts {
        let read = |e: &&Entrant| e.inference == Inference::Mean && e.precision == Stored::Int8;
        let mut seen = BTreeMap::new();
        for entrant in part.entrants.iter().filter(read) {
            if let Some(other) = seen.insert(&entrant.sha256, &entrant.network) {
                bail!("{other} and {} are the same network", entrant.network);
            }
        }
    }
    // Of the data sets of which networks ship.
    let ships = |d: &&&Dataset| crate::zoo::shipped().iter().any(|spec| spec.dataset == d.name);
    for dataset in datasets::ALL.iter().filter(ships) {
        if options.dataset.is_none() && !given && !parts.iter().any(|p| p.dataset == dataset.name) {
            eprintln!(
                "note: nothing of {} is studied; `fetch {}` gets its images",
                dataset.name, dataset.name
            );
        }
    }
    // The order of the data sets does not depend on the order of the files.
    parts.sort_by_key(|p| datasets::ALL.iter().position(|d| d.name == p.dataset));
    Ok((Plan { version: VERSION, seed: options.seed, eot: options.eot, parts }, files))
}

/// The attacks that are asked for, in the order of all attacks, at the budgets given or the data set's own.
fn series(options: &Options, dataset: &Dataset) -> Vec<Series> {
    let wanted = attack::ALL.iter().filter(|attack| options.attacks.contains(attack));
    let of = |attack: &&'static Descriptor| {
        let given = options.budgets.iter().find(|(other, _)| other == attack);
        let budgets = match given {
            Some((_, budgets)) => budgets.clone(),
            None if attack.searches => Vec::new(),
            None => dataset.budgets(attack.norms[0]).study.to_vec(),
        };
        Series { attack: attack.name.into(), budgets }
    };
    wanted.map(of).collect()
}

/// The entrants that a weights file makes: the network, reading through draws too where it can, and with its weights in
/// full where they lie beside.
fn add_files(path: &Path, weights: &Weights, files: &mut BTreeMap<String, PathBuf>) -> Result<Vec<Entrant>> {
    ensure!(
        weights.precision == Precision::Int8,
        "{} holds weights in full, and a study is of quantized ones: name the file beside it, or import it with --int8",
        path.display()
    );
    let stem = stem(path)?;
    let hash = |path: &Path| {
        let bytes = std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
        Ok::<_, anyhow::Error>(sha256(&bytes))
    };
    let mean = Entrant {
        network: stem,
        arch: weights.spec.name.clone(),
        seed: weights.facts.get("seed").cloned().unwrap_or_default(),
        inference: Inference::Mean,
        precision: Stored::Int8,
        sha256: hash(path)?,
        checked: false,
    };
    let mut entrants = vec![(mean.clone(), path.to_owned())];
    if weights.spec.is_vae() {
        entrants.push((Entrant { inference: Inference::Sampled, ..mean.clone() }, path.to_owned()));
    }
    let full = full_precision(path);
    if full.is_file() {
        ensure!(read_weights(&full)?.spec.name == weights.spec.name, "{} is another network", full.display());
        let entrant = Entrant { precision: Stored::F32, sha256: hash(&full)?, ..mean };
        entrants.push((entrant, full));
    }
    for (entrant, path) in &entrants {
        if files.insert(entrant.name(), path.clone()).is_some() {
            bail!("two networks are called {}; rename a file", entrant.network);
        }
    }
    Ok(entrants.into_iter().map(|(entrant, _)| entrant).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn budgets_are_read_sorted_and_refused_in_words() {
        let (attack, budgets) = parse_budgets("linf=0.2,0.1,0.2").unwrap();
        assert_eq!((attack.name, budgets), ("linf", vec![0.1, 0.2]));
        assert_eq!(parse_budgets("l1=10").unwrap().1, [10.0]);
        assert_eq!(parse_budgets("linf=8/255, 0.1").unwrap().1, [8.0 / 255.0, 0.1]);
        for wrong in [
            "", "linf", "linf=", "linf=a", "linf=0", "linf=2", "linf=1/0", "linf=/2", "l1=-1", "l1=inf",
            "l1=NaN", "lbfgs=1", "square=1", "l2=1",
        ] {
            assert!(parse_budgets(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn gradients_are_said_of_all_norms_or_of_one() {
        assert_eq!(parse_gradients("500"), Ok((None, 500)));
        assert_eq!(parse_gradients("l1=300"), Ok((Some(Norm::L1), 300)));
        for wrong in ["", "l1", "l1=", "l3=100", "9", "l2=9", "-1", "1e3", "99999999999", "l1=1,2"] {
            assert!(parse_gradients(wrong).is_err(), "{wrong}");
        }
    }
}
