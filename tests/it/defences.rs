//! Defences: guards and reductions, each met by the attack that knows it, in any order, as other people's code has them.

use misread::attack::{Goal, Norm, Options};
use misread::classifier::defence::guard::{PERCENTS, thresholds};
use misread::classifier::defence::reduce::Reduction;
use misread::classifier::{Attacker, Classifier, Guard, Inference, Query, Subject};
use misread::datasets::{Image, MNIST};
use misread::judge::{Record, Task, judge_all};
use misread::kernel::softmax::{Aim, Loss};
use misread::metrics::grade::Thresholds;
use misread::network::Weights;
use misread::zoo;

use crate::common;

fn weights(name: &str) -> Weights {
    let path = format!("{}/models/{name}.safetensors", env!("CARGO_MANIFEST_DIR"));
    zoo::read(&std::fs::read(path).unwrap()).unwrap()
}

fn behind(network: &str, defence: &str, attacker: Attacker) -> misread::error::Result<Subject> {
    let own = weights(network);
    let plain = Subject::new(&own, Inference::Mean, 1, 4)?;
    plain.behind(&own.spec, defence, attacker, &mut |name| Guard::new(&weights(name)))
}

fn digits(count: usize) -> Vec<Image> {
    let samples = common::samples();
    let digit = |index: usize| Image {
        index,
        file: None,
        label: samples.labels[index].into(),
        pixels: samples.image(index).unwrap(),
    };
    (0..count).map(digit).collect()
}

fn records(subject: &mut Subject, images: &[Image], options: &Options) -> Vec<Record> {
    let task = |image| Task { only_if_read: true, ..Task::new(image, Goal::Target((image.label + 1) % 10)) };
    let tasks: Vec<Task<'_>> = images.iter().map(task).collect();
    let judged = judge_all(subject, &tasks, options, Thresholds::new(MNIST.validity)).unwrap();
    judged.into_iter().map(|judged| judged.record).collect()
}

fn fooled(subject: &mut Subject, images: &[Image], options: &Options) -> usize {
    records(subject, images, options).iter().filter(|record| record.success).count()
}

fn linf(budget: f32) -> Options {
    Options { budget, steps: 60, ..Options::of("linf").unwrap() }
}

/// An image off the clean ones, so that neither network nor guard is at ease.
fn noisy(image: &Image, seed: u64) -> Vec<f32> {
    let mut rng = fastrand::Rng::with_seed(seed);
    image.pixels.iter().map(|x| (x + 0.3 * (rng.f32() - 0.4)).clamp(0.0, 1.0)).collect()
}

#[test]
fn the_gradient_of_every_guarded_loss_is_its_slope() {
    let images = digits(3);
    let mut rng = fastrand::Rng::with_seed(7);
    // Linear reductions and guards; rounding is straight through, and noise is another each draw.
    for defence in
        ["siamese5", "vae5", "siamese5+vae1", "mean3+siamese1", "siamese5+coarse2", "coarse4+conv-vae5"]
    {
        for network in ["mnist-cnn", "mnist-vae"] {
            let mut subject = behind(network, defence, Attacker::Adaptive).unwrap();
            let seen = &mut subject.seen;
            assert!(seen.refuses() && seen.classes() == 11 && seen.labels() == 10);
            for loss in [Loss::Label(3), Loss::Other(2), Loss::Margin { aim: Aim::Towards(4), least: 0.0 }] {
                for image in &images {
                    let x = noisy(image, 5);
                    let direction: Vec<f32> = x.iter().map(|_| rng.f32() - 0.5).collect();
                    let (mut logits, mut gradient) = ([0.0; 11], vec![0.0; 784]);
                    seen.loss_and_gradient(&x, loss, &mut logits, &mut gradient);
                    let mut at = |step: f32| {
                        let moved: Vec<f32> = x.iter().zip(&direction).map(|(x, d)| x + step * d).collect();
                        f64::from(seen.loss_and_gradient(&moved, loss, &mut [0.0; 11], &mut vec![0.0; 784]))
                    };
                    let slope = (at(1e-3) - at(-1e-3)) / 2e-3;
                    let along: f64 = gradient.iter().zip(&direction).map(|(g, d)| f64::from(g * d)).sum();
                    let length = gradient.iter().map(|g| f64::from(g * g)).sum::<f64>().sqrt();
                    // Kinks of ReLU and max-pool lie between the two points.
                    assert!(
                        (slope - along).abs() < 0.06 * length.max(1e-2),
                        "{network} {defence} {loss:?}: {slope} and {along} of {length}"
                    );
                }
            }
        }
    }
}

