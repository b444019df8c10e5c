//! Puts the shards of a study together.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{BufRead, BufReader, Lines, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};

use super::journal::{Header, Numbered, Pictured, RECORDS, TIMINGS, header};
use super::shard::Shard;
use crate::native::files::write_atomically_with;

/// Joins the shards in `folders` into `out`: its records have the bytes of a study that was made in one go.
///
/// # Errors
/// When they are not the shards of one study, one is missing, twice there or unfinished, or a file cannot be read or
/// written.
pub fn merge(folders: &[PathBuf], out: &Path) -> Result<()> {
    let mut parts: Vec<(&PathBuf, Header)> = Vec::new();
    for folder in folders {
        let found = header(folder)?.with_context(|| format!("{} holds no study", folder.display()))?;
        parts.push((folder, found));
    }
    let Some((first, whole)) = parts.first().cloned() else { bail!("name the folders of the shards") };
    for (folder, part) in &parts {
        ensure!(
            part.plan == whole.plan && part.shard.count == whole.shard.count,
            "{} and {} hold shards of different studies",
            first.display(),
            folder.display()
        );
        if part.instructions != whole.instructions {
            eprintln!(
                "note: {} was made with {} and {} with {}; the last digits may differ",
                first.display(),
                whole.instructions,
                folder.display(),
                part.instructions
            );
        }
    }
    let count = whole.shard.count;
    let mut order = Vec::new();
    for index in 0..count {
        let of: Vec<&PathBuf> =
            parts.iter().filter(|(_, p)| p.shard.index == index).map(|(f, _)| *f).collect();
        match of[..] {
            [one] => order.push(one),
            [] => bail!("shard {index}/{count} is missing"),
            _ => bail!("shard {index}/{count} is there twice: {} and {}", of[0].display(), of[1].display()),
        }
    }
    let shards: Vec<usize> = whole.plan.jobs().iter().map(|job| Shard::of(job.group, count)).collect();
    std::fs::create_dir_all(out).with_context(|| format!("cannot make {}", out.display()))?;
    ensure!(
        header(out)?.is_none_or(|h| h.plan == whole.plan && h.shard == Shard::WHOLE),
        "{} holds another study; name another folder with --out",
        out.display()
    );
    for name in [RECORDS, TIMINGS] {
        join(&order, name, &shards, out)?;
    }
    Header { shard: Shard::WHOLE, ..whole }.write(out)?;
    println!("{} records of {count} shards are in {}", shards.len(), out.join(RECORDS).display());
    Ok(())
}

/// Joins one file of all shards: attack `i` is the next line of shard `of[i]`.
fn join(order: &[&PathBuf], name: &str, of: &[usize], out: &Path) -> Result<()> {
    let mut shards: Vec<Lines<BufReader<File>>> = Vec::new();
    for folder in order {
        let path = folder.join(name);
        let file = File::open(&path).with_context(|| format!("cannot read {}", path.display()))?;
        shards.push(BufReader::new(file).lines());
    }
    let mut images = BTreeMap::new();
    write_atomically_with(&out.join(name), |joined| {
        for (job, &shard) in of.iter().enumerate() {
            let place = || order[shard].join(name);
            let line = match shards[shard].next() {
                Some(line) => line.with_context(|| format!("cannot read {}", place().display()))?,
                None => bail!(
                    "{} ends before attack {job} of {}: run this shard again to finish it",
                    place().display(),
                    of.len()
                ),
            };
            let found = serde_json::from_str::<Numbered>(&line).ok().filter(|found| found.job == job);
            let found = found.with_context(|| {
                format!("{} has a damaged line where attack {job} should be", place().display())
            })?;
            if let Some(Pictured { dataset, index, label, file }) = found.pictured {
                let (key, now) = ((dataset, index), (label, file));
                let before = images.entry(key.clone()).or_insert_with(|| now.clone());
                ensure!(
                    *before == now,
                    "{}: image {} of {} is not the one of the other shards (its label or its file differs)",
                    place().display(),
                    key.1,
                    key.0
                );
            }
            writeln!(joined, "{line}")?;
        }
        for (shard, folder) in shards.iter_mut().zip(order) {
            ensure!(shard.next().is_none(), "{} holds more than this study has", folder.join(name).display());
        }
        Ok(())
    })
}
