"""Files written here load in Keras 3, and Keras's here: same weights, same predictions, same next training step."""

import io
import logging
import warnings
import zipfile

import h5py
import keras as reference
import numpy as np
import pytest

from hornbeam import keras

pytestmark = [
    pytest.mark.format,
    pytest.mark.numeric,
    pytest.mark.filterwarnings("ignore::UserWarning"),
]
logging.getLogger("absl").setLevel(logging.ERROR)


def one(k, layer, *shape, **kwargs):
    x = k.Input(shape, **kwargs)
    return k.Model(x, layer(x))


def twice(k, layer, *shape, as_list=False):
    x = k.Input(shape)
    return k.Model(x, layer([x, x]) if as_list else layer(x, x))


# Name -> function of the library that makes a model.
MODELS = {
    "Dense": lambda k: one(k, k.layers.Dense(3, "relu", kernel_regularizer="l2", kernel_constraint="max_norm"), 4),
    "Embedding": lambda k: one(k, k.layers.Embedding(5, 3), 4, dtype="int32"),
    "EinsumDense": lambda k: one(k, k.layers.EinsumDense("ab,bc->ac", 3, bias_axes="c"), 4),
    "Conv1D": lambda k: one(k, k.layers.Conv1D(3, 2, strides=2, padding="causal"), 8, 2),
    "Conv2D": lambda k: one(k, k.layers.Conv2D(4, 3, groups=2, padding="same"), 8, 8, 2),
    "Conv3D": lambda k: one(k, k.layers.Conv3D(3, 2), 5, 5, 5, 2),
    "Conv1DTranspose": lambda k: one(k, k.layers.Conv1DTranspose(3, 2), 8, 2),
    "Conv2DTranspose": lambda k: one(k, k.layers.Conv2DTranspose(3, 3, strides=2), 8, 8, 2),
    "Conv3DTranspose": lambda k: one(k, k.layers.Conv3DTranspose(3, 2), 4, 4, 4, 2),
    "DepthwiseConv1D": lambda k: one(k, k.layers.DepthwiseConv1D(2), 8, 2),
    "DepthwiseConv2D": lambda k: one(k, k.layers.DepthwiseConv2D(3, depth_multiplier=2), 8, 8, 2),
    "SeparableConv1D": lambda k: one(k, k.layers.SeparableConv1D(3, 2), 8, 2),
    "SeparableConv2D": lambda k: one(k, k.layers.SeparableConv2D(3, 2), 8, 8, 2),
    "BatchNormalization": lambda k: one(k, k.layers.BatchNormalization(), 4),
    "LayerNormalization": lambda k: one(k, k.layers.LayerNormalization(), 4),
    "GroupNormalization": lambda k: one(k, k.layers.GroupNormalization(2), 4),
    "RMSNormalization": lambda k: one(k, k.layers.RMSNormalization(), 4),
    "UnitNormalization": lambda k: one(k, k.layers.UnitNormalization(), 4),
    "SpectralNormalization": lambda k: one(k, k.layers.SpectralNormalization(k.layers.Dense(3)), 4),
    "Normalization": lambda k: one(k, k.layers.Normalization(mean=[1.0] * 4, variance=[2.0] * 4), 4),
    "PReLU": lambda k: one(k, k.layers.PReLU(), 4),
    "Dropout": lambda k: one(k, k.layers.Dropout(0.5, seed=3), 4),
    "Discretization": lambda k: one(k, k.layers.Discretization([0.0, 1.0]), 4),
    "Rescaling": lambda k: one(k, k.layers.Rescaling(0.5, 1.0), 4),
    "TimeDistributed": lambda k: one(k, k.layers.TimeDistributed(k.layers.Dense(3)), 5, 4),
    "LSTM": lambda k: one(k, k.layers.LSTM(3, return_sequences=True), 5, 4),
    "GRU": lambda k: one(k, k.layers.GRU(3, reset_after=False), 5, 4),
    "SimpleRNN": lambda k: one(k, k.layers.SimpleRNN(3), 5, 4),
    "RNN": lambda k: one(k, k.layers.RNN([k.layers.LSTMCell(3), k.layers.GRUCell(2)]), 5, 4),
    "Bidirectional": lambda k: one(k, k.layers.Bidirectional(k.layers.LSTM(3)), 5, 4),
    "ConvLSTM1D": lambda k: one(k, k.layers.ConvLSTM1D(3, 2), 4, 6, 2),
    "ConvLSTM2D": lambda k: one(k, k.layers.ConvLSTM2D(2, 2), 3, 5, 5, 2),
    "ConvLSTM3D": lambda k: one(k, k.layers.ConvLSTM3D(2, 2), 3, 4, 4, 4, 2),
    "MultiHeadAttention": lambda k: twice(k, k.layers.MultiHeadAttention(2, 3), 5, 4),
    "GroupQueryAttention": lambda k: twice(k, k.layers.GroupQueryAttention(3, 4, 2), 5, 4),
    "Attention": lambda k: twice(k, k.layers.Attention(use_scale=True), 5, 4, as_list=True),
    "AdditiveAttention": lambda k: twice(k, k.layers.AdditiveAttention(), 5, 4, as_list=True),
    "nested": lambda k: one(
        k, k.Sequential([k.Input((4,)), k.layers.Dense(3), k.Sequential([k.layers.Dense(2), k.layers.PReLU()])]), 4
    ),
    "shared": lambda k: shared(k),
    "ops": lambda k: with_ops(k),
}


