//! Numbers as people and files write them.

/// The number that a text stands for, such as `0.03`, `-2` or `1e-3`; `None` where it is none. Never infinite, never NaN.
///
/// In the browser the language there reads it, to the same bits: Rust's own reader would be a sixteenth of the whole wasm.
pub fn parse(text: &str) -> Option<f64> {
    let text = text.trim();
    let known = |c: char| c.is_ascii_digit() || matches!(c, '.' | '-' | '+' | 'e' | 'E');
    if !text.contains(|c: char| c.is_ascii_digit()) || !text.chars().all(known) {
        return None;
    }
    #[cfg(target_arch = "wasm32")]
    let number = Some(wasm_bindgen::JsValue::from_str(text).unchecked_into_f64());
    #[cfg(not(target_arch = "wasm32"))]
    let number = text.parse().ok();
    number.filter(|number: &f64| number.is_finite())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    #[test]
    fn what_is_a_number_is_read_to_the_bit() {
        let all = [
            ("0.1", 0.1),
            (" 3 ", 3.0),
            ("-2", -2.0),
            ("+.5", 0.5),
            ("1.", 1.0),
            ("1e-3", 1e-3),
            ("2.5E2", 250.0),
            ("0.30000001192092896", f64::from(0.3f32)),
            ("123456789012345678", 123_456_789_012_345_678.0),
            ("4.9406564584124654e-324", f64::from_bits(1)),
        ];
        for (text, number) in all {
            assert_eq!(parse(text), Some(number), "{text}");
        }
    }

    #[test]
    fn what_is_none_is_not_read() {
        for text in
            ["", " ", ".", "e", "-", "0x10", "inf", "NaN", "1e999", "1,5", "1 2", "1e", "--1", "1_000"]
        {
            assert_eq!(parse(text), None, "{text}");
        }
    }
}
