//! Auto-PGD (Croce & Hein 2020, "Reliable evaluation of adversarial robustness with an ensemble of diverse parameter-free
//! attacks", algorithm 1), and its form under L1 (Croce & Hein 2021, "Mind the box: l1-APGD for sparse adversarial attacks
//! on image classifiers", algorithm 1): projected gradient steps with momentum whose length is halved at checkpoints where
//! the loss has stalled; under L1 sparse steps whose number of pixels follows that of the best point.

use super::bisection::Bisection;
use super::candidate::{Candidate, Keep};
use super::descriptor::{Descriptor, Field, Kind, Range, Shown, Traits};
use super::iterative::{GROWTH, MAX_STEPS, PRECISION, RAISES};
use super::{Attack, Goal, Norm, Options, Progress};
use crate::classifier::{Classifier, Query, normal};
use crate::error::{Error, Result};
use crate::kernel::softmax::Loss;

/// The most runs that may be asked for.
pub const MAX_RESTARTS: usize = 1_000;

/// Weight of the new step beside the momentum of the last.
const MOMENTUM: f32 = 0.75;
/// Share of the steps between two checkpoints that must have lowered the loss.
const RHO: f32 = 0.75;
/// Under L1: radius and share of the steps of each stage (section 4.4: it begins outside and comes in).
const STAGES: [(f32, f32); 3] = [(3.0, 0.3), (2.0, 0.3), (1.0, 0.4)];
/// Under L1: share of the pixels that the first step moves, and over how many steps that share is kept.
const FIRST_SHARE: f32 = 0.2;
const L1_PERIOD: f32 = 0.04;

/// Auto-PGD.
pub static APGD: Descriptor = Descriptor {
    name: "apgd",
    title: "Auto-PGD",
    source: "Croce and Hein 2020, 2021",
    norms: &[Norm::Linf, Norm::L1, Norm::L2],
    searches: false,
    steps: 100,
    fields: &[
        Field::norm(&["linf", "l1", "l2"]),
        Field::mode("fixed"),
        Field::EPSILON,
        Field::steps(
            100.0,
            1.0,
            &[1.0, 2.0, 5.0, 10.0, 20.0, 40.0, 60.0, 100.0, 200.0, 500.0, 1e3, 5e3, 2e4],
        ),
        Field {
            key: "loss",
            kind: Kind::Choice { choices: &["ce", "dlr", "margin"], initial: "ce", aliases: &[] },
            shown: Shown::More,
        },
        Field::number("restarts", Range::whole(1.0, 1000.0, 1.0, &[1.0, 2.0, 5.0, 10.0, 20.0]), Shown::More),
        Field::CONFIDENCE,
        Field::STOP,
        Field::SEED,
    ],
    traits: Traits {
        study: false,
        decides: false,
        rounds: true,
        needs_start: false,
        takes_start: true,
        gradient_free: false,
    },
    make: |options, model, image, goal, start| {
        let Options {
            norm,
            budget: epsilon,
            steps,
            loss,
            restarts,
            seed,
            confidence,
            early_stop,
            search,
            ..
        } = *options;
        let options =
            ApgdOptions { norm, epsilon, steps, loss, restarts, seed, confidence, early_stop, search };
        let attack = Apgd::new(model, image, goal, options)?;
        Ok(Box::new(match start {
            Some(start) => attack.starting(start, restarts),
            None => attack,
        }))
    },
};

/// Which loss is descended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum LossKind {
    /// Cross-entropy.
    #[default]
    CrossEntropy,
    /// The difference of logits ratio ([`Loss::Ratio`]).
    Dlr,
    /// The margin between logits ([`Loss::Margin`]).
    Margin,
}

