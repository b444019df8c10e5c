//! Images with their labels, as a data set has them.

use super::density;
use crate::network::Shape;

/// Images of one shape with their labels.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Labelled {
    /// Rows, columns and channels of an image.
    pub shape: [usize; 3],
    /// Image after image, row after row, 0 to 255.
    pub pixels: Vec<u8>,
    /// The label of each image.
    pub labels: Vec<u8>,
    /// Where each image stands in a list of files from which some may be missing; empty where they are numbered throughout.
    pub origins: Vec<Origin>,
}

/// Where an image comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin {
    /// Its place in the list.
    pub place: usize,
    /// Its file.
    pub file: String,
}

impl Labelled {
    /// How many there are.
    pub fn len(&self) -> usize {
        self.labels.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.labels.is_empty()
    }

    /// Numbers in an image.
    pub fn size(&self) -> usize {
        self.shape.iter().product()
    }

    /// The numbers of image `i`.
    ///
    /// # Panics
    /// When there is no such image.
    pub fn bytes(&self, i: usize) -> &[u8] {
        &self.pixels[i * self.size()..(i + 1) * self.size()]
    }

    /// The pixels of image `i`, as floats in [0, 1].
    ///
    /// # Panics
    /// When there is no such image.
    pub fn image(&self, i: usize) -> Vec<f32> {
        self.bytes(i).iter().map(|&p| f32::from(p) / 255.0).collect()
    }

    /// The index of image `i` in its set, and its file where it has one of its own.
    pub fn origin(&self, i: usize) -> (usize, Option<String>) {
        self.origins.get(i).map_or((i, None), |origin| (origin.place, Some(origin.file.clone())))
    }

    /// The middle of each photograph as a network reads it: of another shape, and at its density ([`super::density`]).
    ///
    /// # Panics
    /// When the images are smaller than that.
    pub fn centred(&self, to: Shape) -> Self {
        if self.shape == to {
            return self.clone();
        }
        let side = density::averaged(to);
        let ([h, w, c], [rows, cols]) = (self.shape, [side * to[0], side * to[1]]);
        let (top, left) = ((h - rows) / 2, (w - cols) / 2);
        let mut pixels = Vec::with_capacity(self.len() * to.iter().product::<usize>());
        for i in 0..self.len() {
            let image = self.bytes(i);
            let lines =
                (top..top + rows).map(|row| &image[(row * w + left) * c..(row * w + left + cols) * c]);
            let crop: Vec<f32> = lines.flatten().map(|&p| p.into()).collect();
            pixels.extend(density::averages(&crop, side, to).iter().map(|p| p.round() as u8));
        }
        Self { shape: to, pixels, labels: self.labels.clone(), origins: self.origins.clone() }
    }

    /// These images and, after them, others of the same shape with other labels: those of these begin at `from`.
    ///
    /// # Errors
    /// When their shapes differ, or there would be more labels than a byte counts.
    pub fn before(mut self, others: Self, from: usize) -> anyhow::Result<Self> {
        anyhow::ensure!(self.shape == others.shape, "the images differ in shape");
        for label in &mut self.labels {
            *label = u8::try_from(usize::from(*label) + from)?;
        }
        self.pixels.extend(others.pixels);
        self.labels.extend(others.labels);
        self.origins.extend(others.origins);
        Ok(self)
    }

    /// How many images each of `classes` labels has.
    pub fn counts(&self, classes: usize) -> Vec<usize> {
        let mut counts = vec![0; classes];
        for &label in &self.labels {
            counts[usize::from(label)] += 1;
        }
        counts
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_middle_is_the_middle() {
        let pixels: Vec<u8> = (0..156 * 158 * 3).map(|i| (i % 251) as u8).collect();
        let shape = [156, 158, 3];
        let images = Labelled { shape, pixels: pixels.clone(), labels: vec![3], origins: Vec::new() };
        let middle = images.centred([154, 154, 3]);
        assert_eq!((middle.shape, middle.pixels.len()), ([154, 154, 3], 154 * 154 * 3));
        assert_eq!(middle.bytes(0)[0], pixels[(158 + 2) * 3]);
        assert_eq!(middle.bytes(0)[154 * 154 * 3 - 1], pixels[(154 * 158 + 155) * 3 + 2]);
        // Sixteen pixels are one: those of the crop of 152 rows and columns.
        let few = images.centred([38, 38, 1]);
        let sum = |colour: usize| {
            let pixel = |i: usize| f32::from(pixels[((2 + i / 4) * 158 + 3 + i % 4) * 3 + colour]);
            (0..16).map(pixel).sum::<f32>() / 16.0
        };
        let grey = 0.299 * sum(0) + 0.587 * sum(1) + 0.114 * sum(2);
        assert_eq!((few.pixels.len(), f32::from(few.bytes(0)[0])), (38 * 38, grey.round()));
        assert_eq!(images.counts(5), [0, 0, 0, 1, 0]);
    }
}
