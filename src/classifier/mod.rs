//! What an attack sees of a network, and what answers in the end.

pub mod defence;
mod network;
mod subject;
mod vae;

pub use defence::{Attacker, Guard};
pub use network::Network;
pub use subject::{EOT, FRESH, Inference, Reading, Subject};
pub use vae::{Elbo, MAX_SAMPLES, Vae, normal};

use crate::kernel::softmax::{Loss, Refusal};
use crate::metrics::argmax;

/// A classifier whose loss can be differentiated with respect to its input.
///
/// Images are flat, rows x columns x channels, in [0, 1]. Slices of other lengths are a bug of the caller
/// and panic.
pub trait Classifier {
    /// Numbers in an image.
    fn pixels(&self) -> usize;

    /// Rows, columns and channels of an image; one row where the classifier knows of none.
    fn shape(&self) -> [usize; 3] {
        [1, self.pixels(), 1]
    }

    /// Logits: one for each label, and one more where it [`refuses`](Self::refuses).
    fn classes(&self) -> usize;

    /// Whether its last logit stands for "none of mine": a guard's refusal, one more answer that every attack and loss has to
    /// beat as it does any other.
    fn refuses(&self) -> bool {
        false
    }

    /// Labels that it can name.
    fn labels(&self) -> usize {
        self.classes() - usize::from(self.refuses())
    }

    /// What logits come to: the likeliest label, and whether the image is refused.
    fn reading(&self, logits: &[f32]) -> (usize, bool) {
        let labels = self.labels();
        (argmax(&logits[..labels]), argmax(logits) >= labels)
    }

    /// Whether it answers by draws, of which an attack knows some and others decide.
    fn draws(&self) -> bool {
        false
    }

    /// Calls `f` with the logits that the draws of each of `seeds` give for an image; where nothing is drawn all are the same.
    fn answers(&mut self, image: &[f32], seeds: &mut dyn Iterator<Item = u64>, f: &mut dyn FnMut(&[f32])) {
        let mut logits = vec![0.0; self.classes()];
        self.logits(image, &mut logits);
        seeds.for_each(|_| f(&logits));
    }

    /// Writes the logits of `image`.
    fn logits(&mut self, image: &[f32], logits: &mut [f32]);

    /// The loss at `image`, in nats. Writes the logits, and the loss's gradient with respect to the image.
    fn loss_and_gradient(
        &mut self,
        image: &[f32],
        loss: Loss,
        logits: &mut [f32],
        gradient: &mut [f32],
    ) -> f32 {
        let (mut value, mut scratch) = (0.0, vec![0.0; logits.len()]);
        self.evaluate(&mut [Query {
            image,
            loss,
            refusal: None,
            value: &mut value,
            logits,
            scratch: &mut scratch,
            gradient: Some(gradient),
        }]);
        value
    }

    /// Answers several queries at once; the same numbers as one by one.
    fn evaluate(&mut self, queries: &mut [Query<'_>]);
}

/// What is asked of a classifier, and where the answer goes.
#[derive(Debug)]
pub struct Query<'a> {
    /// The image, in [0, 1].
    pub image: &'a [f32],
    /// The loss that is asked for.
    pub loss: Loss,
    /// Of the labels alone, where a guard stands before this classifier: its refusal, which the loss takes for one more answer.
    pub refusal: Option<&'a mut Refusal>,
    /// Takes the loss, in nats.
    pub value: &'a mut f32,
    /// Takes the logits.
    pub logits: &'a mut [f32],
    /// Room for as many numbers as there are logits.
    pub scratch: &'a mut [f32],
    /// Takes the loss's gradient with respect to the image, where it is asked for.
    pub gradient: Option<&'a mut [f32]>,
}

impl Query<'_> {
    /// The same query, to be passed on: what is behind a defence answers it, changed as the defence says.
    fn passed_on(&mut self) -> Query<'_> {
        Query {
            image: self.image,
            loss: self.loss,
            refusal: self.refusal.as_deref_mut(),
            value: self.value,
            logits: self.logits,
            scratch: self.scratch,
            gradient: self.gradient.as_deref_mut(),
        }
    }
}

/// Moves the queries that want a gradient to the front, in their order; returns how many they are.
fn gradients_first(queries: &mut [Query<'_>]) -> usize {
    let mut count = 0;
    for i in 0..queries.len() {
        if queries[i].gradient.is_some() {
            queries[count..=i].rotate_right(1);
            count += 1;
        }
    }
    count
}

/// A classifier that can be copied to another thread.
pub trait Copied: Classifier + Send + Sync {
    /// A copy, which shares what does not change.
    fn copied(&self) -> Box<dyn Copied>;
}

impl<T: Classifier + Clone + Send + Sync + 'static> Copied for T {
    fn copied(&self) -> Box<dyn Copied> {
        Box::new(self.clone())
    }
}
