//! The figures of a report, as SVG: curves of a share against the budget, and confidence against validity.

use anyhow::{Result, anyhow};
use plotters::prelude::*;

use crate::metrics::grade::Grade;
use crate::metrics::statistics::Interval;
use crate::study::plan::{Key, Purpose};
use crate::study::results::{Cell, Group, PartResults};

type Area<'a> = DrawingArea<SVGBackend<'a>, plotters::coord::Shift>;
type Drawn = Result<(), Box<dyn std::error::Error>>;

/// Points of a network in a panel of [`quadrants`], at most.
pub const POINTS: usize = 250;

/// Where rising curves leave room for a legend, and falling ones.
pub const LOWER_RIGHT: SeriesLabelPosition = SeriesLabelPosition::LowerRight;
pub const UPPER_RIGHT: SeriesLabelPosition = SeriesLabelPosition::UpperRight;

/// The size of a panel.
const PANEL: (u32, u32) = (540, 380);

/// Colours that the colour-blind can tell apart (Okabe and Ito 2008).
const COLOURS: [RGBColor; 7] = [
    RGBColor(0, 114, 178),
    RGBColor(213, 94, 0),
    RGBColor(0, 158, 115),
    RGBColor(204, 121, 167),
    RGBColor(86, 180, 233),
    RGBColor(150, 110, 0),
    RGBColor(90, 90, 90),
];

/// One colour for each place in a list of groups.
fn colour(place: usize) -> RGBColor {
    COLOURS[place % COLOURS.len()]
}

/// The share that `value` gives of each cell against the budget: a panel for each norm, a line with its 95 % band for
/// each group. `legend_at` is where the curves leave room for the legend.
///
/// # Errors
/// When it cannot be drawn.
pub fn curves(
    part: &PartResults,
    groups: &[Group],
    (title, legend_at): (&str, SeriesLabelPosition),
    value: impl Fn(&Cell<'_>) -> Interval,
) -> Result<String> {
    let panels = part.bounded();
    svg(panels.len(), |areas| {
        for (area, (norm, attacks)) in areas.iter().zip(&panels) {
            let most = attacks.iter().filter_map(|a| a.budget).fold(0.0f32, f32::max);
            let mut chart = ChartBuilder::on(area)
                .caption(format!("{title}: {norm}, {}", part.title()), ("sans-serif", 17))
                .margin(12)
                .x_label_area_size(40)
                .y_label_area_size(52)
                .build_cartesian_2d(0.0..1.02 * f64::from(most), 0.0..101.0)?;
            chart
                .configure_mesh()
                .light_line_style(WHITE)
                .bold_line_style(RGBColor(232, 232, 232))
                .x_desc(format!("budget ({norm})"))
                .y_desc("%")
                .x_labels(8)
                .draw()?;
            for (place, group) in groups.iter().enumerate() {
                let of = |attack: &Key| {
                    let share = value(&part.cell(group, Purpose::Study, *attack));
                    attack.budget.map(|budget| (f64::from(budget), share))
                };
                let at: Vec<(f64, Interval)> =
                    attacks.iter().filter_map(of).filter(|(_, i)| i.value.is_finite()).collect();
                let colour = colour(place);
                let upper = at.iter().map(|(b, i)| (*b, 100.0 * i.high));
                let lower = at.iter().rev().map(|(b, i)| (*b, 100.0 * i.low));
                chart
                    .draw_series([Polygon::new(upper.chain(lower).collect::<Vec<_>>(), colour.mix(0.15))])?;
                let line: Vec<(f64, f64)> = at.iter().map(|(b, i)| (*b, 100.0 * i.value)).collect();
                chart
                    .draw_series(LineSeries::new(line.clone(), colour.stroke_width(2)))?
                    .label(group.title())
                    .legend(move |(x, y)| PathElement::new([(x, y), (x + 16, y)], colour.stroke_width(2)));
                chart.draw_series(line.into_iter().map(|p| Circle::new(p, 3, colour.filled())))?;
            }
            legend(&mut chart, legend_at.clone())?;
        }
        Ok(())
    })
}

/// Confidence against the measure of validity for each fooled image: a panel for each attack, with the thresholds that
/// part the four grades.
///
/// # Errors
/// When it cannot be drawn.
pub fn quadrants(part: &PartResults, groups: &[Group], confident: f64) -> Result<String> {
    let attacks = part.part.middle();
    let (measure, threshold) = part.dataset.validity.measure();
    let what = measure.to_uppercase();
    let of = |line: &crate::study::line::Line| if what == "L2" { line.record.l2 } else { line.record.ssim };
    svg(attacks.len(), |areas| {
        for (area, &attack) in areas.iter().zip(&attacks) {
            let cells: Vec<_> = groups.iter().map(|g| part.cell(g, Purpose::Study, attack)).collect();
            let all = cells.iter().flat_map(|c| c.fooled().take(POINTS).map(of).collect::<Vec<_>>());
            let (low, high) = all.fold((threshold, threshold), |(l, h), x| (l.min(x), h.max(x)));
            let margin = 0.08 * (high - low).max(0.01);
            let range =
                if what == "L2" { 0.0..high + margin } else { low - margin..(high + margin).min(1.0) };
            let (left, right) = (range.start, range.end);
            let mut chart = ChartBuilder::on(area)
                .caption(format!("{}, {}", attack.title(), part.title()), ("sans-serif", 17))
                .margin(12)
                .x_label_area_size(40)
                .y_label_area_size(52)
                .build_cartesian_2d(range, 0.0..1.0)?;
            chart.configure_mesh().disable_mesh().x_desc(&what).y_desc("confidence").x_labels(8).draw()?;
            let grey = RGBColor(120, 120, 120);
            for line in [[(threshold, 0.0), (threshold, 1.0)], [(left, confident), (right, confident)]] {
                chart.draw_series([PathElement::new(line, grey.stroke_width(1))])?;
            }
            for (place, cell) in cells.iter().enumerate() {
                let colour = colour(place);
                let points = cell.fooled().take(POINTS).map(|l| (of(l), f64::from(l.record.confidence)));
                chart
                    .draw_series(points.map(|p| Circle::new(p, 2, colour.mix(0.45).filled())))?
                    .label(groups[place].title())
                    .legend(move |(x, y)| Circle::new((x + 8, y), 4, colour.filled()));
            }
            let valid_is_left = what == "L2";
            for (x, is_left) in
                [(left + 0.02 * (right - left), true), (threshold + 0.02 * (right - left), false)]
            {
                // No room for words left of a threshold at the edge.
                if is_left && threshold - left < 0.2 * (right - left) {
                    continue;
                }
                for (y, sure) in [(0.99, true), (confident - 0.02, false)] {
                    let words = Grade::of(true, is_left == valid_is_left, sure).name();
                    let style = ("sans-serif", 13).into_font().style(FontStyle::Italic).color(&grey);
                    chart.draw_series([Text::new(words, (x, y), style)])?;
                }
            }
            legend(&mut chart, LOWER_RIGHT)?;
        }
        Ok(())
    })
}

type Chart<'a, 'b> = ChartContext<
    'a,
    SVGBackend<'b>,
    Cartesian2d<plotters::coord::types::RangedCoordf64, plotters::coord::types::RangedCoordf64>,
>;

fn legend<'a, 'b: 'a>(chart: &mut Chart<'a, 'b>, place: SeriesLabelPosition) -> Drawn {
    chart
        .configure_series_labels()
        .position(place)
        .background_style(WHITE.mix(0.85))
        .label_font(("sans-serif", 13))
        .draw()?;
    Ok(())
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
