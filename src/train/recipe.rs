//! How each network is trained unless someone says otherwise.

use crate::arch::{self, Arch, LFW};

/// The parameters of a training.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Recipe {
    /// Passes over the training images.
    pub epochs: usize,
    /// Images a step.
    pub batch: usize,
    /// Adam's rate at the start; it falls to zero along half a cosine.
    pub rate: f64,
    /// Share of every weight that is taken away at each step, in units of the rate (Loshchilov & Hutter 2019).
    pub decay: f64,
    /// Share of the inputs of a classifier's first dense layer that is dropped at each step (Srivastava et al. 2014).
    pub dropout: f32,
    /// Weight of the cross-entropy in a VAE's loss.
    pub label_weight: f64,
    /// By how much the first weights of a decoder's last layer are smaller than He's. There are few steps for faces: a dense
    /// layer of ten thousands of outputs would spend them on forgetting its first weights.
    pub decoder_gain: f32,
    /// Training images held out, the last ones.
    pub held_out: usize,
    /// Whether the epoch that did best on these is kept. Where they are few, chance would choose: then the last one is.
    pub keep_best: bool,
    /// Whether rare labels weigh more, by the root of how rare they are.
    pub balanced: bool,
}

/// Whether these are a VAE's layers as a plain network.
fn is_control(arch: &Arch) -> bool {
    arch::ALL.iter().any(|other| other.vae.is_some() && other.layers == arch.layers)
}

/// The recipe for `arch`.
pub fn recipe(arch: &Arch) -> Recipe {
    let vae = arch.vae.is_some();
    // The bound grows with the pixels; the label must not drown in it.
    let label_weight = 50.0 * (arch.pixels() as f64 / 784.0).round();
    if arch.dataset.name == LFW.name {
        return Recipe {
            epochs: match arch.name {
                "lfw-conv-vae" => 80,
                "lfw-vae" => 200,
                _ => 100,
            },
            batch: 32,
            rate: 0.001,
            decay: 0.02,
            // A VAE's control differs from it in nothing but that it is none.
            dropout: if vae || is_control(arch) { 0.0 } else { 0.5 },
            // Without convolutions, faces are told apart late: at the usual weight the decoder takes it all.
            label_weight: if arch.name == "lfw-vae" { 15_000.0 } else { label_weight },
            decoder_gain: if arch.name == "lfw-vae" { 0.05 } else { 1.0 },
            held_out: 48,
            keep_best: false,
            balanced: true,
        };
    }
    Recipe {
        epochs: match arch.name {
            _ if vae => 40,
            "mnist-conv-encoder" => 20,
            "mnist-dense" => 12,
            _ => 6,
        },
        batch: 128,
        rate: 0.002,
        decay: 0.0,
        dropout: 0.0,
        label_weight,
        decoder_gain: 1.0,
        held_out: 5_000,
        keep_best: true,
        balanced: false,
    }
}
