//! Whether attacks still come to what they came to when [`misread::attack::VERSION`] was given out: links that repeat an attack say
//! that number, and promise the same outcome as long as it is the same.
//!
//! When this fails, an attack has changed: raise `VERSION`, and put the numbers that the failure shows into `KNOWN`.

use misread::attack::{Goal, Options, VERSION};
use misread::classifier::{Inference, Subject};
use misread::datasets::Image;
use misread::datasets::MNIST;
use misread::judge::{Task, judge_all};
use misread::metrics::grade::Thresholds;
use misread::zoo;

use crate::common;

/// Name of an attack and its steps where they are not its own (searches of few end elsewhere than those of many), then the means over
/// ten digits of the L2 of the change and of the confidence.
type Outcome = (&'static str, Option<usize>, f64, f64);

/// What attacks come to, at the version that it is of.
const KNOWN: (u32, [Outcome; 9]) = (
    2,
    [
        ("linf", None, 4.5579, 1.0000),
        ("l1", None, 2.8152, 0.9942),
        ("lbfgs", None, 1.5705, 0.4583),
        ("strongest", None, 1.4771, 0.3876),
        ("strongest", Some(100), 1.5142, 0.3981),
        ("apgd", None, 4.9666, 1.0000),
        ("hopskipjump", None, 2.1762, 0.4101),
        ("square", None, 5.9784, 0.9939),
        ("fgsm", None, 5.7331, 0.3456),
    ],
);
/// How far a mean may lie from what is known: instruction sets round differently, and a search amplifies that.
const APART: f64 = 0.02;

#[test]
fn attacks_come_to_what_their_version_promises() {
    let weights = zoo::read(common::WEIGHTS).unwrap();
    let samples = common::samples();
    let image = |index: usize| Image {
        index,
        file: None,
        label: samples.labels[index].into(),
        pixels: samples.image(index).unwrap(),
    };
    let images: Vec<Image> = (0..10).map(image).collect();
    let names: Vec<&str> = misread::attack::ALL.iter().map(|attack| attack.name).collect();
    let known = KNOWN.1.iter().filter(|(_, steps, ..)| steps.is_none()).map(|(name, ..)| *name);
    assert_eq!(names, known.collect::<Vec<_>>());
    assert_eq!(VERSION, KNOWN.0);
    let mut moved = Vec::new();
    for (name, steps, l2, confidence) in KNOWN.1 {
        let mut subject = Subject::new(&weights, Inference::Mean, 1, 1).unwrap();
        let usual = Options::of(name).unwrap();
        let options = Options { steps: steps.unwrap_or(usual.steps), ..usual };
        let goals: Vec<Goal> = images.iter().map(|image| Goal::Target((image.label + 1) % 10)).collect();
        let start = |goal: &Goal| {
            images.iter().find(|other: &&Image| goal.reached(other.label)).map(|other| &other.pixels[..])
        };
        let tasks: Vec<Task<'_>> = images
            .iter()
            .zip(&goals)
            .map(|(image, goal)| Task { start: start(goal), ..Task::new(image, *goal) })
            .collect();
        let thresholds = Thresholds::new(MNIST.validity);
        let judged = judge_all(&mut subject, &tasks, &options, thresholds).unwrap();
        let mean = |of: &dyn Fn(&misread::judge::Record) -> f64| {
            judged.iter().map(|one| of(&one.record)).sum::<f64>() / 10.0
        };
        let now = (mean(&|record| record.l2), mean(&|record| f64::from(record.confidence)));
        if (now.0 - l2).abs() > APART * l2 || (now.1 - confidence).abs() > APART {
            moved.push(format!("(\"{name}\", {steps:?}, {:.4}, {:.4}),", now.0, now.1));
        }
    }
    assert!(moved.is_empty(), "these attacks come to something else now:\n{}", moved.join("\n"));
}
