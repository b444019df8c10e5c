//! The SIMD core beside candle's autograd: same weights, same digits, same logits, loss and gradient.

use candle_core::{Device, Tensor, Var};
use misread::classifier::{Classifier, Network, Vae, normal};
use misread::kernel::simd::Level;
use misread::kernel::softmax::{Loss, softmax};
use misread::network::{Net, Spec};
use misread::onnx::{Asked, Imported, import};
use misread::train::graph::{Engine, Graph, elbo_terms};
use misread::zoo;

use crate::common::{self, relative};

/// Logits, loss and gradient with respect to the image, by candle.
fn candle(graph: &Graph, image: &[f32], shape: [usize; 3], label: usize) -> (Vec<f32>, f32, Vec<f32>) {
    let [rows, cols, channels] = shape;
    let x = Var::from_slice(image, (1, rows, cols, channels), &Device::Cpu).unwrap();
    let z = graph.logits(x.as_tensor()).unwrap();
    let loss =
        candle_nn::loss::cross_entropy(&z, &Tensor::new(&[label as u32], &Device::Cpu).unwrap()).unwrap();
    let gradient = loss.backward().unwrap().remove(x.as_tensor()).unwrap();
    let flat = |t: &Tensor| t.flatten_all().unwrap().to_vec1::<f32>().unwrap();
    (flat(&z), loss.to_scalar().unwrap(), flat(&gradient))
}

#[test]
fn every_level_agrees_with_candle_on_all_shipped_digits() {
    let weights = zoo::read(common::WEIGHTS).unwrap();
    let graph = Graph::new(&weights.spec, &weights.tensors, &Device::Cpu, Engine::Candle).unwrap();
    let samples = common::samples();
    for level in Level::available() {
        let mut network = Network::from(Net::at_level(level, &weights.spec, &weights.tensors).unwrap());
        for i in 0..samples.len() {
            let image = samples.image(i).unwrap();
            let label = (usize::from(samples.labels[i]) + 3) % 10;
            let (mut z, mut gradient) = (vec![0.0; 10], vec![0.0; 784]);
            let loss = network.loss_and_gradient(&image, Loss::Label(label), &mut z, &mut gradient);
            let (cz, closs, cgradient) = candle(&graph, &image, weights.spec.image, label);
            for (what, error) in [
                ("logits", relative(&z, &cz)),
                ("loss", relative(&[loss], &[closs])),
                ("gradient", relative(&gradient, &cgradient)),
            ] {
                assert!(error < 1e-4, "{level:?}, digit {i}: {what} differs by {error:e}");
            }
        }
    }
}

#[test]
fn every_network_agrees_with_candle_at_random_weights() {
    for arch in &zoo::shipped() {
        let mut rng = fastrand::Rng::with_seed(11);
        let graph = Graph::random(arch, &mut rng, &Device::Cpu, Engine::Candle, (1.0, 1.0)).unwrap();
        let mut network = Network::from(Net::new(arch, &graph.tensors().unwrap()).unwrap());
        let image: Vec<f32> = (0..arch.pixels()).map(|_| rng.f32()).collect();
        let (mut z, mut gradient) = (vec![0.0; arch.classes()], vec![0.0; arch.pixels()]);
        let loss = network.loss_and_gradient(&image, Loss::Label(1), &mut z, &mut gradient);
        let (cz, closs, cgradient) = candle(&graph, &image, arch.image, 1);
        assert!(relative(&z, &cz) < 1e-4 && relative(&[loss], &[closs]) < 1e-4, "{}", arch.name);
        assert!(relative(&gradient, &cgradient) < 1e-4, "{}: {}", arch.name, relative(&gradient, &cgradient));
    }
}

