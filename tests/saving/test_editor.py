"""``KerasFileEditor``."""

import keras as oracle
import numpy as np
import pytest

from hornbeam import keras
from hornbeam.base.errors import CorruptFileError, UnsupportedFileError

pytestmark = pytest.mark.format


def make(lib=keras, units=2):
    layers = [lib.layers.Dense(units, name="first"), lib.layers.Dense(2, name="second")]
    return lib.Sequential([lib.Input((3,)), *layers])


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    folder = tmp_path_factory.mktemp("editor")
    model = make()
    model.save_weights(folder / "w.weights.h5")
    model.save(folder / "m.keras")
    return str(folder / "w.weights.h5")


def test_contents_are_those_that_keras_shows(path, capsys):
    ours, theirs = keras.saving.KerasFileEditor(path), oracle.saving.KerasFileEditor(path)
    assert list(ours.weights_dict["layers"]) == list(theirs.weights_dict["layers"]) == ["dense", "dense_1"]
    for name, arrays in theirs.weights_dict["layers"].items():
        for number, array in arrays.items():
            np.testing.assert_array_equal(ours.weights_dict["layers"][name][number], array)
    assert ours.object_metadata["/layers/dense"] == theirs.object_metadata["/layers/dense"] == {"name": "first"}
    ours.summary()
    assert "dense_1 ('second')" in capsys.readouterr().out
    whole = keras.saving.KerasFileEditor(path.replace("w.weights.h5", "m.keras"))
    assert whole.config["class_name"] == "Sequential" and whole.metadata["keras_version"]


def test_comparison(path):
    editor = keras.saving.KerasFileEditor(path)
    assert editor.compare(make()) == {"status": "success", "error_count": 0, "match_count": 4}
    # Kernel and bias of the first layer, and the kernel of the second one.
    assert editor.compare(make(units=5)) == {"status": "error", "error_count": 3, "match_count": 1}


def test_changes_are_saved_for_both_programs(path, tmp_path):
    editor = keras.saving.KerasFileEditor(path)
    editor.rename_object("dense", "dense_9")
    editor.delete_weight("layers/dense_9", "1")
    editor.add_weights("dense_9", {"1": np.full(2, 7.0, "float32")})
    editor.add_object("layers/extra", {"0": np.ones(3)})
    editor.delete_object("extra")
    editor.rename_object("layers/dense_9", "dense")
    editor.save(tmp_path / "new.weights.h5")
    for lib in (keras, oracle):
        model = make(lib)
        model.load_weights(tmp_path / "new.weights.h5")
        np.testing.assert_array_equal(model.get_weights()[1], [7.0, 7.0])


def test_refusals(path, tmp_path):
    editor = keras.saving.KerasFileEditor(path)
    with pytest.raises(ValueError, match="slashes"):
        editor.rename_object("dense", "a/b")
    with pytest.raises(ValueError, match="no object"):
        editor.delete_object("nothing")
    with pytest.raises(ValueError, match="no array"):
        editor.delete_weight("dense", "5")
    with pytest.raises(ValueError, match=r"weights\.h5"):
        editor.save(tmp_path / "x.h5")
    with pytest.raises(ValueError, match="dict of arrays"):
        editor.add_object("layers/x", [1])
    (tmp_path / "a.json").write_text("{}")
    with pytest.raises(UnsupportedFileError, match="hornbeam convert"):
        keras.saving.KerasFileEditor(tmp_path / "a.json")
    (tmp_path / "b.weights.h5").write_text("<html>")
    with pytest.raises(CorruptFileError, match="web page"):
        keras.saving.KerasFileEditor(tmp_path / "b.weights.h5")
