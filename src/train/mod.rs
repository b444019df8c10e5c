//! Training with candle: the graph of an architecture, Adam, checkpoints, and the export of the weights.
//!
//! A classifier descends the cross-entropy. A VAE descends the negative evidence lower bound and, with a weight, the
//! cross-entropy of its head on the drawn latent vector, all together: a head trained after the rest reads a latent
//! space that nothing told about labels, and reads it worse (96 % instead of 98 %).
//!
//! A siamese network descends the contrastive loss of the pairs in a batch, or the
//! cross-entropy of its distances from prototypes.
//!
//! What defends by how it is trained has a recipe that says so: [`adversarial`] training, or distillation, by which a teacher
//! is trained first and its softened answers take the place of labels.
//!
//! The last training images are held out (5,000 digits, 48 faces); the weights kept are those of the epoch that read
//! these best (a VAE's: that had the lowest loss on them), for faces those of the last epoch. The test images are looked
//! at once, at the end.

pub mod adam;
mod adversarial;
mod batch;
mod checkpoint;
pub mod compare;
pub mod device;
mod distillation;
pub mod graph;
mod measure;
mod ops;
mod report;
mod siamese;
mod step;

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Instant;

use anyhow::{Context, Result, ensure};
use candle_core::{Device, Tensor};

use crate::classifier::Vae;
use crate::datasets::{PairLoss, Recipe};
use crate::kernel::simd::Level;
use crate::native::files::write_atomically;
use crate::native::guards;
use crate::native::images::full_precision;
use crate::native::labelled::Labelled;
use crate::native::progress;
use crate::network::Spec;
use crate::network::latent::LatentMap;
use crate::network::weights::{Facts, Precision, Weights};
use crate::zoo;
use adam::Adam;
use checkpoint::State;
use graph::{Engine, Graph};
use measure::{Measured, measure};
use step::{Descent, Tally};

/// Test images on the map of a latent space.
const MAPPED: usize = 1_000;

/// How to train.
#[derive(Clone, Debug)]
pub struct Options {
    /// Which network.
    pub spec: Arc<Spec>,
    /// The same as it is trained: a siamese network may learn from people whom it will not name. Its labels begin with those of
    /// `spec`.
    pub trained: Arc<Spec>,
    /// How.
    pub recipe: Recipe,
    /// Of the initialisation, of the order of the images and of the draws.
    pub seed: u64,
    /// Weight of the KL in a VAE's loss (Higgins et al. 2017).
    pub beta: f64,
    /// How many images a person must have, where labels are people.
    pub min_images: Option<usize>,
    /// Where candle computes.
    pub device: Device,
    /// Where the weights go.
    pub out: PathBuf,
    /// Whether to go on from the checkpoint beside `out`.
    pub resume: bool,
    /// The command to write into the facts.
    pub command: String,
    /// Whose softened answers take the place of labels, where there is one.
    pub teacher: Option<Arc<Weights>>,
}

/// What Ctrl-C sets.
static STOP: OnceLock<Arc<AtomicBool>> = OnceLock::new();

/// Watches for Ctrl-C, once.
fn stop_flag() -> Result<Arc<AtomicBool>> {
    if let Some(flag) = STOP.get() {
        return Ok(Arc::clone(flag));
    }
    let stop = Arc::new(AtomicBool::new(false));
    let flag = Arc::clone(&stop);
    ctrlc::set_handler(move || flag.store(true, Ordering::Relaxed)).context("cannot watch for Ctrl-C")?;
    Ok(Arc::clone(STOP.get_or_init(|| stop)))
}

/// What is remembered of an epoch.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Epoch {
    /// Mean loss of its steps.
    pub loss: f64,
    /// On the held-out images, after it.
    pub held_out: Measured,
}

