"""Prints how often Foolbox's attacks fool the shipped mnist-cnn, as JSON: the first 1,000 test digits, those read
rightly, target (label + 1) mod 10, 40 steps of 2.5 epsilon / 40, no random start; L-infinity 0.3 and L1 40."""

import json

import foolbox
import torch

from native import digits, network


def main():
    model = foolbox.PyTorchModel(network(), bounds=(0, 1))
    images, labels = digits(1000)
    read = model(images).argmax(1) == labels
    images, targets = images[read], (labels[read] + 1) % 10
    answer = {"images": len(images)}
    for name, make, epsilon in [
        ("linf", foolbox.attacks.LinfBasicIterativeAttack, 0.3),
        ("l1", foolbox.attacks.L1BasicIterativeAttack, 40.0),
    ]:
        attack = make(abs_stepsize=2.5 * epsilon / 40, steps=40, random_start=False)
        batches = zip(images.split(100), targets.split(100))
        towards = foolbox.criteria.TargetedMisclassification
        attacked = torch.cat([attack.run(model, x, towards(t), epsilon=epsilon) for x, t in batches])
        answer[name] = int((model(attacked).argmax(1) == targets).sum())
    print(json.dumps(answer))


if __name__ == "__main__":
    main()
