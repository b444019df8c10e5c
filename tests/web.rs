//! The crate in a browser: run with wasm-bindgen-test-runner (see scripts/test).
#![cfg(target_arch = "wasm32")]

mod common;

use misread::kernel::simd::Level;
use misread::web::{Attack, AttackOptions, Network, Samples, build};
use wasm_bindgen::JsValue;
use wasm_bindgen_test::{wasm_bindgen_test, wasm_bindgen_test_configure};

wasm_bindgen_test_configure!(run_in_dedicated_worker);

#[wasm_bindgen_test]
fn the_browser_computes_what_candle_computes() {
    assert_eq!(build(), if cfg!(target_feature = "relaxed-simd") { "relaxed-simd" } else { "simd128" });
    assert_eq!(Level::detect().lanes(), 4);
    common::check_golden_vectors();
}

#[wasm_bindgen_test]
fn an_attack_through_the_bindings_fools_the_network() {
    let mut network = Network::new(common::WEIGHTS).map_err(JsValue::from).unwrap();
    let samples = Samples::new(common::SAMPLES).map_err(JsValue::from).unwrap();
    let image: Vec<f32> = samples.pixels()[7 * 784..8 * 784].iter().map(|&p| f32::from(p) / 255.0).collect();
    assert_eq!(samples.labels()[7], 7);
    for (method, gradients) in [("linf", 40..=40), ("l1", 40..=40), ("lbfgs", 100..=500)] {
        let options = AttackOptions::new(method).map_err(JsValue::from).unwrap();
        let mut attack = Attack::new(&network, &image, 3, true, &options).map_err(JsValue::from).unwrap();
        let end = loop {
            let progress = attack.step(&mut network).map_err(JsValue::from).unwrap();
            if progress.done() {
                break progress;
            }
        };
        assert!(gradients.contains(&end.gradients()), "{method}: {} gradients", end.gradients());
        let outcome = attack.outcome(&mut network).map_err(JsValue::from).unwrap();
        let best = outcome.progress();
        assert!(best.success() && best.predicted() == 3, "{method}");
        assert!(outcome.ssim() < 1.0 && outcome.image().iter().all(|x| (0.0..=1.0).contains(x)));
        let read = network.probabilities(&outcome.image()).map_err(JsValue::from).unwrap();
        assert_eq!(read, outcome.probabilities());
        assert!(outcome.budget().is_some_and(|b| (f64::from(best.budget()) - b).abs() < 1e-6));
    }
}

#[wasm_bindgen_test]
fn what_is_wrong_with_a_file_reaches_the_page_in_words() {
    let error = Network::new(&common::WEIGHTS[..5000]).err().map(JsValue::from).unwrap();
    let message = js_sys::Error::from(error).message().as_string().unwrap();
    assert!(message.contains("truncated"), "{message}");
}
