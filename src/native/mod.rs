//! What the command line needs of the machine: data sets, files, reports, the server.

pub mod files;
pub mod idx;
pub mod progress;
