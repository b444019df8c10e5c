//! The messages of ONNX (onnx.proto3 of onnx/onnx) as far as they are needed, and the wire format of protocol buffers that they are in. No
//! number that a file claims is trusted, and no message holds another of its own kind: what is damaged ends in an error.
//!
//! (`rten-onnx` 0.27, which would do, hangs on a number whose bytes never end.)

use super::bad;
use crate::error::Result;

/// Kinds of tensors, by their numbers.
pub mod data_type {
    pub const FLOAT: i64 = 1;
    pub const UINT8: i64 = 2;
    pub const INT8: i64 = 3;
    pub const INT32: i64 = 6;
    pub const INT64: i64 = 7;
    pub const BOOL: i64 = 9;
    pub const FLOAT16: i64 = 10;
    pub const DOUBLE: i64 = 11;
}

/// A constant.
#[derive(Clone, Debug, Default)]
pub struct Tensor {
    pub name: String,
    pub dims: Vec<i64>,
    pub data_type: i64,
    pub floats: Vec<f32>,
    pub ints: Vec<i64>,
    pub doubles: Vec<f64>,
    pub raw: Vec<u8>,
    /// Whether its numbers lie in another file.
    pub external: bool,
}

/// What a node is told besides its inputs.
#[derive(Clone, Debug, Default)]
pub struct Attribute {
    pub name: String,
    pub f: Option<f32>,
    pub i: Option<i64>,
    pub s: Option<String>,
    pub t: Option<Tensor>,
    pub floats: Vec<f32>,
    pub ints: Vec<i64>,
}

/// A node.
#[derive(Clone, Debug, Default)]
pub struct Node {
    pub name: String,
    pub kind: String,
    pub input: Vec<String>,
    pub output: Vec<String>,
    pub attribute: Vec<Attribute>,
}

/// What goes in or comes out; 0 for a dimension that is open.
#[derive(Clone, Debug, Default)]
pub struct Outside {
    pub name: String,
    pub dims: Vec<i64>,
}

/// A model: its graph, and what is said of it.
#[derive(Clone, Debug, Default)]
pub struct Model {
    pub nodes: Vec<Node>,
    pub tensors: Vec<Tensor>,
    pub inputs: Vec<Outside>,
    pub outputs: Vec<Outside>,
    pub metadata: Vec<(String, String)>,
}

/// A field's value as it is written.
enum Value<'a> {
    Number(u64),
    Eight([u8; 8]),
    Bytes(&'a [u8]),
    Four([u8; 4]),
}

/// The fields of a message, one after the other.
struct Fields<'a>(&'a [u8]);

impl<'a> Fields<'a> {
    fn take(&mut self, count: usize) -> Result<&'a [u8]> {
        let (first, rest) =
            self.0.split_at_checked(count).ok_or_else(|| bad("it ends in the middle of something"))?;
        self.0 = rest;
        Ok(first)
    }

    fn number(&mut self) -> Result<u64> {
        let mut number = 0u64;
        for place in 0..10 {
            let byte = self.take(1)?[0];
            number |= u64::from(byte & 127) << (7 * place);
            if byte < 128 {
                return Ok(number);
            }
        }
        Err(bad("a number in it never ends"))
    }

    /// The next field with its number; none at the end.
    fn next(&mut self) -> Result<Option<(u64, Value<'a>)>> {
        if self.0.is_empty() {
            return Ok(None);
        }
        let tag = self.number()?;
        let value = match tag & 7 {
            0 => Value::Number(self.number()?),
            1 => Value::Eight(array(self.take(8)?)),
            2 => {
                let length = usize::try_from(self.number()?)
                    .map_err(|_| bad("a length in it is beyond all measure"))?;
                Value::Bytes(self.take(length)?)
            }
            5 => Value::Four(array(self.take(4)?)),
            other => return Err(bad(format!("a field of it is of the kind {other}, which ONNX has not"))),
        };
        Ok(Some((tag >> 3, value)))
    }
}

/// Calls `f` with every field of a message: its number and its value.
fn each<'a>(bytes: &'a [u8], mut f: impl FnMut(u64, Value<'a>) -> Result<()>) -> Result<()> {
    let mut fields = Fields(bytes);
    while let Some((number, value)) = fields.next()? {
        f(number, value)?;
    }
    Ok(())
}

fn array<const N: usize>(bytes: &[u8]) -> [u8; N] {
    std::array::from_fn(|i| bytes.get(i).copied().unwrap_or(0))
}

