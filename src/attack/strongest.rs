//! The strongest attack there is here: a union of others in order of cost, one after the other, until success is certain or
//! the gradients are spent. Its result is the closest success (within a budget the first, surely read) among all points
//! that any of them evaluated. What it is held to is in `scripts/peers/strength.py`.

use super::apgd::{Apgd, ApgdOptions, LossKind};
use super::candidate::{Candidate, Keep};
use super::descriptor::{Descriptor, Field, Traits};
use super::iterative::MAX_STEPS;
use super::smallest::{SETTLED, Smallest, SmallestOptions};
use super::{Attack, Goal, Norm, Options, Outcome, Progress};
use crate::classifier::{Classifier, Query};
use crate::error::{Error, Result};
use crate::kernel::softmax::{Aim, Loss};

/// The strongest attack.
pub static STRONGEST: Descriptor = Descriptor {
    name: "strongest",
    title: "The strongest",
    source: "APGD and primal-dual searches: Croce and Hein 2020, Matyasko and Chau 2021",
    norms: &[Norm::L2, Norm::Linf, Norm::L1],
    searches: true,
    steps: 1_000,
    fields: &[
        Field::norm(&["l2", "linf", "l1"]),
        Field::mode("min"),
        Field::EPSILON,
        Field::steps(1_000.0, LEAST_GRADIENTS as f64, &[100.0, 200.0, 500.0, 1_000.0, 2_000.0, 5_000.0]),
        Field::CONFIDENCE,
        Field::SEED,
    ],
    traits: Traits {
        study: false,
        decides: true,
        rounds: false,
        needs_start: false,
        takes_start: true,
        gradient_free: false,
    },
    make: |options, model, image, goal, start| {
        let Options { norm, steps: gradients, confidence, seed, .. } = *options;
        let (epsilon, seed) = (options.fixed_budget(), seed.unwrap_or(0));
        let options = StrongestOptions { norm, epsilon, gradients, confidence, seed };
        let attack = Strongest::new(model, image, goal, options)?;
        Ok(Box::new(Strongest { start: start.map(<[f32]>::to_vec), ..attack }))
    },
};

/// What the attack may do.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct StrongestOptions {
    /// The norm that is bounded, or to be small.
    pub norm: Norm,
    /// The budget: above 0, at most [`Norm::most`]. `None` seeks the smallest that succeeds.
    pub epsilon: Option<f32>,
    /// The most gradients, 10 to [`MAX_STEPS`].
    pub gradients: usize,
    /// Probability of the false label that counts as success, in [0, 1).
    pub confidence: f32,
    /// Of the random starts.
    pub seed: u64,
}

/// The least gradients with which all stages have a share.
pub const LEAST_GRADIENTS: usize = 10;
/// Of a classifier that answers by draws, the probability over the draws which the attack knows that makes a success
/// certain over others: of the smallest change enough for most, within a budget as much as can be had.
const SURE: f32 = 0.7;
const SURE_WITHIN: f32 = 0.9;
/// Within a budget, the gradients of APGD as a share of all.
const APGD_SHARE: f32 = 0.1;
/// The most labels that are surveyed, as many as AutoAttack's targeted attacks go towards.
const LABELS: usize = 9;
/// How far from the original a search begins its second time, times its first step.
const NOISE: f32 = 1.5;
/// And how far at most, times the closest success: of a photograph's many pixels a little each is far.
const FARTHEST: f64 = 60.0;

/// A stage.
#[derive(Clone, Debug)]
enum Stage {
    Survey(Box<Survey>),
    Apgd(Box<Apgd>),
    Smallest(Box<Smallest>),
    Shrink(Box<Shrink>),
}

impl Stage {
    fn attack(&mut self) -> &mut dyn Attack {
        match self {
            Self::Survey(attack) => attack.as_mut(),
            Self::Apgd(attack) => attack.as_mut(),
            Self::Smallest(attack) => attack.as_mut(),
            Self::Shrink(attack) => attack.as_mut(),
        }
    }

    fn as_attack(&self) -> &dyn Attack {
        match self {
            Self::Survey(attack) => attack.as_ref(),
            Self::Apgd(attack) => attack.as_ref(),
            Self::Smallest(attack) => attack.as_ref(),
            Self::Shrink(attack) => attack.as_ref(),
        }
    }
}

