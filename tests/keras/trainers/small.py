"""Small models and data for tests of the training loops."""

from __future__ import annotations

import numpy as np

from hornbeam import keras

RNG = np.random.RandomState(4)
X = RNG.rand(50, 4).astype("float32")
Y = X.sum(axis=1, keepdims=True).astype("float32")


def model(seed: int = 0, compiled: bool = True, optimizer="sgd", **compile_with):
    """A net of two layers whose weights follow from the seed."""
    net = keras.Sequential([keras.Input((4,)), keras.layers.Dense(3, activation="tanh"), keras.layers.Dense(1)])
    rng = np.random.RandomState(seed)
    net.set_weights([rng.rand(*w.shape).astype("float32") - 0.5 for w in net.get_weights()])
    if compiled:
        net.compile(**{"optimizer": optimizer, "loss": "mse", **compile_with})
    return net


def same_weights(one, other) -> bool:
    """True if two models (or lists of weights) are equal bit for bit."""
    lists = [w if isinstance(w, list) else w.get_weights() for w in (one, other)]
    return all(np.array_equal(a, b) for a, b in zip(*lists, strict=True))
