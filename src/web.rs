//! Thin bindings for the page: newtypes around the crate's own types, nothing else.

use js_sys::{Function, Object, Reflect};
use wasm_bindgen::prelude::*;

use crate::arch::{MNIST, Validity};
use crate::attack::iterative::L1Form;
use crate::attack::options::Method;
use crate::attack::{Goal, Options};
use crate::bench;
use crate::kernel::simd::Level;
use crate::kernel::softmax::Loss;
use crate::latent::LatentMap;
use crate::metrics::grade::Grade;
use crate::metrics::norms::Norms;
use crate::model::{Classifier, Inference, Model, Vae};
use crate::study::{DRAWS, EOT, Fresh, Measures, Thresholds, fresh, measure};
use crate::weights::Weights;

pub mod statistics;

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
    network: Model,
    weights: Weights,
    /// The encoder and the decoder of a VAE.
    vae: Option<Vae>,
    /// What answers a fresh reading, where the network samples.
    deployed: Option<Model>,
}

#[wasm_bindgen]
impl Network {
    /// Reads a weights file; throws what is wrong with it.
    #[wasm_bindgen(constructor)]
    pub fn new(bytes: &[u8]) -> Result<Network, JsError> {
        let weights = Weights::from_bytes(bytes)?;
        let vae = weights.arch.vae.is_some().then(|| Vae::sampled(&weights, 1, 0)).transpose()?;
        Ok(Self { network: Model::new(&weights, Inference::Mean)?, weights, vae, deployed: None })
    }

    /// Lets a VAE read through draws of the latent vector, one for each answer, instead of through its mean. Attacks
    /// then see the mean loss over some fixed draws.
    pub fn sample(&mut self) -> Result<(), JsError> {
        let sampled = |samples| Model::new(&self.weights, Inference::Sampled { samples, seed: DRAWS });
        (self.network, self.deployed) = (sampled(EOT)?, Some(sampled(1)?));
        Ok(())
    }

    /// How a network that samples answers over fresh draws: `[share of answers that reach the goal, label that most of
    /// them name, mean confidence]`; empty where nothing is drawn. Each `index` has draws of its own.
    pub fn fresh(
        &mut self,
        image: &[f32],
        label: usize,
        targeted: bool,
        index: u32,
    ) -> Result<Vec<f64>, JsError> {
        self.check(image)?;
        let goal = if targeted { Goal::Target(label) } else { Goal::Away(label) };
        let Some(deployed) = &mut self.deployed else { return Ok(Vec::new()) };
        let Fresh { share, predicted, confidence } = fresh(deployed, image, goal, index.into());
        Ok(vec![share, predicted as f64, confidence.into()])
    }

    /// Whether it is a variational auto-encoder.
    #[wasm_bindgen(js_name = isVae)]
    pub fn is_vae(&self) -> bool {
        self.vae.is_some()
    }

    /// What a VAE makes of an image: the place of its latent vector on the map (two numbers, NaN where there is no map),
    /// then the image that the decoder makes of it.
    pub fn see(&mut self, image: &[f32]) -> Result<Vec<f32>, JsError> {
        self.check(image)?;
        let vae = self.vae.as_mut().ok_or_else(|| JsError::new("only a VAE has a decoder"))?;
        let mean = vae.encode(image).0.to_vec();
        let mut seen = vec![f32::NAN; 2 + image.len()];
        if let Some(map) = &self.weights.map {
            seen[..2].copy_from_slice(&map.project(&mean));
        }
        vae.decode(&mean, &mut seen[2..]);
        Ok(seen)
    }

    /// The map of a VAE's latent space: positions of test images, two numbers each; empty where there is none.
    #[wasm_bindgen(js_name = mapPoints)]
    pub fn map_points(&self) -> Vec<f32> {
        let points = |map: &LatentMap| {
            map.points.iter().map(|&p| f32::from(p) * map.scale / 127.0).collect::<Vec<_>>()
        };
        self.weights.map.as_ref().map(points).unwrap_or_default()
    }

    /// The labels of these images.
    #[wasm_bindgen(js_name = mapLabels)]
    pub fn map_labels(&self) -> Vec<u8> {
        self.weights.map.as_ref().map(|map| map.labels.clone()).unwrap_or_default()
    }

    /// The facts of the weights file, by name.
    pub fn facts(&self) -> Result<Object, JsValue> {
        let object = Object::new();
        for (key, value) in &self.weights.facts {
            Reflect::set(&object, &key.into(), &value.into())?;
        }
        Ok(object)
    }

    /// The name that a visitor reads.
    pub fn title(&self) -> String {
        self.weights.arch.title.into()
    }

