//! The report of a study: what was decided, the tables, the figures, the checks.

use std::io::Write;
use std::path::Path;

use anyhow::Result;

use super::checks::{Check, checks};
use super::document::{Block, Document};
use super::hypotheses::{Comparison, Family, Measure, Verdict, h0, h1};
use super::line::COLUMNS;
use super::plan::{Purpose, Reads, STEPS, STEPS_L1_DIGITS, SURE};
use super::results::{Attack, Group, PartResults, Results};
use super::run::World;
use super::words::{NONE, interval, number, percent, quartiles};
use super::{examples, figures};
use crate::arch::{LFW, MNIST, Validity};
use crate::metrics::grade::{CONFIDENT, Grade};
use crate::metrics::ssim::ssim;
use crate::metrics::statistics::{Interval, median};
use crate::native::files::{write_atomically, write_atomically_with};
use crate::study::FRESH;

/// Writes `report.md`, `report.html` and `figures/` into `folder`, and answers the report. Examples are drawn when there is
/// a `world` to draw them from; those of faces only when `faces` are allowed.
///
/// # Errors
/// When something cannot be drawn or written.
pub fn write(
    results: &Results,
    world: Option<&World>,
    faces: bool,
    command: &str,
    folder: &Path,
) -> Result<Document> {
    let document = report(results, world, faces, command)?;
    for block in &document.blocks {
        if let Block::Figure { name, svg, .. } = block {
            write_atomically(&folder.join(format!("figures/{name}.svg")), svg.as_bytes())?;
        }
    }
    write_atomically(&folder.join("report.md"), document.markdown().as_bytes())?;
    write_atomically(&folder.join("report.html"), document.html("Misread: the study").as_bytes())?;
    Ok(document)
}

/// Writes `records.csv` beside the records.
///
/// # Errors
/// When it cannot be written.
pub fn write_csv(results: &Results, folder: &Path) -> Result<()> {
    write_atomically_with(&folder.join("records.csv"), |out| {
        writeln!(out, "{COLUMNS}")?;
        for line in results.parts.iter().flat_map(PartResults::in_order) {
            writeln!(out, "{}", line.csv())?;
        }
        Ok(())
    })
}

/// What must be known of the study's L1 attack before its figures are read.
const WEAK_L1: &str = "**Under L1 nothing is decided here.** The study's attacks are the three that it names, under L1 in a sparse \
    form that always moves a twentieth of the pixels, and they are not the strongest: Auto-PGD under L1 fools about twice as many \
    digits at small budgets, and turns comparisons round. Verdicts on digits that rest on L∞ and L2 stand with the stronger \
    attacks (`attack --attack strongest`, the lab); what is said of L1 does not.";

fn report(results: &Results, world: Option<&World>, faces: bool, command: &str) -> Result<Document> {
    let mut d = Document::default();
    d.heading(1, "Does the architecture decide how a network can be fooled?");
    let images: Vec<String> = results
        .parts
        .iter()
        .map(|p| {
            let networks: Vec<String> =
                p.groups().iter().map(|g| format!("{} ({})", g.title(), g.entrants.len())).collect();
            format!(
                "{} images of {} under {} attacks on {}",
                p.part.images,
                p.title(),
                p.attacks().len(),
                networks.join(", ")
            )
        })
        .collect();
    d.text(format!(
        "White-box, targeted attacks (towards the next label) on {}; in brackets the number of networks that were trained with \
         seeds of their own. {STEPS} steps (L1 on digits: {STEPS_L1_DIGITS}); fixed budgets take all of them, L-BFGS ends at the closest success: confidences of \
         the two cannot be compared. `{command}` makes this report.",
        images.join("; ")
    ));
    if results.parts.iter().any(|p| !p.part.budgets.l1.is_empty()) {
        d.text(WEAK_L1);
    }
    if results.parts.iter().flat_map(PartResults::groups).any(|g| g.reading == Reads::Sampled) {
        d.text(format!(
            "A sampled VAE draws its latent vector anew for each answer. An attack on it descends the mean loss over {} fixed draws; \
             success, reading and confidence are those of {FRESH} fresh answers (success: at least half of them). L-BFGS, which \
             ends at the boundary, is asked for a probability of {SURE} on the draws that it knows: its distances are not \
             compared with those of other networks.",
            results.plan.eot
        ));
    }
    let checked: Vec<Checked> = results.parts.iter().map(all_checks).collect();
    verdicts(&mut d, results, &checked, (&all_h0(results), &all_h1(results)));
    inferences(&mut d, results);
    for (place, part) in results.parts.iter().enumerate() {
        data_set(&mut d, results, (part, &checked[place]), world.map(|w| (w, place)), faces)?;
    }
    Ok(d)
}

