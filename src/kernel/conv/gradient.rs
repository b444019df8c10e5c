//! The gradient with respect to the input: a sum of weight rows for each output that passed.

use super::{ConvShape, OFF, Scratch, TILE};
use crate::kernel::rows::{RowMatrix, Term};
use crate::kernel::simd::Simd;

/// [`Backward::Window`](super::Backward::Window). SAFETY: the slices have been checked against `shape`, and `matrix` is of level `S`.
#[inline(always)]
pub(super) unsafe fn window_gradient<S: Simd>(
    shape: ConvShape,
    matrix: &RowMatrix,
    offsets: &[u32],
    winners: &[u32],
    output_gradient: &[f32],
    gradient: &mut [f32],
    scratch: &mut Scratch,
) {
    let channels = shape.channels;
    let row_stride = shape.input[1] * shape.input[2];
    let side = shape.kernel + shape.stride;
    let run = side * shape.input[2];
    let windows = winners.chunks_exact(channels).zip(output_gradient.chunks_exact(channels));
    for (offsets, (winners, weights)) in offsets.chunks_exact(TILE).zip(windows) {
        let mut count = 0;
        for (channel, (&winner, &weight)) in winners.iter().zip(weights).enumerate() {
            // No branch: half of them would be mispredicted.
            let row = (channel * TILE + (winner as usize).min(TILE - 1)) as u32;
            // SAFETY: at most `channels` terms are written.
            unsafe { *scratch.tile.get_unchecked_mut(count) = Term { row, weight } };
            count += usize::from(winner < OFF);
        }
        if count == 0 {
            continue;
        }
        scratch.patch.fill(0.0);
        // SAFETY: the patch is as long as the padded columns; the rows are below `channels * TILE`.
        unsafe { matrix.add_rows_at::<S>(&scratch.tile[..count], scratch.patch.as_mut_ptr()) };
        for (row, values) in scratch.patch[..side * run].chunks_exact(run).enumerate() {
            let start = offsets[0] as usize + row * row_stride;
            for (y, v) in gradient[start..start + run].iter_mut().zip(values) {
                *y += v;
            }
        }
    }
}

/// [`Backward::Rows`](super::Backward::Rows). SAFETY: the slices have been checked against `shape`, and `matrices` are of level `S`.
#[inline(always)]
pub(super) unsafe fn rows_gradient<S: Simd>(
    shape: ConvShape,
    matrices: &[RowMatrix],
    offsets: &[u32],
    winners: &[u32],
    output_gradient: &[f32],
    gradient: &mut [f32],
    scratch: &mut Scratch,
) {
    let channels = shape.channels;
    let row_stride = shape.input[1] * shape.input[2];
    // Outputs that share one tile: a pooling window, or four positions that follow each other.
    let outputs = if shape.pool { channels } else { channels * TILE };
    let total = shape.output().iter().product::<usize>();
    let Scratch { tile, terms, positions, .. } = scratch;
    positions.clear();
    let mut end = 0;
    for (t, offsets) in offsets.chunks_exact(TILE).enumerate() {
        let range = t * outputs..((t + 1) * outputs).min(total);
        let mut counts = [0usize; TILE + 1];
        for (i, (&winner, &weight)) in winners[range.clone()].iter().zip(&output_gradient[range]).enumerate()
        {
            // No branch: half of them would be mispredicted. What is OFF goes to a list that nobody reads.
            let p = (winner as usize).min(TILE);
            let row = (i % channels) as u32;
            // SAFETY: the list of a position gains at most `channels` terms (each channel once), the last one,
            // of what is OFF, at most `channels * TILE`.
            unsafe { *tile.get_unchecked_mut(p * channels + counts[p]) = Term { row, weight } };
            counts[p] += 1;
        }
        for (p, &offset) in offsets.iter().enumerate() {
            if counts[p] > 0 {
                let list = &tile[p * channels..p * channels + counts[p]];
                terms[end..end + list.len()].copy_from_slice(list);
                end += list.len();
                positions.push((offset, end as u32));
            }
        }
    }
    for (row, matrix) in matrices.iter().enumerate() {
        let mut start = 0;
        for &(offset, end) in &*positions {
            // SAFETY: the patch lies inside the input; its padding inside the slack. Rows are channels.
            unsafe {
                let y = gradient.as_mut_ptr().add(offset as usize + row * row_stride);
                matrix.add_rows_at::<S>(&terms[start..end as usize], y);
            }
            start = end as usize;
        }
    }
}