/// What a stage is to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    /// APGD from the original, or from a random point: what falls easily falls to it.
    Apgd { random: bool },
    /// Looks which label is nearest where the network is taken as linear.
    Survey,
    /// A search for the smallest change, by way of one of the nearest labels where the goal is to get away, the last one
    /// with smaller steps.
    Search { from: From, way: Option<usize>, last: bool },
    /// Less of the closest success.
    Shrink,
}

/// Where a search starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum From {
    Original,
    /// The original with noise.
    Noise,
    /// The closest success, if there is one.
    Best,
}

/// The attack.
#[derive(Clone, Debug)]
pub struct Strongest {
    options: StrongestOptions,
    /// The probability from which success is certain.
    certain: f32,
    /// The image and the goal, as every stage begins.
    blank: Candidate,
    stage: Stage,
    /// All stages, and the place of the one under way.
    order: Vec<Kind>,
    stages: usize,
    /// How far the first search moves a pixel at first, what it multiplies distances with and divides margins by.
    rate: Option<f32>,
    unit: Option<f32>,
    scale: Option<f32>,
    /// Away from a label: the others, the nearest first by the survey.
    near: Vec<usize>,
    /// Steps, gradients and queries of the stages that have ended.
    steps: usize,
    gradients: usize,
    queries: usize,
    best: Option<Outcome>,
    /// An image that is read as wanted, from which later stages begin while nothing has succeeded: where a classifier is flat
    /// around the original no gradient leads there.
    start: Option<Vec<f32>>,
    /// Where searches go on: the closest image that is read as wanted for certain, within the budget or not.
    closest: Option<(f64, Vec<f32>)>,
    ended: bool,
}

impl Strongest {
    /// An attack on `image` (in [0, 1]).
    ///
    /// # Errors
    /// [`Error::BadInput`] for an image, a label or a parameter that is out of range.
    pub fn new(model: &dyn Classifier, image: &[f32], goal: Goal, options: StrongestOptions) -> Result<Self> {
        let StrongestOptions { norm, epsilon, gradients, confidence, .. } = options;
        let most = norm.most(image.len());
        if let Some(epsilon) = epsilon.filter(|epsilon| !(*epsilon > 0.0 && *epsilon <= most)) {
            let why = format!("epsilon is {epsilon}; it must lie above 0 and be at most {most}");
            return Err(Error::BadInput(why));
        }
        if !(LEAST_GRADIENTS..=MAX_STEPS).contains(&gradients) {
            let why = format!(
                "{gradients} gradients (steps) were asked for; it must be {LEAST_GRADIENTS} to {MAX_STEPS}"
            );
            return Err(Error::BadInput(why));
        }
        let blank = Candidate::new(model, image, goal, confidence, Keep::Closest(norm))?;
        let draws = model.draws();
        let certain = match epsilon {
            _ if !draws => confidence,
            Some(_) => confidence.max(SURE_WITHIN),
            None => confidence.max(SURE),
        };
        let mut attack = Self {
            options,
            certain,
            stage: Stage::Shrink(Box::new(Shrink::new(blank.clone(), image))),
            blank,
            order: Vec::new(),
            stages: 0,
            rate: None,
            unit: None,
            scale: None,
            near: Vec::new(),
            steps: 0,
            gradients: 0,
            queries: 0,
            best: None,
            start: None,
            closest: None,
            ended: false,
        };
        attack.order = attack.plan(draws);
        let first = attack.order.first().and_then(|kind| attack.build(*kind));
        if let Some(stage) = first.or_else(|| attack.next()) {
            attack.stage = stage;
        }
        Ok(attack)
    }

    /// The stages, in order of cost.
    fn plan(&self, draws: bool) -> Vec<Kind> {
        let apgd = self.options.epsilon.map(|_| Kind::Apgd { random: false });
        if draws && apgd.is_some() {
            // Where draws decide, what counts is how far inside an image lies, which a search for the smallest does not ask.
            let again = (1.0 / APGD_SHARE) as usize - 1;
            return apgd.into_iter().chain(std::iter::repeat_n(Kind::Apgd { random: true }, again)).collect();
        }
        let start = |from, way| Kind::Search { from, way, last: false };
        let last = Kind::Search { from: From::Best, way: None, last: true };
        let again = Kind::Apgd { random: true };
        let [first, second] = [0, 1].map(|way| start(From::Original, Some(way)));
        // Two searches that settle end nearer than three that do not.
        let three = self.options.gradients >= 3 * SETTLED;
        let between = |search| Some(search).filter(|_| three);
        let searches = match (self.blank.goal, self.options.epsilon, self.options.norm) {
            (Goal::Target(_), Some(_), _) => {
                vec![start(From::Original, None), again, start(From::Noise, None), last]
            }
            (Goal::Target(_), None, norm) => {
                let second = start(if norm == Norm::Linf { From::Best } else { From::Noise }, None);
                [Some(start(From::Original, None)), between(second), Some(last)]
                    .into_iter()
                    .flatten()
                    .collect()
            }
            // Within a budget whole searches find more than many short ones.
            (Goal::Away(_), Some(_), _) => {
                vec![Kind::Survey, first, again, again, second, again, again, last]
            }
            // Few long searches end nearer than many short ones.
            (Goal::Away(_), None, _) => {
                let any = between(start(From::Original, None));
                [Some(Kind::Survey), any, Some(first), Some(last)].into_iter().flatten().collect()
            }
        };
        apgd.into_iter().chain(searches).chain([Kind::Shrink]).collect()
    }

