//! What is written down of an attack. The fields are listed once: struct, JSON, CSV and the page's objects follow.

use crate::classifier::Inference;
use crate::metrics::grade::Grade;

/// The value of a field, as it is written.
#[derive(Clone, Debug, PartialEq)]
pub enum Cell {
    /// Nothing.
    None,
    Flag(bool),
    Whole(usize),
    /// In single precision: written with the digits that this needs.
    Single(f32),
    Double(f64),
    Text(String),
}

impl std::fmt::Display for Cell {
    /// As a field of a CSV file (RFC 4180).
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::None => Ok(()),
            Self::Flag(flag) => write!(f, "{flag}"),
            Self::Whole(number) => write!(f, "{number}"),
            Self::Single(number) => write!(f, "{number}"),
            Self::Double(number) => write!(f, "{number}"),
            Self::Text(text) if text.contains([',', '"', '\n', '\r']) => {
                write!(f, "\"{}\"", text.replace('"', "\"\""))
            }
            Self::Text(text) => f.write_str(text),
        }
    }
}

macro_rules! cells {
    ($($from:ty => $to:expr,)*) => {
        $(impl From<&$from> for Cell {
            fn from(value: &$from) -> Self {
                let to: fn(&$from) -> Cell = $to;
                to(value)
            }
        }

        impl From<&Option<$from>> for Cell {
            fn from(value: &Option<$from>) -> Self {
                value.as_ref().map_or(Self::None, Self::from)
            }
        })*
    };
}

cells! {
    bool => |flag| Cell::Flag(*flag),
    usize => |number| Cell::Whole(*number),
    f32 => |number| Cell::Single(*number),
    f64 => |number| Cell::Double(*number),
    String => |text| Cell::Text(text.clone()),
    Inference => |inference| Cell::Text(inference.name().into()),
    Grade => |grade| Cell::Text(grade.name().into()),
}

macro_rules! record {
    ($($(#[$doc:meta])* $name:ident: $kind:ty,)*) => {
        /// One attacked image. All of it follows from image, subject and attack: the time it took is kept apart.
        #[derive(Clone, Debug, PartialEq)]
        #[cfg_attr(feature = "cli", derive(serde::Serialize, serde::Deserialize))]
        pub struct Record {
            $($(#[$doc])* pub $name: $kind,)*
        }

        impl Record {
            /// The names of the fields, in order.
            pub const FIELDS: &'static [&'static str] = &[$(stringify!($name)),*];

            /// The values of the fields, in order.
            pub fn cells(&self) -> Vec<Cell> {
                vec![$(Cell::from(&self.$name)),*]
            }
        }
    };
}

record! {
    /// The data set of the image.
    dataset: String,
    /// The network's name: that of its file.
    network: String,
    /// How a VAE reads.
    inference: Inference,
    /// The defences that the network stands behind; none where there is none.
    defence: Option<String>,
    /// What the attacker knows of them: adaptive, blind or black-box; none where there is none.
    attacker: Option<String>,
    /// The attack's name.
    attack: String,
    /// The norm that it bounds or makes small: linf, l1 or l2.
    norm: String,
    /// The fixed budget, or the smallest that was found (none when none was): the norm of the change, for L-BFGS the
    /// weight `c` of the loss.
    budget: Option<f32>,
    /// The image's index in the set it was taken from.
    index: usize,
    /// The name of the image's file, where it has one of its own.
    file: Option<String>,
    /// The true label.
    label: usize,
    /// The label aimed at; none when any wrong one would do.
    target: Option<usize>,
    /// What was read before the attack; of one that draws, what most of its answers name.
    clean_predicted: usize,
    /// What is read after; the likeliest label where the image is refused.
    predicted: usize,
    /// Whether the goal was reached, with the confidence that was asked for, and the image not refused.
    success: bool,
    /// Whether what is deployed refuses the attacked image.
    refused: bool,
    /// Probability of the false label.
    confidence: f32,
    /// The loss that the attack descended, in nats.
    loss: f32,
    /// Numbers of the image that changed.
    l0: usize,
    /// Norms of the change, in pixel units of [0, 1].
    l1: f64,
    l2: f64,
    linf: f64,
    /// Structural similarity with the original.
    ssim: f64,
    /// Whether the image counts as still readable.
    valid: bool,
    /// None when there was nothing to attack.
    grade: Option<Grade>,
    /// Whether the attack succeeded and still does once the image is one of 8 bits, inside the budget.
    survives_png: bool,
    /// What is read of the image of 8 bits.
    png_predicted: usize,
    /// Probability of the false label there.
    png_confidence: f32,
    /// Norms of the change there.
    png_l1: f64,
    png_l2: f64,
    png_linf: f64,
    /// Share of fresh answers that reach the goal, of a network that draws its latent vector.
    fresh: Option<f64>,
    /// Share of the pixels whose gradient is exactly zero at the start: a first sign of gradient masking.
    zero_gradient: f32,
    /// Steps taken in all.
    steps: usize,
    /// Gradients computed.
    gradients: usize,
    /// Images that the network was asked about, with a gradient or without.
    queries: usize,
    /// Why there was nothing to attack, if there was nothing.
    skipped: Option<String>,
}

impl Record {
    /// Whether the network read the image rightly before the attack.
    pub fn read_rightly(&self) -> bool {
        self.clean_predicted == self.label
    }
}

#[cfg(test)]
mod tests {
    #[cfg(target_arch = "wasm32")]
    use wasm_bindgen_test::wasm_bindgen_test as test;

    use super::*;

    #[test]
    fn cells_are_written_as_csv_wants_them() {
        let cells = [
            (Cell::from(&Some(0.1f32)), "0.1"),
            (Cell::from(&None::<f32>), ""),
            (Cell::from(&true), "true"),
            (Cell::from(&"a \"b\", c".to_owned()), "\"a \"\"b\"\", c\""),
            (Cell::from(&Grade::High), "high"),
            (Cell::from(&1.5f64), "1.5"),
        ];
        for (cell, text) in cells {
            assert_eq!(cell.to_string(), text);
        }
    }
}