/// The checks of each group that was checked.
type Checked = Vec<(Group, Vec<Check>)>;

/// A VAE beside a plain network on a data set.
struct H0<'a> {
    part: &'a PartResults,
    vae: Group,
    plain: Group,
    family: Family,
}

/// Every VAE beside every plain network.
fn all_h0(results: &Results) -> Vec<H0<'_>> {
    let mut all = Vec::new();
    for part in &results.parts {
        let (vaes, plain): (Vec<Group>, Vec<Group>) =
            part.groups().into_iter().partition(|g| g.arch.vae.is_some());
        for vae in vaes {
            for plain in &plain {
                let family = h0(part, &vae, plain);
                all.push(H0 { part, vae: vae.clone(), plain: plain.clone(), family });
            }
        }
    }
    all
}

/// An architecture on both data sets.
fn all_h1(results: &Results) -> Vec<(Group, Group, Family)> {
    let of = |name: &str| results.parts.iter().find(|p| p.dataset.name == name);
    let (Some(low), Some(high)) = (of(MNIST.name), of(LFW.name)) else { return Vec::new() };
    let pair = |group: Group| {
        let other = high.group(group.kind())?;
        let family = h1((high, &other), (low, &group));
        (!family.comparisons.is_empty()).then_some((other, group, family))
    };
    low.groups().into_iter().filter(|g| g.reading == Reads::Mean).filter_map(pair).collect()
}

/// The checks of all groups that are checked.
fn all_checks(part: &PartResults) -> Checked {
    let checked = part.groups().into_iter().filter(|g| g.entrants.iter().any(|e| e.checked));
    checked.map(|group| (group.clone(), checks(part, &group))).collect()
}

/// Which of the checks of these groups failed, in words; empty when none did.
fn failed(checked: &[Checked], groups: &[&Group]) -> String {
    let of = |group: &&&Group| {
        let same = |g: &Group| g.arch.name == group.arch.name && g.reading == group.reading;
        let all = checked.iter().flatten().filter(|(g, _)| same(g)).flat_map(|(_, checks)| checks);
        match all.filter(|c| c.fine == Some(false)).count() {
            0 => None,
            n => Some(format!("{n} of the {}", group.title())),
        }
    };
    let words: Vec<String> = groups.iter().filter_map(|g| of(&g)).collect();
    if words.is_empty() {
        String::new()
    } else {
        format!("; checks that failed, see below: {}", words.join(", "))
    }
}

/// Every VAE beside every plain network, and every architecture on both data sets.
type Decided<'a, 'b> = (&'a [H0<'b>], &'a [(Group, Group, Family)]);

