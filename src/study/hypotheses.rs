//! H0 and H1, decided.
//!
//! H0: a VAE classifier is less vulnerable than a CNN. H1: attacks on high pixel density are more effective than on low.
//! For each pair of networks (and of data sets) there is a family of comparisons, one for each attack and budget. Each has
//! an effect and two tests: one over images, on pairs of them (H0) or on two samples (H1), and Student's t over networks
//! that were trained with seeds of their own, so that a lucky initialisation is not called an architecture. Its p-value is
//! the larger of the two (both have to reject: an intersection-union test, Berger 1982), corrected over the family after
//! Holm. Where there is one network of a kind, only the first test can be made, and what it says holds for these networks
//! alone. A comparison *speaks* when its p-value is below 5 % and the bootstrap interval, which draws networks and images,
//! is on one side. A hypothesis holds when comparisons speak and all of them for it, fails when all speak against it, and
//! is undecided otherwise.

use super::plan::{Key, Purpose};
use super::results::{Cell, Group, PartResults};
use super::words::range;
use crate::metrics::hypothesis::{bootstrap, holm, pooled_t, rank_sum, sign_test, signed_rank};
use crate::metrics::norms::Norm;
use crate::metrics::statistics::{Interval, median};

/// The level of a family of comparisons.
pub const LEVEL: f64 = 0.05;
/// The seed of the resamples.
const SEED: u64 = 1;

/// What is compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Measure {
    /// Difference of the shares that were fooled; above 0 the first is the weaker.
    Fooled,
    /// Ratio of the smallest changes (L2, or L2 a pixel) that fool; below 1 the first is the weaker.
    Distance,
}

/// One attack on two networks, or on two data sets.
#[derive(Clone, Debug)]
pub struct Comparison {
    pub title: String,
    pub measure: Measure,
    pub effect: Interval,
    /// The least and the greatest effect over all pairs of training seeds; `None` when there is one pair.
    pub over_seeds: Option<(f64, f64)>,
    /// How many images, or pairs of images, it rests on.
    pub images: usize,
    /// Images left out because some network was not fooled there, so that there is no distance.
    pub left_out: usize,
    /// The larger of those of the test over images and, where there are several of each kind, of that over networks.
    pub p: f64,
    /// After Holm's correction over the family.
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
        if 100 * self.left_out > self.images + self.left_out {
            return Verdict::Undecided;
        }
        let none = if self.measure == Measure::Fooled { 0.0 } else { 1.0 };
        let (below, above) = (self.effect.high < none, self.effect.low > none);
        match (self.measure, self.adjusted < LEVEL, below, above) {
            (Measure::Fooled, true, true, _) | (Measure::Distance, true, _, true) => Verdict::Stronger,
            (Measure::Fooled, true, _, true) | (Measure::Distance, true, true, _) => Verdict::Weaker,
            _ => Verdict::Undecided,
        }
    }

    /// The effect in words: points or a factor, with its interval.
    pub fn effect(&self) -> String {
        let Interval { value, low, high } = self.effect;
        match self.measure {
            Measure::Fooled => {
                // No minus before a zero.
                let points = |share: f64| 100.0 * share + 0.0;
                format!("{:+.1} points [{:+.1}, {:+.1}]", points(value), points(low), points(high))
            }
            Measure::Distance => format!("× {value:.2} [{low:.2}, {high:.2}]"),
        }
    }
}

/// All comparisons of two groups.
#[derive(Clone, Debug)]
pub struct Family {
    pub first: String,
    pub second: String,
    pub comparisons: Vec<Comparison>,
}

impl Family {
    fn new(first: String, second: String, mut comparisons: Vec<Comparison>) -> Self {
        let adjusted = holm(&comparisons.iter().map(|c| c.p).collect::<Vec<_>>());
        comparisons.iter_mut().zip(adjusted).for_each(|(c, a)| c.adjusted = a);
        Self { first, second, comparisons }
    }

    /// How many comparisons say so.
    pub fn count(&self, verdict: Verdict) -> usize {
        self.comparisons.iter().filter(|c| c.verdict() == verdict).count()
    }

    /// What all that speak say.
    pub fn verdict(&self) -> Verdict {
        match (self.count(Verdict::Stronger), self.count(Verdict::Weaker)) {
            (1.., 0) => Verdict::Stronger,
            (0, 1..) => Verdict::Weaker,
            _ => Verdict::Undecided,
        }
    }
}

/// A value for each network and each image; `None` where there is none.
type Values = Vec<Vec<Option<f64>>>;

