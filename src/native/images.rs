//! Which images a command works on, and which label it aims at.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result, ensure};

use super::fetch::{Split, mnist};
use super::lfw;
use crate::arch::LFW;
use crate::attack::Goal;
use crate::samples::Samples;
use crate::weights::{MAX_BYTES, Weights};

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

/// An image with its label and its index in the set that it was taken from.
#[derive(Clone, Debug)]
pub struct Image {
    /// The index.
    pub index: usize,
    /// The true label.
    pub label: usize,
    /// Rows x columns x channels, in [0, 1].
    pub pixels: Vec<f32>,
}

impl Images {
    /// What the set is called.
    pub fn set(&self) -> &'static str {
        if self.sample { "sample" } else { "test" }
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
        let dataset = weights.arch.dataset;
        let within = |count: usize| {
            let (start, end) = (self.range.start, self.range.end);
            let end = if self.clipped { end.min(count) } else { end };
            ensure!(end <= count, "images {start}..{end} were asked for; there are {count}");
            Ok(start..end)
        };
        if self.sample {
            let path = super::server::root()?.join(format!("models/{}-sample.safetensors", dataset.name));
            let bytes = std::fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
            let samples = Samples::from_bytes(dataset, &bytes)?;
            let image =
                |i| Ok(Image { index: i, label: samples.labels[i].into(), pixels: samples.image(i)? });
            within(samples.len())?.map(image).collect()
        } else {
            let all = if dataset.name == LFW.name {
                let least = weights.facts.get("min_images").and_then(|n| n.parse().ok());
                let manifest = lfw::manifest(data, least.unwrap_or(lfw::MIN_IMAGES))?;
                ensure!(
                    dataset.labels.iter().copied().eq(manifest.labels().iter().map(String::as_str)),
                    "the network was trained on other people than those of the manifest"
                );
                lfw::load(data, &manifest, lfw::Split::Test)?
            } else {
                mnist(data, Split::Test)?
            };
            let image = |i| Image { index: i, label: all.labels[i].into(), pixels: all.image(i) };
            Ok(within(all.len())?.map(image).collect())
        }
    }
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
    Weights::from_bytes(&bytes).with_context(|| path.display().to_string())
}
