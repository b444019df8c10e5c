//! The program as its users call it.

use std::process::{Command, Output};

use serde_json::Value;

/// Foolbox 3.3.4's L1 Basic Iterative attack on the same digits and weights (scripts/peers/success.py).
const FOOLBOX_L1: usize = 942;

fn misread(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_misread"))
        .args(arguments)
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .expect("the program starts")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("UTF-8")
}

fn records(arguments: &[&str]) -> Vec<Value> {
    let output = misread(arguments);
    assert!(output.status.success(), "{}", text(&output.stderr));
    text(&output.stdout)
        .lines()
        .map(|line| serde_json::from_str(line).expect("a JSON object a line"))
        .collect()
}

#[test]
fn a_thousand_test_digits_are_fooled_inside_box_and_ball() {
    let records = records(&[
        "attack",
        "--model",
        "models/mnist-cnn.safetensors",
        "--attack",
        "linf",
        "--epsilon",
        "0.3",
        "--steps",
        "40",
        "--images",
        "test:0..1000",
        "--target",
        "next",
        "--json",
    ]);
    assert_eq!(records.len(), 1000);
    let (mut read, mut fooled) = (0, 0);
    for (i, r) in records.iter().enumerate() {
        assert_eq!(r["index"], i);
        assert_eq!(r["target"], (r["label"].as_u64().unwrap() + 1) % 10);
        assert!(r["linf"].as_f64().unwrap() <= 0.3 && r["png_linf"].as_f64().unwrap() <= 0.3);
        assert_eq!(r["success"].as_bool().unwrap(), r["skipped"].is_null() && r["predicted"] == r["target"]);
        if r["skipped"].is_null() {
            assert_eq!((r["steps"].as_u64(), r["gradients"].as_u64()), (Some(40), Some(40)));
        }
        if r["clean_predicted"] == r["label"] {
            read += 1;
            fooled += usize::from(r["success"] == true);
        }
    }
    assert!(read >= 980, "the network reads {read} of 1000 rightly");
    assert!(fooled * 100 >= read * 95, "{fooled} of {read} fooled");
}

/// Of 1,000 test digits: how many are read rightly, and how many of these the attack fools.
fn fooled(arguments: &[&str]) -> (usize, usize, Vec<Value>) {
    let mut all = vec!["attack", "--images", "test:0..1000", "--target", "next", "--json"];
    all.extend(arguments);
    let records: Vec<Value> =
        records(&all).into_iter().filter(|r| r["clean_predicted"] == r["label"]).collect();
    (records.len(), records.iter().filter(|r| r["success"] == true).count(), records)
}

#[test]
fn l1_fools_a_thousand_digits_in_both_forms() {
    let sparse = ["--attack", "l1", "--l1-form", "sparse", "--epsilon", "40", "--steps", "40"];
    let (read, sparse, records) = fooled(&sparse);
    assert!(sparse * 100 >= read * 96, "{sparse} of {read} by the sparse form");
    for r in &records {
        assert!(
            r["l1"].as_f64().unwrap() <= 40.0 && r["png_l1"].as_f64().unwrap() <= 40.0 && r["budget"] == 40.0,
            "{r}"
        );
        assert!(r["l0"].as_u64().unwrap() > 0 && r["ssim"].as_f64().unwrap() < 1.0);
        let grade = r["grade"].as_str().unwrap();
        assert_eq!(grade == "failed", r["success"] == false);
        assert_eq!(["high", "low"].contains(&grade), r["success"] == true && r["valid"] == true);
    }
    let (read, published, _) = fooled(&["--attack", "l1", "--epsilon", "40"]);
    assert!(published.abs_diff(FOOLBOX_L1) * 100 <= read, "{published} by the published form");
}

#[test]
fn lbfgs_fools_every_digit_closely_with_few_gradients() {
    let mut arguments = vec!["attack", "--attack", "lbfgs", "--images", "test:0..100", "--json"];
    let records = records(&arguments);
    for r in &records {
        assert!(r["success"] == true && r["gradients"].as_u64().unwrap() <= 500, "{r}");
        assert!(r["survives_png"].is_boolean() && r["budget"].as_f64().unwrap() > 0.0);
    }
    arguments.extend(["--confidence", "0.9"]);
    for r in self::records(&arguments) {
        assert!(r["success"] == true && r["confidence"].as_f64().unwrap() >= 0.9, "{r}");
    }
}

