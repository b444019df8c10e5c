//! The balls that attacks keep to, within the box [0, 1]: their norms, projections and random points.

use super::{l1, l2, linf};
use crate::metrics::norms::Norms;

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
    /// Its name in links, records and on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Linf => "linf",
            Self::L1 => "l1",
            Self::L2 => "l2",
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

impl std::str::FromStr for Norm {
    type Err = crate::error::Error;

    fn from_str(name: &str) -> crate::error::Result<Self> {
        [Self::Linf, Self::L1, Self::L2].into_iter().find(|norm| norm.name() == name).ok_or_else(|| {
            crate::error::Error::BadInput(format!("'{name}' is no norm; there are linf, l1 and l2"))
        })
    }
}
