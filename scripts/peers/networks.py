"""The shipped networks in PyTorch, dequantized, and the images that they are attacked on."""

import os
import subprocess
import tempfile

import numpy
import torch
from safetensors import safe_open
from safetensors.numpy import load_file

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
PROGRAM = os.environ.get("MISREAD", os.path.join(ROOT, "target/release/misread"))


class Prototypes(torch.nn.Module):
    """Minus the squared distances of embeddings from prototypes."""

    def __init__(self, numbers, labels):
        super().__init__()
        self.weight = torch.nn.Parameter(torch.zeros(labels, numbers))

    def forward(self, embeddings):
        return -((embeddings[:, None] - self.weight[None]) ** 2).sum(2)


def layers(name):
    """Layers in the order of the tensors in the weights file (src/zoo): a VAE reads through the mean."""
    nn = torch.nn
    relu, pool = nn.ReLU, lambda: nn.MaxPool2d(2)
    for how in ("-adversarial", "-distilled"):
        # What was trained to withstand attacks has the layers of what it defends.
        name = name.removesuffix(how)
    strided = lambda *convs: [layer for conv in convs for layer in (conv, relu())]  # noqa: E731
    if name == "mnist-cnn":
        return [nn.Conv2d(1, 32, 3), relu(), pool(), nn.Conv2d(32, 64, 3), relu(), pool(),
                nn.Flatten(), nn.Linear(1600, 128), relu(), nn.Linear(128, 10)], ["conv1", "conv2", "dense1", "dense2"]
    if name == "mnist-siamese":
        return [nn.Conv2d(1, 32, 3), relu(), pool(), nn.Conv2d(32, 64, 3), relu(), pool(), nn.Flatten(), nn.Linear(1600, 128),
                relu(), nn.Linear(128, 32), Prototypes(32, 10)], ["conv1", "conv2", "dense1", "embedding", "prototypes"]
    if name == "lfw-siamese":
        return [nn.Conv2d(3, 24, 5, 2), relu(), pool(), nn.Conv2d(24, 48, 3), relu(), pool(), nn.Conv2d(48, 96, 3), relu(), pool(),
                nn.Conv2d(96, 128, 3), relu(), nn.Flatten(), nn.Linear(128 * 5 * 5, 128), relu(), nn.Linear(128, 64),
                Prototypes(64, 7)], ["conv1", "conv2", "conv3", "conv4", "dense1", "embedding", "prototypes"]
    if name in ("mnist-dense", "mnist-vae"):
        names = ["dense1", "dense2", "dense3", "dense4"] if name == "mnist-dense" else ["encoder1", "mean", "head1", "head2"]
        return [nn.Flatten(), nn.Linear(784, 400), relu(), nn.Linear(400, 20), nn.Linear(20, 64), relu(), nn.Linear(64, 10)], names
    if name in ("mnist-conv-encoder", "mnist-conv-vae"):
        convs = strided(nn.Conv2d(1, 32, 4, 2), nn.Conv2d(32, 64, 3, 2), nn.Conv2d(64, 64, 4, 2))
        head = [nn.Flatten(), nn.Linear(256, 20), nn.Linear(20, 64), relu(), nn.Linear(64, 10)]
        return [*convs, *head], ["encoder1", "encoder2", "encoder3", "mean", "head1", "head2"]
    if name == "lfw-cnn":
        return [nn.Conv2d(3, 24, 5, 2), relu(), pool(), nn.Conv2d(24, 48, 3), relu(), pool(), nn.Conv2d(48, 96, 3), relu(), pool(),
                nn.Conv2d(96, 128, 3), relu(), nn.Flatten(), nn.Linear(128 * 5 * 5, 128), relu(), nn.Linear(128, 7)], [
                    "conv1", "conv2", "conv3", "conv4", "dense1", "dense2"]
    if name in ("lfw-vae", "lfw-dense"):
        return [nn.AvgPool2d(2), nn.Flatten(), nn.Linear(77 * 77 * 3, 112), relu(), nn.Linear(112, 32), nn.Linear(32, 64), relu(),
                nn.Linear(64, 7)], ["encoder1", "mean", "head1", "head2"]
    if name == "lfw-conv-vae":
        convs = strided(nn.Conv2d(3, 24, 6, 2), nn.Conv2d(24, 48, 3, 2), nn.Conv2d(48, 64, 3, 2), nn.Conv2d(64, 96, 4, 2))
        return [*convs, nn.Flatten(), nn.Linear(96 * 8 * 8, 64), nn.Linear(64, 64), relu(), nn.Linear(64, 7)], [
            "encoder1", "encoder2", "encoder3", "encoder4", "mean", "head1", "head2"]
    raise SystemExit(f"no layers are written down here for {name}")


