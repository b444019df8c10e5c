//! All that is true of a kind of layer: what it makes of a shape, which tensors it has, what it costs, how it is written.
//! What runs it is in [`run`](super::run), what trains it in `train::graph`; both match on [`Kind`] without a rest, so
//! that a kind that is forgotten anywhere does not compile.

use std::fmt;

use super::activation::Activation;

/// Rows, columns and channels.
pub type Shape = [usize; 3];

/// Where the windows of a pooling lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// Rows and columns of a window.
    pub size: [usize; 2],
    /// Rows and columns from one to the next.
    pub stride: [usize; 2],
    /// How far windows reach beyond the image: above, left, below, right. What lies outside does not count.
    pub pad: [usize; 4],
}

impl Window {
    /// 2 x 2, side by side.
    pub const TWO: Self = Self::tiles(2);

    /// Square windows side by side; rows and columns that do not fill one are dropped.
    pub const fn tiles(side: usize) -> Self {
        Self { size: [side; 2], stride: [side; 2], pad: [0; 4] }
    }
}

/// What a layer computes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Kind {
    /// Convolution without padding, plus bias.
    Conv {
        /// Output channels.
        channels: usize,
        /// Rows and columns of the kernel.
        kernel: usize,
        /// Step between output positions.
        stride: usize,
        /// Into how many groups both channels fall, of which each reads its own: 1 for all from all, as many as there are channels for a
        /// depthwise convolution (Chollet 2017).
        groups: usize,
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
    /// A function of each number by itself.
    Activation(Activation),
    /// Mean over windows.
    AvgPool(Window),
    /// Repeats each pixel over this many rows and columns.
    Upsample(usize),
    /// Maximum over windows; ties go to the first.
    MaxPool(Window),
    /// Fully connected layer with so many outputs, plus bias. Reads an image channel by channel (PyTorch's order).
    Dense(usize),
    /// Reads a vector as an image of these rows, columns and channels, pixel by pixel.
    Unflatten(Shape),
    /// So many rows and columns of zeros around an image: above, left, below, right.
    Pad([usize; 4]),
    /// Each channel times a number of its own, plus another: normalisation that is no part of a convolution.
    Scale,
    /// Rows become columns.
    Transpose,
    /// The sum of several layers of one shape: a residual connection (He et al. 2016).
    Sum,
    /// The product of two layers, number by number; the second may be one number a channel (Hu, Shen, Sun 2018).
    Product,
    /// The channels of several layers one after the other (Huang et al. 2017).
    Concat,
    /// Minus the squared distance of a vector, an embedding, from each of so many prototypes, one a label (Snell, Swersky,
    /// Zemel 2017, "Prototypical Networks for Few-shot Learning", equation 2): the nearest one is the largest logit.
    Prototypes(usize),
}

/// One layer of a network.
#[derive(Clone, Debug, PartialEq)]
pub struct Layer {
    /// Its name, which stands before those of its tensors; empty where it has none and nobody names it.
    pub name: String,
    /// What it computes.
    pub kind: Kind,
    /// What it reads, by how many layers back that stands: 1 is the layer right before it (the input, for the first one). Several
    /// for what adds, multiplies or joins.
    pub from: Vec<usize>,
}