impl LossKind {
    /// Its name in links and on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::CrossEntropy => "ce",
            Self::Dlr => "dlr",
            Self::Margin => "margin",
        }
    }

    /// The loss for a goal.
    pub fn of(self, goal: Goal) -> Loss {
        match self {
            Self::CrossEntropy => goal.loss(),
            Self::Dlr => Loss::Ratio(goal.aim()),
            Self::Margin => Loss::Margin { aim: goal.aim(), least: 0.0 },
        }
    }
}

impl std::str::FromStr for LossKind {
    type Err = Error;

    fn from_str(name: &str) -> Result<Self> {
        [Self::CrossEntropy, Self::Dlr, Self::Margin]
            .into_iter()
            .find(|loss| loss.name() == name)
            .ok_or_else(|| Error::unknown("loss", name, ["ce", "dlr", "margin"]))
    }
}

/// What the attack may do.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct ApgdOptions {
    /// The norm that is bounded.
    pub norm: Norm,
    /// The budget: above 0, at most [`Norm::most`]. Where the smallest is sought, the first to be tried.
    pub epsilon: f32,
    /// Steps of each run, 1 to [`MAX_STEPS`].
    pub steps: usize,
    /// The loss.
    pub loss: LossKind,
    /// Runs, 1 to [`MAX_RESTARTS`]: from other random points while none has succeeded.
    pub restarts: usize,
    /// Of the random starts. Without one the first run starts at the original, and further ones as with seed 0.
    pub seed: Option<u64>,
    /// Probability of the false label that counts as success, in [0, 1).
    pub confidence: f32,
    /// Whether the first success is the end.
    pub early_stop: bool,
    /// Seeks the smallest budget that succeeds, by bisection.
    pub search: bool,
}

/// The attack.
#[derive(Clone, Debug)]
pub struct Apgd {
    options: ApgdOptions,
    candidate: Candidate,
    search: Option<Bisection>,
    /// The budget of this round of a search.
    epsilon: f32,
    state: State,
    rng: fastrand::Rng,
    /// Restarts so far, in this round of a search.
    restart: usize,
    /// Stages begun so far, over all runs.
    round: usize,
    stage: usize,
    run: Run,
    room: Room,
    /// An image that is read as wanted, and after how many runs one begins there.
    start: Option<(usize, Vec<f32>)>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    /// Nothing has been evaluated, and the start is random: the original is read first.
    Unread,
    /// The start of a stage is to be evaluated.
    Start,
    Stepping,
    Ended,
}

/// One stage of one run.
#[derive(Clone, Debug, Default)]
struct Run {
    radius: f32,
    steps: usize,
    taken: usize,
    /// Length of a step.
    length: f32,
    /// Steps from one checkpoint to the next, taken since the last, and those among them that lowered the loss.
    period: usize,
    since: usize,
    fell: usize,
    before: f32,
    /// The lowest loss, that at the last checkpoint, and whether the step was halved there.
    least: f32,
    least_before: f32,
    halved: bool,
    /// Whether the next step starts at the best point.
    back: bool,
    /// L1: share of the pixels that a step moves; how many the best point had moved at the last checkpoint.
    share: f32,
    moved: f32,
}

/// Vectors of one run, made once.
#[derive(Clone, Debug)]
struct Room {
    best: Vec<f32>,
    best_gradient: Vec<f32>,
    last: Vec<f32>,
    next: Vec<f32>,
    sizes: Vec<f32>,
    moved: Vec<(f64, f64)>,
}

impl Apgd {
    /// An attack on `image` (in [0, 1]).
    ///
    /// # Errors
    /// [`Error::BadInput`] for an image, a label or a parameter that is out of range.
    pub fn new(model: &dyn Classifier, image: &[f32], goal: Goal, options: ApgdOptions) -> Result<Self> {
        let ApgdOptions { norm, epsilon, steps, restarts, .. } = options;
        let bad = |why: String| Err(Error::BadInput(why));
        let most = norm.most(image.len());
        if !(epsilon > 0.0 && epsilon <= most) {
            return bad(format!("epsilon is {epsilon}; it must lie above 0 and be at most {most}"));
        }
        if !(1..=MAX_STEPS).contains(&steps) {
            return bad(format!("{steps} steps were asked for; it must be 1 to {MAX_STEPS}"));
        }
        if !(1..=MAX_RESTARTS).contains(&restarts) {
            return bad(format!("{restarts} restarts were asked for; it must be 1 to {MAX_RESTARTS} runs"));
        }
        let keep = if options.search { Keep::Closest(norm) } else { Keep::Surest };
        Ok(Self::on(Candidate::new(model, image, goal, options.confidence, keep)?, options))
    }

