//! Stable softmax, and the losses that attacks descend, on logits.

/// Writes `softmax(logits)` to `probabilities` and returns `log(sum(exp(logits)))`.
///
/// # Panics
/// When the slices differ in length or are empty.
pub fn softmax(logits: &[f32], probabilities: &mut [f32]) -> f32 {
    assert_eq!(logits.len(), probabilities.len());
    let max = logits.iter().copied().fold(f32::NEG_INFINITY, f32::max);
    let mut sum = 0.0;
    for (p, z) in probabilities.iter_mut().zip(logits) {
        *p = (z - max).exp();
        sum += *p;
    }
    for p in probabilities.iter_mut() {
        *p /= sum;
    }
    max + sum.ln()
}

/// A loss on logits, in nats, that falls as a network comes nearer to what an attack wants. Computed from the
/// margin between a label and all others together, never from the logarithm of a probability: neither loss nor
/// gradient is lost where the network is sure.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Loss {
    /// `-log p(label)`, the cross-entropy: that this label is read.
    Label(usize),
    /// `-log(1 - p(label))`: that any other label is read. Its gradient has the direction of the ascent of the
    /// label's cross-entropy, but does not vanish where the network is sure of the label.
    Other(usize),
    /// By how much the network must yet be moved, in logits: the largest other logit less the label's (the other way round
    /// with [`Aim::Away`]). Below 0 the goal is reached. Where at least a probability `least` is wanted for what is aimed
    /// at, the log-odds that this lacks, if they are more.
    Margin {
        /// What is wanted.
        aim: Aim,
        /// The probability wanted, in [0, 1).
        least: f32,
    },
    /// The difference of logits ratio (Croce & Hein 2020, "Reliable evaluation of adversarial robustness", equations 6 and
    /// 7), which no scale of the logits can blunt: the margin over the distance of the largest logit from the third largest,
    /// or, towards a label, from the mean of the third and fourth. Any other label stands for the true one of equation 7.
    Ratio(Aim),
}

/// Towards a label or away from one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Aim {
    /// Towards this label.
    Towards(usize),
    /// Away from this label.
    Away(usize),
}

/// A guard's refusal, as one more logit: for each label by how much it lies above that label's own, were this the one that is
/// read. Below 0 the guard lets the label pass.
#[derive(Clone, Debug, Default)]
pub struct Refusal {
    /// One a label.
    pub leads: Vec<f32>,
    /// Takes the slopes of the loss with respect to the leads, which add up.
    pub slopes: Vec<f32>,
    /// What each of them counts: of a loss that is a mean over draws, a share.
    pub weight: f32,
    /// Room for the logits with the refusal's among them, and for their gradient.
    logits: Vec<f32>,
    gradient: Vec<f32>,
}

impl Refusal {
    /// With these leads, and no slopes yet.
    pub fn new(leads: impl Iterator<Item = f32>) -> Self {
        let leads: Vec<f32> = leads.collect();
        let (labels, room) = (leads.len(), leads.len() + 1);
        Self {
            leads,
            slopes: vec![0.0; labels],
            weight: 1.0,
            logits: vec![0.0; room],
            gradient: vec![0.0; room],
        }
    }
}

impl Loss {
    /// What the loss wants.
    pub fn aim(self) -> Aim {
        match self {
            Self::Label(label) => Aim::Towards(label),
            Self::Other(label) => Aim::Away(label),
            Self::Margin { aim, .. } | Self::Ratio(aim) => aim,
        }
    }

    /// [`evaluate`](Self::evaluate) where a guard may refuse. The refusal's logit is that of the label that the loss wants (where
    /// it wants any but one, of the likeliest other) plus its lead, so that the guard is fought from the first step on, and not
    /// only once the label is read; when it is, this is the refusal that the guard decides by. Adds to the slopes.
    ///
    /// # Panics
    /// As [`evaluate`](Self::evaluate).
    pub fn evaluate_guarded(
        self,
        logits: &[f32],
        gradient: &mut [f32],
        refusal: Option<&mut Refusal>,
    ) -> f32 {
        let Some(refusal) = refusal else { return self.evaluate(logits, gradient) };
        let label = match self.aim() {
            Aim::Towards(label) => label,
            Aim::Away(label) => rival(logits, label),
        };
        let labels = logits.len();
        refusal.logits[..labels].copy_from_slice(logits);
        refusal.logits[labels] = logits[label] + refusal.leads[label];
        let value = self.evaluate(&refusal.logits, &mut refusal.gradient);
        let slope = refusal.gradient[labels];
        gradient.copy_from_slice(&refusal.gradient[..labels]);
        gradient[label] += slope;
        refusal.slopes[label] += refusal.weight * slope;
        value
    }

