//! An attack is judged alike whichever way it is run, and a refusal is an outcome of its own.

use misread::attack::{self, Goal, Norm, Options};
use misread::classifier::{Attacker, Classifier, Inference, Query, Subject};
use misread::datasets::{Image, MNIST};
use misread::judge::{Judged, Record, Task, Trial, judge_all};
use misread::kernel::softmax::Loss;
use misread::metrics::grade::{Grade, Thresholds};
use misread::zoo;

use crate::common;

/// A network with a guard: one logit more, which grows with the distance from a point.
#[derive(Clone)]
struct Guarded {
    network: misread::classifier::Network,
    from: Vec<f32>,
    /// The logit of a refusal at no distance, and by how much it grows with the square of the distance.
    start: f32,
    slope: f32,
}

impl Classifier for Guarded {
    fn pixels(&self) -> usize {
        self.network.pixels()
    }
    fn classes(&self) -> usize {
        self.network.classes() + 1
    }
    fn refuses(&self) -> bool {
        true
    }
    fn logits(&mut self, image: &[f32], logits: &mut [f32]) {
        let (own, refusal) = logits.split_at_mut(self.network.classes());
        self.network.logits(image, own);
        let far: f32 = image.iter().zip(&self.from).map(|(a, b)| (a - b).powi(2)).sum();
        refusal[0] = self.start + self.slope * far;
    }
    fn evaluate(&mut self, queries: &mut [Query<'_>]) {
        for query in queries {
            self.logits(query.image, query.logits);
            let mut to_logits = vec![0.0; query.logits.len()];
            *query.value = query.loss.evaluate(query.logits, &mut to_logits);
            if let Some(gradient) = &mut query.gradient {
                self.descend(query.image, query.loss, &to_logits, gradient);
            }
        }
    }
}

impl Guarded {
    fn descend(&mut self, image: &[f32], loss: Loss, to_logits: &[f32], gradient: &mut [f32]) {
        // The network's own logits by finite weights: a gradient of each label's logit would take ten passes; the chain rule
        // through the network's loss of a label is enough to make attacks move.
        let label = match loss {
            Loss::Label(label) | Loss::Other(label) => label,
            _ => 0,
        };
        let mut own = vec![0.0; self.network.classes()];
        self.network.loss_and_gradient(image, Loss::Label(label), &mut own, gradient);
        let refusal = to_logits[self.network.classes()];
        for ((g, x), x0) in gradient.iter_mut().zip(image).zip(&self.from) {
            *g += refusal * 2.0 * self.slope * (x - x0);
        }
    }
}

fn image(index: usize) -> Image {
    let samples = common::samples();
    Image { index, file: None, label: samples.labels[index].into(), pixels: samples.image(index).unwrap() }
}

fn thresholds() -> Thresholds {
    Thresholds::new(MNIST.validity)
}

fn judged(subject: &mut Subject, image: &Image, goal: Goal, options: Options) -> Judged {
    judge_all(subject, &[Task::new(image, goal)], &options, thresholds()).unwrap().remove(0)
}

#[test]
fn a_refused_image_is_no_success_and_an_attack_fights_the_refusal() {
    let weights = zoo::read(common::WEIGHTS).unwrap();
    let image = image(7);
    let guarded = |slope: f32| {
        let guard = Guarded { network: common::network(), from: image.pixels.clone(), start: -20.0, slope };
        let mut subject = Subject::plain(&weights, Box::new(guard.clone()));
        subject.deployed = Some(Box::new(guard));
        subject
    };
    let blind = |slope: f32| Subject { seen: Box::new(common::network()), ..guarded(slope) };
    let options = Options { budget: 0.3, ..Options::of("linf").unwrap() };
    for goal in [Goal::Target(3), Goal::Away(7)] {
        // Who does not know of the guard is refused; and is told so, with the label that would have been read.
        let Judged { record, .. } = judged(&mut blind(10.0), &image, goal, options);
        assert!(record.refused && !record.success && record.predicted != 7, "{record:?}");
        assert_eq!((record.grade, record.survives_png), (Some(Grade::Failed), false));
        assert!(record.clean_predicted == 7 && record.skipped.is_none());
        // A guard that sees nothing amiss lets it pass.
        let Judged { record, .. } = judged(&mut blind(0.0), &image, goal, options);
        assert!(record.success && !record.refused, "{record:?}");
        // Who knows the guard has a refusal to beat as one more answer.
        let Judged { record, .. } = judged(&mut guarded(10.0), &image, goal, options);
        assert!(record.refused || record.success, "{record:?}");
    }
    // No attack takes a refusal for what it wanted.
    for attack in attack::ALL {
        let options = Options { steps: 60, ..Options::new(attack) };
        let Judged { record, .. } = judged(&mut guarded(1e4), &image, Goal::Away(7), options);
        assert!(!record.success, "{}: {record:?}", attack.name);
    }
}

#[test]
fn step_by_step_and_all_at_once_are_judged_alike() {
    let defended = |name: &str, inference, defence: &str| {
        let bytes = std::fs::read(format!("models/{name}.safetensors")).unwrap();
        let weights = zoo::read(&bytes).unwrap();
        let plain = Subject::new(&weights, inference, 1, 8).unwrap();
        plain
            .behind(&weights.spec, defence, Attacker::Adaptive, &mut |_| unreachable!("no guard is named"))
            .unwrap()
    };
    // The second is called a 2, and read as the 7 that it is.
    let images: Vec<Image> = vec![image(3), Image { label: 2, ..image(7) }, image(14)];
    for (name, inference, defence) in [
        ("mnist-cnn", Inference::Mean, ""),
        ("mnist-vae", Inference::Sampled, ""),
        ("mnist-dense", Inference::Mean, "grey4"),
    ] {
        let mut subject = defended(name, inference, defence);
        for attack in attack::ALL {
            let steps = if attack.name == "lbfgs" { 5 } else { 30.min(attack.steps) };
            let options = Options { steps, ..Options::new(attack) };
            // The second aims at what is read already: skipped.
            let goals = [Goal::Target(4), Goal::Target(7), Goal::Away(4)];
            let tasks: Vec<Task<'_>> =
                images.iter().zip(goals).map(|(image, goal)| Task::new(image, goal)).collect();
            let together = judge_all(&mut subject, &tasks, &options, thresholds()).unwrap();
            assert!(together[1].record.skipped.as_deref().is_some_and(|why| why.contains("already reads")));
            for (task, together) in tasks.iter().zip(together) {
                let mut trial = Trial::new(&mut subject, task, &options).unwrap();
                while trial.step(&mut subject).is_ok_and(|progress| !progress.done) {}
                let alone = trial.judged(&mut subject, thresholds());
                assert_eq!(alone.record, together.record, "{name} {}", attack.name);
                assert!(alone.image == together.image && alone.probabilities == together.probabilities);
            }
        }
    }
}

#[test]
fn of_more_images_than_stay_near_each_comes_to_what_it_comes_to_alone() {
    let weights = zoo::read(&std::fs::read("models/lfw-cnn.safetensors").unwrap()).unwrap();
    let mut subject = Subject::new(&weights, Inference::Mean, 1, 1).unwrap();
    let mut rng = fastrand::Rng::with_seed(5);
    // As large as faces, of which two are attacked at once.
    let mut noise = |index| {
        let pixels = (0..weights.spec.pixels()).map(|_| rng.f32()).collect();
        Image { index, file: None, label: 0, pixels }
    };
    let images: Vec<Image> = (0..5).map(&mut noise).collect();
    let options = Options { budget: 0.1, steps: 3, ..Options::of("linf").unwrap() };
    let goal = Goal::Target(1);
    let tasks: Vec<Task<'_>> = images.iter().map(|image| Task::new(image, goal)).collect();
    let together = judge_all(&mut subject, &tasks, &options, thresholds()).unwrap();
    assert_eq!(together.len(), images.len());
    for (image, together) in images.iter().zip(together) {
        let alone = judged(&mut subject, image, goal, options);
        assert_eq!(alone.record, together.record);
        assert!(alone.record.skipped.is_none(), "{:?}", alone.record.skipped);
        assert!(alone.image == together.image && together.image != image.pixels);
    }
}

#[test]
fn a_misread_image_is_left_alone_where_that_is_wanted() {
    let weights = zoo::read(common::WEIGHTS).unwrap();
    let mut subject = Subject::new(&weights, Inference::Mean, 1, 1).unwrap();
    let wrong = Image { label: 3, ..image(7) };
    let task = Task { only_if_read: true, ..Task::new(&wrong, Goal::Target(4)) };
    let options = Options::of("linf").unwrap();
    let Judged { record, image, .. } =
        judge_all(&mut subject, &[task], &options, thresholds()).unwrap().remove(0);
    assert_eq!(record.skipped.as_deref(), Some("misread before any attack"));
    assert!(record.grade.is_none() && image == wrong.pixels && record.gradients == 0);
    let attacked = judged(&mut subject, &wrong, Goal::Target(4), options);
    assert!(attacked.record.skipped.is_none() && attacked.record.success);
}

#[test]
fn a_record_has_its_fields_once_and_writes_them_alike_everywhere() {
    let weights = zoo::read(common::WEIGHTS).unwrap();
    let mut subject = Subject::new(&weights, Inference::Mean, 1, 1).unwrap();
    let options = Options::of("apgd").unwrap().under(Norm::L2).unwrap();
    let Judged { record, .. } = judged(&mut subject, &image(7), Goal::Target(3), options);
    let json = serde_json::to_value(&record).unwrap();
    let object = json.as_object().unwrap();
    assert_eq!(object.len(), Record::FIELDS.len());
    for (field, cell) in Record::FIELDS.iter().zip(record.cells()) {
        let text = match &object[*field] {
            serde_json::Value::Null => String::new(),
            serde_json::Value::String(text) => text.clone(),
            // Written with as many digits as their precision needs, in whichever form.
            serde_json::Value::Number(number) => {
                let (a, b): (f64, f64) = (cell.to_string().parse().unwrap(), number.as_f64().unwrap());
                assert!((a - b).abs() <= 1e-6 * b.abs(), "{field}: {a} and {b}");
                continue;
            }
            other => other.to_string(),
        };
        assert_eq!(cell.to_string(), text, "{field}");
    }
    assert_eq!(serde_json::from_value::<Record>(json).unwrap(), record);
}
