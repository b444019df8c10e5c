//! The steps of the Basic Iterative Method under L1, in the published and in a strong form.

use super::descriptor::{Descriptor, Field, Kind, Shown, Traits};
use super::iterative::{BasicIterative, Step};
use super::{Norm, Options};
use crate::error::Error;

/// Basic Iterative under L1.
pub static L1: Descriptor = Descriptor {
    name: "l1",
    title: "Basic Iterative, L1",
    source: "as in Foolbox; the sparse form after Tramèr and Boneh 2019, Croce and Hein 2021",
    norms: &[Norm::L1],
    searches: false,
    steps: 40,
    fields: &[
        Field::mode("fixed"),
        Field::EPSILON,
        Field::STEPS,
        Field {
            key: "form",
            kind: Kind::Choice {
                choices: &["published", "sparse"],
                initial: "published",
                aliases: &[("strong", "sparse")],
            },
            shown: Shown::More,
        },
        Field::ALPHA,
        Field::CONFIDENCE,
        Field::STOP,
        Field::SEED,
    ],
    traits: Traits {
        study: true,
        decides: false,
        rounds: true,
        needs_start: false,
        takes_start: false,
        gradient_free: false,
    },
    make: |options: &Options, model, image, goal, _| {
        Ok(Box::new(BasicIterative::new(model, image, goal, options.iterative(Step::L1(options.form)))?))
    },
};

impl std::str::FromStr for L1Form {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self, Error> {
        match name {
            "published" => Ok(Self::Published),
            "sparse" => Ok(Self::Sparse),
            _ => Err(Error::unknown("form", name, ["published", "sparse"])),
        }
    }
}

/// Which form.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum L1Form {
    /// A sparse step (Tramèr, Boneh 2019, "Adversarial training and robustness for multiple perturbations") and the
    /// exact projection onto what is allowed, ball and box together (Croce, Hein 2021, "Mind the box"). It always moves a
    /// fixed share of the pixels, and so is no strong attack where fewer would do: APGD adapts the share.
    Sparse,
    /// A dense step and radial shrinking, as in Foolbox's L1BasicIterativeAttack.
    #[default]
    Published,
}

/// Room that a sparse step needs, made once.
#[derive(Clone, Debug)]
pub struct Scratch {
    order: Vec<(f32, u32)>,
    sizes: Vec<f32>,
    moved: Vec<(f64, f64)>,
}

impl Scratch {
    /// For images of so many pixels.
    pub fn new(pixels: usize) -> Self {
        let room = (Vec::with_capacity(pixels), Vec::with_capacity(pixels), Vec::with_capacity(pixels));
        Self { order: room.0, sizes: room.1, moved: room.2 }
    }
}

/// Share of the pixels that a sparse step moves.
const SPARSITY: f64 = 0.05;

/// `x <- x - alpha g / sum|g|`, then `x0 + d min(1, eps / sum|d|)` clamped to the box.
pub fn dense_step(original: &[f32], image: &mut [f32], gradient: &[f32], epsilon: f32, alpha: f32) {
    let length: f64 = gradient.iter().map(|g| f64::from(g.abs())).sum();
    let factor = (f64::from(alpha) / length.max(1e-12)) as f32;
    let mut changed = 0.0f64;
    for ((x, x0), g) in image.iter_mut().zip(original).zip(gradient) {
        *x -= factor * g;
        changed += f64::from((*x - x0).abs());
    }
    let shrink = (f64::from(epsilon) / changed.max(1e-12)).min(1.0) as f32;
    for (x, x0) in image.iter_mut().zip(original) {
        *x = (x0 + (*x - x0) * shrink).clamp(0.0, 1.0);
    }
}

/// Moves the pixels with the largest gradient that may still move, all by as much, `alpha` together; then to the
/// nearest point of ball and box.
pub fn sparse_step(
    original: &[f32],
    image: &mut [f32],
    gradient: &[f32],
    epsilon: f32,
    alpha: f32,
    Scratch { order, sizes, moved }: &mut Scratch,
) {
    order.clear();
    for (i, (g, x)) in gradient.iter().zip(&*image).enumerate() {
        let free = if *g > 0.0 { *x > 0.0 } else { *x < 1.0 };
        if *g != 0.0 && free {
            order.push((*g, i as u32));
        }
    }
    let most = ((SPARSITY * image.len() as f64).ceil() as usize).max(1);
    if order.len() > most {
        // Of equal gradients the pixel that comes first. Sizes alone are put in order, as in Auto-PGD: another kind of item would
        // be kilobytes of wasm.
        sizes.clear();
        sizes.extend(order.iter().map(|(g, _)| g.abs()));
        let place = sizes.len() - most;
        let least = *sizes.select_nth_unstable_by(place, f32::total_cmp).1;
        let mut equal = most - order.iter().filter(|(g, _)| g.abs() > least).count();
        order.retain(|(g, _)| {
            let kept = g.abs() > least || g.abs() == least && equal > 0;
            equal -= usize::from(kept && g.abs() == least);
            kept
        });
    }
    let each = alpha / order.len().max(1) as f32;
    for &(g, i) in order.iter() {
        image[i as usize] -= each * g.signum();
    }
    project(original, image, epsilon, moved);
}

