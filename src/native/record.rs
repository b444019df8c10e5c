//! What is written down of an attack.

use serde::{Deserialize, Serialize};

use crate::metrics::grade::Grade;

/// One attacked image. All of it follows from image, network and attack: the time it took is kept apart.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Record {
    /// The attack's name.
    pub attack: String,
    /// The norm that it bounds or makes small: linf, l1 or l2.
    pub norm: String,
    /// The fixed budget, or the smallest that was found (null when none was): the norm of the change, for L-BFGS the
    /// weight `c` of the loss.
    pub budget: Option<f32>,
    /// The image's index in the set it was taken from.
    pub index: usize,
    /// The true label.
    pub label: usize,
    /// The label aimed at; null when any wrong one would do.
    pub target: Option<usize>,
    /// What the network read before the attack; of one that draws, what most of its answers name.
    pub clean_predicted: usize,
    /// What it reads after.
    pub predicted: usize,
    /// Whether the goal was reached, with the confidence that was asked for.
    pub success: bool,
    /// Probability of the false label.
    pub confidence: f32,
    /// The loss that the attack descended, in nats.
    pub loss: f32,
    /// Numbers of the image that changed.
    pub l0: usize,
    /// Norms of the change, in pixel units of [0, 1].
    pub l1: f64,
    pub l2: f64,
    pub linf: f64,
    pub ssim: f64,
    /// Whether the image counts as still readable.
    pub valid: bool,
    /// Null when the attack was refused.
    pub grade: Option<Grade>,
    /// Whether the attack succeeded and still does once the pixels are rounded to 8 bits.
    pub survives_png: bool,
    /// Share of fresh answers that reach the goal, of a network that draws its latent vector.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub fresh: Option<f64>,
    /// Share of the pixels whose gradient is exactly zero at the start: a first sign of gradient masking.
    pub zero_gradient: f32,
    /// Steps taken in all.
    pub steps: usize,
    /// Gradients computed.
    pub gradients: usize,
    /// Images that the network was asked about, with a gradient or without.
    pub queries: usize,
    /// Why there was nothing to attack, if there was nothing.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub refused: Option<String>,
}

impl Record {
    /// Whether the network read the image rightly before the attack.
    pub fn read_rightly(&self) -> bool {
        self.clean_predicted == self.label
    }
}
