//! The network under construction: layers with their tensors, what each name of the file stands for, and what all kinds of nodes need.

use std::collections::BTreeMap;

use super::fold::{fold, place, spread};
use super::graph::{Constant, Graph, called};
use super::proto::Node;
use super::value::{Form, Value};
use crate::error::{Error, Result};
use crate::network::layer::Shape;
use crate::network::{Activation, Kind, Layer};

/// What a name of the file stands for.
#[derive(Clone, Debug)]
pub enum Known {
    /// Numbers that are the same whatever the image.
    Constant(Constant),
    /// What layers make of the image.
    Image(Value),
    /// Where that is above a number: PyTorch writes a softplus so that it is the number itself there, where they are the same.
    Above(Value),
}

/// The network so far.
pub struct Builder<'a> {
    pub graph: &'a Graph,
    name: &'a str,
    pub layers: Vec<Layer>,
    /// The tensors of each layer.
    pub tensors: Vec<Vec<Vec<f32>>>,
    known: BTreeMap<String, Known>,
    /// What is probabilities already, which nothing may be computed from.
    probabilities: Vec<usize>,
}

/// What is multiplied by and added to an image.
pub struct Affine {
    pub factors: Vec<f32>,
    pub summands: Vec<f32>,
}

impl<'a> Builder<'a> {
    /// None so far, of images that the file has in that form.
    pub fn new(graph: &'a Graph, name: &'a str, image: Shape, form: Form) -> Self {
        let mut known: BTreeMap<String, Known> = BTreeMap::new();
        for (name, constant) in &graph.constants {
            known.insert(name.clone(), Known::Constant(constant.clone()));
        }
        known.insert(graph.input.0.clone(), Known::Image(Value { at: 0, shape: image, form }));
        Self { graph, name, layers: Vec::new(), tensors: Vec::new(), known, probabilities: Vec::new() }
    }

    /// An error that says what is not run.
    pub fn unsupported(&self, why: impl Into<String>) -> Error {
        Error::Unsupported { network: self.name.into(), why: why.into() }
    }

    /// One that names the node.
    pub fn refuse(&self, node: &Node, why: &str) -> Error {
        self.unsupported(format!("{}: {why}", called(node)))
    }

    /// What the input of that number is.
    fn input(&self, node: &Node, place: usize) -> Option<&Known> {
        node.input.get(place).filter(|name| !name.is_empty()).and_then(|name| self.known.get(name))
    }

    /// The image that a node reads as its input of that number.
    ///
    /// # Errors
    /// Where that is no image, or probabilities.
    pub fn image(&self, node: &Node, place: usize) -> Result<Value> {
        match self.input(node, place) {
            Some(Known::Image(value)) => Ok(*value),
            _ => Err(self.refuse(node, "it does not read what comes from the image")),
        }
    }

    /// The constant that a node reads as its input of that number, if that is one.
    pub fn constant(&self, node: &Node, place: usize) -> Option<&Constant> {
        match self.input(node, place) {
            Some(Known::Constant(constant)) => Some(constant),
            _ => None,
        }
    }

    /// As [`constant`](Self::constant).
    ///
    /// # Errors
    /// Where that is none.
    pub fn needed(&self, node: &Node, place: usize) -> Result<Constant> {
        let none = || self.refuse(node, "what it weighs by has to be a constant");
        self.constant(node, place).cloned().ok_or_else(none)
    }

    /// As [`needed`](Self::needed), if the node has such an input at all.
    ///
    /// # Errors
    /// Where that is no constant.
    pub fn optional(&self, node: &Node, place: usize) -> Result<Option<Constant>> {
        match node.input.get(place).filter(|name| !name.is_empty()) {
            None => Ok(None),
            Some(_) => self.needed(node, place).map(Some),
        }
    }

    /// The images that a node reads, where it reads nothing else; one at least.
    pub fn images(&self, node: &Node) -> Option<Vec<Value>> {
        let one = |place| match self.input(node, place) {
            Some(Known::Image(value)) => Some(*value),
            _ => None,
        };
        let all: Option<Vec<Value>> = (0..node.input.len()).map(one).collect();
        all.filter(|images| !images.is_empty())
    }

    /// Says what a node puts out.
    pub fn put(&mut self, node: &Node, value: Value) {
        self.know(node, Known::Image(value));
    }

