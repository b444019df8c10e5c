//! How well a network does on images it was not trained on: on the SIMD core, with all cores.

use std::fmt;

use anyhow::Result;
use rayon::prelude::*;

use super::adversarial::withstood;
use crate::classifier::{Classifier, Network, Vae};
use crate::datasets::Adversarial;
use crate::kernel::simd::Level;
use crate::kernel::softmax::Loss;
use crate::metrics::argmax;
use crate::native::labelled::Labelled;
use crate::network::{Net, Spec};

/// Means over some images.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Measured {
    /// Share of the images that were read rightly, a VAE's through the mean.
    pub accuracy: f64,
    /// The mean of that over the labels.
    pub balanced: f64,
    /// Cross-entropy of the true label, in nats.
    pub cross_entropy: f64,
    /// `-log p(x | z)` with one draw of z, in nats; 0 for what is no VAE.
    pub reconstruction: f64,
    /// `KL(q(z | x) || N(0, 1))`, in nats; 0 for what is no VAE.
    pub kl: f64,
    /// Share of the first images that still are after the attack that it is trained against; 0 where there is none.
    pub robust: f64,
}

impl Measured {
    /// The evidence lower bound, in nats.
    pub fn elbo(&self) -> f64 {
        -self.reconstruction - self.kl
    }
}

impl fmt::Display for Measured {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "accuracy {:.2} % (balanced {:.2} %)", 100.0 * self.accuracy, 100.0 * self.balanced)?;
        if self.robust > 0.0 {
            write!(f, ", under attack {:.2} %", 100.0 * self.robust)?;
        }
        if self.reconstruction > 0.0 {
            write!(f, ", ELBO {:.2} nats (KL {:.2})", self.elbo(), self.kl)?;
        }
        Ok(())
    }
}

/// Measures the network of these tensors on the images of `digits` at `indices`, the first of them under attack, too, where
/// one is named.
///
/// # Errors
/// When the tensors are not the network's.
pub fn measure(
    spec: &Spec,
    tensors: &[Vec<f32>],
    digits: &Labelled,
    indices: &[usize],
    attack: Option<Adversarial>,
) -> Result<Measured> {
    let network = Network::from(Net::new(spec, tensors)?);
    let vae = match spec.vae {
        Some(_) => Some(Vae::at_level(Level::detect(), spec, tensors, 1, 0)?),
        None => None,
    };
    let classes = spec.classes();
    let of_image = |(network, vae): &mut (Network, Option<Vae>), &i: &usize| {
        let image = digits.image(i);
        let label = usize::from(digits.labels[i]);
        let (mut logits, mut gradient) = (vec![0.0; classes], vec![0.0; classes]);
        network.logits(&image, &mut logits);
        let elbo = vae.as_mut().map(|vae| {
            vae.redraw(i as u64);
            vae.elbo(&image, None)
        });
        let elbo = elbo.unwrap_or_default();
        Measured {
            accuracy: f64::from(u8::from(argmax(&logits) == label)),
            balanced: 0.0,
            cross_entropy: f64::from(Loss::Label(label).evaluate(&logits, &mut gradient)),
            reconstruction: elbo.reconstruction,
            kl: elbo.kl,
            robust: 0.0,
        }
    };
    let all: Vec<Measured> =
        indices.par_iter().map_init(|| (network.clone(), vae.clone()), of_image).collect();
    // In order, so that the sums do not depend on the threads.
    let mean = |f: fn(&Measured) -> f64| all.iter().map(f).sum::<f64>() / all.len().max(1) as f64;
    let mut of_label = vec![(0.0, 0.0); classes];
    for (m, &i) in all.iter().zip(indices) {
        let (right, seen) = &mut of_label[usize::from(digits.labels[i])];
        *right += m.accuracy;
        *seen += 1.0;
    }
    let seen: Vec<f64> = of_label.iter().filter(|(_, seen)| *seen > 0.0).map(|(r, n)| r / n).collect();
    Ok(Measured {
        accuracy: mean(|m| m.accuracy),
        balanced: seen.iter().sum::<f64>() / seen.len().max(1) as f64,
        cross_entropy: mean(|m| m.cross_entropy),
        reconstruction: mean(|m| m.reconstruction),
        kl: mean(|m| m.kl),
        robust: match attack {
            Some(attack) => withstood(spec, tensors, digits, indices, attack.watching())?,
            None => 0.0,
        },
    })
}
