//! The report of a study: what was decided, the tables, the figures, the checks.

mod curves;
pub mod defences;
mod density;
pub mod document;
mod examples;
mod figures;
mod prose;
mod summary;
mod tables;
mod verdicts;

use std::io::Write;
use std::path::Path;

use anyhow::Result;

use self::defences::Measured;
use self::document::{Block, Document};
use super::checks::{Check, checks};
use super::defended::{Peer, symbol};
use super::line::columns;
use super::plan::{Purpose, STEPS, SURE};
use super::results::{Group, PartResults, Results};
use super::run::World;
use super::words::{number, percent};
use crate::classifier::FRESH;
use crate::datasets::{self, Source};
use crate::metrics::grade::CONFIDENT;
use crate::metrics::norms::Norm;
use crate::native::files::{write_atomically, write_atomically_with};

/// Writes `report.md`, `report.html`, `figures/`, in short `summary.md`, and as data `curves.json` into `folder`, and answers the report. Examples are drawn when there is
/// a `world` to draw them from; those of faces only when `faces` are allowed.
///
/// # Errors
/// When something cannot be drawn or written.
pub fn write(
    results: &Results,
    measured: &Measured,
    world: Option<&World>,
    faces: bool,
    command: &str,
    folder: &Path,
) -> Result<Document> {
    let (document, summary) = report(results, measured, world, faces, command)?;
    for block in &document.blocks {
        if let Block::Figure { name, svg, .. } = block {
            write_atomically(&folder.join(format!("figures/{name}.svg")), svg.as_bytes())?;
        }
    }
    write_atomically(&folder.join("report.md"), document.markdown().as_bytes())?;
    let curves = format!("{}\n", curves::curves(results, command));
    write_atomically(&folder.join("curves.json"), curves.as_bytes())?;
    write_atomically(&folder.join("summary.md"), summary.markdown().as_bytes())?;
    write_atomically(&folder.join("report.html"), document.html("Misread: the study").as_bytes())?;
    Ok(document)
}

/// Writes `records.csv` beside the records.
///
/// # Errors
/// When it cannot be written.
pub fn write_csv(results: &Results, folder: &Path) -> Result<()> {
    write_atomically_with(&folder.join("records.csv"), |out| {
        writeln!(out, "{}", columns())?;
        for line in results.parts.iter().flat_map(PartResults::in_order) {
            writeln!(out, "{}", line.csv())?;
        }
        Ok(())
    })
}

fn report(
    results: &Results,
    measured: &Measured,
    world: Option<&World>,
    faces: bool,
    command: &str,
) -> Result<(Document, Document)> {
    let mut d = Document::default();
    d.heading(1, "Does the architecture decide how a network can be fooled?");
    let images: Vec<String> = results
        .parts
        .iter()
        .map(|p| {
            let networks: Vec<String> =
                p.groups().iter().map(|g| format!("{} ({})", g.title(), g.entrants.len())).collect();
            format!("{} images of {} on {}", p.part.images, p.title(), networks.join(", "))
        })
        .collect();
    d.text(format!(
        "White-box attacks on {}; in brackets the number of networks that were trained with seeds of their own. The smallest change \
         that fools is sought by the strongest attack, towards the next label (targeted) and to any wrong one (untargeted); gradients, at \
         most: {}. Of the three attacks at fixed budgets and as they are: {}; fixed budgets take all of them, searches end \
         at the closest success: confidences of the two cannot be compared. `{command}` makes this report.",
        images.join("; "),
        gradients(results),
        steps(results)
    ));
    if results.parts.iter().any(|p| !p.part.keys().is_empty() && !p.part.norms.is_empty()) {
        d.text(prose::MISSION);
    }
    if results.parts.iter().flat_map(PartResults::groups).any(|g| g.draws()) {
        d.text(format!(
            "A sampled VAE draws its latent vector anew for each answer. An attack on it descends the mean loss over {} fixed draws; \
             success, reading and confidence are those of {FRESH} fresh answers (success: at least half of them). L-BFGS, which \
             ends at the boundary, is asked for a probability of {SURE} on the draws that it knows. Of the smallest change that the \
             strongest attack finds nothing is said of it: verdicts are of VAEs that read the mean of their latent vector.",
            results.plan.eot
        ));
    }
    let checked: Vec<Checked> = results.parts.iter().map(|part| all_checks(part, measured)).collect();
    let (h0, h1) = (verdicts::all_h0(results), verdicts::all_h1(results));
    let densities = verdicts::all_densities(results);
    verdicts::verdicts(&mut d, results, &checked, (&h0, &h1, &densities));
    tables::inferences(&mut d, results);
    density::table(&mut d, results);
    defences::table(&mut d, results, measured, verdicts::d1(&densities));
    for (place, part) in results.parts.iter().enumerate().filter(|(_, p)| p.dataset.density_of.is_none()) {
        data_set(&mut d, results, (part, &checked[place]), world.map(|w| (w, place)), faces)?;
    }
    let short = summary::summary(&d, results, (&h1, &densities));
    Ok((d, short))
}

/// The most gradients of a search, in words.
fn gradients(results: &Results) -> String {
    let of = |p: &PartResults| {
        let [first, rest @ ..] = p.part.gradients;
        let each =
            Norm::ALL.map(|norm| format!("{} under {}", p.part.gradients[norm as usize], norm.symbol()));
        let said = if rest == [first; 2] { first.to_string() } else { each.join(", ") };
        format!("{said} ({})", p.dataset.nouns[1])
    };
    let mut all: Vec<String> = results.parts.iter().map(of).collect();
    // The same photographs at other densities are other data sets.
    all.dedup();
    all.join("; ")
}

