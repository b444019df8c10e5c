//! Numbers to the bit in files of NumPy's: one tensor (.npy), or several by name (.npz).

use std::io::Write;
use std::path::Path;

use anyhow::{Context, Result};
use npyz::{AutoSerialize, WriterBuilder};

use super::files::write_atomically_with;

/// What goes into a file.
pub enum Numbers {
    /// Single precision.
    Floats(Vec<f32>),
    /// Whole numbers; -1 where there is none.
    Whole(Vec<i64>),
}

/// Numbers with their dimensions.
pub struct Tensor {
    /// As many as the product of these.
    pub numbers: Numbers,
    /// The dimensions, the last the fastest.
    pub dims: Vec<usize>,
}

impl Tensor {
    /// Writes it in NumPy's format.
    fn write(&self, out: impl Write) -> Result<()> {
        fn all<T: AutoSerialize + Copy>(numbers: &[T], dims: &[u64], out: impl Write) -> Result<()> {
            let mut writer = npyz::WriteOptions::new().default_dtype().shape(dims).writer(out).begin_nd()?;
            writer.extend(numbers.iter().copied())?;
            Ok(writer.finish()?)
        }
        let dims: Vec<u64> = self.dims.iter().map(|n| *n as u64).collect();
        match &self.numbers {
            Numbers::Floats(numbers) => all(numbers, &dims, out),
            Numbers::Whole(numbers) => all(numbers, &dims, out),
        }
    }
}

/// Writes one tensor as .npy.
///
/// # Errors
/// When the file cannot be written.
pub fn save_npy(path: &Path, tensor: &Tensor) -> Result<()> {
    write_atomically_with(path, |out| tensor.write(out))
}

/// Writes tensors by name as .npz.
///
/// # Errors
/// When the file cannot be written.
pub fn save_npz(path: &Path, tensors: &[(&str, Tensor)]) -> Result<()> {
    write_atomically_with(path, |out| {
        let mut zip = npyz::zip::ZipWriter::new(out);
        for (name, tensor) in tensors {
            zip.start_file(
                npyz::npz::file_name_from_array_name(name),
                npyz::zip::write::FileOptions::default(),
            )?;
            tensor.write(&mut zip).with_context(|| (*name).to_owned())?;
        }
        zip.finish()?;
        Ok(())
    })
}
