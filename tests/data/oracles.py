"""Makes tests/data/oracles.safetensors: what SciPy, Foolbox and scikit-image compute where misread computes the same.

    pip install -r scripts/peers/requirements.txt
    cargo build --release --example objective
    python tests/data/oracles.py

The minimum of the L-BFGS attack is sought by SciPy twice: on the gradients of misread's own core (examples/objective.rs),
which tests the optimiser alone, and on those of PyTorch. Where values in a max-pool window are equal but for rounding,
the two take the gradient of another pixel, and on a network of ReLUs the paths then part. For the same reason Foolbox
runs on misread's core. All on the shipped weights of mnist-cnn and the shipped digits, target (label + 1) mod 10.
"""

import os
import struct
import subprocess
import sys

import foolbox
import numpy
import scipy.optimize
import torch
from safetensors.numpy import load_file, save_file
from skimage.metrics import structural_similarity

ROOT = os.path.abspath(os.path.join(os.path.dirname(__file__), "..", ".."))
sys.path.insert(0, os.path.join(ROOT, "scripts/peers"))
from native import network  # noqa: E402

C = 10.0
STEPS = [1, 2, 5, 10]
EPSILON = 2.220446049250313e-16


def digits():
    sample = load_file(os.path.join(ROOT, "models/mnist-sample.safetensors"))
    return sample["images"].reshape(-1, 1, 28, 28).astype(numpy.float32) / 255, sample["labels"].astype(numpy.int64)