    /// A stage of this kind, if there is anything left for it to do.
    fn build(&self, kind: Kind) -> Option<Stage> {
        let StrongestOptions { norm, gradients, epsilon, .. } = self.options;
        let left = gradients.saturating_sub(self.gradients);
        if left == 0 && kind != Kind::Shrink {
            return None;
        }
        let first = self.steps == 0;
        let candidate = self.blank.again(Keep::Closest(norm), self.certain);
        match kind {
            Kind::Shrink => {
                let best = self.best.as_ref().filter(|best| best.progress.success)?;
                Some(Stage::Shrink(Box::new(Shrink::new(candidate, &best.image))))
            }
            Kind::Survey => Some(Stage::Survey(Box::new(Survey::new(candidate, norm)))),
            Kind::Apgd { random } => {
                // Every start takes a gradient, too.
                let starts = if norm == Norm::L1 { 3 } else { 1 };
                let all = ((APGD_SHARE * gradients as f32) as usize).min(left);
                let steps = all.checked_sub(starts).filter(|steps| *steps > 0)?;
                let options = ApgdOptions {
                    norm,
                    epsilon: epsilon?,
                    steps,
                    loss: LossKind::CrossEntropy,
                    restarts: 1,
                    seed: random.then(|| self.options.seed.wrapping_add(self.stages as u64)),
                    confidence: self.certain,
                    early_stop: true,
                    search: false,
                };
                let attack = Apgd::on(candidate, options);
                Some(Stage::Apgd(Box::new(match self.fallback().filter(|_| random) {
                    Some(start) => attack.starting(start, 0),
                    None => attack,
                })))
            }
            Kind::Search { from, way, last } => {
                let rest = self.order.len().saturating_sub(self.stages).max(1);
                let searches = self.order[self.order.len() - rest..].iter();
                let searches = searches.filter(|kind| matches!(kind, Kind::Search { .. })).count().max(1);
                let rate = self.rate.map(|rate| if last && norm == Norm::L1 { 0.5 * rate } else { rate });
                let aim = match way {
                    Some(way) => Some(Aim::Towards(*self.near.get(way)?)),
                    None => None,
                };
                let usual = SmallestOptions::new(norm, left.div_ceil(searches));
                let options = SmallestOptions {
                    rate,
                    unit: self.unit,
                    scale: self.scale,
                    // What is smooth at first loses which pixels need not move.
                    smooth: from != From::Best,
                    // The later ones begin near the boundary, or where the distance has yet to count.
                    ratio: if from == From::Original { usual.ratio } else { 1.0 },
                    aim,
                    confidence: self.certain,
                    ..usual
                };
                let search = Smallest::on(candidate, options);
                Some(Stage::Smallest(Box::new(match (from, &self.closest) {
                    (From::Original, _) if first => search,
                    (From::Original, _) => search.starting(&self.blank.original),
                    (From::Best, Some((_, image))) => search.starting(image),
                    _ => match self.fallback() {
                        Some(start) => search.starting(start),
                        None => search.starting(&self.noisy()),
                    },
                })))
            }
        }
    }

    /// Where to begin when nothing has succeeded.
    fn fallback(&self) -> Option<&Vec<f32>> {
        let succeeded = self.best.as_ref().is_some_and(|best| best.progress.success);
        self.start.as_ref().filter(|_| !succeeded && self.closest.is_none())
    }

