//! Networks: as data, as bytes, and running.

pub mod activation;
pub mod latent;
pub mod layer;
pub mod run;
pub mod safetensors;
pub mod spec;
pub mod text;
pub mod weights;

pub use activation::Activation;
pub use layer::{Kind, Layer, Parameter, Shape, Window};
pub use run::Net;
pub use spec::{Part, Spec};
pub use weights::Weights;
