//! How long gradients take on this machine, beside how fast it could multiply and add: one code for the page
//! and the command line. The clock is the caller's, since WebAssembly has none of its own.

use crate::classifier::{Classifier, Query};
use crate::error::Result;
use crate::kernel::peak;
use crate::kernel::simd::Level;
use crate::kernel::softmax::Loss;

/// A clock, in milliseconds from any start.
pub type Clock<'a> = &'a dyn Fn() -> f64;

/// The batch sizes that are measured.
pub const BATCHES: [usize; 3] = [1, 8, 32];

/// How long one measurement lasts, in milliseconds.
const LASTS: f64 = 12.0;
/// How long a network runs before it is measured, in milliseconds: an engine optimises code that has run a while.
const WARM_UP: f64 = 400.0;
/// Measurements of each thing; the median counts.
const REPEATS: usize = 25;

/// What was measured of a network at a batch size.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "cli", derive(serde::Serialize))]
pub struct Row {
    /// The network's name.
    pub model: String,
    /// Images in a batch.
    pub batch: usize,
    /// Milliseconds for loss, logits and input gradients of the whole batch.
    pub ms: f64,
    /// Billion floating-point operations a second, counting every product of the dense gradient
    /// ([`Spec::gradient_flops`](crate::network::Spec::gradient_flops)); those that are skipped, since a factor
    /// is known to be zero, count as done.
    pub gflops: f64,
    /// `gflops` in percent of the peak measured just before and after.
    pub percent_of_peak: f64,
}

/// The multiply-add peak of this machine in this engine, in GFLOP/s: the best of some measurements.
pub fn peak_gflops(level: Level, now: Clock<'_>) -> f64 {
    let mut rounds = 1000;
    let mut best = 0.0f64;
    for _ in 0..REPEATS {
        let start = now();
        let (operations, sum) = peak::multiply_add(level, rounds);
        let ms = now() - start;
        std::hint::black_box(sum);
        if ms > 1.0 {
            best = best.max(operations / ms / 1e6);
        }
        if ms < LASTS / 2.0 {
            rounds *= 2;
        }
    }
    best
}

/// Times the gradient of `model` at images `images` (flat, one after the other, as many as the batch), each
/// towards label 3. `flops` are those of one gradient.
///
/// # Errors
/// None as yet; a model that can fail will pass its error on.
pub fn gradient(
    name: &str,
    model: &mut dyn Classifier,
    images: &[f32],
    flops: u64,
    level: Level,
    now: Clock<'_>,
) -> Result<Row> {
    let pixels = model.pixels();
    let batch = images.len() / pixels;
    let classes = model.classes();
    let (mut values, mut logits) = (vec![0.0; batch], vec![0.0; 2 * batch * classes]);
    let mut gradients = vec![0.0; batch * pixels];
    let mut run = |times: usize| {
        let start = now();
        for _ in 0..times {
            let answers = values.iter_mut().zip(logits.chunks_exact_mut(2 * classes));
            let all = images.chunks_exact(pixels).zip(gradients.chunks_exact_mut(pixels)).zip(answers);
            let mut queries: Vec<Query<'_>> = all
                .map(|((image, gradient), (value, room))| {
                    let (logits, scratch) = room.split_at_mut(classes);
                    Query {
                        image,
                        loss: Loss::Label(3),
                        refusal: None,
                        value,
                        logits,
                        scratch,
                        gradient: Some(gradient),
                    }
                })
                .collect();
            model.evaluate(&mut queries);
            std::hint::black_box(&mut queries);
        }
        now() - start
    };
    let start = now();
    while now() - start < WARM_UP {
        run(1);
    }
    let mut times = 1;
    while run(times) < LASTS / 2.0 {
        times *= 2;
    }
    let mut measured = Vec::with_capacity(REPEATS);
    let mut peaks = vec![peak_gflops(level, now)];
    for _ in 0..REPEATS {
        measured.push(run(times) / times as f64);
    }
    peaks.push(peak_gflops(level, now));
    measured.sort_unstable_by(f64::total_cmp);
    let ms = measured[REPEATS / 2];
    let gflops = batch as f64 * flops as f64 / ms / 1e6;
    let peak = peaks.into_iter().fold(0.0, f64::max);
    Ok(Row { model: name.into(), batch, ms, gflops, percent_of_peak: 100.0 * gflops / peak })
}
