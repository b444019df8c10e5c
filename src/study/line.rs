//! A line of records.jsonl: what was attacked, and what came of it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::plan::{Purpose, Stored};
use crate::datasets::Dataset;
use crate::judge::Record;
use crate::metrics::norms::{Norm, Norms};

/// The record of one attack of a study. Nothing in it depends on when or where it was made.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Line {
    /// The attack's number in the study.
    pub job: usize,
    pub precision: Stored,
    pub purpose: Purpose,
    #[serde(flatten)]
    pub record: Record,
    /// Whether the attacked image fools other networks too, judged as an attack of their own would be.
    #[serde(skip_serializing_if = "BTreeMap::is_empty", default)]
    pub replayed: BTreeMap<String, bool>,
}

/// A line of timings.jsonl.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Timing {
    pub job: usize,
    pub milliseconds: f64,
}

/// The columns of records.csv that are the study's own; those of the record follow.
const OWN: [&str; 3] = ["job", "precision", "purpose"];

/// The columns of records.csv.
pub fn columns() -> String {
    OWN.iter().chain(Record::FIELDS).copied().collect::<Vec<_>>().join(",")
}

impl Line {
    /// Whether the goal was reached, by a change of at most `budget` in a norm.
    pub fn within(&self, norm: Norm, budget: f64) -> bool {
        // What keeps to a budget in single precision may lie above it in double.
        self.record.success && norm.of(&self.norms()) <= budget * (1.0 + 1e-6)
    }

    /// Whether the attacked image counts as still readable with another threshold than the data set's.
    pub fn valid_at(&self, dataset: &Dataset, threshold: f64) -> bool {
        dataset.validity.at(threshold).holds(&self.norms(), self.record.ssim)
    }

    /// The norms of the change.
    pub fn norms(&self) -> Norms {
        let Record { l0, l1, l2, linf, .. } = self.record;
        Norms { l0, l1, l2, linf }
    }

    /// As a line of records.csv, in the order of [`columns`].
    pub fn csv(&self) -> String {
        let own = [self.job.to_string(), name(self.precision), name(self.purpose)];
        let record = self.record.cells().into_iter().map(|cell| cell.to_string());
        own.into_iter().chain(record).collect::<Vec<_>>().join(",")
    }
}

/// The name that a variant has in records.jsonl.
fn name(variant: impl Serialize) -> String {
    serde_json::to_value(variant).ok().and_then(|v| v.as_str().map(str::to_owned)).unwrap_or_default()
}
