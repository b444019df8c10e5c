//! Labeled Faces in the Wild (Huang, Ramesh, Berg, Learned-Miller 2007): the photographs under a folder, and the fixed
//! split of them into those to train and those to measure with.
//!
//! The images are web photographs of named people, published for research, with no grant to redistribute: the
//! project ships none. What it ships is the split, by file name, in a manifest.

use std::collections::BTreeMap;
use std::fs;
use std::ops::Range;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use sha2::{Digest, Sha256};

use super::cores::on_all_cores;
use super::fetch::Split;
use super::files::write_atomically;
use super::find;
use super::jpeg;
use super::labelled::{Labelled, Origin};
use super::root::root;
use crate::datasets::LFW;

/// Images that a person must have, unless someone says otherwise: seven people have.
pub const MIN_IMAGES: usize = 70;
/// Images that those must have of whom a siamese network learns to tell people apart besides: 55 more people have.
pub const OTHERS: usize = 20;
/// How many of these it never sees: pairs of their photographs say what it does with strangers.
const UNSEEN: usize = 16;
/// Rows and columns of a photograph.
const SIDE: usize = 250;
/// Rows and columns of a photograph that are kept around its middle: the crop of the study, and what a shifted, turned
/// or scaled one needs around it.
const KEPT: usize = 202;
/// What a manifest says of an image.
const TRAIN: &str = "train";
const TEST: &str = "test";

/// Which photographs are to train and which to measure with, as `Person_Name/Person_Name_NNNN.jpg`, in an order that mixes
/// the people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Manifest {
    /// The names of the people, in order: label 0 is the first.
    pub people: Vec<String>,
    /// Three quarters of each person's photographs.
    pub train: Vec<String>,
    /// The others.
    pub test: Vec<String>,
}

impl Manifest {
    /// Splits the photographs of all who have at least `min_images` of `files` (person to file names): three quarters of
    /// each person's to train, by the order of a hash of their names, so that anyone's split is the same.
    ///
    /// # Errors
    /// When fewer than two people have so many.
    pub fn new(files: &BTreeMap<String, Vec<String>>, min_images: usize) -> Result<Self> {
        let chosen: Vec<(&String, &Vec<String>)> =
            files.iter().filter(|(_, files)| files.len() >= min_images).collect();
        ensure!(
            chosen.len() >= 2,
            "{} of {} people have at least {min_images} images; a network needs two to tell apart (--min-images)",
            chosen.len(),
            files.len()
        );
        let hash = |name: &String| Sha256::digest(name.as_bytes()).to_vec();
        let (mut train, mut test) = (Vec::new(), Vec::new());
        for (_, files) in &chosen {
            let mut files = (*files).clone();
            files.sort_by_key(hash);
            let rest = files.split_off(files.len() * 3 / 4);
            train.extend(files);
            test.extend(rest);
        }
        // Of another hash: that of the name alone decided the split, so that it would order the test images by person.
        let order = |name: &String| Sha256::digest(format!("order of {name}")).to_vec();
        train.sort_by_key(order);
        test.sort_by_key(order);
        Ok(Self { people: chosen.into_iter().map(|(person, _)| person.clone()).collect(), train, test })
    }

    /// A line an image.
    pub fn to_text(&self) -> String {
        let line = |kind: &str, file: &String| format!("{kind} {file}\n");
        let train = self.train.iter().map(|f| line(TRAIN, f));
        train.chain(self.test.iter().map(|f| line(TEST, f))).collect()
    }

    /// Reads [`to_text`](Self::to_text)'s.
    ///
    /// # Errors
    /// When a line is not of that form.
    pub fn from_text(text: &str) -> Result<Self> {
        let mut manifest = Self { people: Vec::new(), train: Vec::new(), test: Vec::new() };
        for (i, line) in text.lines().enumerate() {
            let wrong = || format!("line {} of the manifest is '{line}'", i + 1);
            let (kind, file) = line.split_once(' ').with_context(wrong)?;
            let (person, name) = file.split_once('/').with_context(wrong)?;
            ensure!(name.starts_with(person) && !file.contains(".."), wrong());
            match kind {
                TRAIN => manifest.train.push(file.to_owned()),
                TEST => manifest.test.push(file.to_owned()),
                _ => bail!(wrong()),
            }
            manifest.people.push(person.to_owned());
        }
        manifest.people.sort();
        manifest.people.dedup();
        ensure!(manifest.people.len() >= 2, "the manifest names fewer than two people");
        Ok(manifest)
    }

