//! All that is true of a kind of layer: what it makes of a shape, which tensors it has, what it costs, how it is written.
//! What runs it is in [`run`](super::run), what trains it in `train::graph`; both match on [`Kind`] without a rest, so
//! that a kind that is forgotten anywhere does not compile.

use std::fmt;

/// Rows, columns and channels.
pub type Shape = [usize; 3];

/// What a layer computes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Convolution without padding, plus bias.
    Conv {
        /// Output channels.
        channels: usize,
        /// Rows and columns of the kernel.
        kernel: usize,
        /// Step between output positions.
        stride: usize,
    },
    /// Transposed convolution without padding (the adjoint of a [`Conv`](Self::Conv)), plus bias.
    ConvTranspose {
        /// Output channels.
        channels: usize,
        /// Rows and columns of the kernel.
        kernel: usize,
        /// Step between the places where input positions put their kernels.
        stride: usize,
    },
    /// `max(x, 0)`.
    Relu,
    /// Mean over windows of this many rows and columns, side by side; rows and columns that do not fill one are dropped.
    AvgPool(usize),
    /// Repeats each pixel over this many rows and columns.
    Upsample(usize),
    /// Maximum over 2x2 windows, stride 2; an odd last row or column is dropped, ties go to the first.
    MaxPool2,
    /// Fully connected layer with so many outputs, plus bias. Reads an image channel by channel (PyTorch's order).
    Dense(usize),
    /// Reads a vector as an image of these rows, columns and channels, pixel by pixel.
    Unflatten(Shape),
    /// So many rows and columns of zeros around an image: above, left, below, right.
    Pad([usize; 4]),
    /// Each channel times a number of its own, plus another: normalisation that is no part of a convolution.
    Scale,
    /// Minus the squared distance of a vector, an embedding, from each of so many prototypes, one a label (Snell, Swersky,
    /// Zemel 2017, "Prototypical Networks for Few-shot Learning", equation 2): the nearest one is the largest logit.
    Prototypes(usize),
}

/// One layer of a network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Layer {
    /// Its name, which stands before those of its tensors; empty where it has none and nobody names it.
    pub name: String,
    /// What it computes.
    pub kind: Kind,
}

/// A trained tensor of a network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parameter {
    /// Its name in a weights file, e.g. `conv1.weight`.
    pub name: String,
    /// `[out, in, rows, cols]` (`[in, out, rows, cols]` of a transposed convolution), `[out, in]` or, for a bias, `[out]`.
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

/// What a kind of layer comes to at an input of a given shape.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct At {
    /// The shape of the output.
    pub output: Shape,
    /// The shape of the weight, the numbers in the bias (0 where there is none), and the inputs that one output sums over;
    /// `None` where nothing is trained.
    pub weight: Option<(Vec<usize>, usize, usize)>,
    /// Products of a forward pass, had every one been computed.
    pub products: u64,
}

impl Kind {
    /// What it comes to at an input.
    ///
    /// # Errors
    /// In words, where it does not fit the input, or a number in it is 0 or beyond all measure.
    pub fn at(self, input: Shape) -> Result<At, String> {
        let at = self.unbounded(input)?;
        let numbers = at.output.iter().try_fold(1usize, |product, n| product.checked_mul(*n));
        match numbers {
            Some(1..=MAX_NUMBERS) => Ok(at),
            _ => Err(format!(
                "its output would be {:?}: at least 1 and at most {MAX_NUMBERS} numbers are possible",
                at.output
            )),
        }
    }

