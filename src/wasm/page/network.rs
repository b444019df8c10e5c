//! Networks, subjects and the shipped images.

use wasm_bindgen::prelude::*;

use super::{object, thrown};
use crate::classifier::defence::needed;
use crate::classifier::{Attacker, Classifier, EOT, Guard, Inference, Vae};
use crate::datasets::{self, Dataset};
use crate::error::{Error, Result};
use crate::kernel::softmax::{Loss, softmax};
use crate::metrics::grade::Thresholds;
use crate::network::Weights;
use crate::network::latent::LatentMap;
use crate::zoo;

/// A network: its weights, read and packed once. The subjects that are made of it share them.
#[wasm_bindgen]
pub struct Network {
    pub(super) weights: Weights,
    /// Of a VAE, all its parts.
    vae: Option<Vae>,
    /// Of another network, what answers.
    plain: Option<crate::classifier::Network>,
    name: String,
}

#[wasm_bindgen]
impl Network {
    /// Reads a weights file; throws what is wrong with it. `name` is the one under which it stands in records: its own where
    /// none is given.
    #[wasm_bindgen(constructor)]
    pub fn new(bytes: &[u8], name: Option<String>) -> Result<Network, JsValue> {
        Self::read(bytes, name).map_err(thrown)
    }

    /// What it is: `{name, title, family, dataset, image, labels, vae, control_of, defends, measure, valid, confident}`, the last three
    /// by what an attack on it is graded.
    #[wasm_bindgen(unchecked_return_type = "any")]
    pub fn about(&self) -> Result<JsValue, JsValue> {
        let spec = &self.weights.spec;
        let thresholds = thresholds(&spec.dataset).map_err(thrown)?;
        let (measure, valid) = thresholds.validity.measure();
        let numbers =
            |numbers: &[usize]| numbers.iter().map(|&n| JsValue::from(n as f64)).collect::<js_sys::Array>();
        let labels: js_sys::Array = spec.labels.iter().map(JsValue::from).collect();
        Ok(object::from([
            ("name", (&spec.name).into()),
            ("title", (&spec.title).into()),
            ("family", (&spec.family).into()),
            ("dataset", (&spec.dataset).into()),
            ("image", numbers(&spec.image).into()),
            ("labels", labels.into()),
            ("vae", spec.is_vae().into()),
            ("control_of", spec.control_of.as_ref().map_or(JsValue::NULL, Into::into)),
            ("defends", spec.defends.as_ref().map_or(JsValue::NULL, Into::into)),
            ("measure", measure.into()),
            ("valid", valid.into()),
            ("confident", thresholds.confident.into()),
        ]))
    }

    /// The names of the networks that the guards among these defences need, besides this one.
    pub fn guards(&self, defence: &str) -> Result<Vec<String>, JsValue> {
        needed(defence, &self.weights.spec).map_err(thrown)
    }

    /// The facts of the weights file, by name.
    #[wasm_bindgen(unchecked_return_type = "any")]
    pub fn facts(&self) -> JsValue {
        object::from(self.weights.facts.iter().map(|(key, value)| (key.as_str(), value.into())))
    }

    /// What a VAE makes of an image: the place of its latent vector on the map (two numbers, NaN where there is no map),
    /// then the image that the decoder makes of it.
    pub fn see(&mut self, image: &[f32]) -> Result<Vec<f32>, JsValue> {
        let only = || Error::BadInput("only a VAE has a decoder".into());
        let vae = self.vae.as_mut().ok_or_else(only).map_err(thrown)?;
        check(vae, image).map_err(thrown)?;
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
}

impl Network {
    fn read(bytes: &[u8], name: Option<String>) -> Result<Self> {
        let mut weights = zoo::read(bytes)?;
        Dataset::by_name(&weights.spec.dataset)?;
        let vae = weights.spec.is_vae().then(|| Vae::sampled(&weights, 1, 0)).transpose()?;
        let plain = match vae {
            Some(_) => None,
            None => Some(crate::classifier::Network::new(&weights)?),
        };
        // What is packed is not needed as it was read.
        weights.tensors = Vec::new();
        let name = name.unwrap_or_else(|| weights.spec.name.clone());
        Ok(Self { weights, vae, plain, name })
    }

    /// The guard that it makes.
    fn guard(&self) -> Result<Guard> {
        let (spec, facts) = (&self.weights.spec, &self.weights.facts);
        match (&self.vae, &self.plain) {
            (Some(vae), _) => Guard::of_vae(spec, facts, vae),
            (None, Some(plain)) => Guard::of_network(spec, facts, plain),
            (None, None) => Err(Error::BadInput("the network has no weights".into())),
        }
    }

