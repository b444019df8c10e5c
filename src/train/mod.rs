//! Training with candle: the graph of an architecture, Adam, and the export of its weights.
//!
//! The last 5,000 training images are held out; the weights kept are those of the epoch that read these
//! best. The test images are looked at once, at the end.

pub mod graph;

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Context, Result, ensure};
use candle_core::{Device, Tensor};
use candle_nn::{AdamW, Optimizer, ParamsAdamW};

use crate::arch::Arch;
use crate::native::files::write_atomically;
use crate::native::idx::{Digits, PIXELS};
use crate::native::progress;
use crate::net::Net;
use crate::weights::{Facts, Weights};
use graph::Graph;

/// Training images held out to choose the best epoch.
const HELD_OUT: usize = 5_000;

/// How to train.
#[derive(Clone, Debug)]
pub struct Options {
    /// Which network.
    pub arch: &'static Arch,
    /// Passes over the training images.
    pub epochs: usize,
    /// Images a step.
    pub batch: usize,
    /// Adam's rate at the start; it falls to zero along half a cosine.
    pub rate: f64,
    /// Of the initialisation and of the order of the images.
    pub seed: u64,
    /// Where candle computes.
    pub device: Device,
    /// Where the weights go.
    pub out: PathBuf,
    /// The command to write into the facts.
    pub command: String,
}

/// Trains, prints the accuracies and writes the weights. Ctrl-C ends the training early and keeps the best
/// weights so far.
///
/// # Errors
/// When candle fails, the loss is no longer finite, or the file cannot be written.
pub fn train(options: &Options, train: &Digits, test: &Digits) -> Result<()> {
    let Options { arch, epochs, batch, ref device, .. } = *options;
    ensure!(train.len() > HELD_OUT + batch && epochs > 0 && batch > 0, "there is nothing to train on");
    check_writable(&options.out)?;
    let stop = Arc::new(AtomicBool::new(false));
    let flag = Arc::clone(&stop);
    ctrlc::set_handler(move || flag.store(true, Ordering::Relaxed)).context("cannot watch for Ctrl-C")?;

    let mut rng = fastrand::Rng::with_seed(options.seed);
    let graph = Graph::random(arch, &mut rng, device)?;
    let parameters = ParamsAdamW { lr: options.rate, weight_decay: 0.0, ..ParamsAdamW::default() };
    let mut adam = AdamW::new(graph.variables.clone(), parameters)?;
    let mut order: Vec<usize> = (0..train.len() - HELD_OUT).collect();
    let held_out: Vec<usize> = (train.len() - HELD_OUT..train.len()).collect();
    let steps = order.len() / batch;
    let mut best: Option<(f64, Vec<Vec<f32>>)> = None;
    let mut ran = 0;
    for epoch in 0..epochs {
        rng.shuffle(&mut order);
        let bar = progress::bar(steps as u64, &format!("epoch {}/{epochs}", epoch + 1));
        let (mut loss_sum, mut right, mut seen) = (0.0, 0.0, 0);
        for (step, indices) in order.chunks_exact(batch).enumerate() {
            if stop.load(Ordering::Relaxed) {
                break;
            }
            let done = (epoch * steps + step) as f64 / (epochs * steps) as f64;
            adam.set_learning_rate(options.rate * 0.5 * (1.0 + (std::f64::consts::PI * done).cos()));
            let (images, labels) = load(train, indices, arch, device)?;
            let logits = graph.logits(&images)?;
            let loss = candle_nn::loss::cross_entropy(&logits, &labels)?;
            adam.backward_step(&loss)?;
            let value = f64::from(loss.to_scalar::<f32>()?);
            ensure!(value.is_finite(), "the loss became {value} in epoch {}; try a lower --rate", epoch + 1);
            let hits = logits.argmax(1)?.eq(&labels)?.to_dtype(candle_core::DType::F32)?.sum_all()?;
            right += f64::from(hits.to_scalar::<f32>()?);
            loss_sum += value;
            seen += 1;
            bar.set_message(format!(
                "loss {:.4}  accuracy {:.2} %",
                loss_sum / f64::from(seen),
                100.0 * right / (f64::from(seen) * batch as f64)
            ));
            bar.inc(1);
        }
        bar.finish();
        if seen > 0 {
            ran = epoch + 1;
            let tensors = graph.tensors()?;
            let accuracy = accuracy(&Net::new(arch, &tensors)?, train, &held_out);
            println!("epoch {:>2}: held-out accuracy {:.2} %", epoch + 1, 100.0 * accuracy);
            if best.as_ref().is_none_or(|(a, _)| accuracy > *a) {
                best = Some((accuracy, tensors));
            }
        }
        if stop.load(Ordering::Relaxed) {
            println!("stopped; keeping the best weights so far");
            break;
        }
    }
    let (held_out_accuracy, tensors) =
        best.context("stopped before the first step: there are no weights to keep")?;
    finish(options, ran, held_out_accuracy, &tensors, test)
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
    epochs: usize,
    held_out: f64,
    tensors: &[Vec<f32>],
    test: &Digits,
) -> Result<()> {
    let arch = options.arch;
    let all: Vec<usize> = (0..test.len()).collect();
    let in_f32 = accuracy(&Net::new(arch, tensors)?, test, &all);
    let mut facts = Facts::new();
    let mut fact = |key: &str, value: String| facts.insert(key.to_owned(), value);
    fact("accuracy_f32", format!("{in_f32:.4}"));
    fact("accuracy_held_out", format!("{held_out:.4}"));
    fact("epochs", epochs.to_string());
    fact("batch", options.batch.to_string());
    fact("rate", options.rate.to_string());
    fact("seed", options.seed.to_string());
    fact("command", options.command.clone());
    fact("device", if options.device.is_cuda() { "cuda" } else { "cpu" }.into());
    let quantized = Weights::from_bytes(&Weights::to_bytes(arch, tensors, &facts)?)?;
    let in_int8 = accuracy(&Net::new(arch, &quantized.tensors)?, test, &all);
    facts.insert("accuracy_int8".into(), format!("{in_int8:.4}"));
    println!("test accuracy: {:.2} % in f32, {:.2} % in int8", 100.0 * in_f32, 100.0 * in_int8);
    let bytes = Weights::to_bytes(arch, tensors, &facts)?;
    write_atomically(&options.out, &bytes)?;
    println!("wrote {} ({} bytes)", options.out.display(), bytes.len());
    Ok(())
}