impl<'a> Value<'a> {
    fn bytes(self) -> Result<&'a [u8]> {
        match self {
            Self::Bytes(bytes) => Ok(bytes),
            _ => Err(bad("a field of it is not of the kind that it should be")),
        }
    }

    fn text(self) -> Result<String> {
        Ok(String::from_utf8_lossy(self.bytes()?).into_owned())
    }

    /// A whole number, or several.
    fn ints(self, all: &mut Vec<i64>) -> Result<()> {
        match self {
            Self::Number(number) => all.push(number as i64),
            Self::Bytes(bytes) => {
                let mut packed = Fields(bytes);
                while !packed.0.is_empty() {
                    all.push(packed.number()? as i64);
                }
            }
            _ => return Err(bad("a whole number of it is none")),
        }
        Ok(())
    }

    fn int(self) -> Result<i64> {
        let mut all = Vec::new();
        self.ints(&mut all)?;
        all.first().copied().ok_or_else(|| bad("a number of it is missing"))
    }

    fn floats(self, all: &mut Vec<f32>) -> Result<()> {
        match self {
            Self::Four(bytes) => all.push(f32::from_le_bytes(bytes)),
            Self::Bytes(bytes) => all.extend(bytes.chunks_exact(4).map(|b| f32::from_le_bytes(array(b)))),
            _ => return Err(bad("a number of it is none")),
        }
        Ok(())
    }

    fn doubles(self, all: &mut Vec<f64>) -> Result<()> {
        match self {
            Self::Eight(bytes) => all.push(f64::from_le_bytes(bytes)),
            Self::Bytes(bytes) => all.extend(bytes.chunks_exact(8).map(|b| f64::from_le_bytes(array(b)))),
            _ => return Err(bad("a number of it is none")),
        }
        Ok(())
    }
}

impl Model {
    /// Reads a file.
    ///
    /// # Errors
    /// [`Error::BadFile`](crate::error::Error::BadFile) that says what is wrong.
    pub fn read(bytes: &[u8]) -> Result<Self> {
        let (mut model, mut graph) = (Self::default(), None);
        each(bytes, |number, value| {
            match number {
                7 => graph = Some(value.bytes()?),
                14 => model.metadata.push(pair(value.bytes()?)?),
                _ => {}
            }
            Ok(())
        })?;
        each(graph.ok_or_else(|| bad("it holds no graph; is it ONNX?"))?, |number, value| {
            match number {
                1 => model.nodes.push(Node::read(value.bytes()?)?),
                5 => model.tensors.push(Tensor::read(value.bytes()?)?),
                11 => model.inputs.push(Outside::read(value.bytes()?)?),
                12 => model.outputs.push(Outside::read(value.bytes()?)?),
                _ => {}
            }
            Ok(())
        })?;
        Ok(model)
    }

    /// Writes a file.
    pub fn write(&self, ir_version: i64, opset: i64) -> Vec<u8> {
        let mut graph = Vec::new();
        for node in &self.nodes {
            bytes(&mut graph, 1, &node.write());
        }
        bytes(&mut graph, 2, b"misread");
        for tensor in &self.tensors {
            bytes(&mut graph, 5, &tensor.write());
        }
        for (number, all) in [(11, &self.inputs), (12, &self.outputs)] {
            for one in all {
                bytes(&mut graph, number, &one.write());
            }
        }
        let (mut out, mut operators) = (Vec::new(), Vec::new());
        int(&mut out, 1, ir_version);
        bytes(&mut out, 2, b"misread");
        bytes(&mut out, 3, env!("CARGO_PKG_VERSION").as_bytes());
        bytes(&mut out, 7, &graph);
        int(&mut operators, 2, opset);
        bytes(&mut out, 8, &operators);
        for (key, value) in &self.metadata {
            let mut pair = Vec::new();
            bytes(&mut pair, 1, key.as_bytes());
            bytes(&mut pair, 2, value.as_bytes());
            bytes(&mut out, 14, &pair);
        }
        out
    }
}

fn pair(bytes: &[u8]) -> Result<(String, String)> {
    let mut pair = (String::new(), String::new());
    each(bytes, |number, value| {
        match number {
            1 => pair.0 = value.text()?,
            2 => pair.1 = value.text()?,
            _ => {}
        }
        Ok(())
    })?;
    Ok(pair)
}

impl Node {
    fn read(bytes: &[u8]) -> Result<Self> {
        let mut node = Self::default();
        each(bytes, |number, value| {
            match number {
                1 => node.input.push(value.text()?),
                2 => node.output.push(value.text()?),
                3 => node.name = value.text()?,
                4 => node.kind = value.text()?,
                5 => node.attribute.push(Attribute::read(value.bytes()?)?),
                _ => {}
            }
            Ok(())
        })?;
        Ok(node)
    }

    fn write(&self) -> Vec<u8> {
        let mut out = Vec::new();
        self.input.iter().for_each(|name| bytes(&mut out, 1, name.as_bytes()));
        self.output.iter().for_each(|name| bytes(&mut out, 2, name.as_bytes()));
        bytes(&mut out, 3, self.name.as_bytes());
        bytes(&mut out, 4, self.kind.as_bytes());
        self.attribute.iter().for_each(|attribute| bytes(&mut out, 5, &attribute.write()));
        out
    }
}