#[test]
fn what_is_behind_a_rounding_sees_the_rounded_image_alone() {
    let image = noisy(&digits(1)[0], 3);
    for (network, inference) in [("mnist-cnn", Inference::Mean), ("mnist-vae", Inference::Sampled)] {
        let own = weights(network);
        let of = |defence: &str| {
            let plain = Subject::new(&own, inference, 1, 4).unwrap();
            plain.behind(&own.spec, defence, Attacker::Adaptive, &mut |_| unreachable!()).unwrap()
        };
        for (defence, levels) in [("grey2", 2.0f32), ("grey4", 4.0), ("grey8", 8.0)] {
            let rounded: Vec<f32> =
                image.iter().map(|x| (x * (levels - 1.0)).round() / (levels - 1.0)).collect();
            let asked = |subject: &mut Subject, image: &[f32]| {
                let (mut logits, mut gradient) = ([0.0; 10], vec![0.0; 784]);
                let value = subject.seen.loss_and_gradient(image, Loss::Label(3), &mut logits, &mut gradient);
                let signs: Vec<bool> = gradient.iter().map(|g| *g > 0.0).collect();
                (value, logits, signs, subject.read(image, 5, |label| label == 3, |p| p[3]))
            };
            let (mut bare, mut reduced) = (of("none"), of(defence));
            assert_eq!(bare.deployed.is_some(), reduced.deployed.is_some());
            assert!(asked(&mut reduced, &image) == asked(&mut bare, &rounded), "{network} {defence}");
            assert!(asked(&mut reduced, &image) != asked(&mut bare, &image));
        }
    }
}

#[test]
fn several_queries_at_once_have_the_answers_of_one_by_one() {
    let images: Vec<Vec<f32>> = digits(3).iter().map(|image| noisy(image, 8)).collect();
    for defence in
        ["siamese5", "grey4+siamese5+vae1", "median3", "noise10", "noise10+siamese5", "siamese1+noise25"]
    {
        let mut seen = behind("mnist-cnn", defence, Attacker::Adaptive).unwrap().seen;
        let classes = seen.classes();
        let room = || (0.0f32, vec![0.0f32; classes], vec![0.0f32; classes], vec![0.0f32; 784]);
        let mut rooms = [room(), room(), room()];
        let mut queries: Vec<Query<'_>> = rooms
            .iter_mut()
            .zip(&images)
            .enumerate()
            .map(|(i, ((value, logits, scratch, gradient), image))| Query {
                image,
                loss: Loss::Label(i),
                refusal: None,
                value,
                logits,
                scratch,
                // The first asks for none: those that do are answered first.
                gradient: (i > 0).then_some(gradient),
            })
            .collect();
        seen.evaluate(&mut queries);
        drop(queries);
        for (i, (value, logits, _, gradient)) in rooms.iter().enumerate() {
            let (mut own, mut slope) = (vec![0.0; classes], vec![0.0; 784]);
            let alone = seen.loss_and_gradient(&images[i], Loss::Label(i), &mut own, &mut slope);
            assert!(
                (alone - value).abs() <= 1e-5 * alone.abs().max(1.0),
                "{defence} {i}: {alone} and {value}"
            );
            assert!(own.iter().zip(logits).all(|(a, b)| (a - b).abs() < 1e-4), "{defence} {i}");
            if i > 0 {
                let far = slope.iter().zip(gradient).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
                let most = slope.iter().fold(0.0f32, |most, g| most.max(g.abs()));
                assert!(far <= 1e-4 * most && most > 0.0, "{defence} {i}: {far} of {most}");
            }
            let mut read = vec![0.0; classes];
            seen.logits(&images[i], &mut read);
            assert!(own.iter().zip(&read).all(|(a, b)| (a - b).abs() < 1e-4), "{defence} {i}");
        }
    }
}

