//! Pictures of an attack: the images as they are, the perturbation magnified.

use std::path::Path;

use anyhow::{Context, Result};

use super::files::write_atomically;

/// Writes an image in [0, 1] (rows x columns x channels, 1 or 3) as an 8-bit PNG.
///
/// # Errors
/// When the file cannot be written.
pub fn save_image(path: &Path, shape: [usize; 3], image: &[f32]) -> Result<()> {
    write_atomically(path, &image_png(shape, image).with_context(|| path.display().to_string())?)
}

/// The image as the bytes of a PNG.
///
/// # Errors
/// When it cannot be encoded.
pub fn image_png(shape: [usize; 3], image: &[f32]) -> Result<Vec<u8>> {
    let pixels: Vec<u8> = image.iter().map(|v| (v * 255.0).round() as u8).collect();
    encode(shape, &pixels)
}

/// Writes a perturbation as an RGB PNG: white where nothing changed, orange where it got lighter, blue where
/// it got darker, as strong as the change is beside the largest.
///
/// # Errors
/// When the file cannot be written.
pub fn save_perturbation(path: &Path, shape: [usize; 3], original: &[f32], changed: &[f32]) -> Result<()> {
    let png = perturbation_png(shape, original, changed).with_context(|| path.display().to_string())?;
    write_atomically(path, &png)
}

/// The perturbation as the bytes of a PNG.
///
/// # Errors
/// When it cannot be encoded.
pub fn perturbation_png(shape: [usize; 3], original: &[f32], changed: &[f32]) -> Result<Vec<u8>> {
    let [rows, cols, channels] = shape;
    let differences: Vec<f32> = changed
        .chunks_exact(channels)
        .zip(original.chunks_exact(channels))
        .map(|(a, b)| a.iter().zip(b).map(|(a, b)| a - b).sum::<f32>() / channels as f32)
        .collect();
    let largest = differences.iter().fold(0.0f32, |m, d| m.max(d.abs())).max(f32::MIN_POSITIVE);
    let mix = |d: f32| {
        let strong = if d > 0.0 { [217, 95, 2] } else { [31, 90, 180] };
        strong.map(|c| (255.0 + (c as f32 - 255.0) * (d / largest).abs()).round() as u8)
    };
    let pixels: Vec<u8> = differences.into_iter().flat_map(mix).collect();
    encode([rows, cols, 3], &pixels)
}

fn encode([rows, cols, channels]: [usize; 3], pixels: &[u8]) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    let mut encoder = png::Encoder::new(&mut bytes, cols as u32, rows as u32);
    encoder.set_color(if channels == 1 { png::ColorType::Grayscale } else { png::ColorType::Rgb });
    encoder.set_depth(png::BitDepth::Eight);
    encoder
        .write_header()
        .and_then(|mut writer| writer.write_image_data(pixels))
        .context("the picture cannot be encoded")?;
    Ok(bytes)
}
