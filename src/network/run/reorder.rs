//! What moves numbers to other places: zeros around an image, pixels repeated, rows for columns, channels side by side.

/// Zeros around an image: where its rows lie in the larger one.
#[derive(Clone, Copy, Debug)]
pub(super) struct Pad {
    pub rows: usize,
    /// Numbers in a row of the image, and of the larger one.
    pub row: usize,
    pub wide: usize,
    /// Where the first row begins in the larger one.
    pub first: usize,
}

impl Pad {
    /// Calls `f` with where each row lies in the image and in the larger one.
    pub fn rows(self, mut f: impl FnMut(std::ops::Range<usize>, std::ops::Range<usize>)) {
        for row in 0..self.rows {
            let (inner, outer) = (row * self.row, self.first + row * self.wide);
            f(inner..inner + self.row, outer..outer + self.row);
        }
    }
}

/// Each pixel repeated over a square.
#[derive(Clone, Copy, Debug)]
pub(super) struct Upsample {
    /// Rows, columns and channels of what is read.
    pub input: [usize; 3],
    /// The side of the square.
    pub factor: usize,
}

impl Upsample {
    /// Calls `f` with the place of each pixel of the output and of the one that it repeats.
    fn pairs(self, mut f: impl FnMut(usize, usize)) {
        let [rows, cols, channels] = self.input;
        let wide = cols * self.factor;
        for row in 0..rows * self.factor {
            for col in 0..wide {
                f((row * wide + col) * channels, (row / self.factor * cols + col / self.factor) * channels);
            }
        }
    }

    pub fn forward(self, input: &[f32], output: &mut [f32]) {
        let channels = self.input[2];
        self.pairs(|to, from| output[to..to + channels].copy_from_slice(&input[from..from + channels]));
    }

    /// Adds it to what is there.
    pub fn input_gradient(self, gradient: &[f32], input_gradient: &mut [f32]) {
        let channels = self.input[2];
        self.pairs(|from, to| {
            for c in 0..channels {
                input_gradient[to + c] += gradient[from + c];
            }
        });
    }
}

/// Rows become columns.
#[derive(Clone, Copy, Debug)]
pub(super) struct Transpose {
    /// Rows, columns and channels of what is read.
    pub input: [usize; 3],
}

impl Transpose {
    pub fn forward(self, input: &[f32], output: &mut [f32]) {
        let [rows, cols, channels] = self.input;
        for row in 0..rows {
            for col in 0..cols {
                let (from, to) = ((row * cols + col) * channels, (col * rows + row) * channels);
                output[to..to + channels].copy_from_slice(&input[from..from + channels]);
            }
        }
    }

    pub fn input_gradient(self, gradient: &[f32], input_gradient: &mut [f32]) {
        let [rows, cols, channels] = self.input;
        Self { input: [cols, rows, channels] }.forward(gradient, input_gradient);
    }
}

/// The channels of several images one after the other.
#[derive(Clone, Debug)]
pub(super) struct Concat {
    /// Channels of each, and of all.
    pub channels: Vec<usize>,
    pub all: usize,
}

impl Concat {
    /// Puts image `part` in its place.
    pub fn put(&self, part: usize, input: &[f32], output: &mut [f32]) {
        let (first, own) = self.place(part);
        for (y, x) in output.chunks_exact_mut(self.all).zip(input.chunks_exact(own)) {
            y[first..first + own].copy_from_slice(x);
        }
    }

    /// Takes it out again.
    pub fn take(&self, part: usize, gradient: &[f32], input_gradient: &mut [f32]) {
        let (first, own) = self.place(part);
        for (to, g) in input_gradient.chunks_exact_mut(own).zip(gradient.chunks_exact(self.all)) {
            to.copy_from_slice(&g[first..first + own]);
        }
    }

    fn place(&self, part: usize) -> (usize, usize) {
        (self.channels[..part].iter().sum(), self.channels[part])
    }
}
