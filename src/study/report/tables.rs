//! The tables of a report.

use super::Check;
use super::document::Document;
use crate::attack::lbfgs::LBFGS;
use crate::attack::linf::LINF;
use crate::datasets::LFW;
use crate::metrics::grade::{CONFIDENT, Grade, Validity};
use crate::metrics::norms::Norms;
use crate::study::line::Line;
use crate::study::plan::{Key, Purpose};
use crate::study::results::{Group, PartResults, Results};
use crate::study::words::{NONE, interval, number, percent, quartiles};

/// What H0 and H1 say of each kind of network at each density, beside what was measured.
pub fn inferences(d: &mut Document, results: &Results) {
    let mut rows = Vec::new();
    for part in &results.parts {
        let density = if part.dataset.pixels() >= LFW.pixels() { "high" } else { "low" };
        for group in part.groups().iter().filter(|g| ["cnn", "vae", "conv-vae"].contains(&g.family())) {
            if group.draws() {
                continue;
            }
            let expected = match (group.family() == "cnn", density) {
                (false, "low") => "the least vulnerable of all",
                (false, _) => "less than the CNN here, more than VAEs at low density",
                (true, "low") => "more than VAEs here, less than CNNs at high density",
                (true, _) => "the most vulnerable of all",
            };
            let mut row = vec![format!("{}, {density} density", group.title()), expected.into()];
            let closest = part.cell(group, Purpose::Study, Key { attack: &LBFGS, budget: None });
            let a_pixel = (part.dataset.pixels() as f64).sqrt();
            row.push(number(closest.quartiles(|l| l.record.l2 / a_pixel)[1], 4));
            for budget in [0.02, 0.05] {
                let cell = part.cell(group, Purpose::Study, Key { attack: &LINF, budget: Some(budget) });
                row.push(interval(cell.share(|l| l.record.success)));
            }
            row.push(graded_high(part, group));
            rows.push(row);
        }
    }
    if rows.is_empty() {
        return;
    }
    d.heading(2, "The four inferences beside what was measured");
    d.text(
        "H0 and H1 together put the two families of networks at the two pixel densities in an order. L2 a pixel is the root mean \
         square of the smallest change that L-BFGS found (median): the smaller, the more vulnerable.",
    );
    d.table(
        &[
            "network, density",
            "the claim",
            "L2 a pixel, L-BFGS",
            "fooled at L∞ ≤ 0.02, %",
            "at L∞ ≤ 0.05, %",
            "graded high at the middle L∞, L1 and L-BFGS, %",
        ],
        rows,
    );
}

fn graded_high(part: &PartResults, group: &Group) -> String {
    let of = |attack| {
        part.cell(group, Purpose::Study, attack).share(|l| l.record.grade == Some(Grade::High)).value
    };
    let shares: Vec<String> = part.part.middle().into_iter().map(|a| percent(of(a))).collect();
    shares.join(" / ")
}

