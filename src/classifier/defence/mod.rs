//! The defences: functions from subject to subject, a file each. Each says what an attacker who knows it sees of it. A new one
//! is a file here and a line (or some, where it has a strength) in [`ALL`]; a guard is any siamese network and any VAE of the zoo.
//!
//! In one notation everywhere, from the network outwards: `grey2+siamese5` rounds before the network and guards the whole, by the
//! image as it came; `siamese5+grey2` rounds before both. A guard's number is its false alarms in percent.

pub mod guard;
mod noise;
pub mod reduce;

pub use guard::Guard;

use super::Subject;
use crate::datasets::Dataset;
use crate::error::{Error, Result};
use crate::network::Spec;
use crate::zoo;
use reduce::Reduction;

/// A defence that needs no other network.
pub struct Defence {
    /// Its name in links, records and on the command line.
    pub name: &'static str,
    /// What it does, in words.
    pub title: &'static str,
    /// What it does.
    pub apply: Apply,
}

/// What a defence does.
pub enum Apply {
    /// Reduces what the network sees.
    Reduce(Reduction),
    /// Anything else.
    Change(fn(Subject) -> Subject),
}

/// The percentages of false alarms with which guards are offered.
const OFFERED: [usize; 2] = [5, 1];
/// Those without a network that stand for their kind: fewer levels of grey, and a blur.
const FIRST: [&str; 2] = ["grey2", "mean3"];

/// Every defence there is but for guards, in the order in which they are offered.
pub static ALL: &[&Defence] = &[
    &reduce::GREY2,
    &reduce::GREY4,
    &reduce::GREY8,
    &reduce::MEDIAN,
    &reduce::MEAN,
    &reduce::HALF,
    &reduce::QUARTER,
    &reduce::MONOCHROME,
    &noise::NOISE10,
    &noise::NOISE25,
];

/// Who attacks a defended network.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Attacker {
    /// Knows the defence, and differentiates through it.
    #[default]
    Adaptive,
    /// Knows the network alone.
    Blind,
    /// Knows nothing, and asks what is deployed.
    BlackBox,
}

impl Attacker {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Adaptive, Self::Blind, Self::BlackBox];

    /// Its name in links, records and on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Adaptive => "adaptive",
            Self::Blind => "blind",
            Self::BlackBox => "black-box",
        }
    }
}

impl std::str::FromStr for Attacker {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self> {
        let found = Self::ALL.into_iter().find(|attacker| attacker.name() == name);
        found.ok_or_else(|| Error::unknown("attacker", name, Self::ALL.map(Self::name)))
    }
}

/// What a name stands for, before a network.
pub enum Named {
    /// A defence that needs no other network.
    Alone(&'static Defence),
    /// A guard: the name of its network, and its false alarms in percent.
    Guard(String, usize),
}

/// The names in a list of defences with `+` between; none for an empty list or `none`.
pub fn names(list: &str) -> impl Iterator<Item = &str> {
    list.split('+').filter(|name| !["", "none"].contains(name))
}

/// What can stand guard for a network: names and families of those of its data set that can.
fn guards(spec: &Spec) -> Vec<[String; 2]> {
    let mut guards = Vec::new();
    for other in zoo::all() {
        if other.dataset == spec.dataset && is_offered(&other) {
            guards.push([other.name, other.family]);
        }
    }
    guards
}

/// Whether a network can stand guard.
pub fn can_guard(spec: &Spec) -> bool {
    spec.is_vae() || spec.embedding().is_some()
}

/// Whether a network is offered as a guard of others: a VAE that was trained to withstand attacks guards itself alone.
fn is_offered(spec: &Spec) -> bool {
    can_guard(spec) && spec.defends.is_none()
}

/// A defence as it is offered for the images of a data set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Offer {
    /// Its name in links, records and on the command line.
    pub name: String,
    /// What it does, in words.
    pub title: String,
    /// Of a guard the family of the network, and its false alarms in percent.
    pub guard: Option<(String, usize)>,
    /// Whether it stands for its kind where there is room for one of each.
    pub first: bool,
}

/// The defences that do something to a data set's images, then the guards that ship for it.
pub fn offered(dataset: &Dataset) -> Vec<Offer> {
    let does = |defence: &&&Defence| match &defence.apply {
        Apply::Reduce(reduction) => reduction.check(dataset.image).is_ok(),
        Apply::Change(_) => true,
    };
    let mut offers: Vec<Offer> = Vec::new();
    for defence in ALL.iter().filter(does) {
        offers.push(Offer {
            name: defence.name.into(),
            title: defence.title.into(),
            guard: None,
            first: FIRST.contains(&defence.name),
        });
    }
    for spec in zoo::shipped().iter().filter(|spec| spec.dataset == dataset.name && is_offered(spec)) {
        for percent in OFFERED {
            offers.push(Offer {
                name: format!("{}{percent}", spec.family),
                title: format!("{} that refuses {percent} % of clean images", spec.title),
                guard: Some((spec.family.clone(), percent)),
                first: percent == OFFERED[0] && spec.embedding().is_some(),
            });
        }
    }
    offers
}

/// The networks whose weights the guards of a list of defences before the network of `spec` need.
///
/// # Errors
/// As [`by_name`].
pub fn needed(list: &str, spec: &Spec) -> Result<Vec<String>> {
    let mut needed = Vec::new();
    for name in names(list) {
        match by_name(name, spec)? {
            Named::Guard(network, _) if network != spec.name => needed.push(network),
            _ => {}
        }
    }
    Ok(needed)
}

/// What `name` stands for before the network of `spec`. A guard is `siamese5`, or `mnist-siamese5` in full; `vae5` is the VAE
/// itself where the network is one.
///
/// # Errors
/// [`Error::Unknown`], with the names there are.
pub fn by_name(name: &str, spec: &Spec) -> Result<Named> {
    if let Some(found) = ALL.iter().find(|defence| defence.name == name) {
        return Ok(Named::Alone(found));
    }
    let guards = guards(spec);
    let family = name.trim_end_matches(|c: char| c.is_ascii_digit());
    if let Ok(percent) = name[family.len()..].parse() {
        if spec.is_vae() && [&spec.name, "vae"].contains(&family) {
            return Ok(Named::Guard(spec.name.clone(), percent));
        }
        if let Some([found, _]) = guards.iter().find(|names| names.iter().any(|name| name == family)) {
            return Ok(Named::Guard(found.clone(), percent));
        }
    }
    let mut known: Vec<String> = ALL.iter().map(|defence| defence.name.into()).collect();
    known.extend(guards.into_iter().map(|[_, family]| family + "5"));
    Err(Error::unknown("defence", name, known.iter().map(String::as_str)))
}
