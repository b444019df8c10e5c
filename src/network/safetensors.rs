//! The safetensors format (github.com/huggingface/safetensors): eight bytes with the length of a header, the header in JSON, the
//! tensors' bytes. A reader and writer of their own: the library's brings serde, a fifth of what a visitor would download. It
//! is the oracle in `tests/it/weights.rs`.

use std::collections::BTreeMap;

use crate::error::{Error, Result};

/// The largest header that is read, in bytes.
const MAX_HEADER: u64 = 1 << 16;

/// The types of numbers that files hold here; in the order in which tensors stand in a file, from the last to the first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Dtype {
    U8,
    I8,
    U32,
    F32,
}

impl Dtype {
    const ALL: [Self; 4] = [Self::U8, Self::I8, Self::U32, Self::F32];

    /// Its name in a header.
    pub fn name(self) -> &'static str {
        match self {
            Self::U8 => "U8",
            Self::I8 => "I8",
            Self::U32 => "U32",
            Self::F32 => "F32",
        }
    }

    /// Bytes of a number.
    pub fn size(self) -> usize {
        match self {
            Self::U8 | Self::I8 => 1,
            Self::U32 | Self::F32 => 4,
        }
    }
}

/// A tensor in a file.
#[derive(Clone, Debug, PartialEq)]
pub struct Tensor<'a> {
    pub name: String,
    pub dtype: Dtype,
    pub shape: Vec<usize>,
    /// Little-endian numbers, the last axis first.
    pub data: &'a [u8],
}

/// What a file holds.
#[derive(Clone, Debug, Default)]
pub struct File<'a> {
    pub metadata: BTreeMap<String, String>,
    pub tensors: Vec<Tensor<'a>>,
}

impl<'a> File<'a> {
    /// The tensor called `name`.
    pub fn tensor(&self, name: &str) -> Option<&Tensor<'a>> {
        self.tensors.iter().find(|tensor| tensor.name == name)
    }
}

/// Reads a file of at most `limit` bytes. `what` names it in errors.
///
/// # Errors
/// [`Error::BadFile`] that says what is wrong with the container.
pub fn read<'a>(what: &str, bytes: &'a [u8], limit: usize) -> Result<File<'a>> {
    let bad = |why: String| Error::bad_file(what, why);
    if bytes.len() > limit {
        return Err(bad(format!("it is {} bytes long; at most {limit} are read", bytes.len())));
    }
    let Some(length) = bytes.first_chunk::<8>().map(|length| u64::from_le_bytes(*length)) else {
        return Err(bad(format!("it ends after {} bytes", bytes.len())));
    };
    if length > MAX_HEADER {
        return Err(bad(format!(
            "it is no safetensors file (its header would be {length} bytes long; at most {MAX_HEADER} are read)"
        )));
    }
    let start = 8 + length as usize;
    let Some(header) = bytes.get(8..start) else {
        return Err(bad(format!("it is truncated: the header alone needs {start} bytes")));
    };
    let no = |why: String| bad(format!("it is no safetensors file ({why})"));
    let header = std::str::from_utf8(header).map_err(|_| no("its header is no text".into()))?;
    let (metadata, mut entries) = Json { text: header, at: 0 }.header().map_err(no)?;
    let data = &bytes[start..];
    let (mut tensors, mut end) = (Vec::with_capacity(entries.len()), 0);
    // Each lies where the one before ends: one by one, since sorting would take kilobytes of wasm and tensors are few.
    while !entries.is_empty() {
        let place = entries.iter().position(|entry| entry.offsets.0 == end).unwrap_or(0);
        let Entry { name, dtype, shape, offsets: (from, to) } = entries.remove(place);
        let size = shape.iter().try_fold(dtype.size(), |size, n| size.checked_mul(*n));
        if from != end || to < from || size != Some(to - from) {
            return Err(no(format!("the tensor '{name}' is {shape:?} and lies at {from} to {to}")));
        }
        let Some(data) = data.get(from..to) else { return Err(bad("it is truncated".into())) };
        tensors.push(Tensor { name, dtype, shape, data });
        end = to;
    }
    if end != data.len() {
        return Err(bad("it is longer than its tensors".into()));
    }
    Ok(File { metadata, tensors })
}

