//! Defensive distillation (Papernot et al. 2016, "Distillation as a defense to adversarial perturbations against deep neural
//! networks"): a teacher of the same layers is trained with its logits divided by a temperature, then the network at the same
//! temperature on the teacher's probabilities in place of labels. What is deployed does not divide.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use anyhow::{Context, Result};
use candle_core::Tensor;
use rayon::prelude::*;

use super::{Options, checkpoint, stop_flag, train_one};
use crate::native::images::{full_precision, read_weights};
use crate::native::labelled::Labelled;
use crate::network::{Net, Spec};
use crate::zoo;

/// Trains the teacher, then the network. The teacher's files lie beside the network's until it is done.
///
/// # Errors
/// As [`super::train`].
pub fn train(options: &Options, images: &Labelled, test: &Labelled) -> Result<()> {
    let defended =
        options.spec.defends.as_deref().context("it defends no network, so that it has no teacher")?;
    let spec = Arc::new(Spec { labels: options.spec.labels.clone(), ..zoo::by_name(defended)? });
    let out = options.out.with_extension("teacher.safetensors");
    // An interrupted training goes on where it was: with the teacher, or with the network, whose teacher is ready then.
    let taught = options.resume && checkpoint::exists(&options.out);
    if !taught {
        println!("the teacher:");
        let teacher = Options {
            trained: Arc::clone(&spec),
            spec,
            resume: options.resume && checkpoint::exists(&out),
            out: out.clone(),
            ..options.clone()
        };
        train_one(&teacher, images, test)?;
        if stop_flag()?.load(Ordering::Relaxed) {
            return Ok(());
        }
    }
    let teacher = full_precision(&out);
    println!("\nits pupil:");
    let pupil =
        Options { teacher: Some(Arc::new(read_weights(&teacher)?)), resume: taught, ..options.clone() };
    train_one(&pupil, images, test)?;
    if !stop_flag()?.load(Ordering::Relaxed) {
        for path in [out.with_extension("training.svg"), teacher, out] {
            std::fs::remove_file(&path).with_context(|| format!("cannot remove {}", path.display()))?;
        }
    }
    Ok(())
}

/// The cross-entropy of the teacher's probabilities for a batch of images; `warm` are the network's logits, divided.
///
/// # Errors
/// When candle fails.
pub fn loss(warm: &Tensor, teacher: &Net, images: &Tensor, temperature: Option<f64>) -> Result<Tensor> {
    let pixels = images.flatten_all()?.to_vec1::<f32>()?;
    let answers: Vec<Vec<f32>> = pixels
        .par_chunks(teacher.inputs())
        .map_init(|| teacher.clone(), |net, image| net.forward(image).to_vec())
        .collect();
    let logits = Tensor::from_vec(answers.concat(), warm.shape(), warm.device())?;
    let soft = candle_nn::ops::softmax(&(logits / temperature.unwrap_or(1.0))?, 1)?;
    Ok((soft * candle_nn::ops::log_softmax(warm, 1)?)?.sum(1)?.mean(0)?.neg()?)
}
