//! A study's records on disk: appended in order, so that whatever ends the program leaves a beginning of the whole from
//! which the next run goes on.

use std::fs::{File, OpenOptions, TryLockError};
use std::io::{BufRead, BufReader, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use serde::{Deserialize, Serialize};

use super::plan::{Plan, VERSION};
use super::shard::Shard;
use crate::native::files::write_atomically;

pub const HEADER: &str = "study.json";
pub const RECORDS: &str = "records.jsonl";
pub const TIMINGS: &str = "timings.jsonl";

/// What stands in [`HEADER`].
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Header {
    pub plan: Plan,
    pub shard: Shard,
    /// The instruction set of the machine that began it: others round differently.
    pub instructions: String,
}

/// The number of a line's attack.
#[derive(Deserialize)]
pub struct Numbered {
    pub job: usize,
    /// Of a record, which image it is of; a timing says nothing of that.
    #[serde(flatten)]
    pub pictured: Option<Pictured>,
}

/// Which image a record is of.
#[derive(Clone, Deserialize)]
pub struct Pictured {
    pub dataset: String,
    pub index: usize,
    pub label: usize,
    pub file: Option<String>,
}

/// A folder with the records of a study, open for more.
#[derive(Debug)]
pub struct Journal {
    records: File,
    timings: File,
    folder: PathBuf,
}

/// Reads the header of the study in `folder`; `None` when there is none.
///
/// # Errors
/// When it cannot be read, is none, or was made by a version of the program that records something else.
pub fn header(folder: &Path) -> Result<Option<Header>> {
    let path = folder.join(HEADER);
    let text = match std::fs::read_to_string(&path) {
        Err(e) if e.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        read => read.with_context(|| format!("cannot read {}", path.display()))?,
    };
    let other = || {
        format!(
            "{} is not the head of a study of this version; name another folder with --out",
            path.display()
        )
    };
    let header: Header = serde_json::from_str(&text).with_context(other)?;
    ensure!(header.plan.version == VERSION, other());
    Ok(Some(header))
}

impl Header {
    /// Writes it into `folder`.
    ///
    /// # Errors
    /// When it cannot be written.
    pub fn write(&self, folder: &Path) -> Result<()> {
        let text = serde_json::to_string_pretty(self)?;
        write_atomically(&folder.join(HEADER), format!("{text}\n").as_bytes())
    }
}

impl Journal {
    /// Opens the study in `folder`, or begins it. Of the attacks numbered `jobs`, in their order, the records of the first
    /// ones may be there; how many is answered too. A line that was cut off, or spoiled at the end, is taken away.
    ///
    /// # Errors
    /// When the folder holds another study, another process works on it, its records are not the beginning of this study,
    /// or a file cannot be read or written.
    pub fn open(folder: &Path, header: &Header, jobs: &[usize]) -> Result<(Self, usize)> {
        std::fs::create_dir_all(folder).with_context(|| format!("cannot make {}", folder.display()))?;
        let records = open(&folder.join(RECORDS))?;
        match records.try_lock() {
            Err(TryLockError::WouldBlock) => bail!("another process is writing to {}", folder.display()),
            Err(TryLockError::Error(e)) => {
                return Err(e).with_context(|| format!("cannot lock {}", folder.display()));
            }
            Ok(()) => {}
        }
        match self::header(folder)? {
            None => {
                ensure!(
                    records.metadata()?.len() == 0,
                    "{} holds records without {HEADER}; name another folder with --out",
                    folder.display()
                );
                header.write(folder)?;
            }
            Some(found) => {
                ensure!(
                    found.plan == header.plan && found.shard == header.shard,
                    "{} holds another study ({}); name another folder with --out, or ask for the same one to go on",
                    folder.display(),
                    difference(&found, header)
                );
                if found.instructions != header.instructions {
                    eprintln!(
                        "note: this study was begun with {} and goes on with {}; the last digits may differ",
                        found.instructions, header.instructions
                    );
                }
            }
        }
        let path = folder.join(RECORDS);
        let mut done = whole_lines(&records, jobs, &path)?;
        let timings = open(&folder.join(TIMINGS))?;
        let timed =
            keep_timings(&timings, &jobs[..done]).with_context(|| format!("cannot go on with {TIMINGS}"))?;
        if timed < done {
            // Only a machine that lost power loses timings; their attacks are made again.
            (&records).seek(SeekFrom::Start(0)).with_context(|| format!("cannot read {}", path.display()))?;
            cut(&records, timed).with_context(|| format!("cannot go on with {}", path.display()))?;
            done = timed;
        }
        Ok((Self { records, timings, folder: folder.to_owned() }, done))
    }

    /// Adds the record of the next attack; both lines end with a line feed.
    ///
    /// # Errors
    /// When they cannot be written; what was there stays.
    pub fn append(&mut self, record: &str, timing: &str) -> Result<()> {
        self.timings.write_all(timing.as_bytes()).and_then(|()| self.records.write_all(record.as_bytes())).with_context(
            || {
                format!(
                    "cannot write to {}; what is recorded so far is kept, the same command goes on from there",
                    self.folder.display()
                )
            },
        )
    }
}

fn open(path: &Path) -> Result<File> {
    let file = OpenOptions::new().create(true).read(true).write(true).truncate(false).open(path);
    file.with_context(|| format!("cannot open {}", path.display()))
}

/// Checks that the lines of `file` are those of `jobs`, in order, and cuts off what follows the last whole one. Leaves the
/// file at its end; answers how many lines there are.
fn whole_lines(mut file: &File, jobs: &[usize], path: &Path) -> Result<usize> {
    let context = || format!("cannot read {}", path.display());
    let (mut lines, mut end) = (0, 0);
    let mut reader = BufReader::new(file);
    let mut line = Vec::new();
    loop {
        line.clear();
        let read = reader.read_until(b'\n', &mut line).with_context(context)?;
        let number = serde_json::from_slice::<Numbered>(&line);
        let (Ok(Numbered { job, .. }), true) = (number, line.ends_with(b"\n")) else {
            let rest = reader.read_until(b'\n', &mut line).with_context(context)?;
            ensure!(
                read == 0 || rest == 0,
                "line {} of {} is damaged; cut the file there to go on from it",
                lines + 1,
                path.display()
            );
            break;
        };
        let Some(&expected) = jobs.get(lines) else {
            bail!("{} holds more records than this study has", path.display())
        };
        ensure!(
            job == expected,
            "line {} of {} is of attack {job}, not {expected}; cut the file there to go on from it",
            lines + 1,
            path.display()
        );
        lines += 1;
        end += read as u64;
    }
    file.set_len(end)
        .and_then(|()| file.seek(SeekFrom::Start(end)))
        .with_context(|| format!("cannot go on with {}", path.display()))?;
    Ok(lines)
}

/// Keeps the first lines of a file. Leaves it at its end.
fn cut(mut file: &File, lines: usize) -> std::io::Result<()> {
    let mut reader = BufReader::new(file);
    let mut line = Vec::new();
    let mut end = 0;
    for _ in 0..lines {
        line.clear();
        end += reader.read_until(b'\n', &mut line)? as u64;
    }
    file.set_len(end)?;
    file.seek(SeekFrom::Start(end)).map(|_| ())
}

/// Takes away the timings of records that never came (a timing is written before its record), or that were lost. Leaves
/// the file at its end; answers how many there are.
fn keep_timings(mut file: &File, done: &[usize]) -> std::io::Result<usize> {
    let (mut kept, mut end) = (0, 0);
    let mut reader = BufReader::new(file);
    let mut line = Vec::new();
    while kept < done.len() {
        line.clear();
        let read = reader.read_until(b'\n', &mut line)?;
        let number = serde_json::from_slice::<Numbered>(&line);
        if !line.ends_with(b"\n") || !number.is_ok_and(|n| n.job == done[kept]) {
            break;
        }
        kept += 1;
        end += read as u64;
    }
    file.set_len(end)?;
    file.seek(SeekFrom::Start(end))?;
    Ok(kept)
}

/// In which respect two studies differ.
fn difference(a: &Header, b: &Header) -> String {
    if a.shard != b.shard {
        return format!("shard {}/{}", a.shard.index, a.shard.count);
    }
    let describe = |plan: &Plan| {
        let parts = plan.parts.iter().map(|p| {
            let names: Vec<String> = p.entrants.iter().map(super::plan::Entrant::name).collect();
            format!("{} images of {} ({:.8}) with {}", p.images, p.dataset, p.digest, names.join(", "))
        });
        parts.collect::<Vec<_>>().join("; ")
    };
    match (describe(&a.plan), describe(&b.plan)) {
        (a, b) if a != b => a,
        _ => "the same networks by name, with other weights, budgets or seed".into(),
    }
}
