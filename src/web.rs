//! Thin bindings for the page: newtypes around the crate's own types, nothing else.

use js_sys::{Function, Object, Reflect};
use wasm_bindgen::prelude::*;

use crate::arch::MNIST;
use crate::attack::linf::{BasicIterativeLinf, LinfOptions};
use crate::attack::{Attack, Goal};
use crate::bench;
use crate::kernel::simd::Level;
use crate::model::Classifier;
use crate::weights::Weights;

/// Sends panics to the console with their place, once for each instance.
#[wasm_bindgen(start)]
pub fn start() {
    console_error_panic_hook::set_once();
}

/// Which instruction set this build runs on, e.g. `simd128`.
#[wasm_bindgen]
pub fn build() -> String {
    Level::detect().name().into()
}

/// A network with its weights.
#[wasm_bindgen]
pub struct Network {
    network: crate::model::Network,
    facts: crate::weights::Facts,
}

#[wasm_bindgen]
impl Network {
    /// Reads a weights file; throws what is wrong with it.
    #[wasm_bindgen(constructor)]
    pub fn new(bytes: &[u8]) -> Result<Network, JsError> {
        let weights = Weights::from_bytes(bytes)?;
        Ok(Self { network: crate::model::Network::new(&weights)?, facts: weights.facts })
    }

    /// The facts of the weights file, by name.
    pub fn facts(&self) -> Result<Object, JsValue> {
        let object = Object::new();
        for (key, value) in &self.facts {
            Reflect::set(&object, &key.into(), &value.into())?;
        }
        Ok(object)
    }

    /// The name that a visitor reads.
    pub fn title(&self) -> String {
        self.network.net().arch().title.into()
    }

    /// What each label stands for.
    pub fn labels(&self) -> Vec<String> {
        self.network.net().arch().dataset.labels.iter().map(|&l| l.into()).collect()
    }

    /// Probabilities of all labels for an image in [0, 1].
    pub fn probabilities(&mut self, image: &[f32]) -> Result<Vec<f32>, JsError> {
        if image.len() != self.network.pixels() {
            return Err(JsError::new("the image has the wrong size"));
        }
        let mut logits = vec![0.0; self.network.classes()];
        let mut probabilities = logits.clone();
        self.network.logits(image, &mut logits);
        crate::kernel::softmax::softmax(&logits, &mut probabilities);
        Ok(probabilities)
    }

    /// Cross-entropy of `label`, logits and gradient at an image, one after the other in one array.
    #[wasm_bindgen(js_name = lossAndGradient)]
    pub fn loss_and_gradient(&mut self, image: &[f32], label: usize) -> Result<Vec<f32>, JsError> {
        if image.len() != self.network.pixels() || label >= self.network.classes() {
            return Err(JsError::new("the image or the label does not fit the network"));
        }
        let classes = self.network.classes();
        let mut all = vec![0.0; 1 + classes + image.len()];
        let (logits, gradient) = all[1..].split_at_mut(classes);
        let loss = self.network.loss_and_gradient(image, label, logits, gradient);
        all[0] = loss;
        Ok(all)
    }
}

/// The multiply-add peak of this machine in this engine, in GFLOP/s. `now` is a clock in milliseconds.
#[wasm_bindgen(js_name = peakGflops)]
pub fn peak_gflops(now: &Function) -> f64 {
    bench::peak_gflops(Level::detect(), &|| clock(now))
}

fn clock(now: &Function) -> f64 {
    now.call0(&JsValue::NULL).ok().and_then(|ms| ms.as_f64()).unwrap_or(f64::NAN)
}

/// How long a gradient takes; see `bench::Row`.
#[wasm_bindgen(inspectable)]
pub struct BenchRow(bench::Row);

#[wasm_bindgen]
impl BenchRow {
    /// Times the gradient at `images`, one after the other, as many as the batch.
    pub fn measure(network: &mut Network, images: &[f32], now: &Function) -> Result<BenchRow, JsError> {
        let arch = network.network.net().arch();
        if images.is_empty() || !images.len().is_multiple_of(arch.pixels()) {
            return Err(JsError::new("the images have the wrong size"));
        }
        let (level, flops) = (network.network.net().level(), arch.gradient_flops());
        Ok(Self(bench::gradient(arch.name, &mut network.network, images, flops, level, &|| clock(now))?))
    }
    /// The network's name.
    #[wasm_bindgen(getter)]
    pub fn model(&self) -> String {
        self.0.model.clone()
    }
    /// Images in a batch.
    #[wasm_bindgen(getter)]
    pub fn batch(&self) -> usize {
        self.0.batch
    }
    /// Milliseconds a batch.
    #[wasm_bindgen(getter)]
    pub fn ms(&self) -> f64 {
        self.0.ms
    }
    /// Billion operations a second, skipped ones counted.
    #[wasm_bindgen(getter)]
    pub fn gflops(&self) -> f64 {
        self.0.gflops
    }
    /// That in percent of the peak.
    #[wasm_bindgen(getter, js_name = percentOfPeak)]
    pub fn percent_of_peak(&self) -> f64 {
        self.0.percent_of_peak
    }
}

