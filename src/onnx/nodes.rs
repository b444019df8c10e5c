//! What each kind of node comes to: layers, or another view of the same numbers.

use super::builder::{Affine, Builder};
use super::fold::dims_as_asked;
use super::graph::{Constant, float, int, ints};
use super::proto::Node;
use super::value::{Form, Value};
use super::windows::{Sides, sides};
use crate::error::Result;
use crate::network::{Activation, Kind, Window};

/// What is said of a node that is not known.
const NOT_RUN: &str = "such a layer is not run. Run are convolutions, dense layers, pooling, batch normalisation, the usual activations, sums, \
                       products and joins of branches, and what only re-orders; can the network be exported with these, for reading alone (eval)?";

impl Builder<'_> {
    /// Takes a node.
    ///
    /// # Errors
    /// [`Error::Unsupported`](crate::error::Error::Unsupported) that names it.
    pub fn take(&mut self, node: &Node) -> Result<()> {
        if self.folded(node) {
            return Ok(());
        }
        let value = match node.kind.as_str() {
            "Identity" | "Dropout" | "Cast" | "Contiguous" => self.image(node, 0)?,
            "Flatten" | "Reshape" | "Squeeze" | "Unsqueeze" => self.reshape(node)?,
            "Transpose" => self.transpose(node)?,
            "Conv" => self.conv(node)?,
            "Gemm" | "MatMul" => self.dense(node)?,
            "BatchNormalization" => self.normalise(node)?,
            "Add" | "Sub" | "Mul" | "Div" | "Sum" => self.arithmetic(node)?,
            "Pow" => self.power(node)?,
            "Neg" => {
                let value = self.image(node, 0)?;
                self.scaled(node, value, -1.0, 0.0)?
            }
            "Max" | "Min" => self.bound(node)?,
            "Concat" => self.concat(node)?,
            "Pad" => self.pad(node)?,
            "MaxPool" | "AveragePool" => self.pool(node)?,
            "GlobalAveragePool" | "GlobalMaxPool" | "ReduceMean" | "ReduceMax" => self.pool_all(node)?,
            "PRelu" => self.leaky_channels(node)?,
            "Selu" => self.selu(node)?,
            "Mish" => {
                let value = self.image(node, 0)?;
                let soft = self.activate(node, Activation::Softplus, value)?;
                let gate = self.activate(node, Activation::Tanh, soft)?;
                self.add(node, Kind::Product, Vec::new(), &[value, gate])?
            }
            "QuantizeLinear" => self.quantize(node)?,
            // What is quantized here is real numbers already, on the steps.
            "DequantizeLinear" => self.image(node, 0)?,
            "Softmax" | "LogSoftmax" => self.probabilities(node)?,
            "Greater" => return self.compare(node),
            "Where" => self.choose(node)?,
            _ => {
                let activation = self.activation(node)?;
                let value = self.image(node, 0)?;
                self.activate(node, activation, value)?
            }
        };
        self.put(node, value);
        Ok(())
    }

    fn activate(&mut self, node: &Node, activation: Activation, value: Value) -> Result<Value> {
        self.add(node, Kind::Activation(activation), Vec::new(), &[value])
    }

    /// The function of each number that a node is.
    fn activation(&self, node: &Node) -> Result<Activation> {
        Ok(match node.kind.as_str() {
            "Relu" => Activation::Relu,
            "LeakyRelu" => Activation::LeakyRelu(float(node, "alpha", 0.01)),
            "Clip" => {
                // Older files have the bounds as attributes.
                let bound = |name: &str, place: usize, usual: f32| -> Result<f32> {
                    let given = self.optional(node, place)?.and_then(|of| of.values.first().copied());
                    Ok(given.unwrap_or_else(|| float(node, name, usual)).clamp(f32::MIN, f32::MAX))
                };
                match (bound("min", 1, f32::MIN)?, bound("max", 2, f32::MAX)?) {
                    (0.0, f32::MAX) => Activation::Relu,
                    (low, high) => Activation::Clip(low, high),
                }
            }
            "Sigmoid" => Activation::Sigmoid,
            "Tanh" => Activation::Tanh,
            "Erf" => Activation::Erf,
            "Gelu" if super::graph::text(node, "approximate", "none") == "tanh" => Activation::GeluTanh,
            "Gelu" => Activation::Gelu,
            "FastGelu" => Activation::GeluTanh,
            "Swish" if float(node, "alpha", 1.0) == 1.0 => Activation::Silu,
            "HardSigmoid" => Activation::HardSigmoid(float(node, "alpha", 0.2), float(node, "beta", 0.5)),
            "HardSwish" => Activation::HardSwish,
            "Elu" => Activation::Elu(float(node, "alpha", 1.0)),
            "Softplus" => Activation::Softplus,
            _ => return Err(self.refuse(node, NOT_RUN)),
        })
    }

    /// What only gives the numbers other dimensions.
    fn reshape(&mut self, node: &Node) -> Result<Value> {
        let value = self.image(node, 0)?;
        let now = value.dims();
        let rank = now.len() + 1;
        let axes = || ints(node, "axes").or_else(|| self.constant(node, 1).map(Constant::ints));
        let whole = |axes: Vec<i64>, rank: usize| -> Vec<usize> {
            axes.into_iter().filter_map(|axis| super::fold::place(axis, rank)).collect()
        };
        let dims = match node.kind.as_str() {
            "Flatten" if super::fold::place(int(node, "axis", 1), rank) == Some(1) => vec![value.count()],
            "Flatten" => return Err(self.refuse(node, "only what keeps the batch apart is run (axis 1)")),
            "Squeeze" => {
                let axes = axes()
                    .map_or_else(|| (1..rank).filter(|i| now[i - 1] == 1).collect(), |all| whole(all, rank));
                (1..rank).filter(|i| !axes.contains(i)).map(|i| now[i - 1]).collect()
            }
            "Unsqueeze" => {
                let axes = axes().unwrap_or_default();
                let axes = whole(axes.clone(), rank + axes.len());
                let mut rest = now.iter().copied();
                (1..rank + axes.len())
                    .map(|i| if axes.contains(&i) { 1 } else { rest.next().unwrap_or(1) })
                    .collect()
            }
            _ => {
                let mut wanted = self.needed(node, 1)?.ints();
                // A batch of a fixed size counts as one image.
                if let Some(first) = wanted.first_mut().filter(|first| **first == self.graph.batch) {
                    *first = 1;
                }
                let batch: Vec<usize> = std::iter::once(1).chain(now.iter().copied()).collect();
                let dims = dims_as_asked(&batch, &wanted);
                match dims.as_deref() {
                    Some([1, rest @ ..]) if !rest.is_empty() => rest.to_vec(),
                    _ => {
                        let why = format!("{now:?} cannot be read as {wanted:?}, with the batch apart");
                        return Err(self.refuse(node, &why));
                    }
                }
            }
        };
        if let Some(seen) = value.as_dims(&dims) {
            return Ok(seen);
        }
        // What is fed in as a line is an image in whichever order the file goes on with.
        let other = Value { form: Form::FlatLast, ..value };
        if value.at == 0
            && value.flat()
            && let Some(seen) = other.as_dims(&dims)
        {
            return Ok(seen);
        }
        let line = self.line(node, value)?;
        match dims[..] {
            [_] => Ok(line),
            [rows, cols] => self.seen_as(node, line, [rows, cols, 1], Form::Plane),
            [rows, cols, channels] => self.seen_as(node, line, [rows, cols, channels], Form::Last),
            _ => Err(self.refuse(node, &format!("{now:?} cannot be read as {dims:?}"))),
        }
    }

    fn transpose(&mut self, node: &Node) -> Result<Value> {
        let value = self.image(node, 0)?;
        let perm = ints(node, "perm").unwrap_or_default();
        let turned = match perm[..] {
            [0, ref rest @ ..] => value.turned(rest),
            _ => None,
        };
        match turned {
            Some((turned, false)) => Ok(turned),
            Some((turned, true)) => {
                let moved = self.add(node, Kind::Transpose, Vec::new(), &[value])?;
                Ok(Value { at: moved.at, ..turned })
            }
            None => {
                let now = value.dims();
                let axes: Vec<usize> = perm
                    .iter()
                    .skip(1)
                    .filter_map(|axis| usize::try_from(axis - 1).ok())
                    .filter(|i| *i < now.len())
                    .collect();
                // Axes of length one may stand anywhere: nothing is moved.
                let longer: Vec<usize> = axes.iter().copied().filter(|i| now[*i] > 1).collect();
                match axes[..] {
                    [a, b, c]
                        if perm[0] == 0 && now.len() == 3 && longer.is_sorted() && value.as_in_memory() =>
                    {
                        self.seen_as(node, value, [now[a], now[b], now[c]], Form::Last)
                    }
                    _ => Err(self.refuse(node, &format!("the order {perm:?} of {now:?} is not run"))),
                }
            }
        }
    }

    /// The image as one of channels first, which is how its kind of node takes it.
    fn first(&mut self, node: &Node, value: Value) -> Result<Value> {
        match value.dims()[..] {
            _ if value.form == Form::First => Ok(value),
            [channels, rows, cols] => {
                let line = self.line(node, value)?;
                self.image_of_line(node, line, [rows, cols, channels])
            }
            _ => Err(self.refuse(node, "it reads what is no image of channels, rows and columns")),
        }
    }

    fn conv(&mut self, node: &Node) -> Result<Value> {
        let value = self.image(node, 0)?;
        let value = self.first(node, value)?;
        let weight = self.needed(node, 1)?;
        let [outputs, depth, rows, cols] = weight.dims[..] else {
            return Err(self.refuse(node, "only images of rows and columns are run"));
        };
        let groups = usize::try_from(int(node, "group", 1)).unwrap_or(0);
        if depth.checked_mul(groups) != Some(value.shape[2]) {
            return Err(
                self.refuse(node, &format!("it reads {groups} x {depth} channels of {}", value.shape[2]))
            );
        }
        let Sides { size: [high, wide], stride, mut pad } = sides(self, node, [rows, cols], value)?;
        // A kernel that is spread out, or is no square, is a larger square one with zeros.
        let [apart_down, apart_across] =
            [(high, rows), (wide, cols)].map(|(whole, n)| (whole - 1) / (n.max(2) - 1).max(1));
        let kernel = high.max(wide);
        let weights = if (kernel, kernel) == (rows, cols) {
            weight.values
        } else {
            let count = kernel.checked_mul(kernel).and_then(|square| square.checked_mul(outputs * depth));
            if count.is_none_or(|count| count > 1 << 24) {
                return Err(self.refuse(node, "its kernel is spread too far"));
            }
            let mut larger = vec![0.0; kernel * kernel * outputs * depth];
            for (i, w) in weight.values.iter().enumerate() {
                let (row, col) = (i / cols % rows * apart_down, i % cols * apart_across);
                larger[(i / (rows * cols) * kernel + row) * kernel + col] = *w;
            }
            pad[2] += kernel - high;
            pad[3] += kernel - wide;
            larger
        };
        let value = if pad == [0; 4] { value } else { self.add(node, Kind::Pad(pad), Vec::new(), &[value])? };
        let bias = self.bias(node, outputs)?;
        // Steps that differ down and across are those that both take, of which only every so many rows or columns are kept.
        let common = (1..=stride[0].min(stride[1]))
            .rev()
            .find(|n| stride.iter().all(|step| step % n == 0))
            .unwrap_or(1);
        let kind = Kind::Conv { channels: outputs, kernel, stride: common, groups };
        let made = self.add(node, kind, vec![weights, bias], &[value])?;
        if stride == [common; 2] {
            return Ok(made);
        }
        let kept = Window { size: [1, 1], stride: stride.map(|step| step / common), pad: [0; 4] };
        self.add(node, Kind::AvgPool(kept), Vec::new(), &[made])
    }

    fn bias(&self, node: &Node, outputs: usize) -> Result<Vec<f32>> {
        match self.optional(node, 2)? {
            None => Ok(vec![0.0; outputs]),
            Some(bias) => {
                let spread = super::fold::spread(&bias, &[1, outputs]);
                spread.ok_or_else(|| self.refuse(node, &format!("its bias has not {outputs} numbers")))
            }
        }
    }

    fn dense(&mut self, node: &Node) -> Result<Value> {
        let value = self.image(node, 0)?;
        let weight = self.needed(node, 1)?;
        let [a, b] = weight.dims[..] else {
            return Err(self.refuse(node, "its weights have to be a matrix"));
        };
        let of = |name: &str| node.kind == "Gemm" && int(node, name, 0) == 1;
        if of("transA") {
            return Err(self.refuse(node, "it turns what it reads, which is not run"));
        }
        let turned = of("transB");
        let (outputs, inputs) = if turned { (a, b) } else { (b, a) };
        let factor = if node.kind == "Gemm" { float(node, "alpha", 1.0) } else { 1.0 };
        let at = |o: usize, i: usize| {
            factor * weight.values[if turned { o * inputs + i } else { i * outputs + o }]
        };
        let [h, w, c] = value.shape;
        let mut bias = self.bias(node, outputs)?;
        let beta = if node.kind == "Gemm" { float(node, "beta", 1.0) } else { 1.0 };
        bias.iter_mut().for_each(|b| *b *= beta);
        if !value.flat() && value.form == Form::Last && inputs == c && node.kind == "MatMul" {
            // Of every pixel by itself.
            let weights = (0..outputs * inputs).map(|i| at(i / inputs, i % inputs)).collect();
            return self.add(node, Kind::conv(outputs, 1, 1), vec![weights, bias], &[value]);
        }
        if inputs != value.count() || !value.flat() {
            return Err(self.refuse(node, &format!("it reads {inputs} numbers of {:?}", value.dims())));
        }
        // Ours counts channel by channel.
        let from = |i: usize| match value.form {
            Form::FlatLast => i % (h * w) * c + i / (h * w),
            _ => i,
        };
        let weights = (0..outputs * inputs).map(|i| at(i / inputs, from(i % inputs))).collect();
        let made = self.add(node, Kind::Dense(outputs), vec![weights, bias], &[value])?;
        Ok(Value { form: Form::FlatFirst, ..made })
    }

    fn normalise(&mut self, node: &Node) -> Result<Value> {
        let value = self.image(node, 0)?;
        if int(node, "training_mode", 0) != 0 {
            return Err(
                self.refuse(node, "it normalises by the batch: export the network for reading (eval)")
            );
        }
        // The axis after the batch is that of the channels.
        let channels = value.dims()[0];
        let rank = value.dims().len();
        let mut all = Vec::new();
        for place in 1..5 {
            let own = self.needed(node, place)?;
            if own.values.len() != channels {
                return Err(
                    self.refuse(node, &format!("{} numbers for {channels} channels", own.values.len()))
                );
            }
            all.push(own.values);
        }
        let epsilon = float(node, "epsilon", 1e-5);
        let factors: Vec<f32> =
            all[0].iter().zip(&all[3]).map(|(scale, variance)| scale / (variance + epsilon).sqrt()).collect();
        let summands: Vec<f32> = all[1]
            .iter()
            .zip(&all[2])
            .zip(&factors)
            .map(|((shift, mean), factor)| shift - mean * factor)
            .collect();
        let dims: Vec<usize> = std::iter::once(channels).chain(std::iter::repeat_n(1, rank - 1)).collect();
        let [factors, summands] = [factors, summands].map(|values| Constant::new(dims.clone(), values));
        let by = Affine {
            factors: self.spread(node, &factors, value)?,
            summands: self.spread(node, &summands, value)?,
        };
        self.scale(node, value, &by)
    }

    /// Every number times one, plus another.
    fn scaled(&mut self, node: &Node, value: Value, factor: f32, summand: f32) -> Result<Value> {
        let by = Affine { factors: vec![factor; value.count()], summands: vec![summand; value.count()] };
        self.scale(node, value, &by)
    }

    fn arithmetic(&mut self, node: &Node) -> Result<Value> {
        let kind = node.kind.as_str();
        if let Some(images) = self.images(node) {
            return self.branches(node, images);
        }
        if kind == "Sum" || node.input.len() != 2 {
            return Err(self.refuse(node, "it adds up what is no image"));
        }
        let (place, other) = if self.constant(node, 1).is_some() { (1, 0) } else { (0, 1) };
        let (constant, value) = (self.needed(node, place)?, self.image(node, other)?);
        let values = self.spread(node, &constant, value)?;
        let ones = vec![1.0; values.len()];
        let zeros = vec![0.0; values.len()];
        let by = |f: fn(&f32) -> f32| values.iter().map(f).collect::<Vec<f32>>();
        let (factors, summands) = match (kind, other) {
            ("Add", _) => (ones, values),
            ("Sub", 0) => (ones, by(|v| -v)),
            ("Sub", _) => (by(|_| -1.0), values),
            ("Mul", _) => (values, zeros),
            ("Div", 0) if values.iter().all(|v| *v != 0.0) => (by(|v| 1.0 / v), zeros),
            _ => return Err(self.refuse(node, "what it divides by has to be a constant that is not 0")),
        };
        self.scale(node, value, &Affine { factors, summands })
    }

    /// Branches that come together.
    fn branches(&mut self, node: &Node, mut images: Vec<Value>) -> Result<Value> {
        let same_order = |a: &Value, b: &Value| a.dims() == b.dims() && a.as_in_memory() == b.as_in_memory();
        let alike = images.iter().all(|other| same_order(&images[0], other));
        match node.kind.as_str() {
            _ if images.len() < 2 => Ok(images[0]),
            "Add" | "Sum" if alike => self.add(node, Kind::Sum, Vec::new(), &images),
            "Sub" if alike && images.len() == 2 => {
                let count = images[1].shape[2];
                // Not by the layer before: others may read that.
                let tensors = vec![vec![-1.0; count], vec![0.0; count]];
                images[1] = self.add(node, Kind::Scale, tensors, &images[1..])?;
                self.add(node, Kind::Sum, Vec::new(), &images)
            }
            "Mul" if images.len() == 2 => {
                // The one that is a number a channel comes second.
                if images[0].count() < images[1].count() {
                    images.swap(0, 1);
                }
                let gate =
                    images[1].shape == [1, 1, images[0].shape[2]] && !images[1].flat() && !images[0].flat();
                if alike || gate {
                    self.add(node, Kind::Product, Vec::new(), &images)
                } else {
                    Err(self.refuse(node, "the branches that it multiplies do not have the same form"))
                }
            }
            _ => Err(self.refuse(
                node,
                "such a meeting of branches is not run: those of one form are added or multiplied",
            )),
        }
    }

    fn power(&mut self, node: &Node) -> Result<Value> {
        let value = self.image(node, 0)?;
        match self.needed(node, 1)?.values[..] {
            [1.0] => Ok(value),
            [2.0] => self.add(node, Kind::Product, Vec::new(), &[value, value]),
            [3.0] => {
                let square = self.add(node, Kind::Product, Vec::new(), &[value, value])?;
                self.add(node, Kind::Product, Vec::new(), &[square, value])
            }
            _ => Err(self.refuse(node, "the powers that are run are squares and cubes")),
        }
    }

    /// The larger, or the smaller, of each number and a constant.
    fn bound(&mut self, node: &Node) -> Result<Value> {
        let place = usize::from(self.constant(node, 1).is_some());
        let (bound, value) = (self.needed(node, place)?, self.image(node, 1 - place)?);
        let [bound] = bound.values[..] else {
            return Err(self.refuse(node, "one bound for all is run"));
        };
        let activation = match (node.kind.as_str(), bound) {
            ("Max", 0.0) => Activation::Relu,
            ("Max", low) => Activation::Clip(low, f32::MAX),
            (_, high) => Activation::Clip(f32::MIN, high),
        };
        self.activate(node, activation, value)
    }

    fn concat(&mut self, node: &Node) -> Result<Value> {
        let Some(mut images) = self.images(node) else {
            return Err(self.refuse(node, "it joins what is no image"));
        };
        let first = images[0];
        let axis = self.axis(node, int(node, "axis", 1), first)?;
        if first.flat() {
            for value in &mut images {
                *value = self.line(node, *value)?;
            }
            return if images.len() == 1 {
                Ok(images[0])
            } else {
                self.add(node, Kind::Concat, Vec::new(), &images)
            };
        }
        let channels = match first.form {
            Form::First => axis == 0,
            Form::Last => axis == 2,
            _ => false,
        };
        if !channels || images.iter().any(|other| other.form != first.form) {
            return Err(self.refuse(node, "only channels are joined"));
        }
        if images.len() == 1 { Ok(first) } else { self.add(node, Kind::Concat, Vec::new(), &images) }
    }

    fn pad(&mut self, node: &Node) -> Result<Value> {
        let value = self.image(node, 0)?;
        let filled = self
            .optional(node, 2)?
            .map_or(float(node, "value", 0.0), |of| of.values.first().copied().unwrap_or(0.0));
        if super::graph::text(node, "mode", "constant") != "constant" || filled != 0.0 {
            return Err(self.refuse(node, "only zeros are put around an image"));
        }
        let pads =
            ints(node, "pads").or_else(|| self.constant(node, 1).map(Constant::ints)).unwrap_or_default();
        let rank = value.dims().len() + 1;
        let pads: Vec<usize> = pads.iter().filter_map(|n| usize::try_from(*n).ok()).collect();
        let (rows, cols) = match value.form {
            Form::First => (2, 3),
            Form::Last => (1, 2),
            _ => return Err(self.refuse(node, "it pads what is no image")),
        };
        let elsewhere = |i: &usize| i % rank != rows && i % rank != cols && pads[*i] > 0;
        if pads.len() != 2 * rank || (0..pads.len()).any(|i| elsewhere(&i)) {
            return Err(self.refuse(node, "only rows and columns are put around an image"));
        }
        let around = [pads[rows], pads[cols], pads[rank + rows], pads[rank + cols]];
        self.add(node, Kind::Pad(around), Vec::new(), &[value])
    }

    fn pool(&mut self, node: &Node) -> Result<Value> {
        let value = self.image(node, 0)?;
        let value = self.first(node, value)?;
        let window = ints(node, "kernel_shape").unwrap_or_default();
        let [rows, cols] = window.iter().filter_map(|n| usize::try_from(*n).ok()).collect::<Vec<_>>()[..]
        else {
            return Err(self.refuse(node, "its window has to have rows and columns"));
        };
        let Sides { size, stride, pad } = sides(self, node, [rows, cols], value)?;
        if size != [rows, cols] {
            return Err(self.refuse(node, "windows with gaps are not run"));
        }
        let max = node.kind == "MaxPool";
        let mut window = Window { size, stride, pad };
        let mut value = value;
        if !max && int(node, "count_include_pad", 0) == 1 && pad != [0; 4] {
            // Zeros that count; what a last window lacks beyond these does not.
            value = self.add(node, Kind::Pad(pad), Vec::new(), &[value])?;
            window.pad = [0; 4];
        }
        if int(node, "ceil_mode", 0) == 1 {
            // A last window that is not full: as much more below and on the right, where it begins inside.
            for (axis, (low, high)) in [(0, 2), (1, 3)].into_iter().enumerate() {
                let whole = value.shape[axis] + window.pad[low] + window.pad[high];
                let rest = whole.saturating_sub(window.size[axis]) % window.stride[axis];
                let more = (window.stride[axis] - rest) % window.stride[axis];
                let start = (whole + more).saturating_sub(window.size[axis]);
                if more > 0 && start < value.shape[axis] + window.pad[low] {
                    window.pad[high] += more;
                }
            }
        }
        let kind = if max { Kind::MaxPool(window) } else { Kind::AvgPool(window) };
        self.add(node, kind, Vec::new(), &[value])
    }

    /// Over all rows and columns.
    fn pool_all(&mut self, node: &Node) -> Result<Value> {
        let mut value = self.image(node, 0)?;
        let global = node.kind.starts_with("Global");
        if global {
            value = self.first(node, value)?;
        }
        let [h, w, _] = value.shape;
        if !global {
            let axes =
                ints(node, "axes").or_else(|| self.constant(node, 1).map(Constant::ints)).unwrap_or_default();
            let rank = value.dims().len() + 1;
            let mut axes: Vec<usize> =
                axes.into_iter().filter_map(|axis| super::fold::place(axis, rank)).collect();
            axes.sort_unstable();
            let over = match value.form {
                Form::First => axes == [2, 3],
                Form::Last => axes == [1, 2],
                _ => false,
            };
            if !over {
                return Err(self.refuse(node, "it is run over all rows and columns alone"));
            }
        }
        let window = Window { size: [h, w], stride: [h, w], pad: [0; 4] };
        let max = node.kind.ends_with("Max") || node.kind.contains("MaxPool");
        let kind = if max { Kind::MaxPool(window) } else { Kind::AvgPool(window) };
        let pooled = self.add(node, kind, Vec::new(), &[value])?;
        let kept = global || int(node, "keepdims", 1) == 1;
        Ok(Value { form: if kept { value.form } else { Form::FlatFirst }, ..pooled })
    }

    /// A slope below zero for each channel.
    fn leaky_channels(&mut self, node: &Node) -> Result<Value> {
        let value = self.image(node, 0)?;
        let slopes = self.needed(node, 1)?;
        let all = self.spread(node, &slopes, value)?;
        let channels = value.shape[2];
        let own: Vec<f32> = (0..all.len()).filter(|i| value.memory(*i) < channels).map(|i| all[i]).collect();
        if all.iter().enumerate().any(|(i, slope)| *slope != own[value.memory(i) % channels]) {
            return Err(self.refuse(node, "one slope a channel is run"));
        }
        if own.iter().all(|slope| *slope == own[0]) {
            return self.activate(node, Activation::LeakyRelu(own[0]), value);
        }
        // max(x, 0) - slope max(-x, 0).
        let above = self.activate(node, Activation::Relu, value)?;
        let turned =
            self.add(node, Kind::Scale, vec![vec![-1.0; channels], vec![0.0; channels]], &[value])?;
        let below = self.activate(node, Activation::Relu, turned)?;
        let minus = own.iter().map(|slope| -slope).collect();
        let below = self.add(node, Kind::Scale, vec![minus, vec![0.0; channels]], &[below])?;
        self.add(node, Kind::Sum, Vec::new(), &[above, below])
    }

    fn selu(&mut self, node: &Node) -> Result<Value> {
        let value = self.image(node, 0)?;
        let (alpha, gamma) = (float(node, "alpha", 1.673_263_2), float(node, "gamma", 1.050_701));
        let elu = self.activate(node, Activation::Elu(alpha), value)?;
        let channels = elu.shape[2];
        self.add(node, Kind::Scale, vec![vec![gamma; channels], vec![0.0; channels]], &[elu])
    }

    /// Rounding to the steps of 8-bit integers; what dequantizes them again has nothing left to do.
    fn quantize(&mut self, node: &Node) -> Result<Value> {
        let value = self.image(node, 0)?;
        let (scale, zero) = (self.needed(node, 1)?, self.optional(node, 2)?);
        let [step] = scale.values[..] else {
            return Err(self.refuse(node, "one step for all is run"));
        };
        let signed = zero.as_ref().is_some_and(|zero| zero.signed);
        let zero = zero.and_then(|zero| zero.values.first().copied()).unwrap_or(0.0);
        let (low, high) = if signed { (-128.0, 127.0) } else { (0.0, 255.0) };
        let again =
            |other: &&Node| other.kind == "DequantizeLinear" && other.input.first() == node.output.first();
        let same = |other: &Node| {
            self.constant(other, 1).is_some_and(|of| of.values == scale.values)
                && self.constant(other, 2).is_none_or(|of| of.values == [zero])
        };
        let after: Vec<&Node> = self.graph.nodes.iter().filter(again).collect();
        let readers = node.output.first().map_or(0, |name| self.graph.readers(name));
        if after.len() != readers || !after.into_iter().all(same) {
            return Err(self.refuse(node, "what it quantizes has to be dequantized again at once (QDQ form)"));
        }
        if step <= 0.0 {
            return Err(self.refuse(node, "its step has to be above zero"));
        }
        self.activate(node, Activation::Round { step, low: low - zero, high: high - zero }, value)
    }

    /// Logits are what is attacked: what makes probabilities of them is left out, at the end.
    fn probabilities(&mut self, node: &Node) -> Result<Value> {
        let value = self.image(node, 0)?;
        let axis = self.axis(node, int(node, "axis", -1), value)?;
        if value.dims().iter().enumerate().any(|(i, n)| *n > 1 && i != axis) {
            return Err(self.refuse(node, "it makes probabilities of more than a line of numbers"));
        }
        self.note_probabilities(value);
        Ok(value)
    }
}