    /// The photographs of some of its people.
    fn only(&self, mut people: Vec<String>) -> Self {
        people.sort();
        let theirs =
            |file: &&String| file.split('/').next().is_some_and(|person| people.iter().any(|p| p == person));
        let [train, test] =
            [&self.train, &self.test].map(|files| files.iter().filter(theirs).cloned().collect());
        Self { people, train, test }
    }

    /// The people's names as labels.
    pub fn labels(&self) -> Vec<String> {
        self.people.iter().map(|p| p.replace('_', " ")).collect()
    }

    /// The label of a photograph.
    pub fn label(&self, file: &str) -> Option<u8> {
        let person = file.split('/').next()?;
        self.people.binary_search_by(|p| p.as_str().cmp(person)).ok().map(|i| i as u8)
    }
}

/// People with fewer photographs than those whom a network names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Others {
    /// Those of whom a siamese network may learn.
    pub known: Manifest,
    /// Those whom it never sees: all their photographs are to measure with.
    pub unseen: Manifest,
}

/// Who has at least [`OTHERS`] photographs and is not in `named`; [`UNSEEN`] of them, by the order of a hash of their names, are
/// for measuring alone.
///
/// # Errors
/// As [`manifest`]; when there are too few people.
pub fn others(data: &Path, named: &Manifest) -> Result<Others> {
    let all = manifest(data, OTHERS)?;
    let mut people: Vec<String> =
        all.people.iter().filter(|person| !named.people.contains(person)).cloned().collect();
    ensure!(
        people.len() > UNSEEN,
        "{} people besides the {} named have {OTHERS} images; more than {UNSEEN} are needed",
        people.len(),
        named.people.len()
    );
    people.sort_by_key(|person| Sha256::digest(person.as_bytes()).to_vec());
    let known = people.split_off(UNSEEN);
    let mut unseen = all.only(people);
    unseen.test.append(&mut unseen.train);
    Ok(Others { known: all.only(known), unseen })
}

/// Where a manifest lies: with the weights, so that whoever trains or measures has the same split.
///
/// # Errors
/// When the folder of the project is not found.
pub fn manifest_path(min_images: usize) -> Result<PathBuf> {
    Ok(root()?.join(format!("models/lfw-{min_images}.manifest")))
}

/// The manifest for `min_images`, if there is one.
pub fn shipped(min_images: usize) -> Option<Manifest> {
    Manifest::from_text(&fs::read_to_string(manifest_path(min_images).ok()?).ok()?).ok()
}

/// The manifest for `min_images`: the one that is there, or a new one of what lies under `data`, which is written.
///
/// # Errors
/// When there is none and none can be made or written.
pub fn manifest(data: &Path, min_images: usize) -> Result<Manifest> {
    let path = manifest_path(min_images)?;
    if let Ok(text) = fs::read_to_string(&path) {
        return Manifest::from_text(&text).with_context(|| path.display().to_string());
    }
    let manifest = Manifest::new(&photographs(&folder(data)?)?, min_images)?;
    write_atomically(&path, manifest.to_text().as_bytes())?;
    eprintln!("wrote {}", path.display());
    Ok(manifest)
}

/// The folder that holds the people's folders: below `data`, up to two folders down.
///
/// # Errors
/// When there is none; says how to get one.
pub fn folder(data: &Path) -> Result<PathBuf> {
    let holds_people = |folder: &Path| photographs(folder).is_ok_and(|files| !files.is_empty());
    find::below(&LFW, data, |folder| holds_people(folder).then(|| folder.to_owned())).with_context(|| {
        let near = find::near_misses(&LFW, data).iter().map(|path| path.display().to_string()).collect::<Vec<_>>();
        let near = if near.is_empty() { String::new() } else { format!(" (there is {}: unpack it)", near.join(", ")) };
        format!(
            "there are no LFW images under {}{near}: fetch them with 'fetch lfw', or name a folder that holds \
             Person_Name/Person_Name_0001.jpg, or two folders above it, with --data-dir",
            data.display()
        )
    })
}

/// The photographs in a folder: person to file names.
fn photographs(folder: &Path) -> Result<BTreeMap<String, Vec<String>>> {
    let mut people = BTreeMap::new();
    for entry in fs::read_dir(folder).with_context(|| format!("cannot read {}", folder.display()))? {
        let entry = entry?;
        let person = entry.file_name().to_string_lossy().into_owned();
        if !entry.path().is_dir() {
            continue;
        }
        let mut files = Vec::new();
        for file in fs::read_dir(entry.path())? {
            let name = file?.file_name().to_string_lossy().into_owned();
            if name.starts_with(&format!("{person}_")) && name.ends_with(".jpg") {
                files.push(format!("{person}/{name}"));
            }
        }
        if !files.is_empty() {
            files.sort();
            people.insert(person, files);
        }
    }
    Ok(people)
}

