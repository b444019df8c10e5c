//! Weights files: bytes to named tensors and back, quantized to int8 with one scale for each output
//! channel.
//!
//! A file is a safetensors file. A weight `conv1.weight` is stored as `conv1.weight` (I8, in [-127, 127])
//! and `conv1.weight.scale` (F32, one for each index of its first axis); a bias is F32. A file of
//! [`Precision::F32`] stores every weight as F32, without a scale. The metadata hold the [`Facts`]. Nothing of the size a file claims is allocated before it has been compared with what
//! the architecture says.

use std::collections::{BTreeMap, HashMap};

use safetensors::tensor::{Dtype, SafeTensors, TensorView};

use crate::arch::{Arch, Parameter};
use crate::error::{Error, Result};
use crate::latent::LatentMap;

/// What `format` says in the metadata of a file of this layout.
pub const FORMAT: &str = "misread-weights-1";
/// The largest weights file that is read, in bytes.
pub const MAX_BYTES: usize = 64 << 20;
const WHAT: &str = "the weights file";
/// The largest header of a safetensors file that is read, in bytes.
const MAX_HEADER: u64 = 1 << 16;

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

/// A network's tensors, dequantized, in the order of [`Arch::parameters`].
#[derive(Clone, Debug)]
pub struct Weights {
    /// The network they belong to.
    pub arch: &'static Arch,
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
    /// Reads a file written by [`to_bytes`](Self::to_bytes).
    ///
    /// # Errors
    /// [`Error::BadFile`] that says what is wrong: truncated, not safetensors, another architecture, a
    /// tensor missing, extra, of the wrong type or shape, a scale or bias that is not finite.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self> {
        let bad = |why: String| Error::bad_file(WHAT, why);
        let (metadata, tensors) = read(WHAT, bytes, MAX_BYTES)?;
        match metadata.get("format") {
            Some(format) if format == FORMAT => {}
            Some(other) => return Err(bad(format!("its format is '{other}', not '{FORMAT}'"))),
            None => return Err(bad("it was not exported by misread (it names no format)".into())),
        }
        let name = metadata.get("arch").ok_or_else(|| bad("it does not name its architecture".into()))?;
        let mut arch = Arch::by_name(name)?;
        if let Some(latent) = metadata.get("latent") {
            let latent = latent.parse().map_err(|_| bad(format!("its latent size is '{latent}'")))?;
            arch = arch.with_latent(latent).map_err(|e| bad(e.to_string()))?;
        }
        if let Some(labels) = metadata.get("labels") {
            let labels: Vec<String> = labels.split('\n').map(str::to_owned).collect();
            arch = arch.with_labels(&labels).map_err(|e| bad(e.to_string()))?;
        }
        let parameters = arch.parameters();
        let precision = match metadata.get("precision").map(String::as_str) {
            None | Some("int8") => Precision::Int8,
            Some("f32") => Precision::F32,
            Some(other) => return Err(bad(format!("its precision is '{other}', not 'int8' or 'f32'"))),
        };
        let mut known = 0;
        let mut values = Vec::with_capacity(parameters.len());
        for p in &parameters {
            let tensor = find(&tensors, &p.name)?;
            if p.shape.len() > 1 && precision == Precision::Int8 {
                known += 2;
                check(&tensor, p, Dtype::I8, &p.shape)?;
                let name = format!("{}.scale", p.name);
                let scale = find(&tensors, &name)?;
                check(&scale, &Parameter { name, ..p.clone() }, Dtype::F32, &p.shape[..1])?;
                let scale = floats(scale.data());
                if let Some(i) = scale.iter().position(|s| !s.is_finite() || *s < 0.0) {
                    return Err(bad(format!(
                        "the scale of channel {i} of '{}' is {}: it must be finite and not negative",
                        p.name, scale[i]
                    )));
                }
                values.push(dequantize(tensor.data(), &scale));
            } else {
                known += 1;
                check(&tensor, p, Dtype::F32, &p.shape)?;
                let full = floats(tensor.data());
                if let Some(i) = full.iter().position(|v| !v.is_finite()) {
                    return Err(bad(format!("entry {i} of '{}' is {}", p.name, full[i])));
                }
                values.push(full);
            }
        }
        let map = match arch.vae {
            Some(vae) if tensors.names().iter().any(|name| name.starts_with("map.")) => {
                known += MAP.len();
                Some(read_map(&tensors, vae.latent, arch.classes())?)
            }
            _ => None,
        };
        if tensors.len() != known {
            return Err(bad(format!("it holds {} tensors where '{name}' has {known}", tensors.len())));
        }
        Ok(Self { arch, tensors: values, precision, facts: metadata.into_iter().collect(), map })
    }

    /// Writes `tensors` (f32, in the order of [`Arch::parameters`]) with `precision`, with `map` and with `facts`, whose
    /// `format`, `arch`, `dataset`, `labels`, `latent` (of a VAE), `precision` (where it is f32) and `crate_version`
    /// are filled in.
    ///
    /// # Errors
    /// [`Error::BadInput`] when a tensor has the wrong length or a number that is not finite.
    pub fn to_bytes(
        arch: &'static Arch,
        tensors: &[Vec<f32>],
        precision: Precision,
        map: Option<&LatentMap>,
        facts: &Facts,
    ) -> Result<Vec<u8>> {
        let parameters = arch.parameters();
        if tensors.len() != parameters.len() {
            return Err(Error::BadInput(format!("'{}' has {} tensors", arch.name, parameters.len())));
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
        let mut metadata: HashMap<String, String> = facts.clone().into_iter().collect();
        if let Some(vae) = arch.vae {
            metadata.insert("latent".into(), vae.latent.to_string());
        }
        if precision == Precision::F32 {
            metadata.insert("precision".into(), "f32".into());
        }
        metadata.insert("labels".into(), arch.dataset.labels.join("\n"));
        for (key, value) in [
            ("format", FORMAT),
            ("arch", arch.name),
            ("dataset", arch.dataset.name),
            ("crate_version", env!("CARGO_PKG_VERSION")),
        ] {
            metadata.insert(key.into(), value.into());
        }
        write(stored, metadata)
    }
}

