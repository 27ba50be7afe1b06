"""`tf.data` pipelines over 1,000,000 rows in memory: map, shuffle, batch.

One pass per measurement, in a process of its own per framework, every batch taken out as tensors by a Python loop. The
first pass, which traces and compiles, is not counted.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import numpy as np
from harness import Options, Report, Variant, compare, framework

VARIANTS = [Variant("hornbeam", "hornbeam"), Variant("TensorFlow", "tf.keras")]
FEATURES = 8
BATCH = 128
BUFFER = 10_000


def rows(quick: bool) -> int:
    """Rows of the data set."""
    return 20_000 if quick else 1_000_000


def pipelines(tf: Any, x: np.ndarray, y: np.ndarray) -> dict[str, Any]:
    """The data sets, by name."""
    source = tf.data.Dataset.from_tensor_slices((x, y))

    def scale(features: Any, label: Any) -> Any:
        return (features - 0.5) * 2.0, tf.one_hot(label, 10)

    mapped = source.map(scale, num_parallel_calls=tf.data.AUTOTUNE)
    return {
        "shuffle, batch": source.shuffle(BUFFER).batch(BATCH).prefetch(tf.data.AUTOTUNE),
        "map, shuffle, batch": mapped.shuffle(BUFFER).batch(BATCH).prefetch(tf.data.AUTOTUNE),
        "batch, map": source.batch(BATCH).map(lambda features, label: (features * 2.0, label)),
        "filter, batch": source.filter(lambda features, label: label > 4).batch(BATCH),
    }


def drain(dataset: Any) -> Callable[[], None]:
    """A function that takes all batches out of a data set."""

    def run() -> None:
        for _ in dataset:
            continue

    return run


def work(name: str, options: Options, report: Report) -> None:
    """Measure all pipelines of one framework."""
    tf, _ = framework(name)
    generator = np.random.default_rng(0)
    count = rows(options.quick)
    x = generator.random((count, FEATURES), np.float32)
    y = generator.integers(0, 10, count).astype("int32")
    found = pipelines(tf, x, y)
    for title, dataset in found.items():
        with report.attempt(title):
            report.time(f"{title}: one pass", drain(dataset), repeats=1 if options.quick else 2, steps=1, unit="ms")
    total = sum(float(np.asarray(features).sum()) for features, _ in found["map, shuffle, batch"])
    report.check(mean=total / x.size)


if __name__ == "__main__":
    sys.exit(compare("1,000,000 rows through tf.data", VARIANTS, work))
