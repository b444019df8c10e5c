//! An attack on a subject, run and judged: the one place where it happens, for page, lab, command line and study.

mod record;

pub use record::{Cell, Record};

use crate::attack::{Attack, Goal, Options, Progress, run_all};
use crate::classifier::Subject;
use crate::classifier::defence::Attacker;
use crate::datasets::Image;
use crate::error::{Error, Result};
use crate::kernel::softmax::softmax;
use crate::metrics::grade::Thresholds;
use crate::metrics::norms::Norms;
use crate::metrics::ssim::ssim;

/// What one attack is about.
#[derive(Clone, Copy, Debug)]
pub struct Task<'a> {
    /// The image.
    pub image: &'a Image,
    /// What is wanted of it.
    pub goal: Goal,
    /// An image that is read as wanted, for attacks that begin at one.
    pub start: Option<&'a [f32]>,
    /// Whether an image that is misread as it is is left alone.
    pub only_if_read: bool,
}

impl<'a> Task<'a> {
    /// An attack on an image, whatever it is read as.
    pub fn new(image: &'a Image, goal: Goal) -> Self {
        Self { image, goal, start: None, only_if_read: false }
    }
}

/// What an attack on one image came to.
#[derive(Clone, Debug)]
pub struct Judged {
    /// What is written down of it.
    pub record: Record,
    /// The attacked image; the original where there was nothing to attack.
    pub image: Vec<f32>,
    /// The same as a PNG stores it: of 8 bits, and inside the budget where one was kept to.
    pub stored: Vec<f32>,
    /// The probabilities of all labels there, as the attack sees them.
    pub probabilities: Vec<f32>,
}

/// An attack on one image under way: step by step, or all at once with [`judge_all`].
pub struct Trial {
    attack: Box<dyn Attack>,
    options: Options,
    goal: Goal,
    image: Image,
    /// The probabilities at the original.
    probabilities: Vec<f32>,
    record: Record,
    /// The first progress and the latest.
    first: Option<Progress>,
    latest: Option<Progress>,
}

impl Trial {
    /// Reads the image as it is, and prepares the attack.
    ///
    /// # Errors
    /// [`Error::BadInput`] for an image, a label or an option that is out of range.
    pub fn new(subject: &mut Subject, task: &Task<'_>, options: &Options) -> Result<Self> {
        let Task { image, goal, start, only_if_read } = *task;
        let attack = options.attack_from(&*subject.seen, &image.pixels, goal, start)?;
        let (mut record, probabilities) = unattacked(subject, image, goal, options);
        if goal == Goal::Target(image.label) {
            record.skipped = Some("the target is the true label: to read it is no mistake".into());
        } else if only_if_read && !record.read_rightly() {
            record.skipped = Some("misread before any attack".into());
        } else if only_if_read && record.refused {
            record.skipped = Some("refused before any attack".into());
        } else if subject.attacker == Some(Attacker::BlackBox) && !options.attack.traits.gradient_free {
            let title = options.attack.title;
            return Err(Error::BadInput(format!("{title} needs gradients, which a black box does not give")));
        }
        let (options, image) = (*options, image.clone());
        Ok(Self { attack, options, goal, image, probabilities, record, first: None, latest: None })
    }

    /// Takes a step; the first evaluates the start.
    ///
    /// # Errors
    /// [`Error::Skipped`] when there is nothing to attack, [`Error::Ended`] when the attack has ended, [`Error::BadInput`] when
    /// the network answers with something that is not a number.
    pub fn step(&mut self, subject: &mut Subject) -> Result<Progress> {
        if let Some(why) = &self.record.skipped {
            return Err(Error::Skipped(why.clone()));
        }
        match self.attack.step(&mut *subject.seen) {
            Ok(progress) => {
                self.hear(&progress);
                Ok(progress)
            }
            Err(error) => {
                self.skip(&error);
                Err(error)
            }
        }
    }

    fn hear(&mut self, progress: &Progress) {
        self.first.get_or_insert(*progress);
        self.latest = Some(*progress);
    }

