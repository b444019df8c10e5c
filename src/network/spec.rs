//! A network as data: image, labels, layers, and what it is. Training, the weights files, the SIMD core and the page all read
//! a network from here. Its text form is in [`text`](super::text).

use super::layer::{Kind, Layer, Parameter, Shape};
use crate::error::{Error, Result};

/// The largest image that a network may read.
pub const MAX_IMAGE: Shape = [256, 256, 4];
/// The most that a network's weights may take as f32, in bytes.
pub const MAX_WEIGHT_BYTES: u64 = 64 << 20;
/// The most that a gradient may cost, in floating-point operations.
pub const MAX_FLOPS: u64 = 2_000_000_000;
/// The most labels that a network may tell apart.
pub const MAX_LABELS: usize = 256;
/// The largest latent vector that can be asked for.
pub const MAX_LATENT: usize = 256;
/// The most layers.
const MAX_LAYERS: usize = 1024;
/// The most numbers that all layers together may put out for an image.
const MAX_NUMBERS: usize = 1 << 24;

/// What makes a classifier a variational auto-encoder (Kingma & Welling 2014): the layers before `mu` and `mu` itself
/// are the encoder's mean, the layers after it read the latent vector `z` as a label, a decoder reads it as an image.
#[derive(Clone, Debug, PartialEq)]
pub struct Vae {
    /// Numbers in the latent vector.
    pub latent: usize,
    /// How many of the network's layers come before the dense layer that computes the mean.
    pub encoder: usize,
    /// The dense layer that computes the logarithm of the variance from what the mean's layer reads.
    pub log_variance: Layer,
    /// From the latent vector to the logits of the pixels (Bernoulli likelihood).
    pub decoder: Vec<Layer>,
}

/// A stretch of a network that runs by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// From the image to the logits; a VAE's through the mean.
    Classifier,
    /// From the image to the embedding, of a siamese network.
    Embedding,
    /// From the image to what the layers of mean and variance read.
    Encoder,
    /// The layer of the mean.
    Mean,
    /// The layer of the logarithm of the variance.
    LogVariance,
    /// From the latent vector to the logits.
    Head,
    /// From the latent vector to the logits of the pixels.
    Decoder,
}

/// A classifier: image in, one logit for each label out.
#[derive(Clone, Debug, PartialEq)]
pub struct Spec {
    /// Its name in files, on the command line and in the page's URL.
    pub name: String,
    /// What a visitor reads.
    pub title: String,
    /// Which networks it is compared with as one of a kind: `cnn`, `vae` and so on, the same on every data set.
    pub family: String,
    /// The network whose layers it has, as its control, where it is one.
    pub control_of: Option<String>,
    /// The network that it defends, trained to withstand attacks, where it does.
    pub defends: Option<String>,
    /// The data set that it was trained on.
    pub dataset: String,
    /// The shape of an image; pixels lie in [0, 1].
    pub image: Shape,
    /// What each label stands for.
    pub labels: Vec<String>,
    /// The layers, from the image to the logits.
    pub layers: Vec<Layer>,
    /// What it has besides when it is a variational auto-encoder.
    pub vae: Option<Vae>,
}

