"""Models come back from files: training goes on, custom objects, texts, wrong arguments."""

import sys

import numpy as np
import pytest

from hornbeam import keras
from hornbeam.keras import layers

pytestmark = [pytest.mark.format, pytest.mark.filterwarnings("ignore::UserWarning")]


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


def test_weights_of_a_model_that_only_has_a_train_step(tmp_path):
    class Trained(keras.Model):
        def __init__(self):
            super().__init__()
            self.net = keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)])

    first, second = Trained(), Trained()
    first.save_weights(tmp_path / "net.weights.h5")
    second.load_weights(tmp_path / "net.weights.h5")
    np.testing.assert_array_equal(second.net.get_weights()[0], first.net.get_weights()[0])

    class Empty(keras.Model):
        pass

    with pytest.raises(ValueError, match="not built"):
        Empty().save_weights(tmp_path / "empty.weights.h5")


def test_functions_of_lambda_layers_see_what_the_program_imported(tmp_path, monkeypatch):
    monkeypatch.setattr(sys.modules["__main__"], "halves", 0.5, raising=False)
    function = eval("lambda x: x * halves", {"halves": 0.5})
    model = keras.Sequential([keras.layers.Input((2,)), keras.layers.Lambda(function)])
    model.save(tmp_path / "m.keras")
    loaded = keras.saving.load_model(tmp_path / "m.keras", safe_mode=False)
    np.testing.assert_array_equal(loaded(np.ones((1, 2), "float32")), [[0.5, 0.5]])