    /// An attack on what `candidate` holds, with options that are within their ranges; the original is not read.
    pub(super) fn on(mut candidate: Candidate, options: ApgdOptions) -> Self {
        let ApgdOptions { norm, epsilon, .. } = options;
        candidate.bound = Some((norm, epsilon));
        let most = norm.most(candidate.original.len());
        let search =
            options.search.then(|| Bisection::new(epsilon.into(), GROWTH, RAISES, most.into(), PRECISION));
        let n = candidate.original.len();
        let room = Room {
            best: vec![0.0; n],
            best_gradient: vec![0.0; n],
            last: vec![0.0; n],
            next: vec![0.0; n],
            sizes: Vec::with_capacity(n),
            moved: Vec::with_capacity(n),
        };
        let mut attack = Self {
            options,
            candidate,
            search,
            epsilon,
            state: if options.seed.is_some() { State::Unread } else { State::Start },
            rng: fastrand::Rng::with_seed(options.seed.unwrap_or(0)),
            restart: 0,
            round: 0,
            stage: 0,
            run: Run::default(),
            room,
            start: None,
        };
        attack.begin();
        attack
    }

    /// After so many runs, one that begins at `start`, an image that is read as wanted, as near to it as the budget lets: where a
    /// classifier is flat around the original no gradient leads there.
    pub(super) fn starting(mut self, start: &[f32], after: usize) -> Self {
        self.start = Some((after, start.to_vec()));
        self
    }

    /// How many runs there are.
    fn runs(&self) -> usize {
        self.start.as_ref().map_or(self.options.restarts, |(after, _)| after + 1)
    }

    /// Plans the stage that comes next.
    fn begin(&mut self) {
        let n = self.options.steps as f32;
        let l1 = self.options.norm == Norm::L1;
        let (factor, steps) = if l1 {
            let before: usize = (0..2).map(|i| (STAGES[i].1 * n).ceil() as usize).sum();
            let own = (STAGES[self.stage].1 * n).ceil() as usize;
            let last = self.options.steps.saturating_sub(before).max(1);
            (STAGES[self.stage].0, if self.stage == 2 { last } else { own })
        } else {
            (1.0, self.options.steps)
        };
        let radius = (factor * self.epsilon).min(self.options.norm.most(self.candidate.original.len()));
        let share = if l1 { L1_PERIOD } else { 0.22 };
        self.run = Run {
            radius,
            steps,
            length: if l1 { radius } else { 2.0 * radius },
            period: ((share * steps as f32) as usize).max(1),
            halved: true,
            ..Run::default()
        };
    }

    /// Whether another stage of this run is to come.
    fn stages_left(&self) -> bool {
        self.options.norm == Norm::L1 && self.stage + 1 < STAGES.len()
    }

    /// Goes to where a stage starts.
    fn place(&mut self) {
        let random = self.restart > 0 || self.options.seed.is_some();
        let Candidate { original, image, .. } = &mut self.candidate;
        let (norm, radius) = (self.options.norm, self.run.radius);
        let start = self.start.as_ref().filter(|(after, _)| *after == self.restart);
        if self.stage > 0 {
            image.copy_from_slice(&self.room.best);
        } else if let Some((_, start)) = start {
            image.copy_from_slice(start);
        } else if random && norm == Norm::L1 {
            // As in AutoAttack: noise of which the projection keeps the largest pixels.
            normal(&mut self.rng, image);
            image.iter_mut().zip(&*original).for_each(|(x, x0)| *x += x0);
        } else if random {
            norm.random(original, image, radius, &mut self.rng);
            return;
        } else {
            image.copy_from_slice(original);
        }
        norm.project(original, image, radius, &mut self.room.moved);
    }

