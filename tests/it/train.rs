//! `train` as its users call it, on made-up images.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

use misread::zoo;

/// Folders with the same few images in the files of MNIST.
fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    let mut rng = fastrand::Rng::with_seed(1);
    std::fs::create_dir_all(folder.path().join("data/mnist")).unwrap();
    for (name, count) in [("train", 5_400u32), ("t10k", 100)] {
        let labels: Vec<u8> = (0..count).map(|_| rng.u8(0..10)).collect();
        let mut images = [0x0803, count, 28, 28].map(u32::to_be_bytes).concat();
        for &label in &labels {
            // A bar whose place is the label's.
            let at = 28 * (2 + 2 * usize::from(label));
            images.extend((0..784).map(|i| if (at..at + 56).contains(&i) { 255 - rng.u8(0..40) } else { 0 }));
        }
        let mut bytes = [0x0801, count].map(u32::to_be_bytes).concat();
        bytes.extend(labels);
        let path = |kind: &str| folder.path().join(format!("data/mnist/{name}-{kind}-ubyte"));
        std::fs::write(path("images-idx3"), images).unwrap();
        std::fs::write(path("labels-idx1"), bytes).unwrap();
    }
    folder
}

fn train(folder: &Path, arguments: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_misread"));
    command.arg("train").args(arguments.split(' ')).args(["--out", "it.safetensors"]).current_dir(folder);
    command
}

fn trained(folder: &Path, arguments: &str) -> Vec<u8> {
    let output = train(folder, arguments).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    std::fs::read(folder.join("it.safetensors")).unwrap()
}

/// Kills a training as soon as it has said lines that begin so, one after the other: the first at once, if it is told to.
fn killed_after(folder: &Path, arguments: &str, at_once: bool, said: &[&str]) {
    let mut child = train(folder, arguments).stdout(Stdio::piped()).stderr(Stdio::null()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap).peekable();
    assert!(!at_once || lines.peek().is_some_and(|line| line.starts_with(said[0])));
    for begin in said {
        assert!(lines.any(|line| line.starts_with(begin)), "it never said {begin}");
    }
    child.kill().unwrap();
    child.wait().unwrap();
}

#[test]
fn one_seed_gives_one_file_and_another_another() {
    for network in ["mnist-conv-vae", "mnist-cnn"] {
        let arguments = format!("{network} --epochs 2 --seed 3");
        let (a, b) = (folder(), folder());
        let first = trained(a.path(), &arguments);
        assert!(first == trained(b.path(), &arguments), "{network}: the files differ");
        let other = zoo::read(&trained(b.path(), &arguments.replace('3', "4"))).unwrap();
        assert_ne!(other.tensors, zoo::read(&first).unwrap().tensors);
        assert!(a.path().join("it.training.svg").exists());
        assert_eq!(network.contains("vae"), a.path().join("it.reconstructions.png").exists());
        assert!(!a.path().join("it.safetensors.checkpoint").exists());
    }
}

#[test]
fn a_training_that_was_killed_goes_on_and_ends_as_if_nothing_had_happened() {
    let arguments = "mnist-conv-vae --epochs 4 --latent 6 --beta 0.5";
    let (whole, killed) = (folder(), folder());
    let expected = trained(whole.path(), arguments);
    killed_after(killed.path(), arguments, true, &["epoch  1"]);
    assert!(!killed.path().join("it.safetensors").exists(), "it was over before it could be killed");

    // Neither a fresh training nor another recipe may take the place of what was done.
    let refused = |arguments: &str, why: &str| {
        let output = train(killed.path(), arguments).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success() && said.contains(why), "{said}");
    };
    refused(arguments, "--resume");
    refused(&format!("{} --resume", arguments.replace("0.5", "0.6")), "beta 0.5, not 0.6");
    assert!(trained(killed.path(), &format!("{arguments} --resume")) == expected, "the files differ");
    refused(&format!("{arguments} --resume"), "nothing to resume");

    let weights = zoo::read(&expected).unwrap();
    assert_eq!(weights.facts["latent"], "6");
    assert_eq!(weights.spec.vae.as_ref().map(|v| v.latent), Some(6));
    assert_eq!(weights.map.map(|m| m.labels.len()), Some(100));
    std::fs::write(killed.path().join("it.safetensors.checkpoint"), &expected[..1000]).unwrap();
    refused(&format!("{arguments} --resume"), "truncated");
}

