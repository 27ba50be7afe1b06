"""The stored models under ``tests/fixtures/formats``, and how each of them is loaded."""

import json
from pathlib import Path

import numpy as np

from hornbeam import keras
from hornbeam.keras import layers

ROOT = Path(__file__).parents[1] / "fixtures" / "formats"
ROWS = json.loads((ROOT / "INDEX.json").read_text())
FILES = [row for row in ROWS if not row["file"].startswith(("k2_savedmodel", "tf_ckpt"))]


class Block(layers.Layer):
    """The layer of the subclassed fixture."""

    def __init__(self, units, **kwargs):
        super().__init__(**kwargs)
        self.units = units
        self.parts = [layers.Dense(units, activation="relu"), layers.Dense(units)]

    def build(self, input_shape):
        self.scale = self.add_weight(name="scale", shape=(self.units,), initializer="ones")
        self.parts[0].build(input_shape)
        self.parts[1].build((input_shape[0], self.units))

    def call(self, x):
        return self.parts[1](self.parts[0](x)) * self.scale

    def get_config(self):
        return {**super().get_config(), "units": self.units}


class Net(keras.Model):
    """The model of the subclassed fixture."""

    def __init__(self, units=5, **kwargs):
        super().__init__(**kwargs)
        self.units = units
        self.block = Block(units)
        self.head = layers.Dense(2)

    def call(self, x):
        return self.head(self.block(x))

    def get_config(self):
        return {**super().get_config(), "units": self.units}


class Sub(keras.Model):
    """The model whose weights the subclassed weight files hold."""

    def __init__(self):
        super().__init__(name="sub")
        self.first = layers.Dense(5, activation="relu")
        self.blocks = [layers.Dense(5, activation="tanh"), layers.Dense(5)]
        self.norm = layers.LayerNormalization()
        self.head = layers.Dense(2)
        self.scale = self.add_weight(name="scale", shape=(5,), initializer="ones")

    def call(self, x):
        x = self.first(x)
        for block in self.blocks:
            x = block(x)
        return self.head(self.norm(x * self.scale))


CUSTOM = {"Demo>Block": Block, "Demo>Net": Net}


def load(row):
    """The model of a row, with its weights; for the row about loading by name, two models."""
    path = str(ROOT / row["file"])
    if row["format"].endswith("-architecture"):
        return _with_weights(row["file"], row["weights"])
    if row["file"].endswith("by_name.h5"):
        return [_by_name(path, units) for units in (3, 2)]
    if row["file"].endswith("subclassed.h5"):
        model = Sub()
        model(np.zeros((1, 4), "float32"))
        model.load_weights(path)
        return model
    if "architecture" in row:
        return _with_weights(row["architecture"], row["file"])
    return keras.models.load_model(path, custom_objects=CUSTOM)


def _with_weights(architecture, weights):
    path = ROOT / architecture
    if path.suffix == ".json":
        model = keras.models.model_from_json(path.read_text())
    elif path.suffix == ".yaml":
        model = keras.models.model_from_yaml(path.read_text())
    else:
        model = keras.models.load_model(str(path), compile=False)
    model.load_weights(str(ROOT / weights))
    return model


def _by_name(path, units):
    ones = {"kernel_initializer": "ones", "bias_initializer": "ones"}
    model = keras.Sequential(
        [
            layers.Input((4,)),
            layers.Dense(8, activation="relu", name="shared_a", **ones),
            layers.Dense(6, activation="relu", name="fresh", **ones),
            layers.Dense(units, name="head", **ones),
        ]
    )
    model.load_weights(path, by_name=True, skip_mismatch=units == 2)
    return model


def arrays(relative, prefix):
    """Arrays of an ``.npz`` beside the fixtures whose names begin with a prefix, in order."""
    with np.load(ROOT / relative, allow_pickle=False) as stored:
        return [
            stored[name] for name in sorted(stored.files) if name[len(prefix) :].isdigit() and name.startswith(prefix)
        ]


def as_inputs(row, values, names="inputs"):
    """One array, a list, or a dict, as the model of the row takes them."""
    if row.get(names):
        return dict(zip(row[names], values, strict=True))
    return values[0] if len(values) == 1 else values


def outputs(row, model):
    """Predictions for the stored inputs, as a list in the stored order."""
    inputs = as_inputs(row, arrays(row["io"], "x"))
    if isinstance(model, list):
        return [np.asarray(one.predict(inputs, verbose=0)) for one in model]
    found = model.predict(inputs, verbose=0)
    if isinstance(found, dict):
        return [found[name] for name in row["outputs"]]
    return list(found) if isinstance(found, (list, tuple)) else [found]