def shared(k):
    inner = one(k, k.layers.Dense(3, name="in"), 4)
    a, b = k.Input((4,), name="a"), k.Input((4,), name="b")
    return k.Model([a, b], k.layers.Subtract()([inner(a), inner(b)]))


def with_ops(k):
    x = k.Input((4,))
    return k.Model(x, k.ops.relu(k.layers.Dense(3)(x) * 2.0 + 1.0))


def missing(name):
    parts = {"RNN": "RNN", "nested": "Dense", "shared": "Dense", "ops": "Dense"}
    return not hasattr(keras.layers, parts.get(name, name))


def inputs_of(model, seed=0):
    rng = np.random.default_rng(seed)
    arrays = []
    for tensor in model.inputs:
        shape = (3, *tuple(tensor.shape)[1:])
        whole = "int" in str(tensor.dtype)
        arrays.append(rng.integers(0, 5, shape).astype("int32") if whole else rng.normal(size=shape).astype("float32"))
    return arrays if len(arrays) > 1 else arrays[0]


def randomize(model):
    rng = np.random.default_rng(1)
    model.set_weights(
        [
            w if w.dtype.kind != "f" else (np.abs(rng.normal(size=w.shape)) + 0.1).astype(w.dtype)
            for w in model.get_weights()
        ]
    )
    return model


def arrays_of(path):
    with zipfile.ZipFile(path) as archive, h5py.File(io.BytesIO(archive.read("model.weights.h5"))) as file:
        found = {}
        file.visititems(lambda name, item: found.update({name: item.shape}) if isinstance(item, h5py.Dataset) else None)
    return {name: shape for name, shape in found.items() if not name.startswith("hornbeam_state")}


def equal_weights(first, second):
    for one_array, other in zip(first.get_weights(), second.get_weights(), strict=True):
        np.testing.assert_array_equal(one_array, other)


def same(first, second, tolerance=2e-6):
    equal_weights(first, second)
    x = inputs_of(first)
    np.testing.assert_allclose(
        np.asarray(first.predict(x, verbose=0)), np.asarray(second.predict(x, verbose=0)), rtol=1e-5, atol=tolerance
    )


@pytest.mark.parametrize("name", MODELS)
def test_both_directions_and_the_same_layout(tmp_path, name):
    if missing(name):
        pytest.skip(f"layers.{name} is not offered")
    theirs, ours = randomize(MODELS[name](reference)), randomize(MODELS[name](keras))
    theirs.save(tmp_path / "theirs.keras")
    ours.save(tmp_path / "ours.keras")
    if name not in ("ops",):  # the names of op nodes are part of no array
        assert arrays_of(tmp_path / "ours.keras") == arrays_of(tmp_path / "theirs.keras")
    same(theirs, keras.models.load_model(tmp_path / "theirs.keras"))
    same(ours, reference.saving.load_model(tmp_path / "ours.keras"))