class Core:
    """misread's own loss and gradient."""

    def __init__(self):
        program = os.path.join(ROOT, "target/release/examples/objective")
        self.process = subprocess.Popen([program], stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def __call__(self, image, target):
        self.process.stdin.write(struct.pack("<I", target) + image.tobytes())
        self.process.stdin.flush()
        answer = numpy.frombuffer(self.process.stdout.read(4 * 785), "<f4")
        return float(answer[0]), answer[1:]

    def logits_and_gradient(self, image, direction):
        """The logits of an image, and the gradient of `direction . logits`."""
        self.process.stdin.write(struct.pack("<I", 0xFFFFFFFF) + image.tobytes() + direction.tobytes())
        self.process.stdin.flush()
        answer = numpy.frombuffer(self.process.stdout.read(4 * 794), "<f4")
        return answer[:10], answer[10:]


class Torch:
    """PyTorch's loss and gradient."""

    def __init__(self, model):
        self.model = model

    def __call__(self, image, target):
        point = torch.from_numpy(image).reshape(1, 1, 28, 28).requires_grad_(True)
        loss = torch.nn.functional.cross_entropy(self.model(point), torch.tensor([target]))
        loss.backward()
        return loss.item(), point.grad.numpy().ravel()


def lbfgs(network, image, target):
    """The minimum of ||x' - x||^2 + C CE(x', target) over the box, and the evaluations that it took."""
    start = image.astype(numpy.float64).ravel()

    def objective(x):
        loss, gradient = network(x.astype(numpy.float32), int(target))
        difference = x - start
        return float(difference @ difference) + C * loss, 2 * difference + C * gradient.astype(numpy.float64)

    bounds = [(0, 1)] * start.size
    _, f, info = scipy.optimize.fmin_l_bfgs_b(
        objective, start, m=10, maxiter=40, factr=1e-9 / EPSILON, pgtol=1e-5, bounds=bounds
    )
    return f, info["funcalls"]


class OnCore(torch.autograd.Function):
    """misread's own core as a function of PyTorch's, so that Foolbox attacks it."""

    core = None

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        none = numpy.zeros(10, numpy.float32)
        logits = numpy.stack([OnCore.core.logits_and_gradient(i, none)[0] for i in x.detach().numpy()])
        # In f64, since Foolbox's cross-entropy of a label that the network is sure of loses all digits in f32.
        return torch.from_numpy(logits).double()

    @staticmethod
    def backward(ctx, direction):
        pairs = zip(ctx.saved_tensors[0].numpy(), direction.float().numpy())
        return torch.from_numpy(numpy.stack([OnCore.core.logits_and_gradient(x, d)[1].reshape(1, 28, 28) for x, d in pairs]))


class Wrapped(torch.nn.Module):
    def forward(self, x):
        return OnCore.apply(x)


def path(objective, start, low, high, m, iterations):
    """Objective and evaluations after each iteration, to compare with an optimiser alone."""
    fs, evaluations = [], []
    bounds = list(zip(low, high))
    for k in range(1, iterations + 1):
        _, f, info = scipy.optimize.fmin_l_bfgs_b(
            objective, start, m=m, maxiter=k, factr=10, pgtol=1e-8, bounds=bounds
        )
        if len(fs) and info["nit"] < k:
            break
        fs.append(f)
        evaluations.append(info["funcalls"])
    return numpy.array(fs), numpy.array(evaluations, numpy.int32)


def rosenbrock(x):
    """The problem of L-BFGS-B's driver1."""
    r = x[1:] - x[:-1] ** 2
    g = numpy.zeros_like(x)
    g[0] = 2 * (x[0] - 1) * 0.25
    g[1:] += 2 * r
    g[:-1] -= 4 * x[:-1] * r
    return 4 * (0.25 * (x[0] - 1) ** 2 + r @ r), 4 * g


def main():
    torch.set_num_threads(1)
    model = network()
    images, labels = digits()
    targets = (labels + 1) % 10
    tensors = {"lbfgs_c": numpy.array([C])}
    for name, gradients in [("core", Core()), ("torch", Torch(model))]:
        solved = [lbfgs(gradients, image, target) for image, target in zip(images, targets)]
        tensors[f"lbfgs_{name}_objective"] = numpy.array([f for f, _ in solved])
        tensors[f"lbfgs_{name}_evaluations"] = numpy.array([n for _, n in solved], numpy.int32)

    low = numpy.where(numpy.arange(25) % 2 == 0, 1.0, -100.0)
    f, evaluations = path(rosenbrock, numpy.full(25, 3.0), low, numpy.full(25, 100.0), 5, 40)
    tensors |= {"rosenbrock_f": f, "rosenbrock_evaluations": evaluations}
    rng = numpy.random.default_rng(1)
    a = rng.normal(size=(60, 60))
    q, b = a @ a.T / 60 + 0.05 * numpy.eye(60), 2 * rng.normal(size=60)
    f, evaluations = path(
        lambda x: (0.5 * x @ q @ x - b @ x, q @ x - b), numpy.full(60, 0.5), numpy.zeros(60), numpy.ones(60), 10, 40
    )
    tensors |= {"qp_q": q, "qp_b": b, "qp_f": f, "qp_evaluations": evaluations}

    OnCore.core = Core()
    wrapped = foolbox.PyTorchModel(Wrapped().eval(), bounds=(0, 1))
    few = torch.from_numpy(images[:10])
    towards = foolbox.criteria.TargetedMisclassification(torch.from_numpy(targets[:10]))
    away = foolbox.criteria.Misclassification(torch.from_numpy(labels[:10]))
    attacks = foolbox.attacks
    flat = lambda x: x.numpy().reshape(10, 784)  # noqa: E731

    def run(make, step, epsilon, criterion, steps):
        attack = make(abs_stepsize=step, steps=steps, random_start=False)
        return flat(attack.run(wrapped, few, criterion, epsilon=epsilon))

    linf, l1 = attacks.LinfBasicIterativeAttack, attacks.L1BasicIterativeAttack
    tensors["linf_iterates"] = numpy.stack([run(linf, 0.01, 0.3, towards, k) for k in STEPS])
    tensors["linf_untargeted"] = run(linf, 0.01, 0.3, away, 5)
    tensors["l1_iterates"] = numpy.stack([run(l1, 2.0, 12.0, towards, k) for k in STEPS])

    options = dict(gaussian_weights=True, sigma=1.5, use_sample_covariance=False, data_range=1.0)
    pairs = zip(images[:10].reshape(-1, 28, 28), tensors["linf_iterates"][3].reshape(-1, 28, 28))
    similar = [structural_similarity(a.astype(numpy.float64), b.astype(numpy.float64), **options) for a, b in pairs]
    tensors["ssim"] = numpy.array(similar)
    x = rng.random((20, 24, 3)).astype(numpy.float32)
    y = numpy.clip(x + 0.1 * rng.normal(size=x.shape), 0, 1).astype(numpy.float32)
    tensors |= {"ssim_colour_a": x, "ssim_colour_b": y}
    colour = structural_similarity(x.astype(numpy.float64), y.astype(numpy.float64), channel_axis=2, **options)
    tensors["ssim_colour"] = numpy.array([colour])

    versions = f"scipy {scipy.__version__}, foolbox {foolbox.__version__}, torch {torch.__version__}"
    tensors = {name: numpy.ascontiguousarray(t) for name, t in tensors.items()}
    save_file(tensors, os.path.join(ROOT, "tests/data/oracles.safetensors"), {"made_by": "tests/data/oracles.py", "versions": versions})
    print({name: t.shape for name, t in tensors.items()})


if __name__ == "__main__":
    main()
