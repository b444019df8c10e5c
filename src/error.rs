//! The crate's one error type.

use thiserror::Error;

/// `Result` with the crate's [`enum@Error`].
pub type Result<T, E = Error> = std::result::Result<T, E>;

/// Everything that can go wrong, in words that a visitor can act on, and with a [`key`](Self::key) by which other words can be
/// put in their place.
#[derive(Clone, Debug, Error, PartialEq)]
#[non_exhaustive]
pub enum Error {
    /// A weights or samples file that cannot be used; the text says what is wrong with it.
    #[error("cannot read {what}: {why}")]
    BadFile {
        /// What was being read, e.g. "the weights file".
        what: String,
        /// What is wrong with it.
        why: String,
    },
    /// Nothing of a kind has that name.
    #[error("no {kind} is called '{name}'; there are: {known}")]
    Unknown {
        /// A network, an attack, a defence and so on.
        kind: &'static str,
        /// The name asked for.
        name: String,
        /// The names there are, separated by commas.
        known: String,
    },
    /// A network that cannot be run: its layers do not fit each other, or it is beyond the limits.
    #[error("the network '{network}' cannot be run: {why}")]
    Unsupported {
        /// Its name.
        network: String,
        /// What does not fit.
        why: String,
    },
    /// A network of which its file does not say how large the images are that it reads.
    #[error(
        "the network '{network}' reads {dims:?} (0 where its file leaves it open), which does not tell the size of an image: say it, as in 32x32x3"
    )]
    NoSize {
        /// Its name.
        network: String,
        /// The dimensions that the file names, without the batch.
        dims: Vec<usize>,
    },
    /// An image, label or parameter outside what is allowed; the text names it.
    #[error("{0}")]
    BadInput(String),
    /// An attack that has nothing to do: why there is nothing to attack.
    #[error("{0}")]
    Skipped(String),
    /// A step of an attack that is over.
    #[error("the attack has ended")]
    Ended,
}

impl Error {
    /// A [`Error::BadFile`] about `what`.
    pub fn bad_file(what: impl Into<String>, why: impl Into<String>) -> Self {
        Self::BadFile { what: what.into(), why: why.into() }
    }

    /// An [`Error::Unknown`] among `known`.
    pub fn unknown<'a>(kind: &'static str, name: &str, known: impl IntoIterator<Item = &'a str>) -> Self {
        let known = known.into_iter().collect::<Vec<_>>().join(", ");
        Self::Unknown { kind, name: name.to_owned(), known }
    }

    /// What kind of error this is, for those who put words of another language in place of these.
    pub fn key(&self) -> &'static str {
        match self {
            Self::BadFile { .. } => "bad-file",
            Self::Unknown { .. } => "unknown",
            Self::Unsupported { .. } => "unsupported",
            Self::NoSize { .. } => "no-size",
            Self::BadInput(_) => "bad-input",
            Self::Skipped(_) => "skipped",
            Self::Ended => "ended",
        }
    }
}
