//! A depthwise convolution over NHWC images (Chollet 2017): each channel has a kernel of its own and is read by it alone. Vectors hold
//! neighbouring channels of a pixel, so that every product of a vector is one that is wanted.

use std::sync::Arc;

use crate::kernel::simd::{Level, Simd, dispatch};

/// The most lanes that a vector has.
const MOST_LANES: usize = 16;

/// A depthwise convolution with its weights packed for one level; copies share them.
#[derive(Clone, Debug)]
pub struct Depthwise {
    level: Level,
    input: [usize; 3],
    output: [usize; 3],
    kernel: usize,
    stride: usize,
    /// `[kernel][kernel][channels]`, channels rounded up to whole vectors with zeros.
    weight: Arc<[f32]>,
    /// `[channels]`, rounded up.
    bias: Arc<[f32]>,
}

impl Depthwise {
    /// Packs `weight` (`[channels][1][kernel][kernel]`) and `bias` (`[channels]`) for an `input` of rows, columns and channels.
    ///
    /// # Panics
    /// When a slice does not fit, or the kernel does not fit the input.
    pub fn new(
        level: Level,
        input: [usize; 3],
        kernel: usize,
        stride: usize,
        weight: &[f32],
        bias: &[f32],
    ) -> Self {
        let [rows, cols, channels] = input;
        assert!(kernel > 0 && stride > 0 && kernel <= rows && kernel <= cols);
        assert_eq!(weight.len(), channels * kernel * kernel);
        assert_eq!(bias.len(), channels);
        let padded = channels.next_multiple_of(level.lanes());
        let side = |n: usize| (n - kernel) / stride + 1;
        let mut packed = vec![0.0; kernel * kernel * padded];
        for (place, row) in packed.chunks_exact_mut(padded).enumerate() {
            for (channel, w) in row.iter_mut().take(channels).enumerate() {
                *w = weight[channel * kernel * kernel + place];
            }
        }
        let mut wide = bias.to_vec();
        wide.resize(padded, 0.0);
        let output = [side(rows), side(cols), channels];
        Self { level, input, output, kernel, stride, weight: packed.into(), bias: wide.into() }
    }

    /// Computes `output` (NHWC) of `input`.
    ///
    /// # Panics
    /// When a slice is shorter than its shape.
    pub fn forward(&self, input: &[f32], output: &mut [f32]) {
        self.check(input.len(), output.len());
        let this = self;
        // SAFETY: the slices are as long as their shapes, and the weights are packed for this level.
        unsafe { dispatch!(self.level, forward, this: &Depthwise, input: &[f32], output: &mut [f32]) }
    }

    /// Adds the gradient with respect to the input to `input_gradient`, given that with respect to the output.
    ///
    /// # Panics
    /// When a slice is shorter than its shape.
    pub fn input_gradient(&self, gradient: &[f32], input_gradient: &mut [f32]) {
        self.check(input_gradient.len(), gradient.len());
        let this = self;
        // SAFETY: as in `forward`.
        unsafe {
            dispatch!(self.level, backward, this: &Depthwise, gradient: &[f32], input_gradient: &mut [f32])
        }
    }

    fn check(&self, input: usize, output: usize) {
        let size = |s: [usize; 3]| s.iter().product::<usize>();
        assert!(input >= size(self.input) && output >= size(self.output));
    }

    /// Positions of an output.
    #[inline(always)]
    fn positions(&self) -> usize {
        self.output[0] * self.output[1]
    }

    /// Where the channels of a position begin in an output, and where those of its patch in an input.
    #[inline(always)]
    fn place(&self, position: usize) -> (usize, usize) {
        let ([_, cols, channels], across) = (self.input, self.output[1]);
        let (row, col) = (position / across, position % across);
        (position * channels, (row * cols + col) * self.stride * channels)
    }

    /// How far a place of the kernel lies from the first, in an input.
    #[inline(always)]
    fn offset(&self, place: usize) -> usize {
        (place / self.kernel * self.input[1] + place % self.kernel) * self.input[2]
    }
}

/// Reads up to a vector. SAFETY: `count` floats, and at most `LANES`, are readable at `p`.
#[inline(always)]
unsafe fn load<S: Simd>(p: *const f32, count: usize) -> S::V {
    // SAFETY: a whole vector, or as many as there are.
    unsafe {
        if count >= S::LANES {
            S::load(p)
        } else {
            let mut lanes = [0.0; MOST_LANES];
            std::ptr::copy_nonoverlapping(p, lanes.as_mut_ptr(), count);
            S::load(lanes.as_ptr())
        }
    }
}

