//! The forward pass: patches times packed weights.

use super::{Conv, ConvShape, Group, OFF, PACKED, TIE, TILE, VECTORS};
use crate::kernel::simd::Simd;

/// SAFETY: the slices have been checked against `conv.shape`; `panel` has room for a tile at least where patches are packed.
#[inline(always)]
pub(super) unsafe fn forward<S: Simd>(
    conv: &Conv,
    input: &[f32],
    panel: &mut [f32],
    output: &mut [f32],
    winners: &mut [u32],
) {
    let patch = TILE * conv.shape.kernel * conv.shape.run();
    let tiles = if PACKED { panel.len() / patch } else { (conv.offsets.len() / TILE).max(1) };
    for (block, offsets) in conv.offsets.chunks(TILE * tiles).enumerate() {
        let patches = if PACKED {
            for (offsets, panel) in offsets.chunks_exact(TILE).zip(panel.chunks_exact_mut(patch)) {
                // SAFETY: the patches of these offsets lie inside `input`.
                unsafe { pack(conv.shape, input, offsets, panel) };
            }
            &panel[..offsets.len() / TILE * patch]
        } else {
            input
        };
        for group in conv.forward.iter() {
            let tiles = Tiles { patches, offsets, first: block * tiles };
            // SAFETY: passed on.
            unsafe {
                match group.vectors {
                    1 => forward_group::<S, 1>(conv, group, tiles, output, winners),
                    #[cfg(not(target_arch = "wasm32"))]
                    2 => forward_group::<S, 2>(conv, group, tiles, output, winners),
                    _ => forward_group::<S, VECTORS>(conv, group, tiles, output, winners),
                }
            }
        }
    }
}

/// The inputs of some tiles.
#[derive(Clone, Copy)]
struct Tiles<'a> {
    /// Their packed patches, or the image.
    patches: &'a [f32],
    /// Where in the image the patches of their positions begin.
    offsets: &'a [u32],
    /// The number of the first.
    first: usize,
}

/// Packs the patches of a tile. SAFETY: those at `offsets`, of which there are `TILE`, lie inside `input`.
#[inline(always)]
unsafe fn pack(shape: ConvShape, input: &[f32], offsets: &[u32], panel: &mut [f32]) {
    let run = shape.run();
    let row_stride = shape.input[1] * shape.input[2];
    for (row, panel) in panel.chunks_exact_mut(TILE * run).enumerate() {
        // SAFETY: a run of each patch.
        let x: [&[f32]; TILE] = std::array::from_fn(|p| unsafe {
            let start = *offsets.get_unchecked(p) as usize + row * row_stride;
            input.get_unchecked(start..start + run)
        });
        for (j, column) in panel.chunks_exact_mut(TILE).enumerate() {
            for (value, x) in column.iter_mut().zip(x) {
                // SAFETY: a panel row holds `run` columns.
                *value = unsafe { *x.get_unchecked(j) };
            }
        }
    }
}

/// Some tiles for one group of channels.
///
/// SAFETY: as [`forward`], and `group` has `N` vectors of `S`.
#[inline(always)]
unsafe fn forward_group<S: Simd, const N: usize>(
    conv: &Conv,
    group: &Group,
    tiles: Tiles,
    output: &mut [f32],
    winners: &mut [u32],
) {
    let ConvShape { channels, relu, pool, .. } = conv.shape;
    let positions = conv.shape.output()[0] * conv.shape.output()[1];
    let patch = TILE * conv.shape.kernel * conv.shape.run();
    for (i, offsets) in tiles.offsets.chunks_exact(TILE).enumerate() {
        let t = tiles.first + i;
        // SAFETY: the patches lie inside what was checked, and `place` stays inside the output.
        unsafe {
            let sums = if PACKED {
                packed_tile::<S, N>(group, tiles.patches.get_unchecked(i * patch..(i + 1) * patch))
            } else {
                tile::<S, N>(conv.shape, group, tiles.patches, offsets)
            };
            let zero = S::splat(0.0); // also position 0 as a winner: winners are numbers in a vector's bits
            if pool {
                for v in 0..N {
                    let (mut best, mut winner) = (sums[0][v], zero);
                    for (p, sum) in sums.iter().enumerate().skip(1) {
                        let bar = S::add(best, S::splat(TIE));
                        winner = S::select_gt(sum[v], bar, S::splat(f32::from_bits(p as u32)), winner);
                        best = S::select_gt(sum[v], bar, sum[v], best);
                    }
                    if relu {
                        winner = S::select_gt(best, zero, winner, S::splat(f32::from_bits(OFF)));
                        best = S::max(best, zero);
                    }
                    place::<S>(group, channels, t, v, best, output.as_mut_ptr());
                    place::<S>(group, channels, t, v, winner, winners.as_mut_ptr().cast());
                }
            } else {
                for (p, sum) in sums.iter().enumerate() {
                    let position = t * TILE + p;
                    if position >= positions {
                        break;
                    }
                    let own = S::splat(f32::from_bits(p as u32));
                    for (v, &sum) in sum.iter().enumerate() {
                        let (mut value, mut winner) = (sum, own);
                        if relu {
                            winner = S::select_gt(value, zero, winner, S::splat(f32::from_bits(OFF)));
                            value = S::max(value, zero);
                        }
                        place::<S>(group, channels, position, v, value, output.as_mut_ptr());
                        place::<S>(group, channels, position, v, winner, winners.as_mut_ptr().cast());
                    }
                }
            }
        }
    }
}

