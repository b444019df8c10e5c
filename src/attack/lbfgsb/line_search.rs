//! The line search of Moré and Thuente 1994, "Line search algorithms with guaranteed sufficient decrease", as
//! MINPACK-2 and L-BFGS-B 3.0 use it, turned inside out: the caller evaluates.

/// Sufficient decrease, curvature and width of the interval at which the search ends.
const FTOL: f64 = 1e-3;
const GTOL: f64 = 0.9;
const XTOL: f64 = 0.1;
/// Evaluations before the search is given up.
const MOST: usize = 20;

/// A step with the objective and its slope along the direction there.
#[derive(Clone, Copy, Debug)]
struct Point {
    step: f64,
    f: f64,
    slope: f64,
}

/// What to do after an evaluation.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Next {
    /// Evaluate at this step.
    Try(f64),
    /// The step just evaluated will do.
    Accept,
    /// No step was found.
    Fail,
}

/// A search for a step in (0, `most`] that decreases the objective enough.
#[derive(Clone, Debug)]
pub struct LineSearch {
    start: Point,
    longest: f64,
    best: Point,
    other: Point,
    step: f64,
    bracketed: bool,
    /// Whether the modified function of the paper is still used.
    first_stage: bool,
    interval: [f64; 2],
    width: f64,
    width_before: f64,
    evaluations: usize,
}

impl LineSearch {
    /// From objective `f` with `slope` (below 0), trying `step` first and no step beyond `longest`.
    pub fn new(f: f64, slope: f64, step: f64, longest: f64) -> Self {
        let start = Point { step: 0.0, f, slope };
        Self {
            start,
            longest,
            best: start,
            other: start,
            step,
            bracketed: false,
            first_stage: true,
            interval: [0.0, 5.0 * step],
            width: longest,
            width_before: 2.0 * longest,
            evaluations: 0,
        }
    }

    /// Takes the objective and its slope at the step that was asked for.
    pub fn tell(&mut self, f: f64, slope: f64) -> Next {
        self.evaluations += 1;
        let wanted = FTOL * self.start.slope;
        let limit = self.start.f + self.step * wanted;
        let here = Point { step: self.step, f, slope };
        if self.first_stage && f <= limit && slope >= 0.0 {
            self.first_stage = false;
        }
        let [low, high] = self.interval;
        let exhausted = self.bracketed
            && (self.step <= low || self.step >= high || high - low <= XTOL * high)
            || self.step == self.longest && f <= limit && slope <= wanted;
        if exhausted || f <= limit && slope.abs() <= GTOL * -self.start.slope {
            return Next::Accept;
        }
        if self.evaluations >= MOST || !f.is_finite() {
            return Next::Fail;
        }
        if self.first_stage && f <= self.best.f && f > limit {
            let modified = |p: Point| Point { f: p.f - p.step * wanted, slope: p.slope - wanted, ..p };
            let back = |p: Point| Point { f: p.f + p.step * wanted, slope: p.slope + wanted, ..p };
            (self.best, self.other) = (modified(self.best), modified(self.other));
            self.refine(modified(here));
            (self.best, self.other) = (back(self.best), back(self.other));
        } else {
            self.refine(here);
        }
        if self.bracketed {
            if (self.other.step - self.best.step).abs() >= 0.66 * self.width_before {
                self.step = self.best.step + 0.5 * (self.other.step - self.best.step);
            }
            self.width_before = self.width;
            self.width = (self.other.step - self.best.step).abs();
            self.interval = [self.best.step.min(self.other.step), self.best.step.max(self.other.step)];
        } else {
            let beyond = self.step - self.best.step;
            self.interval = [self.step + 1.1 * beyond, self.step + 4.0 * beyond];
        }
        self.step = self.step.clamp(0.0, self.longest);
        let [low, high] = self.interval;
        if self.bracketed && (self.step <= low || self.step >= high || high - low <= XTOL * high) {
            self.step = self.best.step;
        }
        if self.step.is_finite() { Next::Try(self.step) } else { Next::Fail }
    }