fn verdicts(d: &mut Document, results: &Results, checked: &[Checked], (h0, h1): Decided<'_, '_>) {
    d.heading(2, "What was decided");
    let mut said = Vec::new();
    for h in h0.iter().filter(|h| h.plain.kind() == "cnn") {
        let name = format!("H0 on {} for the {}", h.part.title(), h.vae.title());
        said.push(sentence(
            &name,
            &h.family,
            [Verdict::Stronger, Verdict::Weaker],
            "the VAE",
            "the CNN",
            (&[&h.vae, &h.plain], checked),
        ));
    }
    // A VAE differs from a CNN in more than that it is one; from a plain network of its own layers in nothing else.
    let control = |h: &&H0| h.plain.arch.layers == h.vae.arch.layers && h.vae.reading == Reads::Mean;
    for h in h0.iter().filter(control) {
        let name = format!(
            "H0 on {} for the {}, beside its own layers as a plain network ({}),",
            h.part.title(),
            h.vae.title(),
            h.plain.title()
        );
        said.push(sentence(
            &name,
            &h.family,
            [Verdict::Stronger, Verdict::Weaker],
            "the VAE",
            "the plain network",
            (&[&h.vae, &h.plain], checked),
        ));
    }
    for (high, low, family) in h1 {
        let name = format!("H1 for the {}", low.title());
        said.push(sentence(
            &name,
            family,
            [Verdict::Weaker, Verdict::Stronger],
            "faces",
            "digits",
            (&[high, low], checked),
        ));
    }
    if said.is_empty() {
        d.text("Nothing: H0 needs a VAE and a CNN, H1 both data sets.");
        return;
    }
    d.blocks.push(Block::Items(said));
    d.text(
        "H0: a VAE classifier is less vulnerable than a CNN. H1: attacks on high pixel density (LFW, 154 × 154 in colour) are more \
         effective than on low (MNIST, 28 × 28, grey). Each pair of networks has a family of comparisons, one for each attack and \
         budget: of the shares that are fooled (sign test over images; McNemar's exact test where there is one network each) and of \
         the smallest L2 that L-BFGS finds (Wilcoxon's signed-rank test); between data sets, at the same budget a pixel and by the \
         L2 a pixel, Wilcoxon's rank-sum test. Student's t test over the networks has to reject too (the p-value is the larger of \
         the two); where there is one network of a kind it cannot be made, and the verdict is of these networks alone. P-values \
         are Holm's over the family; families are not corrected against each other. Intervals are 95 % bootstrap \
         intervals that draw networks as well as images. A comparison speaks when its corrected p is below 0.05 and its interval is \
         on one side; a hypothesis holds when comparisons speak and all of them for it, fails when all speak against it, and is \
         undecided otherwise.",
    );
    if !h1.is_empty() {
        d.text(
            "The data sets differ in more than density: in colour, content, number of labels, and so in their networks. H1 can hold \
             without density being the cause. “A pixel” is one number of an image, colours counted apart.",
        );
    }
    comparisons(d, results, h0, h1);
}

/// One sentence of a verdict; `for_it` are the verdicts for and against the hypothesis.
fn sentence(
    name: &str,
    family: &Family,
    [for_it, against]: [Verdict; 2],
    first: &str,
    second: &str,
    (groups, checked): (&[&Group], &[Checked]),
) -> String {
    if family.comparisons.is_empty() {
        return format!("**{name} is undecided**: no comparison could be made.");
    }
    let few = groups.iter().any(|g| g.entrants.len() < 3);
    let verdict = match family.verdict() {
        v if v == for_it => "holds",
        v if v == against => "fails",
        _ => "is undecided",
    };
    let these = if few && family.verdict() != Verdict::Undecided { " for these networks" } else { "" };
    let (pro, contra, all) = (family.count(for_it), family.count(against), family.comparisons.len());
    let mut text =
        format!("**{name} {verdict}{these}**: of {all} comparisons {pro} speak for it, {contra} against");
    let loud = family.comparisons.iter().filter(|c| c.verdict() != Verdict::Undecided);
    let shares = loud.filter(|c| c.measure == Measure::Fooled);
    if let Some(c) = shares.max_by(|a, b| a.effect.value.abs().total_cmp(&b.effect.value.abs())) {
        let are = if first == "faces" { "are" } else { "is" };
        text += &format!("; at {}, {first} {are} fooled {} than {second}", c.title, more_or_less(c.effect));
    }
    if let Some(c) = family.comparisons.iter().find(|c| c.measure == Measure::Distance) {
        let Interval { value, low, high } = c.effect;
        text += &format!(
            "; {} of {first}: {} [{}, {}] times that of {second}",
            c.title,
            number(value, 2),
            number(low, 2),
            number(high, 2)
        );
    }
    text += &failed(checked, groups);
    if few {
        let counts: Vec<String> = groups.iter().map(|g| g.entrants.len().to_string()).collect();
        text += &format!(
            " (networks: {}; so few do not tell an architecture from a lucky initialisation)",
            counts.join(" and ")
        );
    }
    text + "."
}

/// A difference of shares in words.
fn more_or_less(effect: Interval) -> String {
    let (word, sign) = if effect.value < 0.0 { ("less", -1.0) } else { ("more", 1.0) };
    let [a, b] = [sign * effect.low, sign * effect.high];
    let bounds = format!("{} to {}", percent(a.min(b)), percent(a.max(b)));
    format!("{} points {word} often [{bounds}]", percent(sign * effect.value))
}

