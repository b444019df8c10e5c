//! Table 4: each network behind its defences, and what that says of the claims about defences (D2 to D4, S1).

use super::document::{Block, Document};
use super::summary;
use crate::metrics::norms::Norm;
use crate::metrics::statistics::Interval;
use crate::study::defended::{Defended, NONE as BARE, Peer, Questioned, Row, symbol};
use crate::study::plan::{Key, Purpose};
use crate::study::results::{PartResults, Results};
use crate::study::words::{NONE, percent};
use crate::zoo;

/// Up to which share, of those who know a defence, it withstands the largest budget of a norm.
const WITHSTANDS: f64 = 0.5;
/// From which share of what the gradient fools the answers alone do as well.
const AS_WELL: f64 = 0.9;

/// What was measured of defences, of black boxes, and beside other people's attacks.
#[derive(Default)]
pub struct Measured {
    pub defended: Vec<Defended>,
    pub questioned: Vec<Questioned>,
    pub peers: Vec<Peer>,
}

/// The tables, and a sentence for each claim; those of D1 are given.
pub fn table(d: &mut Document, results: &Results, measured: &Measured, d1: Vec<String>) {
    let studied =
        |network: &str| results.as_they_are().find(|p| p.part.entrants.iter().any(|e| e.network == network));
    let mut networks: Vec<&str> = Vec::new();
    for record in &measured.defended {
        if studied(&record.network).is_some() && !networks.contains(&&record.network[..]) {
            networks.push(&record.network);
        }
    }
    if networks.is_empty() {
        return;
    }
    d.heading(2, "Table 4: defences");
    d.text(
        "Success in percent of the images that are read rightly and not refused, aimed at the next label, of an attack that knows the \
         network alone → one that knows the defence, too, with Wilson's 95 % interval; in bold where that lies below the interval of the \
         network without a defence. Training: gradients of the defence's training, and of the network that it needs besides, over those \
         of the plain network's, by the recipes. Each table was made by its own command, in models/defences with all else.",
    );
    for &network in &networks {
        let records: Vec<&Defended> = measured.defended.iter().filter(|r| r.network == network).collect();
        d.heading(3, format!("Defences of {network}"));
        let commands: Vec<String> = records.iter().map(|r| format!("`{}`", r.command)).collect();
        d.text(format!("Made by {}.", commands.join(" and ")));
        costs(d, &records);
        for place in 0..records[0].norms.len() {
            successes(d, &records, place);
        }
    }
    let mut said = d1;
    said.extend(hidden(results, measured));
    for (id, what, is) in CLAIMS {
        let rows = measured.defended.iter().filter(|record| networks.contains(&&record.network[..]));
        for record in rows {
            said.extend(
                record
                    .rows
                    .iter()
                    .filter(|row| is(&row.name))
                    .filter_map(|row| Some(sentence(id, what, record, row, record.bare()?))),
            );
        }
    }
    if !said.is_empty() {
        d.heading(3, summary::CLAIMS);
        d.text(format!(
            "“Withstands”: of who knows the defence at most {} % succeed at the norm's largest budget; “hinders”: at some budget fewer do than \
             without it, beyond both intervals; “does nothing”: neither.",
            100.0 * WITHSTANDS
        ));
        d.blocks.push(Block::Items(said));
    }
}

/// A claim: its name, what it is about, and whether a defence of this name is what it means.
type Claim = (&'static str, &'static str, fn(&str) -> bool);

/// The claims.
const CLAIMS: [Claim; 3] = [
    ("D3", "distillation", |name| name.ends_with("-distilled")),
    ("D4", "training on adversarial images", |name| name.ends_with("-adversarial")),
    ("S1", "a siamese network as guard", |name| name.starts_with("siamese") && !name.contains('+')),
];

/// Accuracy, false alarms, cost, black-box attacks.
fn costs(d: &mut Document, records: &[&Defended]) {
    let square = |r: &Defended| format!("Square Attack, L∞ {}, {} queries, %", r.square_budget, r.queries);
    let same = records.iter().all(|r| square(r) == square(records[0]));
    let asked = if same { square(records[0]) } else { "Square Attack, %".into() };
    let mut rows = Vec::new();
    for (record, row) in all_rows(records) {
        rows.push(vec![
            row.name.clone(),
            percent(row.clean),
            if row.refused() > 0.0 { percent(row.refused()) } else { NONE.into() },
            row.attacked.to_string(),
            training(&record.network, &row.name).map_or(NONE.into(), |times| format!("× {times:.1}")),
            row.reading.map_or(NONE.into(), |times| format!("× {times:.1}")),
            percent(row.square as f64 / row.attacked.max(1) as f64),
        ]);
    }
    let head = ["defence", "read rightly, %", "false alarms, %", "attacked", "training", "a reading", &asked];
    d.table(&head, rows);
}

