//! Makes `tests/data/golden-*.safetensors`: what candle's autograd says of the shipped weights on the first shipped
//! digits. The SIMD core is held to it natively and in the browser.
//!
//! ```sh
//! cargo run --release --features train --example golden
//! ```

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::Result;
use candle_core::{Device, Tensor, Var};
use misread::classifier::normal;
use misread::datasets::{MNIST, Samples};
use misread::native::files::write_atomically;
use misread::native::images::read_weights;
use misread::network::safetensors::{Dtype, write};
use misread::train::graph::{Engine, Graph, elbo_terms};

const COUNT: usize = 20;
/// Digits of a VAE.
const FEW: usize = 4;

fn main() -> Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    classifier(root)?;
    vae(root, "mnist-vae")?;
    vae(root, "mnist-conv-vae")
}

fn bytes(v: &[f32]) -> Vec<u8> {
    v.iter().flat_map(|x| x.to_le_bytes()).collect()
}

/// The terms of the evidence lower bound, with the draws of seed 0, 1, ..., and the gradient of their sum.
fn vae(root: &Path, name: &str) -> Result<()> {
    let weights = read_weights(&root.join(format!("models/{name}.safetensors")))?;
    let samples = Samples::from_bytes(&MNIST, &std::fs::read(root.join("models/mnist-sample.safetensors"))?)?;
    let graph = Graph::new(&weights.spec, &weights.tensors, &Device::Cpu, Engine::Candle)?;
    let latent = weights.spec.vae.as_ref().map_or(0, |v| v.latent);
    let (mut logits, mut terms, mut gradients) = (Vec::new(), Vec::new(), Vec::new());
    for i in 0..FEW {
        let image = Var::from_vec(samples.image(i)?, (1, 28, 28, 1), &Device::Cpu)?;
        let mut noise = vec![0.0; latent];
        normal(&mut fastrand::Rng::with_seed(i as u64), &mut noise);
        let outputs = graph.vae(image.as_tensor(), &Tensor::from_vec(noise, (1, latent), &Device::Cpu)?)?;
        let (reconstruction, kl) = elbo_terms(&outputs, &image.as_tensor().flatten_from(1)?)?;
        let gradient = (&reconstruction + &kl)?.backward()?.remove(image.as_tensor());
        let gradient = gradient.ok_or_else(|| anyhow::anyhow!("no gradient"))?;
        logits.extend(outputs.logits.flatten_all()?.to_vec1::<f32>()?);
        terms.extend([reconstruction.to_scalar::<f32>()?, kl.to_scalar()?]);
        gradients.extend(gradient.flatten_all()?.to_vec1::<f32>()?);
    }
    let tensors = vec![
        ("gradients".to_owned(), Dtype::F32, vec![FEW, 784], bytes(&gradients)),
        ("logits".to_owned(), Dtype::F32, vec![FEW, 10], bytes(&logits)),
        ("terms".to_owned(), Dtype::F32, vec![FEW, 2], bytes(&terms)),
    ];
    let metadata = BTreeMap::from([("made_by".to_owned(), "examples/golden.rs".to_owned())]);
    write_atomically(&root.join(format!("tests/data/golden-{name}.safetensors")), &write(tensors, metadata)?)
}

fn classifier(root: &Path) -> Result<()> {
    let weights = read_weights(&root.join("models/mnist-cnn.safetensors"))?;
    let samples = Samples::from_bytes(&MNIST, &std::fs::read(root.join("models/mnist-sample.safetensors"))?)?;
    let graph = Graph::new(&weights.spec, &weights.tensors, &Device::Cpu, Engine::Candle)?;
    let (mut logits, mut losses, mut gradients) = (Vec::new(), Vec::new(), Vec::new());
    for i in 0..COUNT {
        let image = Var::from_vec(samples.image(i)?, (1, 28, 28, 1), &Device::Cpu)?;
        let z = graph.logits(image.as_tensor())?;
        // The label after the true one, as `--target next` has it.
        let label = Tensor::new(&[(u32::from(samples.labels[i]) + 1) % 10], &Device::Cpu)?;
        let loss = candle_nn::loss::cross_entropy(&z, &label)?;
        let gradient = loss.backward()?.remove(image.as_tensor());
        let gradient = gradient.ok_or_else(|| anyhow::anyhow!("no gradient"))?;
        logits.extend(z.flatten_all()?.to_vec1::<f32>()?);
        losses.push(loss.to_scalar::<f32>()?);
        gradients.extend(gradient.flatten_all()?.to_vec1::<f32>()?);
    }
    let tensors = vec![
        ("gradients".to_owned(), Dtype::F32, vec![COUNT, 784], bytes(&gradients)),
        ("logits".to_owned(), Dtype::F32, vec![COUNT, 10], bytes(&logits)),
        ("losses".to_owned(), Dtype::F32, vec![COUNT], bytes(&losses)),
    ];
    let metadata = BTreeMap::from([("made_by".to_owned(), "examples/golden.rs".to_owned())]);
    write_atomically(&root.join("tests/data/golden-mnist-cnn.safetensors"), &write(tensors, metadata)?)
}
