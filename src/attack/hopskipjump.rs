//! HopSkipJump (Chen, Jordan, Wainwright 2020, "HopSkipJumpAttack: A Query-Efficient Decision-Based Attack", algorithms 1 and
//! 2), under L2 or L-infinity: it sees the label alone. From an image that is read as wanted it goes to the boundary by
//! bisection towards the original, estimates there from random directions which way the wanted side lies, and takes a step
//! along it.

use super::candidate::{Candidate, Keep};
use super::descriptor::{Descriptor, Field, Traits};
use super::iterative::MAX_STEPS;
use super::{Attack, Goal, Norm, Options, Progress};
use crate::classifier::{Classifier, Query, normal};
use crate::error::{Error, Result};

/// Directions of the first estimate; of estimate `t`, times the root of `t`.
const DIRECTIONS: f64 = 100.0;
/// The most directions of an estimate.
const MOST_DIRECTIONS: f64 = 10_000.0;
/// Random images that are tried where none is given to start from.
const TRIES: usize = 500;

/// HopSkipJump.
pub static HOPSKIPJUMP: Descriptor = Descriptor {
    name: "hopskipjump",
    title: "HopSkipJump",
    source: "Chen, Jordan and Wainwright 2020",
    norms: &[Norm::L2, Norm::Linf],
    searches: true,
    steps: 5_000,
    fields: &[
        Field::norm(&["l2", "linf"]),
        Field::mode("min"),
        Field::EPSILON,
        Field::steps(5_000.0, 1.0, &[500.0, 1_000.0, 2_000.0, 5_000.0, 10_000.0, 20_000.0]),
        Field::CONFIDENCE,
        Field::STOP,
        Field::SEED,
    ],
    traits: Traits {
        study: false,
        decides: false,
        rounds: false,
        needs_start: true,
        takes_start: false,
        gradient_free: true,
    },
    make: |options, model, image, goal, start| {
        let Options { norm, steps: queries, confidence, early_stop, seed, .. } = *options;
        let (epsilon, seed) = (options.fixed_budget(), seed.unwrap_or(0));
        let options = HopSkipJumpOptions { norm, epsilon, queries, confidence, early_stop, seed };
        let attack = HopSkipJump::new(model, image, goal, options)?;
        Ok(Box::new(match start {
            Some(start) => attack.starting(start)?,
            None => attack,
        }))
    },
};

/// What the attack may do.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct HopSkipJumpOptions {
    /// The norm that is to be small: L2 or L-infinity.
    pub norm: Norm,
    /// The budget at which it stops: above 0, at most [`Norm::most`]. `None` goes on until the queries are spent.
    pub epsilon: Option<f32>,
    /// Images that the network is asked about, 1 to [`MAX_STEPS`].
    pub queries: usize,
    /// Probability of the false label that counts as success, in [0, 1); above 0 it takes more than the label.
    pub confidence: f32,
    /// Whether the first success is the end.
    pub early_stop: bool,
    /// Of the random directions.
    pub seed: u64,
}

/// What the next answer is for.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Phase {
    /// What the network reads at the original.
    Read,
    /// Whether an image that was given, or a random one, is read as wanted.
    Start {
        tried: usize,
    },
    /// Bisection towards the original: 0 is the original, 1 the image that is read as wanted.
    Bisect {
        low: f64,
        high: f64,
    },
    /// Random directions around the boundary.
    Estimate {
        asked: usize,
        of: usize,
    },
    /// A step of this length from the boundary.
    Step {
        length: f64,
    },
    Ended,
}

