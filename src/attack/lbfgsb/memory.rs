//! The limited-memory approximation of the Hessian in compact form, `B = theta I - W M W'` with `W = [Y, theta S]`
//! (Byrd, Nocedal, Schnabel 1994), and the quadratic model's minimum over a box (Byrd, Lu, Nocedal, Zhu 1995,
//! sections 4 and 5.1; the projection of Morales and Nocedal 2011).

use std::collections::VecDeque;

use super::small::{Lu, dot};

/// A step and the change of the gradient over it.
#[derive(Clone, Debug)]
struct Pair {
    s: Vec<f64>,
    y: Vec<f64>,
}

/// The latest pairs of steps and gradient changes.
#[derive(Clone, Debug)]
pub struct Memory {
    most: usize,
    pairs: VecDeque<Pair>,
    /// `s_i . s_j` and `s_i . y_j`, kept so that a new pair costs one pass over the old ones.
    ss: VecDeque<VecDeque<f64>>,
    sy: VecDeque<VecDeque<f64>>,
    theta: f64,
    /// `M` inverse, factored and as it is.
    middle: Option<(Lu, Vec<f64>)>,
}

impl Memory {
    /// A memory of at most `most` pairs.
    pub fn new(most: usize) -> Self {
        Self {
            most,
            pairs: VecDeque::new(),
            ss: VecDeque::new(),
            sy: VecDeque::new(),
            theta: 1.0,
            middle: None,
        }
    }

    /// Whether nothing is remembered.
    pub fn is_empty(&self) -> bool {
        self.pairs.is_empty()
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        *self = Self::new(self.most);
    }

    /// Remembers a step and the change of the gradient over it, whose inner product must be above 0. Forgets
    /// everything when the approximation would not be positive definite.
    pub fn push(&mut self, s: Vec<f64>, y: Vec<f64>) {
        if self.pairs.len() == self.most {
            self.pairs.pop_front();
            for matrix in [&mut self.ss, &mut self.sy] {
                matrix.pop_front();
                for row in matrix.iter_mut() {
                    row.pop_front();
                }
            }
        }
        self.theta = dot(&y, &y) / dot(&s, &y);
        for (i, pair) in self.pairs.iter().enumerate() {
            self.ss[i].push_back(dot(&pair.s, &s));
            self.sy[i].push_back(dot(&pair.s, &y));
        }
        self.pairs.push_back(Pair { s, y });
        let last = &self.pairs[self.pairs.len() - 1];
        self.ss.push_back(self.pairs.iter().map(|p| dot(&last.s, &p.s)).collect());
        self.sy.push_back(self.pairs.iter().map(|p| dot(&last.s, &p.y)).collect());
        let k = self.pairs.len();
        let mut middle = vec![0.0; 4 * k * k];
        for i in 0..k {
            middle[i * 2 * k + i] = -self.sy[i][i];
            for j in 0..k {
                middle[(k + i) * 2 * k + k + j] = self.theta * self.ss[i][j];
                if i > j {
                    middle[(k + i) * 2 * k + j] = self.sy[i][j];
                    middle[j * 2 * k + k + i] = self.sy[i][j];
                }
            }
        }
        match Lu::new(2 * k, middle.clone()) {
            Some(lu) => self.middle = Some((lu, middle)),
            None => self.clear(),
        }
    }

    /// Row `i` of `W`.
    fn row(&self, i: usize, row: &mut [f64]) {
        let (ys, ss) = row.split_at_mut(self.pairs.len());
        for ((y, s), pair) in ys.iter_mut().zip(ss).zip(&self.pairs) {
            (*y, *s) = (pair.y[i], self.theta * pair.s[i]);
        }
    }

    /// `W' v`.
    fn transposed(&self, v: &[f64]) -> Vec<f64> {
        let ys = self.pairs.iter().map(|p| dot(&p.y, v));
        ys.chain(self.pairs.iter().map(|p| self.theta * dot(&p.s, v))).collect()
    }

    /// `M v`.
    fn middle(&self, v: &[f64]) -> Vec<f64> {
        self.middle.as_ref().map_or_else(Vec::new, |(lu, _)| lu.solve(v))
    }

    /// Where the quadratic model at `x` with gradient `g` is least over the box, as far as the Cauchy point and
    /// one projected subspace minimisation say.
    pub fn minimise(&self, x: &[f64], g: &[f64], low: &[f64], high: &[f64]) -> Vec<f64> {
        let cauchy = self.cauchy(x, g, low, high);
        if self.is_empty() { cauchy.point } else { self.subspace(x, g, low, high, cauchy) }
    }

