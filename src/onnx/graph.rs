//! An ONNX file as its nodes and constants.

use std::collections::{BTreeMap, BTreeSet};

use super::proto::{Attribute, Model, Node, Tensor, data_type};
use super::{MAX_BYTES, bad};
use crate::error::Result;

/// A constant: its dimensions, and its numbers in their order.
#[derive(Clone, Debug)]
pub struct Constant {
    pub dims: Vec<usize>,
    pub values: Vec<f32>,
    /// Whether it is of signed bytes: what else is quantized is of unsigned ones.
    pub signed: bool,
}

impl Constant {
    /// One of floats.
    pub fn new(dims: Vec<usize>, values: Vec<f32>) -> Self {
        Self { dims, values, signed: false }
    }

    /// Its numbers as whole ones.
    pub fn ints(&self) -> Vec<i64> {
        self.values.iter().map(|x| *x as i64).collect()
    }
}

/// The parts of a file that a network is made of.
pub struct Graph {
    pub nodes: Vec<Node>,
    pub constants: BTreeMap<String, Constant>,
    /// What is fed in: its name, and its dimensions without the first (the batch), 0 where one is open.
    pub input: (String, Vec<usize>),
    /// Images at once, where that is fixed; 0 otherwise.
    pub batch: i64,
    /// What comes out.
    pub output: String,
    /// What is said of it besides.
    pub metadata: Vec<(String, String)>,
}

impl Graph {
    /// Reads a file.
    ///
    /// # Errors
    /// [`Error::BadFile`](crate::error::Error::BadFile) that says what is wrong.
    pub fn read(bytes: &[u8]) -> Result<Self> {
        if bytes.len() > MAX_BYTES {
            return Err(bad(format!("it is {} bytes long; at most {MAX_BYTES} are read", bytes.len())));
        }
        let model = Model::read(bytes)?;
        let mut constants = BTreeMap::new();
        for tensor in &model.tensors {
            constants.insert(tensor.name.clone(), constant(tensor)?);
        }
        let mut nodes = Vec::new();
        for node in model.nodes {
            let Some(output) = node.output.first() else { return Err(bad("a node of it has no output")) };
            if node.kind != "Constant" {
                nodes.push(node);
            } else if let Some(value) = constant_of(&node)? {
                constants.insert(output.clone(), value);
            }
        }
        let mut inputs = model.inputs.into_iter().filter(|input| !constants.contains_key(&input.name));
        let input = inputs.next().ok_or_else(|| bad("it has no input"))?;
        if let Some(other) = inputs.next() {
            return Err(bad(format!("it has more than one input: {} and {}", input.name, other.name)));
        }
        let batch = input.dims.first().copied().unwrap_or(0).max(0);
        let dims: Vec<usize> = input.dims.iter().skip(1).map(|n| usize::try_from(*n).unwrap_or(0)).collect();
        let output = model.outputs.into_iter().next().ok_or_else(|| bad("it has no output"))?;
        let metadata = model.metadata;
        let mut graph =
            Self { nodes, constants, input: (input.name, dims), batch, output: output.name, metadata };
        graph.keep_what_counts()?;
        Ok(graph)
    }

    /// Leaves out nodes that the output does not come from.
    fn keep_what_counts(&mut self) -> Result<()> {
        let mut wanted: BTreeSet<&str> = BTreeSet::from([self.output.as_str()]);
        let mut kept = vec![false; self.nodes.len()];
        // Each node stands after those that it reads.
        for (node, kept) in self.nodes.iter().zip(&mut kept).rev() {
            if node.output.iter().any(|output| wanted.contains(output.as_str())) {
                *kept = true;
                wanted.extend(node.input.iter().map(String::as_str));
            }
        }
        let mut kept = kept.into_iter();
        self.nodes.retain(|_| kept.next().unwrap_or(false));
        if self.nodes.is_empty() {
            return Err(bad(format!("nothing in it computes its output '{}'", self.output)));
        }
        Ok(())
    }

    /// How many nodes read what is called so; the output of the whole counts as read once more.
    pub fn readers(&self, name: &str) -> usize {
        let reads = |node: &Node| node.input.iter().filter(|input| *input == name).count();
        self.nodes.iter().map(reads).sum::<usize>() + usize::from(self.output == name)
    }
}

/// What a node is called in an error: by its kind, and its name where it has one.
pub fn called(node: &Node) -> String {
    let Node { kind, name, output, .. } = node;
    match name.as_str() {
        "" => format!("{kind} of '{}'", output.first().map_or("", String::as_str)),
        name => format!("{kind} '{name}'"),
    }
}

/// An attribute of a node.
pub fn attribute<'a>(node: &'a Node, name: &str) -> Option<&'a Attribute> {
    node.attribute.iter().find(|attribute| attribute.name == name)
}

/// A whole number of a node.
pub fn int(node: &Node, name: &str, usual: i64) -> i64 {
    attribute(node, name).and_then(|attribute| attribute.i).unwrap_or(usual)
}

