"""The networks in tests/data/onnx and what ONNX Runtime says of them: logits of random images, in tests/data/onnx.safetensors.

    python -m venv .venv && .venv/bin/pip install numpy torch onnx onnxruntime onnxscript safetensors
    .venv/bin/python tests/data/make_onnx.py

Made of PyTorch by its exporter, but for two that are written node by node as tf2onnx writes Keras' MNIST example (channels last,
turned to channels first and back), one of them with half-precision weights. Weights are random: what is tested is the reading.
"""

import os

import numpy
import onnx
import onnxruntime
import torch
from onnx import TensorProto, helper, numpy_helper
from safetensors.numpy import save_file
from torch import nn
from torch.nn import functional as F

FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "onnx")
COUNT = 4


class Old(nn.Module):
    """As in PyTorch's older MNIST example: the maximum before the ReLU, and a view that computes its shape."""

    def __init__(self):
        super().__init__()
        self.conv1, self.conv2 = nn.Conv2d(1, 4, 5), nn.Conv2d(4, 6, 5)
        self.fc1, self.fc2 = nn.Linear(96, 16), nn.Linear(16, 10)

    def forward(self, x):
        x = F.relu(F.max_pool2d(self.conv1(x), 2))
        x = F.relu(F.max_pool2d(self.conv2(x), 2))
        x = x.view(x.size(0), -1)
        return F.log_softmax(self.fc2(F.relu(self.fc1(x))), dim=1)


class Normalised(nn.Module):
    """Normalises by itself."""

    def __init__(self):
        super().__init__()
        self.fc1, self.fc2 = nn.Linear(784, 12), nn.Linear(12, 10)

    def forward(self, x):
        x = (x - 0.1307) / 0.3081
        return self.fc2(F.relu(self.fc1(torch.flatten(x, 1))))


class Residual(nn.Module):
    """Branches: refused."""

    def __init__(self):
        super().__init__()
        self.conv1, self.conv2, self.fc = nn.Conv2d(1, 4, 3, padding=1), nn.Conv2d(4, 4, 3, padding=1), nn.Linear(3136, 10)

    def forward(self, x):
        x = F.relu(self.conv1(x))
        return self.fc(torch.flatten(F.relu(self.conv2(x) + x), 1))