# Keras cannot read its own `.h5` files with ops, or with Attention.
@pytest.mark.parametrize("name", [name for name in MODELS if name not in ("ops", "Attention")])
def test_h5_in_both_directions(tmp_path, name):
    if missing(name):
        pytest.skip(f"layers.{name} is not offered")
    theirs, ours = randomize(MODELS[name](reference)), randomize(MODELS[name](keras))
    theirs.save(tmp_path / "theirs.h5")
    ours.save(tmp_path / "ours.h5")
    equal_weights(theirs, keras.models.load_model(tmp_path / "theirs.h5"))
    back = reference.saving.load_model(tmp_path / "ours.h5", compile=False)
    equal_weights(ours, back)
    assert [type(layer).__name__ for layer in back.layers] == [type(layer).__name__ for layer in ours.layers]


@pytest.mark.parametrize("ending", [".weights.h5", ".h5"])
def test_weights_in_both_directions(tmp_path, ending):
    theirs, ours = randomize(MODELS["nested"](reference)), MODELS["nested"](keras)
    theirs.save_weights(tmp_path / "theirs.weights.h5")
    ours.load_weights(tmp_path / "theirs.weights.h5")
    same(theirs, ours)
    randomize(ours)
    path = tmp_path / f"ours{ending}"
    ours.save_weights(path)
    fresh = MODELS["nested"](reference)
    fresh.load_weights(path)
    same(ours, fresh)


@pytest.mark.parametrize("optimizer", ["Adam", "SGD", "RMSprop", "Nadam", "Adagrad", "AdamW", "Lion", "Ftrl"])
@pytest.mark.parametrize("ending", ["keras", "h5"])
def test_training_goes_on_after_the_exchange(tmp_path, optimizer, ending):
    """The step after loading equals the step of the program that saved."""
    if not hasattr(keras.optimizers, optimizer):
        pytest.skip(f"optimizers.{optimizer} is not offered")
    x = np.random.default_rng(0).normal(size=(8, 4)).astype("float32")
    y = x[:, :1] * 2
    models = {}
    for k in (reference, keras):
        model = k.Sequential([k.Input((4,)), k.layers.Dense(5, "tanh"), k.layers.Dense(1)])
        model.set_weights([np.full(w.shape, 0.1, "float32") * (i + 1) for i, w in enumerate(model.get_weights())])
        kwargs = {"momentum": 0.9} if optimizer in ("SGD",) else {}
        model.compile(getattr(k.optimizers, optimizer)(learning_rate=0.01, **kwargs), "mse", metrics=["mae"])
        for _ in range(3):
            model.train_on_batch(x, y)
        models[k] = model
    path = tmp_path / f"theirs.{ending}"
    models[reference].save(path)
    loaded = keras.models.load_model(path)
    assert int(loaded.optimizer.iterations) == 3
    for _ in range(2):
        loaded.train_on_batch(x, y)
        models[reference].train_on_batch(x, y)
    for a, b in zip(loaded.get_weights(), models[reference].get_weights(), strict=True):
        np.testing.assert_allclose(a, b, rtol=2e-5, atol=1e-6)
    if ending == "keras":
        ours = tmp_path / "ours.keras"
        models[keras].save(ours)
        back = reference.saving.load_model(ours)
        back.train_on_batch(x, y)
        models[keras].train_on_batch(x, y)
        for a, b in zip(back.get_weights(), models[keras].get_weights(), strict=True):
            np.testing.assert_allclose(a, b, rtol=2e-5, atol=1e-6)
    else:
        ours = tmp_path / "ours.h5"
        models[keras].save(ours)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            back = reference.saving.load_model(ours)
        assert back.compiled and back.optimizer.__class__.__name__ == optimizer


def test_sharded_weights_in_both_directions(tmp_path):
    theirs, ours = randomize(MODELS["nested"](reference)), MODELS["nested"](keras)
    theirs.save_weights(tmp_path / "theirs.weights.json", max_shard_size=6e-8)
    ours.load_weights(tmp_path / "theirs.weights.json")
    same(theirs, ours)
    randomize(ours)
    ours.save_weights(tmp_path / "ours.weights.json", max_shard_size=6e-8)
    assert len(list(tmp_path.glob("ours_*.weights.h5"))) > 1
    fresh = MODELS["nested"](reference)
    fresh.load_weights(tmp_path / "ours.weights.json")
    same(ours, fresh)
