//! The gradient with respect to the input: a sum of weight rows for each output that passed.

use super::{ConvShape, List, OFF, Scratch, TILE};
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

/// [`Backward::Strips`](super::Backward::Strips). SAFETY: the slices have been checked against `shape`, and `matrix` is of level `S`.
#[inline(always)]
pub(super) unsafe fn strips_gradient<S: Simd>(
    shape: ConvShape,
    matrix: &RowMatrix,
    offsets: &[u32],
    winners: &[u32],
    output_gradient: &[f32],
    gradient: &mut [f32],
    scratch: &mut Scratch,
) {
    let outputs = winners.iter().zip(output_gradient).take(shape.output().iter().product());
    if shape.pool {
        // SAFETY: passed on.
        unsafe { terms_of_windows(shape, offsets, outputs, scratch) };
    } else {
        terms_of_positions(shape, offsets, outputs, scratch);
    }
    let Scratch { terms, positions, .. } = scratch;
    // From the last position on, a pixel gains by rising rows and columns of the kernel, in whichever blocks they are: the order,
    // and so the sum, is the same at all levels.
    let sums = || {
        let lists = positions.iter().rev().filter(|list| list.start < list.end);
        lists.map(|list| (&terms[list.start as usize..list.end as usize], list.offset as usize))
    };
    // SAFETY: the patches lie inside the input, their padding inside the slack. Rows are channels.
    unsafe { matrix.add_strips_at::<S, _>(sums, gradient.as_mut_ptr()) };
}

/// The terms of all positions where each has its own outputs.
#[inline(always)]
fn terms_of_positions<'a>(
    shape: ConvShape,
    offsets: &[u32],
    mut outputs: impl Iterator<Item = (&'a u32, &'a f32)>,
    scratch: &mut Scratch,
) {
    let Scratch { terms, positions, .. } = scratch;
    let mut end = 0;
    for (list, &offset) in positions.iter_mut().zip(offsets) {
        let start = end as u32;
        for (row, (&winner, &weight)) in (0..).zip(outputs.by_ref().take(shape.channels)) {
            // No branch: half of them would be mispredicted. What is OFF is overwritten by the next; there is room for one more.
            terms[end] = Term { row, weight };
            end += usize::from(winner < OFF);
        }
        *list = List { offset, start, end: end as u32 };
    }
}

/// The terms of all positions where the four of a window share their outputs. SAFETY: the scratch has room for all of them.
#[inline(always)]
unsafe fn terms_of_windows<'a>(
    shape: ConvShape,
    offsets: &[u32],
    mut outputs: impl Iterator<Item = (&'a u32, &'a f32)>,
    scratch: &mut Scratch,
) {
    let channels = shape.channels;
    let columns = shape.output()[1];
    let Scratch { tile, terms, positions, .. } = scratch;
    let mut end = 0;
    for (t, offsets) in offsets.chunks_exact(TILE).enumerate() {
        let mut counts = [0u32; TILE];
        for (row, (&winner, &weight)) in (0..).zip(outputs.by_ref().take(channels)) {
            // No branch, as above.
            let (p, on) = (winner as usize % TILE, u32::from(winner < OFF));
            // SAFETY: a list gains at most one term of each channel, so there is room for this one.
            unsafe { *tile.get_unchecked_mut(p * channels + counts[p] as usize) = Term { row, weight } };
            counts[p] += on;
        }
        for (p, &offset) in offsets.iter().enumerate() {
            let list = &tile[p * channels..p * channels + counts[p] as usize];
            terms[end..end + list.len()].copy_from_slice(list);
            let start = end as u32;
            end += list.len();
            let (row, column) = (t / columns * 2 + p / 2, t % columns * 2 + p % 2);
            positions[row * columns * 2 + column] = List { offset, start, end: end as u32 };
        }
    }
}
