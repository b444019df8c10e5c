//! Data sets as people have them: in other spellings, with holes, broken, exchanged.

use std::fs;
use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;

fn misread(arguments: &[&str], data: &Path) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_misread"));
    command.args(arguments).arg("--data-dir").arg(data).current_dir(env!("CARGO_MANIFEST_DIR"));
    command.output().expect("the program starts")
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn records(output: &Output) -> Vec<Value> {
    assert!(output.status.success(), "{}", text(&output.stderr));
    text(&output.stdout).lines().map(|line| serde_json::from_str(line).expect("an object a line")).collect()
}

/// A photograph of so many pixels, of a pattern that `seed` decides, as a JPEG.
fn photograph(side: u32, seed: u8) -> Vec<u8> {
    let pixel = |x: u32, y: u32| {
        image::Rgb([
            (x ^ u32::from(seed)) as u8,
            (y.wrapping_mul(u32::from(seed) + 1)) as u8,
            seed.wrapping_mul(37),
        ])
    };
    let mut bytes = Vec::new();
    let mut encoder = image::codecs::jpeg::JpegEncoder::new_with_quality(&mut bytes, 90);
    encoder.encode_image(&image::RgbImage::from_fn(side, side, pixel)).unwrap();
    bytes
}

/// Makes up the first `count` test photographs of the manifest under `data`; returns their names.
pub fn faces(data: &Path, count: usize) -> Vec<String> {
    let manifest =
        fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/models/lfw-70.manifest")).unwrap();
    let files: Vec<String> = manifest
        .lines()
        .filter_map(|line| line.strip_prefix("test "))
        .take(count)
        .map(str::to_owned)
        .collect();
    for (i, file) in files.iter().enumerate() {
        let path = data.join("lfw").join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, photograph(250, i as u8)).unwrap();
    }
    files
}

const FACES: [&str; 9] =
    ["attack", "--model", "lfw-cnn", "--attack", "fgsm", "--epsilon", "0.01", "--json", "--images"];

fn attack_faces(data: &Path, images: &str) -> Output {
    misread(&[&FACES[..], &[images]].concat(), data)
}

#[test]
fn a_photograph_that_is_cut_short_damaged_or_of_another_size_is_named_and_skipped_and_the_others_keep_their_numbers()
 {
    let data = tempfile::tempdir().unwrap();
    let files = faces(data.path(), 7);
    let path = |i: usize| data.path().join("lfw").join(&files[i]);
    let whole = records(&attack_faces(data.path(), "test:0..7"));
    assert_eq!(whole.len(), 7);
    for (i, record) in whole.iter().enumerate() {
        assert_eq!(
            (record["index"].as_u64(), record["file"].as_str()),
            (Some(i as u64), Some(&files[i][..]))
        );
    }
    fs::remove_file(path(0)).unwrap();
    let bytes = fs::read(path(1)).unwrap();
    fs::write(path(1), &bytes[..3000]).unwrap();
    fs::write(path(2), photograph(300, 3)).unwrap();
    fs::write(path(3), b"").unwrap();
    let mut damaged = fs::read(path(4)).unwrap();
    let middle = damaged.len() / 2;
    // A marker that has no place among the pixels.
    damaged[middle..middle + 2].copy_from_slice(&[0xff, 0xc4]);
    fs::write(path(4), damaged).unwrap();
    let output = attack_faces(data.path(), "test:0..7");
    let left = records(&output);
    let without = |mut record: Value| {
        record["milliseconds"] = Value::Null;
        record
    };
    let left: Vec<Value> = left.into_iter().map(without).collect();
    let kept: Vec<Value> = whole.into_iter().map(without).skip(5).collect();
    assert_eq!(left, kept, "what is there is what it was");
    let said = text(&output.stderr);
    for (i, why) in ["cannot read it", "cut short", "300 x 300", "no JPEG", "damaged"].into_iter().enumerate()
    {
        let line = said.lines().find(|line| line.contains(&files[i])).unwrap_or_default();
        assert!(line.contains(why) && line.contains(&format!("image {i},")), "{said}");
    }
    assert!(said.contains("5 of 7 images were skipped"), "{said}");
    let none = attack_faces(data.path(), "test:0..5");
    assert!(!none.status.success() && text(&none.stderr).contains("none of these images"));
}