    /// The loss at `logits`; writes its gradient with respect to them.
    ///
    /// # Panics
    /// When the slices differ in length, hold fewer than two numbers, or the label is outside them.
    pub fn evaluate(self, logits: &[f32], gradient: &mut [f32]) -> f32 {
        assert!(logits.len() == gradient.len() && logits.len() > 1);
        let (towards, label) = match self {
            Self::Label(label) => (true, label),
            Self::Other(label) => (false, label),
            Self::Margin { aim, least } => return margin(aim, least, logits, gradient),
            Self::Ratio(aim) => return ratio(aim, logits, gradient),
        };
        // The softmax among the others, and the margin of the label over their log-sum-exp.
        let own = logits[label];
        gradient.copy_from_slice(logits);
        gradient[label] = f32::NEG_INFINITY;
        let max = gradient.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        let mut sum = 0.0;
        for g in gradient.iter_mut() {
            *g = (*g - max).exp();
            sum += *g;
        }
        let margin = own - (max + sum.ln());
        let (loss, slope) = if towards {
            (softplus(-margin), -sigmoid(-margin))
        } else {
            (softplus(margin), sigmoid(margin))
        };
        for g in gradient.iter_mut() {
            *g *= -slope / sum;
        }
        gradient[label] = slope;
        loss
    }
}

/// The first of the largest logits but for `label`'s.
fn rival(logits: &[f32], label: usize) -> usize {
    let mut best = usize::from(label == 0);
    for (i, z) in logits.iter().enumerate() {
        if i != label && *z > logits[best] {
            best = i;
        }
    }
    best
}

/// [`Loss::Margin`].
fn margin(aim: Aim, least: f32, logits: &[f32], gradient: &mut [f32]) -> f32 {
    let (Aim::Towards(label) | Aim::Away(label)) = aim;
    let other = rival(logits, label);
    let (wanted, beaten) = if matches!(aim, Aim::Towards(_)) { (label, other) } else { (other, label) };
    let lead = logits[beaten] - logits[wanted];
    if least > 0.0 {
        // Log-odds of what is wanted, and their gradient: the cross-entropy's own, without its slope.
        gradient.copy_from_slice(logits);
        gradient[wanted] = f32::NEG_INFINITY;
        let max = gradient.iter().copied().fold(f32::NEG_INFINITY, f32::max);
        let mut sum = 0.0;
        for g in gradient.iter_mut() {
            *g = (*g - max).exp();
            sum += *g;
        }
        let lacking = (least / (1.0 - least)).ln() - (logits[wanted] - (max + sum.ln()));
        if lacking > lead {
            gradient.iter_mut().for_each(|g| *g /= sum);
            gradient[wanted] = -1.0;
            return lacking;
        }
    }
    gradient.fill(0.0);
    (gradient[beaten], gradient[wanted]) = (1.0, -1.0);
    lead
}

/// [`Loss::Ratio`].
fn ratio(aim: Aim, logits: &[f32], gradient: &mut [f32]) -> f32 {
    let lead = margin(aim, 0.0, logits, gradient);
    // The four largest, of equal ones the first.
    let mut top = [usize::MAX; 4];
    for i in 0..logits.len() {
        let mut new = i;
        for place in &mut top {
            if *place == usize::MAX || logits[new] > logits[*place] {
                std::mem::swap(place, &mut new);
            }
            if new == usize::MAX {
                break;
            }
        }
    }
    let low: &[usize] = match (aim, logits.len()) {
        (_, ..=2) => return lead,
        (Aim::Towards(_), 4..) => &top[2..],
        _ => &top[2..3],
    };
    let mean = low.iter().map(|&i| logits[i]).sum::<f32>() / low.len() as f32;
    let scale = logits[top[0]] - mean + 1e-12;
    let value = lead / scale;
    gradient.iter_mut().for_each(|g| *g /= scale);
    gradient[top[0]] -= value / scale;
    for &i in low {
        gradient[i] += value / (scale * low.len() as f32);
    }
    value
}

/// `log(1 + exp(x))`.
pub fn softplus(x: f32) -> f32 {
    x.max(0.0) + (-x.abs()).exp().ln_1p()
}

