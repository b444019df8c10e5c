//! H0 and H1, decided norm by norm.
//!
//! H0: a VAE classifier is less vulnerable than a CNN. H1: attacks on high pixel density are more effective than on low.
//! For each pair of networks (and of data sets) there is a family of three comparisons, of the smallest change that fools in
//! L-infinity, L1 and L2. The effect is the ratio of the geometric means. Each comparison has two tests: one over images, on
//! pairs of them (H0) or on two samples (H1), and Welch's t over networks that were trained with seeds of their own, so that a
//! lucky initialisation is not called an architecture. Its p-value is the larger of the two (both have to reject: an
//! intersection-union test, Berger 1982), corrected over the three after Holm. Images that belong together, photographs of one
//! person, are one cluster: tested by their mean, drawn together. Where there is one network of a kind, only the test over
//! images can be made, and what it says holds for these networks alone.

use super::plan::{Key, Purpose};
use super::results::{Cell, Group, PartResults};
use super::words::range;
use crate::metrics::hypothesis::{Welch, bootstrap, holm, one_sample_t, rank_sum, signed_rank, welch};
use crate::metrics::norms::Norm;
use crate::metrics::statistics::Interval;

/// The level of a family of comparisons.
pub const LEVEL: f64 = 0.05;
/// The seed of the resamples.
const SEED: u64 = 1;

/// By what a distance is measured when data sets are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scale {
    /// As it is.
    Raw,
    /// Over what the norm of a change of 1 in every number of the image is: for L2 the root mean square.
    APixel,
    /// Over the median distance from the nearest training image of another label.
    Nearest,
}

impl Scale {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Raw, Self::APixel, Self::Nearest];

    /// In words.
    pub fn title(self) -> &'static str {
        match self {
            Self::Raw => "raw",
            Self::APixel => "a pixel",
            Self::Nearest => "over the nearest of another label",
        }
    }

    /// What a distance in `norm` is divided by; `None` where that was not measured.
    pub fn of(self, norm: Norm, part: &PartResults) -> Option<f64> {
        match self {
            Self::Raw => Some(1.0),
            Self::APixel => Some(f64::from(norm.most(part.dataset.pixels()))),
            Self::Nearest => {
                let place = Norm::ALL.iter().position(|n| *n == norm)?;
                part.part.nearest.map(|nearest| nearest[place])
            }
        }
    }
}

/// Two groups in a norm.
#[derive(Clone, Debug)]
pub struct Comparison {
    pub norm: Norm,
    /// The geometric mean of the first's distances over that of the second's: below 1 the first is the weaker. With its 95 %
    /// interval over networks (Welch's), or over images where there is one network of a kind.
    pub effect: Interval,
    /// The same with the interval over images: a bootstrap that draws clusters.
    pub over_images: Interval,
    /// The least and the greatest effect over all pairs of training seeds; `None` when there is one pair.
    pub over_seeds: Option<(f64, f64)>,
    /// How many images, or pairs of images, it rests on.
    pub images: usize,
    /// Images left out because some network was not fooled there, so that there is no distance.
    pub left_out: usize,
    /// Of the test over images, and of that over networks where there are several of each kind.
    pub p_images: f64,
    pub p_networks: Option<f64>,
    /// The larger of the two after Holm's correction over the family.
    pub adjusted: f64,
}

/// What a comparison, or a family of them, says of whether the first of two is the weaker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The first is the less vulnerable.
    Stronger,
    /// The first is the more vulnerable.
    Weaker,
    /// Neither can be said.
    Undecided,
}

impl Comparison {
    /// What it says.
    pub fn verdict(&self) -> Verdict {
        // Those that resist are the strong ones: without them a distance says little.
        if 100 * self.left_out > self.images + self.left_out || self.adjusted >= LEVEL {
            return Verdict::Undecided;
        }
        match self.effect {
            Interval { low, .. } if low > 1.0 => Verdict::Stronger,
            Interval { high, .. } if high < 1.0 => Verdict::Weaker,
            _ => Verdict::Undecided,
        }
    }

    /// The effect in words: a factor, with its interval.
    pub fn effect(&self) -> String {
        factor(self.effect)
    }

    fn p(&self) -> f64 {
        self.p_networks.unwrap_or(0.0).max(self.p_images)
    }
}