/// Where an attack stands.
#[wasm_bindgen(inspectable)]
#[derive(Clone, Copy)]
pub struct Progress(crate::attack::Progress);

#[wasm_bindgen]
impl Progress {
    /// Steps taken; 0 describes the original.
    #[wasm_bindgen(getter)]
    pub fn step(&self) -> usize {
        self.0.step
    }
    /// Cross-entropy of the goal's label, in nats.
    #[wasm_bindgen(getter)]
    pub fn loss(&self) -> f32 {
        self.0.loss
    }
    /// The label that the network reads.
    #[wasm_bindgen(getter)]
    pub fn predicted(&self) -> usize {
        self.0.predicted
    }
    /// Probability of the false label.
    #[wasm_bindgen(getter)]
    pub fn confidence(&self) -> f32 {
        self.0.confidence
    }
    /// Whether the goal is reached.
    #[wasm_bindgen(getter)]
    pub fn success(&self) -> bool {
        self.0.success
    }
    /// Sum of absolute changes, in pixel units.
    #[wasm_bindgen(getter)]
    pub fn l1(&self) -> f64 {
        self.0.norms.l1
    }
    /// Euclidean length of the change.
    #[wasm_bindgen(getter)]
    pub fn l2(&self) -> f64 {
        self.0.norms.l2
    }
    /// Largest change of a pixel.
    #[wasm_bindgen(getter)]
    pub fn linf(&self) -> f64 {
        self.0.norms.linf
    }
    /// Gradients computed so far.
    #[wasm_bindgen(getter)]
    pub fn gradients(&self) -> usize {
        self.0.gradients
    }
    /// Whether this is the end.
    #[wasm_bindgen(getter)]
    pub fn done(&self) -> bool {
        self.0.done
    }
}

/// The Basic Iterative attack under L-infinity.
#[wasm_bindgen]
pub struct LinfAttack(BasicIterativeLinf);

#[wasm_bindgen]
impl LinfAttack {
    /// An attack on an image in [0, 1]: towards `label`, or away from it when not `targeted`.
    #[wasm_bindgen(constructor)]
    pub fn new(
        network: &Network,
        image: &[f32],
        label: usize,
        targeted: bool,
        epsilon: f32,
        steps: usize,
    ) -> Result<LinfAttack, JsError> {
        let goal = if targeted { Goal::Target(label) } else { Goal::Away(label) };
        let options = LinfOptions { epsilon, steps, alpha: None };
        Ok(Self(BasicIterativeLinf::new(&network.network, image, goal, options)?))
    }

    /// Takes a step; the first call evaluates the original.
    pub fn step(&mut self, network: &mut Network) -> Result<Progress, JsError> {
        Ok(Progress(self.0.step(&mut network.network)?))
    }

    /// The image that the latest progress describes.
    pub fn image(&self) -> Vec<f32> {
        self.0.image().to_vec()
    }

    /// The probabilities of all labels at that image.
    pub fn probabilities(&self) -> Vec<f32> {
        self.0.probabilities().to_vec()
    }
}

/// The digits that the page ships.
#[wasm_bindgen]
pub struct Samples(crate::samples::Samples);

#[wasm_bindgen]
impl Samples {
    /// Reads the sample of MNIST digits; throws what is wrong with it.
    #[wasm_bindgen(constructor)]
    pub fn new(bytes: &[u8]) -> Result<Samples, JsError> {
        Ok(Self(crate::samples::Samples::from_bytes(&MNIST, bytes)?))
    }

    /// Image after image, 0 to 255.
    pub fn pixels(&self) -> Vec<u8> {
        self.0.pixels.clone()
    }

    /// The true label of each image.
    pub fn labels(&self) -> Vec<u8> {
        self.0.labels.clone()
    }

    /// Where each image stands in the test set.
    pub fn indices(&self) -> Vec<u32> {
        self.0.indices.clone()
    }
}
