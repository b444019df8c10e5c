//! The Basic Iterative Method: many small steps down the loss, each followed by a projection, within a fixed budget or
//! with the smallest one that succeeds.

use super::bisection::Bisection;
use super::candidate::{Candidate, Keep};
use super::{Attack, Goal, Norm, Progress, l1, linf};
use crate::classifier::{Classifier, Query};
use crate::error::{Error, Result};

pub use super::l1::L1Form;

/// The most steps that may be asked for.
pub const MAX_STEPS: usize = 100_000;

/// How the search for the smallest budget goes: as Foolbox 2.4 does it, but as fine as a percent at the end.
pub(super) const GROWTH: f64 = 1.5;
pub(super) const RAISES: usize = 20;
pub(super) const PRECISION: f64 = 0.01;

/// Which step is taken, and so which norm is bounded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Along the sign of the gradient, under L-infinity.
    Sign,
    /// In one of two forms under L1.
    L1(L1Form),
}

impl Step {
    /// The norm that is bounded.
    pub fn norm(self) -> Norm {
        match self {
            Self::Sign => Norm::Linf,
            Self::L1(_) => Norm::L1,
        }
    }
}

/// What the attack may do.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct IterativeOptions {
    /// The step.
    pub step: Step,
    /// The budget: the largest norm of the perturbation, in pixel units; above 0, at most 1 (L-infinity) or the number
    /// of pixels (L1). Where the smallest budget is sought, the first to be tried.
    pub epsilon: f32,
    /// Steps (of each round), 1 to [`MAX_STEPS`].
    pub steps: usize,
    /// How far a step goes in that norm; `2.5 epsilon / steps` when not given. In a search it changes with the budget.
    pub alpha: Option<f32>,
    /// Probability of the false label that counts as success, in [0, 1).
    pub confidence: f32,
    /// Whether the first success is the end.
    pub early_stop: bool,
    /// Seeks the smallest budget that succeeds.
    pub search: bool,
    /// Starts at a point of the ball drawn with this seed instead of at the original.
    pub seed: Option<u64>,
}

/// `x <- P(x - step(grad loss))`, with the step and the projection `P` of the norm.
#[derive(Clone, Debug)]
pub struct BasicIterative {
    options: IterativeOptions,
    /// Length of a step as a share of the budget.
    pace: f32,
    candidate: Candidate,
    /// Gradient at the original, where every round of a search begins.
    start_gradient: Vec<f32>,
    search: Option<Bisection>,
    epsilon: f32,
    round: usize,
    /// Steps taken in this round.
    taken: usize,
    state: State,
    scratch: l1::Scratch,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Nothing has been evaluated.
    New,
    /// The original has been read; the random start comes next.
    Start,
    /// The gradient at the image is known.
    Stepping,
    /// A round of the search begins.
    Restart,
    Ended,
}

impl BasicIterative {
    /// An attack on `image` (in [0, 1]).
    ///
    /// # Errors
    /// [`Error::BadInput`] for an image, a label or a parameter that is out of range.
    pub fn new(model: &dyn Classifier, image: &[f32], goal: Goal, options: IterativeOptions) -> Result<Self> {
        let IterativeOptions { step, epsilon, steps, alpha, .. } = options;
        let bad = |why: String| Err(Error::BadInput(why));
        let norm = step.norm();
        let most = norm.most(image.len());
        if !(epsilon > 0.0 && epsilon <= most) {
            return bad(format!("epsilon is {epsilon}; it must lie above 0 and be at most {most}"));
        }
        if !(1..=MAX_STEPS).contains(&steps) {
            return bad(format!("{steps} steps were asked for; it must be 1 to {MAX_STEPS}"));
        }
        let alpha = alpha.unwrap_or(2.5 * epsilon / steps as f32);
        if !(alpha > 0.0 && alpha.is_finite()) {
            return bad(format!("the step size is {alpha}; it must be above 0"));
        }
        let keep = if options.search { Keep::Closest(norm) } else { Keep::Latest };
        let mut candidate = Candidate::new(model, image, goal, options.confidence, keep)?;
        candidate.bound = Some((norm, epsilon));
        let search =
            options.search.then(|| Bisection::new(epsilon.into(), GROWTH, RAISES, most.into(), PRECISION));
        Ok(Self {
            options,
            pace: alpha / epsilon,
            candidate,
            start_gradient: Vec::new(),
            search,
            epsilon,
            round: 0,
            taken: 0,
            state: State::New,
            scratch: l1::Scratch::new(image.len()),
        })
    }

