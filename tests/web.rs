//! The crate in a browser: run with wasm-bindgen-test-runner (see scripts/test).
#![cfg(target_arch = "wasm32")]

mod common;

use misread::kernel::simd::Level;
use misread::web::statistics::{median, paired_difference, quartiles, share};
use misread::web::{Attack, AttackOptions, Network, Samples, build};
use wasm_bindgen::JsValue;
use wasm_bindgen_test::{wasm_bindgen_test, wasm_bindgen_test_configure};

wasm_bindgen_test_configure!(run_in_dedicated_worker);

#[wasm_bindgen_test]
fn the_browser_computes_what_candle_computes() {
    assert_eq!(build(), if cfg!(target_feature = "relaxed-simd") { "relaxed-simd" } else { "simd128" });
    assert_eq!(Level::detect().lanes(), 4);
    common::check_golden_vectors();
    common::check_golden_vaes();
}

#[wasm_bindgen_test]
fn an_attack_through_the_bindings_fools_the_network() {
    let mut network = Network::new(common::WEIGHTS).map_err(JsValue::from).unwrap();
    let samples = Samples::new(common::SAMPLES).map_err(JsValue::from).unwrap();
    let image: Vec<f32> = samples.pixels()[7 * 784..8 * 784].iter().map(|&p| f32::from(p) / 255.0).collect();
    assert_eq!(samples.labels()[7], 7);
    for (method, gradients) in [("linf", 40..=40), ("l1", 40..=40), ("lbfgs", 100..=500)] {
        let options = AttackOptions::new(method).map_err(JsValue::from).unwrap();
        let mut attack =
            Attack::new(&network, &image, 3, true, &options, &[]).map_err(JsValue::from).unwrap();
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
fn a_vae_is_seen_into_and_attacked_through_its_draws() {
    let samples = Samples::new(common::SAMPLES).map_err(JsValue::from).unwrap();
    let image: Vec<f32> = samples.pixels()[7 * 784..8 * 784].iter().map(|&p| f32::from(p) / 255.0).collect();
    for (weights, _) in common::VAES {
        let mut network = Network::new(weights).map_err(JsValue::from).unwrap();
        assert!(network.is_vae() && network.map_points().len() == 2 * network.map_labels().len());
        let seen = network.see(&image).map_err(JsValue::from).unwrap();
        assert!(seen.len() == 786 && seen.iter().all(|v| v.is_finite()));
        let near = image.iter().zip(&seen[2..]).map(|(a, b)| (a - b).powi(2)).sum::<f32>().sqrt();
        assert!(near < 4.0, "the decoder sees a 7 in a 7: {near}");
        assert!(network.fresh(&image, 7, true, 0).map_err(JsValue::from).unwrap().is_empty());
        network.sample().map_err(JsValue::from).unwrap();
        let fresh = network.fresh(&image, 7, true, 0).map_err(JsValue::from).unwrap();
        assert!(fresh[0] > 0.9 && fresh[1] == 7.0, "{fresh:?}");
        let mut options = AttackOptions::new("linf").map_err(JsValue::from).unwrap();
        options.set_budget(0.3);
        let mut attack =
            Attack::new(&network, &image, 3, true, &options, &[]).map_err(JsValue::from).unwrap();
        while !attack.step(&mut network).map_err(JsValue::from).unwrap().done() {}
        let fresh = network.fresh(&attack.image(), 3, true, 0).map_err(JsValue::from).unwrap();
        assert!(fresh[0] > 0.9 && fresh[1] == 3.0, "{fresh:?}");
    }
    let mut network = Network::new(common::WEIGHTS).map_err(JsValue::from).unwrap();
    assert!(!network.is_vae() && network.map_points().is_empty());
    assert!(network.see(&image).is_err() && network.sample().is_err());
}

#[wasm_bindgen_test]
fn what_is_wrong_with_a_file_reaches_the_page_in_words() {
    let error = Network::new(&common::WEIGHTS[..5000]).err().map(JsValue::from).unwrap();
    let message = js_sys::Error::from(error).message().as_string().unwrap();
    assert!(message.contains("truncated"), "{message}");
}

#[wasm_bindgen_test]
fn statistics_reach_the_page() {
    assert!((share(8, 10)[1] - 0.490_162_47).abs() < 1e-6 && share(0, 0)[0].is_nan());
    assert!((paired_difference(30, 10, 100)[0] - 0.2).abs() < 1e-12);
    assert_eq!(median(&[3.0, 1.0])[0], 2.0);
    assert_eq!(quartiles(&[7.0, 1.0, 4.0, 2.0]), [1.75, 3.0, 4.75]);
}
