//! Progress bars, all of one look, on standard error.

use indicatif::{ProgressBar, ProgressStyle};

/// A bar of `total` steps.
pub fn bar(total: u64, prefix: &str) -> ProgressBar {
    styled(total, prefix, "{prefix:>14} [{bar:32}] {pos}/{len}  {msg}  {eta} left")
}

/// A bar of `total` bytes.
pub fn bytes(total: u64, prefix: &str) -> ProgressBar {
    styled(total, prefix, "{prefix:>14} [{bar:32}] {bytes}/{total_bytes}  {msg}")
}

fn styled(total: u64, prefix: &str, template: &str) -> ProgressBar {
    // The templates are constants; one that does not parse leaves the default look.
    let style = ProgressStyle::with_template(template).unwrap_or_else(|_| ProgressStyle::default_bar());
    ProgressBar::new(total).with_style(style.progress_chars("=> ")).with_prefix(prefix.to_owned())
}
