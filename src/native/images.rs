//! Which images a command works on, and which label it aims at.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};

use super::brought;
use super::fetch::{self, Split};
use super::lfw::{self, Manifest};
use super::root::root;
use crate::attack::Goal;
use crate::datasets::{Dataset, Image, Samples, Source};
use crate::network::Weights;
use crate::network::weights::MAX_BYTES;
use crate::zoo;

/// Which images: a range of the test set, or of the sample that the page ships; or somebody's own.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Images {
    set: Set,
    range: std::ops::Range<usize>,
    /// Whether the first of the set are meant, as many as there are, whatever their numbers.
    first: bool,
}

/// Where images are from.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Set {
    Test,
    Sample,
    Files(Vec<PathBuf>),
}

impl std::str::FromStr for Images {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let help = || format!("'{text}' is not like test:0..100, test:7, sample:0..10 or sample:7");
        let (set, range) = match text.split_once(':') {
            Some(("test", range)) => (Set::Test, range),
            Some(("sample", range)) => (Set::Sample, range),
            _ if text.is_empty() => return Err(help()),
            _ => return Ok(Self { set: Set::Files(vec![text.into()]), range: 0..usize::MAX, first: true }),
        };
        let number = |n: &str| n.parse::<usize>().map_err(|_| help());
        let range = match range.split_once("..") {
            Some((from, to)) => number(from)?..number(to)?,
            None => number(range)?..number(range)?.checked_add(1).ok_or_else(help)?,
        };
        if range.is_empty() {
            return Err(format!("'{text}' holds no image"));
        }
        Ok(Self { set, range, first: false })
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
    /// (true label + this) mod the number of labels.
    Turned(usize),
}

impl Target {
    /// What it means for an image of `label`, of `classes` labels.
    pub fn goal(self, label: usize, classes: usize) -> Goal {
        match self {
            Self::Next => Self::Turned(1).goal(label, classes),
            Self::Turned(by) => Goal::Target((label + by) % classes),
            Self::Label(target) => Goal::Target(target),
            Self::Any => Goal::Away(label),
        }
    }
}

/// An image of the wanted label (of any other, where the goal is to get away) among `starts`, for attacks that begin at one.
pub fn start_for<'a>(starts: &'a [Image], image: &Image, goal: Goal) -> Option<&'a [f32]> {
    let found = starts.iter().find(|start| start.index != image.index && goal.reached(start.label));
    found.map(|start| &start.pixels[..])
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

impl Images {
    /// Several that were named, as one.
    ///
    /// # Errors
    /// When they are ranges of a set: one is possible.
    pub fn together(all: &[Self]) -> Result<Self> {
        let mut files = Vec::new();
        for images in all {
            match &images.set {
                Set::Files(paths) => files.extend(paths.iter().cloned()),
                _ if all.len() == 1 => return Ok(images.clone()),
                _ => bail!("one range of a set is possible, or files and folders"),
            }
        }
        Ok(Self { set: Set::Files(files), range: 0..usize::MAX, first: true })
    }

    /// The first of the sample that the page ships, up to `count` of them.
    pub fn sample(count: usize) -> Self {
        Self { set: Set::Sample, range: 0..count, first: true }
    }