/// A trained tensor of a network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Parameter {
    /// Its name in a weights file, e.g. `conv1.weight`.
    pub name: String,
    /// `[out, in, rows, cols]` (`in` being the channels of a group; `[in, out, rows, cols]` of a transposed convolution), `[out, in]` or,
    /// for a bias, `[out]`.
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
    /// `max(x, 0)`.
    pub const RELU: Self = Self::Activation(Activation::Relu);

    /// A convolution of all channels from all.
    pub const fn conv(channels: usize, kernel: usize, stride: usize) -> Self {
        Self::Conv { channels, kernel, stride, groups: 1 }
    }

    /// What it comes to at what it reads.
    ///
    /// # Errors
    /// In words, where it does not fit that, or a number in it is 0 or beyond all measure.
    pub fn at(self, inputs: &[Shape]) -> Result<At, String> {
        let at = match (self, inputs) {
            (Self::Sum | Self::Product | Self::Concat, [_, _, ..]) => self.joins(inputs)?,
            (Self::Sum | Self::Product | Self::Concat, _) => return Err("it reads several layers".into()),
            (_, &[input]) => self.unbounded(input)?,
            _ => return Err("it reads one layer".into()),
        };
        let numbers = at.output.iter().try_fold(1usize, |product, n| product.checked_mul(*n));
        match numbers {
            Some(1..=MAX_NUMBERS) => Ok(at),
            _ => Err(format!(
                "its output would be {:?}: at least 1 and at most {MAX_NUMBERS} numbers are possible",
                at.output
            )),
        }
    }

    /// Of what reads several layers.
    fn joins(self, inputs: &[Shape]) -> Result<At, String> {
        let ([h, w, c], rest) = (inputs[0], &inputs[1..]);
        let fits = match self {
            Self::Concat => rest.iter().all(|other| other[..2] == [h, w]),
            Self::Product => matches!(rest, [other] if *other == [h, w, c] || *other == [1, 1, c]),
            _ => rest.iter().all(|other| *other == [h, w, c]),
        };
        let channels = match self {
            Self::Concat => inputs.iter().map(|other| other[2]).sum(),
            _ => c,
        };
        if fits {
            Ok(At { output: [h, w, channels], weight: None, products: 0 })
        } else {
            Err(format!("what it reads, {inputs:?}, does not go together"))
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
            Self::Conv { channels, kernel, stride, groups } => {
                sides(&[channels, kernel, stride, groups])?;
                window(kernel)?;
                if channels % groups > 0 || c % groups > 0 {
                    return Err(format!("{c} and {channels} channels do not fall into {groups} groups"));
                }
                let depth = c / groups;
                let (oh, ow, patch) =
                    ((h - kernel) / stride + 1, (w - kernel) / stride + 1, depth * kernel * kernel);
                let weight = Some((vec![channels, depth, kernel, kernel], channels, patch));
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
            Self::Activation(_) => free([h, w, c]),
            Self::Transpose => free([w, h, c]),
            Self::MaxPool(Window { size, stride, pad }) | Self::AvgPool(Window { size, stride, pad }) => {
                sides(&[size, stride].concat())?;
                let [top, left, bottom, right] = pad;
                // A window that lies outside altogether would have nothing to look at.
                if [top, bottom].iter().any(|n| *n >= size[0]) || [left, right].iter().any(|n| *n >= size[1])
                {
                    return Err("its windows may not lie beyond its input".into());
                }
                let [rows, cols] = size;
                let why = || format!("there is no window of {rows} x {cols} in its input of {h} x {w}");
                let side = |n: usize, size: usize, stride: usize| {
                    n.checked_sub(size).map(|rest| rest / stride + 1).ok_or_else(why)
                };
                free([side(h + top + bottom, rows, stride[0])?, side(w + left + right, cols, stride[1])?, c])
            }
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
            Self::Sum | Self::Product | Self::Concat => Err("it reads several layers".into()),
        }
    }
}

/// The largest number that a layer may be made of, and the most numbers that it may put out: far beyond what the limits on a
/// network's size leave, and far from where a product overflows.
const MAX_SIDE: usize = 1 << 20;
const MAX_NUMBERS: usize = 1 << 24;
/// The most rows or columns that are put on one side of an image.
const MAX_PAD: usize = 64;

impl fmt::Display for Window {
    /// ` size=2` where windows lie side by side, all its numbers otherwise.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { size: [rows, cols], stride: [down, across], pad: [top, left, bottom, right] } = self;
        if *self == Self::tiles(*rows) {
            return write!(f, " size={rows}");
        }
        write!(f, " rows={rows} cols={cols} down={down} across={across}")?;
        write!(f, " top={top} left={left} bottom={bottom} right={right}")
    }
}