/// The attack.
#[derive(Clone, Debug)]
pub struct HopSkipJump {
    options: HopSkipJumpOptions,
    /// Rows, columns and channels.
    shape: [usize; 3],
    candidate: Candidate,
    phase: Phase,
    rng: fastrand::Rng,
    /// An image to start from.
    start: Option<Vec<f32>>,
    /// The latest image that is read as wanted, the one on the boundary, the direction under trial, and the estimate with
    /// the sum of all directions and how many led to the wanted side.
    wanted: Vec<f32>,
    boundary: Vec<f32>,
    direction: Vec<f32>,
    estimate: Vec<f64>,
    sum: Vec<f64>,
    hits: usize,
    /// Estimates so far.
    iteration: usize,
    asked: usize,
}

impl HopSkipJump {
    /// An attack on `image` (in [0, 1], of the model's shape).
    ///
    /// # Errors
    /// [`Error::BadInput`] for an image, a label or a parameter that is out of range.
    pub fn new(
        model: &dyn Classifier,
        image: &[f32],
        goal: Goal,
        options: HopSkipJumpOptions,
    ) -> Result<Self> {
        let HopSkipJumpOptions { norm, epsilon, queries, confidence, seed, .. } = options;
        let bad = |why: String| Err(Error::BadInput(why));
        if norm == Norm::L1 {
            return bad("hopskipjump knows l2 and linf, not l1".into());
        }
        let most = norm.most(image.len());
        if let Some(epsilon) = epsilon.filter(|epsilon| !(*epsilon > 0.0 && *epsilon <= most)) {
            return bad(format!("epsilon is {epsilon}; it must lie above 0 and be at most {most}"));
        }
        if !(1..=MAX_STEPS).contains(&queries) {
            return bad(format!("{queries} queries were asked for; it must be 1 to {MAX_STEPS} steps"));
        }
        let mut candidate = Candidate::new(model, image, goal, confidence, Keep::Closest(norm))?;
        candidate.bound = epsilon.map(|epsilon| (norm, epsilon));
        let n = image.len();
        Ok(Self {
            options,
            shape: model.shape(),
            candidate,
            phase: Phase::Read,
            rng: fastrand::Rng::with_seed(seed),
            start: None,
            wanted: image.to_vec(),
            boundary: image.to_vec(),
            direction: vec![0.0; n],
            estimate: vec![0.0; n],
            sum: vec![0.0; n],
            hits: 0,
            iteration: 0,
            asked: 0,
        })
    }

    /// Starts from `image`, one that may be read as wanted: without it random images are tried.
    ///
    /// # Errors
    /// [`Error::BadInput`] when it has another size, or pixels outside [0, 1].
    pub fn starting(mut self, image: &[f32]) -> Result<Self> {
        if image.len() != self.wanted.len() || image.iter().any(|x| !(0.0..=1.0).contains(x)) {
            return Err(Error::BadInput("the image to start from does not fit the network".into()));
        }
        self.start = Some(image.to_vec());
        Ok(self)
    }

    /// A random image: noise on squares of some size, on black, white or the original.
    fn random(&mut self) {
        let [rows, cols, channels] = self.shape;
        // The same on machines of 32 and of 64 bits.
        let side = 1 << self.rng.u64(0..5);
        let across = cols.div_ceil(side);
        let patches: Vec<f32> =
            (0..rows.div_ceil(side) * across * channels).map(|_| self.rng.f32()).collect();
        let kept = if self.rng.bool() { 0.0 } else { self.rng.f32() };
        for (i, x) in self.candidate.image.iter_mut().enumerate() {
            let (pixel, channel) = (i / channels, i % channels);
            let (row, col) = (pixel / cols / side, pixel % cols / side);
            let noise = patches[(row * across + col) * channels + channel];
            *x = (kept * self.candidate.original[i] + (1.0 - kept) * noise).clamp(0.0, 1.0);
        }
    }

    fn distance(&self, image: &[f32]) -> f64 {
        let norms = crate::metrics::norms::Norms::between(&self.candidate.original, image);
        self.options.norm.of(&norms)
    }

    /// `theta` of the paper: how finely the boundary is sought.
    fn precision(&self) -> f64 {
        let n = self.wanted.len() as f64;
        if self.options.norm == Norm::L2 { n.powf(-1.5) } else { n.powi(-2) }
    }

