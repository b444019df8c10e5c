"""Makes tests/data/strong.safetensors: the images that AutoAttack's APGD and adv-lib's PDGD and PDPGD come by, step after step.

    pip install 'setuptools<80' wheel && pip install --no-build-isolation -r scripts/peers/requirements.txt
    cargo build --release --example objective
    python tests/data/strong.py

On misread's own core (examples/objective.rs), since where values in a max-pool window are equal but for rounding another
gradient leads another way; on the shipped weights of mnist-cnn and the first shipped digits, target (label + 1) mod 10, all
starting at the digit: the random numbers of APGD's start are put out. PDPGD's proximal iteration is run to its end.
"""

import os
import sys

import numpy
import torch
from adv_lib.attacks import pdgd, pdpgd
from pyautoattack.autopgd_base import APGDAttack
from safetensors.numpy import save_file

sys.path.insert(0, os.path.dirname(__file__))
from oracles import ROOT, Core, OnCore, Wrapped, digits  # noqa: E402

COUNT, STEPS = 3, 24
# With the ratio less far: where the label falls to the third place it is 1 whatever the image, and rounding leads the way.
EPSILON = {"ce": {"Linf": 0.2, "L2": 2.0, "L1": 12.0}, "dlr": {"Linf": 0.05, "L2": 0.5, "L1": 3.0}}


class Recorded(Wrapped):
    """Keeps what it is asked about; in f32, as the core is."""

    def __init__(self):
        super().__init__()
        self.seen = []

    def forward(self, x):
        self.seen.append(x.detach().numpy().reshape(COUNT, 784).copy())
        return super().forward(x)


class Papers(APGDAttack):
    """APGD that counts the first step as the paper does, beside the loss at the start: the code takes 0 for that."""

    def check_oscillation(self, x, j, k, y5, k3=0.75):
        before = torch.stack([x[j - c - 1] if j - c else self.first for c in range(k)])
        now = torch.stack([x[j - c] for c in range(k)])
        return ((now > before).float().sum(0) <= k * k3).float()


def main():
    torch.set_num_threads(1)
    OnCore.core = Core()
    images, labels = digits()
    images, labels = torch.from_numpy(images[:COUNT]), torch.from_numpy(labels[:COUNT])
    targets = (labels + 1) % 10
    torch.rand = lambda *shape, **_: torch.full(tuple(shape[0]), 0.5)
    torch.randn = lambda *shape, **_: torch.zeros(tuple(shape[0]))
    tensors = {}
    for loss, budgets in EPSILON.items():
        for norm, epsilon in budgets.items():
            model = Recorded().eval()
            options = {"n_iter": STEPS, "norm": norm, "n_restarts": 1, "eps": epsilon, "device": "cpu", "use_largereps": norm == "L1"}
            # Towards the target by cross-entropy; away from the label by the ratio, where the definitions agree.
            attack = Papers(model, loss="ce-targeted-cfts" if loss == "ce" else "dlr", **options)
            attack.init_hyperparam(images)
            aim = targets if loss == "ce" else labels
            logits = Wrapped()(images)
            attack.first = -torch.nn.functional.cross_entropy(logits, aim, reduction="none") if loss == "ce" else attack.dlr_loss(logits, aim)
            if norm == "L1":
                iterations = [int(numpy.ceil(share * STEPS)) for share in (0.3, 0.3)]
                iterations.append(STEPS - sum(iterations))
                attack.decr_eps_pgd(images, aim, [3 * epsilon, 2 * epsilon, epsilon], iterations, use_rs=False)
            else:
                attack.attack_single_run(images, aim)
            tensors[f"apgd_{norm.lower()}_{loss}"] = numpy.stack(model.seen).astype(numpy.float32)
    for name, run in {
        "pdgd_l2": lambda m: pdgd(m, images, targets, targeted=True, num_steps=STEPS),
        "pdpgd_l1": lambda m: pdpgd(m, images, targets, norm=1, targeted=True, num_steps=STEPS, proximal_steps=100000, ε_threshold=1e-9),
    }.items():
        model = Recorded().eval()
        run(model)
        tensors[name] = numpy.stack(model.seen).astype(numpy.float32)
    path = os.path.join(ROOT, "tests/data/strong.safetensors")
    save_file({n: numpy.ascontiguousarray(t) for n, t in tensors.items()}, path, {"made_by": "tests/data/strong.py"})
    print({name: t.shape for name, t in tensors.items()}, os.path.getsize(path))


if __name__ == "__main__":
    main()
