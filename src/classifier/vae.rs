//! A variational auto-encoder (Kingma & Welling 2014, "Auto-Encoding Variational Bayes") as a classifier: the encoder's
//! mean, or samples around it, read by a head; and the decoder, which shows what the latent vector says.

use super::{Classifier, Network, Query, gradients_first};
use crate::error::{Error, Result};
use crate::kernel::simd::Level;
use crate::kernel::softmax::{sigmoid, softmax, softplus};
use crate::network::{Net, Part, Shape, Spec, Weights};

/// The most draws that one answer, or one gradient, may take.
pub const MAX_SAMPLES: usize = 10_000;

/// A VAE whose latent vector `z = mean + exp(log_variance / 2) * noise` is drawn.
///
/// As a [`Classifier`] it answers with the logarithm of the mean probability over its draws, and its loss is the mean
/// loss over them: the expectation over transformation of Athalye et al. 2018 ("Obfuscated Gradients Give a False Sense
/// of Security"). The draws stay the same from call to call, so that an attack descends one smooth function;
/// [`redraw`](Self::redraw) takes others.
#[derive(Clone, Debug)]
pub struct Vae {
    encoder: Net,
    mean: Net,
    log_variance: Net,
    head: Net,
    decoder: Net,
    /// `[samples][latent]`, standard normal.
    noise: Vec<f32>,
    /// The latent vector, or its gradient.
    z: Vec<f32>,
    /// Gradients with respect to mean and logarithm of the variance, then to what both read.
    to_mean: Vec<f32>,
    to_log_variance: Vec<f32>,
    to_features: Vec<f32>,
    /// Probabilities, and the sum of those of all draws.
    probabilities: Vec<f32>,
    sum: Vec<f32>,
    /// Room for several images or draws at once.
    batch: Batch,
}

/// What is made anew for each batch, one image (or draw) after the other.
#[derive(Clone, Debug, Default)]
struct Batch {
    images: Vec<f32>,
    features: Vec<f32>,
    draws: Vec<f32>,
    to_logits: Vec<f32>,
    to_mean: Vec<f32>,
    to_log_variance: Vec<f32>,
    to_features: Vec<f32>,
}

/// The terms of the evidence lower bound of an image, in nats: `elbo = -reconstruction - kl`.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Elbo {
    /// `-log p(x | z)`, with the pixels as probabilities of Bernoulli draws.
    pub reconstruction: f64,
    /// `KL(q(z | x) || N(0, 1))`.
    pub kl: f64,
}

impl Vae {
    /// The VAE that `weights` belong to, with `samples` draws of `seed`.
    ///
    /// # Errors
    /// As [`Net::part`]; [`Error::BadInput`] for 0 samples.
    pub fn sampled(weights: &Weights, samples: usize, seed: u64) -> Result<Self> {
        Self::at_level(Level::detect(), &weights.spec, &weights.tensors, samples, seed)
    }

    /// [`sampled`](Self::sampled) for a given instruction set and given tensors.
    ///
    /// # Errors
    /// As [`sampled`](Self::sampled).
    pub fn at_level(
        level: Level,
        spec: &Spec,
        tensors: &[Vec<f32>],
        samples: usize,
        seed: u64,
    ) -> Result<Self> {
        let part = |part| Net::part(level, spec, part, tensors);
        let (encoder, mean, head) = (part(Part::Encoder)?, part(Part::Mean)?, part(Part::Head)?);
        let (latent, classes) = (mean.outputs(), head.outputs());
        let mut vae = Self {
            log_variance: part(Part::LogVariance)?,
            decoder: part(Part::Decoder)?,
            noise: Vec::new(),
            z: vec![0.0; latent],
            to_mean: vec![0.0; latent],
            to_log_variance: vec![0.0; latent],
            to_features: vec![0.0; encoder.outputs()],
            probabilities: vec![0.0; classes],
            sum: vec![0.0; classes],
            batch: Batch::default(),
            encoder,
            mean,
            head,
        };
        vae.draw(samples, seed)?;
        Ok(vae)
    }

