//! The statistics of a study for the page: an estimate comes as `[value, low, high]`.

use wasm_bindgen::prelude::*;

use crate::metrics::statistics::{self, Interval};

fn array(Interval { value, low, high }: Interval) -> Vec<f64> {
    vec![value, low, high]
}

/// The share `hits / n` with its 95 % interval.
#[wasm_bindgen]
pub fn share(hits: usize, n: usize) -> Vec<f64> {
    array(statistics::share(hits, n))
}

/// The difference between two shares of the same `n` things, given how many are in the first alone and in the second
/// alone, with its 95 % interval.
#[wasm_bindgen(js_name = pairedDifference)]
pub fn paired_difference(first_alone: usize, second_alone: usize, n: usize) -> Vec<f64> {
    array(statistics::paired_difference(first_alone, second_alone, n))
}

/// The median with its 95 % interval.
#[wasm_bindgen]
pub fn median(values: &[f64]) -> Vec<f64> {
    array(statistics::median(values))
}

/// The three quartiles.
#[wasm_bindgen]
pub fn quartiles(values: &[f64]) -> Vec<f64> {
    statistics::quartiles(values).to_vec()
}
