//! Numbers as a report writes them.

use crate::metrics::statistics::Interval;

/// What stands where there is no number.
pub const NONE: &str = "–";

/// A number with so many decimals.
pub fn number(value: f64, decimals: usize) -> String {
    if value.is_finite() { format!("{value:.decimals$}") } else { NONE.into() }
}

/// A share in percent, without the sign.
pub fn percent(share: f64) -> String {
    number(100.0 * share, 1)
}

/// A share with its interval, in percent.
pub fn interval(share: Interval) -> String {
    if share.value.is_nan() {
        return NONE.into();
    }
    format!("{} [{}, {}]", percent(share.value), percent(share.low), percent(share.high))
}

/// A median with the other two quartiles.
pub fn quartiles([low, median, high]: [f64; 3], decimals: usize) -> String {
    if median.is_nan() {
        return NONE.into();
    }
    format!("{} ({}–{})", number(median, decimals), number(low, decimals), number(high, decimals))
}

/// The least and the greatest of some numbers; `None` of fewer than two.
pub fn range(values: &[f64]) -> Option<(f64, f64)> {
    let finite = values.iter().copied().filter(|v| v.is_finite());
    let (low, high) = finite.clone().fold((f64::MAX, f64::MIN), |(low, high), v| (low.min(v), high.max(v)));
    (finite.count() > 1).then_some((low, high))
}
