//! Faces: the people of whom Labeled Faces in the Wild (Huang et al. 2007) has at least 70 photographs, centre crop of
//! 154 x 154 in colour. The same at other densities.

#[cfg(feature = "cli")]
use super::Source;
use super::{Budgets, Dataset, PairLoss, Pictures, Recipe, Study};
use crate::metrics::grade::Validity;

/// LFW.
pub static LFW: Dataset = FACES;

/// The same photographs at other densities, each in the same crop: what a study of pixel density varies. 2 x 2, 4 x 4 or 8 x 8
/// pixels are one, their mean; grey is the luma of colour.
#[cfg(feature = "cli")]
pub static DENSITIES: [Dataset; 7] = [
    at("lfw77", "LFW, 77 × 77 in colour", [77, 77, 3]),
    at("lfw38", "LFW, 38 × 38 in colour", [38, 38, 3]),
    at("lfw19", "LFW, 19 × 19 in colour", [19, 19, 3]),
    at("lfw154grey", "LFW, 154 × 154 in grey", [154, 154, 1]),
    at("lfw77grey", "LFW, 77 × 77 in grey", [77, 77, 1]),
    at("lfw38grey", "LFW, 38 × 38 in grey", [38, 38, 1]),
    at("lfw19grey", "LFW, 19 × 19 in grey", [19, 19, 1]),
];

#[cfg(feature = "cli")]
const fn at(name: &'static str, title: &'static str, image: [usize; 3]) -> Dataset {
    // What is checked on the faces themselves is not checked again.
    let study = Study { dear: 5, every_target: 0, ..FACES.study };
    Dataset { name, title, image, density_of: Some(FACES.name), pictures: Pictures::Nowhere, study, ..FACES }
}

const FACES: Dataset = Dataset {
    name: "lfw",
    title: "LFW",
    nouns: ["face", "faces"],
    image: [154, 154, 3],
    labels: &[
        "Ariel Sharon",
        "Colin Powell",
        "Donald Rumsfeld",
        "George W Bush",
        "Gerhard Schroeder",
        "Hugo Chavez",
        "Tony Blair",
    ],
    density_of: None,
    named: true,
    validity: Validity::SsimAtLeast(0.95),
    pictures: Pictures::Own,
    budgets: [
        Budgets {
            initial: 0.01,
            slider: [0.001, 0.06, 0.001],
            lab: &[0.0025, 0.005, 0.01, 0.02, 0.05],
            study: &[0.0025, 0.005, 0.01, 0.02, 0.05],
        },
        Budgets {
            initial: 150.0,
            slider: [5.0, 1000.0, 5.0],
            lab: &[25.0, 50.0, 150.0, 400.0, 907.5],
            study: &[25.0, 50.0, 150.0, 400.0, 907.5],
        },
        Budgets {
            initial: 1.0,
            slider: [0.1, 6.0, 0.1],
            lab: &[0.5, 1.0, 2.0, 4.0],
            study: &[0.25, 0.5, 1.0, 2.0, 4.0],
        },
    ],
    // A photograph costs a hundred times what a digit does.
    study: Study {
        dear: 15,
        fixed: 30,
        steps_l1: 40,
        gradients: [120, 350, 100],
        together: 10,
        of_a_label: 20,
        every_target: 10,
        thresholds: &[0.9, 0.95, 0.98, 0.99, 0.995],
    },
    recipe: Recipe {
        epochs: 100,
        batch: 32,
        rate: 0.001,
        decay: 0.02,
        dropout: 0.5,
        shift: 0,
        pair_loss: PairLoss::Contrastive,
        adversarial: None,
        temperature: None,
        label_weight: 50.0 * 91.0,
        decoder_gain: 1.0,
        held_out: 48,
        keep_best: false,
        balanced: true,
    },
    #[cfg(feature = "cli")]
    source: Source::Photographs,
};
