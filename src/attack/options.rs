//! An attack as data: what a command line, a link or a record says of it, and the attack that follows from it.

use super::apgd::LossKind;
use super::descriptor::{Descriptor, Kind};
use super::iterative::{IterativeOptions, Step};
use super::l1::L1Form;
use super::{Attack, Goal, Norm, Progress};
use crate::classifier::Classifier;
use crate::error::{Error, Result};
use crate::number;

/// What an attack may do; fields mean the same for every attack. Which of them one has, says its descriptor.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Options {
    /// Which attack.
    pub attack: &'static Descriptor,
    /// The norm that it bounds or makes small.
    pub norm: Norm,
    /// Which step the L1 attack takes.
    pub form: L1Form,
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
    /// Starts at a random point of the ball. Attacks that are random in any case: with seed 0 where none is given.
    pub seed: Option<u64>,
}

/// What a field is set to.
#[derive(Clone, Debug, PartialEq)]
pub enum Value {
    /// As a command line or a link has it.
    Text(String),
    Number(f64),
    Flag(bool),
    /// Nothing, of a field that need not be anything.
    None,
}

impl Options {
    /// The defaults of an attack.
    pub fn new(attack: &'static Descriptor) -> Self {
        let norm = attack.norms[0];
        Self {
            attack,
            norm,
            form: L1Form::default(),
            search: attack.searches,
            budget: default_budget(attack, norm),
            steps: attack.steps,
            alpha: None,
            loss: LossKind::default(),
            restarts: 1,
            confidence: 0.0,
            early_stop: false,
            seed: None,
        }
    }

    /// The defaults of the attack called `name`.
    ///
    /// # Errors
    /// [`Error::Unknown`], with the names there are.
    pub fn of(name: &str) -> Result<Self> {
        super::by_name(name).map(Self::new)
    }

    /// The same attack under `norm`, with that norm's budget.
    ///
    /// # Errors
    /// [`Error::BadInput`] where it does not know that norm.
    pub fn under(self, norm: Norm) -> Result<Self> {
        let Descriptor { name, norms, .. } = self.attack;
        if norms.contains(&norm) {
            return Ok(Self { norm, budget: default_budget(self.attack, norm), ..self });
        }
        let known: Vec<&str> = norms.iter().map(|norm| norm.name()).collect();
        Err(Error::BadInput(format!("{name} knows {}, not {}", known.join(" and "), norm.name())))
    }

    /// Sets a field. A norm comes before the budget, whose default follows it.
    ///
    /// # Errors
    /// [`Error::BadInput`] where the attack has no such field, or the value is none that it can have.
    pub fn set(&mut self, key: &str, value: &Value) -> Result<()> {
        let attack = self.attack;
        if key == "norm" && attack.field(key).is_none() {
            // Its own norm may be named.
            let Value::Text(name) = value else { return Ok(()) };
            *self = self.under(name.parse()?)?;
            return Ok(());
        }
        let Some(field) = attack.field(key) else {
            let known: Vec<&str> = attack.fields.iter().map(|field| field.key).collect();
            return Err(Error::BadInput(format!(
                "{} has no {key}; it has {}",
                attack.name,
                known.join(", ")
            )));
        };
        match field.kind {
            Kind::Flag => {
                let yes = match value {
                    Value::Flag(yes) => *yes,
                    Value::Number(n) => *n != 0.0,
                    Value::Text(text) => !["", "0", "false", "no"].contains(&text.as_str()),
                    Value::None => false,
                };
                self.early_stop = yes;
            }
            Kind::Choice { choices, initial, aliases } => {
                let text = match value {
                    Value::Text(text) => text.as_str(),
                    Value::None => initial,
                    _ => "",
                };
                let text = aliases.iter().find(|(old, _)| *old == text).map_or(text, |(_, new)| new);
                if !choices.contains(&text) {
                    let choices = choices.join(", ");
                    return Err(Error::BadInput(format!("{key} is '{text}'; it must be one of {choices}")));
                }
                match key {
                    "mode" => self.search = text == "min",
                    "norm" => *self = self.under(text.parse()?)?,
                    "loss" => self.loss = text.parse()?,
                    _ => self.form = text.parse()?,
                }
            }
            Kind::Number(range) => {
                let number = match value {
                    Value::Number(number) => Some(*number),
                    Value::Text(text) => {
                        let bad = || Error::BadInput(format!("{key} is '{text}', which is no number"));
                        Some(number(text).ok_or_else(bad)?)
                    }
                    Value::None | Value::Flag(_) => None,
                };
                let Some(number) = number else {
                    if range.optional {
                        self.put(key, None);
                    }
                    return Ok(());
                };
                if !range.holds(number) {
                    let whole = if range.whole { "a whole number " } else { "" };
                    let (low, high) = (range.low, range.high);
                    return Err(Error::BadInput(format!(
                        "{key} is {number}; it must be {whole}from {low} to {high}"
                    )));
                }
                self.put(key, Some(number));
            }
        }
        Ok(())
    }

