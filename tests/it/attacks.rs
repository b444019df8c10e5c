//! The attacks' invariants, on the shipped network and on a linear one with a closed form.

use misread::attack::apgd::LossKind;
use misread::attack::l1::L1Form;
use misread::attack::{Attack, Goal, Norm, Options, Progress, run, run_all};
use misread::classifier::{Classifier, Network, Query};
use misread::error::Error;
use misread::metrics::norms::Norms;
use misread::zoo;
use proptest::prelude::*;

use crate::common;

/// Two labels, logits `(w . x + b, 0)`.
struct Linear {
    w: Vec<f32>,
    b: f32,
}

impl Classifier for Linear {
    fn pixels(&self) -> usize {
        self.w.len()
    }
    fn classes(&self) -> usize {
        2
    }
    fn logits(&mut self, image: &[f32], logits: &mut [f32]) {
        logits[0] = self.b + self.w.iter().zip(image).map(|(w, x)| w * x).sum::<f32>();
        logits[1] = 0.0;
    }
    fn evaluate(&mut self, queries: &mut [Query<'_>]) {
        for query in queries {
            self.logits(query.image, query.logits);
            let mut dz = [0.0; 2];
            *query.value = query.loss.evaluate(query.logits, &mut dz);
            for (g, w) in query.gradient.iter_mut().flat_map(|gradient| gradient.iter_mut()).zip(&self.w) {
                *g = dz[0] * w;
            }
        }
    }
}

fn options(budget: f32, steps: usize) -> Options {
    Options { budget, steps, ..of("linf") }
}

/// The defaults of an attack, with a fixed budget where it can have one.
fn of(name: &str) -> Options {
    let options = Options::of(name).unwrap();
    Options { search: options.search && name != "strongest", ..options }
}

fn under(name: &str, norm: Norm) -> Options {
    of(name).under(norm).unwrap()
}

/// The study's attacks, with both forms under L1.
fn three() -> [Options; 4] {
    let l1 = of("l1");
    [of("linf"), Options { form: L1Form::Sparse, ..l1 }, l1, of("lbfgs")]
}

/// All others that follow a gradient or seek the boundary, under every norm that each knows.
fn strong() -> Vec<Options> {
    ["apgd", "strongest", "hopskipjump"]
        .iter()
        .flat_map(|name| of(name).attack.norms.iter().map(|norm| under(name, *norm)))
        .collect()
}

/// The norm that an attack bounds.
fn distance(options: Options, image: &[f32], original: &[f32]) -> f64 {
    options.norm.of(&Norms::between(original, image))
}

#[test]
fn on_a_linear_model_the_attack_ends_at_the_corner_of_the_ball() {
    let mut model = Linear { w: vec![1.0, -2.0, 0.0, 3.0, -1.0], b: -5.0 };
    let x0 = [0.5, 0.5, 0.5, 0.9, 0.05];
    for (goal, signs) in
        [(Goal::Target(0), [1.0f32, -1.0, 0.0, 1.0, -1.0]), (Goal::Away(1), [1.0, -1.0, 0.0, 1.0, -1.0])]
    {
        let mut attack = options(0.2, 10).attack(&model, &x0, goal).unwrap();
        let end = run(&mut *attack, &mut model).unwrap();
        let expected: Vec<f32> = x0.iter().zip(signs).map(|(x, s)| (x + 0.2 * s).clamp(0.0, 1.0)).collect();
        for (a, e) in attack.image().iter().zip(&expected) {
            assert!((a - e).abs() < 1e-6, "{:?} and {expected:?}", attack.image());
        }
        assert_eq!((end.step, end.gradients, end.done), (10, 10, true));
    }
}

#[test]
fn a_pixel_without_a_gradient_stays() {
    let mut model = Linear { w: vec![0.0, 1.0], b: -2.0 };
    let mut attack = options(0.1, 3).attack(&model, &[0.3, 0.3], Goal::Target(0)).unwrap();
    let first = attack.step(&mut model).unwrap();
    assert_eq!(first.zero_gradient, 0.5);
    run(&mut *attack, &mut model).unwrap();
    assert_eq!(attack.image()[0], 0.3);
}

#[test]
fn what_cannot_be_attacked_is_refused_in_words() {
    let mut network = common::network();
    let samples = common::samples();
    let image = samples.image(7).unwrap();
    let new = |image: &[f32], goal, options: Options| options.attack(&common::network(), image, goal);
    let mut nan = image.clone();
    nan[3] = f32::NAN;
    let mut bright = image.clone();
    bright[3] = 1.5;
    for (image, goal, options, word) in [
        (&nan, Goal::Target(3), options(0.3, 40), "NaN"),
        (&bright, Goal::Target(3), options(0.3, 40), "1.5"),
        (&image[1..].to_vec(), Goal::Target(3), options(0.3, 40), "783"),
        (&image, Goal::Target(10), options(0.3, 40), "label 10"),
        (&image, Goal::Target(3), options(0.0, 40), "epsilon"),
        (&image, Goal::Target(3), options(f32::NAN, 40), "epsilon"),
        (&image, Goal::Target(3), options(0.3, 0), "steps"),
        (&image, Goal::Target(3), Options { alpha: Some(0.0), ..options(0.3, 40) }, "step size"),
        (&image, Goal::Target(3), Options { confidence: 1.0, ..options(0.3, 40) }, "confidence"),
        (&image, Goal::Target(3), Options { confidence: f32::NAN, ..of("lbfgs") }, "confidence"),
        (&image, Goal::Target(3), Options { budget: 0.0, ..three()[1] }, "epsilon"),
        (&image, Goal::Target(3), Options { budget: 785.0, ..three()[2] }, "784"),
        (&image, Goal::Target(3), Options { budget: 0.0, ..of("lbfgs") }, "c is 0"),
        (&image, Goal::Target(3), Options { steps: 0, ..of("lbfgs") }, "iterations"),
        (&image, Goal::Target(3), Options { seed: Some(1), ..of("lbfgs") }, "no seed"),
        (&nan, Goal::Target(3), of("lbfgs"), "NaN"),
        (&image, Goal::Target(3), Options { budget: 1.5, ..of("square") }, "epsilon"),
        (&image, Goal::Target(3), Options { steps: 0, ..of("square") }, "queries"),
        (&image, Goal::Target(3), Options { search: true, ..of("square") }, "no mode"),
        (&image, Goal::Target(10), of("square"), "label 10"),
        (&image, Goal::Target(3), Options { budget: 1.5, ..strong()[0] }, "epsilon"),
        (&image, Goal::Target(3), Options { steps: 0, ..strong()[1] }, "steps"),
        (&image, Goal::Target(3), Options { restarts: 0, ..strong()[2] }, "restarts"),
        (&image, Goal::Target(3), Options { alpha: Some(0.1), ..strong()[2] }, "no alpha"),
        (&image, Goal::Target(3), Options { budget: 29.0, ..under("strongest", Norm::L2) }, "28"),
        (&image, Goal::Target(3), Options { steps: 9, ..strong()[3] }, "gradients"),
        (&image, Goal::Target(3), Options { restarts: 2, ..strong()[3] }, "no restarts"),
        (&image, Goal::Target(3), Options { loss: LossKind::Dlr, ..of("linf") }, "no loss"),
        (&image, Goal::Target(3), Options { confidence: 1.0, ..strong()[4] }, "confidence"),
        (&image, Goal::Target(3), Options { steps: 0, ..strong()[7] }, "queries"),
        (&image, Goal::Target(3), Options { norm: Norm::L1, ..of("hopskipjump") }, "l2 and linf"),
        (&nan, Goal::Target(3), strong()[6], "NaN"),
    ] {
        let error = new(image, goal, options).err().expect("refused").to_string();
        assert!(error.contains(word), "'{error}' says nothing of {word}");
    }
    for method in three().into_iter().chain(strong()) {
        for (goal, word) in [(Goal::Target(7), "already reads"), (Goal::Away(3), "already misreads")] {
            for seed in [None, Some(5)].into_iter().take(if method.attack.name == "lbfgs" { 1 } else { 2 }) {
                let mut attack = new(&image, goal, Options { seed, ..method }).unwrap();
                let said = attack.step(&mut network).unwrap_err();
                assert!(matches!(&said, Error::Skipped(why) if why.contains(word)), "{method:?}: {said}");
            }
        }
    }
}

#[test]
fn black_and_white_images_can_be_attacked() {
    let mut network = common::network();
    for value in [0.0, 1.0] {
        let image = vec![value; 784];
        let mut logits = vec![0.0; 10];
        network.logits(&image, &mut logits);
        let read = misread::metrics::argmax(&logits);
        for method in three().into_iter().chain(strong()) {
            let options = Options { steps: 10, ..method };
            let mut attack = options.attack(&network, &image, Goal::Target((read + 1) % 10)).unwrap();
            let end = run(&mut *attack, &mut network).unwrap();
            let best = attack.outcome().unwrap();
            assert!(end.loss.is_finite() && best.image.iter().all(|x| (0.0..=1.0).contains(x)));
            if !options.search && best.progress.success {
                assert!(distance(method, &best.image, &image) <= f64::from(options.budget) * (1.0 + 1e-5));
            }
        }
    }
}

#[test]
fn an_attack_that_has_ended_says_so() {
    let (mut network, image) = (common::network(), common::samples().image(7).unwrap());
    for method in three().into_iter().chain(strong()) {
        let steps = if method.attack.name == "strongest" { 10 } else { 2 };
        let options = Options { steps, search: false, ..method };
        let mut attack = options.attack(&network, &image, Goal::Target(3)).unwrap();
        assert!(attack.outcome().is_none());
        run(&mut *attack, &mut network).unwrap();
        assert_eq!(attack.step(&mut network).unwrap_err(), Error::Ended);
    }
}

#[test]
fn the_square_attack_fools_without_a_gradient_within_its_ball_and_only_as_its_seed_says() {
    let (mut network, image) = (common::network(), common::samples().image(7).unwrap());
    let square = |seed| Options { seed: Some(seed), early_stop: true, ..of("square") };
    let mut images = Vec::new();
    for seed in [1, 1, 2] {
        let mut attack = square(seed).attack(&network, &image, Goal::Target(3)).unwrap();
        loop {
            let progress = attack.step(&mut network).unwrap();
            let far = Norms::between(&image, attack.image()).linf;
            assert!(far <= 0.3 + 1e-6 && attack.image().iter().all(|x| (0.0..=1.0).contains(x)));
            assert_eq!((progress.gradients, progress.zero_gradient), (0, 0.0));
            if progress.done {
                assert!(progress.success, "a shipped network falls at 0.3: {progress:?}");
                break;
            }
        }
        assert_eq!(attack.step(&mut network).unwrap_err(), Error::Ended);
        images.push(attack.outcome().unwrap().image.clone());
    }
    assert!(images[0] == images[1] && images[0] != images[2]);
    // A loss that nothing lowers ends with the queries.
    let mut constant = Linear { w: vec![0.0; 5], b: -1.0 };
    let mut attack = Options { steps: 9, ..square(1) }.attack(&constant, &[0.5; 5], Goal::Target(0)).unwrap();
    let end = run(&mut *attack, &mut constant).unwrap();
    assert_eq!((end.step, end.success), (9, false));
    // On a linear model that does not mix pixels the corner of the ball is found.
    let mut linear = Linear { w: vec![1.0, -2.0, 0.5, 3.0], b: -100.0 };
    let options = Options { budget: 0.2, early_stop: false, ..square(3) };
    let mut attack = options.attack(&linear, &[0.5; 4], Goal::Target(0)).unwrap();
    run(&mut *attack, &mut linear).unwrap();
    for (a, e) in attack.outcome().unwrap().image.iter().zip([0.7, 0.3, 0.7, 0.7]) {
        assert!((a - e).abs() < 1e-6);
    }
}

#[test]
fn on_a_linear_model_the_closed_forms_are_found() {
    // Two labels, margin w . x + b = -1 at the start: the nearest point across it lies at 1/|w| in the dual norm.
    let w = vec![1.0, -2.0, 0.0, 3.0, -1.0];
    let x0 = vec![0.5; 5];
    let b = -1.0 - 0.5;
    for (method, nearest, precision) in
        [(three()[0], 1.0 / 7.0, 0.02), (three()[1], 1.0 / 3.0, 0.03), (three()[3], 1.0 / 15f64.sqrt(), 0.02)]
    {
        let mut model = Linear { w: w.clone(), b: b as f32 };
        let steps = 100;
        let options = Options { search: true, steps, ..method };
        let options = if method == three()[1] { Options { budget: 1.0, ..options } } else { options };
        let mut attack = options.attack(&model, &x0, Goal::Target(0)).unwrap();
        run(&mut *attack, &mut model).unwrap();
        let best = attack.outcome().unwrap();
        let found = distance(method, &best.image, &x0);
        assert!(best.progress.success, "{method:?}");
        assert!(
            found >= nearest * (1.0 - 1e-5) && found <= nearest * (1.0 + precision),
            "{method:?}: {found}, the nearest lies at {nearest}"
        );
    }
}

#[test]
fn a_search_finds_less_than_the_budget_it_begins_with_and_nothing_smaller_does() {
    let (mut network, image) = (common::network(), common::samples().image(7).unwrap());
    for method in [three()[0], three()[1]] {
        let options = Options { search: true, ..method };
        let mut attack = options.attack(&network, &image, Goal::Target(3)).unwrap();
        let end = run(&mut *attack, &mut network).unwrap();
        let best = attack.outcome().unwrap().progress;
        let found = options.budget_of(&best).unwrap();
        assert!(best.success && found < f64::from(options.budget) && end.round > 3, "{method:?}: {found}");
        let less = Options { budget: 0.9 * found as f32, early_stop: true, ..method };
        let mut attack = less.attack(&network, &image, Goal::Target(3)).unwrap();
        assert!(!run(&mut *attack, &mut network).unwrap().success, "{method:?}: 0.9 of {found} does as well");
    }
}

#[test]
fn the_confidence_that_is_asked_for_is_reached() {
    let (mut network, image) = (common::network(), common::samples().image(7).unwrap());
    for method in three() {
        for (search, early_stop) in [(false, true), (true, false)] {
            let budget = if method.attack.name == "lbfgs" && !search { 100.0 } else { method.budget };
            let options = Options { search, early_stop, budget, confidence: 0.9, steps: 60, ..method };
            let mut attack = options.attack(&network, &image, Goal::Target(3)).unwrap();
            run(&mut *attack, &mut network).unwrap();
            let best = attack.outcome().unwrap();
            assert!(best.progress.success && best.progress.confidence >= 0.9, "{method:?}: {best:?}");
            assert_eq!(best.progress.confidence, best.probabilities[3]);
        }
    }
}

#[test]
fn a_network_that_is_sure_beyond_f32_is_attacked_all_the_same() {
    // Logits (w . x + b) * 1000: the softmax is exactly 0 and 1 at the start.
    for goal in [Goal::Target(0), Goal::Away(1)] {
        for method in three() {
            let mut model = Linear { w: vec![1000.0, -2000.0, 500.0], b: -400.0 };
            let options = Options { search: true, budget: 0.1, ..method };
            let mut attack = options.attack(&model, &[0.3, 0.3, 0.3], goal).unwrap();
            let first = attack.step(&mut model).unwrap();
            assert!(first.loss > 100.0 && first.confidence == 0.0, "{first:?}");
            run(&mut *attack, &mut model).unwrap();
            assert!(attack.outcome().unwrap().progress.success, "{method:?} {goal:?}");
        }
    }
}

#[test]
fn the_gradients_that_attacks_descend_are_the_slopes_of_their_losses() {
    let (mut network, samples) = (common::network(), common::samples());
    let mut rng = fastrand::Rng::with_seed(3);
    let (mut z, mut gradient, mut unused) = (vec![0.0; 10], vec![0.0; 784], vec![0.0; 784]);
    for digit in 0..40 {
        // Noise takes the image off the kinks of max-pooling, at which a slope has two sides.
        let noisy = |x: f32, rng: &mut fastrand::Rng| 0.8 * x + 0.2 * rng.f32();
        let image: Vec<f32> = samples.image(digit).unwrap().iter().map(|&x| noisy(x, &mut rng)).collect();
        let label = usize::from(samples.labels[digit]);
        for goal in [Goal::Target((label + 1) % 10), Goal::Away(label)] {
            network.loss_and_gradient(&image, goal.loss(), &mut z, &mut gradient);
            let length = gradient.iter().map(|g| f64::from(*g).powi(2)).sum::<f64>().sqrt();
            let h = 2e-3f32;
            let mut loss_at = |side: f32| {
                let moved: Vec<f32> =
                    image.iter().zip(&gradient).map(|(x, g)| x + side * h * g / length as f32).collect();
                f64::from(network.loss_and_gradient(&moved, goal.loss(), &mut z, &mut unused))
            };
            let slope = (loss_at(1.0) - loss_at(-1.0)) / (2.0 * f64::from(h));
            assert!((slope / length - 1.0).abs() < 0.02, "digit {digit}, {goal:?}: {slope} and {length}");
        }
    }
}

#[test]
fn on_a_linear_model_the_strong_attacks_find_the_closed_forms() {
    // As above: the nearest point lies at 1/|w| in the dual norm.
    let w = vec![1.0, -2.0, 0.0, 3.0, -1.0];
    let x0 = vec![0.5; 5];
    for (norm, nearest) in [(Norm::Linf, 1.0 / 7.0), (Norm::L1, 1.0 / 3.0), (Norm::L2, 1.0 / 15f64.sqrt())] {
        let mut model = Linear { w: w.clone(), b: -1.5 };
        for goal in [Goal::Target(0), Goal::Away(1)] {
            let options = Options { search: true, ..under("strongest", norm) };
            let mut attack = options.attack(&model, &x0, goal).unwrap();
            run(&mut *attack, &mut model).unwrap();
            let best = attack.outcome().unwrap();
            let found = distance(options, &best.image, &x0);
            assert!(best.progress.success && found >= nearest * (1.0 - 1e-5), "{norm:?} {found} {nearest}");
            // Under L1 what is left on the other pixels counts, too.
            let precision = if norm == Norm::L1 { 1.03 } else { 1.005 };
            assert!(found <= nearest * precision, "{norm:?}: {found}, the nearest lies at {nearest}");
            for method in [under("strongest", norm), under("apgd", norm)] {
                // Just within reach, and just out of it.
                for (share, reached) in [(1.02, true), (0.99, false)] {
                    let options = Options { budget: (share * nearest) as f32, ..method };
                    let mut attack = options.attack(&model, &x0, goal).unwrap();
                    run(&mut *attack, &mut model).unwrap();
                    assert_eq!(attack.outcome().unwrap().progress.success, reached, "{method:?} {share}");
                }
            }
        }
        if norm == Norm::L1 {
            continue;
        }
        let options = Options { steps: 20_000, ..under("hopskipjump", norm) };
        let start = [1.0, 0.0, 0.5, 1.0, 0.0];
        let mut attack = options.attack_from(&model, &x0, Goal::Target(0), Some(&start)).unwrap();
        run(&mut *attack, &mut model).unwrap();
        let found = distance(options, &attack.outcome().unwrap().image, &x0);
        assert!(
            found >= nearest * (1.0 - 1e-5) && found <= nearest * 1.05,
            "{norm:?}: {found} and {nearest}"
        );
    }
}

#[test]
fn several_attacks_at_once_come_to_what_each_comes_to_alone() {
    let (mut network, samples) = (common::network(), common::samples());
    let images: Vec<Vec<f32>> = (0..7).map(|i| samples.image(i).unwrap()).collect();
    let methods = three().into_iter().chain(strong()).chain([of("square"), of("fgsm")]);
    let options: Vec<Options> = methods
        .map(|method| Options { steps: if method == strong()[6] { 300 } else { 30 }, ..method })
        .collect();
    // Every attack on another digit; digit 3 is read as wanted already.
    let goal = |i: usize| Goal::Target(if i % 7 == 3 { 3 } else { (i % 7 + 1) % 10 });
    let make = |network: &misread::classifier::Network| -> Vec<Box<dyn Attack>> {
        options.iter().enumerate().map(|(i, o)| o.attack(network, &images[i % 7], goal(i)).unwrap()).collect()
    };
    let (mut together, mut alone) = (make(&network), make(&network));
    let mut steps: Vec<Vec<Progress>> = vec![Vec::new(); options.len()];
    let ends = run_all(&mut together, &mut network, |i, progress| steps[i].push(*progress));
    for (i, attack) in alone.iter_mut().enumerate() {
        match run(&mut **attack, &mut network) {
            Ok(end) => {
                assert_eq!(ends[i].as_ref().unwrap(), &end, "{:?}", options[i]);
                assert_eq!(steps[i].last(), Some(&end));
                assert_eq!(together[i].outcome(), attack.outcome(), "{:?}", options[i]);
                assert!(steps[i].iter().enumerate().all(|(n, p)| p.step == n), "{:?}", options[i]);
            }
            Err(error) => assert_eq!(ends[i].as_ref().unwrap_err().to_string(), error.to_string()),
        }
    }
    assert_eq!(ends.iter().filter(|end| end.is_err()).count(), 2);
}

#[test]
fn the_strongest_attack_keeps_to_its_gradients_and_finds_no_less_than_the_others() {
    let (mut network, samples) = (common::network(), common::samples());
    for norm in [Norm::Linf, Norm::L1, Norm::L2] {
        let (mut better, mut all) = (0, 0);
        for digit in 0..12 {
            let image = samples.image(digit).unwrap();
            let label = usize::from(samples.labels[digit]);
            let goal = if digit % 2 == 0 { Goal::Target((label + 1) % 10) } else { Goal::Away(label) };
            let mut found = |options: Options| {
                let mut attack = options.attack(&network, &image, goal).unwrap();
                let end = run(&mut *attack, &mut network).unwrap();
                let best = attack.outcome().unwrap().clone();
                assert!(best.progress.success, "{options:?} {digit}: {:?}", best.progress);
                assert_eq!(norm.of(&Norms::between(&image, &best.image)), norm.of(&best.progress.norms));
                (norm.of(&best.progress.norms), end)
            };
            let (ours, end) = found(Options { search: true, steps: 1_000, ..under("strongest", norm) });
            assert!(end.gradients <= 1_000 && end.queries >= end.gradients, "{end:?}");
            let bisected = Options { search: true, steps: 60, ..under("apgd", norm) };
            let (theirs, _) = found(bisected);
            all += 1;
            better += usize::from(ours <= theirs * 1.03);
            // Within a budget that this shows to be enough it succeeds, and stops.
            let enough = Options { budget: (1.3 * ours) as f32, steps: 1_000, ..under("strongest", norm) };
            let (far, end) = found(enough);
            assert!(far <= 1.3 * ours * (1.0 + 1e-5) && end.gradients <= 1_000, "{far} {ours} {end:?}");
        }
        assert!(better >= all - 1, "{norm:?}: {better} of {all}");
    }
}

/// Under L1 a search of 100 gradients ended ten times as far away: the weights of distance and margin had no time to settle.
#[test]
fn a_tenth_of_the_gradients_end_nearly_as_near() {
    let (mut network, samples) = (common::network(), common::samples());
    for (norm, most) in [(Norm::Linf, 1.05), (Norm::L1, 1.25), (Norm::L2, 1.05)] {
        for away in [false, true] {
            let mut ratios: Vec<f64> = (0..12)
                .map(|digit| {
                    let (image, label) = (samples.image(digit).unwrap(), usize::from(samples.labels[digit]));
                    let goal = if away { Goal::Away(label) } else { Goal::Target((label + 1) % 10) };
                    let [few, many] = [100, 1_000].map(|steps| {
                        let options = Options { search: true, steps, ..under("strongest", norm) };
                        let mut attack = options.attack(&network, &image, goal).unwrap();
                        run(&mut *attack, &mut network).unwrap();
                        let progress = attack.outcome().unwrap().progress;
                        if progress.success { norm.of(&progress.norms) } else { f64::INFINITY }
                    });
                    few / many
                })
                .collect();
            ratios.sort_by(f64::total_cmp);
            assert!(ratios[6] < most, "{norm:?} {away}: {ratios:?}");
        }
    }
}

/// A network whose logits are 25 times as large reads and is fooled as before: distilled ones are such. Searches of few steps
/// ended far away there, or not at all.
#[test]
fn the_smallest_change_is_found_however_large_logits_are() {
    let weights = zoo::read(common::WEIGHTS).unwrap();
    let mut large = weights.clone();
    let last = large.tensors.len() - 2;
    large.tensors[last..].iter_mut().flatten().for_each(|w| *w *= 25.0);
    let mut networks = [weights, large].map(|weights| Network::new(&weights).unwrap());
    let samples = common::samples();
    for norm in [Norm::Linf, Norm::L1, Norm::L2] {
        for away in [false, true] {
            let mut far = networks.each_mut().map(|network| {
                let of = |digit| {
                    let (image, label) = (samples.image(digit).unwrap(), usize::from(samples.labels[digit]));
                    let goal = if away { Goal::Away(label) } else { Goal::Target((label + 1) % 10) };
                    let options = Options { search: true, steps: 300, ..under("strongest", norm) };
                    let mut attack = options.attack(network, &image, goal).unwrap();
                    run(&mut *attack, network).unwrap();
                    let progress = attack.outcome().unwrap().progress;
                    if progress.success { norm.of(&progress.norms) } else { f64::INFINITY }
                };
                (0..12).map(of).collect::<Vec<_>>()
            });
            far.iter_mut().for_each(|far| far.sort_by(f64::total_cmp));
            let [usual, large] = far.map(|far| 0.5 * (far[5] + far[6]));
            assert!(large < 1.2 * usual, "{norm:?} {away}: {large} where it was {usual}");
        }
    }
}

#[test]
fn the_smallest_change_is_found_at_any_scale_of_distances() {
    // From few pixels that count for much to as many as a photograph has, each of which counts for little.
    for (pixels, size) in [(100, 1.0), (1_000, 0.3), (60_000, 0.05)] {
        let mut rng = fastrand::Rng::with_seed(7);
        let weights: Vec<f32> = (0..pixels).map(|_| size * (rng.f32() - 0.5)).collect();
        let absolute = || weights.iter().map(|w| f64::from(w.abs()));
        let exact = [
            (Norm::Linf, 5.0 / absolute().sum::<f64>()),
            (Norm::L2, 5.0 / absolute().map(|w| w * w).sum::<f64>().sqrt()),
        ];
        let b = 5.0 - 0.5 * weights.iter().sum::<f32>();
        let mut plane = Linear { w: weights.clone(), b };
        let image = vec![0.5; pixels];
        for (norm, exact) in exact {
            for goal in [Goal::Target(1), Goal::Away(0)] {
                let options = Options { search: true, steps: 250, ..under("strongest", norm) };
                let mut attack = options.attack(&plane, &image, goal).unwrap();
                run(&mut *attack, &mut plane).unwrap();
                let found = attack.outcome().unwrap().progress;
                let ratio = norm.of(&found.norms) / exact;
                assert!(found.success && ratio < 1.05, "{pixels} pixels, {norm:?}, {goal:?}: {ratio}");
            }
        }
    }
}

#[test]
fn hopskipjump_sees_labels_alone_and_only_what_its_seed_says() {
    /// The answers of a network without all but which is largest.
    struct Labels(misread::classifier::Network);
    impl Classifier for Labels {
        fn pixels(&self) -> usize {
            self.0.pixels()
        }
        fn classes(&self) -> usize {
            self.0.classes()
        }
        fn logits(&mut self, image: &[f32], logits: &mut [f32]) {
            self.0.logits(image, logits);
            let read = misread::metrics::argmax(logits);
            logits.fill(0.0);
            logits[read] = 1.0;
        }
        fn evaluate(&mut self, queries: &mut [Query<'_>]) {
            for query in queries {
                assert!(query.gradient.is_none(), "no gradient is asked for");
                self.logits(query.image, query.logits);
                *query.value = query.loss.evaluate(query.logits, query.scratch);
            }
        }
    }
    let (mut network, samples) = (common::network(), common::samples());
    let (image, start) = (samples.image(7).unwrap(), samples.image(3).unwrap());
    let mut labels = Labels(common::network());
    for norm in [Norm::L2, Norm::Linf] {
        let mut found = Vec::new();
        for seed in [1, 1, 2] {
            let options = Options { seed: Some(seed), steps: 2_000, ..under("hopskipjump", norm) };
            let make = |model: &dyn Classifier| {
                options.attack_from(model, &image, Goal::Target(3), Some(&start)).unwrap()
            };
            let (mut seen, mut blind) = (make(&network), make(&labels));
            let end = run(&mut *seen, &mut network).unwrap();
            run(&mut *blind, &mut labels).unwrap();
            assert_eq!((end.gradients, end.queries), (0, 2_001));
            assert_eq!(seen.outcome().unwrap().image, blind.outcome().unwrap().image);
            assert!(seen.outcome().unwrap().progress.success);
            found.push(seen.outcome().unwrap().image.clone());
        }
        assert!(found[0] == found[1] && found[0] != found[2]);
        let far = norm.of(&Norms::between(&image, &found[0]));
        let first = norm.of(&Norms::between(&image, &start));
        assert!(far < 0.6 * first, "{norm:?}: from {first} to {far}");
    }
    // Without an image to start from random ones are tried, and not without end.
    let mut never = Linear { w: vec![0.0; 4], b: -1.0 };
    let mut attack = under("hopskipjump", Norm::L2).attack(&never, &[0.5; 4], Goal::Target(0)).unwrap();
    let end = run(&mut *attack, &mut never).unwrap();
    assert!(!attack.outcome().unwrap().progress.success && end.queries < 1_000, "{end:?}");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(40))]

