"""Training steps and inference of convolutional networks: LeNet-5, a small CNN, U-Net, MobileNetV2, ResNet50, others.

Time per step in the steady state: the second and later epochs of one `fit`. One network alone, for its peak of memory
or to save time: `--only ResNet50`.
"""

from __future__ import annotations

import math
import os
import sys
import time
from itertools import pairwise
from typing import Any

import conv_keras
from harness import Options, Report, Variant, compare, framework

COMPILED = "HORNBEAM_BENCH_COMPILE"
VARIANTS = [
    Variant("hornbeam", "hornbeam"),
    Variant("hornbeam, XLA's kernels", "hornbeam", {"HORNBEAM_ONEDNN": "0"}),
    Variant("tf.keras (Keras 3)", "tf.keras"),
    Variant("Keras 3 on JAX", "keras-jax"),
    Variant("PyTorch, channels last", "torch"),
    Variant("PyTorch, compiled", "torch", {COMPILED: "1"}),
]


def _steady(report: Report, title: str, ends: list[float], cpu: float, steps: int) -> None:
    epochs = [after - before for before, after in pairwise(ends)]
    scale = 1e3 / steps
    report.values(f"{title}: training step", "ms", [t * scale for t in epochs], cpu=cpu / len(epochs) * scale)


def _keras(keras: Any, title: str, options: Options, report: Report, repeats: int) -> None:
    images, labels = conv_keras.data(title, options.quick)
    batch = conv_keras.TASKS[title].batch
    steps = len(images) // batch
    model = conv_keras.model(keras, title)
    ends: list[float] = []
    cpu: list[float] = []

    class Clock(keras.callbacks.Callback):
        def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
            ends.append(time.perf_counter())
            cpu.append(time.process_time())

    fitted = model.fit(images, labels, batch_size=batch, epochs=1 + repeats, verbose=0, callbacks=[Clock()])
    # Work that `fit` put off beyond the last epoch's end counts as that epoch's.
    ends[-1], cpu[-1] = time.perf_counter(), time.process_time()
    _steady(report, title, ends, cpu[-1] - cpu[0], steps)
    trained = sum(math.prod(map(int, weight.shape)) for weight in model.trainable_weights)
    report.check(**{f"{title} loss": fitted.history["loss"][-1], f"{title} parameters": trained})
    report.time(
        f"{title}: inference, a batch",
        lambda: model.predict(images, batch_size=batch, verbose=0),
        repeats=repeats,
        steps=steps,
        unit="ms",
    )


def _torch(title: str, options: Options, report: Report, repeats: int) -> None:
    import conv_torch  # here, because only one of the environments has PyTorch

    training = conv_torch.Training(title, compiled=bool(os.environ.get(COMPILED)))
    images, labels = training.tensors(*conv_keras.data(title, options.quick))
    steps = len(images) // conv_keras.TASKS[title].batch
    training.fit(images, labels, 1)
    ends, before = [time.perf_counter()], time.process_time()
    loss, _ = training.fit(images, labels, repeats, lambda: ends.append(time.perf_counter()))
    _steady(report, title, ends, time.process_time() - before, steps)
    report.check(**{f"{title} loss": loss, f"{title} parameters": training.parameters})
    report.time(
        f"{title}: inference, a batch", lambda: training.predict(images), repeats=repeats, steps=steps, unit="ms"
    )


def work(name: str, options: Options, report: Report) -> None:
    """Measure one framework."""
    _, keras = framework(name)
    repeats = 1 if options.quick else 4
    for title in options.only or conv_keras.TASKS:
        with report.attempt(f"{title}: training step"):
            if name == "torch":
                _torch(title, options, report, repeats)
            else:
                _keras(keras, title, options, report, repeats)
                keras.backend.clear_session()


if __name__ == "__main__":
    sys.exit(compare("Convolutional networks", VARIANTS, work))
