"""Every layer of the library comes back from every format that can hold it."""

import inspect
import json

import numpy as np
import pytest

from hornbeam import keras
from hornbeam.keras import layers

pytestmark = [pytest.mark.format, pytest.mark.filterwarnings("ignore::UserWarning")]

# Arguments of layers that need any, and input shapes other than (4, 3).
ARGUMENTS = {
    "Activation": ("relu",),
    "CategoryEncoding": (5,),
    "Cropping1D": (1,),
    "CenterCrop": (4, 4),
    "Dense": (2,),
    "Discretization": ([0.0, 1.0],),
    "EinsumDense": ("abc,cd->abd", (None, 2)),
    "Embedding": (5, 2),
    "GaussianDropout": (0.1,),
    "GaussianNoise": (0.1,),
    "GroupNormalization": (3,),
    "Hashing": (4,),
    "IntegerLookup": (),
    "Lambda": None,
    "Permute": ((2, 1),),
    "RandomBrightness": (0.1,),
    "RandomColorDegeneration": (0.1,),
    "RandomContrast": (0.1,),
    "RandomCrop": (4, 4),
    "RandomGrayscale": (),
    "RandomHue": (0.1,),
    "RandomPosterization": (4,),
    "RandomRotation": (0.1,),
    "RandomSaturation": (0.1,),
    "RandomSharpness": (0.1,),
    "RandomShear": (0.1,),
    "RandomTranslation": (0.1, 0.1),
    "RandomZoom": (0.1,),
    "RepeatVector": (2,),
    "Rescaling": (0.5,),
    "Reshape": ((-1,),),
    "Resizing": (4, 4),
    "Solarization": (),
    "SpatialDropout1D": (0.1,),
    "SpatialDropout2D": (0.1,),
    "SpatialDropout3D": (0.1,),
    "Dropout": (0.1,),
    "AlphaDropout": (0.1,),
    "ReversibleEmbedding": (5, 2),
}
FILTERS = ("Conv", "SeparableConv")
SHAPES = {
    "RepeatVector": (3,),
    "BatchNormalization": (3,),
    "Embedding": (4,),
    "ReversibleEmbedding": (4,),
    "CategoryEncoding": (4,),
}
WRAPPERS = ("TimeDistributed", "SpectralNormalization", "Bidirectional", "Wrapper", "RNN", "StackedRNNCells")
ABSTRACT = frozenset(
    {"Layer", "InputLayer", "Wrapper", "Pipeline", "TFSMLayer", "TorchModuleWrapper", "JaxLayer", "FlaxLayer"}
)
PICTURES = ("CenterCrop", "Resizing", "Solarization", "AutoContrast", "Equalization", "Rescaling")
STRINGS = ("StringLookup", "TextVectorization", "Hashing", "HashedCrossing", "IntegerLookup")


def candidates():
    names = [name for name in layers.__all__ if inspect.isclass(getattr(layers, name, None))]
    return [name for name in names if issubclass(getattr(layers, name), layers.Layer) and name not in ABSTRACT]


def make(name):
    """A layer of the class and the shape of its input, or None if it needs more than that."""
    kind = getattr(layers, name)
    if name in WRAPPERS:
        inner = {
            "TimeDistributed": lambda: layers.Dense(2),
            "SpectralNormalization": lambda: layers.Dense(2),
            "Bidirectional": lambda: layers.LSTM(2),
            "RNN": lambda: layers.LSTMCell(2),
        }.get(name)
        return (kind(inner()), (4, 3)) if inner else None
    rank = next((int(digit) for digit in "123" if name.endswith(f"{digit}D") or f"{digit}DT" in name), 0)
    shape = SHAPES.get(name) or ((6,) * rank + (3,) if rank else (4, 3))
    if name.startswith("ConvLSTM"):
        return kind(2, 2), (3, *(5,) * rank, 2)
    if name.startswith(FILTERS) and rank:
        return kind(2, 2), shape
    if name.startswith("DepthwiseConv"):
        return kind(2), shape
    if name.startswith(("Adaptive", "AveragePool", "AvgPool", "MaxPool")):
        return kind(2), shape
    if name in ("LSTM", "GRU", "SimpleRNN"):
        return kind(2), (4, 3)
    if "Random" in name or name in (
        "CenterCrop",
        "Resizing",
        "Solarization",
        "AutoContrast",
        "Equalization",
        "Rescaling",
    ):
        shape = (8, 8, 3)
    arguments = ARGUMENTS.get(name, ())
    if arguments is None:
        return None
    try:
        return kind(*arguments), shape
    except TypeError:
        return None


def build(name):
    made = make(name)
    if made is None:
        return None
    layer, shape = made
    inputs = keras.Input(shape, dtype="int32" if name in ("Embedding", "ReversibleEmbedding") else None)
    for arguments in ((inputs,), ([inputs, inputs],), (inputs, inputs)):
        try:
            return keras.Model(inputs, layer(*arguments))
        except (TypeError, ValueError, AttributeError, IndexError, NotImplementedError):
            continue
    return None


