//! A network as text, as it stands in a weights file. A layer a line: its name, its kind, and after `<-` the name of what it
//! reads (`image`, `latent` of a VAE's decoder, or an earlier layer):
//!
//! ```text
//! misread-network-1
//! name mnist-cnn
//! title Convolutional network
//! family cnn
//! dataset mnist
//! image 28 28 1
//! layer conv1: conv channels=32 kernel=3 stride=1 <- image
//! layer layer.2: relu <- conv1
//! ```
//!
//! A VAE says besides `mean NAME` and `log-variance NAME`. Every layer is read by one other (a VAE's encoder by mean and
//! variance): networks that branch otherwise can be written so, and are refused in words until something runs them.

use std::fmt::Write;

use super::layer::{Kind, Layer, Shape};
use super::spec::{Spec, Vae};
use crate::error::{Error, Result};

const FORMAT: &str = "misread-network-1";
const IMAGE: &str = "image";
const LATENT: &str = "latent";
/// The longest text that is read, in bytes.
const MAX_TEXT: usize = 32 << 10;

/// A layer with its name and the name of what it reads.
type Node = (String, Kind, String);

/// Writes a network without its labels, which a weights file holds by themselves.
pub fn write(spec: &Spec) -> String {
    let mut out = format!("{FORMAT}\n");
    let line = |text: &str| text.replace(['\n', '\r'], " ");
    let image = spec.image.map(|n| n.to_string()).join(" ");
    let control = spec.control_of.as_deref().unwrap_or_default();
    let defended = spec.defends.as_deref().unwrap_or_default();
    for (key, value) in [
        ("name", spec.name.as_str()),
        ("title", &spec.title),
        ("family", &spec.family),
        ("control-of", control),
        ("defends", defended),
        ("dataset", &spec.dataset),
        ("image", &image),
    ] {
        if !value.is_empty() {
            // Writing to a string cannot fail.
            let _ = writeln!(out, "{key} {}", line(value));
        }
    }
    let mut chain = |from: &str, layers: &[Layer], place: &str| {
        let mut input = from.to_owned();
        for (i, layer) in layers.iter().enumerate() {
            let name = if layer.name.is_empty() { format!("{place}.{}", i + 1) } else { line(&layer.name) };
            let _ = writeln!(out, "layer {name}: {} <- {input}", layer.kind);
            input = name;
        }
        input
    };
    match &spec.vae {
        None => {
            chain(IMAGE, &spec.layers, "layer");
        }
        Some(vae) => {
            let (before, after) = spec.layers.split_at(vae.encoder);
            let features = chain(IMAGE, before, "layer");
            let mean = chain(&features, &after[..1], "mean");
            let variance = chain(&features, std::slice::from_ref(&vae.log_variance), "variance");
            chain(&mean, &after[1..], "head");
            chain(LATENT, &vae.decoder, "decoder");
            let _ = writeln!(out, "mean {mean}\nlog-variance {variance}");
        }
    }
    out
}

