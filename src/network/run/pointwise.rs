//! What goes number by number: functions, factors, sums, products; and distances from prototypes.

use std::sync::Arc;

use crate::network::Activation;

/// A function of each number.
#[derive(Clone, Debug)]
pub(super) struct Function {
    pub activation: Activation,
    /// Numbers of an image.
    pub size: usize,
    /// Its slopes at what came in last, image after image.
    pub slopes: Vec<f32>,
}

impl Function {
    pub fn new(activation: Activation, size: usize) -> Self {
        Self { activation, size, slopes: vec![0.0; size] }
    }

    pub fn forward(&mut self, image: usize, input: &[f32], output: &mut [f32]) {
        let slopes = &mut self.slopes[image * self.size..][..self.size];
        let activation = self.activation;
        // By itself, since this one is everywhere, and is a vector's work.
        if activation == Activation::Relu {
            for ((y, slope), x) in output.iter_mut().zip(slopes).zip(input) {
                *slope = if *x > 0.0 { 1.0 } else { 0.0 };
                *y = x.max(0.0);
            }
            return;
        }
        for ((y, slope), x) in output.iter_mut().zip(slopes).zip(input) {
            (*y, *slope) = activation.at(*x);
        }
    }

    pub fn input_gradient(&self, image: usize, gradient: &[f32], input_gradient: &mut [f32]) {
        let slopes = &self.slopes[image * self.size..][..self.size];
        for ((to, slope), g) in input_gradient.iter_mut().zip(slopes).zip(gradient) {
            *to = slope * g;
        }
    }
}

/// A factor and a summand for each channel.
#[derive(Clone, Debug)]
pub(super) struct Scale {
    pub factors: Arc<[f32]>,
    pub summands: Arc<[f32]>,
}

impl Scale {
    pub fn forward(&self, input: &[f32], output: &mut [f32]) {
        let channels = self.factors.len();
        for (y, x) in output.chunks_exact_mut(channels).zip(input.chunks_exact(channels)) {
            for (((y, x), factor), summand) in y.iter_mut().zip(x).zip(&*self.factors).zip(&*self.summands) {
                *y = x * factor + summand;
            }
        }
    }

    pub fn input_gradient(&self, gradient: &[f32], input_gradient: &mut [f32]) {
        let channels = self.factors.len();
        for (to, g) in input_gradient.chunks_exact_mut(channels).zip(gradient.chunks_exact(channels)) {
            for ((to, g), factor) in to.iter_mut().zip(g).zip(&*self.factors) {
                *to = g * factor;
            }
        }
    }
}

/// The product of two images, or of an image and a number for each of its channels.
#[derive(Clone, Debug)]
pub(super) struct Product {
    /// Numbers of the first, and of the second.
    pub sizes: [usize; 2],
    /// What came in last, the one after the other, image after image.
    pub kept: Vec<f32>,
}

impl Product {
    pub fn new(sizes: [usize; 2]) -> Self {
        Self { sizes, kept: vec![0.0; sizes[0] + sizes[1]] }
    }

    pub fn forward(&mut self, image: usize, inputs: [&[f32]; 2], output: &mut [f32]) {
        let [first, second] = self.sizes;
        let kept = &mut self.kept[image * (first + second)..][..first + second];
        kept[..first].copy_from_slice(&inputs[0][..first]);
        kept[first..].copy_from_slice(&inputs[1][..second]);
        let (a, b) = kept.split_at(first);
        // Of numbers a channel, the same at every pixel.
        for (y, a) in output[..first].chunks_exact_mut(second).zip(a.chunks_exact(second)) {
            y.iter_mut().zip(a).zip(b).for_each(|((y, a), b)| *y = a * b);
        }
    }

    /// That of the first, then that of the second.
    pub fn input_gradient(&self, image: usize, gradient: &[f32], input_gradient: &mut [f32]) {
        let [first, second] = self.sizes;
        let (a, b) = self.kept[image * (first + second)..][..first + second].split_at(first);
        let (to_first, to_second) = input_gradient[..first + second].split_at_mut(first);
        let pixels = to_first.chunks_exact_mut(second).zip(a.chunks_exact(second));
        for ((to, a), g) in pixels.zip(gradient[..first].chunks_exact(second)) {
            for ((((to, total), a), b), g) in to.iter_mut().zip(to_second.iter_mut()).zip(a).zip(b).zip(g) {
                *to = g * b;
                *total += g * a;
            }
        }
    }
}

/// Minus the squared distances from prototypes.
#[derive(Clone, Debug)]
pub(super) struct Prototypes {
    /// Numbers in a prototype.
    pub size: usize,
    /// One after the other.
    pub all: Arc<[f32]>,
    /// What came in last: the distances alone do not tell the direction.
    pub inputs: Vec<f32>,
}

impl Prototypes {
    pub fn forward(&mut self, image: usize, input: &[f32], output: &mut [f32]) {
        let input = &input[..self.size];
        self.inputs[image * self.size..][..self.size].copy_from_slice(input);
        for (y, prototype) in output.iter_mut().zip(self.all.chunks_exact(self.size)) {
            *y = -input.iter().zip(prototype).map(|(x, p)| (x - p) * (x - p)).sum::<f32>();
        }
    }

    pub fn input_gradient(&self, image: usize, gradient: &[f32], input_gradient: &mut [f32]) {
        let input = &self.inputs[image * self.size..][..self.size];
        for (g, prototype) in gradient.iter().zip(self.all.chunks_exact(self.size)) {
            for ((to, x), p) in input_gradient.iter_mut().zip(input).zip(prototype) {
                *to += 2.0 * g * (p - x);
            }
        }
    }
}
