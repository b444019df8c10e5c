//! Networks as data: layers, names and shapes. Training, the weights files, the SIMD core and the page
//! all read a network from here; it is written down nowhere else.

use std::sync::{Mutex, PoisonError};

use crate::error::{Error, Result};

/// A data set that networks are trained on.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Dataset {
    /// Its name in files and on the command line.
    pub name: &'static str,
    /// Rows, columns and colour channels of an image; pixels lie in [0, 1].
    pub image: [usize; 3],
    /// What each label stands for.
    pub labels: &'static [&'static str],
    /// When an attacked image counts as still readable, unless someone says otherwise.
    pub validity: Validity,
}

/// When an attacked image counts as valid: not distorted to the naked eye. There is no agreed measure of it (Sharif,
/// Bauer, Reiter 2018, "On the suitability of Lp-norms for creating and preventing adversarial examples"); this is a
/// stated stand-in.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Validity {
    /// Euclidean length of the change, in pixel units of [0, 1], at most this.
    L2AtMost(f64),
    /// Structural similarity with the original at least this.
    SsimAtLeast(f64),
}

/// Handwritten digits (LeCun, Cortes, Burges 1998).
pub static MNIST: Dataset = Dataset {
    name: "mnist",
    image: [28, 28, 1],
    labels: &["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"],
    validity: Validity::L2AtMost(1.5),
};

/// Faces: the people of whom Labeled Faces in the Wild (Huang et al. 2007) has at least 70 photographs, centre crop of
/// 154 x 154 in colour.
pub static LFW: Dataset = Dataset {
    name: "lfw",
    image: [154, 154, 3],
    labels: &[
        "Ariel Sharon",
        "Colin Powell",
        "Donald Rumsfeld",
        "George W Bush",
        "Gerhard Schroeder",
        "Hugo Chavez",
        "Tony Blair",
    ],
    validity: Validity::SsimAtLeast(0.95),
};

/// Every data set there is.
pub static DATASETS: &[&Dataset] = &[&MNIST, &LFW];

impl Dataset {
    /// Pixels times colours of an image.
    pub fn pixels(&self) -> usize {
        self.image.iter().product()
    }
}

/// One layer of a network.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layer {
    /// Convolution without padding, plus bias.
    Conv {
        /// Prefix of its tensors' names.
        name: &'static str,
        /// Output channels.
        channels: usize,
        /// Rows and columns of the kernel.
        kernel: usize,
        /// Step between output positions.
        stride: usize,
    },
    /// Transposed convolution without padding (the adjoint of a [`Conv`](Self::Conv)), plus bias.
    ConvTranspose {
        /// Prefix of its tensors' names.
        name: &'static str,
        /// Output channels.
        channels: usize,
        /// Rows and columns of the kernel.
        kernel: usize,
        /// Step between the places where input positions put their kernels.
        stride: usize,
    },
    /// `max(x, 0)`.
    Relu,
    /// Mean over windows of this many rows and columns, side by side; rows and columns that do not fill one are dropped.
    AvgPool(usize),
    /// Repeats each pixel over this many rows and columns.
    Upsample(usize),
    /// Maximum over 2x2 windows, stride 2; an odd last row or column is dropped, ties go to the first.
    MaxPool2,
    /// Fully connected layer, plus bias. Reads an image channel by channel (PyTorch's order).
    Dense {
        /// Prefix of its tensors' names.
        name: &'static str,
        /// Outputs.
        outputs: usize,
    },
    /// Reads a vector as an image of these rows, columns and channels, pixel by pixel.
    Unflatten([usize; 3]),
}

/// What makes a classifier a variational auto-encoder (Kingma & Welling 2014): the layers before `mu` and `mu` itself
/// are the encoder's mean, the layers after it read the latent vector `z` as a label, a decoder reads it as an image.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Vae {
    /// Numbers in the latent vector.
    pub latent: usize,
    /// How many of the architecture's layers come before the dense layer that computes the mean.
    pub encoder: usize,
    /// The dense layer that computes the logarithm of the variance from what the mean's layer reads.
    pub log_variance: Layer,
    /// From the latent vector to the logits of the pixels (Bernoulli likelihood).
    pub decoder: &'static [Layer],
}

