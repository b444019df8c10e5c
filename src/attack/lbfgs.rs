//! L-BFGS (Szegedy et al. 2014, "Intriguing properties of neural networks", section 4.1): minimises
//! `||x' - x||_2^2 + c loss(x')` over the box, and seeks the smallest `c` whose minimum reaches the goal.

use super::bisection::Bisection;
use super::candidate::{Candidate, Keep};
use super::descriptor::{Descriptor, Field, Range, Shown, Traits};
use super::lbfgsb::{Lbfgsb, Settings, Status};
use super::{Attack, Goal, Norm, Options, Progress};
use crate::classifier::{Classifier, Query};
use crate::error::{Error, Result};

/// The most iterations of a minimisation that may be asked for.
pub const MAX_ITERATIONS: usize = 10_000;
/// The largest weight of the loss.
pub const MAX_C: f32 = 1e10;

/// L-BFGS.
pub static LBFGS: Descriptor = Descriptor {
    name: "lbfgs",
    title: "L-BFGS",
    source: "Szegedy et al. 2014",
    norms: &[Norm::L2],
    searches: true,
    steps: 40,
    fields: &[
        Field::mode("min"),
        Field::number(
            "c",
            Range {
                initial: Some(0.1),
                values: &[0.001, 0.01, 0.1, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 1000.0],
                ..Range::new(1e-6, MAX_C as f64)
            },
            Shown::Main,
        ),
        Field::number(
            "steps",
            Range::whole(
                1.0,
                MAX_ITERATIONS as f64,
                40.0,
                &[1.0, 2.0, 5.0, 10.0, 20.0, 40.0, 60.0, 100.0, 200.0, 500.0, 1000.0],
            ),
            Shown::Main,
        ),
        Field::CONFIDENCE,
        Field::STOP,
    ],
    traits: Traits {
        study: true,
        decides: false,
        rounds: true,
        needs_start: false,
        takes_start: false,
        gradient_free: false,
    },
    make: |options, model, image, goal, _| {
        let Options { budget: c, steps: iterations, confidence, early_stop, search, .. } = *options;
        let options = LbfgsOptions { c, iterations, confidence, early_stop, search };
        Ok(Box::new(Lbfgs::new(model, image, goal, options)?))
    },
};

/// What the attack may do. The defaults are those of `Options::new`.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct LbfgsOptions {
    /// The weight of the loss, above 0 and at most [`MAX_C`]. In a search, the first to be tried.
    pub c: f32,
    /// Iterations of each minimisation, 1 to [`MAX_ITERATIONS`].
    pub iterations: usize,
    /// Probability of the false label that counts as success, in [0, 1).
    pub confidence: f32,
    /// Whether the first success is the end.
    pub early_stop: bool,
    /// Seeks the smallest weight that succeeds: times 10 until one does, then bisection down to a tenth.
    pub search: bool,
}

const GROWTH: f64 = 10.0;
const RAISES: usize = 11;
const PRECISION: f64 = 0.1;
const MEMORY: usize = 10;
const FTOL: f64 = 1e-9;
const PGTOL: f64 = 1e-5;

/// The attack. A step is an evaluation; its result the closest success among all points that were evaluated.
#[derive(Clone, Debug)]
pub struct Lbfgs {
    options: LbfgsOptions,
    candidate: Candidate,
    search: Bisection,
    round: usize,
    minimisation: Minimisation,
    /// Loss and gradient at the original, where every minimisation starts.
    start: Option<(f32, Vec<f32>)>,
    /// Gradient of the objective.
    gradient: Vec<f64>,
    ended: bool,
}

