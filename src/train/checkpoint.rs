//! The state of a training between two epochs, in a file beside the weights: an interrupted training goes on from it
//! and ends with the same weights.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use candle_core::{Device, Tensor};

use super::adam::Adam;
use super::measure::Measured;
use super::{Epoch, Options};
use crate::native::files::write_atomically;
use crate::network::safetensors::{Dtype, read, write};
use crate::network::weights::floats;

const FORMAT: &str = "misread-checkpoint-2";
const WHAT: &str = "the checkpoint";
/// The largest checkpoint that is read, in bytes.
const MAX_BYTES: usize = 1 << 30;
/// Tensors of each parameter: now, first moment, second moment, best.
const KINDS: [&str; 4] = ["now", "first", "second", "best"];

/// What a training has come to.
pub struct State {
    /// The epochs that are over.
    pub epochs: Vec<Epoch>,
    /// The best of them, and the tensors after it.
    pub best: Option<(usize, Vec<Vec<f32>>)>,
    /// The tensors after the last of them.
    pub now: Option<Vec<Vec<f32>>>,
    /// Adam's moments after the last of them.
    moments: Vec<[Vec<f32>; 2]>,
    steps: usize,
}

impl State {
    /// Takes in an epoch that is over.
    ///
    /// # Errors
    /// When candle fails.
    pub fn add(
        &mut self,
        options: &Options,
        epoch: Epoch,
        tensors: Vec<Vec<f32>>,
        adam: &Adam,
    ) -> Result<()> {
        let lower_is_better = |e: &Epoch| {
            let m = &e.held_out;
            if options.recipe.adversarial.is_some() {
                return -m.robust;
            }
            match options.spec.vae {
                None => -m.accuracy,
                Some(_) => {
                    m.reconstruction + options.beta * m.kl + options.recipe.label_weight * m.cross_entropy
                }
            }
        };
        let best = self.best.as_ref().map(|(i, _)| lower_is_better(&self.epochs[*i]));
        if !options.recipe.keep_best || best.is_none_or(|best| lower_is_better(&epoch) < best) {
            self.best = Some((self.epochs.len(), tensors.clone()));
        }
        self.epochs.push(epoch);
        self.now = Some(tensors);
        let flat = |t: &Tensor| t.flatten_all()?.to_vec1::<f32>();
        self.moments =
            adam.moments.iter().map(|[m, v]| Ok([flat(m)?, flat(v)?])).collect::<candle_core::Result<_>>()?;
        self.steps = adam.steps;
        Ok(())
    }

    /// Puts the moments back into `adam`.
    ///
    /// # Errors
    /// When candle fails.
    pub fn restore(&self, adam: &mut Adam, device: &Device) -> candle_core::Result<()> {
        adam.steps = self.steps;
        for (tensors, values) in adam.moments.iter_mut().zip(&self.moments) {
            for (tensor, values) in tensors.iter_mut().zip(values) {
                *tensor = Tensor::from_slice(values, tensor.shape(), device)?;
            }
        }
        Ok(())
    }
}

fn path(out: &Path) -> PathBuf {
    let mut path = out.as_os_str().to_owned();
    path.push(".checkpoint");
    path.into()
}

/// What must be the same when a training goes on.
fn recipe(options: &Options) -> Vec<(&'static str, String)> {
    let latent = options.trained.vae.as_ref().map_or(0, |v| v.latent);
    let adversarial = options.recipe.adversarial.map_or_else(|| "none".into(), |attack| attack.to_string());
    vec![
        ("arch", options.trained.name.clone()),
        ("latent", latent.to_string()),
        ("labels", options.trained.labels.join("; ")),
        ("epochs", options.recipe.epochs.to_string()),
        ("batch", options.recipe.batch.to_string()),
        ("rate", options.recipe.rate.to_string()),
        ("seed", options.seed.to_string()),
        ("beta", options.beta.to_string()),
        ("label_weight", options.recipe.label_weight.to_string()),
        ("adversarial", adversarial),
        ("temperature", options.recipe.temperature.unwrap_or(1.0).to_string()),
        ("pair_loss", options.recipe.pair_loss.name().to_owned()),
    ]
}

/// Whether a training with these weights was interrupted.
pub fn exists(out: &Path) -> bool {
    path(out).exists()
}

