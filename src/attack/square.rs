//! The Square Attack under L-infinity (Andriushchenko, Croce, Flammarion, Hein 2020, "Square Attack: a query-efficient
//! black-box adversarial attack via random search", algorithms 1 and 2): random search that asks a network for its answers
//! and never for a gradient. Where it does better than the attacks that follow one, the gradient is masked.

use super::candidate::{Candidate, Keep};
use super::descriptor::{Descriptor, Field, Traits};
use super::iterative::MAX_STEPS;
use super::{Attack, Goal, Norm, Options, Progress};
use crate::classifier::{Classifier, Query};
use crate::error::{Error, Result};

/// Share of the image that the first squares cover.
const SHARE: f64 = 0.8;
/// Of ten thousand queries, those after which a square covers half as much as before.
const HALVINGS: [usize; 9] = [10, 50, 200, 500, 1_000, 2_000, 4_000, 6_000, 8_000];

/// The Square Attack.
pub static SQUARE: Descriptor = Descriptor {
    name: "square",
    title: "Square Attack, L∞",
    source: "Andriushchenko, Croce, Flammarion and Hein 2020",
    norms: &[Norm::Linf],
    searches: false,
    steps: 1_000,
    fields: &[
        Field::epsilon(1.0),
        Field::steps(1_000.0, 1.0, &[200.0, 500.0, 1_000.0, 2_000.0, 5_000.0, 10_000.0]),
        Field::CONFIDENCE,
        Field::STOP,
        Field::SEED,
    ],
    traits: Traits {
        study: false,
        decides: false,
        rounds: false,
        needs_start: false,
        takes_start: false,
        gradient_free: true,
    },
    make: |options, model, image, goal, _| {
        let Options { budget: epsilon, steps: queries, confidence, early_stop, seed, .. } = *options;
        let options = SquareOptions { epsilon, queries, confidence, early_stop, seed: seed.unwrap_or(0) };
        Ok(Box::new(Square::new(model, image, goal, options)?))
    },
};

/// What the attack may do.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SquareOptions {
    /// The largest change of a pixel, above 0 and at most 1.
    pub epsilon: f32,
    /// Squares that are tried, 1 to [`MAX_STEPS`].
    pub queries: usize,
    /// Probability of the false label that counts as success, in [0, 1).
    pub confidence: f32,
    /// Whether the first success is the end.
    pub early_stop: bool,
    /// Of the random search.
    pub seed: u64,
}

/// Puts squares of `+epsilon` or `-epsilon` a channel on the image and keeps each that lowers the loss.
#[derive(Clone, Debug)]
pub struct Square {
    options: SquareOptions,
    /// Rows, columns and channels.
    shape: [usize; 3],
    candidate: Candidate,
    /// The image with the lowest loss.
    best: Vec<f32>,
    least: f32,
    rng: fastrand::Rng,
    /// Whether it is known what the network reads at the original.
    read: bool,
    /// Squares tried so far; `None` before the start.
    tried: Option<usize>,
    ended: bool,
}

impl Square {
    /// An attack on `image` (in [0, 1], of the model's shape).
    ///
    /// # Errors
    /// [`Error::BadInput`] for an image, a label or a parameter that is out of range.
    pub fn new(model: &dyn Classifier, image: &[f32], goal: Goal, options: SquareOptions) -> Result<Self> {
        let SquareOptions { epsilon, queries, confidence, seed, .. } = options;
        let bad = |why: String| Err(Error::BadInput(why));
        if !(epsilon > 0.0 && epsilon <= 1.0) {
            return bad(format!("epsilon is {epsilon}; it must lie above 0 and be at most 1"));
        }
        if !(1..=MAX_STEPS).contains(&queries) {
            return bad(format!("{queries} queries were asked for; it must be 1 to {MAX_STEPS} steps"));
        }
        let mut candidate = Candidate::new(model, image, goal, confidence, Keep::Latest)?;
        candidate.bound = Some((Norm::Linf, epsilon));
        Ok(Self {
            options,
            shape: model.shape(),
            candidate,
            best: image.to_vec(),
            least: f32::INFINITY,
            rng: fastrand::Rng::with_seed(seed),
            read: false,
            tried: None,
            ended: false,
        })
    }