/// A factor with its interval.
pub fn factor(Interval { value, low, high }: Interval) -> String {
    format!("× {value:.2} [{low:.2}, {high:.2}]")
}

/// Two groups in every norm.
#[derive(Clone, Debug)]
pub struct Family {
    pub first: String,
    pub second: String,
    pub comparisons: Vec<Comparison>,
    /// Networks without which some norm would be decided otherwise; only where there are at least three of a kind.
    pub hangs_on: Vec<String>,
}

impl Family {
    /// Whether it says anything at all.
    pub fn speaks(&self) -> bool {
        self.comparisons.iter().any(|c| c.verdict() != Verdict::Undecided)
    }
}

/// The logarithm of a distance for each network and each image, infinite where the network was not fooled; `None` where the
/// image was misread before.
type Logs = Vec<Vec<Option<f64>>>;

/// One side of a comparison: networks, what was measured of each in each norm, and which cluster each image is of.
#[derive(Clone, Debug)]
struct Side {
    networks: Vec<String>,
    norms: Vec<(Norm, Logs)>,
    clusters: Vec<usize>,
}

impl Side {
    fn of(part: &PartResults, group: &Group, purpose: Purpose, scale: Scale) -> Self {
        let norms = part.part.norms().into_iter().filter_map(|norm| {
            let by = scale.of(norm, part)?;
            Some((norm, logs(&part.cell(group, purpose, Key::smallest(norm)), norm, by)))
        });
        Self {
            networks: group.entrants.iter().map(|e| e.network.clone()).collect(),
            norms: norms.collect(),
            clusters: part.clusters(),
        }
    }

    /// Without one of its networks.
    fn without(&self, network: usize) -> Self {
        let mut some = self.clone();
        some.networks.remove(network);
        for (_, logs) in &mut some.norms {
            logs.remove(network);
        }
        some
    }
}

/// What was measured of a cell, over `scale`.
fn logs(cell: &Cell<'_>, norm: Norm, scale: f64) -> Logs {
    let of = |line: &&super::line::Line| {
        let r = &line.record;
        r.read_rightly()
            .then(|| if r.success { (norm.of(&line.norms()) / scale).ln() } else { f64::INFINITY })
    };
    cell.seeds.iter().map(|lines| lines.iter().map(of).collect()).collect()
}

