"""The reductions of an image that stand before a network (src/classifier/defence/reduce.rs) in PyTorch, with gradients.

Rounding passes the gradient on as if it were not there (BPDA; Athalye, Carlini and Wagner 2018); the rest have their own.
"""

import torch


class Reduction(torch.nn.Module):
    """One reduction by its name, e.g. grey2, median3, mean3, coarse4; images are (images, channels, rows, columns) in [0, 1]."""

    def __init__(self, name):
        super().__init__()
        self.family = name.rstrip("0123456789")
        if self.family not in ("grey", "median", "mean", "coarse"):
            raise SystemExit(f"no reduction is written down here for {name}")
        self.number = int(name.removeprefix(self.family))

    def forward(self, images):
        number = self.number
        if self.family == "grey":
            rounded = torch.floor(images * (number - 1) + 0.5) / (number - 1)
            return images + (rounded - images).detach()
        if self.family == "coarse":
            means = torch.nn.functional.avg_pool2d(images, number, ceil_mode=True, count_include_pad=False)
            blocks = means.repeat_interleave(number, 2).repeat_interleave(number, 3)
            return blocks[..., : images.shape[2], : images.shape[3]]
        padded = torch.nn.functional.pad(images, [number // 2] * 4, mode="replicate")
        windows = padded.unfold(2, number, 1).unfold(3, number, 1).flatten(4)
        return windows.mean(-1) if self.family == "mean" else windows.median(-1).values
