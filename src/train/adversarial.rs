//! Adversarial training (Madry et al. 2018, "Towards deep learning models resistant to adversarial attacks", equation 2.1): the images
//! of a step are first changed, within a ball, to what the network reads worst. The inner gradients are the SIMD core's, on all
//! cores.
//!
//! With one step (Wong, Rice, Kolter 2020, "Fast is better than free") a training may within an epoch forget all that it learnt but
//! that one step, *catastrophic overfitting*: many held-out images withstand that step, and few an attack of many.

use std::fmt;

use anyhow::{Context, Result};
use candle_core::{Tensor, Var};
use rayon::prelude::*;

use super::graph::Graph;
use crate::attack::{Goal, Norm, l1, l2, linf};
use crate::datasets::Adversarial;
use crate::metrics::argmax;
use crate::native::labelled::Labelled;
use crate::network::{Net, Spec};

/// The part of a training in which the radius grows from 0: at the whole radius from the start, a network learns nothing at all.
const GROWTH: f64 = 0.3;
/// Images that are attacked side by side.
const TOGETHER: usize = 8;
/// Steps of the attack by which a training watches itself, and images that it tries.
const WATCHED_STEPS: usize = 20;
const WATCHED: usize = 1_000;
/// Catastrophic overfitting: at least this share of what is read rightly withstands the attack that was trained on, less than this
/// share of that the attack of many steps, and less than this share of the best of earlier epochs.
const COLLAPSE: f64 = 0.5;

impl Adversarial {
    /// The attack when a share of the training is done.
    pub fn grown(self, done: f64) -> Self {
        Self { epsilon: self.epsilon * (done / GROWTH).min(1.0) as f32, ..self }
    }

    /// The attack by which a training watches itself.
    pub fn watching(self) -> Self {
        Self { steps: WATCHED_STEPS.max(self.steps), ..self }
    }

    /// Length of a step. A single one goes 1.25 times the radius, where Wong et al. found it best.
    fn pace(self) -> f32 {
        if self.steps == 1 { 1.25 * self.epsilon } else { 2.5 * self.epsilon / self.steps as f32 }
    }
}

/// As facts and checkpoints have it.
impl fmt::Display for Adversarial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {}, {} steps", self.norm.name(), self.epsilon, self.steps)
    }
}

/// A batch of images `[batch, rows, cols, channels]`, changed to what the network reads worst.
///
/// # Errors
/// When candle fails.
pub fn batch(
    (spec, graph): (&Spec, &Graph),
    images: &Tensor,
    labels: &Tensor,
    attack: Adversarial,
    seed: u64,
) -> Result<Tensor> {
    let net = Net::new(spec, &graph.tensors()?)?;
    let mut pixels = images.flatten_all()?.to_vec1::<f32>()?;
    let labels: Vec<u8> = labels.to_vec1::<u32>()?.into_iter().map(|label| label as u8).collect();
    attack_all(&net, &mut pixels, &labels, attack, seed);
    Ok(Tensor::from_vec(pixels, images.shape(), images.device())?)
}

/// Whether a device makes the images of this norm itself: a step of L1 sorts, which the cores do.
pub fn on_device(norm: Norm) -> bool {
    norm != Norm::L1
}

/// Where [`attack_all`] begins at images, one after the other: `size` numbers each.
pub fn starts(images: &[f32], size: usize, attack: Adversarial, seed: u64) -> Vec<f32> {
    let mut starts = images.to_vec();
    let chunks = starts.chunks_mut(TOGETHER * size).zip(images.chunks(TOGETHER * size));
    for (chunk, (starts, images)) in chunks.enumerate() {
        let mut rng = chunk_rng(seed, chunk);
        for (start, image) in starts.chunks_mut(size).zip(images.chunks(size)) {
            attack.norm.random(image, start, attack.epsilon, &mut rng);
        }
    }
    starts
}

fn chunk_rng(seed: u64, chunk: usize) -> fastrand::Rng {
    fastrand::Rng::with_seed(seed ^ (chunk as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15))
}