impl Spec {
    /// Whether the layers fit each other and end in the labels, and the whole is within the limits.
    ///
    /// # Errors
    /// [`Error::Unsupported`] that says what is wrong.
    pub fn check(&self) -> Result<()> {
        let wrong = |why: String| Error::Unsupported { network: self.name.clone(), why };
        let (image, most) = (self.image, MAX_IMAGE);
        if image.iter().zip(most).any(|(n, most)| *n == 0 || *n > most) {
            return Err(wrong(format!("its images are {image:?}; at most {most:?} are possible")));
        }
        if self.labels.len() < 2 || self.labels.len() > MAX_LABELS {
            return Err(wrong(format!(
                "a network tells 2 to {MAX_LABELS} labels apart, not {}",
                self.labels.len()
            )));
        }
        let decoder = self.vae.as_ref().map_or(0, |vae| vae.decoder.len());
        if self.layers.len() + decoder > MAX_LAYERS {
            return Err(wrong(format!("it has more than {MAX_LAYERS} layers")));
        }
        let (logits, mut bytes, products) = walk(image, &self.layers).map_err(wrong)?;
        if logits != [1, 1, self.labels.len()] {
            return Err(wrong(format!("it ends in {logits:?} for {} labels", self.labels.len())));
        }
        if let Some(vae) = &self.vae {
            if vae.latent == 0 || vae.latent > MAX_LATENT {
                return Err(wrong(format!(
                    "a latent vector has 1 to {MAX_LATENT} numbers, not {}",
                    vae.latent
                )));
            }
            if vae.encoder + 1 >= self.layers.len() {
                return Err(wrong("it has no layers after its mean".into()));
            }
            let features = walk(image, &self.layers[..vae.encoder]).map_err(wrong)?.0;
            let latent = [1, 1, vae.latent];
            for layer in [&self.layers[vae.encoder], &vae.log_variance] {
                let (output, own, _) = walk(features, std::slice::from_ref(layer)).map_err(wrong)?;
                if output != latent || own == 0 {
                    return Err(wrong(format!(
                        "'{}' does not put out a latent vector of {}",
                        layer.name, vae.latent
                    )));
                }
                bytes = bytes.saturating_add(own);
            }
            let (pixels, own, _) = walk(latent, &vae.decoder).map_err(wrong)?;
            if pixels.iter().product::<usize>() != self.pixels() {
                return Err(wrong(format!("its decoder puts out {pixels:?} for images of {image:?}")));
            }
            bytes = bytes.saturating_add(own);
        }
        if bytes > MAX_WEIGHT_BYTES {
            return Err(wrong(format!(
                "its weights take {bytes} bytes as f32; at most {MAX_WEIGHT_BYTES} are possible"
            )));
        }
        let flops = products.saturating_mul(4);
        if flops > MAX_FLOPS {
            return Err(wrong(format!(
                "a gradient takes {flops} operations; at most {MAX_FLOPS} are possible"
            )));
        }
        let all = self.parameters();
        let twice = |i: usize| all[..i].iter().any(|other| other.name == all[i].name);
        match (0..all.len()).find(|&i| twice(i)) {
            Some(i) => Err(wrong(format!("two of its tensors are called '{}'", all[i].name))),
            None => Ok(()),
        }
    }

    /// This VAE with another number of latent dimensions.
    ///
    /// # Errors
    /// [`Error::BadInput`] when it is no VAE, or the number is 0 or above [`MAX_LATENT`].
    pub fn with_latent(mut self, latent: usize) -> Result<Self> {
        let Some(vae) = &mut self.vae else {
            return Err(Error::BadInput(format!("'{}' has no latent vector", self.name)));
        };
        if latent == 0 || latent > MAX_LATENT {
            return Err(Error::BadInput(format!(
                "a latent vector has 1 to {MAX_LATENT} numbers, not {latent}"
            )));
        }
        vae.latent = latent;
        vae.log_variance = Layer::dense(&vae.log_variance.name, latent);
        let mean = &mut self.layers[vae.encoder];
        *mean = Layer::dense(&mean.name, latent);
        Ok(self)
    }

    /// This network for other labels of the same images: other people, say.
    ///
    /// # Errors
    /// [`Error::BadInput`] for fewer than 2 labels or more than [`MAX_LABELS`].
    pub fn with_labels(mut self, labels: &[String]) -> Result<Self> {
        if labels.len() < 2 || labels.len() > MAX_LABELS {
            let count = labels.len();
            return Err(Error::BadInput(format!(
                "a network tells 2 to {MAX_LABELS} labels apart, not {count}"
            )));
        }
        if let Some(last) = self.layers.last_mut() {
            last.kind = match last.kind {
                Kind::Prototypes(_) => Kind::Prototypes(labels.len()),
                _ => Kind::Dense(labels.len()),
            };
        }
        self.labels = labels.to_vec();
        Ok(self)
    }

    /// The input shape and the layers of a part; `None` for what only a VAE has.
    pub fn part(&self, part: Part) -> Option<(Shape, &[Layer])> {
        if part == Part::Classifier {
            return Some((self.image, &self.layers));
        }
        if part == Part::Embedding {
            return self.embedding().map(|_| (self.image, &self.layers[..self.layers.len() - 1]));
        }
        let vae = self.vae.as_ref()?;
        let (before, after) = self.layers.split_at(vae.encoder);
        let features = || shapes(self.image, before).last().copied().unwrap_or(self.image);
        let latent = [1, 1, vae.latent];
        Some(match part {
            Part::Classifier | Part::Embedding | Part::Encoder => (self.image, before),
            Part::Mean => (features(), &after[..1]),
            Part::LogVariance => (features(), std::slice::from_ref(&vae.log_variance)),
            Part::Head => (latent, &after[1..]),
            Part::Decoder => (latent, &vae.decoder),
        })
    }

