//! The command `bench`: how long gradients take natively.

use std::path::PathBuf;
use std::time::Instant;

use anyhow::Result;
use clap::Args;
use serde::Serialize;

use crate::bench::{BATCHES, Row, gradient, peak_gflops};
use crate::classifier::{Attacker, Network, Subject};
use crate::datasets::{Dataset, Samples};
use crate::kernel::simd::Level;
use crate::native::guards;
use crate::native::images::{find_weights, read_weights, shipped};
use crate::native::progress;
use crate::native::root::root;
use crate::network::Spec;

#[derive(Args)]
pub struct Bench {
    /// Weights files; all shipped networks when none is given
    models: Vec<PathBuf>,
    /// A defence that the networks stand behind, as an attack that knows it sees them
    #[arg(long, default_value = "none")]
    defence: String,
    /// Prints one JSON object instead of a table
    #[arg(long)]
    json: bool,
}

/// All that was measured.
#[derive(Serialize)]
struct Report {
    build: &'static str,
    peak_gflops: f64,
    rows: Vec<Row>,
}

/// Images for a network: those that ship, where there are some, else noise.
fn images(spec: &Spec, count: usize) -> Result<Vec<f32>> {
    let path = root()?.join(format!("models/{}-sample.safetensors", spec.dataset));
    if let (Ok(dataset), Ok(bytes)) = (Dataset::by_name(&spec.dataset), std::fs::read(path)) {
        let samples = Samples::from_bytes(dataset, &bytes)?;
        let mut images = Vec::new();
        for i in 0..count {
            images.extend(samples.image(i % samples.len())?);
        }
        return Ok(images);
    }
    let mut rng = fastrand::Rng::with_seed(1);
    Ok((0..count * spec.pixels()).map(|_| rng.f32()).collect())
}

/// Measures networks on one thread.
pub fn run(command: &Bench) -> Result<()> {
    let json = command.json;
    let models = match &command.models[..] {
        [] => shipped(None)?,
        named => named.iter().map(|path| find_weights(path)).collect::<Result<_>>()?,
    };
    let level = Level::detect();
    let start = Instant::now();
    let now = || start.elapsed().as_secs_f64() * 1e3;
    let bar = progress::bar((models.len() * BATCHES.len()) as u64, "bench");
    let mut report = Report { build: level.name(), peak_gflops: peak_gflops(level, &now), rows: Vec::new() };
    for path in &models {
        let weights = read_weights(path)?;
        let spec = &weights.spec;
        let plain = Subject::plain(&weights, Box::new(Network::new(&weights)?));
        let mut subject =
            plain.behind(spec, &command.defence, Attacker::Adaptive, &mut guards::finder(&weights))?;
        for batch in BATCHES {
            let images = images(spec, batch)?;
            let flops = spec.gradient_flops();
            report.rows.push(gradient(&spec.name, &mut *subject.seen, &images, flops, level, &now)?);
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
