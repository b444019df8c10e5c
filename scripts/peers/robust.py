"""How many test digits a network withstands, alone or behind a reduction of the image, untargeted: AutoAttack and, under
L-infinity, projected gradient descent in PyTorch beside misread's own attacks, on the same weights and images.

    python -m venv .venv && .venv/bin/pip install -r scripts/peers/requirements.txt
    .venv/bin/python scripts/peers/robust.py --network mnist-cnn-adversarial --images 0..1000 --epsilon 0.3
    .venv/bin/python scripts/peers/robust.py --network mnist-cnn --defence grey2 --norm l2 --epsilon 2 --images 0..100

Wants `cargo build --release`. Prints a line for each attack: the share of the images that are read rightly and still are after it,
and its seconds. `pgd` is that of Madry et al. 2018: 40 steps of 0.01/0.3 of the radius, from 5 random points.
"""

import argparse
import json
import subprocess
import time

import torch
from networks import PROGRAM, ROOT, digits, network
from pyautoattack import AutoAttack
from reductions import Reduction

PGD_STEPS, PGD_RESTARTS, PGD_PACE = 40, 5, 1 / 30
BATCH = 250


def pgd(model, images, labels, epsilon):
    """Whether each image withstands every run."""
    left = torch.ones(len(images), dtype=torch.bool)
    for _ in range(PGD_RESTARTS):
        x = (images + epsilon * (2 * torch.rand_like(images) - 1)).clamp(0, 1)
        for _ in range(PGD_STEPS):
            x = x.detach().requires_grad_(True)
            loss = torch.nn.functional.cross_entropy(model(x), labels, reduction="sum")
            (gradient,) = torch.autograd.grad(loss, x)
            x = images + (x + PGD_PACE * epsilon * gradient.sign() - images).clamp(-epsilon, epsilon)
            x = x.detach().clamp(0, 1)
        left &= model(x).argmax(1) == labels
    return left


def ours(asked, attack, *options):
    """Whether each image withstands misread's attack."""
    command = [PROGRAM, "attack", "--model", asked.network, "--attack", attack, "--epsilon", str(asked.epsilon),
               "--target", "any", "--images", f"test:{asked.images}", "--json", *options]
    command += ["--norm", asked.norm] if attack in ("apgd", "strongest") else []
    command += ["--defence", asked.defence] if asked.defence else []
    lines = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout.splitlines()
    records = [json.loads(line) for line in lines if line.startswith("{")]
    return [r["clean_predicted"] == r["label"] and not r["success"] for r in records]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--network", default="mnist-cnn-adversarial")
    parser.add_argument("--images", default="0..1000")
    parser.add_argument("--epsilon", type=float, default=0.3)
    parser.add_argument("--norm", default="linf", choices=("linf", "l2", "l1"))
    parser.add_argument("--defence", help="a reduction of the image before the network: grey2, median3, mean3, coarse2, ...")
    parser.add_argument("--attacks", default="apgd-ce,apgd-t,fab-t,square", help="those of AutoAttack; its standard four")
    asked = parser.parse_args()
    torch.manual_seed(0)
    torch.set_flush_denormal(True)  # slopes of saturated answers, which slow a CPU down tenfold
    model = network(asked.network)
    if asked.defence:
        model = torch.nn.Sequential(Reduction(asked.defence), model)
    first, end = map(int, asked.images.split(".."))
    images, labels = digits(first, end)
    right = torch.cat([model(some).argmax(1) for some in images.split(BATCH)]) == labels
    behind = f" behind {asked.defence}" if asked.defence else ""
    print(f"{asked.network}{behind}, {asked.norm} {asked.epsilon}, test digits {asked.images}: clean {100 * right.float().mean():.1f} %", flush=True)

    def report(name, withstood, start):
        withstood = torch.as_tensor(withstood) & right
        print(f"{name}: {100 * withstood.float().mean():.1f} %, {time.perf_counter() - start:.0f} s", flush=True)

    for name, options in [
        ("misread linf, 40 steps, a random start", ("--steps", "40", "--seed", "1")),
        ("misread apgd, 100 steps, 5 restarts", ("--steps", "100", "--restarts", "5")),
        ("misread strongest", ()),
    ]:
        attack = name.split()[1].rstrip(",")
        if asked.norm != "linf" and attack == "linf":
            continue
        start = time.perf_counter()
        report(name, ours(asked, attack, *options), start)
    if asked.norm == "linf":
        start = time.perf_counter()
        report("PyTorch pgd, 40 steps, 5 restarts", torch.cat([
            pgd(model, some, truth, asked.epsilon)
            for some, truth in zip(images.split(BATCH), labels.split(BATCH), strict=True)]), start)
    start = time.perf_counter()
    attack = AutoAttack(model, norm=asked.norm.capitalize(), eps=asked.epsilon, version="custom", attacks=asked.attacks.split(","), seed=0)
    attacked, _ = attack.run_standard_evaluation(images, labels, batch_size=BATCH)
    kept = torch.cat([model(some).argmax(1) for some in attacked.split(BATCH)]) == labels
    report(f"AutoAttack ({asked.attacks})", kept, start)


if __name__ == "__main__":
    main()
