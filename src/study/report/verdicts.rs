//! What was decided: H0 and H1 in a sentence each, and norm by norm.

use super::document::{Block, Document};
use super::{Checked, density, prose};
use crate::datasets::{LFW, MNIST};
use crate::metrics::norms::Norm;
use crate::study::hypotheses::{self, Comparison, Family, Scale, Verdict, factor, h0, h1};
use crate::study::plan::Purpose;
use crate::study::results::{Group, PartResults, Results};
use crate::study::words::NONE;
use crate::zoo;

/// Towards the next label, and to any wrong one.
const GOALS: [(Purpose, &str); 2] = [(Purpose::Smallest, "targeted"), (Purpose::Untargeted, "untargeted")];

/// A VAE beside a plain network on a data set, for each of [`GOALS`].
pub struct H0<'a> {
    part: &'a PartResults,
    vae: Group,
    plain: Group,
    families: [Family; 2],
}

/// A family for each of [`GOALS`], on each scale.
type Scales = Vec<(Scale, [Family; 2])>;

/// An architecture on both data sets.
pub struct H1 {
    high: Group,
    low: Group,
    scales: Scales,
}

/// An architecture on the same photographs at two densities.
pub struct Densities {
    first: Group,
    second: Group,
    /// Which densities, in words: "154 × 154 in colour".
    of_first: String,
    of_second: String,
    scales: Scales,
}

/// Every VAE beside every plain network; what was trained to withstand attacks says nothing of the architecture, and of a VAE
/// that draws no smallest change is known.
pub fn all_h0(results: &Results) -> Vec<H0<'_>> {
    let mut all = Vec::new();
    for part in results.as_they_are() {
        let usual = part.groups().into_iter().filter(|g| g.spec.defends.is_none() && !g.draws());
        let (vaes, plain): (Vec<Group>, Vec<Group>) = usual.partition(|g| g.spec.is_vae());
        for vae in vaes {
            for plain in &plain {
                let families = GOALS.map(|(purpose, _)| h0(part, &vae, plain, purpose));
                if has(&families) {
                    all.push(H0 { part, vae: vae.clone(), plain: plain.clone(), families });
                }
            }
        }
    }
    all
}

/// Every architecture on both data sets.
pub fn all_h1(results: &Results) -> Vec<H1> {
    let of = |name: &str| results.parts.iter().find(|p| p.dataset.name == name);
    let (Some(low), Some(high)) = (of(MNIST.name), of(LFW.name)) else { return Vec::new() };
    let pair = |group: Group| {
        let other = high.group(group.family())?;
        let on = |scale| (scale, GOALS.map(|(purpose, _)| h1((high, &other), (low, &group), purpose, scale)));
        let scales: Vec<_> = Scale::ALL.map(on).into();
        let any = scales.iter().any(|(_, families)| has(families));
        any.then_some(H1 { high: other, low: group, scales })
    };
    low.groups().into_iter().filter(|g| !g.draws() && g.spec.defends.is_none()).filter_map(pair).collect()
}

/// The densest beside the least dense, in colour and in grey, and colour beside grey at the highest density.
pub fn all_densities(results: &Results) -> Vec<Densities> {
    let mut all = Vec::new();
    for (dense, sparse) in density::extremes(results) {
        let (Some(first), Some(second)) = (dense.group(density::FAMILY), sparse.group(density::FAMILY))
        else {
            continue;
        };
        let on = |scale| {
            let of = |(purpose, _)| hypotheses::density((dense, &first), (sparse, &second), purpose, scale);
            (scale, GOALS.map(of))
        };
        let scales: Scales = Scale::ALL.map(on).into_iter().filter(|(_, families)| has(families)).collect();
        let [of_first, of_second] = [dense, sparse].map(|part| density::words(part.dataset));
        if !scales.is_empty() {
            all.push(Densities { first, second, of_first, of_second, scales });
        }
    }
    all
}

/// Whether there is anything to compare.
fn has(families: &[Family; 2]) -> bool {
    families.iter().any(|family| !family.comparisons.is_empty())
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
        format!(" Checks that failed, see below: {}.", words.join(", "))
    }
}

