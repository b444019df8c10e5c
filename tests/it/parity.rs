//! The SIMD core beside candle's autograd: same weights, same digits, same logits, loss and gradient.

use candle_core::{Device, Tensor, Var};
use misread::arch;
use misread::kernel::simd::Level;
use misread::kernel::softmax::Loss;
use misread::model::{Classifier, Network};
use misread::net::Net;
use misread::train::graph::Graph;
use misread::weights::Weights;

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
    let weights = Weights::from_bytes(common::WEIGHTS).unwrap();
    let graph = Graph::new(weights.arch, &weights.tensors, &Device::Cpu).unwrap();
    let samples = common::samples();
    for level in Level::available() {
        let mut network = Network::from(Net::at_level(level, weights.arch, &weights.tensors).unwrap());
        for i in 0..samples.len() {
            let image = samples.image(i).unwrap();
            let label = (usize::from(samples.labels[i]) + 3) % 10;
            let (mut z, mut gradient) = (vec![0.0; 10], vec![0.0; 784]);
            let loss = network.loss_and_gradient(&image, Loss::Label(label), &mut z, &mut gradient);
            let (cz, closs, cgradient) = candle(&graph, &image, weights.arch.dataset.image, label);
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
    for arch in arch::ALL {
        let mut rng = fastrand::Rng::with_seed(11);
        let graph = Graph::random(arch, &mut rng, &Device::Cpu).unwrap();
        let mut network = Network::from(Net::new(arch, &graph.tensors().unwrap()).unwrap());
        let image: Vec<f32> = (0..arch.pixels()).map(|_| rng.f32()).collect();
        let (mut z, mut gradient) = (vec![0.0; arch.classes()], vec![0.0; arch.pixels()]);
        let loss = network.loss_and_gradient(&image, Loss::Label(1), &mut z, &mut gradient);
        let (cz, closs, cgradient) = candle(&graph, &image, arch.dataset.image, 1);
        assert!(relative(&z, &cz) < 1e-4 && relative(&[loss], &[closs]) < 1e-4, "{}", arch.name);
        assert!(relative(&gradient, &cgradient) < 1e-4, "{}: {}", arch.name, relative(&gradient, &cgradient));
    }
}