/// Blind and told success at each budget of a norm.
fn successes(d: &mut Document, records: &[&Defended], norm: usize) {
    let (name, budgets) = &records[0].norms[norm];
    let symbol = symbol(name);
    let heads: Vec<String> = budgets.iter().map(|budget| format!("{symbol} {budget}")).collect();
    let mut head = vec!["defence"];
    head.extend(heads.iter().map(String::as_str));
    let mut rows = Vec::new();
    for (record, row) in all_rows(records) {
        let cell = |place: usize| {
            let (Some(blind), Some(told)) = (row.share(norm, place, false), row.share(norm, place, true))
            else {
                return NONE.to_owned();
            };
            let whole = |share: f64| format!("{:.0}", 100.0 * share);
            let found = format!("{} [{}, {}]", whole(told.value), whole(told.low), whole(told.high));
            match record.bare().and_then(|bare| bare.share(norm, place, true)) {
                _ if row.name == BARE => found,
                Some(bare) if told.high < bare.low => format!("{} → **{found}**", whole(blind.value)),
                _ => format!("{} → {found}", whole(blind.value)),
            }
        };
        let mut cells = vec![row.name.clone()];
        cells.extend((0..budgets.len()).map(cell));
        rows.push(cells);
    }
    d.table(&head, rows);
}

/// The rows of several records of a network, the bare one once.
fn all_rows<'a>(records: &'a [&'a Defended]) -> impl Iterator<Item = (&'a Defended, &'a Row)> {
    let of = |(place, record): (usize, &'a &'a Defended)| {
        record.rows.iter().filter(move |row| place == 0 || row.name != BARE).map(|row| (*record, row))
    };
    records.iter().enumerate().flat_map(of)
}

/// The gradients of a training, in passes over the images; of a distillation its teacher's, too.
fn passes(network: &str) -> Option<f64> {
    let recipe = zoo::recipe(network)?;
    let inner = recipe.adversarial.map_or(0, |attack| attack.steps);
    let networks = if recipe.temperature.is_some() { 2 } else { 1 };
    Some((recipe.epochs * (1 + inner) * networks) as f64)
}

/// How many times what the plain network's training takes a defence takes, trained networks and guards.
fn training(network: &str, defence: &str) -> Option<f64> {
    let plain = passes(network)?;
    if zoo::by_name(defence).is_ok() {
        return Some(passes(defence)? / plain);
    }
    let dataset = zoo::by_name(network).ok()?.dataset;
    let guards = defence.split('+').filter_map(|part| {
        passes(&format!("{dataset}-{}", part.trim_end_matches(|c: char| c.is_ascii_digit() || c == '.')))
    });
    Some((plain + guards.sum::<f64>()) / plain)
}

/// Whether the first interval lies below the second.
fn below(first: Interval, second: Interval) -> bool {
    first.high < second.low
}

/// What a defence came to, norm by norm.
fn sentence(id: &str, what: &str, record: &Defended, row: &Row, bare: &Row) -> String {
    let mut found: [Vec<&str>; 3] = Default::default();
    let mut figures = Vec::new();
    for (norm, (name, budgets)) in record.norms.iter().enumerate() {
        let symbol = symbol(name);
        let told: Vec<Interval> = (0..budgets.len()).filter_map(|b| row.share(norm, b, true)).collect();
        let plain: Vec<Interval> = (0..budgets.len()).filter_map(|b| bare.share(norm, b, true)).collect();
        let (Some(most), Some(place)) = (told.last(), budgets.len().checked_sub(1)) else { continue };
        let hinders = told.iter().zip(&plain).any(|(told, plain)| below(*told, *plain));
        let kind = if most.value <= WITHSTANDS {
            0
        } else if hinders {
            1
        } else {
            2
        };
        found[kind].push(symbol);
        let middle = budgets.len() / 2;
        let at = |b: usize| {
            let whole =
                |share: Option<&Interval>| share.map_or(NONE.into(), |s| format!("{:.0}", 100.0 * s.value));
            format!(
                "{} % (undefended {}) within {symbol} {}",
                whole(told.get(b)),
                whole(plain.get(b)),
                budgets[b]
            )
        };
        figures.push(if middle == place { at(place) } else { format!("{} and {}", at(middle), at(place)) });
    }
    let words = ["withstands", "hinders", "does nothing"];
    let says: Vec<String> = found
        .iter()
        .zip(words)
        .filter(|(norms, _)| !norms.is_empty())
        .map(|(norms, word)| format!("{word} in {}", norms.join(" and ")))
        .collect();
    let cost = match (row.refused(), training(&record.network, &row.name)) {
        (refused, _) if refused > 0.0 => format!("; it refuses {} % of clean images", percent(refused)),
        (_, Some(times)) => format!("; it takes {times:.1} times the gradients of plain training"),
        _ => String::new(),
    };
    format!(
        "**{id}, {what} (`{}` for `{}`): {}**. Told of it, the attack fools {}{cost}.",
        row.name,
        record.network,
        says.join(", "),
        figures.join("; ")
    )
}