    /// Notes that a node says where an image is above a number.
    ///
    /// # Errors
    /// Where it compares something else.
    pub fn compare(&mut self, node: &Node) -> Result<()> {
        let value = self.image(node, 0)?;
        self.needed(node, 1)?;
        self.know(node, Known::Above(value));
        Ok(())
    }

    /// What a node chooses between: where one is above a number that one itself, elsewhere its softplus, which is the softplus everywhere.
    ///
    /// # Errors
    /// Where it chooses otherwise.
    pub fn choose(&mut self, node: &Node) -> Result<Value> {
        if let (Some(Known::Above(of)), Ok(above), Ok(else_)) =
            (self.input(node, 0), self.image(node, 1), self.image(node, 2))
        {
            let layer = else_.at.checked_sub(1).and_then(|place| self.layers.get(place));
            let softplus = layer.is_some_and(|layer| {
                layer.kind == Kind::Activation(Activation::Softplus) && layer.from == [else_.at - of.at]
            });
            if softplus && above == *of {
                return Ok(else_);
            }
        }
        Err(self.refuse(node, "what is chosen number by number is not run"))
    }

    fn know(&mut self, node: &Node, known: Known) {
        if let Some(output) = node.output.first() {
            self.known.insert(output.clone(), known);
        }
    }

    /// What comes out of the whole.
    ///
    /// # Errors
    /// Where that does not come from the image.
    pub fn output(&self) -> Result<Value> {
        match self.known.get(&self.graph.output) {
            Some(Known::Image(value)) => Ok(*value),
            _ => {
                Err(self
                    .unsupported(format!("its output '{}' does not come from its input", self.graph.output)))
            }
        }
    }

    /// Whether a node computes from constants and shapes alone; its result is known then.
    pub fn folded(&mut self, node: &Node) -> bool {
        let made = match (node.kind.as_str(), self.input(node, 0)) {
            ("Shape", Some(Known::Image(value))) => {
                let dims: Vec<f32> = std::iter::once(1).chain(value.dims()).map(|n| n as f32).collect();
                Some(Constant::new(vec![dims.len()], dims))
            }
            ("Shape", Some(Known::Constant(constant))) => {
                let dims: Vec<f32> = constant.dims.iter().map(|n| *n as f32).collect();
                Some(Constant::new(vec![dims.len()], dims))
            }
            _ => {
                let inputs: Vec<Option<&Constant>> =
                    (0..node.input.len()).map(|place| self.constant(node, place)).collect();
                let constant = |place: usize| node.input[place].is_empty() || inputs[place].is_some();
                if (0..inputs.len()).all(constant) { fold(node, &inputs) } else { None }
            }
        };
        let folded = made.is_some();
        if let Some(made) = made {
            self.know(node, Known::Constant(made));
        }
        folded
    }

    /// Notes that a value is probabilities.
    pub fn note_probabilities(&mut self, value: Value) {
        self.probabilities.push(value.at);
    }

    /// Adds a layer that reads these; what it puts out, in the form of the first.
    ///
    /// # Errors
    /// Where it does not fit them.
    pub fn add(&mut self, node: &Node, kind: Kind, tensors: Vec<Vec<f32>>, from: &[Value]) -> Result<Value> {
        if from.iter().any(|value| self.probabilities.contains(&value.at)) {
            return Err(
                self.refuse(node, "it computes from probabilities: Softmax is taken off the end alone")
            );
        }
        let shapes: Vec<Shape> = from.iter().map(|value| value.shape).collect();
        let at = kind.at(&shapes).map_err(|why| self.refuse(node, &why))?;
        let place = self.layers.len() + 1;
        let name = if tensors.is_empty() { String::new() } else { format!("layer{place}") };
        let from_back = from.iter().map(|value| place - value.at).collect();
        self.layers.push(Layer { name, kind, from: from_back });
        self.tensors.push(tensors);
        let form = from.first().map_or(Form::First, |value| value.form);
        Ok(Value { at: place, shape: at.output, form })
    }

    /// The same numbers read as an image of another shape, in the order of memory.
    ///
    /// # Errors
    /// Where there are not as many.
    pub fn seen_as(&mut self, node: &Node, value: Value, shape: Shape, form: Form) -> Result<Value> {
        if value.shape == shape {
            return Ok(Value { form, ..value });
        }
        let seen = self.add(node, Kind::Unflatten(shape), Vec::new(), &[value])?;
        Ok(Value { form, ..seen })
    }

