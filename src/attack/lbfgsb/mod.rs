//! L-BFGS-B: a smooth function's minimum over a box (Byrd, Lu, Nocedal, Zhu 1995, "A limited memory algorithm for
//! bound constrained optimization"; version 3.0 of Morales and Nocedal 2011), turned inside out: the caller
//! evaluates, so that it may stop between any two evaluations. SciPy's `fmin_l_bfgs_b` is its oracle.

mod line_search;
mod memory;
mod small;

use line_search::{LineSearch, Next};
use memory::Memory;

use crate::kernel::columns::{Number, dot};
use crate::kernel::simd::Level;

/// When to stop, and how much to remember.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Settings {
    /// Pairs of steps and gradient changes that are kept.
    pub memory: usize,
    /// Iterations at most.
    pub iterations: usize,
    /// Stop when an iteration gains less than this share of the objective (of 1, when that is more).
    pub ftol: f64,
    /// Stop when no entry of the projected gradient is larger than this.
    pub pgtol: f64,
}

/// What to do next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// Evaluate objective and gradient at [`Lbfgsb::x`].
    Evaluate,
    /// [`Lbfgsb::x`] is the answer: the projected gradient is small.
    FlatGradient,
    /// It is: the objective gains no more.
    FlatObjective,
    /// It is: the iterations are used up.
    Iterations,
    /// It is: the line search found nothing better. Rounding, or a gradient that is not one.
    Stuck,
}

/// A minimisation under way, which remembers its steps and gradients in numbers of type `N`: an iteration goes over all of them
/// several times, and on a colour image that is what it costs.
#[derive(Clone, Debug)]
pub struct Lbfgsb<N> {
    settings: Settings,
    low: Vec<f64>,
    high: Vec<f64>,
    memory: Memory<N>,
    /// Where the iteration began, with objective and gradient.
    base: Vec<f64>,
    f: f64,
    gradient: Vec<f64>,
    /// How the gradient changed over the latest step.
    change: Vec<f64>,
    /// The point to evaluate.
    x: Vec<f64>,
    direction: Vec<f64>,
    search: Option<LineSearch>,
    step: f64,
    iterations: usize,
}

impl<N: Number> Lbfgsb<N> {
    /// From `start`, in the box from `low` to `high` (all of one length).
    pub fn new(start: Vec<f64>, low: Vec<f64>, high: Vec<f64>, settings: Settings) -> Self {
        assert!(start.len() == low.len() && start.len() == high.len());
        let x: Vec<f64> =
            start.iter().zip(&low).zip(&high).map(|((x, low), high)| x.clamp(*low, *high)).collect();
        Self {
            settings,
            low,
            high,
            memory: Memory::new(Level::detect(), settings.memory),
            base: x.clone(),
            f: f64::INFINITY,
            gradient: vec![0.0; x.len()],
            change: vec![0.0; x.len()],
            direction: vec![0.0; x.len()],
            x,
            search: None,
            step: 0.0,
            iterations: 0,
        }
    }

    /// The point to evaluate, or the answer.
    pub fn x(&self) -> &[f64] {
        &self.x
    }

    /// Iterations finished.
    pub fn iterations(&self) -> usize {
        self.iterations
    }

    /// Takes the objective and its gradient at [`x`](Self::x).
    pub fn tell(&mut self, f: f64, gradient: &[f64]) -> Status {
        let Some(search) = &mut self.search else {
            // The start.
            self.f = f;
            self.gradient.copy_from_slice(gradient);
            if self.projected_gradient() <= self.settings.pgtol {
                return Status::FlatGradient;
            }
            return self.begin();
        };
        match search.tell(f, dot(gradient, &self.direction)) {
            Next::Try(step) => {
                self.advance(step);
                Status::Evaluate
            }
            Next::Accept => self.accept(f, gradient),
            Next::Fail => self.fail(),
        }
    }

    /// Ends an iteration at the point just evaluated.
    fn accept(&mut self, f: f64, gradient: &[f64]) -> Status {
        let before = std::mem::replace(&mut self.f, f);
        let slope = dot(&self.gradient, &self.direction);
        for ((y, new), old) in self.change.iter_mut().zip(gradient).zip(&self.gradient) {
            *y = new - old;
        }
        self.gradient.copy_from_slice(gradient);
        self.base.copy_from_slice(&self.x);
        self.iterations += 1;
        if self.projected_gradient() <= self.settings.pgtol {
            return Status::FlatGradient;
        }
        if before - f <= self.settings.ftol * before.abs().max(f.abs()).max(1.0) {
            return Status::FlatObjective;
        }
        if self.iterations == self.settings.iterations {
            return Status::Iterations;
        }
        if self.step * dot(&self.direction, &self.change) > f64::EPSILON * -slope * self.step {
            let step = self.step;
            self.memory.push(self.direction.iter().map(|d| step * d), self.change.iter().copied());
        }
        self.begin()
    }

    /// Begins an iteration: a direction, and the first step along it.
    fn begin(&mut self) -> Status {
        let target = self.memory.minimise(&self.base, &self.gradient, &self.low, &self.high);
        for ((d, t), x) in self.direction.iter_mut().zip(target).zip(&self.base) {
            *d = t - x;
        }
        let slope = dot(&self.gradient, &self.direction);
        if slope >= 0.0 || slope.is_nan() {
            return self.fail();
        }
        let longest = if self.iterations == 0 { 1.0 } else { self.longest() };
        self.search = Some(LineSearch::new(self.f, slope, 1.0, longest));
        self.advance(1.0);
        Status::Evaluate
    }

    /// Back to where the iteration began, to start afresh from there; ends if that was afresh already.
    fn fail(&mut self) -> Status {
        self.x.copy_from_slice(&self.base);
        if self.memory.is_empty() {
            return Status::Stuck;
        }
        self.memory.clear();
        self.begin()
    }

    fn advance(&mut self, step: f64) {
        self.step = step;
        for i in 0..self.x.len() {
            self.x[i] = (self.base[i] + step * self.direction[i]).clamp(self.low[i], self.high[i]);
        }
    }

    /// The longest step along the direction that stays in the box.
    fn longest(&self) -> f64 {
        let mut most = 1e10f64;
        for (i, &d) in self.direction.iter().enumerate() {
            if d != 0.0 {
                let bound = if d > 0.0 { self.high[i] } else { self.low[i] };
                let step = (bound - self.base[i]) / d;
                most = if step < most { step } else { most };
            }
        }
        most.max(1.0)
    }

    /// The largest entry of the projected gradient.
    fn projected_gradient(&self) -> f64 {
        let mut largest = 0.0f64;
        for (i, &g) in self.gradient.iter().enumerate() {
            let x = self.base[i];
            let room = x - if g < 0.0 { self.high[i] } else { self.low[i] };
            let entry = if g.abs() < room.abs() { g.abs() } else { room.abs() };
            largest = if entry > largest { entry } else { largest };
        }
        largest
    }
}
