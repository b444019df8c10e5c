//! Tests of hypotheses and intervals by resampling, for the verdicts of a study.

use statrs::distribution::{Binomial, ContinuousCDF, DiscreteCDF, Normal, StudentsT};

use super::statistics::Interval;

/// Resamples of a bootstrap.
pub const RESAMPLES: usize = 2_000;

/// The two-sided sign test: how likely `positive` and `negative` differences are to part this unevenly or more when
/// each sign is as likely. Of the pairs in which one attack succeeds and the other does not, this is the exact test of
/// McNemar (1947).
pub fn sign_test(positive: usize, negative: usize) -> f64 {
    let n = (positive + negative) as u64;
    let Ok(fair) = Binomial::new(0.5, n) else { return 1.0 };
    (2.0 * fair.cdf(positive.min(negative) as u64)).min(1.0)
}

/// Wilcoxon's signed-rank test (1945), two-sided: whether differences lie around 0. Zeros are left out, ties share their
/// ranks; by the normal approximation with the correction for continuity. 1 where there is nothing to test.
pub fn signed_rank(differences: &[f64]) -> f64 {
    let differences: Vec<f64> = differences.iter().copied().filter(|d| *d != 0.0).collect();
    let n = differences.len() as f64;
    let (ranks, ties) = ranks(&differences.iter().map(|d| d.abs()).collect::<Vec<_>>());
    let positive: f64 = ranks.iter().zip(&differences).filter(|(_, d)| **d > 0.0).map(|(r, _)| r).sum();
    let variance = n * (n + 1.0) * (2.0 * n + 1.0) / 24.0 - ties / 48.0;
    two_sided(positive - n * (n + 1.0) / 4.0, variance)
}

/// The rank-sum test of Wilcoxon, Mann and Whitney (1947), two-sided: whether one of two samples tends to larger values.
/// Ties share their ranks; by the normal approximation with the correction for continuity. 1 where there is nothing to
/// test.
pub fn rank_sum(a: &[f64], b: &[f64]) -> f64 {
    let all: Vec<f64> = a.iter().chain(b).copied().collect();
    let (ranks, ties) = ranks(&all);
    let (m, n) = (a.len() as f64, b.len() as f64);
    let u = ranks[..a.len()].iter().sum::<f64>() - m * (m + 1.0) / 2.0;
    let all = m + n;
    let variance = m * n / 12.0 * (all + 1.0 - ties / (all * (all - 1.0)));
    two_sided(u - m * n / 2.0, variance)
}

/// Ranks from 1 on, equal values sharing the mean of theirs, and the sum of `t^3 - t` over the groups of `t` equals.
fn ranks(values: &[f64]) -> (Vec<f64>, f64) {
    let mut order: Vec<usize> = (0..values.len()).collect();
    order.sort_by(|&a, &b| values[a].total_cmp(&values[b]));
    let (mut ranks, mut ties, mut before) = (vec![0.0; values.len()], 0.0, 0.0);
    for equal in order.chunk_by(|&a, &b| values[a] == values[b]) {
        let t = equal.len() as f64;
        ties += t * t * t - t;
        for &i in equal {
            ranks[i] = before + (t + 1.0) / 2.0;
        }
        before += t;
    }
    (ranks, ties)
}

fn two_sided(difference: f64, variance: f64) -> f64 {
    if variance <= 0.0 || variance.is_nan() {
        return 1.0;
    }
    let z = (difference.abs() - 0.5).max(0.0) / variance.sqrt();
    (2.0 * Normal::standard().sf(z)).min(1.0)
}

/// The mean of two values or more, and the variance of that mean.
fn mean_with_variance(values: &[f64]) -> (f64, f64) {
    let n = values.len() as f64;
    let mean = values.iter().sum::<f64>() / n;
    (mean, values.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / (n - 1.0) / n)
}

/// What Welch's test says of two samples.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Welch {
    /// The mean of the first less that of the second, with its 95 % interval.
    pub difference: Interval,
    /// Two-sided: whether the means differ.
    pub p: f64,
}

