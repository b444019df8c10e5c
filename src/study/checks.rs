//! What an honest evaluation owes (Carlini et al. 2019, "On Evaluating Adversarial Robustness"; Athalye et al. 2018),
//! computed from the records of the networks on which checks are made.

use super::line::Line;
use super::plan::{Entrant, Key, Purpose, QUERIES, STEPS, Stored, UNBOUNDED};
use super::results::{Cell, Group, PartResults};
use super::words;
use crate::attack::linf::LINF;
use crate::attack::square::SQUARE;
use crate::classifier::Inference;
use crate::metrics::statistics::median;

/// One line of the checklist.
#[derive(Clone, Debug)]
pub struct Check {
    /// What was looked at.
    pub what: String,
    /// What was found.
    pub found: String,
    /// Whether it is as it should be; `None` where there is nothing to compare.
    pub fine: Option<bool>,
}

/// By how much success may change when the steps are doubled, or fall when a budget grows; at least by an image.
const POINT: f64 = 0.01;

/// The checks of a group, on the network that they are made on.
pub fn checks(part: &PartResults, group: &Group) -> Vec<Check> {
    let checked = group.entrants.iter().filter(|e| e.checked).cloned().collect();
    let group = &Group { entrants: checked, ..group.clone() };
    let middle = part.part.middle();
    let at = part.part.middle_of(&LINF);
    let cell = |purpose, attack| part.cell(group, purpose, attack);
    let fooled = |purpose, attack| cell(purpose, attack).share(|l| l.record.success).value;
    let percent = |share: f64| format!("{} %", words::percent(share));
    let mut checks = Vec::new();
    let mut add = |what: &str, found: String, fine| checks.push(Check { what: what.into(), found, fine });
    // Shares change in steps of an image.
    let Some(&some) = middle.first() else { return checks };
    let read = cell(Purpose::Study, some).attacked().count();
    if read == 0 {
        add("All images were misread before any attack", "there is nothing to check".into(), None);
        return checks;
    }
    let point = POINT.max(1.0 / read as f64) + 1e-9;

    for (norm, attacks) in part.bounded() {
        let shares: Vec<f64> = attacks.iter().map(|&a| fooled(Purpose::Study, a)).collect();
        let fall = shares.windows(2).map(|w| w[0] - w[1]).fold(0.0, f64::max);
        if let (Some(first), Some(last)) = (shares.first(), shares.last()) {
            let found = format!("{} to {}", percent(*first), percent(*last));
            add(&format!("Success does not fall as the {norm} budget grows"), found, Some(fall <= point));
        }
    }
    if let Some(at) = at {
        let unbounded = fooled(Purpose::Unbounded, Key { budget: Some(UNBOUNDED), ..at });
        add("Without a bound all are fooled (L∞ ≤ 1)", percent(unbounded), Some(unbounded >= 1.0 - point));
        let (many, one) = (fooled(Purpose::Study, at), fooled(Purpose::SingleStep, at));
        let found = format!("{}, {} at {}", percent(many), percent(one), at.title());
        add(&format!("{STEPS} steps do not do worse than one"), found, Some(many >= one));
    }
    for at in middle.iter().copied().filter(|key| !key.searches()) {
        let (once, twice) = (fooled(Purpose::Study, at), fooled(Purpose::DoubleSteps, at));
        let found = format!("{} → {} at {}", percent(once), percent(twice), at.title());
        add(
            "Twice the steps change success by at most a point, or an image",
            found,
            Some((twice - once).abs() <= point),
        );
    }
    for search in middle.iter().copied().filter(|key| key.searches() && !group.draws()) {
        let twice = cell(Purpose::DoubleSteps, search);
        let once = cell(Purpose::Study, search);
        let ratios = pairs(&once, &twice, |a, b| b.record.l2 / a.record.l2);
        let ratio = median(&ratios).value;
        let found = format!("median L2 × {}, on {} images", words::number(ratio, 3), ratios.len());
        let least = once.share(|l| l.record.success).value;
        add(
            &format!("{} finds an attack for all", search.title()),
            percent(least),
            Some(least >= 1.0 - point),
        );
        let converged = (ratio - 1.0).abs() <= POINT;
        add(
            &format!("Twice the iterations bring {} no nearer (1 %)", search.title()),
            found,
            (!ratios.is_empty()).then_some(converged),
        );
    }
    if let Some(at) = at {
        if !group.draws() {
            let square = Key { attack: &SQUARE, ..at };
            let cells = (&cell(Purpose::Study, at), &cell(Purpose::GradientFree, square));
            gradient_free(cells, part.part.dear(), at, &mut add);
        }
        transfer(part, group, at, &mut add);
    }
    if !group.draws() {
        quantized(part, group, &mut add);
    }
    let first = cell(Purpose::Study, some);
    let zeros: Vec<f64> = first.attacked().map(|l| l.record.zero_gradient.into()).collect();
    add("Pixels whose gradient is exactly 0", format!("{} (median)", percent(median(&zeros).value)), None);
    for attack in middle {
        let cell = cell(Purpose::Study, attack);
        let (kept, all) = (cell.fooled().filter(|l| l.record.survives_png).count(), cell.fooled().count());
        let found = format!("{kept} of {all}, {}", attack.title());
        add("Attacks that survive rounding to 8 bits", found, None);
    }
    checks
}