    /// Goes on after the start, the original or a random point of the ball, has been evaluated.
    fn started(&mut self, progress: Progress) -> Result<()> {
        if self.options.seed.is_none() {
            self.candidate.skip(progress.predicted, progress.refused)?;
            if self.search.is_some() {
                self.start_gradient = self.candidate.gradient.clone();
            }
        }
        Ok(())
    }

    /// Moves to the random start of this round: the same direction in a ball of another size.
    fn randomise(&mut self) {
        let mut rng = fastrand::Rng::with_seed(self.options.seed.unwrap_or(0));
        let Candidate { original, image, .. } = &mut self.candidate;
        self.options.step.norm().random(original, image, self.epsilon, &mut rng);
    }

    fn update(&mut self) {
        let alpha = self.pace * self.epsilon;
        let Candidate { original, image, gradient, .. } = &mut self.candidate;
        match self.options.step {
            Step::Sign => linf::step(original, image, gradient, self.epsilon, alpha),
            Step::L1(L1Form::Published) => l1::dense_step(original, image, gradient, self.epsilon, alpha),
            Step::L1(L1Form::Sparse) => {
                l1::sparse_step(original, image, gradient, self.epsilon, alpha, &mut self.scratch);
            }
        }
    }

    /// Goes on after an evaluation: with a step, a round, or not at all.
    fn advance(&mut self, progress: Progress) -> Progress {
        let stop = progress.success && (self.options.early_stop || self.search.is_some());
        if !stop && self.taken < self.options.steps {
            self.state = State::Stepping;
            return progress;
        }
        if let Some(search) = &mut self.search {
            let distance = self.options.step.norm().of(&progress.norms);
            if search.next(progress.success.then_some(distance)) {
                self.epsilon = search.budget as f32;
                self.candidate.bound = Some((self.options.step.norm(), self.epsilon));
                self.round += 1;
                self.taken = 0;
                self.state = State::Restart;
                return progress;
            }
        }
        self.state = State::Ended;
        self.candidate.end(progress)
    }
}

impl Attack for BasicIterative {
    fn query(&mut self) -> Result<Query<'_>> {
        let loss = self.candidate.goal.loss();
        let random = self.options.seed.is_some();
        match self.state {
            State::Ended => return Err(Error::Ended),
            State::New if random => return Ok(self.candidate.ask_original()),
            State::New => {}
            _ if self.candidate.waits() => {}
            State::Start => self.randomise(),
            State::Restart if random => self.randomise(),
            State::Stepping | State::Restart => {
                if self.state == State::Restart {
                    self.candidate.image.copy_from_slice(&self.candidate.original);
                    self.candidate.gradient.copy_from_slice(&self.start_gradient);
                }
                self.update();
                self.taken += 1;
                // Nothing follows the last step of a round, so that no gradient is needed there.
                let gradient = self.taken < self.options.steps;
                return Ok(self.candidate.ask(loss, gradient));
            }
        }
        Ok(self.candidate.ask(loss, true))
    }

    fn answered(&mut self) -> Result<Option<Progress>> {
        if self.state == State::New && self.options.seed.is_some() {
            self.candidate.take_original()?;
            self.state = State::Start;
            return Ok(None);
        }
        let progress = self.candidate.take((self.round, self.epsilon))?;
        if matches!(self.state, State::New | State::Start) {
            self.started(progress)?;
        }
        Ok(Some(self.advance(progress)))
    }

    fn candidate(&self) -> &Candidate {
        &self.candidate
    }
}
