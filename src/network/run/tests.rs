//! Gradients held to finite differences, batches to one image at a time.

#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use super::*;
use crate::zoo;

/// Weights of about the size that keeps activations of order one.
pub(crate) fn random_tensors(spec: &Spec, seed: u64) -> Vec<Vec<f32>> {
    let mut rng = fastrand::Rng::with_seed(seed);
    let tensor = |p: &crate::network::Parameter| {
        let bound = (6.0 / p.fan_in as f32).sqrt();
        (0..p.count()).map(|_| (2.0 * rng.f32() - 1.0) * bound).collect()
    };
    spec.parameters().iter().map(tensor).collect()
}

#[test]
fn the_gradient_is_the_slope_of_the_logits_at_every_level() {
    let cnn = zoo::by_name("mnist-cnn").unwrap();
    let tensors = random_tensors(&cnn, 4);
    let mut rng = fastrand::Rng::with_seed(5);
    let image: Vec<f32> = (0..784).map(|_| rng.f32()).collect();
    let direction: Vec<f32> = (0..784).map(|_| rng.f32() - 0.5).collect();
    let weights: Vec<f32> = (0..10).map(|_| rng.f32() - 0.5).collect();
    for level in Level::available() {
        let mut net = Net::at_level(level, &cnn, &tensors).unwrap();
        let mut value = |t: f32| -> f64 {
            let x: Vec<f32> = image.iter().zip(&direction).map(|(x, d)| x + t * d).collect();
            net.forward(&x).iter().zip(&weights).map(|(z, w)| (z * w) as f64).sum()
        };
        let step = 1e-3;
        let slope = (value(step) - value(-step)) / (2.0 * step as f64);
        net.forward(&image);
        let gradient = net.input_gradient(&weights);
        let expected: f64 = gradient.iter().zip(&direction).map(|(g, d)| (g * d) as f64).sum();
        assert!((slope - expected).abs() < 2e-2 * expected.abs(), "{level:?}: {slope} and {expected}");
    }
}

#[test]
fn the_gradient_of_every_part_of_every_network_is_its_slope_at_every_level() {
    let parts = [
        Part::Classifier,
        Part::Embedding,
        Part::Encoder,
        Part::Mean,
        Part::LogVariance,
        Part::Head,
        Part::Decoder,
    ];
    for (spec, part) in zoo::all().iter().flat_map(|a| parts.map(|p| (a, p))) {
        if spec.part(part).is_none() {
            continue;
        }
        let tensors = random_tensors(spec, 4);
        for level in Level::available() {
            let mut net = Net::part(level, spec, part, &tensors).unwrap();
            // How far slope and gradient are apart, as a share of its length, at a random point.
            let mut apart = |seed: u64| -> f64 {
                let mut rng = fastrand::Rng::with_seed(seed);
                let mut random = |n: usize| -> Vec<f32> { (0..n).map(|_| rng.f32() - 0.5).collect() };
                let (input, direction) = (random(net.inputs()), random(net.inputs()));
                let weights = random(net.outputs());
                let mut value = |t: f32| -> f64 {
                    let x: Vec<f32> = input.iter().zip(&direction).map(|(x, d)| x + t * d).collect();
                    net.forward(&x).iter().zip(&weights).map(|(z, w)| f64::from(z * w)).sum()
                };
                let step = 2e-4;
                // A step may cross a bend of the network on one side of the point, seldom on both.
                let [behind, here, ahead] = [-step, 0.0, step].map(&mut value);
                let slopes = [here - behind, ahead - here].map(|change| change / f64::from(step));
                net.forward(&input);
                let gradient = net.input_gradient(&weights);
                let along: f64 = gradient.iter().zip(&direction).map(|(g, d)| f64::from(g * d)).sum();
                let length = gradient.iter().map(|g| f64::from(g * g)).sum::<f64>().sqrt();
                slopes.map(|slope| (slope - along).abs() / length).into_iter().fold(f64::INFINITY, f64::min)
            };
            let found = [6, 7, 8].map(&mut apart);
            let good = found.iter().all(|apart| *apart < 2e-2);
            assert!(good, "{} {part:?} {level:?}: apart by {found:?}", spec.name);
        }
    }
}

#[test]
fn tensors_of_the_wrong_length_are_refused() {
    let cnn = zoo::by_name("mnist-cnn").unwrap();
    let mut tensors = random_tensors(&cnn, 4);
    tensors[2].pop();
    assert!(matches!(Net::new(&cnn, &tensors), Err(Error::BadInput(_))));
    let tensors = random_tensors(&cnn, 4);
    let decoder = Net::part(Level::detect(), &cnn, Part::Decoder, &tensors);
    assert!(matches!(decoder, Err(Error::Unsupported { .. })));
}

#[test]
fn a_batch_has_the_same_bits_as_one_by_one() {
    let mut rng = fastrand::Rng::with_seed(8);
    let parts = [Part::Classifier, Part::Encoder, Part::Head, Part::Decoder];
    for (spec, part) in zoo::all().iter().flat_map(|a| parts.map(|p| (a, p))) {
        if spec.part(part).is_none() {
            continue;
        }
        let mut net = Net::part(Level::detect(), spec, part, &random_tensors(spec, 4)).unwrap();
        let mut alone = net.clone();
        let (inputs, outputs) = (net.inputs(), net.outputs());
        // A smaller batch after a larger one must not see what that left behind.
        for count in [3, 2] {
            let mut random = |n: usize| -> Vec<f32> { (0..n).map(|_| rng.f32() - 0.3).collect() };
            let (images, to_outputs) = (random(count * inputs), random(count * outputs));
            net.forward_batch(&images, count);
            net.input_gradient_batch(&to_outputs, count);
            for i in 0..count {
                let expected = alone.forward(&images[i * inputs..(i + 1) * inputs]).to_vec();
                assert_eq!(net.outputs_of(i), expected, "{} {part:?} {i} of {count}", spec.name);
                let expected = alone.input_gradient(&to_outputs[i * outputs..(i + 1) * outputs]);
                assert_eq!(net.gradient_of(i), expected, "{} {part:?} {i} of {count}", spec.name);
            }
        }
    }
}
