//! The figures of a report, as SVG: curves of a share against the budget, and against the threshold of validity.

use anyhow::{Result, anyhow};
use plotters::prelude::*;

use crate::metrics::statistics::Interval;
use crate::study::plan::{Key, Purpose};
use crate::study::results::{Group, PartResults};

type Area<'a> = DrawingArea<SVGBackend<'a>, plotters::coord::Shift>;
type Drawn = Result<(), Box<dyn std::error::Error>>;

/// Places along an axis at which a share is drawn.
const POINTS: usize = 120;

/// The size of a panel.
const PANEL: (u32, u32) = (540, 380);

/// Colours that the colour-blind can tell apart (after Okabe and Ito 2008).
const COLOURS: [RGBColor; 10] = [
    RGBColor(0, 114, 178),
    RGBColor(213, 94, 0),
    RGBColor(0, 158, 115),
    RGBColor(204, 121, 167),
    RGBColor(86, 180, 233),
    RGBColor(150, 110, 0),
    RGBColor(90, 90, 90),
    RGBColor(0, 0, 0),
    RGBColor(160, 20, 60),
    RGBColor(240, 190, 40),
];

/// One colour for each place in a list of groups.
fn colour(place: usize) -> RGBColor {
    COLOURS[place % COLOURS.len()]
}

/// What is drawn of a group: at each place its share with the interval.
type Line = Vec<(f64, Interval)>;

/// A panel: its caption, what its axis says, from where to where it goes, and a mark on it.
struct Panel {
    caption: String,
    axis: String,
    range: (f64, f64),
    mark: Option<f64>,
}

/// Against the budget, a panel for each norm and a line with its 95 % band for each group: how many of the attacked are fooled by
/// the smallest change ([`Purpose::Smallest`]), or how many of all withstand it ([`Purpose::Untargeted`]).
///
/// # Errors
/// When it cannot be drawn.
pub fn curves(part: &PartResults, groups: &[Group], purpose: Purpose) -> Result<String> {
    let title = if purpose == Purpose::Untargeted { "robust accuracy" } else { "fooled" };
    let panels = part.part.norms().into_iter().map(|norm| {
        let last = part.dataset.budgets(norm).study.last().map_or(1.0, |most| f64::from(*most));
        // To where nearly all of all have given in.
        let farthest = groups.iter().map(|group| {
            let cell = part.cell(group, purpose, Key::smallest(norm));
            let mut far: Vec<f64> = cell.fooled().map(|l| norm.of(&l.norms())).collect();
            far.sort_by(f64::total_cmp);
            far.get(far.len() * 19 / 20).copied().unwrap_or(0.0)
        });
        let most = 1.1 * farthest.fold(0.0, f64::max).clamp(0.1 * last, last);
        let line = |group: &Group| -> Line {
            let cell = part.cell(group, purpose, Key::smallest(norm));
            let at = |i: usize| {
                let budget = most * i as f64 / POINTS as f64;
                let share = match purpose {
                    Purpose::Untargeted => cell.withstand(norm, budget),
                    _ => cell.fooled_within(norm, budget),
                };
                (budget, share)
            };
            (0..=POINTS).map(at).collect()
        };
        let panel = Panel {
            caption: format!("{title}: {}, {}", norm.symbol(), part.title()),
            axis: format!("budget ({})", norm.symbol()),
            range: (0.0, most),
            mark: None,
        };
        (panel, groups.iter().map(line).collect())
    });
    lines(panels.collect(), groups)
}

