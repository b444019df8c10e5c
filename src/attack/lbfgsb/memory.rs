//! The limited-memory approximation of the Hessian in compact form, `B = theta I - W M W'` with `W = [Y, theta S]`
//! (Byrd, Nocedal, Schnabel 1994), and the quadratic model's minimum over a box (Byrd, Lu, Nocedal, Zhu 1995,
//! sections 4 and 5.1; the projection of Morales and Nocedal 2011).

use std::collections::VecDeque;

use super::small::{Lu, dot as short_dot};
use crate::kernel::columns::{BLOCK, Number, add, dot, dots};
use crate::kernel::simd::Level;

/// A step and the change of the gradient over it. All products are of these very numbers, and summed in f64.
#[derive(Clone, Debug)]
struct Pair<N> {
    s: Vec<N>,
    y: Vec<N>,
}

/// The latest pairs of steps and gradient changes.
#[derive(Clone, Debug)]
pub struct Memory<N> {
    level: Level,
    most: usize,
    pairs: VecDeque<Pair<N>>,
    /// `s_i . s_j`, `s_i . y_j` and `y_i . y_j`, kept so that a new pair costs one pass over the old ones.
    ss: VecDeque<VecDeque<f64>>,
    sy: VecDeque<VecDeque<f64>>,
    yy: VecDeque<VecDeque<f64>>,
    theta: f64,
    /// `M` inverse, factored and as it is.
    middle: Option<(Lu, Vec<f64>)>,
    scratch: Scratch,
}

/// Room made once for what is made anew in every iteration: for a colour image it is megabytes, which the system takes
/// longer to hand out than they take to fill.
#[derive(Clone, Debug, Default)]
struct Scratch {
    /// The Cauchy point, then the minimum.
    point: Vec<f64>,
    direction: Vec<f64>,
    /// When the steepest descent takes each variable to its bound: 0 where it is there, infinite where it never comes there.
    times: Vec<f64>,
    breaks: Vec<Break>,
    /// The variables that the Cauchy point has put on a bound, and the bounds.
    fixed: Vec<(usize, f64)>,
    /// Which variables it has left free.
    free: Vec<bool>,
    /// The fewer of the free variables and the others.
    fewer: Vec<usize>,
    residual: Vec<f64>,
    step: Vec<f64>,
}

impl<N: Number> Memory<N> {
    /// A memory of at most `most` pairs.
    pub fn new(level: Level, most: usize) -> Self {
        Self {
            level,
            most,
            pairs: VecDeque::new(),
            ss: VecDeque::new(),
            sy: VecDeque::new(),
            yy: VecDeque::new(),
            theta: 1.0,
            middle: None,
            scratch: Scratch::default(),
        }
    }

    /// Whether nothing is remembered.
    pub fn is_empty(&self) -> bool {
        self.pairs.is_empty()
    }

    /// Forgets everything.
    pub fn clear(&mut self) {
        let scratch = std::mem::take(&mut self.scratch);
        *self = Self { scratch, ..Self::new(self.level, self.most) };
    }

