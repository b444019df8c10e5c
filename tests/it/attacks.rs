//! The attacks' invariants, on the shipped network and on a linear one with a closed form.

use misread::attack::linf::{BasicIterativeLinf, LinfOptions};
use misread::attack::{Attack, Goal, run};
use misread::error::Error;
use misread::kernel::softmax::cross_entropy;
use misread::model::Classifier;
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
    fn loss_and_gradient(
        &mut self,
        image: &[f32],
        label: usize,
        logits: &mut [f32],
        gradient: &mut [f32],
    ) -> f32 {
        self.logits(image, logits);
        let mut dz = [0.0; 2];
        let loss = cross_entropy(logits, label, &mut dz);
        for (g, w) in gradient.iter_mut().zip(&self.w) {
            *g = dz[0] * w;
        }
        loss
    }
}

fn options(epsilon: f32, steps: usize) -> LinfOptions {
    LinfOptions { epsilon, steps, alpha: None }
}

#[test]
fn on_a_linear_model_the_attack_ends_at_the_corner_of_the_ball() {
    let mut model = Linear { w: vec![1.0, -2.0, 0.0, 3.0, -1.0], b: -5.0 };
    let x0 = [0.5, 0.5, 0.5, 0.9, 0.05];
    for (goal, signs) in
        [(Goal::Target(0), [1.0f32, -1.0, 0.0, 1.0, -1.0]), (Goal::Away(1), [1.0, -1.0, 0.0, 1.0, -1.0])]
    {
        let mut attack = BasicIterativeLinf::new(&model, &x0, goal, options(0.2, 10)).unwrap();
        let end = run(&mut attack, &mut model).unwrap();
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
    let mut attack = BasicIterativeLinf::new(&model, &[0.3, 0.3], Goal::Target(0), options(0.1, 3)).unwrap();
    let first = attack.step(&mut model).unwrap();
    assert_eq!(first.zero_gradient, 0.5);
    run(&mut attack, &mut model).unwrap();
    assert_eq!(attack.image()[0], 0.3);
}

#[test]
fn what_cannot_be_attacked_is_refused_in_words() {
    let mut network = common::network();
    let samples = common::samples();
    let image = samples.image(7).unwrap();
    let new =
        |image: &[f32], goal, options| BasicIterativeLinf::new(&common::network(), image, goal, options);
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
        (&image, Goal::Target(3), LinfOptions { alpha: Some(0.0), ..options(0.3, 40) }, "step size"),
    ] {
        let error = new(image, goal, options).expect_err("refused").to_string();
        assert!(error.contains(word), "'{error}' says nothing of {word}");
    }
    let mut attack = new(&image, Goal::Target(7), options(0.3, 40)).unwrap();
    assert!(matches!(attack.step(&mut network), Err(Error::Refused(why)) if why.contains("already reads")));
    let mut attack = new(&image, Goal::Away(3), options(0.3, 40)).unwrap();
    assert!(
        matches!(attack.step(&mut network), Err(Error::Refused(why)) if why.contains("already misreads"))
    );
}

#[test]
fn black_and_white_images_can_be_attacked() {
    let mut network = common::network();
    for value in [0.0, 1.0] {
        let image = vec![value; 784];
        let mut logits = vec![0.0; 10];
        network.logits(&image, &mut logits);
        let read = misread::metrics::argmax(&logits);
        let mut attack =
            BasicIterativeLinf::new(&network, &image, Goal::Target((read + 1) % 10), options(0.3, 10))
                .unwrap();
        let end = run(&mut attack, &mut network).unwrap();
        assert!(end.norms.linf <= 0.3 + 1e-6 && end.loss.is_finite());
    }
}

#[test]
fn an_attack_that_has_ended_says_so() {
    let (mut network, image) = (common::network(), common::samples().image(7).unwrap());
    let mut attack = BasicIterativeLinf::new(&network, &image, Goal::Target(3), options(0.3, 2)).unwrap();
    assert_eq!(run(&mut attack, &mut network).unwrap().step, 2);
    assert!(matches!(attack.step(&mut network), Err(Error::Refused(_))));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn every_step_stays_in_the_box_and_the_ball(
        digit in 0usize..100, shift in 1usize..10, epsilon in 0.001f32..1.0, steps in 1usize..12, alpha in proptest::option::of(0.001f32..2.0),
        targeted: bool,
    ) {
        let (mut network, samples) = (common::network(), common::samples());
        let image = samples.image(digit).unwrap();
        let label = usize::from(samples.labels[digit]);
        let goal = if targeted { Goal::Target((label + shift) % 10) } else { Goal::Away(label) };
        let attack = || BasicIterativeLinf::new(&common::network(), &image, goal, LinfOptions { epsilon, steps, alpha }).unwrap();
        let mut first = attack();
        let mut again = attack();
        for step in 0..=steps {
            let progress = match first.step(&mut network) {
                Ok(progress) => progress,
                // A digit that the network misreads by itself.
                Err(Error::Refused(_)) => return Ok(()),
                Err(error) => panic!("{error}"),
            };
            prop_assert_eq!((progress.step, progress.done), (step, step == steps));
            for (x, x0) in first.image().iter().zip(&image) {
                prop_assert!((0.0..=1.0).contains(x));
                prop_assert!((x - x0).abs() <= epsilon + 1e-6);
            }
            let total: f32 = first.probabilities().iter().sum();
            prop_assert!((total - 1.0).abs() < 1e-5);
            prop_assert_eq!(progress.success, goal.reached(progress.predicted));
            // The same attack once more gives the same bits.
            prop_assert_eq!(again.step(&mut network).unwrap(), progress);
            prop_assert_eq!(first.image(), again.image());
        }
    }
}