fn comparisons(d: &mut Document, results: &Results, h0: &[H0<'_>], h1: &[(Group, Group, Family)]) {
    let verdict = |v: Verdict| match v {
        Verdict::Stronger => "first is stronger",
        Verdict::Weaker => "first is weaker",
        Verdict::Undecided => NONE,
    };
    let rows = |family: &Family| -> Vec<Vec<String>> {
        let row = |c: &Comparison| {
            let seeds = c.over_seeds.map_or(NONE.into(), |(low, high)| match c.measure {
                Measure::Fooled => format!("{:+.1} to {:+.1}", 100.0 * low, 100.0 * high),
                Measure::Distance => format!("× {low:.2} to {high:.2}"),
            });
            vec![
                format!("{} – {}", family.first, family.second),
                c.title.clone(),
                c.effect(),
                seeds,
                if c.left_out == 0 {
                    c.images.to_string()
                } else {
                    format!("{} ({} not fooled)", c.images, c.left_out)
                },
                p_value(c.adjusted),
                verdict(c.verdict()).into(),
            ]
        };
        family.comparisons.iter().map(row).collect()
    };
    let head =
        ["first – second", "attack", "effect [95 %]", "over pairs of seeds", "images", "p (Holm)", "says"];
    for part in &results.parts {
        let all: Vec<Vec<String>> =
            h0.iter().filter(|h| std::ptr::eq(h.part, part)).flat_map(|h| rows(&h.family)).collect();
        if !all.is_empty() {
            d.heading(3, format!("H0 on {}, attack by attack", part.title()));
            d.text("Points by which the first is fooled more often (above 0: it is the weaker), or its L2 over that of the second (below 1: it is the weaker).");
            d.table(&head, all);
        }
    }
    let all: Vec<Vec<String>> = h1.iter().flat_map(|(_, _, family)| rows(family)).collect();
    if !all.is_empty() {
        d.heading(3, "H1, attack by attack");
        d.table(&head, all);
    }
}

fn p_value(p: f64) -> String {
    if p < 0.0001 { "< 0.0001".into() } else { format!("{p:.4}") }
}

/// What H0 and H1 say of each kind of network at each density, beside what was measured.
fn inferences(d: &mut Document, results: &Results) {
    let mut rows = Vec::new();
    for part in &results.parts {
        let density = if part.dataset.name == LFW.name { "high" } else { "low" };
        for group in part.groups().iter().filter(|g| ["cnn", "vae", "conv-vae"].contains(&g.kind())) {
            if group.reading != Reads::Mean {
                continue;
            }
            let expected = match (group.kind() == "cnn", density) {
                (false, "low") => "the least vulnerable of all",
                (false, _) => "less than the CNN here, more than VAEs at low density",
                (true, "low") => "more than VAEs here, less than CNNs at high density",
                (true, _) => "the most vulnerable of all",
            };
            let mut row = vec![format!("{}, {density} density", group.title()), expected.into()];
            let closest = part.cell(group, Purpose::Study, Attack::Lbfgs);
            let a_pixel = (part.dataset.pixels() as f64).sqrt();
            row.push(number(closest.quartiles(|l| l.record.l2 / a_pixel)[1], 4));
            for budget in [0.02, 0.05] {
                let cell = part.cell(group, Purpose::Study, Attack::Linf(budget));
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
    let shares: Vec<String> =
        Attack::middle(&part.part.budgets).into_iter().map(|a| percent(of(a))).collect();
    shares.join(" / ")
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
    let lfw = name == LFW.name;
    d.heading(
        2,
        format!("Table {}: {}", if lfw { 3 } else { 2 }, if lfw { "faces (LFW)" } else { "digits (MNIST)" }),
    );
    let valid = match part.dataset.validity {
        Validity::L2AtMost(most) => format!("an L2 of at most {most}"),
        Validity::SsimAtLeast(least) => format!("an SSIM of at least {least}"),
    };
    d.text(format!(
        "Of the images that a network reads rightly. Norms are in pixel units of [0, 1], medians with quartiles over the fooled; \
         valid: {valid}; confident: at least {CONFIDENT}. High is valid and confident, moderate confident alone, low valid alone, \
         ineffective neither. Intervals are of 95 % (Wilson's, for the number of images); where several networks were trained, \
         shares are of all of them and “seeds” is the range over them.{}",
        calibration(part, world)
    ));
    for group in &groups {
        table(d, part, group);
    }
    d.heading(3, format!("Figures: {}", part.title()));
    if let Some((world, place)) = world.filter(|_| faces || !lfw)
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
    if part.attacks().iter().any(|a| *a != Attack::Lbfgs) {
        let svg = figures::curves(part, &groups, ("fooled", figures::LOWER_RIGHT), |cell| {
            cell.share(|l| l.record.success)
        })?;
        d.figure(
            &format!("success-{name}"),
            svg,
            format!("Figure 3, {}: success against the budget, with 95 % intervals.", part.title()),
        );
        let svg =
            figures::curves(part, &groups, ("robust accuracy", figures::UPPER_RIGHT), |cell| cell.robust())?;
        d.figure(
            &format!("robust-{name}"),
            svg,
            format!("Figure 4, {}: robust accuracy, the share of all images that are read rightly under the attack, which is targeted: an \
                 untargeted one leaves no more.", part.title()),
        );
    }
    let mean: Vec<Group> = groups.iter().filter(|g| g.reading == Reads::Mean).cloned().collect();
    let svg = figures::quadrants(part, &mean, CONFIDENT)?;
    d.figure(
        &format!("quadrants-{name}"),
        svg,
        format!(
            "Figure 5, {}: confidence against validity of the first {} fooled of each; the thresholds part the four grades.",
            part.title(),
            figures::POINTS
        ),
    );
    sweep(d, part, &groups);
    checklist(d, part, checked);
    if results.plan.seed.is_some() {
        d.text("The iterative attacks started at random points.");
    }
    Ok(())
}

/// What the threshold of faces means, in words: the SSIM that uniform noise of 8/255, which is plainly visible, leaves.
fn calibration(part: &PartResults, world: Option<(&World, usize)>) -> String {
    let (Some((world, place)), Validity::SsimAtLeast(_)) = (world, part.dataset.validity) else {
        return String::new();
    };
    let ready = &world.parts[place];
    let of = |image: &crate::native::images::Image| {
        let mut rng = fastrand::Rng::with_seed(image.index as u64);
        let noisy = |x: &f32| (x + 8.0 / 255.0 * (2.0 * rng.f32() - 1.0)).clamp(0.0, 1.0);
        let changed: Vec<f32> = image.pixels.iter().map(noisy).collect();
        ssim(ready.dataset.image, &image.pixels, &changed)
    };
    let i = median(&ready.images.iter().map(of).collect::<Vec<_>>());
    format!(
        " Uniform noise of ±8/255 has a median SSIM of {:.3} [{:.3}, {:.3}] here.",
        i.value, i.low, i.high
    )
}

fn table(d: &mut Document, part: &PartResults, group: &Group) {
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
        ],
        rows,
    );
}

/// How the share graded high changes with the threshold of validity, of which none is agreed upon.
fn sweep(d: &mut Document, part: &PartResults, groups: &[Group]) {
    let (words, thresholds): (&str, &[f64]) = match part.dataset.validity {
        Validity::L2AtMost(_) => ("L2 at most", &[0.75, 1.0, 1.5, 2.0, 3.0, 4.0]),
        Validity::SsimAtLeast(_) => ("SSIM at least", &[0.9, 0.95, 0.98, 0.99, 0.995]),
    };
    let holds = |line: &super::line::Line, threshold: f64| match part.dataset.validity {
        Validity::L2AtMost(_) => line.record.l2 <= threshold,
        Validity::SsimAtLeast(_) => line.record.ssim >= threshold,
    };
    let mut rows = Vec::new();
    for group in groups {
        for attack in Attack::middle(&part.part.budgets) {
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

fn checklist(d: &mut Document, part: &PartResults, checked: &[(Group, Vec<Check>)]) {
    d.heading(3, format!("Is it honest? The checks: {}", part.title()));
    d.text(format!(
        "On the first network of each architecture, with f32 weights on the first whose f32 weights were there; middle budgets: \
         {}. Checks with twice the iterations of L-BFGS or without a gradient, and attacks of L-BFGS on f32 weights, are made on \
         the first {} images.",
        Attack::middle(&part.part.budgets).into_iter().map(Attack::title).collect::<Vec<_>>().join(", "),
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
