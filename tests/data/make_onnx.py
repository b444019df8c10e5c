"""The networks in tests/data/onnx and what ONNX Runtime says of them: outputs for random images, in tests/data/onnx.safetensors.

    python -m venv .venv && .venv/bin/pip install numpy torch onnx onnxruntime onnxscript safetensors
    .venv/bin/python tests/data/make_onnx.py        # after make_keras.py, whose files lie in the same folder

Made of PyTorch by its two exporters and by ONNX Runtime's quantizer; what neither writes is written node by node. Weights are random: what
is tested is the reading. Images are stored pixel by pixel, whatever the file's own order.
"""

import os
import tempfile

import numpy
import onnx
import onnxruntime
import torch
from onnx import TensorProto, helper, numpy_helper
from onnxruntime import quantization
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


class Plane(nn.Module):
    """Reads images without a channel, in a line, and normalises each pixel by itself; one label's sigmoid is all that it says."""

    def __init__(self):
        super().__init__()
        self.norm, self.fc1, self.fc2 = nn.BatchNorm1d(784), nn.Linear(784, 8), nn.Linear(8, 1)

    def forward(self, x):
        return torch.sigmoid(self.fc2(torch.tanh(self.fc1(self.norm(torch.flatten(x, 1))))))


class Block(nn.Module):
    """A residual block (He et al. 2016) with a projection where it strides."""

    def __init__(self, before, after, stride):
        super().__init__()
        self.conv1 = nn.Conv2d(before, after, 3, stride, 1, bias=False)
        self.conv2 = nn.Conv2d(after, after, 3, 1, 1, bias=False)
        self.bn1, self.bn2 = nn.BatchNorm2d(after), nn.BatchNorm2d(after)
        self.short = nn.Sequential()
        if stride > 1:
            self.short = nn.Sequential(nn.Conv2d(before, after, 1, stride, bias=False), nn.BatchNorm2d(after))

    def forward(self, x):
        y = self.bn2(self.conv2(F.relu(self.bn1(self.conv1(x)))))
        return F.relu(y + self.short(x))


def resnet(channels):
    """ResNet-8 for CIFAR-10 (three blocks of 1, 2 and 4 times so many channels)."""
    c = channels
    return nn.Sequential(nn.Conv2d(3, c, 3, 1, 1, bias=False), nn.BatchNorm2d(c), nn.ReLU(), Block(c, c, 1), Block(c, 2 * c, 2),
                         Block(2 * c, 4 * c, 2), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4 * c, 10))


class Mobile(nn.Module):
    """A block as in MobileNetV3 (Howard et al. 2019): expansion, depthwise convolution, squeeze and excite, projection, residual."""

    def __init__(self):
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, 6, 3, 2, 1), nn.BatchNorm2d(6), nn.Hardswish())
        self.expand = nn.Sequential(nn.Conv2d(6, 18, 1), nn.BatchNorm2d(18), nn.ReLU6())
        self.depthwise = nn.Sequential(nn.Conv2d(18, 18, 5, 1, 2, groups=18), nn.BatchNorm2d(18), nn.Hardswish())
        self.squeeze, self.excite = nn.Conv2d(18, 4, 1), nn.Conv2d(4, 18, 1)
        self.project = nn.Sequential(nn.Conv2d(18, 6, 1), nn.BatchNorm2d(6))
        self.fc = nn.Linear(6, 10)

    def forward(self, x):
        x = self.stem(x)
        y = self.depthwise(self.expand(x))
        gate = F.hardsigmoid(self.excite(F.relu(self.squeeze(F.adaptive_avg_pool2d(y, 1)))))
        x = x + self.project(y * gate)
        return self.fc(x.mean([2, 3]))


