//! Answers for the SIMD core, so that an optimiser in another language can be run on exactly its gradients: reads a
//! label (u32) and an image (784 f32) from standard input and writes loss and gradient (785 f32), little-endian, until
//! the input ends. After the label 2^32 - 1 and the image it reads a gradient with respect to the logits (10 f32), and
//! writes logits and the gradient that follows for the image (794 f32). `tests/data/oracles.py` has SciPy and Foolbox run
//! on it.
//!
//! ```sh
//! cargo build --release --example objective
//! ```

use std::io::{Read, Write};
use std::path::Path;

use anyhow::Result;
use misread::classifier::{Classifier, Network};
use misread::kernel::softmax::Loss;
use misread::native::images::read_weights;

fn main() -> Result<()> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut network = Network::new(&read_weights(&root.join("models/mnist-cnn.safetensors"))?)?;
    let mut net = network.net().clone();
    let (mut input, mut output) = (std::io::stdin().lock(), std::io::stdout().lock());
    let mut request = vec![0; 4 + 4 * network.pixels()];
    let (mut logits, mut gradient) = (vec![0.0; network.classes()], vec![0.0; network.pixels()]);
    while input.read_exact(&mut request).is_ok() {
        let word = |bytes: &[u8]| [bytes[0], bytes[1], bytes[2], bytes[3]];
        let label = u32::from_le_bytes(word(&request)) as usize;
        let image: Vec<f32> = request[4..].chunks_exact(4).map(|b| f32::from_le_bytes(word(b))).collect();
        let answer = if label == u32::MAX as usize {
            let mut direction = vec![0; 4 * network.classes()];
            input.read_exact(&mut direction)?;
            let direction: Vec<f32> =
                direction.chunks_exact(4).map(|b| f32::from_le_bytes(word(b))).collect();
            let logits = net.forward(&image).to_vec();
            [&logits, net.input_gradient(&direction)].concat()
        } else {
            let loss = network.loss_and_gradient(&image, Loss::Label(label), &mut logits, &mut gradient);
            [&[loss][..], &gradient].concat()
        };
        output.write_all(&answer.iter().flat_map(|v| v.to_le_bytes()).collect::<Vec<u8>>())?;
        output.flush()?;
    }
    Ok(())
}
