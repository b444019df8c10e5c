//! What an honest evaluation owes (Carlini et al. 2019, "On Evaluating Adversarial Robustness"; Athalye et al. 2018),
//! computed from the records of the networks on which checks are made.

use super::line::Line;
use super::plan::{Entrant, Key, Purpose, QUERIES, STEPS, Stored, UNBOUNDED};
use super::results::{Cell, Group, PartResults};
use super::words;
use crate::attack::hopskipjump::HOPSKIPJUMP;
use crate::attack::linf::LINF;
use crate::attack::square::SQUARE;
use crate::classifier::Inference;
use crate::metrics::norms::Norm;
use crate::metrics::statistics::{median, quartiles};

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

/// By how much success may fall when a budget grows; at least by an image. And by how much, as a share, one smallest change may
/// exceed another before it counts as larger.
const POINT: f64 = 0.01;

/// The checks of a group, on the network that they are made on.
pub fn checks(part: &PartResults, group: &Group) -> Vec<Check> {
    let checked = group.entrants.iter().filter(|e| e.checked).cloned().collect();
    let group = &Group { entrants: checked, ..group.clone() };
    let middle = part.part.middle();
    let at = part.part.middle_of(&LINF);
    let cell = |purpose, attack| part.alone(group, purpose, attack);
    let fooled = |purpose, attack| cell(purpose, attack).share(|l| l.record.success).value;
    let percent = |share: f64| format!("{} %", words::percent(share));
    let mut checks = Vec::new();
    let mut add = |what: &str, found: String, fine| checks.push(Check { what: what.into(), found, fine });
    // Shares change in steps of an image.
    let norms = if group.draws() { Vec::new() } else { part.part.norms() };
    let some = norms.first().map(|norm| (Purpose::Smallest, Key::smallest(*norm)));
    let Some((purpose, key)) = middle.first().map(|key| (Purpose::Study, *key)).or(some) else {
        return checks;
    };
    let first = cell(purpose, key);
    let read = first.attacked().count();
    if read == 0 {
        add("All images were misread before any attack", "there is nothing to check".into(), None);
        return checks;
    }
    let point = POINT.max(1.0 / read as f64) + 1e-9;

    for attacks in part.part.series() {
        let Some(norm) = attacks.first().filter(|key| !key.searches()).map(|key| key.norm.symbol()) else {
            continue;
        };
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
    for search in middle.iter().copied().filter(|key| key.searches() && !group.draws()) {
        let least = fooled(Purpose::Study, search);
        let what = format!("{} finds an attack for all", search.title());
        add(&what, percent(least), Some(least >= 1.0 - point));
    }
    for &norm in &norms {
        let smallest = cell(Purpose::Smallest, Key::smallest(norm));
        let least = smallest.share(|l| l.record.success).value;
        let what = format!("Without a budget an attack is found for all ({})", norm.symbol());
        add(&what, percent(least), Some(least >= 1.0 - 1e-9));
        // Where it is, verdicts and figures take the nearer of the two.
        let what = "Any wrong label is no farther than the next";
        nearer(&smallest, &cell(Purpose::Untargeted, Key::smallest(norm)), norm, (what, false), &mut add);
        // What the other attacks found in this norm lies no nearer.
        for key in part.part.keys().into_iter().filter(|key| key.norm == norm && key.searches()) {
            let what = format!("The strongest attack comes as near as {}", key.title());
            nearer(&cell(Purpose::Study, key), &smallest, norm, (&what, true), &mut add);
        }
        let asked = cell(Purpose::DecisionBased, Key { attack: &HOPSKIPJUMP, norm, budget: None });
        let what = format!("White-box comes nearer than {QUERIES} questions for the label alone");
        nearer(&asked, &smallest, norm, (&what, true), &mut add);
    }
    for at in middle.iter().copied().filter(|key| norms.contains(&key.norm)) {
        let Some(budget) = at.budget.map(f64::from) else { continue };
        let smallest =
            cell(Purpose::Smallest, Key::smallest(at.norm)).where_there_are(&cell(Purpose::Study, at));
        let (own, all) = (smallest.fooled_within(at.norm, budget).value, fooled(Purpose::Study, at));
        let what = format!("The strongest attack fools as many as {}", at.attack.title);
        add(&what, format!("{}, {} at {}", percent(own), percent(all), at.title()), Some(own >= all - point));
    }
    if let Some(at) = at {
        if !group.draws() {
            let square = Key { attack: &SQUARE, ..at };
            let white = white(part, group, at);
            gradient_free((&white, &cell(Purpose::GradientFree, square)), at, &mut add);
        }
        transfer(part, group, at, &mut add);
    }
    if !group.draws() {
        quantized(part, group, &mut add);
    }
    let zeros: Vec<f64> = first.attacked().map(|l| l.record.zero_gradient.into()).collect();
    add("Pixels whose gradient is exactly 0", format!("{} (median)", percent(median(&zeros).value)), None);
    let stored = middle.into_iter().map(|key| (Purpose::Study, key));
    let graded = norms.iter().map(|norm| (Purpose::Graded, Key::smallest(*norm)));
    for (purpose, attack) in stored.chain(graded) {
        let cell = cell(purpose, attack);
        let sure = if purpose == Purpose::Graded { ", sure" } else { "" };
        let (kept, all) = (cell.fooled().filter(|l| l.record.survives_png).count(), cell.fooled().count());
        let found = format!("{kept} of {all}, {}{sure}", attack.title());
        add("Attacks that survive rounding to 8 bits", found, None);
    }
    checks
}

/// Which images of the first network of a group are fooled at a budget, by the number of the image: by the smallest change that is
/// known, or where none was sought by the attack itself.
fn white(part: &PartResults, group: &Group, at: Key) -> Vec<(usize, bool)> {
    let smallest = part.alone(group, Purpose::Smallest, Key::smallest(at.norm));
    let known = smallest.seeds.iter().any(|lines| !lines.is_empty());
    let cell = if known { smallest } else { part.cell(group, Purpose::Study, at) };
    let fooled = |l: &&Line| match at.budget {
        Some(budget) if known => l.within(at.norm, budget.into()),
        _ => l.record.success,
    };
    let first = cell.seeds.first().into_iter().flatten();
    first.filter(|l| l.record.read_rightly()).map(|l| (l.record.index, fooled(l))).collect()
}

/// How much larger the second's smallest change is than the first's, image by image, on the first network, where the first reached
/// its goal; infinite where the second did not.
fn ratios(first: &Cell<'_>, second: &Cell<'_>, norm: Norm) -> Vec<f64> {
    let (Some(a), Some(b)) = (first.seeds.first(), second.seeds.first()) else { return Vec::new() };
    let ratio = |a: &&Line| {
        let b = b.iter().find(|b| b.record.index == a.record.index)?;
        let [a, b] = [a, b].map(|l| l.record.success.then(|| norm.of(&l.norms())));
        Some(b.unwrap_or(f64::INFINITY) / a?)
    };
    a.iter().filter_map(ratio).collect()
}

/// The second attack comes at least as near as the first, image by image.
fn nearer(
    first: &Cell<'_>,
    second: &Cell<'_>,
    norm: Norm,
    (what, told): (&str, bool),
    add: &mut impl FnMut(&str, String, Option<bool>),
) {
    let ratios = ratios(first, second, norm);
    if ratios.is_empty() {
        return;
    }
    let farther = ratios.iter().filter(|ratio| **ratio > 1.0 + POINT).count();
    let found = format!(
        "median {} × {}; farther (by more than 1 %) on {farther} of {} images",
        norm.symbol(),
        words::number(median(&ratios).value, 3),
        ratios.len()
    );
    // One image in twenty: no search for the smallest is sure to find it.
    add(what, found, told.then_some(20 * farther <= ratios.len()));
}

/// An attack that asks for no gradient fools no image that the one which follows it does not.
fn gradient_free(
    (white, square): (&[(usize, bool)], &Cell<'_>),
    at: Key,
    add: &mut impl FnMut(&str, String, Option<bool>),
) {
    let asked: Vec<(usize, bool)> = square.attacked().map(|l| (l.record.index, l.record.success)).collect();
    let own = |index: usize| white.iter().any(|&(i, fooled)| i == index && fooled);
    let (hits, n) = (asked.iter().filter(|(_, hit)| *hit).count(), asked.len());
    let followed = asked.iter().filter(|(i, _)| own(*i)).count();
    let alone = asked.iter().filter(|(i, hit)| *hit && !own(*i)).count();
    let found =
        format!("{hits} against {followed} of {n} at {}; {alone} by the Square Attack alone", at.title());
    let fine = hits <= followed && alone <= 1;
    add(&format!("White-box beats {QUERIES} queries without a gradient"), found, (n > 0).then_some(fine));
}

/// No other network's images fool this one more often than its own attack does.
fn transfer(part: &PartResults, group: &Group, at: Key, add: &mut impl FnMut(&str, String, Option<bool>)) {
    let own = white(part, group, at);
    let Some(entrant) = group.entrants.first() else { return };
    let name = entrant.name();
    // The other network, how often its images fool this one, how often its own do, on how many, and on how many these alone fail.
    let mut best: Option<(String, f64, f64, usize, usize)> = None;
    let others = part.part.entrants.iter().filter(|o| {
        o.precision == Stored::Int8 && (o.arch != entrant.arch || o.inference != entrant.inference)
    });
    for other in others {
        let lines = part.lines(other, Purpose::Study, at);
        let shown: Vec<_> = lines
            .iter()
            .filter_map(|l| {
                let (_, fooled) = own.iter().find(|(index, _)| *index == l.record.index)?;
                Some((*l.replayed.get(&name)?, *fooled))
            })
            .collect();
        let share = |hits: usize| hits as f64 / shown.len() as f64;
        let hits = share(shown.iter().filter(|(hit, _)| *hit).count());
        let white = share(shown.iter().filter(|(_, own)| *own).count());
        let alone = shown.iter().filter(|(hit, own)| *hit && !own).count();
        if !shown.is_empty() && best.as_ref().is_none_or(|b| hits > b.1) {
            best = Some((other.name(), hits, white, shown.len(), alone));
        }
    }
    if let Some((from, hits, white, n, alone)) = best {
        let found = format!(
            "{:.1} % (from {from}) against {:.1} %; {alone} of {n} images by transfer alone",
            100.0 * hits,
            100.0 * white
        );
        let fine = hits <= white && alone as f64 <= (POINT * n as f64).max(1.0);
        add("White-box beats the best transfer, image by image", found, Some(fine));
    }
}

/// How the smallest changes of two networks compare, image by image.
fn similar(
    first: &Cell<'_>,
    second: &Cell<'_>,
    norm: Norm,
    what: &str,
    add: &mut impl FnMut(&str, String, Option<bool>),
) {
    let ratios: Vec<f64> =
        ratios(first, second, norm).into_iter().filter(|ratio| ratio.is_finite()).collect();
    if !ratios.is_empty() {
        let [low, middle, high] = quartiles(&ratios);
        let [low, middle, high] = [low, middle, high].map(|q| words::number(q, 3));
        add(what, format!("{} × {middle} ({low}–{high}), on {} images", norm.symbol(), ratios.len()), None);
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
    for norm in part.part.norms() {
        let [of_int8, of_full] = [int8, full].map(|e| part.lines(e, Purpose::Smallest, Key::smallest(norm)));
        let (of_int8, of_full) = (Cell { seeds: vec![of_int8] }, Cell { seeds: vec![of_full] });
        let what = "The smallest change is that of f32 weights";
        similar(&of_full, &of_int8, norm, what, add);
    }
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
