"""Weights of any dtype, shape and name, and layers that stand in several places, in every format."""

import numpy as np
import pytest

import hornbeam as tf
from hornbeam import keras
from hornbeam.keras import layers

pytestmark = [pytest.mark.format, pytest.mark.filterwarnings("ignore::UserWarning")]
MODEL_FILES = {"m.keras": {}, "folder": {"zipped": False}, "m.h5": {}, "saved": {"save_format": "tf"}}
WEIGHT_FILES = ["w.weights.h5", "w.weights.json", "w.h5", "w.npz", "w.safetensors", "cp.ckpt"]


class Odd(layers.Layer):
    """Scalars, an empty array, and dtypes that layers rarely have."""

    def build(self, input_shape):
        self.scale = self.add_weight(shape=(), initializer="ones", name="scale")
        self.empty = self.add_weight(shape=(0, 3), name="empty")
        self.half = self.add_weight(shape=(3,), dtype="float16", name="half")
        self.brain = self.add_weight(shape=(3,), dtype="bfloat16", name="brain")
        for dtype in ("bool", "uint8", "int32", "int64"):
            self.add_weight(shape=(2,), dtype=dtype, initializer="zeros", trainable=False, name=f"of_{dtype}")

    def call(self, x):
        return x * self.scale


def chain(*parts):
    return keras.Sequential([keras.Input((4,)), *parts])


def odd():
    return chain(layers.Dense(3), Odd())


def of_dtype(dtype):
    return lambda: chain(layers.Dense(3, dtype=dtype), layers.BatchNormalization(dtype=dtype))


def odd_names():
    x = given = keras.Input((4,), name="Eingang ä")
    for name in ("층 1", "a b.c-d", "größe:0", "x%y\"z'", "A" * 120):
        x = layers.Dense(3, name=name)(x)
    return keras.Model(given, x, name="모델")


def nested():
    inner = keras.Sequential([layers.Dense(3), layers.BatchNormalization()], name="inner")
    middle = keras.Sequential([layers.Dense(3), inner, layers.Dense(3)], name="middle")
    x = keras.Input((4,))
    outer = keras.Model(x, middle(layers.Dense(4)(x)), name="outer")
    return chain(outer, layers.Dense(2))


def shared():
    dense, block = layers.Dense(4), keras.Sequential([layers.Dense(4), layers.PReLU()])
    x, y = keras.Input((4,)), keras.Input((4,))
    return keras.Model([x, y], layers.Concatenate()([dense(block(x)), dense(block(y)), dense(dense(x))]))


def shared_by_models():
    dense, x = layers.Dense(4, name="shared"), keras.Input((4,))
    towers = [chain(dense, layers.Dense(2)) for _ in range(2)]
    return keras.Model(x, layers.Add()([tower(x) for tower in towers]))


def several_outputs():
    x = keras.Input((5, 4))
    steps, hidden, cell = layers.LSTM(3, return_sequences=True, return_state=True)(x)
    return keras.Model(x, {"steps": steps, "hidden": hidden, "cell": layers.Dense(2)(cell)})


def without_weights():
    return chain(layers.ReLU(), layers.Dropout(0.3), layers.Flatten())


MAKERS = {
    "odd": odd,
    "float16": of_dtype("float16"),
    "bfloat16": of_dtype("bfloat16"),
    "float64": of_dtype("float64"),
    "mixed_bfloat16": of_dtype("mixed_bfloat16"),
    "names": odd_names,
    "nested": nested,
    "shared": shared,
    "shared_by_models": shared_by_models,
    "several_outputs": several_outputs,
    "without_weights": without_weights,
}


def filled(model):
    rng = np.random.default_rng(0)
    model.set_weights([rng.uniform(0.1, 1.9, w.shape).astype(w.dtype) for w in model.get_weights()])
    return model


def same_weights(received, expected):
    for one, other in zip(received.get_weights(), expected.get_weights(), strict=True):
        assert one.dtype == other.dtype
        np.testing.assert_array_equal(one.astype("float64"), other.astype("float64"))


def outputs(model):
    rng = np.random.default_rng(0)
    inputs = [rng.random((2, *one.shape[1:]), "float32") for one in model.inputs]
    found = model(inputs if len(inputs) > 1 else inputs[0], training=False)
    return [np.asarray(one).astype("float64") for one in tf.nest.flatten(found)]


