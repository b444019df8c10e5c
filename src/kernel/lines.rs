//! Weights that begin where a cache line does.

use std::ops::Deref;
use std::sync::Arc;

/// Floats of a cache line.
const LINE: usize = 16;

/// A cache line.
#[derive(Clone, Copy)]
#[repr(C, align(64))]
struct Line([f32; LINE]);

/// Floats of which the first begins a cache line, as allocations do not: of those that are read in vectors as long as a line, each
/// would lie across two, and be read twice. Copies share them.
#[derive(Clone)]
pub(super) struct Lines {
    lines: Arc<[Line]>,
    len: usize,
}

impl FromIterator<f32> for Lines {
    fn from_iter<I: IntoIterator<Item = f32>>(floats: I) -> Self {
        let floats: Vec<f32> = floats.into_iter().collect();
        let line = |chunk: &[f32]| {
            let mut line = [0.0; LINE];
            line[..chunk.len()].copy_from_slice(chunk);
            Line(line)
        };
        Self { lines: floats.chunks(LINE).map(line).collect(), len: floats.len() }
    }
}

impl Deref for Lines {
    type Target = [f32];

    fn deref(&self) -> &[f32] {
        // SAFETY: a line is its floats and nothing else, and there are as many lines as `len` fills.
        unsafe { std::slice::from_raw_parts(self.lines.as_ptr().cast(), self.len) }
    }
}

impl std::fmt::Debug for Lines {
    fn fmt(&self, f: &mut std::fmt::Formatter) -> std::fmt::Result {
        self[..].fmt(f)
    }
}

#[cfg(test)]
mod tests {
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;

    #[test]
    fn they_begin_a_line_and_are_what_they_were_made_of() {
        for len in [0, 1, 15, 16, 17, 1000] {
            let floats: Vec<f32> = (0..len).map(|i| i as f32).collect();
            let lines: Lines = floats.iter().copied().collect();
            assert_eq!(&lines[..], &floats[..]);
            assert_eq!(lines.as_ptr().align_offset(64), 0);
        }
    }
}
