//! An attack on one image, step by step, and what it came to.

use js_sys::Float32Array;
use wasm_bindgen::prelude::*;

use super::network::{Subject, thresholds};
use super::{object, thrown};
use crate::attack::options::Value;
use crate::attack::{Goal, Options, Progress};
use crate::datasets::Image;
use crate::error::{Error, Result};
use crate::judge::{self, Record, Task};
use crate::metrics::grade::Thresholds;
use crate::metrics::norms::Norms;

/// An attack on one image.
#[wasm_bindgen]
pub struct Trial {
    trial: judge::Trial,
    /// Milliseconds in the attack's steps, and up to its first success.
    spent: f64,
    first: Option<f64>,
}

#[wasm_bindgen]
impl Trial {
    /// An attack on an image. `task` is `{image, index, label, target, start, only_if_read}`: the image in [0, 1], its index in
    /// its set, its true label, the label aimed at (null for any other), an image that is read as wanted (null for none), and
    /// whether an image that is misread as it is is left alone. `attack` is `{attack: name, FIELD: value, ...}`; fields that
    /// are missing have their defaults.
    #[wasm_bindgen(constructor)]
    pub fn new(subject: &mut Subject, task: &JsValue, attack: &JsValue) -> Result<Trial, JsValue> {
        Self::begin(subject, task, attack).map_err(thrown)
    }

    /// Takes a step, the first of which evaluates the start; true at the end. Throws an error with the key `skipped` when there
    /// is nothing to attack.
    pub fn step(&mut self, subject: &mut Subject) -> Result<bool, JsValue> {
        let start = super::bench::now();
        let stepped = self.trial.step(&mut subject.0);
        self.spent += super::bench::now() - start;
        let progress = stepped.map_err(thrown)?;
        if progress.success && self.first.is_none() {
            self.first = Some(self.spent);
        }
        Ok(progress.done)
    }

    /// The number of the latest step.
    #[wasm_bindgen(getter)]
    pub fn at(&self) -> usize {
        self.trial.latest().map_or(0, |latest| latest.step)
    }

    /// Where the attack stands: `{step, round, budget, loss, predicted, refused, confidence, success, l0, l1, l2, linf, gradients,
    /// queries, done, image, probabilities}`.
    #[wasm_bindgen(unchecked_return_type = "any")]
    pub fn frame(&self) -> Result<JsValue, JsValue> {
        let begun = || thrown(Error::BadInput("the attack has not begun".into()));
        let Progress {
            step,
            round,
            budget,
            loss,
            predicted,
            refused,
            confidence,
            success,
            norms,
            gradients,
            queries,
            done,
            ..
        } = *self.trial.latest().ok_or_else(begun)?;
        let number = |n: usize| JsValue::from(n as f64);
        let attack = self.trial.attack();
        Ok(object::from([
            ("step", number(step)),
            ("round", number(round)),
            ("budget", budget.into()),
            ("loss", loss.into()),
            ("predicted", number(predicted)),
            ("refused", refused.into()),
            ("confidence", confidence.into()),
            ("success", success.into()),
            ("l0", number(norms.l0)),
            ("l1", norms.l1.into()),
            ("l2", norms.l2.into()),
            ("linf", norms.linf.into()),
            ("gradients", number(gradients)),
            ("queries", number(queries)),
            ("done", done.into()),
            ("image", Float32Array::from(attack.image()).into()),
            ("probabilities", Float32Array::from(attack.probabilities()).into()),
        ]))
    }

