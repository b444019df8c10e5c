//! Networks as data: layers, names and shapes. Training, the weights files, the SIMD core and the page
//! all read a network from here; it is written down nowhere else.

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
    /// `max(x, 0)`.
    Relu,
    /// Maximum over 2x2 windows, stride 2; an odd last row or column is dropped, ties go to the first.
    MaxPool2,
    /// Fully connected layer, plus bias. Reads an image channel by channel (PyTorch's order).
    Dense {
        /// Prefix of its tensors' names.
        name: &'static str,
        /// Outputs.
        outputs: usize,
    },
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
};

/// Every network there is.
pub static ALL: &[&Arch] = &[&MNIST_CNN, &MNIST_DENSE];

/// A trained tensor of a network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parameter {
    /// Its name in a weights file, e.g. `conv1.weight`.
    pub name: String,
    /// `[out, in, rows, cols]`, `[out, in]` or, for a bias, `[out]`.
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

    /// The shape (rows, columns, channels) before the first layer and after each one.
    pub fn shapes(&self) -> Vec<[usize; 3]> {
        let mut shapes = vec![self.dataset.image];
        for layer in self.layers {
            let [h, w, c] = shapes[shapes.len() - 1];
            shapes.push(match *layer {
                Layer::Conv { channels, kernel, stride, .. } => {
                    [(h - kernel) / stride + 1, (w - kernel) / stride + 1, channels]
                }
                Layer::Relu => [h, w, c],
                Layer::MaxPool2 => [h / 2, w / 2, c],
                Layer::Dense { outputs, .. } => [1, 1, outputs],
            });
        }
        shapes
    }

    /// The trained tensors, in order: for each layer that has any, its weight and its bias.
    pub fn parameters(&self) -> Vec<Parameter> {
        let mut parameters = Vec::new();
        for (layer, [h, w, c]) in self.layers.iter().zip(self.shapes()) {
            let (name, shape) = match *layer {
                Layer::Conv { name, channels, kernel, .. } => (name, vec![channels, c, kernel, kernel]),
                Layer::Dense { name, outputs } => (name, vec![outputs, h * w * c]),
                Layer::Relu | Layer::MaxPool2 => continue,
            };
            let fan_in = shape[1..].iter().product();
            let out = shape[0];
            parameters.push(Parameter { name: format!("{name}.weight"), shape, fan_in });
            parameters.push(Parameter { name: format!("{name}.bias"), shape: vec![out], fan_in });
        }
        parameters
    }

    /// Pixels times colours of an image.
    pub fn pixels(&self) -> usize {
        self.dataset.image.iter().product()
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
                Layer::Dense { outputs, .. } => h * w * c * outputs,
                Layer::Relu | Layer::MaxPool2 => 0,
            }
        });
        4 * products.sum::<usize>()
    }
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
        assert!(Arch::by_name("mnist-ccn").unwrap_err().to_string().contains("mnist-cnn"));
    }
}