pub fn table(d: &mut Document, part: &PartResults, group: &Group) {
    let attacks = part.attacks();
    let Some(&first) = attacks.first() else { return };
    let clean = part.cell(group, Purpose::Study, first);
    let (read, all) = (clean.attacked().count(), clean.seeds.iter().map(Vec::len).sum::<usize>());
    let names: Vec<&str> = group.entrants.iter().map(|e| e.network.as_str()).collect();
    d.heading(3, group.title());
    d.text(format!("{}: {read} of {all} readings of the images as they are were right.", names.join(", ")));
    let a_pixel = (part.dataset.pixels() as f64).sqrt();
    let rows = attacks
        .iter()
        .map(|&attack| {
            let cell = part.cell(group, Purpose::Study, attack);
            let n = cell.attacked().count() as f64;
            let graded = |grade| percent(cell.graded(grade) as f64 / n);
            let seeds = cell
                .over_seeds()
                .map_or(NONE.into(), |(low, high)| format!("{} to {}", percent(low), percent(high)));
            let valid =
                cell.fooled().filter(|l| l.record.valid).count() as f64 / cell.fooled().count() as f64;
            vec![
                attack.title(),
                interval(cell.share(|l| l.record.success)),
                seeds,
                quartiles(cell.quartiles(|l| l.record.l2), 2),
                quartiles(cell.quartiles(|l| l.record.l2 / a_pixel), 4),
                quartiles(cell.quartiles(|l| l.record.l1), 1),
                quartiles(cell.quartiles(|l| l.record.linf), 4),
                quartiles(cell.quartiles(|l| l.record.l0 as f64), 0),
                quartiles(cell.quartiles(|l| l.record.ssim), 3),
                quartiles(cell.quartiles(|l| l.record.confidence.into()), 2),
                percent(valid),
                graded(Grade::High),
                graded(Grade::Moderate),
                graded(Grade::Low),
                graded(Grade::Ineffective),
                graded(Grade::Failed),
                percent(cell.share(|l| l.record.refused).value),
            ]
        })
        .collect();
    d.table(
        &[
            "attack",
            "fooled, % [95 %]",
            "seeds, %",
            "L2",
            "L2 a pixel",
            "L1",
            "L∞",
            "L0",
            "SSIM",
            "confidence",
            "valid of the fooled, %",
            "high, %",
            "moderate, %",
            "low, %",
            "ineffective, %",
            "failed, %",
            "refused, %",
        ],
        rows,
    );
}

/// How the share graded high changes with the threshold of validity, of which none is agreed upon.
pub fn sweep(d: &mut Document, part: &PartResults, groups: &[Group]) {
    let thresholds = part.dataset.study.thresholds;
    let words = match part.dataset.validity {
        Validity::L2AtMost(_) => "L2 at most",
        Validity::SsimAtLeast(_) => "SSIM at least",
    };
    let holds = |line: &Line, threshold: f64| {
        let norms = Norms { l2: line.record.l2, ..Norms::default() };
        part.dataset.validity.at(threshold).holds(&norms, line.record.ssim)
    };
    let mut rows = Vec::new();
    for group in groups {
        for attack in part.part.middle() {
            let cell = part.cell(group, Purpose::Study, attack);
            let mut row = vec![group.title(), attack.title()];
            row.extend(thresholds.iter().map(|&t| {
                let valid = cell.share(|l| l.record.success && holds(l, t)).value;
                let high = cell.share(|l| {
                    l.record.success && holds(l, t) && f64::from(l.record.confidence) >= CONFIDENT
                });
                format!("{} / {}", percent(valid), percent(high.value))
            }));
            rows.push(row);
        }
    }
    d.heading(3, format!("What the threshold of validity does: {}", part.title()));
    d.text("The share of the attacked that is fooled and valid / that is confident too, so that it is graded high; in percent.");
    let heads: Vec<String> = thresholds.iter().map(|t| format!("{words} {t}")).collect();
    let mut head = vec!["network", "attack"];
    head.extend(heads.iter().map(String::as_str));
    d.table(&head, rows);
}

pub fn checklist(d: &mut Document, part: &PartResults, checked: &[(Group, Vec<Check>)]) {
    d.heading(3, format!("Is it honest? The checks: {}", part.title()));
    d.text(format!(
        "On the first network of each architecture, with f32 weights on the first whose f32 weights were there; middle budgets: \
         {}. Checks with twice the iterations of L-BFGS or without a gradient, and attacks of L-BFGS on f32 weights, are made on \
         the first {} images.",
        part.part.middle().into_iter().map(Key::title).collect::<Vec<_>>().join(", "),
        part.part.dear()
    ));
    let mut rows = Vec::new();
    for (group, checks) in checked {
        for check in checks {
            let fine = check.fine.map_or("", |fine| if fine { "✓" } else { "✗" });
            rows.push(vec![group.title(), check.what.clone(), check.found.clone(), fine.into()]);
        }
    }
    d.table(&["network", "check", "found", ""], rows);
}