#[test]
fn what_is_trained_to_withstand_goes_on_after_it_was_killed_and_says_how_it_was_made() {
    // The distillation is killed in its teacher: what follows is whole.
    for (arguments, said, fact, value) in [
        (
            "mnist-cnn-adversarial --epochs 2 --inner-steps 2 --epsilon 0.2",
            &["epoch  1"][..],
            "adversarial",
            "linf 0.2, 2 steps",
        ),
        (
            "mnist-cnn-distilled --epochs 2 --temperature 30",
            &["the teacher:", "epoch  1"],
            "temperature",
            "30",
        ),
    ] {
        let (whole, killed) = (folder(), folder());
        let expected = trained(whole.path(), arguments);
        killed_after(killed.path(), arguments, true, said);
        assert!(!killed.path().join("it.safetensors").exists(), "it was over before it could be killed");
        assert!(
            trained(killed.path(), &format!("{arguments} --resume")) == expected,
            "{arguments}: the files differ"
        );
        let weights = zoo::read(&expected).unwrap();
        assert_eq!(weights.facts[fact], value);
        assert_eq!(weights.spec.defends.as_deref(), Some("mnist-cnn"));
        // Nothing is left beside the weights, but for the curves.
        let mut left: Vec<String> = std::fs::read_dir(killed.path())
            .unwrap()
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        left.sort();
        assert_eq!(left, ["data", "it.f32.safetensors", "it.safetensors", "it.training.svg"]);
    }
}

#[test]
fn a_distillation_that_was_killed_in_its_pupil_goes_on_there() {
    let arguments = "mnist-cnn-distilled --epochs 2";
    let (whole, killed) = (folder(), folder());
    let expected = trained(whole.path(), arguments);
    killed_after(killed.path(), arguments, false, &["its pupil:", "epoch  1"]);
    assert!(trained(killed.path(), &format!("{arguments} --resume")) == expected, "the files differ");
}

#[test]
fn what_does_not_belong_to_a_training_is_refused_in_words() {
    let folder = folder();
    for (arguments, why) in [
        ("mnist-cnn --epsilon 0.1", "mnist-cnn-adversarial is"),
        ("mnist-cnn --temperature 20", "mnist-cnn-distilled is"),
        ("mnist-cnn-adversarial --epsilon 2", "at most 1"),
        ("mnist-cnn-adversarial --norm l3", "l1"),
        ("mnist-cnn-distilled --temperature 0.5", "1 to 10000"),
    ] {
        let output = train(folder.path(), arguments).output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(!output.status.success() && said.contains(why), "{arguments}: {said}");
    }
}

/// A checkout's skeleton with made-up photographs of three people under `data/lfw`.
fn faces() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    for file in ["www/index.html", "pkg/BUILD"] {
        let path = folder.path().join(file);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, "").unwrap();
    }
    let mut rng = fastrand::Rng::with_seed(2);
    for (person, colour) in
        [("Ada_L", [200u8, 40, 40]), ("Emmy_N", [40, 200, 40]), ("Grace_H", [40, 40, 200])]
    {
        let people = folder.path().join("data/lfw").join(person);
        std::fs::create_dir_all(&people).unwrap();
        for i in 1..=26 {
            let pixels: Vec<u8> =
                (0..250 * 250).flat_map(|_| colour.map(|c| c.saturating_add(rng.u8(0..50)))).collect();
            let mut jpeg = Vec::new();
            let encoder = image::codecs::jpeg::JpegEncoder::new(&mut jpeg);
            image::ImageEncoder::write_image(encoder, &pixels, 250, 250, image::ExtendedColorType::Rgb8)
                .unwrap();
            std::fs::write(people.join(format!("{person}_{i:04}.jpg")), jpeg).unwrap();
        }
    }
    // Too few images; broken; too small.
    std::fs::create_dir_all(folder.path().join("data/lfw/Lise_M")).unwrap();
    std::fs::write(folder.path().join("data/lfw/Lise_M/Lise_M_0001.jpg"), "none").unwrap();
    std::fs::write(folder.path().join("data/lfw/Ada_L/Ada_L_0007.jpg"), "no photograph").unwrap();
    folder
}

