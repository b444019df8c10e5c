//! One change for many images: a universal perturbation (Moosavi-Dezfooli, Fawzi, Fawzi and Frossard 2017, "Universal adversarial
//! perturbations"), which fools a network on most of them, whichever it is laid over.
//!
//! It is not found as there, by the shortest way out for one image after the other, but by what finds stronger ones at the same
//! cost: projected ascent of the mean loss of a batch (Shafahi, Najibi, Xu, Dickerson, Davis and Goldstein 2020, "Universal
//! adversarial training", algorithm 2), with a step that shrinks. Universal perturbations bring most images to one label (section 4 of
//! the first paper), and the ascent stays with the first that it meets: so each label is tried in turn, from the best change so far on, then the best of them pursued.

use super::Norm;
use crate::classifier::Classifier;
use crate::error::{Error, Result};
use crate::kernel::softmax::Loss;

/// Images whose gradients make a step.
const BATCH: usize = 20;
/// How long the first step of a search is, as a share of the budget.
const FIRST: f32 = 0.1;
/// Of the passes, those that go into finding out towards which label most images can be brought.
const SURVEY: f32 = 0.6;

/// The search for a universal perturbation: [`pass`](Self::pass) after pass over the images. Deterministic.
#[derive(Clone, Debug)]
pub struct Universal {
    norm: Norm,
    epsilon: f32,
    passes: usize,
    /// Image after image, in [0, 1].
    images: Vec<f32>,
    labels: Vec<usize>,
    tried: Vec<f32>,
    done: usize,
    /// The change that has fooled most, what is read of each image with it, and towards which label it was sought.
    change: Vec<f32>,
    readings: Vec<Option<usize>>,
    fooled: usize,
    towards: usize,
}

impl Universal {
    /// Prepares a search over `images` (as many as labels, one after the other, in [0, 1]) for a change of at most `epsilon` in
    /// `norm`, L-infinity or L2, in so many passes. A change may lead out of [0, 1]: what is shown is cut off there.
    ///
    /// # Errors
    /// [`Error::BadInput`] for another norm, a budget that is not above 0, no images, or sizes that do not fit each other.
    pub fn new(norm: Norm, epsilon: f32, passes: usize, images: &[f32], labels: &[usize]) -> Result<Self> {
        let wrong = |why: &str| Err(Error::BadInput(why.into()));
        if norm == Norm::L1 {
            return wrong("a universal perturbation is sought under linf or l2");
        }
        if !(epsilon > 0.0 && epsilon.is_finite()) {
            return wrong("the budget must be above 0");
        }
        if labels.is_empty() || passes == 0 || !images.len().is_multiple_of(labels.len()) {
            return wrong("it takes a pass at least, and images of one size, each with a label");
        }
        let pixels = images.len() / labels.len();
        Ok(Self {
            norm,
            epsilon,
            passes,
            images: images.into(),
            labels: labels.into(),
            tried: vec![0.0; pixels],
            done: 0,
            change: vec![0.0; pixels],
            readings: vec![None; labels.len()],
            fooled: 0,
            towards: 0,
        })
    }