impl fmt::Display for Kind {
    /// As it stands in a weights file, e.g. `conv channels=32 kernel=3 stride=1`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Conv { channels, kernel, stride, groups } => {
                write!(f, "conv channels={channels} kernel={kernel} stride={stride}")?;
                if *groups > 1 { write!(f, " groups={groups}") } else { Ok(()) }
            }
            Self::ConvTranspose { channels, kernel, stride } => {
                write!(f, "conv-transpose channels={channels} kernel={kernel} stride={stride}")
            }
            Self::Activation(activation) => activation.fmt(f),
            Self::AvgPool(window) => write!(f, "avg-pool{window}"),
            Self::Upsample(n) => write!(f, "upsample size={n}"),
            Self::MaxPool(Window::TWO) => f.write_str("max-pool"),
            Self::MaxPool(window) => write!(f, "max-pool{window}"),
            Self::Transpose => f.write_str("transpose"),
            Self::Sum => f.write_str("sum"),
            Self::Product => f.write_str("product"),
            Self::Concat => f.write_str("concat"),
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
            numbers.push(word.split_once('=').ok_or_else(|| format!("'{word}' is not like kernel=3"))?);
        }
        let count = numbers.len();
        let text_of = |key: &str| {
            let found = numbers.iter().find(|(k, _)| *k == key).map(|(_, v)| *v);
            found.ok_or_else(|| format!("'{text}' has no {key}"))
        };
        let get = |key: &str| {
            let value = text_of(key)?;
            value.parse::<usize>().map_err(|_| format!("'{key}={value}' has no whole number"))
        };
        let window = || -> Result<(Window, usize), String> {
            match get("size") {
                Ok(size) => Ok((Window::tiles(size), 1)),
                Err(_) if count == 0 => Ok((Window::TWO, 0)),
                Err(_) => Ok((
                    Window {
                        size: [get("rows")?, get("cols")?],
                        stride: [get("down")?, get("across")?],
                        pad: [get("top")?, get("left")?, get("bottom")?, get("right")?],
                    },
                    8,
                )),
            }
        };
        let (kind, expected) = match name {
            "conv" => {
                let (channels, kernel, stride) = (get("channels")?, get("kernel")?, get("stride")?);
                let groups = if count > 3 { get("groups")? } else { 1 };
                (Self::Conv { channels, kernel, stride, groups }, if count > 3 { 4 } else { 3 })
            }
            "conv-transpose" => {
                let (channels, kernel, stride) = (get("channels")?, get("kernel")?, get("stride")?);
                (Self::ConvTranspose { channels, kernel, stride }, 3)
            }
            "avg-pool" => {
                let (window, expected) = window()?;
                (Self::AvgPool(window), expected.max(1))
            }
            "upsample" => (Self::Upsample(get("size")?), 1),
            "max-pool" => {
                let (window, expected) = window()?;
                (Self::MaxPool(window), expected)
            }
            "dense" => (Self::Dense(get("outputs")?), 1),
            "unflatten" => (Self::Unflatten([get("rows")?, get("cols")?, get("channels")?]), 3),
            "pad" => (Self::Pad([get("top")?, get("left")?, get("bottom")?, get("right")?]), 4),
            "scale" => (Self::Scale, 0),
            "transpose" => (Self::Transpose, 0),
            "sum" => (Self::Sum, 0),
            "product" => (Self::Product, 0),
            "concat" => (Self::Concat, 0),
            "prototypes" => (Self::Prototypes(get("labels")?), 1),
            other => match Activation::read(other, text_of)? {
                Some(activation) => (Self::Activation(activation), activation.count()),
                None => return Err(format!("there is no layer '{name}'")),
            },
        };
        if count == expected { Ok(kind) } else { Err(format!("'{text}' says more than a layer {name} has")) }
    }
}

impl Layer {
    /// A convolution.
    pub fn conv(name: &str, channels: usize, kernel: usize, stride: usize) -> Self {
        Self::new(name, Kind::conv(channels, kernel, stride))
    }

    /// A transposed convolution.
    pub fn conv_transpose(name: &str, channels: usize, kernel: usize, stride: usize) -> Self {
        Self::new(name, Kind::ConvTranspose { channels, kernel, stride })
    }

    /// A dense layer.
    pub fn dense(name: &str, outputs: usize) -> Self {
        Self::new(name, Kind::Dense(outputs))
    }

    /// A layer without tensors.
    pub fn plain(kind: Kind) -> Self {
        Self::new("", kind)
    }

    /// One that reads the layer before it.
    pub fn new(name: &str, kind: Kind) -> Self {
        Self { name: name.into(), kind, from: vec![1] }
    }

    /// The shapes of what it reads, of those of the input and of all layers before it.
    ///
    /// # Errors
    /// In words, where it reads what is not there.
    pub fn reads(&self, before: &[Shape]) -> Result<Vec<Shape>, String> {
        let one = |back: &usize| before.len().checked_sub(*back).and_then(|place| before.get(place)).copied();
        let all: Option<Vec<Shape>> = self.from.iter().map(one).collect();
        all.ok_or_else(|| "it reads what is not there".into())
    }

