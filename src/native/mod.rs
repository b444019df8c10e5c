//! What the command line needs of the machine: data sets, files, reports, the server.

pub mod attack;
pub mod bench;
pub mod cores;
pub mod faces;
pub mod fetch;
pub mod fetch_lfw;
pub mod files;
pub mod idx;
pub mod images;
pub mod labelled;
pub mod lfw;
pub mod picture;
pub mod progress;
pub mod record;
pub mod report;
pub mod sample;
pub mod server;
pub mod study;
pub mod subject;