impl Attribute {
    fn read(bytes: &[u8]) -> Result<Self> {
        let mut attribute = Self::default();
        each(bytes, |number, value| {
            match number {
                1 => attribute.name = value.text()?,
                2 => {
                    let mut all = Vec::new();
                    value.floats(&mut all)?;
                    attribute.f = all.first().copied();
                }
                3 => attribute.i = Some(value.int()?),
                4 => attribute.s = Some(value.text()?),
                5 => attribute.t = Some(Tensor::read(value.bytes()?)?),
                7 => value.floats(&mut attribute.floats)?,
                8 => value.ints(&mut attribute.ints)?,
                _ => {}
            }
            Ok(())
        })?;
        Ok(attribute)
    }

    /// Of those that are written: numbers and texts.
    fn write(&self) -> Vec<u8> {
        let mut out = Vec::new();
        bytes(&mut out, 1, self.name.as_bytes());
        let kind = if let Some(value) = self.f {
            varint(&mut out, 2 << 3 | 5);
            out.extend_from_slice(&value.to_le_bytes());
            1
        } else if let Some(value) = self.i {
            int(&mut out, 3, value);
            2
        } else if let Some(text) = &self.s {
            bytes(&mut out, 4, text.as_bytes());
            3
        } else {
            self.ints.iter().for_each(|value| int(&mut out, 8, *value));
            7
        };
        int(&mut out, 20, kind);
        out
    }
}

impl Tensor {
    fn read(bytes: &[u8]) -> Result<Self> {
        let mut tensor = Self::default();
        each(bytes, |number, value| {
            match number {
                1 => value.ints(&mut tensor.dims)?,
                2 => tensor.data_type = value.int()?,
                4 => value.floats(&mut tensor.floats)?,
                5 | 7 => value.ints(&mut tensor.ints)?,
                8 => tensor.name = value.text()?,
                9 => tensor.raw = value.bytes()?.to_vec(),
                10 => value.doubles(&mut tensor.doubles)?,
                13 => tensor.external = true,
                14 => tensor.external |= value.int()? == 1,
                _ => {}
            }
            Ok(())
        })?;
        Ok(tensor)
    }

    fn write(&self) -> Vec<u8> {
        let mut out = Vec::new();
        self.dims.iter().for_each(|n| int(&mut out, 1, *n));
        int(&mut out, 2, self.data_type);
        bytes(&mut out, 8, self.name.as_bytes());
        bytes(&mut out, 9, &self.raw);
        out
    }
}

impl Outside {
    fn read(bytes: &[u8]) -> Result<Self> {
        let mut outside = Self::default();
        each(bytes, |number, value| {
            match number {
                1 => outside.name = value.text()?,
                2 => outside.dims = dims(value.bytes()?)?,
                _ => {}
            }
            Ok(())
        })?;
        Ok(outside)
    }

    fn write(&self) -> Vec<u8> {
        let (mut shape, mut tensor, mut kind, mut out) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        for n in &self.dims {
            let mut dim = Vec::new();
            if *n > 0 {
                int(&mut dim, 1, *n)
            } else {
                bytes(&mut dim, 2, b"N")
            }
            bytes(&mut shape, 1, &dim);
        }
        int(&mut tensor, 1, data_type::FLOAT);
        bytes(&mut tensor, 2, &shape);
        bytes(&mut kind, 1, &tensor);
        bytes(&mut out, 1, self.name.as_bytes());
        bytes(&mut out, 2, &kind);
        out
    }
}

/// The dimensions of a type: of its tensor, of whose shape, each one.
fn dims(bytes: &[u8]) -> Result<Vec<i64>> {
    fn inside(bytes: &[u8], wanted: u64) -> Result<&[u8]> {
        let mut found = None;
        each(bytes, |number, value| {
            if number == wanted && found.is_none() {
                found = Some(value.bytes()?);
            }
            Ok(())
        })?;
        Ok(found.unwrap_or_default())
    }
    let mut all = Vec::new();
    each(inside(inside(bytes, 1)?, 2)?, |number, value| {
        if number == 1 {
            let mut size = 0;
            each(value.bytes()?, |number, value| {
                if number == 1 {
                    size = value.int()?;
                }
                Ok(())
            })?;
            all.push(size);
        }
        Ok(())
    })?;
    Ok(all)
}

fn varint(out: &mut Vec<u8>, mut number: u64) {
    while number > 127 {
        out.push(number as u8 | 128);
        number >>= 7;
    }
    out.push(number as u8);
}

fn int(out: &mut Vec<u8>, field: u64, value: i64) {
    varint(out, field << 3);
    varint(out, value as u64);
}

fn bytes(out: &mut Vec<u8>, field: u64, value: &[u8]) {
    varint(out, field << 3 | 2);
    varint(out, value.len() as u64);
    out.extend_from_slice(value);
}
