"""How long training waits for data: a small CNN on a folder of JPEG files, and on the same pictures in memory.

2,000 files of about 400x300 pixels at 180x180 in batches of 32, through `image_dataset_from_directory` and `fit`. What
an epoch takes longer than one over arrays is waiting. In the first epoch files are read and decoded; a share near the
limit of the processor shows as processor time of nearly all cores.
"""

from __future__ import annotations

import os
import sys
import time
from typing import Any

import numpy as np
import pictures
from harness import Options, Report, Variant, compare, framework

SIZE, BATCH = 180, 32
VARIANTS = [
    Variant("hornbeam", "hornbeam"),
    Variant("tf.keras (Keras 3)", "tf.keras"),
]


def _network(keras: Any) -> Any:
    layers = keras.layers
    model = keras.Sequential([layers.Input((SIZE, SIZE, 3)), layers.Rescaling(1.0 / 255)])
    for filters in (16, 32, 64):
        model.add(layers.Conv2D(filters, 3, padding="same", activation="relu"))
        model.add(layers.MaxPooling2D())
    for layer in (layers.Flatten(), layers.Dense(128, activation="relu"), layers.Dense(10)):
        model.add(layer)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile("adam", loss, metrics=["accuracy"])
    return model


def work(name: str, options: Options, report: Report) -> None:
    """Measure one framework."""
    _, keras = framework(name)
    root = pictures.folder_of(64 if options.quick else 2000)

    def folder(shuffle: bool) -> Any:
        return keras.utils.image_dataset_from_directory(
            str(root), image_size=(SIZE, SIZE), batch_size=BATCH, shuffle=shuffle, seed=1, verbose=False
        )

    model, cores = _network(keras), len(os.sched_getaffinity(0))
    model.fit(folder(False).take(2), epochs=1, verbose=0)  # compiles

    def epoch(*data: Any) -> tuple[float, float]:
        wall, cpu = time.perf_counter(), time.process_time()
        model.fit(*data, batch_size=None if len(data) == 1 else BATCH, epochs=1, verbose=0)
        return time.perf_counter() - wall, time.process_time() - cpu

    dataset = folder(True)
    first, first_cpu = epoch(dataset)
    later, later_cpu = min(epoch(dataset) for _ in range(2))
    pairs = [(x.numpy(), y.numpy()) for x, y in folder(False)]
    arrays = [np.concatenate(column) for column in zip(*pairs, strict=True)]
    del pairs
    epoch(*arrays)
    memory, memory_cpu = min(epoch(*arrays) for _ in range(2))
    count = len(arrays[0])
    for metric, wall, cpu in (
        ("first epoch, per picture", first, first_cpu),
        ("later epochs, per picture", later, later_cpu),
        ("from memory, per picture", memory, memory_cpu),
    ):
        report.values(metric, "ms", [wall / count * 1e3], cpu=cpu / count * 1e3)
    for metric, wall, cpu in (("first epoch", first, first_cpu), ("later epochs", later, later_cpu)):
        report.values(f"{metric}: waiting for data", "% of the time", [max(0.0, 1 - memory / wall) * 100])
        report.values(f"{metric}: processor in use", "% of all cores", [cpu / wall / cores * 100])


if __name__ == "__main__":
    sys.exit(compare(f"A CNN trained from a folder of JPEG files, {SIZE}x{SIZE}, batches of {BATCH}", VARIANTS, work))