    /// What each label stands for.
    pub fn labels(&self) -> Vec<String> {
        self.weights.arch.dataset.labels.iter().map(|&l| l.into()).collect()
    }

    /// By what an attack is graded unless a visitor says otherwise: `{measure: "l2" or "ssim", valid, confident}`.
    pub fn thresholds(&self) -> Result<Object, JsValue> {
        let Thresholds { validity, confident } = self.default_thresholds();
        let (measure, valid) = match validity {
            Validity::L2AtMost(most) => ("l2", most),
            Validity::SsimAtLeast(least) => ("ssim", least),
        };
        let object = Object::new();
        Reflect::set(&object, &"measure".into(), &measure.into())?;
        Reflect::set(&object, &"valid".into(), &valid.into())?;
        Reflect::set(&object, &"confident".into(), &confident.into())?;
        Ok(object)
    }

    /// `{valid, grade}` of an outcome under thresholds of the visitor's.
    pub fn grade(
        &self,
        success: bool,
        l2: f64,
        ssim: f64,
        confidence: f64,
        valid_at: f64,
        confident_at: f64,
    ) -> Result<Object, JsValue> {
        let rule = match self.default_thresholds().validity {
            Validity::L2AtMost(_) => Validity::L2AtMost(valid_at),
            Validity::SsimAtLeast(_) => Validity::SsimAtLeast(valid_at),
        };
        let valid = rule.holds(&Norms { l2, ..Norms::default() }, ssim);
        let grade = Grade::of(success, valid, confidence >= confident_at);
        let object = Object::new();
        Reflect::set(&object, &"valid".into(), &valid.into())?;
        Reflect::set(&object, &"grade".into(), &grade.name().into())?;
        Ok(object)
    }

    /// Probabilities of all labels for an image in [0, 1].
    pub fn probabilities(&mut self, image: &[f32]) -> Result<Vec<f32>, JsError> {
        self.check(image)?;
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
        let loss = self.network.loss_and_gradient(image, Loss::Label(label), logits, gradient);
        all[0] = loss;
        Ok(all)
    }
}

impl Network {
    fn check(&self, image: &[f32]) -> Result<(), JsError> {
        if image.len() != self.network.pixels() {
            return Err(JsError::new("the image has the wrong size"));
        }
        Ok(())
    }

