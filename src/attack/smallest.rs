//! The search for the smallest change: primal-dual (proximal) gradient descent (Matyasko & Chau 2021, "PDPGD: Primal-Dual
//! Proximal Gradient Descent Adversarial Attack", algorithms 1 and 2). One player moves the image, by Adam (Kingma & Ba
//! 2015), towards a smaller change and a smaller margin; the other weighs the two, the margin more while the goal is not
//! reached.
//!
//! What differs from the paper, each because it comes nearer (`scripts/peers/strength.py`): larger first steps, and weights of the
//! distance, by the scale of the image's own distance where the network is taken as linear; less momentum; proximal steps that are exact
//! in Adam's metric; under L1 a norm that is smooth at first, so that which pixels move is settled late; and a dual variable that
//! goes as far in a few steps as in many.

use super::candidate::{Candidate, Keep};
use super::iterative::MAX_STEPS;
use super::{Attack, Goal, Norm, Progress};
use crate::classifier::{Classifier, Query};
use crate::error::{Error, Result};
use crate::kernel::simd::{Level, Simd, dispatch};
use crate::kernel::softmax::{Aim, Loss, sigmoid};
use crate::metrics::norms::{LANES, in_lanes, sum_of_squares};

/// How much of the average of the squared gradients stays from step to step.
const BETA_SQUARE: f32 = 0.999;
/// By how much the dual variable moves at the first step, and at the last as a share of that.
const DUAL_RATE: f32 = 0.1;
const DUAL_DECAY: f32 = 0.1;
/// The weights' average takes so much of the new ones.
const DUAL_NEW: f32 = 0.1;
/// The steps in which the dual variable comes, at these rates, from where it begins to where it settles: in a shorter search it, and
/// the average, have to move faster by as much.
pub(super) const SETTLED: usize = 160;
/// The smallest ratio of the weights either way.
const LEAST_RATIO: f32 = 1e-6;
/// How far a pixel moves at the last step, as a share of the first.
const DECAY: f32 = 0.01;
/// Under L1, by how much the norm is smoothed at first, at last, and for which share of the steps.
const SMOOTH: [f32; 2] = [1.0, 1e-3];
const SMOOTH_SHARE: f32 = 0.7;
/// The first step where the network is taken as linear: times the largest change of a pixel that would do.
const RATE_L2: f32 = 1.0;
const RATE_LINF: f32 = 3.0;
const RATE_L1: f32 = 1.0;
/// The margin that the weights are made for, in nats: where more is lacking at the first step, margins are divided so that it is
/// this. A network whose logits are large, as one that was distilled has them, is no other for that.
const USUAL_MARGIN: f32 = 15.0;

/// What the search may do.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct SmallestOptions {
    /// The norm that is to be small.
    pub norm: Norm,
    /// Gradients, 1 to [`MAX_STEPS`].
    pub steps: usize,
    /// How far Adam moves a pixel at the first step, above 0; by the scale of the image's own distance when not given. At
    /// the last step it is a hundredth of that.
    pub rate: Option<f32>,
    /// What distances are multiplied with, above 0, so that one counts as much as a margin; by the scale of the image's own distance
    /// when not given.
    pub unit: Option<f32>,
    /// What margins are divided by, at least 1; by how much is lacking at the first step when not given.
    pub scale: Option<f32>,
    /// Weight of the past in Adam's average of the gradients, in [0, 1).
    pub momentum: f32,
    /// The weight of the distance at the start, as a share of the margin's; above 0.
    pub ratio: f32,
    /// Whether L1 is smooth at first.
    pub smooth: bool,
    /// How many times faster than published the dual variable, and the average of the weights, move; at least 1.
    pub pace: f32,
    /// What the margin is taken of, where that is not the goal: away from a label by way of another.
    pub aim: Option<Aim>,
    /// Probability of the false label that counts as success, in [0, 1).
    pub confidence: f32,
}

impl SmallestOptions {
    /// The defaults.
    pub fn new(norm: Norm, steps: usize) -> Self {
        Self {
            norm,
            steps,
            rate: None,
            unit: None,
            scale: None,
            momentum: 0.5,
            // Under L1 the distance counts late: which pixels move is settled while it does not.
            ratio: if norm == Norm::L1 { 0.01 } else { 0.1 },
            smooth: true,
            pace: (SETTLED as f32 / steps as f32).max(1.0),
            aim: None,
            confidence: 0.0,
        }
    }