    /// This VAE with other draws; it shares its weights.
    ///
    /// # Errors
    /// [`Error::BadInput`] for 0 samples.
    pub fn drawing(&self, samples: usize, seed: u64) -> Result<Self> {
        let mut other = self.clone();
        other.draw(samples, seed)?;
        Ok(other)
    }

    /// It reading through the mean: always the same answer. Shares its weights.
    ///
    /// # Errors
    /// None for a VAE that runs: its parts fit each other.
    pub fn through_mean(&self) -> Result<Network> {
        Ok(Network::from(Net::chain(&[&self.encoder, &self.mean, &self.head])?))
    }

    fn draw(&mut self, samples: usize, seed: u64) -> Result<()> {
        if samples == 0 || samples > MAX_SAMPLES {
            return Err(Error::BadInput(format!("1 to {MAX_SAMPLES} samples can be drawn, not {samples}")));
        }
        self.noise = vec![0.0; samples * self.z.len()];
        self.redraw(seed);
        Ok(())
    }

    /// Replaces the draws.
    pub fn redraw(&mut self, seed: u64) {
        normal(&mut fastrand::Rng::with_seed(seed), &mut self.noise);
    }

    /// Mean and logarithm of the variance (each `[latent]`) of an image's latent vector.
    ///
    /// # Panics
    /// When the image is too short.
    pub fn encode(&mut self, image: &[f32]) -> (&[f32], &[f32]) {
        let features = self.encoder.forward(image);
        (self.mean.forward(features), self.log_variance.forward(features))
    }

    /// The image (in [0, 1]) that the decoder makes of a latent vector.
    ///
    /// # Panics
    /// When a slice is too short.
    pub fn decode(&mut self, z: &[f32], image: &mut [f32]) {
        for (x, &logit) in image.iter_mut().zip(self.decoder.forward(z)) {
            *x = sigmoid(logit);
        }
    }

    /// The terms of the evidence lower bound at `image`, with the first draw as noise. Writes the gradient of their sum
    /// (the negative bound) with respect to the image to `gradient` when it is asked for.
    ///
    /// # Panics
    /// When a slice is too short.
    pub fn elbo(&mut self, image: &[f32], gradient: Option<&mut [f32]>) -> Elbo {
        let features = self.encoder.forward(image);
        let (mean, log_variance) = (self.mean.forward(features), self.log_variance.forward(features));
        let mut kl = 0.0;
        for (((z, &m), &v), &e) in self.z.iter_mut().zip(mean).zip(log_variance).zip(&self.noise) {
            *z = m + (v / 2.0).exp() * e;
            kl += 0.5 * f64::from(m * m + v.exp() - 1.0 - v);
        }
        let logits = self.decoder.forward(&self.z);
        let terms = logits.iter().zip(image).map(|(&l, &x)| f64::from(softplus(l) - x * l));
        let reconstruction = terms.sum();
        if let Some(gradient) = gradient {
            // The image is also what is to be reconstructed.
            let mut to_pixels = Vec::with_capacity(logits.len());
            for ((g, &l), &x) in gradient.iter_mut().zip(logits).zip(image) {
                *g = -l;
                to_pixels.push(sigmoid(l) - x);
            }
            let to_z = self.decoder.input_gradient(&to_pixels);
            for (i, &g) in to_z.iter().enumerate() {
                let (m, v) = (mean[i], log_variance[i]);
                self.to_mean[i] = g + m;
                self.to_log_variance[i] = 0.5 * (v.exp() - 1.0 + g * self.noise[i] * (v / 2.0).exp());
            }
            for (g, to_image) in gradient.iter_mut().zip(self.encoder_gradient()) {
                *g += to_image;
            }
        }
        Elbo { reconstruction, kl }
    }