    fn skip(&mut self, error: &Error) {
        if let Error::Skipped(why) = error {
            self.record.skipped = Some(why.clone());
        }
    }

    /// The attack: the image that it is at, with what the network says of it.
    pub fn attack(&self) -> &dyn Attack {
        &*self.attack
    }

    /// Where it stands.
    pub fn latest(&self) -> Option<&Progress> {
        self.latest.as_ref()
    }

    /// What the attack came to. Where what is deployed is not what was seen, and where it draws, success, reading and confidence
    /// are those of what is deployed; of draws those of fresh ones (success: at least half of them), not of those that the
    /// attack descended.
    pub fn judged(&self, subject: &mut Subject, thresholds: Thresholds) -> Judged {
        let (mut record, goal) = (self.record.clone(), self.goal);
        let (Some(outcome), None) = (self.attack.outcome(), &record.skipped) else {
            let (image, probabilities) = (self.image.pixels.clone(), self.probabilities.clone());
            return Judged { record, stored: image.clone(), image, probabilities };
        };
        let best = outcome.progress;
        record.zero_gradient = self.first.map_or(0.0, |first| first.zero_gradient);
        (record.predicted, record.refused) = (best.predicted, best.refused);
        (record.success, record.confidence, record.loss) = (best.success, best.confidence, best.loss);
        record.l0 = best.norms.l0;
        (record.l1, record.l2, record.linf) = (best.norms.l1, best.norms.l2, best.norms.linf);
        record.ssim = ssim(subject.seen.shape(), &self.image.pixels, &outcome.image);
        // The norm that a search found is kept to as well once it is rounded: upwards.
        let found = self.options.search && self.options.attack.field("c").is_none();
        let rounded = |budget: f64| if found { (budget as f32).next_up() } else { budget as f32 };
        record.budget = self.options.budget_of(&best).map(rounded);
        let index = self.image.index as u64;
        let mut read =
            |pixels: &[f32]| subject.read(pixels, index, |label| goal.reached(label), |p| goal.confidence(p));
        // L-BFGS's budget is no radius.
        let radius = self.options.fixed_budget().filter(|_| self.options.attack.field("c").is_none());
        let stored = self.options.norm.to_8_bits(&self.image.pixels, &outcome.image, radius);
        let (reread, norms) = (read(&stored), Norms::between(&self.image.pixels, &stored));
        (record.png_predicted, record.png_confidence) = (reread.predicted, reread.confidence);
        (record.png_l1, record.png_l2, record.png_linf) = (norms.l1, norms.l2, norms.linf);
        let apart = subject.deployed.is_some() || subject.seen.draws();
        if apart {
            let read =
                subject.read(&outcome.image, index, |label| goal.reached(label), |p| goal.confidence(p));
            let sure = read.fresh.is_some() || read.confidence >= self.options.confidence;
            (record.predicted, record.refused) = (read.predicted, read.refused);
            (record.success, record.confidence, record.fresh) =
                (read.reached && sure, read.confidence, read.fresh);
            if self.options.search && !record.success {
                record.budget = None;
            }
        }
        record.survives_png = record.success && reread.reached;
        let (valid, grade) = thresholds.grade(record.success, &best.norms, record.ssim, record.confidence);
        (record.valid, record.grade) = (valid, Some(grade));
        if let Some(latest) = &self.latest {
            (record.steps, record.gradients, record.queries) =
                (latest.step, latest.gradients, latest.queries);
        }
        let probabilities = outcome.probabilities.clone();
        Judged { record, image: outcome.image.clone(), stored, probabilities }
    }
}

/// How many pixels are attacked at once, channels counted: two faces, or 191 digits. What an attack remembers of these stays in the
/// second-level cache; of more it does not, which costs more than is spared where layers share their weights.
const NEAR: usize = 150_000;