/// A stretch of an architecture that runs by itself.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part {
    /// From the image to the logits; a VAE's through the mean.
    Classifier,
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
#[derive(Clone, Copy, Debug)]
pub struct Arch {
    /// Its name in files, on the command line and in the page's URL.
    pub name: &'static str,
    /// What a visitor reads.
    pub title: &'static str,
    /// The data set it is trained on.
    pub dataset: &'static Dataset,
    /// The layers, from the image to the logits.
    pub layers: &'static [Layer],
    /// What it has besides when it is a variational auto-encoder.
    pub vae: Option<Vae>,
}

/// 3x3 conv 32, ReLU, pool, 3x3 conv 64, ReLU, pool, dense 128, ReLU, dense 10: 225,034 weights.
pub static MNIST_CNN: Arch = Arch {
    name: "mnist-cnn",
    title: "Convolutional network",
    dataset: &MNIST,
    layers: &[
        Layer::Conv { name: "conv1", channels: 32, kernel: 3, stride: 1 },
        Layer::Relu,
        Layer::MaxPool2,
        Layer::Conv { name: "conv2", channels: 64, kernel: 3, stride: 1 },
        Layer::Relu,
        Layer::MaxPool2,
        Layer::Dense { name: "dense1", outputs: 128 },
        Layer::Relu,
        Layer::Dense { name: "dense2", outputs: 10 },
    ],
    vae: None,
};

/// Dense 400, ReLU, dense 20, dense 64, ReLU, dense 10: 324,014 weights. No convolution: the pixels' neighbourhood is
/// nothing to it.
pub static MNIST_DENSE: Arch = Arch {
    name: "mnist-dense",
    title: "Dense network",
    dataset: &MNIST,
    layers: &[
        Layer::Dense { name: "dense1", outputs: 400 },
        Layer::Relu,
        Layer::Dense { name: "dense2", outputs: 20 },
        Layer::Dense { name: "dense3", outputs: 64 },
        Layer::Relu,
        Layer::Dense { name: "dense4", outputs: 10 },
    ],
    vae: None,
};

/// The vanilla VAE of Kingma & Welling, 784-400-20 and back, whose latent vector a small dense network reads. As a
/// classifier it has the layers of [`MNIST_DENSE`]: that one is its control, without KL and sampling.
pub static MNIST_VAE: Arch = Arch {
    name: "mnist-vae",
    title: "Vanilla VAE",
    dataset: &MNIST,
    layers: &[
        Layer::Dense { name: "encoder1", outputs: 400 },
        Layer::Relu,
        Layer::Dense { name: "mean", outputs: 20 },
        Layer::Dense { name: "head1", outputs: 64 },
        Layer::Relu,
        Layer::Dense { name: "head2", outputs: 10 },
    ],
    vae: Some(Vae {
        latent: 20,
        encoder: 2,
        log_variance: Layer::Dense { name: "log_variance", outputs: 20 },
        decoder: &[
            Layer::Dense { name: "decoder1", outputs: 400 },
            Layer::Relu,
            Layer::Dense { name: "decoder2", outputs: 784 },
        ],
    }),
};

/// Strided convolutions 32, 64 and 64, latent 20, transposed convolutions back.
pub static MNIST_CONV_VAE: Arch = Arch {
    name: "mnist-conv-vae",
    title: "Convolutional VAE",
    dataset: &MNIST,
    layers: &[
        Layer::Conv { name: "encoder1", channels: 32, kernel: 4, stride: 2 },
        Layer::Relu,
        Layer::Conv { name: "encoder2", channels: 64, kernel: 3, stride: 2 },
        Layer::Relu,
        Layer::Conv { name: "encoder3", channels: 64, kernel: 4, stride: 2 },
        Layer::Relu,
        Layer::Dense { name: "mean", outputs: 20 },
        Layer::Dense { name: "head1", outputs: 64 },
        Layer::Relu,
        Layer::Dense { name: "head2", outputs: 10 },
    ],
    vae: Some(Vae {
        latent: 20,
        encoder: 6,
        log_variance: Layer::Dense { name: "log_variance", outputs: 20 },
        decoder: &[
            Layer::Dense { name: "decoder1", outputs: 256 },
            Layer::Relu,
            Layer::Unflatten([2, 2, 64]),
            Layer::ConvTranspose { name: "decoder2", channels: 64, kernel: 4, stride: 2 },
            Layer::Relu,
            Layer::ConvTranspose { name: "decoder3", channels: 32, kernel: 3, stride: 2 },
            Layer::Relu,
            Layer::ConvTranspose { name: "decoder4", channels: 1, kernel: 4, stride: 2 },
        ],
    }),
};

