//! ONNX to a network: from the input on, one layer after the other.

use super::graph::{Constant, Graph, attribute, called, float, int, ints};
use super::proto::Node;
use super::{Feeding, bad};
use crate::datasets::Dataset;
use crate::error::{Error, Result};
use crate::network::layer::Shape;
use crate::network::{Kind, Layer, Spec};

/// Nodes that pass on what they get.
const NOTHING: [&str; 4] = ["Identity", "Dropout", "Cast", "Contiguous"];
/// Nodes that turn logits into probabilities: taken off the end.
const PROBABILITIES: [&str; 2] = ["Softmax", "LogSoftmax"];

/// How what is passed on lies in the file's memory.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Order {
    /// Channel by channel, as PyTorch has it.
    ChannelsFirst,
    /// Pixel by pixel, as Keras has it.
    ChannelsLast,
}

/// The network so far.
struct Chain<'a> {
    graph: &'a Graph,
    name: &'a str,
    layers: Vec<Layer>,
    tensors: Vec<Vec<f32>>,
    /// What the last layer puts out, and in which order the file has it.
    shape: Shape,
    order: Order,
    /// Whether the file has it as a vector.
    flat: bool,
}

/// The network of a file that reads the images of a data set, with its tensors in the order of [`Spec::parameters`]. `feeding` is what
/// becomes of a pixel in [0, 1] before it is fed in. Softmax at the end is left out: what is attacked are logits.
///
/// # Errors
/// [`Error::BadFile`] for a damaged file, [`Error::Unsupported`] for what is not run, which it names.
pub fn import(
    bytes: &[u8],
    name: &str,
    dataset: &Dataset,
    feeding: Feeding,
) -> Result<(Spec, Vec<Vec<f32>>)> {
    let graph = Graph::read(bytes)?;
    let mut chain = Chain {
        graph: &graph,
        name,
        layers: Vec::new(),
        tensors: Vec::new(),
        shape: dataset.image,
        order: Order::ChannelsFirst,
        flat: false,
    };
    chain.input(dataset)?;
    if (feeding.factor, feeding.summand) != (1.0, 0.0) {
        let channels = dataset.image[2];
        chain.push(Kind::Scale, vec![vec![feeding.factor; channels], vec![feeding.summand; channels]]);
    }
    let mut at = graph.input.0.as_str();
    let mut steps = 0;
    while let Some(node) = chain.next(at)? {
        at = node.output.first().map(String::as_str).ok_or_else(|| bad("a node has no output"))?;
        let kind = node.kind.as_str();
        if PROBABILITIES.contains(&kind) && at == graph.output {
            break;
        }
        chain.take(kind, node)?;
        steps += 1;
        if at == graph.output {
            break;
        }
        if steps > graph.nodes.len() {
            return Err(bad("its nodes read each other in a circle"));
        }
    }
    if at != graph.output {
        return Err(
            chain.unsupported(format!("its layers end at '{at}', before its output '{}'", graph.output))
        );
    }
    let Chain { layers, tensors, shape, .. } = chain;
    let labels: Vec<String> = dataset.labels.iter().map(|label| (*label).to_owned()).collect();
    if shape != [1, 1, labels.len()] {
        let numbers: usize = shape.iter().product();
        let why = format!(
            "it puts out {numbers} numbers; the {} of {} have {} labels",
            dataset.nouns[1],
            dataset.title,
            labels.len()
        );
        return Err(Error::Unsupported { network: name.into(), why });
    }
    let spec = Spec {
        name: name.into(),
        title: name.into(),
        family: "onnx".into(),
        control_of: None,
        defends: None,
        dataset: dataset.name.into(),
        image: dataset.image,
        labels,
        layers,
        vae: None,
    };
    spec.check()?;
    Ok((spec, tensors))
}

impl<'a> Chain<'a> {
    fn unsupported(&self, why: impl Into<String>) -> Error {
        Error::Unsupported { network: self.name.into(), why: why.into() }
    }

    fn refuse(&self, node: &Node, why: &str) -> Error {
        self.unsupported(format!("{}: {why}", called(node)))
    }

