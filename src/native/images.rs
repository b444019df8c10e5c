//! Which images a command works on, and which label it aims at.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};

use super::fetch::{self, Split};
use super::labelled::Labelled;
use super::lfw;
use super::root::root;
use crate::attack::Goal;
use crate::datasets::{Dataset, Image, Samples, Source};
use crate::network::Weights;
use crate::network::weights::MAX_BYTES;
use crate::zoo;

/// Which images: a range of the test set, or of the sample that the page ships.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Images {
    sample: bool,
    range: std::ops::Range<usize>,
    /// Whether the range ends where the set does.
    clipped: bool,
}

impl std::str::FromStr for Images {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let help = || format!("'{text}' is not like test:0..100, test:7, sample:0..10 or sample:7");
        let (set, range) = text.split_once(':').ok_or_else(help)?;
        let sample = match set {
            "test" => false,
            "sample" => true,
            _ => return Err(help()),
        };
        let number = |n: &str| n.parse::<usize>().map_err(|_| help());
        let range = match range.split_once("..") {
            Some((from, to)) => number(from)?..number(to)?,
            None => number(range)?..number(range)?.checked_add(1).ok_or_else(help)?,
        };
        if range.is_empty() {
            return Err(format!("'{text}' holds no image"));
        }
        Ok(Self { sample, range, clipped: false })
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
}

impl Target {
    /// What it means for an image of `label`, of `classes` labels.
    pub fn goal(self, label: usize, classes: usize) -> Goal {
        match self {
            Self::Next => Goal::Target((label + 1) % classes),
            Self::Label(target) => Goal::Target(target),
            Self::Any => Goal::Away(label),
        }
    }
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
    /// What the set is called.
    pub fn set(&self) -> &'static str {
        if self.sample { "sample" } else { "test" }
    }

    /// The first `count` of the test set.
    pub fn test(count: usize) -> Self {
        Self { sample: false, range: 0..count, clipped: false }
    }

    /// The first of the same set, up to `count` of them: as many as there are.
    pub fn first(&self, count: usize) -> Self {
        Self { sample: self.sample, range: 0..count, clipped: true }
    }

    /// Reads the images that the network of `weights` was made for.
    ///
    /// # Errors
    /// When there are not so many, or a file cannot be read.
    pub fn load(&self, weights: &Weights, data: &Path) -> Result<Vec<Image>> {
        let dataset = Dataset::by_name(&weights.spec.dataset)?;
        let within = |count: usize| {
            let (start, end) = (self.range.start, self.range.end);
            let end = if self.clipped { end.min(count) } else { end };
            ensure!(end <= count, "images {start}..{end} were asked for; there are {count}");
            Ok(start..end)
        };
        if self.sample {
            let path = root()?.join(format!("models/{}-sample.safetensors", dataset.name));
            let bytes = std::fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
            let samples = Samples::from_bytes(dataset, &bytes)?;
            let image =
                |i| Ok(Image { index: i, label: samples.labels[i].into(), pixels: samples.image(i)? });
            within(samples.len())?.map(image).collect()
        } else {
            let all = load(dataset, weights, data)?;
            let image = |i| Image { index: i, label: all.labels[i].into(), pixels: all.image(i) };
            Ok(within(all.len())?.map(image).collect())
        }
    }
}

/// The test images of a data set, with the labels that the network of `weights` tells apart.
fn load(dataset: &Dataset, weights: &Weights, data: &Path) -> Result<Labelled> {
    match dataset.source {
        Source::Idx(_) => fetch::load(dataset, data, Split::Test),
        Source::Photographs => {
            let least = weights.facts.get("min_images").and_then(|n| n.parse().ok());
            let manifest = lfw::manifest(data, least.unwrap_or(lfw::MIN_IMAGES))?;
            ensure!(
                weights.spec.labels == manifest.labels(),
                "the network was trained on other people than those of the manifest"
            );
            lfw::load(data, &manifest, Split::Test)
        }
    }
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