    fn put(&mut self, key: &str, number: Option<f64>) {
        match (key, number) {
            ("epsilon" | "c", Some(budget)) => self.budget = budget as f32,
            ("steps", Some(steps)) => self.steps = steps as usize,
            ("confidence", Some(confidence)) => self.confidence = confidence as f32,
            ("restarts", Some(restarts)) => self.restarts = restarts as usize,
            ("alpha", alpha) => self.alpha = alpha.map(|alpha| alpha as f32),
            ("seed", seed) => self.seed = seed.map(|seed| seed as u64),
            _ => {}
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
        let attack = self.attack;
        let default = Self::new(attack);
        // What is set although the attack has no such field would be passed over in silence.
        let set: [(&str, bool); 6] = [
            ("alpha", self.alpha.is_some()),
            ("seed", self.seed.is_some()),
            ("mode", self.search != default.search),
            ("loss", self.loss != default.loss),
            ("restarts", self.restarts != default.restarts),
            ("form", self.form != default.form),
        ];
        if let Some((key, _)) = set.iter().find(|(key, set)| *set && attack.field(key).is_none()) {
            return Err(Error::BadInput(format!("{} has no {key}", attack.name)));
        }
        (attack.make)(self, model, image, goal, start)
    }

    /// As the options of the Basic Iterative Method with a step.
    pub(super) fn iterative(&self, step: Step) -> IterativeOptions {
        let Self { search, budget: epsilon, steps, alpha, confidence, early_stop, seed, .. } = *self;
        IterativeOptions { step, epsilon, steps, alpha, confidence, early_stop, search, seed }
    }

    /// The fixed budget; none in a search.
    pub fn fixed_budget(&self) -> Option<f32> {
        (!self.search).then_some(self.budget)
    }

    /// The budget that the outcome of this attack took: the fixed one; of a search the smallest that succeeded (the
    /// norm of the change, or `c`), `None` when none did.
    pub fn budget_of(&self, outcome: &Progress) -> Option<f64> {
        match self.search {
            false => Some(self.budget.into()),
            true if !outcome.success => None,
            true if self.attack.field("c").is_some() => Some(outcome.budget.into()),
            true => Some(self.norm.of(&outcome.norms)),
        }
    }
}

/// A number as people type one: `0.03`, or a fraction like `8/255`.
pub fn number(text: &str) -> Option<f64> {
    match text.split_once('/') {
        Some((above, below)) => Some(number::parse(above)? / number::parse(below)?),
        None => number::parse(text),
    }
}

/// The budget of an attack where nobody says another.
fn default_budget(attack: &Descriptor, norm: Norm) -> f32 {
    let weight = attack.field("c").and_then(|field| match field.kind {
        Kind::Number(range) => range.initial,
        _ => None,
    });
    match (weight, norm) {
        (Some(weight), _) => weight as f32,
        (None, Norm::Linf) => 0.3,
        (None, Norm::L1) => 40.0,
        (None, Norm::L2) => 3.0,
    }
}