/// A value of each pair of records of the same image in which both attacks reached their goal.
fn pairs(a: &Cell<'_>, b: &Cell<'_>, value: impl Fn(&Line, &Line) -> f64) -> Vec<f64> {
    let (Some(a), Some(b)) = (a.seeds.first(), b.seeds.first()) else { return Vec::new() };
    let both = a.iter().flat_map(|a| {
        let other = b.iter().find(|b| b.record.index == a.record.index)?;
        (a.record.success && other.record.success).then(|| value(a, other))
    });
    both.collect()
}

/// An attack that asks for no gradient fools no image that the one which follows it does not.
fn gradient_free(
    (white, square): (&Cell<'_>, &Cell<'_>),
    images: usize,
    at: Key,
    add: &mut impl FnMut(&str, String, Option<bool>),
) {
    let first = |l: &&Line| l.record.index < images;
    let n = square.attacked().filter(first).count();
    let own: Vec<usize> = white.fooled().filter(first).map(|l| l.record.index).collect();
    let others: Vec<usize> = square.fooled().map(|l| l.record.index).collect();
    let alone = others.iter().filter(|i| !own.contains(i)).count();
    let found = format!(
        "{} against {} of {n} at {}; {alone} by the Square Attack alone",
        others.len(),
        own.len(),
        at.title()
    );
    let fine = others.len() <= own.len() && alone <= 1;
    add(&format!("White-box beats {QUERIES} queries without a gradient"), found, (n > 0).then_some(fine));
}

/// No other network's images fool this one more often than its own attack does.
fn transfer(part: &PartResults, group: &Group, at: Key, add: &mut impl FnMut(&str, String, Option<bool>)) {
    let own = part.cell(group, Purpose::Study, at);
    let (Some(own_lines), Some(entrant)) = (own.seeds.first(), group.entrants.first()) else { return };
    let name = entrant.name();
    // The other network, how often its images fool this one, on how many, and on how many this one's own attack fails.
    let mut best: Option<(String, f64, usize, usize)> = None;
    let others = part.part.entrants.iter().filter(|o| {
        o.precision == Stored::Int8 && (o.arch != entrant.arch || o.inference != entrant.inference)
    });
    for other in others {
        let lines = part.lines(other, Purpose::Study, at);
        let shown: Vec<_> = lines
            .iter()
            .filter_map(|l| {
                let own = own_lines.iter().find(|own| own.record.index == l.record.index)?;
                let hit = *l.replayed.get(&name)?;
                own.record.read_rightly().then_some((hit, own.record.success))
            })
            .collect();
        let hits = shown.iter().filter(|(hit, _)| *hit).count() as f64 / shown.len() as f64;
        let alone = shown.iter().filter(|(hit, own)| *hit && !own).count();
        if !shown.is_empty() && best.as_ref().is_none_or(|b| hits > b.1) {
            best = Some((other.name(), hits, shown.len(), alone));
        }
    }
    if let Some((from, hits, n, alone)) = best {
        let white = own.share(|l| l.record.success).value;
        let found = format!(
            "{:.1} % (from {from}) against {:.1} %; {alone} of {n} images by transfer alone",
            100.0 * hits,
            100.0 * white
        );
        let fine = hits <= white && alone as f64 <= (POINT * n as f64).max(1.0);
        add("White-box beats the best transfer, image by image", found, Some(fine));
    }
}

/// Attacks on the quantized network replayed on the one with weights in full, and the other way round.
fn quantized(part: &PartResults, group: &Group, add: &mut impl FnMut(&str, String, Option<bool>)) {
    let all = &part.part.entrants;
    let full = all.iter().find(|e| e.arch == group.spec.name && e.precision == Stored::F32);
    let int8 = |full: &Entrant| {
        let same = |e: &&Entrant| {
            e.network == full.network && e.precision == Stored::Int8 && e.inference == Inference::Mean
        };
        all.iter().find(same)
    };
    let Some((full, int8)) = full.and_then(|full| Some((full, int8(full)?))) else {
        add("Attacks on int8 weights work on f32 weights", "no f32 weights were there".into(), None);
        return;
    };
    for (what, from, to) in [
        ("Attacks on int8 weights work on f32 weights", int8, full),
        ("Attacks on f32 weights work on int8 weights", full, int8),
    ] {
        let found = part.part.middle().into_iter().map(|attack| {
            let lines = part.lines(from, Purpose::Study, attack);
            let made = lines.iter().filter(|l| l.record.success && l.replayed.contains_key(&to.name()));
            let kept = made.clone().filter(|l| l.replayed.get(&to.name()) == Some(&true)).count();
            format!("{kept} of {} {}", made.count(), attack.title())
        });
        add(what, found.collect::<Vec<_>>().join(", "), None);
    }
}