    pub(super) fn subject(
        &self,
        inference: Inference,
        defence: &str,
        attacker: Attacker,
        guards: &[Guard],
    ) -> Result<crate::classifier::Subject> {
        let mut subject = match (&self.vae, &self.plain) {
            (Some(vae), _) => crate::classifier::Subject::of_vae(&self.weights, vae, inference, 1, EOT)?,
            (None, Some(plain)) => crate::classifier::Subject::plain(&self.weights, Box::new(plain.clone())),
            (None, None) => return Err(Error::BadInput("the network has no weights".into())),
        };
        subject.network.clone_from(&self.name);
        let own = &self.weights.spec;
        subject.behind(own, defence, attacker, &mut |name| {
            if name == own.name {
                return self.guard();
            }
            let found = guards.iter().find(|guard| guard.name() == name).cloned();
            found.ok_or_else(|| Error::BadInput(format!("the guard '{name}' is not loaded")))
        })
    }
}

/// Networks that stand guard.
#[wasm_bindgen]
#[derive(Default)]
pub struct Guards(Vec<Guard>);

#[wasm_bindgen]
impl Guards {
    /// None yet.
    #[wasm_bindgen(constructor)]
    pub fn new() -> Guards {
        Self::default()
    }

    /// Takes a network as a guard; throws where it cannot be one.
    pub fn add(&mut self, network: &Network) -> Result<(), JsValue> {
        self.0.push(network.guard().map_err(thrown)?);
        Ok(())
    }
}

/// What is attacked: a network, how a VAE reads, and what it stands behind.
#[wasm_bindgen]
pub struct Subject(pub(super) crate::classifier::Subject);

#[wasm_bindgen]
impl Subject {
    /// A network that reads through `mean` or `sampled` (of which what is no VAE takes no notice), behind the defence of that
    /// name, several with `+` between (an empty name or `none` for none), as an `adaptive`, a `blind` or a `black-box` attacker
    /// sees it. `guards` holds the guards that [`Network::guards`] names.
    #[wasm_bindgen(constructor)]
    pub fn new(
        network: &Network,
        inference: &str,
        defence: &str,
        attacker: &str,
        guards: &Guards,
    ) -> Result<Subject, JsValue> {
        let subject = || network.subject(inference.parse()?, defence, attacker.parse()?, &guards.0);
        Ok(Self(subject().map_err(thrown)?))
    }

    /// Has it attacked as `bare`, the network that it was trained to defend: what is made there is replayed here.
    #[wasm_bindgen(js_name = takenFor)]
    pub fn taken_for(&mut self, bare: &Subject) {
        self.0.taken_for(&bare.0);
    }

    /// How it reads an image, of that index in its set: `{predicted, refused, confidence, probabilities}`. Label and refusal are
    /// what is deployed answers (of draws what most of them name), the probabilities those that an attacker sees.
    #[wasm_bindgen(unchecked_return_type = "any")]
    pub fn read(&mut self, image: &[f32], index: u32) -> Result<JsValue, JsValue> {
        let subject = &mut self.0;
        check(&*subject.seen, image).map_err(thrown)?;
        let classes = subject.seen.classes();
        let labels = subject.seen.labels();
        let (mut logits, mut probabilities) = (vec![0.0; classes], vec![0.0; labels]);
        subject.seen.logits(image, &mut logits);
        softmax(&logits[..labels], &mut probabilities);
        let read = subject.read(image, index.into(), |_| true, |_| 1.0);
        Ok(object::from([
            ("predicted", (read.predicted as f64).into()),
            ("refused", read.refused.into()),
            ("confidence", f64::from(probabilities[read.predicted]).into()),
            ("probabilities", js_sys::Float32Array::from(&probabilities[..]).into()),
        ]))
    }

    /// Cross-entropy of `label`, logits and gradient at an image, one after the other in one array.
    #[wasm_bindgen(js_name = lossAndGradient)]
    pub fn loss_and_gradient(&mut self, image: &[f32], label: usize) -> Result<Vec<f32>, JsValue> {
        let seen = &mut self.0.seen;
        check(&**seen, image).map_err(thrown)?;
        let classes = seen.classes();
        if label >= classes {
            return Err(thrown(Error::BadInput(format!(
                "there is no label {label}; the network has {classes}"
            ))));
        }
        let mut all = vec![0.0; 1 + classes + image.len()];
        let (logits, gradient) = all[1..].split_at_mut(classes);
        all[0] = seen.loss_and_gradient(image, Loss::Label(label), logits, gradient);
        Ok(all)
    }
}

fn check(model: &dyn Classifier, image: &[f32]) -> Result<()> {
    let (has, reads) = (image.len(), model.pixels());
    if has == reads {
        Ok(())
    } else {
        Err(Error::BadInput(format!("the image has {has} numbers; the network reads {reads}")))
    }
}

/// By what an attack on images of a data set is graded unless someone says otherwise.
pub(super) fn thresholds(dataset: &str) -> Result<Thresholds> {
    Ok(Thresholds::new(Dataset::by_name(dataset)?.validity))
}

/// Images that come with the page: a sample, or those of the lab.
#[wasm_bindgen]
pub struct Samples(datasets::Samples);

#[wasm_bindgen]
impl Samples {
    /// Reads a file of a data set's images; throws what is wrong with it.
    #[wasm_bindgen(constructor)]
    pub fn new(dataset: &str, bytes: &[u8]) -> Result<Samples, JsValue> {
        let samples =
            Dataset::by_name(dataset).and_then(|dataset| datasets::Samples::from_bytes(dataset, bytes));
        Ok(Self(samples.map_err(thrown)?))
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
