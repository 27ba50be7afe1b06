"""Every public layer class comes back from every format that can hold it: weights, outputs and config are the same."""

import json
import warnings

import numpy as np
import pytest

import hornbeam as tf
from hornbeam import keras
from hornbeam.base.errors import NotSupportedError
from tests.saving.layer_table import CUSTOM_OBJECTS, FIRST_ROWS, ROWS, WITHOUT_MODEL, public_layers

pytestmark = [pytest.mark.format, pytest.mark.filterwarnings("ignore::UserWarning")]
MODEL_FILES = [("m.keras", {}), ("folder", {"zipped": False}), ("m.h5", {})]
WEIGHT_FILES = ["w.weights.h5", "w.weights.json", "w.h5", "w.npz", "w.safetensors", "cp.ckpt"]
# A SavedModel holds one compiled program, of tensors by name.
NOT_IN_PROGRAMS = {
    "StringLookup": "strings",
    "TextVectorization": "strings",
    "Hashing": "python_callback",
    "HashedCrossing": "python_callback",
    "MaxNumBoundingBoxes": "nesting",
}
each_row = pytest.mark.parametrize(
    "row", [row if row in FIRST_ROWS else pytest.param(row, marks=pytest.mark.slow) for row in ROWS], ids=lambda r: r[0]
)


def flat(outputs):
    return [np.asarray(one) for one in tf.nest.flatten(outputs)]


def same_outputs(received, expected):
    for one, other in zip(flat(received), flat(expected), strict=True):
        np.testing.assert_array_equal(one, other)


def close_outputs(received, expected):
    """The program of a SavedModel is compiled as a whole, the model here layer by layer: the last bit may differ."""
    for one, other in zip(flat(received), flat(expected), strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-6)


def same_weights(received, expected):
    for one, other in zip(received.get_weights(), expected.get_weights(), strict=True):
        assert one.dtype == other.dtype
        np.testing.assert_array_equal(one, other)


def config_text(model):
    """The config of the layer; tuples and lists are one thing in a file."""
    return json.dumps(model.layers[-1].get_config(), sort_keys=True, default=str)


def test_every_class_has_a_row():
    names = {row.name for row in ROWS}
    assert names | set(WITHOUT_MODEL) == public_layers()
    assert not names & set(WITHOUT_MODEL)
    assert set(NOT_IN_PROGRAMS) < names


@each_row
def test_model_files(tmp_path, row):
    model = row.model()
    expected = model(row.feed(), training=False)
    for name, options in MODEL_FILES:
        model.save(tmp_path / name, **options)
        loaded = keras.models.load_model(tmp_path / name, custom_objects=CUSTOM_OBJECTS)
        same_weights(loaded, model)
        assert config_text(loaded) == config_text(model)
        if name != "folder":
            same_outputs(loaded(row.feed(), training=False), expected)


@each_row
def test_architecture_and_weights(tmp_path, row):
    model = row.model()
    again = keras.models.model_from_json(model.to_json(), custom_objects=CUSTOM_OBJECTS)
    from_yaml = keras.models.model_from_yaml(model.to_yaml(), custom_objects=CUSTOM_OBJECTS)
    assert config_text(again) == config_text(from_yaml) == config_text(model)
    for name in WEIGHT_FILES:
        model.save_weights(tmp_path / name)
        again.set_weights([np.zeros_like(weight) for weight in again.get_weights()])
        again.load_weights(tmp_path / name)
        same_weights(again, model)


@each_row
def test_saved_model_folders(tmp_path, row):
    model = row.model()
    if row.name in NOT_IN_PROGRAMS:
        with pytest.raises((NotSupportedError, ValueError), match=NOT_IN_PROGRAMS[row.name]):
            model.export(tmp_path / "e")
        if NOT_IN_PROGRAMS[row.name] != "strings":
            with pytest.raises((NotSupportedError, ValueError), match=NOT_IN_PROGRAMS[row.name]):
                model.save(tmp_path / "m", save_format="tf")
            return
        with pytest.warns(UserWarning, match=r"\.keras"):
            model.save(tmp_path / "m", save_format="tf")
        # A model for texts is a `.keras` folder instead.
        loaded = keras.models.load_model(tmp_path / "m", custom_objects=CUSTOM_OBJECTS)
        close_outputs(loaded(row.feed(), training=False), model(row.feed(), training=False))
        return
    expected = model(row.feed(), training=False)
    with warnings.catch_warnings():
        warnings.filterwarnings("error", "Function .* could not be saved for")
        model.save(tmp_path / "m", save_format="tf")
    loaded = keras.models.load_model(tmp_path / "m", custom_objects=CUSTOM_OBJECTS)
    same_weights(loaded, model)
    assert config_text(loaded) == config_text(model)
    close_outputs(tf.saved_model.load(tmp_path / "m")(row.feed()), expected)


@pytest.mark.slow
@pytest.mark.parametrize("row", [row for row in FIRST_ROWS if row.name not in NOT_IN_PROGRAMS], ids=lambda r: r[0])
def test_exports(tmp_path, row):
    model = row.model()
    model.export(tmp_path / "e", verbose=False)
    close_outputs(tf.saved_model.load(tmp_path / "e").serve(row.feed()), model(row.feed(), training=False))
