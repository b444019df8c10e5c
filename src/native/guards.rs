//! Guards from weights files: which one is meant, the thresholds that they refuse by, and how well a siamese network tells
//! pairs apart.

use std::path::Path;

use anyhow::{Result, bail, ensure};

use super::cores::on_all_cores;
use super::fetch::{self, Split};
use super::images::{find_weights, manifest, read_weights};
use super::labelled::Labelled;
use super::lfw;
use crate::classifier::Guard;
use crate::classifier::defence::can_guard;
use crate::classifier::defence::guard::{FACT, thresholds};
use crate::datasets::{Dataset, Source};
use crate::error::Error;
use crate::kernel::simd::Level;
use crate::metrics::verification::{Resample, Verification, verification};
use crate::network::{Net, Part, Weights};
use crate::zoo;

/// Test images of which all pairs are compared.
const PAIRED: usize = 2_000;

/// Finds the guard that a network makes: the network of `own` itself, or one in `models`.
pub fn finder(own: &Weights) -> impl FnMut(&str) -> crate::error::Result<Guard> {
    move |name: &str| {
        if name == own.spec.name {
            return Guard::new(own);
        }
        let read = find_weights(Path::new(name)).and_then(|path| read_weights(&path));
        Guard::new(&read.map_err(|error| Error::BadInput(format!("{error:#}")))?)
    }
}

/// The images of a split for the network of `weights`, as they are measured.
///
/// # Errors
/// As those of the data set's own.
pub fn images(weights: &Weights, data: &Path, split: Split) -> Result<Labelled> {
    let dataset = Dataset::by_name(&weights.spec.dataset)?;
    let images = match dataset.source {
        Source::Idx(_) => fetch::load(dataset, data, split)?,
        Source::Photographs => lfw::load(data, &manifest(weights, data)?, split, None)?,
        Source::Brought => bail!("there are no {} of which it could be one", dataset.nouns[1]),
    };
    Ok(images.centred(weights.spec.image))
}

/// The images that a training held out: the last of those to train with.
///
/// # Errors
/// As [`images`]; when there is no recipe for the network.
pub fn validation(weights: &Weights, data: &Path) -> Result<(Labelled, Vec<usize>)> {
    let images = images(weights, data, Split::Train)?;
    let Some(recipe) = zoo::recipe(&weights.spec.name) else {
        bail!("there is no recipe for '{}' that says which images it held out", weights.spec.name)
    };
    ensure!(images.len() > recipe.held_out, "there are too few images");
    let held_out = (images.len() - recipe.held_out..images.len()).collect();
    Ok((images, held_out))
}

/// The thresholds of a guard on clean images: a siamese network scores each under its true label.
///
/// # Errors
/// As [`Guard::new`].
pub fn calibrated(weights: &Weights, images: &Labelled, indices: &[usize]) -> Result<String> {
    let score = |guard: &mut Guard, &i: &usize| Ok(guard.score(&images.image(i), images.labels[i].into()));
    Ok(thresholds(on_all_cores("thresholds", indices, &Guard::new(weights)?, score)?))
}

/// How well a siamese network tells pairs of the first of these images apart.
///
/// # Errors
/// When it is no siamese network.
pub fn verified(weights: &Weights, images: &Labelled, resample: Resample) -> Result<Verification> {
    let net = Net::part(Level::detect(), &weights.spec, Part::Embedding, &weights.tensors)?;
    let indices: Vec<usize> = (0..images.len().min(PAIRED)).collect();
    let embed = |net: &mut Net, &i: &usize| Ok(net.forward(&images.image(i)).to_vec());
    let embeddings = on_all_cores("embeddings", &indices, &net, embed)?;
    Ok(verification(&embeddings, &images.labels[..indices.len()], resample))
}

/// The photographs of people whom a siamese network never saw.
///
/// # Errors
/// As [`lfw::others`].
pub fn strangers(weights: &Weights, data: &Path) -> Result<Labelled> {
    let others = lfw::others(data, &manifest(weights, data)?)?;
    Ok(lfw::load(data, &others.unseen, Split::Test, None)?.centred(weights.spec.image))
}

/// What a VAE's or a siamese network's training writes down of it as a guard and a verifier, as facts.
///
/// # Errors
/// As those above.
pub fn facts(
    weights: &Weights,
    (training, held_out): (&Labelled, &[usize]),
    test: &Labelled,
) -> Result<Vec<(&'static str, String)>> {
    if !can_guard(&weights.spec) {
        return Ok(Vec::new());
    }
    let mut facts = vec![(FACT, calibrated(weights, training, held_out)?)];
    if weights.spec.embedding().is_some() {
        let of = verified(weights, test, Resample::Images)?;
        facts.push(("equal_error_int8", format!("{:.4}", of.equal_error.value)));
        facts.push(("verification_accuracy_int8", format!("{:.4}", of.accuracy.value)));
    }
    Ok(facts)
}