#[test]
fn a_guard_refuses_as_often_as_it_says_and_by_the_label_that_is_read() {
    let siamese = weights("mnist-siamese");
    let mut guard = Guard::new(&siamese).unwrap();
    let images = digits(60);
    let five = guard.threshold(5).unwrap();
    let thresholds: Vec<f32> = PERCENTS.iter().map(|&percent| guard.threshold(percent).unwrap()).collect();
    assert!(thresholds.windows(2).all(|pair| pair[0] > pair[1]), "{thresholds:?}");
    let mut subject = behind("mnist-cnn", "siamese5", Attacker::Adaptive).unwrap();
    let mut refused = 0;
    for image in &images {
        let read = subject.read(&image.pixels, 0, |label| label == image.label, |p| p[image.label]);
        assert_eq!(read.refused, guard.score(&image.pixels, read.predicted) > five);
        refused += usize::from(read.refused);
        // Sure of the network's label, however the guard's distance is scaled.
        assert!(read.confidence > 0.5 || read.predicted != image.label);
    }
    assert!(refused <= 12, "{refused} of 60");
    let error = guard.threshold(7).unwrap_err().to_string();
    assert!(error.contains("1, 2, 5, 10"), "{error}");
}

#[test]
fn thresholds_let_no_more_than_so_many_percent_of_like_images_be_refused() {
    let text = thresholds((1..=999).map(|i| i as f32).collect());
    assert_eq!(text, "1 990 2 980 5 950 10 900");
    // Too few to tell one in a hundred: the largest.
    assert_eq!(thresholds(vec![3.0, 1.0, 2.0]), "1 3 2 3 5 3 10 3");
    assert_eq!(thresholds(Vec::new()), "");
}

#[test]
fn who_knows_the_guard_gets_past_it_and_who_does_not_is_refused() {
    let images = digits(20);
    for (defence, budget) in [("siamese5", 0.2), ("vae5", 0.15), ("conv-vae5", 0.15)] {
        let of =
            |attacker| records(&mut behind("mnist-cnn", defence, attacker).unwrap(), &images, &linf(budget));
        let (blind, adaptive) = (of(Attacker::Blind), of(Attacker::Adaptive));
        let count = |records: &[Record]| records.iter().filter(|r| r.success).count();
        assert!(count(&adaptive) > count(&blind), "{defence}: {} and {}", count(&blind), count(&adaptive));
        for (records, name) in [(&blind, "blind"), (&adaptive, "adaptive")] {
            for record in records {
                assert_eq!(record.defence.as_deref(), Some(defence));
                assert_eq!(record.attacker.as_deref(), Some(name));
                assert!(!(record.success && record.refused));
            }
        }
        assert!(blind.iter().any(|r| r.refused && r.skipped.is_none()), "{defence} refuses");
    }
}

#[test]
fn a_black_box_gives_answers_alone() {
    let images = digits(4);
    let mut subject = behind("mnist-dense", "siamese1", Attacker::BlackBox).unwrap();
    let square = Options { budget: 0.4, steps: 300, ..Options::of("square").unwrap() };
    let records = records(&mut subject, &images, &square);
    assert!(records.iter().all(|r| r.gradients == 0 && r.attacker.as_deref() == Some("black-box")));
    let task = Task::new(&images[0], Goal::Target(1));
    let error = judge_all(&mut subject, &[task], &linf(0.2), Thresholds::new(MNIST.validity)).unwrap_err();
    assert!(error.to_string().contains("needs gradients"), "{error}");
}