    /// MINPACK-2's dcstep: the next step by cubic and quadratic interpolation, and the interval around it.
    fn refine(&mut self, p: Point) {
        let (x, y) = (self.best, self.other);
        let opposite = p.slope * (x.slope / x.slope.abs()) < 0.0;
        // The cubic through a and b: its minimiser as a fraction of the way from `from` to `to`.
        let theta = |a: Point, b: Point| 3.0 * (a.f - b.f) / (b.step - a.step) + a.slope + b.slope;
        let gamma = |theta: f64, a: Point, b: Point| {
            let s = theta.abs().max(a.slope.abs()).max(b.slope.abs());
            s * ((theta / s).powi(2) - (a.slope / s) * (b.slope / s)).max(0.0).sqrt()
        };
        let secant = p.step + p.slope / (p.slope - x.slope) * (x.step - p.step);
        let next;
        if p.f > x.f {
            let t = theta(x, p);
            let g = gamma(t, x, p) * if p.step < x.step { -1.0 } else { 1.0 };
            let r = ((g - x.slope) + t) / (((g - x.slope) + g) + p.slope);
            let cubic = x.step + r * (p.step - x.step);
            let quadratic =
                x.step + x.slope / ((x.f - p.f) / (p.step - x.step) + x.slope) / 2.0 * (p.step - x.step);
            next = if (cubic - x.step).abs() < (quadratic - x.step).abs() {
                cubic
            } else {
                cubic + (quadratic - cubic) / 2.0
            };
            self.bracketed = true;
        } else if opposite {
            let t = theta(x, p);
            let g = gamma(t, x, p) * if p.step > x.step { -1.0 } else { 1.0 };
            let r = ((g - p.slope) + t) / (((g - p.slope) + g) + x.slope);
            let cubic = p.step + r * (x.step - p.step);
            next = if (cubic - p.step).abs() > (secant - p.step).abs() { cubic } else { secant };
            self.bracketed = true;
        } else if p.slope.abs() < x.slope.abs() {
            let t = theta(x, p);
            let g = gamma(t, x, p) * if p.step > x.step { -1.0 } else { 1.0 };
            let r = ((g - p.slope) + t) / ((g + (x.slope - p.slope)) + g);
            let cubic = if r < 0.0 && g != 0.0 {
                p.step + r * (x.step - p.step)
            } else if p.step > x.step {
                self.interval[1]
            } else {
                self.interval[0]
            };
            let cubic_is_nearer = (cubic - p.step).abs() < (secant - p.step).abs();
            next = if self.bracketed {
                let nearer = if cubic_is_nearer { cubic } else { secant };
                let edge = p.step + 0.66 * (y.step - p.step);
                if p.step > x.step { nearer.min(edge) } else { nearer.max(edge) }
            } else {
                let farther = if cubic_is_nearer { secant } else { cubic };
                farther.clamp(self.interval[0], self.interval[1].max(self.interval[0]))
            };
        } else if self.bracketed {
            let t = theta(p, y);
            let g = gamma(t, y, p) * if p.step > y.step { -1.0 } else { 1.0 };
            let r = ((g - p.slope) + t) / (((g - p.slope) + g) + y.slope);
            next = p.step + r * (y.step - p.step);
        } else {
            next = self.interval[usize::from(p.step > x.step)];
        }
        if p.f > x.f {
            self.other = p;
        } else {
            if opposite {
                self.other = x;
            }
            self.best = p;
        }
        self.step = next;
    }
}

#[cfg(test)]
mod tests {
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;

    /// Searches along f(a), with slope f'(a), from the first step.
    fn search(f: impl Fn(f64) -> (f64, f64), first: f64, longest: f64) -> Option<f64> {
        let (start, slope) = f(0.0);
        let mut search = LineSearch::new(start, slope, first, longest);
        let mut step = first;
        loop {
            let (value, slope) = f(step);
            match search.tell(value, slope) {
                Next::Try(next) => step = next,
                Next::Accept => return Some(step),
                Next::Fail => return None,
            }
        }
    }

    #[test]
    fn the_step_decreases_enough_and_flattens() {
        for first in [1e-3, 0.1, 1.0, 10.0, 1e3] {
            // Functions 1 and 2 of the paper, and a quadratic.
            let functions: [fn(f64) -> (f64, f64); 3] = [
                |a| (-a / (a * a + 2.0), (a * a - 2.0) / (a * a + 2.0).powi(2)),
                |a| {
                    let b = a + 0.004;
                    (b.powi(5) - 2.0 * b.powi(4), 5.0 * b.powi(4) - 8.0 * b.powi(3))
                },
                |a| ((a - 3.0).powi(2), 2.0 * (a - 3.0)),
            ];
            for (i, f) in functions.into_iter().enumerate() {
                let step = search(f, first, 1e10).expect("a step is found");
                let ((f0, d0), (fa, da)) = (f(0.0), f(step));
                assert!(fa <= f0 + FTOL * step * d0, "{i} from {first}: {step}");
                // The second is so flat at its start that the width of the interval ends the search.
                assert!(i == 1 || da.abs() <= GTOL * -d0, "{i} from {first}: {step}");
            }
        }
    }

    #[test]
    fn the_longest_step_is_taken_where_the_objective_still_falls() {
        assert_eq!(search(|a| (-a, -1.0), 1.0, 1.0), Some(1.0));
    }

    #[test]
    fn what_is_not_a_number_fails() {
        assert_eq!(search(|a| (if a > 0.0 { f64::NAN } else { 0.0 }, -1.0), 1.0, 1.0), None);
    }
}