    /// The paper's: steps of a tenth, margins as they are, Adam's own momentum, no smoothing, one pace.
    pub fn published(norm: Norm, steps: usize) -> Self {
        Self {
            rate: Some(0.1),
            unit: Some(1.0),
            scale: Some(1.0),
            momentum: 0.9,
            ratio: 0.01,
            smooth: false,
            pace: 1.0,
            ..Self::new(norm, steps)
        }
    }
}

/// The search.
#[derive(Clone, Debug)]
pub struct Smallest {
    options: SmallestOptions,
    candidate: Candidate,
    level: Level,
    /// How far a pixel moves at the first step.
    rate: f32,
    /// What distances are multiplied with, and margins divided by.
    unit: f32,
    scale: f32,
    /// Evaluations so far.
    evaluated: usize,
    /// Whether the start is the original, which may be read as wanted already.
    from_original: bool,
    /// Adam's averages of the gradient and of its square.
    average: Vec<f32>,
    square: Vec<f32>,
    /// The change.
    change: Vec<f32>,
    /// Under L-infinity, the metric in which it is made smaller.
    metric: Vec<f32>,
    /// What is lacking at the image: the margin of the answer. Where draws decide, that is not the mean of their margins,
    /// which the gradient is of.
    lacking: f32,
    scratch: Vec<f32>,
    /// The dual variable, and the averages of the weights of distance and margin that follow from it.
    dual: f32,
    weights: [f32; 2],
}

impl Smallest {
    /// A search around `image` (in [0, 1]).
    ///
    /// # Errors
    /// [`Error::BadInput`] for an image, a label or a parameter that is out of range.
    pub fn new(model: &dyn Classifier, image: &[f32], goal: Goal, options: SmallestOptions) -> Result<Self> {
        let SmallestOptions { norm, steps, rate, momentum, ratio, pace, confidence, .. } = options;
        let bad = |why: String| Err(Error::BadInput(why));
        if !(1..=MAX_STEPS).contains(&steps) {
            return bad(format!("{steps} steps were asked for; it must be 1 to {MAX_STEPS}"));
        }
        let above = |what: Option<f32>| what.is_none_or(|v| v > 0.0 && v.is_finite());
        if !(above(rate) && above(Some(ratio)) && (0.0..1.0).contains(&momentum) && pace >= 1.0) {
            return bad(
                "rate and ratio must lie above 0, the momentum in [0, 1), the pace at least at 1".into()
            );
        }
        Ok(Self::on(Candidate::new(model, image, goal, confidence, Keep::Closest(norm))?, options))
    }

    /// A search on what `candidate` holds, with options that are within their ranges.
    pub(super) fn on(candidate: Candidate, options: SmallestOptions) -> Self {
        let (n, classes) = (candidate.original.len(), candidate.logits.len());
        let dual = -options.ratio.ln();
        Self {
            options,
            candidate,
            level: Level::detect(),
            rate: options.rate.unwrap_or(1.0),
            unit: options.unit.unwrap_or(1.0),
            scale: options.scale.unwrap_or(1.0),
            evaluated: 0,
            from_original: true,
            average: vec![0.0; n],
            square: vec![0.0; n],
            change: vec![0.0; n],
            metric: vec![0.0; if options.norm == Norm::Linf { n } else { 0 }],
            lacking: 0.0,
            scratch: vec![0.0; classes],
            dual,
            weights: weights(dual),
        }
    }

    /// Starts at `start`, which is not refused.
    pub(super) fn starting(mut self, start: &[f32]) -> Self {
        self.candidate.image.copy_from_slice(start);
        for ((d, x), x0) in self.change.iter_mut().zip(start).zip(&self.candidate.original) {
            *d = x - x0;
        }
        self.from_original = false;
        self
    }

    /// How far a pixel moves at the first step; known after the first evaluation.
    pub(super) fn rate(&self) -> f32 {
        self.rate
    }

    /// What distances are multiplied with; known after the first evaluation.
    pub(super) fn unit(&self) -> f32 {
        self.unit
    }

    /// What margins are divided by; known after the first evaluation.
    pub(super) fn scale(&self) -> f32 {
        self.scale
    }

