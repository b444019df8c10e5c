//! A network to ONNX: opset 13, one input, one output, weights in single precision inside the file.

use super::proto::{Attribute, Model, Node, Outside, Tensor, data_type};
use crate::error::{Error, Result};
use crate::network::layer::Shape;
use crate::network::spec::shapes;
use crate::network::{Activation, Kind, Layer, Part, Weights, Window};

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
    let flat = part == Part::Decoder;
    let mut writer = Writer { nodes: Vec::new(), tensors: Vec::new() };
    let mut values = vec![Put { name: from.into(), shape: input, flat }];
    let shapes = shapes(input, layers);
    for (i, (layer, output)) in layers.iter().zip(&shapes[1..]).enumerate() {
        let reads = layer.reads(&shapes[..=i]).map_err(|why| none(&why))?;
        let own = layer.parameters(&reads);
        let own = own
            .iter()
            .map(|p| Ok((p.name.as_str(), p.shape.as_slice(), tensor(&p.name)?)))
            .collect::<Result<Vec<_>>>()?;
        let read: Vec<Put> = layer.from.iter().map(|back| values[i + 1 - back].clone()).collect();
        values.push(writer.layer(layer, &read, *output, &own));
    }
    let mut last = values.pop().ok_or_else(|| none("layers"))?;
    if flat {
        last = writer.unary("Sigmoid", &last, vec![]);
    }
    // A layer that computes nothing may have come last.
    match writer.nodes.last_mut() {
        Some(node) if node.output[0] == last.name => node.output = vec![to.into()],
        _ => writer.nodes.push(Node {
            name: to.into(),
            kind: "Identity".into(),
            input: vec![last.name.clone()],
            output: vec![to.into()],
            attribute: Vec::new(),
        }),
    }
    let outside = |name: &str, [rows, cols, channels]: Shape, flat: bool| {
        let dims = if flat { vec![0, rows * cols * channels] } else { vec![0, channels, rows, cols] };
        Outside { name: name.into(), dims: dims.into_iter().map(|n| n as i64).collect() }
    };
    let model = Model {
        inputs: vec![outside(from, input, flat)],
        outputs: vec![outside(to, last.shape, last.flat)],
        nodes: writer.nodes,
        tensors: writer.tensors,
        metadata: vec![("network".into(), spec.name.clone()), ("labels".into(), spec.labels.join("\n"))],
    };
    Ok(model.write(IR_VERSION, OPSET))
}

/// A parameter: its name, shape and numbers.
type Own<'a> = (&'a str, &'a [usize], &'a [f32]);

/// What a layer puts out: under which name, of which shape, and whether as a vector.
#[derive(Clone)]
struct Put {
    name: String,
    shape: Shape,
    flat: bool,
}

struct Writer {
    nodes: Vec<Node>,
    tensors: Vec<Tensor>,
}