/// The layers of [`MNIST_CONV_VAE`] as a plain classifier: its control, without KL and sampling.
pub static MNIST_CONV_ENCODER: Arch = Arch {
    name: "mnist-conv-encoder",
    title: "Strided convolutional network",
    dataset: &MNIST,
    layers: MNIST_CONV_VAE.layers,
    vae: None,
};

/// 5x5 conv of stride 2, then 3x3 convs, pooled thrice, dense 128: 141 MFLOP an input gradient.
pub static LFW_CNN: Arch = Arch {
    name: "lfw-cnn",
    title: "Convolutional network",
    dataset: &LFW,
    layers: &[
        Layer::Conv { name: "conv1", channels: 24, kernel: 5, stride: 2 },
        Layer::Relu,
        Layer::MaxPool2,
        Layer::Conv { name: "conv2", channels: 48, kernel: 3, stride: 1 },
        Layer::Relu,
        Layer::MaxPool2,
        Layer::Conv { name: "conv3", channels: 96, kernel: 3, stride: 1 },
        Layer::Relu,
        Layer::MaxPool2,
        Layer::Conv { name: "conv4", channels: 128, kernel: 3, stride: 1 },
        Layer::Relu,
        Layer::Dense { name: "dense1", outputs: 128 },
        Layer::Relu,
        Layer::Dense { name: "dense2", outputs: 7 },
    ],
    vae: None,
};

/// A vanilla VAE that sees faces at half their resolution: at the whole one its two large layers alone would hold twelve
/// million weights.
pub static LFW_VAE: Arch = Arch {
    name: "lfw-vae",
    title: "Vanilla VAE",
    dataset: &LFW,
    layers: &[
        Layer::AvgPool(2),
        Layer::Dense { name: "encoder1", outputs: 112 },
        Layer::Relu,
        Layer::Dense { name: "mean", outputs: 32 },
        Layer::Dense { name: "head1", outputs: 64 },
        Layer::Relu,
        Layer::Dense { name: "head2", outputs: 7 },
    ],
    vae: Some(Vae {
        latent: 32,
        encoder: 3,
        log_variance: Layer::Dense { name: "log_variance", outputs: 32 },
        decoder: &[
            Layer::Dense { name: "decoder1", outputs: 48 },
            Layer::Dense { name: "decoder2", outputs: 77 * 77 * 3 },
            Layer::Unflatten([77, 77, 3]),
            Layer::Upsample(2),
        ],
    }),
};

/// The layers of [`LFW_VAE`] as a plain classifier: its control, without KL and sampling, at the same half resolution.
pub static LFW_DENSE: Arch =
    Arch { name: "lfw-dense", title: "Dense network", dataset: &LFW, layers: LFW_VAE.layers, vae: None };

/// Strided convolutions 24, 48, 64 and 96, latent 64, transposed convolutions back: 177 MFLOP an input gradient.
pub static LFW_CONV_VAE: Arch = Arch {
    name: "lfw-conv-vae",
    title: "Convolutional VAE",
    dataset: &LFW,
    layers: &[
        Layer::Conv { name: "encoder1", channels: 24, kernel: 6, stride: 2 },
        Layer::Relu,
        Layer::Conv { name: "encoder2", channels: 48, kernel: 3, stride: 2 },
        Layer::Relu,
        Layer::Conv { name: "encoder3", channels: 64, kernel: 3, stride: 2 },
        Layer::Relu,
        Layer::Conv { name: "encoder4", channels: 96, kernel: 4, stride: 2 },
        Layer::Relu,
        Layer::Dense { name: "mean", outputs: 64 },
        Layer::Dense { name: "head1", outputs: 64 },
        Layer::Relu,
        Layer::Dense { name: "head2", outputs: 7 },
    ],
    vae: Some(Vae {
        latent: 64,
        encoder: 8,
        log_variance: Layer::Dense { name: "log_variance", outputs: 64 },
        decoder: &[
            Layer::Dense { name: "decoder1", outputs: 8 * 8 * 96 },
            Layer::Relu,
            Layer::Unflatten([8, 8, 96]),
            Layer::ConvTranspose { name: "decoder2", channels: 64, kernel: 4, stride: 2 },
            Layer::Relu,
            Layer::ConvTranspose { name: "decoder3", channels: 48, kernel: 3, stride: 2 },
            Layer::Relu,
            Layer::ConvTranspose { name: "decoder4", channels: 24, kernel: 3, stride: 2 },
            Layer::Relu,
            Layer::ConvTranspose { name: "decoder5", channels: 3, kernel: 6, stride: 2 },
        ],
    }),
};

