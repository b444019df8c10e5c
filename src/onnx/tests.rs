//! Held to what ONNX Runtime says of files of other makers (`tests/data/make_onnx.py`), and to itself there and back.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::*;
use crate::datasets::MNIST as DIGITS;
use crate::kernel::simd::Level;
use crate::kernel::softmax::softmax;
use crate::network::safetensors::read;
use crate::network::weights::{Precision, floats};
use crate::network::{Net, Part, Spec, Weights};
use crate::zoo;

const VECTORS: &[u8] = include_bytes!("../../tests/data/onnx.safetensors");

macro_rules! files {
    ($($name:literal),* $(,)?) => {
        [$(($name, &include_bytes!(concat!("../../tests/data/onnx/", $name, ".onnx"))[..])),*]
    };
}

fn read_files() -> [(&'static str, &'static [u8]); 7] {
    files!["lenet5", "pytorch-example", "pytorch-old", "batch-norm", "normalised-mlp", "keras", "keras-half"]
}

const AS_IT_IS: Feeding = FEEDINGS[0];

/// What a file says of logits: themselves, their softmax, or its logarithm, as the file's numbers show.
fn as_written(logits: &[f32], written: &[f32]) -> Vec<f32> {
    let mut probabilities = vec![0.0; logits.len()];
    let sum = softmax(logits, &mut probabilities);
    let total: f32 = written.iter().sum();
    if written.iter().all(|x| *x >= 0.0) && (total - 1.0).abs() < 1e-3 {
        probabilities
    } else if written.iter().all(|x| *x <= 0.0)
        && (written.iter().map(|x| x.exp()).sum::<f32>() - 1.0).abs() < 1e-3
    {
        logits.iter().map(|z| z - sum).collect()
    } else {
        logits.to_vec()
    }
}

#[test]
fn files_of_other_makers_are_read_as_onnx_runtime_reads_them_at_every_level() {
    let vectors = read("the vectors", VECTORS, 1 << 20).unwrap();
    let of = |name: &str| floats(vectors.tensor(name).unwrap().data);
    for (name, bytes) in read_files() {
        let (spec, tensors) = import(bytes, name, &DIGITS, AS_IT_IS).unwrap();
        let (images, outputs) = (of(&format!("{name}.images")), of(&format!("{name}.outputs")));
        // Half-precision weights are multiplied in half precision there.
        let apart = if name.ends_with("half") { 5e-3 } else { 1e-4 };
        for level in Level::available() {
            let mut net = Net::at_level(level, &spec, &tensors).unwrap();
            for (image, written) in images.chunks_exact(784).zip(outputs.chunks_exact(10)) {
                let found = as_written(net.forward(image), written);
                let length = written.iter().map(|x| x * x).sum::<f32>().sqrt();
                let far = found.iter().zip(written).map(|(a, b)| (a - b).powi(2)).sum::<f32>().sqrt();
                assert!(far < apart * length, "{name} {level:?}: {found:?} beside {written:?}");
            }
        }
    }
}

#[test]
fn the_gradient_of_what_was_read_is_its_slope_at_every_level() {
    for (name, bytes) in read_files() {
        let (spec, tensors) = import(bytes, name, &DIGITS, FEEDINGS[5]).unwrap();
        for level in Level::available() {
            let mut net = Net::at_level(level, &spec, &tensors).unwrap();
            let mut rng = fastrand::Rng::with_seed(7);
            let image: Vec<f32> = (0..784).map(|_| rng.f32()).collect();
            // Several at once are the same numbers as one by one.
            let two: Vec<f32> = image.iter().map(|x| 1.0 - x).chain(image.iter().copied()).collect();
            let to_outputs: Vec<f32> = (0..20).map(|_| rng.f32() - 0.5).collect();
            let mut alone = net.clone();
            net.forward_batch(&two, 2);
            net.input_gradient_batch(&to_outputs, 2);
            assert_eq!(net.outputs_of(1), alone.forward(&image), "{name} {level:?}");
            assert_eq!(net.gradient_of(1), alone.input_gradient(&to_outputs[10..]), "{name} {level:?}");
            let direction: Vec<f32> = (0..784).map(|_| rng.f32() - 0.5).collect();
            let weights: Vec<f32> = (0..10).map(|_| rng.f32() - 0.5).collect();
            let mut value = |t: f32| -> f64 {
                let x: Vec<f32> = image.iter().zip(&direction).map(|(x, d)| x + t * d).collect();
                net.forward(&x).iter().zip(&weights).map(|(z, w)| f64::from(z * w)).sum()
            };
            let step = 2e-4;
            let [behind, here, ahead] = [-step, 0.0, step].map(&mut value);
            net.forward(&image);
            let gradient = net.input_gradient(&weights);
            let along: f64 = gradient.iter().zip(&direction).map(|(g, d)| f64::from(g * d)).sum();
            let length = gradient.iter().map(|g| f64::from(g * g)).sum::<f64>().sqrt();
            let far =
                [here - behind, ahead - here].map(|change| (change / f64::from(step) - along).abs() / length);
            // A bend lies on one side.
            assert!(far[0].min(far[1]) < 2e-2, "{name} {level:?}: apart by {far:?}");
        }
    }
}