    /// The first local minimum of the model along the projected steepest descent (algorithm CP).
    fn cauchy(&self, x: &[f64], g: &[f64], low: &[f64], high: &[f64]) -> Cauchy {
        let mut point = x.to_vec();
        let mut direction = vec![0.0; x.len()];
        let mut breaks = Vec::new();
        for i in 0..x.len() {
            let bound = if g[i] < 0.0 { high[i] } else { low[i] };
            let time = (x[i] - bound) / g[i];
            if g[i] != 0.0 && time > 0.0 {
                direction[i] = -g[i];
                if time.is_finite() {
                    breaks.push((time, i));
                }
            }
        }
        let mut fixed = vec![false; x.len()];
        let size = 2 * self.pairs.len();
        let mut p = self.transposed(&direction);
        let (mut c, mut row) = (vec![0.0; size], vec![0.0; size]);
        let mut slope = -dot(&direction, &direction);
        let mut curvature = -self.theta * slope - dot(&p, &self.middle(&p));
        let least_curvature = f64::EPSILON * (-self.theta * slope);
        let mut best = if slope < 0.0 { -slope / curvature.max(least_curvature) } else { 0.0 };
        let mut now = 0.0;
        // Most breakpoints lie beyond the minimum: they need not be sorted.
        let mut heap = std::collections::BinaryHeap::from_iter(breaks.into_iter().map(Break));
        while let Some(&Break((time, b))) = heap.peek() {
            let dt = time - now;
            if best < dt {
                break;
            }
            heap.pop();
            now = time;
            point[b] = if direction[b] > 0.0 { high[b] } else { low[b] };
            fixed[b] = true;
            let (z, gb) = (point[b] - x[b], g[b]);
            for (c, p) in c.iter_mut().zip(&p) {
                *c += dt * p;
            }
            self.row(b, &mut row);
            let m = self.middle(&row);
            slope += dt * curvature + gb * gb + self.theta * gb * z - gb * dot(&m, &c);
            curvature -= self.theta * gb * gb + 2.0 * gb * dot(&m, &p) + gb * gb * dot(&m, &row);
            curvature = curvature.max(least_curvature);
            for (p, w) in p.iter_mut().zip(&row) {
                *p += gb * w;
            }
            direction[b] = 0.0;
            best = -slope / curvature;
        }
        let best = best.max(0.0);
        now += best;
        for i in 0..x.len() {
            if !fixed[i] {
                point[i] = (x[i] + now * direction[i]).clamp(low[i], high[i]);
            }
        }
        for (c, p) in c.iter_mut().zip(&p) {
            *c += best * p;
        }
        Cauchy { point, c }
    }

    /// The model's minimum over the variables that are free at the Cauchy point, projected onto the box.
    fn subspace(&self, x: &[f64], g: &[f64], low: &[f64], high: &[f64], cauchy: Cauchy) -> Vec<f64> {
        let Cauchy { point, c } = cauchy;
        let free: Vec<bool> = (0..x.len()).map(|i| low[i] < point[i] && point[i] < high[i]).collect();
        let Some((_, middle)) = &self.middle else { return point };
        let size = 2 * self.pairs.len();
        // The columns of W where the variables are free, and 0 elsewhere.
        let columns: Vec<Vec<f64>> = (0..size)
            .map(|j| {
                let k = self.pairs.len();
                let (column, scale) =
                    if j < k { (&self.pairs[j].y, 1.0) } else { (&self.pairs[j - k].s, self.theta) };
                column.iter().zip(&free).map(|(v, &free)| if free { v * scale } else { 0.0 }).collect()
            })
            .collect();
        let mc = self.middle(&c);
        let mut residual: Vec<f64> =
            (0..x.len()).map(|i| if free[i] { g[i] + self.theta * (point[i] - x[i]) } else { 0.0 }).collect();
        for (column, m) in columns.iter().zip(&mc) {
            for (r, w) in residual.iter_mut().zip(column) {
                *r -= w * m;
            }
        }
        let mut system = middle.clone();
        for i in 0..size {
            for j in 0..=i {
                let product = dot(&columns[i], &columns[j]) / self.theta;
                system[i * size + j] -= product;
                if i != j {
                    system[j * size + i] -= product;
                }
            }
        }
        let Some(lu) = Lu::new(size, system) else { return point };
        let right: Vec<f64> = columns.iter().map(|column| dot(column, &residual)).collect();
        let v = lu.solve(&right);
        let mut step: Vec<f64> = residual.iter().map(|r| -r / self.theta).collect();
        for (column, v) in columns.iter().zip(&v) {
            let factor = v / (self.theta * self.theta);
            for (s, w) in step.iter_mut().zip(column) {
                *s -= factor * w;
            }
        }
        let projected: Vec<f64> = (0..x.len()).map(|i| (point[i] + step[i]).clamp(low[i], high[i])).collect();
        let slope: f64 = (0..x.len()).map(|i| (projected[i] - x[i]) * g[i]).sum();
        if slope <= 0.0 {
            return projected;
        }
        // The projection may turn uphill; going towards the minimum until the first bound does not.
        let mut most = 1.0f64;
        for i in 0..x.len() {
            if step[i] != 0.0 {
                let bound = if step[i] > 0.0 { high[i] } else { low[i] };
                most = most.min((bound - point[i]) / step[i]);
            }
        }
        (0..x.len()).map(|i| (point[i] + most * step[i]).clamp(low[i], high[i])).collect()
    }
}

/// The Cauchy point and `c = W' (point - x)`.
struct Cauchy {
    point: Vec<f64>,
    c: Vec<f64>,
}

/// A breakpoint of the projected path: when, and which variable. The heap gives the earliest first, of equals the
/// one with the lower index.
#[derive(PartialEq)]
struct Break((f64, usize));

impl Eq for Break {}

impl Ord for Break {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        let (Self((a, i)), Self((b, j))) = (self, other);
        b.total_cmp(a).then(j.cmp(i))
    }
}

impl PartialOrd for Break {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