/// Every network there is.
pub static ALL: &[&Arch] = &[
    &MNIST_CNN,
    &MNIST_DENSE,
    &MNIST_CONV_ENCODER,
    &MNIST_VAE,
    &MNIST_CONV_VAE,
    &LFW_CNN,
    &LFW_DENSE,
    &LFW_VAE,
    &LFW_CONV_VAE,
];

/// The most labels that a data set can have.
pub const MAX_LABELS: usize = 256;

/// The largest latent vector that can be asked for.
pub const MAX_LATENT: usize = 256;

/// A trained tensor of a network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parameter {
    /// Its name in a weights file, e.g. `conv1.weight`.
    pub name: String,
    /// `[out, in, rows, cols]` (`[in, out, rows, cols]` of a transposed convolution), `[out, in]` or, for a bias, `[out]`.
    pub shape: Vec<usize>,
    /// Inputs that one output sums over: what an initialisation scales by.
    pub fan_in: usize,
}

impl Parameter {
    /// Numbers in the tensor.
    pub fn count(&self) -> usize {
        self.shape.iter().product()
    }
}

impl Arch {
    /// The network called `name`.
    ///
    /// # Errors
    /// [`Error::UnknownArch`], with the names there are.
    pub fn by_name(name: &str) -> Result<&'static Self> {
        ALL.iter().copied().find(|a| a.name == name).ok_or_else(|| Error::UnknownArch {
            name: name.to_owned(),
            known: ALL.iter().map(|a| a.name).collect::<Vec<_>>().join(", "),
        })
    }

    /// This VAE with another number of latent dimensions.
    ///
    /// # Errors
    /// [`Error::BadInput`] when it is no VAE, or the number is 0 or above [`MAX_LATENT`].
    pub fn with_latent(&'static self, latent: usize) -> Result<&'static Self> {
        let vae = self.vae.ok_or_else(|| Error::BadInput(format!("'{}' has no latent vector", self.name)))?;
        if latent == vae.latent {
            return Ok(self);
        }
        if latent == 0 || latent > MAX_LATENT {
            return Err(Error::BadInput(format!(
                "a latent vector has 1 to {MAX_LATENT} numbers, not {latent}"
            )));
        }
        let mut layers = self.layers.to_vec();
        layers[vae.encoder] = resized(layers[vae.encoder], latent);
        let vae = Vae { latent, log_variance: resized(vae.log_variance, latent), ..vae };
        Ok(interned(Self { layers: Vec::leak(layers), vae: Some(vae), ..*self }))
    }

    /// This network for other labels of the same images: other people, say.
    ///
    /// # Errors
    /// [`Error::BadInput`] for fewer than 2 labels or more than [`MAX_LABELS`].
    pub fn with_labels(&'static self, labels: &[String]) -> Result<&'static Self> {
        if self.dataset.labels.iter().eq(labels) {
            return Ok(self);
        }
        if labels.len() < 2 || labels.len() > MAX_LABELS {
            return Err(Error::BadInput(format!(
                "a network tells 2 to {MAX_LABELS} labels apart, not {}",
                labels.len()
            )));
        }
        let mut layers = self.layers.to_vec();
        if let Some(last) = layers.last_mut() {
            *last = resized(*last, labels.len());
        }
        let labels: Vec<&'static str> = labels.iter().map(|l| &*String::leak(l.clone())).collect();
        let dataset = Box::leak(Box::new(Dataset { labels: Vec::leak(labels), ..*self.dataset }));
        Ok(interned(Self { layers: Vec::leak(layers), dataset, ..*self }))
    }

    /// The input shape (rows, columns, channels) and the layers of a part; `None` for what only a VAE has.
    pub fn part(&self, part: Part) -> Option<([usize; 3], Vec<Layer>)> {
        let image = self.dataset.image;
        if part == Part::Classifier {
            return Some((image, self.layers.to_vec()));
        }
        let vae = self.vae?;
        let (before, after) = self.layers.split_at(vae.encoder);
        let features = shapes(image, before)[before.len()];
        let latent = [1, 1, vae.latent];
        Some(match part {
            Part::Classifier | Part::Encoder => (image, before.to_vec()),
            Part::Mean => (features, after[..1].to_vec()),
            Part::LogVariance => (features, vec![vae.log_variance]),
            Part::Head => (latent, after[1..].to_vec()),
            Part::Decoder => (latent, vae.decoder.to_vec()),
        })
    }

    /// The shape (rows, columns, channels) before the first layer and after each one.
    pub fn shapes(&self) -> Vec<[usize; 3]> {
        shapes(self.dataset.image, self.layers)
    }

    /// The trained tensors, in order: for each layer that has any, its weight and its bias; a VAE's layer of the
    /// logarithm of the variance and its decoder come last.
    pub fn parameters(&self) -> Vec<Parameter> {
        let parts = [Part::Classifier, Part::LogVariance, Part::Decoder];
        parts
            .into_iter()
            .filter_map(|part| self.part(part))
            .flat_map(|(input, layers)| parameters(input, &layers))
            .collect()
    }

    /// Pixels times colours of an image.
    pub fn pixels(&self) -> usize {
        self.dataset.pixels()
    }

    /// Labels, and so logits.
    pub fn classes(&self) -> usize {
        self.dataset.labels.len()
    }

    /// Floating-point operations of one gradient with respect to the input, had every product been
    /// computed: a multiply and an add for each weight use, forward and back.
    pub fn gradient_flops(&self) -> usize {
        let shapes = self.shapes();
        let products = self.layers.iter().enumerate().map(|(i, layer)| {
            let ([h, w, c], [oh, ow, oc]) = (shapes[i], shapes[i + 1]);
            match *layer {
                Layer::Conv { kernel, .. } => oh * ow * oc * c * kernel * kernel,
                Layer::ConvTranspose { kernel, .. } => h * w * c * oc * kernel * kernel,
                Layer::Dense { outputs, .. } => h * w * c * outputs,
                _ => 0,
            }
        });
        4 * products.sum::<usize>()
    }
}

/// A dense layer with another number of outputs.
fn resized(layer: Layer, outputs: usize) -> Layer {
    match layer {
        Layer::Dense { name, .. } => Layer::Dense { name, outputs },
        layer => layer,
    }
}

/// An architecture that is no constant: made once for each latent size and set of labels that is asked for, and kept,
/// since architectures are static data.
fn interned(arch: Arch) -> &'static Arch {
    static OTHERS: Mutex<Vec<&'static Arch>> = Mutex::new(Vec::new());
    let mut others = OTHERS.lock().unwrap_or_else(PoisonError::into_inner);
    let same = |a: &&&'static Arch| a.name == arch.name && a.vae == arch.vae && a.dataset == arch.dataset;
    if let Some(other) = others.iter().find(same) {
        return other;
    }
    let arch: &'static Arch = Box::leak(Box::new(arch));
    others.push(arch);
    arch
}

