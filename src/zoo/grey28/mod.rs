//! Architectures for grey images of 28 x 28.

pub mod cnn;
pub mod conv_encoder;
pub mod conv_vae;
pub mod dense;
pub mod siamese;
pub mod trained;
pub mod vae;
