//! The tables of a report.

use super::Check;
use super::document::Document;
use crate::datasets::LFW;
use crate::metrics::grade::{CONFIDENT, Grade, Validity};
use crate::metrics::norms::Norm;
use crate::study::plan::{Key, Purpose};
use crate::study::results::{Group, PartResults, Results};
use crate::study::words::{NONE, interval, number, percent, quartiles};

/// What the study before this one says of each kind of network at each density, in terms of grades.
const INFERENCES: [(&str, bool, bool, Grade, &str); 4] = [
    ("I1", true, false, Grade::Low, "not vulnerable: attacks are valid but of low confidence"),
    ("I2", true, true, Grade::Moderate, "vulnerable: attacks are confident but invalid"),
    ("I3", false, true, Grade::High, "highly vulnerable: attacks are confident and valid"),
    ("I4", false, false, Grade::Moderate, "vulnerable: attacks are confident but invalid"),
];

/// The grades that are given where an attack succeeds, the most telling first.
const GRADES: [Grade; 4] = [Grade::High, Grade::Moderate, Grade::Low, Grade::Ineffective];

/// The four inferences beside the grade that was measured.
pub fn inferences(d: &mut Document, results: &Results) {
    let mut rows = Vec::new();
    for (id, vae, faces, claimed, claim) in INFERENCES {
        for part in results.as_they_are().filter(|p| (p.dataset.pixels() >= LFW.pixels()) == faces) {
            let usual = part.groups().into_iter().filter(|g| !g.draws() && g.spec.defends.is_none());
            for group in usual.filter(|g| if vae { g.spec.is_vae() } else { g.family() == "cnn" }) {
                let graded: Vec<(Norm, Grade, String)> = part
                    .part
                    .norms()
                    .into_iter()
                    .filter_map(|norm| {
                        let cell = part.cell(&group, Purpose::Graded, Key::smallest(norm));
                        let n = cell.attacked().count();
                        let most =
                            GRADES.into_iter().max_by_key(|grade| cell.graded(*grade)).filter(|_| n > 0)?;
                        let share = percent(cell.graded(most) as f64 / n as f64);
                        Some((norm, most, format!("{}: {} ({share} %)", norm.symbol(), most.name())))
                    })
                    .collect();
                let agree: Vec<&str> = graded
                    .iter()
                    .filter(|(_, grade, _)| *grade == claimed)
                    .map(|(n, ..)| n.symbol())
                    .collect();
                let says = match (agree.len(), graded.len()) {
                    (_, 0) => NONE.to_owned(),
                    (0, _) => "disagrees".to_owned(),
                    (a, b) if a == b => "agrees".to_owned(),
                    _ => format!("depends on the norm: agrees in {}", agree.join(" and ")),
                };
                let found: Vec<String> = graded.into_iter().map(|(.., words)| words).collect();
                rows.push(vec![
                    id.to_owned(),
                    format!("{} on {}", group.title(), part.title()),
                    claim.to_owned(),
                    claimed.name().to_owned(),
                    found.join(", "),
                    says,
                ]);
            }
        }
    }
    if rows.is_empty() {
        return;
    }
    d.heading(2, "The four inferences beside what was measured");
    d.text(format!(
        "An image is graded by validity and confidence, and a grade says more of where an attack stops than of the network: a search \
         for the closest image ends where the network is hardly sure, a fixed budget far away. Graded here is the closest image of \
         which the network is at least {} % sure, in each norm; “measured” is the grade that most of those attacked have.",
        100.0 * CONFIDENT
    ));
    d.table(&["", "network", "the claim", "grade claimed", "measured", "the claim…"], rows);
}

/// Robust accuracy at the budgets of the data set, untargeted, as published figures are.
pub fn robust(d: &mut Document, part: &PartResults, groups: &[Group]) {
    d.heading(3, format!("What is left: {}", part.title()));
    d.text(
        "The smallest change that fools, its median with quartiles over the images read rightly; and robust accuracy, the share of all \
         images that are read rightly whatever is done within a budget (untargeted, as published figures are), in percent.",
    );
    for norm in part.part.norms() {
        let budgets = part.dataset.budgets(norm).study;
        let mut head = vec!["network".to_owned(), "read rightly".into()];
        head.extend(budgets.iter().map(|budget| format!("{} ≤ {budget}", norm.symbol())));
        head.extend(["smallest, untargeted", "smallest, targeted"].map(str::to_owned));
        let row = |group: &Group| {
            let cell = part.cell(group, Purpose::Untargeted, Key::smallest(norm));
            let mut row = vec![group.title(), percent(cell.withstand(norm, 0.0).value)];
            row.extend(budgets.iter().map(|b| interval(cell.withstand(norm, f64::from(*b)))));
            let decimals = if norm == Norm::Linf { 4 } else { 2 };
            row.push(quartiles(cell.quartiles(|l| norm.of(&l.norms())), decimals));
            let targeted = part.cell(group, Purpose::Smallest, Key::smallest(norm));
            row.push(quartiles(targeted.quartiles(|l| norm.of(&l.norms())), decimals));
            row
        };
        d.table(&head.iter().map(String::as_str).collect::<Vec<_>>(), groups.iter().map(row).collect());
    }
}

