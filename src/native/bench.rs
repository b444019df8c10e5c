//! The command `bench`: how long gradients take natively.

use std::path::PathBuf;
use std::time::Instant;

use anyhow::{Context, Result};
use serde::Serialize;

use super::images::read_weights;
use super::progress;
use crate::arch::{Dataset, MNIST};
use crate::bench::{BATCHES, Row, gradient, peak_gflops};
use crate::kernel::simd::Level;
use crate::model::Network;
use crate::samples::Samples;

/// All that was measured.
#[derive(Serialize)]
struct Report {
    build: &'static str,
    peak_gflops: f64,
    rows: Vec<Row>,
}

/// The weights files of all networks that ship, or of those of one data set.
///
/// # Errors
/// When the folder of the page is not found.
pub fn shipped_networks(dataset: Option<&Dataset>) -> Result<Vec<PathBuf>> {
    let root = super::server::root()?;
    let wanted = crate::arch::ALL.iter().filter(|a| dataset.is_none_or(|d| d.name == a.dataset.name));
    Ok(wanted.map(|a| root.join(format!("models/{}.safetensors", a.name))).collect())
}

/// Measures the networks in `models`, or all shipped ones for digits, on one thread.
///
/// # Errors
/// When a file cannot be read.
pub fn bench(models: &[PathBuf], json: bool) -> Result<()> {
    let root = super::server::root()?;
    let shipped = shipped_networks(Some(&MNIST))?;
    let models = if models.is_empty() { &shipped } else { models };
    let level = Level::detect();
    let start = Instant::now();
    let now = || start.elapsed().as_secs_f64() * 1e3;
    let bar = progress::bar((models.len() * BATCHES.len()) as u64, "bench");
    let mut report = Report { build: level.name(), peak_gflops: peak_gflops(level, &now), rows: Vec::new() };
    for path in models {
        let weights = read_weights(path)?;
        let mut network = Network::new(&weights)?;
        let sample = root.join(format!("models/{}-sample.safetensors", weights.arch.dataset.name));
        let bytes = std::fs::read(&sample).with_context(|| format!("cannot read {}", sample.display()))?;
        let samples = Samples::from_bytes(weights.arch.dataset, &bytes)?;
        for batch in BATCHES {
            let mut images = Vec::new();
            for i in 0..batch {
                images.extend(samples.image(i % samples.len())?);
            }
            let (name, flops) = (weights.arch.name, weights.arch.gradient_flops());
            report.rows.push(gradient(name, &mut network, &images, flops, level, &now)?);
            bar.inc(1);
        }
    }
    bar.finish_and_clear();
    if json {
        println!("{}", serde_json::to_string(&report)?);
        return Ok(());
    }
    println!("build {}, multiply-add peak of one core {:.1} GFLOP/s", report.build, report.peak_gflops);
    println!(
        "{:<16} {:>6} {:>11} {:>12} {:>9} {:>10}",
        "network", "batch", "ms a batch", "ms an image", "GFLOP/s", "% of peak"
    );
    for r in &report.rows {
        println!(
            "{:<16} {:>6} {:>11.3} {:>12.3} {:>9.1} {:>10.1}",
            r.model,
            r.batch,
            r.ms,
            r.ms / r.batch as f64,
            r.gflops,
            r.percent_of_peak
        );
    }
    println!(
        "(every product of the dense gradient counts; those with a factor known to be zero are skipped)"
    );
    Ok(())
}
