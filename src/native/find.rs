//! Where the files of a data set lie below a folder: archives are unpacked in many ways.

use std::fs::{self, File};
use std::io::Read;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

use crate::datasets::{self, Dataset};

/// How many folders down is looked.
const DEPTH: usize = 2;
/// The largest file that is read, packed or not, in bytes.
pub const MAX_BYTES: u64 = 64 << 20;

/// What `look` finds first in the folder named after the data set, in `data` itself, or up to two folders down from these;
/// folders named after another data set are that one's.
pub fn below<T>(dataset: &Dataset, data: &Path, look: impl Fn(&Path) -> Option<T>) -> Option<T> {
    let name =
        |folder: &Path| folder.file_name().map(|name| letters(&name.to_string_lossy())).unwrap_or_default();
    let is =
        |folder: &Path, dataset: &Dataset| [dataset.name, dataset.title].map(letters).contains(&name(folder));
    let others =
        |folder: &Path| datasets::ALL.iter().any(|other| other.name != dataset.name && is(folder, other));
    let own = folders(data).into_iter().filter(|folder| is(folder, dataset));
    for start in own.chain([data.to_owned()]) {
        let mut level = vec![start];
        for _ in 0..=DEPTH {
            if let Some(found) = level.iter().find_map(|folder| look(folder)) {
                return Some(found);
            }
            level =
                level.iter().flat_map(|folder| folders(folder)).filter(|folder| !others(folder)).collect();
        }
    }
    None
}

/// A name without what people write in different ways.
fn letters(name: &str) -> String {
    name.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect()
}

/// The folders in a folder, by name.
fn folders(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut found: Vec<PathBuf> = entries.map(|entry| entry.path()).filter(|path| path.is_dir()).collect();
    found.sort();
    found
}

/// A file of the idx form called `name` (`t10k-images-idx3-ubyte`) in a folder: with a dot or a hyphen, packed or not.
pub fn idx(folder: &Path, name: &str) -> Option<PathBuf> {
    let dotted = name.replace("-idx", ".idx");
    let spellings = [name.to_owned(), dotted.clone(), format!("{name}.gz"), format!("{dotted}.gz")];
    spellings.into_iter().map(|name| folder.join(name)).find(|path| path.is_file())
}

/// Names of files below a folder that look as if they were meant: for whoever wonders why they are not found.
pub fn near_misses(dataset: &Dataset, data: &Path) -> Vec<PathBuf> {
    let meant = |path: &Path| {
        let name = path.file_name().map(|name| letters(&name.to_string_lossy())).unwrap_or_default();
        ["ubyte", "idx3", "idx1", letters(dataset.name).as_str()].iter().any(|part| name.contains(part))
    };
    let mut all = Vec::new();
    let mut level = vec![data.to_owned()];
    for _ in 0..=DEPTH {
        for folder in &level {
            let files = fs::read_dir(folder).into_iter().flatten().flatten().map(|entry| entry.path());
            all.extend(files.filter(|path| path.is_file() && meant(path)));
        }
        level = level.iter().flat_map(|folder| folders(folder)).collect();
    }
    all.sort();
    all.truncate(8);
    all
}

/// The bytes of a file, unpacked where its name ends in `.gz`.
///
/// # Errors
/// When it cannot be read, is no gzip file, or is absurdly long.
pub fn read(path: &Path) -> Result<Vec<u8>> {
    let context = || format!("cannot read {}", path.display());
    let file = File::open(path).with_context(context)?;
    let mut bytes = Vec::new();
    let read = if path.extension().is_some_and(|extension| extension == "gz") {
        flate2::read::GzDecoder::new(file).take(MAX_BYTES).read_to_end(&mut bytes)
    } else {
        file.take(MAX_BYTES).read_to_end(&mut bytes)
    };
    read.with_context(context)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::datasets::{FASHION_MNIST, MNIST};

    #[test]
    fn files_are_found_two_folders_down_in_every_spelling_and_not_among_another_data_set_s() {
        let data = tempfile::tempdir().unwrap();
        let write = |path: &str| {
            let path = data.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(&path, path.to_string_lossy().as_bytes()).unwrap();
            path
        };
        let name = "t10k-images-idx3-ubyte";
        let found = |dataset| below(dataset, data.path(), |folder| idx(folder, name));
        let clothing = write("FashionMNIST/raw/t10k-images-idx3-ubyte");
        assert_eq!((found(&FASHION_MNIST), found(&MNIST)), (Some(clothing.clone()), None));
        let packed = write("a/b/t10k-images.idx3-ubyte.gz");
        assert_eq!(found(&MNIST), Some(packed));
        let digits = write("MNIST/raw/t10k-images.idx3-ubyte");
        assert_eq!((found(&MNIST), found(&FASHION_MNIST)), (Some(digits), Some(clothing)));
        fs::remove_dir_all(data.path().join("MNIST")).unwrap();
        fs::remove_dir_all(data.path().join("a")).unwrap();
        write("x/y/z/t10k-images-idx3-ubyte");
        assert_eq!(found(&MNIST), None, "three folders down");
        let zip = write("x/t10k-images-idx3-ubyte.zip");
        assert!(near_misses(&MNIST, data.path()).contains(&zip));
    }

    #[test]
    fn a_packed_file_is_read_unpacked_and_a_broken_one_refused() {
        use std::io::Write;
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.gz");
        let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        packed.write_all(b"digits").unwrap();
        let packed = packed.finish().unwrap();
        fs::write(&path, &packed).unwrap();
        assert_eq!(read(&path).unwrap(), b"digits");
        fs::write(&path, &packed[..packed.len() - 4]).unwrap();
        assert!(read(&path).unwrap_err().to_string().contains("x.gz"));
    }
}
