"""Times one epoch of the recipe of `train mnist-cnn` in PyTorch, on the same images, with all cores; prints JSON.

    python scripts/peers/train.py [data]
"""

import gzip
import json
import math
import os
import sys
import time

import torch
from torch import nn

BATCH, RATE, EPOCHS, HELD_OUT = 128, 0.002, 6, 5_000


def idx(folder, name, header):
    path = os.path.join(folder, "mnist", name)
    opened = open(path, "rb") if os.path.exists(path) else gzip.open(path + ".gz", "rb")
    with opened as file:
        return torch.frombuffer(bytearray(file.read()[header:]), dtype=torch.uint8)


def main():
    folder = sys.argv[1] if len(sys.argv) > 1 else "data"
    images = idx(folder, "train-images-idx3-ubyte", 16).reshape(-1, 1, 28, 28)[:-HELD_OUT].float() / 255
    labels = idx(folder, "train-labels-idx1-ubyte", 8)[:-HELD_OUT].long()
    torch.manual_seed(1)
    model = nn.Sequential(
        nn.Conv2d(1, 32, 3), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(32, 64, 3), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(1600, 128), nn.ReLU(), nn.Linear(128, 10),
    )
    adam = torch.optim.Adam(model.parameters(), lr=RATE)
    steps = len(labels) // BATCH
    for _ in range(3):  # Warm.
        adam.zero_grad()
        nn.functional.cross_entropy(model(images[:BATCH]), labels[:BATCH]).backward()
    start = time.perf_counter()
    order = torch.randperm(len(labels))
    total = 0.0
    for step in range(steps):
        for group in adam.param_groups:
            group["lr"] = RATE * 0.5 * (1 + math.cos(math.pi * step / (EPOCHS * steps)))
        batch = order[step * BATCH : (step + 1) * BATCH]
        adam.zero_grad()
        loss = nn.functional.cross_entropy(model(images[batch]), labels[batch])
        loss.backward()
        adam.step()
        total += loss.item()
    seconds = time.perf_counter() - start
    print(json.dumps({"threads": torch.get_num_threads(), "seconds_an_epoch": seconds, "loss": total / steps}))


main()