    /// Goes once over all images and sees how many the change fools then; true at the end.
    ///
    /// # Errors
    /// [`Error::Ended`] after the last pass, [`Error::BadInput`] where the images are not of the network's size, or a label is none of
    /// its.
    pub fn pass(&mut self, model: &mut dyn Classifier) -> Result<bool> {
        if self.done == self.passes {
            return Err(Error::Ended);
        }
        let (pixels, labels) = (self.tried.len(), model.labels());
        if pixels != model.pixels() || self.labels.iter().any(|label| *label >= labels) {
            return Err(Error::BadInput("the images do not fit the network".into()));
        }
        let (towards, begins, share) = self.plan(labels);
        if begins {
            self.tried.clone_from(&self.change);
        }
        // Half a cosine down to nothing.
        let length = FIRST * self.epsilon * 0.5 * (1.0 + (std::f32::consts::PI * share).cos());
        let (mut logits, mut gradient) = (vec![0.0; model.classes()], vec![0.0; pixels]);
        let (mut sum, mut shown) = (vec![0.0; pixels], vec![0.0; pixels]);
        let (all, truth) = (std::mem::take(&mut self.images), std::mem::take(&mut self.labels));
        for (images, labels) in all.chunks(BATCH * pixels).zip(truth.chunks(BATCH)) {
            sum.fill(0.0);
            for (image, label) in images.chunks_exact(pixels).zip(labels) {
                laid_over(image, &self.tried, &mut shown);
                let loss = match towards {
                    Some(towards) if towards != *label => Loss::Label(towards),
                    _ => Loss::Other(*label),
                };
                model.loss_and_gradient(&shown, loss, &mut logits, &mut gradient);
                for (i, s) in sum.iter_mut().enumerate() {
                    // Where the image is black or white already, the change cannot make it more so.
                    let cut = image[i] + self.tried[i] != shown[i];
                    *s += if cut && (gradient[i] > 0.0) == (shown[i] == 0.0) { 0.0 } else { gradient[i] };
                }
            }
            self.step(&sum, length);
        }
        (self.images, self.labels) = (all, truth);
        self.done += 1;
        let readings = readings(model, &self.images, &self.tried);
        let fooled =
            readings.iter().zip(&self.labels).filter(|(read, label)| misread(**read, **label)).count();
        if fooled > self.fooled || self.done == 1 {
            self.fooled = fooled;
            self.change.clone_from(&self.tried);
            self.towards = towards.unwrap_or(0);
            self.readings = readings;
        }
        Ok(self.done == self.passes)
    }

    /// Towards which label the next pass goes (none: away from each image's own), whether a search begins with it, and which share of
    /// that search is done.
    fn plan(&self, labels: usize) -> (Option<usize>, bool, f32) {
        let surveyed = self.surveyed(labels);
        if self.done < surveyed {
            let each = surveyed / labels;
            let at = self.done % each;
            return (Some(self.done / each), at == 0, at as f32 / each as f32);
        }
        let at = self.done - surveyed;
        ((surveyed > 0).then_some(self.towards), at == 0, at as f32 / (self.passes - surveyed) as f32)
    }

    /// How many passes go into the survey: as many for each label.
    fn surveyed(&self, labels: usize) -> usize {
        (SURVEY * self.passes as f32 / labels as f32) as usize * labels
    }

    /// Moves the change against a gradient, and back into its ball.
    fn step(&mut self, gradient: &[f32], length: f32) {
        let size = |v: &[f32]| v.iter().map(|x| x * x).sum::<f32>().sqrt().max(1e-12);
        match self.norm {
            Norm::L2 => {
                let factor = length / size(gradient);
                for (v, g) in self.tried.iter_mut().zip(gradient) {
                    *v -= factor * g;
                }
                let shrink = (self.epsilon / size(&self.tried)).min(1.0);
                self.tried.iter_mut().for_each(|v| *v *= shrink);
            }
            _ => {
                for (v, g) in self.tried.iter_mut().zip(gradient) {
                    let way = f32::from(*g > 0.0) - f32::from(*g < 0.0);
                    *v = (*v - length * way).clamp(-self.epsilon, self.epsilon);
                }
            }
        }
    }

    /// The change that has fooled most so far.
    pub fn change(&self) -> &[f32] {
        &self.change
    }

    /// How many images it fools.
    pub fn fooled(&self) -> usize {
        self.fooled
    }

    /// What is read of each image with it; none where it is refused.
    pub fn readings(&self) -> &[Option<usize>] {
        &self.readings
    }
}

/// Whether a reading is a mistake that nothing noticed.
pub fn misread(read: Option<usize>, label: usize) -> bool {
    read.is_some_and(|read| read != label)
}

/// Writes an image with a change on it, cut off at black and white.
fn laid_over(image: &[f32], change: &[f32], shown: &mut [f32]) {
    for ((s, x), v) in shown.iter_mut().zip(image).zip(change) {
        *s = (x + v).clamp(0.0, 1.0);
    }
}

