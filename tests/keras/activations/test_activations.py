"""Activation functions: values and gradients of Keras, and their names."""

import inspect

import jax
import keras
import numpy as np
import pytest

from hornbeam.core.tape import GradientTape
from hornbeam.core.tensor import from_host
from hornbeam.keras import activations

X = np.concatenate([np.linspace(-8, 8, 33), [-3.0, -0.5, 0.5, 3.0, 6.0, 1e-3, 20.0]]).astype("float32").reshape(4, 10)
NAMES = sorted(
    name
    for name in vars(keras.activations)
    if not name.startswith("_") and name not in ("get", "serialize", "deserialize")
)
ARGUMENTS = [
    ("relu", {"negative_slope": 0.3}),
    ("relu", {"max_value": 4.0}),
    ("relu", {"max_value": 6}),
    ("relu", {"threshold": 1.5}),
    ("relu", {"negative_slope": 0.1, "max_value": 3.0, "threshold": 0.7}),
    ("relu", {"negative_slope": 0.1, "max_value": 6.0}),
    ("gelu", {"approximate": True}),
    ("elu", {"alpha": 0.4}),
    ("celu", {"alpha": 0.4}),
    ("leaky_relu", {"negative_slope": 0.05}),
    ("softmax", {"axis": 0}),
    ("squareplus", {"b": 1.5}),
    ("soft_shrink", {"threshold": 1.0}),
    ("hard_shrink", {"threshold": 1.0}),
]


@pytest.mark.parametrize(("name", "arguments"), [*((name, {}) for name in NAMES), *ARGUMENTS])
def test_values_and_gradients(name, arguments):
    if name == "threshold":
        arguments = {"threshold": 0.5, "default_value": -2.0}
    theirs, ours = getattr(keras.activations, name), getattr(activations, name)
    weights = np.random.default_rng(1).normal(size=np.shape(theirs(X, **arguments))).astype("float32")
    slope = jax.grad(lambda x: (theirs(x, **arguments) * weights).sum())(X)
    x = from_host(X)
    with GradientTape() as tape:
        tape.watch(x)
        out = ours(x, **arguments)
    # Absolute: `1 + tanh(x)` near -1 keeps few digits, and how they are rounded depends on the fusion.
    np.testing.assert_allclose(out, theirs(X, **arguments), rtol=2e-6, atol=5e-7)
    np.testing.assert_allclose(tape.gradient(out, x, output_gradients=from_host(weights)), slope, rtol=2e-5, atol=2e-6)


@pytest.mark.parametrize("name", NAMES)
def test_signatures_are_those_of_keras(name):
    def face(function):
        return [(p.name, p.default) for p in inspect.signature(function).parameters.values()]

    assert face(getattr(activations, name)) == face(getattr(keras.activations, name))


@pytest.mark.parametrize("name", sorted(set(keras.src.activations.ALL_OBJECTS_DICT)))
def test_every_name_of_keras_is_known_and_stored_alike(name):
    ours, theirs = activations.get(name), keras.activations.get(name)
    assert activations.serialize(ours) == keras.activations.serialize(theirs)
    assert activations.deserialize(keras.activations.serialize(theirs)) is ours


def test_get():
    assert activations.get(None) is activations.linear
    assert activations.get(abs) is abs
    config = keras.saving.serialize_keras_object(keras.activations.tanh)
    assert activations.get(config) is activations.tanh
    with pytest.raises(ValueError, match=r"softmaxx \(did you mean 'softmax'\?\)"):
        activations.get("softmaxx")
    with pytest.raises(ValueError, match="Unknown activation function: 5"):
        activations.get(5)
    with pytest.raises(ValueError, match="cannot be serialized"):
        activations.serialize(None)


def test_public_names_are_those_of_keras():
    assert set(activations.__all__) == {*NAMES, "get", "serialize", "deserialize"}