    /// Takes a step.
    fn update(&mut self) {
        let Self { candidate, run, room, options, .. } = self;
        let Candidate { original, image, gradient, .. } = candidate;
        let (radius, length) = (run.radius, run.length);
        if options.norm == Norm::L1 {
            sparse_step(image, gradient, run.share, length, room);
            Norm::L1.project(original, image, radius, &mut room.moved);
            return;
        }
        let a = if run.taken > 0 { MOMENTUM } else { 1.0 };
        let next = &mut room.next;
        next.copy_from_slice(image);
        if options.norm == Norm::Linf {
            for (x, g) in next.iter_mut().zip(&*gradient) {
                // f32::signum gives 1 for 0; a pixel without a gradient has to stay where it is.
                *x -= length * (f32::from(*g > 0.0) - f32::from(*g < 0.0));
            }
        } else {
            let size = gradient.iter().map(|g| f64::from(*g).powi(2)).sum::<f64>().sqrt();
            let factor = (f64::from(length) / (size + 1e-12)) as f32;
            next.iter_mut().zip(&*gradient).for_each(|(x, g)| *x -= factor * g);
        }
        options.norm.project(original, next, radius, &mut room.moved);
        for ((next, x), last) in next.iter_mut().zip(image.iter_mut()).zip(&mut room.last) {
            *next = *x + (*next - *x) * a + (*x - *last) * (1.0 - a);
            *last = *x;
        }
        options.norm.project(original, next, radius, &mut room.moved);
        image.copy_from_slice(next);
    }

    /// Takes note of the loss at the start of a stage.
    fn started(&mut self) {
        let Self { candidate, run, room, .. } = self;
        room.best.copy_from_slice(&candidate.image);
        room.best_gradient.copy_from_slice(&candidate.gradient);
        room.last.copy_from_slice(&candidate.image);
        (run.least, run.least_before, run.before) = (candidate.value, candidate.value, candidate.value);
        let pixels = candidate.image.len() as f32;
        let moved = l0(&candidate.original, &candidate.image);
        (run.share, run.moved) =
            if self.stage == 0 { (FIRST_SHARE, pixels) } else { (moved / pixels / 1.5, moved) };
    }

    /// Takes note of a step; sets its length at a checkpoint.
    fn noted(&mut self) {
        let Self { candidate, run, room, options, .. } = self;
        run.fell += usize::from(candidate.value < run.before);
        run.before = candidate.value;
        if candidate.value < run.least {
            run.least = candidate.value;
            room.best.copy_from_slice(&candidate.image);
            room.best_gradient.copy_from_slice(&candidate.gradient);
        }
        run.since += 1;
        if run.since < run.period {
            return;
        }
        let back = if options.norm == Norm::L1 {
            let moved = l0(&candidate.original, &room.best);
            let sparser = moved < 0.95 * run.moved;
            run.share = moved / candidate.image.len() as f32 / 1.5;
            run.length = if sparser { run.radius } else { (run.length / 1.5).max(run.radius / 10.0) };
            run.moved = moved;
            sparser
        } else {
            let stalled = run.fell as f32 <= RHO * run.period as f32;
            let stuck = !run.halved && run.least_before <= run.least;
            run.halved = stalled || stuck;
            run.least_before = run.least;
            let share = |share: f32| ((share * run.steps as f32) as usize).max(1);
            run.period = run.period.saturating_sub(share(0.03)).max(share(0.06));
            if run.halved {
                run.length /= 2.0;
            }
            run.halved
        };
        (run.since, run.fell, run.back) = (0, 0, back);
    }

