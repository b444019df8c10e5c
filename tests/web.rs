//! The crate in a browser: run with wasm-bindgen-test-runner (see scripts/test).
#![cfg(target_arch = "wasm32")]

mod common;

use js_sys::{Array, Float32Array, JSON, Object, Reflect};
use misread::judge::Record;
use misread::kernel::simd::Level;
use misread::wasm::statistics::{median, paired_difference, quartiles, share};
use misread::wasm::{Guards, Network, Samples, Subject, Trial, build, catalogue, grade};
use wasm_bindgen::{JsCast, JsValue};
use wasm_bindgen_test::{wasm_bindgen_test, wasm_bindgen_test_configure};

wasm_bindgen_test_configure!(run_in_dedicated_worker);

/// A plain object from JSON.
fn object(json: &str) -> JsValue {
    JSON::parse(json).unwrap()
}

fn get(object: &JsValue, key: &str) -> JsValue {
    Reflect::get(object, &key.into()).unwrap()
}

fn number(object: &JsValue, key: &str) -> f64 {
    get(object, key).as_f64().unwrap_or_else(|| panic!("{key} is no number"))
}

fn flag(object: &JsValue, key: &str) -> bool {
    get(object, key).as_bool().unwrap_or_else(|| panic!("{key} is no flag"))
}

/// The eighth shipped digit, a 7.
fn seven() -> Vec<f32> {
    let samples = Samples::new("mnist", common::SAMPLES).unwrap();
    assert_eq!(samples.labels()[7], 7);
    samples.pixels()[7 * 784..8 * 784].iter().map(|&p| f32::from(p) / 255.0).collect()
}

/// An attack on it towards 3.
fn task() -> JsValue {
    let task = object("{\"index\":7,\"label\":7,\"target\":3,\"start\":null}");
    Reflect::set(&task, &"image".into(), &Float32Array::from(&seven()[..])).unwrap();
    task
}

fn run(subject: &mut Subject, attack: &str) -> (JsValue, JsValue) {
    let mut trial = Trial::new(subject, &task(), &object(attack)).unwrap();
    while !trial.step(subject).unwrap() {}
    assert!(trial.at() > 0);
    (trial.judged(subject, &object("{}")).unwrap(), trial.frame().unwrap())
}

#[wasm_bindgen_test]
fn the_browser_computes_what_candle_computes() {
    assert_eq!(build(), if cfg!(target_feature = "relaxed-simd") { "relaxed-simd" } else { "simd128" });
    assert_eq!(Level::detect().lanes(), 4);
    common::check_golden_vectors();
    common::check_golden_vaes();
}

#[wasm_bindgen_test]
fn an_attack_through_the_bindings_fools_the_network() {
    let network = Network::new(common::WEIGHTS, None).unwrap();
    let mut subject = Subject::new(&network, "mean", "", "adaptive", &Guards::new()).unwrap();
    for (attack, gradients) in [("linf", 40.0..=40.0), ("l1", 40.0..=40.0), ("lbfgs", 100.0..=500.0)] {
        let (judged, frame) = run(&mut subject, &format!("{{\"attack\":\"{attack}\",\"seed\":null}}"));
        let record = get(&judged, "record");
        assert!(flag(&record, "success") && !flag(&record, "refused") && number(&record, "predicted") == 3.0);
        assert!(gradients.contains(&number(&record, "gradients")) && flag(&frame, "done"), "{attack}");
        assert!(number(&judged, "milliseconds") >= number(&judged, "first_milliseconds"));
        let image = Float32Array::new(&get(&judged, "image")).to_vec();
        assert!(number(&record, "ssim") < 1.0 && image.iter().all(|x| (0.0..=1.0).contains(x)));
        // The record has the crate's fields in the crate's order.
        let keys = Object::keys(record.unchecked_ref::<Object>());
        let keys: Vec<String> = keys.iter().map(|key| key.as_string().unwrap()).collect();
        assert_eq!(keys, Record::FIELDS);
        let read = subject.read(&image, 7).unwrap();
        let probabilities = |of: &JsValue| Float32Array::new(&get(of, "probabilities")).to_vec();
        assert_eq!(probabilities(&read), probabilities(&judged));
        // Under other thresholds another grade; under none the record's own.
        let own = grade(&record, "mnist", &object("{}")).unwrap();
        assert_eq!(get(&own, "grade"), get(&record, "grade"));
        let strict = grade(&record, "mnist", &object("{\"valid\":0.01,\"confident\":0}")).unwrap();
        assert_eq!(get(&strict, "grade").as_string().unwrap(), "moderate");
    }
    // A budget as it was given, with the digits that it was given with.
    let (judged, _) = run(&mut subject, "{\"attack\":\"linf\",\"epsilon\":0.1,\"steps\":3}");
    assert_eq!(number(&get(&judged, "record"), "budget"), 0.1);
}

