//! A step of a training: what it draws, which is made on a thread of its own a step ahead; and what it descends. A device other than the
//! CPU is never waited for in a step: what is drawn goes there, and nothing comes back until losses are read, many at once.

use std::sync::mpsc::sync_channel;

use anyhow::{Result, anyhow};
use candle_core::{DType, Device, Tensor};

use super::graph::{Engine, Graph, elbo_terms};
use super::{Options, adversarial, batch, distillation, siamese};
use crate::classifier::normal;
use crate::datasets::PairLoss;
use crate::native::labelled::Labelled;
use crate::network::spec::shapes;
use crate::network::{Kind, Part};

/// The part of a VAE's training in which the weight of the KL rises from 0 (Bowman et al. 2016).
const WARM_UP: f64 = 0.2;
/// Steps after which losses are read of a device that has to be waited for.
const READ_EVERY: usize = 25;

/// All that a step draws.
pub struct Drawn {
    /// Images, `[batch, rows, cols, channels]`.
    images: Tensor,
    /// `[batch]`.
    labels: Tensor,
    /// What the attack of a training on adversarial images begins with: a seed, and where a device makes the images the points themselves.
    attacked: Option<(u64, Option<Tensor>)>,
    /// What the inputs of the first dense layer are multiplied by, `[batch, inputs]` (Srivastava et al. 2014).
    kept: Option<Tensor>,
    /// A VAE's standard normal draws, `[batch, latent]`.
    noise: Option<Tensor>,
}

/// Draws what every step of `order` needs and hands it to `each`, one step ahead of it; `each` ends it with `false`.
///
/// # Errors
/// Those of `each`, and when candle fails.
pub fn each_step(
    options: &Options,
    train: &Labelled,
    order: &[usize],
    rng: fastrand::Rng,
    done: impl Fn(usize) -> f64 + Sync,
    mut each: impl FnMut(usize, Drawn) -> Result<bool>,
) -> Result<()> {
    std::thread::scope(|scope| {
        let (to, from) = sync_channel(1);
        let done = &done;
        scope.spawn(move || {
            let mut rng = rng;
            for (step, indices) in order.chunks_exact(options.recipe.batch).enumerate() {
                let drawn = draw(options, train, indices, &mut rng, done(step));
                let failed = drawn.is_err();
                // Whoever took the steps may have ended.
                if to.send((step, drawn)).is_err() || failed {
                    return;
                }
            }
        });
        for (step, drawn) in from {
            if !each(step, drawn?)? {
                break;
            }
        }
        Ok(())
    })
}

/// Draws what one step needs. The order of the draws is that of older versions: the same seed takes the same steps.
fn draw(
    options: &Options,
    train: &Labelled,
    indices: &[usize],
    rng: &mut fastrand::Rng,
    done: f64,
) -> Result<Drawn> {
    let Options { spec, trained, recipe, device, .. } = options;
    let [rows, cols, channels] = spec.image;
    let (pixels, labels) = batch::load(train, indices, (spec.image, recipe.shift), rng);
    let count = indices.len();
    let images = |pixels| Tensor::from_vec(pixels, (count, rows, cols, channels), device);
    let attacked = match recipe.adversarial {
        None => None,
        Some(attack) => {
            let seed = rng.u64(..);
            let attack = attack.grown(done);
            let starts = (!device.is_cpu() && adversarial::on_device(attack.norm))
                .then(|| images(adversarial::starts(&pixels, spec.pixels(), attack, seed)));
            Some((seed, starts.transpose()?))
        }
    };
    let kept = (recipe.dropout > 0.0 && !spec.is_vae()).then(|| {
        let inputs = first_dense(trained);
        Tensor::from_vec(kept(count * inputs, recipe.dropout, rng.u64(..)), (count, inputs), device)
    });
    let noise = spec.vae.as_ref().map(|vae| {
        let mut noise = vec![0.0; count * vae.latent];
        normal(rng, &mut noise);
        Tensor::from_vec(noise, (count, vae.latent), device)
    });
    Ok(Drawn {
        images: images(pixels)?,
        labels: Tensor::from_vec(labels, count, device)?,
        attacked,
        kept: kept.transpose()?,
        noise: noise.transpose()?,
    })
}

/// Inputs of the first dense layer of a classifier.
fn first_dense(spec: &crate::network::Spec) -> usize {
    let Some((input, layers)) = spec.part(Part::Classifier) else { return 0 };
    let before = layers.iter().position(|layer| matches!(layer.kind, Kind::Dense(_))).unwrap_or(0);
    shapes(input, layers).get(before).map_or(0, |shape| shape.iter().product())
}

/// 0 for a share of so many numbers, `1 / (1 - share)` for the others.
fn kept(count: usize, share: f32, seed: u64) -> Vec<f32> {
    let mut rng = fastrand::Rng::with_seed(seed);
    (0..count).map(|_| if rng.f32() < share { 0.0 } else { 1.0 / (1.0 - share) }).collect()
}

/// What a training descends.
pub struct Descent<'a> {
    options: &'a Options,
    /// The weight of each label, where rare ones weigh more.
    weights: Option<Tensor>,
    teacher: Option<distillation::Teacher>,
}

impl<'a> Descent<'a> {
    /// That of a training on these images.
    ///
    /// # Errors
    /// When candle fails, or the teacher's tensors are not its network's.
    pub fn new(options: &'a Options, train: &Labelled, engine: Engine) -> Result<Self> {
        let Options { trained, recipe, device, .. } = options;
        let weights = if recipe.balanced {
            Some(super::label_weights(train, trained.classes(), device)?)
        } else {
            None
        };
        let teacher = match &options.teacher {
            Some(weights) => Some(distillation::Teacher::new(weights, device, engine)?),
            None => None,
        };
        Ok(Self { options, weights, teacher })
    }