/// Images as `[batch, rows, cols, channels]` in [0, 1], with their labels.
fn load(
    digits: &Digits,
    indices: &[usize],
    arch: &Arch,
    device: &Device,
) -> candle_core::Result<(Tensor, Tensor)> {
    let [rows, cols, channels] = arch.dataset.image;
    let pixels: Vec<f32> = indices
        .iter()
        .flat_map(|&i| &digits.pixels[i * PIXELS..(i + 1) * PIXELS])
        .map(|&p| f32::from(p) / 255.0)
        .collect();
    let labels: Vec<u32> = indices.iter().map(|&i| u32::from(digits.labels[i])).collect();
    let images = Tensor::from_vec(pixels, (indices.len(), rows, cols, channels), device)?;
    Ok((images, Tensor::from_vec(labels, indices.len(), device)?))
}

/// Share of `indices` whose likeliest label is the right one, on the SIMD core, with all cores.
pub fn accuracy(net: &Net, digits: &Digits, indices: &[usize]) -> f64 {
    let threads = std::thread::available_parallelism().map_or(1, |n| n.get());
    let share = indices.len().div_ceil(threads).max(1);
    let right: usize = std::thread::scope(|scope| {
        let workers: Vec<_> = indices
            .chunks(share)
            .map(|indices| {
                let mut net = net.clone();
                scope.spawn(move || {
                    let reads = |&&i: &&usize| {
                        crate::metrics::argmax(net.logits(&digits.image(i))) == usize::from(digits.labels[i])
                    };
                    indices.iter().filter(reads).count()
                })
            })
            .collect();
        workers.into_iter().map(|w| w.join().unwrap_or(0)).sum()
    });
    right as f64 / indices.len().max(1) as f64
}
