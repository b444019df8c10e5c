//! What attacks under L2 need.

use crate::classifier::normal;

/// Moves `image` along the radius to at most `epsilon` from `original`, then into the box.
pub fn project(original: &[f32], image: &mut [f32], epsilon: f32) {
    let squares = image.iter().zip(original).map(|(x, x0)| (f64::from(*x) - f64::from(*x0)).powi(2));
    let far = squares.sum::<f64>().sqrt();
    let shrink = if far > f64::from(epsilon) { (f64::from(epsilon) / far) as f32 } else { 1.0 };
    for (x, x0) in image.iter_mut().zip(original) {
        *x = (x0 + (*x - x0) * shrink).clamp(0.0, 1.0);
    }
}

/// `x <- P(x - alpha g / |g|_2)`, with the projection onto ball and box; where the gradient is zero, nothing.
pub fn step(original: &[f32], image: &mut [f32], gradient: &[f32], epsilon: f32, alpha: f32) {
    let length = gradient.iter().map(|g| f64::from(*g).powi(2)).sum::<f64>().sqrt();
    let factor = (f64::from(alpha) / length.max(1e-12)) as f32;
    for (x, g) in image.iter_mut().zip(gradient) {
        *x -= factor * g;
    }
    project(original, image, epsilon);
}

/// A point drawn evenly from the ball, moved into the box.
pub fn random(original: &[f32], image: &mut [f32], epsilon: f32, rng: &mut fastrand::Rng) {
    normal(rng, image);
    let length = image.iter().map(|d| f64::from(*d).powi(2)).sum::<f64>().sqrt();
    let radius = f64::from(epsilon) * rng.f64().powf(1.0 / image.len() as f64) / length.max(1e-12);
    for (x, x0) in image.iter_mut().zip(original) {
        *x = ((f64::from(*x0) + radius * f64::from(*x)) as f32).clamp(0.0, 1.0);
    }
}

#[cfg(test)]
mod tests {
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;

    #[test]
    fn a_point_outside_comes_along_the_radius_and_one_inside_stays() {
        let x0 = [0.5, 0.5];
        let mut x = [0.8, 0.9];
        project(&x0, &mut x, 0.25);
        assert!((x[0] - 0.65).abs() < 1e-6 && (x[1] - 0.7).abs() < 1e-6, "{x:?}");
        let inside = x;
        project(&x0, &mut x, 0.26);
        assert_eq!(x, inside);
    }
}
