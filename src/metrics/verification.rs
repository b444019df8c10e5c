//! Verification: are two images of one label, by the distance of their embeddings? With intervals by bootstrap.

/// A rate with the interval that 95 of 100 resampled data sets lie in.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Rate {
    pub value: f64,
    pub low: f64,
    pub high: f64,
}

impl std::fmt::Display for Rate {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { value, low, high } = self;
        write!(f, "{:.2} % ({:.2} to {:.2})", 100.0 * value, 100.0 * low, 100.0 * high)
    }
}

/// How well pairs are told apart.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Verification {
    /// Pairs of one label, and of two.
    pub pairs: [usize; 2],
    /// The equal error rate: at the threshold where as many pairs of one label are taken for two as the other way round.
    pub equal_error: Rate,
    /// The mean share of both kinds of pairs that are told rightly, at the threshold that does best on the other half of the
    /// images (of the labels, where they are resampled).
    pub accuracy: Rate,
}

/// What is drawn anew for an interval.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Resample {
    /// Images: the labels are those that there are.
    Images,
    /// Labels with all their images: these stand for others, strangers for all people, say.
    Labels,
}

/// Resampled data sets for an interval.
const RESAMPLES: usize = 400;
/// Steps into which distances are rounded.
const BINS: usize = 4_096;

/// A pair: the bin of its distance, whether it is of one label, and its two units.
struct Pair {
    bin: u16,
    same: bool,
    units: [u32; 2],
    /// Which half both lie in, where they lie in one.
    half: Option<bool>,
}

/// Over all pairs of `embeddings` with their labels.
pub fn verification(embeddings: &[Vec<f32>], labels: &[u8], resample: Resample) -> Verification {
    let squared = |a: &[f32], b: &[f32]| a.iter().zip(b).map(|(x, y)| (x - y) * (x - y)).sum::<f32>();
    let n = embeddings.len();
    let mut distances = Vec::with_capacity(n * n.saturating_sub(1) / 2);
    for i in 0..n {
        for j in 0..i {
            distances.push((i, j, squared(&embeddings[i], &embeddings[j]).sqrt()));
        }
    }
    let most = distances.iter().map(|d| d.2).fold(f32::MIN_POSITIVE, f32::max);
    let unit = |i: usize| match resample {
        Resample::Images => i as u32,
        Resample::Labels => u32::from(labels[i]),
    };
    let pairs: Vec<Pair> = distances
        .into_iter()
        .map(|(i, j, distance)| {
            let units = [unit(i), unit(j)];
            let halves = units.map(|unit| unit % 2 == 0);
            Pair {
                bin: ((distance / most) * (BINS - 1) as f32) as u16,
                same: labels[i] == labels[j],
                units,
                half: (halves[0] == halves[1]).then_some(halves[0]),
            }
        })
        .collect();
    let units = (0..n).map(|i| unit(i) as usize + 1).max().unwrap_or(0);
    let of = |weights: &[f64]| {
        let mut all = Histogram::default();
        let mut halves = [Histogram::default(), Histogram::default()];
        for pair in &pairs {
            let [a, b] = pair.units.map(|unit| weights[unit as usize]);
            // Of a unit drawn twice its pairs with itself are those of one.
            let weight = if pair.units[0] == pair.units[1] { a } else { a * b };
            if weight > 0.0 {
                all.add(pair, weight);
                if let Some(half) = pair.half {
                    halves[usize::from(half)].add(pair, weight);
                }
            }
        }
        let told = [0, 1].map(|i| halves[i].accuracy(halves[1 - i].best()));
        (all.equal_error(), 0.5 * (told[0] + told[1]))
    };
    let whole = of(&vec![1.0; units]);
    let mut rng = fastrand::Rng::with_seed(1);
    let mut drawn: [Vec<f64>; 2] = [Vec::new(), Vec::new()];
    for _ in 0..RESAMPLES {
        let mut weights = vec![0.0; units];
        (0..units).for_each(|_| weights[rng.usize(..units)] += 1.0);
        let (error, accuracy) = of(&weights);
        drawn[0].push(error);
        drawn[1].push(accuracy);
    }
    let rate = |value: f64, drawn: &mut Vec<f64>| {
        drawn.sort_by(f64::total_cmp);
        let at = |share: f64| drawn[((RESAMPLES - 1) as f64 * share).round() as usize];
        Rate { value, low: at(0.025), high: at(0.975) }
    };
    let same = pairs.iter().filter(|pair| pair.same).count();
    Verification {
        pairs: [same, pairs.len() - same],
        equal_error: rate(whole.0, &mut drawn[0]),
        accuracy: rate(whole.1, &mut drawn[1]),
    }
}