/// The same in short: at the middle budget of each norm.
pub fn robust_at_a_glance(d: &mut Document, part: &PartResults) {
    let norms = part.part.norms();
    let middle = |norm| {
        let budgets = part.dataset.budgets(norm).study;
        budgets[(budgets.len() - 1) / 2]
    };
    let mut head = vec![part.title()];
    head.extend(norms.iter().map(|&norm| format!("robust at {} ≤ {}, %", norm.symbol(), middle(norm))));
    head.extend(norms.iter().map(|norm| format!("smallest {}", norm.symbol())));
    let row = |group: &Group| {
        let cell = |purpose, norm| part.cell(group, purpose, Key::smallest(norm));
        let mut row = vec![format!("{} ({})", group.title(), group.entrants.len())];
        row.extend(norms.iter().map(|&norm| {
            percent(cell(Purpose::Untargeted, norm).withstand(norm, f64::from(middle(norm))).value)
        }));
        row.extend(norms.iter().map(|&norm| {
            let median = |purpose| {
                let [_, median, _] = cell(purpose, norm).quartiles(|l| norm.of(&l.norms()));
                number(median, if norm == Norm::Linf { 4 } else { 2 })
            };
            format!("{} / {}", median(Purpose::Smallest), median(Purpose::Untargeted))
        }));
        row
    };
    let groups: Vec<Group> = part.groups().into_iter().filter(|g| !g.draws()).collect();
    if !norms.is_empty() {
        d.table(&head.iter().map(String::as_str).collect::<Vec<_>>(), groups.iter().map(row).collect());
    }
}

/// The grades of the closest image of which the network is sure.
pub fn grades(d: &mut Document, part: &PartResults, groups: &[Group]) {
    d.heading(3, format!("Grades: {}", part.title()));
    let nearest = match (part.dataset.validity, part.part.nearest) {
        (Validity::L2AtMost(threshold), Some([_, _, nearest])) => format!(
            " That threshold is {} of the median distance from the nearest training image of another label, {}.",
            number(threshold / nearest, 2),
            number(nearest, 2)
        ),
        _ => String::new(),
    };
    d.text(format!(
        "Of the closest image of which the network is at least {} % sure, in percent of the images read rightly.{nearest}",
        100.0 * CONFIDENT
    ));
    let mut rows = Vec::new();
    for group in groups {
        for norm in part.part.norms() {
            let cell = part.cell(group, Purpose::Graded, Key::smallest(norm));
            let n = cell.attacked().count() as f64;
            let mut row = vec![group.title(), format!("closest in {}", norm.symbol())];
            row.extend(GRADES.iter().chain([&Grade::Failed]).map(|g| percent(cell.graded(*g) as f64 / n)));
            row.push(quartiles(cell.quartiles(|l| l.record.l2), 2));
            row.push(quartiles(cell.quartiles(|l| l.record.ssim), 3));
            rows.push(row);
        }
    }
    let mut head = vec!["network", "image"];
    head.extend(GRADES.iter().chain([&Grade::Failed]).map(|grade| grade.name()));
    head.extend(["L2", "SSIM"]);
    d.table(&head, rows);
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
    let mut rows = Vec::new();
    for group in groups {
        for norm in part.part.norms() {
            let cell = part.cell(group, Purpose::Graded, Key::smallest(norm));
            let high = |t: &f64| cell.share(|l| l.record.success && l.valid_at(part.dataset, *t)).value;
            let mut row = vec![group.title(), format!("closest in {}", norm.symbol())];
            row.extend(thresholds.iter().map(|t| percent(high(t))));
            rows.push(row);
        }
    }
    d.heading(3, format!("What the threshold of validity does: {}", part.title()));
    d.text("The share graded high, in percent: the closest image of which the network is sure is valid.");
    let heads: Vec<String> = thresholds.iter().map(|t| format!("{words} {t}")).collect();
    let mut head = vec!["network", "image"];
    head.extend(heads.iter().map(String::as_str));
    d.table(&head, rows);
}

pub fn checklist(d: &mut Document, part: &PartResults, checked: &[(Group, Vec<Check>)]) {
    d.heading(3, format!("Is it honest? The checks: {}", part.title()));
    d.text(format!(
        "On the first network of each architecture, with f32 weights on the first whose f32 weights were there; middle budgets: \
         {}. Checks without a gradient, all that draws, searches on f32 weights and L-BFGS on these are made on the first {} images.",
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