/// How many steps the attacks take, in words.
fn steps(results: &Results) -> String {
    let other = results.parts.iter().filter(|p| p.dataset.study.steps_l1 != STEPS);
    let other: Vec<String> =
        other.map(|p| format!("L1 on {}: {}", p.dataset.nouns[1], p.dataset.study.steps_l1)).collect();
    let besides = if other.is_empty() { String::new() } else { format!(" ({})", other.join(", ")) };
    format!("{STEPS} steps{besides}")
}

/// The checks of each group that was checked.
type Checked = Vec<(Group, Vec<Check>)>;

/// The checks of all groups that are checked.
fn all_checks(part: &PartResults, measured: &Measured) -> Checked {
    let checked = part.groups().into_iter().filter(|g| g.entrants.iter().any(|e| e.checked));
    let all = checked.map(|group| {
        let of = |peer: &&Peer| !group.draws() && group.entrants.iter().any(|e| e.network == peer.network);
        let beside = measured.peers.iter().filter(of).map(beside);
        (group.clone(), checks(part, &group).into_iter().chain(beside).collect())
    });
    all.collect()
}

/// What was found beside other people's attacks, as a check.
fn beside(peer: &Peer) -> Check {
    let versions: Vec<String> =
        peer.versions.iter().map(|(package, version)| format!("{package} {version}")).collect();
    let symbol = symbol(&peer.norm);
    Check {
        what: format!(
            "The strongest attack comes as near as the best of {} ({})",
            peer.attacks.join(", "),
            versions.join(", ")
        ),
        found: format!(
            "median {symbol} × {}; over 5 % farther on {} %, nearer on {} % of {} images from number {} on, {} gradients",
            number(peer.ratio, 3),
            percent(peer.farther),
            percent(peer.nearer),
            peer.images,
            peer.first,
            peer.gradients
        ),
        // As what is sought without a budget: an image in twenty.
        fine: Some(peer.ratio <= 1.01 && peer.farther <= 0.05),
    }
}

fn data_set(
    d: &mut Document,
    results: &Results,
    (part, checked): (&PartResults, &[(Group, Vec<Check>)]),
    world: Option<(&World, usize)>,
    faces: bool,
) -> Result<()> {
    let name = part.dataset.name;
    let groups = part.groups();
    let photographs = matches!(part.dataset.source, Source::Photographs);
    // Tables 2 and 3 are those of digits and of faces in the study that this one follows.
    let number = 2 + datasets::ALL.iter().position(|d| d.name == name).unwrap_or(0);
    d.heading(2, format!("Table {number}: {} ({})", part.dataset.nouns[1], part.dataset.title));
    let (measure, threshold) = part.dataset.validity.measure();
    let bound = if measure == "l2" { "an L2 of at most" } else { "an SSIM of at least" };
    let valid = format!("{bound} {threshold}");
    d.text(format!(
        "Of the images that a network reads rightly. Norms are in pixel units of [0, 1], medians with quartiles over the fooled; \
         valid: {valid}; confident: at least {CONFIDENT}. High is valid and confident, moderate confident alone, low valid alone, \
         ineffective neither. Intervals are of 95 % (Wilson's, for the number of images); where several networks were trained, \
         shares are of all of them and “seeds” is the range over them.{}",
        prose::calibration(part, world)
    ));
    for group in &groups {
        tables::table(d, part, group);
    }
    d.heading(3, format!("Figures: {}", part.title()));
    if let Some((world, place)) = world.filter(|_| faces || !photographs)
        && let Some(svg) = examples::figure(part, world, place)?
    {
        d.figure(
            &format!("examples-{name}"),
            svg,
            format!(
                "Figure 2, {}: an image under each attack on each network, and what was added, magnified.",
                part.title()
            ),
        );
    }
    let norms = part.part.norms();
    let mean: Vec<Group> = groups.iter().filter(|g| !g.draws()).cloned().collect();
    for (file, words, purpose) in
        [("success", "Figure 3", Purpose::Smallest), ("robust", "Figure 4", Purpose::Untargeted)]
    {
        if norms.is_empty() {
            continue;
        }
        let svg = figures::curves(part, &mean, purpose)?;
        let what = match purpose {
            Purpose::Smallest => {
                "share of the images read rightly that some change within the budget turns into the next label"
            }
            _ => {
                "robust accuracy, the share of all images that are read rightly whatever is done within the budget (untargeted)"
            }
        };
        let caption = format!("{words}, {}: {what}, with 95 % intervals.", part.title());
        d.figure(&format!("{file}-{name}"), svg, caption);
    }
    if !norms.is_empty() {
        let svg = figures::high(part, &mean)?;
        d.figure(
            &format!("high-{name}"),
            svg,
            format!(
                "Figure 5, {}: the share graded high as the threshold of validity moves: the closest image of which a network is {} % \
                 sure still looks like the original. The grey line is where this report draws it.",
                part.title(),
                100.0 * CONFIDENT
            ),
        );
        tables::robust(d, part, &mean);
        tables::grades(d, part, &mean);
        tables::sweep(d, part, &mean);
    }
    tables::checklist(d, part, checked);
    if results.plan.seed.is_some() {
        d.text("The iterative attacks started at random points.");
    }
    Ok(())
}
