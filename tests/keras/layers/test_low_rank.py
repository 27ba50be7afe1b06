"""Low-rank factors in the place of a weight: numbers, names, files and configs are those of Keras."""

from __future__ import annotations

import copy
import pickle

import keras as oracle
import numpy as np
import pytest

import hornbeam as tf
from hornbeam import keras
from hornbeam.base.errors import NotSupportedError

RNG = np.random.RandomState(0)
INPUTS = {
    "Dense": RNG.rand(4, 3).astype("float32"),
    "EinsumDense": RNG.rand(4, 3, 5).astype("float32"),
    "Embedding": RNG.randint(0, 7, (4, 3)).astype("int32"),
    "ReversibleEmbedding": RNG.randint(0, 7, (4, 3)).astype("int32"),
    "Conv1D": RNG.rand(4, 6, 4).astype("float32"),
    "Conv2D": RNG.rand(4, 6, 6, 2).astype("float32"),
    "Conv3D": RNG.rand(2, 4, 4, 4, 2).astype("float32"),
}
ARGUMENTS = {
    "Dense": {"units": 5, "activation": "tanh", "kernel_regularizer": "l2"},
    "EinsumDense": {"equation": "abc,cde->abde", "output_shape": (None, 2, 4), "bias_axes": "de"},
    "Embedding": {"input_dim": 7, "output_dim": 4},
    "ReversibleEmbedding": {"input_dim": 7, "output_dim": 4},
    "Conv1D": {"filters": 4, "kernel_size": 3, "padding": "causal", "groups": 2},
    "Conv2D": {"filters": 4, "kernel_size": 3, "activation": "relu", "use_bias": False},
    "Conv3D": {"filters": 3, "kernel_size": 2, "kernel_regularizer": "l1"},
}
RANKS = {"lora_rank": 2, "lora_alpha": 6}
NAMES = sorted(INPUTS)


def model_of(library, name, **more):
    x = INPUTS[name]
    layer = getattr(library.layers, name)(**ARGUMENTS[name], name="adapted", **more)
    inputs = library.Input(x.shape[1:], dtype=str(x.dtype))
    return library.Model(inputs, layer(inputs), name="model"), layer


def pair(name, **more):
    """The same model in both libraries, its factors filled with the same numbers."""
    ours, theirs = model_of(keras, name), model_of(oracle, name)
    theirs[0].set_weights([RNG.randn(*w.shape) for w in theirs[0].get_weights()])
    ours[0].set_weights(theirs[0].get_weights())
    for _, layer in (ours, theirs):
        layer.enable_lora(2, lora_alpha=6, **more)
    fill(ours[0], theirs[0])
    return ours, theirs


def fill(ours, theirs):
    values = [RNG.randn(*w.shape).astype("float32") / 3 for w in theirs.weights]
    theirs.set_weights(values)
    ours.set_weights(values)


def outline(model):
    return [
        [(v.path, tuple(v.shape), bool(v.trainable)) for v in found]
        for found in (model.weights, model.trainable_weights, model.non_trainable_weights)
    ]


