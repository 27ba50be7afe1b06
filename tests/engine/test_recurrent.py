"""LSTM and GRU over whole sequences by oneDNN, against the loop in double precision, and layers that use them."""

import re

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax import export

from hornbeam import GradientTape, keras
from hornbeam.engine import onednn, recurrent
from tests.engine import other_process

pytestmark = pytest.mark.numeric
AVAILABLE, WHY = onednn.status()
needs_kernels = pytest.mark.skipif(not AVAILABLE, reason=f"oneDNN's kernels are not in use: {WHY}")

CELLS = {"lstm": (recurrent.lstm, recurrent._lstm_loop, 2), "gru": (recurrent.gru, recurrent._gru_loop, 1)}
# (batch, steps, features, units)
SIZES = [(32, 20, 24, 96), (7, 31, 5, 129), (1, 64, 64, 128), (5, 8, 300, 64), (33, 9, 1, 160)]
NAMES = ("hornbeam_lstm", "hornbeam_gru")


def operands(cell, sizes, dtype="float32"):
    batch, steps, features, units = sizes
    gates, states = (4, 2) if cell == "lstm" else (3, 1)
    bias = (gates * units,) if cell == "lstm" else (2, gates * units)
    rng = np.random.default_rng(units)

    def normal(*shape, scale=1.0):
        return jnp.asarray(scale * rng.standard_normal(shape), dtype)

    return [
        normal(batch, steps, features),
        *(normal(batch, units) for _ in range(states)),
        normal(features, gates * units, scale=features**-0.5),
        normal(units, gates * units, scale=units**-0.5),
        normal(*bias, scale=0.3),
    ]


def in_double(cell, arrays):
    """The loop, step by step in NumPy."""

    def sigmoid(x):
        return 1 / (1 + np.exp(-x))

    x, *states, kernel, inner_kernel, bias = (np.asarray(array, np.float64) for array in arrays)
    state, outputs, units = states[0], [], states[0].shape[1]
    for now in np.moveaxis(x, 1, 0):
        if cell == "lstm":
            gates = now @ kernel + state @ inner_kernel + bias
            enter, forget, candidate, leave = np.split(gates, 4, axis=-1)
            states[1] = sigmoid(forget) * states[1] + sigmoid(enter) * np.tanh(candidate)
            state = sigmoid(leave) * np.tanh(states[1])
        else:
            outer, inner = now @ kernel + bias[0], state @ inner_kernel + bias[1]
            update, reset = np.split(sigmoid((outer + inner)[:, : 2 * units]), 2, axis=-1)
            candidate = np.tanh(outer[:, 2 * units :] + reset * inner[:, 2 * units :])
            state = update * state + (1 - update) * candidate
        outputs.append(state)
    return np.stack(outputs, 1), state, *states[1:]


def is_one_call(function, *args):
    """Whether the compiled program calls oneDNN for a whole sequence."""
    text = jax.jit(function).lower(*args).as_text()
    return any(f"@{name}(" in text for name in NAMES)


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("sizes", SIZES, ids=str)
def test_values(cell, sizes):
    arrays = operands(cell, sizes)
    run = jax.jit(CELLS[cell][0])
    assert is_one_call(CELLS[cell][0], *arrays) == (AVAILABLE and onednn.takes_recurrent(cell, sizes, "float32"))
    for found, again, expected in zip(run(*arrays), run(*arrays), in_double(cell, arrays), strict=True):
        assert found.shape == expected.shape and found.dtype == np.float32
        np.testing.assert_allclose(found, expected, rtol=0, atol=2e-5)
        assert np.array_equal(found, again)  # to the last bit


@needs_kernels
def test_one_thread_and_several():
    script = (
        "from tests.engine.test_recurrent import *\n"
        "onednn._LEAST_RECURRENT = 0\n"
        "for sizes in [*SIZES, (3, 8, 1, 1), (2, 9, 17, 3)]:\n"
        "    for cell in CELLS:\n"
        "        assert onednn.takes_recurrent(cell, sizes, 'float32')\n"
        "        test_values(cell, sizes)\n"
        "print('right')\n"
    )
    for threads in ("1", "5"):
        assert other_process.run(script, NPROC=threads, HORNBEAM_ONEDNN_SPLIT="1") == "right\n"


