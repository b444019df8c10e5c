//! A map of a VAE's latent space: the plane in which the means of the classes lie farthest apart, and where test images
//! lie in it. Computed after training, shipped with the weights, drawn by the page.

use crate::error::{Error, Result};

/// A plane in latent space and images in it.
#[derive(Clone, Debug, PartialEq)]
pub struct LatentMap {
    /// `[latent]`: what is in the middle of the map.
    pub centre: Vec<f32>,
    /// `[2][latent]`: the two directions, orthogonal and of length 1.
    pub axes: Vec<f32>,
    /// `[n][2]`: positions of test images, in units of `scale` / 127 along the axes.
    pub points: Vec<i8>,
    /// How far along an axis the largest position lies.
    pub scale: f32,
    /// `[n]`: the labels of these images.
    pub labels: Vec<u8>,
}

impl LatentMap {
    /// The map of `means` (`[n][latent]`, at least one) with their `labels` (`[n]`, below `classes`). The axes are the
    /// two principal directions of the classes' own means.
    ///
    /// # Errors
    /// [`Error::BadInput`] when the numbers of means and labels differ, or a mean is not finite.
    pub fn new(means: &[f32], labels: &[u8], latent: usize, classes: usize) -> Result<Self> {
        if labels.is_empty() || means.len() != labels.len() * latent || means.iter().any(|m| !m.is_finite()) {
            return Err(Error::BadInput("a map needs one finite latent vector for each label".into()));
        }
        let mut sums = vec![0.0f64; classes * latent];
        let mut counts = vec![0usize; classes];
        for (mean, &label) in means.chunks_exact(latent).zip(labels) {
            counts[usize::from(label)] += 1;
            let sum = &mut sums[usize::from(label) * latent..][..latent];
            sum.iter_mut().zip(mean).for_each(|(s, &m)| *s += f64::from(m));
        }
        let seen: Vec<Vec<f64>> = (0..classes)
            .filter(|&c| counts[c] > 0)
            .map(|c| sums[c * latent..][..latent].iter().map(|s| s / counts[c] as f64).collect())
            .collect();
        let centre: Vec<f64> =
            (0..latent).map(|i| seen.iter().map(|m| m[i]).sum::<f64>() / seen.len() as f64).collect();
        let mut rows: Vec<Vec<f64>> =
            seen.iter().map(|m| m.iter().zip(&centre).map(|(m, c)| m - c).collect()).collect();
        let mut axes = Vec::with_capacity(2 * latent);
        for k in 0..2 {
            let axis = principal(&rows, latent, k);
            for row in &mut rows {
                let along = dot(row, &axis);
                row.iter_mut().zip(&axis).for_each(|(r, a)| *r -= along * a);
            }
            axes.extend(axis.iter().map(|&a| a as f32));
        }
        let centre: Vec<f32> = centre.iter().map(|&c| c as f32).collect();
        let mut map = Self { centre, axes, points: Vec::new(), scale: 1.0, labels: labels.to_vec() };
        let places: Vec<[f32; 2]> = means.chunks_exact(latent).map(|m| map.project(m)).collect();
        map.scale = places.iter().flatten().fold(f32::MIN_POSITIVE, |m, p| m.max(p.abs()));
        map.points = places.iter().flatten().map(|p| (p / map.scale * 127.0).round() as i8).collect();
        Ok(map)
    }

    /// Where a latent vector lies in the plane.
    pub fn project(&self, z: &[f32]) -> [f32; 2] {
        let along = |axis: &[f32]| axis.iter().zip(z).zip(&self.centre).map(|((a, z), c)| a * (z - c)).sum();
        let (first, second) = self.axes.split_at(self.centre.len());
        [along(first), along(second)]
    }
}

fn dot(a: &[f64], b: &[f64]) -> f64 {
    a.iter().zip(b).map(|(a, b)| a * b).sum()
}

/// The principal direction of `rows` by power iteration on their scatter matrix, from a unit vector; that vector itself
/// where the rows have no extent.
fn principal(rows: &[Vec<f64>], latent: usize, k: usize) -> Vec<f64> {
    let mut axis: Vec<f64> = (0..latent).map(|i| if i == k % latent { 1.0 } else { 0.01 }).collect();
    for _ in 0..500 {
        let mut next = vec![0.0; latent];
        for row in rows {
            let along = dot(row, &axis);
            next.iter_mut().zip(row).for_each(|(n, r)| *n += along * r);
        }
        let length = dot(&next, &next).sqrt();
        if length < 1e-12 {
            break;
        }
        axis = next.iter().map(|n| n / length).collect();
    }
    let length = dot(&axis, &axis).sqrt();
    axis.iter().map(|a| a / length).collect()
}

#[cfg(test)]
mod tests {
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;

    #[test]
    fn the_axes_are_those_along_which_the_classes_lie_apart() {
        let mut rng = fastrand::Rng::with_seed(1);
        let labels: Vec<u8> = (0..300).map(|i| (i % 3) as u8).collect();
        let means: Vec<f32> = labels
            .iter()
            .flat_map(|&l| {
                let at = [(0.0, 0.0), (8.0, 0.0), (4.0, 3.0)][usize::from(l)];
                [rng.f32(), at.0 + rng.f32(), 9.0 * rng.f32() - 4.0, at.1 + rng.f32()]
            })
            .collect();
        let map = LatentMap::new(&means, &labels, 4, 10).unwrap();
        assert!(map.axes[1].abs() > 0.99 && map.axes[7].abs() > 0.95, "{:?}", map.axes);
        for (mean, point) in means.chunks_exact(4).zip(map.points.chunks_exact(2)) {
            for (p, q) in map.project(mean).iter().zip(point) {
                assert!((p - f32::from(*q) * map.scale / 127.0).abs() <= 0.51 * map.scale / 127.0);
            }
        }
        assert!(LatentMap::new(&means, &labels[1..], 4, 10).is_err());
        assert!(LatentMap::new(&[1.0, 2.0], &[4], 2, 10).is_ok(), "a single image has a map too");
    }
}