    /// Remembers a step and the change of the gradient over it, whose inner product must be above 0. Forgets
    /// everything when the approximation would not be positive definite.
    pub fn push(&mut self, step: impl Iterator<Item = f64>, change: impl Iterator<Item = f64>) {
        let mut pair = Pair { s: Vec::new(), y: Vec::new() };
        if self.pairs.len() == self.most {
            pair = self.pairs.pop_front().unwrap_or(pair);
            for matrix in [&mut self.ss, &mut self.sy, &mut self.yy] {
                matrix.pop_front();
                for row in matrix.iter_mut() {
                    row.pop_front();
                }
            }
        }
        pair.s.clear();
        pair.s.extend(step.map(N::nearest));
        pair.y.clear();
        pair.y.extend(change.map(N::nearest));
        self.pairs.push_back(pair);
        let k = self.pairs.len();
        let Pair { s, y } = &self.pairs[k - 1];
        // All pairs with the new step, then with the new change: changes first, as in `W`.
        let (mut with_s, mut with_y) = (vec![0.0; 2 * k], vec![0.0; 2 * k]);
        let columns = self.columns();
        let mut in_full = [0.0; BLOCK];
        for start in (0..s.len()).step_by(BLOCK) {
            let end = (start + BLOCK).min(s.len());
            let block: Vec<&[N]> = columns.iter().map(|c| &c[start..end]).collect();
            for (v, products) in [(s, &mut with_s), (y, &mut with_y)] {
                in_full.iter_mut().zip(&v[start..end]).for_each(|(to, &v)| *to = v.into());
                dots(self.level, &block, &in_full[..end - start], products);
            }
        }
        self.theta = with_y[k - 1] / with_s[k - 1];
        for i in 0..k - 1 {
            self.ss[i].push_back(with_s[k + i]);
            self.sy[i].push_back(with_y[k + i]);
            self.yy[i].push_back(with_y[i]);
        }
        self.ss.push_back(with_s[k..].iter().copied().collect());
        self.sy.push_back(with_s[..k].iter().copied().collect());
        self.yy.push_back(with_y[..k].iter().copied().collect());
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
            (*y, *s) = (pair.y[i].into(), self.theta * pair.s[i].into());
        }
    }

    /// `W' v`.
    fn transposed(&self, v: &[f64]) -> Vec<f64> {
        let mut products = vec![0.0; 2 * self.pairs.len()];
        dots(self.level, &self.columns(), v, &mut products);
        self.scale(&mut products);
        products
    }

    /// The changes of the gradient, then the steps: the columns of `W` before the latter are multiplied with theta.
    fn columns(&self) -> Vec<&[N]> {
        self.pairs.iter().map(|p| &p.y[..]).chain(self.pairs.iter().map(|p| &p.s[..])).collect()
    }

    /// Makes what was computed with the [`columns`](Self::columns) right for `W`.
    fn scale(&self, products: &mut [f64]) {
        products[self.pairs.len()..].iter_mut().for_each(|p| *p *= self.theta);
    }

    /// `W' W` over the `free` variables, the lower triangle of a square matrix: summed over them where they are the fewer,
    /// else what is left of the sum over all without the others. `fewer` is scratch.
    fn products(&self, free: &[bool], fewer: &mut Vec<usize>) -> Vec<f64> {
        /// Rows gathered at once: those of all columns fit the nearest cache.
        const ROWS: usize = 64;
        let k = self.pairs.len();
        let size = 2 * k;
        let count = free.iter().filter(|&&free| free).count();
        let few_are_free = 2 * count <= free.len();
        fewer.clear();
        fewer.extend((0..free.len()).filter(|&i| free[i] == few_are_free));
        let mut products = vec![0.0; size * size];
        let columns = self.columns();
        let mut block = vec![0.0; size * ROWS];
        for rows in fewer.chunks(ROWS) {
            for (j, (column, out)) in columns.iter().zip(block.chunks_exact_mut(ROWS)).enumerate() {
                let scale = if j < k { 1.0 } else { self.theta };
                for (out, &i) in out.iter_mut().zip(rows) {
                    *out = scale * column[i].into();
                }
            }
            let column = |j: usize| &block[j * ROWS..j * ROWS + rows.len()];
            for i in 0..size {
                for j in 0..=i {
                    products[i * size + j] += dot(column(i), column(j));
                }
            }
        }
        if !few_are_free {
            for i in 0..size {
                for j in 0..=i {
                    let all = match (i < k, j < k) {
                        (true, _) => self.yy[i][j],
                        (false, true) => self.theta * self.sy[i - k][j],
                        (false, false) => self.theta * self.theta * self.ss[i - k][j - k],
                    };
                    products[i * size + j] = all - products[i * size + j];
                }
            }
        }
        products
    }

    /// `M v`.
    fn middle(&self, v: &[f64]) -> Vec<f64> {
        self.middle.as_ref().map_or_else(Vec::new, |(lu, _)| lu.solve(v))
    }

    /// Where the quadratic model at `x` with gradient `g` is least over the box, as far as the Cauchy point and
    /// one projected subspace minimisation say.
    pub fn minimise(&mut self, x: &[f64], g: &[f64], low: &[f64], high: &[f64]) -> &[f64] {
        let mut scratch = std::mem::take(&mut self.scratch);
        let c = self.cauchy(x, g, (low, high), &mut scratch);
        if !self.is_empty() {
            self.subspace(x, g, (low, high), &c, &mut scratch);
        }
        self.scratch = scratch;
        &self.scratch.point
    }

    /// The first local minimum of the model along the projected steepest descent (algorithm CP). Returns
    /// `c = W' (point - x)`.
    fn cauchy(&self, x: &[f64], g: &[f64], (low, high): (&[f64], &[f64]), scratch: &mut Scratch) -> Vec<f64> {
        let Scratch { point, direction, times, fixed, .. } = scratch;
        direction.clear();
        times.clear();
        let bounded = low.iter().zip(high);
        times.extend(x.iter().zip(g).zip(bounded).map(|((&x, &g), (&low, &high))| {
            let time = (x - if g < 0.0 { high } else { low }) / g;
            // Of no gradient it is infinite or no number.
            if time > 0.0 { time } else { 0.0 }
        }));
        direction.extend(times.iter().zip(g).map(|(&time, &g)| if time > 0.0 { -g } else { 0.0 }));
        fixed.clear();
        let size = 2 * self.pairs.len();
        let mut p = self.transposed(direction);
        let (mut c, mut row) = (vec![0.0; size], vec![0.0; size]);
        let mut slope = -dot(direction, direction);
        let mut curvature = -self.theta * slope - short_dot(&p, &self.middle(&p));
        let least_curvature = f64::EPSILON * (-self.theta * slope);
        let mut best = if slope < 0.0 { -slope / curvature.max(least_curvature) } else { 0.0 };
        let mut now = 0.0;
        // Most breakpoints lie beyond the minimum: those that lie far beyond are not even looked at.
        let mut breaks = std::mem::take(&mut scratch.breaks);
        breaks.clear();
        let mut heap = std::collections::BinaryHeap::from(breaks);
        let mut reach = 0.0;
        loop {
            let Some(&Break((time, b))) = heap.peek() else {
                // All up to `reach` are passed.
                if now + best <= reach || best.is_nan() {
                    break;
                }
                let before = std::mem::replace(&mut reach, 2.0 * (now + best));
                let near = |(i, &time): (usize, &f64)| {
                    (before < time && time <= reach && time.is_finite()).then_some(Break((time, i)))
                };
                heap.extend(times.iter().enumerate().filter_map(near));
                continue;
            };
            let dt = time - now;
            if best < dt {
                break;
            }
            heap.pop();
            now = time;
            let bound = if direction[b] > 0.0 { high[b] } else { low[b] };
            fixed.push((b, bound));
            let (z, gb) = (bound - x[b], g[b]);
            for (c, p) in c.iter_mut().zip(&p) {
                *c += dt * p;
            }
            self.row(b, &mut row);
            let m = self.middle(&row);
            slope += dt * curvature + gb * gb + self.theta * gb * z - gb * short_dot(&m, &c);
            curvature -= self.theta * gb * gb + 2.0 * gb * short_dot(&m, &p) + gb * gb * short_dot(&m, &row);
            curvature = curvature.max(least_curvature);
            for (p, w) in p.iter_mut().zip(&row) {
                *p += gb * w;
            }
            direction[b] = 0.0;
            best = -slope / curvature;
        }
        let best = best.max(0.0);
        now += best;
        point.clear();
        let bounded = low.iter().zip(high);
        point.extend(
            x.iter()
                .zip(&*direction)
                .zip(bounded)
                .map(|((x, d), (&low, &high))| (x + now * d).clamp(low, high)),
        );
        for &(i, bound) in &*fixed {
            point[i] = bound;
        }
        for (c, p) in c.iter_mut().zip(&p) {
            *c += best * p;
        }
        scratch.breaks = heap.into_vec();
        c
    }

    /// The model's minimum over the variables that are free at the Cauchy point, projected onto the box.
    /// Goes from the Cauchy point in `scratch` to it.
    fn subspace(
        &self,
        x: &[f64],
        g: &[f64],
        (low, high): (&[f64], &[f64]),
        c: &[f64],
        scratch: &mut Scratch,
    ) {
        let Scratch { point, free, fewer, residual, step, .. } = scratch;
        let Some((_, middle)) = &self.middle else { return };
        free.clear();
        free.extend((0..x.len()).map(|i| low[i] < point[i] && point[i] < high[i]));
        let size = 2 * self.pairs.len();
        // The model's gradient at the Cauchy point is `residual - W mc`, of the free variables alone; `W'` times its parts.
        let mc = self.middle(c);
        let ahead = point.iter().zip(x).zip(g).zip(&*free);
        residual.clear();
        residual.extend(ahead.map(|(((p, x), g), &free)| if free { g + self.theta * (p - x) } else { 0.0 }));
        let mut right = self.transposed(residual);
        let products = self.products(free, fewer);
        let mut system = middle.clone();
        for i in 0..size {
            for j in 0..size {
                let product = products[i.max(j) * size + i.min(j)];
                system[i * size + j] -= product / self.theta;
                right[i] -= product * mc[j];
            }
        }
        let Some(lu) = Lu::new(size, system) else { return };
        let theta = self.theta;
        let solved = lu.solve(&right).into_iter().zip(&mc);
        let mut factors: Vec<f64> = solved.map(|(v, mc)| mc / theta - v / (theta * theta)).collect();
        self.scale(&mut factors);
        step.clear();
        step.extend(residual.iter().map(|r| -r / theta));
        add(self.level, &self.columns(), &factors, step);
        for (s, &free) in step.iter_mut().zip(&*free) {
            *s = if free { *s } else { 0.0 };
        }
        let projected = |i: usize| (point[i] + step[i]).clamp(low[i], high[i]);
        let slope: f64 = (0..x.len()).map(|i| (projected(i) - x[i]) * g[i]).sum();
        if slope <= 0.0 {
            for i in 0..x.len() {
                point[i] = (point[i] + step[i]).clamp(low[i], high[i]);
            }
            return;
        }
        // The projection may turn uphill; going towards the minimum until the first bound does not.
        let mut most = 1.0f64;
        for i in 0..x.len() {
            if step[i] != 0.0 {
                let bound = if step[i] > 0.0 { high[i] } else { low[i] };
                most = most.min((bound - point[i]) / step[i]);
            }
        }
        for i in 0..x.len() {
            point[i] = (point[i] + most * step[i]).clamp(low[i], high[i]);
        }
    }
}

/// A breakpoint of the projected path: when, and which variable. The heap gives the earliest first, of equals the
/// one with the lower index.
#[derive(Clone, Debug, PartialEq)]
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