impl Writer {
    fn layer(&mut self, layer: &Layer, read: &[Put], output: Shape, own: &[Own<'_>]) -> Put {
        let two = |n: usize| ints(&[n as i64, n as i64]);
        let x = &read[0];
        let mut put = match layer.kind {
            Kind::Conv { kernel, stride, groups, .. } => {
                let names = self.constants(own);
                let mut about = vec![("kernel_shape", two(kernel)), ("strides", two(stride))];
                if groups > 1 {
                    about.push(("group", int(groups as i64)));
                }
                self.with("Conv", x, &names, about)
            }
            Kind::ConvTranspose { kernel, stride, .. } => {
                let names = self.constants(own);
                self.with(
                    "ConvTranspose",
                    x,
                    &names,
                    vec![("kernel_shape", two(kernel)), ("strides", two(stride))],
                )
            }
            Kind::Activation(activation) => self.activation(activation, x),
            Kind::MaxPool(window) => self.unary("MaxPool", x, about(window)),
            Kind::AvgPool(window) => self.unary("AveragePool", x, about(window)),
            Kind::Pad([top, left, bottom, right]) => {
                let around = [0, 0, top, left, 0, 0, bottom, right].map(|n| n as i64);
                let name = self.whole("pads", &around);
                self.with("Pad", x, &[name], vec![])
            }
            Kind::Scale => {
                // One number a channel, whatever the rows and columns.
                let channels = x.shape[2];
                let of = |name: &str, values: &[f32]| {
                    tensor(name, &[1, channels, 1, 1][..if x.flat { 2 } else { 4 }], values)
                };
                self.tensors.extend([of(own[0].0, own[0].2), of(own[1].0, own[1].2)]);
                let scaled = self.with("Mul", x, &[own[0].0.into()], vec![]);
                self.with("Add", &scaled, &[own[1].0.into()], vec![])
            }
            Kind::Upsample(n) => {
                let name = self.name("scales");
                self.tensors.push(tensor(&name, &[4], &[1.0, 1.0, n as f32, n as f32]));
                self.with(
                    "Resize",
                    x,
                    &[String::new(), name],
                    vec![
                        ("mode", text("nearest")),
                        ("nearest_mode", text("floor")),
                        ("coordinate_transformation_mode", text("asymmetric")),
                    ],
                )
            }
            Kind::Dense(_) => {
                let x = self.flattened(x);
                let names = self.constants(own);
                self.with("Gemm", &x, &names, vec![("transB", int(1))])
            }
            Kind::Unflatten(shape) => self.read_as(x, shape),
            Kind::Transpose => self.unary("Transpose", x, vec![("perm", ints(&[0, 1, 3, 2]))]),
            Kind::Sum | Kind::Product | Kind::Concat => self.join(layer.kind, read),
            Kind::Prototypes(labels) => {
                // -|x - p|^2 = 2 x p - |p|^2 - |x|^2.
                let x = self.flattened(x);
                let (name, shape, values) = own[0];
                let size = shape[1];
                let twice: Vec<f32> = values.iter().map(|p| 2.0 * p).collect();
                let squares: Vec<f32> =
                    values.chunks_exact(size).map(|p| -p.iter().map(|x| x * x).sum::<f32>()).collect();
                let [summand, minus] = ["squares", "minus"].map(|what| format!("{name}.{what}"));
                self.tensors.extend([
                    tensor(name, &[labels, size], &twice),
                    tensor(&summand, &[labels], &squares),
                    tensor(&minus, &[labels, size], &vec![-1.0; labels * size]),
                ]);
                let products = self.with("Gemm", &x, &[name.into(), summand], vec![("transB", int(1))]);
                let square = self.with("Mul", &x, std::slice::from_ref(&x.name), vec![]);
                let own = self.with("Gemm", &square, &[minus], vec![("transB", int(1))]);
                self.with("Add", &products, &[own.name], vec![])
            }
        };
        put.shape = output;
        if output[..2] == [1, 1] && matches!(layer.kind, Kind::Dense(_) | Kind::Prototypes(_)) {
            put.flat = true;
        }
        put
    }

    /// Operators that opset 13 has not are made of those that it has.
    fn activation(&mut self, activation: Activation, x: &Put) -> Put {
        match activation {
            Activation::Relu => self.unary("Relu", x, vec![]),
            Activation::LeakyRelu(slope) => self.unary("LeakyRelu", x, vec![("alpha", float(slope))]),
            Activation::Clip(low, high) => {
                let names = [low, high].map(|bound| self.number(bound));
                self.with("Clip", x, &names, vec![])
            }
            Activation::Sigmoid => self.unary("Sigmoid", x, vec![]),
            Activation::Tanh => self.unary("Tanh", x, vec![]),
            Activation::Erf => self.unary("Erf", x, vec![]),
            Activation::Gelu => {
                let inner = self.by("Mul", x, std::f32::consts::FRAC_1_SQRT_2);
                let erf = self.unary("Erf", &inner, vec![]);
                self.half_of_gated(x, &erf)
            }
            Activation::GeluTanh => {
                let square = self.with("Mul", x, std::slice::from_ref(&x.name), vec![]);
                let cube = self.with("Mul", &square, std::slice::from_ref(&x.name), vec![]);
                let small = self.by("Mul", &cube, 0.044_715);
                let sum = self.with("Add", &small, std::slice::from_ref(&x.name), vec![]);
                let inner = self.by("Mul", &sum, 0.797_884_6);
                let tanh = self.unary("Tanh", &inner, vec![]);
                self.half_of_gated(x, &tanh)
            }
            Activation::Silu => {
                let gate = self.unary("Sigmoid", x, vec![]);
                self.with("Mul", x, &[gate.name], vec![])
            }
            Activation::HardSigmoid(slope, shift) => {
                self.unary("HardSigmoid", x, vec![("alpha", float(slope)), ("beta", float(shift))])
            }
            Activation::HardSwish => {
                let gate =
                    self.unary("HardSigmoid", x, vec![("alpha", float(1.0 / 6.0)), ("beta", float(0.5))]);
                self.with("Mul", x, &[gate.name], vec![])
            }
            Activation::Elu(slope) => self.unary("Elu", x, vec![("alpha", float(slope))]),
            Activation::Softplus => self.unary("Softplus", x, vec![]),
            Activation::Round { step, low, .. } => {
                // Unsigned bytes, of which the lowest is 0.
                let (scale, zero) = (self.number(step), self.name("zero"));
                self.tensors.push(Tensor {
                    name: zero.clone(),
                    data_type: data_type::UINT8,
                    raw: vec![-low as u8],
                    ..Tensor::default()
                });
                let names = [scale, zero];
                let rounded = self.with("QuantizeLinear", x, &names, vec![]);
                self.with("DequantizeLinear", &rounded, &names, vec![])
            }
        }
    }

    /// `x (1 + gate) / 2`.
    fn half_of_gated(&mut self, x: &Put, gate: &Put) -> Put {
        let gate = self.by("Add", gate, 1.0);
        let gated = self.with("Mul", x, &[gate.name], vec![]);
        self.by("Mul", &gated, 0.5)
    }

    /// Layers that come together: vectors with vectors, images with images.
    fn join(&mut self, kind: Kind, read: &[Put]) -> Put {
        let image = read.iter().any(|one| one.shape[..2] != [1, 1]);
        let mut all = Vec::new();
        for one in read {
            all.push(match (one.flat, image) {
                (true, true) => {
                    let shape = self.whole("shape", &[-1, one.shape[2] as i64, 1, 1]);
                    Put { flat: false, ..self.with("Reshape", one, &[shape], vec![]) }
                }
                (_, false) => self.flattened(one),
                (false, true) => one.clone(),
            });
        }
        let others: Vec<String> = all[1..].iter().map(|one| one.name.clone()).collect();
        match kind {
            Kind::Concat => self.with("Concat", &all[0], &others, vec![("axis", int(1))]),
            Kind::Product => self.with("Mul", &all[0], &others, vec![]),
            _ => self.with("Sum", &all[0], &others, vec![]),
        }
    }

    /// The same numbers as an image of another shape, pixel by pixel.
    fn read_as(&mut self, x: &Put, [rows, cols, channels]: Shape) -> Put {
        let [h, w, c] = x.shape;
        let last = if x.flat || c == 1 || (h, w) == (1, 1) {
            x.clone()
        } else {
            self.unary("Transpose", x, vec![("perm", ints(&[0, 2, 3, 1]))])
        };
        let vector = (rows, cols) == (1, 1);
        let dims = [-1, rows as i64, cols as i64, channels as i64];
        let vector_dims = [-1, channels as i64];
        let shape = self.whole("shape", if vector { &vector_dims } else { &dims });
        let seen = self.with("Reshape", &last, &[shape], vec![]);
        if vector {
            return Put { flat: true, ..seen };
        }
        let first = self.unary("Transpose", &seen, vec![("perm", ints(&[0, 3, 1, 2]))]);
        Put { flat: false, ..first }
    }

    fn flattened(&mut self, x: &Put) -> Put {
        if x.flat {
            return x.clone();
        }
        Put { flat: true, ..self.unary("Flatten", x, vec![("axis", int(1))]) }
    }

    /// Takes parameters; their names.
    fn constants(&mut self, own: &[Own<'_>]) -> Vec<String> {
        self.tensors.extend(own.iter().map(|(name, shape, values)| tensor(name, shape, values)));
        own.iter().map(|(name, ..)| (*name).into()).collect()
    }

    /// A name that nothing has yet.
    fn name(&self, what: &str) -> String {
        format!("{what}.{}", self.nodes.len() + self.tensors.len())
    }

    /// Takes a number; its name.
    fn number(&mut self, value: f32) -> String {
        let name = self.name("number");
        self.tensors.push(tensor(&name, &[], &[value]));
        name
    }

    /// Takes whole numbers; their name.
    fn whole(&mut self, what: &str, values: &[i64]) -> String {
        let name = self.name(what);
        self.tensors.push(Tensor {
            name: name.clone(),
            dims: vec![values.len() as i64],
            data_type: data_type::INT64,
            raw: values.iter().flat_map(|n| n.to_le_bytes()).collect(),
            ..Tensor::default()
        });
        name
    }

    /// An operator with a number.
    fn by(&mut self, kind: &str, x: &Put, value: f32) -> Put {
        let name = self.number(value);
        self.with(kind, x, &[name], vec![])
    }

    fn unary(&mut self, kind: &str, x: &Put, attributes: Vec<(&str, Attribute)>) -> Put {
        self.with(kind, x, &[], attributes)
    }

    /// Adds a node that reads `x` and others.
    fn with(&mut self, kind: &str, x: &Put, others: &[String], attributes: Vec<(&str, Attribute)>) -> Put {
        let output = self.name(&kind.to_lowercase());
        let named = |(name, attribute): (&str, Attribute)| Attribute { name: name.into(), ..attribute };
        self.nodes.push(Node {
            name: output.clone(),
            kind: kind.into(),
            input: std::iter::once(&x.name).chain(others).cloned().collect(),
            output: vec![output.clone()],
            attribute: attributes.into_iter().map(named).collect(),
        });
        Put { name: output, ..x.clone() }
    }
}

/// What is said of a pooling.
fn about(Window { size, stride, pad }: Window) -> Vec<(&'static str, Attribute)> {
    let whole = |all: &[usize]| ints(&all.iter().map(|n| *n as i64).collect::<Vec<_>>());
    let mut about = vec![("kernel_shape", whole(&size)), ("strides", whole(&stride))];
    if pad != [0; 4] {
        about.push(("pads", whole(&pad)));
    }
    about
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

fn float(value: f32) -> Attribute {
    Attribute { f: Some(value), ..Attribute::default() }
}

fn ints(values: &[i64]) -> Attribute {
    Attribute { ints: values.to_vec(), ..Attribute::default() }
}

fn text(value: &str) -> Attribute {
    Attribute { s: Some(value.into()), ..Attribute::default() }
}
