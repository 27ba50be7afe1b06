"""What a model keeps beside its variables: vocabularies, optimizer state in weight files, pickles."""

import copy
import pickle

import keras as oracle
import numpy as np
import pytest

from hornbeam import keras
from hornbeam.base.errors import NotSupportedError

pytestmark = [pytest.mark.format, pytest.mark.filterwarnings("ignore::UserWarning")]
X, Y = np.arange(12.0, dtype="float32").reshape(4, 3) / 5, np.ones((4, 2), "float32")


def doubled(x):
    return x * 2


class Scaled(keras.layers.Layer):
    def build(self, shape):
        self.scale = self.add_weight(shape=(shape[-1],), initializer="ones")

    def call(self, x):
        return x * self.scale


class Remembering(keras.layers.Layer):
    """Stores an array that is no variable."""

    def call(self, x):
        return x

    def save_own_variables(self, store):
        store["seen"] = np.arange(3)

    def load_own_variables(self, store):
        self.seen = store["seen"]


def trained(lib=keras, steps=2):
    layers = [lib.layers.Dense(2, kernel_initializer="ones"), lib.layers.BatchNormalization()]
    model = lib.Sequential([lib.Input((3,)), *layers])
    model.compile("adam", "mse")
    for _ in range(steps):
        model.train_on_batch(X, Y)
    return model


# --- vocabularies --------------------------------------------------------------------------------
@pytest.mark.parametrize("mode", ["int", "tf_idf"])
@pytest.mark.parametrize("kind", [keras.layers.StringLookup, keras.layers.TextVectorization])
def test_learned_vocabularies_stand_in_the_config_of_h5_files(tmp_path, kind, mode):
    """R-09a."""
    layer = kind(output_mode=mode)
    layer.adapt(np.array(["a b", "b c", "c b a"]))
    inputs = keras.Input(() if kind is keras.layers.TextVectorization else (1,), dtype="string")
    model = keras.Model(inputs, layer(inputs))
    words = np.array(["a b", "zz b c"])
    words = words if kind is keras.layers.TextVectorization else words[:, None]
    expected = model.predict(words, verbose=0)
    model.save(tmp_path / "m.h5")
    assert model.layers[-1].get_config()["vocabulary"] is None  # as it was before
    np.testing.assert_array_equal(keras.models.load_model(tmp_path / "m.h5").predict(words, verbose=0), expected)


@pytest.mark.filterwarnings("default::UserWarning")
def test_models_for_texts_go_into_folders(tmp_path):
    words = np.array([["a b"], ["zz b c"]])
    layer = keras.layers.TextVectorization(output_mode="multi_hot")
    layer.adapt(["a b", "b c"])
    model = keras.Sequential([keras.Input((1,), dtype="string"), layer, keras.layers.Dense(1)])
    with pytest.warns(UserWarning, match="takes texts"):
        keras.saving.save_model(model, tmp_path / "m", save_format="tf")
    loaded = keras.models.load_model(tmp_path / "m")
    np.testing.assert_array_equal(loaded.predict(words, verbose=0), model.predict(words, verbose=0))


def test_what_h5_files_cannot_hold_is_refused(tmp_path):
    """R-09a."""
    model = keras.Sequential([keras.Input((3,)), Remembering(name="keeper")])
    with pytest.raises(NotSupportedError, match=r"(?s)keeper|remembering.*\.keras"):
        model.save(tmp_path / "m.h5")
    assert not (tmp_path / "m.h5").exists()


# --- optimizer state in weight files -------------------------------------------------------------
@pytest.mark.parametrize("name", ["w.weights.h5", "w.weights.json"])
@pytest.mark.parametrize(("writer", "reader"), [(keras, oracle), (oracle, keras), (keras, keras)])
def test_training_goes_on_from_weights(tmp_path, name, writer, reader):
    model = trained(writer)
    model.save_weights(tmp_path / name, **({"max_shard_size": 1e-7} if name.endswith("json") else {}))
    again = trained(reader, steps=0)
    again.optimizer.build(again.trainable_variables)
    again.load_weights(tmp_path / name)
    expected, received = ([float(one.train_on_batch(X, Y)) for _ in range(2)] for one in (model, again))
    np.testing.assert_allclose(received, expected, rtol=1e-6)
    assert int(again.optimizer.iterations) == 4


def test_an_optimizer_that_is_not_built_starts_anew_and_says_so(tmp_path):
    trained().save_weights(tmp_path / "w.weights.h5")
    again = trained(steps=0)
    with pytest.warns(UserWarning, match="not built"):
        again.load_weights(tmp_path / "w.weights.h5")
    assert int(again.optimizer.iterations) == 0


# --- pickles -------------------------------------------------------------------------------------
def test_models_are_pickled_as_files(monkeypatch):
    """S-26: data only, read in safe mode; the user's own classes are named by the pickle itself."""
    model = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2, activation=doubled), Scaled()])
    model.compile("adam", "mse")
    model.train_on_batch(X, Y)
    again, twin = pickle.loads(pickle.dumps(model)), copy.deepcopy(model)
    expected = float(model.train_on_batch(X, Y))
    assert float(again.train_on_batch(X, Y)) == expected == float(twin.train_on_batch(X, Y))
    plain = trained()
    _, (content,) = plain.__reduce__()
    assert content.startswith(b"PK\x03\x04")


def test_lambdas_are_not_pickled():
    model = keras.Sequential([keras.Input((3,)), keras.layers.Lambda(lambda x: x)])
    with pytest.raises(NotSupportedError, match="named function"):
        pickle.dumps(model)