/// Writes tensors and metadata as safetensors; the same input gives the same bytes.
///
/// # Errors
/// [`Error::BadInput`] when a tensor's bytes do not fit its shape.
pub fn write(
    tensors: Vec<(String, Dtype, Vec<usize>, Vec<u8>)>,
    metadata: HashMap<String, String>,
) -> Result<Vec<u8>> {
    let refused = |e: safetensors::SafeTensorError| Error::BadInput(e.to_string());
    let views = tensors
        .iter()
        .map(|(name, dtype, shape, data)| {
            Ok((name.as_str(), TensorView::new(*dtype, shape.clone(), data).map_err(refused)?))
        })
        .collect::<Result<Vec<_>>>()?;
    let bytes = safetensors::serialize(views, None).map_err(refused)?;
    // The library writes metadata in a hash map's order, which differs from run to run; so they are put in
    // here, sorted, and the header padded to a multiple of eight again.
    let length = header_length(&bytes).unwrap_or(0) as usize;
    let (header, data) = (&bytes[8..8 + length], &bytes[8 + length..]);
    let sorted: BTreeMap<_, _> = metadata.into_iter().collect();
    let entries: Vec<String> =
        sorted.iter().map(|(k, v)| format!("{}:{}", json_string(k), json_string(v))).collect();
    let header = String::from_utf8_lossy(header);
    let mut header = format!("{{\"__metadata__\":{{{}}},{}", entries.join(","), &header.trim_end()[1..]);
    while !header.len().is_multiple_of(8) {
        header.push(' ');
    }
    let mut out = (header.len() as u64).to_le_bytes().to_vec();
    out.extend_from_slice(header.as_bytes());
    out.extend_from_slice(data);
    Ok(out)
}

/// `text` as a JSON string.
fn json_string(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            c if (c as u32) < 0x20 => out.push_str(&format!("\\u{:04x}", c as u32)),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

fn header_length(bytes: &[u8]) -> Option<u64> {
    Some(u64::from_le_bytes(bytes.get(..8)?.try_into().ok()?))
}

/// Reads the metadata and the tensors of a safetensors file of at most `limit` bytes. `what` names it in errors.
///
/// # Errors
/// [`Error::BadFile`] that says what is wrong with the container.
pub fn read<'a>(
    what: &str,
    bytes: &'a [u8],
    limit: usize,
) -> Result<(HashMap<String, String>, SafeTensors<'a>)> {
    let bad = |why: String| Error::bad_file(what, why);
    if bytes.len() > limit {
        return Err(bad(format!("it is {} bytes long; at most {limit} are read", bytes.len())));
    }
    let header = header_length(bytes).ok_or_else(|| bad(format!("it ends after {} bytes", bytes.len())))?;
    if header > MAX_HEADER {
        return Err(bad(format!(
            "it is no safetensors file (its header would be {header} bytes long; at most {MAX_HEADER} are read)"
        )));
    }
    if 8 + header > bytes.len() as u64 {
        return Err(bad(format!("it is truncated: the header alone needs {} bytes", 8 + header)));
    }
    let explain = |e: safetensors::SafeTensorError| {
        use safetensors::SafeTensorError as E;
        match e {
            E::MetadataIncompleteBuffer => bad("it is truncated, or longer than its tensors".into()),
            e => bad(format!("it is no safetensors file ({e})")),
        }
    };
    let (_, metadata) = SafeTensors::read_metadata(bytes).map_err(explain)?;
    let tensors = SafeTensors::deserialize(bytes).map_err(explain)?;
    Ok((metadata.metadata().clone().unwrap_or_default(), tensors))
}

