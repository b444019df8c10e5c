//! A network to ONNX: opset 13, one input, one output, weights in single precision inside the file.

use super::proto::{Attribute, Model, Node, Outside, Tensor, data_type};
use crate::error::{Error, Result};
use crate::network::layer::Shape;
use crate::network::spec::{parameters, shapes};
use crate::network::{Kind, Part, Weights};

/// The version of the operators, and of the format, that is written.
const OPSET: i64 = 13;
const IR_VERSION: i64 = 8;

/// A part of a network as the bytes of a file: the classifier (`image`, N x channels x rows x columns in [0, 1], to `logits`), a VAE's
/// encoder up to its mean (`image` to `mean`), or its decoder (`latent` to `pixels`, in [0, 1]).
///
/// # Errors
/// [`Error::Unsupported`] where the network has no such part.
pub fn export(weights: &Weights, part: Part) -> Result<Vec<u8>> {
    let spec = &weights.spec;
    let none =
        |what: &str| Error::Unsupported { network: spec.name.clone(), why: format!("it has no {what}") };
    let (input, mut layers) = spec.part(part).ok_or_else(|| none(&format!("{part:?}")))?;
    if part == Part::Encoder {
        let vae = spec.vae.as_ref().ok_or_else(|| none("encoder"))?;
        layers = &spec.layers[..=vae.encoder];
    }
    let all = spec.parameters();
    let tensor = |name: &str| {
        let place = all.iter().position(|parameter| parameter.name == name);
        place.map(|place| weights.tensors[place].as_slice()).ok_or_else(|| none(name))
    };
    let (from, to) = match part {
        Part::Decoder => ("latent", "pixels"),
        Part::Encoder => ("image", "mean"),
        _ => ("image", "logits"),
    };
    let mut writer =
        Writer { nodes: Vec::new(), tensors: Vec::new(), at: from.into(), flat: part == Part::Decoder };
    let shapes = shapes(input, layers);
    for ((layer, input), output) in layers.iter().zip(&shapes).zip(&shapes[1..]) {
        let own = parameters(*input, std::slice::from_ref(layer));
        let own = own
            .iter()
            .map(|p| Ok((p.name.as_str(), p.shape.as_slice(), tensor(&p.name)?)))
            .collect::<Result<Vec<_>>>()?;
        writer.layer(layer.kind, *input, *output, &own);
    }
    if part == Part::Decoder {
        writer.node("Sigmoid", &[], vec![]);
    }
    let last = shapes.last().copied().unwrap_or(input);
    if let Some(node) = writer.nodes.last_mut() {
        node.output = vec![to.into()];
    }
    let outside = |name: &str, [rows, cols, channels]: Shape, flat: bool| {
        let dims = if flat { vec![0, rows * cols * channels] } else { vec![0, channels, rows, cols] };
        Outside { name: name.into(), dims: dims.into_iter().map(|n| n as i64).collect() }
    };
    let model = Model {
        inputs: vec![outside(from, input, part == Part::Decoder)],
        outputs: vec![outside(to, last, writer.flat)],
        nodes: writer.nodes,
        tensors: writer.tensors,
        metadata: vec![("network".into(), spec.name.clone()), ("labels".into(), spec.labels.join("\n"))],
    };
    Ok(model.write(IR_VERSION, OPSET))
}

/// A parameter: its name, shape and numbers.
type Own<'a> = (&'a str, &'a [usize], &'a [f32]);

struct Writer {
    nodes: Vec<Node>,
    tensors: Vec<Tensor>,
    /// What the last node puts out, and whether that is a vector.
    at: String,
    flat: bool,
}

