//! JPEG files: whole and sound, or refused; the decoders' own leniency fills with grey what a file has lost.

use anyhow::{Context, Result, ensure};
use image::metadata::Orientation;
use image::{DynamicImage, RgbImage};
use zune_jpeg::JpegDecoder;
use zune_jpeg::zune_core::bytestream::ZCursor;
use zune_jpeg::zune_core::colorspace::ColorSpace;
use zune_jpeg::zune_core::options::DecoderOptions;

/// The marker before the pixels of a scan, and the one after the last scan (ITU-T T.81, table B.1).
const START_OF_SCAN: [u8; 2] = [0xff, 0xda];
const END_OF_IMAGE: [u8; 2] = [0xff, 0xd9];

/// Decodes a JPEG into RGB, turned upright as its EXIF orientation says (as browsers do).
///
/// # Errors
/// When it is none, is cut short, or is damaged.
pub fn decode(bytes: &[u8]) -> Result<RgbImage> {
    ensure!(bytes.starts_with(&[0xff, 0xd8]), "it is no JPEG");
    let last = |marker: [u8; 2]| bytes.windows(2).rposition(|pair| pair == marker);
    ensure!(last(END_OF_IMAGE) > last(START_OF_SCAN), "it is cut short: its end is missing");
    let options = DecoderOptions::new_safe().set_strict_mode(true).jpeg_set_out_colorspace(ColorSpace::RGB);
    let mut decoder = JpegDecoder::new_with_options(ZCursor::new(bytes), options);
    let pixels = decoder.decode().context("it is damaged")?;
    let info = decoder.info().context("it has no size")?;
    let image =
        RgbImage::from_raw(info.width.into(), info.height.into(), pixels).context("it is incomplete")?;
    let mut image = DynamicImage::from(image);
    if let Some(turned) = decoder.exif().and_then(|exif| Orientation::from_exif_chunk(exif)) {
        image.apply_orientation(turned);
    }
    Ok(image.into_rgb8())
}