#[test]
fn a_photograph_is_turned_as_its_exif_says() {
    let upright = photograph(250, 9);
    let turned = |orientation: u8| {
        // After the start of the file, an APP1 segment with one entry: tag 0x112, a short.
        let tiff =
            [b"MM\0*\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0".as_slice(), &[orientation], &[0; 6]].concat();
        let exif = [b"Exif\0\0".as_slice(), &tiff].concat();
        let segment = [&[0xff, 0xe1], &((exif.len() + 2) as u16).to_be_bytes()[..], &exif].concat();
        [&upright[..2], &segment, &upright[2..]].concat()
    };
    let decode = |bytes: &[u8]| misread::native::jpeg::decode(bytes).unwrap();
    let plain = decode(&upright);
    assert_eq!(decode(&turned(1)), plain);
    // 3: upside down; 6: the top is on the right; 8: on the left (EXIF 2.3, section 4.6.4).
    assert_eq!(decode(&turned(3)), image::imageops::rotate180(&plain));
    assert_eq!(decode(&turned(6)), image::imageops::rotate90(&plain));
    assert_eq!(decode(&turned(8)), image::imageops::rotate270(&plain));
}

#[test]
fn faces_are_found_where_archives_put_them() {
    for place in ["", "lfw", "lfw_funneled", "lfw-deepfunneled/lfw-deepfunneled", "LFW/lfw_funneled"] {
        let data = tempfile::tempdir().unwrap();
        faces(data.path(), 2);
        let (from, to) = (data.path().join("lfw"), data.path().join("there").join(place));
        fs::create_dir_all(to.parent().unwrap()).unwrap();
        fs::rename(from, &to).unwrap();
        assert_eq!(records(&attack_faces(&data.path().join("there"), "test:0..2")).len(), 2, "{place}");
    }
    let empty = tempfile::tempdir().unwrap();
    assert!(text(&attack_faces(empty.path(), "test:0..2").stderr).contains("fetch lfw"));
    fs::write(empty.path().join("lfw-funneled.tgz"), "packed").unwrap();
    assert!(text(&attack_faces(empty.path(), "test:0..2").stderr).contains("lfw-funneled.tgz: unpack it"));
}

/// The test files of MNIST under `data`, their labels moved by `shift`.
fn digits(data: &Path, shift: u8, [images, labels]: [&str; 2]) {
    let from = Path::new(env!("CARGO_MANIFEST_DIR")).join("data/mnist");
    let write = |name: &str, bytes: Vec<u8>| {
        let path = data.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        let mut bytes = bytes;
        if name.ends_with(".gz") {
            let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
            std::io::Write::write_all(&mut packed, &bytes).unwrap();
            bytes = packed.finish().unwrap();
        }
        fs::write(path, bytes).unwrap();
    };
    write(images, fs::read(from.join("t10k-images-idx3-ubyte")).unwrap());
    let mut moved = fs::read(from.join("t10k-labels-idx1-ubyte")).unwrap();
    moved[8..].iter_mut().for_each(|label| *label = (*label + shift) % 10);
    write(labels, moved);
}

const USUAL: [&str; 2] = ["mnist/t10k-images-idx3-ubyte", "mnist/t10k-labels-idx1-ubyte"];