/// Those of the images of a split whose places in the manifest lie in `places`, decoded: to train with whole photographs, of
/// which a training cuts its crops, to measure with the crop of the study. What is missing or broken is named and skipped; the
/// others keep their places.
///
/// # Errors
/// When there are not so many places, or no image is left.
pub fn load(
    data: &Path,
    manifest: &Manifest,
    split: Split,
    places: Option<Range<usize>>,
) -> Result<Labelled> {
    let folder = folder(data)?;
    let all = if split == Split::Train { &manifest.train } else { &manifest.test };
    let places = places.unwrap_or(0..all.len());
    let there = all.len();
    let files = all.get(places.clone()).with_context(|| asked_for(&places, there))?;
    let side = if split == Split::Train { KEPT } else { LFW.image[0] };
    let decoded = on_all_cores("reading faces", files, &(), |(), file| Ok(decode(&folder.join(file), side)))?;
    let mut images =
        Labelled { shape: [side, side, 3], pixels: Vec::new(), labels: Vec::new(), origins: Vec::new() };
    let mut skipped = 0;
    for ((place, file), decoded) in places.zip(files).zip(decoded) {
        match (decoded, manifest.label(file)) {
            (Ok(pixels), Some(label)) => {
                images.pixels.extend(pixels);
                images.labels.push(label);
                images.origins.push(Origin { place, file: file.clone() });
            }
            (Err(why), _) => {
                skipped += 1;
                if skipped <= 10 {
                    eprintln!("skipped image {place}, {file}: {why:#}");
                }
            }
            (_, None) => {}
        }
    }
    if skipped > 0 {
        eprintln!("{skipped} of {} images were skipped; the others keep their numbers", files.len());
    }
    ensure!(
        !images.is_empty(),
        "none of these images of the manifest could be read under {}",
        folder.display()
    );
    Ok(images)
}

/// Says that images are wanted that there are not.
pub fn asked_for(places: &Range<usize>, there: usize) -> String {
    format!("images {}..{} were asked for; there are {there}", places.start, places.end)
}

/// The middle `side` x `side` of a photograph of the data set, in RGB, upright.
///
/// # Errors
/// When it is no whole JPEG, or has not the data set's size.
pub fn decode(path: &Path, side: usize) -> Result<Vec<u8>> {
    let image = jpeg::decode(&fs::read(path).context("cannot read it")?)?;
    let (w, h) = (image.width() as usize, image.height() as usize);
    ensure!([w, h] == [SIDE; 2], "it has {w} x {h} pixels; the photographs of LFW have {SIDE} x {SIDE}");
    let (left, top) = ((w - side) / 2, (h - side) / 2);
    let row = |y: usize| &image.as_raw()[3 * (y * w + left)..3 * (y * w + left + side)];
    Ok((top..top + side).flat_map(row).copied().collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files() -> BTreeMap<String, Vec<String>> {
        let person = |name: &str, n: usize| {
            (name.to_owned(), (1..=n).map(|i| format!("{name}/{name}_{i:04}.jpg")).collect())
        };
        BTreeMap::from([person("Ada_L", 40), person("Emmy_N", 8), person("Grace_H", 12)])
    }

    #[test]
    fn the_split_is_fixed_stratified_and_comes_back() {
        let manifest = Manifest::new(&files(), 10).unwrap();
        assert_eq!(manifest.people, ["Ada_L", "Grace_H"]);
        assert_eq!(manifest.labels(), ["Ada L", "Grace H"]);
        let of = |files: &[String], person: &str| files.iter().filter(|f| f.starts_with(person)).count();
        assert_eq!((of(&manifest.train, "Ada"), of(&manifest.test, "Ada")), (30, 10));
        assert_eq!((of(&manifest.train, "Grace"), of(&manifest.test, "Grace")), (9, 3));
        assert!(manifest.train.iter().all(|f| !manifest.test.contains(f)));
        assert_eq!(Manifest::from_text(&manifest.to_text()).unwrap(), manifest);
        assert_eq!(Manifest::new(&files(), 10).unwrap(), manifest);
    }

    #[test]
    fn too_few_people_and_broken_manifests_are_refused_in_words() {
        assert!(
            Manifest::new(&files(), 30).unwrap_err().to_string().contains("1 of 3 people have at least 30")
        );
        for text in ["", "train A/A_1.jpg\n", "x A/A_1.jpg", "train A", "test A/../B_1.jpg\ntest B/B_1.jpg"] {
            assert!(Manifest::from_text(text).is_err(), "{text}");
        }
    }
}