impl Writer {
    fn layer(&mut self, kind: Kind, [_, _, channels]: Shape, output: Shape, own: &[Own<'_>]) {
        let two = |n: usize| ints(&[n as i64, n as i64]);
        match kind {
            Kind::Conv { kernel, stride, .. } => {
                let names = self.constants(own);
                self.node("Conv", &names, vec![("kernel_shape", two(kernel)), ("strides", two(stride))]);
            }
            Kind::ConvTranspose { kernel, stride, .. } => {
                let names = self.constants(own);
                self.node(
                    "ConvTranspose",
                    &names,
                    vec![("kernel_shape", two(kernel)), ("strides", two(stride))],
                );
            }
            Kind::Relu => self.node("Relu", &[], vec![]),
            Kind::MaxPool2 => self.node("MaxPool", &[], vec![("kernel_shape", two(2)), ("strides", two(2))]),
            Kind::AvgPool(n) => {
                self.node("AveragePool", &[], vec![("kernel_shape", two(n)), ("strides", two(n))])
            }
            Kind::Pad([top, left, bottom, right]) => {
                let around = [0, 0, top, left, 0, 0, bottom, right].map(|n| n as i64);
                let name = self.whole("pads", &around);
                self.node("Pad", &[name], vec![]);
            }
            Kind::Scale => {
                // One number a channel, whatever the rows and columns.
                let of = |name: &str, values: &[f32]| {
                    tensor(name, &[1, channels, 1, 1][..if self.flat { 2 } else { 4 }], values)
                };
                let made = [of(own[0].0, own[0].2), of(own[1].0, own[1].2)];
                self.tensors.extend(made);
                self.node("Mul", &[own[0].0.into()], vec![]);
                self.node("Add", &[own[1].0.into()], vec![]);
            }
            Kind::Upsample(n) => {
                let name = format!("scales{}", self.nodes.len());
                self.tensors.push(tensor(&name, &[4], &[1.0, 1.0, n as f32, n as f32]));
                self.node(
                    "Resize",
                    &[String::new(), name],
                    vec![
                        ("mode", text("nearest")),
                        ("nearest_mode", text("floor")),
                        ("coordinate_transformation_mode", text("asymmetric")),
                    ],
                );
            }
            Kind::Dense(_) => {
                self.flatten();
                let names = self.constants(own);
                self.node("Gemm", &names, vec![("transB", int(1))]);
            }
            Kind::Unflatten([rows, cols, channels]) => {
                // Pixel by pixel, then channels first.
                let shape = self.whole("shape", &[-1, rows as i64, cols as i64, channels as i64]);
                self.node("Reshape", &[shape], vec![]);
                self.node("Transpose", &[], vec![("perm", ints(&[0, 3, 1, 2]))]);
                self.flat = false;
            }
            Kind::Prototypes(labels) => {
                self.flatten();
                // -|x - p|^2 = 2 x p - |p|^2 - |x|^2.
                let (name, shape, values) = own[0];
                let size = shape[1];
                let twice: Vec<f32> = values.iter().map(|p| 2.0 * p).collect();
                let squares: Vec<f32> =
                    values.chunks_exact(size).map(|p| -p.iter().map(|x| x * x).sum::<f32>()).collect();
                let summand = format!("{name}.squares");
                self.tensors
                    .extend([tensor(name, &[labels, size], &twice), tensor(&summand, &[labels], &squares)]);
                let embedding = self.at.clone();
                self.node("Gemm", &[name.into(), summand], vec![("transB", int(1))]);
                let products = std::mem::replace(&mut self.at, embedding);
                self.node("ReduceSumSquare", &[], vec![("axes", ints(&[1])), ("keepdims", int(1))]);
                let square = std::mem::replace(&mut self.at, products);
                self.node("Sub", &[square], vec![]);
            }
        }
        if output[..2] == [1, 1] && matches!(kind, Kind::Dense(_) | Kind::Prototypes(_)) {
            self.flat = true;
        }
    }

    fn flatten(&mut self) {
        if !self.flat {
            self.node("Flatten", &[], vec![("axis", int(1))]);
            self.flat = true;
        }
    }

    /// Takes parameters; their names.
    fn constants(&mut self, own: &[Own<'_>]) -> Vec<String> {
        self.tensors.extend(own.iter().map(|(name, shape, values)| tensor(name, shape, values)));
        own.iter().map(|(name, ..)| (*name).into()).collect()
    }

    /// Takes whole numbers; their name.
    fn whole(&mut self, what: &str, values: &[i64]) -> String {
        let name = format!("{what}{}", self.nodes.len());
        self.tensors.push(Tensor {
            name: name.clone(),
            dims: vec![values.len() as i64],
            data_type: data_type::INT64,
            raw: values.iter().flat_map(|n| n.to_le_bytes()).collect(),
            ..Tensor::default()
        });
        name
    }

    /// Adds a node that reads what the last one puts out, and constants.
    fn node(&mut self, kind: &str, constants: &[String], attributes: Vec<(&str, Attribute)>) {
        let output = format!("{}{}", kind.to_lowercase(), self.nodes.len());
        let input = std::mem::replace(&mut self.at, output.clone());
        let named = |(name, attribute): (&str, Attribute)| Attribute { name: name.into(), ..attribute };
        self.nodes.push(Node {
            name: output.clone(),
            kind: kind.into(),
            input: std::iter::once(input).chain(constants.iter().cloned()).collect(),
            output: vec![output],
            attribute: attributes.into_iter().map(named).collect(),
        });
    }
}

fn tensor(name: &str, shape: &[usize], values: &[f32]) -> Tensor {
    Tensor {
        name: name.into(),
        dims: shape.iter().map(|n| *n as i64).collect(),
        data_type: data_type::FLOAT,
        raw: values.iter().flat_map(|x| x.to_le_bytes()).collect(),
        ..Tensor::default()
    }
}

fn int(value: i64) -> Attribute {
    Attribute { i: Some(value), ..Attribute::default() }
}

fn ints(values: &[i64]) -> Attribute {
    Attribute { ints: values.to_vec(), ..Attribute::default() }
}

fn text(value: &str) -> Attribute {
    Attribute { s: Some(value.into()), ..Attribute::default() }
}