    fn default_thresholds(&self) -> Thresholds {
        Thresholds::new(self.weights.arch.dataset.validity)
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
        let arch = network.weights.arch;
        if images.is_empty() || !images.len().is_multiple_of(arch.pixels()) {
            return Err(JsError::new("the images have the wrong size"));
        }
        let (level, flops) = (Level::detect(), arch.gradient_flops());
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
    /// How often the attack has begun afresh, with another budget.
    #[wasm_bindgen(getter)]
    pub fn round(&self) -> usize {
        self.0.round
    }
    /// What is allowed in this round.
    #[wasm_bindgen(getter)]
    pub fn budget(&self) -> f32 {
        self.0.budget
    }
    /// Pixels that changed.
    #[wasm_bindgen(getter)]
    pub fn l0(&self) -> usize {
        self.0.norms.l0
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
    /// Images that the network has been asked about so far.
    #[wasm_bindgen(getter)]
    pub fn queries(&self) -> usize {
        self.0.queries
    }
    /// Whether this is the end.
    #[wasm_bindgen(getter)]
    pub fn done(&self) -> bool {
        self.0.done
    }
}

/// An attack as data: a method with its defaults, and setters.
#[wasm_bindgen]
pub struct AttackOptions(Options);

#[wasm_bindgen]
impl AttackOptions {
    /// The defaults of `linf`, `l1`, `lbfgs`, `apgd`, `strongest`, `square` or `hopskipjump`.
    #[wasm_bindgen(constructor)]
    pub fn new(method: &str) -> Result<AttackOptions, JsError> {
        Ok(Self(Options::new(method.parse()?)))
    }
    /// The sparse form of the L1 attack instead of the published one.
    pub fn sparse(&mut self) {
        self.0.method = Method::L1(L1Form::Sparse);
    }
    /// The norm of an attack that knows several: `linf`, `l1` or `l2`. Throws for one that it does not know. The budget
    /// is then that norm's default.
    pub fn under(&mut self, norm: &str) -> Result<(), JsError> {
        self.0 = Options::new(self.0.method.under(norm.parse()?)?);
        Ok(())
    }
    /// The loss of APGD: `ce`, `dlr` or `margin`.
    pub fn descend(&mut self, loss: &str) -> Result<(), JsError> {
        self.0.loss = loss.parse()?;
        Ok(())
    }
    /// Runs of APGD from different starts.
    #[wasm_bindgen(setter)]
    pub fn set_restarts(&mut self, restarts: usize) {
        self.0.restarts = restarts;
    }
    /// Seeks the smallest budget that succeeds.
    #[wasm_bindgen(setter)]
    pub fn set_search(&mut self, search: bool) {
        self.0.search = search;
    }
    /// The budget: epsilon, or c.
    #[wasm_bindgen(setter)]
    pub fn set_budget(&mut self, budget: f32) {
        self.0.budget = budget;
    }
    /// Steps of a round; iterations of a minimisation.
    #[wasm_bindgen(setter)]
    pub fn set_steps(&mut self, steps: usize) {
        self.0.steps = steps;
    }
    /// Probability of the false label that counts as success.
    #[wasm_bindgen(setter)]
    pub fn set_confidence(&mut self, confidence: f32) {
        self.0.confidence = confidence;
    }
    /// Whether the first success is the end.
    #[wasm_bindgen(setter, js_name = earlyStop)]
    pub fn set_early_stop(&mut self, early_stop: bool) {
        self.0.early_stop = early_stop;
    }
    /// A random start, drawn with this seed.
    #[wasm_bindgen(setter)]
    pub fn set_seed(&mut self, seed: u32) {
        self.0.seed = Some(seed.into());
    }
}

/// An attack on one image.
#[wasm_bindgen]
pub struct Attack {
    attack: Box<dyn crate::attack::Attack>,
    options: Options,
    goal: Goal,
    original: Vec<f32>,
}

#[wasm_bindgen]
impl Attack {
    /// An attack on an image in [0, 1]: towards `label`, or away from it when not `targeted`. `start` is an image of the wanted
    /// label, for attacks that see labels alone; empty where there is none.
    #[wasm_bindgen(constructor)]
    pub fn new(
        network: &Network,
        image: &[f32],
        label: usize,
        targeted: bool,
        options: &AttackOptions,
        start: &[f32],
    ) -> Result<Attack, JsError> {
        let goal = if targeted { Goal::Target(label) } else { Goal::Away(label) };
        let start = (!start.is_empty()).then_some(start);
        let attack = options.0.attack_from(&network.network, image, goal, start)?;
        Ok(Self { attack, options: options.0, goal, original: image.to_vec() })
    }

    /// Takes a step; the first call evaluates the start.
    pub fn step(&mut self, network: &mut Network) -> Result<Progress, JsError> {
        Ok(Progress(self.attack.step(&mut network.network)?))
    }

    /// The image that the latest progress describes.
    pub fn image(&self) -> Vec<f32> {
        self.attack.image().to_vec()
    }

    /// The probabilities of all labels at that image.
    pub fn probabilities(&self) -> Vec<f32> {
        self.attack.probabilities().to_vec()
    }

    /// The best image so far, measured.
    pub fn outcome(&self, network: &mut Network) -> Result<Outcome, JsError> {
        let none = || JsError::new("the attack has not begun");
        let outcome = self.attack.outcome().ok_or_else(none)?.clone();
        let shape = network.weights.arch.dataset.image;
        let thresholds = network.default_thresholds();
        let measures =
            measure(&mut network.network, self.goal, (&self.original, shape), &outcome, thresholds);
        let budget = self.options.budget_of(&outcome.progress);
        Ok(Outcome { outcome, measures, budget })
    }
}

/// The best image that an attack came by, with what is measured of it.
#[wasm_bindgen]
pub struct Outcome {
    outcome: crate::attack::Outcome,
    measures: Measures,
    budget: Option<f64>,
}

#[wasm_bindgen]
impl Outcome {
    /// Where the attack stood.
    pub fn progress(&self) -> Progress {
        Progress(self.outcome.progress)
    }
    /// The image.
    pub fn image(&self) -> Vec<f32> {
        self.outcome.image.clone()
    }
    /// The probabilities of all labels there.
    pub fn probabilities(&self) -> Vec<f32> {
        self.outcome.probabilities.clone()
    }
    /// Structural similarity with the original.
    #[wasm_bindgen(getter)]
    pub fn ssim(&self) -> f64 {
        self.measures.ssim
    }
    /// Whether it still fools the network when its pixels are rounded to 8 bits.
    #[wasm_bindgen(getter, js_name = survivesPng)]
    pub fn survives_png(&self) -> bool {
        self.measures.survives_png
    }
    /// The fixed budget, or the smallest that was found.
    #[wasm_bindgen(getter)]
    pub fn budget(&self) -> Option<f64> {
        self.budget
    }
}

/// Digits that come with the page: its sample, or those of the lab.
#[wasm_bindgen]
pub struct Samples(crate::samples::Samples);

#[wasm_bindgen]
impl Samples {
    /// Reads a file of MNIST digits; throws what is wrong with it.
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
