//! What becomes of a picture before a network sees it: the range of its pixels, normalisation, light for dark, rows for columns.

use crate::error::{Error, Result};
use crate::network::layer::Shape;
use crate::network::{Kind, Layer, Spec};

/// What a network was trained on.
#[derive(Clone, Debug, PartialEq)]
pub struct Feeding {
    /// Its name on the command line and in the page.
    pub name: String,
    /// What it is, in words.
    pub title: String,
    /// It sees `factors[c] * x + summands[c]` of a pixel `x` in [0, 1] of channel `c`.
    pub factors: Vec<f32>,
    /// As `factors`.
    pub summands: Vec<f32>,
    /// Whether it sees rows as columns.
    pub transposed: bool,
}

/// A normalisation: its name, its title, the largest value of a pixel, and mean and deviation of each channel.
type Usual = (&'static str, &'static str, f32, &'static [f32], &'static [f32]);

/// For images of one channel.
const GREY: [Usual; 4] = [
    ("unit", "pixels from 0 to 1", 1.0, &[0.0], &[1.0]),
    ("mnist", "pixels less 0.1307 over 0.3081", 1.0, &[0.1307], &[0.3081]),
    ("signed", "pixels from -1 to 1", 1.0, &[0.5], &[0.5]),
    ("bytes", "pixels from 0 to 255", 255.0, &[0.0], &[1.0]),
];
/// For images of several.
const COLOUR: [Usual; 5] = [
    ("unit", "pixels from 0 to 1", 1.0, &[0.0], &[1.0]),
    (
        "cifar10",
        "pixels less the mean of CIFAR-10 over its deviation",
        1.0,
        &[0.4914, 0.4822, 0.4465],
        &[0.2470, 0.2435, 0.2616],
    ),
    (
        "imagenet",
        "pixels less the mean of ImageNet over its deviation",
        1.0,
        &[0.485, 0.456, 0.406],
        &[0.229, 0.224, 0.225],
    ),
    ("signed", "pixels from -1 to 1", 1.0, &[0.5], &[0.5]),
    ("bytes", "pixels from 0 to 255", 255.0, &[0.0], &[1.0]),
];

impl Feeding {
    /// All that can be tried with images of that shape, the commonest first; of one channel each with light and dark exchanged, too,
    /// and of squares each with rows and columns exchanged (as EMNIST's files have them).
    pub fn all([rows, cols, channels]: Shape) -> Vec<Self> {
        let usual: &[Usual] = if channels == 1 { &GREY } else { &COLOUR };
        let mut all = Vec::new();
        for transposed in [false, true] {
            for inverted in [false, true] {
                if (inverted && channels > 1) || (transposed && (channels > 1 || rows != cols)) {
                    continue;
                }
                let made = usual.iter().filter(|one| one.3.len() == 1 || one.3.len() == channels);
                all.extend(made.map(|one| Self::new(one, channels, inverted, transposed)));
            }
        }
        all
    }

    fn new(
        &(name, title, most, means, deviations): &Usual,
        channels: usize,
        inverted: bool,
        transposed: bool,
    ) -> Self {
        let of = |all: &[f32], c: usize| all[c.min(all.len() - 1)];
        let (mut factors, mut summands) = (Vec::new(), Vec::new());
        for c in 0..channels {
            let (factor, summand) = (most / of(deviations, c), -of(means, c) / of(deviations, c));
            let (factor, summand) = if inverted { (-factor, factor + summand) } else { (factor, summand) };
            factors.push(factor);
            summands.push(summand);
        }
        let with = |yes: bool, text: &'static str| if yes { text } else { "" };
        let name = format!("{name}{}{}", with(inverted, "-inverted"), with(transposed, "-transposed"));
        let title =
            format!("{title}{}{}", with(inverted, ", dark on light"), with(transposed, ", rows as columns"));
        Self { name, title, factors, summands, transposed }
    }

    /// The one of that name, for images of that shape.
    ///
    /// # Errors
    /// [`Error::Unknown`], with the names there are.
    pub fn by_name(name: &str, image: Shape) -> Result<Self> {
        let all = Self::all(image);
        let known = || Error::unknown("feeding", name, all.iter().map(|feeding| feeding.name.as_str()));
        all.iter().find(|feeding| feeding.name == name).cloned().ok_or_else(known)
    }

    /// What the network sees of an image of that shape.
    pub fn apply(&self, image: &[f32], [rows, cols, channels]: Shape) -> Vec<f32> {
        let of = |i: usize| {
            let (pixel, c) = (i / channels, i % channels);
            let pixel = if self.transposed { pixel % rows * cols + pixel / rows } else { pixel };
            self.factors[c] * image[pixel * channels + c] + self.summands[c]
        };
        (0..rows * cols * channels).map(of).collect()
    }

    /// Puts it before a network, with its tensors.
    pub fn put_before(&self, spec: &mut Spec, tensors: &mut Vec<Vec<f32>>) {
        let trivial = self.factors.iter().all(|f| *f == 1.0) && self.summands.iter().all(|s| *s == 0.0);
        if !trivial {
            spec.layers.insert(0, Layer::new("fed", Kind::Scale));
            tensors.splice(0..0, [self.factors.clone(), self.summands.clone()]);
        }
        if self.transposed {
            spec.layers.insert(0, Layer::plain(Kind::Transpose));
        }
    }
}
