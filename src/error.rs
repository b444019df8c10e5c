//! The crate's one error type.

use thiserror::Error;

/// `Result` with the crate's [`enum@Error`].
pub type Result<T> = std::result::Result<T, Error>;

/// Everything that can go wrong, in words that a visitor can act on.
#[derive(Debug, Error)]
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
    /// No architecture of that name.
    #[error("no network is called '{name}'; there are: {known}")]
    UnknownArch {
        /// The name asked for.
        name: String,
        /// The names there are, separated by commas.
        known: String,
    },
    /// An architecture whose layers the SIMD core cannot run in that order.
    #[error("the network '{arch}' cannot be run: {why}")]
    Unsupported {
        /// Its name.
        arch: String,
        /// Which layers do not fit.
        why: String,
    },
    /// An image, label or parameter outside what is allowed; the text names it.
    #[error("{0}")]
    BadInput(String),
    /// An attack that has nothing to do.
    #[error("{0}")]
    Refused(String),
}

impl Error {
    /// A [`Error::BadFile`] about `what`.
    pub fn bad_file(what: impl Into<String>, why: impl Into<String>) -> Self {
        Self::BadFile { what: what.into(), why: why.into() }
    }
}