/// Against the threshold of validity, a panel for each norm: how many of the attacked are graded high, the closest image of which
/// the network is sure lying within it.
///
/// # Errors
/// When it cannot be drawn.
pub fn high(part: &PartResults, groups: &[Group]) -> Result<String> {
    let (measure, threshold) = part.dataset.validity.measure();
    let what = measure.to_uppercase();
    let thresholds = part.dataset.study.thresholds;
    let (Some(&least), Some(&most)) = (thresholds.first(), thresholds.last()) else {
        return svg(0, |_| Ok(()));
    };
    let (from, to) = if what == "L2" { (0.0, most) } else { (2.0 * least - 1.0, 1.0) };
    let panels = part.part.norms().into_iter().map(|norm| {
        let line = |group: &Group| -> Line {
            let cell = part.cell(group, Purpose::Graded, Key::smallest(norm));
            let at = |i: usize| {
                let threshold = from + (to - from) * i as f64 / POINTS as f64;
                (threshold, cell.share(|l| l.record.success && l.valid_at(part.dataset, threshold)))
            };
            (0..=POINTS).map(at).collect()
        };
        let panel = Panel {
            caption: format!("graded high: closest in {}, {}", norm.symbol(), part.title()),
            axis: format!("threshold of validity ({what})"),
            range: (from, to),
            mark: Some(threshold),
        };
        (panel, groups.iter().map(line).collect())
    });
    lines(panels.collect(), groups)
}

/// Draws a line for each group into each panel, and beside the last what they stand for.
fn lines(panels: Vec<(Panel, Vec<Line>)>, groups: &[Group]) -> Result<String> {
    svg(panels.len() + 1, |areas| {
        for (area, (panel, lines)) in areas.iter().zip(&panels) {
            let mut chart = ChartBuilder::on(area)
                .caption(&panel.caption, ("sans-serif", 17))
                .margin(12)
                .x_label_area_size(40)
                .y_label_area_size(52)
                .build_cartesian_2d(panel.range.0..panel.range.1, 0.0..101.0)?;
            chart
                .configure_mesh()
                .light_line_style(WHITE)
                .bold_line_style(RGBColor(232, 232, 232))
                .x_desc(&panel.axis)
                .y_desc("%")
                .x_labels(8)
                .draw()?;
            if let Some(mark) = panel.mark {
                let grey = RGBColor(120, 120, 120);
                chart.draw_series([PathElement::new([(mark, 0.0), (mark, 101.0)], grey.stroke_width(1))])?;
            }
            for (place, line) in lines.iter().enumerate() {
                let at: Vec<_> = line.iter().filter(|(_, i)| i.value.is_finite()).collect();
                let colour = colour(place);
                let upper = at.iter().map(|(b, i)| (*b, 100.0 * i.high));
                let lower = at.iter().rev().map(|(b, i)| (*b, 100.0 * i.low));
                chart.draw_series([Polygon::new(upper.chain(lower).collect::<Vec<_>>(), colour.mix(0.1))])?;
                let line = at.iter().map(|(b, i)| (*b, 100.0 * i.value));
                chart.draw_series(LineSeries::new(line, colour.stroke_width(2)))?;
            }
        }
        let Some(area) = areas.get(panels.len()) else { return Ok(()) };
        for (place, group) in groups.iter().enumerate() {
            let y = 40 + 24 * place as i32;
            area.draw(&PathElement::new([(60, y + 7), (90, y + 7)], colour(place).stroke_width(3)))?;
            area.draw(&Text::new(group.title(), (100, y), ("sans-serif", 14)))?;
        }
        Ok(())
    })
}

/// An SVG of panels side by side, two in a row, that scales with its surroundings.
fn svg(panels: usize, draw: impl FnOnce(&[Area<'_>]) -> Drawn) -> Result<String> {
    let (across, down) = (panels.clamp(1, 2), panels.div_ceil(2).max(1));
    let size = (PANEL.0 * across as u32, PANEL.1 * down as u32);
    let mut text = String::new();
    {
        let root = SVGBackend::with_string(&mut text, size).into_drawing_area();
        let drawn = || -> Drawn {
            root.fill(&WHITE)?;
            draw(&root.split_evenly((down, across)))?;
            root.present()?;
            Ok(())
        };
        drawn().map_err(|e| anyhow!("cannot draw a figure: {e}"))?;
    }
    Ok(text)
}
