//! Maxima and means over windows of any size, step and overhang.

use std::ops::Range;

use crate::kernel::conv::TIE;
use crate::network::{Shape, Window};

/// A pooling.
#[derive(Clone, Debug)]
pub(super) struct Pool {
    window: Window,
    input: Shape,
    output: Shape,
    /// Of maxima, which pixel each came from, image after image; empty for means.
    winners: Vec<u32>,
    max: bool,
}

impl Pool {
    pub fn new(window: Window, input: Shape, output: Shape, max: bool) -> Self {
        let mut pool = Self { window, input, output, winners: Vec::new(), max };
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

    /// The rows (`axis` 0) or columns (1) of the image that window `n` covers.
    fn covers(&self, axis: usize, n: usize) -> Range<usize> {
        let start = n * self.window.stride[axis];
        let side = |at: usize| at.saturating_sub(self.window.pad[axis]).min(self.input[axis]);
        side(start)..side(start + self.window.size[axis])
    }

    /// Calls `f` with where the channels of an output begin, and for each pixel of its window, which it is.
    fn windows(&self, mut f: impl FnMut(usize, Range<usize>, Range<usize>)) {
        let [h, w, channels] = self.output;
        for row in 0..h {
            for col in 0..w {
                f((row * w + col) * channels, self.covers(0, row), self.covers(1, col));
            }
        }
    }

    pub fn forward(&mut self, image: usize, input: &[f32], output: &mut [f32]) {
        let [_, cols, channels] = self.input;
        let pixels = |rows: Range<usize>, across: Range<usize>| {
            rows.flat_map(move |row| across.clone().map(move |col| row * cols + col))
        };
        if self.max {
            let outputs = self.outputs();
            let mut winners = std::mem::take(&mut self.winners);
            let own = &mut winners[image * outputs..][..outputs];
            self.windows(|to, rows, across| {
                let (best, won) = (&mut output[to..to + channels], &mut own[to..to + channels]);
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
            self.winners = winners;
        } else {
            output.fill(0.0);
            self.windows(|to, rows, across| {
                let share = 1.0 / (rows.len() * across.len()) as f32;
                let mean = &mut output[to..to + channels];
                for pixel in pixels(rows, across) {
                    let values = &input[pixel * channels..][..channels];
                    mean.iter_mut().zip(values).for_each(|(y, x)| *y += share * x);
                }
            });
        }
    }

    /// Adds it to what is there.
    pub fn input_gradient(&self, image: usize, gradient: &[f32], input_gradient: &mut [f32]) {
        let [_, cols, channels] = self.input;
        if self.max {
            let outputs = self.outputs();
            let own = &self.winners[image * outputs..][..outputs];
            for (i, (won, g)) in own.iter().zip(gradient).enumerate() {
                input_gradient[*won as usize * channels + i % channels] += g;
            }
            return;
        }
        self.windows(|from, rows, across| {
            let share = 1.0 / (rows.len() * across.len()) as f32;
            let slopes = &gradient[from..from + channels];
            for row in rows {
                for col in across.clone() {
                    let to = &mut input_gradient[(row * cols + col) * channels..][..channels];
                    to.iter_mut().zip(slopes).for_each(|(y, g)| *y += share * g);
                }
            }
        });
    }
}