    /// Its numbers in a line, in the file's order.
    ///
    /// # Errors
    /// As [`add`](Self::add).
    pub fn line(&mut self, node: &Node, value: Value) -> Result<Value> {
        let [h, w, c] = value.shape;
        let mut value = value;
        if !value.as_in_memory() {
            // Channel by channel: pixels and channels change places.
            value = self.seen_as(node, value, [h * w, c, 1], Form::Plane)?;
            value = self.add(node, Kind::Transpose, Vec::new(), &[value])?;
        }
        self.seen_as(node, value, [1, 1, h * w * c], Form::FlatFirst)
    }

    /// A line of numbers as an image, channel by channel.
    ///
    /// # Errors
    /// As [`add`](Self::add).
    pub fn image_of_line(&mut self, node: &Node, value: Value, [h, w, c]: Shape) -> Result<Value> {
        let value = self.seen_as(node, value, [c, h * w, 1], Form::Plane)?;
        let value = self.add(node, Kind::Transpose, Vec::new(), &[value])?;
        self.seen_as(node, value, [h, w, c], Form::First)
    }

    /// A constant as a number for each one of an image in the file's order.
    ///
    /// # Errors
    /// Where it does not fit.
    pub fn spread(&self, node: &Node, of: &Constant, value: Value) -> Result<Vec<f32>> {
        let dims: Vec<usize> = std::iter::once(1).chain(value.dims()).collect();
        let all = spread(of, &dims);
        all.ok_or_else(|| self.refuse(node, &format!("constants of {:?} do not fit {dims:?}", of.dims)))
    }

    /// Multiplies an image and adds to it, with numbers for each of its own in the file's order: in the layer before where that has
    /// weights and nobody else reads it.
    ///
    /// # Errors
    /// As [`add`](Self::add).
    pub fn scale(&mut self, node: &Node, value: Value, by: &Affine) -> Result<Value> {
        let channels = value.shape[2];
        let per_channel = |all: &[f32]| -> Option<Vec<f32>> {
            let mut own = vec![f32::NAN; channels];
            for (i, x) in all.iter().enumerate() {
                let place = value.memory(i) % channels;
                if own[place].is_nan() {
                    own[place] = *x;
                } else if own[place] != *x {
                    return None;
                }
            }
            Some(own)
        };
        let (Some(factors), Some(summands)) = (per_channel(&by.factors), per_channel(&by.summands)) else {
            // A number of its own for each.
            let in_memory = |all: &[f32]| {
                let mut moved = vec![0.0; all.len()];
                all.iter().enumerate().for_each(|(i, x)| moved[value.memory(i)] = *x);
                moved
            };
            let tensors = vec![in_memory(&by.factors), in_memory(&by.summands)];
            let line = self.seen_as(node, value, [1, 1, value.count()], value.form)?;
            let scaled = self.add(node, Kind::Scale, tensors, &[line])?;
            return self.seen_as(node, scaled, value.shape, value.form);
        };
        // Under whatever name: a line of its numbers is still what that layer puts out.
        let mut names = self
            .known
            .iter()
            .filter(|(_, known)| matches!(known, Known::Image(other) if other.at == value.at));
        let alone = names.all(|(name, _)| self.graph.readers(name) == 1);
        let before = value.at.checked_sub(1).filter(|_| alone && value.at == self.layers.len());
        let kind = before.map(|place| self.layers[place].kind);
        match (before, kind) {
            (Some(place), Some(Kind::Conv { .. } | Kind::Dense(_) | Kind::Scale)) => {
                let [weights, biases] = &mut self.tensors[place][..] else {
                    return Err(self.refuse(node, "what it scales has no weights"));
                };
                let row = weights.len() / channels;
                for (chunk, factor) in weights.chunks_exact_mut(row).zip(&factors) {
                    chunk.iter_mut().for_each(|w| *w *= factor);
                }
                for ((b, factor), summand) in biases.iter_mut().zip(&factors).zip(&summands) {
                    *b = *b * factor + summand;
                }
                Ok(value)
            }
            _ => self.add(node, Kind::Scale, vec![factors, summands], &[value]),
        }
    }

    /// An axis of a node, without the batch, from 0 on.
    ///
    /// # Errors
    /// Where the image has no such.
    pub fn axis(&self, node: &Node, axis: i64, value: Value) -> Result<usize> {
        let rank = value.dims().len() + 1;
        let found = place(axis, rank).and_then(|axis| axis.checked_sub(1));
        found.ok_or_else(|| self.refuse(node, &format!("there is no axis {axis} beside the batch")))
    }
}
