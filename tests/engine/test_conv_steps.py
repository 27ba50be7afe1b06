"""Numbers per filter, sums and ReLU inside of convolutions: the same results by fewer passes."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from hornbeam import keras
from hornbeam.engine import conv, conv_steps, onednn, pooling_order, whole_program
from hornbeam.engine.conv_geometry import Geometry

pytestmark = pytest.mark.numeric
AVAILABLE, WHY = onednn.status()
needs_kernels = pytest.mark.skipif(not AVAILABLE, reason=f"oneDNN's kernels are not in use: {WHY}")
SAME = Geometry((1, 1), ((1, 1), (1, 1)), (1, 1), (1, 1))


def random(*shape, seed=0):
    return jnp.asarray(np.random.default_rng(seed + sum(shape)).standard_normal(shape), "float32")


X, W, V = random(4, 12, 10, 16), random(3, 3, 16, 16) / 12, random(3, 3, 16, 16, seed=1) / 12
EACH = [random(16, seed=seed) for seed in (2, 3, 4)]


def convolved(x, w):
    return conv.canonical(x, w, SAME)


def normalized(y, scale, shift):
    return y * scale[None, None, None] + shift


def programs(function, *args):
    """The results as captured and as changed, and the steps of the calls in the changed program."""
    closed = jax.make_jaxpr(function)(*args)
    changed = jax.jit(lambda *arrays: pooling_order.evaluate(closed, closed.consts, arrays))
    text = jax.make_jaxpr(lambda *arrays: pooling_order.evaluate(closed, closed.consts, arrays))(*args)
    steps = [eqn.params["spec"].steps for eqn in text.jaxpr.eqns if eqn.primitive.name == conv_steps.NAME]
    return jax.jit(function)(*args), changed(*args)[0], steps


def bias(x, w):
    return jax.nn.relu(convolved(x, w) + EACH[0])


def normalization(x, w):
    return jax.nn.relu(normalized(convolved(x, w) - EACH[2], EACH[0], EACH[1]))


def residual(x, w):
    return jax.nn.relu(x + normalized(convolved(x, w), EACH[0], EACH[1]))


def linear_residual(x, w):
    return (convolved(x, w) + EACH[0]) + x


def two_branches(x, w):
    return jax.nn.relu(normalized(convolved(x, w), EACH[0], EACH[1]) + (convolved(x, V) + EACH[2]))


@needs_kernels
@pytest.mark.parametrize(
    ("function", "expected"),
    [
        (bias, [("add", "relu")]),
        (normalization, [("subtract", "multiply", "add", "relu")]),
        (residual, [("multiply", "add", "add array", "relu")]),
        (linear_residual, [("add", "add array")]),
        (two_branches, [("add", "add array", "relu")]),
    ],
)
@pytest.mark.parametrize("batch", [4, 1])  # split along the batch, and along the rows
def test_chains(function, expected, batch):
    plain, changed, steps = programs(function, X[:batch], W)
    assert steps == expected
    np.testing.assert_allclose(changed, plain, rtol=2e-6, atol=2e-6)


@needs_kernels
@pytest.mark.parametrize(
    "function",
    [
        lambda x, w: convolved(x, w) + EACH[0],  # left to what reads it
        lambda x, w: (lambda y: jax.nn.relu(y + EACH[0]) + jnp.mean(y))(convolved(x, w)),  # wanted itself
        lambda x, w: (lambda y: jax.nn.relu(y) * jnp.exp(y))(convolved(x, w) + EACH[0]),
        lambda x, w: jnp.maximum(convolved(x, w), 1.0),
        lambda x, w: jax.nn.relu(jnp.sin(convolved(x, w))),
        lambda x, w: jax.nn.relu(EACH[0] - convolved(x, w)),
        lambda x, w: jax.nn.relu(convolved(x, w) * jnp.mean(x, -1, keepdims=True)),
        lambda x, w: jax.nn.relu(convolved(x.astype("bfloat16"), w.astype("bfloat16"))),
    ],
    ids=["no end", "used", "used later", "other bound", "sine", "turned round", "uneven", "bfloat16"],
)
def test_others_stay(function):
    plain, changed, steps = programs(function, X, W)
    assert not steps
    np.testing.assert_allclose(np.asarray(changed, "float32"), np.asarray(plain, "float32"), rtol=2e-6, atol=2e-6)


@needs_kernels
def test_not_a_number_and_zero():
    x = X.at[0, 5, 5, 3].set(jnp.nan)
    plain, changed, steps = programs(bias, x, W)
    assert steps
    assert 0 < np.isnan(plain).sum() < plain.size
    np.testing.assert_array_equal(np.isnan(changed), np.isnan(plain))
    assert np.any(plain == 0)
    assert not np.any(np.signbit(np.asarray(changed)[np.asarray(plain) == 0]))


@needs_kernels
def test_exported_programs_hold_no_foreign_calls():
    closed = jax.make_jaxpr(residual)(X, W)
    changed = jax.jit(lambda *arrays: pooling_order.evaluate(closed, closed.consts, arrays)[0])
    assert "hornbeam_conv_steps" in changed.lower(X, W).as_text()
    exported = jax.export.export(changed)(X, W)
    assert "custom_call @hornbeam" not in exported.mlir_module()
    np.testing.assert_allclose(exported.call(X, W), residual(X, W), rtol=1e-5, atol=1e-5)


@needs_kernels
@pytest.mark.parametrize("name", ["ResNet50V2", "MobileNetV2", "DenseNet121"])
def test_predictions_of_applications(name, monkeypatch):
    """Moving statistics that matter, as after training."""
    keras.utils.set_random_seed(5)
    rng = np.random.default_rng(6)
    model = getattr(keras.applications, name)(weights=None, input_shape=(64, 64, 3), classes=7)
    for weight in model.weights:
        last = weight.path.split("/")[-1]
        if last in ("gamma", "moving_variance"):
            weight.assign(rng.uniform(0.5, 1.5, weight.shape))
        elif last in ("beta", "bias", "moving_mean"):
            weight.assign(rng.normal(0, 0.1, weight.shape))
    x = rng.random((5, 64, 64, 3), "float32")
    calls = []
    run = conv_steps._run
    monkeypatch.setattr(conv_steps, "_run", lambda *args, **others: calls.append(1) or run(*args, **others))
    got = model.predict(x, batch_size=2, verbose=0)
    assert len(calls) > 5
    monkeypatch.setattr(whole_program.pooling_order, "pays", lambda _: False)
    plain = keras.models.clone_model(model)
    plain.set_weights(model.get_weights())
    np.testing.assert_allclose(got, plain.predict(x, batch_size=2, verbose=0), rtol=2e-5, atol=1e-6)
