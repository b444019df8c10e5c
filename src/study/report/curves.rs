//! The curves of a study as data, for a page that shows them: how far the strongest attack had to go.

use serde_json::{Value, json};

use crate::attack::Norm;
use crate::study::plan::{Key, Purpose};
use crate::study::results::{Group, PartResults, Results};

/// Parts into which the images of a curve fall.
const PARTS: usize = 50;

/// For each data set as it is, the first network of each architecture that reads without chance, and each norm: the smallest change that
/// makes it read the next label, at every fiftieth of the images that it reads rightly (`null` where no attack got so far).
/// `{command, parts: [{dataset, images, curves: [{network, norm, attacked, distances}]}]}`.
pub fn curves(results: &Results, command: &str) -> Value {
    let part = |part: &PartResults| {
        let groups: Vec<Group> = part.groups().into_iter().filter(|group| !group.draws()).collect();
        let curves: Vec<Value> = groups
            .into_iter()
            .filter_map(|mut group| {
                group.entrants.truncate(1);
                let network = group.entrants.first()?.network.clone();
                Some(part.part.norms().into_iter().map(move |norm| curve(part, &group, &network, norm)))
            })
            .flatten()
            .collect();
        json!({ "dataset": part.dataset.name, "images": part.part.images, "curves": curves })
    };
    json!({ "command": command, "parts": results.as_they_are().map(part).collect::<Vec<_>>() })
}

fn curve(part: &PartResults, group: &Group, network: &str, norm: Norm) -> Value {
    let cell = part.cell(group, Purpose::Smallest, Key::smallest(norm));
    let far = |line: &crate::study::line::Line| {
        if line.record.success { norm.of(&line.norms()) } else { f64::INFINITY }
    };
    let mut all: Vec<f64> = cell.attacked().map(far).collect();
    all.sort_by(f64::total_cmp);
    let at = |k: usize| match (k * all.len()).div_ceil(PARTS) {
        0 => 0.0,
        n => all[n - 1],
    };
    let distances: Vec<Value> = match all.len() {
        0 => Vec::new(),
        _ => (0..=PARTS).map(|k| short(at(k))).collect(),
    };
    json!({ "network": network, "norm": norm.name(), "attacked": all.len(), "distances": distances })
}

/// Four digits; `null` for what is not finite.
fn short(x: f64) -> Value {
    let digits = format!("{x:.3e}").parse::<f64>().ok().filter(|x| x.is_finite());
    digits.map_or(Value::Null, Value::from)
}