    /// The trained tensors, in order: for each layer that has any, its weight and its bias, if it has one; a VAE's layer of the
    /// logarithm of the variance and its decoder come last.
    pub fn parameters(&self) -> Vec<Parameter> {
        let mut all = Vec::new();
        for part in [Part::Classifier, Part::LogVariance, Part::Decoder] {
            if let Some((input, layers)) = self.part(part) {
                all.append(&mut parameters(input, layers));
            }
        }
        all
    }

    /// Pixels times colours of an image.
    pub fn pixels(&self) -> usize {
        self.image.iter().product()
    }

    /// Labels, and so logits.
    pub fn classes(&self) -> usize {
        self.labels.len()
    }

    /// Whether it is a variational auto-encoder.
    pub fn is_vae(&self) -> bool {
        self.vae.is_some()
    }

    /// Numbers in the embedding that it compares with prototypes: what makes a network siamese (Bromley et al. 1993: the same
    /// layers for both images of a pair). `None` for others.
    pub fn embedding(&self) -> Option<usize> {
        match self.layers.split_last() {
            Some((Layer { kind: Kind::Prototypes(_), .. }, rest)) => {
                shapes(self.image, rest).last().map(|shape| shape.iter().product())
            }
            _ => None,
        }
    }

    /// Floating-point operations of one gradient with respect to the input, had every product been
    /// computed: a multiply and an add for each weight use, forward and back.
    pub fn gradient_flops(&self) -> u64 {
        walk(self.image, &self.layers).map_or(0, |(_, _, products)| 4 * products)
    }
}

/// The output of layers, the bytes of their weights as f32, and their products; which layer does not fit, in words.
fn walk(input: Shape, layers: &[Layer]) -> std::result::Result<(Shape, u64, u64), String> {
    let (mut shapes, mut bytes, mut products, mut numbers) = (vec![input], 0u64, 0u64, 0usize);
    let mut read = vec![false; layers.len() + 1];
    for (i, layer) in layers.iter().enumerate() {
        let wrong = |why: String| format!("layer {} ({}): {why}", i + 1, layer.kind);
        let at = layer.reads(&shapes).and_then(|inputs| layer.kind.at(&inputs)).map_err(wrong)?;
        layer.from.iter().for_each(|back| read[i + 1 - back] = true);
        if let Some((weight, bias, _)) = &at.weight {
            let numbers = weight.iter().fold(1u64, |product, n| product.saturating_mul(*n as u64));
            bytes = bytes.saturating_add(numbers.saturating_add(*bias as u64).saturating_mul(4));
        }
        products = products.saturating_add(at.products);
        numbers = numbers.saturating_add(at.output.iter().product());
        if numbers > MAX_NUMBERS {
            return Err(wrong(format!(
                "up to here layers put out {numbers} numbers; at most {MAX_NUMBERS} are possible"
            )));
        }
        shapes.push(at.output);
    }
    // The last one's output is that of the whole.
    if let Some(i) = read[..layers.len()].iter().position(|read| !read) {
        return Err(match i.checked_sub(1) {
            None => "nothing reads its input".into(),
            Some(i) => format!("layer {} ({}) leads nowhere", i + 1, layers[i].kind),
        });
    }
    Ok((shapes.pop().unwrap_or(input), bytes, products))
}

/// The shape before the first of `layers` and after each one, up to one that does not fit.
pub fn shapes(input: Shape, layers: &[Layer]) -> Vec<Shape> {
    let mut shapes = vec![input];
    for layer in layers {
        let Ok(at) = layer.reads(&shapes).and_then(|inputs| layer.kind.at(&inputs)) else { break };
        shapes.push(at.output);
    }
    shapes
}

/// The trained tensors of `layers`.
pub fn parameters(input: Shape, layers: &[Layer]) -> Vec<Parameter> {
    let shapes = shapes(input, layers);
    let mut all = Vec::new();
    for (layer, i) in layers.iter().zip(1..shapes.len()) {
        // Up to here all fit.
        all.append(&mut layer.parameters(&layer.reads(&shapes[..i]).unwrap_or_default()));
    }
    all
}
