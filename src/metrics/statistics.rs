//! Intervals of 95 % for what a study counts and measures.

/// The 97.5 % quantile of the standard normal distribution.
const Z: f64 = 1.959_963_984_540_054;

/// An estimate with the bounds of its 95 % interval.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Interval {
    /// The estimate.
    pub value: f64,
    /// Lower bound.
    pub low: f64,
    /// Upper bound.
    pub high: f64,
}

/// The share `hits / n` with Wilson's score interval (Wilson 1927). All NaN when `n` is 0.
pub fn share(hits: usize, n: usize) -> Interval {
    wilson(hits as f64 / n as f64, n as f64)
}

/// Wilson's score interval of the share `p` of `n` things, where `n` can be a mean. All NaN when `n` is 0.
pub fn wilson(p: f64, n: f64) -> Interval {
    if n == 0.0 || p.is_nan() {
        return Interval { value: f64::NAN, low: f64::NAN, high: f64::NAN };
    }
    let spread = Z * (p * (1.0 - p) / n + Z * Z / (4.0 * n * n)).sqrt();
    let (centre, scale) = (p + Z * Z / (2.0 * n), 1.0 + Z * Z / n);
    Interval {
        value: p,
        low: ((centre - spread) / scale).clamp(0.0, p),
        high: ((centre + spread) / scale).clamp(p, 1.0),
    }
}

/// The difference between two shares of the same `n` things, given how many are in the first alone and in the second
/// alone: their difference over `n`, with Wald's interval for paired shares (Agresti, "Categorical Data Analysis", 10.1).
pub fn paired_difference(first_alone: usize, second_alone: usize, n: usize) -> Interval {
    let (b, c, n) = (first_alone as f64, second_alone as f64, n as f64);
    let value = (b - c) / n;
    let spread = Z * ((b + c) - (b - c).powi(2) / n).max(0.0).sqrt() / n;
    Interval { value, low: (value - spread).max(-1.0), high: (value + spread).min(1.0) }
}

/// The median with an interval between order statistics, which assumes nothing of the distribution (Conover, "Practical
/// Nonparametric Statistics", 3.2). All NaN when there are no values.
pub fn median(values: &[f64]) -> Interval {
    let mut sorted = values.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    let n = sorted.len();
    let Some(last) = n.checked_sub(1) else {
        return Interval { value: f64::NAN, low: f64::NAN, high: f64::NAN };
    };
    let spread = Z * (n as f64).sqrt() / 2.0;
    let at = |rank: f64| sorted[(rank.max(0.0) as usize).min(last)];
    let value = (sorted[last / 2] + sorted[n / 2]) / 2.0;
    Interval { value, low: at((n as f64 / 2.0 - spread).floor()), high: at((n as f64 / 2.0 + spread).ceil()) }
}

/// The quartiles, interpolated between neighbours as NumPy's `quantile` does unless told otherwise. All NaN when there are
/// no values.
pub fn quartiles(values: &[f64]) -> [f64; 3] {
    let mut sorted = values.to_vec();
    sorted.sort_unstable_by(f64::total_cmp);
    let Some(last) = sorted.len().checked_sub(1) else { return [f64::NAN; 3] };
    [0.25, 0.5, 0.75].map(|q| {
        let place = q * last as f64;
        let (below, rest) = (place as usize, place.fract());
        sorted[below] + rest * (sorted[(below + 1).min(last)] - sorted[below])
    })
}

#[cfg(test)]
mod tests {
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;

    #[test]
    fn shares_have_wilson_s_interval() {
        // statsmodels.stats.proportion.proportion_confint(8, 10, method="wilson")
        let i = share(8, 10);
        assert!((i.low - 0.490_162_47).abs() < 1e-6 && (i.high - 0.943_317_82).abs() < 1e-6, "{i:?}");
        let all = share(20, 20);
        assert!(all.high == 1.0 && (all.low - 0.838_874_83).abs() < 1e-6, "{all:?}");
        assert_eq!(share(0, 20).low, 0.0);
        assert!(share(0, 0).value.is_nan());
    }

    #[test]
    fn a_difference_of_pairs_has_wald_s_interval() {
        let i = paired_difference(30, 10, 100);
        let spread = Z * (40.0f64 - 4.0).sqrt() / 100.0;
        assert!((i.value - 0.2).abs() < 1e-12 && (i.high - i.low - 2.0 * spread).abs() < 1e-12);
        assert_eq!(paired_difference(0, 0, 50), Interval { value: 0.0, low: 0.0, high: 0.0 });
    }

    #[test]
    fn the_interval_of_a_median_covers_it_as_often_as_it_says() {
        let mut rng = fastrand::Rng::with_seed(1);
        let covered = (0..2000).filter(|_| {
            let values: Vec<f64> = (0..101).map(|_| rng.f64()).collect();
            let i = median(&values);
            assert!(i.low <= i.value && i.value <= i.high);
            i.low <= 0.5 && 0.5 <= i.high
        });
        let share = covered.count() as f64 / 2000.0;
        assert!((0.94..0.98).contains(&share), "{share}");
        assert_eq!(median(&[3.0, 1.0]).value, 2.0);
        assert!(median(&[]).value.is_nan());
    }

    #[test]
    fn quartiles_lie_between_neighbours() {
        // numpy.quantile([7, 1, 4, 2], [0.25, 0.5, 0.75]), and of [3, 1, 2, 5, 4, 9]
        assert_eq!(quartiles(&[7.0, 1.0, 4.0, 2.0]), [1.75, 3.0, 4.75]);
        assert_eq!(quartiles(&[3.0, 1.0, 2.0, 5.0, 4.0, 9.0]), [2.25, 3.5, 4.75]);
        assert_eq!(quartiles(&[6.0]), [6.0; 3]);
        assert!(quartiles(&[]).iter().all(|q| q.is_nan()));
    }
}
