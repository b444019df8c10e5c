//! Weights files: bytes to named tensors and back, quantized to int8 with one scale for each output
//! channel.
//!
//! A file is a safetensors file. A weight `conv1.weight` is stored as `conv1.weight` (I8, in [-127, 127])
//! and `conv1.weight.scale` (F32, one for each index of its first axis); a bias is F32. A file of
//! [`Precision::F32`] stores every weight as F32, without a scale. The metadata hold the [`Facts`], with the network
//! itself as [`text`] under `network`. Nothing of the size a file claims is allocated before it has been compared with what
//! the network says, and that with the limits of [`Spec::check`].

use std::collections::BTreeMap;
use std::sync::Arc;

use super::latent::LatentMap;
use super::layer::Parameter;
use super::safetensors::{Dtype, File, Tensor, read, write};
use super::spec::Spec;
use super::text;
use crate::error::{Error, Result};

/// What `format` says in the metadata of a file of this layout.
pub const FORMAT: &str = "misread-weights-1";
/// The largest weights file that is read, in bytes.
pub const MAX_BYTES: usize = 64 << 20;
const WHAT: &str = "the weights file";

/// The facts of a trained network: architecture, data set, accuracy, seed, command and so on, by name.
pub type Facts = BTreeMap<String, String>;

/// How a file stores weights.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Precision {
    /// 8-bit integers with a scale for each output channel: what the page loads.
    Int8,
    /// As they were trained.
    F32,
}

/// A network's tensors, dequantized, in the order of [`Spec::parameters`].
#[derive(Clone, Debug)]
pub struct Weights {
    /// The network they belong to.
    pub spec: Arc<Spec>,
    /// One flat tensor for each parameter.
    pub tensors: Vec<Vec<f32>>,
    /// How the file stored them.
    pub precision: Precision,
    /// Where they come from.
    pub facts: Facts,
    /// A map of the latent space, where there is one and the file holds it.
    pub map: Option<LatentMap>,
}

impl Weights {
    /// Reads a file written by [`to_bytes`](Self::to_bytes). One that is older than the text form of networks names its
    /// network alone: `known` knows it then.
    ///
    /// # Errors
    /// [`Error::BadFile`] that says what is wrong: truncated, not safetensors, another network, a tensor missing, extra, of
    /// the wrong type or shape, a scale or bias that is not finite; [`Error::Unsupported`] for a network that cannot be run.
    pub fn from_bytes(bytes: &[u8], known: impl Fn(&str) -> Result<Spec>) -> Result<Self> {
        let bad = |why: String| Error::bad_file(WHAT, why);
        let mut file = read(WHAT, bytes, MAX_BYTES)?;
        let metadata = std::mem::take(&mut file.metadata);
        match metadata.get("format") {
            Some(format) if format == FORMAT => {}
            Some(other) => return Err(bad(format!("its format is '{other}', not '{FORMAT}'"))),
            None => return Err(bad("it was not exported by misread (it names no format)".into())),
        }
        let labels: Option<Vec<String>> =
            metadata.get("labels").map(|labels| labels.split('\n').map(str::to_owned).collect());
        let spec = match metadata.get("network") {
            Some(network) => text::read(network, labels.unwrap_or_default())?,
            None => {
                let name = metadata.get("arch").ok_or_else(|| bad("it does not name its network".into()))?;
                let mut spec = known(name)?;
                if let Some(latent) = metadata.get("latent") {
                    let latent = latent.parse().map_err(|_| bad(format!("its latent size is '{latent}'")))?;
                    spec = spec.with_latent(latent).map_err(|e| bad(e.to_string()))?;
                }
                if let Some(labels) = labels {
                    spec = spec.with_labels(&labels).map_err(|e| bad(e.to_string()))?;
                }
                spec.check()?;
                spec
            }
        };
        let parameters = spec.parameters();
        let precision = match metadata.get("precision").map(String::as_str) {
            None | Some("int8") => Precision::Int8,
            Some("f32") => Precision::F32,
            Some(other) => return Err(bad(format!("its precision is '{other}', not 'int8' or 'f32'"))),
        };
        let mut known = 0;
        let mut values = Vec::with_capacity(parameters.len());
        for p in &parameters {
            let tensor = find(&file, &p.name)?;
            if p.shape.len() > 1 && precision == Precision::Int8 {
                known += 2;
                check(tensor, p, Dtype::I8, &p.shape)?;
                let name = format!("{}.scale", p.name);
                let scale = find(&file, &name)?;
                check(scale, &Parameter { name, ..p.clone() }, Dtype::F32, &p.shape[..1])?;
                let scale = floats(scale.data);
                if let Some(i) = scale.iter().position(|s| !s.is_finite() || *s < 0.0) {
                    return Err(bad(format!(
                        "the scale of channel {i} of '{}' is {}: it must be finite and not negative",
                        p.name, scale[i]
                    )));
                }
                values.push(dequantize(tensor.data, &scale));
            } else {
                known += 1;
                check(tensor, p, Dtype::F32, &p.shape)?;
                let full = floats(tensor.data);
                if let Some(i) = full.iter().position(|v| !v.is_finite()) {
                    return Err(bad(format!("entry {i} of '{}' is {}", p.name, full[i])));
                }
                values.push(full);
            }
        }
        let map = match &spec.vae {
            Some(vae) if file.tensors.iter().any(|tensor| tensor.name.starts_with("map.")) => {
                known += MAP.len();
                Some(read_map(&file, vae.latent, spec.classes())?)
            }
            _ => None,
        };
        if file.tensors.len() != known {
            let name = &spec.name;
            return Err(bad(format!("it holds {} tensors where '{name}' has {known}", file.tensors.len())));
        }
        Ok(Self { spec: Arc::new(spec), tensors: values, precision, facts: metadata, map })
    }