/// Writes tensors (name, type, shape, bytes) and metadata; the same input gives the same bytes.
///
/// # Errors
/// [`Error::BadInput`] when a tensor's bytes do not fit its shape.
pub fn write(
    mut tensors: Vec<(String, Dtype, Vec<usize>, Vec<u8>)>,
    metadata: BTreeMap<String, String>,
) -> Result<Vec<u8>> {
    // The widest numbers first, so that all lie where they can be read in place.
    tensors.sort_unstable_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    let mut entries = Vec::with_capacity(1 + tensors.len());
    let facts: Vec<String> = metadata.iter().map(|(k, v)| format!("{}:{}", quoted(k), quoted(v))).collect();
    entries.push(format!("\"__metadata__\":{{{}}}", facts.join(",")));
    let mut data = Vec::new();
    for (name, dtype, shape, bytes) in &tensors {
        if shape.iter().product::<usize>() * dtype.size() != bytes.len() {
            return Err(Error::BadInput(format!("'{name}' has {} bytes for {shape:?}", bytes.len())));
        }
        let (from, to) = (data.len(), data.len() + bytes.len());
        let shape = shape.iter().map(usize::to_string).collect::<Vec<_>>().join(",");
        let (name, dtype) = (quoted(name), dtype.name());
        entries.push(format!(
            "{name}:{{\"dtype\":\"{dtype}\",\"shape\":[{shape}],\"data_offsets\":[{from},{to}]}}"
        ));
        data.extend_from_slice(bytes);
    }
    let mut header = format!("{{{}}}", entries.join(","));
    while !header.len().is_multiple_of(8) {
        header.push(' ');
    }
    let mut out = (header.len() as u64).to_le_bytes().to_vec();
    out.extend_from_slice(header.as_bytes());
    out.extend_from_slice(&data);
    Ok(out)
}

/// `text` as a JSON string.
fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            c if (c as u32) < 0x20 => out.push_str(&format!("\\u{:04x}", c as u32)),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

/// What a header says of a tensor.
struct Entry {
    name: String,
    dtype: Dtype,
    shape: Vec<usize>,
    offsets: (usize, usize),
}

/// A header under the reader: as much of JSON as one is made of.
struct Json<'a> {
    text: &'a str,
    at: usize,
}

type Read<T> = std::result::Result<T, String>;

