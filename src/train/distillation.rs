//! Defensive distillation (Papernot et al. 2016, "Distillation as a defense to adversarial perturbations against deep neural
//! networks"): a teacher of the same layers is trained with its logits divided by a temperature, then the network at the same
//! temperature on the teacher's probabilities in place of labels. What is deployed does not divide.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use anyhow::{Context, Result};
use candle_core::{Device, Tensor};
use rayon::prelude::*;

use super::graph::{Engine, Graph};
use super::{Options, checkpoint, stop_flag, train_one};
use crate::native::images::{full_precision, read_weights};
use crate::native::labelled::Labelled;
use crate::network::{Net, Spec, Weights};
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

/// Who softens the answers that a network learns from: on the cores, or where the network is.
pub enum Teacher {
    /// The SIMD core.
    Cores(Box<Net>),
    /// candle, on a device.
    Device(Box<Graph>),
}

impl Teacher {
    /// The network of these weights, for pupils that `engine` computes.
    ///
    /// # Errors
    /// When candle fails, or the tensors are not the network's.
    pub fn new(weights: &Weights, device: &Device, engine: Engine) -> Result<Self> {
        Ok(match engine {
            Engine::Device => {
                Self::Device(Box::new(Graph::new(&weights.spec, &weights.tensors, device, engine)?))
            }
            _ => Self::Cores(Box::new(Net::new(&weights.spec, &weights.tensors)?)),
        })
    }

    /// The cross-entropy of the teacher's probabilities for a batch of images; `warm` are the network's logits, divided.
    ///
    /// # Errors
    /// When candle fails.
    pub fn loss(&self, warm: &Tensor, images: &Tensor, temperature: Option<f64>) -> Result<Tensor> {
        let logits = match self {
            Self::Device(graph) => graph.frozen_logits(&images.detach())?.detach(),
            Self::Cores(net) => {
                let pixels = images.flatten_all()?.to_vec1::<f32>()?;
                let answers: Vec<Vec<f32>> = pixels
                    .par_chunks(net.inputs())
                    .map_init(|| (**net).clone(), |net, image| net.forward(image).to_vec())
                    .collect();
                Tensor::from_vec(answers.concat(), warm.shape(), warm.device())?
            }
        };
        let soft = candle_nn::ops::softmax(&(logits / temperature.unwrap_or(1.0))?, 1)?;
        Ok((soft * candle_nn::ops::log_softmax(warm, 1)?)?.sum(1)?.mean(0)?.neg()?)
    }
}