#[test]
fn what_is_not_run_is_refused_by_name() {
    let refused = files!["refused-residual", "refused-sigmoid", "refused-groups"];
    for ((name, bytes), words) in refused.into_iter().zip(["branch", "Sigmoid", "groups"]) {
        let error = import(bytes, name, &DIGITS, AS_IT_IS).unwrap_err();
        assert!(
            matches!(&error, Error::Unsupported { network, why } if network == name && why.contains(words)),
            "{error}"
        );
    }
    let [(name, lenet), ..] = read_files();
    let faces = crate::datasets::Dataset::by_name("lfw").unwrap();
    let error = import(lenet, name, faces, AS_IT_IS).unwrap_err().to_string();
    assert!(error.contains("28") && error.contains("154"), "{error}");
}

#[test]
fn a_damaged_file_is_refused_and_nothing_breaks() {
    let [(name, whole), ..] = read_files();
    for bytes in [&b""[..], b"no ONNX at all", &[0; 64], &[0xff; 64]] {
        assert!(matches!(import(bytes, name, &DIGITS, AS_IT_IS), Err(Error::BadFile { .. })));
    }
    for end in (0..whole.len()).step_by(211) {
        assert!(import(&whole[..end], name, &DIGITS, AS_IT_IS).is_err(), "{end}");
    }
    let mut rng = fastrand::Rng::with_seed(3);
    for _ in 0..400 {
        let mut bytes = whole.to_vec();
        for _ in 0..1 + rng.usize(..4) {
            // Where names, shapes and attributes stand, above all.
            let place = if rng.bool() { rng.usize(..2000) } else { bytes.len() - 1 - rng.usize(..2000) };
            bytes[place] = rng.u8(..);
        }
        let _ = import(&bytes, name, &DIGITS, AS_IT_IS);
    }
}

#[test]
fn a_node_whose_attributes_are_empty_is_refused() {
    let [(name, whole), ..] = read_files();
    for (kind, attribute) in
        [("Conv", "strides"), ("Conv", "pads"), ("MaxPool", "kernel_shape"), ("MaxPool", "strides")]
    {
        let mut model = proto::Model::read(whole).unwrap();
        let node = model.nodes.iter_mut().find(|node| node.kind == kind).unwrap();
        node.attribute.iter_mut().filter(|one| one.name == attribute).for_each(|one| one.ints.clear());
        // A tensor is written from its bytes alone, which is how PyTorch wrote these.
        let error = import(&model.write(8, 13), name, &DIGITS, AS_IT_IS).map(|(spec, _)| spec.name);
        assert!(matches!(error, Err(Error::Unsupported { .. })), "{kind} without {attribute}: {error:?}");
    }
}

/// Weights of about the size that keeps activations of order one.
fn random(spec: Spec, seed: u64) -> Weights {
    let mut rng = fastrand::Rng::with_seed(seed);
    let tensors = spec
        .parameters()
        .iter()
        .map(|p| (0..p.count()).map(|_| (2.0 * rng.f32() - 1.0) * (6.0 / p.fan_in as f32).sqrt()).collect())
        .collect();
    Weights { spec: Arc::new(spec), tensors, precision: Precision::F32, facts: BTreeMap::new(), map: None }
}

#[test]
fn a_network_of_the_house_comes_back_as_it_went() {
    let mut rng = fastrand::Rng::with_seed(9);
    for spec in zoo::shipped() {
        let weights = random(spec, 4);
        let spec = &weights.spec;
        let bytes = export(&weights, Part::Classifier).unwrap();
        let dataset = crate::datasets::Dataset::by_name(&spec.dataset).unwrap();
        let made = import(&bytes, "again", dataset, AS_IT_IS);
        if spec.embedding().is_some() {
            // Distances from prototypes branch.
            assert!(made.is_err());
            continue;
        }
        let (again, tensors) = made.unwrap_or_else(|e| panic!("{}: {e}", spec.name));
        let image: Vec<f32> = (0..spec.pixels()).map(|_| rng.f32()).collect();
        let before = Net::new(spec, &weights.tensors).unwrap().forward(&image).to_vec();
        let after = Net::new(&again, &tensors).unwrap().forward(&image).to_vec();
        assert_eq!(before, after, "{}", spec.name);
    }
    let vae = random(zoo::by_name("mnist-conv-vae").unwrap(), 4);
    assert!(export(&vae, Part::Decoder).is_ok() && export(&vae, Part::Encoder).is_ok());
    let cnn = random(zoo::by_name("mnist-cnn").unwrap(), 4);
    assert!(export(&cnn, Part::Decoder).is_err() && export(&cnn, Part::Encoder).is_err());
}

#[test]
fn a_feeding_does_to_pixels_what_it_says() {
    for Feeding { name, factor, summand, .. } in FEEDINGS {
        let of = |x: f32| factor * x + summand;
        let (black, white) = (of(0.0), of(1.0));
        let (low, high) = match name.trim_end_matches("-inverted") {
            "mnist" => (-MNIST.0 / MNIST.1, (1.0 - MNIST.0) / MNIST.1),
            "signed" => (-1.0, 1.0),
            "bytes" => (0.0, 255.0),
            _ => (0.0, 1.0),
        };
        let (low, high) = if name.ends_with("-inverted") { (high, low) } else { (low, high) };
        assert!((black - low).abs() < 1e-4 && (white - high).abs() < 1e-4, "{name}: {black} to {white}");
        assert_eq!(Feeding::by_name(name).unwrap().name, name);
    }
    assert!(Feeding::by_name("other").is_err());
}