    /// How far from the boundary directions are tried.
    fn radius(&self) -> f64 {
        let n = self.wanted.len() as f64;
        let far = self.distance(&self.boundary);
        if self.options.norm == Norm::L2 {
            n.sqrt() * self.precision() * far
        } else {
            n * self.precision() * far
        }
    }

    /// Writes the point between original and `wanted` at `share` of the way.
    fn between(&mut self, share: f64) {
        let Candidate { original, image, .. } = &mut self.candidate;
        if self.options.norm == Norm::L2 {
            for ((x, x0), w) in image.iter_mut().zip(&*original).zip(&self.wanted) {
                *x = (f64::from(*x0) + share * (f64::from(*w) - f64::from(*x0))).clamp(0.0, 1.0) as f32;
            }
            return;
        }
        let far = original.iter().zip(&self.wanted).fold(0.0f32, |most, (a, b)| most.max((a - b).abs()));
        let most = (share * f64::from(far)) as f32;
        for ((x, x0), w) in image.iter_mut().zip(&*original).zip(&self.wanted) {
            *x = (x0 + (w - x0).clamp(-most, most)).clamp(0.0, 1.0);
        }
    }

    /// Moves the image to what is asked next.
    fn place(&mut self) {
        match self.phase {
            Phase::Read | Phase::Ended => {}
            Phase::Start { .. } => match self.start.take() {
                Some(start) => self.candidate.image.copy_from_slice(&start),
                None => self.random(),
            },
            Phase::Bisect { low, high } => self.between(0.5 * (low + high)),
            Phase::Estimate { .. } => {
                if self.options.norm == Norm::L2 {
                    normal(&mut self.rng, &mut self.direction);
                } else {
                    let rng = &mut self.rng;
                    self.direction.iter_mut().for_each(|u| *u = 2.0 * rng.f32() - 1.0);
                }
                let length = self.direction.iter().map(|u| f64::from(*u).powi(2)).sum::<f64>().sqrt();
                let factor = (self.radius() / length.max(1e-12)) as f32;
                for ((x, b), u) in
                    self.candidate.image.iter_mut().zip(&self.boundary).zip(&mut self.direction)
                {
                    *x = (b + factor * *u).clamp(0.0, 1.0);
                    // What was left of it in the box.
                    *u = (*x - b) / factor;
                }
            }
            Phase::Step { length } => {
                for ((x, b), v) in self.candidate.image.iter_mut().zip(&self.boundary).zip(&self.estimate) {
                    *x = (f64::from(*b) + length * v).clamp(0.0, 1.0) as f32;
                }
            }
        }
    }

    /// Goes on after an answer, `hit` telling whether the image is read as wanted.
    fn advance(&mut self, hit: bool) {
        self.phase = match self.phase {
            Phase::Read => Phase::Start { tried: 0 },
            Phase::Start { .. } if hit => self.bisect(),
            Phase::Start { tried } if tried < TRIES => Phase::Start { tried: tried + 1 },
            Phase::Start { .. } => Phase::Ended,
            Phase::Bisect { low, high } => {
                let middle = 0.5 * (low + high);
                let (low, high) = if hit { (low, middle) } else { (middle, high) };
                // No finer than pixels are told apart.
                if high - low > self.precision().max(1e-6) {
                    Phase::Bisect { low, high }
                } else {
                    self.arrive(high)
                }
            }
            Phase::Estimate { asked, of } => {
                self.hits += usize::from(hit);
                let sign = if hit { 1.0 } else { -1.0 };
                for ((e, s), u) in self.estimate.iter_mut().zip(&mut self.sum).zip(&self.direction) {
                    *e += sign * f64::from(*u);
                    *s += f64::from(*u);
                }
                if asked + 1 < of { Phase::Estimate { asked: asked + 1, of } } else { self.direct(of) }
            }
            Phase::Step { .. } if hit => {
                self.wanted.copy_from_slice(&self.candidate.image);
                self.bisect_wanted()
            }
            Phase::Step { length } if length > 1e-6 => Phase::Step { length: 0.5 * length },
            // Nothing along this direction: another estimate.
            Phase::Step { .. } => self.estimate_anew(),
            Phase::Ended => Phase::Ended,
        };
    }