    fn unbounded(self, [h, w, c]: Shape) -> Result<At, String> {
        let free = |output| Ok(At { output, weight: None, products: 0 });
        let sides = |numbers: &[usize]| {
            if numbers.iter().all(|n| (1..=MAX_SIDE).contains(n)) {
                Ok(())
            } else {
                Err(format!("its numbers have to be 1 to {MAX_SIDE}"))
            }
        };
        let product =
            |numbers: &[usize]| numbers.iter().fold(1u64, |product, n| product.saturating_mul(*n as u64));
        let window = |n: usize| {
            if n <= h && n <= w {
                Ok(())
            } else {
                Err(format!("there is no window of {n} x {n} in its input of {h} x {w}"))
            }
        };
        match self {
            Self::Conv { channels, kernel, stride } => {
                sides(&[channels, kernel, stride])?;
                window(kernel)?;
                let (oh, ow, patch) =
                    ((h - kernel) / stride + 1, (w - kernel) / stride + 1, c * kernel * kernel);
                let weight = Some((vec![channels, c, kernel, kernel], channels, patch));
                Ok(At { output: [oh, ow, channels], weight, products: product(&[oh, ow, channels, patch]) })
            }
            Self::ConvTranspose { channels, kernel, stride } => {
                sides(&[channels, kernel, stride])?;
                let side = |n: usize| n.saturating_sub(1).saturating_mul(stride).saturating_add(kernel);
                // An output position is covered by every `stride`-th row and column of the kernels around it.
                let fan_in =
                    c.saturating_mul((kernel.saturating_mul(kernel)).div_ceil(stride.saturating_mul(stride)));
                let weight = Some((vec![c, channels, kernel, kernel], channels, fan_in));
                Ok(At {
                    output: [side(h), side(w), channels],
                    weight,
                    products: product(&[h, w, c, channels, kernel, kernel]),
                })
            }
            Self::Relu => free([h, w, c]),
            Self::MaxPool2 => window(2).and(free([h / 2, w / 2, c])),
            Self::AvgPool(n) => sides(&[n]).and(window(n)).and_then(|()| free([h / n, w / n, c])),
            Self::Upsample(n) => {
                sides(&[n]).and_then(|()| free([h.saturating_mul(n), w.saturating_mul(n), c]))
            }
            Self::Dense(outputs) => {
                sides(&[outputs])?;
                let inputs = h * w * c;
                let weight = Some((vec![outputs, inputs], outputs, inputs));
                Ok(At { output: [1, 1, outputs], weight, products: product(&[inputs, outputs]) })
            }
            Self::Prototypes(labels) => {
                sides(&[labels])?;
                let inputs = h * w * c;
                let weight = Some((vec![labels, inputs], 0, inputs));
                Ok(At { output: [1, 1, labels], weight, products: product(&[inputs, labels]) })
            }
            Self::Pad(around) if around.iter().all(|n| *n <= MAX_PAD) => {
                let [top, left, bottom, right] = around;
                free([h + top + bottom, w + left + right, c])
            }
            Self::Pad(_) => Err(format!("at most {MAX_PAD} rows and columns are put around an image")),
            Self::Scale => Ok(At { output: [h, w, c], weight: Some((vec![c], c, 1)), products: 0 }),
            Self::Unflatten(image) if product(&image) == product(&[h, w, c]) => free(image),
            Self::Unflatten(image) => Err(format!("it reads {} numbers as an image of {image:?}", h * w * c)),
        }
    }
}

/// The largest number that a layer may be made of, and the most numbers that it may put out: far beyond what the limits on a
/// network's size leave, and far from where a product overflows.
const MAX_SIDE: usize = 1 << 20;
const MAX_NUMBERS: usize = 1 << 24;
/// The most rows or columns that are put on one side of an image.
const MAX_PAD: usize = 64;

impl fmt::Display for Kind {
    /// As it stands in a weights file, e.g. `conv channels=32 kernel=3 stride=1`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Conv { channels, kernel, stride } => {
                write!(f, "conv channels={channels} kernel={kernel} stride={stride}")
            }
            Self::ConvTranspose { channels, kernel, stride } => {
                write!(f, "conv-transpose channels={channels} kernel={kernel} stride={stride}")
            }
            Self::Relu => f.write_str("relu"),
            Self::AvgPool(n) => write!(f, "avg-pool size={n}"),
            Self::Upsample(n) => write!(f, "upsample size={n}"),
            Self::MaxPool2 => f.write_str("max-pool"),
            Self::Dense(outputs) => write!(f, "dense outputs={outputs}"),
            Self::Unflatten([rows, cols, channels]) => {
                write!(f, "unflatten rows={rows} cols={cols} channels={channels}")
            }
            Self::Pad([top, left, bottom, right]) => {
                write!(f, "pad top={top} left={left} bottom={bottom} right={right}")
            }
            Self::Scale => f.write_str("scale"),
            Self::Prototypes(labels) => write!(f, "prototypes labels={labels}"),
        }
    }
}

impl std::str::FromStr for Kind {
    type Err = String;

