"""What files say to the programs before Keras 3: implied masks left out, ops as functions, calls and state in order."""

import json

import h5py
import keras as real
import numpy as np
import pytest

from hornbeam import keras
from hornbeam.base.errors import UnsupportedFileError
from hornbeam.keras import layers
from hornbeam.saving.h5_layers import listed_state
from hornbeam.saving.plain_config import plain_config, plain_training
from hornbeam.saving.saved_model.folder import open_folder
from hornbeam.saving.saved_model.metadata import keras_nodes

pytestmark = [pytest.mark.format, pytest.mark.compat, pytest.mark.filterwarnings("ignore::UserWarning")]


def masked(mask=None):
    """Words, an embedding that hides zeros, and a recurrent layer."""
    words = keras.Input((4,), dtype="int32")
    found = layers.Embedding(5, 3, mask_zero=True, name="embedding")(words)
    return keras.Model(words, layers.GRU(2)(found, **({} if mask is None else {"mask": mask(words)})))


def described(path):
    return keras_nodes(open_folder(path))[0].config["model_config"]["config"]


def test_implied_masks_are_left_to_the_reader():
    config = plain_config(masked())["config"]
    assert [layer["class_name"] for layer in config["layers"]] == ["InputLayer", "Embedding", "GRU"]
    assert config["layers"][2]["inbound_nodes"] == [[["embedding", 0, 0, {}]]]
    assert "batch_input_shape" in config["layers"][0]["config"]


def test_masks_of_the_user_stay():
    config = plain_config(masked(lambda words: keras.ops.greater(words, 2)))["config"]
    assert "Greater" in [layer["class_name"] for layer in config["layers"]]


def test_functions_and_models_in_saved_models(tmp_path):
    x = keras.Input((3,))
    inner = keras.Sequential([keras.Input((3,)), layers.Dense(2)], name="inner")
    y = inner(x)
    model = keras.Model(
        x, layers.Dense(1, name="last")(keras.ops.maximum(2.0 - y / 4.0, keras.ops.mean(x, axis=1, keepdims=True)))
    )
    model.save(tmp_path / "m")
    entries = {layer["name"]: layer for layer in described(tmp_path / "m")["layers"]}
    functions = [e["config"]["function"] for e in entries.values() if e["class_name"] == "TFOpLambda"]
    assert sorted(functions) == ["math.maximum", "math.reduce_mean", "math.subtract", "math.truediv"]
    divided = next(e for e in entries.values() if e["config"].get("function") == "math.truediv")
    # The construction of a model counts as its call 0 for other readers, which wait forever for a call that is missing.
    assert divided["inbound_nodes"] == [["inner", 1, 0, {"y": 4.0}]]
    constant = next(e for e in entries.values() if e["config"].get("function") == "math.subtract")
    assert constant["inbound_nodes"] == [["_CONSTANT_VALUE", -1, 2.0, {"y": [divided["name"], 0, 0]}]]
    data = np.ones((2, 3), "float32")
    np.testing.assert_array_equal(keras.models.load_model(tmp_path / "m")(data), model(data))


def test_stateful_layers_in_saved_models(tmp_path):
    x = keras.Input(batch_shape=(2, 3, 1))
    model = keras.Model(x, layers.SimpleRNN(2, stateful=True)(x))
    model.save(tmp_path / "m")
    assert any(node.config.get("stateful") for node in keras_nodes(open_folder(tmp_path / "m")))
    loaded = keras.models.load_model(tmp_path / "m")
    data = np.ones((2, 3, 1), "float32")
    for _ in range(2):
        np.testing.assert_allclose(loaded.predict(data, verbose=0), model.predict(data, verbose=0), atol=1e-6)


