//! The balls that attacks keep to, within the box [0, 1]: their norms, projections and random points.

use super::{Norm, l1, l2, linf};
use crate::metrics::norms::Norms;

impl Norm {
    /// What the norm of a change may come to under a budget, so that it does not exceed the number that was written, whether it is
    /// summed in f64 or, in pairs, in f32: the next number below, for sums less what f32 loses.
    pub fn limit(self, epsilon: f32) -> f64 {
        let below = f64::from(epsilon.next_down());
        if self == Self::Linf { below } else { below * (1.0 - 1e-6) }
    }

    /// Whether a change of these norms keeps to a budget.
    pub fn keeps(self, norms: &Norms, epsilon: f32) -> bool {
        self.of(norms) <= self.limit(epsilon)
    }

    /// Brings an image that rounding has put a hair outside the ball back into it; one that lies farther out is left there.
    pub fn settle(self, original: &[f32], image: &mut [f32], epsilon: f32) {
        let (limit, far) = (self.limit(epsilon), self.far(original, image));
        let n = original.len() as f64;
        let grain = f64::from(f32::EPSILON)
            * match self {
                Self::Linf => 1.0,
                Self::L1 => n,
                Self::L2 => n.sqrt(),
            };
        if far <= limit || far > limit * (1.0 + 1e-4) + grain {
            return;
        }
        let shrink = limit / far * (1.0 - 1e-12);
        for (x, &x0) in image.iter_mut().zip(original) {
            let d = f64::from(*x) - f64::from(x0);
            let most = if self == Self::Linf { limit } else { d.abs() * shrink };
            if d.abs() > most {
                *x = (f64::from(x0) + most.copysign(d)) as f32;
                // Rounded towards the original.
                if (f64::from(*x) - f64::from(x0)).abs() > most {
                    *x = if d > 0.0 { x.next_down() } else { x.next_up() };
                }
            }
        }
    }

    /// The norm alone, in eight sums or maxima side by side: it is asked for at every step.
    fn far(self, original: &[f32], image: &[f32]) -> f64 {
        let mut lanes = [0.0f64; 8];
        let (pairs, rest) = (image.chunks_exact(8).zip(original.chunks_exact(8)), image.len() / 8 * 8);
        let mut add = |lane: usize, x: f32, x0: f32| {
            let d = (f64::from(x) - f64::from(x0)).abs();
            lanes[lane] = match self {
                Self::Linf if d > lanes[lane] => d,
                Self::Linf => lanes[lane],
                Self::L1 => lanes[lane] + d,
                Self::L2 => lanes[lane] + d * d,
            };
        };
        for (x, x0) in pairs {
            for lane in 0..8 {
                add(lane, x[lane], x0[lane]);
            }
        }
        for (x, x0) in image[rest..].iter().zip(&original[rest..]) {
            add(0, *x, *x0);
        }
        match self {
            Self::Linf => lanes.into_iter().fold(0.0, f64::max),
            Self::L1 => lanes.into_iter().sum(),
            Self::L2 => lanes.into_iter().sum::<f64>().sqrt(),
        }
    }

    /// An image (in [0, 1]) as a PNG of 8 bits stores it: each number the nearest of 256; where that leaves the ball of a budget, those
    /// that rounding took farthest out are rounded towards the original instead, as many as it takes.
    pub fn to_8_bits(self, original: &[f32], image: &[f32], epsilon: Option<f32>) -> Vec<f32> {
        let limit = epsilon.map_or(f64::INFINITY, |epsilon| self.limit(epsilon));
        let mut stored = vec![0.0; image.len()];
        // From nothing to more than rounding can add; at first without a bound.
        let (mut low, mut high, mut most) = (0.0, 1.0, f64::INFINITY);
        for round in 0..32 {
            self.round(original, image, limit, most, &mut stored);
            let inside = self.of(&Norms::between(original, &stored)) <= limit;
            if round == 0 && (inside || self == Self::Linf) || round == 31 {
                break;
            }
            if inside {
                low = most
            } else if round > 0 {
                high = most
            }
            // The last is the largest that was found to do.
            most = if round == 30 { low } else { 0.5 * (low + high) };
        }
        stored
    }

    /// Rounds to 8 bits, towards the original where that leaves the ball (L-infinity), or adds more than `most` to the pixel's part of
    /// the norm.
    fn round(self, original: &[f32], image: &[f32], limit: f64, most: f64, stored: &mut [f32]) {
        for ((near, x), x0) in stored.iter_mut().zip(image).zip(original) {
            let part = |x: f32| {
                let d = (f64::from(x) - f64::from(*x0)).abs();
                if self == Self::L2 { d * d } else { d }
            };
            let levels = x * 255.0;
            *near = levels.round() / 255.0;
            let out = part(*near);
            let outside = if self == Self::Linf { out > limit } else { out - part(*x) > most };
            if outside {
                *near = if x > x0 { levels.floor() } else { levels.ceil() } / 255.0;
            }
        }
    }

    /// How far off the point is at which a function that is now `value`, with this `gradient`, would fall to 0 if it were
    /// linear and the pixels that may move had no bound: the value over the gradient's dual norm, without the pixels that
    /// stand at the bound that they would be pushed against.
    pub fn linear_distance(self, image: &[f32], gradient: &[f32], value: f32) -> f64 {
        let free = image.iter().zip(gradient).filter(|(x, g)| if **g > 0.0 { **x > 0.0 } else { **x < 1.0 });
        let sizes = free.map(|(_, g)| f64::from(g.abs()));
        let dual = match self {
            Self::Linf => sizes.sum::<f64>(),
            Self::L1 => sizes.fold(0.0, f64::max),
            Self::L2 => sizes.map(|g| g * g).sum::<f64>().sqrt(),
        };
        f64::from(value.max(0.0)) / dual
    }

