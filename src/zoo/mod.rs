//! The networks: an architecture for images of a shape each, which every data set of such images has as `DATASET-NAME`. A new
//! one is a file here and a line in [`ARCHITECTURES`].

mod colour154;
#[cfg(feature = "cli")]
mod densities;
mod grey28;

use crate::datasets::{self, Dataset, Recipe};
use crate::error::{Error, Result};
use crate::network::spec::Vae;
use crate::network::{Kind, Layer, Shape, Spec, Weights, Window};

/// Every architecture, in the order in which they are offered.
static ARCHITECTURES: &[&Architecture] = &[
    &grey28::cnn::CNN,
    &grey28::dense::DENSE,
    &grey28::conv_encoder::CONV_ENCODER,
    &grey28::vae::VAE,
    &grey28::conv_vae::CONV_VAE,
    &grey28::siamese::SIAMESE,
    &grey28::trained::CNN_ADVERSARIAL,
    &grey28::trained::CNN_DISTILLED,
    &grey28::trained::CONV_VAE_ADVERSARIAL,
    &colour154::cnn::CNN,
    &colour154::dense::DENSE,
    &colour154::conv_encoder::CONV_ENCODER,
    &colour154::vae::VAE,
    &colour154::conv_vae::CONV_VAE,
    &colour154::siamese::SIAMESE,
    &colour154::trained::CNN_ADVERSARIAL,
    &colour154::trained::CNN_DISTILLED,
];

/// What reads images that are there at several densities: one architecture, scaled.
#[cfg(feature = "cli")]
static AT_DENSITIES: &[&Architecture] = densities::CNN;
#[cfg(not(feature = "cli"))]
static AT_DENSITIES: &[&Architecture] = &[];

/// A network for any data set of images of one shape.
#[derive(Clone, Copy)]
pub struct Architecture {
    /// Its name after that of the data set, and the family that it belongs to whatever the images.
    name: &'static str,
    title: &'static str,
    image: Shape,
    /// The name of the VAE whose layers it has, as its control.
    control_of: Option<&'static str>,
    /// The name of the network of the same layers that it defends, trained to withstand attacks.
    defends: Option<&'static str>,
    /// The layers, from the image to the logits.
    layers: &'static [Entry],
    vae: Option<VaeParts>,
    /// What it changes in a data set's recipe.
    recipe: fn(&mut Recipe),
    /// The data sets of which trained weights lie in `models/`.
    shipped: &'static [&'static str],
}

/// A layer: its name (empty where it has no tensors), and what it computes.
type Entry = (&'static str, Kind);

const RELU: Entry = ("", Kind::RELU);
const POOL: Entry = ("", Kind::MaxPool(Window::TWO));
/// Stands for as many outputs as there are labels.
const LABELS: usize = 0;

/// What an architecture has besides when it is a VAE.
#[derive(Clone, Copy)]
struct VaeParts {
    latent: usize,
    /// How many of the layers come before the one of the mean.
    encoder: usize,
    /// The name of the layer of the logarithm of the variance.
    log_variance: &'static str,
    decoder: &'static [Entry],
}

/// A table as layers, for so many labels.
fn layers(entries: &[Entry], labels: usize) -> Vec<Layer> {
    let layer = |&(name, kind): &Entry| {
        let kind = match kind {
            Kind::Dense(LABELS) => Kind::Dense(labels),
            Kind::Prototypes(LABELS) => Kind::Prototypes(labels),
            kind => kind,
        };
        Layer::new(name, kind)
    };
    entries.iter().map(layer).collect()
}

impl Architecture {
    fn spec(&self, dataset: &Dataset) -> Spec {
        let name = |own: &str| format!("{}-{own}", dataset.name);
        Spec {
            name: name(self.name),
            title: self.title.into(),
            family: self.name.into(),
            control_of: self.control_of.map(name),
            defends: self.defends.map(name),
            dataset: dataset.name.into(),
            image: dataset.image,
            labels: dataset.labels.iter().map(|&label| label.into()).collect(),
            layers: layers(self.layers, dataset.labels.len()),
            vae: self.vae.as_ref().map(|vae| Vae {
                latent: vae.latent,
                encoder: vae.encoder,
                log_variance: Layer::dense(vae.log_variance, vae.latent),
                decoder: layers(vae.decoder, dataset.labels.len()),
            }),
        }
    }
}

/// Every architecture on every data set whose images it reads.
fn pairs() -> impl Iterator<Item = (&'static Dataset, &'static Architecture)> {
    let of = |dataset: &'static Dataset| {
        let list = if dataset.density_of.is_none() { ARCHITECTURES } else { AT_DENSITIES };
        list.iter().filter(|a| a.image == dataset.image).map(move |a| (dataset, *a))
    };
    datasets::ALL.iter().copied().flat_map(of)
}

/// Every network there is.
pub fn all() -> Vec<Spec> {
    pairs().map(|(dataset, architecture)| architecture.spec(dataset)).collect()
}

/// The networks whose trained weights lie in `models/`.
pub fn shipped() -> Vec<Spec> {
    let ships =
        |(dataset, architecture): &(&Dataset, &Architecture)| architecture.shipped.contains(&dataset.name);
    pairs().filter(ships).map(|(dataset, architecture)| architecture.spec(dataset)).collect()
}

/// The network called `name`.
///
/// # Errors
/// [`Error::Unknown`], with the names there are.
pub fn by_name(name: &str) -> Result<Spec> {
    let all = all();
    let known = || Error::unknown("network", name, all.iter().map(|spec| spec.name.as_str()));
    all.iter().find(|spec| spec.name == name).cloned().ok_or_else(known)
}

/// Reads a weights file.
///
/// # Errors
/// As [`Weights::from_bytes`].
pub fn read(bytes: &[u8]) -> Result<Weights> {
    Weights::from_bytes(bytes, by_name)
}

/// How `spec` is trained unless someone says otherwise; `None` for a network that is not one of these.
pub fn recipe(name: &str) -> Option<Recipe> {
    let named = |(dataset, architecture): &(&Dataset, &Architecture)| {
        name.strip_prefix(dataset.name).and_then(|rest| rest.strip_prefix('-')) == Some(architecture.name)
    };
    pairs().find(named).map(|(dataset, architecture)| {
        let mut recipe = dataset.recipe;
        (architecture.recipe)(&mut recipe);
        recipe
    })
}

#[cfg(test)]
mod tests;