/// Welch's t test of two samples whose variances may differ (1947), its degrees of freedom after Satterthwaite (1946). `None`
/// where a sample has fewer than two values, of which nothing can be told.
pub fn welch(a: &[f64], b: &[f64]) -> Option<Welch> {
    if a.len().min(b.len()) < 2 {
        return None;
    }
    let ((mean_a, of_a), (mean_b, of_b)) = (mean_with_variance(a), mean_with_variance(b));
    let (free_a, free_b) = (a.len() as f64 - 1.0, b.len() as f64 - 1.0);
    let (value, error) = (mean_a - mean_b, (of_a + of_b).sqrt());
    if error == 0.0 {
        let difference = Interval { value, low: value, high: value };
        return Some(Welch { difference, p: if value == 0.0 { 1.0 } else { 0.0 } });
    }
    let freedom = (of_a + of_b).powi(2) / (of_a.powi(2) / free_a + of_b.powi(2) / free_b);
    let t = StudentsT::new(0.0, 1.0, freedom).ok()?;
    let spread = t.inverse_cdf(0.975) * error;
    let difference = Interval { value, low: value - spread, high: value + spread };
    Some(Welch { difference, p: (2.0 * t.sf(value.abs() / error)).min(1.0) })
}

/// Student's t test of one sample (1908), two-sided: whether its mean is 0. Of estimates from a few clusters that differ it is
/// valid at levels up to 8 % (Ibragimov and Müller 2010, "t-Statistic Based Correlation and Heterogeneity Robust Inference").
/// 1 of fewer than two values.
pub fn one_sample_t(values: &[f64]) -> f64 {
    if values.len() < 2 {
        return 1.0;
    }
    let (mean, variance) = mean_with_variance(values);
    let error = variance.sqrt();
    if error == 0.0 {
        return if mean == 0.0 { 1.0 } else { 0.0 };
    }
    StudentsT::new(0.0, 1.0, values.len() as f64 - 1.0)
        .map_or(1.0, |t| (2.0 * t.sf(mean.abs() / error)).min(1.0))
}

/// Holm's correction (1979): each of a family's p-values as it is to be compared with the level of the whole family.
pub fn holm(p: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..p.len()).collect();
    order.sort_by(|&a, &b| p[a].total_cmp(&p[b]));
    let mut adjusted = vec![1.0; p.len()];
    let mut least: f64 = 0.0;
    for (rank, &i) in order.iter().enumerate() {
        least = least.max(((p.len() - rank) as f64 * p[i]).min(1.0));
        adjusted[i] = least;
    }
    adjusted
}

