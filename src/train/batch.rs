//! Training images as numbers: digits as they are, or moved a little at random; photographs cropped, turned, scaled, mirrored and lit at random, since
//! a few hundred of them would otherwise be learnt by heart.

use rayon::prelude::*;

use crate::native::density;
use crate::native::labelled::Labelled;
use crate::network::Shape;

/// The largest turn, in radians, scaling, and shift, in pixels.
const TURN: f32 = 0.17;
const SCALE: f32 = 0.1;
const SHIFT: f32 = 8.0;
/// The largest change of contrast and of brightness.
const CONTRAST: f32 = 0.2;
const BRIGHTNESS: f32 = 0.1;

/// Images one after the other, rows x columns x channels in [0, 1], with their labels. Images larger than the network's are
/// photographs, of which a random view is taken; others are moved by at most `shift` rows and columns, 0 coming in.
pub fn load(
    images: &Labelled,
    indices: &[usize],
    (shape, shift): (Shape, usize),
    rng: &mut fastrand::Rng,
) -> (Vec<f32>, Vec<u32>) {
    let [rows, cols, _] = shape;
    let pixels: Vec<f32> = if images.shape == shape && shift > 0 {
        indices.iter().flat_map(|&i| moved(&images.image(i), shape, shift, rng)).collect()
    } else if images.shape == shape {
        indices.iter().flat_map(|&i| images.image(i)).collect()
    } else {
        let seeds: Vec<u64> = indices.iter().map(|_| rng.u64(..)).collect();
        let side = density::averaged(shape);
        let whole = [side * rows, side * cols, images.shape[2]];
        let seen = |(&i, seed): (&usize, u64)| {
            let view = view(images, i, whole, &mut fastrand::Rng::with_seed(seed));
            density::averages(&view, side, shape)
        };
        let views: Vec<Vec<f32>> = indices.par_iter().zip(seeds).map(seen).collect();
        views.concat()
    };
    let labels: Vec<u32> = indices.iter().map(|&i| u32::from(images.labels[i])).collect();
    (pixels, labels)
}

/// An image moved by at most `most` rows and columns.
fn moved(image: &[f32], [rows, cols, channels]: Shape, most: usize, rng: &mut fastrand::Rng) -> Vec<f32> {
    let (down, right) = (rng.usize(0..=2 * most), rng.usize(0..=2 * most));
    let mut out = vec![0.0; image.len()];
    for row in 0..rows {
        for col in 0..cols {
            let (y, x) = ((row + most).checked_sub(down), (col + most).checked_sub(right));
            if let (Some(y), Some(x)) = (y.filter(|y| *y < rows), x.filter(|x| *x < cols)) {
                let (to, from) = ((row * cols + col) * channels, (y * cols + x) * channels);
                out[to..to + channels].copy_from_slice(&image[from..from + channels]);
            }
        }
    }
    out
}

/// A random view of image `i`, bilinearly interpolated.
fn view(images: &Labelled, i: usize, [rows, cols, _]: [usize; 3], rng: &mut fastrand::Rng) -> Vec<f32> {
    let [height, width, channels] = images.shape;
    let mut within = |most: f32| most * (2.0 * rng.f32() - 1.0);
    let (sin, cos) = within(TURN).sin_cos();
    let scale = 1.0 + within(SCALE);
    let (down, right) = (within(SHIFT), within(SHIFT));
    let (contrast, brightness) = (1.0 + within(CONTRAST), within(BRIGHTNESS));
    let mirrored = rng.bool();
    let source = images.bytes(i);
    let mut out = Vec::with_capacity(rows * cols * channels);
    for y in 0..rows {
        for x in 0..cols {
            let x = if mirrored { cols - 1 - x } else { x };
            let (dy, dx) = (y as f32 - (rows - 1) as f32 / 2.0, x as f32 - (cols - 1) as f32 / 2.0);
            let at = |v: f32, size: usize| (v + (size - 1) as f32 / 2.0).clamp(0.0, (size - 1) as f32 - 1e-3);
            let v = at(scale * (cos * dy + sin * dx) + down, height);
            let u = at(scale * (cos * dx - sin * dy) + right, width);
            let (top, left) = (v as usize, u as usize);
            let (a, b) = (v - top as f32, u - left as f32);
            for c in 0..channels {
                let pixel = |row: usize, col: usize| f32::from(source[(row * width + col) * channels + c]);
                let upper = pixel(top, left) * (1.0 - b) + pixel(top, left + 1) * b;
                let lower = pixel(top + 1, left) * (1.0 - b) + pixel(top + 1, left + 1) * b;
                let value = (upper * (1.0 - a) + lower * a) / 255.0;
                out.push((contrast * (value - 0.5) + 0.5 + brightness).clamp(0.0, 1.0));
            }
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moved_images_keep_what_stays_inside() {
        let image: Vec<f32> = (0..30).map(|i| i as f32 + 1.0).collect();
        let mut seen = std::collections::BTreeSet::new();
        let mut rng = fastrand::Rng::with_seed(1);
        for _ in 0..200 {
            let out = moved(&image, [5, 6, 1], 1, &mut rng);
            // Where the pixel of row 2, column 3 went says where all went.
            let at = out.iter().position(|x| *x == image[15]).unwrap();
            let (down, right) = (at / 6, at % 6);
            assert!((1..=3).contains(&down) && (2..=4).contains(&right));
            seen.insert((down, right));
            for (i, x) in out.iter().enumerate() {
                let from = (i / 6 + 2).checked_sub(down).zip((i % 6 + 3).checked_sub(right));
                let expected = from.filter(|&(y, x)| y < 5 && x < 6).map_or(0.0, |(y, x)| image[y * 6 + x]);
                assert_eq!(*x, expected);
            }
        }
        assert_eq!(seen.len(), 9);
    }

    #[test]
    fn views_lie_in_the_box_differ_and_are_the_seed_s() {
        let pixels: Vec<u8> = (0..202 * 202 * 3).map(|i| (i / 606 + i % 606 / 3 + i % 3 * 9) as u8).collect();
        let images = Labelled { shape: [202, 202, 3], pixels, labels: vec![0], origins: Vec::new() };
        let of = |seed| view(&images, 0, [154, 154, 3], &mut fastrand::Rng::with_seed(seed));
        assert_eq!(of(1).len(), 154 * 154 * 3);
        assert!(of(1).iter().all(|v| (0.0..=1.0).contains(v)));
        assert_eq!(of(1), of(1));
        assert_ne!(of(1), of(2));
    }
}