@pytest.mark.parametrize("name", [name for name in candidates() if name not in STRINGS])
def test_every_layer_in_every_format(tmp_path, name):
    model = build(name)
    if model is None:
        pytest.skip(f"{name} takes something else than one tensor; it has tests of its own")
    rng = np.random.default_rng(0)
    model.set_weights(
        [rng.uniform(0.1, 1, w.shape).astype(w.dtype) if w.dtype.kind == "f" else w for w in model.get_weights()]
    )
    model.save(tmp_path / "m.keras")
    model.save(tmp_path / "m.h5")
    loaded = [keras.models.load_model(tmp_path / one) for one in ("m.keras", "m.h5")]
    rebuilt = keras.models.model_from_json(model.to_json()) if model.get_weights() else None
    for ending in ("weights.h5", "h5", "npz", "safetensors") if rebuilt is not None else ():
        model.save_weights(tmp_path / f"w.{ending}")
        rebuilt.set_weights([np.zeros_like(w) for w in rebuilt.get_weights()])
        rebuilt.load_weights(tmp_path / f"w.{ending}")
        equal(rebuilt, model)
    for one in loaded:
        equal(one, model)
        # Tuples and lists are one thing in a file.
        first, second = (json.dumps(found.layers[-1].get_config(), sort_keys=True) for found in (one, model))
        assert first == second


def equal(first, second):
    for one, other in zip(first.get_weights(), second.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("name", ["m.keras", "m.h5"])
def test_training_continues_exactly(tmp_path, name):
    """R-16: random states included where the format has a place for them; `.h5` holds optimizer and weights."""
    rng = np.random.default_rng(0)
    x = rng.normal(size=(32, 4)).astype("float32")
    y = x[:, :1]
    rate = 0.0 if name == "m.h5" else 0.3
    model = keras.Sequential(
        [keras.Input((4,)), layers.Dense(8, "relu"), layers.Dropout(rate), layers.BatchNormalization(), layers.Dense(1)]
    )
    model.compile(
        keras.optimizers.Adam(keras.optimizers.schedules.ExponentialDecay(0.01, 5, 0.9)), "mse", metrics=["mae"]
    )
    model.fit(x, y, batch_size=8, epochs=2, verbose=0, shuffle=False)
    model.save(tmp_path / name)
    again = keras.models.load_model(tmp_path / name)
    first = model.fit(x, y, batch_size=8, epochs=2, verbose=0, shuffle=False).history
    second = again.fit(x, y, batch_size=8, epochs=2, verbose=0, shuffle=False).history
    assert first == second
    equal(model, again)


def test_lambdas_and_custom_objects(tmp_path):
    class Twice(layers.Layer):
        def call(self, x):
            return x * 2

    def loss(y_true, y_pred):
        return abs(y_true - y_pred)

    model = keras.Sequential([keras.Input((3,)), Twice(), layers.Dense(1)])
    model.compile("sgd", loss)
    for name in ("m.keras", "m.h5"):
        model.save(tmp_path / name)
        with pytest.raises((TypeError, ValueError)):
            keras.models.load_model(tmp_path / name)
        loaded = keras.models.load_model(tmp_path / name, custom_objects={"Twice": Twice, "loss": loss})
        equal(loaded, model)
        loaded.train_on_batch(np.ones((2, 3), "float32"), np.ones((2, 1), "float32"))


def test_yaml_and_json_texts_of_functional_models():
    a, b = keras.Input((4,), name="a"), keras.Input((4,), name="b")
    model = keras.Model({"a": a, "b": b}, {"sum": layers.Add()([layers.Dense(3)(a), layers.Dense(3)(b)])})
    for text, read in (
        (model.to_json(), keras.models.model_from_json),
        (model.to_yaml(), keras.models.model_from_yaml),
    ):
        again = read(text)
        again.set_weights(model.get_weights())
        x = {"a": np.ones((2, 4), "float32"), "b": np.zeros((2, 4), "float32")}
        np.testing.assert_array_equal(np.asarray(again(x)["sum"]), np.asarray(model(x)["sum"]))


def test_wrong_arguments_are_named(tmp_path):
    model = keras.Sequential([keras.Input((4,)), layers.Dense(3)])
    with pytest.raises(ValueError, match="save_format"):
        model.save(tmp_path / "m", save_format="h6")
    with pytest.raises(ValueError, match="max_shard_size"):
        model.save_weights(tmp_path / "w.weights.h5", max_shard_size=1)
    with pytest.raises((TypeError, ValueError), match="overwite"):
        model.save(tmp_path / "m.keras", overwite=True)
    with pytest.raises(ValueError, match="by_name"):
        model.save_weights(tmp_path / "w.weights.h5")
        model.load_weights(tmp_path / "w.weights.h5", by_name=True)
    with pytest.raises(FileNotFoundError):
        keras.models.load_model(tmp_path / "nothing.keras")


def test_a_model_without_weights(tmp_path):
    model = keras.Sequential([keras.Input((4,)), layers.ReLU()])
    for ending in ("weights.h5", "h5", "npz", "safetensors"):
        model.save_weights(tmp_path / f"w.{ending}")
        model.load_weights(tmp_path / f"w.{ending}")
    model.save(tmp_path / "folder", zipped=False)
    assert keras.models.load_model(tmp_path / "folder").get_weights() == []