    #[test]
    fn apgd_stays_in_the_box_and_the_ball_and_keeps_its_surest(
        digit in 0usize..100, shift in 1usize..10, which in 0usize..3, share in 0.001f32..1.0, steps in 1usize..12,
        restarts in 1usize..4, targeted: bool, dlr: bool, search: bool, seed in proptest::option::of(0u64..1000),
    ) {
        let (mut network, samples) = (common::network(), common::samples());
        let image = samples.image(digit).unwrap();
        let label = usize::from(samples.labels[digit]);
        let goal = if targeted { Goal::Target((label + shift) % 10) } else { Goal::Away(label) };
        let norm = [Norm::Linf, Norm::L1, Norm::L2][which];
        let budget = share * [1.0, 60.0, 8.0][which];
        let loss = if dlr { LossKind::Dlr } else { LossKind::CrossEntropy };
        let options = Options { budget, steps, restarts, search, seed, loss, ..under("apgd", norm) };
        let attack = || options.attack(&common::network(), &image, goal).unwrap();
        let (mut first, mut again) = (attack(), attack());
        let (mut least, mut closest) = (f32::INFINITY, f64::INFINITY);
        loop {
            let progress = match first.step(&mut network) {
                Ok(progress) => progress,
                Err(Error::Skipped(_)) => return Ok(()),
                Err(error) => panic!("{error}"),
            };
            let far = norm.of(&Norms::between(&image, first.image()));
            prop_assert!(first.image().iter().all(|x| (0.0..=1.0).contains(x)));
            prop_assert!(far <= f64::from(progress.budget) * (1.0 + 1e-5) + 1e-5, "{} of {}", far, progress.budget);
            prop_assert_eq!(again.step(&mut network).unwrap(), progress);
            prop_assert_eq!(first.image(), again.image());
            // Outside the budget, where L1 begins, nothing is a success.
            if progress.success {
                prop_assert!(search || far <= f64::from(budget) * (1.0 + 1e-4));
                (least, closest) = (least.min(progress.loss), closest.min(far));
            }
            let best = first.outcome().unwrap().progress;
            prop_assert_eq!(best.success, closest.is_finite());
            if best.success && search {
                prop_assert_eq!(norm.of(&best.norms), closest);
            } else if best.success {
                prop_assert_eq!(best.loss, least);
            }
            if progress.done {
                break;
            }
        }
    }

