//! Input reduction: less of the image reaches the network (Xu, Evans, Qi 2018, "Feature Squeezing: Detecting Adversarial
//! Examples in Deep Neural Networks", sections 3.1 and 3.2).
//!
//! An attacker who knows a reduction reduces too and takes its own gradient back through it. Rounding has none: there the
//! gradient at the rounded image is weighed by the slope of a soft rounding, which is high where a number is about to flip
//! (backward pass differentiable approximation, Athalye, Carlini, Wagner 2018, "Obfuscated Gradients Give a False Sense of
//! Security", section 4.1). Straight through, as if rounding did nothing, an attack in L2 or L1 spends its budget on numbers
//! that no such budget flips: with 2 levels of grey it fools 2 % of digits at an L2 of 2, by the soft slope 50 %. The others are
//! linear, or (the median) linear almost everywhere: their own gradient is exact. `tests/it/defences.rs` has both beside each other.

use super::{Apply, Defence};
use crate::classifier::{Classifier, Copied, Query};
use crate::error::{Error, Result};
use crate::network::Shape;

const fn reduction(name: &'static str, title: &'static str, reduction: Reduction) -> Defence {
    Defence { name, title, apply: Apply::Reduce(reduction) }
}

/// Black and white.
pub static GREY2: Defence = reduction("grey2", "2 levels of grey", Reduction::Levels(2));
/// Four levels.
pub static GREY4: Defence = reduction("grey4", "4 levels of grey", Reduction::Levels(4));
/// Eight levels.
pub static GREY8: Defence = reduction("grey8", "8 levels of grey", Reduction::Levels(8));
/// The median of each pixel's neighbourhood.
pub static MEDIAN: Defence = reduction("median3", "Median of 3 x 3", Reduction::Median);
/// Its mean.
pub static MEAN: Defence = reduction("mean3", "Mean of 3 x 3", Reduction::Mean);
/// Blocks of two by two.
pub static HALF: Defence = reduction("coarse2", "Half the resolution", Reduction::Blocks(2));
/// Blocks of four by four.
pub static QUARTER: Defence = reduction("coarse4", "A quarter of the resolution", Reduction::Blocks(4));
/// No colours.
pub static MONOCHROME: Defence = reduction("monochrome", "Grey instead of colour", Reduction::Monochrome);

/// What is done to an image.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Reduction {
    /// Each number is rounded to the nearest of so many evenly spaced values, 0 and 1 among them.
    Levels(usize),
    /// Each number becomes the median of the 3 x 3 around it, the edge repeated.
    Median,
    /// Each number becomes the mean of the 3 x 3 around it, the edge repeated.
    Mean,
    /// Each number becomes the mean of its block of so many rows and columns; the last ones of a side may be smaller.
    Blocks(usize),
    /// Each pixel becomes as grey as it is bright (luma of ITU-R BT.601).
    Monochrome,
}

/// How near to where it flips, in steps of grey, a number must be to count in the gradient through a rounding, and what all
/// others count.
const SOFT: f32 = 0.2;
const THROUGH: f32 = 0.05;
/// The weights of red, green and blue in the luma of ITU-R BT.601.
const LUMA: [f32; 3] = [0.299, 0.587, 0.114];

/// Calls `f` with the place of a pixel and those of the nine around it, itself among them, the edge repeated.
fn neighbourhoods([rows, cols, channels]: Shape, f: &mut dyn FnMut(usize, [usize; 9])) {
    let around = |at: usize, side: usize| [at.saturating_sub(1), at, (at + 1).min(side - 1)];
    for row in 0..rows {
        for col in 0..cols {
            for c in 0..channels {
                let mut all = [0; 9];
                for (i, y) in around(row, rows).into_iter().enumerate() {
                    for (j, x) in around(col, cols).into_iter().enumerate() {
                        all[3 * i + j] = (y * cols + x) * channels + c;
                    }
                }
                f((row * cols + col) * channels + c, all);
            }
        }
    }
}

/// Writes the mean of each block to all of its places. It is its own transpose.
fn block_means([rows, cols, channels]: Shape, side: usize, from: &[f32], to: &mut [f32]) {
    for top in (0..rows).step_by(side) {
        for left in (0..cols).step_by(side) {
            let (below, beyond) = ((top + side).min(rows), (left + side).min(cols));
            let share = 1.0 / ((below - top) * (beyond - left)) as f32;
            let places =
                || (top..below).flat_map(move |y| (left..beyond).map(move |x| (y * cols + x) * channels));
            for c in 0..channels {
                let mean = share * places().map(|place| from[place + c]).sum::<f32>();
                places().for_each(|place| to[place + c] = mean);
            }
        }
    }
}

/// The place in `all` that holds the median; of equal ones by their order.
fn median(image: &[f32], all: [usize; 9]) -> usize {
    let before =
        |i: usize, j: usize| image[all[j]] < image[all[i]] || image[all[j]] == image[all[i]] && j < i;
    let middle = |&i: &usize| (0..9).filter(|&j| before(i, j)).count() == 4;
    all[(0..9).find(middle).unwrap_or(4)]
}

impl Reduction {
    /// Whether it does anything to images of that shape.
    ///
    /// # Errors
    /// [`Error::BadInput`] where it does nothing.
    pub fn check(self, shape: Shape) -> Result<()> {
        match (self, shape[2]) {
            (Self::Monochrome, 1) => Err(Error::BadInput("these images have no colours to take away".into())),
            (Self::Monochrome, 2 | 4..) => {
                Err(Error::BadInput("only red, green and blue are made monochrome".into()))
            }
            _ => Ok(()),
        }
    }