/// Writes up to a vector. SAFETY: `count` floats, and at most `LANES`, are writable at `p`.
#[inline(always)]
unsafe fn store<S: Simd>(p: *mut f32, count: usize, v: S::V) {
    // SAFETY: as in `load`.
    unsafe {
        if count >= S::LANES {
            S::store(p, v);
        } else {
            let mut lanes = [0.0; MOST_LANES];
            S::store(lanes.as_mut_ptr(), v);
            std::ptr::copy_nonoverlapping(lanes.as_ptr(), p, count);
        }
    }
}

/// SAFETY: the slices have been checked against the shapes, and `conv` is packed for `S`.
#[inline(always)]
unsafe fn forward<S: Simd>(conv: &Depthwise, input: &[f32], output: &mut [f32]) {
    let (channels, padded) = (conv.input[2], conv.bias.len());
    let (x, y) = (input.as_ptr(), output.as_mut_ptr());
    for position in 0..conv.positions() {
        let (to, from) = conv.place(position);
        for first in (0..channels).step_by(S::LANES) {
            let count = channels - first;
            // SAFETY: every place of a kernel lies inside the input, every position inside the output.
            unsafe {
                let mut sum = S::load(conv.bias.as_ptr().add(first));
                for place in 0..conv.kernel * conv.kernel {
                    let weight = S::load(conv.weight.as_ptr().add(place * padded + first));
                    let value = load::<S>(x.add(from + conv.offset(place) + first), count);
                    sum = S::mul_add(value, weight, sum);
                }
                store::<S>(y.add(to + first), count, sum);
            }
        }
    }
}

/// SAFETY: as [`forward`].
#[inline(always)]
unsafe fn backward<S: Simd>(conv: &Depthwise, gradient: &[f32], input_gradient: &mut [f32]) {
    let (channels, padded) = (conv.input[2], conv.bias.len());
    let (g, x) = (gradient.as_ptr(), input_gradient.as_mut_ptr());
    for position in 0..conv.positions() {
        let (to, from) = conv.place(position);
        for first in (0..channels).step_by(S::LANES) {
            let count = channels - first;
            // SAFETY: as in `forward`.
            unsafe {
                let slope = load::<S>(g.add(to + first), count);
                for place in 0..conv.kernel * conv.kernel {
                    let weight = S::load(conv.weight.as_ptr().add(place * padded + first));
                    let at = x.add(from + conv.offset(place) + first);
                    store::<S>(at, count, S::mul_add(slope, weight, load::<S>(at, count)));
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;

    #[test]
    fn it_is_the_plain_sum_and_its_gradient_at_every_level_around_the_edges_of_vectors() {
        let mut rng = fastrand::Rng::with_seed(1);
        for (channels, kernel, stride) in
            [(1, 3, 1), (3, 2, 2), (4, 3, 2), (5, 1, 1), (16, 3, 1), (17, 5, 3), (33, 3, 2)]
        {
            let (rows, cols) = (9, 7);
            let mut random = |n: usize| -> Vec<f32> { (0..n).map(|_| rng.f32() - 0.5).collect() };
            let (input, weight, bias) =
                (random(rows * cols * channels), random(channels * kernel * kernel), random(channels));
            let (h, w) = ((rows - kernel) / stride + 1, (cols - kernel) / stride + 1);
            let gradient = random(h * w * channels);
            let (mut output, mut slope) = (vec![0.0f64; h * w * channels], vec![0.0f64; input.len()]);
            for (i, y) in output.iter_mut().enumerate() {
                let (row, col, c) = (i / channels / w, i / channels % w, i % channels);
                *y = f64::from(bias[c]);
                for place in 0..kernel * kernel {
                    let (r, q) = (row * stride + place / kernel, col * stride + place % kernel);
                    let at = (r * cols + q) * channels + c;
                    let weight = f64::from(weight[c * kernel * kernel + place]);
                    *y += weight * f64::from(input[at]);
                    slope[at] += weight * f64::from(gradient[i]);
                }
            }
            for level in Level::available() {
                let conv = Depthwise::new(level, [rows, cols, channels], kernel, stride, &weight, &bias);
                // What lies behind must not be touched.
                let (mut found, mut back) = (vec![7.0; output.len() + 3], vec![0.0; input.len() + 3]);
                conv.forward(&input, &mut found);
                conv.input_gradient(&gradient, &mut back);
                let near =
                    |a: &[f32], b: &[f64]| a.iter().zip(b).all(|(a, b)| (f64::from(*a) - b).abs() < 1e-5);
                assert!(
                    near(&found, &output) && near(&back, &slope),
                    "{channels} {kernel} {stride} {level:?}"
                );
                assert!(found[output.len()..].iter().all(|x| *x == 7.0) && back[input.len()..] == [0.0; 3]);
            }
        }
    }
}
