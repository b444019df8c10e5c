//! How far images lie from the nearest training image of another label: what a change has to be measured against before data sets
//! are compared.

use std::path::Path;

use anyhow::{Result, bail};

use crate::datasets::{Dataset, Image, Source};
use crate::metrics::norms::Norm;
use crate::metrics::statistics::median;
use crate::native::cores::on_all_cores;
use crate::native::fetch::{self, Split};
use crate::native::images::manifest;
use crate::native::lfw;
use crate::network::Weights;

/// The median over `images` of the distance from the nearest training image of another label, in L-infinity, L1 and L2, pixels
/// in [0, 1]. `weights` are those of a network of the data set.
///
/// # Errors
/// When the training images cannot be read.
pub fn nearest(images: &[Image], weights: &Weights, data: &Path) -> Result<[f64; 3]> {
    let dataset = Dataset::by_name(&weights.spec.dataset)?;
    let training = match dataset.source {
        Source::Idx(_) => fetch::load(dataset, data, Split::Train)?,
        Source::Photographs => {
            lfw::load(data, &manifest(weights, data)?, Split::Train, None)?.centred(dataset.image)
        }
        Source::Brought => bail!("nobody said what '{}' was trained on", weights.spec.name),
    };
    let found = on_all_cores("distances between images", images, &(), |(), image| {
        let own: Vec<u8> = image.pixels.iter().map(|x| (x * 255.0).round() as u8).collect();
        let mut least = [u64::MAX; 3];
        for (i, &label) in training.labels.iter().enumerate() {
            if usize::from(label) != image.label {
                let far = distances(&own, training.bytes(i));
                least.iter_mut().zip(far).for_each(|(least, far)| *least = (*least).min(far));
            }
        }
        Ok(least)
    })?;
    Ok([Norm::Linf, Norm::L1, Norm::L2].map(|norm| {
        let of = |least: &[u64; 3]| match norm {
            Norm::Linf => least[0] as f64 / 255.0,
            Norm::L1 => least[1] as f64 / 255.0,
            Norm::L2 => (least[2] as f64).sqrt() / 255.0,
        };
        // As many digits as a report needs, and as come through a file unchanged.
        (1e4 * median(&found.iter().map(of).collect::<Vec<_>>()).value).round() / 1e4
    }))
}

/// The greatest difference, the sum of all, and that of their squares.
fn distances(a: &[u8], b: &[u8]) -> [u64; 3] {
    let (mut greatest, mut sum, mut squares) = (0, 0, 0);
    // In stretches of which no sum is too large for 32 bits.
    for (a, b) in a.chunks(1 << 15).zip(b.chunks(1 << 15)) {
        let (mut most, mut all, mut squared) = (0u8, 0u32, 0u32);
        for (x, y) in a.iter().zip(b) {
            let far = x.abs_diff(*y);
            most = most.max(far);
            all += u32::from(far);
            squared += u32::from(far) * u32::from(far);
        }
        greatest = greatest.max(most);
        sum += u64::from(all);
        squares += u64::from(squared);
    }
    [greatest.into(), sum, squares]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances_are_those_of_the_norms() {
        assert_eq!(distances(&[0, 10, 255], &[3, 10, 251]), [4, 7, 25]);
        // Every square as large as can be: 100,000 of them do not fit into 32 bits.
        let far = distances(&[0; 100_000], &[255; 100_000]);
        assert_eq!(far, [255, 25_500_000, 6_502_500_000]);
    }
}
