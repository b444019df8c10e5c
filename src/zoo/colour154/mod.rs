//! Architectures for colour images of 154 x 154.

pub mod cnn;
pub mod conv_encoder;
pub mod conv_vae;
pub mod dense;
pub mod siamese;
pub mod trained;
pub mod vae;