@pytest.mark.parametrize(
    ("optimizer", "words"),
    [
        (
            keras.optimizers.Adam(amsgrad=True),
            ["iteration"] + ["momentum"] * 2 + ["velocity"] * 2 + ["velocity_hat"] * 2,
        ),
        (keras.optimizers.Ftrl(), ["iteration"] + ["accumulator", "linear"] * 2),
        (keras.optimizers.Nadam(), ["iteration", "u_product"] + ["momentum"] * 2 + ["velocity"] * 2),
    ],
    ids=["adam", "ftrl", "nadam"],
)
def test_optimizer_state_in_h5_files(tmp_path, optimizer, words):
    model = keras.Sequential([keras.Input((3,)), layers.Dense(2)])
    model.compile(optimizer, "mse")
    x, y = np.ones((2, 3), "float32"), np.zeros((2, 2), "float32")
    for _ in range(2):
        model.train_on_batch(x, y)
    model.save(tmp_path / "m.h5")
    with h5py.File(tmp_path / "m.h5") as file:
        group = file["optimizer_weights"]
        names = [name if isinstance(name, str) else name.decode() for name in group.attrs["weight_names"]]
        assert all(name.endswith(word) for name, word in zip(names, words, strict=True))
        assert group[names[0]].dtype == "int64" and int(group[names[0]][()]) == 2
    loaded = keras.models.load_model(tmp_path / "m.h5")
    for one, other in zip(listed_state(loaded.optimizer), listed_state(model.optimizer), strict=True):
        np.testing.assert_array_equal(one, other)
    np.testing.assert_array_equal(loaded.optimizer.learning_rate, model.optimizer.learning_rate)
    assert loaded.train_on_batch(x, y) == model.train_on_batch(x, y)


def test_training_in_words_of_the_optimizers_before_keras_3():
    model = keras.Sequential([keras.Input((3,)), layers.Dense(2)])
    model.compile(
        keras.optimizers.SGD(clipnorm=0.5), keras.losses.mean_squared_error, metrics=[keras.losses.cosine_similarity]
    )
    found = plain_training(model)
    unknown = {"weight_decay", "use_ema", "ema_momentum", "ema_overwrite_frequency", "clipvalue", "global_clipnorm"}
    assert found["optimizer_config"]["config"]["clipnorm"] == 0.5
    assert not unknown & found["optimizer_config"]["config"].keys()
    assert (found["loss"], found["metrics"]) == ("mean_squared_error", ["cosine_similarity"])
    model.compile(keras.optimizers.LossScaleOptimizer(keras.optimizers.SGD(use_ema=True)), "mse")
    inner = plain_training(model)["optimizer_config"]["config"]["inner_optimizer"]["config"]
    assert inner["use_ema"] is True and inner["ema_momentum"] == 0.99 and "clipnorm" not in inner


def test_arguments_that_only_keras_3_knows_are_left_out():
    parts = [layers.ZeroPadding1D(1), layers.StringLookup(vocabulary=["a"]), layers.RandomFlip(), layers.Resizing(2, 2)]
    for part in parts:
        config = keras.Sequential([part])
        stored = plain_config(config)["config"]["layers"][-1]["config"]
        assert not {"data_format", "vocabulary_size", "oov_method", "salt", "antialias"} & stored.keys()
    other = plain_config(keras.Sequential([layers.ZeroPadding1D(1, data_format="channels_first")]))
    assert other["config"]["layers"][-1]["config"]["data_format"] == "channels_first"


def test_casts_of_layers_are_no_part_of_the_graph(tmp_path):
    """Keras reads a model whose layers compute in another dtype than its inputs have."""
    x = keras.Input((3,))
    model = keras.Model(x, layers.Dense(1, dtype="float32")(layers.Dense(2, dtype="mixed_bfloat16")(x)))
    assert [layer["class_name"] for layer in model.get_config()["layers"]] == ["InputLayer", "Dense", "Dense"]
    model.save(tmp_path / "m.keras")
    data = np.ones((2, 3), "float32")
    theirs = real.models.load_model(tmp_path / "m.keras")
    np.testing.assert_allclose(theirs.predict(data, verbose=0), model.predict(data, verbose=0), atol=2e-2)
    np.testing.assert_array_equal(keras.models.load_model(tmp_path / "m.keras")(data), model(data))