    /// The stage that follows, if one does.
    fn next(&mut self) -> Option<Stage> {
        match &self.stage {
            Stage::Survey(survey) => self.near = survey.nearest(),
            Stage::Smallest(search) => {
                self.rate.get_or_insert(search.rate());
                self.scale.get_or_insert(search.scale());
                self.unit.get_or_insert(search.unit());
            }
            Stage::Apgd(_) | Stage::Shrink(_) => {}
        }
        while self.stages + 1 < self.order.len() {
            self.stages += 1;
            let stage = self.build(self.order[self.stages]);
            if stage.is_some() {
                return stage;
            }
        }
        None
    }

    /// The original with noise on every pixel.
    fn noisy(&self) -> Vec<f32> {
        let mut rng = fastrand::Rng::with_seed(self.options.seed.wrapping_add(self.stages as u64));
        // How long noise of at most 1 a pixel is.
        let pixels = self.blank.original.len() as f64;
        let length = match self.options.norm {
            Norm::Linf => 1.0,
            Norm::L1 => pixels / 2.0,
            Norm::L2 => (pixels / 3.0).sqrt(),
        };
        let far = self.closest.as_ref().map_or(f64::INFINITY, |(far, _)| *far);
        let most = (NOISE * self.rate.unwrap_or(1.0)).min(0.5).min((FARTHEST * far / length) as f32);
        self.blank.original.iter().map(|x| (x + most * (2.0 * rng.f32() - 1.0)).clamp(0.0, 1.0)).collect()
    }

    /// How good an image is: a success that is certain, one that is not, none; then what counts among equals, less being
    /// better.
    fn worth(&self, progress: &Progress) -> (u8, f64) {
        let (far, loss) = (self.options.norm.of(&progress.norms), f64::from(progress.loss));
        match (progress.success, progress.confidence >= self.certain) {
            (true, _) if self.options.epsilon.is_some() => (2, loss),
            (true, true) => (2, far),
            (true, false) => (1, loss),
            (false, _) => (0, loss),
        }
    }

    /// Keeps the image of the latest step if it is the best so far.
    fn remember(&mut self, progress: Progress) {
        if let Some(best) = &self.best {
            let (old, new) = (self.worth(&best.progress), self.worth(&progress));
            if new.0 < old.0 || new.0 == old.0 && new.1 >= old.1 {
                return;
            }
        }
        let attack = self.stage.as_attack();
        let (image, probabilities) = (attack.image(), attack.probabilities());
        match &mut self.best {
            Some(best) => {
                best.progress = progress;
                best.image.copy_from_slice(image);
                best.probabilities.copy_from_slice(probabilities);
            }
            best => {
                *best =
                    Some(Outcome { progress, image: image.to_vec(), probabilities: probabilities.to_vec() });
            }
        }
    }
}

impl Attack for Strongest {
    fn query(&mut self) -> Result<Query<'_>> {
        if self.ended {
            return Err(Error::Ended);
        }
        self.stage.attack().query()
    }

    fn answered(&mut self) -> Result<Option<Progress>> {
        let Some(mut progress) = self.stage.attack().answered()? else { return Ok(None) };
        let stage_ends = std::mem::take(&mut progress.done);
        progress.step += self.steps;
        progress.gradients += self.gradients;
        progress.queries += self.queries;
        progress.round = self.stages;
        // A stage may ask for more than was asked for, and a search knows no budget.
        let reached = !progress.refused
            && self.blank.goal.reached(progress.predicted)
            && progress.confidence >= self.options.confidence;
        let far = self.options.norm.of(&progress.norms);
        let inside =
            self.options.epsilon.is_none_or(|epsilon| self.options.norm.keeps(&progress.norms, epsilon));
        progress.success = reached && inside;
        if let Some(epsilon) = self.options.epsilon {
            progress.budget = epsilon;
        }
        if reached
            && progress.confidence >= self.certain
            && self.closest.as_ref().is_none_or(|(least, _)| far < *least)
        {
            self.closest = Some((far, self.stage.as_attack().image().to_vec()));
        }
        // What lies outside the budget is kept until there is something inside.
        if inside || self.best.is_none() {
            self.remember(progress);
        }
        let certain =
            self.options.epsilon.is_some() && progress.success && progress.confidence >= self.certain;
        if certain || stage_ends {
            (self.steps, self.gradients) = (progress.step + 1, progress.gradients);
            self.queries = progress.queries;
            match if certain { None } else { self.next() } {
                Some(stage) => self.stage = stage,
                None => {
                    self.ended = true;
                    progress.done = true;
                    if let Some(best) = self.best.as_mut().filter(|best| best.progress.step == progress.step)
                    {
                        best.progress.done = true;
                    }
                }
            }
        }
        Ok(Some(progress))
    }

    fn candidate(&self) -> &Candidate {
        self.stage.as_attack().candidate()
    }

    fn outcome(&self) -> Option<&Outcome> {
        self.best.as_ref()
    }
}

