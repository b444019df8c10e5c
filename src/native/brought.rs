//! Images of somebody's own: pictures and folders of them, or tensors in a file of NumPy's, as images that a network reads.

use std::fs::{self, File};
use std::io::BufReader;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use image::imageops::FilterType;
use image::{DynamicImage, GenericImageView, ImageReader};
use npyz::{NpyFile, TypeChar};

use super::jpeg;
use crate::classifier::{Classifier, Network};
use crate::datasets::Image;
use crate::metrics::argmax;
use crate::network::Weights;
use crate::network::layer::Shape;

/// How files are called that are read, in lower case.
const ENDINGS: [&str; 4] = ["png", "jpg", "jpeg", "npy"];
/// The most images that are read.
const MOST: usize = 1 << 20;

/// An image, the name of its file, and its label where that is known.
struct Brought {
    file: String,
    pixels: Vec<f32>,
    label: Option<usize>,
}

/// The images of these files, and of all files in these folders and those within, by name. A picture that lies in a folder that is called
/// as one of the network's labels (or by its number) has that label; of others, and of tensors, what the network reads is the label.
///
/// # Errors
/// When a file cannot be read, or there is none.
pub fn load(paths: &[PathBuf], weights: &Weights) -> Result<Vec<Image>> {
    let mut network = Network::new(weights)?;
    let mut logits = vec![0.0; network.classes()];
    let mut read = |pixels: &[f32]| {
        network.logits(pixels, &mut logits);
        argmax(&logits)
    };
    let image = |(index, Brought { file, pixels, label }): (usize, Brought)| {
        let label = label.unwrap_or_else(|| read(&pixels));
        Image { index, file: Some(file), label, pixels }
    };
    Ok(brought(paths, weights)?.into_iter().enumerate().map(image).collect())
}

/// Of [`load`]'s images those whose labels are known without the network.
///
/// # Errors
/// As [`load`].
pub fn labelled(paths: &[PathBuf], weights: &Weights) -> Result<Vec<Image>> {
    let image = |(index, Brought { file, pixels, label }): (usize, Brought)| {
        Some(Image { index, file: Some(file), label: label?, pixels })
    };
    Ok(brought(paths, weights)?.into_iter().enumerate().filter_map(image).collect())
}

fn brought(paths: &[PathBuf], weights: &Weights) -> Result<Vec<Brought>> {
    let mut files = Vec::new();
    for path in paths {
        find(path, &mut files)?;
    }
    ensure!(
        !files.is_empty(),
        "there is no picture (PNG, JPEG) and no tensor (.npy) among {}",
        listed(paths)
    );
    let spec = &weights.spec;
    let mut all = Vec::new();
    for path in &files {
        let context = || format!("cannot read {}", path.display());
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if ending(path) == "npy" {
            for (i, pixels) in tensors(path, spec.image).with_context(context)?.into_iter().enumerate() {
                all.push(Brought { file: format!("{name}[{i}]"), pixels, label: None });
            }
        } else {
            let pixels = picture(path, spec.image).with_context(context)?;
            let folder = path.parent().and_then(Path::file_name).unwrap_or_default().to_string_lossy();
            let named = spec.labels.iter().position(|label| *label == folder);
            let label = named.or_else(|| folder.parse().ok().filter(|label| *label < spec.classes()));
            all.push(Brought { file: name, pixels, label });
        }
        ensure!(all.len() <= MOST, "these are more than {MOST} images");
    }
    Ok(all)
}

fn listed(paths: &[PathBuf]) -> String {
    paths.iter().map(|path| path.display().to_string()).collect::<Vec<_>>().join(", ")
}

fn ending(path: &Path) -> String {
    path.extension().unwrap_or_default().to_string_lossy().to_lowercase()
}

/// The files that a path means: itself, or all pictures and tensors below a folder.
fn find(path: &Path, files: &mut Vec<PathBuf>) -> Result<()> {
    if !path.is_dir() {
        ensure!(
            path.is_file(),
            "there is no file or folder {} (nor is it like test:0..100 or sample:0..10)",
            path.display()
        );
        ensure!(
            ENDINGS.contains(&ending(path).as_str()),
            "{} is neither a picture (.png, .jpg) nor a tensor (.npy)",
            path.display()
        );
        files.push(path.to_owned());
        return Ok(());
    }
    let entries = fs::read_dir(path).with_context(|| format!("cannot read {}", path.display()))?;
    let mut inside = entries.map(|entry| Ok(entry?.path())).collect::<Result<Vec<_>>>()?;
    inside.sort();
    for path in inside {
        let hidden = path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'));
        if !hidden && (path.is_dir() || ENDINGS.contains(&ending(&path).as_str())) {
            find(&path, files)?;
        }
    }
    Ok(())
}

