"""Memory: peak of two epochs of `fit`, and growth over 1,000 calls of `predict`.

Megabytes are 10^6 bytes of resident memory. The data set itself is 188 MB (quick: 20 MB) in every process. The calls of
`predict` are timed as well, 64 rows each, since a loop over small batches is how servers use it.
"""

from __future__ import annotations

import gc
import sys
import time

import digits
import mlp
from harness import Options, Report, Variant, compare, framework, peak_mb, resident_mb

VARIANTS = [
    Variant("hornbeam", "hornbeam"),
    Variant("tf.keras (Keras 3)", "tf.keras"),
    Variant("tf.keras (Keras 2)", "tf_keras"),
    Variant("Keras 3 on JAX", "keras-jax"),
    Variant("PyTorch", "torch"),
]
WARM_UP, PREDICT_ROWS = 50, 64


def work(name: str, options: Options, report: Report) -> None:
    """Measure one framework."""
    module, keras = framework(name)
    report.values("resident after import", "MB", [resident_mb()])
    images, labels = digits.load(mlp.rows(options.quick))
    few = images[:PREDICT_ROWS]
    if name == "torch":
        task = mlp.TorchTask(module)
        loss, accuracy = task.fit(module.from_numpy(images), module.from_numpy(labels).long(), 2)
        few_tensor = module.from_numpy(few)

        def predict() -> object:
            return task.predict(few_tensor)
    else:
        model = mlp.keras_model(keras)
        history = model.fit(images, labels, batch_size=mlp.BATCH, epochs=2, verbose=0).history
        loss, accuracy = history["loss"][-1], history["accuracy"][-1]

        def predict() -> object:
            return model.predict(few, verbose=0)

    report.values("peak of a fit of 2 epochs", "MB", [peak_mb()])
    report.check(loss=loss, accuracy=accuracy)
    for _ in range(WARM_UP):
        predict()
    gc.collect()
    calls = 100 if options.quick else 1000
    before, started = resident_mb(), time.perf_counter()
    for _ in range(calls):
        predict()
    spent = time.perf_counter() - started
    gc.collect()
    report.values(f"growth over {calls} calls of predict", "MB", [resident_mb() - before])
    report.values(f"predict of {PREDICT_ROWS} rows, mean of {calls} calls", "us", [spent / calls * 1e6])


if __name__ == "__main__":
    sys.exit(compare("Memory of 784-128-10", VARIANTS, work, rows=mlp.rows))