/// How many pairs of two labels, and of one, have a distance in each bin.
struct Histogram([Vec<f64>; 2]);

impl Default for Histogram {
    fn default() -> Self {
        Self([vec![0.0; BINS], vec![0.0; BINS]])
    }
}

impl Histogram {
    fn add(&mut self, pair: &Pair, weight: f64) {
        self.0[usize::from(pair.same)][usize::from(pair.bin)] += weight;
    }

    /// For each bin, were the threshold after it: the share of pairs of one label that are refused, and of two that pass.
    fn errors(&self) -> impl Iterator<Item = (f64, f64)> {
        let [different, same] = &self.0;
        let totals = [different, same].map(|counts| counts.iter().sum::<f64>().max(f64::MIN_POSITIVE));
        let mut passed = [0.0; 2];
        different.iter().zip(same).map(move |(different, same)| {
            passed[0] += different;
            passed[1] += same;
            (1.0 - passed[1] / totals[1], passed[0] / totals[0])
        })
    }

    fn equal_error(&self) -> f64 {
        let crossing = self.errors().find(|(refused, passed)| passed >= refused);
        crossing.map_or(1.0, |(refused, passed)| 0.5 * (refused + passed))
    }

    /// The bin after which the threshold does best; of several the middle one.
    fn best(&self) -> usize {
        let sums: Vec<f64> = self.errors().map(|(refused, passed)| refused + passed).collect();
        let least = sums.iter().copied().fold(f64::INFINITY, f64::min) + 1e-12;
        let first = sums.iter().position(|sum| *sum <= least).unwrap_or(0);
        let last = sums.iter().rposition(|sum| *sum <= least).unwrap_or(0);
        usize::midpoint(first, last)
    }

    fn accuracy(&self, bin: usize) -> f64 {
        self.errors().nth(bin).map_or(0.5, |(refused, passed)| 1.0 - 0.5 * (refused + passed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_lies_apart_is_told_apart_and_chance_is_a_half() {
        let mut rng = fastrand::Rng::with_seed(2);
        let labels: Vec<u8> = (0..240).map(|i| (i % 8) as u8).collect();
        let mut of = |spread: f32, resample| {
            let embeddings: Vec<Vec<f32>> =
                labels.iter().map(|&l| vec![f32::from(l) + spread * (rng.f32() - 0.5)]).collect();
            verification(&embeddings, &labels, resample)
        };
        for resample in [Resample::Images, Resample::Labels] {
            let apart = of(0.4, resample);
            assert_eq!(apart.pairs, [8 * 30 * 29 / 2, 240 * 239 / 2 - 8 * 30 * 29 / 2]);
            assert_eq!((apart.equal_error.value, apart.equal_error.high), (0.0, 0.0));
            assert!(apart.accuracy.value > 0.999);
            let mixed = of(4.0, resample);
            let Rate { value, low, high } = mixed.equal_error;
            assert!(low <= value && value <= high && low < high && (0.1..0.45).contains(&value), "{mixed:?}");
            let chance = of(400.0, resample);
            assert!((chance.equal_error.value - 0.5).abs() < 0.03, "{chance:?}");
            assert!((chance.accuracy.value - 0.5).abs() < 0.05, "{chance:?}");
        }
    }
}