    /// The squared distance of an image from what the decoder makes of its mean, `|x - decode(mean(x))|^2`: always the same
    /// number. Adds `slope` times its gradient with respect to the image, through encoder and decoder, to `gradient` when it
    /// is asked for.
    ///
    /// # Panics
    /// When a slice is too short.
    pub fn reconstruction_error(&mut self, image: &[f32], gradient: Option<(f32, &mut [f32])>) -> f32 {
        let features = self.encoder.forward(image);
        let decoded = self.decoder.forward(self.mean.forward(features));
        let error = decoded.iter().zip(image).map(|(&l, &x)| (x - sigmoid(l)) * (x - sigmoid(l))).sum();
        if let Some((slope, gradient)) = gradient {
            let mut to_pixels = Vec::with_capacity(image.len());
            for ((g, &l), &x) in gradient.iter_mut().zip(decoded).zip(image) {
                let made = sigmoid(l);
                let twice = 2.0 * slope * (x - made);
                *g += twice;
                to_pixels.push(-twice * made * (1.0 - made));
            }
            let to_mean = self.decoder.input_gradient(&to_pixels);
            let to_image = self.encoder.input_gradient(self.mean.input_gradient(to_mean));
            gradient.iter_mut().zip(to_image).for_each(|(g, to)| *g += to);
        }
        error
    }

    /// From the gradients with respect to mean and variance to that with respect to the image.
    fn encoder_gradient(&mut self) -> &[f32] {
        self.to_features.copy_from_slice(self.mean.input_gradient(&self.to_mean));
        let of_variance = self.log_variance.input_gradient(&self.to_log_variance);
        for (sum, g) in self.to_features.iter_mut().zip(of_variance) {
            *sum += g;
        }
        self.encoder.input_gradient(&self.to_features)
    }
}

impl Classifier for Vae {
    fn pixels(&self) -> usize {
        self.encoder.inputs()
    }

    fn shape(&self) -> Shape {
        self.encoder.input()
    }

    fn classes(&self) -> usize {
        self.head.outputs()
    }

    fn draws(&self) -> bool {
        true
    }

    // The image is encoded once.
    fn answers(&mut self, image: &[f32], seeds: &mut dyn Iterator<Item = u64>, f: &mut dyn FnMut(&[f32])) {
        let features = self.encoder.forward(image);
        let (mean, log_variance) = (self.mean.forward(features), self.log_variance.forward(features));
        let mut logits = vec![0.0; self.sum.len()];
        for seed in seeds {
            normal(&mut fastrand::Rng::with_seed(seed), &mut self.noise);
            let scratch = (&mut self.z[..], &mut self.probabilities[..], &mut self.sum[..]);
            answer(&mut self.head, (mean, log_variance), &self.noise, scratch, &mut logits);
            f(&logits);
        }
    }

    fn logits(&mut self, image: &[f32], logits: &mut [f32]) {
        let features = self.encoder.forward(image);
        let encoded = (self.mean.forward(features), self.log_variance.forward(features));
        let scratch = (&mut self.z[..], &mut self.probabilities[..], &mut self.sum[..]);
        answer(&mut self.head, encoded, &self.noise, scratch, logits);
    }

