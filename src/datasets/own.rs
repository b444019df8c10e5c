//! Images of a visitor's or a user's own: of any size, of which nothing is known but that. What such a data set is called says it,
//! `own-32x32x3`.

use std::sync::Mutex;

#[cfg(feature = "cli")]
use super::Source;
use super::{Budgets, Dataset, LFW, Pictures, Study};
use crate::error::{Error, Result};
use crate::metrics::grade::Validity;
use crate::network::Shape;
use crate::network::spec::MAX_IMAGE;

/// How their names begin.
const NAME: &str = "own-";

/// Those that were asked for so far: each is there once, for as long as the program runs.
static ALL: Mutex<Vec<&'static Dataset>> = Mutex::new(Vec::new());

/// Rows, columns and channels as people write them: `32x32x3`, or `28x28` of one channel.
///
/// # Errors
/// [`Error::BadInput`] where that is not how it is written, or larger than what is run.
pub fn read_shape(text: &str) -> Result<Shape> {
    let numbers: Option<Vec<usize>> = text.split('x').map(|n| n.trim().parse().ok()).collect();
    let shape = match numbers.as_deref() {
        Some(&[rows, cols]) => [rows, cols, 1],
        Some(&[rows, cols, channels]) => [rows, cols, channels],
        _ => {
            return Err(Error::BadInput(format!("'{text}' is not like 32x32x3: rows, columns and channels")));
        }
    };
    if shape.iter().zip(MAX_IMAGE).any(|(n, most)| *n == 0 || *n > most) {
        let [rows, cols, channels] = MAX_IMAGE;
        return Err(Error::BadInput(format!("'{text}' is no image of at most {rows} x {cols} x {channels}")));
    }
    Ok(shape)
}

/// The data set of that name, where it is one of these.
pub(super) fn by_name(name: &str) -> Option<&'static Dataset> {
    name.strip_prefix(NAME)
        .and_then(|shape| read_shape(shape).ok())
        .filter(|shape| name == name_of(*shape))
        .map(of_shape)
}

fn name_of([rows, cols, channels]: Shape) -> String {
    format!("{NAME}{rows}x{cols}x{channels}")
}

/// The data set of images of that shape.
pub(super) fn of_shape(image: Shape) -> &'static Dataset {
    let mut all = ALL.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
    if let Some(found) = all.iter().find(|dataset| dataset.image == image) {
        return found;
    }
    let [rows, cols, channels] = image;
    let colours = if channels == 1 { "grey" } else { "colour" };
    let made: &'static Dataset = Box::leak(Box::new(Dataset {
        name: name_of(image).leak(),
        title: format!("{rows} × {cols} in {colours}").leak(),
        nouns: ["image", "images"],
        image,
        labels: &[],
        density_of: None,
        named: false,
        validity: Validity::SsimAtLeast(0.95),
        pictures: Pictures::Nowhere,
        budgets: budgets(image),
        study: Study { dear: 15, ..LFW.study },
        recipe: LFW.recipe,
        #[cfg(feature = "cli")]
        source: Source::Brought,
    }));
    all.push(made);
    made
}

/// From what small photographs are attacked with in the literature: L-infinity 8/255, L2 0.5 at 32 x 32 in colour; the others as long as
/// a change of that size spread over the image.
fn budgets(image: Shape) -> [Budgets; 3] {
    let numbers = image.iter().product::<usize>() as f32;
    let of = |unit: f32| -> Budgets {
        // A decimal number that is one or two orders smaller, and what is rounded to it: by a whole number, which is exact.
        let places = (unit / 5.0).log10().floor() as i32;
        let (times, over) = (10f32.powi(-places.min(0)), 10f32.powi(places.max(0)));
        let step = over / times;
        let round = |x: f32| ((x / over * times).round() / times * over).max(step);
        Budgets {
            initial: round(unit),
            slider: [step, round(10.0 * unit), step],
            lab: [0.25, 0.5, 1.0, 2.0, 4.0].map(|times| round(times * unit)).to_vec().leak(),
            study: [0.25, 0.5, 1.0, 2.0, 4.0].map(|times| times * unit).to_vec().leak(),
        }
    };
    [of(0.03), of(0.003 * numbers), of(0.009 * numbers.sqrt())]
}

#[cfg(test)]
mod tests {
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;

    #[test]
    fn a_size_makes_a_data_set_and_its_name_finds_it_again() {
        for image in [[32, 32, 3], [48, 192, 3], [1, 1, 1], [256, 256, 4]] {
            let dataset = of_shape(image);
            assert!(std::ptr::eq(dataset, Dataset::by_name(dataset.name).unwrap()));
            assert_eq!(dataset.image, image);
            for budgets in &dataset.budgets {
                let [low, high, step] = budgets.slider;
                assert!(low <= budgets.initial && budgets.initial <= high && step > 0.0, "{budgets:?}");
                assert!(budgets.study.is_sorted() && budgets.lab.is_sorted());
            }
        }
        for wrong in [
            "own-",
            "own-32",
            "own-0x1x1",
            "own-257x1x1",
            "own-32x32x5",
            "own-032x32x3",
            "own-a",
            "own-1x1x1x1",
        ] {
            assert!(Dataset::by_name(wrong).is_err(), "{wrong}");
        }
        assert_eq!(read_shape("28x28").unwrap(), [28, 28, 1]);
    }
}
