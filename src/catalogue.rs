//! All that page and command line offer, as one tree of data: networks, data sets, attacks with their fields, defences. The
//! words for it stand elsewhere, by key; the titles here are what is read where there are none.

use crate::attack::descriptor::{Descriptor, Field, Kind, Range, Shown};
use crate::attack::{self, Norm};
use crate::classifier::{Attacker, Inference, defence};
use crate::datasets::{Budgets, Dataset, Pictures};
use crate::judge::Record;
use crate::metrics::grade::{CONFIDENT, Grade};
use crate::network::Spec;
use crate::zoo;

/// A tree of data.
#[derive(Clone, Debug, PartialEq)]
pub enum Tree {
    /// Nothing.
    None,
    Flag(bool),
    Number(f64),
    Text(String),
    List(Vec<Tree>),
    /// Keys with their values, in order.
    Map(Vec<(&'static str, Tree)>),
}

impl From<bool> for Tree {
    fn from(flag: bool) -> Self {
        Self::Flag(flag)
    }
}

impl From<f64> for Tree {
    fn from(number: f64) -> Self {
        Self::Number(number)
    }
}

impl From<f32> for Tree {
    /// With the digits that single precision holds: 0.1 stays 0.1.
    fn from(number: f32) -> Self {
        let double = f64::from(number);
        if double == 0.0 || !double.is_finite() {
            return Self::Number(double);
        }
        // Seven significant digits always come back the same; where they are too few, it is left as it is.
        let scale = 10f64.powi(6 - double.abs().log10().floor() as i32);
        let short = (double * scale).round() / scale;
        Self::Number(if short as f32 == number { short } else { double })
    }
}

impl From<&str> for Tree {
    fn from(text: &str) -> Self {
        Self::Text(text.into())
    }
}

impl<T: Into<Tree>> From<Option<T>> for Tree {
    fn from(value: Option<T>) -> Self {
        value.map_or(Self::None, Into::into)
    }
}

impl From<Vec<Tree>> for Tree {
    fn from(list: Vec<Tree>) -> Self {
        Self::List(list)
    }
}

impl<T: Into<Tree>> FromIterator<T> for Tree {
    fn from_iter<I: IntoIterator<Item = T>>(items: I) -> Self {
        Self::List(items.into_iter().map(Into::into).collect())
    }
}

/// Everything that is offered.
pub fn catalogue() -> Tree {
    let networks = zoo::shipped();
    let mut datasets: Vec<&'static Dataset> = Vec::new();
    for dataset in crate::datasets::ALL {
        if networks.iter().any(|spec| spec.dataset == dataset.name) {
            datasets.push(dataset);
        }
    }
    Tree::Map(vec![
        ("version", f64::from(attack::VERSION).into()),
        ("record", Record::FIELDS.iter().copied().collect()),
        ("grades", Grade::ALL.iter().map(|grade| grade.name()).collect()),
        ("inferences", Inference::ALL.iter().map(|inference| inference.name()).collect()),
        ("norms", Norm::ALL.iter().map(|norm| norm.name()).collect()),
        ("datasets", datasets.into_iter().map(of_dataset).collect()),
        ("networks", networks.iter().map(of_network).collect()),
        ("defences", defences().into()),
        ("attackers", Attacker::ALL.iter().map(|attacker| attacker.name()).collect()),
        ("attacks", attack::ALL.iter().copied().map(of_attack).collect()),
    ])
}

/// What is offered for a data set that is in no catalogue, images of a visitor's own: `{dataset, defences}`, these by name.
pub fn described(dataset: &'static Dataset) -> Tree {
    let defences = defence::offered(dataset).into_iter().map(|offer| Tree::Text(offer.name));
    Tree::Map(vec![("dataset", of_dataset(dataset)), ("defences", defences.collect::<Vec<_>>().into())])
}

/// The defences, each with the data sets for which it is offered; guards with the family of their networks, and their false
/// alarms.
fn defences() -> Vec<Tree> {
    let mut all: Vec<(defence::Offer, Vec<&str>)> = Vec::new();
    for dataset in crate::datasets::ALL {
        for offer in defence::offered(dataset) {
            match all.iter_mut().find(|(other, _)| other.name == offer.name) {
                Some((_, datasets)) => datasets.push(dataset.name),
                None => all.push((offer, vec![dataset.name])),
            }
        }
    }
    let of = |(offer, datasets): (defence::Offer, Vec<&str>)| {
        let (guard, alarms) = offer.guard.unzip();
        Tree::Map(vec![
            ("key", Tree::Text(offer.name)),
            ("title", Tree::Text(offer.title)),
            ("datasets", datasets.into_iter().collect()),
            ("guard", guard.map_or(Tree::None, Tree::Text)),
            ("alarms", alarms.map(|percent| percent as f64).into()),
            ("first", offer.first.into()),
        ])
    };
    all.into_iter().map(of).collect()
}

fn of_dataset(dataset: &'static Dataset) -> Tree {
    let (measure, valid) = dataset.validity.measure();
    let file = |what: &str| {
        (dataset.pictures == Pictures::Shipped).then(|| Tree::Text(format!("{}-{what}", dataset.name)))
    };
    let pictures = match dataset.pictures {
        Pictures::Shipped => "sample",
        Pictures::Own => "server",
        Pictures::Nowhere => "none",
    };
    let budgets = |budgets: &'static Budgets| {
        let [low, high, step] = budgets.slider;
        Tree::Map(vec![
            ("initial", budgets.initial.into()),
            ("low", low.into()),
            ("high", high.into()),
            ("step", step.into()),
            ("several", budgets.lab.iter().copied().collect()),
        ])
    };
    Tree::Map(vec![
        ("key", dataset.name.into()),
        ("title", dataset.title.into()),
        ("nouns", dataset.nouns.into_iter().collect()),
        ("image", dataset.image.iter().map(|&n| n as f64).collect()),
        ("labels", dataset.labels.iter().copied().collect()),
        ("named", dataset.named.into()),
        ("measure", measure.into()),
        ("valid", valid.into()),
        ("confident", CONFIDENT.into()),
        ("pictures", pictures.into()),
        ("sample", file("sample").unwrap_or(Tree::None)),
        ("lab", file("lab").unwrap_or(Tree::None)),
        ("budgets", Tree::Map(Norm::ALL.map(|norm| (norm.name(), budgets(dataset.budgets(norm)))).into())),
    ])
}

fn of_network(spec: &Spec) -> Tree {
    Tree::Map(vec![
        ("key", spec.name.as_str().into()),
        ("dataset", spec.dataset.as_str().into()),
        ("family", spec.family.as_str().into()),
        ("title", spec.title.as_str().into()),
        ("vae", spec.is_vae().into()),
        ("control_of", spec.control_of.as_deref().into()),
        ("defends", spec.defends.as_deref().into()),
    ])
}

fn of_attack(attack: &'static Descriptor) -> Tree {
    let traits = attack.traits;
    Tree::Map(vec![
        ("key", attack.name.into()),
        ("title", attack.title.into()),
        ("source", attack.source.into()),
        ("norms", attack.norms.iter().map(|norm| norm.name()).collect()),
        ("study", traits.study.into()),
        ("decides", traits.decides.into()),
        ("rounds", traits.rounds.into()),
        ("starts", traits.starts().into()),
        ("gradient", (!traits.gradient_free).into()),
        ("fields", attack.fields.iter().filter(|field| field.shown != Shown::Never).map(of_field).collect()),
    ])
}

fn of_field(field: &Field) -> Tree {
    let mut map = vec![("key", field.key.into()), ("main", (field.shown == Shown::Main).into())];
    match field.kind {
        Kind::Flag => map.extend([("kind", "flag".into()), ("initial", false.into())]),
        Kind::Choice { choices, initial, aliases } => map.extend([
            ("kind", "choice".into()),
            ("choices", choices.iter().copied().collect()),
            ("initial", initial.into()),
            ("aliases", Tree::Map(aliases.iter().map(|(old, new)| (*old, (*new).into())).collect())),
        ]),
        Kind::Number(Range { low, high, initial, whole, optional, budget, slider, values }) => map.extend([
            ("kind", "number".into()),
            ("low", low.into()),
            ("high", high.into()),
            ("initial", initial.into()),
            ("whole", whole.into()),
            ("optional", optional.into()),
            ("budget", budget.into()),
            ("slider", slider.map(|slider| slider.into_iter().collect::<Tree>()).unwrap_or(Tree::None)),
            ("values", values.iter().copied().collect()),
        ]),
    }
    Tree::Map(map)
}