def test_calls_with_initial_states_and_words_of_random_layers():
    """An encoder's states into a decoder, with its build shapes; words that only say how numbers were drawn."""

    def entry(kind, name, nodes, **config):
        build = config.pop("build", None)
        found = {"class_name": kind, "name": name, "config": {"name": name, **config}, "inbound_nodes": nodes}
        return {**found, "build_config": {"input_shape": build}} if build else found

    graph = {
        "name": "m",
        "layers": [
            entry("InputLayer", "i", [], batch_input_shape=[None, 6, 4], dtype="float32"),
            entry("LSTM", "enc", [[["i", 0, 0, {}]]], units=5, return_state=True, build=[None, 6, 4]),
            entry("SpatialDropout1D", "d", [[["i", 0, 0, {}]]], rate=0.5, noise_shape=None, trainable=True),
            entry("LSTM", "dec", [[["d", 0, 0, {}], ["enc", 0, 1, {}], ["enc", 0, 2, {}]]], units=5,
                  return_state=True, build=[[None, 6, 4], [None, 5], [None, 5]]),
        ],
        "input_layers": [["i", 0, 0]],
        "output_layers": [["dec", 0, 0], ["dec", 0, 2]],
    }  # fmt: skip
    model = keras.models.model_from_json(json.dumps({"class_name": "Functional", "config": graph}))
    x = np.random.default_rng(0).normal(size=(2, 6, 4)).astype("float32")
    encoder, decoder = model.get_layer("enc"), model.get_layer("dec")
    _, *states = encoder(x)
    wanted = decoder(x, initial_state=states)
    for found, one in zip(model(x), (wanted[0], wanted[2]), strict=True):
        np.testing.assert_allclose(np.asarray(found), np.asarray(one), rtol=1e-6)
    turned = {"class_name": "RandomFlip", "config": {"name": "f", "mode": "horizontal", "rng_type": "stateful"}}
    first = {"class_name": "InputLayer", "config": {"name": "i", "batch_input_shape": [None, 4, 4, 3]}}
    config = {"class_name": "Sequential", "config": {"name": "s", "layers": [first, turned]}}
    assert keras.models.model_from_json(json.dumps(config)).layers[0].mode == "horizontal"


@keras.saving.register_keras_serializable("older_words")
class Net(keras.Model):
    """A model whose variables are made by its first call."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.first, self.norm = layers.Dense(3, "relu"), layers.BatchNormalization()

    def call(self, x):
        return self.norm(self.first(x))


def test_models_of_the_user_in_h5_files_have_their_weights(tmp_path):
    model = Net()
    x = np.random.default_rng(0).normal(size=(4, 2)).astype("float32")
    model(x)
    model.save(tmp_path / "m.h5")
    np.testing.assert_array_equal(keras.models.load_model(tmp_path / "m.h5")(x), model(x))
    with h5py.File(tmp_path / "m.h5", "r+") as file:
        config = json.loads(file.attrs["model_config"])
        config.pop("build_config")
        file.attrs["model_config"] = json.dumps(config)
    with pytest.raises(UnsupportedFileError, match="not the shapes of its inputs"):
        keras.models.load_model(tmp_path / "m.h5")


def test_learned_vocabularies_are_in_saved_models(tmp_path):
    lookup = layers.IntegerLookup()
    lookup.adapt(np.array([3, 3, 7, 9]))
    words = keras.Input((2,), dtype="int64")
    model = keras.Model(words, layers.Embedding(6, 2)(lookup(words)))
    x = np.array([[3, 9], [1, 7]])
    model.save(tmp_path / "m")
    np.testing.assert_array_equal(keras.models.load_model(tmp_path / "m")(x), model(x))
    assert lookup.get_config()["vocabulary"] is None
