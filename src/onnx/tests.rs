//! Held to what ONNX Runtime says of files of other makers (`tests/data/make_onnx.py`), and to itself there and back.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::*;
use crate::datasets::Dataset;
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

fn read_files() -> Vec<(&'static str, &'static [u8])> {
    files![
        "lenet5",
        "pytorch-example",
        "pytorch-old",
        "batch-norm",
        "normalised-mlp",
        "plane",
        "resnet",
        "resnet-new",
        "mobile",
        "mobile-new",
        "dense",
        "functions",
        "functions-new",
        "kernels",
        "open",
        "wide",
        "keras",
        "keras-half",
        "keras-example",
        "keras-separable",
        "crossed",
        "quantized",
    ]
    .to_vec()
}

fn asked(name: &str) -> Asked<'_> {
    Asked { name, ..Asked::default() }
}

fn imported(name: &str, bytes: &[u8]) -> Imported {
    // One leaves open how large its images are.
    let image = (name == "open").then_some([12, 16, 3]);
    import(bytes, &Asked { image, ..asked(name) }).unwrap_or_else(|error| panic!("{name}: {error}"))
}

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
        let Imported { spec, tensors } = imported(name, bytes);
        let (images, outputs) = (of(&format!("{name}.images")), of(&format!("{name}.outputs")));
        let (size, count) = (spec.pixels(), spec.classes());
        // Half-precision weights are multiplied in half precision there; what is rounded may fall to either side.
        let apart = match name {
            "keras-half" | "quantized" => 5e-3,
            _ => 1e-4,
        };
        for level in Level::available() {
            let mut net = Net::at_level(level, &spec, &tensors).unwrap();
            let written = outputs.chunks_exact(outputs.len() / (images.len() / size));
            for (image, written) in images.chunks_exact(size).zip(written) {
                // One number of a sigmoid is the second of two labels.
                let two = |written: &[f32]| vec![1.0 - written[0], written[0]];
                let written = if written.len() == 1 { two(written) } else { written.to_vec() };
                assert_eq!(written.len(), count, "{name}");
                let found = as_written(net.forward(image), &written);
                let length = written.iter().map(|x| x * x).sum::<f32>().sqrt();
                let far = found.iter().zip(&written).map(|(a, b)| (a - b).powi(2)).sum::<f32>().sqrt();
                assert!(far < apart * length, "{name} {level:?}: {found:?} beside {written:?}");
            }
        }
    }
}

#[test]
fn the_gradient_of_what_was_read_is_its_slope_at_every_level() {
    for (name, bytes) in read_files() {
        // Steps have no slope: theirs is the straight-through one.
        if name == "quantized" {
            continue;
        }
        let made = imported(name, bytes);
        let mut feedings = Feeding::all(made.spec.image).into_iter().rev();
        let feeding = feedings.find(|feeding| feeding.name.starts_with("signed")).unwrap();
        let Imported { spec, tensors } = made.fed(&feeding).unwrap();
        let (size, count) = (spec.pixels(), spec.classes());
        for level in Level::available() {
            let mut net = Net::at_level(level, &spec, &tensors).unwrap();
            let mut rng = fastrand::Rng::with_seed(7);
            let image: Vec<f32> = (0..size).map(|_| rng.f32()).collect();
            // Several at once are the same numbers as one by one.
            let two: Vec<f32> = image.iter().map(|x| 1.0 - x).chain(image.iter().copied()).collect();
            let to_outputs: Vec<f32> = (0..2 * count).map(|_| rng.f32() - 0.5).collect();
            let mut alone = net.clone();
            net.forward_batch(&two, 2);
            net.input_gradient_batch(&to_outputs, 2);
            assert_eq!(net.outputs_of(1), alone.forward(&image), "{name} {level:?}");
            assert_eq!(net.gradient_of(1), alone.input_gradient(&to_outputs[count..]), "{name} {level:?}");
            let weights: Vec<f32> = (0..count).map(|_| rng.f32() - 0.5).collect();
            net.forward(&image);
            let gradient = net.input_gradient(&weights).to_vec();
            let length = gradient.iter().map(|g| f64::from(g * g)).sum::<f64>().sqrt();
            // Along the gradient itself, where the slope is its length: any part of it that is wrong makes it longer, but not the slope.
            let mut value = |t: f32| -> f64 {
                let x: Vec<f32> =
                    image.iter().zip(&gradient).map(|(x, g)| x + t * g / length as f32).collect();
                net.forward(&x).iter().zip(&weights).map(|(z, w)| f64::from(z * w)).sum()
            };
            // A bend lies on one side, and a shorter step may not reach it; a longer one is less rounded.
            let mut slopes = Vec::new();
            for step in [1e-3f32, 4e-3, 2e-2] {
                let [behind, here, ahead] = [-step, 0.0, step].map(&mut value);
                slopes.extend([here - behind, ahead - here].map(|change| change / f64::from(step)));
            }
            let far = slopes.iter().map(|slope| (slope / length - 1.0).abs()).fold(f64::INFINITY, f64::min);
            assert!(far < 2e-2, "{name} {level:?}: {length} beside {slopes:?}");
        }
    }
}