#[test]
fn what_a_gpu_computes_agrees_with_the_core() {
    // candle's own convolutions, on the CPU here: slow, hence the small images.
    for arch in zoo::shipped().iter().filter(|arch| arch.dataset == "mnist") {
        let mut rng = fastrand::Rng::with_seed(11);
        let graph = Graph::random(arch, &mut rng, &Device::Cpu, Engine::Device, (1.0, 1.0)).unwrap();
        let mut network = Network::from(Net::new(arch, &graph.tensors().unwrap()).unwrap());
        let image: Vec<f32> = (0..arch.pixels()).map(|_| rng.f32()).collect();
        let (mut z, mut gradient) = (vec![0.0; arch.classes()], vec![0.0; arch.pixels()]);
        network.loss_and_gradient(&image, Loss::Label(1), &mut z, &mut gradient);
        let (theirs, _, slope) = candle(&graph, &image, arch.image, 1);
        assert!(relative(&z, &theirs) < 1e-4 && relative(&gradient, &slope) < 1e-4, "{}", arch.name);
    }
}

#[test]
fn every_network_that_came_as_onnx_agrees_with_candle() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/onnx");
    let mut seen = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        if name.starts_with("refused") {
            continue;
        }
        let image = (name == "open").then_some([12, 16, 3]);
        let asked = Asked { name: &name, image, ..Asked::default() };
        let Imported { spec, tensors } = import(&std::fs::read(&path).unwrap(), &asked).unwrap();
        let graph = Graph::new(&spec, &tensors, &Device::Cpu, Engine::Candle).unwrap();
        let mut network = Network::from(Net::new(&spec, &tensors).unwrap());
        let mut rng = fastrand::Rng::with_seed(12);
        let image: Vec<f32> = (0..spec.pixels()).map(|_| rng.f32()).collect();
        let (mut z, mut gradient) = (vec![0.0; spec.classes()], vec![0.0; spec.pixels()]);
        let loss = network.loss_and_gradient(&image, Loss::Label(1), &mut z, &mut gradient);
        let (cz, closs, cgradient) = candle(&graph, &image, spec.image, 1);
        // What is rounded may fall to either side.
        let apart = if name == "quantized" { 2e-2 } else { 1e-4 };
        assert!(relative(&z, &cz) < apart && relative(&[loss], &[closs]) < apart, "{name}: {z:?} {cz:?}");
        let far = relative(&gradient, &cgradient);
        assert!(far < 10.0 * apart, "{name}: the gradient differs by {far:e}");
        seen += 1;
    }
    assert!(seen >= 20, "{seen}");
}

/// The gradient with respect to every variable of a loss that uses all that a network computes.
fn weight_gradients(arch: &Spec, engine: Engine, batch: usize) -> Vec<(String, Vec<f32>)> {
    let mut rng = fastrand::Rng::with_seed(12);
    let graph = Graph::random(arch, &mut rng, &Device::Cpu, engine, (1.0, 1.0)).unwrap();
    let [rows, cols, channels] = arch.image;
    let pixels: Vec<f32> = (0..batch * arch.pixels()).map(|_| rng.f32()).collect();
    let images = Tensor::from_vec(pixels, (batch, rows, cols, channels), &Device::Cpu).unwrap();
    let labels: Vec<u32> = (0..batch).map(|i| i as u32 % 10).collect();
    let labels = Tensor::from_vec(labels, batch, &Device::Cpu).unwrap();
    let loss = match &arch.vae {
        None => candle_nn::loss::cross_entropy(&graph.logits(&images).unwrap(), &labels).unwrap(),
        Some(vae) => {
            let noise: Vec<f32> = (0..batch * vae.latent).map(|_| rng.f32() - 0.5).collect();
            let noise = Tensor::from_vec(noise, (batch, vae.latent), &Device::Cpu).unwrap();
            let outputs = graph.vae(&images, &noise).unwrap();
            let (reconstruction, kl) = elbo_terms(&outputs, &images.flatten_from(1).unwrap()).unwrap();
            let labelling = candle_nn::loss::cross_entropy(&outputs.logits, &labels).unwrap();
            ((reconstruction + kl).unwrap() + (labelling * 50.0).unwrap()).unwrap()
        }
    };
    let gradients = loss.backward().unwrap();
    let names = arch.parameters().into_iter().map(|p| p.name);
    names
        .zip(&graph.variables)
        .map(|(name, v)| {
            let gradient = gradients.get(v).unwrap_or_else(|| panic!("{name} has no gradient"));
            (name, gradient.flatten_all().unwrap().to_vec1().unwrap())
        })
        .collect()
}