    /// Writes `tensors` (f32, in the order of [`Spec::parameters`]) with `precision`, with `map` and with `facts`, whose
    /// `format`, `arch` (the network's name), `network` (its text), `dataset`, `labels`, `latent` (of a VAE), `precision`
    /// (where it is f32) and `crate_version` are filled in.
    ///
    /// # Errors
    /// [`Error::BadInput`] when a tensor has the wrong length or a number that is not finite.
    pub fn to_bytes(
        spec: &Spec,
        tensors: &[Vec<f32>],
        precision: Precision,
        map: Option<&LatentMap>,
        facts: &Facts,
    ) -> Result<Vec<u8>> {
        let parameters = spec.parameters();
        if tensors.len() != parameters.len() {
            return Err(Error::BadInput(format!("'{}' has {} tensors", spec.name, parameters.len())));
        }
        let mut stored: Vec<(String, Dtype, Vec<usize>, Vec<u8>)> = Vec::new();
        let bytes = |v: &[f32]| v.iter().flat_map(|x| x.to_le_bytes()).collect::<Vec<u8>>();
        for (p, values) in parameters.into_iter().zip(tensors) {
            if values.len() != p.count() || values.iter().any(|v| !v.is_finite()) {
                return Err(Error::BadInput(format!("'{}' must hold {} finite numbers", p.name, p.count())));
            }
            if p.shape.len() > 1 && precision == Precision::Int8 {
                let (quantized, scale) = quantize(values, p.shape[0]);
                stored.push((format!("{}.scale", p.name), Dtype::F32, vec![p.shape[0]], bytes(&scale)));
                stored.push((p.name, Dtype::I8, p.shape, quantized));
            } else {
                stored.push((p.name, Dtype::F32, p.shape, bytes(values)));
            }
        }
        if let Some(map) = map {
            let (latent, n) = (map.centre.len(), map.labels.len());
            let points = map.points.iter().map(|&p| p as u8).collect();
            let of: [(Dtype, Vec<usize>, Vec<u8>); 5] = [
                (Dtype::F32, vec![latent], bytes(&map.centre)),
                (Dtype::F32, vec![2, latent], bytes(&map.axes)),
                (Dtype::I8, vec![n, 2], points),
                (Dtype::F32, vec![1], bytes(&[map.scale])),
                (Dtype::U8, vec![n], map.labels.clone()),
            ];
            stored
                .extend(MAP.into_iter().zip(of).map(|(name, (d, shape, b))| (name.to_owned(), d, shape, b)));
        }
        let mut metadata = facts.clone();
        if let Some(vae) = &spec.vae {
            metadata.insert("latent".into(), vae.latent.to_string());
        }
        if precision == Precision::F32 {
            metadata.insert("precision".into(), "f32".into());
        }
        metadata.insert("labels".into(), spec.labels.join("\n"));
        metadata.insert("network".into(), text::write(spec));
        for (key, value) in [
            ("format", FORMAT),
            ("arch", spec.name.as_str()),
            ("dataset", &spec.dataset),
            ("crate_version", env!("CARGO_PKG_VERSION")),
        ] {
            metadata.insert(key.into(), value.into());
        }
        write(stored, metadata)
    }
}