#[test]
fn what_is_not_run_is_refused_by_name() {
    let refused = files!["refused-attention", "refused-norm", "refused-labels"];
    for ((name, bytes), words) in refused.into_iter().zip(["probabilities", "LayerNormalization", "sigmoid"])
    {
        let error = import(bytes, &asked(name)).unwrap_err();
        assert!(
            matches!(&error, Error::Unsupported { network, why } if network == name && why.contains(words)),
            "{error}"
        );
    }
    let (name, lenet) = read_files()[0];
    let faces = Dataset::by_name("lfw").unwrap();
    let error = import(lenet, &Asked { dataset: Some(faces), ..asked(name) }).unwrap_err().to_string();
    assert!(error.contains("28") && error.contains("154"), "{error}");
    let labels = vec!["only one".to_owned()];
    let error = import(lenet, &Asked { labels, ..asked(name) }).unwrap_err().to_string();
    assert!(error.contains("10 numbers, and 1 labels"), "{error}");
}

#[test]
fn whose_images_it_reads_follows_from_their_size_unless_it_is_said() {
    let of = |name: &str, asked: Asked<'_>| {
        let files = read_files();
        let (_, bytes) = files.iter().find(|(other, _)| *other == name).unwrap();
        import(bytes, &asked).unwrap().spec
    };
    let digits = of("lenet5", asked("a"));
    assert_eq!((digits.dataset.as_str(), digits.labels[3].as_str()), ("mnist", "3"));
    let clothes = Dataset::by_name("fashion-mnist").unwrap();
    let clothing = of("lenet5", Asked { dataset: Some(clothes), ..asked("a") });
    assert_eq!((clothing.dataset.as_str(), clothing.labels[3].as_str()), ("fashion-mnist", "Dress"));
    let own = of("resnet", asked("a"));
    assert_eq!((own.dataset.as_str(), own.image, own.labels[9].as_str()), ("own-32x32x3", [32, 32, 3], "9"));
    let named: Vec<String> = "abcdefghij".chars().map(String::from).collect();
    assert_eq!(of("resnet", Asked { labels: named.clone(), ..asked("a") }).labels, named);
    assert_eq!(of("wide", asked("a")).image, [24, 48, 3]);
    assert_eq!(of("plane", asked("a")).classes(), 2);
    let files = read_files();
    let (_, open) = files.iter().find(|(name, _)| *name == "open").unwrap();
    assert_eq!(import(open, &asked("a")).unwrap_err().key(), "no-size");
    assert!(import(open, &Asked { image: Some([12, 16, 1]), ..asked("a") }).is_err());
}

