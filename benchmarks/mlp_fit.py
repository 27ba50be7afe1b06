"""Training, prediction and evaluation of a small network through `fit`, `predict` and `evaluate`.

Time per step in the steady state: the second and later epochs of one `fit`, everything between two ends of epochs
included. PyTorch runs the loop its users write: shuffled index batches out of a resident tensor, accuracy counted.
"""

from __future__ import annotations

import sys
import time
from itertools import pairwise
from typing import Any

import digits
import mlp
from harness import Options, Report, Variant, compare, framework

VARIANTS = [
    Variant("hornbeam", "hornbeam"),
    Variant("tf.keras (Keras 3)", "tf.keras"),
    Variant("tf.keras (Keras 2)", "tf_keras"),
    Variant("Keras 3 on JAX", "keras-jax"),
    Variant("PyTorch", "torch"),
]


def _steady(report: Report, ends: list[float], cpu: float, steps: int) -> None:
    """Report the epochs between `ends`, the moments at which epochs ended; the first epoch is not among them."""
    epochs = [after - before for before, after in pairwise(ends)]
    scale = 1e6 / steps
    report.values("fit, per training step", "us", [epoch * scale for epoch in epochs], cpu=cpu / len(epochs) * scale)


def _keras(name: str, options: Options, report: Report, repeats: int) -> None:
    _, keras = framework(name)
    images, labels = digits.load(mlp.rows(options.quick))
    steps = -(-len(images) // mlp.BATCH)
    model = mlp.keras_model(keras)
    ends: list[float] = []
    cpu: list[float] = []

    class Clock(keras.callbacks.Callback):
        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            ends.append(time.perf_counter())
            cpu.append(time.process_time())

    history = model.fit(
        images, labels, batch_size=mlp.BATCH, epochs=1 + repeats, verbose=0, callbacks=[Clock()]
    ).history
    # Work that `fit` put off beyond the last epoch's end counts as that epoch's.
    ends[-1], cpu[-1] = time.perf_counter(), time.process_time()
    _steady(report, ends, cpu[-1] - cpu[0], steps)
    report.check(loss=history["loss"][-1], accuracy=history["accuracy"][-1])
    with report.attempt("predict, per batch"):
        report.time(
            "predict, per batch",
            lambda: model.predict(images, batch_size=mlp.BATCH, verbose=0),
            repeats=repeats,
            steps=steps,
        )
    with report.attempt("evaluate, per batch"):
        report.time(
            "evaluate, per batch",
            lambda: model.evaluate(images, labels, batch_size=mlp.BATCH, verbose=0),
            repeats=repeats,
            steps=steps,
        )


def _torch(options: Options, report: Report, repeats: int) -> None:
    torch, _ = framework("torch")
    arrays = digits.load(mlp.rows(options.quick))
    images, labels = torch.from_numpy(arrays[0]), torch.from_numpy(arrays[1]).long()
    steps = -(-len(images) // mlp.BATCH)
    task = mlp.TorchTask(torch)
    task.fit(images, labels, 1)
    ends, cpu_before = [time.perf_counter()], time.process_time()
    loss, accuracy = task.fit(images, labels, repeats, lambda: ends.append(time.perf_counter()))
    _steady(report, ends, time.process_time() - cpu_before, steps)
    report.check(loss=loss, accuracy=accuracy)
    report.time("predict, per batch", lambda: task.predict(images), repeats=repeats, steps=steps)
    report.time("evaluate, per batch", lambda: task.evaluate(images, labels), repeats=repeats, steps=steps)


def work(name: str, options: Options, report: Report) -> None:
    """Measure one framework."""
    repeats = 2 if options.quick else 5
    if name == "torch":
        _torch(options, report, repeats)
    else:
        _keras(name, options, report, repeats)


if __name__ == "__main__":
    sys.exit(compare("784-128-10, batches of 32", VARIANTS, work, rows=mlp.rows))
