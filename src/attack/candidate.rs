//! The original and the current image, with what the network says of it: what every attack carries along.

use super::{Goal, Outcome, Progress};
use crate::error::{Error, Result};
use crate::kernel::softmax;
use crate::metrics::{argmax, norms::Norms};
use crate::model::Classifier;

/// Which of the images that reach the goal is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keep {
    Latest,
    ClosestL1,
    ClosestL2,
    ClosestLinf,
}

impl Keep {
    /// How far away an image is.
    pub fn distance(self, norms: &Norms) -> f64 {
        match self {
            Self::Latest => 0.0,
            Self::ClosestL1 => norms.l1,
            Self::ClosestL2 => norms.l2,
            Self::ClosestLinf => norms.linf,
        }
    }
}

#[derive(Clone, Debug)]
pub struct Candidate {
    pub goal: Goal,
    pub original: Vec<f32>,
    pub image: Vec<f32>,
    pub gradient: Vec<f32>,
    pub probabilities: Vec<f32>,
    pub outcome: Option<Outcome>,
    keep: Keep,
    least_confidence: f32,
    logits: Vec<f32>,
    gradients: usize,
    steps: usize,
}

impl Candidate {
    /// # Errors
    /// [`Error::BadInput`] for an image or a label that does not fit the model, pixels outside [0, 1], or a confidence
    /// that is not one.
    pub fn new(
        model: &dyn Classifier,
        image: &[f32],
        goal: Goal,
        confidence: f32,
        keep: Keep,
    ) -> Result<Self> {
        let bad = |why: String| Err(Error::BadInput(why));
        if image.len() != model.pixels() {
            return bad(format!(
                "the image has {} numbers; the network reads {}",
                image.len(),
                model.pixels()
            ));
        }
        if let Some((i, v)) = image.iter().enumerate().find(|(_, v)| !(0.0..=1.0).contains(*v)) {
            return bad(format!("pixel {i} of the image is {v}; pixels lie in [0, 1]"));
        }
        if goal.label() >= model.classes() {
            return bad(format!("there is no label {}; the network has {}", goal.label(), model.classes()));
        }
        if !(0.0..1.0).contains(&confidence) {
            return bad(format!(
                "the confidence to reach is {confidence}; it must be at least 0 and below 1"
            ));
        }
        Ok(Self {
            goal,
            original: image.to_vec(),
            image: image.to_vec(),
            gradient: vec![0.0; image.len()],
            probabilities: vec![0.0; model.classes()],
            outcome: None,
            keep,
            least_confidence: confidence,
            logits: vec![0.0; model.classes()],
            gradients: 0,
            steps: 0,
        })
    }

    /// Refuses an original at which there is nothing to do: one that the network reads as wanted already.
    pub fn refuse(&self, predicted: usize) -> Result<()> {
        if !self.goal.reached(predicted) {
            return Ok(());
        }
        Err(Error::Refused(match self.goal {
            Goal::Target(label) => format!("the network already reads this image as label {label}"),
            Goal::Away(label) => {
                format!("the network already misreads this image: {predicted} instead of {label}")
            }
        }))
    }

    /// What the network reads at the original, where that is not where the attack starts.
    pub fn read_original(&mut self, model: &mut dyn Classifier) -> usize {
        model.logits(&self.original, &mut self.logits);
        argmax(&self.logits)
    }

    /// Evaluates the network at the image; with its gradient unless none will be needed.
    pub fn evaluate(
        &mut self,
        model: &mut dyn Classifier,
        (round, budget): (usize, f32),
        gradient: bool,
    ) -> Result<Progress> {
        let loss = self.goal.loss();
        let (value, zero_gradient) = if gradient {
            let value = model.loss_and_gradient(&self.image, loss, &mut self.logits, &mut self.gradient);
            self.gradients += 1;
            let zeros = self.gradient.iter().filter(|&&g| g == 0.0).count();
            (value, zeros as f32 / self.gradient.len() as f32)
        } else {
            model.logits(&self.image, &mut self.logits);
            // The probabilities are written below: they lend their room here.
            (loss.evaluate(&self.logits, &mut self.probabilities), 0.0)
        };
        softmax::softmax(&self.logits, &mut self.probabilities);
        // A sum meets every number that is none.
        if !value.is_finite() || gradient && !self.gradient.iter().sum::<f32>().is_finite() {
            return Err(Error::BadInput(
                "the network's answer is not a number: are its weights sound?".into(),
            ));
        }
        let predicted = argmax(&self.logits);
        let confidence = self.goal.confidence(&self.probabilities);
        let progress = Progress {
            step: self.steps,
            round,
            budget,
            loss: value,
            predicted,
            confidence,
            success: self.goal.reached(predicted) && confidence >= self.least_confidence,
            norms: Norms::between(&self.original, &self.image),
            gradients: self.gradients,
            zero_gradient,
            done: false,
        };
        self.steps += 1;
        self.remember(progress);
        Ok(progress)
    }

    /// Keeps the image if it is the best so far.
    fn remember(&mut self, progress: Progress) {
        let Some(best) = &mut self.outcome else {
            self.outcome = Some(Outcome {
                progress,
                image: self.image.clone(),
                probabilities: self.probabilities.clone(),
            });
            return;
        };
        let distance = |p: &Progress| self.keep.distance(&p.norms);
        let better = match (progress.success, best.progress.success) {
            (true, true) => self.keep == Keep::Latest || distance(&progress) < distance(&best.progress),
            (false, false) => progress.loss < best.progress.loss,
            (now, _) => now,
        };
        if better {
            best.progress = progress;
            best.image.copy_from_slice(&self.image);
            best.probabilities.copy_from_slice(&self.probabilities);
        }
    }

    /// Marks the end.
    pub fn end(&mut self, mut progress: Progress) -> Progress {
        progress.done = true;
        if let Some(best) = self.outcome.as_mut().filter(|best| best.progress.step == progress.step) {
            best.progress.done = true;
        }
        progress
    }
}