/// The images for which every network has a finite value, as one row a network; their places, and how many were left out for
/// want of one.
fn complete(logs: &[&Logs]) -> (Vec<Vec<Vec<f64>>>, Vec<usize>, usize) {
    let images = logs.iter().flat_map(|v| v.iter()).map(Vec::len).min().unwrap_or(0);
    let all = |i: usize, is: fn(&Option<f64>) -> bool| logs.iter().all(|v| v.iter().all(|seed| is(&seed[i])));
    let read: Vec<usize> = (0..images).filter(|&i| all(i, Option::is_some)).collect();
    let kept: Vec<usize> =
        read.iter().copied().filter(|&i| all(i, |v| v.is_some_and(f64::is_finite))).collect();
    let row = |seed: &Vec<Option<f64>>| kept.iter().filter_map(|&i| seed[i]).collect();
    let left_out = read.len() - kept.len();
    (logs.iter().map(|v| v.iter().map(row).collect()).collect(), kept, left_out)
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

/// The mean over networks for each image.
fn over_networks(rows: &[Vec<f64>]) -> Vec<f64> {
    let n = rows.first().map_or(0, Vec::len);
    (0..n).map(|i| rows.iter().map(|row| row[i]).sum::<f64>() / rows.len() as f64).collect()
}

/// The values of each cluster.
fn clustered(values: &[f64], clusters: &[usize]) -> Vec<Vec<f64>> {
    let mut found: std::collections::BTreeMap<usize, Vec<f64>> = std::collections::BTreeMap::new();
    values.iter().zip(clusters).for_each(|(&value, &cluster)| found.entry(cluster).or_default().push(value));
    found.into_values().collect()
}

/// The mean of all values of clusters that are drawn, as many as there are.
fn drawn(rng: &mut fastrand::Rng, clusters: &[Vec<f64>]) -> f64 {
    let (mut sum, mut count) = (0.0, 0);
    for _ in 0..clusters.len() {
        let cluster = &clusters[rng.usize(..clusters.len())];
        sum += cluster.iter().sum::<f64>();
        count += cluster.len();
    }
    sum / count as f64
}

fn exp(i: Interval) -> Interval {
    Interval { value: i.value.exp(), low: i.low.exp(), high: i.high.exp() }
}

/// What two sides come to in a norm, given the test over images and its interval.
fn compared(
    norm: Norm,
    (a, b): (&[Vec<f64>], &[Vec<f64>]),
    (images, left_out): (usize, usize),
    (p_images, over_images): (f64, Interval),
) -> Comparison {
    let by_network = |rows: &[Vec<f64>]| rows.iter().map(|row| mean(row)).collect::<Vec<f64>>();
    let (of_a, of_b) = (by_network(a), by_network(b));
    let networks = welch(&of_a, &of_b);
    let pairs: Vec<f64> = of_a.iter().flat_map(|x| of_b.iter().map(move |y| (x - y).exp())).collect();
    let p_networks = networks.map(|Welch { p, .. }| p);
    Comparison {
        norm,
        effect: exp(networks.map_or(over_images, |Welch { difference, .. }| difference)),
        over_images: exp(over_images),
        over_seeds: range(&pairs),
        images,
        left_out,
        p_images,
        p_networks,
        // Until the family is corrected.
        adjusted: 1.0,
    }
}

/// Two sides on the same images.
fn paired(norm: Norm, first: &Logs, second: &Logs, clusters: &[usize]) -> Option<Comparison> {
    let (rows, kept, left_out) = complete(&[first, second]);
    let [a, b] = &rows[..] else { return None };
    if kept.is_empty() || a.is_empty() || b.is_empty() {
        return None;
    }
    let differences: Vec<f64> = over_networks(a).iter().zip(over_networks(b)).map(|(a, b)| a - b).collect();
    let own: Vec<usize> = kept.iter().map(|&i| clusters.get(i).copied().unwrap_or(i)).collect();
    let clusters = clustered(&differences, &own);
    let means: Vec<f64> = clusters.iter().map(|cluster| mean(cluster)).collect();
    let p = if means.len() < kept.len() { one_sample_t(&means) } else { signed_rank(&means) };
    let over_images = bootstrap(mean(&differences), SEED, |rng| drawn(rng, &clusters));
    Some(compared(norm, (a, b), (kept.len(), left_out), (p, over_images)))
}

/// Two sides on images of their own.
fn unpaired(
    norm: Norm,
    (first, of_first): (&Logs, &[usize]),
    (second, of_second): (&Logs, &[usize]),
) -> Option<Comparison> {
    let of = |logs: &Logs, clusters: &[usize]| {
        let (rows, kept, left_out) = complete(&[logs]);
        let rows = rows.into_iter().next()?;
        let own: Vec<usize> = kept.iter().map(|&i| clusters.get(i).copied().unwrap_or(i)).collect();
        let clusters = clustered(&over_networks(&rows), &own);
        (!rows.is_empty() && !kept.is_empty()).then_some((rows, clusters, kept.len(), left_out))
    };
    let (a, of_a, m, without_a) = of(first, of_first)?;
    let (b, of_b, n, without_b) = of(second, of_second)?;
    let means = |clusters: &[Vec<f64>]| clusters.iter().map(|cluster| mean(cluster)).collect::<Vec<f64>>();
    let p = rank_sum(&means(&of_a), &means(&of_b));
    let value = mean(&of_a.concat()) - mean(&of_b.concat());
    let over_images = bootstrap(value, SEED, |rng| drawn(rng, &of_a) - drawn(rng, &of_b));
    Some(compared(norm, (&a, &b), (m + n, without_a + without_b), (p, over_images)))
}

/// The comparisons of two sides in all norms that both have, corrected after Holm.
fn comparisons(first: &Side, second: &Side, same_images: bool) -> Vec<Comparison> {
    let mut all = Vec::new();
    for (norm, a) in &first.norms {
        let Some((_, b)) = second.norms.iter().find(|(other, _)| other == norm) else { continue };
        all.extend(if same_images {
            paired(*norm, a, b, &first.clusters)
        } else {
            unpaired(*norm, (a, &first.clusters), (b, &second.clusters))
        });
    }
    let adjusted = holm(&all.iter().map(Comparison::p).collect::<Vec<_>>());
    all.iter_mut().zip(adjusted).for_each(|(c, a)| c.adjusted = a);
    all
}

/// A family, and whether it says the same without any one of its networks.
fn family(names: (String, String), first: &Side, second: &Side, same_images: bool) -> Family {
    let comparisons = comparisons(first, second, same_images);
    let says = |some: &[Comparison]| some.iter().map(Comparison::verdict).collect::<Vec<_>>();
    let whole = says(&comparisons);
    let mut hangs_on = Vec::new();
    for (side, is_first) in [(first, true), (second, false)] {
        for network in (0..side.networks.len()).filter(|_| side.networks.len() > 2) {
            let some = side.without(network);
            let (a, b) = if is_first { (&some, second) } else { (first, &some) };
            if says(&self::comparisons(a, b, same_images)) != whole {
                hangs_on.push(side.networks[network].clone());
            }
        }
    }
    Family { first: names.0, second: names.1, comparisons, hangs_on }
}

/// A VAE beside a plain network, on the images that all their networks read rightly, by the smallest change towards the next
/// label ([`Purpose::Smallest`]) or to any wrong one ([`Purpose::Untargeted`]).
pub fn h0(part: &PartResults, vae: &Group, plain: &Group, purpose: Purpose) -> Family {
    let side = |group| Side::of(part, group, purpose, Scale::Raw);
    family((vae.title(), plain.title()), &side(vae), &side(plain), true)
}

/// An architecture on faces beside the same on digits. "Weaker" means that attacks on faces are the more effective.
pub fn h1(
    high: (&PartResults, &Group),
    low: (&PartResults, &Group),
    purpose: Purpose,
    scale: Scale,
) -> Family {
    let side = |(part, group)| Side::of(part, group, purpose, scale);
    let names = (format!("{} on faces", high.1.title()), format!("{} on digits", low.1.title()));
    family(names, &side(high), &side(low), false)
}

/// An architecture on photographs at one density beside the same, scaled, on the same photographs at another: pairs, where both
/// studied the same ones. "Weaker" means that attacks at the first density are the more effective.
pub fn density(
    (first, of_first): (&PartResults, &Group),
    (second, of_second): (&PartResults, &Group),
    purpose: Purpose,
    scale: Scale,
) -> Family {
    let sides =
        [(first, of_first), (second, of_second)].map(|(part, group)| Side::of(part, group, purpose, scale));
    // One may have studied more of them.
    let pairs = first.part.chosen.iter().zip(&second.part.chosen).all(|(a, b)| a == b);
    let name = |part: &PartResults, group: &Group| format!("{} on {}", group.title(), part.title());
    family((name(first, of_first), name(second, of_second)), &sides[0], &sides[1], pairs)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Networks whose distances scatter around `factor`, by `seeds` from network to network and by 0.3 from image to image.
    fn side(factor: f64, seeds: &[f64], images: usize, seed: u64) -> Side {
        let mut rng = fastrand::Rng::with_seed(seed);
        let mut log =
            |seed: f64| (0..images).map(|_| Some(factor.ln() + seed + 0.3 * (rng.f64() - 0.5))).collect();
        let logs: Logs = seeds.iter().map(|&seed| log(seed)).collect();
        Side {
            networks: (0..seeds.len()).map(|i| format!("n{i}")).collect(),
            norms: Norm::ALL.map(|norm| (norm, logs.clone())).to_vec(),
            clusters: (0..images).collect(),
        }
    }

    /// What a family says in each norm.
    fn says(family: &Family) -> Vec<Verdict> {
        family.comparisons.iter().map(Comparison::verdict).collect()
    }

    fn beside(first: &Side, second: &Side) -> Family {
        family(("a".into(), "b".into()), first, second, true)
    }

    #[test]
    fn a_plain_difference_is_found_and_none_is_made_up() {
        let spread = [-0.1, 0.0, 0.05, 0.1, -0.02, 0.03];
        let (near, far) = (side(0.5, &spread, 60, 1), side(1.0, &spread, 60, 2));
        assert_eq!(says(&beside(&near, &far)), [Verdict::Weaker; 3]);
        assert_eq!(says(&beside(&far, &near)), [Verdict::Stronger; 3]);
        assert!(beside(&near, &far).hangs_on.is_empty());
        let c = &beside(&near, &far).comparisons[0];
        assert!((c.effect.value - 0.5).abs() < 0.03 && c.effect.low < c.over_images.low, "{c:?}");
        // Networks of one architecture differ from seed to seed, too: whatever the images say, none is to be found.
        let mut rng = fastrand::Rng::with_seed(9);
        let found = (0..200).filter(|&seed| {
            let mut six = |spread: f64, seed: u64| {
                let seeds: Vec<f64> =
                    (0..6).map(|_| spread * (rng.f64() + rng.f64() + rng.f64() - 1.5)).collect();
                side(1.0, &seeds, 60, seed)
            };
            // Spreads that differ, of which a test that pools them makes too much.
            beside(&six(0.4, 100 + seed), &six(0.1, 1000 + seed)).speaks()
        });
        let found = found.count();
        assert!(found <= 18, "{found} of 200");
    }

    #[test]
    fn one_lucky_network_of_three_decides_nothing() {
        let lucky = beside(&side(1.0, &[0.0, 0.02, 1.5], 200, 5), &side(1.0, &[0.01, -0.02, 0.0], 200, 7));
        assert!(!lucky.speaks());
        let c = &lucky.comparisons[0];
        assert!(c.p_images < 1e-6 && c.p_networks.unwrap() > 0.3, "{c:?}");
        let (low, high) = c.over_seeds.unwrap();
        assert!(low < 1.1 && high > 4.0);
    }

    #[test]
    fn what_hangs_on_one_network_is_said() {
        let odd = [0.5, 0.5, 0.5, 0.5, 0.5, -0.45];
        let found = beside(&side(1.0, &odd, 60, 1), &side(1.0, &[0.0, 0.01, -0.01, 0.0, 0.02, -0.02], 60, 2));
        assert!(!found.speaks());
        assert_eq!(found.hangs_on, ["n5"]);
    }

    #[test]
    fn people_are_tested_as_one_each() {
        // Every image of one person speaks for the first, those of six others say nothing: 60 images, and no case.
        let images = 60;
        let logs = |one: f64| {
            vec![(0..images).map(|i| Some(if i < 30 { one } else { 0.01 * (i % 2) as f64 })).collect()]
        };
        let clusters: Vec<usize> = (0..images).map(|i| if i < 30 { 0 } else { 1 + i % 6 }).collect();
        let c = paired(Norm::L2, &logs(-1.0), &logs(0.0), &clusters).unwrap();
        assert!(c.p_images > 0.1 && c.over_images.high >= 1.0, "{c:?}");
        let alone: Vec<usize> = (0..images).collect();
        assert!(paired(Norm::L2, &logs(-1.0), &logs(0.0), &alone).unwrap().p_images < 1e-4);
    }

    #[test]
    fn images_that_some_network_misread_are_left_out() {
        let (mut a, b) = (side(1.0, &[0.0; 2], 20, 1), side(2.0, &[0.0], 20, 2));
        a.norms[0].1[1][3] = None;
        let all = comparisons(&a, &b, true);
        assert_eq!(all.iter().map(|c| c.images).collect::<Vec<_>>(), [19, 20, 20]);
        // With one network of a kind, the interval is that over images.
        assert!(all[0].p_networks.is_none() && all[0].effect == all[0].over_images);
    }

    #[test]
    fn where_some_do_not_give_in_nothing_is_said() {
        let spread = [-0.1, 0.0, 0.1];
        let (near, mut far) = (side(0.5, &spread, 50, 1), side(1.0, &spread, 50, 2));
        far.norms[0].1[0][..2].fill(Some(f64::INFINITY));
        let found = beside(&near, &far);
        let c = &found.comparisons[0];
        assert_eq!((c.images, c.left_out, c.verdict()), (48, 2, Verdict::Undecided));
        assert_eq!(says(&found)[1], Verdict::Weaker);
    }

    #[test]
    fn samples_of_their_own_are_compared_too() {
        let spread = [-0.02, 0.0, 0.02];
        let found =
            family(("a".into(), "b".into()), &side(0.1, &spread, 40, 1), &side(1.0, &spread, 70, 2), false);
        let c = &found.comparisons[2];
        assert_eq!((c.images, c.verdict()), (110, Verdict::Weaker));
        assert!((c.effect.value - 0.1).abs() < 0.01 && c.over_images.low < 0.1 && c.over_images.high > 0.1);
    }
}
