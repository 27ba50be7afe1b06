"""From the start of the process to the end of the first epoch: imports, building, compiling and 1,875 steps.

Hornbeam and Keras 3 on JAX are measured with an empty and with a filled cache of compiled programs. Hornbeam's is set
up as `hornbeam run` does it, and "cold" includes writing it. Keras leaves JAX's cache off (the row without a remark),
but its users can switch it on by the same variables.
"""

from __future__ import annotations

import sys

import digits
import mlp
from harness import Options, Report, Variant, compare, framework

KEEP_ALL = {"JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS": "0", "JAX_PERSISTENT_CACHE_MIN_ENTRY_SIZE_BYTES": "-1"}
COLD = KEEP_ALL | {"JAX_COMPILATION_CACHE_DIR": "{fresh}"}
WARM = KEEP_ALL | {"JAX_COMPILATION_CACHE_DIR": "{kept}"}
VARIANTS = [
    Variant("hornbeam, cold cache", "hornbeam", COLD),
    Variant("hornbeam, warm cache", "hornbeam", WARM),
    Variant("tf.keras (Keras 3)", "tf.keras"),
    Variant("tf.keras (Keras 2)", "tf_keras"),
    Variant("Keras 3 on JAX", "keras-jax"),
    Variant("Keras 3 on JAX, warm cache", "keras-jax", WARM),
    Variant("PyTorch", "torch"),
]


def work(name: str, options: Options, report: Report) -> None:
    """Run one epoch in a fresh process."""
    module, keras = framework(name)
    imported = report.since_start()
    images, labels = digits.load(mlp.rows(options.quick))
    if name == "torch":
        task = mlp.TorchTask(module)
        loss, accuracy = task.fit(module.from_numpy(images), module.from_numpy(labels).long(), 1)
    else:
        model = mlp.keras_model(keras)
        history = model.fit(images, labels, batch_size=mlp.BATCH, epochs=1, verbose=0).history
        loss, accuracy = history["loss"][-1], history["accuracy"][-1]
    ended = report.since_start()
    report.values("process start to end of the first epoch", "s", [ended])
    report.values("of that: process start to framework imported", "s", [imported])
    report.check(loss=loss, accuracy=accuracy)


if __name__ == "__main__":
    sys.exit(compare("First epoch of 784-128-10 in a new process", VARIANTS, work, rows=mlp.rows))