/// [`batch`] where the network lies, for L-infinity and L2: the same steps from the same `starts`, along candle's gradients, and nothing
/// comes back from there.
///
/// # Errors
/// When candle fails.
pub fn batch_on_device(
    graph: &Graph,
    images: &Tensor,
    starts: &Tensor,
    labels: &Tensor,
    attack: Adversarial,
) -> Result<Tensor> {
    let Adversarial { norm, epsilon, steps } = attack;
    let (epsilon, pace) = (f64::from(epsilon), f64::from(attack.pace()));
    let batch = images.dim(0)?;
    // The length of each image of a batch, which divides it; of nothing, by nothing.
    let length =
        |x: &Tensor| (x.flatten_from(1)?.sqr()?.sum_keepdim(1)?.sqrt()? + 1e-12)?.reshape((batch, 1, 1, 1));
    let mut attacked = starts.clone();
    for _ in 0..steps {
        let x = Var::from_tensor(&attacked)?;
        let loss = candle_nn::loss::cross_entropy(&graph.frozen_logits(x.as_tensor())?, labels)?;
        let gradients = loss.backward()?;
        let gradient = gradients.get(&x).context("the loss does not depend on the images")?.detach();
        let change = match norm {
            Norm::Linf => ((attacked + (gradient.sign()? * pace)?)? - images)?.clamp(-epsilon, epsilon)?,
            _ => {
                let change = ((attacked + (gradient.broadcast_div(&length(&gradient)?)? * pace)?)? - images)?;
                let share = (length(&change)?.recip()? * epsilon)?.minimum(1.0f64)?;
                change.broadcast_mul(&share)?
            }
        };
        attacked = (images + change)?.clamp(0.0f64, 1.0f64)?.detach();
    }
    Ok(attacked)
}

/// Changes `images`, one after the other, away from their labels as the network of `net` reads them. Where each begins follows
/// from the seed and its place alone.
pub fn attack_all(net: &Net, images: &mut [f32], labels: &[u8], attack: Adversarial, seed: u64) {
    let size = net.inputs();
    images.par_chunks_mut(TOGETHER * size).zip(labels.par_chunks(TOGETHER)).enumerate().for_each_init(
        || net.clone(),
        |net, (chunk, (images, labels))| {
            attack_together(net, images, labels, attack, &mut chunk_rng(seed, chunk));
        },
    );
}

/// [`attack_all`] on one core, a batch at once.
fn attack_together(
    net: &mut Net,
    images: &mut [f32],
    labels: &[u8],
    attack: Adversarial,
    rng: &mut fastrand::Rng,
) {
    let (size, classes, count) = (net.inputs(), net.outputs(), labels.len());
    let originals = images.to_vec();
    let Adversarial { norm, epsilon, steps } = attack;
    for (image, original) in images.chunks_mut(size).zip(originals.chunks(size)) {
        norm.random(original, image, epsilon, rng);
    }
    let (pace, mut gradients) = (attack.pace(), vec![0.0; count * classes]);
    let mut scratch = l1::Scratch::new(size);
    for _ in 0..steps {
        net.forward_batch(images, count);
        for (i, &label) in labels.iter().enumerate() {
            let gradient = &mut gradients[i * classes..(i + 1) * classes];
            Goal::Away(label.into()).loss().evaluate(net.outputs_of(i), gradient);
        }
        net.input_gradient_batch(&gradients, count);
        for (i, (image, original)) in images.chunks_mut(size).zip(originals.chunks(size)).enumerate() {
            let gradient = net.gradient_of(i);
            match norm {
                Norm::Linf => linf::step(original, image, gradient, epsilon, pace),
                Norm::L1 => l1::sparse_step(original, image, gradient, epsilon, pace, &mut scratch),
                Norm::L2 => l2::step(original, image, gradient, epsilon, pace),
            }
        }
    }
}

/// The share of the first images at `indices`, `WATCHED` at most, that the network of these tensors reads rightly, and still does after an attack.
///
/// # Errors
/// When the tensors are not the network's.
pub fn withstood(
    spec: &Spec,
    tensors: &[Vec<f32>],
    images: &Labelled,
    indices: &[usize],
    attack: Adversarial,
) -> Result<f64> {
    let net = Net::new(spec, tensors)?;
    let indices = &indices[..indices.len().min(WATCHED)];
    let labels: Vec<u8> = indices.iter().map(|&i| images.labels[i]).collect();
    let clean: Vec<f32> = indices.iter().flat_map(|&i| images.image(i)).collect();
    let mut attacked = clean.clone();
    attack_all(&net, &mut attacked, &labels, attack, 0);
    let size = net.inputs();
    let both = clean.par_chunks(size).zip(attacked.par_chunks(size)).zip(&labels);
    let kept = both.map_init(
        || net.clone(),
        |net, ((clean, attacked), &label)| {
            let mut reads = |image: &[f32]| argmax(net.forward(image)) == usize::from(label);
            usize::from(reads(clean) && reads(attacked))
        },
    );
    Ok(kept.sum::<usize>() as f64 / labels.len().max(1) as f64)
}

/// Whether the share that withstands the whole radius has fallen below what it was: a network that has yet to learn has not.
pub fn fallen(now: f64, best: f64) -> bool {
    now < COLLAPSE * best
}

