"""The data of the training comparisons: synthetic digits, made once and stored beside the peers' environments."""

from __future__ import annotations

import importlib
from typing import Any

from peers import folder


def load(rows: int) -> tuple[Any, Any]:
    """Synthetic digits: `rows` x 784 float32 in 0..1 and int32 labels, from the file the driver had prepared."""
    numpy = importlib.import_module("numpy")
    stored = folder() / "data"
    return numpy.load(stored / f"images_{rows}.npy"), numpy.load(stored / f"labels_{rows}.npy")


def prepare(rows: int) -> None:
    """Write the synthetic digits: ten smooth prototypes, each row one of them, dimmed, shifted and noisy."""
    numpy = importlib.import_module("numpy")
    stored = folder() / "data"
    files = [stored / f"images_{rows}.npy", stored / f"labels_{rows}.npy"]
    if all(file.exists() for file in files):
        return
    stored.mkdir(parents=True, exist_ok=True)
    rng = numpy.random.RandomState(20)
    coarse = rng.rand(10, 7, 7)
    prototypes = numpy.kron(coarse, numpy.ones((4, 4)))
    labels = rng.randint(0, 10, rows).astype("int32")
    images = numpy.empty((rows, 28, 28), "float32")
    for start in range(0, rows, 1000):
        part = slice(start, min(start + 1000, rows))
        count = part.stop - start
        moved = numpy.roll(prototypes[labels[part]], rng.randint(0, 4), axis=2)
        images[part] = moved * rng.uniform(0.2, 0.6, (count, 1, 1)) + rng.normal(0.2, 0.8, (count, 28, 28))
    images = images.clip(0, 1).reshape(rows, 784)
    for file, array in zip(files, (images, labels), strict=True):
        partial = file.with_suffix(".partial.npy")
        numpy.save(partial, array)
        partial.replace(file)
