//! Noise: every number of the image is moved by a normal draw before the network sees it (Cohen, Rosenfeld, Kolter 2019,
//! "Certified Adversarial Robustness via Randomized Smoothing", without its vote: each answer is one draw).
//!
//! An attacker who knows it descends the mean loss over known draws (expectation over transformation, Athalye, Carlini,
//! Wagner 2018, section 4.2) and is judged by others.

use super::{Apply, Defence};
use crate::classifier::{Classifier, Copied, Query, Subject, normal};
use crate::kernel::softmax::{Loss, softmax};
use crate::network::Shape;

/// A tenth of the range.
pub static NOISE10: Defence =
    Defence { name: "noise10", title: "Noise of 10 %", apply: Apply::Change(|subject| noisy(subject, 0.1)) };
/// A quarter of the range.
pub static NOISE25: Defence =
    Defence { name: "noise25", title: "Noise of 25 %", apply: Apply::Change(|subject| noisy(subject, 0.25)) };

/// How many draws an attack takes the mean loss over.
const EOT: usize = 16;
/// The seed of these draws: no answer that a result is scored on has it.
const DRAWS: u64 = 1;

fn noisy(subject: Subject, deviation: f32) -> Subject {
    let deployed = subject.deployed.as_ref().unwrap_or(&subject.seen).copied();
    let of = |inner: Box<dyn Copied>, draws: usize| -> Box<dyn Copied> {
        Box::new(Noisy { inner, deviation, draws, images: Vec::new() })
    };
    Subject { deployed: Some(of(deployed, 1)), seen: of(subject.seen, EOT), ..subject }
}

/// A classifier that sees images with noise. It answers with the logarithm of the mean probability over its draws, and its
/// loss is the mean loss over them.
struct Noisy {
    inner: Box<dyn Copied>,
    deviation: f32,
    draws: usize,
    /// Room for noisy images, one after the other.
    images: Vec<f32>,
}

impl Clone for Noisy {
    fn clone(&self) -> Self {
        Self { inner: self.inner.copied(), images: Vec::new(), ..*self }
    }
}

impl Noisy {
    /// Writes so many noisy images after those in the room for them.
    fn add(&mut self, image: &[f32], draws: usize, seed: u64) {
        let start = self.images.len();
        self.images.resize(start + draws * image.len(), 0.0);
        normal(&mut fastrand::Rng::with_seed(seed), &mut self.images[start..]);
        for noisy in self.images[start..].chunks_exact_mut(image.len()) {
            noisy.iter_mut().zip(image).for_each(|(y, x)| *y = (x + self.deviation * *y).clamp(0.0, 1.0));
        }
    }
}

impl Classifier for Noisy {
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
        true
    }

    fn answers(&mut self, image: &[f32], seeds: &mut dyn Iterator<Item = u64>, f: &mut dyn FnMut(&[f32])) {
        for seed in seeds {
            self.images.clear();
            self.add(image, 1, seed);
            self.inner.answers(&self.images, &mut std::iter::once(seed), f);
        }
    }

    fn logits(&mut self, image: &[f32], logits: &mut [f32]) {
        let (mut value, mut scratch) = (0.0, vec![0.0; logits.len()]);
        let (value, scratch) = (&mut value, &mut scratch[..]);
        let loss = Loss::Label(0);
        self.evaluate(&mut [Query { image, loss, refusal: None, value, logits, scratch, gradient: None }]);
    }

    fn evaluate(&mut self, queries: &mut [Query<'_>]) {
        let (draws, pixels, classes) = (self.draws, self.pixels(), self.classes());
        self.images.clear();
        queries.iter().for_each(|query| self.add(query.image, draws, DRAWS));
        let share = 1.0 / draws as f32;
        let (mut logits, mut scratch) = (vec![0.0; classes], vec![0.0; classes]);
        let mut own = vec![0.0; pixels];
        for (query, images) in queries.iter_mut().zip(self.images.chunks_exact(draws * pixels)) {
            *query.value = 0.0;
            query.logits.fill(0.0);
            if let Some(gradient) = &mut query.gradient {
                gradient.fill(0.0);
            }
            if let Some(refusal) = &mut query.refusal {
                refusal.weight *= share;
            }
            for image in images.chunks_exact(pixels) {
                let mut value = 0.0;
                self.inner.evaluate(&mut [Query {
                    image,
                    loss: query.loss,
                    refusal: query.refusal.as_deref_mut(),
                    value: &mut value,
                    logits: &mut logits,
                    scratch: &mut scratch,
                    gradient: query.gradient.is_some().then_some(&mut own[..]),
                }]);
                *query.value += share * value;
                softmax(&logits, &mut scratch);
                query.logits.iter_mut().zip(&scratch).for_each(|(z, p)| *z += share * p);
                if let Some(gradient) = &mut query.gradient {
                    gradient.iter_mut().zip(&own).for_each(|(to, g)| *to += share * g);
                }
            }
            query.logits.iter_mut().for_each(|z| *z = z.max(f32::MIN_POSITIVE).ln());
            if let Some(refusal) = &mut query.refusal {
                refusal.weight /= share;
            }
        }
    }
}