/// Writes what was decided.
pub fn verdicts(
    d: &mut Document,
    results: &Results,
    checked: &[Checked],
    (h0, h1, densities): (&[H0<'_>], &[H1], &[Densities]),
) {
    d.heading(2, "What was decided");
    let mut said = Vec::new();
    let against = [Verdict::Stronger, Verdict::Weaker];
    for h in h0.iter().filter(|h| h.plain.family() == "cnn") {
        let name = format!("H0 on {} for the {}", h.part.title(), h.vae.title());
        said.push(sentence(&name, &h.families, against, "that of the CNN", (&[&h.vae, &h.plain], checked)));
    }
    // A VAE differs from a CNN in more than that it is one; from a plain network of its own layers in what both trainings say.
    for h in h0.iter().filter(|h| h.plain.controls(&h.vae)) {
        let name = format!(
            "H0 on {} for the {}, beside its own layers as a plain network ({}){},",
            h.part.title(),
            h.vae.title(),
            h.plain.title(),
            besides(&h.vae, &h.plain)
        );
        let groups: &[&Group] = &[&h.vae, &h.plain];
        said.push(sentence(&name, &h.families, against, "that of the plain network", (groups, checked)));
    }
    let towards = [Verdict::Weaker, Verdict::Stronger];
    for h in h1 {
        for (scale, families) in &h.scales {
            if !has(families) {
                continue;
            }
            let name = format!("H1 for the {}, {}", h.low.title(), scale.title());
            said.push(sentence(&name, families, towards, "that on digits", (&[&h.high, &h.low], checked)));
        }
    }
    for pair in densities {
        for (scale, families) in &pair.scales {
            let name = format!(
                "H1 by density alone, at {} beside {}, {}",
                pair.of_first,
                pair.of_second,
                scale.title()
            );
            let second = format!("that at {}", pair.of_second);
            said.push(sentence(&name, families, towards, &second, (&[&pair.first, &pair.second], checked)));
        }
    }
    if said.is_empty() {
        d.text("Nothing: H0 needs a VAE and a CNN, H1 both data sets, and both the smallest change in some norm.");
        return;
    }
    d.blocks.push(Block::Items(said));
    d.text(prose::HOW_DECIDED);
    if !h1.is_empty() {
        d.text(prose::DENSITY);
    }
    comparisons(d, results, h0, h1, densities);
}

/// A factor without its sign.
fn plain(factor: &str) -> String {
    factor.trim_start_matches("× ").to_owned()
}

/// D1, that small or black-and-white inputs are more secure: what density alone says of it.
pub fn d1(densities: &[Densities]) -> Vec<String> {
    let towards = [Verdict::Weaker, Verdict::Stronger];
    let sentence = |pair: &Densities| {
        let says = pair
            .scales
            .iter()
            .map(|(scale, families)| format!("{} it {}", scale.title(), verdict(families, towards)));
        format!(
            "**D1, small or black-and-white inputs are more secure (`{}`, the same faces at {} beside {}): {}**.",
            pair.first.spec.name,
            pair.of_second,
            pair.of_first,
            says.collect::<Vec<_>>().join("; ")
        )
    };
    densities.iter().map(sentence).collect()
}

/// What a family says of a hypothesis: “fails in L∞ and L2, is undecided in L1”.
fn phrase(family: &Family, [for_it, against]: [Verdict; 2]) -> String {
    let says = [for_it, against, Verdict::Undecided].map(|verdict| {
        let word = match verdict {
            v if v == for_it => "holds",
            v if v == against => "fails",
            _ => "is undecided",
        };
        let of = family.comparisons.iter().filter(|c| c.verdict() == verdict);
        let norms: Vec<&str> = of.map(|c| c.norm.symbol()).collect();
        match norms.len() {
            0 => None,
            n if n == family.comparisons.len() && n == 1 => Some(format!("{word} in {}", norms[0])),
            n if n == family.comparisons.len() => Some(format!("{word} in every norm")),
            _ => Some(format!("{word} in {}", norms.join(" and "))),
        }
    });
    says.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

/// What the families of both goals say.
fn verdict(families: &[Family; 2], which: [Verdict; 2]) -> String {
    match families.each_ref().map(|family| phrase(family, which)) {
        [a, b] if a == b || b.is_empty() => a,
        [a, b] => format!("{a} ({}); {b} ({})", GOALS[0].1, GOALS[1].1),
    }
}

/// H1 on every scale, and density alone, as one table: the targeted effects, and what both goals say.
pub fn densities_at_a_glance(d: &mut Document, h1: &[H1], densities: &[Densities]) {
    let rows = |what: &str, scales: &Scales| -> Vec<Vec<String>> {
        let row = |(scale, families): &(Scale, [Family; 2])| {
            let effect =
                |norm| families[0].comparisons.iter().find(|c| c.norm == norm).map(Comparison::effect);
            let mut row = vec![what.to_owned(), scale.title().to_owned()];
            row.extend(Norm::ALL.map(|norm| effect(norm).map_or(NONE.into(), |e| plain(&e))));
            row.push(verdict(families, [Verdict::Weaker, Verdict::Stronger]));
            row
        };
        scales.iter().filter(|(_, families)| has(families)).map(row).collect()
    };
    let mut all: Vec<Vec<String>> = Vec::new();
    h1.iter().for_each(|h| all.extend(rows(&format!("{}, faces beside digits", h.low.title()), &h.scales)));
    for pair in densities {
        let what = format!("the same faces, {} beside {}", pair.of_first, pair.of_second);
        all.extend(rows(&what, &pair.scales));
    }
    if !all.is_empty() {
        let mut head = vec!["H1: targeted", "scale"];
        head.extend(Norm::ALL.map(Norm::symbol));
        head.push("H1");
        d.table(&head, all);
    }
}

/// One sentence of a verdict; `for_it` are the verdicts for and against the hypothesis.
fn sentence(
    name: &str,
    families: &[Family; 2],
    [for_it, against]: [Verdict; 2],
    second: &str,
    (groups, checked): (&[&Group], &[Checked]),
) -> String {
    let of = |family: &Family, goal: &str| {
        let each: Vec<String> = family
            .comparisons
            .iter()
            .map(|c| format!("{} {}", c.norm.symbol(), plain(&c.effect())))
            .collect();
        let hangs = match &family.hangs_on[..] {
            [] => String::new(),
            some => format!("; another verdict without {}", some.join(" or without ")),
        };
        format!("{goal} the smallest change is {} times {second}{hangs}", each.join(", "))
    };
    let verdict = verdict(families, [for_it, against]);
    let few = groups.iter().any(|g| g.entrants.len() < 2);
    let decided = families.iter().any(Family::speaks);
    let these = if few && decided { ", for these networks" } else { "" };
    let found: Vec<String> = families
        .iter()
        .zip(GOALS)
        .filter(|(family, _)| !family.comparisons.is_empty())
        .map(|(family, (_, goal))| of(family, goal))
        .collect();
    let mut text = format!("**{name} {verdict}{these}**: {}.", found.join("; "));
    text += &failed(checked, groups);
    if few {
        let counts: Vec<String> = groups.iter().map(|g| g.entrants.len().to_string()).collect();
        text += &format!(
            " (Networks: {}; so few do not tell an architecture from a lucky initialisation.)",
            counts.join(" and ")
        );
    }
    text
}

fn comparisons(d: &mut Document, results: &Results, h0: &[H0<'_>], h1: &[H1], densities: &[Densities]) {
    let verdict = |v: Verdict| match v {
        Verdict::Stronger => "first is stronger",
        Verdict::Weaker => "first is weaker",
        Verdict::Undecided => NONE,
    };
    let rows = |family: &Family, what: &str| -> Vec<Vec<String>> {
        let row = |c: &Comparison| {
            vec![
                format!("{} – {}", family.first, family.second),
                what.to_owned(),
                c.norm.symbol().to_owned(),
                c.effect(),
                factor(c.over_images),
                c.over_seeds.map_or(NONE.into(), |(low, high)| format!("× {low:.2} to {high:.2}")),
                if c.left_out == 0 {
                    c.images.to_string()
                } else {
                    format!("{} ({} not fooled)", c.images, c.left_out)
                },
                p_value(c.p_images),
                c.p_networks.map_or(NONE.into(), p_value),
                p_value(c.adjusted),
                verdict(c.verdict()).into(),
            ]
        };
        family.comparisons.iter().map(row).collect()
    };
    let head = [
        "first – second",
        "goal",
        "norm",
        "ratio [95 %, networks]",
        "[95 %, images]",
        "over pairs of seeds",
        "images",
        "p, images",
        "p, networks",
        "p (Holm)",
        "says",
    ];
    for part in &results.parts {
        let of = |h: &H0<'_>| {
            h.families
                .iter()
                .zip(GOALS)
                .flat_map(|(family, (_, goal))| rows(family, goal))
                .collect::<Vec<_>>()
        };
        let all: Vec<Vec<String>> = h0.iter().filter(|h| std::ptr::eq(h.part, part)).flat_map(of).collect();
        if !all.is_empty() {
            d.heading(3, format!("H0 on {}, norm by norm", part.title()));
            d.text("The smallest change that fools the first over that of the second (below 1: the first is the weaker).");
            d.table(&head, all);
        }
    }
    let of = |scales: &Scales| {
        let scale = |(scale, families): &(Scale, [Family; 2])| {
            let rows = families
                .iter()
                .zip(GOALS)
                .flat_map(|(family, (_, goal))| rows(family, &format!("{goal}, {}", scale.title())));
            rows.collect::<Vec<_>>()
        };
        scales.iter().flat_map(scale).collect::<Vec<_>>()
    };
    for (title, all) in [
        ("H1, norm by norm", h1.iter().flat_map(|h| of(&h.scales)).collect::<Vec<_>>()),
        ("Density alone, norm by norm", densities.iter().flat_map(|pair| of(&pair.scales)).collect()),
    ] {
        if !all.is_empty() {
            d.heading(3, title);
            d.table(&head, all);
        }
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
