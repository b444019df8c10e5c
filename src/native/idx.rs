//! The idx files of MNIST (LeCun, Cortes, Burges 1998): a big-endian header, then bytes.

use std::path::Path;

use anyhow::{Context, Result, bail, ensure};

use super::labelled::Labelled;
use crate::arch::MNIST;

/// Pixels of a digit.
const PIXELS: usize = 28 * 28;

/// Reads a pair of idx files of digits.
///
/// # Errors
/// When a file is missing, truncated, of other dimensions, or the two disagree.
pub fn read_digits(images: &Path, labels: &Path) -> Result<Labelled> {
    let pixels = read(images, &[28, 28])?;
    let labels = read(labels, &[])?;
    ensure!(
        pixels.len() == labels.len() * PIXELS,
        "there are {} labels for {} images",
        labels.len(),
        pixels.len() / PIXELS
    );
    ensure!(labels.iter().all(|&l| l < 10), "a label is above 9");
    Ok(Labelled { shape: MNIST.image, pixels, labels })
}

/// The items of an idx file of unsigned bytes, each of the dimensions `item`.
fn read(path: &Path, item: &[u32]) -> Result<Vec<u8>> {
    let mut bytes = std::fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
    let header = 8 + 4 * item.len();
    let word = |i: usize| bytes.get(4 * i..4 * i + 4).map(|b| u32::from_be_bytes([b[0], b[1], b[2], b[3]]));
    if word(0) != Some(0x0800 + 1 + item.len() as u32) {
        bail!("{} is no idx file of {}", path.display(), if item.is_empty() { "labels" } else { "images" });
    }
    ensure!(
        (0..item.len()).all(|i| word(2 + i) == Some(item[i])),
        "{}: images are not 28x28",
        path.display()
    );
    let count = word(1).with_context(|| format!("{} is truncated", path.display()))? as usize;
    let size = item.iter().map(|&d| d as usize).product::<usize>();
    ensure!(
        Some(bytes.len() - header) == count.checked_mul(size),
        "{} is truncated: {} bytes for {count} items",
        path.display(),
        bytes.len()
    );
    Ok(bytes.split_off(header))
}