impl Json<'_> {
    fn header(mut self) -> Read<(BTreeMap<String, String>, Vec<Entry>)> {
        let (mut metadata, mut entries) = (BTreeMap::new(), Vec::<Entry>::new());
        self.object(|json, name| {
            if name == "__metadata__" {
                return json.object(|json, key| json.string().map(|value| drop(metadata.insert(key, value))));
            }
            entries.push(json.entry(name)?);
            Ok(())
        })?;
        self.space();
        if self.at == self.text.len() { Ok((metadata, entries)) } else { Err(self.unexpected()) }
    }

    fn entry(&mut self, name: String) -> Read<Entry> {
        let (mut dtype, mut shape, mut offsets) = (None, None, None);
        self.object(|json, key| {
            match key.as_str() {
                "dtype" => {
                    let known = json.string()?;
                    let found = Dtype::ALL.into_iter().find(|dtype| dtype.name() == known);
                    dtype = Some(found.ok_or_else(|| format!("'{name}' is of the type {known}"))?);
                }
                "shape" => shape = Some(json.numbers()?),
                "data_offsets" => offsets = Some(json.numbers()?),
                _ => return Err(format!("'{name}' has a '{key}'")),
            }
            Ok(())
        })?;
        match (dtype, shape, offsets.as_deref()) {
            (Some(dtype), Some(shape), Some(&[from, to])) => {
                Ok(Entry { name, dtype, shape, offsets: (from, to) })
            }
            _ => Err(format!("'{name}' lacks its type, shape or place")),
        }
    }

    fn unexpected(&self) -> String {
        match self.text.get(self.at..).and_then(|rest| rest.chars().next()) {
            Some(c) => format!("'{c}' at {} of its header", self.at),
            None => "its header ends too early".into(),
        }
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn space(&mut self) {
        while self.peek().is_some_and(|byte| byte.is_ascii_whitespace()) {
            self.at += 1;
        }
    }

    /// Takes a sign if it comes next.
    fn takes(&mut self, sign: u8) -> bool {
        self.space();
        let comes = self.peek() == Some(sign);
        self.at += usize::from(comes);
        comes
    }

    fn need(&mut self, sign: u8) -> Read<()> {
        if self.takes(sign) { Ok(()) } else { Err(self.unexpected()) }
    }

    /// Calls `each` for every key of an object, with the reader at its value; a key that is there twice means two things at once.
    fn object(&mut self, mut each: impl FnMut(&mut Self, String) -> Read<()>) -> Read<()> {
        self.need(b'{')?;
        if self.takes(b'}') {
            return Ok(());
        }
        let mut keys: Vec<String> = Vec::new();
        loop {
            let key = self.string()?;
            if keys.contains(&key) {
                return Err(format!("'{key}' is there twice"));
            }
            keys.push(key.clone());
            self.need(b':')?;
            each(self, key)?;
            if !self.takes(b',') {
                return self.need(b'}');
            }
        }
    }

    fn numbers(&mut self) -> Read<Vec<usize>> {
        self.need(b'[')?;
        let mut numbers = Vec::new();
        if self.takes(b']') {
            return Ok(numbers);
        }
        loop {
            self.space();
            let start = self.at;
            while self.peek().is_some_and(|byte| byte.is_ascii_digit()) {
                self.at += 1;
            }
            let digits = self.text.get(start..self.at).unwrap_or_default();
            numbers.push(digits.parse().map_err(|_| self.unexpected())?);
            if !self.takes(b',') {
                self.need(b']')?;
                return Ok(numbers);
            }
        }
    }

    fn string(&mut self) -> Read<String> {
        self.need(b'"')?;
        let mut out = String::new();
        loop {
            let Some(c) = self.text.get(self.at..).and_then(|rest| rest.chars().next()) else {
                return Err(self.unexpected());
            };
            self.at += c.len_utf8();
            match c {
                '"' => return Ok(out),
                '\\' => out.push(self.escaped()?),
                c if (c as u32) < 0x20 => return Err("a control sign in its header".into()),
                c => out.push(c),
            }
        }
    }

    fn escaped(&mut self) -> Read<char> {
        let byte = self.peek();
        self.at += 1;
        Ok(match byte {
            Some(sign @ (b'"' | b'\\' | b'/')) => sign.into(),
            Some(b'n') => '\n',
            Some(b't') => '\t',
            Some(b'r') => '\r',
            Some(b'b') => '\u{8}',
            Some(b'f') => '\u{c}',
            Some(b'u') => {
                let high = self.unit()?;
                if !(0xd800..0xdc00).contains(&high) {
                    return char::from_u32(high).ok_or_else(|| self.unexpected());
                }
                // A surrogate pair.
                let low = if self.takes(b'\\') && self.takes(b'u') { self.unit()? } else { 0 };
                let code = 0x10000 + ((high - 0xd800) << 10) + low.wrapping_sub(0xdc00);
                if (0xdc00..0xe000).contains(&low) { char::from_u32(code) } else { None }
                    .ok_or_else(|| self.unexpected())?
            }
            _ => return Err(self.unexpected()),
        })
    }

    /// Four hexadecimal digits.
    fn unit(&mut self) -> Read<u32> {
        let digits = self.text.get(self.at..self.at + 4).unwrap_or_default();
        let unit = u32::from_str_radix(digits, 16).map_err(|_| self.unexpected())?;
        self.at += 4;
        Ok(unit)
    }
}