    /// What the attack came to: `{record, image, probabilities, milliseconds, first_milliseconds}`; `thresholds` are the
    /// visitor's, `{valid, confident}`, each of which may be missing.
    #[wasm_bindgen(unchecked_return_type = "any")]
    pub fn judged(&self, subject: &mut Subject, thresholds: &JsValue) -> Result<JsValue, JsValue> {
        let own = super::network::thresholds(&subject.0.dataset).map_err(thrown)?;
        let judged = self.trial.judged(&mut subject.0, wanted(own, thresholds).map_err(thrown)?);
        let cells = judged.record.cells();
        let record = Record::FIELDS.iter().copied().zip(cells.iter().map(JsValue::from));
        Ok(object::from([
            ("record", object::from(record)),
            ("image", Float32Array::from(&judged.image[..]).into()),
            ("stored", Float32Array::from(&judged.stored[..]).into()),
            ("probabilities", Float32Array::from(&judged.probabilities[..]).into()),
            ("milliseconds", self.spent.into()),
            ("first_milliseconds", self.first.map_or(JsValue::NULL, Into::into)),
        ]))
    }
}

impl Trial {
    fn begin(subject: &mut Subject, task: &JsValue, attack: &JsValue) -> Result<Self> {
        let number = |key: &str| object::get(task, key).as_f64().map(|number| number as usize);
        let pixels = |key: &str| {
            let value = object::get(task, key);
            (!value.is_null() && !value.is_undefined()).then(|| Float32Array::new(&value).to_vec())
        };
        let missing = |what: &str| Error::BadInput(format!("the task has no {what}"));
        let label = number("label").ok_or_else(|| missing("label"))?;
        let image = Image {
            index: number("index").unwrap_or(0),
            file: object::get(task, "file").as_string(),
            label,
            pixels: pixels("image").ok_or_else(|| missing("image"))?,
        };
        let start = pixels("start");
        let task = Task {
            image: &image,
            goal: number("target").map_or(Goal::Away(label), Goal::Target),
            start: start.as_deref(),
            only_if_read: object::get(task, "only_if_read").is_truthy(),
        };
        let trial = judge::Trial::new(&mut subject.0, &task, &options(attack)?)?;
        Ok(Self { trial, spent: 0.0, first: None })
    }
}

/// The options that an object describes.
fn options(attack: &JsValue) -> Result<Options> {
    let name = object::get(attack, "attack").as_string().unwrap_or_default();
    let mut options = Options::of(&name)?;
    let norm = std::iter::once("norm");
    // A norm first: the budget's default follows it.
    for key in norm.chain(options.attack.fields.iter().map(|field| field.key).filter(|key| *key != "norm")) {
        let value = object::get(attack, key);
        let value = match (value.as_string(), value.as_f64(), value.as_bool()) {
            (Some(text), ..) => Value::Text(text),
            (_, Some(number), _) => Value::Number(number),
            (_, _, Some(flag)) => Value::Flag(flag),
            _ => continue,
        };
        options.set(key, &value)?;
    }
    Ok(options)
}

/// A data set's own thresholds, with those of the visitor in their place.
fn wanted(own: Thresholds, thresholds: &JsValue) -> Result<Thresholds> {
    let number = |key: &str| object::get(thresholds, key).as_f64();
    own.with(number("valid"), number("confident"))
}

/// How a record of that data set is graded under thresholds of the visitor's: `{valid, grade, measure, valid_at,
/// confident_at}`.
#[wasm_bindgen(unchecked_return_type = "any")]
pub fn grade(record: &JsValue, dataset: &str, thresholds: &JsValue) -> Result<JsValue, JsValue> {
    let own = self::thresholds(dataset).map_err(thrown)?;
    let number = |key: &str| object::get(record, key).as_f64().unwrap_or(f64::NAN);
    let norms = Norms { l2: number("l2"), ..Norms::default() };
    let wanted = wanted(own, thresholds).map_err(thrown)?;
    let success = object::get(record, "success").is_truthy();
    let (valid, grade) = wanted.grade(success, &norms, number("ssim"), number("confidence") as f32);
    let (measure, valid_at) = wanted.validity.measure();
    Ok(object::from([
        ("valid", valid.into()),
        ("grade", grade.name().into()),
        ("measure", measure.into()),
        ("valid_at", valid_at.into()),
        ("confident_at", wanted.confident.into()),
    ]))
}