    /// What the set is called.
    pub fn set(&self) -> &'static str {
        match self.set {
            Set::Test => "test",
            Set::Sample => "sample",
            Set::Files(_) => "own",
        }
    }

    /// The first of the test set, up to `count` of them.
    pub fn test(count: usize) -> Self {
        Self { set: Set::Test, range: 0..count, first: true }
    }

    /// The first of the same set, up to `count` of them: as many as there are.
    pub fn first(&self, count: usize) -> Self {
        Self { set: self.set.clone(), range: 0..count, first: true }
    }

    /// Of [`load`](Self::load)'s images those whose labels are known without the network.
    ///
    /// # Errors
    /// As those of [`load`](Self::load).
    pub fn labelled(&self, weights: &Weights, data: &Path) -> Result<Vec<Image>> {
        match &self.set {
            Set::Files(paths) => brought::labelled(paths, weights),
            _ => self.load(weights, data),
        }
    }

    /// Reads the images that the network of `weights` was made for. Of a range those that can be read, with their own numbers;
    /// of the first of a set as many as that.
    ///
    /// # Errors
    /// When there are not so many, none is left, or a file cannot be read.
    pub fn load(&self, weights: &Weights, data: &Path) -> Result<Vec<Image>> {
        let dataset = Dataset::by_name(&weights.spec.dataset)?;
        let range = |there: usize| {
            let end = if self.first { self.range.end.min(there) } else { self.range.end };
            let range = self.range.start..end;
            ensure!(end <= there, lfw::asked_for(&range, there));
            Ok(range)
        };
        if let Set::Files(paths) = &self.set {
            let mut images = brought::load(paths, weights)?;
            images.truncate(self.range.end);
            return Ok(images);
        }
        if self.set == Set::Sample {
            ensure!(
                matches!(dataset.source, Source::Idx(_)),
                "no {} ship: {} grants no right to pass its images on. Name some of your own: --images test:0..10",
                dataset.nouns[1],
                dataset.title
            );
            let path = root()?.join(format!("models/{}-sample.safetensors", dataset.name));
            let bytes = std::fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
            let samples = Samples::from_bytes(dataset, &bytes)?;
            let image = |index| {
                let label = usize::from(samples.labels[index]);
                Ok(Image { index, file: None, label, pixels: samples.image(index)? })
            };
            return range(samples.len())?.map(image).collect();
        }
        let images = match dataset.source {
            Source::Idx(_) => fetch::load(dataset, data, Split::Test)?,
            Source::Photographs => {
                let manifest = manifest(weights, data)?;
                let range = if self.first { None } else { Some(range(manifest.test.len())?) };
                lfw::load(data, &manifest, Split::Test, range)?.centred(weights.spec.image)
            }
            Source::Brought => {
                let folder = data.join(dataset.name);
                ensure!(
                    folder.is_dir(),
                    "no test set is known for '{}': name pictures (--images FILE or FOLDER), or put them into {}, each in a folder that is \
                     called as its label",
                    weights.spec.name,
                    folder.display()
                );
                let mut images = brought::load(&[folder], weights)?;
                let range = range(images.len())?;
                images.truncate(range.end);
                return Ok(images.split_off(range.start));
            }
        };
        let wanted =
            if images.origins.is_empty() || self.first { range(images.len())? } else { 0..images.len() };
        let image = |i| {
            let (index, file) = images.origin(i);
            Image { index, file, label: images.labels[i].into(), pixels: images.image(i) }
        };
        Ok(wanted.map(image).collect())
    }
}

/// The photographs that the network of `weights` is measured with.
/// # Errors
/// When there is no manifest, or it names other people.
pub fn manifest(weights: &Weights, data: &Path) -> Result<Manifest> {
    let least = weights.facts.get("min_images").and_then(|n| n.parse().ok());
    let manifest = lfw::manifest(data, least.unwrap_or(lfw::MIN_IMAGES))?;
    ensure!(
        weights.spec.labels == manifest.labels(),
        "the network was trained on other people than those of the manifest"
    );
    Ok(manifest)
}

/// The weights files that ship, of one data set or of all: those of them that are there.
///
/// # Errors
/// When the folder of the page is not found.
pub fn shipped(dataset: Option<&str>) -> Result<Vec<PathBuf>> {
    let models = root()?.join("models");
    let wanted = zoo::shipped().into_iter().filter(|spec| dataset.is_none_or(|name| name == spec.dataset));
    Ok(wanted
        .map(|spec| models.join(format!("{}.safetensors", spec.name)))
        .filter(|path| path.is_file())
        .collect())
}

/// The weights file that `asked` means: a path from here or from the checkout, or the name of one in its `models`.
///
/// # Errors
/// When there is none; names those there are.
pub fn find_weights(asked: &Path) -> Result<PathBuf> {
    let root = root().ok();
    let models = root.as_ref().map(|root| root.join("models"));
    let in_root = root.map(|root| root.join(asked));
    let by_name = models.as_ref().map(|models| models.join(format!("{}.safetensors", asked.display())));
    let found = [Some(asked.to_owned()), in_root, by_name].into_iter().flatten().find(|path| path.is_file());
    found.with_context(|| {
        let near = asked.parent().filter(|folder| !folder.as_os_str().is_empty()).map(Path::to_owned);
        let mut known: Vec<String> =
            near.into_iter().chain(models).flat_map(|folder| weights_in(&folder)).collect();
        known.sort();
        known.dedup();
        format!("there is no weights file {}; there are {}", asked.display(), known.join(", "))
    })
}

/// The names of the weights files of networks in a folder.
fn weights_in(folder: &Path) -> Vec<String> {
    let names = std::fs::read_dir(folder).into_iter().flatten().flatten();
    let names = names.map(|entry| entry.file_name().to_string_lossy().into_owned());
    let stems = names.filter_map(|name| name.strip_suffix(".safetensors").map(str::to_owned));
    // Images and weights in full lie there, too.
    stems
        .filter(|name| !name.ends_with("-sample") && !name.ends_with("-lab") && !name.ends_with(".f32"))
        .collect()
}

/// What the network of a weights file is called: its file's stem.
///
/// # Errors
/// When the path has none.
pub fn stem(path: &Path) -> Result<String> {
    Ok(path.file_stem().context("a weights file has a name")?.to_string_lossy().into_owned())
}

/// Where the weights of `path` lie as they were before they were quantized: `train` writes them beside.
pub fn full_precision(path: &Path) -> PathBuf {
    path.with_extension("f32.safetensors")
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
    zoo::read(&bytes).with_context(|| path.display().to_string())
}