#[test]
fn a_seed_gives_the_same_start_again_and_another_one_another() {
    let run = |seed| {
        let mut record =
            records(&["attack", "--images", "sample:7", "--steps", "3", "--seed", seed, "--json"]).remove(0);
        record["milliseconds"] = Value::Null;
        record
    };
    assert_eq!(run("1"), run("1"));
    assert_ne!(run("1"), run("2"));
}

#[test]
fn the_table_ends_in_a_summary_and_pictures_are_saved() {
    let folder = tempfile::tempdir().unwrap();
    let save = folder.path().join("deep/er");
    let output =
        misread(&["attack", "--images", "sample:5..8", "--target", "any", "--save", save.to_str().unwrap()]);
    let table = text(&output.stdout);
    assert!(
        output.status.success() && table.contains("that the network reads rightly were fooled"),
        "{table}"
    );
    for index in 5..8 {
        for what in ["original", "adversarial", "perturbation"] {
            let bytes = std::fs::read(save.join(format!("sample-{index}-{what}.png"))).unwrap();
            assert_eq!(&bytes[1..4], b"PNG");
        }
    }
    assert_eq!(std::fs::read_dir(&save).unwrap().count(), 9, "nothing half-written stays");
}

#[test]
fn a_target_that_is_read_already_is_skipped() {
    // A 2 that is read as a 7, and a 3: neither is attacked, and that is no success.
    for (image, target, why) in [
        ("test:321", "7", "already reads"),
        ("test:321", "2", "the true label"),
        ("sample:3", "3", "the true label"),
    ] {
        let output = misread(&["attack", "--images", image, "--target", target, "--json"]);
        let record: Value = serde_json::from_slice(&output.stdout).expect("one object");
        assert!(record["skipped"].as_str().unwrap().contains(why), "{record}");
        assert_eq!(record["success"], false);
        assert_eq!(output.status.code(), Some(1));
        assert!(text(&output.stderr).contains("nothing was attacked"), "{}", text(&output.stderr));
    }
    // Among others it is only left out.
    let output = misread(&["attack", "--images", "sample:3..5", "--target", "3", "--json"]);
    assert!(output.status.success() && text(&output.stdout).lines().count() == 2);
}

