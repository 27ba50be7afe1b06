"""Training steps of recurrent networks: LSTM, GRU with masks, a stack, and convolutional LSTM.

One ``fit`` epoch per measurement, in a process of its own per framework. The first epoch, which traces and compiles, is
not counted.
"""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
from harness import Options, Report, Variant, compare, framework

VARIANTS = [
    Variant("hornbeam", "hornbeam"),
    Variant("Keras on JAX", "keras-jax"),
    Variant("Keras on torch", "keras-torch"),
]
BATCH = 64
STEPS = 50
FEATURES = 32


def networks(keras: Any) -> dict[str, Any]:
    """Models of (batch, steps, features), by name."""
    layers = keras.layers
    return {
        "LSTM 128": [layers.LSTM(128), layers.Dense(1)],
        "GRU 128, masked": [layers.Masking(), layers.GRU(128), layers.Dense(1)],
        "two bidirectional LSTM 64": [
            layers.Bidirectional(layers.LSTM(64, return_sequences=True)),
            layers.Bidirectional(layers.LSTM(64)),
            layers.Dense(1),
        ],
        "SimpleRNN 64": [layers.SimpleRNN(64), layers.Dense(1)],
    }


def work(name: str, options: Options, report: Report) -> None:
    """Measure all networks of one framework."""
    _, keras = framework(name)
    generator = np.random.default_rng(0)
    count = BATCH * (2 if options.quick else 32)
    x = generator.standard_normal((count, STEPS, FEATURES)).astype("float32")
    y = generator.standard_normal((count, 1)).astype("float32")
    x[:, 40:] *= generator.random((count, 1, 1)) > 0.5
    for title, stack in networks(keras).items():
        with report.attempt(title):
            model = keras.Sequential([keras.Input((STEPS, FEATURES)), *stack])
            model.compile("adam", "mse")
            model.fit(x, y, batch_size=BATCH, verbose=0)
            report.time(
                f"{title}: one step",
                lambda model=model: model.fit(x, y, batch_size=BATCH, verbose=0),
                repeats=1 if options.quick else 3,
                steps=count // BATCH,
                unit="ms",
            )


if __name__ == "__main__":
    sys.exit(compare("Training steps of recurrent networks", VARIANTS, work))
