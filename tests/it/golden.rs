//! The SIMD core beside candle's recorded answers.

#[test]
fn the_simd_core_computes_what_candle_computes() {
    crate::common::check_golden_vectors();
    crate::common::check_golden_vaes();
}
