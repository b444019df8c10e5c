//! Fewer levels of grey: every number of the image is rounded before the network sees it (Xu, Evans, Qi 2018, "Feature
//! Squeezing: Detecting Adversarial Examples in Deep Neural Networks", section 3.1).
//!
//! An attacker who knows it rounds too, and takes the gradient at the rounded image for that at the image, as if rounding did
//! nothing: the straight-through estimate (backward pass differentiable approximation, Athalye, Carlini, Wagner 2018,
//! "Obfuscated Gradients Give a False Sense of Security", section 4.1).

use super::Defence;
use crate::classifier::{Classifier, Copied, Query, Subject};
use crate::kernel::softmax::Loss;
use crate::network::Shape;

/// Black and white.
pub static GREY2: Defence = Defence { name: "grey2", title: "2 levels of grey", apply: behind::<2> };
/// Four levels.
pub static GREY4: Defence = Defence { name: "grey4", title: "4 levels of grey", apply: behind::<4> };
/// Eight levels.
pub static GREY8: Defence = Defence { name: "grey8", title: "8 levels of grey", apply: behind::<8> };

fn behind<const LEVELS: usize>(subject: Subject) -> Subject {
    let round = |inner: Box<dyn Copied>| -> Box<dyn Copied> {
        Box::new(Rounded { inner, levels: LEVELS, images: Vec::new() })
    };
    Subject { seen: round(subject.seen), deployed: subject.deployed.map(round), ..subject }
}

/// A classifier that sees images with so many levels.
struct Rounded {
    inner: Box<dyn Copied>,
    levels: usize,
    /// Room for rounded images, one after the other.
    images: Vec<f32>,
}

impl Clone for Rounded {
    fn clone(&self) -> Self {
        Self { inner: self.inner.copied(), levels: self.levels, images: Vec::new() }
    }
}

/// Rounds `x` (in [0, 1]) to the nearest of `levels` evenly spaced values, 0 and 1 among them.
fn round(x: f32, levels: usize) -> f32 {
    let steps = (levels - 1) as f32;
    (x * steps).round() / steps
}

impl Rounded {
    /// `image` rounded, in the room for images.
    fn rounded(&mut self, image: &[f32]) {
        self.images.clear();
        self.images.extend(image.iter().map(|&x| round(x, self.levels)));
    }
}

impl Classifier for Rounded {
    fn pixels(&self) -> usize {
        self.inner.pixels()
    }

    fn shape(&self) -> Shape {
        self.inner.shape()
    }

    fn classes(&self) -> usize {
        self.inner.classes()
    }

    fn refuses(&self) -> bool {
        self.inner.refuses()
    }

    fn draws(&self) -> bool {
        self.inner.draws()
    }

    fn answers(&mut self, image: &[f32], seeds: &mut dyn Iterator<Item = u64>, f: &mut dyn FnMut(&[f32])) {
        self.rounded(image);
        self.inner.answers(&self.images, seeds, f);
    }

    fn logits(&mut self, image: &[f32], logits: &mut [f32]) {
        self.rounded(image);
        self.inner.logits(&self.images, logits);
    }

    fn loss_and_gradient(
        &mut self,
        image: &[f32],
        loss: Loss,
        logits: &mut [f32],
        gradient: &mut [f32],
    ) -> f32 {
        self.rounded(image);
        self.inner.loss_and_gradient(&self.images, loss, logits, gradient)
    }

    fn evaluate(&mut self, queries: &mut [Query<'_>]) {
        let Self { inner, levels, images } = self;
        images.clear();
        images.extend(queries.iter().flat_map(|query| query.image).map(|&x| round(x, *levels)));
        let mut rounded: Vec<Query<'_>> = queries
            .iter_mut()
            .zip(images.chunks_exact(inner.pixels()))
            .map(|(query, image)| Query {
                image,
                loss: query.loss,
                value: query.value,
                logits: query.logits,
                scratch: query.scratch,
                gradient: query.gradient.as_deref_mut(),
            })
            .collect();
        inner.evaluate(&mut rounded);
    }
}

#[cfg(test)]
mod tests {
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;
    use crate::classifier::{Inference, defence};
    use crate::network::weights::{Facts, Precision, Weights};
    use crate::zoo;

    fn subject(name: &str, inference: Inference) -> Subject {
        let spec = zoo::by_name(name).unwrap();
        let mut rng = fastrand::Rng::with_seed(3);
        let tensors: Vec<Vec<f32>> = spec
            .parameters()
            .iter()
            .map(|p| (0..p.count()).map(|_| 0.1 * (rng.f32() - 0.5)).collect())
            .collect();
        let bytes = Weights::to_bytes(&spec, &tensors, Precision::F32, None, &Facts::new()).unwrap();
        Subject::new(&zoo::read(&bytes).unwrap(), inference, 1, 4).unwrap()
    }

    #[test]
    fn what_is_behind_it_sees_the_rounded_image_alone_and_gradients_pass() {
        let mut rng = fastrand::Rng::with_seed(4);
        let images: Vec<Vec<f32>> = (0..2).map(|_| (0..784).map(|_| rng.f32()).collect()).collect();
        for (name, inference) in [("mnist-cnn", Inference::Mean), ("mnist-vae", Inference::Sampled)] {
            for (defence, levels) in [("grey2", 2), ("grey4", 4), ("grey8", 8)] {
                let mut bare = subject(name, inference);
                let mut guarded = subject(name, inference).behind(defence).unwrap();
                assert_eq!(
                    (guarded.defence.as_str(), guarded.deployed.is_some()),
                    (defence, bare.deployed.is_some())
                );
                let rounded: Vec<Vec<f32>> =
                    images.iter().map(|image| image.iter().map(|&x| round(x, levels)).collect()).collect();
                let mut values: Vec<f32> = rounded.concat();
                values.sort_by(f32::total_cmp);
                values.dedup();
                assert_eq!(values.len(), levels);
                let of = |subject: &mut Subject, images: &[Vec<f32>]| {
                    let mut room = [
                        (0.0, [0.0; 10], [0.0; 10], vec![0.0; 784]),
                        (0.0, [0.0; 10], [0.0; 10], vec![0.0; 784]),
                    ];
                    let mut queries: Vec<Query<'_>> = room
                        .iter_mut()
                        .zip(images)
                        .map(|((value, logits, scratch, gradient), image)| Query {
                            image,
                            loss: Loss::Label(3),
                            value,
                            logits,
                            scratch,
                            gradient: Some(gradient),
                        })
                        .collect();
                    subject.seen.evaluate(&mut queries);
                    let (mut logits, mut gradient) = ([0.0; 10], vec![0.0; 784]);
                    subject.seen.loss_and_gradient(&images[1], Loss::Label(3), &mut logits, &mut gradient);
                    subject.seen.logits(&images[0], &mut logits);
                    let read = subject.read(&images[0], 5, |label| label == 3, |p| p[3]);
                    (
                        room.map(|(value, logits, _, gradient)| (value, logits, gradient)),
                        gradient,
                        logits,
                        read,
                    )
                };
                assert!(of(&mut guarded, &images) == of(&mut bare, &rounded), "{name} {defence}");
                assert!(of(&mut guarded, &images) != of(&mut bare, &images));
            }
        }
        assert!(subject("mnist-cnn", Inference::Mean).behind("none").unwrap().defence.is_empty());
        let error = subject("mnist-cnn", Inference::Mean).behind("grey3").err().unwrap().to_string();
        assert!(defence::ALL.iter().all(|defence| error.contains(defence.name)), "{error}");
    }
}