def network(name):
    """The network of models/NAME.safetensors; takes images channel by channel."""
    file = load_file(os.path.join(ROOT, f"models/{name}.safetensors"))
    parts, names = layers(name)
    for layer, tensor in zip([part for part in parts if hasattr(part, "weight")], names, strict=True):
        weight = file[f"{tensor}.weight"].astype(numpy.float32)
        scale = file[f"{tensor}.weight.scale"].reshape(-1, *[1] * (weight.ndim - 1))
        layer.weight.data = torch.from_numpy(weight * scale)
        if f"{tensor}.bias" in file:
            layer.bias.data = torch.from_numpy(file[f"{tensor}.bias"])
    model = torch.nn.Sequential(*parts).eval()
    return model.requires_grad_(False)


def thresholds(name):
    """The scores above which the network refuses as a guard, by the percentage of false alarms."""
    with safe_open(os.path.join(ROOT, f"models/{name}.safetensors"), "np") as file:
        words = file.metadata()["thresholds"].split()
    return {int(percent): float(threshold) for percent, threshold in zip(words[::2], words[1::2], strict=True)}


def decoder(name):
    """What a VAE makes of its mean: `network(name)` up to the mean, and the decoder after it, as one; images in [0, 1]."""
    nn = torch.nn
    file = load_file(os.path.join(ROOT, f"models/{name}.safetensors"))
    encoder = network(name)
    mean = next(i for i, tensor in enumerate(layers(name)[1]) if tensor == "mean")
    places = [i for i, part in enumerate(encoder) if hasattr(part, "weight")]
    upto = encoder[: places[mean] + 1]
    if name == "mnist-vae":
        parts, names = [nn.Linear(20, 400), nn.ReLU(), nn.Linear(400, 784)], ["decoder1", "decoder2"]
    else:
        raise SystemExit(f"no decoder is written down here for {name}")
    for layer, tensor in zip([part for part in parts if hasattr(part, "weight")], names, strict=True):
        scale = file[f"{tensor}.weight.scale"].reshape(-1, 1)
        layer.weight.data = torch.from_numpy(file[f"{tensor}.weight"].astype(numpy.float32) * scale)
        layer.bias.data = torch.from_numpy(file[f"{tensor}.bias"])
    return nn.Sequential(upto, *parts, nn.Sigmoid(), nn.Unflatten(1, (1, 28, 28))).eval().requires_grad_(False)


def digits(first, last):
    """Test digits in [0, 1], and their labels."""
    folder = os.path.join(ROOT, "data/mnist")
    images = numpy.fromfile(os.path.join(folder, "t10k-images-idx3-ubyte"), numpy.uint8)[16:].reshape(-1, 1, 28, 28)
    labels = numpy.fromfile(os.path.join(folder, "t10k-labels-idx1-ubyte"), numpy.uint8)[8:]
    chosen = images[first:last].astype(numpy.float32) / 255
    return torch.from_numpy(chosen), torch.from_numpy(labels[first:last].astype(numpy.int64))


def faces(first, last, data):
    """Held-out photographs in [0, 1], as the program itself reads and cuts them, and their labels."""
    from skimage.io import imread
    import json

    with tempfile.TemporaryDirectory() as folder:
        command = ["attack", "--model", "models/lfw-vae.safetensors", "--images", f"test:{first}..{last}", "--steps", "1",
                   "--epsilon", "0.001", "--json", "--save", folder, "--data-dir", data]
        lines = subprocess.run([PROGRAM, *command], cwd=ROOT, check=True, capture_output=True, text=True).stdout.splitlines()
        records = [json.loads(line) for line in lines if line.startswith("{")]
        images = [imread(os.path.join(folder, f"test-{r['index']}-original.png"))[..., :3] for r in records]
    stacked = numpy.stack(images).transpose(0, 3, 1, 2).astype(numpy.float32) / 255
    return torch.from_numpy(numpy.ascontiguousarray(stacked)), torch.tensor([r["label"] for r in records])
