//! The idx files of MNIST and its like (LeCun, Cortes, Burges 1998): a big-endian header, then bytes.

use std::path::Path;

use anyhow::{Context, Result, bail, ensure};

use super::labelled::Labelled;
use crate::datasets::Dataset;

/// The images of a data set in a pair of idx files, of which `what` are the names.
///
/// # Errors
/// When one is truncated or of other dimensions, or the two disagree.
pub fn labelled(dataset: &Dataset, [images, labels]: [Vec<u8>; 2], what: [&Path; 2]) -> Result<Labelled> {
    let [rows, cols, _] = dataset.image;
    let pixels = items(images, &[rows as u32, cols as u32]).with_context(|| what[0].display().to_string())?;
    let labels = items(labels, &[]).with_context(|| what[1].display().to_string())?;
    let count = pixels.len() / dataset.pixels();
    ensure!(labels.len() == count, "there are {} labels for {count} images", labels.len());
    let most = dataset.labels.len();
    ensure!(labels.iter().all(|&l| usize::from(l) < most), "a label is above {}", most - 1);
    Ok(Labelled { shape: dataset.image, pixels, labels, origins: Vec::new() })
}

/// The items of an idx file of unsigned bytes, each of the dimensions `item` (none: a number).
///
/// # Errors
/// When it is none, its items have other dimensions, or it is truncated.
pub fn items(mut bytes: Vec<u8>, item: &[u32]) -> Result<Vec<u8>> {
    let header = 8 + 4 * item.len();
    let word = |i: usize| bytes.get(4 * i..4 * i + 4).map(|b| u32::from_be_bytes([b[0], b[1], b[2], b[3]]));
    if word(0) != Some(0x0800 + 1 + item.len() as u32) {
        bail!("it is no idx file of {}", if item.is_empty() { "labels" } else { "images" });
    }
    let fits = (0..item.len()).all(|i| word(2 + i) == Some(item[i]));
    ensure!(fits, "images are not {}", item.iter().map(u32::to_string).collect::<Vec<_>>().join("x"));
    let count = word(1).context("it is truncated")? as usize;
    let size = item.iter().map(|&d| d as usize).product::<usize>();
    let there = bytes.len() - header;
    ensure!(Some(there) == count.checked_mul(size), "it is truncated: {there} bytes for {count} items");
    Ok(bytes.split_off(header))
}