@needs_kernels
def test_what_is_left_to_the_loop(monkeypatch):
    sizes = (32, 20, 64, 128)
    takes = onednn.takes_recurrent
    assert takes("lstm", sizes, "float32") and takes("gru", sizes, "float32")
    assert not takes("lstm", sizes, "bfloat16") and not takes("lstm", sizes, "float64")
    assert not takes("lstm", (320, 4, 64, 128), "float32")  # few steps
    assert not takes("gru", (8, 20, 16, 32), "float32")  # little work
    assert not takes("gru", (None, 20, 64, 128), "float32") and not takes("gru", (0, 20, 64, 128), "float32")
    monkeypatch.setattr(jax, "device_count", lambda *_: 2)
    assert not takes("lstm", sizes, "float32")


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize(
    "derive",
    [
        pytest.param(lambda f, x: jax.grad(f)(x), id="gradient"),
        pytest.param(lambda f, x: jax.jvp(f, (x,), (jnp.cos(x),))[1], id="forward mode"),
        pytest.param(lambda f, x: jax.vmap(f)(jnp.stack([x, 2 * x])), id="vmap"),
        pytest.param(lambda f, x: jax.vmap(jax.grad(f), 1, 1)(jnp.stack([x, 2 * x], 1)), id="vmap of gradients"),
        pytest.param(lambda f, x: jax.lax.scan(lambda c, s: (c + f(s * x), None), 0.0, jnp.arange(3.0))[0], id="loop"),
    ],
)
def test_derivatives(cell, derive):
    x, *others = operands(cell, (8, 12, 64, 96))
    run, loop, _ = CELLS[cell]

    def scored(layer):
        return lambda x: sum(jnp.sum(jnp.sin(3 * one)) for one in layer(x, *others))

    found, expected = (jax.jit(lambda x, f=f: derive(scored(f), x))(x) for f in (run, loop))
    np.testing.assert_allclose(found, expected, rtol=2e-4, atol=2e-4)


@needs_kernels
@pytest.mark.parametrize("cell", CELLS)
def test_exported_programs_run_anywhere(cell):
    arrays = operands(cell, SIZES[0])
    assert is_one_call(CELLS[cell][0], *arrays)
    exported = export.export(jax.jit(CELLS[cell][0]))(*arrays)
    assert not any(f"@{name}(" in exported.mlir_module() for name in NAMES)
    for found, expected in zip(exported.call(*arrays), in_double(cell, arrays), strict=True):
        np.testing.assert_allclose(found, expected, rtol=0, atol=2e-5)


@needs_kernels
def test_nan_reaches_its_own_sample_alone():
    x, *others = operands("lstm", SIZES[0])
    outputs = jax.jit(recurrent.lstm)(x.at[3, 10, 0].set(jnp.nan), *others)[0]
    expected = np.zeros(outputs.shape, bool)
    expected[3, 10:] = True
    assert np.array_equal(np.isnan(outputs), expected)


# --- layers --------------------------------------------------------------------------------------
X = np.random.default_rng(1).standard_normal((17, 24, 64), "f4")
LAYERS = {
    "all outputs": {"return_sequences": True},
    "last output": {},
    "states": {"return_state": True, "return_sequences": True},
    "backwards": {"go_backwards": True, "return_sequences": True, "return_state": True},
    "no bias": {"use_bias": False},
    "names of activations": {"activation": "tanh", "recurrent_activation": keras.activations.sigmoid},
    "dropout, which does not count here": {"dropout": 0.5, "recurrent_dropout": 0.5},
}
OTHERS = {
    "relu": {"activation": "relu"},
    "hard sigmoid": {"recurrent_activation": "hard_sigmoid"},
    "unrolled": {"unroll": True},
    "half": {"dtype": "mixed_bfloat16"},
}


@pytest.fixture
def calls(monkeypatch):
    """Sizes of the layers that were done as a whole."""
    seen = []
    usual = onednn.recurrent
    monkeypatch.setattr(
        onednn, "recurrent", lambda cell, x, *rest: (seen.append((cell, x.shape)), usual(cell, x, *rest))[1]
    )
    jax.clear_caches()
    return seen


def both(kind, options):
    """Our layer and that of the real Keras with the same weights."""
    import keras as real

    ours, theirs = getattr(keras.layers, kind)(96, **options), getattr(real.layers, kind)(96, **options)
    rng = np.random.default_rng(2)
    for layer in (ours, theirs):
        layer.build(X.shape)
    weights = [rng.standard_normal(weight.shape).astype("f4") / 8 for weight in theirs.get_weights()]
    ours.set_weights(weights)
    theirs.set_weights(weights)
    return ours, theirs


def flat(outputs):
    return [np.asarray(one) for one in (outputs if isinstance(outputs, (list, tuple)) else [outputs])]


@needs_kernels
@pytest.mark.parametrize("kind", ["LSTM", "GRU"])
@pytest.mark.parametrize("name", LAYERS)
def test_layers_equal_keras(kind, name, calls):
    options = dict(LAYERS[name])
    if "recurrent_activation" in options:
        options["recurrent_activation"] = "sigmoid"
    ours, theirs = both(kind, options)
    for found, expected in zip(flat(ours(X)), flat(theirs(X)), strict=True):
        np.testing.assert_allclose(found, expected, rtol=0, atol=2e-5)
    assert calls == [(kind.lower(), X.shape)]