/// Attacks images, as many at once as stay near, so that dense layers share their weights: each comes to what it comes to alone.
/// That there is nothing to attack is a record too.
///
/// # Errors
/// When an option is out of range, or the network answers with something that is not a number.
pub fn judge_all(
    subject: &mut Subject,
    tasks: &[Task<'_>],
    options: &Options,
    thresholds: Thresholds,
) -> Result<Vec<Judged>> {
    let mut judged = Vec::with_capacity(tasks.len());
    for near in tasks.chunks((NEAR / subject.seen.pixels().max(1)).max(1)) {
        judged.extend(judge_at_once(subject, near, options, thresholds)?);
    }
    Ok(judged)
}

fn judge_at_once(
    subject: &mut Subject,
    tasks: &[Task<'_>],
    options: &Options,
    thresholds: Thresholds,
) -> Result<Vec<Judged>> {
    let mut trials =
        tasks.iter().map(|task| Trial::new(subject, task, options)).collect::<Result<Vec<_>>>()?;
    let mut heard: Vec<(Option<Progress>, Option<Progress>)> = vec![(None, None); trials.len()];
    let running: Vec<usize> = (0..trials.len()).filter(|&i| trials[i].record.skipped.is_none()).collect();
    let mut attacks: Vec<&mut dyn Attack> = trials
        .iter_mut()
        .filter(|trial| trial.record.skipped.is_none())
        .map(|trial| &mut *trial.attack)
        .collect();
    let ends = run_all(&mut attacks, &mut *subject.seen, |i, progress| {
        let (first, latest) = &mut heard[running[i]];
        first.get_or_insert(*progress);
        *latest = Some(*progress);
    });
    for (&i, end) in running.iter().zip(ends) {
        match end {
            Ok(_) => (trials[i].first, trials[i].latest) = heard[i],
            Err(error @ Error::Skipped(_)) => trials[i].skip(&error),
            Err(error) => return Err(error),
        }
    }
    Ok(trials.iter().map(|trial| trial.judged(subject, thresholds)).collect())
}

/// Whether `pixels`, made of `image` by any attack, reach the goal with what is deployed.
pub fn fooled(subject: &mut Subject, image: &Image, pixels: &[f32], goal: Goal) -> bool {
    subject.read(pixels, image.index as u64, |label| goal.reached(label), |p| goal.confidence(p)).reached
}

/// The record of an image as it is, and the probabilities of its labels as an attack sees them.
fn unattacked(subject: &mut Subject, image: &Image, goal: Goal, options: &Options) -> (Record, Vec<f32>) {
    let classes = subject.seen.classes();
    let labels = subject.seen.labels();
    let (mut logits, mut probabilities) = (vec![0.0; classes], vec![0.0; labels]);
    subject.seen.logits(&image.pixels, &mut logits);
    softmax(&logits[..labels], &mut probabilities);
    let read =
        subject.read(&image.pixels, image.index as u64, |label| goal.reached(label), |p| goal.confidence(p));
    let record = Record {
        dataset: subject.dataset.clone(),
        network: subject.network.clone(),
        inference: subject.inference,
        defence: (!subject.defence.is_empty()).then(|| subject.defence.clone()),
        attacker: subject.attacker.map(|attacker| attacker.name().into()),
        attack: options.attack.name.into(),
        norm: options.norm.name().into(),
        budget: options.fixed_budget(),
        index: image.index,
        file: image.file.clone(),
        label: image.label,
        target: if let Goal::Target(label) = goal { Some(label) } else { None },
        clean_predicted: read.predicted,
        predicted: read.predicted,
        success: false,
        refused: read.refused,
        confidence: goal.confidence(&probabilities),
        loss: 0.0,
        l0: 0,
        l1: 0.0,
        l2: 0.0,
        linf: 0.0,
        ssim: 1.0,
        valid: true,
        grade: None,
        survives_png: false,
        png_predicted: read.predicted,
        png_confidence: read.confidence,
        png_l1: 0.0,
        png_l2: 0.0,
        png_linf: 0.0,
        fresh: None,
        zero_gradient: 0.0,
        steps: 0,
        gradients: 0,
        queries: 0,
        skipped: None,
    };
    (record, probabilities)
}
