//! What was decided: H0 and H1 in a sentence each, and attack by attack.

use super::document::{Block, Document};
use super::{Checked, prose};
use crate::datasets::{LFW, MNIST};
use crate::metrics::statistics::Interval;
use crate::study::hypotheses::{Comparison, Family, Measure, Verdict, h0, h1};
use crate::study::results::{Group, PartResults, Results};
use crate::study::words::{NONE, number, percent};
use crate::zoo;

/// A VAE beside a plain network on a data set.
pub struct H0<'a> {
    part: &'a PartResults,
    vae: Group,
    plain: Group,
    family: Family,
}

/// Every VAE beside every plain network; what was trained to withstand attacks says nothing of the architecture.
pub fn all_h0(results: &Results) -> Vec<H0<'_>> {
    let mut all = Vec::new();
    for part in &results.parts {
        let (vaes, plain): (Vec<Group>, Vec<Group>) =
            part.groups().into_iter().filter(|g| g.spec.defends.is_none()).partition(|g| g.spec.is_vae());
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
pub fn all_h1(results: &Results) -> Vec<(Group, Group, Family)> {
    let of = |name: &str| results.parts.iter().find(|p| p.dataset.name == name);
    let (Some(low), Some(high)) = (of(MNIST.name), of(LFW.name)) else { return Vec::new() };
    let pair = |group: Group| {
        let other = high.group(group.family())?;
        let family = h1((high, &other), (low, &group));
        (!family.comparisons.is_empty()).then_some((other, group, family))
    };
    low.groups().into_iter().filter(|g| !g.draws() && g.spec.defends.is_none()).filter_map(pair).collect()
}

/// Which of the checks of these groups failed, in words; empty when none did.
fn failed(checked: &[Checked], groups: &[&Group]) -> String {
    let of = |group: &&&Group| {
        let same = |g: &Group| g.is(group);
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
pub type Decided<'a, 'b> = (&'a [H0<'b>], &'a [(Group, Group, Family)]);

pub fn verdicts(d: &mut Document, results: &Results, checked: &[Checked], (h0, h1): Decided<'_, '_>) {
    d.heading(2, "What was decided");
    let mut said = Vec::new();
    for h in h0.iter().filter(|h| h.plain.family() == "cnn") {
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
    // A VAE differs from a CNN in more than that it is one; from a plain network of its own layers in what both trainings say.
    for h in h0.iter().filter(|h| h.plain.controls(&h.vae) && !h.vae.draws()) {
        let name = format!(
            "H0 on {} for the {}, beside its own layers as a plain network ({}){},",
            h.part.title(),
            h.vae.title(),
            h.plain.title(),
            besides(&h.vae, &h.plain)
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
    d.text(prose::HOW_DECIDED);
    if !h1.is_empty() {
        d.text(prose::DENSITY);
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

/// In what else than that one is a VAE the trainings of two networks differ, in words.
fn besides(vae: &Group, plain: &Group) -> String {
    let (Some(a), Some(b)) = (zoo::recipe(&vae.spec.name), zoo::recipe(&plain.spec.name)) else {
        return String::new();
    };
    let differences = a.difference(&b);
    if differences.is_empty() {
        String::new()
    } else {
        format!("; trained with other {}", differences.join(", "))
    }
}