@needs_kernels
@pytest.mark.parametrize("kind", ["LSTM", "GRU"])
@pytest.mark.parametrize("name", OTHERS)
def test_other_layers_take_the_loop(kind, name, calls):
    ours, theirs = both(kind, OTHERS[name])
    tolerance = 0.05 if "dtype" in OTHERS[name] else 2e-5
    np.testing.assert_allclose(*(np.asarray(layer(X), "f4") for layer in (ours, theirs)), rtol=0, atol=tolerance)
    assert not calls


@needs_kernels
def test_reset_before_the_product_masks_and_training_take_the_loop(calls):
    before, theirs = both("GRU", {"reset_after": False})
    np.testing.assert_allclose(before(X), theirs(X), rtol=0, atol=2e-5)
    ours, theirs = both("LSTM", {})
    mask = np.arange(24) < np.arange(17)[:, None] + 5
    np.testing.assert_allclose(ours(X, mask=mask), theirs(X, mask=mask), rtol=0, atol=2e-5)
    np.testing.assert_allclose(ours(X, training=True), theirs(X), rtol=0, atol=2e-5)
    assert not calls


@needs_kernels
@pytest.mark.parametrize("kind", ["LSTM", "GRU"])
def test_initial_states_and_stateful_layers(kind, calls):
    ours, theirs = both(kind, {"return_state": True})
    start = [np.random.default_rng(3).standard_normal((17, 96)).astype("f4") for _ in range(2 if kind == "LSTM" else 1)]
    for found, expected in zip(flat(ours(X, initial_state=start)), flat(theirs(X, initial_state=start)), strict=True):
        np.testing.assert_allclose(found, expected, rtol=0, atol=2e-5)
    ours, theirs = both(kind, {"stateful": True})
    for _ in range(3):
        np.testing.assert_allclose(ours(X), theirs(X), rtol=0, atol=2e-5)
    assert calls and {shape for _, shape in calls} == {X.shape}


@pytest.mark.parametrize("kind", ["LSTM", "GRU"])
@pytest.mark.parametrize("shape", [(1, 96), (5, 96), (33, 96), (17, 95), (96,), (17, 1, 96)], ids=str)
def test_states_of_other_sizes_are_refused(kind, shape):
    """The kernel would read and write beyond them."""
    layer, _ = both(kind, {"return_sequences": True, "return_state": True})
    states = [np.zeros(shape, "f4")] * (2 if kind == "LSTM" else 1)
    for training in (False, True):
        with pytest.raises(ValueError, match=rf"{layer.name}.*\(17, 96\).*{re.escape(str(shape))}"):
            layer(X, initial_state=states, training=training)


@needs_kernels
def test_operands_of_other_sizes_never_reach_the_kernel():
    x, state, memory, kernel, recurrent_kernel, bias = operands("lstm", SIZES[0])
    for wrong in (
        (x, state[:1], memory, kernel, recurrent_kernel, bias),
        (x, state, memory[:, :-1], kernel, recurrent_kernel, bias),
        (x, state, memory, kernel[:-1], recurrent_kernel, bias),
        (x, state, memory, kernel, recurrent_kernel[:, :-4], bias),
    ):
        with pytest.raises((TypeError, ValueError)):
            jax.block_until_ready(jax.jit(recurrent.lstm)(*wrong))
        with pytest.raises(Exception, match=r"recurrent layer: .* must have"):
            jax.block_until_ready(jax.jit(lambda *arrays: onednn.recurrent("lstm", *arrays))(*wrong))


@needs_kernels
@pytest.mark.parametrize("kind", ["LSTM", "GRU"])
def test_gradients_outside_of_training(kind):
    layer, _ = both(kind, {"return_sequences": True})

    def gradients(training):
        with GradientTape() as tape:
            loss = (layer(X, training=training) ** 2)[:, ::3] * 0.5
        return [gradient.numpy() for gradient in tape.gradient(loss, layer.trainable_variables)]

    for found, expected in zip(gradients(False), gradients(True), strict=True):
        np.testing.assert_allclose(found, expected, rtol=2e-4, atol=2e-4 * np.abs(expected).max())


@needs_kernels
def test_predict_evaluate_and_fit_of_a_model(calls):
    keras.utils.set_random_seed(0)
    layers = keras.layers
    model = keras.Sequential(
        [
            keras.Input((24, 64)),
            layers.Bidirectional(layers.LSTM(96, return_sequences=True)),
            layers.GRU(96),
            layers.Dense(1),
        ]
    )
    model.compile("sgd", "mse")
    y = np.zeros((17, 1), "f4")
    model.fit(X, y, batch_size=17, verbose=0)
    assert not calls  # training needs every step
    predicted = model.predict(X, batch_size=17, verbose=0)
    assert {cell for cell, _ in calls} == {"lstm", "gru"}
    np.testing.assert_allclose(model.evaluate(X, y, batch_size=17, verbose=0), np.mean(predicted**2), rtol=1e-5)
    np.testing.assert_allclose(model(X, training=True), predicted, rtol=0, atol=1e-5)
