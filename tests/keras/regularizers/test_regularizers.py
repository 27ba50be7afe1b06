"""Regularizers: values, gradients and configs of Keras."""

import jax
import keras
import numpy as np
import pytest

from hornbeam.core.tape import GradientTape
from hornbeam.core.tensor import from_host
from hornbeam.core.variable import Variable
from hornbeam.keras import regularizers

CASES = [
    ("L1", {}),
    ("L1", {"l1": 0.3}),
    ("L2", {}),
    ("L2", {"l2": 0.7}),
    ("L1L2", {}),
    ("L1L2", {"l1": 0.2, "l2": 0.5}),
    ("L1L2", {"l2": 0.5}),
    ("OrthogonalRegularizer", {}),
    ("OrthogonalRegularizer", {"factor": 0.4, "mode": "columns"}),
]
WEIGHT = np.random.default_rng(0).normal(size=(6, 5)).astype("float32")


@pytest.mark.parametrize(("name", "arguments"), CASES)
def test_values_and_gradients(name, arguments):
    ours = getattr(regularizers, name)(**arguments)
    theirs = getattr(keras.regularizers, name)(**arguments)
    value, slope = jax.value_and_grad(lambda w: 1.0 * theirs(w))(WEIGHT)
    x = from_host(WEIGHT)
    with GradientTape() as tape:
        tape.watch(x)
        out = ours(x)
    assert out.shape == ()
    np.testing.assert_allclose(out, value, rtol=1e-6)
    gradient = tape.gradient(out, x)
    np.testing.assert_allclose(np.zeros_like(WEIGHT) if gradient is None else gradient, slope, rtol=1e-5, atol=1e-8)
    np.testing.assert_allclose(ours(Variable(WEIGHT)), value, rtol=1e-6)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float64"])
def test_the_result_has_the_dtype_of_the_weight(dtype):
    for name in ("l1", "l2", "l1_l2"):
        value = regularizers.get(name)(from_host(WEIGHT.astype(from_host_dtype(dtype))))
        assert value.dtype == dtype


def from_host_dtype(name):
    return np.dtype(keras.src.backend.jax.core.jnp.dtype(name)) if name != "float64" else np.float64


@pytest.mark.parametrize(("name", "arguments"), CASES)
def test_configs_equal_those_of_keras_and_cross_over(name, arguments):
    ours = regularizers.serialize(getattr(regularizers, name)(**arguments))
    assert ours == keras.regularizers.serialize(getattr(keras.regularizers, name)(**arguments))
    assert regularizers.serialize(regularizers.deserialize(ours)) == ours
    assert keras.regularizers.serialize(keras.regularizers.deserialize(ours)) == ours


@pytest.mark.parametrize("name", sorted(set(keras.src.regularizers.ALL_OBJECTS_DICT)))
def test_every_name_of_keras_is_known(name):
    assert type(regularizers.get(name)).__name__ == type(keras.regularizers.get(name)).__name__


def test_get():
    assert regularizers.get(None) is None
    assert regularizers.get(abs) is abs
    assert regularizers.get(regularizers.L1).l1 == float(np.float32(0.01))
    assert regularizers.l1(0.5).l1 == 0.5
    with pytest.raises(ValueError, match="did you mean 'l1_l2'"):
        regularizers.get("l1_l22")
    with pytest.raises(ValueError, match="Unknown regularizer: 7"):
        regularizers.get(7)


@pytest.mark.parametrize("value", [-1.0, float("nan"), float("inf"), "a"])
def test_factors_are_checked(value):
    with pytest.raises(ValueError, match="finite number of at least 0"):
        regularizers.L2(value)


def test_orthogonal_needs_a_matrix():
    with pytest.raises(ValueError, match="rank 2"):
        regularizers.OrthogonalRegularizer()(from_host(np.ones((2, 3, 4), "float32")))
    with pytest.raises(ValueError, match="did you mean 'rows'"):
        regularizers.OrthogonalRegularizer(mode="row")


def test_public_names_are_those_of_keras():
    assert set(regularizers.__all__) == {name for name in vars(keras.regularizers) if not name.startswith("_")}


def test_own_regularizers():
    class Mine(regularizers.Regularizer):
        def __call__(self, x):
            return 2.0

    assert regularizers.get(Mine())(None) == 2.0
    with pytest.raises(NotImplementedError, match="get_config"):
        Mine().get_config()