/// D2: what a hidden gradient hinders, beside what the gradient finds of the same network in this study.
fn hidden(results: &Results, measured: &Measured) -> Vec<String> {
    let sentence = |record: &Questioned| {
        let part =
            results.as_they_are().find(|p| p.part.entrants.iter().any(|e| e.network == record.network))?;
        let asking = record.asking.iter().find(|asking| asking.attack == "square")?;
        let norm: Norm = asking.norm.parse().ok()?;
        // The smallest budget within which the gradient fools half of the images; where none does, the largest.
        let shares = asking.budgets.iter().map(|&budget| known(part, &record.network, norm, budget));
        let shares = shares.collect::<Option<Vec<f64>>>()?;
        let middle = shares.iter().position(|share| *share >= 0.5).or(shares.len().checked_sub(1))?;
        let (budget, known) = (asking.budgets[middle], shares[middle]);
        let curve = asking.success.get(middle)?;
        let most = *curve.last()?;
        let verdict = if known < 0.5 {
            "adds nothing where the gradient itself finds little"
        } else if most >= 100.0 * AS_WELL * known {
            "costs the attacker queries, and withstands nothing"
        } else {
            "hinders, as long as one may not ask more"
        };
        let early = record.marks.iter().zip(curve).filter(|(mark, _)| [100, 1_000].contains(*mark));
        let early: Vec<String> = early.map(|(mark, share)| format!("{share:.0} after {mark}")).collect();
        let decision = record.asking.iter().find(|a| a.attack == "hopskipjump" && a.norm == asking.norm);
        let label = decision
            .and_then(|a| a.success.get(middle)?.last())
            .map_or(String::new(), |share| format!("; who sees the label alone fools {share:.0} %"));
        let transfer = record.transfer.iter().filter_map(|(from, shares)| Some((from, *shares.get(middle)?)));
        let transfer = transfer.max_by(|a, b| a.1.total_cmp(&b.1)).map_or(String::new(), |(from, share)| {
            format!("; images made for `{from}` fool {share:.0} % without a question")
        });
        Some(format!(
            "**D2, a hidden gradient (`{}`): {verdict}**. Within {} {budget}, {}, the gradient fools {} %, answers alone fool {}, and \
             {most:.0} % after {} queries{label}{transfer}.",
            record.network,
            norm.symbol(),
            if record.untargeted { "untargeted" } else { "towards the next label" },
            percent(known),
            early.join(", "),
            record.marks.last()?,
        ))
    };
    measured.questioned.iter().filter_map(sentence).collect()
}

/// The share of the images read rightly that the smallest known change within a budget fools, untargeted, of one network.
fn known(part: &PartResults, network: &str, norm: Norm, budget: f32) -> Option<f64> {
    let mut group =
        part.groups().into_iter().find(|g| !g.draws() && g.entrants.iter().any(|e| e.network == network))?;
    group.entrants.retain(|e| e.network == network);
    let share =
        part.cell(&group, Purpose::Untargeted, Key::smallest(norm)).fooled_within(norm, budget.into());
    share.value.is_finite().then_some(share.value)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(name: &str, fooled: [[usize; 2]; 3]) -> Row {
        Row {
            name: name.into(),
            clean: 0.99,
            alarms: Vec::new(),
            reading: None,
            attacked: 200,
            fooled: fooled.map(|[low, high]| vec![[0, low], [0, high]]).to_vec(),
            square: 0,
            transfer: 0,
        }
    }

    #[test]
    fn a_sentence_says_norm_by_norm_what_a_defence_does() {
        let norms = [("linf", [0.1, 0.3]), ("l1", [10.0, 40.0]), ("l2", [1.0, 3.0])];
        let record = Defended {
            network: "mnist-cnn".into(),
            command: String::new(),
            steps: 1,
            gradients: 1,
            queries: 1,
            square_budget: 0.1,
            from: None,
            norms: norms.map(|(name, budgets)| (name.to_owned(), budgets.to_vec())).to_vec(),
            rows: vec![
                row(BARE, [[50, 200], [130, 200], [30, 198]]),
                row("mnist-cnn-adversarial", [[0, 2], [60, 190], [29, 197]]),
            ],
        };
        let said = sentence("D4", "training", &record, &record.rows[1], record.bare().unwrap());
        assert!(said.contains("withstands in L∞, hinders in L1, does nothing in L2"), "{said}");
        assert!(said.contains("1 % (undefended 100) within L∞ 0.3"), "{said}");
        // 24 passes with 7 steps each beside 6 passes.
        assert!(said.contains("32.0 times the gradients"), "{said}");
        assert!(training("mnist-cnn", "siamese5").unwrap() > 1.0);
        assert_eq!(training("mnist-cnn", "grey2"), Some(1.0));
    }
}
