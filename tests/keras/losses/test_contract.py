"""Every loss class: values, gradients, reductions, weights, masks, dtypes and configs equal the oracle's."""

from __future__ import annotations

import inspect

import jax
import keras
import numpy as np
import pytest

from hornbeam.core.tape import GradientTape
from hornbeam.core.tensor import Tensor, from_host
from hornbeam.keras import losses
from tests.keras.losses.cases import CASES, FLAT, IDS, data, to_numpy

pytestmark = pytest.mark.numeric
TOLERANCE = {"rtol": 1e-5, "atol": 1e-6}


def test_every_class_has_a_case():
    classes = {
        name
        for name in losses.__all__
        if inspect.isclass(getattr(losses, name)) and issubclass(getattr(losses, name), losses.Loss)
    }
    assert classes - {"Loss", "LossFunctionWrapper"} == set(CASES)


def both(name, options, **common):
    return getattr(losses, name)(**options, **common), getattr(keras.losses, name)(**options, **common)


def oracle(theirs, y_true, y_pred):
    """Value and gradient of the oracle, in one program: run op by op it takes seconds."""
    value, gradient = jax.jit(jax.value_and_grad(lambda p: theirs(y_true, p)))(jax.numpy.asarray(y_pred))
    return np.asarray(value), np.asarray(gradient)


@pytest.mark.parametrize(("name", "options", "kind"), FLAT, ids=IDS)
def test_values_and_gradients(name, options, kind):
    y_true, y_pred = data(kind)
    ours, theirs = both(name, options)
    predictions = from_host(y_pred)
    with GradientTape() as tape:
        tape.watch(predictions)
        value = ours(y_true, predictions)
    expected, expected_gradient = oracle(theirs, y_true, y_pred)
    np.testing.assert_allclose(value.numpy(), expected, **TOLERANCE)
    np.testing.assert_allclose(tape.gradient(value, predictions).numpy(), expected_gradient, rtol=2e-5, atol=1e-6)
    unreduced = to_numpy(getattr(losses, name)(**options, reduction="none")(y_true, y_pred))
    assert unreduced.dtype == np.float32
    if "ignore_class" not in options and name != "Circle":  # these mask values out of the mean
        np.testing.assert_allclose(unreduced.mean(), expected, **TOLERANCE)


@pytest.mark.parametrize("name", CASES)
def test_weights_and_masks(name):
    options, kind = CASES[name][0]
    y_true, y_pred = data(kind)
    shape = to_numpy(getattr(losses, name)(**options, reduction="none")(y_true, y_pred)).shape
    if shape == ():  # one value for the whole batch: nothing to mask, a weight scales it
        ours = getattr(losses, name)(**options)
        np.testing.assert_allclose(float(ours(y_true, y_pred, 0.5)), 0.5 * float(ours(y_true, y_pred)), rtol=1e-6)
        return
    weight = np.random.default_rng(7).uniform(size=shape).astype("float32")
    mask = np.arange(shape[0]) % 2 == 0
    ours, theirs = both(name, options)

    def masked(p):
        keras.src.backend.set_keras_mask(p, jax.numpy.asarray(mask))
        return theirs(y_true, p, weight)

    mine = from_host(y_pred)
    mine._keras_mask = from_host(mask)
    expected = np.asarray(jax.jit(masked)(jax.numpy.asarray(y_pred)))
    np.testing.assert_allclose(to_numpy(ours(y_true, mine, weight)), expected, **TOLERANCE)


@pytest.mark.parametrize("name", CASES)
def test_narrow_dtype(name):
    """A float16 loss is near the float32 one (closer than the oracle, which adds up in float16), and is float16."""
    options, kind = CASES[name][0]
    y_true, y_pred = data(kind)
    ours = getattr(losses, name)(**options, dtype="float16")
    value = ours(y_true, y_pred)
    assert value.dtype == "float16" == ours.dtype
    exact = float(getattr(losses, name)(**options)(y_true, y_pred))
    if name not in ("Circle", "MeanAbsolutePercentageError"):  # both blow small differences of inputs up
        assert abs(float(value) - exact) <= 4e-3 * max(1.0, abs(exact))
    assert np.isfinite(float(value))


@pytest.mark.parametrize("name", ["MeanSquaredError", "SparseCategoricalCrossentropy", "BinaryCrossentropy", "CTC"])
def test_wide_dtype_and_wide_inputs(name):
    options, kind = CASES[name][0]
    y_true, y_pred = data(kind)
    ours = getattr(losses, name)(**options)
    exact = getattr(losses, name)(**options, dtype="float64")(y_true, y_pred)
    assert exact.dtype == "float64"
    np.testing.assert_allclose(float(exact), float(ours(y_true, y_pred)), rtol=1e-5, atol=1e-6)
    wide = y_true.astype("int64" if y_true.dtype.kind == "i" else "float64"), y_pred.astype("float64")
    for given in (wide, tuple(map(from_host, wide)), (y_true.tolist(), y_pred.tolist())):
        value = ours(*given)
        assert value.dtype == "float32"
        np.testing.assert_allclose(float(value), float(exact), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize(("name", "options", "kind"), FLAT, ids=IDS)
def test_config(name, options, kind):
    ours, theirs = both(name, options)
    config, expected = ours.get_config(), theirs.get_config()
    lost = {"CosineSimilarity": {"axis"}, "Huber": {"delta"}}.get(name, set())  # the oracle forgets these arguments
    assert {key: value for key, value in config.items() if key not in lost} == expected
    y_true, y_pred = data(kind)
    for again in (type(ours).from_config(config), losses.deserialize(losses.serialize(ours))):
        assert type(again) is type(ours)
        assert again.get_config() == config
        assert np.array_equal(to_numpy(again(y_true, y_pred)), to_numpy(ours(y_true, y_pred)))
    assert losses.serialize(ours) | {"config": None} == keras.losses.serialize(theirs) | {"config": None}


@pytest.mark.parametrize("name", CASES)
def test_signature(name):
    ours, theirs = (inspect.signature(getattr(home, name).__init__).parameters for home in (losses, keras.losses))
    assert [(p.name, p.default) for p in ours.values()] == [(p.name, p.default) for p in theirs.values()]


@pytest.mark.parametrize("name", CASES)
def test_one_program_for_equal_shapes(name):
    options, kind = CASES[name][0]
    y_true, y_pred = (from_host(part) for part in data(kind))
    ours = getattr(losses, name)(**options)
    first = ours(y_true, y_pred)
    with jax.log_compiles(False), jax.no_tracing():
        second = getattr(losses, name)(**options)(y_true, y_pred)
    assert isinstance(second, Tensor)
    assert float(first) == float(second)