#[test]
fn digits_are_read_in_every_spelling_and_files_that_are_not_the_known_ones_are_named() {
    let attack = |data: &Path| misread(&["attack", "--images", "test:0..2", "--steps", "2", "--json"], data);
    for names in [
        USUAL,
        ["t10k-images.idx3-ubyte", "t10k-labels.idx1-ubyte"],
        ["t10k-images-idx3-ubyte.gz", "t10k-labels-idx1-ubyte.gz"],
        ["MNIST/raw/t10k-images-idx3-ubyte", "MNIST/raw/t10k-labels-idx1-ubyte"],
        ["a/b/t10k-images.idx3-ubyte", "a/b/t10k-labels.idx1-ubyte.gz"],
    ] {
        let data = tempfile::tempdir().unwrap();
        digits(data.path(), 0, names);
        let output = attack(data.path());
        assert_eq!(records(&output).len(), 2, "{names:?}");
        assert!(!text(&output.stderr).contains("genuine"), "{}", text(&output.stderr));
    }
    let data = tempfile::tempdir().unwrap();
    digits(data.path(), 1, USUAL);
    let output = attack(data.path());
    assert_eq!(records(&output)[0]["label"], 8, "the first digit is a 7");
    let said = text(&output.stderr);
    assert!(said.contains("t10k-labels-idx1-ubyte is not the genuine file of MNIST"), "{said}");
    assert!(!said.contains("t10k-images-idx3-ubyte is not"), "{said}");
    // One data set's files under another's name are refused.
    fs::rename(data.path().join("mnist"), data.path().join("fashion-mnist")).unwrap();
    let spec = misread::zoo::by_name("fashion-mnist-cnn").unwrap();
    let tensors: Vec<Vec<f32>> = spec.parameters().iter().map(|p| vec![0.01; p.count()]).collect();
    use misread::network::weights::{Facts, Precision, Weights};
    let model = data.path().join("mine.safetensors");
    fs::write(&model, Weights::to_bytes(&spec, &tensors, Precision::Int8, None, &Facts::new()).unwrap())
        .unwrap();
    let output =
        misread(&["attack", "--images", "test:0..2", "--model", model.to_str().unwrap()], data.path());
    let said = text(&output.stderr);
    assert!(!output.status.success() && said.contains("is MNIST's, where Fashion-MNIST is wanted"), "{said}");
}

#[test]
fn a_study_does_not_go_on_over_other_images_and_shards_of_other_images_do_not_merge() {
    let folder = tempfile::tempdir().unwrap();
    let data = [0, 1].map(|shift| {
        let data = folder.path().join(format!("data-{shift}"));
        digits(&data, shift, USUAL);
        data
    });
    let study = |out: &Path, data: &Path, more: &[&str]| {
        let out = out.to_str().unwrap();
        let common = [
            "study",
            "--dataset",
            "mnist",
            "--images",
            "3",
            "--attacks",
            "linf",
            "--budgets",
            "linf=0.2",
            "--models",
            "models/mnist-dense.safetensors",
            "--out",
            out,
        ];
        misread(&[&common[..], more].concat(), data)
    };
    let shards = [0, 1].map(|i| folder.path().join(format!("shard-{i}")));
    for (i, shard) in shards.iter().enumerate() {
        let made = study(shard, &data[i], &["--shard", &format!("{i}/2")]);
        assert!(made.status.success(), "{}", text(&made.stderr));
    }
    let again = study(&shards[0], &data[1], &["--shard", "0/2"]);
    let said = text(&again.stderr);
    assert!(!again.status.success() && said.contains("holds another study"), "{said}");
    let merge = || {
        let (a, b, out) =
            (shards[0].to_str().unwrap(), shards[1].to_str().unwrap(), folder.path().join("joined"));
        let output = misread(&["study", "merge", a, b, "--out", out.to_str().unwrap()], &data[0]);
        assert!(!output.status.success());
        text(&output.stderr)
    };
    assert!(merge().contains("different studies"));
    // Not even where someone has made the heads alike.
    let head = fs::read_to_string(shards[0].join("study.json")).unwrap();
    let mut head: serde_json::Value = serde_json::from_str(&head).unwrap();
    head["shard"]["index"] = 1.into();
    fs::write(shards[1].join("study.json"), head.to_string()).unwrap();
    let said = merge();
    assert!(said.contains("is not the one of the other shards"), "{said}");
}