    /// The loss of a step, and how many of its images were read rightly: both as tensors of one number, where they were computed. A share
    /// `done` of the training is over.
    ///
    /// # Errors
    /// When candle fails.
    pub fn loss(&self, graph: &Graph, drawn: Drawn, done: f64) -> Result<(Tensor, Tensor)> {
        let Options { ref spec, recipe, .. } = *self.options;
        let Drawn { images: clean, labels, attacked, kept, noise } = drawn;
        let images = match (recipe.adversarial, attacked) {
            (Some(attack), Some((seed, starts))) => {
                let attack = attack.grown(done);
                match starts {
                    Some(starts) => adversarial::batch_on_device(graph, &clean, &starts, &labels, attack)?,
                    None => adversarial::batch((spec, graph), &clean, &labels, attack, seed)?,
                }
            }
            _ => clean.clone(),
        };
        let cross_entropy = |logits: &Tensor| match &self.weights {
            None => candle_nn::loss::cross_entropy(logits, &labels),
            Some(weights) => {
                let log =
                    candle_nn::ops::log_softmax(logits, 1)?.gather(&labels.unsqueeze(1)?, 1)?.squeeze(1)?;
                (log * weights.index_select(&labels, 0)?)?.mean(0)?.neg()
            }
        };
        let (loss, logits) = match (&spec.vae, noise) {
            (Some(_), Some(noise)) => {
                let outputs = graph.vae(&images, &noise)?;
                let (reconstruction, kl) = elbo_terms(&outputs, &clean.flatten_from(1)?)?;
                let labelling = cross_entropy(&outputs.logits)?;
                let beta = self.options.beta * (done / WARM_UP).min(1.0);
                let bound = (reconstruction + (kl * beta)?)?;
                ((bound + (labelling * recipe.label_weight)?)?, outputs.logits)
            }
            _ if spec.embedding().is_some() => {
                let (embeddings, logits) = graph.embeddings(&images, kept.as_ref())?;
                let loss = match recipe.pair_loss {
                    PairLoss::Contrastive => siamese::contrastive(&embeddings, &labels)?,
                    PairLoss::Prototypes => (cross_entropy(&logits)? + siamese::centre(&logits, &labels)?)?,
                };
                (loss, logits)
            }
            _ => {
                let logits = graph.training_logits(&images, kept.as_ref())?;
                let warm = (&logits / recipe.temperature.unwrap_or(1.0))?;
                let loss = match &self.teacher {
                    Some(teacher) => teacher.loss(&warm, &images, recipe.temperature)?,
                    None => cross_entropy(&warm)?,
                };
                (loss, logits)
            }
        };
        let hits = logits.argmax(1)?.eq(&labels)?.to_dtype(DType::F32)?.sum_all()?;
        Ok((loss, hits))
    }
}

/// Losses and readings of the steps of an epoch: those of a device are read many at once, since it is waited for then.
pub struct Tally {
    every: usize,
    pending: Vec<Tensor>,
    /// Their sums so far, and of how many steps.
    pub loss: f64,
    /// Images that were read rightly.
    pub right: f64,
    /// Steps that were read.
    pub steps: usize,
    /// How often a device was waited for.
    pub reads: usize,
}

impl Tally {
    /// None yet, of what is computed by `engine` on `device`.
    pub fn new(device: &Device, engine: Engine) -> Self {
        let every = if device.is_cpu() && engine != Engine::Device { 1 } else { READ_EVERY };
        Self { every, pending: Vec::new(), loss: 0.0, right: 0.0, steps: 0, reads: 0 }
    }

    /// Takes in a step; true where it was read.
    ///
    /// # Errors
    /// When candle fails, or a loss is not finite.
    pub fn add(&mut self, loss: &Tensor, hits: &Tensor) -> Result<bool> {
        self.pending.extend([loss.detach().reshape(1)?, hits.reshape(1)?]);
        if self.pending.len() < 2 * self.every {
            return Ok(false);
        }
        self.read()?;
        Ok(true)
    }

    /// Reads what has not been read.
    ///
    /// # Errors
    /// As [`add`](Self::add).
    pub fn read(&mut self) -> Result<()> {
        if self.pending.is_empty() {
            return Ok(());
        }
        let all = Tensor::cat(&self.pending, 0)?.to_vec1::<f32>()?;
        self.pending.clear();
        self.reads += 1;
        for pair in all.chunks_exact(2) {
            if !pair[0].is_finite() {
                return Err(anyhow!("the loss became {}; try a lower --rate", pair[0]));
            }
            self.loss += f64::from(pair[0]);
            self.right += f64::from(pair[1]);
            self.steps += 1;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_device_is_waited_for_once_in_many_steps_and_the_cores_at_each() {
        let one = |x: f32| Tensor::new(x, &Device::Cpu).unwrap();
        for (engine, reads) in [(Engine::Device, 3), (Engine::Simd, 60)] {
            let mut tally = Tally::new(&Device::Cpu, engine);
            for step in 0..60 {
                tally.add(&one(step as f32), &one(2.0)).unwrap();
            }
            tally.read().unwrap();
            assert_eq!((tally.reads, tally.steps, tally.loss, tally.right), (reads, 60, 1770.0, 120.0));
        }
        let mut tally = Tally::new(&Device::Cpu, Engine::Device);
        tally.add(&one(f32::NAN), &one(0.0)).unwrap();
        assert!(tally.read().unwrap_err().to_string().contains("--rate"));
    }
}
