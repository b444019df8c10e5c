"""Times Foolbox 2.4's LBFGSAttack beside `misread attack --attack lbfgs`, one thread each, on the first 20 test digits
that mnist-cnn reads rightly, target (label + 1) mod 10, both at their defaults; prints JSON.

Foolbox 2 and 3 share a name, so that the older one needs a folder of its own:

    pip install --no-deps --target FOLDER foolbox==2.4.0
    FOOLBOX2=FOLDER python scripts/peers/lbfgs.py
"""

import collections
import collections.abc
import json
import os
import subprocess
import sys
import time
import types

import numpy

# Names that Python and NumPy have dropped since Foolbox 2.4, and a module that it imports for its model zoo alone.
for name, kind in [("float", float), ("int", int), ("bool", bool), ("object", object)]:
    if name not in numpy.__dict__:
        setattr(numpy, name, kind)
for name in ["Iterable", "Mapping", "MutableMapping", "Sequence"]:
    setattr(collections, name, getattr(collections.abc, name))
sys.modules.setdefault("git", types.SimpleNamespace(Repo=None))
if "FOOLBOX2" not in os.environ:
    sys.exit("FOOLBOX2 has to name the folder that holds Foolbox 2.4 (see the head of this script)")

import foolbox as foolbox3  # noqa: E402,F401
import native  # noqa: E402

for name in [m for m in sys.modules if m == "foolbox" or m.startswith("foolbox.")]:
    del sys.modules[name]
sys.path.insert(0, os.environ["FOOLBOX2"])
import foolbox.v1  # noqa: E402
import torch  # noqa: E402

COUNT = 20


class Counted(torch.nn.Module):
    def __init__(self, inner):
        super().__init__()
        self.inner, self.gradients = inner, 0

    def forward(self, x):
        # Foolbox asks for a gradient with inputs that require one.
        self.gradients += int(x.requires_grad)
        return self.inner(x)


def main():
    torch.set_num_threads(1)
    counted = Counted(native.network())
    model = foolbox.models.PyTorchModel(counted.eval(), bounds=(0, 1), num_classes=10, device="cpu")
    images, labels = native.digits(100)
    rows = []
    for index, (image, label) in enumerate(zip(images.numpy(), labels.tolist())):
        if len(rows) == COUNT:
            break
        if model.forward_one(image).argmax() != label:
            continue
        attack = foolbox.v1.attacks.LBFGSAttack(model, foolbox.criteria.TargetClass((label + 1) % 10))
        counted.gradients, start = 0, time.process_time()
        attacked = attack(image, label)
        seconds = time.process_time() - start
        l2 = float(numpy.linalg.norm((attacked.astype(numpy.float64) - image).ravel())) if attacked is not None else None
        rows.append({"index": index, "l2": l2, "gradients": counted.gradients, "seconds": seconds})
        print(rows[-1], file=sys.stderr)
    ours = []
    for row in rows:
        command = [native.PROGRAM, "attack", "--attack", "lbfgs", "--images", f"test:{row['index']}", "--json"]
        ours.append(json.loads(subprocess.run(command, check=True, capture_output=True, text=True, cwd=native.ROOT).stdout))
    median = lambda values: float(numpy.median(list(values)))  # noqa: E731
    print(json.dumps({
        "foolbox": {
            "success": sum(row["l2"] is not None for row in rows), "median_l2": median(r["l2"] for r in rows if r["l2"] is not None),
            "median_gradients": median(r["gradients"] for r in rows), "seconds": sum(r["seconds"] for r in rows) / len(rows),
        },
        "misread": {
            "success": sum(r["success"] for r in ours), "median_l2": median(r["l2"] for r in ours),
            "most_gradients": max(r["gradients"] for r in ours), "seconds": sum(r["milliseconds"] for r in ours) / len(ours) / 1e3,
        },
        "rows": rows, "l2": [r["l2"] for r in ours],
    }))


if __name__ == "__main__":
    main()