#[wasm_bindgen_test]
fn a_vae_is_seen_into_and_attacked_through_its_draws() {
    let image = seven();
    for (weights, _) in common::VAES {
        let mut network = Network::new(weights, Some("mine".into())).unwrap();
        assert!(flag(&network.about().unwrap(), "vae"));
        assert!(network.map_points().len() == 2 * network.map_labels().len());
        let seen = network.see(&image).unwrap();
        assert!(seen.len() == 786 && seen.iter().all(|v| v.is_finite()));
        let near = image.iter().zip(&seen[2..]).map(|(a, b)| (a - b).powi(2)).sum::<f32>().sqrt();
        assert!(near < 4.0, "the decoder sees a 7 in a 7: {near}");
        let mut sampled = Subject::new(&network, "sampled", "none", "adaptive", &Guards::new()).unwrap();
        assert_eq!(number(&sampled.read(&image, 0).unwrap(), "predicted"), 7.0);
        let (judged, _) = run(&mut sampled, "{\"attack\":\"linf\",\"epsilon\":0.3}");
        let record = get(&judged, "record");
        assert!(flag(&record, "success") && number(&record, "fresh") > 0.9);
        assert_eq!(get(&record, "network").as_string().unwrap(), "mine");
        // Behind a defence that it knows, an attack is recorded as such.
        let mut guards = Guards::new();
        let siamese = Network::new(common::SIAMESE, None).unwrap();
        assert_eq!(network.guards("grey2+siamese5+vae1").unwrap(), ["mnist-siamese"]);
        guards.add(&siamese).unwrap();
        for attacker in ["adaptive", "blind"] {
            let mut defended =
                Subject::new(&network, "mean", "grey2+siamese5+vae1", attacker, &guards).unwrap();
            let (judged, _) = run(&mut defended, "{\"attack\":\"fgsm\",\"epsilon\":0.3}");
            let record = get(&judged, "record");
            assert_eq!(get(&record, "defence").as_string().unwrap(), "grey2+siamese5+vae1");
            assert_eq!(get(&record, "attacker").as_string().unwrap(), attacker);
        }
    }
    let mut network = Network::new(common::WEIGHTS, None).unwrap();
    assert!(!flag(&network.about().unwrap(), "vae") && network.map_points().is_empty());
    assert!(network.see(&image).is_err());
}

#[wasm_bindgen_test]
fn what_is_wrong_reaches_the_page_in_words_and_with_a_key() {
    let said = |error: JsValue| {
        let key = get(&error, "key").as_string().unwrap();
        (key, js_sys::Error::from(error).message().as_string().unwrap())
    };
    let network = Network::new(common::WEIGHTS, None).unwrap();
    let mut subject = Subject::new(&network, "mean", "", "adaptive", &Guards::new()).unwrap();
    let errors = [
        (Network::new(&common::WEIGHTS[..5000], None).err(), "bad-file", "truncated"),
        (Subject::new(&network, "guess", "", "adaptive", &Guards::new()).err(), "unknown", "sampled"),
        (Subject::new(&network, "mean", "grey3", "adaptive", &Guards::new()).err(), "unknown", "grey2"),
        (
            Subject::new(&network, "mean", "siamese5", "adaptive", &Guards::new()).err(),
            "bad-input",
            "not loaded",
        ),
        (Subject::new(&network, "mean", "grey2", "deaf", &Guards::new()).err(), "unknown", "blind"),
        (Guards::new().add(&network).err(), "bad-input", "cannot stand guard"),
        (Trial::new(&mut subject, &task(), &object("{\"attack\":\"pgd\"}")).err(), "unknown", "apgd"),
        (
            Trial::new(&mut subject, &task(), &object("{\"attack\":\"linf\",\"steps\":0}")).err(),
            "bad-input",
            "steps",
        ),
        (
            Trial::new(&mut subject, &object("{\"label\":7}"), &object("{\"attack\":\"linf\"}")).err(),
            "bad-input",
            "image",
        ),
        (subject.read(&[0.0; 3], 0).err(), "bad-input", "784"),
    ];
    for (error, key, word) in errors {
        let (found, message) = said(error.unwrap());
        assert!(found == key && message.contains(word), "{found}: {message}");
    }
    // What is read as wanted already (called a 2, say) is no fault, and a record all the same.
    let aimed = task();
    Reflect::set(&aimed, &"label".into(), &2.into()).unwrap();
    Reflect::set(&aimed, &"target".into(), &7.into()).unwrap();
    let mut trial = Trial::new(&mut subject, &aimed, &object("{\"attack\":\"linf\"}")).unwrap();
    let (key, message) = said(trial.step(&mut subject).unwrap_err());
    assert!(key == "skipped" && message.contains("already reads"), "{message}");
    let record = get(&trial.judged(&mut subject, &object("{}")).unwrap(), "record");
    assert!(get(&record, "skipped").is_string() && get(&record, "grade").is_null());
}

#[wasm_bindgen_test]
fn the_catalogue_reaches_the_page() {
    let catalogue = catalogue();
    for what in ["attacks", "networks", "datasets", "defences", "norms", "record", "grades"] {
        assert!(Array::from(&get(&catalogue, what)).length() > 1, "{what}");
    }
    let first = Array::from(&get(&catalogue, "attacks")).get(0);
    assert!(Array::from(&get(&first, "fields")).length() > 3 && flag(&first, "study"));
}

#[wasm_bindgen_test]
fn statistics_reach_the_page() {
    assert!((share(8, 10)[1] - 0.490_162_47).abs() < 1e-6 && share(0, 0)[0].is_nan());
    assert!((paired_difference(30, 10, 100)[0] - 0.2).abs() < 1e-12);
    assert_eq!(median(&[3.0, 1.0])[0], 2.0);
    assert_eq!(quartiles(&[7.0, 1.0, 4.0, 2.0]), [1.75, 3.0, 4.75]);
}
