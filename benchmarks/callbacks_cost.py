"""What the usual callbacks cost: an epoch of `fit` without any, and with each, and with all of them.

A 784-128-10 network with validation; EarlyStopping, ModelCheckpoint (weights, each epoch), CSVLogger, TensorBoard
(with and without histograms) and, where it is there, BackupAndRestore. Times are of whole epochs in the steady state,
from the end of one epoch (all callbacks called) to the end of the next.
"""

from __future__ import annotations

import os
import sys
import tempfile
import time
from collections.abc import Callable
from itertools import pairwise
from typing import Any

import digits
import mlp
from harness import Options, Report, Variant, compare, framework

VARIANTS = [
    Variant("hornbeam", "hornbeam"),
    Variant("tf.keras (Keras 2)", "tf_keras"),
    Variant("Keras 3 on JAX", "keras-jax"),
]


def _kinds(callbacks: Any, folder: str) -> dict[str, Callable[[], list[Any]]]:
    def at(name: str) -> str:
        return os.path.join(folder, name)

    single: dict[str, Callable[[], list[Any]]] = {
        "EarlyStopping": lambda: [callbacks.EarlyStopping("val_loss", patience=100)],
        "ModelCheckpoint": lambda: [callbacks.ModelCheckpoint(at("m.weights.h5"), save_weights_only=True)],
        "CSVLogger": lambda: [callbacks.CSVLogger(at("log.csv"))],
        "TensorBoard": lambda: [callbacks.TensorBoard(at("logs"))],
        "TensorBoard, histograms": lambda: [callbacks.TensorBoard(at("histograms"), histogram_freq=1)],
        "BackupAndRestore": lambda: [callbacks.BackupAndRestore(at("backup"))],
    }
    usual = ("EarlyStopping", "ModelCheckpoint", "CSVLogger", "TensorBoard")
    together = {"all four": lambda: [one for name in usual for one in single[name]()]}
    return {"no callbacks": list, **single, **together}


def work(name: str, options: Options, report: Report) -> None:
    """Measure one framework."""
    _, keras = framework(name)
    images, labels = digits.load(mlp.rows(options.quick))
    repeats = 4 if options.quick else 8
    held = len(images) // 10
    model = mlp.keras_model(keras)

    def epochs(callbacks: list[Any]) -> list[float]:
        ends: list[float] = []

        class Clock(keras.callbacks.Callback):
            batch_interval = 0

            def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
                ends.append(time.perf_counter())

        model.fit(
            images,
            labels,
            batch_size=mlp.BATCH,
            epochs=1 + repeats,
            verbose=0,
            validation_data=(images[:held], labels[:held]),
            callbacks=[*callbacks, Clock()],
        )
        return [after - before for before, after in pairwise(ends)]

    epochs([])
    with tempfile.TemporaryDirectory() as folder:
        for kind, make in _kinds(keras.callbacks, folder).items():
            with report.attempt(f"epoch, {kind}"):
                report.values(f"epoch, {kind}", "ms", [1e3 * one for one in epochs(make())])


if __name__ == "__main__":
    sys.exit(compare("callbacks, 784-128-10", VARIANTS, work, rows=mlp.rows))
