//! Which label each image is attacked towards, as the command line says it.

use std::path::Path;

use anyhow::{Context, Result, bail, ensure};

use crate::attack::Goal;
use crate::classifier::Classifier;
use crate::datasets::Image;
use crate::native::images::Target;
use crate::network::Spec;

/// Towards which labels.
#[derive(Clone, Debug)]
pub enum Aim {
    /// One rule for all.
    One(Target),
    /// The label that the network holds for the least likely at the image (Kurakin, Goodfellow, Bengio 2016).
    Least,
    /// A wrong label each, drawn from this seed.
    Random(u64),
    /// One for each image, in their order.
    Listed(Vec<Target>),
}

impl Aim {
    /// What a text means for a network: `next`, `any`, a label or its number, `least-likely`, `random` or `random:SEED`, or a file that has
    /// one of the first three a line.
    ///
    /// # Errors
    /// When it is none of these.
    pub fn read(text: &str, spec: &Spec) -> Result<Self> {
        match text.split_once(':').unwrap_or((text, "")) {
            ("least-likely", "") => return Ok(Self::Least),
            ("random", seed) => {
                let seed = if seed.is_empty() { Ok(0) } else { seed.parse() };
                return Ok(Self::Random(seed.with_context(|| format!("'{text}' is not like random:7"))?));
            }
            _ => {}
        }
        if let Some(target) = one(text, spec)? {
            return Ok(Self::One(target));
        }
        let path = Path::new(text);
        ensure!(
            path.is_file(),
            "'{text}' is not next, any, least-likely, random, a label or its number, or a file with one a line; the labels are {}",
            spec.labels.join(", ")
        );
        let all = std::fs::read_to_string(path).with_context(|| format!("cannot read {text}"))?;
        let line = |(i, line): (usize, &str)| -> Result<Target> {
            let target = one(line.trim(), spec).with_context(|| format!("line {} of {text}", i + 1))?;
            target.with_context(|| {
                format!("line {} of {text}, '{}', is not next, any or a label", i + 1, line.trim())
            })
        };
        Ok(Self::Listed(all.lines().enumerate().map(line).collect::<Result<_>>()?))
    }

    /// What it means for these images, which `network` reads.
    ///
    /// # Errors
    /// When there are not as many lines as images.
    pub fn goals(&self, images: &[Image], network: &mut dyn Classifier) -> Result<Vec<Goal>> {
        let classes = network.labels();
        Ok(match self {
            Self::One(target) => images.iter().map(|image| target.goal(image.label, classes)).collect(),
            Self::Least => {
                let mut logits = vec![0.0; network.classes()];
                let mut least = |image: &Image| {
                    network.logits(&image.pixels, &mut logits);
                    let wrong = (0..classes).filter(|label| *label != image.label);
                    wrong.min_by(|a, b| logits[*a].total_cmp(&logits[*b])).unwrap_or(0)
                };
                images.iter().map(|image| Goal::Target(least(image))).collect()
            }
            Self::Random(seed) => {
                let mut rng = fastrand::Rng::with_seed(*seed);
                let mut drawn =
                    |image: &Image| Target::Turned(1 + rng.usize(..classes - 1)).goal(image.label, classes);
                images.iter().map(&mut drawn).collect()
            }
            Self::Listed(all) => {
                if all.len() != images.len() {
                    bail!("there are {} targets for {} images", all.len(), images.len());
                }
                all.iter().zip(images).map(|(target, image)| target.goal(image.label, classes)).collect()
            }
        })
    }
}

/// A rule for one image; `None` where the text is no such.
fn one(text: &str, spec: &Spec) -> Result<Option<Target>> {
    let classes = spec.classes();
    // A label that is a number counts as its own name first.
    if let Some(label) = spec.labels.iter().position(|label| label == text) {
        return Ok(Some(Target::Label(label)));
    }
    match text.parse() {
        Ok(Target::Label(label)) => {
            ensure!(label < classes, "there is no label {label}; the network has {classes}, from 0 on");
            Ok(Some(Target::Label(label)))
        }
        Ok(other) => Ok(Some(other)),
        Err(_) => Ok(None),
    }
}