    fn evaluate(&mut self, queries: &mut [Query<'_>]) {
        // Those that want a gradient come first: the others end with the logits.
        let gradients = gradients_first(queries);
        let (count, latent) = (queries.len(), self.z.len());
        let Self { encoder, mean, log_variance, head, noise, probabilities, sum, batch, .. } = self;
        batch.images.clear();
        queries.iter().for_each(|query| batch.images.extend_from_slice(query.image));
        encoder.forward_batch(&batch.images, count);
        batch.features.clear();
        (0..count).for_each(|i| batch.features.extend_from_slice(encoder.outputs_of(i)));
        mean.forward_batch(&batch.features, count);
        log_variance.forward_batch(&batch.features, count);
        let samples = noise.len() / latent;
        let (share, classes) = (1.0 / samples as f32, sum.len());
        for room in [&mut batch.to_mean, &mut batch.to_log_variance] {
            room.clear();
            room.resize(count * latent, 0.0);
        }
        batch.draws.resize(samples * latent, 0.0);
        batch.to_logits.resize(samples * classes, 0.0);
        for (i, query) in queries.iter_mut().enumerate() {
            let (mean, log_variance) = (mean.outputs_of(i), log_variance.outputs_of(i));
            for (z, noise) in batch.draws.chunks_exact_mut(latent).zip(noise.chunks_exact(latent)) {
                draw(mean, log_variance, noise, z);
            }
            head.forward_batch(&batch.draws, samples);
            sum.fill(f32::NEG_INFINITY);
            let mut total = 0.0;
            if let Some(refusal) = &mut query.refusal {
                refusal.weight *= share;
            }
            for (k, to_logits) in batch.to_logits.chunks_exact_mut(classes).enumerate() {
                let logits = head.outputs_of(k);
                add_log_probabilities(logits, probabilities, sum);
                total += query.loss.evaluate_guarded(logits, to_logits, query.refusal.as_deref_mut());
            }
            if let Some(refusal) = &mut query.refusal {
                refusal.weight /= share;
            }
            write_mean(sum, samples, query.logits);
            *query.value = total * share;
            if query.gradient.is_none() {
                continue;
            }
            head.input_gradient_batch(&batch.to_logits, samples);
            let to_mean = &mut batch.to_mean[i * latent..(i + 1) * latent];
            let to_log_variance = &mut batch.to_log_variance[i * latent..(i + 1) * latent];
            for (k, noise) in noise.chunks_exact(latent).enumerate() {
                for (i, (&g, &e)) in head.gradient_of(k).iter().zip(noise).enumerate() {
                    to_mean[i] += share * g;
                    to_log_variance[i] += share * g * e * 0.5 * (log_variance[i] / 2.0).exp();
                }
            }
        }
        mean.input_gradient_batch(&batch.to_mean, gradients);
        log_variance.input_gradient_batch(&batch.to_log_variance, gradients);
        batch.to_features.clear();
        for i in 0..gradients {
            let both = mean.gradient_of(i).iter().zip(log_variance.gradient_of(i));
            batch.to_features.extend(both.map(|(a, b)| a + b));
        }
        encoder.input_gradient_batch(&batch.to_features, gradients);
        for (i, query) in queries.iter_mut().enumerate() {
            if let Some(gradient) = &mut query.gradient {
                gradient.copy_from_slice(encoder.gradient_of(i));
            }
        }
    }
}

/// The logarithm of the mean probabilities over the draws of `noise`; `scratch` is room for `z`, probabilities and sums.
fn answer(
    head: &mut Net,
    (mean, log_variance): (&[f32], &[f32]),
    noise: &[f32],
    (z, probabilities, sum): (&mut [f32], &mut [f32], &mut [f32]),
    logits: &mut [f32],
) {
    sum.fill(f32::NEG_INFINITY);
    for noise in noise.chunks_exact(mean.len()) {
        draw(mean, log_variance, noise, z);
        add_log_probabilities(head.forward(z), probabilities, sum);
    }
    write_mean(sum, noise.len() / mean.len(), logits);
}

/// `z = mean + exp(log_variance / 2) * noise`.
fn draw(mean: &[f32], log_variance: &[f32], noise: &[f32], z: &mut [f32]) {
    for (((z, &m), &v), &e) in z.iter_mut().zip(mean).zip(log_variance).zip(noise) {
        *z = m + (v / 2.0).exp() * e;
    }
}

/// `sum = log(exp(sum) + softmax(logits))`, label by label, so that a label that no draw favours keeps its order.
fn add_log_probabilities(logits: &[f32], probabilities: &mut [f32], sum: &mut [f32]) {
    let normaliser = softmax(logits, probabilities);
    for (sum, &z) in sum.iter_mut().zip(logits) {
        let (a, b) = (*sum, z - normaliser);
        let high = a.max(b);
        *sum = high + ((a - high).exp() + (b - high).exp()).ln();
    }
}

fn write_mean(sum: &[f32], samples: usize, logits: &mut [f32]) {
    let count = (samples as f32).ln();
    for (logit, s) in logits.iter_mut().zip(sum) {
        *logit = s - count;
    }
}

/// Fills `out` with standard normal draws (Box & Muller 1958).
pub fn normal(rng: &mut fastrand::Rng, out: &mut [f32]) {
    for pair in out.chunks_mut(2) {
        let radius = (-2.0 * (1.0 - rng.f64()).ln()).sqrt();
        let angle = std::f64::consts::TAU * rng.f64();
        for (value, part) in pair.iter_mut().zip([angle.cos(), angle.sin()]) {
            *value = (radius * part) as f32;
        }
    }
}

#[cfg(test)]
mod tests {
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;
    use crate::kernel::softmax::Loss;
    use crate::zoo;

