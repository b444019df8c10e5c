"""Times PyTorch and Foolbox beside the program, in turns, and prints the results as JSON.

The gradient: PyTorch and misread on one thread each. The attack: Foolbox's L-infinity Basic Iterative attack, 40 steps,
epsilon 0.3, no random start, on the first 100 test digits, target (label + 1) mod 10, on all cores, beside
`misread attack` with all that it does (starting, reading the data, printing).
"""

import json
import os
import statistics
import subprocess
import sys
import time

import foolbox
import numpy
import torch
from safetensors.numpy import load_file

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
PROGRAM = os.path.join(ROOT, "target/release/misread")
ROUNDS = 3


def network():
    """The network of models/mnist-cnn.safetensors, dequantized."""
    file = load_file(os.path.join(ROOT, "models/mnist-cnn.safetensors"))
    nn = torch.nn
    model = nn.Sequential(
        nn.Conv2d(1, 32, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(32, 64, 3), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(1600, 128), nn.ReLU(), nn.Linear(128, 10),
    )
    layers = [layer for layer in model if hasattr(layer, "weight")]
    for layer, name in zip(layers, ["conv1", "conv2", "dense1", "dense2"]):
        weight = file[f"{name}.weight"].astype(numpy.float32)
        scale = file[f"{name}.weight.scale"].reshape(-1, *[1] * (weight.ndim - 1))
        layer.weight.data = torch.from_numpy(weight * scale)
        layer.bias.data = torch.from_numpy(file[f"{name}.bias"])
    for parameter in model.parameters():
        parameter.requires_grad_(False)
    return model.eval()


def digits(count):
    """The first test digits, in [0, 1], and their labels."""
    folder = os.path.join(ROOT, "data/mnist")
    images = numpy.fromfile(os.path.join(folder, "t10k-images-idx3-ubyte"), numpy.uint8)[16:]
    labels = numpy.fromfile(os.path.join(folder, "t10k-labels-idx1-ubyte"), numpy.uint8)[8:]
    images = images.reshape(-1, 1, 28, 28)[:count].astype(numpy.float32) / 255
    return torch.from_numpy(images), torch.from_numpy(labels[:count].astype(numpy.int64))


def torch_gradient(model, images, targets):
    """Milliseconds for the gradient of the loss with respect to the images."""
    calls, start = 0, time.perf_counter()
    while time.perf_counter() - start < 0.5:
        x = images.clone().requires_grad_(True)
        torch.nn.functional.cross_entropy(model(x), targets, reduction="sum").backward()
        calls += 1
    return (time.perf_counter() - start) * 1e3 / calls


def misread(*arguments):
    return subprocess.run([PROGRAM, *arguments], cwd=ROOT, check=True, capture_output=True, text=True).stdout


def main():
    model = network()
    images, labels = digits(100)
    targets = (labels + 1) % 10
    threads = os.cpu_count()
    times = {}
    add = lambda name, ms: times.setdefault(name, []).append(ms)
    fooled = {}
    for _ in range(ROUNDS):
        torch.set_num_threads(1)
        for batch in (1, 32, 100):
            add(f"PyTorch {batch}", torch_gradient(model, images[:batch], targets[:batch]))
        for row in json.loads(misread("bench", "models/mnist-cnn.safetensors", "--json"))["rows"]:
            add(f"misread {row['batch']}", row["ms"])
        torch.set_num_threads(threads)
        start = time.perf_counter()
        attack = foolbox.attacks.LinfBasicIterativeAttack(rel_stepsize=2.5 / 40, steps=40, random_start=False)
        criterion = foolbox.criteria.TargetedMisclassification(targets)
        _, _, success = attack(foolbox.PyTorchModel(model, bounds=(0, 1)), images, criterion, epsilons=0.3)
        add("Foolbox attack", (time.perf_counter() - start) * 1e3)
        fooled["Foolbox"] = int(success.sum())
        start = time.perf_counter()
        lines = misread("attack", "--images", "test:0..100", "--epsilon", "0.3", "--steps", "40", "--json").splitlines()
        add("misread attack", (time.perf_counter() - start) * 1e3)
        fooled["misread"] = sum(json.loads(line)["success"] for line in lines)
    result = {name: statistics.median(values) for name, values in times.items()}
    json.dump({"ms": result, "fooled": fooled, "threads": threads}, sys.stdout)


if __name__ == "__main__":
    main()