/// What was measured of a cell: 1 and 0 for fooled or not, or the logarithm of the distance, infinite where the network was
/// not fooled. `None` where the image was misread before.
fn values(cell: &Cell<'_>, measure: Measure, scale: f64) -> Values {
    let of = |line: &&super::line::Line| {
        let r = &line.record;
        match measure {
            _ if !r.read_rightly() => None,
            Measure::Fooled => Some(f64::from(u8::from(r.success))),
            Measure::Distance if r.success => Some((r.l2 * scale).ln()),
            Measure::Distance => Some(f64::INFINITY),
        }
    };
    cell.seeds.iter().map(|lines| lines.iter().map(of).collect()).collect()
}

/// The images for which every network has a value, as one row a network, and how many of them were left out for want of
/// a finite one.
fn complete(values: &[&Values]) -> (Vec<Vec<Vec<f64>>>, usize) {
    let images = values.iter().flat_map(|v| v.iter()).map(Vec::len).min().unwrap_or(0);
    let all =
        |i: usize, is: fn(&Option<f64>) -> bool| values.iter().all(|v| v.iter().all(|seed| is(&seed[i])));
    let read: Vec<usize> = (0..images).filter(|&i| all(i, Option::is_some)).collect();
    let kept: Vec<usize> =
        read.iter().copied().filter(|&i| all(i, |v| v.is_some_and(f64::is_finite))).collect();
    let row = |seed: &Vec<Option<f64>>| kept.iter().filter_map(|&i| seed[i]).collect();
    (values.iter().map(|v| v.iter().map(row).collect()).collect(), read.len() - kept.len())
}

/// The mean over the networks named by `seeds` for each image of `images`.
fn means(rows: &[Vec<f64>], seeds: &[usize], images: &[usize]) -> Vec<f64> {
    let n = seeds.len().max(1) as f64;
    images.iter().map(|&i| seeds.iter().map(|&s| rows[s][i]).sum::<f64>() / n).collect()
}

fn resampled(rng: &mut fastrand::Rng, n: usize) -> Vec<usize> {
    (0..n).map(|_| rng.usize(..n.max(1))).collect()
}

/// The middle of values: the mean of shares, the median of logarithms.
fn middle(measure: Measure, values: &[f64]) -> f64 {
    match measure {
        Measure::Fooled => values.iter().sum::<f64>() / values.len() as f64,
        Measure::Distance => median(values).value,
    }
}

/// From differences to the effect: a difference of shares, or a ratio.
fn effect(measure: Measure, differences: &[f64]) -> f64 {
    match measure {
        Measure::Fooled => middle(measure, differences),
        Measure::Distance => middle(measure, differences).exp(),
    }
}

/// Whether the networks differ, by the middle of each over the images. 0, nothing
/// to object, where one network of a kind cannot be tested.
fn over_networks(measure: Measure, a: &[Vec<f64>], b: &[Vec<f64>]) -> f64 {
    if a.len().min(b.len()) < 2 {
        return 0.0;
    }
    let by_network = |rows: &[Vec<f64>]| rows.iter().map(|row| middle(measure, row)).collect::<Vec<f64>>();
    pooled_t(&by_network(a), &by_network(b))
}

/// Compares two groups on the same images.
fn paired(title: String, measure: Measure, first: &Values, second: &Values) -> Option<Comparison> {
    let (rows, left_out) = complete(&[first, second]);
    let [a, b] = &rows[..] else { return None };
    let n = a.first()?.len();
    if n == 0 || b.is_empty() {
        return None;
    }
    let differences = |s: &[usize], t: &[usize], images: &[usize]| -> Vec<f64> {
        means(a, s, images).iter().zip(means(b, t, images)).map(|(a, b)| a - b).collect()
    };
    let (s, t): (Vec<usize>, Vec<usize>) = ((0..a.len()).collect(), (0..b.len()).collect());
    let images: Vec<usize> = (0..n).collect();
    let all = differences(&s, &t, &images);
    let p = match measure {
        // With several networks a difference of shares can be a fraction: its sign is what counts.
        Measure::Fooled => {
            sign_test(all.iter().filter(|d| **d > 1e-9).count(), all.iter().filter(|d| **d < -1e-9).count())
        }
        Measure::Distance => signed_rank(&all),
    };
    let p = p.max(over_networks(measure, a, b));
    let value = effect(measure, &all);
    let interval = bootstrap(value, SEED, |rng| {
        let (s, t) = (resampled(rng, s.len()), resampled(rng, t.len()));
        effect(measure, &differences(&s, &t, &resampled(rng, n)))
    });
    let pairs = s.iter().flat_map(|&s| t.iter().map(move |&t| (s, t)));
    let effects: Vec<f64> = pairs.map(|(s, t)| effect(measure, &differences(&[s], &[t], &images))).collect();
    Some(Comparison {
        title,
        measure,
        effect: interval,
        over_seeds: range(&effects),
        images: n,
        left_out,
        p,
        adjusted: p,
    })
}

