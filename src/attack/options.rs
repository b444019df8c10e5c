//! An attack as data: what a command line, a link or a record says of it, and the attack that follows from it.

use std::str::FromStr;

use super::apgd::{Apgd, ApgdOptions, LossKind};
use super::hopskipjump::{HopSkipJump, HopSkipJumpOptions};
use super::iterative::{BasicIterative, IterativeOptions, L1Form, Step};
use super::lbfgs::{Lbfgs, LbfgsOptions};
use super::square::{Square, SquareOptions};
use super::strongest::{Strongest, StrongestOptions};
use super::{Attack, Goal, Norm, Progress};
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
    /// Auto-PGD.
    Apgd(Norm),
    /// The union of the strongest attacks there are, in order of cost.
    Strongest(Norm),
    /// The Square Attack under L-infinity, which uses no gradient: to see whether one is masked.
    Square,
    /// HopSkipJump, which sees the label alone; under L2 or L-infinity.
    HopSkipJump(Norm),
}

impl Method {
    /// Its name in links, records and on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Linf => "linf",
            Self::L1(_) => "l1",
            Self::Lbfgs => "lbfgs",
            Self::Apgd(_) => "apgd",
            Self::Strongest(_) => "strongest",
            Self::Square => "square",
            Self::HopSkipJump(_) => "hopskipjump",
        }
    }

    /// The norm that it bounds or makes small.
    pub fn norm(self) -> Norm {
        match self {
            Self::Linf | Self::Square => Norm::Linf,
            Self::L1(_) => Norm::L1,
            Self::Lbfgs => Norm::L2,
            Self::Apgd(norm) | Self::Strongest(norm) | Self::HopSkipJump(norm) => norm,
        }
    }

    /// The same attack under `norm`.
    ///
    /// # Errors
    /// [`Error::BadInput`] where it knows one norm alone, and that is another; HopSkipJump knows no L1.
    pub fn under(self, norm: Norm) -> Result<Self> {
        match self {
            Self::Apgd(_) => Ok(Self::Apgd(norm)),
            Self::Strongest(_) => Ok(Self::Strongest(norm)),
            Self::HopSkipJump(_) if norm != Norm::L1 => Ok(Self::HopSkipJump(norm)),
            _ if self.norm() == norm => Ok(self),
            Self::HopSkipJump(_) => Err(Error::BadInput("hopskipjump knows l2 and linf, not l1".into())),
            _ => Err(Error::BadInput(format!(
                "{} is an attack under {}; apgd and strongest take any norm",
                self.name(),
                self.norm().name()
            ))),
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
            "apgd" => Ok(Self::Apgd(Norm::Linf)),
            "strongest" => Ok(Self::Strongest(Norm::L2)),
            "square" => Ok(Self::Square),
            "hopskipjump" => Ok(Self::HopSkipJump(Norm::L2)),
            _ => Err(Error::BadInput(format!(
                "'{name}' is no attack; there are linf, l1, lbfgs, apgd, strongest, square and hopskipjump"
            ))),
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
    /// Steps of a round (of each run of APGD); iterations of a minimisation; the most gradients of the strongest attack;
    /// queries of the Square Attack and of HopSkipJump.
    pub steps: usize,
    /// How far a step goes; 2.5 budget / steps when not given. Basic Iterative alone has one.
    pub alpha: Option<f32>,
    /// The loss of APGD.
    pub loss: LossKind,
    /// Runs of APGD from different starts, while none has succeeded; at least 1.
    pub restarts: usize,
    /// Probability of the false label that counts as success, in [0, 1).
    pub confidence: f32,
    /// Whether the first success is the end. A search stops each of its rounds there anyhow.
    pub early_stop: bool,
    /// Starts at a random point of the ball. Not for L-BFGS, which always starts at the original. The strongest attack, the
    /// Square Attack and HopSkipJump are random in any case: with seed 0 where none is given.
    pub seed: Option<u64>,
}

impl Options {
    /// The defaults of a method: a fixed budget of 0.3 (L-infinity), 40 (L1) or 3 (L2) in 40 steps (100 of APGD, 1,000
    /// gradients of the strongest, 1,000 queries of the Square Attack); for L-BFGS the search from `c = 0.1` with 40
    /// iterations each; for HopSkipJump the search with 5,000 queries.
    pub fn new(method: Method) -> Self {
        let budget = match (method, method.norm()) {
            (Method::Lbfgs, _) => 0.1,
            (_, Norm::Linf) => 0.3,
            (_, Norm::L1) => 40.0,
            (_, Norm::L2) => 3.0,
        };
        let steps = match method {
            Method::Linf | Method::L1(_) | Method::Lbfgs => 40,
            Method::Apgd(_) => 100,
            Method::Strongest(_) | Method::Square => 1_000,
            Method::HopSkipJump(_) => 5_000,
        };
        Self {
            method,
            search: matches!(method, Method::Lbfgs | Method::HopSkipJump(_)),
            budget,
            steps,
            alpha: None,
            loss: LossKind::default(),
            restarts: 1,
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
        self.attack_from(model, image, goal, None)
    }

    /// [`attack`](Self::attack) that may start from `start`, an image that is read as wanted: HopSkipJump needs one, and tries
    /// random images where there is none. Others start where they always do.
    ///
    /// # Errors
    /// As [`attack`](Self::attack).
    pub fn attack_from(
        &self,
        model: &dyn Classifier,
        image: &[f32],
        goal: Goal,
        start: Option<&[f32]>,
    ) -> Result<Box<dyn Attack>> {
        let Self { method, search, budget, steps, alpha, loss, restarts, confidence, early_stop, seed } =
            *self;
        let bad = |why: &str| Err(Error::BadInput(why.into()));
        let apgd = matches!(method, Method::Apgd(_));
        if alpha.is_some() && !matches!(method, Method::Linf | Method::L1(_)) {
            return bad(match method {
                Method::Lbfgs => {
                    "L-BFGS has no step size and no random start: it always starts at the original"
                }
                Method::Square => "the Square Attack has no step size and a fixed budget",
                _ => "only linf and l1 have a step size",
            });
        }
        if !apgd && (restarts != 1 || loss != LossKind::default()) {
            return bad("a loss and restarts are for apgd alone");
        }
        let step = match method {
            Method::Linf => Step::Sign,
            Method::L1(form) => Step::L1(form),
            Method::Lbfgs => {
                if seed.is_some() {
                    return bad(
                        "L-BFGS has no step size and no random start: it always starts at the original",
                    );
                }
                let options = LbfgsOptions { c: budget, iterations: steps, confidence, early_stop, search };
                return Ok(Box::new(Lbfgs::new(model, image, goal, options)?));
            }
            Method::Apgd(norm) => {
                let options = ApgdOptions {
                    norm,
                    epsilon: budget,
                    steps,
                    loss,
                    restarts,
                    seed,
                    confidence,
                    early_stop,
                    search,
                };
                return Ok(Box::new(Apgd::new(model, image, goal, options)?));
            }
            Method::Strongest(norm) => {
                let epsilon = (!search).then_some(budget);
                let options =
                    StrongestOptions { norm, epsilon, gradients: steps, confidence, seed: seed.unwrap_or(0) };
                return Ok(Box::new(Strongest::new(model, image, goal, options)?));
            }
            Method::Square => {
                if search {
                    return bad("the Square Attack has no step size and a fixed budget");
                }
                let seed = seed.unwrap_or(0);
                let options = SquareOptions { epsilon: budget, queries: steps, confidence, early_stop, seed };
                return Ok(Box::new(Square::new(model, image, goal, options)?));
            }
            Method::HopSkipJump(norm) => {
                let epsilon = (!search).then_some(budget);
                let options = HopSkipJumpOptions {
                    norm,
                    epsilon,
                    queries: steps,
                    confidence,
                    early_stop,
                    seed: seed.unwrap_or(0),
                };
                let attack = HopSkipJump::new(model, image, goal, options)?;
                return Ok(Box::new(match start {
                    Some(start) => attack.starting(start)?,
                    None => attack,
                }));
            }
        };
        let options =
            IterativeOptions { step, epsilon: budget, steps, alpha, confidence, early_stop, search, seed };
        Ok(Box::new(BasicIterative::new(model, image, goal, options)?))
    }

    /// The budget that the outcome of this attack took: the fixed one; of a search the smallest that succeeded (the
    /// norm of the change, or `c`), `None` when none did.
    pub fn budget_of(&self, outcome: &Progress) -> Option<f64> {
        match self.method {
            _ if !self.search => Some(self.budget.into()),
            _ if !outcome.success => None,
            Method::Lbfgs => Some(outcome.budget.into()),
            method => Some(method.norm().of(&outcome.norms)),
        }
    }
}
