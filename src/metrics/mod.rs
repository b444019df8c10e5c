//! What is measured of an attacked image (norms, similarity, grade), and statistics of many.

pub mod grade;
#[cfg(feature = "cli")]
pub mod hypothesis;
pub mod norms;
pub mod ssim;
pub mod statistics;
pub mod verification;

/// Index of the largest value; ties go to the first, an empty slice to 0.
pub fn argmax(values: &[f32]) -> usize {
    let mut best = 0;
    for (i, v) in values.iter().enumerate() {
        if *v > values[best] {
            best = i;
        }
    }
    best
}
