"""Programs with the order of axes chosen in memory give what they give without it."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from hornbeam import keras
from hornbeam.engine import batch_minor, conv, layout, max_pool, platform, pool
from hornbeam.engine.conv_geometry import Geometry
from hornbeam.engine.window import Window
from tests.engine.test_conv import CASES

pytestmark = pytest.mark.numeric


@pytest.fixture(autouse=True)
def without_onednn(monkeypatch):
    """Programs take this order of axes only where convolutions are XLA's own."""
    monkeypatch.setattr(layout.onednn, "_found", lambda: (None, "not installed"))


def both(function, *args):
    """Results as captured and with axes in memory where they suit."""
    closed = jax.make_jaxpr(function)(*args)
    flat = jax.tree_util.tree_leaves(args)
    plain = jax.jit(lambda *arrays: jax.core.eval_jaxpr(closed.jaxpr, closed.consts, *arrays))(*flat)
    ordered = jax.jit(lambda *arrays: layout.evaluate(closed, closed.consts, arrays))(*flat)
    return plain, ordered, closed


def check(function, *args, tolerance=2e-5):
    plain, ordered, closed = both(function, *args)
    assert len(plain) == len(ordered) > 0
    for one, other in zip(plain, ordered, strict=True):
        assert one.shape == other.shape
        assert one.dtype == other.dtype
        scale = max(1.0, float(jnp.max(jnp.abs(one)))) if one.size else 1.0
        np.testing.assert_allclose(np.asarray(other) / scale, np.asarray(one) / scale, atol=tolerance, rtol=0)
    return closed


def random(*shape):
    return np.random.default_rng(sum(shape)).standard_normal(shape).astype("float32")


