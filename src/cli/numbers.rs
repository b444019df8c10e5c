//! Numbers as arguments: within their ranges, or refused in words.

use clap::builder::RangedU64ValueParser;

use crate::attack::options;

/// Takes whole numbers from `low` to `high`.
pub fn counts(low: usize, high: usize) -> RangedU64ValueParser<usize> {
    RangedU64ValueParser::new().range(low as u64..=high as u64)
}

/// Takes a number, or a fraction like `8/255`.
///
/// # Errors
/// In words, for what is no finite number.
pub fn number(text: &str) -> Result<f64, String> {
    let number = options::number(text).filter(|number| number.is_finite());
    number.ok_or_else(|| "it is no number".into())
}

/// Takes a number that is not negative.
///
/// # Errors
/// In words.
pub fn weight(text: &str) -> Result<f64, String> {
    let number = number(text)?;
    if number >= 0.0 { Ok(number) } else { Err("it must not be negative".into()) }
}

/// Takes a share: a number from 0 up to, and without, 1.
///
/// # Errors
/// In words.
pub fn share(text: &str) -> Result<f32, String> {
    let number = number(text)?;
    if (0.0..1.0).contains(&number) {
        Ok(number as f32)
    } else {
        Err("it must be at least 0 and below 1".into())
    }
}