    /// A point drawn evenly from the ball around `original`, moved into the box, written to `image`.
    pub fn random(self, original: &[f32], image: &mut [f32], epsilon: f32, rng: &mut fastrand::Rng) {
        match self {
            Self::Linf => linf::random(original, image, epsilon, rng),
            Self::L1 => l1::random(original, image, epsilon, rng),
            Self::L2 => l2::random(original, image, epsilon, rng),
        }
    }

    /// Moves `image` to its nearest point (in L2; for L2 first along the radius, then into the box) within `epsilon` of
    /// `original` and in [0, 1]. `moved` is scratch.
    pub fn project(self, original: &[f32], image: &mut [f32], epsilon: f32, moved: &mut Vec<(f64, f64)>) {
        match self {
            Self::Linf => linf::project(original, image, epsilon),
            Self::L1 => l1::project(original, image, epsilon, moved),
            Self::L2 => l2::project(original, image, epsilon),
        }
    }
}

#[cfg(test)]
mod tests {
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;

    /// 8-bit originals, and images on the edge of a ball around them.
    fn cases(norm: Norm, epsilon: f32) -> impl Iterator<Item = (Vec<f32>, Vec<f32>)> {
        (0..40).map(move |seed| {
            let mut rng = fastrand::Rng::with_seed(seed);
            let x0: Vec<f32> = (0..784).map(|_| (rng.f32() * 255.0).round() / 255.0).collect();
            let mut x: Vec<f32> = x0.iter().map(|x0| x0 + 4.0 * epsilon * (rng.f32() - 0.5)).collect();
            norm.project(&x0, &mut x, epsilon, &mut Vec::new());
            (x0, x)
        })
    }

    /// The norm summed in f32, in pairs.
    fn in_f32(norm: Norm, a: &[f32], b: &[f32]) -> f32 {
        fn pairs(d: &[f32]) -> f32 {
            if let [one] = d { *one } else { pairs(&d[..d.len() / 2]) + pairs(&d[d.len() / 2..]) }
        }
        let d: Vec<f32> = a.iter().zip(b).map(|(a, b)| (a - b).abs()).collect();
        match norm {
            Norm::Linf => d.iter().copied().fold(0.0, f32::max),
            Norm::L1 => pairs(&d),
            Norm::L2 => pairs(&d.iter().map(|d| d * d).collect::<Vec<_>>()).sqrt(),
        }
    }

    #[test]
    fn what_is_settled_keeps_to_the_budget_as_it_was_written_in_f64_and_f32() {
        let budgets = [
            (Norm::Linf, ["0.1", "0.3", "0.0025", "0.000001"]),
            (Norm::L1, ["40", "0.7", "150", "0.001"]),
            (Norm::L2, ["3", "0.1", "1.5", "0.001"]),
        ];
        for (norm, written) in budgets {
            for text in written {
                let epsilon: f32 = text.parse().unwrap();
                for (x0, mut x) in cases(norm, epsilon) {
                    let before = x.clone();
                    norm.settle(&x0, &mut x, epsilon);
                    let exact = norm.of(&Norms::between(&x0, &x));
                    assert!(exact <= text.parse::<f64>().unwrap(), "{norm:?} {text}: {exact}");
                    assert!(in_f32(norm, &x0, &x) <= epsilon, "{norm:?} {text}");
                    assert!(x.iter().zip(&before).all(|(a, b)| (a - b).abs() <= 1e-4 * epsilon + 2.4e-7));
                    assert!(x.iter().all(|x| (0.0..=1.0).contains(x)));
                }
            }
        }
        let (x0, far) = ([0.5; 4], [0.9; 4]);
        let mut x = far;
        Norm::Linf.settle(&x0, &mut x, 0.1);
        assert_eq!(x, far, "what lies outside on purpose stays");
    }

    #[test]
    fn an_8_bit_image_is_inside_the_budget_and_as_near_as_that_allows() {
        for (norm, epsilon) in [
            (Norm::Linf, 0.03),
            (Norm::Linf, 0.001),
            (Norm::L1, 20.0),
            (Norm::L1, 0.5),
            (Norm::L2, 1.5),
            (Norm::L2, 0.02),
        ] {
            for (x0, mut x) in cases(norm, epsilon) {
                norm.settle(&x0, &mut x, epsilon);
                let stored = norm.to_8_bits(&x0, &x, Some(epsilon));
                assert!(norm.keeps(&Norms::between(&x0, &stored), epsilon), "{norm:?} {epsilon}");
                for (s, x) in stored.iter().zip(&x) {
                    assert!((s - x).abs() < 1.0001 / 255.0 && (s * 255.0 - (s * 255.0).round()).abs() < 1e-4);
                }
                let nearest = norm.to_8_bits(&x0, &x, None);
                assert!(nearest.iter().zip(&x).all(|(s, x)| (s - x).abs() <= 0.50001 / 255.0));
                if norm.keeps(&Norms::between(&x0, &nearest), epsilon) {
                    assert_eq!(stored, nearest);
                }
            }
        }
        // 0.03 is 7.65 of 255: 7 is the farthest that is inside.
        let stored = Norm::Linf.to_8_bits(&[100.0 / 255.0], &[100.0 / 255.0 + 0.03], Some(0.03));
        assert_eq!(stored, [107.0 / 255.0]);
    }
}