impl Lbfgs {
    /// An attack on `image` (in [0, 1]).
    ///
    /// # Errors
    /// [`Error::BadInput`] for an image, a label or a parameter that is out of range.
    pub fn new(model: &dyn Classifier, image: &[f32], goal: Goal, options: LbfgsOptions) -> Result<Self> {
        let bad = |why: String| Err(Error::BadInput(why));
        if !(options.c > 0.0 && options.c <= MAX_C) {
            return bad(format!("c is {}; it must lie above 0 and be at most {MAX_C}", options.c));
        }
        if !(1..=MAX_ITERATIONS).contains(&options.iterations) {
            let iterations = options.iterations;
            return bad(format!("{iterations} iterations were asked for; it must be 1 to {MAX_ITERATIONS}"));
        }
        let candidate = Candidate::new(model, image, goal, options.confidence, Keep::Closest(Norm::L2))?;
        Ok(Self {
            options,
            search: Bisection::new(options.c.into(), GROWTH, RAISES, MAX_C.into(), PRECISION),
            round: 0,
            minimisation: minimisation(&candidate, options.iterations),
            start: None,
            gradient: vec![0.0; image.len()],
            candidate,
            ended: false,
        })
    }

    /// The objective at `x`, with its gradient written to `self.gradient`.
    fn objective(&mut self, loss: f32, loss_gradient: &[f32]) -> f64 {
        let c = self.search.budget;
        let mut distance = 0.0;
        let points = self.minimisation.x().iter().zip(&self.candidate.original);
        for ((g, loss_g), (x, x0)) in self.gradient.iter_mut().zip(loss_gradient).zip(points) {
            let d = x - f64::from(*x0);
            distance += d * d;
            *g = 2.0 * d + c * f64::from(*loss_g);
        }
        distance + c * f64::from(loss)
    }

    /// Starts the minimisation of this round at the original, whose loss is known.
    fn begin(&mut self) -> Status {
        let Some((loss, gradient)) = self.start.take() else { return Status::Stuck };
        self.minimisation = minimisation(&self.candidate, self.options.iterations);
        let f = self.objective(loss, &gradient);
        self.start = Some((loss, gradient));
        self.minimisation.tell(f, &self.gradient)
    }

    /// Goes on after an evaluation, `success` telling of the minimiser if this was one.
    fn advance(&mut self, mut status: Status, progress: Progress) -> Progress {
        if progress.success && self.options.early_stop {
            self.ended = true;
            return self.candidate.end(progress);
        }
        // A minimisation can end where it starts; the next one then begins at once.
        let mut at_minimum = progress.success;
        while status != Status::Evaluate {
            let c = self.search.budget;
            if !self.options.search || !self.search.next(at_minimum.then_some(c)) {
                self.ended = true;
                return self.candidate.end(progress);
            }
            self.round += 1;
            status = self.begin();
            at_minimum = false;
        }
        progress
    }
}

/// Images and gradients are in f32: more would remember their rounding.
type Minimisation = Lbfgsb<f32>;

/// A minimisation that starts at the original.
fn minimisation(candidate: &Candidate, iterations: usize) -> Minimisation {
    let start: Vec<f64> = candidate.original.iter().map(|&x| x.into()).collect();
    let (low, high) = (vec![0.0; start.len()], vec![1.0; start.len()]);
    Minimisation::new(start, low, high, Settings { memory: MEMORY, iterations, ftol: FTOL, pgtol: PGTOL })
}

impl Attack for Lbfgs {
    fn query(&mut self) -> Result<Query<'_>> {
        if self.ended {
            return Err(Error::Ended);
        }
        for (image, x) in self.candidate.image.iter_mut().zip(self.minimisation.x()) {
            *image = *x as f32;
        }
        let loss = self.candidate.goal.loss();
        Ok(self.candidate.ask(loss, true))
    }

    fn answered(&mut self) -> Result<Option<Progress>> {
        let progress = self.candidate.take((self.round, self.search.budget as f32))?;
        let status = if self.start.is_none() {
            self.candidate.skip(progress.predicted, progress.refused)?;
            self.start = Some((progress.loss, self.candidate.gradient.clone()));
            self.begin()
        } else {
            let gradient = std::mem::take(&mut self.candidate.gradient);
            let f = self.objective(progress.loss, &gradient);
            self.candidate.gradient = gradient;
            self.minimisation.tell(f, &self.gradient)
        };
        Ok(Some(self.advance(status, progress)))
    }

    fn candidate(&self) -> &Candidate {
        &self.candidate
    }
}