class Dense(nn.Module):
    """Joins as in DenseNet (Huang et al. 2017), windows that overlap and reach beyond, vectors that are joined at the end."""

    def __init__(self):
        super().__init__()
        self.conv0, self.conv1, self.conv2 = nn.Conv2d(3, 4, 7, 2, 3), nn.Conv2d(4, 3, 3, 1, 1), nn.Conv2d(7, 3, 3, 1, 1)
        self.norm, self.fc = nn.BatchNorm2d(10), nn.Linear(10 * 16 + 10, 10)

    def forward(self, x):
        x = F.max_pool2d(F.relu(self.conv0(x)), 3, 2, 1)
        x = torch.cat([x, F.relu(self.conv1(x))], 1)
        x = torch.cat([x, F.relu(self.conv2(x))], 1)
        x = F.relu(self.norm(x))
        y = F.avg_pool2d(x, 3, 2, 1, count_include_pad=False)
        z = F.max_pool2d(x, (3, 2), (2, 3), ceil_mode=True).amax((2, 3))
        return self.fc(torch.cat([torch.flatten(y, 1), z], 1))


class Functions(nn.Module):
    """Every function of a number that is run, one after the other."""

    def __init__(self):
        super().__init__()
        self.fc0, self.fc1 = nn.Linear(784, 24), nn.Linear(24, 10)
        self.all = nn.ModuleList([nn.LeakyReLU(0.2), nn.ELU(0.8), nn.SELU(), nn.Tanh(), nn.GELU(), nn.GELU("tanh"), nn.SiLU(), nn.Softplus(),
                                  nn.Mish(), nn.Hardsigmoid(), nn.Hardswish(), nn.PReLU(24), nn.ReLU6(), nn.Sigmoid()])
        nn.init.uniform_(self.all[11].weight, 0.1, 0.9)

    def forward(self, x):
        x = self.fc0(torch.flatten(x, 1))
        return self.fc1(sum(torch.clamp(function(x), -1.5, 2.5) for function in self.all) + x ** 3 / 6 - x ** 2)


class Kernels(nn.Module):
    """Kernels that are spread out, no squares, in groups, and padded unevenly."""

    def __init__(self):
        super().__init__()
        self.spread = nn.Conv2d(3, 4, 3, 1, 2, dilation=2)
        self.wide, self.high = nn.Conv2d(4, 6, (1, 5), 1, (0, 2)), nn.Conv2d(6, 6, (3, 1), 2, (1, 0), groups=3)
        self.doubled = nn.Conv2d(6, 12, 3, (1, 2), groups=6)
        self.fc = nn.Linear(12, 10)

    def forward(self, x):
        x = torch.sigmoid(self.wide(torch.relu(self.spread(F.pad(x, (1, 0, 2, 3))))))
        return self.fc(torch.amax(self.doubled(F.relu(self.high(x))), (2, 3)))


class Attention(nn.Module):
    """Computes from probabilities: refused."""

    def __init__(self):
        super().__init__()
        self.fc0, self.fc1 = nn.Linear(784, 10), nn.Linear(10, 10)

    def forward(self, x):
        return self.fc1(torch.softmax(self.fc0(torch.flatten(x, 1)), 1))


def randomised(model):
    for norm in model.modules():
        if isinstance(norm, (nn.BatchNorm1d, nn.BatchNorm2d)):
            norm.running_mean.uniform_(-0.5, 0.5)
            norm.running_var.uniform_(0.5, 2)
            nn.init.uniform_(norm.weight, 0.5, 1.5)
            nn.init.uniform_(norm.bias, -0.5, 0.5)
    return model.eval()


