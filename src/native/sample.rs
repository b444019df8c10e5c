//! The command `sample`: packs the first ten test digits of each label for the page.

use std::path::Path;

use anyhow::{Result, ensure};

use super::files::write_atomically;
use super::labelled::Labelled;
use crate::arch::MNIST;
use crate::samples::Samples;

/// Digits of each label.
const EACH: usize = 10;

/// Writes the sample; image `i` has label `i % 10`.
///
/// # Errors
/// When a label is too rare, or the file cannot be written.
pub fn write_sample(digits: &Labelled, path: &Path) -> Result<()> {
    let classes = MNIST.labels.len();
    let mut of_label: Vec<Vec<usize>> = vec![Vec::new(); classes];
    for (i, &label) in digits.labels.iter().enumerate() {
        of_label[usize::from(label)].push(i);
    }
    ensure!(of_label.iter().all(|l| l.len() >= EACH), "there are not {EACH} images of each label");
    let order: Vec<usize> = (0..EACH * classes).map(|i| of_label[i % classes][i / classes]).collect();
    let samples = Samples {
        pixels: order.iter().flat_map(|&i| digits.bytes(i).to_vec()).collect(),
        labels: order.iter().map(|&i| digits.labels[i]).collect(),
        indices: order.iter().map(|&i| i as u32).collect(),
    };
    let bytes = samples.to_bytes(&MNIST)?;
    write_atomically(path, &bytes)?;
    println!("wrote {} ({} digits, {} bytes)", path.display(), samples.len(), bytes.len());
    Ok(())
}
