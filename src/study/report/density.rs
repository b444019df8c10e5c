//! The same photographs at several densities: what density alone does.

use super::document::Document;
use crate::datasets::Dataset;
use crate::metrics::grade::{CONFIDENT, Grade};
use crate::metrics::norms::Norm;
use crate::study::hypotheses::Scale;
use crate::study::plan::{Key, Purpose};
use crate::study::results::{PartResults, Results};
use crate::study::words::{NONE, number, percent};

/// The architecture that is there at every density.
pub const FAMILY: &str = "cnn";

/// A density in words: "38 × 38 in grey".
pub fn words(dataset: &Dataset) -> String {
    let [rows, cols, channels] = dataset.image;
    format!("{rows} × {cols} in {}", if channels == 1 { "grey" } else { "colour" })
}

/// The parts that show the same photographs, the densest first, colour before grey; empty where there is one density.
fn parts(results: &Results) -> Vec<&PartResults> {
    let Some(name) = results.parts.iter().find_map(|p| p.dataset.density_of) else { return Vec::new() };
    let same = |p: &&PartResults| p.dataset.name == name || p.dataset.density_of == Some(name);
    let mut all: Vec<&PartResults> = results.parts.iter().filter(same).collect();
    all.sort_by_key(|p| std::cmp::Reverse((p.dataset.image[2], p.dataset.image[0])));
    all
}

/// The densest and the least dense, in colour and in grey; and colour and grey at the highest density that has both.
pub fn extremes(results: &Results) -> Vec<(&PartResults, &PartResults)> {
    let parts = parts(results);
    let of = |channels| parts.iter().copied().filter(move |p| p.dataset.image[2] == channels);
    let mut pairs: Vec<_> =
        [3, 1].iter().filter_map(|&channels| of(channels).next().zip(of(channels).next_back())).collect();
    pairs.retain(|(a, b)| a.dataset.name != b.dataset.name);
    // Colour and grey where there are both at the same size.
    let both = of(3).find_map(|colour| {
        of(1).find(|grey| grey.dataset.image[..2] == colour.dataset.image[..2]).map(|grey| (colour, grey))
    });
    pairs.extend(both);
    pairs
}

/// What it takes to fool the same architecture at every density.
pub fn table(d: &mut Document, results: &Results) {
    let parts = parts(results);
    if parts.is_empty() {
        return;
    }
    d.heading(2, "Density alone: the same faces, the same architecture");
    d.text(format!(
        "The same photographs in the same crop, with 2 × 2, 4 × 4 or 8 × 8 pixels averaged to one, in colour and in grey, each read by \
         the convolutional network with as many halvings fewer, trained from the same recipe. Medians over images and networks of \
         the smallest change (untargeted), raw, a pixel, and over the median distance from the nearest training image of another \
         person; and of the closest image of which the network is {} % sure (towards the next label) the share that is graded high.",
        100.0 * CONFIDENT
    ));
    let mut head = vec!["density".to_owned(), "networks".into(), "read rightly, %".into()];
    for norm in Norm::ALL {
        head.extend(["", " a pixel", " over the nearest"].map(|scale| format!("{}{scale}", norm.symbol())));
    }
    head.extend(Norm::ALL.map(|norm| format!("high in {}, %", norm.symbol())));
    let mut rows = Vec::new();
    for part in parts {
        let Some(group) = part.group(FAMILY) else { continue };
        let cell = |purpose, norm| part.cell(&group, purpose, Key::smallest(norm));
        let read = cell(Purpose::Untargeted, Norm::L2);
        let of_all = read.seeds.iter().map(Vec::len).sum::<usize>();
        let mut row = vec![
            words(part.dataset),
            group.entrants.len().to_string(),
            percent(read.attacked().count() as f64 / of_all as f64),
        ];
        for norm in Norm::ALL {
            let [_, median, _] = cell(Purpose::Untargeted, norm).quartiles(|l| norm.of(&l.norms()));
            for scale in Scale::ALL {
                let by = scale.of(norm, part);
                row.push(by.map_or(NONE.into(), |by| figures(median / by)));
            }
        }
        for norm in Norm::ALL {
            let cell = cell(Purpose::Graded, norm);
            row.push(percent(cell.graded(Grade::High) as f64 / cell.attacked().count() as f64));
        }
        rows.push(row);
    }
    d.table(&head.iter().map(String::as_str).collect::<Vec<_>>(), rows);
}

/// Three figures, or more where they are before the point.
fn figures(x: f64) -> String {
    let decimals = if x > 0.0 { (2.0 - x.log10().floor()).clamp(0.0, 8.0) } else { 0.0 };
    number(x, decimals as usize)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::study::plan::{Part, Plan, VERSION};
    use crate::study::results::read;

    #[test]
    fn the_densest_stands_beside_the_least_dense_and_colour_beside_grey() {
        let part = |dataset: &&str| Part {
            dataset: (*dataset).into(),
            images: 1,
            chosen: Vec::new(),
            digest: String::new(),
            nearest: None,
            norms: vec!["l2".into()],
            gradients: [10; 3],
            series: Vec::new(),
            entrants: Vec::new(),
        };
        let names = ["mnist", "lfw", "lfw77", "lfw19", "lfw154grey", "lfw38grey"];
        let parts = |names: &[&str]| names.iter().map(part).collect();
        let plan = |names: &[&str]| Plan { version: VERSION, seed: None, eot: 1, parts: parts(names) };
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("records.jsonl"), "").unwrap();
        let all = read(folder.path(), &plan(&names)).unwrap();
        let pairs: Vec<_> = extremes(&all).iter().map(|(a, b)| (a.dataset.name, b.dataset.name)).collect();
        assert_eq!(pairs, [("lfw", "lfw19"), ("lfw154grey", "lfw38grey"), ("lfw", "lfw154grey")]);
        assert_eq!(words(super::parts(&all)[3].dataset), "154 × 154 in grey");
        assert_eq!(all.as_they_are().count(), 2);
        // Without another density there is nothing to compare.
        assert!(extremes(&read(folder.path(), &plan(&names[..2])).unwrap()).is_empty());
    }

    #[test]
    fn figures_are_three_whatever_their_size() {
        assert_eq!(
            [0.000123456, 0.0567, 1.5, 18.04, 250.2].map(figures),
            ["0.000123", "0.0567", "1.50", "18.0", "250"]
        );
    }
}