#[test]
fn what_is_wrong_is_said_in_words_and_with_an_exit_code() {
    let folder = tempfile::tempdir().unwrap();
    let broken = folder.path().join("broken.safetensors");
    std::fs::write(&broken, &crate::common::WEIGHTS[..3000]).unwrap();
    for (arguments, word) in [
        (&["attack", "--model", broken.to_str().unwrap(), "--images", "sample:1"][..], "truncated"),
        (&["attack", "--model", "nowhere.safetensors", "--images", "sample:1"], "nowhere.safetensors"),
        (&["attack", "--images", "sample:90..101"], "there are 100"),
        (&["attack", "--images", "sample:9..9"], "holds no image"),
        (&["attack", "--images", "digits:9"], "sample:0..10"),
        (&["attack", "--images", "sample:1", "--target", "12"], "label 12"),
        (&["attack", "--images", "sample:1", "--epsilon", "0"], "epsilon"),
        (&["attack", "--images", "sample:1", "--epsilon", "nan"], "epsilon"),
        (&["attack", "--images", "sample:1", "--steps", "0"], "steps"),
        (&["attack", "--images", "sample:1", "--attack", "l1", "--epsilon", "0"], "epsilon"),
        (&["attack", "--images", "sample:1", "--attack", "lbfgs", "--epsilon", "1"], "it has mode, c"),
        (&["attack", "--images", "sample:1", "--attack", "lbfgs", "--seed", "1"], "lbfgs has no seed"),
        (&["attack", "--images", "sample:1", "--confidence", "1"], "confidence"),
        (&["attack", "--images", "sample:1", "--attack", "fgsm", "--steps", "3"], "fgsm has no steps"),
        (&["attack", "--images", "sample:1", "--attack", "pgd"], "apgd"),
        (&["attack", "--images", "sample:1", "--norm", "l7"], "linf"),
        (&["attack", "--images", "sample:1", "--defence", "grey3"], "grey2, grey4, grey8"),
        (&["attack", "--images", "sample:1", "--epsilon", "-0.1"], "epsilon is -0.1; it must be from"),
        (&["attack", "--images", "sample:1", "--epsilon", "1/0"], "epsilon is inf"),
        (&["attack", "--images", "sample:1", "--valid", "nan"], "no number"),
        (&["attack", "--images", "sample:1", "--valid", "-1"], "an L2 norm starts at 0"),
        (&["attack", "--images", "sample:1", "--confident", "2"], "from 0 to 1"),
        (&["attack", "--images", "sample:1", "--samples", "18446744073709551615"], "not in 1..=10000"),
        (&["attack", "--images", "sample:1", "--eot", "0"], "not in 1..=10000"),
        (&["attack", "--images", "sample:1", "--samples", "3"], "--inference sampled"),
        (&["attack", "--images", "test:0..18446744073709551615"], "there are 10000"),
        (&["attack", "--images", "sample:1", "--model", "mnist-ccn"], "there are lfw-cnn"),
        (&["attack", "--images", "sample:1", "--data-dir", "/typo"], "there is no folder /typo"),
        (&["attack", "--model", "models/lfw-cnn.safetensors", "--images", "sample:7"], "no faces ship"),
        (&["bench", "mnist-ccn"], "mnist-cnn"),
        (&["sample", "--first", "0"], "not in 1..="),
        (&["study", "--shards", "0"], "not in 1..="),
        (&["train", "mnist-cnn", "--epochs", "0"], "not in 1..="),
        (&["train", "mnist-cnn", "--rate", "-1"], "must not be negative"),
        (&["train", "mnist-ccn"], "mnist-cnn"),
        (&["train", "fashion-mnist-dnn"], "fashion-mnist-cnn"),
        (&["fetch", "cifar"], "fashion-mnist"),
    ] {
        let output = misread(arguments);
        let said = text(&output.stderr);
        assert!(!output.status.success() && said.contains(word), "{arguments:?} said: {said}");
        assert!(!said.contains("panicked"), "{said}");
    }
}

#[cfg(not(feature = "train"))]
#[test]
fn training_without_the_feature_answers_with_the_command_to_type() {
    let said = text(&misread(&["train", "mnist-cnn", "--epochs", "3"]).stderr);
    assert!(said.contains("cargo run --release --features train -- train mnist-cnn --epochs 3"), "{said}");
}

#[test]
fn the_dense_network_falls_to_small_changes() {
    // adversarial.js fools 36 of 90 pairs of digit and target on its own network.
    let mut fooled = 0;
    for target in 0..10u64 {
        let aim = target.to_string();
        let records = records(&[
            "attack",
            "--model",
            "models/mnist-dense.safetensors",
            "--epsilon",
            "0.1",
            "--steps",
            "20",
            "--images",
            "sample:0..10",
            "--target",
            &aim,
            "--json",
        ]);
        fooled += records.iter().filter(|r| r["label"] != target && r["success"] == true).count();
    }
    assert!(fooled > 36, "{fooled} of 90");
}

