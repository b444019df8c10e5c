//! What an attack sees of a network.

mod network;

pub use network::Network;

use crate::kernel::softmax::Loss;

/// A classifier whose loss can be differentiated with respect to its input.
///
/// Images are flat, rows x columns x channels, in [0, 1]. Slices of other lengths are a bug of the caller
/// and panic.
pub trait Classifier {
    /// Numbers in an image.
    fn pixels(&self) -> usize;

    /// Labels, and so logits.
    fn classes(&self) -> usize;

    /// Writes the logits of `image`.
    fn logits(&mut self, image: &[f32], logits: &mut [f32]);

    /// The loss at `image`, in nats. Writes the logits, and the loss's gradient with respect to the image.
    fn loss_and_gradient(
        &mut self,
        image: &[f32],
        loss: Loss,
        logits: &mut [f32],
        gradient: &mut [f32],
    ) -> f32;
}
