//! Photographs at another density: the same crop, of which several pixels are one.

use crate::datasets::LFW;
use crate::network::Shape;

/// How many pixels a side come together in one of a network that reads images of this shape.
pub fn averaged(to: Shape) -> usize {
    (LFW.image[0] / to[0]).max(1)
}

/// An image of `side` times the rows and columns of `to`, in as many colours or in three: means of `side` x `side` pixels, and the
/// luma of their colours (ITU-R BT.601) where `to` is grey.
pub fn averages(image: &[f32], side: usize, [rows, cols, channels]: Shape) -> Vec<f32> {
    let of = image.len() / (rows * cols * side * side);
    if side == 1 && of == channels {
        return image.to_vec();
    }
    let grey = |colour: &[f32]| 0.299 * colour[0] + 0.587 * colour[1] + 0.114 * colour[2];
    let mut out = Vec::with_capacity(rows * cols * channels);
    let mut mean = vec![0.0; of];
    for row in 0..rows {
        for col in 0..cols {
            mean.fill(0.0);
            for y in row * side..(row + 1) * side {
                let from = (y * cols + col) * side * of;
                let pixels = image[from..from + side * of].chunks(of);
                pixels.for_each(|pixel| mean.iter_mut().zip(pixel).for_each(|(m, p)| *m += p));
            }
            mean.iter_mut().for_each(|m| *m /= (side * side) as f32);
            if of == channels { out.extend_from_slice(&mean) } else { out.push(grey(&mean)) }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::datasets::ALL;

    #[test]
    fn several_pixels_are_one_their_mean() {
        // Two rows of three boxes of 2 x 2, in three colours: each box of one colour, give or take.
        let image: Vec<f32> = (0..4 * 6 * 3)
            .map(|i| {
                let (row, col, colour) = (i / 18, i / 3 % 6, i % 3);
                let noise = if (row + col) % 2 == 0 { 0.25 } else { -0.25 };
                (row / 2 * 3 + col / 2) as f32 + 10.0 * colour as f32 + noise
            })
            .collect();
        let colour = averages(&image, 2, [2, 3, 3]);
        assert_eq!(colour.len(), 18);
        assert!(colour.iter().enumerate().all(|(i, x)| (x - (i / 3 + 10 * (i % 3)) as f32).abs() < 1e-5));
        let grey = averages(&image, 2, [2, 3, 1]);
        assert!(
            grey.iter().enumerate().all(|(i, x)| (x - (i as f32 + 5.87 + 2.28)).abs() < 1e-4),
            "{grey:?}"
        );
        assert_eq!(averages(&image, 1, [4, 6, 3]), image);
    }

    #[test]
    fn every_density_is_cut_from_the_crop_of_the_study() {
        let variants: Vec<_> = ALL.iter().filter(|d| d.density_of == Some(LFW.name)).collect();
        assert_eq!(variants.len(), 7);
        for dataset in variants {
            let side = averaged(dataset.image) * dataset.image[0];
            assert!(side <= LFW.image[0] && side + 2 >= LFW.image[0], "{}", dataset.name);
        }
        assert_eq!(averaged(LFW.image), 1);
    }
}
