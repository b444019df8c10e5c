//! Structural similarity (Wang, Bovik, Sheikh, Simoncelli 2004, "Image quality assessment: from error visibility to
//! structural similarity").

/// Rows and columns of the Gaussian window.
const WINDOW: usize = 11;
const SIGMA: f64 = 1.5;
/// `(K1 L)^2` and `(K2 L)^2` for pixels in [0, 1].
const C1: f64 = 1e-4;
const C2: f64 = 9e-4;

/// The mean structural similarity of two images of `shape` (rows, columns, channels) in [0, 1], over all windows that
/// lie inside the image and all channels: 1 for equal images, at most 1, seldom below 0. Images smaller than the
/// window are taken as one.
///
/// # Panics
/// When the images have another size than `shape` says.
pub fn ssim(shape: [usize; 3], a: &[f32], b: &[f32]) -> f64 {
    let [rows, cols, channels] = shape;
    assert!(a.len() == rows * cols * channels && a.len() == b.len());
    let (high, wide) = (gaussian(WINDOW.min(rows)), gaussian(WINDOW.min(cols)));
    let (out_rows, out_cols) = (rows + 1 - high.len(), cols + 1 - wide.len());
    let mut total = 0.0;
    // The weighted means of a, b, a^2, b^2 and ab in a row of windows: first down the columns, then along.
    let mut columns = vec![[0.0; 5]; cols];
    for channel in 0..channels {
        for top in 0..out_rows {
            for (col, sums) in columns.iter_mut().enumerate() {
                *sums = [0.0; 5];
                for (row, w) in high.iter().enumerate() {
                    let i = ((top + row) * cols + col) * channels + channel;
                    let (a, b) = (f64::from(a[i]), f64::from(b[i]));
                    for (sum, v) in sums.iter_mut().zip([a, b, a * a, b * b, a * b]) {
                        *sum += w * v;
                    }
                }
            }
            for left in 0..out_cols {
                let mut means = [0.0; 5];
                for (w, sums) in wide.iter().zip(&columns[left..]) {
                    for (mean, sum) in means.iter_mut().zip(sums) {
                        *mean += w * sum;
                    }
                }
                let [a, b, aa, bb, ab] = means;
                let (variances, covariance) = (aa - a * a + bb - b * b, ab - a * b);
                total +=
                    (2.0 * a * b + C1) * (2.0 * covariance + C2) / ((a * a + b * b + C1) * (variances + C2));
            }
        }
    }
    total / (channels * out_rows * out_cols) as f64
}

/// Weights of a Gaussian of `size`, which sum to 1.
fn gaussian(size: usize) -> Vec<f64> {
    let centre = (size as f64 - 1.0) / 2.0;
    let weights: Vec<f64> = (0..size).map(|i| (-((i as f64 - centre) / SIGMA).powi(2) / 2.0).exp()).collect();
    let sum: f64 = weights.iter().sum();
    weights.into_iter().map(|w| w / sum).collect()
}

#[cfg(test)]
mod tests {
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;

    #[test]
    fn equal_images_are_similar_and_opposite_ones_are_not() {
        let a: Vec<f32> = (0..20 * 15 * 3).map(|i| ((i * 37) % 101) as f32 / 100.0).collect();
        let b: Vec<f32> = a.iter().map(|v| 1.0 - v).collect();
        assert!((ssim([20, 15, 3], &a, &a) - 1.0).abs() < 1e-12);
        assert!(ssim([20, 15, 3], &a, &b) < 0.0);
        assert!((ssim([5, 4, 1], &a[..20], &a[..20]) - 1.0).abs() < 1e-12);
    }
}
