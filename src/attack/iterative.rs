//! The Basic Iterative Method: many small steps down the loss, each followed by a projection, within a fixed budget or
//! with the smallest one that succeeds.

use super::bisection::Bisection;
use super::candidate::{Candidate, Keep};
use super::{Attack, Goal, Outcome, Progress, l1, linf};
use crate::error::{Error, Result};
use crate::model::Classifier;

pub use super::l1::L1Form;

/// The most steps that may be asked for.
pub const MAX_STEPS: usize = 100_000;

/// How the search for the smallest budget goes: as Foolbox 2.4 does it, but as fine as a percent at the end.
const GROWTH: f64 = 1.5;
const RAISES: usize = 20;
const PRECISION: f64 = 0.01;

/// Which norm is bounded, and so which step is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Norm {
    /// The largest change of a pixel.
    Linf,
    /// The sum of all changes.
    L1(L1Form),
}

/// What the attack may do.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct IterativeOptions {
    /// The norm.
    pub norm: Norm,
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
        let IterativeOptions { norm, epsilon, steps, alpha, .. } = options;
        let bad = |why: String| Err(Error::BadInput(why));
        let most = most_epsilon(norm, image.len());
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
        let keep = match (options.search, norm) {
            (false, _) => Keep::Latest,
            (true, Norm::Linf) => Keep::ClosestLinf,
            (true, Norm::L1(_)) => Keep::ClosestL1,
        };
        let candidate = Candidate::new(model, image, goal, options.confidence, keep)?;
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

    /// Evaluates the start: the original, or a random point of the ball.
    fn start(&mut self, model: &mut dyn Classifier) -> Result<Progress> {
        let random = self.options.seed.is_some();
        if random {
            let predicted = self.candidate.read_original(model);
            self.candidate.refuse(predicted)?;
            self.randomise();
        }
        let progress = self.candidate.evaluate(model, (0, self.epsilon), true)?;
        if !random {
            self.candidate.refuse(progress.predicted)?;
            if self.search.is_some() {
                self.start_gradient = self.candidate.gradient.clone();
            }
        }
        Ok(progress)
    }

    /// Moves to the random start of this round: the same direction in a ball of another size.
    fn randomise(&mut self) {
        let mut rng = fastrand::Rng::with_seed(self.options.seed.unwrap_or(0));
        let Candidate { original, image, .. } = &mut self.candidate;
        match self.options.norm {
            Norm::Linf => linf::random(original, image, self.epsilon, &mut rng),
            Norm::L1(_) => l1::random(original, image, self.epsilon, &mut rng),
        }
    }

    fn update(&mut self) {
        let alpha = self.pace * self.epsilon;
        let Candidate { original, image, gradient, .. } = &mut self.candidate;
        match self.options.norm {
            Norm::Linf => linf::step(original, image, gradient, self.epsilon, alpha),
            Norm::L1(L1Form::Published) => l1::dense_step(original, image, gradient, self.epsilon, alpha),
            Norm::L1(L1Form::Strong) => {
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
            let distance = match self.options.norm {
                Norm::Linf => progress.norms.linf,
                Norm::L1(_) => progress.norms.l1,
            };
            if search.next(progress.success.then_some(distance)) {
                self.epsilon = search.budget as f32;
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

/// The largest budget that makes a difference.
fn most_epsilon(norm: Norm, pixels: usize) -> f32 {
    match norm {
        Norm::Linf => 1.0,
        Norm::L1(_) => pixels as f32,
    }
}

impl Attack for BasicIterative {
    fn step(&mut self, model: &mut dyn Classifier) -> Result<Progress> {
        let progress = match self.state {
            State::New => self.start(model)?,
            State::Ended => return Err(Error::Refused("the attack has ended".into())),
            State::Restart if self.options.seed.is_some() => {
                self.randomise();
                self.candidate.evaluate(model, (self.round, self.epsilon), true)?
            }
            State::Stepping | State::Restart => {
                if self.state == State::Restart {
                    self.candidate.image.copy_from_slice(&self.candidate.original);
                    self.candidate.gradient.copy_from_slice(&self.start_gradient);
                }
                self.update();
                self.taken += 1;
                // Nothing follows the last step of a round, so that no gradient is needed there.
                let gradient = self.taken < self.options.steps;
                self.candidate.evaluate(model, (self.round, self.epsilon), gradient)?
            }
        };
        Ok(self.advance(progress))
    }

    fn image(&self) -> &[f32] {
        &self.candidate.image
    }

    fn probabilities(&self) -> &[f32] {
        &self.candidate.probabilities
    }

    fn outcome(&self) -> Option<&Outcome> {
        self.candidate.outcome.as_ref()
    }
}
