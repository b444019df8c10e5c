//! Test images in one small file: the sample that the page ships, a few of each label, and the first ones of the test set
//! for the lab.
//!
//! A safetensors file with `images` (U8, `[count, rows, cols]`, of colour images with their channels), `labels` (U8, `[count]`) and `indices`
//! (U32, `[count]`: where each stands in the test set). Image `i` of the sample has label `i % classes`.

use std::collections::BTreeMap;

use super::Dataset;
use crate::error::{Error, Result};
use crate::network::safetensors::{Dtype, File, read, write};

const WHAT: &str = "the sample of images";
/// The largest sample that is read, in bytes.
const MAX_BYTES: usize = 1 << 20;

/// A few labelled images.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Samples {
    /// Image after image, 0 to 255.
    pub pixels: Vec<u8>,
    /// The true label of each image.
    pub labels: Vec<u8>,
    /// Where each image stands in the test set.
    pub indices: Vec<u32>,
}

impl Samples {
    /// Reads a sample of `dataset`.
    ///
    /// # Errors
    /// [`Error::BadFile`] that says what is wrong.
    pub fn from_bytes(dataset: &Dataset, bytes: &[u8]) -> Result<Self> {
        let bad = |why: String| Error::bad_file(WHAT, why);
        let file = read(WHAT, bytes, MAX_BYTES)?;
        let labels = tensor(&file, "labels", Dtype::U8)?.to_vec();
        let pixels = tensor(&file, "images", Dtype::U8)?.to_vec();
        let indices = tensor(&file, "indices", Dtype::U32)?;
        if labels.is_empty()
            || pixels.len() != labels.len() * dataset.pixels()
            || indices.len() != labels.len() * 4
        {
            return Err(bad("its images, labels and indices do not belong together".into()));
        }
        if let Some(label) = labels.iter().find(|&&l| usize::from(l) >= dataset.labels.len()) {
            return Err(bad(format!("it has a label {label}")));
        }
        let indices = indices.chunks_exact(4).map(|b| u32::from_le_bytes([b[0], b[1], b[2], b[3]])).collect();
        Ok(Self { pixels, labels, indices })
    }

    /// Writes a sample of `dataset`.
    ///
    /// # Errors
    /// [`Error::BadInput`] when the parts do not belong together.
    pub fn to_bytes(&self, dataset: &Dataset) -> Result<Vec<u8>> {
        let [rows, cols, channels] = dataset.image;
        let count = self.labels.len();
        let mut shape = vec![count, rows, cols];
        if channels > 1 {
            shape.push(channels);
        }
        let indices = self.indices.iter().flat_map(|i| i.to_le_bytes()).collect();
        let tensors = vec![
            ("images".to_owned(), Dtype::U8, shape, self.pixels.clone()),
            ("indices".to_owned(), Dtype::U32, vec![count], indices),
            ("labels".to_owned(), Dtype::U8, vec![count], self.labels.clone()),
        ];
        let metadata = BTreeMap::from([
            ("format".to_owned(), "misread-samples-1".to_owned()),
            ("dataset".to_owned(), dataset.name.to_owned()),
        ]);
        write(tensors, metadata)
    }

    /// How many images there are.
    pub fn len(&self) -> usize {
        self.labels.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.labels.is_empty()
    }

    /// Image `i` as floats in [0, 1].
    ///
    /// # Errors
    /// [`Error::BadInput`] when there is no such image.
    pub fn image(&self, i: usize) -> Result<Vec<f32>> {
        let size = self.pixels.len() / self.len().max(1);
        let pixels = self
            .pixels
            .get(i * size..(i + 1) * size)
            .ok_or_else(|| Error::BadInput(format!("there is no sample {i}; there are {}", self.len())))?;
        Ok(pixels.iter().map(|&p| f32::from(p) / 255.0).collect())
    }
}

fn tensor<'a>(file: &File<'a>, name: &str, dtype: Dtype) -> Result<&'a [u8]> {
    match file.tensor(name) {
        Some(tensor) if tensor.dtype == dtype => Ok(tensor.data),
        Some(tensor) => {
            Err(Error::bad_file(WHAT, format!("'{name}' is {:?} and must be {dtype:?}", tensor.dtype)))
        }
        None => Err(Error::bad_file(WHAT, format!("'{name}' is missing"))),
    }
}
