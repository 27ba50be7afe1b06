"""Activation functions against Keras and against formulas in float64."""

import warnings

import jax
import jax.numpy as jnp
import keras
import numpy as np
import pytest
import scipy.special as special

from hornbeam.core.tape import GradientTape
from hornbeam.core.tensor import from_host
from hornbeam.ops import activations
from hornbeam.ops.rectified import rectified, rectified_up_to_6
from tests.ops.numpy.oracle import (
    COMPUTED,
    DTYPES,
    check_dtypes,
    check_gradients,
    check_keras,
    check_symbolic,
    numbers,
    struct,
)

PLAIN = [
    "relu", "relu6", "sigmoid", "sparse_sigmoid", "tanh_shrink", "softplus", "softsign", "sparse_plus", "silu",
    "log_sigmoid", "hard_sigmoid", "hard_silu", "selu", "hard_tanh", "gelu", "softmax", "log_softmax", "sparsemax",
]  # fmt: skip
WITH_OPTIONS = [
    ("gelu", {"approximate": False}),
    ("soft_shrink", {}),
    ("soft_shrink", {"threshold": 1.5}),
    ("hard_shrink", {}),
    ("squareplus", {}),
    ("squareplus", {"b": 0.3}),
    ("leaky_relu", {}),
    ("leaky_relu", {"negative_slope": 0.01}),
    ("elu", {"alpha": 1.7}),
    ("celu", {"alpha": 0.6}),
    ("glu", {}),
    ("glu", {"axis": -2}),
    ("softmax", {"axis": 0}),
    ("softmax", {"axis": (0, 1)}),
    ("log_softmax", {"axis": (1,)}),
    ("sparsemax", {"axis": 0}),
]
CASES = [(name, {}) for name in PLAIN] + WITH_OPTIONS


def takes(name, dtype, options):
    """Whether the Keras function takes that dtype at all; some refuse integers or truth values."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            jax.eval_shape(lambda x: getattr(keras.ops, name)(x, **options), struct(dtype, (4, 6)))
        except TypeError:
            return False
    return True


@pytest.mark.parametrize(("name", "options"), CASES)
def test_equal_keras_in_value_and_dtype(name, options):
    function = getattr(activations, name)
    for dtype in DTYPES:
        if not takes(name, dtype, options):
            assert function(from_host(numbers(dtype, (4, 6))), **options).dtype == "float32"
        elif dtype in ("int32", "float32") or (dtype in COMPUTED and not options):
            check_keras(function, numbers(dtype, (4, 6)), **options)
        else:
            check_dtypes(function, struct(dtype, (4, 6)), **options)


def test_threshold_equals_keras():
    for default in (0.5, -1):
        check_keras(activations.threshold, numbers("float32"), 0.25, default)
        check_dtypes(activations.threshold, struct("float16"), 0.25, default)
        check_dtypes(activations.threshold, struct("int32"), 1, -1)


@pytest.mark.parametrize(("name", "options"), CASES)
def test_gradients_equal_keras(name, options):
    check_gradients(getattr(activations, name), numbers("float32", (4, 6)), **options)


@pytest.mark.parametrize("name", [*PLAIN, "soft_shrink", "hard_shrink", "squareplus", "leaky_relu", "elu", "celu"])
def test_symbolic_shape_equals_eager_shape(name):
    check_symbolic(getattr(activations, name), numbers("float32", (4, 6)))


@pytest.mark.parametrize(
    ("name", "reference"),
    [
        ("sigmoid", special.expit),
        ("log_sigmoid", special.log_expit),
        ("softmax", lambda x: special.softmax(x, axis=-1)),
        ("log_softmax", lambda x: special.log_softmax(x, axis=-1)),
        ("softplus", lambda x: np.logaddexp(0, x)),
        ("silu", lambda x: x * special.expit(x)),
        ("relu", lambda x: np.maximum(x, 0)),
        ("tanh_shrink", lambda x: x - np.tanh(x)),
    ],
)
def test_64_bit_operands_keep_64_bits(name, reference):
    x = numbers("float64", (5, 7), -30, 30)
    out = getattr(activations, name)(from_host(x))
    assert out.dtype == "float64"
    np.testing.assert_allclose(out.numpy(), reference(x), rtol=2e-14, atol=1e-15)


def test_64_bit_integers_become_float32_but_are_only_clipped_by_relu():
    x = from_host(np.array([-2, 3], np.int64))
    assert activations.relu(x).dtype == "int64"
    assert activations.sigmoid(x).dtype == "float32"


@pytest.mark.parametrize(
    "name", ["softplus", "log_sigmoid", "sigmoid", "silu", "gelu", "elu", "celu", "squareplus", "selu"]
)
def test_gradients_are_finite_far_out(name):
    x = from_host(np.array([-1e30, -200.0, -88.0, 0.0, 88.0, 200.0, 1e30], np.float32)[1:-1])
    with GradientTape() as tape:
        tape.watch(x)
        y = getattr(activations, name)(x)
    gradient = tape.gradient(y, x).numpy()
    assert np.isfinite(gradient).all()
    expected = jax.vmap(jax.grad(getattr(keras.ops, name)))(jnp.asarray(x.numpy()))
    np.testing.assert_allclose(gradient, expected, rtol=1e-6)


def test_parameters_may_be_tensors_and_get_gradients():
    x, slope = from_host(np.array([-2.0, 3.0], np.float32)), from_host(np.array(0.5, np.float32))
    with GradientTape() as tape:
        tape.watch(slope)
        y = activations.leaky_relu(x, slope)
    np.testing.assert_array_equal(y.numpy(), [-1.0, 3.0])
    assert tape.gradient(y, slope).numpy() == -2.0


def test_softmax_over_one_element_warns():
    with pytest.warns(UserWarning, match="axis has size 1"):
        activations.softmax(from_host(np.ones((2, 1), np.float32)))


def test_glu_of_an_odd_axis_raises():
    with pytest.raises(ValueError, match="must be even"):
        activations.glu(from_host(np.ones((2, 3), np.float32)))


@pytest.mark.parametrize(("name", "inside"), [("relu", (1.0, 1.0)), ("relu6", (1.0, 0.0))])
def test_slopes_of_rectified_units(name, inside):
    """At the bounds and far out; between them are 1, and 7 for the second one."""
    x = np.array([-np.inf, -1.0, -0.0, 0.0, 1.0, 7.0, np.inf, np.nan], np.float32)
    x = np.append(x, np.float32(6)) if name == "relu6" else x
    with GradientTape() as tape:
        tape.watch(held := from_host(x))
        y = getattr(activations, name)(held)
    expected = np.array([0, 0, 0, 0, *inside, inside[1], 0, *([0] if name == "relu6" else [])], np.float32)
    assert np.array_equal(tape.gradient(y, held).numpy(), expected)
    assert np.isnan(y.numpy()[7])


def test_slopes_of_slopes_of_rectified_units():
    x = jnp.asarray([-1.0, 2.0, 8.0])
    for function, expected in ((rectified, [0, 12.0, 48.0]), (rectified_up_to_6, [0, 12.0, 0])):
        cube = jax.grad(lambda x, f=function: jnp.sum(f(x) ** 3))
        np.testing.assert_allclose(jax.jvp(cube, (x,), (jnp.ones(3),))[1], expected)
        found = jax.vmap(jax.grad(lambda x, f=function: f(x.astype(jnp.int32)) * x))(x)  # whole numbers have no slope
        np.testing.assert_allclose(found, function(x))
