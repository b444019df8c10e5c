"""The shipped networks as ONNX, read by ONNX Runtime, beside the same weights in PyTorch: the largest difference of a logit, as a share
of the largest logit, over 50 test digits; of decoders, of a pixel, over 50 draws.

    python -m venv .venv && .venv/bin/pip install -r scripts/peers/requirements.txt onnxruntime
    .venv/bin/python scripts/peers/onnx.py

Wants `cargo build --release`.
"""

import os
import subprocess
import tempfile

import onnxruntime
import torch
from networks import PROGRAM, ROOT, decoder, digits, network

NAMES = ["mnist-cnn", "mnist-dense", "mnist-conv-encoder", "mnist-vae", "mnist-conv-vae", "mnist-siamese", "mnist-cnn-adversarial"]


def main():
    images, _ = digits(0, 50)
    with tempfile.TemporaryDirectory() as folder:
        for name in NAMES:
            for part in ["classifier"] + (["decoder"] if name.endswith("vae") else []):
                path = os.path.join(folder, f"{name}-{part}.onnx")
                subprocess.run([PROGRAM, "export", f"models/{name}.safetensors", "--onnx", path, "--part", part], cwd=ROOT, check=True,
                               capture_output=True)
                session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
                read = session.get_inputs()[0]
                given = images if part == "classifier" else torch.randn(50, read.shape[1])
                theirs = torch.from_numpy(session.run(None, {read.name: given.numpy()})[0])
                ours = (network if part == "classifier" else decoder)(name)(given)
                apart = ((theirs.reshape(50, -1) - ours.reshape(50, -1)).abs().max() / ours.abs().max()).item()
                print(f"{name:24} {part:12} {apart:.1e}")
                assert apart < 1e-4, name


main()
