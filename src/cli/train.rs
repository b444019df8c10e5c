//! The command `train`.

use std::path::PathBuf;

#[cfg(feature = "train")]
use anyhow::ensure;
use anyhow::{Result, bail};
use clap::builder::PossibleValuesParser;
use clap::{Args, ValueEnum};

use super::Data;
use super::numbers::{counts, share, weight};
use crate::datasets::PairLoss;
use crate::metrics::norms::Norm;
use crate::native::lfw;

#[derive(Args)]
pub struct Train {
    /// Which network: DATASET-ARCHITECTURE, e.g. mnist-cnn
    network: String,
    /// Passes over the training images; the network's own recipe when not given, as for the next two
    #[arg(long, value_parser = counts(1, 100_000))]
    epochs: Option<usize>,
    /// Images a step
    #[arg(long, value_parser = counts(1, 65_536))]
    batch: Option<usize>,
    /// Adam's learning rate at the start
    #[arg(long, value_parser = weight, allow_negative_numbers = true)]
    rate: Option<f64>,
    /// Share of the inputs of a classifier's first dense layer that is dropped at each step
    #[arg(long, value_parser = share, allow_negative_numbers = true)]
    dropout: Option<f32>,
    /// Of the first weights, of the order of the images and of a VAE's draws
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// Numbers in a VAE's latent vector; 20 when not given
    #[arg(long, value_parser = counts(1, 4_096))]
    latent: Option<usize>,
    /// Weight of the KL in a VAE's loss
    #[arg(long, default_value_t = 1.0, value_parser = weight, allow_negative_numbers = true)]
    beta: f64,
    /// Weight of the label's cross-entropy in a VAE's loss; the recipe's when not given (50 for digits)
    #[arg(long, value_parser = weight, allow_negative_numbers = true)]
    label_weight: Option<f64>,
    /// What a siamese network descends; the network's own recipe when not given: contrastive, the loss of pairs (Hadsell, Chopra,
    /// LeCun 2006), or prototypes, the cross-entropy of the distances from prototypes that are learnt with the rest
    #[arg(long, value_parser = PossibleValuesParser::new(PairLoss::ALL.map(PairLoss::name)))]
    pair_loss: Option<String>,
    /// Trains on adversarial images of this norm: linf, l1 or l2; the recipe's when not given
    #[arg(long, value_parser = PossibleValuesParser::new(Norm::ALL.map(Norm::name)))]
    norm: Option<String>,
    /// Trains on adversarial images within this radius; the recipe's when not given, of another norm the data set's
    #[arg(long, value_parser = weight, allow_negative_numbers = true)]
    epsilon: Option<f64>,
    /// Steps that make an adversarial image; one is the fast form (Wong, Rice, Kolter 2020)
    #[arg(long, value_parser = counts(1, 1_000))]
    inner_steps: Option<usize>,
    /// What the logits are divided by while a network is distilled
    #[arg(long, value_parser = weight, allow_negative_numbers = true)]
    temperature: Option<f64>,
    /// Faces: images that a person must have to be among the labels
    #[arg(long, default_value_t = lfw::MIN_IMAGES, value_parser = counts(1, 10_000))]
    min_images: usize,
    /// Goes on after the last whole epoch of a training that was interrupted
    #[arg(long)]
    resume: bool,
    /// Where to compute
    #[arg(long, default_value = "cpu")]
    device: Device,
    /// Trains nothing: tells how far loss and gradients of a first step, computed by the SIMD core and on the device, are from candle's on
    /// the CPU
    #[arg(long)]
    compare: bool,
    /// Where the weights go; models/NETWORK.safetensors when not given
    #[arg(long)]
    out: Option<PathBuf>,
    #[command(flatten)]
    data: Data,
}

#[derive(Clone, Copy, PartialEq, ValueEnum)]
enum Device {
    Cpu,
    /// An NVIDIA GPU (needs a build with --features cuda)
    Cuda,
}

#[cfg(not(feature = "train"))]
pub fn run(t: Train) -> Result<()> {
    let spec = crate::zoo::by_name(&t.network)?;
    let feature = if t.device == Device::Cuda { "cuda" } else { "train" };
    bail!(
        "this build cannot train {} (candle takes minutes to compile, so it is left out by default). Type:\n  {}",
        spec.name,
        super::typed(Some(feature), &[])
    )
}

