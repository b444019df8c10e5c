//! The defences: functions from subject to subject, a file each. Each says what an attacker who knows it sees of it. A new one
//! is a file here and a line (or some, where it has a strength) in [`ALL`].

mod grey;

use super::Subject;
use crate::error::{Error, Result};

/// A defence.
pub struct Defence {
    /// Its name in links, records and on the command line.
    pub name: &'static str,
    /// What it does, in words.
    pub title: &'static str,
    /// Puts a subject behind it.
    pub apply: fn(Subject) -> Subject,
}

/// Every defence there is, in the order in which they are offered.
pub static ALL: &[&Defence] = &[&grey::GREY2, &grey::GREY4, &grey::GREY8];

/// The defence called `name`.
///
/// # Errors
/// [`Error::Unknown`], with the names there are.
pub fn by_name(name: &str) -> Result<&'static Defence> {
    let found = ALL.iter().copied().find(|defence| defence.name == name);
    found.ok_or_else(|| Error::unknown("defence", name, ALL.iter().map(|defence| defence.name)))
}