#[test]
fn a_vae_that_samples_is_judged_by_fresh_draws() {
    let sampled = |model: &str, more: &[&str]| {
        let model = format!("models/{model}.safetensors");
        let mut all =
            vec!["attack", "--model", &model, "--inference", "sampled", "--images", "sample:0..20", "--json"];
        all.extend(more);
        misread(&all)
    };
    for model in ["mnist-vae", "mnist-conv-vae"] {
        let output = sampled(model, &["--epsilon", "0.3"]);
        assert!(output.status.success(), "{}", text(&output.stderr));
        let records: Vec<Value> =
            text(&output.stdout).lines().map(|l| serde_json::from_str(l).unwrap()).collect();
        assert_eq!(records.len(), 20);
        for r in records.iter().filter(|r| r["skipped"].is_null()) {
            let fresh = r["fresh"].as_f64().unwrap();
            assert!((0.0..=1.0).contains(&fresh));
            assert_eq!(r["success"], fresh >= 0.5);
        }
        // An unbounded attack reaches them all; noise in the gradient protects nobody.
        let unbounded = text(&sampled(model, &["--epsilon", "1"]).stdout);
        // What is read as the target already is skipped.
        let count = |what: &str| unbounded.matches(what).count();
        assert_eq!(count("\"success\":true") + count("\"skipped\":\""), 20, "{unbounded}");
        assert!(count("\"skipped\":\"") <= 1);
    }
    let refused = sampled("mnist-cnn", &[]);
    assert!(!refused.status.success());
    assert!(text(&refused.stderr).contains("'mnist-cnn' has no latent vector to sample"));
    let refused = sampled("mnist-vae", &["--samples", "0"]);
    assert!(text(&refused.stderr).contains("not in 1..=10000"));
}

#[test]
fn every_attack_and_every_defence_is_there_by_its_name() {
    let output = misread(&["catalogue"]);
    let catalogue: Value = serde_json::from_slice(&output.stdout).expect("JSON");
    let keys = |what: &str| -> Vec<String> {
        let all = catalogue[what].as_array().unwrap();
        all.iter().map(|one| one["key"].as_str().unwrap().to_owned()).collect()
    };
    let fields: Vec<&str> =
        catalogue["record"].as_array().unwrap().iter().map(|f| f.as_str().unwrap()).collect();
    let does = |one: &&Value| one["datasets"].as_array().unwrap().iter().any(|name| name == "mnist");
    let offered = catalogue["defences"].as_array().unwrap().iter().filter(does);
    let mut defences: Vec<String> = offered.map(|one| one["key"].as_str().unwrap().to_owned()).collect();
    defences.push("none".into());
    for attack in keys("attacks") {
        for defence in &defences {
            let arguments =
                ["attack", "--images", "sample:7..9", "--attack", &attack, "--defence", defence, "--json"];
            for record in records(&arguments) {
                let own: Vec<&str> = record.as_object().unwrap().keys().map(String::as_str).collect();
                assert!(
                    own.len() == fields.len() + 1 && fields.iter().all(|field| own.contains(field)),
                    "{record}"
                );
                assert_eq!(record["attack"].as_str(), Some(&*attack));
                assert!(!(record["refused"].as_bool().unwrap() && record["success"].as_bool().unwrap()));
                let attacker = if defence == "none" { Value::Null } else { "adaptive".into() };
                assert_eq!(record["attacker"], attacker);
                assert_eq!(
                    record["defence"],
                    if defence == "none" { Value::Null } else { defence.clone().into() }
                );
            }
        }
    }
    // Two levels of grey stop small changes of an attack that minds the gradient as it is; not those of one step that is long.
    let fooled = |defence: &str| {
        let arguments =
            ["attack", "--images", "sample:0..50", "--epsilon", "0.1", "--defence", defence, "--json"];
        records(&arguments).iter().filter(|r| r["success"] == true).count()
    };
    assert!(fooled("grey2") * 2 < fooled("none") && fooled("grey8") > fooled("grey2"));
}