    /// Its trained tensors at what it reads, weight and bias (of prototypes the weight alone); none where there are none, or where it
    /// does not fit.
    pub fn parameters(&self, inputs: &[Shape]) -> Vec<Parameter> {
        let Ok(At { weight: Some((shape, outputs, fan_in)), .. }) = self.kind.at(inputs) else {
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
    use crate::network::activation::tests::ALL;

    #[test]
    fn what_is_written_is_read_back_and_what_is_not_right_is_said() {
        let kinds = [
            Kind::Conv { channels: 3, kernel: 5, stride: 2, groups: 1 },
            Kind::Conv { channels: 6, kernel: 5, stride: 2, groups: 3 },
            Kind::ConvTranspose { channels: 3, kernel: 4, stride: 2 },
            Kind::AvgPool(Window::TWO),
            Kind::Upsample(3),
            Kind::MaxPool(Window::TWO),
            Kind::MaxPool(Window::tiles(3)),
            Kind::MaxPool(Window { size: [3, 2], stride: [2, 1], pad: [1, 0, 2, 1] }),
            Kind::AvgPool(Window { size: [1, 5], stride: [2, 2], pad: [0, 1, 0, 2] }),
            Kind::Transpose,
            Kind::Sum,
            Kind::Product,
            Kind::Concat,
            Kind::Dense(7),
            Kind::Unflatten([2, 3, 4]),
            Kind::Pad([1, 2, 3, 0]),
            Kind::Scale,
            Kind::Prototypes(5),
        ];
        for kind in kinds.into_iter().chain(ALL.map(Kind::Activation)) {
            assert_eq!(kind.to_string().parse(), Ok(kind));
        }
        // As files have them that are older than windows of any shape.
        assert_eq!("max-pool".parse(), Ok(Kind::MaxPool(Window::TWO)));
        assert_eq!("avg-pool size=2".parse(), Ok(Kind::AvgPool(Window::TWO)));
        for wrong in [
            "",
            "convolution",
            "conv channels=3",
            "relu size=1",
            "dense outputs=x",
            "dense outputs",
            "dense outputs=-1",
            "avg-pool",
            "max-pool size=2 rows=2",
            "max-pool rows=2",
            "clip low=0",
            "clip low=0 high=nan",
            "round step=0 low=0 high=1",
            "sigmoid slope=1",
        ] {
            assert!(wrong.parse::<Kind>().is_err(), "{wrong}");
        }
    }

    #[test]
    fn a_layer_that_does_not_fit_is_refused() {
        let conv = |channels, kernel, stride, groups| Kind::Conv { channels, kernel, stride, groups };
        let window = |size, pad| Window { size, stride: [1, 1], pad };
        for (kind, input) in [
            (conv(1, 3, 1, 1), [2, 9, 1]),
            (conv(1, 3, 0, 1), [9, 9, 1]),
            (conv(0, 3, 1, 1), [9, 9, 1]),
            (conv(4, 3, 1, 2), [9, 9, 3]),
            (conv(3, 3, 1, 2), [9, 9, 4]),
            (conv(3, 3, 1, 0), [9, 9, 3]),
            (Kind::MaxPool(Window::TWO), [1, 4, 1]),
            (Kind::MaxPool(window([3, 3], [0, 3, 0, 0])), [9, 9, 1]),
            (Kind::MaxPool(window([usize::MAX, 3], [0; 4])), [9, 9, 1]),
            (Kind::AvgPool(Window::tiles(3)), [2, 2, 1]),
            (Kind::AvgPool(Window::tiles(0)), [2, 2, 1]),
            (Kind::Upsample(usize::MAX), [2, 2, 1]),
            (Kind::Pad([0, 65, 0, 0]), [2, 2, 1]),
            (Kind::Pad([usize::MAX; 4]), [2, 2, 1]),
            (Kind::Dense(usize::MAX), [2, 2, 1]),
            (Kind::Unflatten([2, 2, 2]), [1, 1, 7]),
            (Kind::Sum, [2, 2, 1]),
        ] {
            assert!(kind.at(&[input]).is_err(), "{kind} at {input:?}");
        }
        for (kind, inputs) in [
            (Kind::Sum, [[2, 2, 1], [2, 2, 2]]),
            (Kind::Product, [[1, 1, 2], [2, 2, 2]]),
            (Kind::Concat, [[2, 2, 1], [2, 3, 1]]),
            (Kind::RELU, [[2, 2, 1], [2, 2, 1]]),
        ] {
            assert!(kind.at(&inputs).is_err(), "{kind} at {inputs:?}");
        }
        assert!(Kind::Product.at(&[[2, 2, 1]; 3]).is_err());
        assert_eq!(Kind::Concat.at(&[[2, 2, 1], [2, 2, 4], [2, 2, 1]]).unwrap().output, [2, 2, 6]);
        let far = Layer { from: vec![3], ..Layer::plain(Kind::RELU) };
        assert!(far.reads(&[[1, 1, 1]; 2]).is_err() && far.reads(&[[1, 1, 1]; 3]).is_ok());
    }
}
