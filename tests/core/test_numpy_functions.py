"""NumPy's functions on tensors and variables give NumPy's results."""

from __future__ import annotations

import numpy as np
import pytest

import hornbeam as tf
from hornbeam.base.errors import TraceError

A = np.array([[1.0, -2.0, 3.0], [4.0, 5.0, 0.0]], "float32")
FUNCTIONS = {
    "mean": lambda x: np.mean(x, axis=0),
    "sum": lambda x: np.sum(x, axis=1, keepdims=True),
    "max": np.max,
    "std": np.std,
    "var": lambda x: np.var(x, ddof=1),
    "all": lambda x: np.all(x > -3),
    "prod": np.prod,
    "squeeze": lambda x: np.squeeze(x[:1]),
    "concatenate": lambda x: np.concatenate([x, x], axis=-1),
    "round": lambda x: np.round(x / 3, 1),
    "where": lambda x: np.where(x > 0, x, 0),
}


@pytest.mark.parametrize("name", FUNCTIONS)
@pytest.mark.parametrize("make", [tf.constant, tf.Variable])
def test_results_are_those_of_numpy(name, make):
    found, wanted = FUNCTIONS[name](make(A)), FUNCTIONS[name](A)
    assert type(found) is type(wanted) and np.asarray(found).dtype == np.asarray(wanted).dtype
    np.testing.assert_allclose(found, wanted, rtol=1e-6)


def test_shapes_are_known_without_values_and_values_are_refused():
    seen = []

    @tf.function
    def program(x):
        seen.append((np.shape(x), np.ndim(x), np.size(x)))
        return x + 1

    program(tf.constant(A))
    assert seen[0] == ((2, 3), 2, 6)
    with pytest.raises(TraceError):
        np.mean(tf.keras.Input((3,)))