def torches():
    """Name, network, shape of an image, version of the operators (0: the newer exporter, with its own)."""
    lenet = nn.Sequential(nn.Conv2d(1, 4, 5, padding=2), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(4, 8, 5), nn.ReLU(), nn.MaxPool2d(2),
                          nn.Flatten(), nn.Linear(200, 24), nn.ReLU(), nn.Linear(24, 16), nn.ReLU(), nn.Linear(16, 10))
    example = nn.Sequential(nn.Conv2d(1, 6, 3), nn.ReLU(), nn.Conv2d(6, 6, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Dropout(0.25),
                            nn.Flatten(), nn.Linear(864, 16), nn.ReLU(), nn.Dropout(0.5), nn.Linear(16, 10), nn.LogSoftmax(1))
    batch = nn.Sequential(nn.Conv2d(1, 6, 3, padding=1, bias=False), nn.BatchNorm2d(6), nn.ReLU(), nn.AvgPool2d(2),
                          nn.Conv2d(6, 8, 3, stride=2, padding=1), nn.BatchNorm2d(8), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(),
                          nn.BatchNorm1d(8), nn.Linear(8, 10))
    grey, colour = (1, 28, 28), (3, 32, 32)
    yield "lenet5", lenet, grey, 13
    yield "pytorch-example", example, grey, 13
    yield "pytorch-old", Old(), grey, 13
    yield "batch-norm", batch, grey, 13
    yield "normalised-mlp", Normalised(), grey, 13
    yield "plane", Plane(), (28, 28), 11
    yield "resnet", resnet(4), colour, 7
    yield "resnet-new", resnet(4), colour, 0
    yield "mobile", Mobile(), colour, 11
    yield "mobile-new", Mobile(), colour, 0
    yield "dense", Dense(), colour, 17
    yield "functions", Functions(), grey, 20
    yield "functions-new", Functions(), grey, 0
    yield "kernels", Kernels(), colour, 13
    yield "open", nn.Sequential(nn.Conv2d(3, 4, 3, 2), nn.ReLU(), nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(4, 3)), (3, 12, 16), 13
    yield "wide", nn.Sequential(nn.Conv2d(3, 4, 3, 2), nn.ReLU(), nn.Flatten(), nn.Linear(4 * 11 * 23, 4)), (3, 24, 48), 13
    yield "refused-attention", Attention(), grey, 13
    yield "refused-norm", nn.Sequential(nn.Flatten(), nn.LayerNorm(784), nn.Linear(784, 10)), grey, 17
    yield "refused-labels", nn.Sequential(nn.Flatten(), nn.Linear(784, 10), nn.Sigmoid()), grey, 13


def export(name, model, shape, opset):
    path = os.path.join(FOLDER, f"{name}.onnx")
    images = torch.rand(2, *shape)
    if opset:
        torch.onnx.export(model, images, path, dynamo=False, opset_version=opset, do_constant_folding=False, input_names=["image"],
                          output_names=["out"], dynamic_axes={"image": {0: "N", **({2: "H", 3: "W"} if name == "open" else {})}, "out": {0: "N"}})
    else:
        torch.onnx.export(model, (images,), path, dynamo=True, external_data=False, input_names=["image"], output_names=["out"],
                          dynamic_shapes=({0: torch.export.Dim("N")},), optimize=True)
        # What it says of each node beside its name is many times the network.
        proto = onnx.load(path)
        for node in proto.graph.node:
            del node.metadata_props[:]
        del proto.graph.value_info[:], proto.graph.metadata_props[:], proto.metadata_props[:]
        onnx.save(proto, path)


def keras(half):
    """Keras' MNIST example, smaller, as tf2onnx once wrote it; half: with weights of half precision."""
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
    return written("keras", nodes, constants, ["N", 28, 28, 1])


def crossed():
    """Columns for rows, the lower kind of padding, a matrix product of each pixel, weights that are turned first, a bound by Min and Max."""
    rng = numpy.random.default_rng(4)
    of = lambda name, *shape: numpy_helper.from_array((rng.normal(size=shape) / 3).astype(numpy.float32), name)  # noqa: E731
    nodes = [
        helper.make_node("MatMul", ["image", "w0"], ["m0"]),
        helper.make_node("Add", ["m0", "grid"], ["a0"]),
        helper.make_node("Transpose", ["a0"], ["t0"], perm=[0, 3, 2, 1]),
        helper.make_node("Conv", ["t0", "w1"], ["c1"], kernel_shape=[2, 2], strides=[3, 3], auto_pad="SAME_LOWER"),
        helper.make_node("Max", ["c1", "low"], ["x1"]),
        helper.make_node("Min", ["x1", "high"], ["n1"]),
        helper.make_node("Sub", ["n1", "c1"], ["s1"]),
        helper.make_node("Flatten", ["s1"], ["f1"]),
        helper.make_node("Transpose", ["w2"], ["w3"], perm=[1, 0]),
        helper.make_node("MatMul", ["f1", "w3"], ["m2"]),
        helper.make_node("Reshape", ["m2", "shape"], ["r2"]),
        helper.make_node("Conv", ["r2", "w4"], ["c3"], kernel_shape=[2, 2]),
        helper.make_node("Squeeze", ["c3", "axes"], ["q3"]),
        helper.make_node("Squeeze", ["q3", "last"], ["q4"]),
        helper.make_node("Neg", ["q4"], ["out"]),
    ]
    whole = lambda name, *values: numpy_helper.from_array(numpy.array(values, numpy.int64), name)  # noqa: E731
    constants = [of("w0", 3, 2), of("grid", 10, 8, 1), of("w1", 4, 2, 2, 2), of("w2", 12, 4 * 3 * 4), of("w4", 5, 3, 2, 2),
                 numpy_helper.from_array(numpy.float32(-0.2), "low"), numpy_helper.from_array(numpy.float32(0.3), "high"),
                 whole("axes", 3), whole("last", 2), whole("shape", 0, 3, 2, 2)]
    return written("crossed", nodes, constants, ["N", 10, 8, 3])


def written(name, nodes, constants, shape):
    inputs = [helper.make_tensor_value_info("image", TensorProto.FLOAT, shape)]
    outputs = [helper.make_tensor_value_info(nodes[-1].output[0], TensorProto.FLOAT, None)]
    graph = helper.make_graph(nodes, name, inputs, outputs, constants)
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 13)], ir_version=8)


