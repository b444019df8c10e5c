//! The command `export`: a network as ONNX.

use std::path::PathBuf;

use anyhow::{Result, ensure};
use clap::{Args, ValueEnum};

use crate::native::files::write_atomically;
use crate::native::images::{find_weights, read_weights};
use crate::network::Part;
use crate::onnx;

#[derive(Args)]
pub struct Export {
    /// The weights file
    model: PathBuf,
    /// Where to
    #[arg(long)]
    onnx: PathBuf,
    /// Which part
    #[arg(long, default_value = "classifier")]
    part: Which,
}

#[derive(Clone, Copy, ValueEnum)]
enum Which {
    /// From the image to the logits
    Classifier,
    /// Of a VAE: from the image to the mean of its latent vector
    Encoder,
    /// Of a VAE: from the latent vector to an image
    Decoder,
}

/// Writes it.
pub fn run(command: &Export) -> Result<()> {
    let weights = read_weights(&find_weights(&command.model)?)?;
    let part = match command.part {
        Which::Classifier => Part::Classifier,
        Which::Encoder => Part::Encoder,
        Which::Decoder => Part::Decoder,
    };
    ensure!(
        part == Part::Classifier || weights.spec.is_vae(),
        "'{}' has no encoder and no decoder: only a VAE has",
        weights.spec.name
    );
    let bytes = onnx::export(&weights, part)?;
    write_atomically(&command.onnx, &bytes)?;
    println!("{} ({} bytes)", command.onnx.display(), bytes.len());
    Ok(())
}