/// `1 / (1 + exp(-x))`.
pub fn sigmoid(x: f32) -> f32 {
    if x < 0.0 { x.exp() / (1.0 + x.exp()) } else { 1.0 / (1.0 + (-x).exp()) }
}

#[cfg(test)]
mod tests {
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;

    #[test]
    fn losses_and_gradients_match_f64() {
        let logits = [3.0f32, -1.0, 0.5, 9.0, -7.0];
        let sum: f64 = logits.iter().map(|&z| f64::from(z).exp()).sum();
        let p = logits.map(|z| f64::from(z).exp() / sum);
        for label in 0..logits.len() {
            for loss in [Loss::Label(label), Loss::Other(label)] {
                let mut gradient = [0.0; 5];
                let value = f64::from(loss.evaluate(&logits, &mut gradient));
                let expected =
                    if loss == Loss::Label(label) { -p[label].ln() } else { -(1.0 - p[label]).ln() };
                assert!((value - expected).abs() <= 1e-4 * expected, "{loss:?}: {value} and {expected}");
                for (i, &g) in gradient.iter().enumerate() {
                    let hot = f64::from(u8::from(i == label));
                    let e = if loss == Loss::Label(label) {
                        p[i] - hot
                    } else {
                        p[i] - (1.0 - hot) * p[i] / (1.0 - p[label])
                    };
                    let g = f64::from(g);
                    assert!((g - e).abs() <= 1e-4 * e.abs().max(1e-6), "{loss:?} at {i}: {g} and {e}");
                }
            }
        }
    }

    #[test]
    fn a_network_that_is_sure_still_has_a_gradient() {
        for (loss, towards) in [(Loss::Label(1), 1), (Loss::Other(0), 1)] {
            let mut gradient = [0.0; 3];
            let value = loss.evaluate(&[300.0, 0.0, -300.0], &mut gradient);
            assert!((value - 300.0).abs() < 1e-3, "{value}");
            assert!(gradient[0] == 1.0 && gradient[towards] == -1.0, "{gradient:?}");
        }
    }

    #[test]
    fn margins_and_ratios_have_their_values_and_slopes() {
        let logits = [3.0f32, -1.0, 0.5, 9.0, -7.0, 2.0];
        let mut gradient = [0.0; 6];
        let mut of = |loss: Loss, logits: &[f32; 6]| loss.evaluate(logits, &mut gradient);
        let least = 0.0;
        for (aim, lead) in
            [(Aim::Towards(0), 6.0), (Aim::Towards(3), -6.0), (Aim::Away(3), 6.0), (Aim::Away(0), -6.0)]
        {
            assert_eq!(of(Loss::Margin { aim, least }, &logits), lead);
            // The largest is 9, the third 2, the fourth 0.5.
            let scale = if matches!(aim, Aim::Towards(_)) { 9.0 - 1.25 } else { 7.0 };
            assert!((of(Loss::Ratio(aim), &logits) - lead / scale).abs() < 1e-6);
        }
        // Log-odds of 0.9 are ln 9; those of label 3 are 9 less the log-sum-exp of the others.
        let others =
            logits.iter().enumerate().filter(|(i, _)| *i != 3).map(|(_, z)| z.exp()).sum::<f32>().ln();
        let sure = of(Loss::Margin { aim: Aim::Towards(3), least: 0.9 }, &logits);
        assert!((sure - (9f32.ln() - (9.0 - others))).abs() < 1e-5);
        for aim in [Aim::Towards(0), Aim::Towards(3), Aim::Away(3), Aim::Away(5)] {
            for loss in [Loss::Margin { aim, least: 0.0 }, Loss::Margin { aim, least: 0.9 }, Loss::Ratio(aim)]
            {
                let mut gradient = [0.0; 6];
                loss.evaluate(&logits, &mut gradient);
                for i in 0..6 {
                    let at = |h: f32| {
                        let mut moved = logits;
                        moved[i] += h;
                        loss.evaluate(&moved, &mut [0.0; 6])
                    };
                    let slope = (at(0.01) - at(-0.01)) / 0.02;
                    assert!((slope - gradient[i]).abs() < 1e-3, "{loss:?} at {i}: {slope} and {gradient:?}");
                }
            }
        }
        // Two labels have no third: the ratio is the margin.
        assert_eq!(Loss::Ratio(Aim::Towards(0)).evaluate(&[1.0, 3.0], &mut [0.0; 2]), 2.0);
    }
}
