//! Test images in one small file: the sample that the page ships, a few of each label, and the first ones of the test set
//! for the lab.
//!
//! A safetensors file with `images` (U8, `[count, rows, cols]`), `labels` (U8, `[count]`) and `indices`
//! (U32, `[count]`: where each stands in the test set). Image `i` of the sample has label `i % classes`.

use std::collections::HashMap;

use safetensors::tensor::{Dtype, SafeTensors};

use crate::arch::Dataset;
use crate::error::{Error, Result};
use crate::weights;

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
        let (_, tensors) = weights::read(WHAT, bytes, MAX_BYTES)?;
        let [rows, cols, _] = dataset.image;
        let labels = tensor(&tensors, "labels", Dtype::U8)?.to_vec();
        let pixels = tensor(&tensors, "images", Dtype::U8)?.to_vec();
        let indices = tensor(&tensors, "indices", Dtype::U32)?;
        if labels.is_empty()
            || pixels.len() != labels.len() * rows * cols
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
        let [rows, cols, _] = dataset.image;
        let count = self.labels.len();
        let indices = self.indices.iter().flat_map(|i| i.to_le_bytes()).collect();
        let tensors = vec![
            ("images".to_owned(), Dtype::U8, vec![count, rows, cols], self.pixels.clone()),
            ("indices".to_owned(), Dtype::U32, vec![count], indices),
            ("labels".to_owned(), Dtype::U8, vec![count], self.labels.clone()),
        ];
        let metadata = HashMap::from([
            ("format".to_owned(), "misread-samples-1".to_owned()),
            ("dataset".to_owned(), dataset.name.to_owned()),
        ]);
        weights::write(tensors, metadata)
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

fn tensor<'a>(tensors: &SafeTensors<'a>, name: &str, dtype: Dtype) -> Result<&'a [u8]> {
    match tensors.tensor(name) {
        Ok(t) if t.dtype() == dtype => Ok(t.data()),
        Ok(t) => Err(Error::bad_file(WHAT, format!("'{name}' is {:?} and must be {dtype:?}", t.dtype()))),
        Err(_) => Err(Error::bad_file(WHAT, format!("'{name}' is missing"))),
    }
}
