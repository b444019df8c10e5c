//! The report in short, for those who read no further: what a README may hold. Made of the same records and texts.

use super::document::{Block, Document};
use super::verdicts::{Densities, H1, densities_at_a_glance};
use super::{density, tables};
use crate::study::results::Results;

/// Which heading of the report stands above the sentences about defences.
pub const CLAIMS: &str = "The claims about defences beside what was measured";

/// What `report` says, in short.
pub fn summary(report: &Document, results: &Results, (h1, densities): (&[H1], &[Densities])) -> Document {
    let mut d = Document::default();
    // H1 has more sentences than one reads: it is a table here.
    let decided = report.blocks.iter().find_map(|block| match block {
        Block::Items(items) => {
            Some(items.iter().filter(|item| !item.starts_with("**H1")).cloned().collect::<Vec<_>>())
        }
        _ => None,
    });
    if let Some(items) = decided.filter(|items| !items.is_empty()) {
        d.blocks.push(Block::Items(items));
    }
    densities_at_a_glance(&mut d, h1, densities);
    density::table(&mut d, results);
    d.text(
        "Robust accuracy (untargeted, in percent of all images) and medians of the smallest change, targeted / untargeted; in brackets \
         the number of networks:",
    );
    results.as_they_are().for_each(|part| tables::robust_at_a_glance(&mut d, part));
    tables::inferences(&mut d, results);
    let claims =
        report.blocks.iter().skip_while(|block| !matches!(block, Block::Heading(_, text) if text == CLAIMS));
    d.blocks.extend(claims.take_while(|b| !matches!(b, Block::Heading(_, text) if text != CLAIMS)).cloned());
    // Below whatever heading it is put.
    for block in &mut d.blocks {
        if let Block::Heading(level, _) = block {
            *level = 3;
        }
    }
    d
}
