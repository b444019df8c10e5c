//! The command `import`: a network in ONNX as a weights file, tried on test images.

use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use clap::Args;
use clap::builder::PossibleValuesParser;

use super::{Data, dataset, dataset_names};
use crate::classifier::{Classifier, Network};
use crate::datasets::Image;
use crate::metrics::argmax;
use crate::native::files::write_atomically;
use crate::native::images::{Images, stem};
use crate::network::Weights;
use crate::network::weights::{Facts, Precision};
use crate::onnx::{self, FEEDINGS, Feeding};
use crate::zoo;

#[derive(Args)]
pub struct Import {
    /// The ONNX file
    file: PathBuf,
    /// Whose images it reads
    #[arg(long, default_value = "mnist", value_parser = dataset_names())]
    dataset: String,
    /// Where to: a weights file (.safetensors)
    #[arg(long)]
    out: PathBuf,
    /// What the network was trained on; the one with which it reads most images when not given
    #[arg(long, value_parser = PossibleValuesParser::new(FEEDINGS.map(|feeding| feeding.name)))]
    feed: Option<String>,
    /// Stores weights as 8-bit integers with a scale for each channel, as what ships is, and tells how many readings change
    #[arg(long)]
    int8: bool,
    /// Images on which it is tried
    #[arg(long, default_value = "test:0..1000")]
    images: Images,
    #[command(flatten)]
    data: Data,
}

/// Reads, tries and writes it.
pub fn run(command: &Import) -> Result<()> {
    let dataset = dataset(&command.dataset)?;
    let bytes =
        std::fs::read(&command.file).with_context(|| format!("cannot read {}", command.file.display()))?;
    let name = stem(&command.out)?;
    let made = |feeding: Feeding, precision: Precision| -> Result<(Vec<u8>, Weights)> {
        let (spec, tensors) = onnx::import(&bytes, &name, dataset, feeding)?;
        let facts = Facts::from([
            ("onnx".into(), command.file.file_name().unwrap_or_default().to_string_lossy().into()),
            ("fed".into(), feeding.name.into()),
        ]);
        let written = Weights::to_bytes(&spec, &tensors, precision, None, &facts)?;
        let weights = zoo::read(&written)?;
        Ok((written, weights))
    };
    let tried = match &command.feed {
        Some(name) => vec![Feeding::by_name(name)?],
        None => FEEDINGS.to_vec(),
    };
    let mut best: Option<(usize, Feeding, Vec<u8>, Weights)> = None;
    let mut images: Vec<Image> = Vec::new();
    for feeding in tried {
        let (written, weights) = made(feeding, Precision::F32)?;
        if images.is_empty() {
            images = command.images.load(&weights, &command.data.dir()?)?;
        }
        let right = readings(&weights, &images)?
            .iter()
            .zip(&images)
            .filter(|(read, image)| **read == image.label)
            .count();
        println!("{:<16} reads {right} of {} ({})", feeding.name, images.len(), feeding.title);
        if best.as_ref().is_none_or(|(most, ..)| right > *most) {
            best = Some((right, feeding, written, weights));
        }
    }
    let Some((right, feeding, written, weights)) = best else { bail!("nothing was tried") };
    println!(
        "{name}: {} layers, fed as {}: {right} of {} read rightly",
        weights.spec.layers.len(),
        feeding.name,
        images.len()
    );
    let written = if command.int8 {
        let (small, quantized) = made(feeding, Precision::Int8)?;
        let pairs = readings(&weights, &images)?.into_iter().zip(readings(&quantized, &images)?);
        let changed = pairs.filter(|(full, small)| full != small).count();
        println!("as int8 {changed} of {} readings change", images.len());
        small
    } else {
        written
    };
    write_atomically(&command.out, &written)?;
    println!("{}", command.out.display());
    Ok(())
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