/// A weights file with one fact set; all else in it stays as it was.
///
/// # Errors
/// [`Error::BadFile`] for what is no safetensors file.
pub fn with_fact(bytes: &[u8], key: &str, value: &str) -> Result<Vec<u8>> {
    let File { mut metadata, tensors } = read(WHAT, bytes, MAX_BYTES)?;
    metadata.insert(key.into(), value.into());
    write(tensors.into_iter().map(|t| (t.name, t.dtype, t.shape, t.data.to_vec())).collect(), metadata)
}

fn find<'f, 'a>(file: &'f File<'a>, name: &str) -> Result<&'f Tensor<'a>> {
    file.tensor(name).ok_or_else(|| Error::bad_file(WHAT, format!("the tensor '{name}' is missing")))
}

/// The tensors of a [`LatentMap`], in the order of its fields.
const MAP: [&str; 5] = ["map.centre", "map.axes", "map.points", "map.scale", "map.labels"];

fn read_map(file: &File<'_>, latent: usize, classes: usize) -> Result<LatentMap> {
    let labels = find(file, MAP[4])?.data.to_vec();
    let n = labels.len();
    let of = |i: usize, dtype: Dtype, shape: &[usize]| {
        let tensor = find(file, MAP[i])?;
        let named = Parameter { name: MAP[i].into(), shape: Vec::new(), fan_in: 1 };
        check(tensor, &named, dtype, shape)?;
        Ok::<_, Error>(tensor.data)
    };
    of(4, Dtype::U8, &[n])?;
    let map = LatentMap {
        centre: floats(of(0, Dtype::F32, &[latent])?),
        axes: floats(of(1, Dtype::F32, &[2, latent])?),
        points: of(2, Dtype::I8, &[n, 2])?.iter().map(|&p| p as i8).collect(),
        scale: floats(of(3, Dtype::F32, &[1])?)[0],
        labels,
    };
    let finite = map.centre.iter().chain(&map.axes).chain([&map.scale]).all(|v| v.is_finite());
    if !finite || map.labels.iter().any(|&l| usize::from(l) >= classes) {
        return Err(Error::bad_file(WHAT, "its map of the latent space holds numbers that cannot be"));
    }
    Ok(map)
}

fn check(tensor: &Tensor<'_>, p: &Parameter, dtype: Dtype, shape: &[usize]) -> Result<()> {
    if tensor.dtype != dtype || tensor.shape != shape {
        let why = format!(
            "the tensor '{}' is {:?} {:?}; it must be {dtype:?} {shape:?}",
            p.name, tensor.dtype, tensor.shape
        );
        return Err(Error::bad_file(WHAT, why));
    }
    Ok(())
}

