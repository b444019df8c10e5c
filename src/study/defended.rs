//! What was measured of a network behind its defences, and as a black box: what the commands `defences` and `black-box` write
//! beside their tables, and a report reads.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::{Context, Result};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use crate::metrics::norms::Norm;
use crate::metrics::statistics::{Interval, share};
use crate::native::files::write_atomically;

/// The row of the network as it is.
pub const NONE: &str = "none";

/// A network behind defences.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Defended {
    /// The stem of its file.
    pub network: String,
    /// What was typed.
    pub command: String,
    /// Gradients of a run of Auto-PGD and of the strongest attack, queries of the Square Attack, and its L-infinity budget.
    pub steps: usize,
    pub gradients: usize,
    pub queries: usize,
    pub square_budget: f32,
    /// The network whose images are replayed.
    pub from: Option<String>,
    /// The norms, by name, with their budgets, rising.
    pub norms: Vec<(String, Vec<f32>)>,
    pub rows: Vec<Row>,
}

/// What a defence did.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Row {
    pub name: String,
    /// Share of the clean images that are read rightly and not refused.
    pub clean: f64,
    /// Share of the clean images of each label that are refused.
    pub alarms: Vec<f64>,
    /// How many times as long as the network alone it takes to read an image, where that was measured.
    #[serde(default)]
    pub reading: Option<f64>,
    /// Images that are attacked: read rightly and not refused.
    pub attacked: usize,
    /// Of these, fooled by who does not know the defence and by who does, for each norm and budget.
    pub fooled: Vec<Vec<[usize; 2]>>,
    /// By the Square Attack, and by images made for another network.
    pub square: usize,
    #[serde(default)]
    pub transfer: usize,
}

/// A network as a black box, attacked at budgets of L-infinity and L2.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Questioned {
    /// The stem of its file.
    pub network: String,
    /// What was typed.
    pub command: String,
    /// Images that are attacked.
    pub attacked: usize,
    /// Whether any wrong label will do.
    pub untargeted: bool,
    /// Numbers of queries, rising.
    pub marks: Vec<usize>,
    /// What sees the answers (L-infinity) and what sees the label alone, with the share of success in percent.
    pub asking: Vec<Asking>,
    /// Images made for other networks: the network, and the share of success in percent at each L-infinity budget.
    pub transfer: Vec<(String, Vec<f64>)>,
}

/// An attack that asks.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Asking {
    /// Its name on the command line, and the norm by name.
    pub attack: String,
    pub norm: String,
    pub budgets: Vec<f32>,
    /// For each budget the share of success in percent after each number of queries.
    pub success: Vec<Vec<f64>>,
}

/// The strongest attack beside other people's on the same weights and images: what `scripts/peers/strength.py` keeps.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Peer {
    /// The stem of the network's file.
    pub network: String,
    /// In which norm the smallest change was sought, towards the next label.
    pub norm: String,
    /// The first image, and how many that the network reads rightly.
    pub first: usize,
    pub images: usize,
    /// Gradients of ours, at most.
    pub gradients: usize,
    /// The median of our change over the smallest of theirs, and on which shares of the images ours is over 5 % larger or smaller.
    pub ratio: f64,
    pub farther: f64,
    pub nearer: f64,
    /// Their attacks, and the versions of the packages.
    pub attacks: Vec<String>,
    pub versions: BTreeMap<String, String>,
}

/// The symbol of a norm that is kept by its name.
pub fn symbol(norm: &str) -> &str {
    norm.parse().map_or(norm, |norm: Norm| norm.symbol())
}

impl Row {
    /// The share fooled by who knows the defence (or not), in a norm and at a budget by their places, with Wilson's interval.
    pub fn share(&self, norm: usize, budget: usize, knows: bool) -> Option<Interval> {
        let hits = self.fooled.get(norm)?.get(budget)?[usize::from(knows)];
        (self.attacked > 0).then(|| share(hits, self.attacked))
    }

    /// The mean share of the labels' clean images that are refused.
    pub fn refused(&self) -> f64 {
        self.alarms.iter().sum::<f64>() / self.alarms.len().max(1) as f64
    }
}

impl Defended {
    /// The network without a defence.
    pub fn bare(&self) -> Option<&Row> {
        self.rows.iter().find(|row| row.name == NONE)
    }