#[test]
fn a_data_set_of_mnist_s_form_is_read_from_its_folder_and_its_networks_are_there() {
    let folder = tempfile::tempdir().unwrap();
    let fashion = folder.path().join("fashion-mnist");
    std::fs::create_dir(&fashion).unwrap();
    for (name, count) in [("train", 60_000u32), ("t10k", 10_000)] {
        let images = [0x0803, count, 28, 28].map(u32::to_be_bytes).concat();
        let labels = [0x0801, count].map(u32::to_be_bytes).concat();
        let pixels = (0..count as usize * 784).map(|i| (i / 784 % 251) as u8);
        std::fs::write(
            fashion.join(format!("{name}-images-idx3-ubyte")),
            [images, pixels.collect()].concat(),
        )
        .unwrap();
        let ten = (0..count).map(|i| (i % 10) as u8);
        std::fs::write(fashion.join(format!("{name}-labels-idx1-ubyte")), [labels, ten.collect()].concat())
            .unwrap();
    }
    let fetched = misread(&["fetch", "fashion-mnist", "--data-dir", folder.path().to_str().unwrap()]);
    assert!(fetched.status.success(), "{}", text(&fetched.stderr));
    assert_eq!(text(&fetched.stderr).matches("there, and genuine").count(), 4);
    assert!(fetched.stdout.is_empty(), "stdout holds results alone");
    // A network of it, without any training: random weights in a file as `train` writes them.
    let spec = misread::zoo::by_name("fashion-mnist-cnn").unwrap();
    let mut rng = fastrand::Rng::with_seed(1);
    let tensors: Vec<Vec<f32>> =
        spec.parameters().iter().map(|p| (0..p.count()).map(|_| 0.1 * (rng.f32() - 0.5)).collect()).collect();
    use misread::network::weights::{Facts, Precision, Weights};
    let bytes = Weights::to_bytes(&spec, &tensors, Precision::Int8, None, &Facts::new()).unwrap();
    let model = folder.path().join("mine.safetensors");
    std::fs::write(&model, bytes).unwrap();
    let (model, data) = (model.to_str().unwrap(), folder.path().to_str().unwrap());
    let arguments = ["attack", "--model", model, "--data-dir", data, "--images", "test:0..3", "--json"];
    for (i, record) in records(&arguments).iter().enumerate() {
        assert_eq!(
            (record["label"].as_u64(), record["dataset"].as_str()),
            (Some(i as u64), Some("fashion-mnist"))
        );
        assert_eq!(record["network"], "mine");
    }
}

#[test]
fn a_fraction_is_a_budget_and_what_is_saved_is_inside_it() {
    let folder = tempfile::tempdir().unwrap();
    let save = folder.path().to_str().unwrap();
    let records =
        records(&["attack", "--images", "sample:0..20", "--epsilon", "0.03", "--save", save, "--json"]);
    let read = |index: usize, what: &str| {
        let bytes = std::fs::File::open(folder.path().join(format!("sample-{index}-{what}.png"))).unwrap();
        let mut reader = png::Decoder::new(std::io::BufReader::new(bytes)).read_info().unwrap();
        let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
        reader.next_frame(&mut pixels).unwrap();
        pixels
    };
    for (i, r) in records.iter().enumerate() {
        let pairs = read(i, "original").into_iter().zip(read(i, "adversarial"));
        let largest = pairs.map(|(a, b)| a.abs_diff(b)).max().unwrap();
        // 0.03 is 7.65 of 255.
        assert!(largest <= 7, "{largest}");
        assert!((r["png_linf"].as_f64().unwrap() - f64::from(largest) / 255.0).abs() < 1e-6, "{r}");
        assert!(r["linf"].as_f64().unwrap() <= 0.03);
    }
    let typed = |epsilon| {
        self::records(&["attack", "--images", "sample:7", "--epsilon", epsilon, "--json"]).remove(0)["linf"]
            .clone()
    };
    assert_eq!(typed("8/255"), typed("0.03137255"));
}

#[test]
fn the_budget_that_a_search_found_is_kept_to_as_it_is_written() {
    for attack in ["strongest", "hopskipjump"] {
        let arguments = ["attack", "--images", "test:0..20", "--attack", attack, "--steps", "300", "--json"];
        let found: Vec<Value> = records(&arguments).into_iter().filter(|r| !r["budget"].is_null()).collect();
        assert!(found.len() > 10);
        for r in found {
            let (norm, budget) = (r["l2"].as_f64().unwrap(), r["budget"].as_f64().unwrap());
            assert!(norm <= budget && budget <= norm * (1.0 + 1e-6), "{norm} and {budget}");
        }
    }
}