    /// Returns to the best point where a checkpoint said so.
    fn go_back(&mut self) {
        let Self { candidate, run, room, .. } = self;
        if std::mem::take(&mut run.back) {
            candidate.image.copy_from_slice(&room.best);
            candidate.gradient.copy_from_slice(&room.best_gradient);
        }
    }

    /// Goes on after an evaluation: with a step, a stage, a restart, another budget, or not at all.
    fn advance(&mut self, progress: Progress) -> Progress {
        let stop = progress.success && (self.options.early_stop || self.search.is_some());
        if !stop && self.run.taken < self.run.steps {
            self.state = State::Stepping;
            return progress;
        }
        self.round += 1;
        if !stop && self.stages_left() {
            self.stage += 1;
            self.state = State::Start;
            self.begin();
            return progress;
        }
        self.stage = 0;
        if !self.succeeded() && self.restart + 1 < self.runs() {
            self.restart += 1;
            self.state = State::Start;
            self.begin();
            return progress;
        }
        if let Some(search) = &mut self.search {
            let enough = progress.success.then(|| self.options.norm.of(&progress.norms));
            if search.next(enough) {
                self.epsilon = search.budget as f32;
                self.candidate.bound = Some((self.options.norm, self.epsilon));
                self.restart = 0;
                self.state = State::Start;
                self.begin();
                return progress;
            }
        }
        self.state = State::Ended;
        self.candidate.end(progress)
    }

    /// Whether this budget has succeeded.
    fn succeeded(&self) -> bool {
        let within = |norms| self.options.norm.keeps(norms, self.epsilon);
        self.candidate.closest().is_some_and(|best| within(&best.progress.norms))
    }
}

/// How many numbers differ.
fn l0(a: &[f32], b: &[f32]) -> f32 {
    a.iter().zip(b).filter(|(a, b)| a != b).count() as f32
}

/// Moves the share of the pixels with the largest gradients, all by as much, `length` together.
fn sparse_step(image: &mut [f32], gradient: &[f32], share: f32, length: f32, room: &mut Room) {
    let n = image.len();
    let place = (((1.0 - share) * n as f32).max(0.0) as usize).min(n - 1);
    room.sizes.clear();
    room.sizes.extend(gradient.iter().map(|g| g.abs()));
    let (_, least, _) = room.sizes.select_nth_unstable_by(place, f32::total_cmp);
    let least = *least;
    let large = |g: f32| g.abs() >= least && g != 0.0;
    let count = gradient.iter().filter(|g| large(**g)).count();
    let each = length / (count as f32).max(1.0);
    for (x, g) in image.iter_mut().zip(gradient) {
        if large(*g) {
            *x -= each * g.signum();
        }
    }
}

impl Attack for Apgd {
    fn query(&mut self) -> Result<Query<'_>> {
        let loss = self.options.loss.of(self.candidate.goal);
        match self.state {
            State::Ended => return Err(Error::Ended),
            State::Unread => return Ok(self.candidate.ask_original()),
            _ if self.candidate.waits() => {}
            State::Start => self.place(),
            State::Stepping => {
                self.go_back();
                self.update();
                self.run.taken += 1;
            }
        }
        // Nothing follows the last step of a run, so that no gradient is needed there.
        let last = self.run.taken == self.run.steps && !self.stages_left();
        Ok(self.candidate.ask(loss, !last))
    }

    fn answered(&mut self) -> Result<Option<Progress>> {
        if self.state == State::Unread {
            self.candidate.take_original()?;
            self.state = State::Start;
            return Ok(None);
        }
        let progress = self.candidate.take((self.round, self.run.radius))?;
        if self.state == State::Start {
            if self.round == 0 && self.options.seed.is_none() {
                self.candidate.skip(progress.predicted, progress.refused)?;
            }
            self.started();
        } else {
            self.noted();
        }
        Ok(Some(self.advance(progress)))
    }

    fn candidate(&self) -> &Candidate {
        &self.candidate
    }
}
