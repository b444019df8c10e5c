//! The command `universal`: one change that fools a network on many images, and what it does to images on which it was not made.

use std::path::PathBuf;

use anyhow::{Result, ensure};
use clap::Args;

use super::Data;
use super::numbers::{counts, number};
use crate::attack::Norm;
use crate::attack::universal::{self, Universal as Search};
use crate::classifier::{Attacker, EOT, Inference, Subject};
use crate::datasets::{Dataset, Image};
use crate::native::guards;
use crate::native::images::{Images, find_weights, read_weights};
use crate::native::picture;

#[derive(Args)]
pub struct Universal {
    /// The weights file
    #[arg(long, default_value = "models/mnist-cnn.safetensors")]
    model: PathBuf,
    /// The defence that the network stands behind, several with + between
    #[arg(long, default_value = "none")]
    defence: String,
    /// The norm of the change: l2 or linf
    #[arg(long, default_value = "l2")]
    norm: String,
    /// How large the change may be; the data set's own budget when not given
    #[arg(long, value_parser = number)]
    epsilon: Option<f64>,
    /// How often all images are gone over
    #[arg(long, default_value = "120", value_parser = counts(1, 100_000))]
    passes: usize,
    /// The images that it is made on: test:A..B or sample:A..B
    #[arg(long, default_value = "sample:0..100")]
    images: Images,
    /// Images that it has never seen, on which it is tried
    #[arg(long, default_value = "test:1000..2000")]
    unseen: Images,
    /// Writes the change, magnified, as a PNG
    #[arg(long)]
    save: Option<PathBuf>,
    #[command(flatten)]
    data: Data,
}

/// Makes it and tells what it does.
pub fn run(command: &Universal) -> Result<()> {
    let weights = read_weights(&find_weights(&command.model)?)?;
    let spec = &weights.spec;
    let norm: Norm = command.norm.parse()?;
    let usual = f64::from(Dataset::by_name(&spec.dataset)?.budgets(norm).initial);
    let epsilon = command.epsilon.unwrap_or(usual) as f32;
    let mut subject = Subject::new(&weights, Inference::Mean, 1, EOT)?.behind(
        spec,
        &command.defence,
        Attacker::Adaptive,
        &mut guards::finder(&weights),
    )?;
    let data = command.data.dir()?;
    let (made_on, unseen) = (command.images.load(&weights, &data)?, command.unseen.load(&weights, &data)?);
    ensure!(!made_on.is_empty() && !unseen.is_empty(), "there are no images");
    let labels: Vec<usize> = made_on.iter().map(|image| image.label).collect();
    let mut search = Search::new(norm, epsilon, command.passes, &flat(&made_on), &labels)?;
    while !search.pass(&mut *subject.seen)? {}
    let read = |subject: &mut Subject, images: &[Image], change: &[f32]| {
        let seen = &mut *subject.seen;
        let model = subject.deployed.as_deref_mut().map_or(seen, |deployed| deployed);
        let readings = universal::readings(model, &flat(images), change);
        readings.iter().zip(images).filter(|(read, image)| universal::misread(**read, image.label)).count()
    };
    let nothing = vec![0.0; spec.pixels()];
    println!("{} of at most {epsilon} on {}, {} passes", norm.symbol(), spec.name, command.passes);
    for (what, images) in [("made on", &made_on), ("never seen", &unseen)] {
        let (before, after) =
            (read(&mut subject, images, &nothing), read(&mut subject, images, search.change()));
        println!("{what}: {after} of {} images fooled ({before} misread without it)", images.len());
    }
    if let Some(path) = &command.save {
        picture::save_perturbation(path, spec.image, &nothing, search.change())?;
    }
    Ok(())
}

/// Image after image.
fn flat(images: &[Image]) -> Vec<f32> {
    images.iter().flat_map(|image| image.pixels.iter().copied()).collect()
}
