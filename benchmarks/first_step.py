"""From the start of the process to the end of the first training step of large networks, most of which is compiling.

Hornbeam is measured with an empty and with a filled cache of compiled programs ("cold" includes writing it), Keras 3 on
JAX as its users get it, which is without a cache. TensorFlow keeps no compiled programs.
"""

from __future__ import annotations

import sys
import time

import conv_keras
from first_epoch import COLD, WARM
from harness import Options, Report, Variant, compare, framework

VARIANTS = [
    Variant("hornbeam, cold cache", "hornbeam", COLD),
    Variant("hornbeam, warm cache", "hornbeam", WARM),
    Variant("tf.keras (Keras 3)", "tf.keras"),
    Variant("Keras 3 on JAX", "keras-jax"),
]


def work(name: str, options: Options, report: Report) -> None:
    """Build each network and train it on one batch, in a fresh process."""
    _, keras = framework(name)
    imported = report.since_start()
    for title in options.only or ("MobileNetV2", "ResNet50"):
        images, labels = conv_keras.data(title, quick=True)
        batch = conv_keras.TASKS[title].batch
        began = time.perf_counter()
        model = conv_keras.model(keras, title)
        history = model.fit(images[:batch], labels[:batch], batch_size=batch, epochs=1, verbose=0).history
        taken = imported + time.perf_counter() - began
        report.values(f"{title}: start and import to end of the first step", "s", [taken])
        report.check(**{f"{title} loss": history["loss"][-1]})


if __name__ == "__main__":
    sys.exit(compare("First training step in a new process", VARIANTS, work))
