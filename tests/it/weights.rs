//! Weights files that are not right are refused, and the message says what is wrong.

use std::collections::BTreeMap;

use misread::network::safetensors::{Dtype, read, write};
use misread::zoo;
use proptest::prelude::*;
use safetensors::SafeTensors;

use crate::common::{SAMPLES, WEIGHTS};

type Parts = (Vec<(String, Dtype, Vec<usize>, Vec<u8>)>, BTreeMap<String, String>);

/// The shipped file, taken apart.
fn parts() -> Parts {
    let file = read("the weights file", WEIGHTS, 1 << 20).unwrap();
    let tensors = file.tensors.into_iter().map(|t| (t.name, t.dtype, t.shape, t.data.to_vec())).collect();
    (tensors, file.metadata)
}

#[test]
fn files_are_read_and_written_as_the_safetensors_library_does() {
    for bytes in [WEIGHTS, SAMPLES] {
        let (theirs, ours) = (SafeTensors::deserialize(bytes).unwrap(), read("it", bytes, 1 << 20).unwrap());
        assert_eq!(theirs.len(), ours.tensors.len());
        for tensor in &ours.tensors {
            let their = theirs.tensor(&tensor.name).unwrap();
            assert_eq!((their.shape(), their.data()), (&tensor.shape[..], tensor.data));
            assert_eq!(format!("{:?}", their.dtype()), tensor.dtype.name());
        }
        let (_, metadata) = SafeTensors::read_metadata(bytes).unwrap();
        let metadata = metadata.metadata().clone().unwrap();
        assert_eq!(metadata.into_iter().collect::<BTreeMap<_, _>>(), ours.metadata);
    }
    let facts = BTreeMap::from([("a \"b\"\n\\".to_owned(), "\u{1}ä\u{1f600}".to_owned())]);
    let odd = vec![
        ("b".to_owned(), Dtype::U8, vec![3], vec![1, 2, 3]),
        ("a".to_owned(), Dtype::F32, vec![0, 2], vec![]),
        ("c".to_owned(), Dtype::F32, vec![], vec![0; 4]),
    ];
    let bytes = write(odd, facts.clone()).unwrap();
    let theirs = SafeTensors::deserialize(&bytes).unwrap();
    assert_eq!((theirs.len(), theirs.tensor("b").unwrap().data()), (3, &[1, 2, 3][..]));
    let (_, metadata) = SafeTensors::read_metadata(&bytes).unwrap();
    assert_eq!(metadata.metadata().clone().unwrap().into_iter().collect::<BTreeMap<_, _>>(), facts);
    assert_eq!(read("it", &bytes, 1 << 20).unwrap().metadata, facts);
    // What the library writes with escapes of its own is read, too.
    let view = safetensors::tensor::TensorView::new(safetensors::Dtype::I8, vec![1], &[7]).unwrap();
    let header = facts.clone().into_iter().collect();
    let bytes = safetensors::serialize([("x/y", view)], Some(header)).unwrap();
    let file = read("it", &bytes, 1 << 20).unwrap();
    assert_eq!((&file.metadata, file.tensor("x/y").unwrap().data), (&facts, &[7][..]));
}

fn refused(bytes: &[u8], word: &str) {
    let error = zoo::read(bytes).expect_err("refused").to_string();
    assert!(error.contains(word), "'{error}' says nothing of '{word}'");
}

fn changed(change: impl FnOnce(&mut Parts)) -> Vec<u8> {
    let mut parts = parts();
    change(&mut parts);
    write(parts.0, parts.1).unwrap()
}

fn tensor<'a>(parts: &'a mut Parts, name: &str) -> &'a mut (String, Dtype, Vec<usize>, Vec<u8>) {
    parts.0.iter_mut().find(|t| t.0 == name).unwrap()
}

#[test]
fn the_shipped_file_is_right_and_states_its_facts() {
    let weights = zoo::read(WEIGHTS).unwrap();
    let fact = |name: &str| weights.facts.get(name).unwrap_or_else(|| panic!("no fact '{name}'")).clone();
    let (f32, int8): (f64, f64) =
        (fact("accuracy_f32").parse().unwrap(), fact("accuracy_int8").parse().unwrap());
    assert!(f32 >= 0.99 && int8 >= 0.99 && f32 - int8 <= 0.001, "{f32} and {int8}");
    for name in ["arch", "dataset", "seed", "command", "crate_version"] {
        assert!(!fact(name).is_empty());
    }
    assert!(changed(|_| {}) == WEIGHTS, "writing is the inverse of reading");
}

