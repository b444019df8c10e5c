//! The search for the smallest budget that succeeds.

/// Raises a budget until it succeeds, then halves the interval down to the largest that failed.
#[derive(Clone, Debug)]
pub struct Bisection {
    /// The budget of the round under way.
    pub budget: f64,
    largest_failure: f64,
    smallest_success: Option<f64>,
    growth: f64,
    limit: f64,
    raises: usize,
    precision: f64,
}

impl Bisection {
    /// Begins at `budget` and multiplies it by `growth` up to `raises` times, never beyond `limit`; bisects until the
    /// interval is at most `precision` of its upper end.
    pub fn new(budget: f64, growth: f64, raises: usize, limit: f64, precision: f64) -> Self {
        Self { budget, largest_failure: 0.0, smallest_success: None, growth, limit, raises, precision }
    }

    /// Takes how the round ended: the budget that would have done, or `None` for a failure. Sets the next budget and
    /// returns whether there is one.
    pub fn next(&mut self, enough: Option<f64>) -> bool {
        match enough {
            Some(enough) => {
                let enough = enough.min(self.budget);
                self.smallest_success = Some(self.smallest_success.map_or(enough, |s| s.min(enough)));
            }
            None => self.largest_failure = self.largest_failure.max(self.budget),
        }
        match self.smallest_success {
            Some(success) => {
                self.budget = 0.5 * (self.largest_failure + success);
                success - self.largest_failure > self.precision * success
            }
            None => {
                let more = self.raises > 0 && self.budget < self.limit;
                self.raises = self.raises.saturating_sub(1);
                self.budget = (self.budget * self.growth).min(self.limit);
                more
            }
        }
    }
}

#[cfg(test)]
mod tests {
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;

    #[test]
    fn the_threshold_is_found_from_below_and_from_above() {
        for (start, threshold) in [(0.3, 0.177), (0.1, 0.177), (1.0, 1e-3), (1e-4, 0.9)] {
            let mut search = Bisection::new(start, 1.5, 30, 1.0, 0.01);
            let mut rounds = 1;
            let mut best = f64::INFINITY;
            loop {
                let success = search.budget >= threshold;
                if success {
                    best = best.min(search.budget);
                }
                if !search.next(success.then_some(search.budget)) {
                    break;
                }
                rounds += 1;
            }
            assert!(best >= threshold && best <= threshold * 1.011, "{start}: {best} for {threshold}");
            assert!(rounds <= 40, "{rounds} rounds");
        }
    }

    #[test]
    fn a_search_that_never_succeeds_ends() {
        let mut search = Bisection::new(0.5, 1.5, 20, 1.0, 0.01);
        let mut rounds = 1;
        while search.next(None) {
            rounds += 1;
        }
        // 0.5, 0.75, 1.
        assert_eq!(rounds, 3);
    }
}