#[test]
fn outside_the_checkout_everything_is_found() {
    let elsewhere = tempfile::tempdir().unwrap();
    let run = |arguments: &[&str]| {
        Command::new(env!("CARGO_BIN_EXE_misread"))
            .args(arguments)
            .current_dir(elsewhere.path())
            .output()
            .unwrap()
    };
    for arguments in [
        &["attack", "--images", "test:7", "--json"][..],
        &["attack", "--model", "mnist-vae", "--images", "sample:7", "--json"],
    ] {
        let output = run(arguments);
        assert!(output.status.success(), "{}", text(&output.stderr));
        assert!(text(&output.stdout).starts_with('{'));
    }
    assert_eq!(std::fs::read_dir(elsewhere.path()).unwrap().count(), 0, "nothing is made here");
}

#[test]
fn what_hides_or_loses_its_slope_is_shown_in_tables() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("out.md");
    let written = |arguments: &[&str]| {
        let output = misread(&[arguments, &["--out", out.to_str().unwrap()]].concat());
        assert!(output.status.success(), "{}", text(&output.stderr));
        std::fs::read_to_string(&out).unwrap()
    };
    let queries = ["black-box", "--images", "test:0..3", "--queries", "50", "--from", "mnist-dense"];
    let table = written(&queries);
    for row in ["| 10 |", "| 50 |", "| `mnist-dense` |", "HopSkipJump, L2", "HopSkipJump, L∞", "3 images"] {
        assert!(table.contains(row), "{row} in {table}");
    }
    assert!(!table.contains("| 100 |"), "more queries than were asked for");
    assert!(std::fs::read_to_string(out.with_extension("svg")).unwrap().contains("Square Attack"));

    let table = written(&["distillation", "--images", "test:0..18"]);
    let shares = |row: &str| -> Vec<f64> {
        let line = table.lines().find(|line| line.contains(row)).unwrap();
        line.trim_matches('|').split('|').skip(1).map(|cell| cell.trim().parse().unwrap()).collect()
    };
    // Where the softmax is exactly 0 there is no slope; the loss that never vanishes finds what the bare network's does.
    let (blunt, own) =
        (shares("softmax in single precision"), shares("`mnist-cnn-distilled`, this project's loss"));
    assert!(blunt.last().unwrap() < &20.0 && own.last() == Some(&100.0), "{table}");
    assert!(table.contains("images of a 7 towards 4"));
}

#[test]
fn a_network_goes_out_as_onnx_and_comes_back() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let (onnx, weights) = (path("cnn.onnx"), path("cnn.safetensors"));
    let out = misread(&["export", "models/mnist-cnn.safetensors", "--onnx", &onnx]);
    assert!(out.status.success(), "{}", text(&out.stderr));
    let out = misread(&["import", &onnx, "--out", &weights, "--images", "sample:0..100", "--int8"]);
    let said = text(&out.stdout);
    assert!(
        out.status.success() && said.contains("fed as unit") && said.contains("100 of 100 read rightly"),
        "{said}{}",
        text(&out.stderr)
    );
    assert!(said.contains("as int8 0 of 100 readings change"), "{said}");
    let attack = |model: &str| {
        records(&["attack", "--model", model, "--attack", "apgd", "--images", "sample:0..3", "--json"])
            .into_iter()
            .map(|r| (r["predicted"].clone(), r["success"].clone()))
            .collect::<Vec<_>>()
    };
    assert_eq!(attack(&weights), attack("models/mnist-cnn.safetensors"));
    let out = misread(&["import", "tests/data/onnx/refused-norm.onnx", "--out", &weights]);
    assert!(
        !out.status.success() && text(&out.stderr).contains("LayerNormalization"),
        "{}",
        text(&out.stderr)
    );
    let out = misread(&["export", "models/mnist-cnn.safetensors", "--onnx", &onnx, "--part", "decoder"]);
    assert!(!out.status.success() && text(&out.stderr).contains("only a VAE"), "{}", text(&out.stderr));
}

/// A grey picture of so many pixels, its bytes as `of` has them for row and column.
fn picture(path: &std::path::Path, [rows, cols]: [usize; 2], of: impl Fn(usize, usize) -> u8) {
    std::fs::create_dir_all(path.parent().unwrap()).unwrap();
    let pixels =
        image::GrayImage::from_fn(cols as u32, rows as u32, |x, y| image::Luma([of(y as usize, x as usize)]));
    pixels.save(path).unwrap();
}

