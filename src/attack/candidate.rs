//! The original and the current image, with what the network says of it: what every attack carries along.

use super::{Goal, Norm, Outcome, Progress};
use crate::classifier::{Classifier, Query};
use crate::error::{Error, Result};
use crate::kernel::softmax::{self, Loss};
use crate::metrics::argmax;
use crate::metrics::norms::Norms;

/// Which of the images that reach the goal is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keep {
    Latest,
    /// The one with the lowest loss.
    Surest,
    Closest(Norm),
}

impl Keep {
    /// How far away an image is.
    pub fn distance(self, norms: &Norms) -> f64 {
        match self {
            Self::Latest | Self::Surest => 0.0,
            Self::Closest(norm) => norm.of(norms),
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
    /// The loss that was asked for.
    pub value: f32,
    pub logits: Vec<f32>,
    /// How many of the logits stand for labels; one more is a refusal.
    labels: usize,
    keep: Keep,
    pub least_confidence: f32,
    /// The ball outside of which nothing counts, whether or not an attack goes there.
    pub bound: Option<(Norm, f32)>,
    /// Whether the image that is kept lies in it.
    kept_inside: bool,
    /// The loss of the query that waits for its answer, and whether it asks for a gradient.
    asked: Option<(Loss, bool)>,
    gradients: usize,
    queries: usize,
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
        if goal.label() >= model.labels() {
            return bad(format!("there is no label {}; the network has {}", goal.label(), model.labels()));
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
            value: 0.0,
            logits: vec![0.0; model.classes()],
            labels: model.labels(),
            keep,
            least_confidence: confidence,
            bound: None,
            kept_inside: false,
            asked: None,
            gradients: 0,
            queries: 0,
            steps: 0,
        })
    }

    /// A new one for the same image and goal, with a confidence of its own.
    pub fn again(&self, keep: Keep, least_confidence: f32) -> Self {
        Self {
            least_confidence,
            image: self.original.clone(),
            outcome: None,
            keep,
            bound: None,
            kept_inside: false,
            asked: None,
            gradients: 0,
            queries: 0,
            steps: 0,
            ..self.clone()
        }
    }

    /// Skips an original at which there is nothing to do: one that the network reads as wanted already.
    pub fn skip(&self, predicted: usize, refused: bool) -> Result<()> {
        if refused || !self.goal.reached(predicted) {
            return Ok(());
        }
        Err(Error::Skipped(match self.goal {
            Goal::Target(label) => format!("the network already reads this image as label {label}"),
            Goal::Away(label) => {
                format!("the network already misreads this image: {predicted} instead of {label}")
            }
        }))
    }

    /// Whether a query waits for its answer.
    pub fn waits(&self) -> bool {
        self.asked.is_some()
    }

    /// Asks for `loss` at the image; with its gradient unless none will be needed. The same query again while it waits.
    pub fn ask(&mut self, loss: Loss, gradient: bool) -> Query<'_> {
        if let (None, Some((norm, epsilon))) = (self.asked, self.bound) {
            norm.settle(&self.original, &mut self.image, epsilon);
        }
        let (loss, gradient) = *self.asked.get_or_insert((loss, gradient));
        Query {
            image: &self.image,
            loss,
            refusal: None,
            value: &mut self.value,
            logits: &mut self.logits,
            scratch: &mut self.probabilities,
            gradient: gradient.then_some(&mut self.gradient[..]),
        }
    }

    /// Asks what the network reads at the original, where that is not where the attack starts.
    pub fn ask_original(&mut self) -> Query<'_> {
        self.asked = Some((self.goal.loss(), false));
        Query {
            image: &self.original,
            loss: self.goal.loss(),
            refusal: None,
            value: &mut self.value,
            logits: &mut self.logits,
            scratch: &mut self.probabilities,
            gradient: None,
        }
    }

    /// Takes the answer to [`ask_original`](Self::ask_original): skips an original that is read as wanted already.
    pub fn take_original(&mut self) -> Result<()> {
        self.asked = None;
        self.queries += 1;
        self.soften();
        let (predicted, refused) = self.read();
        self.skip(predicted, refused)
    }

    /// The probabilities of the labels; a refusal has none, since it is no label: how sure the network is does not hang on how a
    /// guard's distance is scaled.
    fn soften(&mut self) {
        let labels = self.labels;
        softmax::softmax(&self.logits[..labels], &mut self.probabilities[..labels]);
        self.probabilities[labels..].fill(0.0);
    }

    /// How many labels there are.
    pub fn labels(&self) -> usize {
        self.labels
    }

    /// The likeliest label, and whether the image is refused.
    fn read(&self) -> (usize, bool) {
        (argmax(&self.logits[..self.labels]), argmax(&self.logits) >= self.labels)
    }

    /// Takes the answer to [`ask`](Self::ask), in a round with its budget.
    pub fn take(&mut self, (round, budget): (usize, f32)) -> Result<Progress> {
        let (loss, gradient) = self.asked.take().unwrap_or((self.goal.loss(), false));
        self.queries += 1;
        // One pass over numbers of one width, which the compiler makes vectors of. Without their signs the bits of what is no
        // number, or infinite, are the largest, and those of a zero are 0.
        let (zeros, largest) = self.gradient.iter().fold((0u32, 0), |(zeros, most), g| {
            let bits = g.to_bits() & (u32::MAX >> 1);
            (zeros + u32::from(bits == 0), most.max(bits))
        });
        self.gradients += usize::from(gradient);
        let zero_gradient = if gradient { zeros as f32 / self.gradient.len() as f32 } else { 0.0 };
        if !self.value.is_finite() || gradient && !f32::from_bits(largest).is_finite() {
            return Err(Error::BadInput(
                "the network's answer is not a number: are its weights sound?".into(),
            ));
        }
        // Whatever loss an attack descends, it is told, and images compared, by one.
        let own = self.goal.loss();
        let value =
            if loss == own { self.value } else { own.evaluate(&self.logits, &mut self.probabilities) };
        self.soften();
        let (predicted, refused) = self.read();
        let confidence = self.goal.confidence(&self.probabilities[..self.labels]);
        let norms = Norms::between(&self.original, &self.image);
        let inside = |(norm, epsilon): (Norm, f32)| norm.keeps(&norms, epsilon);
        let counts = self.bound.is_none_or(inside);
        let progress = Progress {
            step: self.steps,
            round,
            budget,
            loss: value,
            predicted,
            refused,
            confidence,
            success: counts
                && !refused
                && self.goal.reached(predicted)
                && confidence >= self.least_confidence,
            norms,
            gradients: self.gradients,
            queries: self.queries,
            zero_gradient,
            done: false,
        };
        self.steps += 1;
        if counts == self.kept_inside || self.outcome.is_none() {
            self.remember(progress);
        } else if counts {
            self.outcome = None;
            self.remember(progress);
        }
        self.kept_inside |= counts;
        Ok(progress)
    }

    /// The closest success so far, in the norm that is kept to.
    pub fn closest(&self) -> Option<&Outcome> {
        self.outcome.as_ref().filter(|best| best.progress.success)
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
            (true, true) => match self.keep {
                Keep::Latest => true,
                Keep::Surest => progress.loss < best.progress.loss,
                Keep::Closest(_) => distance(&progress) < distance(&best.progress),
            },
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
