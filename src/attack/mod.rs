//! The attacks. Each is a stepper: it yields its progress after every evaluation of the network, can be dropped between
//! two steps, and is deterministic. A new one is a file here and a line in [`ALL`].

pub mod apgd;
pub mod ball;
mod bisection;
mod candidate;
pub mod descriptor;
pub mod fgsm;
pub mod hopskipjump;
pub mod iterative;
pub mod l1;
pub mod l2;
pub mod lbfgs;
pub mod lbfgsb;
pub mod linf;
pub mod options;
pub mod smallest;
pub mod square;
pub mod strongest;
pub mod universal;

pub use crate::metrics::norms::Norm;
pub use descriptor::Descriptor;
pub use options::Options;

use std::ops::DerefMut;

use candidate::Candidate;

use crate::classifier::{Classifier, Query};
use crate::error::{Error, Result};
use crate::kernel::softmax::{Aim, Loss};
use crate::metrics::norms::Norms;

/// What is the same as long as an attack with the same values on the same weights comes to the same: a link that repeats an attack
/// names it, and says so when it has changed. Raised whenever `tests/it/version.rs` says that an outcome has moved.
pub const VERSION: u32 = 2;

/// Every attack there is, in the order in which they are offered.
pub static ALL: &[&Descriptor] = &[
    &linf::LINF,
    &l1::L1,
    &lbfgs::LBFGS,
    &strongest::STRONGEST,
    &apgd::APGD,
    &hopskipjump::HOPSKIPJUMP,
    &square::SQUARE,
    &fgsm::FGSM,
];

/// The attack called `name`.
///
/// # Errors
/// [`Error::Unknown`], with the names there are.
pub fn by_name(name: &str) -> Result<&'static Descriptor> {
    let found = ALL.iter().copied().find(|attack| attack.name == name);
    found.ok_or_else(|| Error::unknown("attack", name, ALL.iter().map(|attack| attack.name)))
}

/// What an attack is after.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Goal {
    /// That the network reads this label.
    Target(usize),
    /// That the network reads anything but this label.
    Away(usize),
}

impl Goal {
    /// The label it names.
    pub fn label(self) -> usize {
        match self {
            Self::Target(label) | Self::Away(label) => label,
        }
    }

    /// The loss that an attack descends.
    pub fn loss(self) -> Loss {
        match self {
            Self::Target(label) => Loss::Label(label),
            Self::Away(label) => Loss::Other(label),
        }
    }

    /// Towards its label, or away from it.
    pub fn aim(self) -> Aim {
        match self {
            Self::Target(label) => Aim::Towards(label),
            Self::Away(label) => Aim::Away(label),
        }
    }

    /// Whether a network that reads `predicted` has been fooled.
    pub fn reached(self, predicted: usize) -> bool {
        match self {
            Self::Target(label) => predicted == label,
            Self::Away(label) => predicted != label,
        }
    }

    /// The probability of the false label: of the target, or of the likeliest wrong one.
    pub fn confidence(self, probabilities: &[f32]) -> f32 {
        match self {
            Self::Target(label) => probabilities[label],
            Self::Away(label) => {
                let others = probabilities.iter().enumerate().filter(|&(i, _)| i != label);
                others.map(|(_, &p)| p).fold(0.0, f32::max)
            }
        }
    }
}

/// Where an attack stands: the state of [`Attack::image`].
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Progress {
    /// Steps taken; 0 describes the original, or the random start.
    pub step: usize,
    /// How often the attack has begun afresh, with another budget.
    pub round: usize,
    /// What is allowed in this round: the radius of the ball, or L-BFGS's weight `c` of the loss.
    pub budget: f32,
    /// The loss that the attack descends ([`Goal::loss`]), in nats.
    pub loss: f32,
    /// The label that the network reads, the likeliest where it refuses.
    pub predicted: usize,
    /// Whether it refuses the image.
    pub refused: bool,
    /// Probability of the false label.
    pub confidence: f32,
    /// Whether the goal is reached, with the confidence that was asked for.
    pub success: bool,
    /// Distance from the original.
    pub norms: Norms,
    /// Gradients computed so far.
    pub gradients: usize,
    /// Images that the network has been asked about so far, with a gradient or without.
    pub queries: usize,
    /// Share of the pixels whose gradient is exactly zero at the image; the first sign of gradient masking.
    /// 0 where no gradient was computed.
    pub zero_gradient: f32,
    /// Whether this is the end.
    pub done: bool,
}

