//! How long a gradient takes in this engine.

use wasm_bindgen::prelude::*;

use super::network::Network;
use super::{object, thrown};
use crate::bench;
use crate::classifier::{Attacker, Inference};
use crate::error::{Error, Result};
use crate::kernel::simd::Level;

/// The clock of the worker that this runs in, in milliseconds; elsewhere the time of day.
pub fn now() -> f64 {
    thread_local! {
        static CLOCK: Option<web_sys::Performance> = js_sys::global()
            .dyn_ref::<web_sys::WorkerGlobalScope>()
            .and_then(web_sys::WorkerGlobalScope::performance);
    }
    CLOCK.with(|clock| clock.as_ref().map_or_else(js_sys::Date::now, web_sys::Performance::now))
}

/// The multiply-add peak of this machine in this engine, in GFLOP/s.
#[wasm_bindgen(js_name = peakGflops)]
pub fn peak_gflops() -> f64 {
    bench::peak_gflops(Level::detect(), &now)
}

/// Times the gradient at `images`, one after the other, as many as the batch: `{model, batch, ms, gflops, percent_of_peak}`,
/// see `bench::Row`.
#[wasm_bindgen(unchecked_return_type = "any")]
pub fn bench(network: &Network, images: &[f32]) -> Result<JsValue, JsValue> {
    let row = measure(network, images).map_err(thrown)?;
    Ok(object::from([
        ("model", row.model.into()),
        ("batch", (row.batch as f64).into()),
        ("ms", row.ms.into()),
        ("gflops", row.gflops.into()),
        ("percent_of_peak", row.percent_of_peak.into()),
    ]))
}

fn measure(network: &Network, images: &[f32]) -> Result<bench::Row> {
    let spec = &network.weights.spec;
    if images.is_empty() || !images.len().is_multiple_of(spec.pixels()) {
        return Err(Error::BadInput("the images have the wrong size".into()));
    }
    let mut subject = network.subject(Inference::Mean, "", Attacker::default(), &[])?;
    bench::gradient(&spec.name, &mut *subject.seen, images, spec.gradient_flops(), Level::detect(), &now)
}