@pytest.mark.parametrize("name", MAKERS)
def test_model_files(tmp_path, name):
    model = filled(MAKERS[name]())
    expected = outputs(model)
    for file, options in MODEL_FILES.items():
        model.save(tmp_path / file, **options)
        loaded = keras.models.load_model(tmp_path / file, custom_objects={"Odd": Odd})
        same_weights(loaded, model)
        if file in ("m.keras", "m.h5"):
            for one, other in zip(outputs(loaded), expected, strict=True):
                np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("name", MAKERS)
def test_weights_into_models_rebuilt_from_texts(tmp_path, name):
    """Layers that several inner models share are shared again in the model that is built from JSON."""
    model = filled(MAKERS[name]())
    again = keras.models.model_from_json(model.to_json(), custom_objects={"Odd": Odd})
    for file in WEIGHT_FILES:
        model.save_weights(tmp_path / file)
        again.set_weights([np.zeros_like(weight) for weight in again.get_weights()])
        again.load_weights(tmp_path / file)
        same_weights(again, model)


def test_three_hundred_layers(tmp_path):
    model = filled(chain(*(layers.Dense(2) for _ in range(300))))
    for file in ("m.keras", "m.h5"):
        model.save(tmp_path / file)
        same_weights(keras.models.load_model(tmp_path / file), model)


@pytest.mark.parametrize("optimizer", ["adam", "ftrl"])
@pytest.mark.parametrize("file", MODEL_FILES)
@pytest.mark.filterwarnings("error::UserWarning")
def test_compiled_models_that_never_trained(tmp_path, file, optimizer):
    """Their optimizer has no state yet; that is nothing to complain about."""
    model = chain(layers.Dense(2))
    model.compile(optimizer, "mse")
    model.save(tmp_path / file, **MODEL_FILES[file])
    loaded = keras.models.load_model(tmp_path / file)
    same_weights(loaded, model)
    assert type(loaded.optimizer) is type(model.optimizer)
    assert int(loaded.optimizer.iterations) == 0


OPTIMIZERS = ["Adadelta", "Adafactor", "Adagrad", "Adamax", "AdamW", "Ftrl", "Lamb", "Lion", "Muon", "Nadam", "RMSprop"]
OPTIMIZERS += ["SGD", "ScheduleFreeAdamW", "LossScaleOptimizer"]


@pytest.mark.parametrize(
    "name", [name if name in ("Ftrl", "Muon") else pytest.param(name, marks=pytest.mark.slow) for name in OPTIMIZERS]
)
def test_optimizer_states(tmp_path, name):
    """The steps after loading equal those of the model that was saved, bit for bit."""
    x = np.random.default_rng(0).random((8, 4), "float32")

    def make():
        kind = getattr(keras.optimizers, name)
        model = chain(layers.Dense(5, "tanh"), layers.Dense(2))
        model.compile(kind(keras.optimizers.Adam(0.01)) if name == "LossScaleOptimizer" else kind(0.01), "mse")
        return model

    def steps(one):
        return [float(one.train_on_batch(x, x[:, :2])) for _ in range(2)]

    model = make()
    steps(model)
    loaded = []
    for file, options in MODEL_FILES.items():
        model.save(tmp_path / file, **options)
        loaded.append(keras.models.load_model(tmp_path / file))
    for file in ("w.weights.h5", "w.weights.json", "cp.ckpt"):
        model.save_weights(tmp_path / file)
        loaded.append(make())
        loaded[-1].optimizer.build(loaded[-1].trainable_variables)
        loaded[-1].load_weights(tmp_path / file)
    assert {int(one.optimizer.iterations) for one in loaded} == {int(model.optimizer.iterations)}
    expected = steps(model)
    for one in loaded:
        assert steps(one) == expected
        same_weights(one, model)


def test_checkpoints_of_models_that_are_never_called(tmp_path):
    class Own(keras.Model):
        def __init__(self):
            super().__init__()
            self.inner = keras.Sequential([keras.layers.Input((2,)), keras.layers.Dense(1)])

    first, second = Own(), Own()
    first.save_weights(str(tmp_path / "weights"), save_format="tf")
    second.load_weights(str(tmp_path / "weights"))
    np.testing.assert_array_equal(first.inner.get_weights()[0], second.inner.get_weights()[0])
