//! The command `calibrate`: sets the thresholds by which a network stands guard.

use std::path::PathBuf;

use anyhow::{Context, Result};
use clap::Args;

use super::Data;
use crate::classifier::defence::guard::FACT;
use crate::native::files::write_atomically;
use crate::native::guards;
use crate::native::images::{find_weights, read_weights};
use crate::network::weights::with_fact;

#[derive(Args)]
pub struct Calibrate {
    /// Weights files of VAEs or siamese networks
    #[arg(required = true)]
    models: Vec<PathBuf>,
    #[command(flatten)]
    data: Data,
}

/// Writes thresholds of false alarms on the images that the training held out into the weights files; all else stays.
pub fn run(command: &Calibrate) -> Result<()> {
    let data = command.data.dir()?;
    for asked in &command.models {
        let path = find_weights(asked)?;
        let weights = read_weights(&path)?;
        let (images, held_out) = guards::validation(&weights, &data)?;
        let thresholds = guards::calibrated(&weights, &images, &held_out)?;
        let bytes = std::fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?;
        write_atomically(&path, &with_fact(&bytes, FACT, &thresholds)?)?;
        println!("{}: {thresholds} ({} images)", path.display(), held_out.len());
    }
    Ok(())
}
