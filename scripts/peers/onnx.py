"""The shipped networks as ONNX, read by ONNX Runtime, beside the same weights in PyTorch: the largest difference of a logit, as a share
of the largest logit, over 50 test digits; of the vanilla VAE also of a pixel of what its decoder makes of its mean.

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


main()
