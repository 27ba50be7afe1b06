"""The same model in the real Keras and here, with equal weights, trained side by side."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any

os.environ.setdefault("KERAS_BACKEND", "jax")

import keras as theirs
import numpy as np

from hornbeam import keras as ours

LARGEST: dict[str, float] = {}
"""Largest difference seen per kind of comparison, for reports."""


def compare(kind: str, expected: Any, received: Any, rtol: float = 2e-5, atol: float = 2e-6) -> None:
    """Assert that two numbers or arrays agree, and note the difference."""
    expected, received = np.asarray(expected, np.float64), np.asarray(received, np.float64)
    assert expected.shape == received.shape, (kind, expected.shape, received.shape)
    if expected.size:
        LARGEST[kind] = max(LARGEST.get(kind, 0.0), float(np.max(np.abs(expected - received))))
    np.testing.assert_allclose(received, expected, rtol=rtol, atol=atol, err_msg=kind)


class Twins:
    """Two models of one construction.

    Args:
        build: function of the keras module that gives an uncompiled model.
        compile_with: function of the keras module that gives the arguments of ``compile``.
        batch: inputs to build the models on, if they are not built.
    """

    def __init__(self, build: Callable[[Any], Any], compile_with: Callable[[Any], dict], batch: Any = None) -> None:
        self.theirs, self.ours = build(theirs), build(ours)
        if batch is not None:
            self.theirs(batch)
            self.ours(batch)
        self.ours.set_weights(self.theirs.get_weights())
        self.theirs.compile(**compile_with(theirs))
        self.ours.compile(**compile_with(ours))

    def fit(self, *args: Any, **kwargs: Any) -> None:
        """Train both and compare histories (names, order, values), weights and optimizer slots."""
        kwargs = {"verbose": 0, "shuffle": False, **kwargs}
        expected = self.theirs.fit(*args, **kwargs)
        received = self.ours.fit(*args, **kwargs)
        assert list(received.history) == list(expected.history)
        assert received.epoch == expected.epoch
        for name, values in expected.history.items():
            compare(f"history {name.rpartition('_')[2]}", values, received.history[name])
        self.compare_state()

    def compare_state(self) -> None:
        """Compare weights and the optimizer's variables."""
        for one, other in zip(self.theirs.get_weights(), self.ours.get_weights(), strict=True):
            compare("weights", one, other)
        pairs = zip(self.theirs.optimizer.variables, self.ours.optimizer.variables, strict=True)
        for one, other in pairs:
            compare("slots", np.asarray(one.value), other.numpy())

    def evaluate(self, *args: Any, **kwargs: Any) -> Any:
        """Evaluate both; the lists and the dicts must agree."""
        kwargs = {"verbose": 0, **kwargs}
        compare("evaluate", self.theirs.evaluate(*args, **kwargs), self.ours.evaluate(*args, **kwargs))
        expected = self.theirs.evaluate(*args, return_dict=True, **kwargs)
        received = self.ours.evaluate(*args, return_dict=True, **kwargs)
        assert list(received) == list(expected)
        for name, value in expected.items():
            compare("evaluate", value, received[name])
        return received

    def predict(self, x: Any, **kwargs: Any) -> Any:
        """Predict with both; nestings and values must agree."""
        expected = self.theirs.predict(x, verbose=0, **kwargs)
        received = self.ours.predict(x, verbose=0, **kwargs)
        compare_nested(expected, received)
        return received


def compare_nested(expected: Any, received: Any) -> None:
    """Nestings of arrays: same containers, same values, NumPy."""
    if isinstance(expected, dict):
        assert list(expected) == list(received)
        for key in expected:
            compare_nested(expected[key], received[key])
    elif isinstance(expected, (list, tuple)):
        assert type(expected) is type(received) and len(expected) == len(received)
        for one, other in zip(expected, received, strict=True):
            compare_nested(one, other)
    else:
        assert isinstance(received, np.ndarray)
        assert received.dtype == expected.dtype
        compare("predictions", expected, received)