/// Stores vector `v` of a group at a position of an NHWC buffer, without what lies past its channels.
#[inline(always)]
unsafe fn place<S: Simd>(
    group: &Group,
    channels: usize,
    position: usize,
    v: usize,
    value: S::V,
    to: *mut f32,
) {
    let start = position * channels + group.first + v * S::LANES;
    let count = group.channels - v * S::LANES;
    // SAFETY: `count` channels of this position are left from `start` on, and a vector has at most 16 lanes.
    unsafe {
        if count >= S::LANES {
            S::store(to.add(start), value);
        } else {
            let mut lanes = [0.0; 16];
            S::store(lanes.as_mut_ptr(), value);
            std::ptr::copy_nonoverlapping(lanes.as_ptr(), to.add(start), count);
        }
    }
}

/// The register tile: `TILE` patches times `N` vectors of weights.
///
/// SAFETY: `group` has `N` vectors for every weight of a patch, and the patches at `offsets`, of which there are `TILE`, lie in `input`.
#[inline(always)]
unsafe fn tile<S: Simd, const N: usize>(
    shape: ConvShape,
    group: &Group,
    input: &[f32],
    offsets: &[u32],
) -> [[S::V; N]; TILE] {
    let (run, row_stride) = (shape.run(), shape.input[1] * shape.input[2]);
    // SAFETY: the contract above.
    unsafe {
        let bias: [S::V; N] = std::array::from_fn(|v| S::load(group.bias.as_ptr().add(v * S::LANES)));
        let mut sums = [bias; TILE];
        let mut w = group.weight.as_ptr();
        let mut x: [*const f32; TILE] =
            std::array::from_fn(|p| input.as_ptr().add(*offsets.get_unchecked(p) as usize));
        for _ in 0..shape.kernel {
            for j in 0..run {
                let weights: [S::V; N] = std::array::from_fn(|v| S::load(w.add(v * S::LANES)));
                for (p, sum) in sums.iter_mut().enumerate() {
                    let value = S::splat(*x[p].add(j));
                    for (s, weight) in sum.iter_mut().zip(weights) {
                        *s = S::mul_add(value, weight, *s);
                    }
                    let next = &mut x[(p + 1) % TILE];
                    *next = S::then(sum[N - 1], *next);
                }
                w = w.add(N * S::LANES);
            }
            x = x.map(|x| x.wrapping_add(row_stride));
        }
        sums
    }
}

/// [`tile`] of packed patches.
///
/// SAFETY: `group` has `N` vectors for every `TILE` floats of `panel`.
#[inline(always)]
unsafe fn packed_tile<S: Simd, const N: usize>(group: &Group, panel: &[f32]) -> [[S::V; N]; TILE] {
    // SAFETY: the contract above.
    unsafe {
        let bias: [S::V; N] = std::array::from_fn(|v| S::load(group.bias.as_ptr().add(v * S::LANES)));
        let mut sums = [bias; TILE];
        let mut w = group.weight.as_ptr();
        let mut x = panel.as_ptr();
        let end = x.add(panel.len());
        while x < end {
            let weights: [S::V; N] = std::array::from_fn(|v| S::load(w.add(v * S::LANES)));
            for (p, sum) in sums.iter_mut().enumerate() {
                let value = S::splat(*x.add(p));
                for (s, weight) in sum.iter_mut().zip(weights) {
                    *s = S::mul_add(value, weight, *s);
                    x = S::then(*s, x);
                }
            }
            w = w.add(N * S::LANES);
            x = x.add(TILE);
        }
        sums
    }
}