#[test]
fn a_siamese_network_is_attacked_as_any_classifier() {
    let images = digits(10);
    let mut subject = behind("mnist-siamese", "none", Attacker::Adaptive).unwrap();
    assert!(subject.attacker.is_none() && !subject.seen.refuses());
    for attack in ["linf", "l1", "lbfgs", "apgd"] {
        let mut options = Options::of(attack).unwrap();
        if attack != "lbfgs" {
            options.search = false;
            options.budget = if attack == "l1" { 40.0 } else { 0.4 };
        }
        let fooled = fooled(&mut subject, &images, &options);
        // The dense step of L1 finds few.
        assert!(fooled >= if attack == "l1" { 2 } else { 4 }, "{attack}: {fooled}");
    }
}

#[test]
fn the_gradient_of_a_reduction_finds_more_than_straight_through() {
    let images = digits(30);
    let bare = || Subject::new(&weights("mnist-cnn"), Inference::Mean, 1, 1).unwrap();
    let l2 = Options { budget: 2.5, ..Options::of("apgd").unwrap().under(Norm::L2).unwrap() };
    for (reduction, options) in [(Reduction::Median, linf(0.1)), (Reduction::Levels(2), l2)] {
        let [own, straight] = [false, true].map(|straight| {
            let seen = reduction.before(bare().seen, straight);
            fooled(&mut Subject { seen, ..bare() }, &images, &options)
        });
        assert!(own > straight, "{reduction:?}: own {own} and straight through {straight}");
    }
}