#[test]
fn images_of_ones_own_are_attacked_and_saved_to_the_bit() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    // A shipped digit as a picture in a folder that is called as its label, and another in none.
    let original = path("original.npz");
    let saved =
        misread(&["attack", "--attack", "fgsm", "--images", "sample:0..3", "--json", "--save", &original]);
    assert!(saved.status.success(), "{}", text(&saved.stderr));
    let mut archive = npyz::npz::NpzArchive::open(&original).unwrap();
    let floats = |archive: &mut npyz::npz::NpzArchive<_>, name: &str| {
        let file = archive.by_name(name).unwrap().unwrap();
        (file.shape().to_vec(), file.into_vec::<f32>().unwrap())
    };
    let (shape, digits) = floats(&mut archive, "original");
    assert_eq!(shape, [3, 28, 28, 1]);
    let labels = archive.by_name("label").unwrap().unwrap().into_vec::<i64>().unwrap();
    let known = folder.path().join("pictures").join(labels[1].to_string()).join("a.png");
    let of = |digit: usize| move |row: usize, col: usize| digit * 784 + row * 28 + col;
    picture(&known, [28, 28], |row, col| (digits[of(1)(row, col)] * 255.0).round() as u8);
    // Twice as large, on a wider paper: its middle is read.
    let large = folder.path().join("pictures").join("b.png");
    picture(&large, [56, 80], |row, col| match (col as isize - 12) / 2 {
        at if (0..28).contains(&at) && col >= 12 => {
            (digits[of(2)(row / 2, at as usize)] * 255.0).round() as u8
        }
        _ => 0,
    });
    let attack = |more: &[&str]| {
        records(&[&["attack", "--attack", "linf", "--epsilon", "0.3", "--json"], more].concat())
    };
    let own = attack(&["--images", &path("pictures")]);
    assert_eq!(own.len(), 2);
    assert_eq!((&own[0]["label"], &own[0]["file"]), (&labels[1].into(), &"a.png".into()));
    assert_eq!((&own[1]["label"], &own[1]["file"]), (&labels[2].into(), &"b.png".into()));
    let sample = attack(&["--images", "sample:1"]);
    assert_eq!((&own[0]["linf"], &own[0]["confidence"]), (&sample[0]["linf"], &sample[0]["confidence"]));

    // Out to the bit, and in again: what was read of the attacked images is what they are now.
    let tensor = path("attacked.npy");
    let before = attack(&["--images", "sample:0..3", "--save", &tensor]);
    let again = attack(&["--images", &tensor, "--target", "any"]);
    for (before, again) in before.iter().zip(&again) {
        assert_eq!(before["predicted"], again["label"]);
    }
    assert_eq!(again[2]["file"], "attacked.npy[2]");
    let archive = path("all.npz");
    let with = attack(&["--images", "sample:0..3", "--save", &archive]);
    let mut archive = npyz::npz::NpzArchive::open(&archive).unwrap();
    let (_, adversarial) = floats(&mut archive, "adversarial");
    let alone = npyz::NpyFile::new(std::fs::File::open(&tensor).unwrap()).unwrap().into_vec::<f32>().unwrap();
    assert_eq!(adversarial, alone);
    for name in ["index", "label", "target", "predicted"] {
        let whole = archive.by_name(name).unwrap().unwrap().into_vec::<i64>().unwrap();
        let told: Vec<i64> = with.iter().map(|record| record[name].as_i64().unwrap()).collect();
        assert_eq!(whole, told, "{name}");
    }

    // Targets of every kind.
    let targets = |target: &str| -> Vec<Value> {
        attack(&["--images", "sample:0..3", "--target", target])
            .iter()
            .map(|record| record["target"].clone())
            .collect()
    };
    let list = path("targets.txt");
    std::fs::write(&list, "7\nany\nnext\n").unwrap();
    let next = targets("next");
    assert_eq!(targets(&list), [7.into(), Value::Null, next[2].clone()]);
    assert_eq!(targets("random:3"), targets("random:3"));
    assert_ne!(targets("random:3"), targets("random:5"));
    for (least, label) in targets("least-likely").iter().zip(&labels) {
        assert!(least.as_i64().is_some_and(|least| least != *label));
    }
    for (arguments, words) in [
        (&["--target", "12"][..], "there is no label 12"),
        (&["--target", "seven"], "least-likely"),
        (&["--target", &list, "--images", "sample:0..2"], "3 targets for 2 images"),
        (&["--images", "sample:0", "sample:1"], "one range"),
        (&["--images", "no-such.png"], "no file or folder"),
        (&["--images", &list], "neither a picture"),
    ] {
        let out = misread(&[&["attack", "--attack", "fgsm"], arguments].concat());
        assert!(!out.status.success() && text(&out.stderr).contains(words), "{words}: {}", text(&out.stderr));
    }
}

