//! An attack as data: what a command line, a link or a record says of it, and the attack that follows from it.

use std::str::FromStr;

use super::iterative::{BasicIterative, IterativeOptions, L1Form, Norm};
use super::lbfgs::{Lbfgs, LbfgsOptions};
use super::square::{Square, SquareOptions};
use super::{Attack, Goal, Progress};
use crate::error::{Error, Result};
use crate::model::Classifier;

/// Which attack.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// Basic Iterative under L-infinity.
    Linf,
    /// Basic Iterative under L1.
    L1(L1Form),
    /// L-BFGS.
    Lbfgs,
    /// The Square Attack under L-infinity, which uses no gradient: to see whether one is masked.
    Square,
}

impl Method {
    /// Its name in links, records and on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Linf => "linf",
            Self::L1(_) => "l1",
            Self::Lbfgs => "lbfgs",
            Self::Square => "square",
        }
    }
}

impl FromStr for Method {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self> {
        match name {
            "linf" => Ok(Self::Linf),
            "l1" => Ok(Self::L1(L1Form::default())),
            "lbfgs" => Ok(Self::Lbfgs),
            "square" => Ok(Self::Square),
            _ => Err(Error::BadInput(format!("'{name}' is no attack; there are linf, l1, lbfgs and square"))),
        }
    }
}

/// What an attack may do; fields mean the same for every method.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Options {
    /// Which attack.
    pub method: Method,
    /// Seeks the smallest budget that succeeds (for L-BFGS the smallest `c`) instead of keeping to the one given.
    pub search: bool,
    /// The budget: radius of the ball, or L-BFGS's weight `c` of the loss. In a search, the first to be tried.
    pub budget: f32,
    /// Steps of a round; iterations of a minimisation; queries of the Square Attack.
    pub steps: usize,
    /// How far a step goes; 2.5 budget / steps when not given. Not for L-BFGS, nor for the Square Attack.
    pub alpha: Option<f32>,
    /// Probability of the false label that counts as success, in [0, 1).
    pub confidence: f32,
    /// Whether the first success is the end. A search stops each of its rounds there anyhow.
    pub early_stop: bool,
    /// Starts at a random point of the ball. Not for L-BFGS, which always starts at the original. The Square Attack is random
    /// in any case: with seed 0 where none is given.
    pub seed: Option<u64>,
}

impl Options {
    /// The defaults of a method: a fixed budget of 0.3 (L-infinity) or 40 (L1) in 40 steps (1,000 queries of the Square
    /// Attack); for L-BFGS the search from `c = 0.1` with 40 iterations each.
    pub fn new(method: Method) -> Self {
        let budget = match method {
            Method::Linf | Method::Square => 0.3,
            Method::L1(_) => 40.0,
            Method::Lbfgs => 0.1,
        };
        Self {
            method,
            search: method == Method::Lbfgs,
            budget,
            steps: if method == Method::Square { 1_000 } else { 40 },
            alpha: None,
            confidence: 0.0,
            early_stop: false,
            seed: None,
        }
    }

    /// The attack on `image` (in [0, 1]).
    ///
    /// # Errors
    /// [`Error::BadInput`] for an image, a label or a parameter that is out of range.
    pub fn attack(&self, model: &dyn Classifier, image: &[f32], goal: Goal) -> Result<Box<dyn Attack>> {
        let Self { search, budget, steps, alpha, confidence, early_stop, seed, .. } = *self;
        let norm = match self.method {
            Method::Linf => Norm::Linf,
            Method::L1(form) => Norm::L1(form),
            Method::Lbfgs => {
                if alpha.is_some() || seed.is_some() {
                    return Err(Error::BadInput(
                        "L-BFGS has no step size and no random start: it always starts at the original"
                            .into(),
                    ));
                }
                let options = LbfgsOptions { c: budget, iterations: steps, confidence, early_stop, search };
                return Ok(Box::new(Lbfgs::new(model, image, goal, options)?));
            }
            Method::Square => {
                if alpha.is_some() || search {
                    return Err(Error::BadInput(
                        "the Square Attack has no step size and a fixed budget".into(),
                    ));
                }
                let seed = seed.unwrap_or(0);
                let options = SquareOptions { epsilon: budget, queries: steps, confidence, early_stop, seed };
                return Ok(Box::new(Square::new(model, image, goal, options)?));
            }
        };
        let options =
            IterativeOptions { norm, epsilon: budget, steps, alpha, confidence, early_stop, search, seed };
        Ok(Box::new(BasicIterative::new(model, image, goal, options)?))
    }

    /// The budget that the outcome of this attack took: the fixed one; of a search the smallest that succeeded (the
    /// norm of the change, or `c`), `None` when none did.
    pub fn budget_of(&self, outcome: &Progress) -> Option<f64> {
        match self.method {
            _ if !self.search => Some(self.budget.into()),
            _ if !outcome.success => None,
            Method::Linf | Method::Square => Some(outcome.norms.linf),
            Method::L1(_) => Some(outcome.norms.l1),
            Method::Lbfgs => Some(outcome.budget.into()),
        }
    }
}
