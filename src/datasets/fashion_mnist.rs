//! Pieces of clothing in the form of MNIST (Xiao, Rasul, Vollgraf 2017, "Fashion-MNIST: a novel image dataset for benchmarking
//! machine learning algorithms"). No network of it ships: `train fashion-mnist-cnn` makes one.

use super::mnist::{BUDGETS, RECIPE, STUDY};
use super::{Dataset, Pictures, Recipe};
#[cfg(feature = "cli")]
use super::{Idx, Source};
use crate::metrics::grade::Validity;

/// Fashion-MNIST.
pub static FASHION_MNIST: Dataset = Dataset {
    name: "fashion-mnist",
    title: "Fashion-MNIST",
    nouns: ["piece of clothing", "pieces of clothing"],
    image: [28, 28, 1],
    labels: &[
        "T-shirt/top",
        "Trouser",
        "Pullover",
        "Dress",
        "Coat",
        "Sandal",
        "Shirt",
        "Sneaker",
        "Bag",
        "Ankle boot",
    ],
    density_of: None,
    named: false,
    validity: Validity::L2AtMost(1.5),
    pictures: Pictures::Nowhere,
    budgets: BUDGETS,
    study: STUDY,
    // Clothing takes longer to tell apart than digits.
    recipe: Recipe { epochs: 12, ..RECIPE },
    #[cfg(feature = "cli")]
    source: Source::Idx(Idx {
        sha256: [None; 4],
        counts: [60_000, 10_000],
        mirrors: &[
            "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com",
            "https://storage.googleapis.com/tensorflow/tf-keras-datasets",
        ],
        package: None,
    }),
};
