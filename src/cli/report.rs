//! What the command `attack` prints: an object or a row an image, and a summary.

use std::io::{IsTerminal, Result, Write};

use serde::Serialize;

use crate::judge::Record;
use crate::metrics::grade::{Grade, Thresholds};

/// A record with the time it took.
#[derive(Clone, Debug, Serialize)]
pub struct Timed {
    #[serde(flatten)]
    pub record: Record,
    pub milliseconds: f64,
}

/// Prints a JSON object a line.
///
/// # Errors
/// When it cannot be written.
pub fn print_json(records: &[Timed]) -> Result<()> {
    let mut out = std::io::stdout().lock();
    for record in records {
        serde_json::to_writer(&mut out, record)?;
        writeln!(out)?;
    }
    Ok(())
}

/// Prints a table and a summary.
///
/// # Errors
/// When it cannot be written.
pub fn print_table(records: &[Timed], thresholds: Thresholds) -> Result<()> {
    let mut out = std::io::stdout().lock();
    let (bold, plain) = if out.is_terminal() { ("\x1b[1m", "\x1b[0m") } else { ("", "") };
    writeln!(
        out,
        "{bold}{:>6} {:>6} {:>7} {:>6} {:>8} {:>11} {:>12} {:>4} {:>4} {:>8} {:>7} {:>7} {:>6} {:>9} {:>9} {:>8}{plain}",
        "index",
        "label",
        "target",
        "reads",
        "fooled",
        "confidence",
        "grade",
        "png",
        "L0",
        "L1",
        "L2",
        "Linf",
        "SSIM",
        "budget",
        "gradients",
        "ms"
    )?;
    let yes = |b: bool| if b { "yes" } else { "no" };
    for Timed { record: r, milliseconds } in records {
        let target = r.target.map_or("any".into(), |t| t.to_string());
        write!(out, "{:>6} {:>6} {target:>7} {:>6} ", r.index, r.label, r.predicted)?;
        match (&r.skipped, r.grade) {
            (Some(why), _) => writeln!(out, "{:>8} {why}", "skipped")?,
            (None, grade) => writeln!(
                out,
                "{:>8} {:>11.4} {:>12} {:>4} {:>4} {:>8.2} {:>7.3} {:>7.4} {:>6.3} {:>9} {:>9} {:>8.2}",
                if r.refused { "refused" } else { yes(r.success) },
                r.confidence,
                grade.map_or("", Grade::name),
                yes(r.survives_png),
                r.l0,
                r.l1,
                r.l2,
                r.linf,
                r.ssim,
                r.budget.map_or("-".into(), |b| format!("{b:.4}")),
                r.gradients,
                milliseconds
            )?,
        }
    }
    let read: Vec<&Record> = records.iter().map(|t| &t.record).filter(|r| r.read_rightly()).collect();
    let fooled: Vec<&&Record> = read.iter().filter(|r| r.success).collect();
    let skipped = records.iter().filter(|t| t.record.skipped.is_some()).count();
    let refused = records.iter().filter(|t| t.record.refused && t.record.skipped.is_none()).count();
    writeln!(
        out,
        "\n{bold}{} of {} images that the network reads rightly were fooled ({:.1} %){plain}",
        fooled.len(),
        read.len(),
        100.0 * fooled.len() as f64 / read.len().max(1) as f64
    )?;
    let median = |value: fn(&Record) -> f64| {
        let mut values: Vec<f64> = fooled.iter().map(|r| value(r)).collect();
        values.sort_by(f64::total_cmp);
        values.get(values.len() / 2).copied().unwrap_or(f64::NAN)
    };
    if !fooled.is_empty() {
        writeln!(
            out,
            "medians of these: L0 {}, L1 {:.2}, L2 {:.3}, Linf {:.4}, SSIM {:.3}, confidence {:.3}, {} gradients, \
             {:.0} % of pixels without a gradient at the start; {} survive 8-bit pixels",
            median(|r| r.l0 as f64),
            median(|r| r.l1),
            median(|r| r.l2),
            median(|r| r.linf),
            median(|r| r.ssim),
            median(|r| r.confidence.into()),
            median(|r| r.gradients as f64),
            100.0 * median(|r| r.zero_gradient.into()),
            fooled.iter().filter(|r| r.survives_png).count()
        )?;
    }
    let grades = Grade::ALL
        .map(|grade| format!("{} {}", grade.name(), read.iter().filter(|r| r.grade == Some(grade)).count()));
    let (measure, threshold) = thresholds.validity.measure();
    let valid = if measure == "l2" {
        format!("L2 at most {threshold}")
    } else {
        format!("SSIM at least {threshold}")
    };
    writeln!(
        out,
        "grades: {} (valid: {valid}; confident: at least {})",
        grades.join(", "),
        thresholds.confident
    )?;
    if refused > 0 {
        writeln!(out, "{refused} attacked images were refused")?;
    }
    writeln!(
        out,
        "{} of {} images were misread before any attack; {skipped} attacks were skipped; {:.2} ms an attack",
        records.len() - read.len(),
        records.len(),
        records.iter().map(|t| t.milliseconds).sum::<f64>() / (records.len() - skipped).max(1) as f64
    )
}
