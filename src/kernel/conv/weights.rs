//! The gradient with respect to the weights: for each output channel a sum of the patches whose outputs passed.

use super::{ConvShape, OFF, Scratch, TILE};
use crate::kernel::rows::Term;
use crate::kernel::simd::Simd;

/// Vectors of a kernel row that are summed in registers at once.
const BLOCK: usize = 8;

/// SAFETY: the slices have been checked against `shape`; `input` has a vector of slack, `sums` whole vectors of `S` for
/// each kernel row of each channel.
#[inline(always)]
pub(super) unsafe fn weight_gradient<S: Simd>(
    shape: ConvShape,
    offsets: &[u32],
    input: &[f32],
    winners: &[u32],
    output_gradient: &[f32],
    sums: &mut [f32],
    scratch: &mut Scratch,
) {
    let channels = shape.channels;
    let padded = shape.run().next_multiple_of(S::LANES);
    let row_stride = shape.input[1] * shape.input[2];
    let total = shape.output().iter().product::<usize>();
    let positions = total / channels;
    let Scratch { terms, counts, .. } = scratch;
    counts.fill(0);
    for position in 0..positions {
        let range = position * channels..(position + 1) * channels;
        // With pooling the four positions of a tile are one window, of which one won.
        let tile = if shape.pool { position } else { position / TILE };
        let offsets = &offsets[tile * TILE..(tile + 1) * TILE];
        let outputs = winners[range.clone()].iter().zip(&output_gradient[range]);
        for (channel, ((&winner, &weight), count)) in outputs.zip(counts.iter_mut()).enumerate() {
            // No branch: half of them would be mispredicted. What is OFF is overwritten by the next.
            let row = offsets[(winner as usize).min(TILE - 1)];
            // SAFETY: a channel has `positions` terms at most, so the index is below `total`.
            unsafe { *terms.get_unchecked_mut(channel * positions + *count as usize) = Term { row, weight } };
            *count += u32::from((winner < OFF) & (weight != 0.0));
        }
    }
    for (channel, &count) in counts.iter().enumerate() {
        let terms = &terms[channel * positions..][..count as usize];
        for row in 0..shape.kernel {
            // SAFETY: a patch's kernel row lies inside the input, its padding inside the slack of the last.
            unsafe {
                let y = sums.as_mut_ptr().add((channel * shape.kernel + row) * padded);
                add_runs::<S>(input.as_ptr().add(row * row_stride), terms, padded, y);
            }
        }
    }
}

/// `y += sum of term.weight * x[term.row..][..padded]`.
///
/// SAFETY: `x` is readable there, `y` valid for `padded` floats, which are whole vectors.
#[inline(always)]
unsafe fn add_runs<S: Simd>(x: *const f32, terms: &[Term], padded: usize, y: *mut f32) {
    let mut start = 0;
    while start < padded {
        let vectors = ((padded - start) / S::LANES).min(BLOCK);
        // SAFETY: inside `padded`.
        unsafe {
            let (x, y) = (x.add(start), y.add(start));
            match vectors {
                1 => block::<S, 1>(x, terms, y),
                2 => block::<S, 2>(x, terms, y),
                3 => block::<S, 3>(x, terms, y),
                4 => block::<S, 4>(x, terms, y),
                5 => block::<S, 5>(x, terms, y),
                6 => block::<S, 6>(x, terms, y),
                7 => block::<S, 7>(x, terms, y),
                _ => block::<S, BLOCK>(x, terms, y),
            }
        }
        start += vectors * S::LANES;
    }
}

/// SAFETY: as [`add_runs`], for `N` vectors.
#[inline(always)]
unsafe fn block<S: Simd, const N: usize>(x: *const f32, terms: &[Term], y: *mut f32) {
    // SAFETY: the contract above.
    unsafe {
        let mut sum: [S::V; N] = std::array::from_fn(|i| S::load(y.add(i * S::LANES)));
        for term in terms {
            let row = x.add(term.row as usize);
            let weight = S::splat(term.weight);
            for (i, s) in sum.iter_mut().enumerate() {
                *s = S::mul_add(weight, S::load(row.add(i * S::LANES)), *s);
            }
        }
        for (i, s) in sum.iter().enumerate() {
            S::store(y.add(i * S::LANES), *s);
        }
    }
}
