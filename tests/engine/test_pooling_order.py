"""Bias and activation behind max-pooling: the same numbers by less work."""

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.experimental import io_callback

from hornbeam import keras
from hornbeam.engine import max_pool, onednn, pooling_order, whole_program
from hornbeam.engine.window import Window

pytestmark = pytest.mark.numeric
PAIRS = Window(1, (2, 2), (2, 2), ((0, 0), (0, 0)))
WINDOWS = {
    "side by side": PAIRS,
    "overlapping, padded": Window(1, (3, 3), (2, 2), ((1, 0), (0, 1))),
    "apart": Window(1, (2, 2), (3, 3), ((0, 0), (0, 0))),
}


def random(*shape):
    return np.random.default_rng(sum(shape)).standard_normal(shape).astype("float32")


def both(function, *args):
    """Results of a program as it was captured and as it is changed; and the program."""
    closed = jax.make_jaxpr(function)(*args)
    flat = jax.tree_util.tree_leaves(args)
    plain = jax.jit(lambda *arrays: jax.core.eval_jaxpr(closed.jaxpr, closed.consts, *arrays))(*flat)
    changed = jax.jit(lambda *arrays: pooling_order.evaluate(closed, closed.consts, arrays))(*flat)
    return plain, changed, closed


def sizes_of(closed, flat, name):
    """Sizes of the results of one operation in the changed program."""
    text = jax.make_jaxpr(lambda *arrays: pooling_order.evaluate(closed, closed.consts, arrays))(*flat)
    return [eqn.outvars[0].aval.size for eqn in text.jaxpr.eqns if eqn.primitive.name == name]


def block(y, bias, window=PAIRS):
    return max_pool.max_pool(jax.nn.relu(y + bias), window)


@pytest.mark.parametrize("name", WINDOWS)
def test_values_and_gradients(name):
    y, bias = random(3, 9, 8, 5), random(5)

    def function(y, bias):
        out, pull = jax.vjp(lambda y, bias: block(y, bias, WINDOWS[name]), y, bias)
        return out, pull(jnp.cos(out))

    plain, changed, closed = both(function, y, bias)
    np.testing.assert_array_equal(changed[0], plain[0])  # to the last bit
    np.testing.assert_array_equal(changed[1], plain[1])
    np.testing.assert_allclose(changed[2], plain[2], rtol=1e-5, atol=1e-5)  # a sum in another order
    pooled = plain[0].size
    assert sizes_of(closed, [y, bias], "add") == [pooled]
    assert sizes_of(closed, [y, bias], "gt") == [pooled]
    assert sizes_of(closed, [y, bias], max_pool.PUT_BACK) == [y.size]


def test_not_a_number_stays():
    y = random(2, 4, 4, 3)
    y[0, 1, 1, 0], y[1, :2, :2, 2] = np.nan, -np.inf
    plain, changed, _ = both(block, y, random(3))
    assert np.isnan(plain[0]).sum() == 1
    np.testing.assert_array_equal(changed[0], plain[0])


def shared(y, bias):
    """The activation is wanted itself: it would be done twice."""
    active = jax.nn.relu(y + bias)
    return max_pool.max_pool(active, PAIRS), active


@pytest.mark.parametrize(
    "function",
    [
        shared,
        lambda y, b: (max_pool.max_pool(jnp.sin(y + b), PAIRS),),  # no growing function
        lambda y, b: (max_pool.max_pool(y + y[::-1], PAIRS),),  # not the same all over a window
        lambda y, b: (max_pool.max_pool(y + y[:, :1], PAIRS),),
        lambda y, b: (max_pool.max_pool(y, PAIRS),),
    ],
    ids=["also used", "sine", "two arrays", "uneven", "nothing before"],
)
def test_others_stay(function):
    y, bias = random(2, 6, 6, 3), random(3)
    plain, changed, closed = both(function, y, bias)
    for one, other in zip(plain, changed, strict=True):
        np.testing.assert_array_equal(other, one)
    (spec,) = [
        eqn.params["spec"]
        for eqn in jax.make_jaxpr(lambda *a: pooling_order.evaluate(closed, closed.consts, a))(y, bias).jaxpr.eqns
        if eqn.primitive.name == max_pool.LARGEST
    ]
    assert spec.shape == y.shape
    assert not any(size == plain[0].size for size in sizes_of(closed, [y, bias], "add"))


def test_whole_numbers_may_overflow_and_stay():
    y = np.full((1, 2, 2, 1), 120, "int8")
    y[0, 0, 0, 0] = 127
    plain, changed, _ = both(lambda y: (max_pool.max_pool(y + jnp.int8(5), PAIRS),), y)
    assert plain[0].ravel()[0] == 125
    np.testing.assert_array_equal(changed[0], plain[0])


