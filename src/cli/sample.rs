//! The command `sample`: packs test images for the page, the first ten of each label or, for the lab, the first of all.

use std::path::{Path, PathBuf};

use anyhow::{Result, bail, ensure};
use clap::Args;

use super::numbers::counts;
use super::{Data, dataset, dataset_names};
use crate::datasets::{Dataset, Samples, Source};
use crate::native::fetch::{self, Split};
use crate::native::files::write_atomically;
use crate::native::labelled::Labelled;

#[derive(Args)]
pub struct Sample {
    /// Of which data set
    #[arg(default_value = "mnist", value_parser = dataset_names())]
    dataset: String,
    /// The first so many of the test set, in order, as the lab has them; ten of each label when not given
    #[arg(long, value_parser = counts(1, 1_000_000))]
    first: Option<usize>,
    #[command(flatten)]
    data: Data,
    /// Where to; models/DATASET-sample.safetensors when not given
    #[arg(long)]
    out: Option<PathBuf>,
}

pub fn run(command: &Sample) -> Result<()> {
    let dataset = dataset(&command.dataset)?;
    let Source::Idx(_) = dataset.source else {
        bail!("{} grants no right to pass its images on: none are packed", dataset.title)
    };
    let out =
        command.out.clone().unwrap_or_else(|| format!("models/{}-sample.safetensors", dataset.name).into());
    let images = fetch::load(dataset, &command.data.dir()?, Split::Test)?;
    write_sample(dataset, &images, command.first, &out)
}

/// Images of each label.
const EACH: usize = 10;

/// Writes the first `first` images in their order; without a number a sample in which the labels take turns.
///
/// # Errors
/// When there are too few images, or the file cannot be written.
fn write_sample(dataset: &Dataset, digits: &Labelled, first: Option<usize>, path: &Path) -> Result<()> {
    let order = match first {
        Some(count) => {
            let all = digits.labels.len();
            ensure!((1..=all).contains(&count), "the first {count} images were asked for; there are {all}");
            (0..count).collect()
        }
        None => first_of_each_label(dataset, digits)?,
    };
    let samples = Samples {
        pixels: order.iter().flat_map(|&i| digits.bytes(i).to_vec()).collect(),
        labels: order.iter().map(|&i| digits.labels[i]).collect(),
        indices: order.iter().map(|&i| i as u32).collect(),
    };
    let bytes = samples.to_bytes(dataset)?;
    // What cannot be read again is not written.
    Samples::from_bytes(dataset, &bytes)?;
    write_atomically(path, &bytes)?;
    println!("wrote {} ({} images, {} bytes)", path.display(), samples.len(), bytes.len());
    Ok(())
}

/// The places of the first images of each label, the labels taking turns.
fn first_of_each_label(dataset: &Dataset, digits: &Labelled) -> Result<Vec<usize>> {
    let classes = dataset.labels.len();
    let mut of_label: Vec<Vec<usize>> = vec![Vec::new(); classes];
    for (i, &label) in digits.labels.iter().enumerate() {
        of_label[usize::from(label)].push(i);
    }
    ensure!(of_label.iter().all(|l| l.len() >= EACH), "there are not {EACH} images of each label");
    Ok((0..EACH * classes).map(|i| of_label[i % classes][i / classes]).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::datasets::MNIST;

    #[test]
    fn the_first_digits_keep_their_order_and_the_sample_takes_turns() {
        let labels: Vec<u8> = (0..200).map(|i| (i * 7 / 3 % 10) as u8).collect();
        let pixels = (0..200u8).flat_map(|i| [i; 28 * 28]).collect();
        let digits = Labelled { shape: MNIST.image, pixels, labels: labels.clone(), origins: Vec::new() };
        let path = std::env::temp_dir().join(format!("misread-sample-{}", std::process::id()));
        let written = |first| {
            write_sample(&MNIST, &digits, first, &path)?;
            anyhow::Ok(Samples::from_bytes(&MNIST, &std::fs::read(&path)?)?)
        };
        let first = written(Some(30)).unwrap();
        assert_eq!((first.labels, first.indices), (labels[..30].to_vec(), (0..30).collect()));
        assert!(
            first.pixels.chunks(28 * 28).enumerate().all(|(i, image)| image.iter().all(|&p| p == i as u8))
        );
        let sample = written(None).unwrap();
        assert!(sample.labels.iter().enumerate().all(|(i, &label)| usize::from(label) == i % 10));
        assert!(written(Some(201)).is_err() && written(Some(0)).is_err());
        std::fs::remove_file(path).unwrap();
    }
}