/// The best image that an attack has come by.
#[derive(Clone, Debug, PartialEq)]
pub struct Outcome {
    /// Where the attack stood.
    pub progress: Progress,
    /// The image, in [0, 1].
    pub image: Vec<f32>,
    /// The probabilities of all labels there.
    pub probabilities: Vec<f32>,
}

/// An attack on one image. It never calls the network: it says what it wants to know and is told, so that several attacks
/// can be answered at once ([`run_all`]).
pub trait Attack {
    /// What the attack wants to know next; the same until it is [`answered`](Self::answered).
    ///
    /// # Errors
    /// [`Error::Ended`] when the attack has ended.
    fn query(&mut self) -> Result<Query<'_>>;

    /// Goes on after the latest [`query`](Self::query) has its answer. `None` where that was no step yet (what the network
    /// reads at the original, where the attack starts elsewhere).
    ///
    /// # Errors
    /// [`Error::Skipped`] when the goal is reached before the first step,
    /// [`Error::BadInput`] when the network answered with something that is not a number.
    fn answered(&mut self) -> Result<Option<Progress>>;

    /// Takes a step and evaluates the network once (twice at a random start). The first call evaluates the start.
    ///
    /// # Errors
    /// Those of [`query`](Self::query) and [`answered`](Self::answered).
    fn step(&mut self, model: &mut dyn Classifier) -> Result<Progress> {
        loop {
            model.evaluate(&mut [self.query()?]);
            if let Some(progress) = self.answered()? {
                return Ok(progress);
            }
        }
    }

    /// The image that the attack is at, with what the network says of it.
    fn candidate(&self) -> &Candidate;

    /// The image that the latest [`Progress`] describes.
    fn image(&self) -> &[f32] {
        &self.candidate().image
    }

    /// The probabilities of all labels at that image.
    fn probabilities(&self) -> &[f32] {
        &self.candidate().probabilities
    }

    /// The best image so far: with a fixed budget the latest that reaches the goal (of Auto-PGD and the strongest attack the
    /// surest), in a search the closest one; where none does, the one with the lowest loss. `None` before the first step.
    fn outcome(&self) -> Option<&Outcome> {
        self.candidate().outcome.as_ref()
    }
}

/// Runs an attack to its end. [`Attack::outcome`] has the result.
///
/// # Errors
/// Those of [`Attack::step`].
pub fn run(attack: &mut dyn Attack, model: &mut dyn Classifier) -> Result<Progress> {
    loop {
        let progress = attack.step(model)?;
        if progress.done {
            return Ok(progress);
        }
    }
}

/// Runs several attacks to their ends, answering all that still run at once: dense layers share their weights. Each comes
/// to what it comes to alone. `told` hears of every step, with the attack's place.
pub fn run_all<A: DerefMut<Target = dyn Attack>>(
    attacks: &mut [A],
    model: &mut dyn Classifier,
    mut told: impl FnMut(usize, &Progress),
) -> Vec<Result<Progress>> {
    let mut ends: Vec<Option<Result<Progress>>> = attacks.iter().map(|_| None).collect();
    while ends.iter().any(Option::is_none) {
        let mut queries = Vec::with_capacity(attacks.len());
        for (attack, end) in attacks.iter_mut().zip(&mut ends).filter(|(_, end)| end.is_none()) {
            match attack.query() {
                Ok(query) => queries.push(query),
                Err(error) => *end = Some(Err(error)),
            }
        }
        model.evaluate(&mut queries);
        drop(queries);
        let running = attacks.iter_mut().zip(&mut ends).enumerate().filter(|(_, (_, end))| end.is_none());
        for (i, (attack, end)) in running {
            match attack.answered() {
                Ok(Some(progress)) => {
                    told(i, &progress);
                    if progress.done {
                        *end = Some(Ok(progress));
                    }
                }
                Ok(None) => {}
                Err(error) => *end = Some(Err(error)),
            }
        }
    }
    ends.into_iter().flatten().collect()
}
