//! What is particular about training a siamese network: its losses, batches in which people meet themselves again, its
//! prototypes, and the scale of its distances.

use anyhow::Result;
use candle_core::Tensor;
use rayon::prelude::*;

use crate::datasets::PairLoss;
use crate::kernel::simd::Level;
use crate::kernel::softmax::Loss;
use crate::native::labelled::Labelled;
use crate::network::{Net, Part, Spec};

/// How far apart the contrastive loss wants the embeddings of two labels.
const MARGIN: f64 = 1.0;
/// Weight of the distance from the own prototype. Without it the equal error of faces is 17 %, with it below 5 %.
const CENTRE: f64 = 0.1;
/// Images of a label in a balanced batch.
const TOGETHER: usize = 4;
/// Steps of the search for the scale of the distances, over so many powers of e either way.
const STEPS: usize = 60;
const REACH: f32 = 5.0;

/// The contrastive loss (Hadsell, Chopra, LeCun 2006, "Dimensionality Reduction by Learning an Invariant Mapping", equation
/// 4) of all pairs in a batch: the mean squared distance of those of one label, plus the mean square of what those of two
/// lack of the margin. `embeddings` are `[batch, numbers]`.
///
/// # Errors
/// When candle fails.
pub fn contrastive(embeddings: &Tensor, labels: &Tensor) -> candle_core::Result<Tensor> {
    let n = embeddings.dim(0)?;
    let squares = embeddings.sqr()?.sum(1)?;
    let products = embeddings.matmul(&embeddings.t()?)?;
    let sums = squares.unsqueeze(1)?.broadcast_add(&squares.unsqueeze(0)?)?;
    let squared = (sums - (products * 2.0)?)?.relu()?;
    let same = labels.unsqueeze(1)?.broadcast_eq(&labels.unsqueeze(0)?)?.to_dtype(embeddings.dtype())?;
    let different = same.affine(-1.0, 1.0)?;
    let itself = Tensor::eye(n, embeddings.dtype(), embeddings.device())?;
    let same = (same - itself)?;
    let lacking = ((&squared + 1e-8)?.sqrt()?.affine(-1.0, MARGIN))?.relu()?.sqr()?;
    let mean =
        |values: Tensor, mask: &Tensor| (values * mask)?.sum_all()? / mask.sum_all()?.maximum(1.0f64)?;
    mean(squared, &same)? + mean(lacking, &different)?
}

/// What draws the embeddings to their prototypes beside the cross-entropy, which is content when the others are farther: the
/// mean squared distance from their own (Wen, Zhang, Li, Qiao 2016, "A Discriminative Feature Learning Approach for Deep Face
/// Recognition", equation 2), times [`CENTRE`]. `logits` are minus squared distances.
///
/// # Errors
/// When candle fails.
pub fn centre(logits: &Tensor, labels: &Tensor) -> candle_core::Result<Tensor> {
    logits.gather(&labels.unsqueeze(1)?, 1)?.mean_all()? * -CENTRE
}

/// Places of `steps` batches of `batch` images: as many labels as fit, drawn anew for each, with [`TOGETHER`] images each.
pub fn balanced(labels: &[u8], steps: usize, batch: usize, rng: &mut fastrand::Rng) -> Vec<usize> {
    let classes = labels.iter().map(|&label| usize::from(label) + 1).max().unwrap_or(0);
    let mut of_label = vec![Vec::new(); classes];
    for (i, &label) in labels.iter().enumerate() {
        of_label[usize::from(label)].push(i);
    }
    of_label.retain(|places| !places.is_empty());
    let mut places = Vec::with_capacity(steps * batch);
    for _ in 0..steps {
        let mut left = batch;
        while left > 0 {
            rng.shuffle(&mut of_label);
            for own in &of_label {
                for _ in 0..TOGETHER.min(left) {
                    places.push(own[rng.usize(..own.len())]);
                }
                left -= TOGETHER.min(left);
            }
        }
    }
    places
}

/// The embeddings of images, one after the other.
fn embeddings(
    spec: &Spec,
    tensors: &[Vec<f32>],
    images: &Labelled,
    indices: &[usize],
) -> Result<Vec<Vec<f32>>> {
    let net = Net::part(Level::detect(), spec, Part::Embedding, tensors)?;
    let of = |net: &mut Net, &i: &usize| net.forward(&images.image(i)).to_vec();
    Ok(indices.par_iter().map_init(|| net.clone(), of).collect())
}