#[cfg(feature = "train")]
pub fn run(t: Train) -> Result<()> {
    use std::sync::Arc;

    use candle_core::Device as Candle;

    use crate::datasets::{Adversarial, Dataset, Source};
    use crate::native::fetch::{self, Split};
    use crate::native::labelled::Labelled;
    use crate::{train, zoo};

    let mut spec = zoo::by_name(&t.network)?;
    if let Some(latent) = t.latent {
        spec = spec.with_latent(latent)?;
    }
    let dataset = Dataset::by_name(&spec.dataset)?;
    let photographs = matches!(dataset.source, Source::Photographs);
    let mut trained = None;
    let read: [Labelled; 2] = if photographs {
        let manifest = lfw::manifest(&t.data.dir()?, t.min_images)?;
        spec = spec.with_labels(&manifest.labels())?;
        let of = |manifest: &_, split| lfw::load(&t.data.dir()?, manifest, split, None);
        let mut images = of(&manifest, Split::Train)?;
        if spec.embedding().is_some() && t.min_images > lfw::OTHERS {
            let others = lfw::others(&t.data.dir()?, &manifest)?;
            trained = Some(spec.clone().with_labels(&[spec.labels.clone(), others.known.labels()].concat())?);
            images = of(&others.known, Split::Train)?.before(images, manifest.people.len())?;
        }
        [images, of(&manifest, Split::Test)?.centred(spec.image)]
    } else {
        let of = |split| fetch::load(dataset, &t.data.dir()?, split);
        [of(Split::Train)?, of(Split::Test)?]
    };
    let Some(mut recipe) = zoo::recipe(&spec.name) else { bail!("there is no recipe for '{}'", spec.name) };
    recipe.epochs = t.epochs.unwrap_or(recipe.epochs);
    recipe.batch = t.batch.unwrap_or(recipe.batch);
    recipe.dropout = t.dropout.unwrap_or(recipe.dropout);
    recipe.rate = t.rate.unwrap_or(recipe.rate);
    recipe.label_weight = t.label_weight.unwrap_or(recipe.label_weight);
    let device = match t.device {
        Device::Cpu => Candle::Cpu,
        Device::Cuda => train::device::cuda(recipe.batch)?,
    };
    let feature = if t.device == Device::Cuda { "cuda" } else { "train" };
    if let Some(pair_loss) = &t.pair_loss {
        recipe.pair_loss = pair_loss.parse()?;
    }
    if t.norm.is_some() || t.epsilon.is_some() || t.inner_steps.is_some() {
        let Some(attack) = &mut recipe.adversarial else {
            bail!(
                "'{}' is not trained on adversarial images; {} is",
                spec.name,
                defending(&spec.name, |r| r.adversarial.is_some())
            )
        };
        if let Some(norm) = &t.norm {
            let norm: Norm = norm.parse()?;
            if norm != attack.norm {
                *attack = Adversarial { norm, epsilon: dataset.budgets(norm).initial, ..*attack };
            }
        }
        attack.epsilon = t.epsilon.map_or(attack.epsilon, |epsilon| epsilon as f32);
        attack.steps = t.inner_steps.unwrap_or(attack.steps);
        let most = attack.norm.most(spec.image.iter().product());
        ensure!(
            attack.epsilon > 0.0 && attack.epsilon <= most,
            "--epsilon must lie above 0 and be at most {most}"
        );
    }
    if let Some(temperature) = t.temperature {
        ensure!(
            recipe.temperature.is_some(),
            "'{}' is not distilled; {} is",
            spec.name,
            defending(&spec.name, |r| r.temperature.is_some())
        );
        ensure!((1.0..=1e4).contains(&temperature), "--temperature must be 1 to 10000");
        recipe.temperature = Some(temperature);
    }
    let spec = Arc::new(spec);
    let options = train::Options {
        trained: trained.map_or_else(|| Arc::clone(&spec), Arc::new),
        recipe,
        seed: t.seed,
        beta: t.beta,
        resume: t.resume,
        min_images: photographs.then_some(t.min_images),
        device,
        out: t.out.unwrap_or_else(|| format!("models/{}.safetensors", spec.name).into()),
        // A resumed training ends with the weights of an uninterrupted one: that is the command to write down.
        command: super::typed(Some(feature), &["--resume"]),
        teacher: None,
        spec,
    };
    if t.compare {
        let found = train::compare::compare(&options, &read[0])
            .map_err(|error| train::device::in_words(error, options.recipe.batch))?;
        for apart in found {
            println!(
                "{}: the loss differs by {:.1e}, gradients by at most {:.1e} ({})",
                apart.engine, apart.loss, apart.gradient, apart.variable
            );
        }
        return Ok(());
    }
    train::train(&options, &read[0], &read[1])
}

/// The networks with such a recipe, in words: what someone may have meant who asked it of another.
#[cfg(feature = "train")]
fn defending(name: &str, with: fn(&crate::datasets::Recipe) -> bool) -> String {
    let all = crate::zoo::all();
    let found = all.iter().filter(|spec| crate::zoo::recipe(&spec.name).as_ref().is_some_and(with));
    let own: Vec<&str> =
        found.filter(|spec| spec.defends.as_deref() == Some(name)).map(|spec| &spec.name[..]).collect();
    if own.is_empty() { "another network".into() } else { own.join(", ") }
}