#[test]
fn how_a_network_is_fed_is_found_by_trying() {
    let sample = include_bytes!("../../models/mnist-sample.safetensors");
    let samples = crate::datasets::Samples::from_bytes(Dataset::by_name("mnist").unwrap(), sample).unwrap();
    let known: Vec<(Vec<f32>, usize)> =
        (0..samples.len()).map(|i| (samples.image(i).unwrap(), usize::from(samples.labels[i]))).collect();
    let cnn = zoo::read(include_bytes!("../../models/mnist-cnn.safetensors")).unwrap();
    let image = cnn.spec.image;
    for name in ["unit", "mnist", "unit-inverted", "signed-transposed", "bytes-inverted-transposed"] {
        // A network that was trained on that: one that undoes it, then the shipped one.
        let feeding = Feeding::by_name(name, image).unwrap();
        let (mut spec, mut tensors) = ((*cnn.spec).clone(), cnn.tensors.clone());
        if feeding.transposed {
            spec.layers.insert(0, crate::network::Layer::plain(crate::network::Kind::Transpose));
        }
        let (factor, summand) = (feeding.factors[0], feeding.summands[0]);
        spec.layers.insert(0, crate::network::Layer::new("undone", crate::network::Kind::Scale));
        tensors.splice(0..0, [vec![1.0 / factor], vec![-summand / factor]]);
        let trained = Imported { spec, tensors };
        let pairs: Vec<(&[f32], usize)> = known.iter().map(|(pixels, label)| (&pixels[..], *label)).collect();
        let tried = trained.try_feedings(&pairs).unwrap();
        assert_eq!(
            (tried[0].feeding.name.as_str(), tried[0].right, tried[0].of),
            (name, 100, 100),
            "{tried:?}"
        );
        // Put before it, it sees pictures as they are.
        let Imported { spec, tensors } = trained.fed(&tried[0].feeding).unwrap();
        let (mut net, mut own) =
            (Net::new(&spec, &tensors).unwrap(), Net::new(&cnn.spec, &cnn.tensors).unwrap());
        let (found, expected) = (net.forward(pairs[0].0), own.forward(pairs[0].0));
        assert!(
            found.iter().zip(expected).all(|(a, b)| (a - b).abs() < 1e-3),
            "{name}: {found:?}, {expected:?}"
        );
    }
    assert!(Feeding::by_name("other", image).is_err());
}

#[test]
fn a_damaged_file_is_refused_and_nothing_breaks() {
    let (name, whole) = read_files()[0];
    for bytes in [&b""[..], b"no ONNX at all", &[0; 64], &[0xff; 64]] {
        assert!(matches!(import(bytes, &asked(name)), Err(Error::BadFile { .. })));
    }
    for end in (0..whole.len()).step_by(211) {
        assert!(import(&whole[..end], &asked(name)).is_err(), "{end}");
    }
    let mut rng = fastrand::Rng::with_seed(3);
    for (name, whole) in read_files() {
        for _ in 0..60 {
            let mut bytes = whole.to_vec();
            for _ in 0..1 + rng.usize(..4) {
                // Where names, shapes and attributes stand, above all.
                let near = rng.usize(..2000.min(bytes.len()));
                let place = if rng.bool() { near } else { bytes.len() - 1 - near };
                bytes[place] = rng.u8(..);
            }
            let _ = import(&bytes, &asked(name));
        }
        // A node that has lost what it reads, or what it is told; one that reads what another does.
        for _ in 0..60 {
            let mut model = proto::Model::read(whole).unwrap();
            let place = rng.usize(..model.nodes.len());
            let other =
                model.nodes[rng.usize(..model.nodes.len())].input.first().cloned().unwrap_or_default();
            let node = &mut model.nodes[place];
            match rng.usize(..5) {
                0 => node.input.clear(),
                1 => node.input.truncate(1),
                2 => node.attribute.clear(),
                3 => node.input.iter_mut().take(1).for_each(|input| input.clone_from(&other)),
                _ => {
                    node.kind = ["Add", "Mul", "Concat", "Conv", "MaxPool", "Reshape", "Transpose"]
                        [rng.usize(..7)]
                    .into()
                }
            }
            let _ = import(&model.write(8, 13), &asked(name));
        }
    }
}

