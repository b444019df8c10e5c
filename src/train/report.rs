//! The pictures of a training: its curves as SVG and, for a VAE, digits beside their reconstructions as PNG.

use anyhow::{Result, anyhow};
use plotters::prelude::*;

use super::checkpoint::State;
use super::{Epoch, Options};
use crate::classifier::Vae;
use crate::native::files::write_atomically;
use crate::native::labelled::Labelled;
use crate::native::picture::save_image;
use crate::network::Weights;

/// Digits in a row of the picture of reconstructions.
const ACROSS: usize = 20;
/// Rows of digits, each with a row of reconstructions below.
const DOWN: usize = 3;

/// Writes the pictures beside the weights: `NAME.training.svg` and `NAME.reconstructions.png`.
///
/// # Errors
/// When they cannot be drawn or written.
pub fn write(options: &Options, state: &State, weights: &Weights, test: &Labelled) -> Result<()> {
    let path = options.out.with_extension("training.svg");
    write_atomically(&path, curves(options, &state.epochs)?.as_bytes())?;
    println!("wrote {}", path.display());
    if options.spec.is_vae() {
        let path = options.out.with_extension("reconstructions.png");
        let [rows, cols, channels] = options.spec.image;
        let image = reconstructions(weights, test)?;
        save_image(&path, [2 * DOWN * rows, ACROSS * cols, channels], &image)?;
        println!("wrote {}", path.display());
    }
    Ok(())
}

/// Loss, and accuracy or evidence lower bound on held-out images, over the epochs.
fn curves(options: &Options, epochs: &[Epoch]) -> Result<String> {
    let of = |value: fn(&Epoch) -> f64| -> Vec<(f64, f64)> {
        epochs.iter().enumerate().map(|(i, e)| ((i + 1) as f64, value(e))).collect()
    };
    let mut charts = vec![
        ("training loss (nats)", of(|e| e.loss)),
        ("held-out accuracy (%)", of(|e| 100.0 * e.held_out.accuracy)),
    ];
    if options.spec.is_vae() {
        charts.push(("held-out ELBO (nats)", of(|e| e.held_out.elbo())));
        charts.push(("held-out KL (nats)", of(|e| e.held_out.kl)));
    }
    let mut svg = String::new();
    {
        let root = SVGBackend::with_string(&mut svg, (380 * charts.len() as u32, 300)).into_drawing_area();
        draw(&root, &options.spec.name, &charts).map_err(|e| anyhow!("cannot draw the curves: {e}"))?;
    }
    Ok(svg)
}

type Area<'a> = DrawingArea<SVGBackend<'a>, plotters::coord::Shift>;

fn draw(
    root: &Area<'_>,
    name: &str,
    charts: &[(&str, Vec<(f64, f64)>)],
) -> Result<(), Box<dyn std::error::Error>> {
    root.fill(&WHITE)?;
    for (area, (title, points)) in root.split_evenly((1, charts.len())).iter().zip(charts) {
        let (low, high) = points.iter().fold((f64::MAX, f64::MIN), |(l, h), p| (l.min(p.1), h.max(p.1)));
        let margin = (0.05 * (high - low)).max(1e-3);
        let last = points.len().max(2) as f64;
        let mut chart = ChartBuilder::on(area)
            .caption(format!("{name}: {title}"), ("sans-serif", 15))
            .margin(12)
            .x_label_area_size(34)
            .y_label_area_size(52)
            .build_cartesian_2d(1.0..last, low - margin..high + margin)?;
        chart
            .configure_mesh()
            .disable_mesh()
            .x_desc("epoch")
            .x_labels(points.len().clamp(2, 8))
            .x_label_formatter(&|x| format!("{x:.0}"))
            .draw()?;
        let blue = RGBColor(31, 90, 180);
        chart.draw_series(LineSeries::new(points.iter().copied(), blue.stroke_width(2)))?;
        chart.draw_series(points.iter().map(|&p| Circle::new(p, 2, blue.filled())))?;
    }
    root.present()?;
    Ok(())
}

/// Rows of digits, each above a row of what the decoder makes of their means.
fn reconstructions(weights: &Weights, test: &Labelled) -> Result<Vec<f32>> {
    let [rows, cols, channels] = weights.spec.image;
    let mut vae = Vae::sampled(weights, 1, 0)?;
    let width = cols * channels;
    let mut out = vec![0.0; 2 * DOWN * rows * ACROSS * width];
    for i in 0..(ACROSS * DOWN).min(test.len()) {
        let image = test.image(i);
        let mean = vae.encode(&image).0.to_vec();
        let mut decoded = vec![0.0; image.len()];
        vae.decode(&mean, &mut decoded);
        for (below, image) in [image, decoded].iter().enumerate() {
            for (row, line) in image.chunks_exact(width).enumerate() {
                let y = (2 * (i / ACROSS) + below) * rows + row;
                let start = (y * ACROSS + i % ACROSS) * width;
                out[start..start + width].copy_from_slice(line);
            }
        }
    }
    Ok(out)
}
