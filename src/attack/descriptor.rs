//! What an attack is as data: its name, its norms, its fields with their ranges and defaults. The page, the command line, links
//! and records all read it from here.

use std::fmt;

use super::{Attack, Goal, Norm, Options};
use crate::classifier::Classifier;
use crate::error::Result;

/// An attack, its file's part of the list of all.
pub struct Descriptor {
    /// Its name in links, records and on the command line.
    pub name: &'static str,
    /// What it is called.
    pub title: &'static str,
    /// Who published it.
    pub source: &'static str,
    /// The norms that it can bound or make small; the first where none is named.
    pub norms: &'static [Norm],
    /// Whether it seeks the smallest budget unless told otherwise.
    pub searches: bool,
    /// Steps (gradients, queries) unless told otherwise.
    pub steps: usize,
    /// What can be said of it, in the order in which it is shown.
    pub fields: &'static [Field],
    /// What kind of attack it is.
    pub traits: Traits,
    /// The attack on an image (in [0, 1]), which may start from another that is read as wanted.
    pub make: Make,
}

/// Makes an attack that follows from options, on an image, towards a goal, where it may from an image that is read as wanted.
pub type Make = fn(&Options, &dyn Classifier, &[f32], Goal, Option<&[f32]>) -> Result<Box<dyn Attack>>;

/// What kind of attack one is.
#[derive(Clone, Copy, Debug, Default)]
pub struct Traits {
    /// Whether it is one of the study's three.
    pub study: bool,
    /// Whether a verdict may rest on it: it is the strongest there is.
    pub decides: bool,
    /// Whether its search goes in rounds, each as long as an attack.
    pub rounds: bool,
    /// Whether it begins at an image that is read as wanted.
    pub needs_start: bool,
    /// Whether it begins at one where nothing else has helped, and there is one.
    pub takes_start: bool,
    /// Whether it uses no gradient.
    pub gradient_free: bool,
}

/// Something that can be said of an attack.
#[derive(Clone, Copy, Debug)]
pub struct Field {
    /// Its name in links and on the command line.
    pub key: &'static str,
    /// What it can be.
    pub kind: Kind,
    /// Whether the page shows it at first sight, folded away, or not at all.
    pub shown: Shown,
}

/// Where the page shows a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Shown {
    Main,
    More,
    Never,
}

/// What a field can be.
#[derive(Clone, Copy, Debug)]
pub enum Kind {
    /// One of some words.
    Choice {
        choices: &'static [&'static str],
        /// The choice where nobody chooses.
        initial: &'static str,
        /// Older words for these.
        aliases: &'static [(&'static str, &'static str)],
    },
    Number(Range),
    /// Yes or no; no where nobody says.
    Flag,
}

/// The numbers that a field can be.
#[derive(Clone, Copy, Debug)]
pub struct Range {
    pub low: f64,
    pub high: f64,
    /// The default; none where there need be no number, or where it depends on norm and data set.
    pub initial: Option<f64>,
    pub whole: bool,
    /// Whether there need be no number.
    pub optional: bool,
    /// Whether it is the budget, whose default and offer depend on norm and data set.
    pub budget: bool,
    /// What the page offers: from, to and in which steps, or these values.
    pub slider: Option<[f64; 3]>,
    pub values: &'static [f64],
}

impl Traits {
    /// Whether an image that is read as wanted is of use to it.
    pub fn starts(self) -> bool {
        self.needs_start || self.takes_start
    }
}

impl Range {
    /// From `low` to `high`.
    pub const fn new(low: f64, high: f64) -> Self {
        let (initial, slider) = (None, None);
        Self { low, high, initial, whole: false, optional: false, budget: false, slider, values: &[] }
    }

    /// Whole numbers, with a default and those that the page offers.
    pub const fn whole(low: f64, high: f64, initial: f64, values: &'static [f64]) -> Self {
        Self { initial: Some(initial), whole: true, values, ..Self::new(low, high) }
    }

    /// Whether a number is one of these.
    pub fn holds(&self, value: f64) -> bool {
        value >= self.low && value <= self.high && (!self.whole || value.fract() == 0.0)
    }
}

impl Field {
    /// A field of numbers.
    pub const fn number(key: &'static str, range: Range, shown: Shown) -> Self {
        Self { key, kind: Kind::Number(range), shown }
    }

    /// Whether to keep to a budget or to seek the smallest.
    pub const fn mode(initial: &'static str) -> Self {
        Self {
            key: "mode",
            kind: Kind::Choice { choices: &["fixed", "min"], initial, aliases: &[] },
            shown: Shown::Main,
        }
    }

    /// The norms of an attack that knows several, by their names.
    pub const fn norm(choices: &'static [&'static str]) -> Self {
        Self {
            key: "norm",
            kind: Kind::Choice { choices, initial: choices[0], aliases: &[] },
            shown: Shown::Main,
        }
    }

    /// The budget, of a norm that can be anything.
    pub const EPSILON: Self = Self::epsilon(1e5);
    /// Steps of a round.
    pub const STEPS: Self = Self::steps(40.0, 1.0, STEPS);
    /// Probability of the false label that counts as success.
    pub const CONFIDENCE: Self = Self::number(
        "confidence",
        Range { initial: Some(0.0), slider: Some([0.0, 0.99, 0.01]), ..Range::new(0.0, 0.999_999) },
        Shown::More,
    );
    /// Whether the first success is the end.
    pub const STOP: Self = Self { key: "stop", kind: Kind::Flag, shown: Shown::More };
    /// Of what is drawn.
    pub const SEED: Self = Self::number(
        "seed",
        Range { whole: true, optional: true, ..Range::new(0.0, 4_294_967_295.0) },
        Shown::More,
    );
    /// How far a step goes in the attack's norm; 2.5 epsilon / steps where there is none.
    pub const ALPHA: Self =
        Self::number("alpha", Range { optional: true, ..Range::new(1e-9, 1e5) }, Shown::Never);

    /// A budget of at most this.
    pub const fn epsilon(most: f64) -> Self {
        Self::number("epsilon", Range { budget: true, ..Range::new(1e-6, most) }, Shown::Main)
    }

    /// So many steps, or what else an attack counts.
    pub const fn steps(initial: f64, low: f64, values: &'static [f64]) -> Self {
        Self::number("steps", Range::whole(low, 100_000.0, initial, values), Shown::Main)
    }
}

/// The steps that the page offers.
const STEPS: &[f64] = &[1.0, 2.0, 5.0, 10.0, 20.0, 40.0, 60.0, 100.0, 200.0, 500.0, 1e3, 5e3, 2e4];

impl Descriptor {
    /// The field called `key`.
    pub fn field(&self, key: &str) -> Option<&'static Field> {
        self.fields.iter().find(|field| field.key == key)
    }
}

impl PartialEq for Descriptor {
    fn eq(&self, other: &Self) -> bool {
        self.name == other.name
    }
}

impl fmt::Debug for Descriptor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name)
    }
}