#[test]
fn a_node_whose_attributes_are_empty_is_refused() {
    let (name, whole) = read_files()[0];
    for (kind, attribute) in
        [("Conv", "strides"), ("Conv", "pads"), ("MaxPool", "kernel_shape"), ("MaxPool", "strides")]
    {
        let mut model = proto::Model::read(whole).unwrap();
        let node = model.nodes.iter_mut().find(|node| node.kind == kind).unwrap();
        node.attribute.iter_mut().filter(|one| one.name == attribute).for_each(|one| one.ints.clear());
        // A tensor is written from its bytes alone, which is how PyTorch wrote these.
        let error = import(&model.write(8, 13), &asked(name)).map(|made| made.spec.name);
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
        let Imported { spec: again, tensors } = imported("again", &bytes);
        assert_eq!((&again.image, &again.labels), (&spec.image, &spec.labels), "{}", spec.name);
        let image: Vec<f32> = (0..spec.pixels()).map(|_| rng.f32()).collect();
        let before = Net::new(spec, &weights.tensors).unwrap().forward(&image).to_vec();
        let after = Net::new(&again, &tensors).unwrap().forward(&image).to_vec();
        if spec.embedding().is_some() {
            // Distances from prototypes are products there.
            let length = before.iter().map(|x| x * x).sum::<f32>().sqrt();
            assert!(
                before.iter().zip(&after).all(|(a, b)| (a - b).abs() < 1e-4 * length),
                "{before:?} {after:?}"
            );
        } else {
            assert_eq!(before, after, "{}", spec.name);
        }
    }
    for (name, bytes) in read_files() {
        let Imported { spec, tensors } = imported(name, bytes);
        let mut net = Net::new(&spec, &tensors).unwrap();
        let weights = Weights {
            spec: Arc::new(spec),
            tensors,
            precision: Precision::F32,
            facts: BTreeMap::new(),
            map: None,
        };
        let bytes = export(&weights, Part::Classifier).unwrap();
        let again = imported("again", &bytes);
        let image: Vec<f32> = (0..weights.spec.pixels()).map(|_| rng.f32()).collect();
        let (before, length) = (net.forward(&image).to_vec(), net.outputs() as f32);
        let after = Net::new(&again.spec, &again.tensors).unwrap().forward(&image).to_vec();
        let far = before.iter().zip(&after).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
        let size = before.iter().map(|x| x * x).sum::<f32>().sqrt() / length.sqrt();
        assert!(far < 1e-4 * size, "{name}: {before:?} {after:?}");
        // What stands in a weights file is the same network.
        let file = weights.spec.as_ref();
        let text = crate::network::text::write(file);
        let read = crate::network::text::read(&text, file.labels.clone()).unwrap();
        assert_eq!(crate::network::text::write(&read), text, "{name}");
        assert_eq!(read.parameters(), file.parameters(), "{name}");
    }
    let vae = random(zoo::by_name("mnist-conv-vae").unwrap(), 4);
    assert!(export(&vae, Part::Decoder).is_ok() && export(&vae, Part::Encoder).is_ok());
    let cnn = random(zoo::by_name("mnist-cnn").unwrap(), 4);
    assert!(export(&cnn, Part::Decoder).is_err() && export(&cnn, Part::Encoder).is_err());
}

#[test]
fn a_feeding_does_to_pixels_what_it_says() {
    for feeding in Feeding::all([28, 28, 1]) {
        let Feeding { name, factors, summands, transposed, .. } = &feeding;
        let of = |x: f32| factors[0] * x + summands[0];
        let (black, white) = (of(0.0), of(1.0));
        let plain = name.replace("-inverted", "").replace("-transposed", "");
        let (low, high) = match plain.as_str() {
            "mnist" => (-0.1307 / 0.3081, (1.0 - 0.1307) / 0.3081),
            "signed" => (-1.0, 1.0),
            "bytes" => (0.0, 255.0),
            _ => (0.0, 1.0),
        };
        let (low, high) = if name.contains("-inverted") { (high, low) } else { (low, high) };
        assert!((black - low).abs() < 1e-4 && (white - high).abs() < 1e-4, "{name}: {black} to {white}");
        assert_eq!(*transposed, name.contains("-transposed"));
        let image: Vec<f32> = (0..784).map(|i| i as f32 / 784.0).collect();
        let fed = feeding.apply(&image, [28, 28, 1]);
        assert_eq!(fed[3], of(image[if *transposed { 3 * 28 } else { 3 }]), "{name}");
    }
    // Nothing is turned that is no square, nor exchanged in colour.
    assert!(Feeding::all([10, 12, 1]).iter().all(|feeding| !feeding.transposed));
    let colour = Feeding::by_name("imagenet", [32, 32, 3]).unwrap();
    assert!(
        (colour.factors[2] * 0.406 + colour.summands[2]).abs() < 1e-6 && Feeding::all([32, 32, 3]).len() == 5
    );
}