    /// Writes the reduced image.
    fn reduce(self, shape: Shape, image: &[f32], to: &mut [f32]) {
        match self {
            Self::Levels(levels) => {
                let steps = (levels - 1) as f32;
                to.iter_mut().zip(image).for_each(|(y, x)| *y = (x * steps).round() / steps);
            }
            Self::Median => neighbourhoods(shape, &mut |at, all| to[at] = image[median(image, all)]),
            Self::Mean => {
                neighbourhoods(shape, &mut |at, all| {
                    to[at] = all.iter().map(|&i| image[i]).sum::<f32>() / 9.0
                });
            }
            Self::Blocks(side) => block_means(shape, side, image, to),
            Self::Monochrome => {
                for (to, from) in to.chunks_exact_mut(3).zip(image.chunks_exact(3)) {
                    to.fill(from.iter().zip(LUMA).map(|(x, w)| w * x).sum());
                }
            }
        }
    }

    /// Takes a gradient with respect to the reduced image back to the image; `scratch` is room for as many numbers.
    fn pull(self, shape: Shape, image: &[f32], gradient: &mut [f32], scratch: &mut [f32]) {
        if let Self::Levels(levels) = self {
            let steps = (levels - 1) as f32;
            for (g, x) in gradient.iter_mut().zip(image) {
                let place = x * steps;
                let far = (place - place.floor() - 0.5).abs() / SOFT;
                *g *= THROUGH + (-far * far).exp();
            }
            return;
        }
        scratch.copy_from_slice(gradient);
        match self {
            Self::Levels(_) => {}
            Self::Median => {
                gradient.fill(0.0);
                neighbourhoods(shape, &mut |at, all| gradient[median(image, all)] += scratch[at]);
            }
            Self::Mean => {
                gradient.fill(0.0);
                neighbourhoods(shape, &mut |at, all| {
                    all.iter().for_each(|&i| gradient[i] += scratch[at] / 9.0)
                });
            }
            Self::Blocks(side) => block_means(shape, side, scratch, gradient),
            Self::Monochrome => {
                for (to, from) in gradient.chunks_exact_mut(3).zip(scratch.chunks_exact(3)) {
                    let sum: f32 = from.iter().sum();
                    to.iter_mut().zip(LUMA).for_each(|(g, w)| *g = w * sum);
                }
            }
        }
    }

    /// A classifier that sees reduced images; straight through, where an attacker takes no notice of the reduction's gradient.
    pub fn before(self, inner: Box<dyn Copied>, straight_through: bool) -> Box<dyn Copied> {
        Box::new(Reduced {
            inner,
            reduction: self,
            straight_through,
            images: Vec::new(),
            scratch: Vec::new(),
        })
    }
}

/// A classifier that sees reduced images.
struct Reduced {
    inner: Box<dyn Copied>,
    reduction: Reduction,
    straight_through: bool,
    /// Room for reduced images, one after the other, and for a gradient.
    images: Vec<f32>,
    scratch: Vec<f32>,
}

impl Clone for Reduced {
    fn clone(&self) -> Self {
        Self { inner: self.inner.copied(), images: Vec::new(), scratch: Vec::new(), ..*self }
    }
}

impl Reduced {
    /// `image` reduced, in the room for images.
    fn reduced(&mut self, image: &[f32]) {
        self.images.resize(image.len(), 0.0);
        self.reduction.reduce(self.inner.shape(), image, &mut self.images[..image.len()]);
    }
}

impl Classifier for Reduced {
    fn pixels(&self) -> usize {
        self.inner.pixels()
    }

    fn shape(&self) -> Shape {
        self.inner.shape()
    }

    fn classes(&self) -> usize {
        self.inner.classes()
    }

    fn refuses(&self) -> bool {
        self.inner.refuses()
    }

    fn draws(&self) -> bool {
        self.inner.draws()
    }

    fn answers(&mut self, image: &[f32], seeds: &mut dyn Iterator<Item = u64>, f: &mut dyn FnMut(&[f32])) {
        self.reduced(image);
        self.inner.answers(&self.images[..image.len()], seeds, f);
    }

    fn logits(&mut self, image: &[f32], logits: &mut [f32]) {
        self.reduced(image);
        self.inner.logits(&self.images[..image.len()], logits);
    }

    fn evaluate(&mut self, queries: &mut [Query<'_>]) {
        let Self { inner, reduction, straight_through, images, scratch } = self;
        let (shape, pixels) = (inner.shape(), inner.pixels());
        images.resize(pixels * queries.len(), 0.0);
        scratch.resize(pixels, 0.0);
        for (query, image) in queries.iter().zip(images.chunks_exact_mut(pixels)) {
            reduction.reduce(shape, query.image, image);
        }
        let mut reduced: Vec<Query<'_>> = queries
            .iter_mut()
            .zip(images.chunks_exact(pixels))
            .map(|(query, image)| Query { image, ..query.passed_on() })
            .collect();
        inner.evaluate(&mut reduced);
        if !*straight_through {
            for query in queries {
                if let Some(gradient) = &mut query.gradient {
                    reduction.pull(shape, query.image, gradient, scratch);
                }
            }
        }
    }
}