@pytest.mark.parametrize("name", [name for name in CASES if name != "nothing left"])
def test_convolutions_and_gradients(name):
    sizes, window, channels, filters, spec = CASES[name]
    x, w = random(8, *sizes, channels), random(*window, channels // spec.groups, filters)
    check(
        jax.value_and_grad(lambda x, w: jnp.sum(jnp.sin(conv.canonical(x, w, spec))), (0, 1)),
        jnp.asarray(x),
        jnp.asarray(w),
    )


WIDE_PADS = {
    "one-d, wide pads": ((6,), (3,), Geometry((1,), ((4, 3),), (1,), (1,))),
    "two-d, tiny result": ((2, 2), (2, 2), Geometry((1, 1), ((1, 0), (1, 0)), (1, 1), (1, 1))),
    "three-d, dilated": ((4, 5, 4), (2, 2, 2), Geometry((1, 1, 1), ((1, 2), (0, 2), (2, 1)), (1, 1, 1), (1, 2, 2))),
    "cut on both sides": ((6, 7), (2, 3), Geometry((1, 1), ((-1, 2), (-2, -1)), (1, 1), (1, 1))),
    "spread input": ((4, 3), (3, 3), Geometry((1, 1), ((2, 2), (1, 3)), (2, 3), (1, 1))),
}


@pytest.mark.parametrize("name", WIDE_PADS)
def test_sums_of_shifted_products(name):
    """The form of input gradients, on geometries that gradients of common layers do not reach."""
    sizes, window, spec = WIDE_PADS[name]
    x, w = jnp.asarray(random(8, *sizes, 3)), jnp.asarray(random(*window, 3, 2))
    out, order = batch_minor._scattered(
        lambda order: jnp.transpose(x, order), lambda order: jnp.transpose(w, order), (x.shape, w.shape), spec
    )
    back = jnp.transpose(out, [order.index(axis) for axis in range(x.ndim)])
    np.testing.assert_allclose(back, conv.canonical(x, w, spec), atol=1e-5)


def same(k, stride=1):
    return Geometry((stride, stride), ((k // 2, k // 2),) * 2, (1, 1), (1, 1))


def test_chain_of_layers():
    """Pooling of both kinds, normalization, joined branches, padding, flattening and products on the way."""

    def loss(w1, w2, w3, dense, scale, x):
        h = conv.canonical(x, w1, same(3))
        mean = jnp.mean(h, (0, 1, 2), keepdims=True)
        h = (h - mean) * jax.lax.rsqrt(jnp.var(h, (0, 1, 2), keepdims=True) + 1e-3) * scale
        left = max_pool.max_pool(jax.nn.relu(h), Window(1, (2, 2), (2, 2), ((0, 0), (0, 0))))
        right = pool.average_pool(jnp.tanh(h), Window(1, (3, 3), (2, 2), ((0, 1), (0, 1))))
        h = jnp.concatenate([left, right], axis=-1)
        h = conv.canonical(jnp.pad(h, ((0, 0), (1, 1), (1, 0), (0, 0))), w2, same(3, 2))
        h = max_pool.max_pool(h, Window(1, (3, 2), (2, 1), ((1, 1), (0, 0))))
        h = jnp.where(h > 0, h, 0.1 * h) + conv.canonical(h, w3, same(1))
        h = jnp.transpose(h, (0, 3, 1, 2))[:, ::2] * jnp.arange(3.0)[None, :, None, None][:, : -(-h.shape[-1] // 2)]
        h = h.reshape(h.shape[0], -1)
        return jnp.mean(jax.nn.log_softmax(h @ dense)[:, 1]), (jnp.argmax(h @ dense, -1), mean)

    args = [random(3, 3, 2, 4), random(3, 3, 8, 6), random(1, 1, 6, 6), random(6, 5), random(4), random(8, 8, 6, 2)]
    closed = check(jax.value_and_grad(loss, range(5), has_aux=True), *map(jnp.asarray, args))
    assert layout.pays(closed.jaxpr) == platform.is_cpu()


def program_of(channels, filters, size=12, samples=8, dtype="float32"):
    x, w = jnp.zeros((samples, size, size, channels), dtype), jnp.zeros((3, 3, channels, filters), dtype)
    return jax.make_jaxpr(jax.grad(lambda w, x: jnp.sum(conv.canonical(x, w, same(3)) ** 2)))(w, x).jaxpr


def test_only_narrow_programs_change(monkeypatch):
    monkeypatch.setattr(platform, "is_cpu", lambda: True)
    assert layout.pays(program_of(1, 8))
    assert not layout.pays(program_of(32, 64))
    assert not layout.pays(program_of(1, 8, samples=2))
    assert not layout.pays(program_of(1, 8, dtype="bfloat16"))
    assert not layout.pays(jax.make_jaxpr(jnp.sin)(1.0).jaxpr)
    monkeypatch.setattr(platform, "is_cpu", lambda: False)
    assert not layout.pays(program_of(1, 8))


def trained(x, y):
    keras.utils.set_random_seed(3)
    model = keras.Sequential(
        [
            keras.Input((12, 12, 1)),
            keras.layers.Conv2D(6, 5, padding="same", activation="relu"),
            keras.layers.MaxPool2D(),
            keras.layers.Conv2D(8, 3),
            keras.layers.BatchNormalization(),
            keras.layers.ReLU(),
            keras.layers.AveragePooling2D(2),
            keras.layers.Dropout(0.2),
            keras.layers.Flatten(),
            keras.layers.Dense(4, activation="softmax"),
        ]
    )
    model.compile(keras.optimizers.SGD(0.1, momentum=0.9), "sparse_categorical_crossentropy", metrics=["accuracy"])
    history = model.fit(x, y, batch_size=16, epochs=2, verbose=0, shuffle=False)
    return history.history, model.get_weights(), model.predict(x, verbose=0), model.evaluate(x, y, verbose=0)


def test_training_is_the_same(monkeypatch):
    x, y = random(40, 12, 12, 1), np.arange(40) % 4
    calls = []
    evaluate = layout.evaluate
    monkeypatch.setattr(layout, "evaluate", lambda *args: calls.append(1) or evaluate(*args))
    ordered = trained(x, y)
    assert bool(calls) == platform.is_cpu()
    monkeypatch.setattr(layout, "pays", lambda jaxpr: False)
    plain = trained(x, y)
    assert plain[0].keys() == ordered[0].keys()
    for one, other in zip(jax.tree_util.tree_leaves(plain), jax.tree_util.tree_leaves(ordered), strict=True):
        np.testing.assert_allclose(other, one, atol=2e-5)


def test_a_convolution_and_its_kernel_gradient_share_the_patches():
    x, w = random(16, 9, 9, 2), random(3, 3, 2, 4)
    spec = Geometry((1, 1), ((1, 1), (1, 1)), (1, 1), (1, 1), 1)

    def both_ways(x, w):
        return jax.value_and_grad(lambda w: jnp.sum(conv.canonical(x, w, spec) ** 2))(w)

    closed = check(both_ways, x, w)
    text = jax.jit(lambda *a: layout.evaluate(closed, closed.consts, a)).lower(x, w).compile().as_text()
    # One matrix of 3 x 3 shifts, made once.
    assert text.count(" concatenate(") == 1
