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
        Box::new(Noisy { inner, deviation, draws, noise: Vec::new(), image: Vec::new() })
    };
    Subject { deployed: Some(of(deployed, 1)), seen: of(subject.seen, EOT), ..subject }
}

/// A classifier that sees images with noise. It answers with the logarithm of the mean probability over its draws, and its
/// loss is the mean loss over them.
struct Noisy {
    inner: Box<dyn Copied>,
    deviation: f32,
    draws: usize,
    /// The known draws, one after the other; made when first asked for, since on faces that takes as long as what they are for.
    noise: Vec<f32>,
    /// Room for a noisy image.
    image: Vec<f32>,
}

impl Clone for Noisy {
    fn clone(&self) -> Self {
        Self { inner: self.inner.copied(), noise: Vec::new(), image: Vec::new(), ..*self }
    }
}

/// So many standard normal draws.
fn drawn(count: usize, seed: u64) -> Vec<f32> {
    let mut noise = vec![0.0; count];
    normal(&mut fastrand::Rng::with_seed(seed), &mut noise);
    noise
}

/// Writes an image moved by draws.
fn move_by(noisy: &mut Vec<f32>, image: &[f32], noise: &[f32], deviation: f32) {
    noisy.clear();
    noisy.extend(image.iter().zip(noise).map(|(x, draw)| (x + deviation * draw).clamp(0.0, 1.0)));
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
            move_by(&mut self.image, image, &drawn(image.len(), seed), self.deviation);
            self.inner.answers(&self.image, &mut std::iter::once(seed), f);
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
        if self.noise.is_empty() {
            self.noise = drawn(draws * pixels, DRAWS);
        }
        let share = 1.0 / draws as f32;
        let (mut logits, mut scratch) = (vec![0.0; classes], vec![0.0; classes]);
        let mut own = vec![0.0; pixels];
        for query in queries {
            *query.value = 0.0;
            query.logits.fill(0.0);
            if let Some(gradient) = &mut query.gradient {
                gradient.fill(0.0);
            }
            if let Some(refusal) = &mut query.refusal {
                refusal.weight *= share;
            }
            for noise in self.noise.chunks_exact(pixels) {
                let mut value = 0.0;
                move_by(&mut self.image, query.image, noise, self.deviation);
                self.inner.evaluate(&mut [Query {
                    image: &self.image,
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
