"""Keras' own examples as tf2onnx writes them, into tests/data/onnx: the MNIST convnet of keras.io (with fewer channels), and a small
separable network of the kind of its MobileNets for 32 x 32 x 3. Before make_onnx.py, which asks ONNX Runtime what they say.

    python -m venv .keras && .keras/bin/pip install "setuptools<81" tensorflow-cpu tf2onnx
    .keras/bin/python tests/data/make_keras.py

Weights are random: what is tested is the reading.
"""

import os

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"

import keras  # noqa: E402
import onnx  # noqa: E402
import tensorflow as tf  # noqa: E402
import tf2onnx  # noqa: E402
from keras import layers  # noqa: E402

FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "onnx")


def example():
    """https://keras.io/examples/vision/mnist_convnet, with 6 and 8 channels for 32 and 64."""
    return keras.Sequential([
        keras.Input((28, 28, 1)),
        layers.Conv2D(6, (3, 3), activation="relu"),
        layers.MaxPooling2D((2, 2)),
        layers.Conv2D(8, (3, 3), activation="relu"),
        layers.MaxPooling2D((2, 2)),
        layers.Flatten(),
        layers.Dropout(0.5),
        layers.Dense(10, activation="softmax"),
    ])


def separable():
    """Padded as TensorFlow pads (one more below and on the right), batch normalisation, ReLU6, a residual connection."""
    x = inputs = keras.Input((32, 32, 3))
    x = layers.Rescaling(2.0, offset=-1.0)(x)
    x = layers.Conv2D(8, 3, strides=2, padding="same", use_bias=False)(x)
    x = layers.BatchNormalization()(x)
    x = layers.ReLU(6.0)(x)
    y = layers.SeparableConv2D(8, 3, padding="same")(x)
    y = layers.BatchNormalization()(y)
    x = layers.Activation("swish")(layers.add([x, y]))
    x = layers.DepthwiseConv2D(3, strides=2, padding="same")(x)
    x = layers.LeakyReLU(negative_slope=0.1)(x)
    z = layers.AveragePooling2D(3, strides=1, padding="same")(x)
    x = layers.concatenate([x, z])
    x = layers.GlobalAveragePooling2D()(x)
    return keras.Model(inputs, layers.Dense(10)(x))


def randomised(model):
    """Batch normalisation that does something, and biases that are not zero."""
    rng = tf.random.Generator.from_seed(7)
    for weight in model.weights:
        name = weight.path.rsplit("/", 1)[-1]
        if "variance" in name:
            weight.assign(rng.uniform(weight.shape, 0.5, 2.0))
        elif name in ("bias", "beta", "moving_mean", "gamma"):
            weight.assign(rng.uniform(weight.shape, -0.3, 0.3) + (1.0 if name == "gamma" else 0.0))
    return model


def main():
    keras.utils.set_random_seed(3)
    for name, model, opset in [("keras-example", example(), 13), ("keras-separable", separable(), 18)]:
        model = randomised(model)
        signature = [tf.TensorSpec([None, *model.inputs[0].shape[1:]], tf.float32, name="image")]
        call = tf.function(lambda image, model=model: model(image, training=False), input_signature=signature)
        proto, _ = tf2onnx.convert.from_function(call, input_signature=signature, opset=opset)
        path = os.path.join(FOLDER, f"{name}.onnx")
        onnx.save(proto, path)
        print(name, [node.op_type for node in proto.graph.node], os.path.getsize(path))


main()