/// Trains, prints the accuracies and writes the weights with a figure of the curves beside them. After each epoch the
/// state goes to a checkpoint. Ctrl-C ends the training early and keeps the best weights so far, and the checkpoint. A
/// distillation trains its teacher first.
///
/// # Errors
/// When candle fails, the loss is no longer finite, a file cannot be written, or there is no fitting checkpoint to
/// resume from.
pub fn train(options: &Options, train: &Labelled, test: &Labelled) -> Result<()> {
    let trained = match options.recipe.temperature {
        Some(_) if options.teacher.is_none() => distillation::train(options, train, test),
        _ => train_one(options, train, test),
    };
    trained.map_err(|error| device::in_words(error, options.recipe.batch))
}

/// [`train`] of one network.
fn train_one(options: &Options, train: &Labelled, test: &Labelled) -> Result<()> {
    let Options { ref spec, recipe: Recipe { epochs, batch, held_out, .. }, ref device, .. } = *options;
    ensure!(train.len() >= held_out + batch && epochs > 0 && batch > 0, "there is nothing to train on");
    check_writable(&options.out)?;
    let stop = stop_flag()?;
    let attack = options.recipe.adversarial;
    let engine = if device.is_cpu() { Engine::Simd } else { Engine::Device };
    let mut state = if options.resume { checkpoint::load(options)? } else { checkpoint::fresh(options)? };
    let trained = &options.trained;
    let graph = match &state.now {
        Some(tensors) => Graph::new(trained, tensors, device, engine)?,
        None => {
            let mut rng = fastrand::Rng::with_seed(options.seed);
            Graph::random(
                trained,
                &mut rng,
                device,
                engine,
                (options.recipe.decoder_gain, options.recipe.pair_loss.gain()),
            )?
        }
    };
    let mut adam = Adam::new(graph.variables.clone(), &trained.parameters())?;
    state.restore(&mut adam, device)?;
    let (training, held_out): (Vec<usize>, Vec<usize>) =
        (0..train.len()).partition(|&i| i < train.len() - held_out);
    let centred = train.centred(spec.image);
    for epoch in state.epochs.len()..epochs {
        let start = Instant::now();
        let Some(loss) = run_epoch(options, epoch, (&graph, &mut adam), train, &stop)? else { break };
        let seconds = start.elapsed().as_secs_f64();
        let tensors = graph.tensors()?;
        let shipped =
            siamese::finished((spec, options.recipe.pair_loss), &tensors, &centred, &training, &held_out)?;
        let epoch = Epoch { loss, held_out: measure(spec, &shipped, &centred, &held_out, attack)? };
        let best = state.epochs.iter().map(|epoch| epoch.held_out.robust).fold(0.0, f64::max);
        if let Some(attack) = attack.filter(|_| adversarial::fallen(epoch.held_out.robust, best)) {
            let grown = attack.grown((state.epochs.len() + 1) as f64 / epochs as f64);
            let share = |attack| adversarial::withstood(spec, &shipped, &centred, &held_out, attack);
            let (trained, many) = (share(grown)?, share(grown.watching())?);
            if adversarial::overfitted(epoch.held_out.accuracy, trained, many) {
                println!(
                    "catastrophic overfitting struck in epoch {}: of the held-out images {:.1} % withstand what was trained on and {:.1} % \
                     an attack of {} steps. The training ends here and keeps what was learnt before; more --inner-steps prevent it",
                    state.epochs.len() + 1,
                    100.0 * trained,
                    100.0 * many,
                    grown.watching().steps,
                );
                break;
            }
        }
        state.add(options, epoch, tensors, &adam)?;
        checkpoint::save(options, &state)?;
        println!("epoch {:>2}: {seconds:.1} s, held-out {}", state.epochs.len(), epoch.held_out);
    }
    if stop.load(Ordering::Relaxed) {
        println!("stopped; keeping the best weights so far. --resume goes on after the last whole epoch");
    }
    if let Some((_, tensors)) = &mut state.best {
        *tensors =
            siamese::finished((spec, options.recipe.pair_loss), tensors, &centred, &training, &held_out)?;
    }
    finish(options, &state, (&centred, &held_out), test)?;
    if !stop.load(Ordering::Relaxed) {
        checkpoint::remove(&options.out)?;
    }
    Ok(())
}

