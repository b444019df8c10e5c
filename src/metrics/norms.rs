//! Norms of a perturbation, in pixel units of [0, 1].

use crate::error::{Error, Result};
use crate::kernel::simd::{Level, Simd, dispatch};

/// A norm of the change.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Norm {
    /// The largest change of a pixel.
    Linf,
    /// The sum of all changes.
    L1,
    /// The Euclidean length of the change.
    L2,
}

impl Norm {
    /// All of them.
    pub const ALL: [Self; 3] = [Self::Linf, Self::L1, Self::L2];

    /// Its name in links, records and on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Linf => "linf",
            Self::L1 => "l1",
            Self::L2 => "l2",
        }
    }

    /// How it is written in a report.
    pub fn symbol(self) -> &'static str {
        match self {
            Self::Linf => "L∞",
            Self::L1 => "L1",
            Self::L2 => "L2",
        }
    }

    /// This norm among all of a change.
    pub fn of(self, norms: &Norms) -> f64 {
        match self {
            Self::Linf => norms.linf,
            Self::L1 => norms.l1,
            Self::L2 => norms.l2,
        }
    }

    /// The largest budget that makes a difference, for an image of so many pixels.
    pub fn most(self, pixels: usize) -> f32 {
        match self {
            Self::Linf => 1.0,
            Self::L1 => pixels as f32,
            Self::L2 => (pixels as f32).sqrt(),
        }
    }
}

impl std::str::FromStr for Norm {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self> {
        let found = Self::ALL.into_iter().find(|norm| norm.name() == name);
        found.ok_or_else(|| Error::unknown("norm", name, Self::ALL.map(Self::name)))
    }
}

/// The norms of `x' - x`, summed in f64.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Norms {
    /// How many numbers of the image differ at all.
    pub l0: usize,
    /// Sum of absolute differences.
    pub l1: f64,
    /// Euclidean length.
    pub l2: f64,
    /// Largest absolute difference.
    pub linf: f64,
}

impl Norms {
    /// Of `changed - original`, two images of one size.
    pub fn between(original: &[f32], changed: &[f32]) -> Self {
        let (level, mut norms) = (Level::detect(), Self::default());
        let found = &mut norms;
        // SAFETY: this machine runs the level.
        unsafe { dispatch!(level, measure, original: &[f32], changed: &[f32], found: &mut Norms) };
        norms
    }

    /// [`between`](Self::between), inlined where it is compiled for an instruction set; the order of every sum is written down.
    #[inline(always)]
    fn measured(original: &[f32], changed: &[f32]) -> Self {
        let (mut counts, mut sums, mut squares, mut largest) =
            ([0; LANES], [0.0; LANES], [0.0; LANES], [0.0; LANES]);
        let add = |lane: usize, a: f32, b: f32| {
            let d = (f64::from(b) - f64::from(a)).abs();
            counts[lane] += usize::from(d > 0.0);
            sums[lane] += d;
            squares[lane] += d * d;
            // Not f64::max, whose care for what is no number takes time: there is none in images.
            largest[lane] = if d > largest[lane] { d } else { largest[lane] };
        };
        in_lanes(original, changed, add);
        Self {
            l0: counts.iter().sum(),
            l1: sums.iter().sum(),
            l2: squares.iter().sum::<f64>().sqrt(),
            linf: largest.into_iter().fold(0.0, f64::max),
        }
    }
}

/// [`Norms::between`] for a level.
///
/// # Safety
/// As [`Simd`]'s.
#[inline(always)]
#[allow(clippy::extra_unused_type_parameters)] // A level is a type; plain loops are compiled for it.
unsafe fn measure<S: Simd>(original: &[f32], changed: &[f32], found: &mut Norms) {
    *found = Norms::measured(original, changed);
}

/// How many sums run beside each other: one alone waits for every addition.
pub const LANES: usize = 4;

/// Gives `add` the pairs of two slices of one length, each with the lane of [`LANES`] whose sums it belongs to.
#[inline(always)]
pub fn in_lanes(a: &[f32], b: &[f32], mut add: impl FnMut(usize, f32, f32)) {
    let (left, right) = (a.chunks_exact(LANES), b.chunks_exact(LANES));
    let rest = left.remainder().iter().zip(right.remainder());
    // Loops, not `for_each`, whose closures are compiled by themselves, without a caller's instruction set.
    for (a, b) in left.zip(right) {
        for lane in 0..LANES {
            add(lane, a[lane], b[lane]);
        }
    }
    for (lane, (a, b)) in rest.enumerate() {
        add(lane, *a, *b);
    }
}

/// The sum of squares, in f64.
pub fn sum_of_squares(values: &[f32]) -> f64 {
    let mut sums = [0.0; LANES];
    in_lanes(values, values, |lane, a, b| sums[lane] += f64::from(a) * f64::from(b));
    sums.iter().sum()
}

#[cfg(test)]
mod tests {
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;

    #[test]
    fn norms_of_a_three_four_perturbation() {
        let norms = Norms::between(&[0.0, 0.5, 1.0], &[0.75, 0.5, 0.0]);
        assert_eq!(norms, Norms { l0: 2, l1: 1.75, l2: 1.25, linf: 1.0 });
    }

    #[test]
    fn every_length_is_summed_whole() {
        for n in 0..40 {
            let (a, b): (Vec<f32>, Vec<f32>) = (0..n).map(|i| (0.0, (i + 1) as f32)).unzip();
            let sum = f64::from(n * (n + 1)) / 2.0;
            let squares = f64::from(n * (n + 1) * (2 * n + 1)) / 6.0;
            let expected = Norms { l0: n as usize, l1: sum, l2: squares.sqrt(), linf: f64::from(n) };
            assert_eq!((Norms::between(&a, &b), sum_of_squares(&b)), (expected, squares));
        }
    }
}