/// The estimate with the 2.5 % and 97.5 % quantiles of `resample`, which is called [`RESAMPLES`] times (Efron 1979, the
/// percentile interval). The same seed gives the same interval.
pub fn bootstrap(value: f64, seed: u64, mut resample: impl FnMut(&mut fastrand::Rng) -> f64) -> Interval {
    let mut rng = fastrand::Rng::with_seed(seed);
    let mut values: Vec<f64> = (0..RESAMPLES).map(|_| resample(&mut rng)).collect();
    values.sort_by(f64::total_cmp);
    let at = |q: f64| values[((values.len() - 1) as f64 * q).round() as usize];
    Interval { value, low: at(0.025), high: at(0.975) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn p_values_are_those_of_scipy() {
        // scipy.stats.binomtest(3, 15).pvalue
        assert!((sign_test(3, 12) - 0.035_156_25).abs() < 1e-12);
        assert_eq!(sign_test(0, 0), 1.0);
        assert_eq!(sign_test(7, 7), 1.0);
        // scipy.stats.wilcoxon(d, correction=True, method="asymptotic").pvalue
        let d = [1.5, -0.5, 2.0, 2.0, 3.5, -1.0, 4.0, 0.0, 2.5, 1.0, -0.25, 3.0];
        assert!((signed_rank(&d) - SIGNED).abs() < 1e-9, "{}", signed_rank(&d));
        // scipy.stats.mannwhitneyu(a, b, method="asymptotic").pvalue
        let (a, b) = ([1.0, 2.0, 2.0, 3.5, 4.0, 7.0], [2.0, 5.0, 6.0, 6.0, 8.0, 9.0, 10.0]);
        assert!((rank_sum(&a, &b) - SUM).abs() < 1e-9, "{}", rank_sum(&a, &b));
        assert_eq!((signed_rank(&[]), signed_rank(&[0.0]), rank_sum(&[1.0; 4], &[1.0; 5])), (1.0, 1.0, 1.0));
    }

    const SIGNED: f64 = 0.020_669_388_134_972_867;
    const SUM: f64 = 0.052_142_529_788_238_31;

    #[test]
    fn welch_s_test_is_scipy_s() {
        // scipy.stats.ttest_ind(a, b, equal_var=False): pvalue, confidence_interval()
        let welch_s = welch(&[1.0, 2.0, 4.0], &[3.0, 5.0, 5.5, 9.0]).unwrap();
        assert!((welch_s.p - 0.084_833_227_714_918_86).abs() < 1e-9, "{welch_s:?}");
        let Interval { low, high, .. } = welch_s.difference;
        let expected = [-7.241_900_716_326_011, 0.658_567_382_992_678_6];
        assert!((low - expected[0]).abs() < 1e-7 && (high - expected[1]).abs() < 1e-7, "{welch_s:?}");
        assert!(welch(&[1.0], &[2.0, 3.0]).is_none());
        assert_eq!(welch(&[1.0; 2], &[1.0; 3]).unwrap().p, 1.0);
    }

    #[test]
    fn a_sample_s_t_test_is_scipy_s() {
        // scipy.stats.ttest_1samp(d, 0).pvalue
        let p = one_sample_t(&[1.0, 2.0, -0.5, 3.0, 0.25, 2.5, 1.5]);
        assert!((p - 0.024_930_239_514_810_56).abs() < 1e-9, "{p}");
        assert_eq!((one_sample_t(&[]), one_sample_t(&[3.0]), one_sample_t(&[0.0; 3])), (1.0, 1.0, 1.0));
    }

    #[test]
    fn welch_s_interval_covers_where_spreads_differ_and_samples_are_small() {
        let mut rng = fastrand::Rng::with_seed(3);
        let mut normal = |n: usize, deviation: f64| -> Vec<f64> {
            // Twelve uniform draws are normal enough.
            (0..n).map(|_| deviation * ((0..12).map(|_| rng.f64()).sum::<f64>() - 6.0)).collect()
        };
        let trials = 2_000;
        let covered = (0..trials).filter(|_| {
            let found = welch(&normal(6, 3.0), &normal(6, 1.0)).unwrap();
            let covers = found.difference.low <= 0.0 && 0.0 <= found.difference.high;
            // Interval and test are of one mind.
            assert_eq!(covers, found.p >= 0.05);
            covers
        });
        let share = covered.count() as f64 / f64::from(trials);
        assert!((0.93..0.97).contains(&share), "{share}");
    }

    #[test]
    fn holm_s_correction_never_lowers_and_keeps_the_order() {
        // statsmodels.stats.multitest.multipletests(p, method="holm")
        let adjusted = holm(&[0.01, 0.04, 0.03, 0.005]);
        let expected = [0.03, 0.06, 0.06, 0.02];
        assert!(adjusted.iter().zip(expected).all(|(a, e)| (a - e).abs() < 1e-12), "{adjusted:?}");
        assert_eq!(holm(&[0.9, 0.8]), [1.0, 1.0]);
        assert!(holm(&[]).is_empty());
    }

    #[test]
    fn a_bootstrap_interval_covers_the_mean_as_often_as_it_says() {
        let mut rng = fastrand::Rng::with_seed(7);
        let mean = |v: &[f64]| v.iter().sum::<f64>() / v.len() as f64;
        let covered = (0..200).filter(|&seed| {
            let values: Vec<f64> = (0..60).map(|_| rng.f64()).collect();
            let i = bootstrap(mean(&values), seed, |rng| {
                (0..60).map(|_| values[rng.usize(..60)]).sum::<f64>() / 60.0
            });
            i.low <= 0.5 && 0.5 <= i.high
        });
        assert!((180..=198).contains(&covered.count()));
        let again = |seed| bootstrap(0.0, seed, |rng| rng.f64());
        assert_eq!(again(3), again(3));
    }
}
