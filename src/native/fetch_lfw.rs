//! Fetching Labeled Faces in the Wild: the official archive, checked against its SHA-256, unpacked whole or not at all.

use std::fs::{self, File};
use std::io::Read;
use std::path::{Component, Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use sha2::{Digest, Sha256};

use super::fetch::download;
use super::lfw::folder;

const ARCHIVE: &str = "lfw-funneled.tgz";
/// The archive as its authors publish it.
const OFFICIAL: &str = "https://ndownloader.figshare.com/files/5976015";
const SHA256: &str = "b47c8422c8cded889dc5a13418c4bc2abbda121092b3533a83306f90d900100a";
/// The largest archive and the largest photograph that are taken, in bytes.
const MAX_BYTES: u64 = 512 << 20;
const MAX_PHOTOGRAPH: u64 = 4 << 20;

/// What everyone who fetches the images is told.
const TERMS: &str = "Labeled Faces in the Wild: web photographs of named people, published by Gary B. Huang, Manu Ramesh, Tamara \
                     Berg and Erik Learned-Miller (2007) for research. They grant no right to pass the images on: keep them \
                     to yourself.";

/// Brings the photographs into `data/lfw`, unless there are some. `mirrors` (URLs under which the archive lies) are tried
/// before the official address.
///
/// # Errors
/// When the archive cannot be had, is not the genuine one, or cannot be unpacked; says what to do instead.
pub fn fetch(data: &Path, mirrors: &[String]) -> Result<()> {
    eprintln!("{TERMS}");
    if let Ok(folder) = folder(data) {
        eprintln!("{}: there", folder.display());
        return Ok(());
    }
    let dir = data.join("lfw");
    fs::create_dir_all(&dir).with_context(|| format!("cannot make the folder {}", dir.display()))?;
    let part = dir.join(format!("{ARCHIVE}.part"));
    let mirrored = mirrors.iter().map(|m| format!("{}/{ARCHIVE}", m.trim_end_matches('/')));
    for url in mirrored.chain([OFFICIAL.to_owned()]) {
        match from(&url, &part) {
            Ok(()) => {
                unpack(File::open(&part)?, &dir.join("lfw_funneled"))?;
                fs::remove_file(&part)?;
                eprintln!("{}: fetched", folder(data)?.display());
                return Ok(());
            }
            Err(error) => eprintln!("{url}: {error:#}"),
        }
    }
    bail!(
        "LFW could not be fetched. Any tree of Person_Name/Person_Name_0001.jpg will do: put it into {} or name it with \
         --data-dir",
        dir.display()
    )
}

/// Downloads the archive and checks it.
fn from(url: &str, part: &Path) -> Result<()> {
    download(url, ARCHIVE, part, MAX_BYTES)?;
    let mut hash = Sha256::new();
    std::io::copy(&mut File::open(part)?, &mut hash)?;
    let found: String = hash.finalize().iter().map(|b| format!("{b:02x}")).collect();
    if found != SHA256 {
        // Complete but wrong, there is nothing in it to go on from.
        fs::remove_file(part)?;
        bail!("it is not the genuine archive (its SHA-256 differs)");
    }
    Ok(())
}

/// Unpacks the photographs of a .tgz to `to`, which is there whole or not at all.
fn unpack(archive: impl Read, to: &Path) -> Result<()> {
    let mut building = to.as_os_str().to_owned();
    building.push(".part");
    let building = PathBuf::from(building);
    if building.exists() {
        fs::remove_dir_all(&building)?;
    }
    let mut count = 0;
    for entry in tar::Archive::new(flate2::read::GzDecoder::new(archive)).entries()? {
        let mut entry = entry?;
        let path = entry.path()?.into_owned();
        let names: Vec<_> = path
            .components()
            .filter_map(|c| if let Component::Normal(name) = c { Some(name.to_owned()) } else { None })
            .collect();
        // Some folder, a person, a photograph; nothing else, and nothing that leads elsewhere.
        let plain = names.len() == 3 && path.components().count() == 3;
        let [.., person, photograph] = &names[..] else { continue };
        if !plain || !entry.header().entry_type().is_file() || path.extension().is_none_or(|e| e != "jpg") {
            continue;
        }
        ensure!(entry.size() <= MAX_PHOTOGRAPH, "{} is {} bytes long", path.display(), entry.size());
        fs::create_dir_all(building.join(person))?;
        std::io::copy(&mut entry, &mut File::create(building.join(person).join(photograph))?)?;
        count += 1;
    }
    ensure!(count > 0, "there are no photographs in the archive");
    fs::rename(&building, to).with_context(|| format!("cannot write {}", to.display()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn archive(files: &[&str]) -> Vec<u8> {
        let mut tar =
            tar::Builder::new(flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast()));
        for name in files {
            let mut header = tar::Header::new_gnu();
            header.set_size(3);
            header.set_mode(0o644);
            // Set by hand: the library would refuse the names that an attacker chooses.
            header.as_old_mut().name[..name.len()].copy_from_slice(name.as_bytes());
            header.set_cksum();
            tar.append(&header, &b"abc"[..]).unwrap();
        }
        tar.into_inner().unwrap().finish().unwrap()
    }

    #[test]
    fn photographs_are_unpacked_and_nothing_else_and_nowhere_else() {
        let folder = tempfile::tempdir().unwrap();
        let to = folder.path().join("lfw_funneled");
        let files =
            ["lfw_funneled/Ada_L/Ada_L_0001.jpg", "lfw_funneled/pairs.txt", "../x/y.jpg", "a/b/c/d.jpg"];
        unpack(&archive(&files)[..], &to).unwrap();
        assert_eq!(fs::read(to.join("Ada_L/Ada_L_0001.jpg")).unwrap(), b"abc");
        assert_eq!(fs::read_dir(&to).unwrap().count(), 1);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
    }

    #[test]
    fn an_archive_that_breaks_off_leaves_nothing_that_looks_whole() {
        let folder = tempfile::tempdir().unwrap();
        let to = folder.path().join("lfw_funneled");
        let whole = archive(&["a/Ada_L/Ada_L_0001.jpg"; 20]);
        assert!(unpack(&whole[..whole.len() / 2], &to).is_err());
        assert!(unpack(&archive(&["a/pairs.txt"])[..], &to).is_err());
        assert!(!to.exists());
    }
}