    fn tensors(spec: &Spec) -> Vec<Vec<f32>> {
        let mut rng = fastrand::Rng::with_seed(4);
        let tensor = |p: &crate::network::Parameter| {
            let bound = (3.0 / p.fan_in as f32).sqrt();
            (0..p.count()).map(|_| (2.0 * rng.f32() - 1.0) * bound).collect()
        };
        spec.parameters().iter().map(tensor).collect()
    }

    fn slope(mut f: impl FnMut(&[f32]) -> f64, image: &[f32], direction: &[f32]) -> f64 {
        let step = 1e-3;
        let mut at = |t: f32| {
            let x: Vec<f32> = image.iter().zip(direction).map(|(x, d)| x + t * d).collect();
            f(&x)
        };
        (at(step) - at(-step)) / (2.0 * f64::from(step))
    }

    #[test]
    fn the_gradients_of_the_sampled_loss_and_of_the_bound_are_their_slopes_at_every_level() {
        let mut rng = fastrand::Rng::with_seed(5);
        let image: Vec<f32> = (0..784).map(|_| rng.f32()).collect();
        let direction: Vec<f32> = (0..784).map(|_| rng.f32() - 0.5).collect();
        let along = |gradient: &[f32]| -> f64 {
            gradient.iter().zip(&direction).map(|(g, d)| f64::from(g * d)).sum()
        };
        for spec in ["mnist-vae", "mnist-conv-vae"].map(|name| zoo::by_name(name).unwrap()) {
            let tensors = tensors(&spec);
            for level in Level::available() {
                let mut vae = Vae::at_level(level, &spec, &tensors, 3, 7).unwrap();
                let (mut z, mut g) = ([0.0; 10], vec![0.0; 784]);
                let mut scratch = vec![0.0; 784];
                for loss in [Loss::Label(3), Loss::Other(3)] {
                    vae.loss_and_gradient(&image, loss, &mut z, &mut g);
                    let expected = slope(
                        |x| f64::from(vae.loss_and_gradient(x, loss, &mut z, &mut scratch)),
                        &image,
                        &direction,
                    );
                    let got = along(&g);
                    let length = g.iter().map(|g| f64::from(g * g)).sum::<f64>().sqrt();
                    assert!((got - expected).abs() < 2e-2 * length, "{level:?}: {got} and {expected}");
                }
                vae.elbo(&image, Some(&mut g));
                let bound = |x: &[f32]| {
                    let elbo = vae.elbo(x, None);
                    elbo.reconstruction + elbo.kl
                };
                let (expected, got) = (slope(bound, &image, &direction), along(&g));
                let length = g.iter().map(|g| f64::from(g * g)).sum::<f64>().sqrt();
                assert!((got - expected).abs() < 2e-2 * length, "{level:?}: bound {got} and {expected}");
            }
        }
    }