    #[test]
    fn every_step_stays_in_the_box_and_the_ball(
        digit in 0usize..100, shift in 1usize..10, which in 0usize..3, share in 0.001f32..1.0, steps in 1usize..12,
        alpha in proptest::option::of(0.001f32..2.0), targeted: bool, search: bool, seed in proptest::option::of(0u64..1000),
    ) {
        let (mut network, samples) = (common::network(), common::samples());
        let image = samples.image(digit).unwrap();
        let label = usize::from(samples.labels[digit]);
        let goal = if targeted { Goal::Target((label + shift) % 10) } else { Goal::Away(label) };
        let method = three()[which];
        let largest = if method.attack.name == "linf" { 1.0 } else { 100.0 };
        let options = Options { budget: share * largest, steps, alpha: alpha.map(|a| a * largest), search, seed, ..method };
        let attack = || options.attack(&common::network(), &image, goal).unwrap();
        let mut first = attack();
        let mut again = attack();
        let (mut least, mut closest) = (f32::INFINITY, f64::INFINITY);
        loop {
            let progress = match first.step(&mut network) {
                Ok(progress) => progress,
                // A digit that the network misreads by itself.
                Err(Error::Skipped(_)) => return Ok(()),
                Err(error) => panic!("{error}"),
            };
            let far = distance(method, first.image(), &image);
            prop_assert!(first.image().iter().all(|x| (0.0..=1.0).contains(x)));
            prop_assert!(far <= f64::from(progress.budget) * (1.0 + 1e-5) + 1e-5, "{} of {}", far, progress.budget);
            let total: f32 = first.probabilities().iter().sum();
            prop_assert!((total - 1.0).abs() < 1e-5);
            prop_assert_eq!(progress.success, goal.reached(progress.predicted));
            // The same attack once more gives the same bits.
            prop_assert_eq!(again.step(&mut network).unwrap(), progress);
            prop_assert_eq!(first.image(), again.image());
            // Whoever stops here has a result: the best so far.
            least = least.min(progress.loss);
            if progress.success {
                closest = closest.min(far);
            }
            let best = first.outcome().unwrap();
            prop_assert_eq!(best.progress.success, closest.is_finite());
            let norms = Norms::between(&image, &best.image);
            prop_assert_eq!(norms, best.progress.norms);
            if !best.progress.success {
                prop_assert_eq!(best.progress.loss, least);
            } else if search {
                prop_assert_eq!(distance(method, &best.image, &image), closest);
            }
            if progress.done {
                break;
            }
        }
        if !search {
            prop_assert_eq!(first.outcome().unwrap().progress.budget, options.budget);
        }
    }

