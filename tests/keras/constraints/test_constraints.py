"""Constraints: values and configs of Keras."""

import keras
import numpy as np
import pytest

from hornbeam.core.tensor import from_host
from hornbeam.core.variable import Variable
from hornbeam.keras import constraints

CASES = [
    ("MaxNorm", {}),
    ("MaxNorm", {"max_value": 0.7, "axis": 1}),
    ("MaxNorm", {"max_value": 1, "axis": [0, 1]}),
    ("NonNeg", {}),
    ("UnitNorm", {}),
    ("UnitNorm", {"axis": [0, 1]}),
    ("MinMaxNorm", {}),
    ("MinMaxNorm", {"min_value": 1.5, "max_value": 2.0, "rate": 0.4, "axis": 1}),
]
WEIGHT = np.random.default_rng(0).normal(size=(6, 5)).astype("float32")
WEIGHT[:, 2] = 0


@pytest.mark.parametrize(("name", "arguments"), CASES)
@pytest.mark.parametrize("dtype", ["float32", "float16"])
def test_values(name, arguments, dtype):
    ours = getattr(constraints, name)(**arguments)
    theirs = getattr(keras.constraints, name)(**arguments)
    weight = WEIGHT.astype(dtype)
    expected = np.asarray(theirs(weight))
    found = ours(from_host(weight))
    assert found.dtype == expected.dtype
    np.testing.assert_allclose(found, expected, rtol=1e-6 if dtype == "float32" else 2e-3)
    np.testing.assert_allclose(ours(Variable(weight)), expected, rtol=1e-6 if dtype == "float32" else 2e-3)


@pytest.mark.parametrize(("name", "arguments"), CASES)
def test_configs_equal_those_of_keras_and_cross_over(name, arguments):
    ours = constraints.serialize(getattr(constraints, name)(**arguments))
    assert ours == keras.constraints.serialize(getattr(keras.constraints, name)(**arguments))
    assert constraints.serialize(constraints.deserialize(ours)) == ours
    assert keras.constraints.serialize(keras.constraints.deserialize(ours)) == ours


@pytest.mark.parametrize("name", sorted(set(keras.src.constraints.ALL_OBJECTS_DICT)))
def test_every_name_of_keras_is_known(name):
    assert type(constraints.get(name)).__name__ == type(keras.constraints.get(name)).__name__


def test_get():
    assert constraints.get(None) is None
    assert constraints.get(abs) is abs
    assert constraints.max_norm(3).max_value == 3
    weight = from_host(WEIGHT)
    assert constraints.Constraint()(weight) is weight
    with pytest.raises(ValueError, match="did you mean 'non_neg'"):
        constraints.get("nonneg")


def test_public_names_are_those_of_keras():
    assert set(constraints.__all__) == {name for name in vars(keras.constraints) if not name.startswith("_")}