/// A picture as an image of a shape: its middle, as large as fits, and scaled where it has another size.
fn picture(path: &Path, [rows, cols, channels]: Shape) -> Result<Vec<f32>> {
    let bytes = fs::read(path)?;
    let read = if bytes.starts_with(&[0xff, 0xd8]) {
        DynamicImage::from(jpeg::decode(&bytes)?)
    } else {
        ImageReader::new(std::io::Cursor::new(&bytes)).with_guessed_format()?.decode()?
    };
    let (width, height) = read.dimensions();
    ensure!(width > 0 && height > 0, "it has no pixels");
    let (wide, high) = (u64::from(width), u64::from(height));
    // The widest part of the sides of what is wanted.
    let [rows_64, cols_64] = [rows as u64, cols as u64];
    let (w, h) = if wide * rows_64 > high * cols_64 {
        ((high * cols_64 / rows_64).max(1), high)
    } else {
        (wide, (wide * rows_64 / cols_64).max(1))
    };
    let (x, y) = ((wide - w) / 2, (high - h) / 2);
    let mut part = read.crop_imm(x as u32, y as u32, w as u32, h as u32);
    if (w, h) != (cols_64, rows_64) {
        part = part.resize_exact(cols as u32, rows as u32, FilterType::Triangle);
    }
    let unit = |bytes: Vec<u8>| bytes.into_iter().map(|byte| f32::from(byte) / 255.0).collect();
    Ok(match channels {
        1 => unit(part.into_luma8().into_raw()),
        3 => unit(part.into_rgb8().into_raw()),
        4 => unit(part.into_rgba8().into_raw()),
        _ => bail!("a picture has no {channels} channels"),
    })
}

/// Images of a file of NumPy's: numbers in [0, 1], or bytes, of N images or one, with channels last or first or, of one channel, neither.
fn tensors(path: &Path, image: Shape) -> Result<Vec<Vec<f32>>> {
    let file = NpyFile::new(BufReader::new(File::open(path)?))?;
    let [rows, cols, channels] = image;
    let size = rows * cols * channels;
    let shape: Vec<usize> = file.shape().iter().map(|n| usize::try_from(*n)).collect::<Result<_, _>>()?;
    let count = shape.iter().try_fold(1usize, |product, n| product.checked_mul(*n)).unwrap_or(usize::MAX);
    ensure!(count <= MOST * 16, "it holds {count} numbers");
    let own = |dims: &[usize]| shape == dims || shape.get(1..) == Some(dims);
    let first = channels > 1 && own(&[channels, rows, cols]) && !own(&[rows, cols, channels]);
    let known = first
        || own(&[rows, cols, channels])
        || own(&[1, rows, cols])
        || own(&[size])
        || (channels == 1 && own(&[rows, cols]));
    ensure!(
        known && size > 0 && count % size == 0,
        "its shape is {shape:?}; the network reads {rows} x {cols} x {channels}"
    );
    ensure!(file.order() == npyz::Order::C, "its numbers lie column by column (Fortran order)");
    let npyz::DType::Plain(kind) = file.dtype() else { bail!("it holds no plain numbers") };
    let numbers: Vec<f32> = match (kind.type_char(), kind.size_field()) {
        (TypeChar::Float, 4) => file.into_vec::<f32>()?,
        (TypeChar::Float, 8) => file.into_vec::<f64>()?.into_iter().map(|x| x as f32).collect(),
        (TypeChar::Uint, 1) => file.into_vec::<u8>()?.into_iter().map(|x| f32::from(x) / 255.0).collect(),
        _ => bail!("its numbers are {kind}; floats and bytes are read"),
    };
    ensure!(
        numbers.iter().all(|x| (0.0..=1.0).contains(x)),
        "it holds numbers outside 0 to 1, which are no pixels"
    );
    let order = |numbers: &[f32]| -> Vec<f32> {
        if !first {
            return numbers.to_vec();
        }
        (0..size).map(|i| numbers[i % channels * rows * cols + i / channels]).collect()
    };
    Ok(numbers.chunks_exact(size).map(order).collect())
}
