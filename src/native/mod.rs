//! What the command line needs of the machine: files, cores, data sets, the server.

pub mod brought;
pub mod cores;
pub mod density;
pub mod fetch;
pub mod fetch_lfw;
pub mod files;
pub mod find;
pub mod guards;
pub mod idx;
pub mod images;
pub mod jpeg;
pub mod labelled;
pub mod lfw;
pub mod picture;
pub mod progress;
pub mod root;
pub mod server;
pub mod tensors;