/// Little-endian f32.
pub fn floats(bytes: &[u8]) -> Vec<f32> {
    bytes.chunks_exact(4).map(|b| f32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect()
}

/// Rounds `values`, `channels` rows of equal length, to int8 (as bytes): `q = round(v / scale)` with
/// `scale = max|v| / 127` for each row.
pub fn quantize(values: &[f32], channels: usize) -> (Vec<u8>, Vec<f32>) {
    let mut quantized = Vec::with_capacity(values.len());
    let mut scales = Vec::with_capacity(channels);
    for row in values.chunks_exact(values.len() / channels) {
        let scale = row.iter().fold(0.0f32, |m, v| m.max(v.abs())) / 127.0;
        let inverse = if scale > 0.0 { 1.0 / scale } else { 0.0 };
        quantized.extend(row.iter().map(|v| (v * inverse).round().clamp(-127.0, 127.0) as i8 as u8));
        scales.push(scale);
    }
    (quantized, scales)
}

/// The inverse of [`quantize`]: `v = q * scale`.
pub fn dequantize(quantized: &[u8], scales: &[f32]) -> Vec<f32> {
    let row = quantized.len() / scales.len().max(1);
    quantized.iter().enumerate().map(|(i, &q)| q as i8 as f32 * scales[i / row]).collect()
}

#[cfg(test)]
mod tests {
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;
    use crate::zoo;

    #[test]
    fn quantizing_is_off_by_at_most_half_a_step_and_survives_a_channel_of_zeros() {
        let mut rng = fastrand::Rng::with_seed(3);
        let mut values: Vec<f32> = (0..300).map(|_| rng.f32() - 0.5).collect();
        values[100..200].fill(0.0);
        let (q, scales) = quantize(&values, 3);
        for (i, (v, d)) in values.iter().zip(dequantize(&q, &scales)).enumerate() {
            assert!((v - d).abs() <= 0.501 * scales[i / 100]);
        }
        assert_eq!(scales[1], 0.0);
    }

    #[test]
    fn a_file_comes_back_with_its_facts_and_the_same_input_gives_the_same_bytes() {
        let cnn = zoo::by_name("mnist-cnn").unwrap();
        let tensors: Vec<Vec<f32>> = cnn.parameters().iter().map(|p| vec![0.5; p.count()]).collect();
        let facts = Facts::from([("seed".into(), "7".into()), ("command".into(), "a \"b\"\n\\".into())]);
        let bytes = Weights::to_bytes(&cnn, &tensors, Precision::Int8, None, &facts).unwrap();
        assert_eq!(bytes, Weights::to_bytes(&cnn, &tensors, Precision::Int8, None, &facts).unwrap());
        let back = Weights::from_bytes(&bytes, zoo::by_name).unwrap();
        assert_eq!(back.facts["seed"], "7");
        assert_eq!(back.facts["command"], "a \"b\"\n\\");
        assert_eq!(back.facts["arch"], "mnist-cnn");
        for (a, b) in tensors.iter().flatten().zip(back.tensors.iter().flatten()) {
            assert!((a - b).abs() < 1e-6);
        }
    }

    #[test]
    fn full_precision_comes_back_to_the_bit() {
        let cnn = zoo::by_name("mnist-cnn").unwrap();
        let mut rng = fastrand::Rng::with_seed(5);
        let shapes = cnn.parameters();
        let tensors: Vec<Vec<f32>> =
            shapes.iter().map(|p| (0..p.count()).map(|_| rng.f32()).collect()).collect();
        let bytes = Weights::to_bytes(&cnn, &tensors, Precision::F32, None, &Facts::new()).unwrap();
        let back = Weights::from_bytes(&bytes, zoo::by_name).unwrap();
        assert_eq!((back.precision, &back.tensors), (Precision::F32, &tensors));
        let int8 = Weights::to_bytes(&cnn, &tensors, Precision::Int8, None, &Facts::new()).unwrap();
        assert_eq!(Weights::from_bytes(&int8, zoo::by_name).unwrap().precision, Precision::Int8);
        assert!(int8.len() * 3 < bytes.len());
    }

    #[test]
    fn a_vae_comes_back_with_its_latent_size_and_its_map() {
        let vae = zoo::by_name("mnist-vae").unwrap().with_latent(6).unwrap();
        let tensors: Vec<Vec<f32>> = vae.parameters().iter().map(|p| vec![0.5; p.count()]).collect();
        let means: Vec<f32> = (0..60).map(|i| (i * i % 17) as f32).collect();
        let map = LatentMap::new(&means, &[0, 1, 2, 3, 4, 5, 6, 7, 8, 9], 6, 10).unwrap();
        let bytes = Weights::to_bytes(&vae, &tensors, Precision::Int8, Some(&map), &Facts::new()).unwrap();
        let back = Weights::from_bytes(&bytes, zoo::by_name).unwrap();
        assert_eq!((back.spec.name.as_str(), back.spec.parameters()), ("mnist-vae", vae.parameters()));
        assert_eq!(back.map, Some(map.clone()));
        let mut wrong = map.clone();
        wrong.labels[3] = 10;
        let bytes = Weights::to_bytes(&vae, &tensors, Precision::Int8, Some(&wrong), &Facts::new()).unwrap();
        assert!(Weights::from_bytes(&bytes, zoo::by_name).unwrap_err().to_string().contains("map"));
        let other =
            Weights { map: Some(LatentMap { centre: vec![0.0; 5], axes: vec![0.0; 10], ..map }), ..back };
        let bytes =
            Weights::to_bytes(&vae, &tensors, Precision::Int8, other.map.as_ref(), &Facts::new()).unwrap();
        assert!(Weights::from_bytes(&bytes, zoo::by_name).unwrap_err().to_string().contains("map.centre"));
    }
}