    /// The first step by the scale of the image's distance: the largest change of a pixel in the smallest change that would
    /// do if the network were linear and the pixels that may move had no bound. A pixel that stands at the bound that it is
    /// pushed against may not.
    fn own_rate(&self) -> f32 {
        let (Candidate { original, gradient, .. }, value) = (&self.candidate, self.lacking);
        let far = self.options.norm.linear_distance(original, gradient, value);
        let rate = match self.options.norm {
            Norm::Linf => f64::from(RATE_LINF) * far,
            // The change goes along the gradient.
            Norm::L2 => {
                let moved = Norm::L1.linear_distance(original, gradient, value);
                f64::from(RATE_L2) * far * far / moved
            }
            Norm::L1 => f64::from(RATE_L1) * far,
        };
        if rate.is_finite() { rate.clamp(1e-5, 1.0) as f32 } else { 1.0 }
    }

    /// Nats for a distance: by how much the margin changes with the distance where the network is linear.
    fn own_unit(&self) -> f32 {
        let Candidate { original, gradient, .. } = &self.candidate;
        let far = self.options.norm.linear_distance(original, gradient, self.lacking);
        let unit = f64::from(self.lacking / self.scale) / far;
        if unit.is_finite() && unit > 0.0 { unit as f32 } else { 1.0 }
    }

    /// What is to fall below 0.
    fn loss(&self) -> Loss {
        let SmallestOptions { aim, confidence: least, .. } = self.options;
        Loss::Margin { aim: aim.unwrap_or(self.candidate.goal.aim()), least }
    }

    /// Moves image and weights after an evaluation.
    fn update(&mut self) {
        let (level, search) = (self.level, self);
        // SAFETY: this machine runs every level that there is.
        unsafe { dispatch!(level, updated, search: &mut Smallest) }
    }

    /// [`update`](Self::update), inlined where it is compiled for an instruction set. The order of every sum is written down: what
    /// comes out is the same under all of them.
    #[inline(always)]
    fn moved(&mut self) {
        let Self { candidate, average, square, change, metric, weights, options, .. } = self;
        let Candidate { original, image, gradient, .. } = candidate;
        let (value, norm) = (self.lacking, options.norm);
        let done = (self.evaluated - 1) as f32 / options.steps as f32;
        let rate = self.rate * DECAY.powf(done);
        let distance = self.unit * weights[0];
        let i = self.evaluated as i32;
        let correct = [1.0 - options.momentum.powi(i), (1.0 - BETA_SQUARE.powi(i)).sqrt()];
        let smooth = norm == Norm::L1 && options.smooth && done < SMOOTH_SHARE;
        let sigma = SMOOTH[0] * (SMOOTH[1] / SMOOTH[0]).powf(done / SMOOTH_SHARE);
        // A norm that has a gradient is descended together with the margin; of others the proximal step is taken.
        let gradual = norm == Norm::L2 || smooth;
        let push = sigmoid(value / self.scale) / self.scale * if gradual { weights[1] } else { 1.0 };
        let far = if norm == Norm::L2 { sum_of_squares(change).sqrt() as f32 } else { 0.0 };
        let shrink = rate * distance / weights[1];
        let size = |square: f32| square.sqrt() / correct[1] + 1e-8;
        let step = rate / correct[0];
        let averages = average.iter_mut().zip(square.iter_mut()).zip(gradient.iter());
        let pixels = change.iter_mut().zip(original.iter()).zip(averages);
        let adam = |d: &mut f32, x0: f32, m: &mut f32, v: &mut f32, g: f32| {
            *m += (1.0 - options.momentum) * (g - *m);
            *v = BETA_SQUARE * *v + (1.0 - BETA_SQUARE) * g * g;
            let size = size(*v);
            // Not f32::clamp, whose panic keeps the loop from being made of vectors.
            *d = (*d - step * *m / size).max(-x0).min(1.0 - x0);
            size
        };
        // A loop for each form, without a question inside.
        if smooth {
            for ((d, x0), ((m, v), g)) in pixels {
                let slope = distance * *d / (*d * *d + sigma * sigma).sqrt();
                adam(d, *x0, m, v, push * g + slope);
            }
        } else if norm == Norm::L2 && far > 0.0 {
            for ((d, x0), ((m, v), g)) in pixels {
                let slope = distance * *d / far;
                adam(d, *x0, m, v, push * g + slope);
            }
        } else if norm == Norm::L1 {
            for ((d, x0), ((m, v), g)) in pixels {
                let size = adam(d, *x0, m, v, push * g);
                *d = (d.abs() - shrink / size).max(0.0).copysign(*d);
            }
        } else {
            for ((d, x0), ((m, v), g)) in pixels {
                adam(d, *x0, m, v, push * g);
            }
        }
        if norm == Norm::Linf {
            metric.iter_mut().zip(square.iter()).for_each(|(m, v)| *m = size(*v));
            let level = clip_level(change, metric, shrink);
            change.iter_mut().for_each(|d| *d = d.clamp(-level, level));
        }
        for ((x, x0), d) in image.iter_mut().zip(original.iter()).zip(change.iter_mut()) {
            *x = (x0 + *d).clamp(0.0, 1.0);
            *d = *x - x0;
        }
        let rate = options.pace * DUAL_RATE * ((1.0 - done) * (1.0 - DUAL_DECAY) + DUAL_DECAY);
        let most = -LEAST_RATIO.ln();
        self.dual = (self.dual + rate * (f32::from(value > 0.0) - f32::from(value < 0.0))).clamp(-most, most);
        for (w, new) in weights.iter_mut().zip(self::weights(self.dual)) {
            *w += (options.pace * DUAL_NEW).min(1.0) * (new - *w);
        }
    }
}

