"""Graphs of ops, flags of calls, models with their own ``call``: what Keras writes is read, and ours is read there."""

import json
import logging

import h5py
import keras as reference
import numpy as np
import pytest

from hornbeam import keras
from tests.saving.test_keras_exchange import randomize

pytestmark = [pytest.mark.format, pytest.mark.numeric, pytest.mark.filterwarnings("ignore::UserWarning")]
logging.getLogger("absl").setLevel(logging.ERROR)


# --- what graphs hold beside layers --------------------------------------------------------------
def graph_of_ops(k):
    o, x = k.ops, k.Input((4, 5))
    y = o.concatenate([x, o.flip(x, axis=1)], axis=-1)
    y = o.einsum("bij,bkj->bik", y, y)[:, 1:, ::2]
    y = o.where(y > 0, y, 0.1 * y)
    flat = o.reshape(o.transpose(y, (0, 2, 1)), (-1, 6))
    scale, zero = np.ones(6, "float32"), np.zeros(6, "float32")
    flat = o.batch_normalization(flat, zero, scale, -1, scale=scale) + o.layer_normalization(flat, scale)
    small = o.image.resize(o.expand_dims(y, -1), (2, 3))
    return k.Model(x, [o.cast(o.argmax(flat, -1), "float32"), o.top_k(flat, 2)[0], o.cumsum(o.squeeze(small, -1), 1)])


@pytest.mark.parametrize("ending", ["keras", "h5"])
def test_ops_with_arguments_by_place_and_by_name(tmp_path, ending):
    x = np.random.default_rng(0).normal(size=(3, 4, 5)).astype("float32")
    theirs, ours = graph_of_ops(reference), graph_of_ops(keras)
    theirs.save(tmp_path / f"theirs.{ending}")
    ours.save(tmp_path / f"ours.{ending}")
    readers = [(keras, "theirs"), (keras, "ours")]
    # Keras does not read ops in `.h5` files, its own ones included.
    readers += [(reference, "ours")] if ending == "keras" else []
    for k, name in readers:
        back = k.models.load_model(tmp_path / f"{name}.{ending}", compile=False)
        for found, wanted in zip(back(x), theirs(x), strict=True):
            np.testing.assert_allclose(np.asarray(found), np.asarray(wanted), rtol=1e-4, atol=1e-5)


def noisy(k, **flag):
    x = k.Input((40,))
    dropped = k.layers.Dropout(0.5)(x, **flag)
    return k.Model(x, k.layers.BatchNormalization()(dropped))


@pytest.mark.parametrize("ending", ["keras", "h5"])
def test_training_flags_of_calls(tmp_path, ending):
    """Keras stores the flag of the moment, and obeys that of the model; what our programs insist on stays."""
    x = np.ones((2, 40), "float32")
    path = tmp_path / f"m.{ending}"
    noisy(reference).save(path)
    back = keras.models.load_model(path)
    assert (np.abs(np.asarray(back(x)) - np.asarray(noisy(keras)(x))) < 1e-6).all()
    assert len(np.unique(np.asarray(back(x, training=True)).round(3))) > 1
    for flag, alike in ((True, False), (False, True)):
        noisy(keras, training=flag).save(path)
        back = keras.models.load_model(path)
        assert (len(np.unique(np.asarray(back(x)))) == 1) is alike
        assert (len(np.unique(np.asarray(back.layers[1](x)))) == 1) is True
        reference.saving.load_model(path)


def own_models(k):
    class Inner(k.layers.Layer):
        def __init__(self):
            super().__init__()
            self.parts = [k.layers.Dense(4), [k.layers.Dense(3)]]

        def call(self, x):
            return self.parts[1][0](self.parts[0](x))

    class Own(k.Model):
        def __init__(self):
            super().__init__()
            self.first, self.out, self._last = k.layers.Dense(2), k.layers.Dense(3), k.layers.Dense(1)
            self.rows, self.inner = [k.layers.Dense(4), k.layers.ReLU()], Inner()
            self._hidden = k.layers.Dense(5)

        @property
        def body(self):
            return self._hidden

        @property
        def broken(self):
            raise RuntimeError

        def call(self, x):
            return self._last(self._hidden(self.inner(self.rows[1](self.rows[0](self.out(self.first(x)))))))

    model = Own()
    model(np.ones((1, 4), "float32"))
    return model


def test_models_with_their_own_call(tmp_path):
    """Attributes behind `layers` in the alphabet are stored in the list of layers; properties count."""
    theirs, ours = randomize(own_models(reference)), own_models(keras)
    theirs.save_weights(tmp_path / "theirs.weights.h5")
    ours.load_weights(tmp_path / "theirs.weights.h5")
    x = np.random.default_rng(0).normal(size=(3, 4)).astype("float32")
    np.testing.assert_allclose(np.asarray(ours(x)), np.asarray(theirs(x)), rtol=1e-5)
    ours.save_weights(tmp_path / "ours.weights.h5")
    fresh = own_models(reference)
    fresh.load_weights(tmp_path / "ours.weights.h5")
    np.testing.assert_allclose(np.asarray(fresh(x)), np.asarray(theirs(x)), rtol=1e-5)


def test_bfloat16_in_h5(tmp_path):
    """Keras writes it as bare bytes, and cannot read that itself."""
    theirs = reference.Sequential([reference.Input((4,)), reference.layers.Dense(3, dtype="bfloat16")])
    theirs.save(tmp_path / "m.h5")
    back = keras.models.load_model(tmp_path / "m.h5")
    for found, wanted in zip(back.get_weights(), theirs.get_weights(), strict=True):
        np.testing.assert_array_equal(found.astype("float32"), wanted.astype("float32"))


@keras.saving.register_keras_serializable("exchange")
class OwnRate(keras.optimizers.schedules.LearningRateSchedule):
    def __call__(self, step):
        return 0.1 / (1 + step)

    def get_config(self):
        return {}


def test_own_schedule_in_h5(tmp_path):
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(1)])
    model.compile(keras.optimizers.SGD(OwnRate()), "mse")
    model.save(tmp_path / "m.h5")
    with h5py.File(tmp_path / "m.h5", "a") as file:
        # As Keras writes it: the module of the program, and the registered name.
        training = json.loads(file.attrs["training_config"])
        rate = {"module": "program", "class_name": "OwnRate", "config": {}, "registered_name": "exchange>OwnRate"}
        training["optimizer_config"]["config"]["learning_rate"] = rate
        file.attrs["training_config"] = json.dumps(training)
    assert isinstance(keras.models.load_model(tmp_path / "m.h5").optimizer._learning_rate, OwnRate)


def test_one_layer_twice_in_a_list(tmp_path):
    layer = keras.layers.Dense(4, "tanh")
    model = keras.Sequential([keras.Input((4,)), layer, keras.layers.Dense(4), layer])
    x = np.random.default_rng(0).normal(size=(3, 4)).astype("float32")
    model.save(tmp_path / "m.keras")
    back = keras.models.load_model(tmp_path / "m.keras")
    np.testing.assert_array_equal(np.asarray(back(x)), np.asarray(model(x)))
    assert len(back.weights) == len(model.weights) == 4
