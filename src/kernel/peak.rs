//! How fast this machine multiplies and adds in this engine, with nothing else to do: what the speed of the
//! kernels is measured against.

use super::simd::{Level, Simd, dispatch};

/// Sums that do not wait for each other: enough to hide the latency of an addition, few enough for registers.
const CHAINS: usize = 12;

/// Runs `rounds` rounds of independent multiply-adds. Returns the floating-point operations done and a number
/// that depends on all of them, to be used, lest they be optimised away.
pub fn multiply_add(level: Level, rounds: usize) -> (f64, f32) {
    let mut sink = 0.0f32;
    let out = &mut sink;
    // SAFETY: touches no memory but `out`.
    unsafe { dispatch!(level, chains, rounds: usize, out: &mut f32) };
    ((rounds * CHAINS * level.lanes() * 2) as f64, sink)
}

/// SAFETY: that of `S`.
#[inline(always)]
unsafe fn chains<S: Simd>(rounds: usize, out: &mut f32) {
    // SAFETY: the stores go to a local of sixteen floats.
    unsafe {
        // x -> 0.999 x + 0.001 stays near 1 for ever.
        let factor = S::splat(std::hint::black_box(0.999));
        let addend = S::splat(std::hint::black_box(0.001));
        let mut sums = [S::splat(1.0); CHAINS];
        for _ in 0..rounds {
            for sum in &mut sums {
                *sum = S::mul_add(*sum, factor, addend);
            }
        }
        let mut lanes = [0.0f32; 16];
        for sum in sums {
            S::store(lanes.as_mut_ptr(), sum);
            *out += lanes.iter().sum::<f32>();
        }
    }
}

#[cfg(test)]
mod tests {
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;

    #[test]
    fn the_operations_are_done_and_counted() {
        for level in Level::available() {
            let (operations, sum) = multiply_add(level, 1000);
            assert_eq!(operations, (1000 * CHAINS * level.lanes() * 2) as f64);
            assert!((sum / (CHAINS * level.lanes()) as f32 - 1.0).abs() < 1e-3, "{level:?}: {sum}");
        }
    }
}
