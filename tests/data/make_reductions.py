"""Writes reductions.json: what SciPy and numpy make of a small image (pip install scipy)."""

import json
import os

import numpy
from scipy import ndimage

IMAGE = numpy.array([0.9, 0.1, 0.4, 0.3, 0.8, 0.2, 0.6, 0.5, 0.0, 0.7, 1.0, 0.35, 0.15, 0.85, 0.25, 0.05, 0.45, 0.95, 0.65,
                     0.55]).reshape(4, 5)


def blocks(side):
    out = IMAGE.copy()
    for top in range(0, 4, side):
        for left in range(0, 5, side):
            out[top:top + side, left:left + side] = IMAGE[top:top + side, left:left + side].mean()
    return out


MADE = {
    "grey4": numpy.floor(IMAGE * 3 + 0.5) / 3,
    "median3": ndimage.median_filter(IMAGE, size=3, mode="nearest"),
    "mean3": ndimage.uniform_filter(IMAGE, size=3, mode="nearest"),
    "coarse2": blocks(2),
    "coarse4": blocks(4),
}
with open(os.path.join(os.path.dirname(__file__), "reductions.json"), "w") as file:
    json.dump({name: [round(float(x), 9) for x in image.ravel()] for name, image in MADE.items()}, file, indent=1)
    file.write("\n")