/// The state before the first epoch.
///
/// # Errors
/// When there is a checkpoint already, which would be lost.
pub fn fresh(options: &Options) -> Result<State> {
    let path = path(&options.out);
    ensure!(
        !path.exists(),
        "an unfinished training lies in {}: go on with --resume, or remove the file",
        path.display()
    );
    Ok(State { epochs: Vec::new(), best: None, now: None, moments: Vec::new(), steps: 0 })
}

/// Writes the state.
///
/// # Errors
/// When it cannot be written; the old one is left.
pub fn save(options: &Options, state: &State) -> Result<()> {
    let (Some(now), Some((best_epoch, best))) = (&state.now, &state.best) else { return Ok(()) };
    let bytes = |v: &[f32]| v.iter().flat_map(|x| x.to_le_bytes()).collect::<Vec<u8>>();
    let mut tensors = Vec::new();
    for (i, p) in options.trained.parameters().iter().enumerate() {
        let values = [&now[i], &state.moments[i][0], &state.moments[i][1], &best[i]];
        for (kind, values) in KINDS.into_iter().zip(values) {
            tensors.push((format!("{kind}.{}", p.name), Dtype::F32, p.shape.clone(), bytes(values)));
        }
    }
    let number = |x: f64| x.to_bits().to_string();
    let history: Vec<String> = state
        .epochs
        .iter()
        .flat_map(|e| {
            let Measured { accuracy, balanced, cross_entropy, reconstruction, kl, robust } = e.held_out;
            [e.loss, accuracy, balanced, cross_entropy, reconstruction, kl, robust].map(number)
        })
        .collect();
    let mut metadata: BTreeMap<String, String> =
        recipe(options).into_iter().map(|(k, v)| (k.to_owned(), v)).collect();
    for (key, value) in [
        ("format", FORMAT.to_owned()),
        ("best", best_epoch.to_string()),
        ("steps", state.steps.to_string()),
        ("history", history.join(" ")),
    ] {
        metadata.insert(key.to_owned(), value);
    }
    write_atomically(&path(&options.out), &write(tensors, metadata)?)
}

/// Reads the state.
///
/// # Errors
/// When there is none, it is broken, or it belongs to another training.
pub fn load(options: &Options) -> Result<State> {
    let path = path(&options.out);
    let bytes = std::fs::read(&path)
        .with_context(|| format!("there is nothing to resume: cannot read {}", path.display()))?;
    let file = read(WHAT, &bytes, MAX_BYTES)?;
    let fact = |key: &str| file.metadata.get(key).map(String::as_str).unwrap_or_default();
    ensure!(fact("format") == FORMAT, "{} is no checkpoint of this version", path.display());
    for (key, value) in recipe(options) {
        if fact(key) != value {
            bail!("the checkpoint was made with {key} {}, not {value}; resume with the same", fact(key));
        }
    }
    let broken = || format!("{} is broken", path.display());
    let of = |kind: &str| -> Result<Vec<Vec<f32>>> {
        let parameters = options.trained.parameters();
        let read = parameters.iter().map(|p| {
            let tensor = file.tensor(&format!("{kind}.{}", p.name)).with_context(broken)?;
            ensure!(tensor.dtype == Dtype::F32 && tensor.shape == p.shape, broken());
            Ok(floats(tensor.data))
        });
        read.collect()
    };
    let history: Vec<f64> = fact("history")
        .split_whitespace()
        .map(|bits| bits.parse().map(f64::from_bits).with_context(broken))
        .collect::<Result<_>>()?;
    let epochs: Vec<Epoch> = history
        .chunks_exact(7)
        .map(|e| Epoch {
            loss: e[0],
            held_out: Measured {
                accuracy: e[1],
                balanced: e[2],
                cross_entropy: e[3],
                reconstruction: e[4],
                kl: e[5],
                robust: e[6],
            },
        })
        .collect();
    let best: usize = fact("best").parse().with_context(broken)?;
    ensure!(best < epochs.len(), broken());
    let [now, first, second, kept] = [of(KINDS[0])?, of(KINDS[1])?, of(KINDS[2])?, of(KINDS[3])?];
    Ok(State {
        epochs,
        best: Some((best, kept)),
        now: Some(now),
        moments: first.into_iter().zip(second).map(|(m, v)| [m, v]).collect(),
        steps: fact("steps").parse().with_context(broken)?,
    })
}

/// Removes the checkpoint of a training that is over.
///
/// # Errors
/// When it cannot be removed.
pub fn remove(out: &Path) -> Result<()> {
    let path = path(out);
    std::fs::remove_file(&path).with_context(|| format!("cannot remove {}", path.display()))
}