/// The shape before the first of `layers` and after each one.
pub fn shapes(input: [usize; 3], layers: &[Layer]) -> Vec<[usize; 3]> {
    let mut shapes = vec![input];
    for layer in layers {
        let [h, w, c] = shapes[shapes.len() - 1];
        shapes.push(match *layer {
            Layer::Conv { channels, kernel, stride, .. } => {
                [(h - kernel) / stride + 1, (w - kernel) / stride + 1, channels]
            }
            Layer::ConvTranspose { channels, kernel, stride, .. } => {
                [(h - 1) * stride + kernel, (w - 1) * stride + kernel, channels]
            }
            Layer::Relu => [h, w, c],
            Layer::MaxPool2 => [h / 2, w / 2, c],
            Layer::AvgPool(n) => [h / n, w / n, c],
            Layer::Upsample(n) => [h * n, w * n, c],
            Layer::Dense { outputs, .. } => [1, 1, outputs],
            Layer::Unflatten(image) => image,
        });
    }
    shapes
}

/// The trained tensors of `layers`.
pub fn parameters(input: [usize; 3], layers: &[Layer]) -> Vec<Parameter> {
    let mut parameters = Vec::new();
    for (layer, [h, w, c]) in layers.iter().zip(shapes(input, layers)) {
        let (name, shape, outputs, fan_in) = match *layer {
            Layer::Conv { name, channels, kernel, .. } => {
                (name, vec![channels, c, kernel, kernel], channels, c * kernel * kernel)
            }
            // An output position is covered by every `stride`-th row and column of the kernels around it.
            Layer::ConvTranspose { name, channels, kernel, stride } => (
                name,
                vec![c, channels, kernel, kernel],
                channels,
                c * (kernel * kernel).div_ceil(stride * stride),
            ),
            Layer::Dense { name, outputs } => (name, vec![outputs, h * w * c], outputs, h * w * c),
            _ => continue,
        };
        parameters.push(Parameter { name: format!("{name}.weight"), shape, fan_in });
        parameters.push(Parameter { name: format!("{name}.bias"), shape: vec![outputs], fan_in });
    }
    parameters
}

