"""Values that several passes read, held in memory: the same numbers, computed once."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from hornbeam import keras
from hornbeam.engine import conv, jax_compat, onednn, platform, shared_values, whole_program
from hornbeam.engine.flat_program import flatten

AVAILABLE, WHY = onednn.status()
needs_kernels = pytest.mark.skipif(
    not AVAILABLE or not platform.is_cpu() or jax.device_count() != 1,
    reason=f"values are held on single CPUs with oneDNN: {WHY}",
)
HOLD = "hornbeam_hold"
PAIRS = ((1, 1), (1, 1))


def image(seed, channels=32, size=24):
    return jnp.asarray(np.random.default_rng(seed).normal(size=(2, size, size, channels)), "float32")


def kernels(count, channels=32):
    return [
        jnp.asarray(np.random.default_rng(9 + n).normal(size=(3, 3, channels, channels)) / 17, "float32")
        for n in range(count)
    ]


def convolved(x, w):
    return conv.conv(x, w, (1, 1), PAIRS, (1, 1))


def residual(x, weights):
    """Sums that the next convolution and the next sum read."""
    for w in weights:
        x = jax.nn.relu(x + convolved(x, w) * 0.5)
    return x


def run(function, *args):
    """As whole programs are compiled."""
    closed, shape = jax_compat.capture_jaxpr(function, args)
    flat_args = jax.tree_util.tree_leaves(args)
    compiled = (
        jax.jit(lambda *arrays: whole_program.evaluate(closed, closed.consts, arrays)).lower(*flat_args).compile()
    )
    results = compiled(*flat_args)
    return jax.tree_util.tree_unflatten(jax.tree_util.tree_structure(shape), results), compiled.as_text()


# --- programs without calls ----------------------------------------------------------------------
@jax.jit
def _called(x, y):
    return jnp.sin(x) + y, jnp.cumsum(y) * np.arange(4.0)


def test_flat_programs_are_the_same():
    table = jnp.arange(4.0) ** 2

    def function(x, y):
        first, second = _called(x, y)
        third, _ = _called(second, first + table)  # the same program again, and a result that nobody takes
        return jax.nn.relu(third), 3.0, x, jax.nn.softplus(first)

    args = jnp.linspace(-1, 1, 4), jnp.ones(4)
    closed = jax.make_jaxpr(function)(*args)
    written_out = flatten(closed)
    assert all(jax_compat.called_program(equation) is None for equation in written_out.eqns)
    assert len(written_out.jaxpr.constvars) == len(written_out.consts) >= len(closed.consts)
    found = jax.core.eval_jaxpr(written_out.jaxpr, written_out.consts, *args)
    for one, other in zip(found, function(*args), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-6)


# --- held values ---------------------------------------------------------------------------------
@needs_kernels
@pytest.mark.parametrize("blocks", [1, 2, 5])
def test_residual_blocks(blocks):
    x, weights = image(0), kernels(blocks)
    found, text = run(residual, x, weights)
    # The last sum is read by nobody else, and the input lies in memory anyway.
    assert text.count(f'custom_call_target="{HOLD}"') == blocks - 1
    np.testing.assert_allclose(found, residual(x, weights), rtol=2e-5, atol=2e-5)


@needs_kernels
def test_gradients_of_residual_blocks():
    x, weights = image(0), kernels(4)

    def loss(x, weights):
        return (residual(x, weights) ** 2).mean()

    found, text = run(jax.grad(loss, (0, 1)), x, weights)
    expected = jax.grad(loss, (0, 1))(x, weights)
    assert text.count(f'custom_call_target="{HOLD}"') >= 3
    for one, other in zip(jax.tree_util.tree_leaves(found), jax.tree_util.tree_leaves(expected), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-4 * float(jnp.abs(other).max()))


@needs_kernels
@pytest.mark.parametrize(
    "function",
    [
        pytest.param(lambda x, w: convolved(jax.nn.relu(x + x), w), id="one reader"),
        pytest.param(lambda x, w: (convolved(y := jax.nn.relu(x * 2), w), y + 1), id="one array to read"),
        pytest.param(lambda x, w: (y := x + convolved(x, w)) * jnp.tanh(y), id="no kernel reads it"),
        pytest.param(lambda x, w: residual(x[:, :8, :8], [w, w]), id="small"),
        pytest.param(lambda x, w: (convolved(y := x + w[0, 0, 0], w), y + 1), id="a vector costs nothing to read"),
        pytest.param(lambda x, w: (convolved(y := x + x.mean((1, 2), keepdims=True), w), y + 1), id="nor do means"),
    ],
)
def test_what_need_not_be_held(function):
    (w,) = kernels(1)
    found, text = run(function, image(0), w)
    assert f'custom_call_target="{HOLD}"' not in text
    for one, other in zip(
        jax.tree_util.tree_leaves(found), jax.tree_util.tree_leaves(function(image(0), w)), strict=True
    ):
        np.testing.assert_allclose(one, other, rtol=2e-5, atol=2e-5)


def test_nothing_changes_without_kernels(monkeypatch):
    monkeypatch.setattr(onednn, "_found", lambda: (None, "not installed"))
    closed = jax.make_jaxpr(residual)(image(0), kernels(3))
    assert not shared_values.pays(closed.jaxpr)


def test_programs_without_convolutions_stay_as_they_are():
    assert not shared_values.pays(jax.make_jaxpr(lambda x: jax.nn.relu(x @ x))(jnp.ones((64, 64))).jaxpr)


@needs_kernels
def test_training_and_prediction_are_the_same(monkeypatch):
    def history():
        keras.utils.set_random_seed(3)
        inputs = keras.Input((24, 24, 32))
        x = inputs
        for _ in range(3):
            y = keras.layers.BatchNormalization()(keras.layers.Conv2D(32, 3, padding="same")(x))
            x = keras.layers.ReLU()(keras.layers.Add()([x, y]))
        x = keras.layers.MaxPooling2D()(x)
        model = keras.Model(inputs, keras.layers.Dense(3)(keras.layers.GlobalAveragePooling2D()(x)))
        model.compile(keras.optimizers.SGD(0.05), "mse")
        data = np.random.default_rng(0).normal(size=(12, 24, 24, 32)).astype("float32")
        losses = model.fit(data, np.ones((12, 3)), batch_size=4, epochs=3, shuffle=False, verbose=0).history["loss"]
        return [*losses, *model.predict(data, verbose=0).ravel()]

    held = history()
    monkeypatch.setattr(shared_values, "hold_shared", lambda closed: closed)
    np.testing.assert_allclose(held, history(), rtol=2e-4, atol=2e-5)