@pytest.mark.parametrize("name", NAMES)
def test_outputs_variables_and_losses(name):
    (ours, layer), (theirs, other) = pair(name)
    assert outline(ours) == outline(theirs)
    np.testing.assert_allclose(ours(INPUTS[name]), theirs(INPUTS[name]), rtol=2e-5, atol=2e-5)
    base = layer._embeddings if "Embedding" in name else layer._kernel
    a, b = layer.weights[-2:]
    merged = np.asarray(base) + 3 * np.asarray(a) @ np.asarray(b)
    np.testing.assert_allclose(layer.embeddings if "Embedding" in name else layer.kernel, merged, rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(sum(map(float, ours.losses)), sum(map(float, theirs.losses)), rtol=1e-5)
    assert (layer.lora_enabled, layer.lora_rank, layer.lora_alpha) == (other.lora_enabled, 2, 6)
    assert layer.count_params() == other.count_params()


@pytest.mark.parametrize("name", NAMES)
def test_three_steps_of_training(name):
    models = [model for model, _ in pair(name)]
    x = INPUTS[name]
    y = RNG.rand(*models[1](x).shape).astype("float32")
    losses = []
    for library, model in zip((keras, oracle), models, strict=True):
        before = model.get_weights()
        model.compile(library.optimizers.Adam(0.05), "mse")
        losses.append([float(model.train_on_batch(x, y)) for _ in range(3)])
        kept = [np.array_equal(old, new) for old, new in zip(before, model.get_weights(), strict=True)]
        assert kept == [not weight.trainable for weight in model.weights]
    np.testing.assert_allclose(*losses, rtol=2e-5)
    for one, other in zip(models[0].get_weights(), models[1].get_weights(), strict=True):
        np.testing.assert_allclose(one, other, rtol=3e-4, atol=3e-5)


@pytest.mark.parametrize("ending", [".keras", ".weights.h5"])
@pytest.mark.parametrize("name", NAMES)
def test_files_hold_the_sum_and_are_read_by_both(name, ending, tmp_path):
    (ours, _), (theirs, _) = pair(name)
    expected = np.asarray(ours(INPUTS[name]))
    for model, where in ((ours, "ours"), (theirs, "theirs")):
        path = str(tmp_path / (where + ending))
        (model.save if ending == ".keras" else model.save_weights)(path)
        for library in (keras, oracle):
            if ending == ".keras":
                again = library.models.load_model(path)
                assert again.get_layer("adapted").lora_rank == 2
            else:
                again, layer = model_of(library, name)
                again.load_weights(path)
                layer.enable_lora(2)
                again.load_weights(path)
            np.testing.assert_allclose(again(INPUTS[name]), expected, rtol=2e-5, atol=2e-5)
            assert not any(np.any(np.asarray(factor)) for factor in again.weights if "lora" in factor.path)
            plain, _ = model_of(library, name)
            if ending == ".weights.h5":
                plain.load_weights(path)
                np.testing.assert_allclose(plain(INPUTS[name]), expected, rtol=2e-5, atol=2e-5)


@pytest.mark.parametrize("name", NAMES)
def test_configs(name):
    layer, other = (getattr(lib.layers, name)(**ARGUMENTS[name], **RANKS, name="one") for lib in (keras, oracle))
    config = layer.get_config()
    assert config == other.get_config() and config["lora_alpha"] == 6
    again = type(layer).from_config(config)
    again.build(INPUTS[name].shape)
    assert (again.lora_rank, again.lora_alpha, again.lora_enabled) == (2, 6, True)
    plain = getattr(keras.layers, name)(**ARGUMENTS[name], name="one")
    assert "lora_rank" not in plain.get_config() and not plain.lora_enabled
    plain.build(INPUTS[name].shape)
    plain.enable_lora(3)
    assert (plain.get_config()["lora_rank"], plain.get_config()["lora_alpha"]) == (3, 3)


@pytest.mark.parametrize("name", NAMES)
def test_initial_values_leave_the_outputs_as_they_are(name):
    model, layer = model_of(keras, name)
    before = np.asarray(model(INPUTS[name]))
    layer.enable_lora(2)
    np.testing.assert_allclose(model(INPUTS[name]), before, rtol=1e-6, atol=1e-7)
    a, b = layer.weights[-2:]
    assert np.any(np.asarray(a)) and not np.any(np.asarray(b)) and a.dtype == b.dtype == "float32"


def test_a_trained_model_is_adapted_and_trained_on():
    x, y = RNG.rand(32, 4).astype("float32"), RNG.rand(32, 2).astype("float32")
    model = keras.Sequential([keras.Input((4,)), keras.layers.Dense(8, "relu"), keras.layers.Dense(2)])
    model.compile("adam", "mse")
    model.fit(x, y, epochs=1, verbose=0)
    first, second = model.layers
    first.enable_lora(2, a_initializer="ones", b_initializer=keras.initializers.Constant(0.1))
    np.testing.assert_array_equal(first.lora_kernel_a, np.ones((4, 2)))
    kept = np.asarray(first._kernel)
    second.trainable = False
    model.compile("adam", "mse")
    frozen = second.get_weights()
    history = model.fit(x, y, epochs=3, verbose=0).history["loss"]
    assert history[-1] < history[0]
    np.testing.assert_array_equal(first._kernel, kept)
    np.testing.assert_array_equal(second.get_weights()[0], frozen[0])
    assert not np.allclose(first.kernel, kept)


def test_narrow_dtypes_keep_wide_factors():
    for library in (keras, oracle):
        layer = library.layers.Dense(4, dtype="mixed_float16", lora_rank=2)
        layer.build((None, 3))
        assert str(layer.lora_kernel_a.dtype) == str(layer.lora_kernel_b.dtype) == "float32"
        assert str(layer.kernel.dtype) == "float16" and str(layer(INPUTS["Dense"]).dtype) == "float16"


def test_gradients_by_a_tape():
    (_, layer), (_, other) = pair("Dense")
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(layer(INPUTS["Dense"]) ** 2)
    found = tape.gradient(loss, layer.trainable_variables)

    import jax

    def total(values):
        frozen = [v.value for v in other.non_trainable_variables]
        outputs, _ = other.stateless_call(values, frozen, INPUTS["Dense"])
        return (outputs**2).sum()

    expected = jax.grad(total)([v.value for v in other.trainable_variables])
    assert len(found) == len(expected) == 3
    for one, two in zip(found, expected, strict=True):
        np.testing.assert_allclose(one, two, rtol=2e-5, atol=1e-5)


def test_checkpoints_hold_the_factors(tmp_path):
    (_, layer), _ = pair("Dense")
    path = tf.train.Checkpoint(layer=layer).write(str(tmp_path / "point"))
    values = layer.get_weights()
    layer.set_weights([np.zeros_like(one) for one in values])
    tf.train.Checkpoint(layer=layer).read(path).assert_consumed()
    for one, two in zip(layer.get_weights(), values, strict=True):
        np.testing.assert_array_equal(one, two)


def test_what_cannot_be_adapted():
    layer = keras.layers.Dense(3, name="d")
    with pytest.raises(ValueError, match=r"'d' has no weights yet.*build"):
        layer.enable_lora(2)
    layer.build((None, 4))
    with pytest.raises(ValueError, match="rank"):
        layer.enable_lora(0)
    layer.enable_lora(2)
    with pytest.raises(ValueError, match="already, of rank 2"):
        layer.enable_lora(2)
    with pytest.raises(NotSupportedError, match="'int8' or 'int4', or no factors"):
        layer.quantize("float8")
    bound = keras.layers.Embedding(3, 2, embeddings_constraint="non_neg", lora_rank=2)
    with pytest.raises(ValueError, match="embeddings_constraint"):
        bound.build(None)
    small = keras.layers.Dense(3, name="small")
    small.build((None, 4))
    small.quantize("float8")
    with pytest.raises(NotSupportedError, match="save_weights"):
        small.enable_lora(2)
    with pytest.raises(ValueError, match="takes 2 variables"):
        layer.load_own_variables({"0": np.zeros((4, 3))})


def test_both_ways_of_a_table():
    vectors = RNG.rand(2, 4).astype("float32")
    for tied in (True, False):
        found = []
        for library in (keras, oracle):
            layer = library.layers.ReversibleEmbedding(
                7, 4, tie_weights=tied, embeddings_initializer="ones", name="table"
            )
            layer.build()
            layer.enable_lora(2, a_initializer="ones", b_initializer=library.initializers.Constant(0.5))
            found.append([outline(layer), np.asarray(layer(vectors, reverse=True))])
        assert found[0][0] == found[1][0]
        np.testing.assert_allclose(found[0][1], found[1][1], rtol=1e-6)
    # Keras cannot make this one.
    layer = keras.layers.ReversibleEmbedding(7, 4, tie_weights=False, lora_rank=2)
    layer.build()
    assert [one.name for one in layer.weights][-1] == "reverse_embeddings" and layer.lora_enabled


def test_copies_and_pickles_have_the_factors():
    (_, layer), _ = pair("Dense")
    for again in (copy.deepcopy(layer), pickle.loads(pickle.dumps(layer))):
        np.testing.assert_allclose(again(INPUTS["Dense"]), layer(INPUTS["Dense"]), rtol=1e-6)
        assert again.lora_enabled


QUANTISED = {
    "Dense": {"units": 5, "activation": "tanh", "kernel_regularizer": "l2"},
    "EinsumDense": {"equation": "abc,cde->abde", "output_shape": (None, 2, 4), "bias_axes": "de"},
    "Embedding": {"input_dim": 7, "output_dim": 5},
}


@pytest.mark.parametrize("first", ["quantise", "adapt"])
@pytest.mark.parametrize("block", [None, -1, 2], ids=["int8", "int4", "int4 in blocks"])
@pytest.mark.parametrize("name", QUANTISED)
def test_factors_beside_integers(name, block, first):
    found = []
    for library in (keras, oracle):
        numbers = np.random.RandomState(5)
        x = INPUTS[name]
        layer = getattr(library.layers, name)(name="adapted", **QUANTISED[name])
        layer.build(x.shape)
        layer.set_weights([numbers.randn(*w.shape) for w in layer.get_weights()])
        config = library.quantizers.Int4QuantizationConfig(block_size=block) if block else None
        for step in ("quantise", "adapt") if first == "quantise" else ("adapt", "quantise"):
            if step == "adapt":
                layer.enable_lora(2)
            else:
                layer.quantize("int4" if config else "int8", config=config)
        for factor in [one for one in layer.weights if "lora" in one.name]:
            factor.assign(numbers.randn(*factor.shape) / 3)
        stored = {}
        outputs, table = np.asarray(layer(x)), "embeddings" if name == "Embedding" else "kernel"
        shown = np.asarray(getattr(layer, table), "float32")
        layer.save_own_variables(stored)
        layer.load_own_variables(stored)
        found.append([[one.name for one in layer.weights], [one.name for one in layer.trainable_weights]])
        found[-1] += [sorted(stored), outputs, shown, *(np.asarray(stored[key]) for key in sorted(stored))]
        found[-1] += [np.asarray(layer(x)), layer.lora_alpha]
    assert found[0][:3] == found[1][:3]
    for one, other in zip(found[0][3:], found[1][3:], strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-5)