/// Whether a network that reads a share `clean` of images rightly has learnt to withstand the steps that it is trained on (a share
/// `trained` of images does) and nothing else (`many` steps). All three of one radius: the share that withstands falls as the
/// radius grows, and rises and falls by chance while little is learnt.
pub fn overfitted(clean: f64, trained: f64, many: f64) -> bool {
    trained > COLLAPSE * clean && many < COLLAPSE * trained
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::kernel::softmax::Loss;
    use crate::zoo;

    #[test]
    fn attacked_images_stay_in_ball_and_box_and_are_read_worse_whatever_the_threads() {
        let weights = zoo::read(include_bytes!("../../models/mnist-cnn.safetensors")).unwrap();
        let net = Net::new(&weights.spec, &weights.tensors).unwrap();
        let mut rng = fastrand::Rng::with_seed(3);
        let (size, labels) = (net.inputs(), [3u8, 1, 4, 1, 5, 9, 2, 6, 5, 3]);
        let clean: Vec<f32> = (0..size * labels.len()).map(|_| rng.f32().powi(4)).collect();
        let loss = |images: &[f32]| -> f64 {
            let mut net = net.clone();
            let mut gradient = [0.0; 10];
            let of = |(image, &label): (&[f32], &u8)| {
                f64::from(Loss::Label(label.into()).evaluate(net.forward(image), &mut gradient))
            };
            images.chunks(size).zip(&labels).map(of).sum()
        };
        for (norm, epsilon) in [(Norm::Linf, 0.1f32), (Norm::L1, 10.0), (Norm::L2, 1.0)] {
            for steps in [1, 7] {
                let attack = Adversarial { norm, epsilon, steps };
                let mut images = clean.clone();
                attack_all(&net, &mut images, &labels, attack, 5);
                assert!(loss(&images) > loss(&clean) + 1.0, "{norm:?}, {steps} steps");
                for (image, original) in images.chunks(size).zip(clean.chunks(size)) {
                    let far = norm.of(&crate::metrics::norms::Norms::between(original, image));
                    assert!(far <= f64::from(epsilon) * (1.0 + 1e-4), "{norm:?}: {far}");
                    assert!(image.iter().all(|x| (0.0..=1.0).contains(x)));
                }
                let alone = rayon::ThreadPoolBuilder::new().num_threads(1).build().unwrap();
                let mut again = clean.clone();
                alone.install(|| attack_all(&net, &mut again, &labels, attack, 5));
                assert_eq!(images, again);
            }
        }
    }

    #[test]
    fn a_device_takes_the_steps_that_the_cores_take() {
        use candle_core::Device;

        use crate::train::graph::Engine;
        let weights = zoo::read(include_bytes!("../../models/mnist-cnn.safetensors")).unwrap();
        let (spec, net) = (&weights.spec, Net::new(&weights.spec, &weights.tensors).unwrap());
        let graph = Graph::new(spec, &weights.tensors, &Device::Cpu, Engine::Device).unwrap();
        let mut rng = fastrand::Rng::with_seed(3);
        let labels = [3u8, 1, 4, 1, 5, 9, 2, 6, 5, 3];
        let clean: Vec<f32> = (0..784 * labels.len()).map(|_| rng.f32().powi(4)).collect();
        let tensor =
            |pixels: &[f32]| Tensor::from_slice(pixels, (labels.len(), 28, 28, 1), &Device::Cpu).unwrap();
        let targets = Tensor::from_slice(&labels.map(u32::from), labels.len(), &Device::Cpu).unwrap();
        for (norm, epsilon) in [(Norm::Linf, 0.1f32), (Norm::L2, 1.0)] {
            let attack = Adversarial { norm, epsilon, steps: 3 };
            let begun = tensor(&starts(&clean, 784, attack, 5));
            let found = batch_on_device(&graph, &tensor(&clean), &begun, &targets, attack).unwrap();
            let found = found.flatten_all().unwrap().to_vec1::<f32>().unwrap();
            let mut expected = clean.clone();
            attack_all(&net, &mut expected, &labels, attack, 5);
            // A sign of what is nearly zero may turn.
            let apart = found.iter().zip(&expected).filter(|(a, b)| (*a - *b).abs() > 1e-3).count();
            assert!(apart * 100 < found.len(), "{norm:?}: {apart} of {}", found.len());
        }
    }

    #[test]
    fn the_radius_grows_and_what_withstands_only_its_own_steps_is_overfitted() {
        let attack = Adversarial { norm: Norm::Linf, epsilon: 0.3, steps: 1 };
        let radii = [0.0, GROWTH / 2.0, GROWTH, 1.0].map(|done| attack.grown(done).epsilon);
        assert_eq!(radii, [0.0, 0.15, 0.3, 0.3]);
        assert!(overfitted(0.9, 0.8, 0.1) && !overfitted(0.9, 0.8, 0.6), "Wong et al., figure 1");
        assert!(!overfitted(0.6, 0.2, 0.05) && !overfitted(0.0, 0.0, 0.0), "little is learnt yet");
        assert!(fallen(0.4, 0.9) && !fallen(0.5, 0.9) && !fallen(0.0, 0.0));
    }
}