/// The places of the scores, the largest first.
fn ranked(scores: &[f64]) -> impl Iterator<Item = usize> + use<> {
    let mut left: Vec<(usize, f64)> = scores.iter().copied().enumerate().collect();
    std::iter::from_fn(move || {
        let (place, _) = left.iter().enumerate().max_by(|a, b| a.1.1.total_cmp(&b.1.1))?;
        Some(left.swap_remove(place).0)
    })
}

/// How far each of the likeliest other labels would be if the network were linear: a gradient at the original for each.
#[derive(Clone, Debug)]
struct Survey {
    candidate: Candidate,
    norm: Norm,
    /// The labels, and how far those are that have been asked about.
    labels: Vec<usize>,
    far: Vec<f64>,
}

impl Survey {
    fn new(candidate: Candidate, norm: Norm) -> Self {
        Self { candidate, norm, labels: Vec::new(), far: Vec::new() }
    }

    /// The labels, the nearest first.
    fn nearest(&self) -> Vec<usize> {
        let near: Vec<f64> = self.far.iter().map(|far| -far).collect();
        ranked(&near).map(|i| self.labels[i]).collect()
    }

    /// The label that is asked about.
    fn label(&self) -> usize {
        let own = self.candidate.goal.label();
        self.labels.get(self.far.len()).copied().unwrap_or(usize::from(own == 0))
    }
}

impl Attack for Survey {
    fn query(&mut self) -> Result<Query<'_>> {
        let loss = Loss::Margin { aim: Aim::Towards(self.label()), least: 0.0 };
        Ok(self.candidate.ask(loss, true))
    }

    fn answered(&mut self) -> Result<Option<Progress>> {
        let asked = self.label();
        let progress = self.candidate.take((0, 0.0))?;
        if self.labels.is_empty() {
            self.candidate.skip(progress.predicted, progress.refused)?;
            let Candidate { goal, logits, .. } = &self.candidate;
            // What was asked first stands first; the likeliest of the others follow.
            let scores: Vec<f64> = logits.iter().map(|z| f64::from(*z)).collect();
            // A refusal is no label.
            let scores = &scores[..self.candidate.labels()];
            let others = ranked(scores).filter(|i| *i != goal.label() && *i != asked);
            self.labels = [asked].into_iter().chain(others).take(LABELS).collect();
        }
        let Candidate { original, gradient, value, .. } = &self.candidate;
        self.far.push(self.norm.linear_distance(original, gradient, *value));
        let ends = self.far.len() == self.labels.len();
        Ok(Some(if ends { self.candidate.end(progress) } else { progress }))
    }

    fn candidate(&self) -> &Candidate {
        &self.candidate
    }
}

/// By bisection how much of a change is enough, from as little as this; it asks for no gradient.
#[derive(Clone, Debug)]
struct Shrink {
    candidate: Candidate,
    change: Vec<f32>,
    low: f32,
    high: f32,
}

/// The least share that is looked at, and how finely.
const LEAST_SHARE: f32 = 0.9;
const FINE: f32 = 2e-4;

impl Shrink {
    fn new(candidate: Candidate, image: &[f32]) -> Self {
        let change = image.iter().zip(&candidate.original).map(|(x, x0)| x - x0).collect();
        Self { candidate, change, low: LEAST_SHARE, high: 1.0 }
    }
}

impl Attack for Shrink {
    fn query(&mut self) -> Result<Query<'_>> {
        let share = 0.5 * (self.low + self.high);
        let Candidate { original, image, .. } = &mut self.candidate;
        for ((x, x0), d) in image.iter_mut().zip(original.iter()).zip(&self.change) {
            *x = (x0 + share * d).clamp(0.0, 1.0);
        }
        let loss = self.candidate.goal.loss();
        Ok(self.candidate.ask(loss, false))
    }

    fn answered(&mut self) -> Result<Option<Progress>> {
        let progress = self.candidate.take((0, 0.0))?;
        let middle = 0.5 * (self.low + self.high);
        if progress.success {
            self.high = middle;
        } else {
            self.low = middle;
        }
        let ends = self.high - self.low < FINE;
        Ok(Some(if ends { self.candidate.end(progress) } else { progress }))
    }

    fn candidate(&self) -> &Candidate {
        &self.candidate
    }
}
