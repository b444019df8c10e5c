//! What the native and the browser tests share: the shipped files and the golden vectors.

use misread::classifier::{Classifier, Network, Vae};
use misread::datasets::{MNIST, Samples};
use misread::kernel::softmax::{Loss, softmax};
use misread::network::safetensors::read;
use misread::network::weights::floats;
use misread::zoo;

/// The shipped weights file.
pub const WEIGHTS: &[u8] = include_bytes!("../../models/mnist-cnn.safetensors");
/// The shipped digits.
pub const SAMPLES: &[u8] = include_bytes!("../../models/mnist-sample.safetensors");
const GOLDEN: &[u8] = include_bytes!("../data/golden-mnist-cnn.safetensors");

/// The shipped VAEs, each with what candle says of it.
#[allow(dead_code)] // Not every test has a guard.
pub const SIAMESE: &[u8] = include_bytes!("../../models/mnist-siamese.safetensors");
#[allow(dead_code)] // Not every test looks inside a VAE.
pub const VAES: [(&[u8], &[u8]); 2] = [
    (
        include_bytes!("../../models/mnist-vae.safetensors"),
        include_bytes!("../data/golden-mnist-vae.safetensors"),
    ),
    (
        include_bytes!("../../models/mnist-conv-vae.safetensors"),
        include_bytes!("../data/golden-mnist-conv-vae.safetensors"),
    ),
];

pub fn network() -> Network {
    Network::new(&zoo::read(WEIGHTS).unwrap()).unwrap()
}

pub fn samples() -> Samples {
    Samples::from_bytes(&MNIST, SAMPLES).unwrap()
}

/// The length of `a - b` beside that of `b`.
pub fn relative(a: &[f32], b: &[f32]) -> f64 {
    assert_eq!(a.len(), b.len());
    let length = |v: &mut dyn Iterator<Item = f64>| v.map(|x| x * x).sum::<f64>().sqrt();
    let difference = length(&mut a.iter().zip(b).map(|(a, b)| f64::from(*a) - f64::from(*b)));
    difference / length(&mut b.iter().map(|&b| f64::from(b)))
}

/// The evidence lower bound's terms, their gradient and the logits of the shipped VAEs, beside what candle's autograd
/// says (`examples/golden.rs`).
pub fn check_golden_vaes() {
    for (weights, golden) in VAES {
        let weights = zoo::read(weights).unwrap();
        let name = &weights.spec.name;
        let golden = read("the golden vectors", golden, 1 << 20).unwrap();
        let tensor = |name: &str| floats(golden.tensor(name).unwrap().data);
        let (logits, terms, gradients) = (tensor("logits"), tensor("terms"), tensor("gradients"));
        let (mut vae, samples) = (Vae::sampled(&weights, 1, 0).unwrap(), samples());
        assert!(!terms.is_empty());
        for (i, terms) in terms.chunks_exact(2).enumerate() {
            let image = samples.image(i).unwrap();
            vae.redraw(i as u64);
            let (mut z, mut p, mut gradient) = (vec![0.0; 10], vec![0.0; 10], vec![0.0; 784]);
            vae.logits(&image, &mut z);
            // One draw: candle's logits up to a constant.
            let candles = &logits[i * 10..(i + 1) * 10];
            let constant = softmax(candles, &mut p);
            let candles: Vec<f32> = candles.iter().map(|z| z - constant).collect();
            let elbo = vae.elbo(&image, Some(&mut gradient));
            for (what, error) in [
                ("logits", relative(&z, &candles)),
                ("reconstruction", relative(&[elbo.reconstruction as f32], &terms[..1])),
                ("KL", relative(&[elbo.kl as f32], &terms[1..])),
                ("gradient", relative(&gradient, &gradients[i * 784..(i + 1) * 784])),
            ] {
                assert!(
                    error < 1e-4,
                    "{name}, digit {i}: {what} differs by {error:e} (new weights? make the vectors again)"
                );
            }
        }
    }
}

/// Logits, loss and input gradient of the shipped weights, beside what candle's autograd says
/// (`examples/golden.rs`), on real digits.
pub fn check_golden_vectors() {
    let golden = read("the golden vectors", GOLDEN, 1 << 20).unwrap();
    let tensor = |name: &str| floats(golden.tensor(name).unwrap().data);
    let (logits, losses, gradients) = (tensor("logits"), tensor("losses"), tensor("gradients"));
    let (mut network, samples) = (network(), samples());
    assert!(!losses.is_empty());
    for (i, expected_loss) in losses.iter().enumerate() {
        let image = samples.image(i).unwrap();
        let label = (usize::from(samples.labels[i]) + 1) % 10;
        let (mut z, mut gradient) = (vec![0.0; 10], vec![0.0; 784]);
        let loss = network.loss_and_gradient(&image, Loss::Label(label), &mut z, &mut gradient);
        for (what, error) in [
            ("logits", relative(&z, &logits[i * 10..(i + 1) * 10])),
            ("loss", relative(&[loss], &[*expected_loss])),
            ("gradient", relative(&gradient, &gradients[i * 784..(i + 1) * 784])),
        ] {
            assert!(
                error < 1e-4,
                "digit {i}: {what} differs by {error:e} (new weights? make the vectors again)"
            );
        }
    }
}
