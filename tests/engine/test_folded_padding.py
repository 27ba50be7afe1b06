"""Padding before convolutions as a part of them: the same numbers from one array less."""

import jax
import jax.extend.core
import jax.numpy as jnp
import numpy as np
import pytest

from hornbeam import keras
from hornbeam.engine import conv, folded_padding, jax_compat, onednn, shared_values
from hornbeam.engine.flat_program import flatten

AVAILABLE, WHY = onednn.status()


def image(channels=4, size=9):
    return jnp.asarray(np.random.default_rng(0).normal(size=(2, size, size, channels)), "float32")


def kernel(window=3, channels=4, filters=6):
    return jnp.asarray(np.random.default_rng(1).normal(size=(window, window, channels, filters)), "float32")


def convolved(x, w, strides=(2, 2), padding=((0, 0), (0, 0)), dilation=(1, 1)):
    return conv.conv(x, w, strides, padding, dilation)


def padded(x, before=0, after=1, fill=0.0):
    sides = (before, after, 0)
    return jax.lax.pad(x, jnp.asarray(fill, x.dtype), ((0, 0, 0), sides, sides, (0, 0, 0)))


def names(function, *args):
    """Operations of a program before and after, and its results after."""
    written_out = flatten(jax.make_jaxpr(function)(*args))
    closed = folded_padding.fold(written_out)
    found = jax.jit(jax.extend.core.jaxpr_as_fun(closed))(*jax.tree_util.tree_leaves(args))
    before, after = ([equation.primitive.name for equation in one.eqns] for one in (written_out, closed))
    return before, after, found


def assert_same(found, expected):
    for one, other in zip(found, jax.tree_util.tree_leaves(expected), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-5)


@pytest.mark.parametrize(
    "function",
    [
        pytest.param(lambda x, w: convolved(padded(x), w), id="after"),
        pytest.param(lambda x, w: convolved(padded(x, 2, 1), w), id="both sides"),
        pytest.param(
            lambda x, w: convolved(padded(x, 1, 0), w, padding=((1, 1), (0, 2))), id="with padding of its own"
        ),
        pytest.param(lambda x, w: convolved(padded(x, 3, 3), w, dilation=(2, 2), strides=(1, 1)), id="dilated"),
        pytest.param(lambda x, w: convolved(padded(x), w[:, :, :1, :4]), id="depthwise"),
        pytest.param(lambda x, w: [convolved(p := padded(x), w), convolved(p, w * 2, (1, 1))], id="two convolutions"),
        pytest.param(lambda x, w: convolved(padded(padded(x), 1, 0), w), id="twice"),
    ],
)
def test_folded(function):
    x, w = image(), kernel()
    before, after, found = names(function, x, w)
    assert "pad" in before and after.count("pad") == (1 if before.count("pad") == 2 else 0)
    assert_same(found, function(x, w))


@pytest.mark.parametrize(
    "function",
    [
        pytest.param(lambda x, w: convolved(padded(x, fill=1.0), w), id="of ones"),
        pytest.param(lambda x, w: convolved(padded(x, fill=x[0, 0, 0, 0]), w), id="of a value"),
        pytest.param(lambda x, w: [convolved(p := padded(x), w), p], id="a result"),
        pytest.param(lambda x, w: convolved(p := padded(x), w) + p.sum(), id="another reader"),
        pytest.param(lambda x, w: convolved(padded(x, 3, 0), w), id="wider than the window"),
        pytest.param(lambda x, w: convolved(padded(x, -1, 1), w), id="cut off"),
        pytest.param(lambda x, w: convolved(jnp.pad(x, ((0, 1), (0, 0), (0, 0), (0, 0))), w), id="of samples"),
        pytest.param(
            lambda x, w: convolved(jnp.pad(x[..., :3], ((0, 0), (0, 0), (0, 0), (0, 1))), w), id="of channels"
        ),
        pytest.param(lambda x, w: convolved(x, jnp.pad(w, ((0, 1), (0, 1), (0, 0), (0, 0)))), id="of the kernel"),
        pytest.param(
            lambda x, w: convolved(jax.lax.pad(x, 0.0, ((0, 0, 0), (0, 0, 1), (0, 0, 1), (0, 0, 0))), w),
            id="between elements",
        ),
    ],
)
def test_others_stay(function):
    x, w = image(), kernel()
    before, after, found = names(function, x, w)
    assert before == after and "pad" in after
    assert_same(found, function(x, w))


@pytest.mark.skipif(not AVAILABLE, reason=f"gradients are operations of their own where oneDNN is: {WHY}")
def test_gradients():
    x, w = image(), kernel()

    def loss(x, w):
        return (convolved(padded(jnp.tanh(x)), w) ** 2).sum()

    before, after, found = names(jax.grad(loss, (0, 1)), x, w)
    assert after.count("pad") < before.count("pad")
    assert_same(found, jax.grad(loss, (0, 1))(x, w))


def test_training_and_prediction_are_the_same(monkeypatch):
    def history():
        keras.utils.set_random_seed(3)
        model = keras.Sequential([keras.Input((17, 17, 8))])
        for depthwise in (False, True, False):
            model.add(keras.layers.ZeroPadding2D(((0, 1), (0, 1))))
            one = keras.layers.DepthwiseConv2D(3, 2) if depthwise else keras.layers.Conv2D(16, 3, activation="relu")
            model.add(one)
        model.add(keras.layers.GlobalAveragePooling2D())
        model.compile(keras.optimizers.SGD(0.05), "mse")
        data = np.random.default_rng(0).normal(size=(12, 17, 17, 8)).astype("float32")
        losses = model.fit(data, np.ones((12, 16)), batch_size=4, epochs=3, shuffle=False, verbose=0).history["loss"]
        return [*losses, *model.predict(data, verbose=0).ravel()]

    folded = history()
    monkeypatch.setattr(shared_values, "pays", lambda jaxpr: False)
    np.testing.assert_allclose(folded, history(), rtol=2e-4, atol=2e-5)


def test_programs_with_nothing_to_fold_are_themselves():
    closed, _ = jax_compat.capture_jaxpr(lambda x, w: convolved(x, w), (image(), kernel()))
    assert folded_padding.fold(closed) is closed