/// [`Smallest::update`] for a level.
///
/// # Safety
/// As [`Simd`]'s.
#[inline(always)]
#[allow(clippy::extra_unused_type_parameters)] // A level is a type; plain loops are compiled for it.
unsafe fn updated<S: Simd>(search: &mut Smallest) {
    search.moved();
}

/// The weights of distance and margin.
fn weights(dual: f32) -> [f32; 2] {
    [sigmoid(-dual), sigmoid(dual)]
}

/// The proximal step of `shrink` times the L-infinity norm in a diagonal metric is to clip at the level at which what is cut
/// off, weighed by the metric, comes to `shrink`: by Newton's method on a function of straight pieces, from below.
#[inline(always)]
fn clip_level(change: &[f32], metric: &[f32], shrink: f32) -> f32 {
    let mut level = 0.0;
    loop {
        let (mut cuts, mut weights) = ([0.0f64; LANES], [0.0f64; LANES]);
        in_lanes(change, metric, |lane, d, m| {
            let over = d.abs() - level;
            let m = if over > 0.0 { f64::from(m) } else { 0.0 };
            cuts[lane] += m * f64::from(over);
            weights[lane] += m;
        });
        let (cut, weight) = (cuts.iter().sum::<f64>(), weights.iter().sum::<f64>());
        let next = level + ((cut - f64::from(shrink)) / weight.max(1e-30)) as f32;
        if next > level * (1.0 + 1e-6) {
            level = next;
        } else {
            return level;
        }
    }
}

impl Attack for Smallest {
    fn query(&mut self) -> Result<Query<'_>> {
        if self.evaluated >= self.options.steps {
            return Err(Error::Ended);
        }
        let loss = self.loss();
        if !self.candidate.waits() && self.evaluated > 0 {
            self.update();
        }
        Ok(self.candidate.ask(loss, true))
    }

    fn answered(&mut self) -> Result<Option<Progress>> {
        let closest = self.candidate.closest().map(|best| self.options.norm.of(&best.progress.norms));
        let most = self.options.norm.most(self.candidate.original.len());
        let progress = self.candidate.take((0, closest.map_or(most, |far| far as f32)))?;
        self.lacking = self.loss().evaluate(&self.candidate.logits, &mut self.scratch);
        if self.evaluated == 0 {
            if self.from_original {
                self.candidate.skip(progress.predicted, progress.refused)?;
            }
            self.rate = self.options.rate.unwrap_or_else(|| self.own_rate());
            self.scale = self.options.scale.unwrap_or((self.lacking / USUAL_MARGIN).max(1.0));
            self.unit = self.options.unit.unwrap_or_else(|| self.own_unit());
        }
        self.evaluated += 1;
        if self.evaluated >= self.options.steps {
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
    fn what_is_clipped_comes_to_what_was_asked_for_in_the_metric() {
        let mut rng = fastrand::Rng::with_seed(3);
        for n in [1, 2, 50, 500] {
            let change: Vec<f32> = (0..n).map(|_| rng.f32() - 0.5).collect();
            let metric: Vec<f32> = (0..n).map(|_| 0.01 + rng.f32()).collect();
            let cut = |level: f32| -> f32 {
                change.iter().zip(&metric).map(|(d, m)| m * (d.abs() - level).max(0.0)).sum()
            };
            for share in [0.0, 0.1, 0.9, 2.0] {
                let shrink = share * cut(0.0);
                let level = clip_level(&change, &metric, shrink);
                if share > 1.0 {
                    assert_eq!(level, 0.0);
                } else {
                    assert!((cut(level) - shrink).abs() < 1e-4 * cut(0.0), "{n} {share}: {level}");
                }
            }
        }
    }
}