#[test]
fn a_network_of_other_images_is_imported_attacked_and_studied() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name).to_str().unwrap().to_owned();
    let weights = path("resnet.safetensors");
    let import = |more: &[&str]| {
        misread(
            &[
                &[
                    "import",
                    "tests/data/onnx/resnet.onnx",
                    "--out",
                    &weights,
                    "--labels",
                    "a,b,c,d,e,f,g,h,i,j",
                ],
                more,
            ]
            .concat(),
        )
    };
    let out = import(&[]);
    assert!(
        out.status.success() && text(&out.stderr).contains("Say --feed (unit, cifar10,"),
        "{}",
        text(&out.stderr)
    );
    let out = import(&["--feed", "cifar10"]);
    assert!(text(&out.stdout).contains("32 x 32 x 3, 10 labels"), "{}", text(&out.stdout));
    let out = misread(&["import", "tests/data/onnx/open.onnx", "--out", &path("open.safetensors")]);
    assert!(
        !out.status.success() && text(&out.stderr).contains("say it, as in 32x32x3"),
        "{}",
        text(&out.stderr)
    );
    let out = misread(&[
        "import",
        "tests/data/onnx/open.onnx",
        "--out",
        &path("open.safetensors"),
        "--image",
        "12x16x3",
    ]);
    assert!(out.status.success(), "{}", text(&out.stderr));
    // Without a test set it is said how to have one; with one, that is what is attacked.
    let data = path("data");
    std::fs::create_dir_all(&data).unwrap();
    let attack = [
        "attack",
        "--model",
        &weights,
        "--attack",
        "linf",
        "--json",
        "--data-dir",
        &data,
        "--images",
        "test:0..3",
    ];
    let out = misread(&attack);
    assert!(!out.status.success() && text(&out.stderr).contains("own-32x32x3"), "{}", text(&out.stderr));
    let mut rng = fastrand::Rng::with_seed(4);
    for (i, label) in ["a", "c", "j"].into_iter().enumerate() {
        let mut noise = || rng.u8(..);
        let pixels = image::RgbImage::from_fn(32, 32, |_, _| image::Rgb([noise(), noise(), noise()]));
        let place = folder.path().join("data/own-32x32x3").join(label);
        std::fs::create_dir_all(&place).unwrap();
        pixels.save(place.join(format!("{i}.png"))).unwrap();
    }
    let found = misread(&attack);
    let lines = text(&found.stdout);
    let labels: Vec<u64> = lines
        .lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap()["label"].as_u64().unwrap())
        .collect();
    assert_eq!(labels, [0, 2, 9], "{lines}{}", text(&found.stderr));
    let study = path("study");
    let out = import(&["--feed", "cifar10", "--int8"]);
    assert!(out.status.success(), "{}", text(&out.stderr));
    let out = misread(&[
        "study",
        "--models",
        &weights,
        "--images",
        "3",
        "--attacks",
        "none",
        "--gradients",
        "60",
        "--out",
        &study,
        "--data-dir",
        &data,
    ]);
    assert!(out.status.success(), "{}", text(&out.stderr));
    assert!(std::fs::read_to_string(folder.path().join("study/report.md")).unwrap().contains("resnet"));
}