    /// The tables as Markdown.
    pub fn markdown(&self) -> String {
        let percent = |n: usize, of: usize| format!("{:.0}", 100.0 * n as f64 / of.max(1) as f64);
        let last = match self.gradients {
            0 => String::new(),
            gradients => format!("; `strongest` with {gradients} gradients is tried last on what withstood"),
        };
        let mut lines = vec![
            format!("# {} behind each defence\n", self.network),
            format!(
                "Made by `{}`. Success in percent of the images that are read rightly and not refused, aimed at the next label, of an \
                 attack that knows the network alone → one that knows the defence, too: Auto-PGD, {} steps down the cross-entropy and, \
                 where these fail, as many from an image of the wanted label. Who knows the defence also has the images of who does \
                 not, and what succeeded at a smaller budget{last}.\n",
                self.command, self.steps
            ),
        ];
        let transfer = self.from.as_ref().map(|name| format!(" transfer of `{name}` |")).unwrap_or_default();
        lines.push(format!(
            "| defence | read rightly, % | refused, % (by label) | a reading takes | attacked | Square Attack, L∞ {}, {} queries |{transfer}",
            self.square_budget, self.queries
        ));
        lines.push(format!("|---|---|---|---|---|---|{}", if self.from.is_some() { "---|" } else { "" }));
        for row in &self.rows {
            let alarms: Vec<String> =
                row.alarms.iter().map(|share| format!("{:.0}", 100.0 * share)).collect();
            let alarms = match row.refused() {
                mean if mean > 0.0 => format!("{:.1} ({})", 100.0 * mean, alarms.join(" ")),
                _ => "–".into(),
            };
            let transfer = self
                .from
                .as_ref()
                .map(|_| format!(" {} |", percent(row.transfer, row.attacked)))
                .unwrap_or_default();
            let reading = row.reading.map_or("–".into(), |times| format!("× {times:.1}"));
            lines.push(format!(
                "| {} | {:.1} | {alarms} | {reading} | {} | {} |{transfer}",
                row.name,
                100.0 * row.clean,
                row.attacked,
                percent(row.square, row.attacked)
            ));
        }
        for (i, (norm, budgets)) in self.norms.iter().enumerate() {
            let symbol = symbol(norm);
            let heads: Vec<String> = budgets.iter().map(|budget| format!("{symbol} {budget}")).collect();
            lines.push(format!(
                "\n| defence | {} |\n|---|{}",
                heads.join(" | "),
                "---|".repeat(budgets.len())
            ));
            for row in &self.rows {
                let cell = |[blind, known]: &[usize; 2]| match &row.name[..] {
                    NONE => percent(*known, row.attacked),
                    _ => format!("{} → {}", percent(*blind, row.attacked), percent(*known, row.attacked)),
                };
                let cells: Vec<String> = row.fooled.get(i).into_iter().flatten().map(cell).collect();
                lines.push(format!("| {} | {} |", row.name, cells.join(" | ")));
            }
        }
        lines.push(String::new());
        lines.join("\n")
    }
}

/// Writes a record beside the table in `out`, as JSON.
///
/// # Errors
/// When it cannot be written.
pub fn write(out: &Path, record: &impl Serialize) -> Result<()> {
    let mut text = serde_json::to_string(record)?;
    text.push('\n');
    write_atomically(&out.with_extension("json"), text.as_bytes())
}

/// The records in a file; none where there is no file.
///
/// # Errors
/// When it is damaged; names it.
pub fn read_one<T: DeserializeOwned>(path: &Path) -> Result<Vec<T>> {
    let Ok(text) = std::fs::read_to_string(path) else { return Ok(Vec::new()) };
    serde_json::from_str(&text).with_context(|| format!("{} is damaged", path.display()))
}

/// The records in a folder, in the order of their files' names; none where there is no folder.
///
/// # Errors
/// When one is damaged; names it.
pub fn read_all<T: DeserializeOwned>(folder: &Path) -> Result<Vec<T>> {
    let Ok(entries) = std::fs::read_dir(folder) else { return Ok(Vec::new()) };
    let mut paths: Vec<_> = entries.flatten().map(|entry| entry.path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "json"));
    paths.sort();
    let read = |path: &std::path::PathBuf| {
        let text = std::fs::read_to_string(path)?;
        serde_json::from_str(&text).with_context(|| format!("{} is damaged", path.display()))
    };
    paths.iter().map(read).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn defended() -> Defended {
        let row = |name: &str, fooled: [usize; 2]| Row {
            name: name.into(),
            clean: 0.987,
            alarms: vec![0.0, 0.1],
            reading: Some(1.25),
            attacked: 50,
            fooled: vec![vec![[0, 10], fooled]],
            square: 4,
            transfer: 1,
        };
        Defended {
            network: "mnist-cnn".into(),
            command: "misread defences".into(),
            steps: 50,
            gradients: 200,
            queries: 500,
            square_budget: 0.15,
            from: Some("mnist-dense".into()),
            norms: vec![("linf".into(), vec![0.1, 0.2])],
            rows: vec![row(NONE, [40, 45]), row("grey2", [5, 20])],
        }
    }

    #[test]
    fn a_record_comes_back_and_says_what_its_table_says() {
        let folder = tempfile::tempdir().unwrap();
        let record = defended();
        write(&folder.path().join("mnist-cnn.md"), &record).unwrap();
        assert_eq!(read_all::<Defended>(folder.path()).unwrap(), std::slice::from_ref(&record));
        let text = record.markdown();
        for line in [
            "| none | 20 | 90 |",
            "| grey2 | 0 → 20 | 10 → 40 |",
            "| grey2 | 98.7 | 5.0 (0 10) | × 1.2 | 50 | 8 | 2 |",
        ] {
            assert!(text.contains(line), "{text}");
        }
        let told = record.rows[1].share(0, 1, true).unwrap();
        assert!((told.value - 0.4).abs() < 1e-12 && told.low > 0.2 && told.high < 0.6);
        std::fs::write(folder.path().join("other.json"), "{").unwrap();
        assert!(read_all::<Defended>(folder.path()).unwrap_err().to_string().contains("other.json"));
    }
}