#[cfg(test)]
mod tests {
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;

    #[test]
    fn the_cnn_is_the_one_described() {
        let weights: usize = MNIST_CNN.parameters().iter().map(Parameter::count).sum();
        assert_eq!(weights, 225_034);
        assert_eq!(MNIST_CNN.shapes().last(), Some(&[1, 1, 10]));
        assert_eq!(MNIST_CNN.gradient_flops(), 10_524_160);
    }

    #[test]
    fn every_network_ends_in_its_labels_and_names_its_tensors_once() {
        for arch in ALL {
            assert_eq!(arch.shapes().last(), Some(&[1, 1, arch.classes()]));
            let mut names: Vec<String> = arch.parameters().into_iter().map(|p| p.name).collect();
            names.sort();
            names.dedup();
            assert_eq!(names.len(), arch.parameters().len());
            assert!(Arch::by_name(arch.name).is_ok());
        }
        for arch in ALL.iter().filter(|a| a.dataset == &LFW) {
            assert!(arch.gradient_flops() <= 300_000_000, "{}: {}", arch.name, arch.gradient_flops());
        }
        for arch in ALL.iter().filter(|a| a.vae.is_some()) {
            let (input, layers) = arch.part(Part::Decoder).unwrap();
            assert_eq!(shapes(input, &layers)[layers.len()].iter().product::<usize>(), arch.pixels());
        }
        assert!(Arch::by_name("mnist-ccn").unwrap_err().to_string().contains("mnist-cnn"));
    }

    #[test]
    fn a_latent_vector_of_another_size_changes_its_layers_alone() {
        let other = MNIST_CONV_VAE.with_latent(7).unwrap();
        assert!(std::ptr::eq(other, MNIST_CONV_VAE.with_latent(7).unwrap()));
        let changed: Vec<String> = std::iter::zip(other.parameters(), MNIST_CONV_VAE.parameters())
            .filter(|(a, b)| a != b)
            .map(|(a, _)| a.name)
            .collect();
        assert_eq!(
            changed,
            [
                "mean.weight",
                "mean.bias",
                "head1.weight",
                "head1.bias",
                "log_variance.weight",
                "log_variance.bias",
                "decoder1.weight",
                "decoder1.bias"
            ]
        );
        let people = ["Ada", "Grace", "Emmy"].map(String::from);
        let other = LFW_CNN.with_labels(&people).unwrap();
        assert!(std::ptr::eq(other, LFW_CNN.with_labels(&people).unwrap()));
        assert_eq!((other.classes(), other.shapes().last()), (3, Some(&[1, 1, 3])));
        assert!(LFW_CNN.with_labels(&people[..1]).is_err());
        assert!(MNIST_VAE.with_latent(0).is_err() && MNIST_CNN.with_latent(20).is_err());
    }
}