/// Reads what [`write`] wrote, for these labels.
///
/// # Errors
/// [`Error::BadFile`] that says what is wrong, [`Error::Unsupported`] for a network that nothing here runs.
pub fn read(text: &str, labels: Vec<String>) -> Result<Spec> {
    let bad = |why: String| Error::bad_file("the network's description", why);
    if text.len() > MAX_TEXT {
        return Err(bad(format!("it is {} bytes long; at most {MAX_TEXT} are read", text.len())));
    }
    let mut lines = text.lines();
    if lines.next() != Some(FORMAT) {
        return Err(bad(format!("it does not begin with '{FORMAT}'")));
    }
    let mut facts: Vec<(&str, &str)> = Vec::new();
    let mut nodes: Vec<Node> = Vec::new();
    for line in lines {
        let wrong = |why: &str| bad(format!("'{line}': {why}"));
        let (key, rest) = line.split_once(' ').ok_or_else(|| wrong("a line is a word and what it says"))?;
        if key != "layer" {
            facts.push((key, rest));
            continue;
        }
        let form = || wrong("a layer is like conv1: conv channels=32 kernel=3 stride=1 <- image");
        // By single signs: a search for longer ones would be a hundredth of the wasm.
        let (name, rest) = rest.split_once(':').ok_or_else(form)?;
        let (kind, input) = rest.split_once('<').ok_or_else(form)?;
        let (kind, input) = (kind.trim(), input.strip_prefix('-').ok_or_else(form)?.trim());
        let kind = kind.parse().map_err(|why: String| wrong(&why))?;
        if nodes.iter().any(|(other, ..)| other == name) || [IMAGE, LATENT].contains(&name) {
            return Err(wrong("this name is taken"));
        }
        nodes.push((name.to_owned(), kind, input.to_owned()));
    }
    let fact = |key: &str| facts.iter().find(|(k, _)| *k == key).map(|(_, v)| (*v).to_owned());
    let needed = |key: &str| fact(key).ok_or_else(|| bad(format!("it says no {key}")));
    let name = needed("name")?;
    let unsupported = |why: String| Error::Unsupported { network: name.clone(), why };
    let numbers: Vec<usize> = needed("image")?.split(' ').filter_map(|n| n.parse().ok()).collect();
    let image: Shape = numbers.try_into().map_err(|_| bad("its image is not like 28 28 1".into()))?;
    let mut used = 0;
    // From `from` on, one layer after the other, to the one that nothing reads, or to what several read.
    let mut chain = |from: &str, without: Option<&str>| -> Result<(Vec<Layer>, Vec<String>)> {
        let (mut at, mut layers, mut names) = (from.to_owned(), Vec::new(), Vec::new());
        loop {
            let reads = |(name, _, input): &&Node| *input == at && without != Some(name.as_str());
            let mut next = nodes.iter().filter(reads);
            let Some((name, kind, _)) = next.next() else { return Ok((layers, names)) };
            if next.next().is_some() {
                return Err(unsupported(format!("'{at}' is read by more than one layer")));
            }
            used += 1;
            if used > nodes.len() {
                return Err(unsupported("its layers read each other in a circle".into()));
            }
            layers.push(Layer { name: name.clone(), kind: *kind });
            names.push(name.clone());
            at.clone_from(name);
        }
    };
    let (layers, vae) = match (fact("mean"), fact("log-variance")) {
        (None, None) => (chain(IMAGE, None)?.0, None),
        (Some(mean), Some(variance)) => {
            let (layers, names) = chain(IMAGE, Some(&variance))?;
            let (decoder, _) = chain(LATENT, None)?;
            used += 1;
            let place = |name: &str| nodes.iter().find(|(n, ..)| n == name);
            let encoder = names.iter().position(|n| *n == mean);
            let (Some(encoder), Some((_, kind, input))) = (encoder, place(&variance)) else {
                return Err(bad("its mean or its variance is no layer of it".into()));
            };
            let features = if encoder == 0 { IMAGE } else { &names[encoder - 1] };
            let (Kind::Dense(latent), true) = (*kind, input == features) else {
                return Err(unsupported("its variance is not computed from what its mean is".into()));
            };
            let log_variance = Layer { name: variance, kind: *kind };
            (layers, Some(Vae { latent, encoder, log_variance, decoder }))
        }
        _ => return Err(bad("a VAE has a mean and a log-variance".into())),
    };
    if used != nodes.len() {
        return Err(unsupported("it has layers that lead nowhere".into()));
    }
    let spec = Spec {
        title: fact("title").unwrap_or_else(|| name.clone()),
        family: fact("family").unwrap_or_default(),
        control_of: fact("control-of"),
        defends: fact("defends"),
        dataset: needed("dataset")?,
        name: name.clone(),
        image,
        labels,
        layers,
        vae,
    };
    spec.check()?;
    Ok(spec)
}