#[test]
fn other_people_are_learnt_split_once_and_attacked() {
    let folder = faces();
    let run = |arguments: &str| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_misread"));
        command.args(arguments.split(' ')).current_dir(folder.path()).output().unwrap()
    };
    let said = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let refused = run("train lfw-cnn --min-images 27");
    assert!(
        said(&refused.stderr).contains("0 of 4 people have at least 27 images"),
        "{}",
        said(&refused.stderr)
    );
    let trained = run("train lfw-cnn --min-images 20 --epochs 2 --batch 4");
    assert!(trained.status.success(), "{}", said(&trained.stderr));
    assert!(
        said(&trained.stderr).contains("Ada_L/Ada_L_0007.jpg: it is no JPEG"),
        "{}",
        said(&trained.stderr)
    );
    let manifest = std::fs::read_to_string(folder.path().join("models/lfw-20.manifest")).unwrap();
    assert_eq!(manifest.lines().filter(|l| l.starts_with("train ")).count(), 57);
    let bytes = std::fs::read(folder.path().join("models/lfw-cnn.safetensors")).unwrap();
    let weights = zoo::read(&bytes).unwrap();
    assert_eq!(weights.spec.labels, ["Ada L", "Emmy N", "Grace H"]);
    assert_eq!(weights.facts["min_images"], "20");

    let attacked = run("attack --model models/lfw-cnn.safetensors --epsilon 0.05 --images test:0..4 --json");
    assert!(attacked.status.success(), "{}", said(&attacked.stderr));
    let test: Vec<&str> = manifest.lines().filter_map(|l| l.strip_prefix("test ")).collect();
    let readable: Vec<&&str> = test.iter().filter(|f| !f.contains("Ada_L_0007")).collect();
    for (line, file) in said(&attacked.stdout).lines().zip(readable) {
        let record: serde_json::Value = serde_json::from_str(line).unwrap();
        let person = weights.spec.labels[record["label"].as_u64().unwrap() as usize].replace(' ', "_");
        assert!(file.starts_with(&person), "{file} and {record}");
        assert!(record["linf"].as_f64().unwrap() <= 0.05 + 1e-6);
    }
    let nowhere = run("attack --model models/lfw-cnn.safetensors --data-dir www --images test:0..4");
    assert!(said(&nowhere.stderr).contains("fetch lfw"), "{}", said(&nowhere.stderr));
}

#[test]
fn a_first_step_is_what_candle_computes_whatever_the_network() {
    let folder = folder();
    for network in ["mnist-cnn", "mnist-conv-vae", "mnist-siamese", "mnist-cnn-adversarial"] {
        let output = train(folder.path(), &format!("{network} --compare --batch 16")).output().unwrap();
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let numbers: Vec<f64> =
            said.split_whitespace().filter_map(|word| word.trim_end_matches(',').parse().ok()).collect();
        assert!(numbers.len() == 2 && numbers.iter().all(|apart| *apart < 1e-4), "{network}: {said}");
        assert!(!folder.path().join("it.safetensors").exists());
    }
}

#[test]
fn the_number_of_cores_changes_no_byte_and_the_file_says_on_what_level_it_was_made() {
    let arguments = "mnist-conv-vae --epochs 1 --seed 5";
    let (all, one) = (folder(), folder());
    let expected = trained(all.path(), arguments);
    let output = train(one.path(), arguments).env("RAYON_NUM_THREADS", "1").output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(std::fs::read(one.path().join("it.safetensors")).unwrap() == expected, "the files differ");
    let level = misread::kernel::simd::Level::detect().name();
    assert_eq!(zoo::read(&expected).unwrap().facts["level"], level);
}