#[test]
fn files_that_are_not_right_are_refused_in_words() {
    refused(b"", "ends after 0 bytes");
    refused(b"hello", "ends after 5 bytes");
    refused(b"<!doctype html><html></html>", "no safetensors file");
    refused(&[255; 64], "no safetensors file");
    refused(&WEIGHTS[..100], "truncated");
    refused(&WEIGHTS[..WEIGHTS.len() - 1], "truncated");
    refused(&[WEIGHTS, &[0]].concat(), "longer");
    refused(SAMPLES, "format");
    refused(&vec![0; 65 << 20], "at most");
    refused(&changed(|p| p.1.clear()), "not exported by misread");
    refused(
        &changed(|p| {
            p.1.insert("arch".into(), "mnist-ccn".into());
        }),
        "mnist-ccn",
    );
    refused(
        &changed(|p| {
            p.1.insert("format".into(), "misread-weights-9".into());
        }),
        "misread-weights-9",
    );
    refused(&changed(|p| p.0.retain(|t| t.0 != "conv2.bias")), "'conv2.bias' is missing");
    refused(&changed(|p| p.0.push(("more".into(), Dtype::U8, vec![1], vec![0]))), "tensors");
    refused(&changed(|p| tensor(p, "conv2.weight").2 = vec![32, 64, 3, 3]), "[32, 64, 3, 3]");
    refused(
        &changed(|p| {
            let bias = tensor(p, "conv1.bias");
            (bias.2, bias.3) = (vec![33], vec![0; 132]);
        }),
        "[33]",
    );
    refused(&changed(|p| tensor(p, "conv1.weight").1 = Dtype::U8), "U8");
    // One name for two things: of a tensor, of a fact, of what a tensor is.
    for (first, again) in
        [("\"conv1.bias\":", "\"conv2.bias\":"), ("\"arch\":", "\"seed\":"), ("\"dtype\":", "\"shape\":")]
    {
        let length = u64::from_le_bytes(*WEIGHTS.first_chunk().unwrap()) as usize;
        let header = std::str::from_utf8(&WEIGHTS[8..8 + length]).unwrap();
        assert!(header.contains(first) && header.contains(again), "{header}");
        let twice = header.replacen(again, first, 1);
        let bytes =
            [&(twice.len() as u64).to_le_bytes()[..], twice.as_bytes(), &WEIGHTS[8 + length..]].concat();
        refused(&bytes, "is there twice");
    }
    for (value, word) in [(f32::NAN, "NaN"), (f32::INFINITY, "inf"), (-1.0, "-1")] {
        let bytes = value.to_le_bytes();
        refused(&changed(|p| tensor(p, "dense1.weight.scale").3[8..12].copy_from_slice(&bytes)), word);
    }
    refused(&changed(|p| tensor(p, "dense2.bias").3[..4].copy_from_slice(&f32::NAN.to_le_bytes())), "NaN");
}

#[test]
fn a_header_that_claims_absurd_sizes_is_refused_before_anything_is_allocated() {
    for shape in ["[18446744073709551615]", "[4294967296,4294967296]", "[1000000000000]"] {
        let header = format!(
            "{{\"__metadata__\":{{\"format\":\"misread-weights-1\",\"arch\":\"mnist-cnn\"}},\
             \"conv1.weight\":{{\"dtype\":\"I8\",\"shape\":{shape},\"data_offsets\":[0,1000000000000]}}}}"
        );
        let mut bytes = (header.len() as u64).to_le_bytes().to_vec();
        bytes.extend(header.as_bytes());
        assert!(zoo::read(&bytes).is_err());
    }
    let mut bytes = WEIGHTS.to_vec();
    bytes[..8].copy_from_slice(&u64::MAX.to_le_bytes());
    refused(&bytes, "header");
}

proptest! {
    #[test]
    fn no_truncation_and_no_changed_header_byte_panics(cut in 0usize..WEIGHTS.len(), at in 0usize..2000, byte: u8) {
        prop_assert!(zoo::read(&WEIGHTS[..cut]).is_err());
        let mut bytes = WEIGHTS.to_vec();
        bytes[at] = byte;
        // Some changes only change a fact; none may panic.
        let _ = zoo::read(&bytes);
    }
}