    /// Vertical stripes, one pixel wide.
    fn stripes(&mut self) {
        let [rows, cols, channels] = self.shape;
        let line: Vec<f32> = (0..cols * channels).map(|_| self.change()).collect();
        let Candidate { original, image, .. } = &mut self.candidate;
        for row in 0..rows {
            let start = row * cols * channels;
            for (i, change) in line.iter().enumerate() {
                image[start + i] = (original[start + i] + change).clamp(0.0, 1.0);
            }
        }
    }

    /// A square of one random change a channel on the best image.
    fn square(&mut self, side: usize) {
        let [rows, cols, channels] = self.shape;
        let (height, width) = (side.min(rows), side.min(cols));
        let (top, left) = (self.place(rows - height), self.place(cols - width));
        let changes: Vec<f32> = (0..channels).map(|_| self.change()).collect();
        let Candidate { original, image, .. } = &mut self.candidate;
        image.copy_from_slice(&self.best);
        for row in top..top + height {
            let start = (row * cols + left) * channels;
            for i in start..start + width * channels {
                image[i] = (original[i] + changes[(i - start) % channels]).clamp(0.0, 1.0);
            }
        }
    }

    /// A place from 0 to `last`, the same on machines of 32 and of 64 bits.
    fn place(&mut self, last: usize) -> usize {
        self.rng.u64(0..=last as u64) as usize
    }

    fn change(&mut self) -> f32 {
        if self.rng.bool() { self.options.epsilon } else { -self.options.epsilon }
    }
}

/// Rows and columns of the square of query `tried` (from 0) of `queries`, on an image of `pixels` rows times columns.
fn side(tried: usize, queries: usize, pixels: usize) -> usize {
    let now = tried * 10_000 / queries;
    let halvings = HALVINGS.iter().filter(|&&after| now > after).count();
    let share = SHARE / f64::from(1u32 << halvings);
    ((share * pixels as f64).sqrt().round() as usize).max(1)
}

impl Attack for Square {
    fn query(&mut self) -> Result<Query<'_>> {
        if self.ended {
            return Err(Error::Ended);
        }
        if !self.candidate.waits() {
            match self.tried {
                None if !self.read => return Ok(self.candidate.ask_original()),
                None => self.stripes(),
                Some(tried) => self.square(side(tried, self.options.queries, self.shape[0] * self.shape[1])),
            }
        } else if !self.read {
            return Ok(self.candidate.ask_original());
        }
        let loss = self.candidate.goal.loss();
        Ok(self.candidate.ask(loss, false))
    }

    fn answered(&mut self) -> Result<Option<Progress>> {
        if !self.read {
            self.candidate.take_original()?;
            self.read = true;
            return Ok(None);
        }
        let tried = self.tried.map_or(0, |tried| tried + 1);
        self.tried = Some(tried);
        let progress = self.candidate.take((0, self.options.epsilon))?;
        if progress.loss < self.least {
            self.least = progress.loss;
            self.best.copy_from_slice(&self.candidate.image);
        }
        if tried == self.options.queries || progress.success && self.options.early_stop {
            self.ended = true;
            return Ok(Some(self.candidate.end(progress)));
        }
        Ok(Some(progress))
    }

    fn candidate(&self) -> &Candidate {
        &self.candidate
    }
}

#[cfg(test)]
mod tests {
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;

    #[test]
    fn squares_shrink_as_in_the_paper_whatever_the_number_of_queries() {
        for queries in [10_000, 1_000] {
            let sides: Vec<usize> = [0, 10, 50, 200, 500, 1_000, 2_000, 4_000, 6_000, 8_000]
                .map(|after| side(after * queries / 10_000 + queries / 1_000, queries, 784))
                .into();
            assert_eq!(sides, [25, 18, 13, 9, 6, 4, 3, 2, 2, 1]);
        }
    }
}