    fn bisect(&mut self) -> Phase {
        self.wanted.copy_from_slice(&self.candidate.image);
        self.bisect_wanted()
    }

    fn bisect_wanted(&self) -> Phase {
        Phase::Bisect { low: 0.0, high: 1.0 }
    }

    /// At the boundary, on the wanted side.
    fn arrive(&mut self, share: f64) -> Phase {
        self.between(share);
        self.boundary.copy_from_slice(&self.candidate.image);
        self.estimate_anew()
    }

    fn estimate_anew(&mut self) -> Phase {
        self.iteration += 1;
        self.estimate.fill(0.0);
        self.sum.fill(0.0);
        self.hits = 0;
        let of = (DIRECTIONS * (self.iteration as f64).sqrt()).min(MOST_DIRECTIONS) as usize;
        Phase::Estimate { asked: 0, of }
    }

    /// From the answers to all directions to a step.
    fn direct(&mut self, of: usize) -> Phase {
        // The mean answer is a baseline that lowers the variance, unless all are alike.
        let mean = 2.0 * self.hits as f64 / of as f64 - 1.0;
        if mean.abs() < 1.0 {
            for (e, s) in self.estimate.iter_mut().zip(&self.sum) {
                *e -= mean * s;
            }
        }
        let far = self.distance(&self.boundary);
        if self.options.norm == Norm::L2 {
            let length = self.estimate.iter().map(|e| e * e).sum::<f64>().sqrt().max(1e-300);
            self.estimate.iter_mut().for_each(|e| *e /= length);
        } else {
            self.estimate.iter_mut().for_each(|e| *e = f64::from(i8::from(*e > 0.0) - i8::from(*e < 0.0)));
        }
        Phase::Step { length: far / (self.iteration as f64).sqrt() }
    }
}

impl Attack for HopSkipJump {
    fn query(&mut self) -> Result<Query<'_>> {
        match self.phase {
            Phase::Ended => return Err(Error::Ended),
            Phase::Read => return Ok(self.candidate.ask_original()),
            _ if self.candidate.waits() => {}
            _ => self.place(),
        }
        let loss = self.candidate.goal.loss();
        Ok(self.candidate.ask(loss, false))
    }

    fn answered(&mut self) -> Result<Option<Progress>> {
        if self.phase == Phase::Read {
            self.candidate.take_original()?;
            self.advance(false);
            return Ok(None);
        }
        let budget = self.options.epsilon.unwrap_or(self.options.norm.most(self.wanted.len()));
        let progress = self.candidate.take((self.iteration, budget))?;
        self.asked += 1;
        let Candidate { goal, least_confidence, .. } = self.candidate;
        let hit =
            !progress.refused && goal.reached(progress.predicted) && progress.confidence >= least_confidence;
        let reached = self.options.epsilon.is_some() && progress.success;
        let stop = reached || hit && self.options.early_stop && progress.success;
        if stop || self.asked >= self.options.queries {
            self.phase = Phase::Ended;
            return Ok(Some(self.candidate.end(progress)));
        }
        // `place` of the boundary must not move the image that this progress describes before it was seen.
        let image = self.candidate.image.clone();
        self.advance(hit);
        self.candidate.image.copy_from_slice(&image);
        if self.phase == Phase::Ended {
            return Ok(Some(self.candidate.end(progress)));
        }
        Ok(Some(progress))
    }

    fn candidate(&self) -> &Candidate {
        &self.candidate
    }
}