/// Whether candle alone is done with it in seconds: its own transposed convolution takes minutes at 154 x 154. The layers
/// are those of the convolutional VAE for digits.
fn quick(arch: &Spec) -> bool {
    arch.name != "lfw-conv-vae"
}

#[test]
fn the_core_s_convolutions_train_like_candle_s_own() {
    for arch in zoo::shipped().iter().filter(|a| quick(a)) {
        // A batch that no number of shards divides; one image where they are large.
        let batch = if arch.dataset == "mnist" { 11 } else { 1 };
        let ours = weight_gradients(arch, Engine::Simd, batch);
        let candles = weight_gradients(arch, Engine::Candle, batch);
        for ((name, a), (_, b)) in ours.iter().zip(&candles) {
            assert!(relative(a, b) < 1e-4, "{}, {name}: {:e}", arch.name, relative(a, b));
        }
    }
}

#[test]
fn the_bound_and_its_gradient_agree_with_candle_at_every_level() {
    for arch in zoo::shipped().iter().filter(|a| a.is_vae() && quick(a)) {
        let latent = arch.vae.as_ref().unwrap().latent;
        let mut rng = fastrand::Rng::with_seed(13);
        let graph = Graph::random(arch, &mut rng, &Device::Cpu, Engine::Candle, (1.0, 1.0)).unwrap();
        // Of a size that keeps the variance moderate.
        let tensors: Vec<Vec<f32>> = graph
            .tensors()
            .unwrap()
            .iter()
            .map(|t| t.iter().map(|w| 0.5 * w + 0.01 * (rng.f32() - 0.5)).collect())
            .collect();
        let graph = Graph::new(arch, &tensors, &Device::Cpu, Engine::Candle).unwrap();
        let image: Vec<f32> = (0..arch.pixels()).map(|_| rng.f32()).collect();
        let [rows, cols, channels] = arch.image;
        let x = Var::from_slice(&image, (1, rows, cols, channels), &Device::Cpu).unwrap();
        let mut noise = vec![0.0; latent];
        normal(&mut fastrand::Rng::with_seed(14), &mut noise);
        let noise = Tensor::from_vec(noise, (1, latent), &Device::Cpu).unwrap();
        let outputs = graph.vae(x.as_tensor(), &noise).unwrap();
        let flat = x.as_tensor().flatten_from(1).unwrap();
        let (reconstruction, kl) = elbo_terms(&outputs, &flat).unwrap();
        let bound = (&reconstruction + &kl).unwrap();
        let expected = bound.backward().unwrap().remove(x.as_tensor()).unwrap();
        let expected: Vec<f32> = expected.flatten_all().unwrap().to_vec1().unwrap();
        let close = |a: f64, b: &Tensor| (a as f32 / b.to_scalar::<f32>().unwrap() - 1.0).abs() < 1e-4;
        for level in Level::available() {
            let mut vae = Vae::at_level(level, arch, &tensors, 1, 14).unwrap();
            let mut gradient = vec![0.0; arch.pixels()];
            let elbo = vae.elbo(&image, Some(&mut gradient));
            assert!(close(elbo.reconstruction, &reconstruction), "{level:?} {}: {elbo:?}", arch.name);
            assert!(close(elbo.kl, &kl), "{level:?} {}: {elbo:?} {kl}", arch.name);
            assert!(relative(&gradient, &expected) < 1e-4, "{level:?} {}", arch.name);
            let z = outputs.logits.flatten_all().unwrap().to_vec1::<f32>().unwrap();
            let (mut logits, mut p) = (vec![0.0; arch.classes()], vec![0.0; arch.classes()]);
            vae.logits(&image, &mut logits);
            // One draw: the same up to a constant.
            let constant = softmax(&z, &mut p);
            let shifted: Vec<f32> = z.iter().map(|z| z - constant).collect();
            assert!(relative(&logits, &shifted) < 1e-4, "{level:?} {}", arch.name);
        }
    }
}