/// What a network reads of images, one after the other, with a change on each; none where it refuses.
pub fn readings(model: &mut dyn Classifier, images: &[f32], change: &[f32]) -> Vec<Option<usize>> {
    let (mut shown, mut logits) = (vec![0.0; change.len()], vec![0.0; model.classes()]);
    let read = |image: &[f32]| {
        laid_over(image, change, &mut shown);
        model.logits(&shown, &mut logits);
        let (label, refused) = model.reading(&logits);
        (!refused).then_some(label)
    };
    images.chunks_exact(change.len()).map(read).collect()
}

#[cfg(test)]
mod tests {
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;
    use crate::classifier::Query;

    /// Reads 1 where the first pixel is above a half.
    struct Threshold;

    impl Classifier for Threshold {
        fn pixels(&self) -> usize {
            4
        }

        fn classes(&self) -> usize {
            2
        }

        fn logits(&mut self, image: &[f32], logits: &mut [f32]) {
            logits.copy_from_slice(&[0.0, 10.0 * (image[0] - 0.5)]);
        }

        fn evaluate(&mut self, queries: &mut [Query<'_>]) {
            for query in queries {
                self.logits(query.image, query.logits);
                let label = match query.loss {
                    Loss::Other(label) => label,
                    Loss::Label(label) => 1 - label,
                    _ => unreachable!("no other loss is asked for"),
                };
                let lead = if label == 0 { -query.logits[1] } else { query.logits[1] };
                let p = 1.0 / (1.0 + (-lead).exp());
                *query.value = lead.max(0.0);
                if let Some(gradient) = query.gradient.as_deref_mut() {
                    gradient.fill(0.0);
                    gradient[0] = if label == 0 { -10.0 * p } else { 10.0 * p };
                }
            }
        }
    }

    #[test]
    fn the_change_is_found_and_keeps_to_its_budget() {
        let images: Vec<f32> =
            (0..40).flat_map(|i| [0.5 - 0.01 * (1 + i % 20) as f32, 0.3, 0.0, 1.0]).collect();
        for (norm, epsilon, most) in [(Norm::L2, 0.3, 40), (Norm::Linf, 0.3, 40), (Norm::L2, 0.105, 20)] {
            let mut search = Universal::new(norm, epsilon, 20, &images, &[0; 40]).unwrap();
            while !search.pass(&mut Threshold).unwrap() {}
            assert_eq!(search.fooled(), most, "{norm:?} {epsilon}");
            let size = match norm {
                Norm::L2 => search.change().iter().map(|v| v * v).sum::<f32>().sqrt(),
                _ => search.change().iter().fold(0.0, |most: f32, v| most.max(v.abs())),
            };
            assert!(size <= epsilon * (1.0 + 1e-5), "{norm:?}: {size}");
            assert_eq!(search.readings(), readings(&mut Threshold, &images, search.change()));
            assert_eq!(search.pass(&mut Threshold), Err(Error::Ended));
        }
    }

    #[test]
    fn what_does_not_fit_is_refused() {
        let new = |norm, epsilon, passes, images: &[f32], labels: &[usize]| {
            Universal::new(norm, epsilon, passes, images, labels).is_err()
        };
        assert!(new(Norm::L1, 1.0, 1, &[0.0; 4], &[0]));
        assert!(new(Norm::L2, 0.0, 1, &[0.0; 4], &[0]));
        assert!(new(Norm::L2, f32::NAN, 1, &[0.0; 4], &[0]));
        assert!(new(Norm::L2, 1.0, 0, &[0.0; 4], &[0]));
        assert!(new(Norm::L2, 1.0, 1, &[], &[]));
        assert!(new(Norm::L2, 1.0, 1, &[0.0; 5], &[0, 1]));
        let of_another_size =
            Universal::new(Norm::L2, 1.0, 1, &[0.0; 6], &[0, 1]).unwrap().pass(&mut Threshold);
        assert!(matches!(of_another_size, Err(Error::BadInput(_))));
        let of_another_label =
            Universal::new(Norm::L2, 1.0, 1, &[0.0; 4], &[2]).unwrap().pass(&mut Threshold);
        assert!(matches!(of_another_label, Err(Error::BadInput(_))));
    }
}