class Calibration(quantization.CalibrationDataReader):
    def __init__(self):
        rng = numpy.random.default_rng(6)
        self.all = iter([{"image": rng.random((8, 1, 28, 28), dtype=numpy.float32)} for _ in range(4)])

    def get_next(self):
        return next(self.all, None)


def quantized():
    """LeNet-5 as ONNX Runtime quantizes it: 8-bit weights, one scale a channel, and activations rounded to 8 bits (QDQ)."""
    with tempfile.TemporaryDirectory() as folder:
        prepared = os.path.join(folder, "prepared.onnx")
        quantization.quant_pre_process(os.path.join(FOLDER, "lenet5.onnx"), prepared)
        quantization.quantize_static(prepared, os.path.join(FOLDER, "quantized.onnx"), Calibration(), per_channel=True,
                                     quant_format=quantization.QuantFormat.QDQ)


def main():
    os.makedirs(FOLDER, exist_ok=True)
    torch.manual_seed(1)
    for name, model, shape, opset in torches():
        export(name, randomised(model), shape, opset)
    for half in (False, True):
        onnx.save(keras(half), os.path.join(FOLDER, "keras-half.onnx" if half else "keras.onnx"))
    onnx.save(crossed(), os.path.join(FOLDER, "crossed.onnx"))
    quantized()
    vectors = {}
    rng = numpy.random.default_rng(5)
    for file in sorted(os.listdir(FOLDER)):
        name = file.removesuffix(".onnx")
        if name.startswith("refused"):
            continue
        options = onnxruntime.SessionOptions()
        # As the file says it: fused and transposed operators round otherwise.
        options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
        session = onnxruntime.InferenceSession(os.path.join(FOLDER, file), options, providers=["CPUExecutionProvider"])
        shape = [COUNT, *session.get_inputs()[0].shape[1:]] if name != "open" else [COUNT, 3, 12, 16]
        images = rng.random(shape, dtype=numpy.float32)
        first = len(shape) == 4 and shape[1] < 4
        vectors[f"{name}.images"] = (images.transpose(0, 2, 3, 1) if first else images).reshape(COUNT, -1).copy()
        vectors[f"{name}.outputs"] = session.run(None, {session.get_inputs()[0].name: images})[0].reshape(COUNT, -1)
    save_file(vectors, os.path.join(os.path.dirname(FOLDER), "onnx.safetensors"))
    for file in sorted(os.listdir(FOLDER)):
        print(file, os.path.getsize(os.path.join(FOLDER, file)))


main()
