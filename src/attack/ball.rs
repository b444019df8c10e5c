//! The balls that attacks keep to, within the box [0, 1]: their norms, projections and random points.

use super::{Norm, l1, l2, linf};

impl Norm {
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