/// One pass over the training images: the mean loss, or `None` when it was stopped.
fn run_epoch(
    options: &Options,
    epoch: usize,
    (graph, adam): (&Graph, &mut Adam),
    train: &Labelled,
    stop: &AtomicBool,
) -> Result<Option<f64>> {
    let Options { ref spec, recipe, ref device, .. } = *options;
    let Recipe { epochs, batch, .. } = recipe;
    // Of seed and epoch alone, so that a resumed training takes the same steps.
    let mut rng =
        fastrand::Rng::with_seed(options.seed ^ (epoch as u64 + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15));
    let count = train.len() - recipe.held_out;
    let steps = count / batch;
    let pairs = spec.embedding().is_some();
    let order = if pairs && recipe.balanced && recipe.pair_loss == PairLoss::Contrastive {
        siamese::balanced(&train.labels[..count], steps, batch, &mut rng)
    } else {
        let mut order: Vec<usize> = (0..count).collect();
        rng.shuffle(&mut order);
        order
    };
    let bar = progress::bar(steps as u64, &format!("epoch {}/{epochs}", epoch + 1));
    let engine = graph.engine();
    let descent = Descent::new(options, train, engine)?;
    let mut tally = Tally::new(device, engine);
    let mut stopped = false;
    let share = |step: usize| (epoch * steps + step) as f64 / (epochs * steps) as f64;
    step::each_step(options, train, &order, rng, share, |step, drawn| {
        stopped = stop.load(Ordering::Relaxed);
        if stopped {
            return Ok(false);
        }
        let done = share(step);
        let (loss, hits) = descent.loss(graph, drawn, done)?;
        let rate = recipe.rate * 0.5 * (1.0 + (std::f64::consts::PI * done).cos());
        adam.step(&loss.backward()?, rate, recipe.decay)?;
        if tally.add(&loss, &hits).with_context(|| format!("epoch {}", epoch + 1))? {
            let seen = tally.steps as f64;
            let accuracy = 100.0 * tally.right / (seen * batch as f64);
            bar.set_message(format!("loss {:.4}  accuracy {accuracy:.2} %", tally.loss / seen));
        }
        bar.inc(1);
        Ok(true)
    })?;
    if stopped {
        return Ok(None);
    }
    tally.read().with_context(|| format!("epoch {}", epoch + 1))?;
    bar.finish();
    Ok(Some(tally.loss / steps as f64))
}

/// Fails now rather than after the training when the weights could not be written.
fn check_writable(out: &Path) -> Result<()> {
    let mut probe = out.as_os_str().to_owned();
    probe.push(".probe");
    write_atomically(Path::new(&probe), &[])?;
    std::fs::remove_file(&probe).with_context(|| format!("cannot remove {}", probe.display()))
}

