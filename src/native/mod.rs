//! What the command line needs of the machine: data sets, files, reports, the server.

pub mod attack;
pub mod bench;
pub mod fetch;
pub mod files;
pub mod idx;
pub mod picture;
pub mod progress;
pub mod sample;
pub mod server;
