//! What is passed on between the layers of a file: an image as the network here has it, and how the file counts it.

use crate::network::Shape;

/// As what the file has an image, without the batch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Form {
    /// Channels, rows, columns: as PyTorch has it.
    First,
    /// Rows, columns, channels: as Keras has it.
    Last,
    /// Rows and columns of a single channel.
    Plane,
    /// All numbers in a line, those of an image of [`First`](Self::First).
    FlatFirst,
    /// All numbers in a line, those of an image of [`Last`](Self::Last).
    FlatLast,
}

/// An image, or what layers have made of it.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Value {
    /// Which layer puts it out, from 1 on; 0 is the input.
    pub at: usize,
    /// Rows, columns and channels, which lie in memory pixel by pixel.
    pub shape: Shape,
    /// As what the file has it.
    pub form: Form,
}

impl Value {
    /// Numbers of it.
    pub fn count(&self) -> usize {
        self.shape.iter().product()
    }

    /// Its dimensions in the file, without the batch.
    pub fn dims(&self) -> Vec<usize> {
        let [h, w, c] = self.shape;
        match self.form {
            Form::First => vec![c, h, w],
            Form::Last => vec![h, w, c],
            Form::Plane => vec![h, w],
            Form::FlatFirst | Form::FlatLast => vec![h * w * c],
        }
    }

    /// Whether the file has it as a line of numbers.
    pub fn flat(&self) -> bool {
        matches!(self.form, Form::FlatFirst | Form::FlatLast)
    }

    /// Whether it has but one channel or one pixel, so that channels first and channels last are the same.
    pub fn either(&self) -> bool {
        let [h, w, c] = self.shape;
        c == 1 || (h, w) == (1, 1)
    }

    /// Whether the file counts pixel by pixel, as memory here does.
    pub fn as_in_memory(&self) -> bool {
        self.either() || matches!(self.form, Form::Last | Form::FlatLast)
    }

    /// Where in memory the number lies that the file counts as number `i`.
    pub fn memory(&self, i: usize) -> usize {
        let [h, w, c] = self.shape;
        if self.as_in_memory() { i } else { i % (h * w) * c + i / (h * w) }
    }

    /// The same numbers under other dimensions (without the batch), where the file means an image or a line of them; `None` where that
    /// would have to move them.
    pub fn as_dims(&self, dims: &[usize]) -> Option<Self> {
        let [h, w, c] = self.shape;
        let first = self.either() || matches!(self.form, Form::First | Form::FlatFirst);
        let last = self.either() || matches!(self.form, Form::Last | Form::FlatLast);
        let form = match *dims {
            [n] if n == self.count() => {
                if first {
                    Form::FlatFirst
                } else {
                    Form::FlatLast
                }
            }
            [a, b] if c == 1 && [a, b] == [h, w] => Form::Plane,
            [a, b, d] if [a, b, d] == [c, h, w] && first => Form::First,
            [a, b, d] if [a, b, d] == [h, w, c] && last => Form::Last,
            _ => return None,
        };
        Some(Self { form, ..*self })
    }

    /// The same numbers with their axes (from 1 on, without the batch) in another order, and whether rows have become columns; `None`
    /// where channels come to lie between these.
    pub fn turned(&self, perm: &[i64]) -> Option<(Self, bool)> {
        let names: &[u8] = match self.form {
            Form::First => b"chw",
            Form::Last => b"hwc",
            Form::Plane => b"hw",
            Form::FlatFirst | Form::FlatLast => return (perm == [1]).then_some((*self, false)),
        };
        let mut turned = Vec::new();
        for axis in perm {
            turned.push(*names.get(usize::try_from(axis - 1).ok()?)?);
        }
        if turned.len() != names.len() || names.iter().any(|name| !turned.contains(name)) {
            return None;
        }
        let place = |name: u8| turned.iter().position(|other| *other == name);
        let crossed = place(b'w') < place(b'h');
        let form = match place(b'c') {
            None => Form::Plane,
            Some(0) => Form::First,
            Some(2) => Form::Last,
            // Of one channel, where its axis stands moves nothing; it is named as what comes next will take it.
            Some(_) if self.shape[2] == 1 => Form::First,
            Some(_) => return None,
        };
        let [h, w, c] = self.shape;
        let moved = crossed && h != 1 && w != 1;
        let shape = if crossed { [w, h, c] } else { self.shape };
        Some((Self { form, shape, ..*self }, moved))
    }
}
