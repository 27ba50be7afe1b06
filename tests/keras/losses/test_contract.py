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
REDUCTIONS = ["sum_over_batch_size", "mean", "sum", "none", None, "mean_with_sample_weight"]
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


def with_mask(array, mask):
    ours, theirs = from_host(array), keras.ops.convert_to_tensor(array)
    ours._keras_mask = from_host(mask)
    keras.src.backend.set_keras_mask(theirs, keras.ops.convert_to_tensor(mask))
    return ours, theirs


@pytest.mark.parametrize(("name", "options", "kind"), FLAT, ids=IDS)
def test_values_and_gradients(name, options, kind):
    y_true, y_pred = data(kind)
    for reduction in REDUCTIONS[:1] + REDUCTIONS[3:4]:
        ours, theirs = both(name, options, reduction=reduction)
        np.testing.assert_allclose(to_numpy(ours(y_true, y_pred)), np.asarray(theirs(y_true, y_pred)), **TOLERANCE)
    ours, theirs = both(name, options)
    predictions = from_host(y_pred)
    with GradientTape() as tape:
        tape.watch(predictions)
        value = ours(y_true, predictions)
    gradient = tape.gradient(value, predictions).numpy()
    expected = np.asarray(jax.grad(lambda p: theirs(y_true, p))(jax.numpy.asarray(y_pred)))
    np.testing.assert_allclose(gradient, expected, rtol=2e-5, atol=1e-6)


@pytest.mark.parametrize("name", CASES)
def test_reductions_with_weights_and_masks(name):
    options, kind = CASES[name][0]
    y_true, y_pred = data(kind)
    rng = np.random.default_rng(7)
    count = np.shape(both(name, options, reduction="none")[1](y_true, y_pred))
    weights = [None, 0.5] if count == () else [None, 0.5, rng.uniform(size=count[:1]).astype("float32")]
    masks = [None] if count == () else [None, np.arange(count[0]) % 2 == 0, np.zeros(count[0], bool)]
    for reduction in REDUCTIONS:
        ours, theirs = both(name, options, reduction=reduction)
        for weight in weights:
            for mask in masks:
                mine, its = with_mask(y_pred, mask) if mask is not None else (y_pred, y_pred)
                np.testing.assert_allclose(
                    to_numpy(ours(y_true, mine, weight)),
                    np.asarray(theirs(y_true, its, weight)),
                    **TOLERANCE,
                    err_msg=f"{reduction} {weight} {mask}",
                )


@pytest.mark.parametrize("name", CASES)
def test_narrow_dtype(name):
    """A float16 loss is near the float32 one (closer than the oracle, which adds up in float16), and is float16."""
    options, kind = CASES[name][0]
    y_true, y_pred = data(kind)
    for dtype, tolerance in (("float16", 4e-3), ("bfloat16", 4e-2)):
        ours = getattr(losses, name)(**options, dtype=dtype)
        value = ours(y_true, y_pred)
        assert value.dtype == dtype == ours.dtype
        exact = float(getattr(losses, name)(**options)(y_true, y_pred))
        if name not in ("Circle", "MeanAbsolutePercentageError"):  # both blow small differences of inputs up
            assert abs(float(value) - exact) <= tolerance * max(1.0, abs(exact))
        assert np.isfinite(float(value))


@pytest.mark.parametrize("name", CASES)
def test_wide_dtype(name):
    options, kind = CASES[name][0]
    y_true, y_pred = data(kind)
    value = getattr(losses, name)(**options, dtype="float64")(y_true, y_pred)
    assert value.dtype == "float64"
    np.testing.assert_allclose(float(value), float(getattr(losses, name)(**options)(y_true, y_pred)), rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("name", CASES)
def test_wide_inputs_stay_in_the_dtype_of_the_loss(name):
    options, kind = CASES[name][0]
    y_true, y_pred = data(kind)
    ours = getattr(losses, name)(**options)
    wide = y_true.astype("int64" if y_true.dtype.kind == "i" else "float64"), y_pred.astype("float64")
    for given in (wide, tuple(map(from_host, wide)), (y_true.tolist(), y_pred.tolist())):
        value = ours(*given)
        assert value.dtype == "float32"
        np.testing.assert_allclose(float(value), float(ours(y_true, y_pred)), rtol=1e-5, atol=1e-6)


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


@pytest.mark.parametrize("name", CASES)
def test_batch_of_one(name):
    options, kind = CASES[name][0]
    y_true, y_pred = (part[:1] for part in data(kind))
    ours, theirs = both(name, options)
    np.testing.assert_allclose(float(ours(y_true, y_pred)), float(theirs(y_true, y_pred)), **TOLERANCE)