/// Compares a group on one data set with a group on another.
fn unpaired(title: String, measure: Measure, first: &Values, second: &Values) -> Option<Comparison> {
    let ((a, without_a), (b, without_b)) = (complete(&[first]), complete(&[second]));
    let (a, b) = (a.into_iter().next()?, b.into_iter().next()?);
    let (m, n) = (a.first()?.len(), b.first()?.len());
    if m == 0 || n == 0 {
        return None;
    }
    let difference = |a: &[f64], b: &[f64]| {
        let (a, b) = (effect(measure, a), effect(measure, b));
        if measure == Measure::Fooled { a - b } else { a / b }
    };
    let all = |n: usize| (0..n).collect::<Vec<usize>>();
    let (of_a, of_b) = (means(&a, &all(a.len()), &all(m)), means(&b, &all(b.len()), &all(n)));
    let p = rank_sum(&of_a, &of_b).max(over_networks(measure, &a, &b));
    let interval = bootstrap(difference(&of_a, &of_b), SEED, |rng| {
        let mut draw = |rows: &[Vec<f64>], n: usize| {
            let seeds = resampled(rng, rows.len());
            means(rows, &seeds, &resampled(rng, n))
        };
        let (of_a, of_b) = (draw(&a, m), draw(&b, n));
        difference(&of_a, &of_b)
    });
    let pairs = (0..a.len()).flat_map(|s| (0..b.len()).map(move |t| (s, t)));
    let effects: Vec<f64> = pairs.map(|(s, t)| difference(&a[s], &b[t])).collect();
    Some(Comparison {
        title,
        measure,
        effect: interval,
        over_seeds: range(&effects),
        images: m + n,
        left_out: without_a + without_b,
        p,
        adjusted: p,
    })
}

/// A VAE beside a plain network, attack by attack, on the images that all their networks read rightly.
pub fn h0(part: &PartResults, vae: &Group, plain: &Group) -> Family {
    let compare = |attack: Key| {
        let measure = measure(attack);
        // Attacks that stop at other confidences end at other distances.
        if measure == Measure::Distance && vae.inference != plain.inference {
            return None;
        }
        let of = |group| values(&part.cell(group, Purpose::Study, attack), measure, 1.0);
        let title = match measure {
            Measure::Fooled => attack.title(),
            Measure::Distance => format!("{}, L2", attack.title()),
        };
        paired(title, measure, &of(vae), &of(plain))
    };
    Family::new(vae.title(), plain.title(), part.attacks().into_iter().filter_map(compare).collect())
}

/// An architecture on faces beside the same on digits: at budgets that are the same a pixel, and by the L2 a pixel
/// (its root mean square) that L-BFGS needs. "Weaker" means that attacks on faces are the more effective.
pub fn h1(high: (&PartResults, &Group), low: (&PartResults, &Group)) -> Family {
    let pixels = |part: &PartResults| part.dataset.pixels() as f64;
    let mut comparisons = Vec::new();
    for a in high.0.attacks() {
        for b in low.0.attacks() {
            let Some(title) = a_pixel((a, pixels(high.0)), (b, pixels(low.0))) else { continue };
            let measure = measure(a);
            let of = |(part, group): (&PartResults, &Group), attack| {
                values(&part.cell(group, Purpose::Study, attack), measure, 1.0 / pixels(part).sqrt())
            };
            comparisons.extend(unpaired(title, measure, &of(high, a), &of(low, b)));
        }
    }
    Family::new(format!("{} on faces", high.1.title()), format!("{} on digits", low.1.title()), comparisons)
}

/// What an attack is compared by: one at a budget by how often it fools, a search by how far it goes.
fn measure(attack: Key) -> Measure {
    if attack.searches() { Measure::Distance } else { Measure::Fooled }
}