/// Measures, quantizes, measures again and writes.
fn finish(
    options: &Options,
    state: &State,
    (images, held_out): (&Labelled, &[usize]),
    test: &Labelled,
) -> Result<()> {
    let spec = &options.spec;
    let (best, tensors) =
        state.best.as_ref().context("stopped before the first epoch ended: there are no weights to keep")?;
    let all: Vec<usize> = (0..test.len()).collect();
    let attack = options.recipe.adversarial;
    let in_f32 = measure(spec, tensors, test, &all, attack)?;
    let mut facts = Facts::new();
    let mut fact = |key: &str, value: String| facts.insert(key.to_owned(), value);
    fact("accuracy_f32", format!("{:.4}", in_f32.accuracy));
    fact("accuracy_held_out", format!("{:.4}", state.epochs[*best].held_out.accuracy));
    fact("epochs", state.epochs.len().to_string());
    fact("batch", options.recipe.batch.to_string());
    fact("rate", options.recipe.rate.to_string());
    if let Some(least) = options.min_images {
        fact("min_images", least.to_string());
    }
    fact("seed", options.seed.to_string());
    fact("command", options.command.clone());
    if spec.embedding().is_some() {
        fact("pair_loss", options.recipe.pair_loss.name().into());
        fact("trained_labels", options.trained.classes().to_string());
    }
    fact("device", if options.device.is_cuda() { "cuda" } else { "cpu" }.into());
    // Sums of other lengths round otherwise: the same seed gives the same weights where this is the same, too.
    fact("level", Level::detect().name().into());
    if spec.is_vae() {
        fact("beta", options.beta.to_string());
        fact("label_weight", options.recipe.label_weight.to_string());
        fact("elbo_f32", format!("{:.2}", in_f32.elbo()));
    }
    let quantized = zoo::read(&Weights::to_bytes(spec, tensors, Precision::Int8, None, &facts)?)?;
    let in_int8 = measure(spec, &quantized.tensors, test, &all, attack)?;
    facts.insert("accuracy_int8".into(), format!("{:.4}", in_int8.accuracy));
    facts.insert("balanced_accuracy_int8".into(), format!("{:.4}", in_int8.balanced));
    facts.insert("test_images".into(), test.len().to_string());
    if let Some(attack) = attack {
        facts.insert("adversarial".into(), attack.to_string());
        facts.insert("withstood_int8".into(), format!("{:.4}", in_int8.robust));
        facts.insert("withstood_attack".into(), attack.watching().to_string());
    }
    if let Some(temperature) = options.recipe.temperature {
        facts.insert("temperature".into(), temperature.to_string());
    }
    if spec.is_vae() {
        facts.insert("elbo_int8".into(), format!("{:.2}", in_int8.elbo()));
        facts.insert("kl_int8".into(), format!("{:.2}", in_int8.kl));
    }
    let guarding = guards::facts(&quantized, (images, held_out), test)?;
    facts.extend(guarding.into_iter().map(|(key, value)| (key.to_owned(), value)));
    let map = latent_map(&quantized, test)?;
    println!("test, in f32:  {in_f32}\ntest, in int8: {in_int8}");
    for (precision, path) in
        [(Precision::Int8, options.out.clone()), (Precision::F32, full_precision(&options.out))]
    {
        let bytes = Weights::to_bytes(spec, tensors, precision, map.as_ref(), &facts)?;
        write_atomically(&path, &bytes)?;
        println!("wrote {} ({} bytes)", path.display(), bytes.len());
    }
    report::write(options, state, &quantized, test)?;
    println!("\n{}:", spec.name);
    for (key, value) in &facts {
        println!("  {key:<18} {value}");
    }
    Ok(())
}

/// Where a VAE sees the first test images.
fn latent_map(weights: &Weights, test: &Labelled) -> Result<Option<LatentMap>> {
    let Some(shape) = &weights.spec.vae else { return Ok(None) };
    let mut vae = Vae::sampled(weights, 1, 0)?;
    let n = test.len().min(MAPPED);
    let means: Vec<f32> = (0..n).flat_map(|i| vae.encode(&test.image(i)).0.to_vec()).collect();
    Ok(Some(LatentMap::new(&means, &test.labels[..n], shape.latent, weights.spec.classes())?))
}

/// The weight of each label in the loss: the root of how rare it is, 1 on average over the images.
fn label_weights(train: &Labelled, classes: usize, device: &Device) -> candle_core::Result<Tensor> {
    let counts = train.counts(classes);
    let rare = |&n: &usize| (1.0 / n.max(1) as f32).sqrt();
    let mean = counts.iter().map(|n| *n as f32 * rare(n)).sum::<f32>() / train.len() as f32;
    Tensor::new(counts.iter().map(|n| rare(n) / mean).collect::<Vec<f32>>(), device)
}
