//! A figure of examples: one image under each attack on each network, with what was added.

use std::fmt::Write;

use anyhow::Result;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::document::escaped;
use crate::classifier::Inference;
use crate::datasets::Image;
use crate::native::picture;
use crate::study::plan::{Purpose, Stored};
use crate::study::results::PartResults;
use crate::study::run::World;

/// The size of an image in the figure.
const SIDE: usize = 112;
const GAP: usize = 10;
/// Room for words.
const LEFT: usize = 150;
const TOP: usize = 46;
const BELOW: usize = 20;

/// An SVG with a row for each network: the original, and for each kind of attack the attacked image and what was added,
/// magnified. The image is the first that all read rightly. `None` when there is none.
///
/// # Errors
/// When an attack or a picture fails.
pub fn figure(results: &PartResults, world: &World, place: usize) -> Result<Option<String>> {
    let part = &results.part;
    let shown: Vec<usize> = (0..part.entrants.len())
        .filter(|&i| {
            let e = &part.entrants[i];
            e.checked && e.inference == Inference::Mean && e.precision == Stored::Int8
        })
        .collect();
    let attacks = part.middle();
    let Some(first) = attacks.first() else { return Ok(None) };
    let read = |image: &Image| {
        shown.iter().all(|&i| {
            let lines = results.lines(&part.entrants[i], Purpose::Study, *first);
            lines.iter().any(|l| l.record.index == image.index && l.record.read_rightly())
        })
    };
    let ready = &world.parts[place];
    let Some(image) = ready.images.iter().position(read) else { return Ok(None) };
    let shape = ready.dataset.image;
    let labels = &ready.labels;
    let columns = 1 + 2 * attacks.len();
    let (width, height) = (LEFT + columns * (SIDE + GAP), TOP + shown.len() * (SIDE + GAP + BELOW));
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {width} {height}\" \
         font-family=\"sans-serif\" font-size=\"13\">\n<rect width=\"{width}\" height=\"{height}\" fill=\"#fff\"/>\n"
    );
    fn words(svg: &mut String, x: usize, y: usize, text: &str) {
        // Writing to a string cannot fail.
        let _ = writeln!(svg, "<text x=\"{x}\" y=\"{y}\">{}</text>", escaped(text));
    }
    let left = |column: usize| LEFT + column * (SIDE + GAP);
    words(&mut svg, left(0), TOP - 10, "original");
    for (i, attack) in attacks.iter().enumerate() {
        words(&mut svg, left(1 + 2 * i), TOP - 26, &attack.title());
        words(&mut svg, left(1 + 2 * i), TOP - 10, "attacked");
        words(&mut svg, left(2 + 2 * i), TOP - 10, "what was added");
    }
    let mut subjects: Vec<_> = world.parts.iter().map(|p| p.subjects.clone()).collect();
    let jobs = world.plan.jobs();
    for (row, &entrant) in shown.iter().enumerate() {
        let top = TOP + row * (SIDE + GAP + BELOW);
        words(&mut svg, 4, top + SIDE / 2, &part.entrants[entrant].network);
        let original = &ready.images[image];
        let mut pictures =
            vec![(0, picture::image_png(shape, &original.pixels)?, labels[original.label].to_owned())];
        for (i, attack) in attacks.iter().enumerate() {
            let job = jobs.iter().find(|j| {
                (j.part, j.image, j.entrant, j.spec.purpose) == (place, image, entrant, Purpose::Study)
                    && attack.made_with(&j.spec.options)
            });
            let Some(&job) = job else { continue };
            let Some((line, _, attacked)) = world.make(&mut subjects, &[job])?.pop() else { continue };
            let r = &line.record;
            let said = format!("{} ({:.0} %)", labels[r.predicted], 100.0 * r.confidence);
            let said = if r.refused {
                "refused".to_owned()
            } else if r.success {
                said
            } else {
                labels[r.predicted].to_owned()
            };
            pictures.push((1 + 2 * i, picture::image_png(shape, &attacked)?, said));
            let added = picture::perturbation_png(shape, &original.pixels, &attacked)?;
            pictures.push((2 + 2 * i, added, format!("L2 {:.2}", r.l2)));
        }
        for (column, png, said) in pictures {
            let x = left(column);
            let _ = writeln!(
                svg,
                "<image x=\"{x}\" y=\"{top}\" width=\"{SIDE}\" height=\"{SIDE}\" style=\"image-rendering:pixelated\" \
                 href=\"data:image/png;base64,{}\"/>",
                STANDARD.encode(png)
            );
            words(&mut svg, x, top + SIDE + 15, &said);
        }
    }
    svg.push_str("</svg>\n");
    Ok(Some(svg))
}
