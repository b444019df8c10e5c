//! The command `verify`: how well a siamese network tells whether two images are of one label.

use std::path::PathBuf;

use anyhow::{Result, ensure};
use clap::Args;

use super::Data;
use crate::datasets::{Dataset, Source};
use crate::metrics::verification::{Resample, Verification};
use crate::native::fetch::Split;
use crate::native::guards;
use crate::native::images::{find_weights, read_weights};

#[derive(Args)]
pub struct Verify {
    /// The weights file of a siamese network
    #[arg(default_value = "models/mnist-siamese.safetensors")]
    model: PathBuf,
    #[command(flatten)]
    data: Data,
}

/// Compares all pairs of test images, of people never seen too where there are any.
pub fn run(command: &Verify) -> Result<()> {
    let weights = read_weights(&find_weights(&command.model)?)?;
    let spec = &weights.spec;
    ensure!(spec.embedding().is_some(), "'{}' compares no pairs: only a siamese network does", spec.name);
    let data = command.data.dir()?;
    let dataset = Dataset::by_name(&spec.dataset)?;
    let told = |what: &str, of: Verification| {
        let Verification { pairs: [same, different], equal_error, accuracy } = of;
        println!("{what}: {same} pairs of one label, {different} of two");
        println!("  equal error rate      {equal_error}");
        println!("  verification accuracy {accuracy}");
    };
    println!("{}, with 95 % intervals by bootstrap", spec.name);
    let test = guards::images(&weights, &data, Split::Test)?;
    told(&format!("test {}", dataset.nouns[1]), guards::verified(&weights, &test, Resample::Images)?);
    if matches!(dataset.source, Source::Photographs) {
        let strangers = guards::strangers(&weights, &data)?;
        let people = strangers.labels.iter().max().map_or(0, |most| usize::from(*most) + 1);
        let what = format!("{} photographs of {people} people never seen", strangers.len());
        told(&what, guards::verified(&weights, &strangers, Resample::Labels)?);
    }
    Ok(())
}