/// A number of a node.
pub fn float(node: &Node, name: &str, usual: f32) -> f32 {
    attribute(node, name).and_then(|attribute| attribute.f).unwrap_or(usual)
}

/// A text of a node.
pub fn text<'a>(node: &'a Node, name: &str, usual: &'a str) -> &'a str {
    attribute(node, name).and_then(|attribute| attribute.s.as_deref()).unwrap_or(usual)
}

/// Whole numbers of a node.
pub fn ints(node: &Node, name: &str) -> Option<Vec<i64>> {
    attribute(node, name).map(|attribute| attribute.ints.clone())
}

/// The value of a Constant node; none where it is of a kind that no layer needs.
fn constant_of(node: &Node) -> Result<Option<Constant>> {
    if let Some(tensor) = attribute(node, "value").and_then(|attribute| attribute.t.as_ref()) {
        return constant(tensor).map(Some);
    }
    let one = |value: f32| Some(Constant::new(Vec::new(), vec![value]));
    let many = |values: Vec<f32>| Some(Constant::new(vec![values.len()], values));
    Ok(if let Some(value) = attribute(node, "value_float") {
        one(value.f.unwrap_or(0.0))
    } else if let Some(value) = attribute(node, "value_int") {
        one(value.i.unwrap_or(0) as f32)
    } else if let Some(values) = attribute(node, "value_floats") {
        many(values.floats.clone())
    } else {
        attribute(node, "value_ints").and_then(|values| many(values.ints.iter().map(|n| *n as f32).collect()))
    })
}

/// A tensor of the file as single precision.
pub fn constant(tensor: &Tensor) -> Result<Constant> {
    let Tensor { name, raw, floats, ints, doubles, .. } = tensor;
    let wrong = |why: String| bad(format!("the tensor '{name}' {why}"));
    if tensor.external {
        return Err(wrong("lies in another file: save the model as one".into()));
    }
    let dims = tensor.dims.iter().map(|n| usize::try_from(*n)).collect::<std::result::Result<Vec<_>, _>>();
    let dims = dims.map_err(|_| wrong(format!("has the dimensions {:?}", tensor.dims)))?;
    let count = dims.iter().try_fold(1usize, |product, n| product.checked_mul(*n)).unwrap_or(usize::MAX);
    let whole = || ints.iter().map(|x| *x as f32).collect();
    let values: Vec<f32> = match (tensor.data_type, raw.is_empty()) {
        (data_type::FLOAT, true) => floats.clone(),
        (data_type::FLOAT, false) => words(raw, f32::from_le_bytes),
        (data_type::DOUBLE, true) => doubles.iter().map(|x| *x as f32).collect(),
        (data_type::DOUBLE, false) => words(raw, |word| f64::from_le_bytes(word) as f32),
        (data_type::FLOAT16, true) => ints.iter().map(|x| half(*x as u16)).collect(),
        (data_type::FLOAT16, false) => words(raw, |word| half(u16::from_le_bytes(word))),
        (data_type::INT64 | data_type::INT32, true) => whole(),
        (data_type::INT64, false) => words(raw, |word| i64::from_le_bytes(word) as f32),
        (data_type::INT32, false) => words(raw, |word| i32::from_le_bytes(word) as f32),
        (data_type::INT8 | data_type::UINT8 | data_type::BOOL, true) => whole(),
        (data_type::INT8, false) => words(raw, |word| f32::from(i8::from_le_bytes(word))),
        (data_type::UINT8 | data_type::BOOL, false) => words(raw, |word: [u8; 1]| f32::from(word[0])),
        // No layer that is run needs any other; one that does is refused by its name.
        _ => return Ok(Constant::new(vec![0], Vec::new())),
    };
    if values.len() != count {
        return Err(wrong(format!("holds {} numbers for the dimensions {dims:?}", values.len())));
    }
    if values.iter().any(|x| !x.is_finite()) {
        return Err(wrong("holds a number that is not finite".into()));
    }
    Ok(Constant { dims, values, signed: tensor.data_type == data_type::INT8 })
}

fn words<const N: usize>(raw: &[u8], read: impl Fn([u8; N]) -> f32) -> Vec<f32> {
    raw.chunks_exact(N).filter_map(|chunk| chunk.try_into().ok()).map(read).collect()
}

/// Half precision (IEEE 754, binary16).
fn half(bits: u16) -> f32 {
    let sign = if bits >> 15 == 1 { -1.0 } else { 1.0 };
    let (exponent, fraction) = (i32::from(bits >> 10 & 31), f32::from(bits & 1023));
    sign * match exponent {
        0 => fraction * 2f32.powi(-24),
        31 if fraction == 0.0 => f32::INFINITY,
        31 => f32::NAN,
        _ => (1.0 + fraction / 1024.0) * 2f32.powi(exponent - 15),
    }
}