    #[test]
    fn answers_are_mean_probabilities_and_come_near_the_mean_s_where_the_variance_vanishes() {
        let spec = zoo::by_name("mnist-vae").unwrap();
        let mut tensors = tensors(&spec);
        let image = vec![0.5; 784];
        let (mut z, mut p) = ([0.0; 10], [0.0; 10]);
        let mut vae = Vae::at_level(Level::detect(), &spec, &tensors, 8, 7).unwrap();
        vae.logits(&image, &mut z);
        let normaliser = softmax(&z, &mut p);
        assert!(normaliser.abs() < 1e-4, "they are logarithms of probabilities: {normaliser}");
        let first = z;
        vae.redraw(8);
        vae.logits(&image, &mut z);
        assert_ne!(first, z, "other draws, another answer");
        vae.redraw(7);
        vae.logits(&image, &mut z);
        assert_eq!(first, z, "the same draws, the same answer");
        let mut answers = Vec::new();
        vae.answers(&image, &mut [8, 7].into_iter(), &mut |logits| answers.push(logits.to_vec()));
        assert!(answers[0] != first && answers[1] == first, "encoded once, the same answers");

        let names: Vec<String> = spec.parameters().into_iter().map(|p| p.name).collect();
        let variance = names.iter().position(|n| n == "log_variance.weight").unwrap();
        tensors[variance].fill(0.0);
        tensors[variance + 1].fill(-60.0);
        let mut vae = Vae::at_level(Level::detect(), &spec, &tensors, 2, 7).unwrap();
        vae.logits(&image, &mut z);
        softmax(&z, &mut p);
        let mut network = Network::from(Net::new(&spec, &tensors).unwrap());
        let mut expected = [0.0; 10];
        network.logits(&image, &mut z);
        softmax(&z, &mut expected);
        for (a, e) in p.iter().zip(expected) {
            assert!((a - e).abs() < 1e-5);
        }
    }

    #[test]
    fn through_the_mean_it_is_the_plain_network_of_its_layers() {
        let mut rng = fastrand::Rng::with_seed(6);
        for spec in zoo::shipped().iter().filter(|spec| spec.is_vae()) {
            let tensors = tensors(spec);
            let mut plain = Network::from(Net::new(spec, &tensors).unwrap());
            let vae = Vae::at_level(Level::detect(), spec, &tensors, 1, 0).unwrap();
            let mut through_mean = vae.through_mean().unwrap();
            let image: Vec<f32> = (0..spec.pixels()).map(|_| rng.f32()).collect();
            let mut both = [&mut plain, &mut through_mean].map(|network| {
                let (mut logits, mut gradient) = (vec![0.0; spec.classes()], vec![0.0; image.len()]);
                let loss = network.loss_and_gradient(&image, Loss::Label(1), &mut logits, &mut gradient);
                (loss, logits, gradient, network.shape())
            });
            assert!(both[0] == both[1], "{}", spec.name);
            both[0].0 += 1.0;
            assert!(both[0] != both[1]);
        }
    }

    #[test]
    fn no_samples_are_refused() {
        let spec = zoo::by_name("mnist-vae").unwrap();
        assert!(Vae::at_level(Level::detect(), &spec, &tensors(&spec), 0, 1).is_err());
    }

    #[test]
    fn normal_draws_have_mean_zero_and_variance_one() {
        let mut draws = vec![0.0; 20_001];
        normal(&mut fastrand::Rng::with_seed(1), &mut draws);
        let n = draws.len() as f32;
        let mean = draws.iter().sum::<f32>() / n;
        let variance = draws.iter().map(|x| (x - mean).powi(2)).sum::<f32>() / n;
        assert!(mean.abs() < 0.03 && (variance - 1.0).abs() < 0.04, "{mean} {variance}");
    }
}
