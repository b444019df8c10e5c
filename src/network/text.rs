//! A network as text, as it stands in a weights file. A layer a line: its name, its kind, and after `<-` the name of what it
//! reads (`image`, `latent` of a VAE's decoder, or another layer), several with commas between:
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
//! A VAE says besides `mean NAME` and `log-variance NAME`.

use std::fmt::Write;

use super::layer::{Kind, Layer, Shape};
use super::spec::{Spec, Vae};
use crate::error::{Error, Result};

const FORMAT: &str = "misread-network-1";
const IMAGE: &str = "image";
const LATENT: &str = "latent";
/// The longest text that is read, in bytes.
const MAX_TEXT: usize = 128 << 10;

/// A layer with its name and the names of what it reads.
struct Node {
    name: String,
    kind: Kind,
    reads: Vec<String>,
}

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
    // From `from` on; the name of the last one.
    let mut stretch = |from: &str, layers: &[Layer], place: &str| {
        let mut names = vec![from.to_owned()];
        for (i, layer) in layers.iter().enumerate() {
            let name = if layer.name.is_empty() { format!("{place}.{}", i + 1) } else { line(&layer.name) };
            let read = |back: &usize| names.len().checked_sub(*back).and_then(|place| names.get(place));
            let reads: Vec<&str> = layer.from.iter().filter_map(read).map(String::as_str).collect();
            let _ = writeln!(out, "layer {name}: {} <- {}", layer.kind, reads.join(", "));
            names.push(name);
        }
        names.pop().unwrap_or_default()
    };
    match &spec.vae {
        None => {
            stretch(IMAGE, &spec.layers, "layer");
        }
        Some(vae) => {
            let (before, after) = spec.layers.split_at(vae.encoder);
            let features = stretch(IMAGE, before, "layer");
            let mean = stretch(&features, &after[..1], "mean");
            let variance = stretch(&features, std::slice::from_ref(&vae.log_variance), "variance");
            stretch(&mean, &after[1..], "head");
            stretch(LATENT, &vae.decoder, "decoder");
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
        let (kind, input) = (kind.trim(), input.strip_prefix('-').ok_or_else(form)?);
        let kind = kind.parse().map_err(|why: String| wrong(&why))?;
        if nodes.iter().any(|other| other.name == name) || [IMAGE, LATENT].contains(&name) {
            return Err(wrong("this name is taken"));
        }
        let reads = input.split(',').map(|one| one.trim().to_owned()).collect();
        nodes.push(Node { name: name.to_owned(), kind, reads });
    }
    let fact = |key: &str| facts.iter().find(|(k, _)| *k == key).map(|(_, v)| (*v).to_owned());
    let needed = |key: &str| fact(key).ok_or_else(|| bad(format!("it says no {key}")));
    let name = needed("name")?;
    let unsupported = |why: String| Error::Unsupported { network: name.clone(), why };
    let numbers: Vec<usize> = needed("image")?.split(' ').filter_map(|n| n.parse().ok()).collect();
    let image: Shape = numbers.try_into().map_err(|_| bad("its image is not like 28 28 1".into()))?;
    let mut used = vec![false; nodes.len()];
    // From `from` on, each layer as soon as all that it reads is there, in the order of the lines.
    let mut stretch = |from: &str, without: Option<&str>| -> (Vec<Layer>, Vec<String>) {
        let (mut names, mut layers) = (vec![from.to_owned()], Vec::new());
        loop {
            let place = |read: &String| names.iter().position(|name| name == read);
            let ready = |(i, node): &(usize, &Node)| {
                !used[*i]
                    && without != Some(node.name.as_str())
                    && node.reads.iter().all(|read| place(read).is_some())
            };
            let Some((i, node)) = nodes.iter().enumerate().find(ready) else {
                names.remove(0);
                return (layers, names);
            };
            used[i] = true;
            let from = node.reads.iter().filter_map(place).map(|place| names.len() - place).collect();
            layers.push(Layer { name: node.name.clone(), kind: node.kind, from });
            names.push(node.name.clone());
        }
    };
    let (layers, vae) = match (fact("mean"), fact("log-variance")) {
        (None, None) => (stretch(IMAGE, None).0, None),
        (Some(mean), Some(variance)) => {
            let (layers, names) = stretch(IMAGE, Some(&variance));
            let (decoder, _) = stretch(LATENT, None);
            let place = nodes.iter().position(|node| node.name == variance);
            let encoder = names.iter().position(|n| *n == mean);
            let (Some(encoder), Some(place)) = (encoder, place) else {
                return Err(bad("its mean or its variance is no layer of it".into()));
            };
            used[place] = true;
            let Node { kind, reads, .. } = &nodes[place];
            let features = if encoder == 0 { IMAGE } else { &names[encoder - 1] };
            let (Kind::Dense(latent), true) = (*kind, reads.len() == 1 && reads[0] == features) else {
                return Err(unsupported("its variance is not computed from what its mean is".into()));
            };
            let log_variance = Layer::dense(&variance, latent);
            (layers, Some(Vae { latent, encoder, log_variance, decoder }))
        }
        _ => return Err(bad("a VAE has a mean and a log-variance".into())),
    };
    if let Some(i) = used.iter().position(|used| !used) {
        let why = format!("'{}' reads what is not there, or what reads it in turn", nodes[i].name);
        return Err(unsupported(why));
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