/// Tensors of a training as they are shipped, of `spec`: where prototypes were not learnt, with the mean embedding of each
/// label's training images as its prototype (Snell et al. 2017, equation 1), and all distances scaled so that the softmax over them is as sure as it is
/// right on the held-out images (Guo et al. 2017, "On Calibration of Modern Neural Networks": one temperature; it changes no
/// reading). A training may know more labels than `spec`, which come after its own.
///
/// # Errors
/// When the tensors are not those of such a network.
pub fn finished(
    (spec, loss): (&Spec, PairLoss),
    tensors: &[Vec<f32>],
    images: &Labelled,
    training: &[usize],
    held_out: &[usize],
) -> Result<Vec<Vec<f32>>> {
    let Some(size) = spec.embedding() else { return Ok(tensors.to_vec()) };
    let classes = spec.classes();
    let mut tensors = tensors.to_vec();
    let last = tensors.len() - 1;
    tensors[last].truncate(classes * size);
    if loss == PairLoss::Contrastive {
        let own: Vec<usize> =
            training.iter().copied().filter(|&i| usize::from(images.labels[i]) < classes).collect();
        let mut prototypes = vec![0.0f64; classes * size];
        let mut counts = vec![0usize; classes];
        for (embedding, &i) in embeddings(spec, &tensors, images, &own)?.iter().zip(&own) {
            let label = usize::from(images.labels[i]);
            counts[label] += 1;
            for (sum, x) in prototypes[label * size..].iter_mut().zip(embedding) {
                *sum += f64::from(*x);
            }
        }
        for (i, (to, sum)) in tensors[last].iter_mut().zip(&prototypes).enumerate() {
            *to = (sum / counts[i / size].max(1) as f64) as f32;
        }
    }
    let distances: Vec<(Vec<f32>, usize)> = embeddings(spec, &tensors, images, held_out)?
        .iter()
        .zip(held_out)
        .map(|(embedding, &i)| {
            let squared = |prototype: &[f32]| {
                -embedding.iter().zip(prototype).map(|(x, p)| (x - p) * (x - p)).sum::<f32>()
            };
            (tensors[last].chunks_exact(size).map(squared).collect(), usize::from(images.labels[i]))
        })
        .collect();
    let cross_entropy = |scale: f32| {
        let (mut logits, mut gradient) = (vec![0.0; classes], vec![0.0; classes]);
        let of = |(distances, label): &(Vec<f32>, usize)| {
            logits.iter_mut().zip(distances).for_each(|(z, d)| *z = scale * d);
            f64::from(Loss::Label(*label).evaluate(&logits, &mut gradient))
        };
        distances.iter().map(of).sum::<f64>()
    };
    let candidates = (0..=2 * STEPS).map(|i| (REACH * (i as f32 / STEPS as f32 - 1.0)).exp());
    let best = candidates.map(|scale| (cross_entropy(scale), scale)).min_by(|a, b| a.0.total_cmp(&b.0));
    let root = best.map_or(1.0, |(_, scale)| scale).sqrt();
    for tensor in &mut tensors[last - 2..] {
        tensor.iter_mut().for_each(|x| *x *= root);
    }
    Ok(tensors)
}

#[cfg(test)]
mod tests {
    use candle_core::Device;

    use super::*;

    #[test]
    fn the_contrastive_loss_is_the_sum_over_pairs() {
        let mut rng = fastrand::Rng::with_seed(1);
        let (n, size) = (6, 3);
        let embeddings: Vec<f32> = (0..n * size).map(|_| rng.f32()).collect();
        let labels = [0u32, 1, 0, 2, 1, 0];
        let (mut near, mut far) = ([0.0f64; 2], [0.0f64; 2]);
        for i in 0..n {
            for j in 0..i {
                let pair = embeddings[i * size..].iter().zip(&embeddings[j * size..]).take(size);
                let distance = pair.map(|(a, b)| f64::from(a - b).powi(2)).sum::<f64>().sqrt();
                if labels[i] == labels[j] {
                    near = [near[0] + distance.powi(2), near[1] + 1.0];
                } else {
                    far = [far[0] + (MARGIN - distance).max(0.0).powi(2), far[1] + 1.0];
                }
            }
        }
        let tensor = Tensor::from_vec(embeddings, (n, size), &Device::Cpu).unwrap();
        let loss = contrastive(&tensor, &Tensor::new(&labels, &Device::Cpu).unwrap()).unwrap();
        let loss = f64::from(loss.to_scalar::<f32>().unwrap());
        let expected = near[0] / near[1] + far[0] / far[1];
        assert!((loss - expected).abs() < 1e-4, "{loss} and {expected}");
    }

    #[test]
    fn balanced_batches_hold_people_several_times() {
        let labels = [0u8, 0, 0, 0, 0, 0, 0, 0, 1, 2, 3, 3, 3, 4];
        let places = balanced(&labels, 20, 8, &mut fastrand::Rng::with_seed(2));
        assert_eq!(places.len(), 160);
        let mut seen = [0; 5];
        for batch in places.chunks(8) {
            let mut own: Vec<u8> = batch.iter().map(|&i| labels[i]).collect();
            own.iter().for_each(|&label| seen[usize::from(label)] += 1);
            own.sort_unstable();
            own.dedup();
            assert_eq!(own.len(), 2);
        }
        // The one with most images is not there more often for that.
        assert!(seen.iter().all(|&count| (8..=64).contains(&count)), "{seen:?}");
    }
}