    #[test]
    fn lbfgs_stays_in_the_box_and_keeps_the_closest(digit in 0usize..100, shift in 1usize..10, search: bool, targeted: bool) {
        let (mut network, samples) = (common::network(), common::samples());
        let image = samples.image(digit).unwrap();
        let label = usize::from(samples.labels[digit]);
        let goal = if targeted { Goal::Target((label + shift) % 10) } else { Goal::Away(label) };
        let options = Options { search, budget: if search { 0.1 } else { 20.0 }, ..of("lbfgs") };
        let (mut first, mut again) = (
            options.attack(&network, &image, goal).unwrap(),
            options.attack(&network, &image, goal).unwrap(),
        );
        let (mut closest, mut start) = (f64::INFINITY, None);
        loop {
            let progress = match first.step(&mut network) {
                Ok(progress) => progress,
                Err(Error::Skipped(_)) => return Ok(()),
                Err(error) => panic!("{error}"),
            };
            prop_assert_eq!(again.step(&mut network).unwrap(), progress);
            prop_assert!(first.image().iter().all(|x| (0.0..=1.0).contains(x)));
            if progress.success {
                closest = closest.min(progress.norms.l2);
            }
            let objective = progress.norms.l2.powi(2) + f64::from(progress.budget) * f64::from(progress.loss);
            let start = start.get_or_insert(objective);
            if progress.done {
                if !search {
                    prop_assert!(objective <= *start);
                }
                break;
            }
        }
        let best = first.outcome().unwrap().progress;
        prop_assert_eq!(best.success, closest.is_finite());
        if best.success {
            prop_assert_eq!(best.norms.l2, closest);
        }
        prop_assert!(!search || best.success, "{:?}", best);
        prop_assert!(first.outcome().unwrap().progress.gradients <= 600);
    }
}
