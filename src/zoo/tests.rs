#[cfg(target_arch = "wasm32")]
use wasm_bindgen_test::wasm_bindgen_test as test;

use super::*;
use crate::network::spec::shapes;
use crate::network::{Parameter, text};

#[test]
fn the_cnn_is_the_one_described() {
    let cnn = by_name("mnist-cnn").unwrap();
    let weights: usize = cnn.parameters().iter().map(Parameter::count).sum();
    assert_eq!((weights, cnn.gradient_flops()), (225_034, 10_524_160));
    assert_eq!(shapes(cnn.image, &cnn.layers).last(), Some(&[1, 1, 10]));
}

#[test]
fn every_network_is_sound_trained_somehow_and_comes_back_from_its_text() {
    for spec in all() {
        spec.check().unwrap();
        assert!(recipe(&spec.name).is_some() && by_name(&spec.name).unwrap() == spec);
        assert!(spec.dataset != "lfw" || spec.gradient_flops() <= 300_000_000, "{}", spec.name);
        let text = text::write(&spec);
        let back = text::read(&text, spec.labels.clone()).unwrap();
        assert_eq!(back.parameters(), spec.parameters(), "{text}");
        let kinds = |layers: &[Layer]| layers.iter().map(|layer| layer.kind).collect::<Vec<_>>();
        assert_eq!(kinds(&back.layers), kinds(&spec.layers));
        let vae = |spec: &Spec| spec.vae.as_ref().map(|vae| (vae.latent, vae.encoder, kinds(&vae.decoder)));
        assert_eq!(vae(&back), vae(&spec));
        let about = |s: &Spec| {
            (
                s.name.clone(),
                s.title.clone(),
                s.family.clone(),
                s.control_of.clone(),
                s.defends.clone(),
                s.image,
            )
        };
        assert_eq!(about(&back), about(&spec));
        if let Some(defended) = spec.defends.as_deref().map(|name| by_name(name).unwrap()) {
            assert_eq!(
                defended.parameters(),
                spec.parameters(),
                "what defends has the layers of what it defends"
            );
        }
        if let Some(vae) = spec.control_of.as_deref().map(|name| by_name(name).unwrap()) {
            assert_eq!(kinds(&vae.layers), kinds(&spec.layers), "a control has its VAE's layers");
        }
    }
    assert!(by_name("mnist-ccn").unwrap_err().to_string().contains("mnist-cnn"));
    assert!(by_name("fashion-mnist-cnn").is_ok() && !shipped().iter().any(|s| s.dataset == "fashion-mnist"));
}

#[test]
fn a_text_that_is_not_right_is_refused_in_words() {
    let spec = by_name("mnist-cnn").unwrap();
    let text = text::write(&spec);
    for (from, to, word) in [
        ("misread-network-1", "misread-network-9", "begin with"),
        ("image 28 28 1", "image 28 28", "28 28 1"),
        ("image 28 28 1", "image 512 28 1", "at most"),
        ("channels=64", "channels=64000000", "1 to"),
        ("channels=64 kernel=3", "channels=1048576 kernel=3", "numbers are possible"),
        ("outputs=128", "outputs=100000", "weights take"),
        ("outputs=128", "outputs=0", "1 to"),
        ("kernel=3 stride=1 <- image", "kernel=40 stride=1 <- image", "window"),
        ("conv channels=32", "deconv channels=32", "no layer"),
        ("<- image", "<- nothing", "not there"),
        ("layer layer.2: relu <- conv1", "layer conv1: relu <- conv1", "taken"),
        ("layer layer.2: relu <- conv1", "layer layer.2: relu <- image", "nowhere"),
        ("dataset mnist\n", "", "no dataset"),
    ] {
        assert!(text.contains(from), "{from} in {text}");
        let error = text::read(&text.replacen(from, to, 1), spec.labels.clone()).unwrap_err().to_string();
        assert!(error.contains(word), "{to}: {error}");
    }
    assert!(text::read(&text, spec.labels[..9].to_vec()).unwrap_err().to_string().contains("labels"));
    // Wide and deep enough to cost more than is run, in few weights.
    let dear = Spec {
        image: [256, 256, 4],
        layers: vec![
            Layer::conv("a", 64, 3, 1),
            Layer::plain(Kind::RELU),
            Layer::conv("b", 64, 3, 1),
            Layer::plain(Kind::RELU),
            Layer::plain(Kind::AvgPool(Window::tiles(32))),
            Layer::dense("c", 10),
        ],
        ..spec
    };
    assert!(dear.check().unwrap_err().to_string().contains("operations"));
}

#[test]
fn a_latent_vector_of_another_size_changes_its_layers_alone() {
    let vae = by_name("mnist-conv-vae").unwrap();
    let other = vae.clone().with_latent(7).unwrap();
    let changed: Vec<String> = std::iter::zip(other.parameters(), vae.parameters())
        .filter(|(a, b)| a != b)
        .map(|(a, _)| a.name)
        .collect();
    let layers = ["mean", "head1", "log_variance", "decoder1"];
    let expected: Vec<String> =
        layers.iter().flat_map(|layer| ["weight", "bias"].map(|what| format!("{layer}.{what}"))).collect();
    assert_eq!(changed, expected);
    let people = ["Ada", "Grace", "Emmy"].map(String::from);
    let other = by_name("lfw-cnn").unwrap().with_labels(&people).unwrap();
    assert!(other.check().is_ok() && other.classes() == 3);
    assert!(by_name("lfw-cnn").unwrap().with_labels(&people[..1]).is_err());
    assert!(vae.with_latent(0).is_err() && by_name("mnist-cnn").unwrap().with_latent(20).is_err());
}
