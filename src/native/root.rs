//! Where the page, its wasm and its weights lie.

use std::path::{Path, PathBuf};

use anyhow::{Context, Result};

/// The folder that holds `www`, `pkg` and `models`: the nearest one above the working directory or above the binary, or the
/// checkout that this was built from.
///
/// # Errors
/// When there is none.
pub fn root() -> Result<PathBuf> {
    let built = PathBuf::from(env!("CARGO_MANIFEST_DIR"));
    let around = [std::env::current_dir(), std::env::current_exe()].into_iter().flatten();
    let above = around.flat_map(|p| p.ancestors().map(Path::to_owned).collect::<Vec<_>>());
    let whole = |p: &PathBuf| p.join("www/index.html").is_file() && p.join("pkg/BUILD").is_file();
    above.chain([built]).find(whole).context(
        "the page's folders www, pkg and models are nowhere to be found; run this inside a checkout of misread",
    )
}