    /// Reads what [`Display`](fmt::Display) writes.
    fn from_str(text: &str) -> Result<Self, String> {
        let mut words = text.split_ascii_whitespace();
        let name = words.next().unwrap_or_default();
        let mut numbers = Vec::new();
        for word in words {
            let (key, value) =
                word.split_once('=').ok_or_else(|| format!("'{word}' is not like kernel=3"))?;
            let value: usize = value.parse().map_err(|_| format!("'{word}' has no whole number"))?;
            numbers.push((key, value));
        }
        let count = numbers.len();
        let get = |key: &str| {
            let found = numbers.iter().find(|(k, _)| *k == key).map(|(_, v)| *v);
            found.ok_or_else(|| format!("'{text}' has no {key}"))
        };
        let (kind, expected) = match name {
            "conv" => {
                let (channels, kernel, stride) = (get("channels")?, get("kernel")?, get("stride")?);
                (Self::Conv { channels, kernel, stride }, 3)
            }
            "conv-transpose" => {
                let (channels, kernel, stride) = (get("channels")?, get("kernel")?, get("stride")?);
                (Self::ConvTranspose { channels, kernel, stride }, 3)
            }
            "relu" => (Self::Relu, 0),
            "avg-pool" => (Self::AvgPool(get("size")?), 1),
            "upsample" => (Self::Upsample(get("size")?), 1),
            "max-pool" => (Self::MaxPool2, 0),
            "dense" => (Self::Dense(get("outputs")?), 1),
            "unflatten" => (Self::Unflatten([get("rows")?, get("cols")?, get("channels")?]), 3),
            "pad" => (Self::Pad([get("top")?, get("left")?, get("bottom")?, get("right")?]), 4),
            "scale" => (Self::Scale, 0),
            "prototypes" => (Self::Prototypes(get("labels")?), 1),
            _ => return Err(format!("there is no layer '{name}'")),
        };
        if count == expected { Ok(kind) } else { Err(format!("'{text}' says more than a layer {name} has")) }
    }
}

impl Layer {
    /// A convolution.
    pub fn conv(name: &str, channels: usize, kernel: usize, stride: usize) -> Self {
        Self { name: name.into(), kind: Kind::Conv { channels, kernel, stride } }
    }

    /// A transposed convolution.
    pub fn conv_transpose(name: &str, channels: usize, kernel: usize, stride: usize) -> Self {
        Self { name: name.into(), kind: Kind::ConvTranspose { channels, kernel, stride } }
    }

    /// A dense layer.
    pub fn dense(name: &str, outputs: usize) -> Self {
        Self { name: name.into(), kind: Kind::Dense(outputs) }
    }

    /// A layer without tensors.
    pub fn plain(kind: Kind) -> Self {
        Self { name: String::new(), kind }
    }

    /// Its trained tensors at an input, weight and bias (of prototypes the weight alone); none where there are none, or where it does not fit.
    pub fn parameters(&self, input: Shape) -> Vec<Parameter> {
        let Ok(At { weight: Some((shape, outputs, fan_in)), .. }) = self.kind.at(input) else {
            return Vec::new();
        };
        let name = |what: &str| format!("{}.{what}", self.name);
        let weight = Parameter { name: name("weight"), shape, fan_in };
        let bias = (outputs > 0).then(|| Parameter { name: name("bias"), shape: vec![outputs], fan_in });
        std::iter::once(weight).chain(bias).collect()
    }
}

#[cfg(test)]
mod tests {
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;

    #[test]
    fn what_is_written_is_read_back_and_what_is_not_right_is_said() {
        let kinds = [
            Kind::Conv { channels: 3, kernel: 5, stride: 2 },
            Kind::ConvTranspose { channels: 3, kernel: 4, stride: 2 },
            Kind::Relu,
            Kind::AvgPool(2),
            Kind::Upsample(3),
            Kind::MaxPool2,
            Kind::Dense(7),
            Kind::Unflatten([2, 3, 4]),
            Kind::Pad([1, 2, 3, 0]),
            Kind::Scale,
            Kind::Prototypes(5),
        ];
        for kind in kinds {
            assert_eq!(kind.to_string().parse(), Ok(kind));
        }
        for wrong in [
            "",
            "convolution",
            "conv channels=3",
            "relu size=1",
            "dense outputs=x",
            "dense outputs",
            "dense outputs=-1",
        ] {
            assert!(wrong.parse::<Kind>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_layer_that_does_not_fit_is_refused() {
        for (kind, input) in [
            (Kind::Conv { channels: 1, kernel: 3, stride: 1 }, [2, 9, 1]),
            (Kind::Conv { channels: 1, kernel: 3, stride: 0 }, [9, 9, 1]),
            (Kind::Conv { channels: 0, kernel: 3, stride: 1 }, [9, 9, 1]),
            (Kind::MaxPool2, [1, 4, 1]),
            (Kind::AvgPool(3), [2, 2, 1]),
            (Kind::AvgPool(0), [2, 2, 1]),
            (Kind::Upsample(usize::MAX), [2, 2, 1]),
            (Kind::Pad([0, 65, 0, 0]), [2, 2, 1]),
            (Kind::Pad([usize::MAX; 4]), [2, 2, 1]),
            (Kind::Dense(usize::MAX), [2, 2, 1]),
            (Kind::Unflatten([2, 2, 2]), [1, 1, 7]),
        ] {
            assert!(kind.at(input).is_err(), "{kind} at {input:?}");
        }
    }
}
