"""How often a published attack in PyTorch gets past a guard beside a network, and misread's own on the same weights and images.

    cargo build --release
    python scripts/peers/guard.py --network mnist-cnn --guard mnist-siamese --percent 5 --budgets 0.1,0.2,0.3 --images 0..300
    python scripts/peers/guard.py --network lfw-cnn --guard lfw-siamese --budgets 0.005,0.01 --images 0..60 --data DIR

The attack: cross-entropy of the target + lambda max(0, d - 0.9 tau), lambda 1, 10 and 100, 100 signed steps each, with the
distance d from the target's prototype (of a VAE: of the image from its reconstruction) and the threshold tau; an image counts
at any step of any of the three at which the network reads the target and d is at most tau. Targeted at the next label, on the
images that the network reads rightly. `blind` is the same without the guard's term.
"""

import argparse
import json
import subprocess

import torch

from networks import PROGRAM, ROOT, decoder, digits, faces, network, thresholds


def distance(name):
    """The guard's distance of images from what it holds labels to look like: `[images, labels]`, or `[images, 1]`."""
    if "vae" in name:
        decoded = decoder(name)
        return lambda x: (x - decoded(x)).flatten(1).pow(2).sum(1, keepdim=True).clamp(min=1e-12).sqrt()
    siamese = network(name)
    return lambda x: (-siamese(x)).clamp(min=1e-12).sqrt()


def attack(model, measure, tau, images, targets, epsilon, weight, steps=100):
    x, passed = images.clone(), torch.zeros(len(images), dtype=torch.bool)

    def own(distances):
        return distances[:, 0] if distances.shape[1] == 1 else distances.gather(1, targets[:, None])[:, 0]

    for step in range(steps + 1):
        x.requires_grad_(True)
        logits, far = model(x), own(measure(x))
        passed |= (logits.argmax(1) == targets) & (far <= tau)
        if step == steps:
            break
        loss = torch.nn.functional.cross_entropy(logits, targets, reduction="sum") + weight * (far - 0.9 * tau).relu().sum()
        gradient = torch.autograd.grad(loss, x)[0]
        x = x.detach() - 2.5 * epsilon / steps * gradient.sign()
        x = (images + (x - images).clamp(-epsilon, epsilon)).clamp(0, 1)
    return passed


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--network", default="mnist-cnn")
    parser.add_argument("--guard", default="mnist-siamese")
    parser.add_argument("--percent", type=int, default=5)
    parser.add_argument("--budgets", default="0.1,0.2,0.3")
    parser.add_argument("--images", default="0..300")
    parser.add_argument("--attacks", default="linf,apgd", help="misread's own that are run")
    parser.add_argument("--data")
    asked = parser.parse_args()
    first, last = map(int, asked.images.split(".."))
    images, labels = faces(first, last, asked.data) if asked.network.startswith("lfw") else digits(first, last)
    model, measure = network(asked.network), distance(asked.guard)
    tau = thresholds(asked.guard)[asked.percent] ** 0.5
    with torch.no_grad():
        logits = model(images)
    right = logits.argmax(1) == labels
    targets = (labels + 1) % logits.shape[1]
    print(f"{asked.network} behind {asked.guard}{asked.percent}, {int(right.sum())} images that it reads rightly")
    for epsilon in map(float, asked.budgets.split(",")):
        of = {}
        for weight in (0, 1, 10, 100):
            of[weight] = attack(model, measure, tau, images, targets, epsilon, weight) & right
        told = of[1] | of[10] | of[100]
        print(f"L-inf {epsilon}: PyTorch blind {int(of[0].sum())}, told {int(told.sum())}", end="")
        for name in asked.attacks.split(","):
            for attacker in ("blind", "adaptive"):
                command = [PROGRAM, "attack", "--model", asked.network, "--defence", f"{asked.guard}{asked.percent}", "--attacker",
                           attacker, "--attack", name, "--epsilon", str(epsilon), "--steps", "100", "--images",
                           f"test:{asked.images}", "--json"]
                if asked.data:
                    command += ["--data-dir", asked.data]
                lines = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout.splitlines()
                records = [json.loads(line) for line in lines if line.startswith("{")]
                won = [r["success"] and r["clean_predicted"] == r["label"] for r in records]
                lost = sum(t and not w for t, w in zip(told.tolist(), won, strict=True))
                print(f"; {name} {attacker} {sum(won)}", end="")
                if attacker == "adaptive":
                    print(f" (without {lost} that PyTorch's got past)", end="")
        print(flush=True)


if __name__ == "__main__":
    main()