#[test]
fn reductions_are_what_other_code_makes_of_the_same_image() {
    // 4 x 5 grey; scipy.ndimage: median_filter(size=3, mode="nearest"), uniform_filter(size=3, mode="nearest"), and numpy's means of
    // blocks (tests/data/make_reductions.py).
    let image = [
        0.9, 0.1, 0.4, 0.3, 0.8, 0.2, 0.6, 0.5, 0.0, 0.7, 1.0, 0.35, 0.15, 0.85, 0.25, 0.05, 0.45, 0.95,
        0.65, 0.55f32,
    ];
    let made: serde_json::Value = serde_json::from_str(include_str!("../data/reductions.json")).unwrap();
    /// A classifier whose logits are its image.
    #[derive(Clone)]
    struct Itself;
    impl Classifier for Itself {
        fn pixels(&self) -> usize {
            20
        }
        fn shape(&self) -> [usize; 3] {
            [4, 5, 1]
        }
        fn classes(&self) -> usize {
            20
        }
        fn logits(&mut self, image: &[f32], logits: &mut [f32]) {
            logits.copy_from_slice(image);
        }
        fn evaluate(&mut self, queries: &mut [Query<'_>]) {
            for query in queries {
                self.logits(query.image, query.logits);
                *query.value = query.loss.evaluate(query.logits, query.scratch);
            }
        }
    }
    for (name, reduction) in [
        ("grey4", Reduction::Levels(4)),
        ("median3", Reduction::Median),
        ("mean3", Reduction::Mean),
        ("coarse2", Reduction::Blocks(2)),
        ("coarse4", Reduction::Blocks(4)),
    ] {
        let mut reduced = reduction.before(Box::new(Itself), false);
        let mut logits = [0.0; 20];
        reduced.logits(&image, &mut logits);
        for (i, (x, expected)) in logits.iter().zip(made[name].as_array().unwrap()).enumerate() {
            assert!((f64::from(*x) - expected.as_f64().unwrap()).abs() < 1e-6, "{name} at {i}: {x}");
        }
    }
    assert!(Reduction::Monochrome.check(Itself.shape()).is_err());
}

#[test]
fn names_mean_what_they_say_and_what_has_no_meaning_is_refused() {
    let subject = behind("mnist-conv-vae", "grey2+vae5+siamese1", Attacker::default()).unwrap();
    assert_eq!(
        (subject.defence.as_str(), subject.attacker),
        ("grey2+vae5+siamese1", Some(Attacker::Adaptive))
    );
    // A VAE's own guard needs no other network.
    let spec = zoo::by_name("mnist-conv-vae").unwrap();
    let needed = |list: &str| misread::classifier::defence::needed(list, &spec).unwrap();
    assert!(needed("vae5").is_empty() && needed("mnist-conv-vae5").is_empty());
    assert_eq!(needed("coarse2+mnist-vae1+siamese5"), ["mnist-vae", "mnist-siamese"]);
    for (defence, words) in [
        ("siamese", "siamese5"),
        ("grey3", "grey2"),
        ("lfw-siamese5", "no defence is called"),
        ("cnn5", "no defence is called"),
        ("siamese3", "1, 2, 5, 10"),
        ("monochrome", "no colours"),
    ] {
        let error = behind("mnist-cnn", defence, Attacker::Adaptive).err().unwrap().to_string();
        assert!(error.contains(words), "{defence}: {error}");
    }
}

#[test]
fn a_guarded_search_ends_outside_the_refusal() {
    let images = digits(6);
    for norm in Norm::ALL {
        let options = Options { steps: 300, ..Options::of("strongest").unwrap().under(norm).unwrap() };
        let mut subject = behind("mnist-cnn", "siamese5", Attacker::Adaptive).unwrap();
        // With an image of the wanted label to begin at, a search always ends.
        let others = digits(20);
        let wanted = |image: &Image| (image.label + 1) % 10;
        let start = |image: &Image| others.iter().find(|other| other.label == wanted(image));
        let tasks: Vec<Task<'_>> = images
            .iter()
            .map(|image| Task {
                only_if_read: true,
                start: start(image).map(|start| &start.pixels[..]),
                ..Task::new(image, Goal::Target(wanted(image)))
            })
            .collect();
        let judged = judge_all(&mut subject, &tasks, &options, Thresholds::new(MNIST.validity)).unwrap();
        let found: Vec<Record> = judged.into_iter().map(|judged| judged.record).collect();
        assert!(found.iter().all(|r| r.skipped.is_some() || r.success && !r.refused), "{norm:?}: {found:?}");
    }
}

#[test]
fn a_trained_defence_is_met_by_who_knows_it_and_by_who_takes_it_for_what_it_defends() {
    let images = digits(25);
    let of = |name: &str| Subject::new(&weights(name), Inference::Mean, 1, 1).unwrap();
    let (bare, trained) = (of("mnist-cnn"), of("mnist-cnn-adversarial"));
    let mut blind = trained.clone();
    blind.taken_for(&bare);
    let apgd = Options { budget: 0.3, steps: 50, search: false, ..Options::of("apgd").unwrap() };
    let judged = |subject: &mut Subject| {
        let task = |image| Task { only_if_read: true, ..Task::new(image, Goal::Away(image.label)) };
        let tasks: Vec<Task<'_>> = images.iter().map(task).collect();
        judge_all(subject, &tasks, &apgd, Thresholds::new(MNIST.validity)).unwrap()
    };
    let (plain, unaware, aware) =
        (judged(&mut bare.clone()), judged(&mut blind), judged(&mut trained.clone()));
    let count = |judged: &[misread::judge::Judged]| judged.iter().filter(|j| j.record.success).count();
    assert_eq!(count(&plain), images.len());
    assert!(count(&unaware) <= count(&aware) && count(&aware) <= images.len() / 4, "{}", count(&aware));
    for ((made, replayed), image) in plain.iter().zip(&unaware).zip(&images) {
        // What is made for the network that it defends is what is replayed on it, and what it answers is judged.
        assert_eq!(made.image, replayed.image);
        let record = &replayed.record;
        assert_eq!(
            (&record.network[..], record.attacker.as_deref()),
            ("mnist-cnn-adversarial", Some("blind"))
        );
        let read = trained.clone().read(&made.image, image.index as u64, |_| true, |_| 1.0).predicted;
        assert_eq!((record.predicted, record.success), (read, read != image.label));
    }
}
