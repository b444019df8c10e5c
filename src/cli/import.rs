//! The command `import`: a network in ONNX as a weights file, tried on test images.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use clap::Args;

use super::{Data, dataset, dataset_names};
use crate::classifier::{Classifier, Network};
use crate::datasets::{Dataset, Image, Pictures, own};
use crate::metrics::argmax;
use crate::native::files::write_atomically;
use crate::native::images::{Images, stem};
use crate::network::Weights;
use crate::network::weights::{Facts, Precision};
use crate::onnx::{self, Asked, Feeding, Imported, Tried, labels};
use crate::zoo;

#[derive(Args)]
pub struct Import {
    /// The ONNX file
    file: PathBuf,
    /// Whose images it reads; when not given, those of a data set with as many labels and images of that size, otherwise images of your
    /// own
    #[arg(long, value_parser = dataset_names())]
    dataset: Option<String>,
    /// Rows, columns and channels of an image, such as 32x32x3, where the file leaves them open
    #[arg(long, conflicts_with = "dataset")]
    image: Option<String>,
    /// What the labels stand for: a file with one a line, or a list with commas between
    #[arg(long)]
    labels: Option<String>,
    /// Where to: a weights file (.safetensors)
    #[arg(long)]
    out: PathBuf,
    /// What the network was trained on; when not given, that with which it reads most images
    #[arg(long)]
    feed: Option<String>,
    /// Stores weights as 8-bit integers with a scale for each channel, as what ships is, and tells how many readings change
    #[arg(long)]
    int8: bool,
    /// Images on which it is tried: of the test set, or files and folders as of attack
    #[arg(long, num_args = 1..)]
    images: Vec<Images>,
    #[command(flatten)]
    data: Data,
}

/// Reads, tries and writes it.
pub fn run(command: &Import) -> Result<()> {
    let bytes =
        std::fs::read(&command.file).with_context(|| format!("cannot read {}", command.file.display()))?;
    let name = stem(&command.out)?;
    let labels = match command.labels.as_deref() {
        None => Vec::new(),
        Some(text) if Path::new(text).is_file() => {
            labels::read(&std::fs::read_to_string(text).with_context(|| format!("cannot read {text}"))?)
        }
        Some(text) => labels::read(text),
    };
    let asked = Asked {
        name: &name,
        dataset: command.dataset.as_deref().map(dataset).transpose()?,
        image: command.image.as_deref().map(own::read_shape).transpose()?,
        labels,
    };
    let imported = onnx::import(&bytes, &asked)?;
    let (image, layers) = (imported.spec.image, imported.spec.layers.len());
    let given = command.feed.as_deref().map(|name| Feeding::by_name(name, image)).transpose()?;
    let images = images(command, &imported)?;
    // A picture of which the network itself says what it shows says nothing of the network.
    let known: Vec<(&[f32], usize)> = images.iter().map(|image| (&image.pixels[..], image.label)).collect();
    let feeding = match (given, known.is_empty()) {
        (Some(feeding), _) => feeding,
        (None, false) => {
            let tried = imported.try_feedings(&known)?;
            for Tried { feeding, right, of } in &tried {
                println!("{:<26} reads {right} of {of} ({})", feeding.name, feeding.title);
            }
            tried.into_iter().next().context("nothing was tried")?.feeding
        }
        (None, true) => {
            let all = Feeding::all(image);
            let names: Vec<&str> = all.iter().map(|feeding| feeding.name.as_str()).collect();
            eprintln!(
                "there are no images whose labels are known, so that it cannot be tried how the network is fed: pixels from 0 to 1 are \
                 taken. Say --feed ({}), or name pictures in folders that are called as their labels (--images)",
                names.join(", ")
            );
            all.into_iter().next().context("there is no way to feed it")?
        }
    };
    let Imported { spec, tensors } = imported.fed(&feeding)?;
    let facts = Facts::from([
        ("onnx".into(), command.file.file_name().unwrap_or_default().to_string_lossy().into()),
        ("fed".into(), feeding.name.clone()),
    ]);
    let written = |precision| Weights::to_bytes(&spec, &tensors, precision, None, &facts);
    let full = written(Precision::F32)?;
    let weights = zoo::read(&full)?;
    let [rows, cols, channels] = image;
    println!(
        "{name}: {layers} layers, {rows} x {cols} x {channels}, {} labels, {:.1} million products, fed as {}",
        spec.classes(),
        spec.gradient_flops() as f64 / 4e6,
        feeding.name
    );
    let read = readings(&weights, &images)?;
    if !images.is_empty() {
        let right = read.iter().zip(&images).filter(|(read, image)| **read == image.label).count();
        println!("{right} of {} read rightly", images.len());
    }
    let bytes = if command.int8 {
        let small = written(Precision::Int8)?;
        let changed =
            readings(&zoo::read(&small)?, &images)?.iter().zip(&read).filter(|(a, b)| a != b).count();
        if !images.is_empty() {
            println!("as int8 {changed} of {} readings change", images.len());
        }
        small
    } else {
        full
    };
    write_atomically(&command.out, &bytes)?;
    println!("{}", command.out.display());
    Ok(())
}

/// The images on which it is tried, of which the labels are known: those named; or the first of the test set, or of the sample that
/// ships, where there is one.
fn images(command: &Import, imported: &Imported) -> Result<Vec<Image>> {
    let Imported { spec, tensors } = imported;
    let weights = zoo::read(&Weights::to_bytes(spec, tensors, Precision::F32, None, &Facts::new())?)?;
    let data = command.data.dir()?;
    if !command.images.is_empty() {
        return Images::together(&command.images)?.labelled(&weights, &data);
    }
    let dataset = Dataset::by_name(&spec.dataset)?;
    let there = Images::test(1_000).load(&weights, &data);
    match dataset.pictures {
        Pictures::Shipped => there.or_else(|_| Images::sample(100).load(&weights, &data)),
        _ => Ok(there.unwrap_or_default()),
    }
}

/// What it reads of images.
fn readings(weights: &Weights, images: &[Image]) -> Result<Vec<usize>> {
    let mut network = Network::new(weights)?;
    let mut logits = vec![0.0; network.classes()];
    let read = |image: &Image| {
        network.logits(&image.pixels, &mut logits);
        argmax(&logits)
    };
    Ok(images.iter().map(read).collect())
}
