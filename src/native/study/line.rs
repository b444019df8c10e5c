//! A line of records.jsonl: what was attacked, and what came of it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::plan::{Purpose, Reads, Stored};
use crate::native::record::Record;

/// The record of one attack of a study. Nothing in it depends on when or where it was made.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Line {
    /// The attack's number in the study.
    pub job: usize,
    pub dataset: String,
    pub network: String,
    pub reading: Reads,
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

/// The columns of records.csv.
pub const COLUMNS: &str = "job,dataset,network,reading,precision,purpose,attack,budget,index,label,target,clean_predicted,\
     predicted,success,confidence,loss,l0,l1,l2,linf,ssim,valid,grade,survives_png,fresh,zero_gradient,steps,gradients,refused";

impl Line {
    /// As a line of records.csv, in the order of [`COLUMNS`].
    pub fn csv(&self) -> String {
        let r = &self.record;
        let number = |n: Option<usize>| n.map(|n| n.to_string()).unwrap_or_default();
        [
            self.job.to_string(),
            self.dataset.clone(),
            quoted(&self.network),
            name(self.reading),
            name(self.precision),
            name(self.purpose),
            r.attack.clone(),
            r.budget.map(|b| b.to_string()).unwrap_or_default(),
            r.index.to_string(),
            r.label.to_string(),
            number(r.target),
            r.clean_predicted.to_string(),
            r.predicted.to_string(),
            r.success.to_string(),
            r.confidence.to_string(),
            r.loss.to_string(),
            r.l0.to_string(),
            r.l1.to_string(),
            r.l2.to_string(),
            r.linf.to_string(),
            r.ssim.to_string(),
            r.valid.to_string(),
            r.grade.map(|g| g.name().to_owned()).unwrap_or_default(),
            r.survives_png.to_string(),
            r.fresh.map(|f| f.to_string()).unwrap_or_default(),
            r.zero_gradient.to_string(),
            r.steps.to_string(),
            r.gradients.to_string(),
            quoted(r.refused.as_deref().unwrap_or_default()),
        ]
        .join(",")
    }
}

/// `text` as a field of a CSV file (RFC 4180).
fn quoted(text: &str) -> String {
    if text.contains([',', '"', '\n']) {
        format!("\"{}\"", text.replace('"', "\"\""))
    } else {
        text.to_owned()
    }
}

/// The name that a variant has in records.jsonl.
fn name(variant: impl Serialize) -> String {
    serde_json::to_value(variant).ok().and_then(|v| v.as_str().map(str::to_owned)).unwrap_or_default()
}
