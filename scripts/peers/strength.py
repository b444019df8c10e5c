"""How strong other people's attacks are on the shipped networks, and misread's own beside them, on the same images.

    pip install 'setuptools<80' wheel && pip install --no-build-isolation -r scripts/peers/requirements.txt
    cargo build --release
    python scripts/peers/strength.py --images 3000..3200 --out strength
    python scripts/peers/strength.py --networks lfw-cnn --images 60..70 --data DIR --out strength-faces

What the others found is kept in the folder, so that only misread's own attacks run again; `--keep models/peers.json` writes down what
the smallest norms come to, with versions, for the checks of a report. Targeted attacks aim at the
next label, on the images that the network reads rightly. Success within a budget: AutoAttack's APGD with cross-entropy
and with DLR, 100 steps, 5 restarts each (L1: with its three budgets), counted at any iterate that reads the target.
Smallest norms: adv-lib's DDN, ALMA, PDGD and PDPGD of 500 steps each, and for L-infinity APGD with a bisection for each
image. `--measure` names what is measured: fixed, untargeted, min. MISREAD in the environment names another build of the program.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from importlib.metadata import version

import numpy
import torch
from adv_lib.attacks import alma, ddn, pdgd, pdpgd
from pyautoattack.autopgd_base import APGDAttack, APGDAttack_targeted

from networks import PROGRAM, ROOT, digits, faces, network

STEPS, RESTARTS = 500, 5
# Budgets at which some fall, not all.
BUDGETS = {
    "fixed": {
        "mnist-cnn": {"linf": [0.1, 0.15], "l1": [10.0, 20.0], "l2": [1.5]},
        "mnist-conv-encoder": {"linf": [0.1, 0.15], "l1": [10.0, 20.0], "l2": [1.5]},
        "mnist-conv-vae": {"linf": [0.05, 0.1], "l1": [5.0, 10.0], "l2": [1.0]},
        "mnist-dense": {"linf": [0.05, 0.1], "l1": [10.0, 20.0], "l2": [1.5]},
        "mnist-vae": {"linf": [0.05, 0.1], "l1": [5.0, 10.0], "l2": [1.0]},
        "lfw-cnn": {"linf": [0.005], "l1": [50.0]},
        "lfw-dense": {"linf": [0.01], "l1": [150.0]},
        "lfw-vae": {"linf": [0.01], "l1": [150.0]},
        "lfw-conv-vae": {"linf": [0.005], "l1": [50.0]},
    },
    "untargeted": {
        "mnist-cnn": {"linf": [0.1], "l1": [7.0]},
        "mnist-conv-encoder": {"linf": [0.08], "l1": [6.0]},
        "mnist-conv-vae": {"linf": [0.04], "l1": [4.0]},
        "mnist-dense": {"linf": [0.05], "l1": [6.0]},
        "mnist-vae": {"linf": [0.03], "l1": [4.0]},
        "lfw-cnn": {"linf": [0.002], "l1": [20.0]},
        "lfw-dense": {"linf": [0.005], "l1": [70.0]},
        "lfw-vae": {"linf": [0.005], "l1": [70.0]},
        "lfw-conv-vae": {"linf": [0.002], "l1": [20.0]},
    },
}
AUTOATTACK = {"linf": "Linf", "l1": "L1", "l2": "L2"}


class Watched(torch.nn.Module):
    """A network that remembers which images it was ever brought to misread as wanted, within the budget."""

    def __init__(self, model, images, labels, targets, norm, epsilon):
        super().__init__()
        self.model, self.images, self.labels, self.targets = model, images, labels, targets
        self.norm, self.epsilon = norm, epsilon if isinstance(epsilon, float) else epsilon.flatten()
        self.hit = torch.zeros(len(labels), dtype=torch.bool)

    def forward(self, x):
        logits = self.model(x)
        read = logits.detach().argmax(1)
        # Under L1 APGD begins outside.
        inside = size(x.detach() - self.images, self.norm) <= self.epsilon * (1 + 1e-5)
        self.hit |= inside & ((read == self.targets) if self.targets is not None else (read != self.labels))
        return logits


def size(change, norm):
    flat = change.flatten(1)
    return {"l2": flat.norm(dim=1), "l1": flat.abs().sum(1), "linf": flat.abs().amax(1)}[norm]


def apgd(model, images, labels, targets, norm, epsilon, loss, restarts, seed=0):
    """Which images APGD brings within `epsilon` (a number, or one for each image) to be read as wanted."""
    watched = Watched(model, images, labels, targets, norm, epsilon)
    kind = APGDAttack_targeted if loss == "dlr" and targets is not None else APGDAttack
    options = {"n_iter": 100, "norm": AUTOATTACK[norm], "n_restarts": 1, "eps": epsilon, "device": "cpu", "use_largereps": norm == "l1"}
    if kind is APGDAttack:
        options["loss"] = loss if targets is None else "ce-targeted-cfts"
    attack = kind(watched, **options)
    attack.y_target = targets
    attack.init_hyperparam(images)
    aim = targets if targets is not None and loss == "ce" else labels
    torch.manual_seed(seed)
    for _ in range(restarts):
        if norm == "l1":
            attack.decr_eps_pgd(images, aim, [3 * epsilon, 2 * epsilon, epsilon], [30, 30, 40])
        else:
            attack.attack_single_run(images, aim)
    return watched.hit


def bisected(model, images, labels, targets, loss, rounds=10):
    """The smallest L-infinity budget at which APGD succeeds, by bisection image by image; NaN where none does."""
    shape = (-1, *[1] * (images.ndim - 1))
    low, high = torch.zeros(len(images)), torch.full((len(images),), 0.5 if images.shape[1] == 1 else 0.1)
    found = torch.full((len(images),), float("nan"))
    for i in range(rounds):
        epsilon = (low + high) / 2 if i else high
        hit = apgd(model, images, labels, targets, "linf", epsilon.view(shape), loss, 1, seed=i)
        found = torch.where(hit, epsilon, found)
        low, high = torch.where(hit, low, epsilon), torch.where(hit, epsilon, high)
    return found.numpy()


def norms(images, attacked, norm):
    found = size(attacked.double() - images.double(), norm)
    return torch.where(found > 0, found, torch.nan).numpy()


def smallest(model, images, labels, targets, norm):
    """For each method the smallest norm it found for each image, NaN where it found nothing."""
    p = {"l2": 2, "l1": 1, "linf": float("inf")}[norm]
    aim, towards = (targets, True) if targets is not None else (labels, False)
    methods = {"PDPGD": lambda: pdpgd(model, images, aim, norm=p, targeted=towards, num_steps=STEPS)}
    if norm != "linf":
        methods["ALMA"] = lambda: alma(model, images, aim, targeted=towards, num_steps=STEPS, distance=norm)
    if norm == "l2":
        methods["DDN"] = lambda: ddn(model, images, aim, targeted=towards, steps=STEPS, levels=None)
        methods["PDGD"] = lambda: pdgd(model, images, aim, targeted=towards, num_steps=STEPS)
    answer = {}
    for name, run in methods.items():
        attacked = run().detach()
        read = model(attacked).argmax(1)
        reached = (read == targets) if targets is not None else (read != labels)
        answer[name] = numpy.where(reached.numpy(), norms(images, attacked, norm), numpy.nan)
    if norm == "linf":
        answer["APGD-CE, bisected"] = bisected(model, images, labels, targets, "ce")
        answer["APGD-DLR, bisected"] = bisected(model, images, labels, targets, "dlr")
    return answer


def misread(options, name, *arguments):
    """Records of misread's own attack, by the index of the image."""
    first, last = options.images
    command = ["attack", "--model", f"models/{name}.safetensors", "--images", f"test:{first}..{last}", "--json", *arguments]
    if options.data:
        command += ["--data-dir", options.data]
    printed = subprocess.run([PROGRAM, *command], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    records = [json.loads(line) for line in printed.splitlines() if line.startswith("{")]
    return {record["index"]: record for record in records}


def kept(options, key, compute):
    """What `compute` gives, or gave when it was last asked for this."""
    path = os.path.join(options.out, f"{key}.npz")
    if not os.path.exists(path):
        start = time.time()
        found = compute()
        numpy.savez(path, **found)
        print(f"{key}: {time.time() - start:.0f} s", file=sys.stderr, flush=True)
    return dict(numpy.load(path))


def beside_min(ours, theirs, norm):
    """Ours beside the best of theirs, image by image."""
    best = numpy.nanmin(numpy.stack([*theirs.values()]), axis=0)
    own = numpy.array([r[norm] if r["success"] else numpy.nan for r in ours])
    # Where both found nothing there is nothing to compare; where we alone did not, we lost.
    ratio = numpy.where(numpy.isnan(own), numpy.where(numpy.isnan(best), numpy.nan, numpy.inf), own / best)
    ratio = numpy.where(numpy.isnan(best) & ~numpy.isnan(own), 0.0, ratio)
    ratio = ratio[~numpy.isnan(ratio)]
    return {
        "images": len(ratio), "ours": float(numpy.nanmedian(own)),
        **{name: float(numpy.nanmedian(found)) for name, found in theirs.items()},
        "ratio": float(numpy.median(ratio)), "ninth decile": float(numpy.quantile(ratio, 0.9)),
        "more than 5 % farther": float((ratio > 1.05).mean()), "more than 5 % nearer": float((ratio < 0.95).mean()),
        "gradients": float(numpy.mean([r["gradients"] for r in ours])), "most": max(r["gradients"] for r in ours),
    }


def keep(options, name, norm, theirs, found):
    """Adds what was found to the file that a report reads, in place of what was found before of the same network and norm."""
    if options.keep is None:
        return
    old = json.load(open(options.keep)) if os.path.exists(options.keep) else []
    old = [peer for peer in old if (peer["network"], peer["norm"]) != (name, norm)]
    old.append({
        "network": name, "norm": norm, "first": options.images[0], "images": found["images"], "gradients": options.gradients,
        "ratio": round(found["ratio"], 4), "farther": round(found["more than 5 % farther"], 4), "nearer": round(found["more than 5 % nearer"], 4),
        "attacks": sorted(theirs), "versions": {package: version(package) for package in ("adv-lib", "pyautoattack", "torch")},
    })
    old.sort(key=lambda peer: (peer["network"], peer["norm"]))
    with open(options.keep, "w") as file:
        file.write("[\n" + ",\n".join(json.dumps(peer) for peer in old) + "\n]\n")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--networks", nargs="+", default=[n for n in BUDGETS["fixed"] if n.startswith("mnist")])
    parser.add_argument("--images", default="3000..3200", type=lambda text: tuple(int(n) for n in text.split("..")))
    parser.add_argument("--measure", nargs="+", default=["min", "fixed", "untargeted"])
    parser.add_argument("--norms", nargs="+", default=["l2", "l1", "linf"])
    parser.add_argument("--out", default="strength")
    parser.add_argument("--data", default=None, help="the folder of the data sets, where it is not data")
    parser.add_argument("--threads", type=int, default=os.cpu_count())
    parser.add_argument("--peers-only", action="store_true")
    parser.add_argument("--gradients", type=int, default=1000, help="of misread's search for the smallest norm, at most")
    parser.add_argument("--keep", default=None, help="a JSON file to which the smallest norms are added")
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    os.makedirs(options.out, exist_ok=True)
    for name in options.networks:
        model = network(name)
        images, labels = digits(*options.images) if name.startswith("mnist") else faces(*options.images, options.data)
        with torch.no_grad():
            read = torch.cat([model(part).argmax(1) for part in images.split(100)]) == labels
            classes = model(images[:1]).shape[1]
        places = options.images[0] + read.nonzero().flatten().numpy()
        images, labels = images[read], labels[read]
        targets = (labels + 1) % classes
        key = lambda *what: "-".join(str(w) for w in (name, *options.images, *what))  # noqa: E731
        own = lambda records: [records[int(i)] for i in places if int(i) in records]  # noqa: E731
        for norm in options.norms:
            if "min" in options.measure:
                theirs = kept(options, key("min", norm), lambda: smallest(model, images, labels, targets, norm))
                if not options.peers_only:
                    ours = own(misread(options, name, "--attack", "strongest", "--norm", norm, "--mode", "min",
                                       "--steps", str(options.gradients)))
                    found = beside_min(ours, theirs, norm)
                    print(json.dumps({"network": name, "smallest": norm, **found}), flush=True)
                    keep(options, name, norm, theirs, found)
            for measure in [m for m in ("fixed", "untargeted") if m in options.measure]:
                aim = targets if measure == "fixed" else None
                for epsilon in BUDGETS[measure][name].get(norm, []):
                    theirs = kept(options, key(measure, norm, epsilon), lambda: {
                        loss: apgd(model, images, labels, aim, norm, epsilon, loss, RESTARTS).numpy() for loss in ("ce", "dlr")})
                    if options.peers_only:
                        continue
                    target = ["--target", "any"] if aim is None else []
                    ours = own(misread(options, name, "--attack", "strongest", "--norm", norm, "--epsilon", str(epsilon), *target))
                    hit = numpy.array([r["success"] for r in ours])
                    both = theirs["ce"] | theirs["dlr"]
                    print(json.dumps({
                        "network": name, "within": norm, "epsilon": epsilon, "target": "next" if aim is not None else "any",
                        "images": len(hit), "ours": int(hit.sum()), "APGD-CE": int(theirs["ce"].sum()), "APGD-DLR": int(theirs["dlr"].sum()),
                        "either": int(both.sum()), "theirs alone": int((both & ~hit).sum()), "ours alone": int((hit & ~both).sum()),
                        "gradients": float(numpy.mean([r["gradients"] for r in ours])), "most": max(r["gradients"] for r in ours),
                    }), flush=True)


if __name__ == "__main__":
    main()