def torches():
    lenet = nn.Sequential(nn.Conv2d(1, 4, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(4, 8, 5), nn.ReLU(), nn.MaxPool2d(2),
                          nn.Flatten(), nn.Linear(200, 24), nn.ReLU(), nn.Linear(24, 16), nn.ReLU(), nn.Linear(16, 10))
    example = nn.Sequential(nn.Conv2d(1, 6, 3), nn.ReLU(), nn.Conv2d(6, 6, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Dropout(0.25),
                            nn.Flatten(), nn.Linear(864, 16), nn.ReLU(), nn.Dropout(0.5), nn.Linear(16, 10), nn.LogSoftmax(1))
    batch = nn.Sequential(nn.Conv2d(1, 6, 3, padding=1, bias=False), nn.BatchNorm2d(6), nn.ReLU(), nn.AvgPool2d(2),
                          nn.Conv2d(6, 8, 3, stride=2, padding=1), nn.BatchNorm2d(8), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(),
                          nn.BatchNorm1d(8), nn.Linear(8, 10))
    for norm in batch.modules():
        if isinstance(norm, (nn.BatchNorm1d, nn.BatchNorm2d)):
            norm.running_mean.uniform_(-0.5, 0.5)
            norm.running_var.uniform_(0.5, 2)
            nn.init.uniform_(norm.weight, 0.5, 1.5)
            nn.init.uniform_(norm.bias, -0.5, 0.5)
    yield "lenet5", lenet
    yield "pytorch-example", example
    yield "pytorch-old", Old()
    yield "batch-norm", batch
    yield "normalised-mlp", Normalised()
    yield "refused-residual", Residual()
    yield "refused-sigmoid", nn.Sequential(nn.Flatten(), nn.Linear(784, 8), nn.Sigmoid(), nn.Linear(8, 10))
    yield "refused-groups", nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Conv2d(4, 4, 3, groups=4), nn.Flatten(), nn.Linear(2304, 10))


def keras(half):
    """Keras' MNIST example, smaller, as tf2onnx writes it."""
    rng = numpy.random.default_rng(3)
    dtype = numpy.float16 if half else numpy.float32
    of = lambda name, *shape: numpy_helper.from_array((rng.normal(size=shape) / 6).astype(dtype), name)  # noqa: E731
    kind = TensorProto.FLOAT16 if half else TensorProto.FLOAT
    same = {"auto_pad": "SAME_UPPER"}
    nodes = [
        *([helper.make_node("Cast", ["image"], ["x"], to=kind)] if half else [helper.make_node("Identity", ["image"], ["x"])]),
        helper.make_node("Transpose", ["x"], ["first"], perm=[0, 3, 1, 2]),
        helper.make_node("Conv", ["first", "w1", "b1"], ["c1"], kernel_shape=[3, 3], strides=[2, 2], **same),
        helper.make_node("Relu", ["c1"], ["r1"]),
        helper.make_node("Conv", ["r1", "w2"], ["c2"], kernel_shape=[3, 3], auto_pad="VALID"),
        helper.make_node("Add", ["c2", "b2"], ["a2"]),
        helper.make_node("Relu", ["a2"], ["r2"]),
        helper.make_node("MaxPool", ["r2"], ["p2"], kernel_shape=[2, 2], strides=[2, 2]),
        helper.make_node("Transpose", ["p2"], ["last"], perm=[0, 2, 3, 1]),
        helper.make_node("Reshape", ["last", "shape"], ["flat"]),
        helper.make_node("MatMul", ["flat", "w3"], ["m3"]),
        helper.make_node("Add", ["m3", "b3"], ["logits16" if half else "logits"]),
        *([helper.make_node("Cast", ["logits16"], ["logits"], to=TensorProto.FLOAT)] if half else []),
        helper.make_node("Softmax", ["logits"], ["probabilities"], axis=-1),
    ]
    constants = [of("w1", 5, 1, 3, 3), of("b1", 5), of("w2", 6, 5, 3, 3), of("b2", 1, 6, 1, 1), of("w3", 216, 10), of("b3", 10),
                 numpy_helper.from_array(numpy.array([-1, 216], numpy.int64), "shape")]
    inputs = [helper.make_tensor_value_info("image", TensorProto.FLOAT, ["N", 28, 28, 1])]
    outputs = [helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, ["N", 10])]
    graph = helper.make_graph(nodes, "keras", inputs, outputs, constants)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)


def main():
    os.makedirs(FOLDER, exist_ok=True)
    torch.manual_seed(1)
    for name, model in torches():
        path = os.path.join(FOLDER, f"{name}.onnx")
        torch.onnx.export(model.eval(), torch.rand(2, 1, 28, 28), path, dynamo=False, opset_version=13, do_constant_folding=False,
                          input_names=["image"], output_names=["out"], dynamic_axes={"image": {0: "N"}, "out": {0: "N"}})
    for half in (False, True):
        onnx.save(keras(half), os.path.join(FOLDER, "keras-half.onnx" if half else "keras.onnx"))
    vectors = {}
    rng = numpy.random.default_rng(5)
    for file in sorted(os.listdir(FOLDER)):
        name = file.removesuffix(".onnx")
        if name.startswith("refused"):
            continue
        session = onnxruntime.InferenceSession(os.path.join(FOLDER, file), providers=["CPUExecutionProvider"])
        images = rng.random((COUNT, 28, 28), dtype=numpy.float32)
        shape = (COUNT, 28, 28, 1) if name.startswith("keras") else (COUNT, 1, 28, 28)
        vectors[f"{name}.images"] = images.reshape(COUNT, 784)
        vectors[f"{name}.outputs"] = session.run(None, {"image": images.reshape(shape)})[0]
    save_file(vectors, os.path.join(os.path.dirname(FOLDER), "onnx.safetensors"))
    for file in sorted(os.listdir(FOLDER)):
        print(file, os.path.getsize(os.path.join(FOLDER, file)))


main()
