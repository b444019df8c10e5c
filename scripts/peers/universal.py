"""One change for many digits: the algorithm of Moosavi-Dezfooli et al. 2017 (with their DeepFool inside) in PyTorch, beside misread's
own on the same weights, made on the same test digits and tried on the same that neither has seen.

    python -m venv .venv && .venv/bin/pip install -r scripts/peers/requirements.txt
    .venv/bin/python scripts/peers/universal.py --network mnist-cnn --norm l2 --epsilon 3

Wants `cargo build --release`. Prints for each how many images it fools: of those that it was made on, and of the others.
"""

import argparse
import subprocess

import torch
from networks import PROGRAM, ROOT, digits, network

OVERSHOOT, STEPS, PASSES = 0.02, 50, 10


def project(v, norm, epsilon):
    """Back into the ball (equation 3)."""
    if norm == "linf":
        return v.clamp(-epsilon, epsilon)
    return v * min(1.0, epsilon / float(v.norm()))


def deepfool(model, x, label, norm):
    """The shortest way out by DeepFool (Moosavi-Dezfooli, Fawzi and Frossard 2016, algorithm 2)."""
    way = torch.zeros_like(x)
    for _ in range(STEPS):
        at = (x + (1 + OVERSHOOT) * way).detach().requires_grad_(True)
        logits = model(at)[0]
        if logits.argmax() != label:
            break
        gradients = [torch.autograd.grad(logits[k], at, retain_graph=True)[0] for k in range(len(logits))]
        best = None
        for k in range(len(logits)):
            if k == label:
                continue
            w, f = gradients[k] - gradients[label], (logits[k] - logits[label]).item()
            far = abs(f) / float(w.abs().sum() if norm == "linf" else w.norm()) if w.abs().sum() > 0 else float("inf")
            if best is None or far < best[0]:
                best = far, w
        far, w = best
        if far == float("inf"):
            break
        way = way + (far + 1e-4) * (w.sign() if norm == "linf" else w / w.norm())
    return (1 + OVERSHOOT) * way


def fooled(model, images, labels, v):
    with torch.no_grad():
        return int((model((images + v).clamp(0, 1)).argmax(1) != labels).sum())


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--network", default="mnist-cnn")
    parser.add_argument("--norm", default="l2", choices=["l2", "linf"])
    parser.add_argument("--epsilon", type=float, default=3.0)
    asked = parser.parse_args()
    torch.manual_seed(0)
    model = network(asked.network)
    images, labels = digits(0, 100)
    unseen, truth = digits(1000, 2000)
    v, best = torch.zeros_like(images[:1]), (0, torch.zeros_like(images[:1]))
    for _ in range(PASSES):
        for i in torch.randperm(len(images)):
            x = (images[i:i + 1] + v).clamp(0, 1)
            if model(x)[0].argmax() == labels[i]:
                v = project(v + deepfool(model, x, labels[i], asked.norm), asked.norm, asked.epsilon)
        best = max(best, (fooled(model, images, labels, v), v), key=lambda one: one[0])
    print(f"Moosavi-Dezfooli et al.: {best[0]} of 100, unseen {fooled(model, unseen, truth, best[1])} of {len(truth)}")
    command = [PROGRAM, "universal", "--model", asked.network, "--norm", asked.norm, "--epsilon", str(asked.epsilon), "--images",
               "test:0..100", "--unseen", "test:1000..2000"]
    print(subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout.strip())


main()