/// Moves `image` to its nearest point (in L2) among those within `epsilon` of `original` in L1 and in [0, 1]:
/// `d_i = clip(sgn(z_i) max(|z_i| - theta, 0), -x0_i, 1 - x0_i)`, with the least theta at which `sum|d|` is at most
/// `epsilon`. `moved` is scratch.
pub fn project(original: &[f32], image: &mut [f32], epsilon: f32, moved: &mut Vec<(f64, f64)>) {
    let room = |z: f64, x0: f64| if z > 0.0 { 1.0 - x0 } else { x0 };
    // How far each pixel that has moved has, and may: the others, nearly all of a photograph, add nothing to any sum.
    moved.clear();
    for (x, x0) in image.iter().zip(original) {
        let z = f64::from(*x) - f64::from(*x0);
        if z != 0.0 {
            moved.push((z.abs(), room(z, f64::from(*x0))));
        }
    }
    let length =
        |theta: f64| -> f64 { moved.iter().map(|(far, room)| (far - theta).clamp(0.0, *room)).sum() };
    let epsilon = f64::from(epsilon);
    let mut theta = 0.0;
    if length(0.0) > epsilon {
        let (mut low, mut high) = (0.0, moved.iter().fold(0.0f64, |most, (far, _)| most.max(*far)));
        // Down to the resolution of f32, from the side on which the ball is kept.
        while high - low > 1e-9 {
            let middle = 0.5 * (low + high);
            if length(middle) > epsilon { low = middle } else { high = middle }
        }
        theta = high;
    }
    for (x, x0) in image.iter_mut().zip(original) {
        let z = f64::from(*x) - f64::from(*x0);
        let d = (z.abs() - theta).clamp(0.0, room(z, f64::from(*x0))) * z.signum();
        *x = ((f64::from(*x0) + d) as f32).clamp(0.0, 1.0);
    }
}

/// A point drawn evenly from the ball, moved into the box.
pub fn random(original: &[f32], image: &mut [f32], epsilon: f32, rng: &mut fastrand::Rng) {
    // Exponential lengths over their sum are even on the simplex; the radius then has density r^(n-1).
    let draw = |rng: &mut fastrand::Rng| -(1.0 - rng.f64()).ln();
    let n = image.len() as f64;
    let mut sum = 0.0;
    let lengths: Vec<f64> = original
        .iter()
        .map(|_| {
            let length = draw(rng);
            sum += length;
            if rng.bool() { length } else { -length }
        })
        .collect();
    let radius = f64::from(epsilon) * rng.f64().powf(1.0 / n) / sum;
    for ((x, x0), d) in image.iter_mut().zip(original).zip(lengths) {
        *x = ((f64::from(*x0) + radius * d) as f32).clamp(0.0, 1.0);
    }
}

#[cfg(test)]
mod tests {
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;

    #[test]
    fn the_projection_is_the_nearest_point() {
        let x0 = [0.1, 0.5, 0.9, 0.0, 0.5];
        let mut x = [0.9, 0.1, 1.6, -0.5, 0.55];
        project(&x0, &mut x, 1.0, &mut Vec::new());
        // Pixel 2 may move by 0.1, pixel 3 not at all, pixel 4 would move less than theta: the other two share
        // what is left, 0.8 - t + 0.4 - t = 0.9, so theta = 0.15.
        for (a, b) in x.iter().zip([0.75, 0.25, 1.0, 0.0, 0.5]) {
            assert!((a - b).abs() < 1e-6, "{x:?}");
        }
        let inside = [0.2, 0.5, 0.9, 0.0, 0.6];
        let mut x = inside;
        project(&x0, &mut x, 1.0, &mut Vec::new());
        assert_eq!(x, inside);
    }

    #[test]
    fn a_sparse_step_moves_free_pixels_only() {
        let x0: Vec<f32> = (0..40).map(|i| if i % 2 == 0 { 0.0 } else { 0.5 }).collect();
        let mut x = x0.clone();
        // The largest gradients push black pixels further down.
        let gradient: Vec<f32> = (0..40).map(|i| if i % 2 == 0 { 9.0 } else { i as f32 / 10.0 }).collect();
        sparse_step(&x0, &mut x, &gradient, 1.0, 0.5, &mut Scratch::new(40));
        let moved: Vec<usize> = (0..40).filter(|&i| x[i] != x0[i]).collect();
        assert_eq!(moved, [37, 39]);
        assert_eq!((x[37], x[39]), (0.25, 0.25));
    }
}