fn find<'a>(tensors: &SafeTensors<'a>, name: &str) -> Result<TensorView<'a>> {
    tensors.tensor(name).map_err(|_| Error::bad_file(WHAT, format!("the tensor '{name}' is missing")))
}

/// The tensors of a [`LatentMap`], in the order of its fields.
const MAP: [&str; 5] = ["map.centre", "map.axes", "map.points", "map.scale", "map.labels"];

fn read_map(tensors: &SafeTensors<'_>, latent: usize, classes: usize) -> Result<LatentMap> {
    let labels = find(tensors, MAP[4])?.data().to_vec();
    let n = labels.len();
    let of = |i: usize, dtype: Dtype, shape: &[usize]| {
        let tensor = find(tensors, MAP[i])?;
        let named = Parameter { name: MAP[i].into(), shape: Vec::new(), fan_in: 1 };
        check(&tensor, &named, dtype, shape)?;
        Ok::<_, Error>(tensor.data())
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

fn check(tensor: &TensorView<'_>, p: &Parameter, dtype: Dtype, shape: &[usize]) -> Result<()> {
    if tensor.dtype() != dtype || tensor.shape() != shape {
        let why = format!(
            "the tensor '{}' is {:?} {:?}; it must be {dtype:?} {shape:?}",
            p.name,
            tensor.dtype(),
            tensor.shape()
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
    use crate::arch::MNIST_CNN;

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
        let tensors: Vec<Vec<f32>> = MNIST_CNN.parameters().iter().map(|p| vec![0.5; p.count()]).collect();
        let facts = Facts::from([("seed".into(), "7".into()), ("command".into(), "a \"b\"\n\\".into())]);
        let bytes = Weights::to_bytes(&MNIST_CNN, &tensors, Precision::Int8, None, &facts).unwrap();
        assert_eq!(bytes, Weights::to_bytes(&MNIST_CNN, &tensors, Precision::Int8, None, &facts).unwrap());
        let back = Weights::from_bytes(&bytes).unwrap();
        assert_eq!(back.facts["seed"], "7");
        assert_eq!(back.facts["command"], "a \"b\"\n\\");
        assert_eq!(back.facts["arch"], "mnist-cnn");
        for (a, b) in tensors.iter().flatten().zip(back.tensors.iter().flatten()) {
            assert!((a - b).abs() < 1e-6);
        }
    }

    #[test]
    fn full_precision_comes_back_to_the_bit() {
        let mut rng = fastrand::Rng::with_seed(5);
        let shapes = MNIST_CNN.parameters();
        let tensors: Vec<Vec<f32>> =
            shapes.iter().map(|p| (0..p.count()).map(|_| rng.f32()).collect()).collect();
        let bytes = Weights::to_bytes(&MNIST_CNN, &tensors, Precision::F32, None, &Facts::new()).unwrap();
        let back = Weights::from_bytes(&bytes).unwrap();
        assert_eq!((back.precision, &back.tensors), (Precision::F32, &tensors));
        let int8 = Weights::to_bytes(&MNIST_CNN, &tensors, Precision::Int8, None, &Facts::new()).unwrap();
        assert_eq!(Weights::from_bytes(&int8).unwrap().precision, Precision::Int8);
        assert!(int8.len() * 3 < bytes.len());
    }

    #[test]
    fn a_vae_comes_back_with_its_latent_size_and_its_map() {
        let arch = crate::arch::MNIST_VAE.with_latent(6).unwrap();
        let tensors: Vec<Vec<f32>> = arch.parameters().iter().map(|p| vec![0.5; p.count()]).collect();
        let means: Vec<f32> = (0..60).map(|i| (i * i % 17) as f32).collect();
        let map = LatentMap::new(&means, &[0, 1, 2, 3, 4, 5, 6, 7, 8, 9], 6, 10).unwrap();
        let bytes = Weights::to_bytes(arch, &tensors, Precision::Int8, Some(&map), &Facts::new()).unwrap();
        let back = Weights::from_bytes(&bytes).unwrap();
        assert!(std::ptr::eq(back.arch, arch));
        assert_eq!(back.map, Some(map.clone()));
        let mut wrong = map.clone();
        wrong.labels[3] = 10;
        let bytes = Weights::to_bytes(arch, &tensors, Precision::Int8, Some(&wrong), &Facts::new()).unwrap();
        assert!(Weights::from_bytes(&bytes).unwrap_err().to_string().contains("map"));
        let other =
            Weights { map: Some(LatentMap { centre: vec![0.0; 5], axes: vec![0.0; 10], ..map }), ..back };
        let bytes =
            Weights::to_bytes(arch, &tensors, Precision::Int8, other.map.as_ref(), &Facts::new()).unwrap();
        assert!(Weights::from_bytes(&bytes).unwrap_err().to_string().contains("map.centre"));
    }
}