def test_images_of_one_pixel():
    y, bias = random(2, 1, 1, 8), random(8)
    windows = (Window(1, (1, 1), (1, 1), ((0, 0), (0, 0))), Window(1, (2, 2), (1, 1), ((0, 1), (0, 1))))
    for window in windows:
        plain, changed, _ = both(lambda y, bias, window=window: block(y, bias, window), y, bias)
        np.testing.assert_array_equal(changed[0], plain[0])
    wide = Window(1, (2, 2), (1, 1), ((1, 1), (1, 1)))

    def gradient(x, bias):
        return jax.grad(lambda x: jnp.sum(max_pool.max_pool(jax.nn.relu(x + x[..., ::-1] * bias), wide)))(x)

    plain, changed, _ = both(gradient, y, bias)
    np.testing.assert_array_equal(changed[0], plain[0])


def test_windows_of_padding_alone_hold_nothing():
    window = Window(1, (2, 2), (2, 2), ((2, 0), (2, 0)))
    plain, changed, _ = both(lambda y, bias: block(y, bias, window), random(1, 4, 4, 3), random(3))
    assert np.all(np.isneginf(plain[0][0, 0]))
    np.testing.assert_array_equal(changed[0], plain[0])


def test_long_chains():
    """The sum over many variables of `global_clipnorm`, for one."""

    def function(y, bias):
        total = jnp.zeros(())
        for number in range(1500):
            total = total + bias[number % 3]
        x = block(y, bias)
        for _ in range(40):
            y = y + bias
        return x, total, block(y, bias)

    plain, changed, _ = both(function, random(1, 4, 4, 3), random(3))
    for one, other in zip(plain, changed, strict=True):
        np.testing.assert_allclose(other, one, rtol=1e-5)


def test_calls_of_the_host_keep_their_order():
    """Those with results and those without, one of which takes the pooled array before the activation is asked for."""
    seen = []

    def note(name, array):
        seen.append((name, float(np.sum(array))))

    def counted(array):
        note("with a result", array)
        return np.float32(len(seen))

    def function(y, bias):
        active = jax.nn.relu(y + bias)
        pooled = max_pool.max_pool(active, PAIRS)
        io_callback(counted, jax.ShapeDtypeStruct((), "float32"), pooled, ordered=True)
        io_callback(lambda array: note("without", array), None, pooled, ordered=True)
        return pooled, jnp.sin(active)

    plain, changed, _ = both(function, random(2, 4, 4, 3), random(3))
    jax.effects_barrier()
    for one, other in zip(plain, changed, strict=True):
        np.testing.assert_array_equal(other, one)
    assert [name for name, _ in seen] == ["with a result", "without"] * 2
    assert len({total for _, total in seen}) == 1


def test_only_where_convolutions_are_calls(monkeypatch):
    program = jax.make_jaxpr(block)(random(2, 4, 4, 3), random(3)).jaxpr
    monkeypatch.setattr(onednn, "_found", lambda: (None, "not installed"))
    assert not pooling_order.pays(program)
    monkeypatch.setattr(onednn, "_found", lambda: (object(), "installed"))
    assert pooling_order.pays(program) == (jax.default_backend() == "cpu" and jax.device_count() == 1)
    assert not pooling_order.pays(jax.make_jaxpr(jnp.sin)(1.0).jaxpr)


def network():
    keras.utils.set_random_seed(3)
    layers = keras.layers
    model = keras.Sequential(
        [
            layers.Input((19, 18, 3)),
            layers.Conv2D(16, 3, padding="same", activation="relu"),
            layers.MaxPooling2D(),
            layers.Conv2D(24, 3, padding="same", use_bias=False),
            layers.BatchNormalization(),
            layers.ReLU(),
            layers.MaxPooling2D(3, 2, padding="same"),
            layers.Conv2D(8, 3, activation="relu6"),
            layers.Dropout(0.1, seed=1),
            layers.MaxPooling2D(2),
            layers.Flatten(),
            layers.Dense(10),
        ]
    )
    model.compile("adam", keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    return model


def test_training_and_prediction_are_the_same(monkeypatch):
    x, y = random(16, 19, 18, 3), np.arange(16) % 10
    found = []
    for changed in (True, False):
        calls = []
        original = pooling_order.evaluate
        monkeypatch.setattr(pooling_order, "evaluate", lambda *args, f=original, c=calls: c.append(1) or f(*args))
        monkeypatch.setattr(pooling_order, "pays", lambda _, changed=changed: changed)
        monkeypatch.setattr(whole_program.layout, "pays", lambda _: False)
        model = network()
        history = model.fit(x, y, batch_size=8, epochs=3, shuffle=False, verbose=0).history
        found.append((history["loss"], model.predict(x, verbose=0), model.get_weights()))
        assert bool(calls) == changed
    (losses, outputs, weights), (plain_losses, plain_outputs, plain_weights) = found
    np.testing.assert_allclose(losses, plain_losses, rtol=1e-5)
    np.testing.assert_allclose(outputs, plain_outputs, rtol=1e-4, atol=1e-4)
    for one, other in zip(weights, plain_weights, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-4, atol=1e-4)
    assert plain_losses[-1] < plain_losses[0]