    /// Takes the input as the images of the data set.
    fn input(&mut self, dataset: &Dataset) -> Result<()> {
        let [h, w, c] = dataset.image;
        let dims = &self.graph.input.1;
        let is = |wanted: &[usize]| {
            dims.len() == wanted.len() && dims.iter().zip(wanted).all(|(dim, n)| *dim == 0 || dim == n)
        };
        if is(&[c, h, w]) {
            self.order = Order::ChannelsFirst;
        } else if is(&[h, w, c]) {
            self.order = Order::ChannelsLast;
        } else if c == 1 && is(&[h, w]) {
            // A plane is an image of one channel, however one counts.
        } else if is(&[h * w * c]) {
            self.flat = true;
        } else {
            return Err(self.unsupported(format!(
                "it reads {dims:?}; the {} of {} are {h} x {w} x {c}",
                dataset.nouns[1], dataset.title
            )));
        }
        Ok(())
    }

    /// The one node that reads `at`; none where nothing does. What only asks for a shape does not count.
    fn next(&self, at: &str) -> Result<Option<&'a Node>> {
        let reads = |node: &&Node| node.input.iter().any(|input| input == at) && node.kind != "Shape";
        let mut readers = self.graph.nodes.iter().filter(reads);
        let first = readers.next();
        match (first, readers.next()) {
            (Some(one), Some(other)) => Err(self.unsupported(format!(
                "'{at}' is read by {} and by {}: networks that branch are not run yet",
                called(one),
                called(other)
            ))),
            _ => Ok(first),
        }
    }

    /// A constant that a node reads.
    fn constant(&self, node: &Node, place: usize) -> Option<&'a Constant> {
        node.input.get(place).and_then(|name| self.graph.constants.get(name))
    }

    fn needed(&self, node: &Node, place: usize) -> Result<&'a Constant> {
        self.constant(node, place).ok_or_else(|| self.refuse(node, "what it weighs by has to be a constant"))
    }

    /// Adds a layer with its tensors.
    fn push(&mut self, kind: Kind, tensors: Vec<Vec<f32>>) {
        let name = if tensors.is_empty() { String::new() } else { format!("layer{}", self.layers.len() + 1) };
        self.tensors.extend(tensors);
        self.layers.push(Layer { name, kind });
    }

    /// Adds a layer that has to fit what comes before it.
    fn add(&mut self, node: &Node, kind: Kind, tensors: Vec<Vec<f32>>) -> Result<()> {
        let at = kind.at(self.shape).map_err(|why| self.refuse(node, &why))?;
        self.shape = at.output;
        self.push(kind, tensors);
        Ok(())
    }

    fn last(&self) -> Option<Kind> {
        self.layers.last().map(|layer| layer.kind)
    }

    /// Takes a node.
    fn take(&mut self, kind: &str, node: &Node) -> Result<()> {
        match kind {
            _ if NOTHING.contains(&kind) => Ok(()),
            "Flatten" | "Reshape" | "Squeeze" | "Unsqueeze" => self.reshape(kind, node),
            "Transpose" => self.transpose(node),
            "Conv" => self.conv(node),
            "Gemm" | "MatMul" => self.dense(kind, node),
            "BatchNormalization" => self.normalise(node),
            "Add" | "Sub" | "Mul" | "Div" => self.arithmetic(kind, node),
            "Relu" => self.relu(node),
            "MaxPool" | "AveragePool" | "GlobalAveragePool" | "ReduceMean" => self.pool(kind, node),
            _ => Err(self.refuse(node, "such a layer is not run yet. Known are Conv, Gemm, MatMul, Relu, MaxPool, AveragePool, BatchNormalization and what only re-orders")),
        }
    }

    /// What only gives the numbers another shape: a vector, or an image again.
    fn reshape(&mut self, kind: &str, node: &Node) -> Result<()> {
        let [h, w, c] = self.shape;
        let count = h * w * c;
        if kind == "Flatten" {
            if int(node, "axis", 1) != 1 {
                return Err(self.refuse(node, "only what keeps the batch apart is run (axis 1)"));
            }
            self.flat = true;
            return Ok(());
        }
        if kind != "Reshape" {
            // Rows and columns of one are left out, or put in again.
            self.flat = self.flat || (h, w) == (1, 1);
            return Ok(());
        }
        let Some(wanted) = self.constant(node, 1) else {
            // Older exports compute it: the batch as it is, and all the rest.
            self.flat = true;
            return Ok(());
        };
        let dims: Vec<i64> = wanted.values.iter().skip(1).map(|n| *n as i64).collect();
        let open: i64 = dims.iter().filter(|n| **n > 0).product();
        let dims: Vec<usize> = dims
            .iter()
            .map(|n| if *n > 0 { *n as usize } else { count / usize::try_from(open).unwrap_or(1).max(1) })
            .collect();
        self.flat = match dims[..] {
            [n] if n == count => true,
            [a, b, d] if [a, b, d] == [c, h, w] && (c == 1 || self.order == Order::ChannelsFirst) => false,
            [a, b, d] if [a, b, d] == [h, w, c] && (c == 1 || self.order == Order::ChannelsLast) => false,
            [a, b] if c == 1 && [a, b] == [h, w] => false,
            _ => return Err(self.refuse(node, &format!("{h} x {w} x {c} cannot be read as {dims:?}"))),
        };
        Ok(())
    }

    fn transpose(&mut self, node: &Node) -> Result<()> {
        let [h, w, c] = self.shape;
        let perm = ints(node, "perm").unwrap_or_default();
        self.order = match (&perm[..], self.order) {
            ([0, 1] | [0, 1, 2, 3], order) => order,
            // Of one channel, or of one pixel, both orders are the same.
            ([0, 2, 3, 1], Order::ChannelsFirst) => Order::ChannelsLast,
            ([0, 3, 1, 2], Order::ChannelsLast) => Order::ChannelsFirst,
            ([0, 2, 3, 1], _) if c == 1 || (h, w) == (1, 1) => Order::ChannelsLast,
            ([0, 3, 1, 2], _) if c == 1 || (h, w) == (1, 1) => Order::ChannelsFirst,
            _ => {
                return Err(
                    self.refuse(node, &format!("the order {perm:?} turns the image, which is not run"))
                );
            }
        };
        Ok(())
    }

    fn conv(&mut self, node: &Node) -> Result<()> {
        let weight = self.needed(node, 1)?;
        let [outputs, inputs, rows, cols] = weight.dims[..] else {
            return Err(self.refuse(node, "only images of rows and columns are run"));
        };
        let channels = self.shape[2];
        if self.flat || (channels > 1 && self.order == Order::ChannelsLast) {
            return Err(self.refuse(node, "it reads what is no image, channel by channel"));
        }
        if int(node, "group", 1) != 1 || inputs != channels {
            return Err(self.refuse(node, "groups (and so depthwise convolutions) are not run yet"));
        }
        if ints(node, "dilations").is_some_and(|all| all.iter().any(|n| *n != 1)) {
            return Err(self.refuse(node, "dilation is not run yet"));
        }
        let strides = ints(node, "strides").unwrap_or_else(|| vec![1, 1]);
        let (true, &[stride, other]) = (rows == cols, &strides[..]) else {
            return Err(self.refuse(node, "kernels and strides have to be square"));
        };
        let stride = usize::try_from(stride).ok().filter(|n| *n > 0 && stride == other);
        let stride = stride.ok_or_else(|| self.refuse(node, "kernels and strides have to be square"))?;
        let pad = self.pads(node, rows, stride)?;
        if pad != [0; 4] {
            self.add(node, Kind::Pad(pad), Vec::new())?;
        }
        let bias = self.bias(node, 2, outputs)?;
        self.add(
            node,
            Kind::Conv { channels: outputs, kernel: rows, stride },
            vec![weight.values.clone(), bias],
        )
    }

    /// Rows and columns of zeros that a window asks for: above, left, below, right.
    fn pads(&self, node: &Node, kernel: usize, stride: usize) -> Result<[usize; 4]> {
        let auto =
            attribute(node, "auto_pad").and_then(|attribute| attribute.s.as_deref()).unwrap_or("NOTSET");
        let same = |size: usize| {
            let all = (size.div_ceil(stride.max(1)).saturating_sub(1) * stride + kernel).saturating_sub(size);
            (all / 2, all - all / 2)
        };
        let [h, w, _] = self.shape;
        match auto {
            "NOTSET" => {
                let pads = ints(node, "pads").unwrap_or_else(|| vec![0; 4]);
                let whole =
                    pads.iter().map(|n| usize::try_from(*n)).collect::<std::result::Result<Vec<_>, _>>();
                let pads = whole.ok().and_then(|pads| <[usize; 4]>::try_from(pads).ok());
                pads.ok_or_else(|| self.refuse(node, "its padding is not like 1, 1, 1, 1"))
            }
            "VALID" => Ok([0; 4]),
            "SAME_UPPER" | "SAME_LOWER" => {
                let ((top, bottom), (left, right)) = (same(h), same(w));
                Ok(if auto == "SAME_UPPER" { [top, left, bottom, right] } else { [bottom, right, top, left] })
            }
            other => Err(self.refuse(node, &format!("the padding {other} is not known"))),
        }
    }

    fn bias(&self, node: &Node, place: usize, outputs: usize) -> Result<Vec<f32>> {
        match node.input.get(place).filter(|name| !name.is_empty()) {
            None => Ok(vec![0.0; outputs]),
            Some(_) => self.spread(node, self.needed(node, place)?, outputs),
        }
    }

    /// A constant as a number for each of so many channels.
    fn spread(&self, node: &Node, of: &Constant, channels: usize) -> Result<Vec<f32>> {
        match of.values.len() {
            1 => Ok(vec![of.values[0]; channels]),
            n if n == channels => Ok(of.values.clone()),
            n => Err(self.refuse(node, &format!("{n} constants for {channels} channels"))),
        }
    }

    fn dense(&mut self, kind: &str, node: &Node) -> Result<()> {
        let weight = self.needed(node, 1)?;
        let [a, b] = weight.dims[..] else {
            return Err(self.refuse(node, "its weights have to be a matrix"));
        };
        let of = |name: &str| kind == "Gemm" && int(node, name, 0) == 1;
        if of("transA") {
            return Err(self.refuse(node, "it turns what it reads, which is not run"));
        }
        let (outputs, inputs) = if of("transB") { (a, b) } else { (b, a) };
        let [h, w, c] = self.shape;
        if inputs != h * w * c || !(self.flat || (h, w) == (1, 1)) {
            return Err(
                self.refuse(node, &format!("it reads {inputs} numbers of an image of {h} x {w} x {c}"))
            );
        }
        let factor = if kind == "Gemm" { float(node, "alpha", 1.0) } else { 1.0 };
        let turned = of("transB");
        let value = |o: usize, i: usize| {
            factor * weight.values[if turned { o * inputs + i } else { i * outputs + o }]
        };
        // Ours counts channel by channel.
        let from = |i: usize| match self.order {
            Order::ChannelsFirst => i,
            Order::ChannelsLast => (i % (h * w)) * c + i / (h * w),
        };
        let weights = (0..outputs)
            .flat_map(|o| (0..inputs).map(move |i| (o, i)))
            .map(|(o, i)| value(o, from(i)))
            .collect();
        let mut bias = self.bias(node, 2, outputs)?;
        if kind == "Gemm" {
            let beta = float(node, "beta", 1.0);
            bias.iter_mut().for_each(|b| *b *= beta);
        }
        self.flat = true;
        self.add(node, Kind::Dense(outputs), vec![weights, bias])?;
        self.order = Order::ChannelsFirst;
        Ok(())
    }

    /// Multiplies what comes out by factors and adds summands, one a channel: in the layer before where that has weights.
    fn scale(&mut self, node: &Node, factors: &[f32], summands: &[f32]) -> Result<()> {
        match self.last() {
            Some(Kind::Conv { .. } | Kind::Dense(_) | Kind::Scale) => {
                let place = self.tensors.len() - 2;
                let row = self.tensors[place].len() / factors.len();
                for (chunk, factor) in self.tensors[place].chunks_exact_mut(row).zip(factors) {
                    chunk.iter_mut().for_each(|w| *w *= factor);
                }
                for ((b, factor), summand) in self.tensors[place + 1].iter_mut().zip(factors).zip(summands) {
                    *b = *b * factor + summand;
                }
                Ok(())
            }
            _ => self.add(node, Kind::Scale, vec![factors.to_vec(), summands.to_vec()]),
        }
    }

    fn normalise(&mut self, node: &Node) -> Result<()> {
        let channels = self.shape[2];
        let all = (1..5)
            .map(|place| self.spread(node, self.needed(node, place)?, channels))
            .collect::<Result<Vec<_>>>()?;
        let epsilon = float(node, "epsilon", 1e-5);
        let factors: Vec<f32> =
            all[0].iter().zip(&all[3]).map(|(scale, variance)| scale / (variance + epsilon).sqrt()).collect();
        let summands: Vec<f32> = all[1]
            .iter()
            .zip(&all[2])
            .zip(&factors)
            .map(|((shift, mean), factor)| shift - mean * factor)
            .collect();
        self.scale(node, &factors, &summands)
    }

    fn arithmetic(&mut self, kind: &str, node: &Node) -> Result<()> {
        let (place, other) = if self.constant(node, 1).is_some() { (1, 0) } else { (0, 1) };
        let Some(constant) = self.constant(node, place) else {
            return Err(self.refuse(node, "two branches come together here: such networks are not run yet"));
        };
        let values = self.spread(node, constant, self.shape[2])?;
        let ones = vec![1.0; values.len()];
        let zeros = vec![0.0; values.len()];
        let by = |f: fn(&f32) -> f32| values.iter().map(f).collect::<Vec<f32>>();
        match (kind, other) {
            ("Add", _) => self.scale(node, &ones, &values),
            ("Sub", 0) => self.scale(node, &ones, &by(|v| -v)),
            ("Sub", _) => self.scale(node, &by(|_| -1.0), &values),
            ("Mul", _) => self.scale(node, &values, &zeros),
            ("Div", 0) if values.iter().all(|v| *v != 0.0) => self.scale(node, &by(|v| 1.0 / v), &zeros),
            _ => Err(self.refuse(node, "what it divides by has to be a constant that is not 0")),
        }
    }

    fn relu(&mut self, node: &Node) -> Result<()> {
        let place = self.layers.len();
        match self.layers.iter().map(|layer| layer.kind).collect::<Vec<_>>()[..] {
            [.., Kind::Conv { .. } | Kind::Dense(_)] => self.push(Kind::Relu, Vec::new()),
            [.., Kind::Relu] => {}
            // The largest is above zero where any is: before or after is the same.
            [.., Kind::Conv { .. }, Kind::MaxPool2] => {
                self.layers.insert(place - 1, Layer::plain(Kind::Relu))
            }
            [.., Kind::Conv { .. }, Kind::Relu, Kind::MaxPool2] => {}
            _ => return Err(self.refuse(node, "it is run after a convolution or a dense layer alone")),
        }
        Ok(())
    }

    fn pool(&mut self, kind: &str, node: &Node) -> Result<()> {
        let [h, w, _] = self.shape;
        if self.flat {
            return Err(self.refuse(node, "it reads what is no image"));
        }
        if kind == "ReduceMean" || kind == "GlobalAveragePool" {
            let axes = ints(node, "axes")
                .or_else(|| self.constant(node, 1).map(|of| of.values.iter().map(|n| *n as i64).collect()));
            let over = |axes: &[i64]| match self.order {
                Order::ChannelsFirst => matches!(axes, [2, 3] | [-2, -1]),
                Order::ChannelsLast => matches!(axes, [1, 2] | [-3, -2]),
            };
            if kind == "ReduceMean" && !axes.is_some_and(|axes| over(&axes)) {
                return Err(self.refuse(node, "a mean is run over rows and columns alone"));
            }
            if h != w {
                return Err(self.refuse(node, "a mean is run over squares alone"));
            }
            return self.add(node, Kind::AvgPool(h), Vec::new());
        }
        let window = ints(node, "kernel_shape").unwrap_or_default();
        let strides = ints(node, "strides").unwrap_or_else(|| vec![1; 2]);
        let [n, m] = window[..] else {
            return Err(self.refuse(node, "its window has to have rows and columns"));
        };
        let size = usize::try_from(n).unwrap_or(0);
        let fits = n == m && strides == window;
        // Where nothing is left over, what is done with the rest does not matter.
        let ceil = int(node, "ceil_mode", 0) == 1 && (size == 0 || h % size != 0 || w % size != 0);
        if !fits || ceil || self.pads(node, size, size)? != [0; 4] {
            return Err(self.refuse(node, "windows have to lie side by side, square and without padding"));
        }
        match (kind, size, self.last()) {
            ("AveragePool", ..) => self.add(node, Kind::AvgPool(size), Vec::new()),
            ("MaxPool", 2, Some(Kind::Conv { .. } | Kind::Relu)) => {
                self.add(node, Kind::MaxPool2, Vec::new())
            }
            _ => Err(self.refuse(node, "a maximum is run over 2 x 2, after a convolution alone")),
        }
    }
}
