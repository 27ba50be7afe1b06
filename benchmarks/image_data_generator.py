"""`ImageDataGenerator` with turns, shifts, shear, zoom and flips: time of one picture out of `flow`.

Pictures of 180x180 and of 64x64 in batches of 32, from an array. The same options in every framework; SciPy
does the work in
Keras's own generator, which Keras 3 keeps under a private name; the peer is the environment that has SciPy.
"""

from __future__ import annotations

import importlib
import sys
from typing import Any

import pictures
from harness import Options, Report, Variant, compare, framework

BATCH = 32
CHANGES = {
    "rotation_range": 20,
    "width_shift_range": 0.2,
    "height_shift_range": 0.2,
    "shear_range": 10.0,
    "zoom_range": 0.2,
    "horizontal_flip": True,
    "rescale": 1 / 255,
}
VARIANTS = [
    Variant("hornbeam", "hornbeam"),
    Variant("Keras 3 on JAX", "keras-jax"),
]


def _generator(name: str) -> Any:
    _, keras = framework(name)
    if name == "keras-jax":
        return importlib.import_module("keras.src.legacy.preprocessing.image").ImageDataGenerator
    return keras.preprocessing.image.ImageDataGenerator


def work(name: str, options: Options, report: Report) -> None:
    """Measure one framework."""
    make = _generator(name)
    for size in (180, 64):
        x, y = pictures.arrays(BATCH if options.quick else 4 * BATCH, size, size)
        batches = make(**CHANGES).flow(x, y, batch_size=BATCH, seed=1)
        count = len(batches)

        def epoch(batches: Any = batches, count: int = count) -> None:
            for _ in range(count):
                next(batches)

        report.time(f"{size}x{size}, per picture", epoch, repeats=2 if options.quick else 8, steps=len(x))
        batch = next(make(rotation_range=20, rescale=1 / 255).flow(x, y, batch_size=BATCH, seed=1))
        report.check(**{f"mean_{size}": float(batch[0].mean())})


if __name__ == "__main__":
    sys.exit(compare(f"ImageDataGenerator, batches of {BATCH}", VARIANTS, work))