/// What the same attack on images of two sizes is called, with the numbers in an image, where it has the same budget a pixel on
/// both; `None` where it has not.
fn a_pixel((a, m): (Key, f64), (b, n): (Key, f64)) -> Option<String> {
    if a.attack != b.attack {
        return None;
    }
    let norm = a.attack.norms[0];
    // How a norm grows with the number of pixels.
    let size = |pixels: f64| match norm {
        Norm::Linf => 1.0,
        Norm::L1 => pixels,
        Norm::L2 => pixels.sqrt(),
    };
    match (a.budget, b.budget) {
        (None, None) => Some(format!("{}, {} a pixel", a.title(), norm.symbol())),
        (Some(x), Some(y)) => {
            let [x, y] = [(x, m), (y, n)].map(|(budget, pixels)| f64::from(budget) / size(pixels));
            let title =
                if norm == Norm::Linf { a.title() } else { format!("{} a pixel ≤ {y:.4}", norm.symbol()) };
            ((x / y - 1.0).abs() <= 1e-3).then_some(title)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn made(share: f64, seeds: usize, images: usize, seed: u64) -> Values {
        let mut rng = fastrand::Rng::with_seed(seed);
        let mut one = || (0..images).map(|_| Some(f64::from(u8::from(rng.f64() < share)))).collect();
        (0..seeds).map(|_| one()).collect()
    }

    fn family(first: &Values, second: &Values) -> Family {
        let c = paired("x".into(), Measure::Fooled, first, second).unwrap();
        Family::new("a".into(), "b".into(), vec![c])
    }

    #[test]
    fn a_plain_difference_is_found_and_none_is_made_up() {
        let (high, low) = (made(0.7, 3, 200, 1), made(0.3, 3, 200, 2));
        assert_eq!(family(&high, &low).verdict(), Verdict::Weaker);
        assert_eq!(family(&low, &high).verdict(), Verdict::Stronger);
        // Networks of one architecture differ from seed to seed, too: with a spread of 10 points none is to be found.
        let mut rng = fastrand::Rng::with_seed(9);
        let found = (0..60).filter(|&seed| {
            let mut three = |seed: u64| -> Values {
                let shares = (0..3).map(|_| 0.5 + 0.1 * (rng.f64() + rng.f64() + rng.f64() - 1.5) * 2.0);
                shares.enumerate().map(|(i, share)| made(share, 1, 200, seed + i as u64).remove(0)).collect()
            };
            family(&three(100 + 10 * seed), &three(1000 + 10 * seed)).verdict() != Verdict::Undecided
        });
        let found = found.count();
        assert!(found <= 7, "{found} of 60");
    }

    #[test]
    fn one_lucky_network_of_three_decides_nothing() {
        let mut lucky = made(0.5, 3, 300, 5);
        lucky[2] = made(1.0, 1, 300, 6).remove(0);
        let other = made(0.5, 3, 300, 7);
        let c = paired("x".into(), Measure::Fooled, &lucky, &other).unwrap();
        assert!(c.p > 0.1, "{}", c.p);
        assert_eq!(family(&lucky, &other).verdict(), Verdict::Undecided);
        let (low, high) = c.over_seeds.unwrap();
        assert!(low < 0.1 && high > 0.4);
    }

    #[test]
    fn with_one_network_each_the_test_is_mcnemar_s() {
        let row = |ones: std::ops::Range<usize>| {
            vec![(0..30).map(|i| Some(f64::from(u8::from(ones.contains(&i))))).collect::<Vec<_>>()]
        };
        // 12 pairs one way, 3 the other: scipy.stats.binomtest(3, 15).pvalue
        let c = paired("x".into(), Measure::Fooled, &row(0..12), &row(12..15)).unwrap();
        assert!((c.p - 0.035_156_25).abs() < 1e-12 && (c.effect.value - 0.3).abs() < 1e-12);
        assert!(c.over_seeds.is_none());
    }

    #[test]
    fn images_that_some_network_misread_are_left_out() {
        let mut a = made(1.0, 2, 20, 1);
        a[1][3] = None;
        let c = paired("x".into(), Measure::Fooled, &a, &made(0.0, 1, 20, 2)).unwrap();
        assert_eq!((c.images, c.effect.value), (19, 1.0));
    }

    #[test]
    fn distances_compare_by_their_ratio() {
        let logs = |factor: f64| -> Values {
            let one =
                |jitter: f64| (0..50).map(|i| Some((jitter * factor * (1.0 + f64::from(i))).ln())).collect();
            vec![one(0.98), one(1.0), one(1.02)]
        };
        let c = paired("x".into(), Measure::Distance, &logs(0.5), &logs(1.0)).unwrap();
        assert!((c.effect.value - 0.5).abs() < 1e-9 && c.verdict() == Verdict::Weaker);
        let c = unpaired("x".into(), Measure::Distance, &logs(0.01), &logs(1.0)).unwrap();
        assert!((c.effect.value - 0.01).abs() < 1e-9 && c.verdict() == Verdict::Weaker);
        // An image that does not give in is left out, and where there are many, nothing is said.
        let mut strong = logs(1.0);
        strong[0][..2].fill(Some(f64::INFINITY));
        let c = paired("x".into(), Measure::Distance, &logs(0.5), &strong).unwrap();
        assert_eq!((c.images, c.left_out, c.verdict()), (48, 2, Verdict::Undecided));
    }
}
