//! Maxima and means over windows of any size, step and overhang.

use std::ops::Range;

use crate::kernel::conv::TIE;
use crate::network::{Shape, Window};

/// A pooling.
#[derive(Clone, Debug)]
pub(super) struct Pool {
    input: Shape,
    output: Shape,
    /// Of maxima, which pixel each came from, image after image; empty for means.
    winners: Vec<u32>,
    max: bool,
    /// Which rows and which columns of the image the windows of a row and of a column of the output cover.
    covers: [Vec<Range<usize>>; 2],
}

impl Pool {
    pub fn new(window: Window, input: Shape, output: Shape, max: bool) -> Self {
        let covers = std::array::from_fn(|axis| {
            let side = |at: usize| at.saturating_sub(window.pad[axis]).min(input[axis]);
            let starts = (0..output[axis]).map(|n| n * window.stride[axis]);
            starts.map(|start| side(start)..side(start + window.size[axis])).collect()
        });
        let mut pool = Self { input, output, winners: Vec::new(), max, covers };
        pool.grow(1);
        pool
    }

    /// Makes room for so many images.
    pub fn grow(&mut self, count: usize) {
        if self.max {
            self.winners.resize(count * self.outputs(), 0);
        }
    }

    fn outputs(&self) -> usize {
        self.output.iter().product()
    }

    /// Calls `f` with where the channels of an output begin, and which rows and columns its window covers.
    #[inline(always)]
    fn windows(&self, mut f: impl FnMut(usize, Range<usize>, Range<usize>)) {
        let (channels, [rows, across]) = (self.output[2], &self.covers);
        let mut to = 0;
        for rows in rows {
            for across in across {
                f(to, rows.clone(), across.clone());
                to += channels;
            }
        }
    }

    pub fn forward(&mut self, image: usize, input: &[f32], output: &mut [f32]) {
        let outputs = self.outputs();
        let mut winners = std::mem::take(&mut self.winners);
        if self.max {
            self.maxima(input, output, &mut winners[image * outputs..][..outputs]);
        } else {
            match self.input[2] {
                1 => self.means::<1>(input, output),
                3 => self.means::<3>(input, output),
                _ => self.means_of_many(input, output),
            }
        }
        self.winners = winners;
    }

    fn maxima(&self, input: &[f32], output: &mut [f32], winners: &mut [u32]) {
        let [_, cols, channels] = self.input;
        let pixels = |rows: Range<usize>, across: Range<usize>| {
            rows.flat_map(move |row| across.clone().map(move |col| row * cols + col))
        };
        self.windows(|to, rows, across| {
            let (best, won) = (&mut output[to..to + channels], &mut winners[to..to + channels]);
            let first = rows.start * cols + across.start;
            best.copy_from_slice(&input[first * channels..][..channels]);
            won.fill(first as u32);
            for pixel in pixels(rows, across).skip(1) {
                let values = &input[pixel * channels..][..channels];
                for ((best, won), x) in best.iter_mut().zip(won.iter_mut()).zip(values) {
                    let wins = *x > *best + TIE;
                    *won = if wins { pixel as u32 } else { *won };
                    *best = if wins { *x } else { *best };
                }
            }
        });
    }

    /// Means of an image, whose few channels stay in registers.
    fn means<const CHANNELS: usize>(&self, input: &[f32], output: &mut [f32]) {
        let (pixels, cols) = (input.as_chunks::<CHANNELS>().0, self.input[1]);
        self.windows(|to, rows, across| {
            let share = 1.0 / (rows.len() * across.len()) as f32;
            let mut mean = [0.0; CHANNELS];
            for row in rows {
                for pixel in &pixels[row * cols..][across.clone()] {
                    mean.iter_mut().zip(pixel).for_each(|(y, x)| *y += share * x);
                }
            }
            output[to..to + CHANNELS].copy_from_slice(&mean);
        });
    }

    fn means_of_many(&self, input: &[f32], output: &mut [f32]) {
        let [_, cols, channels] = self.input;
        output.fill(0.0);
        self.windows(|to, rows, across| {
            let share = 1.0 / (rows.len() * across.len()) as f32;
            let mean = &mut output[to..to + channels];
            for row in rows {
                let pixels = &input[row * cols * channels..][across.start * channels..across.end * channels];
                for pixel in pixels.chunks_exact(channels) {
                    mean.iter_mut().zip(pixel).for_each(|(y, x)| *y += share * x);
                }
            }
        });
    }

    /// Adds it to what is there.
    pub fn input_gradient(&self, image: usize, gradient: &[f32], input_gradient: &mut [f32]) {
        let channels = self.input[2];
        if self.max {
            let outputs = self.outputs();
            let own = &self.winners[image * outputs..][..outputs];
            for (i, (won, g)) in own.iter().zip(gradient).enumerate() {
                input_gradient[*won as usize * channels + i % channels] += g;
            }
            return;
        }
        match channels {
            1 => self.means_gradient::<1>(gradient, input_gradient),
            3 => self.means_gradient::<3>(gradient, input_gradient),
            _ => self.means_gradient_of_many(gradient, input_gradient),
        }
    }

    fn means_gradient<const CHANNELS: usize>(&self, gradient: &[f32], input_gradient: &mut [f32]) {
        let (pixels, cols) = (input_gradient.as_chunks_mut::<CHANNELS>().0, self.input[1]);
        self.windows(|from, rows, across| {
            let share = 1.0 / (rows.len() * across.len()) as f32;
            let slopes: [f32; CHANNELS] = std::array::from_fn(|c| share * gradient[from + c]);
            for row in rows {
                for pixel in &mut pixels[row * cols..][across.clone()] {
                    pixel.iter_mut().zip(slopes).for_each(|(y, g)| *y += g);
                }
            }
        });
    }

    fn means_gradient_of_many(&self, gradient: &[f32], input_gradient: &mut [f32]) {
        let [_, cols, channels] = self.input;
        self.windows(|from, rows, across| {
            let share = 1.0 / (rows.len() * across.len()) as f32;
            let slopes = &gradient[from..from + channels];
            for row in rows {
                let pixels = &mut input_gradient[row * cols * channels..]
                    [across.start * channels..across.end * channels];
                for pixel in pixels.chunks_exact_mut(channels) {
                    pixel.iter_mut().zip(slopes).for_each(|(y, g)| *y += share * g);
                }
            }
        });
    }
}
