"""Files and paths as strangers have them: each is read, or an error names the file, the cause and what to do."""

import gzip
import io
import pathlib
import shutil
import zipfile

import h5py
import numpy as np
import pytest

from hornbeam import keras
from hornbeam.base.errors import CorruptFileError, NotSupportedError
from hornbeam.saving.paths import local_path

pytestmark = [pytest.mark.format, pytest.mark.filterwarnings("ignore::UserWarning")]
layers = keras.layers
X = np.random.default_rng(0).random((3, 4), "float32")


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    folder = tmp_path_factory.mktemp("odd files")
    model = keras.Sequential([keras.Input((4,)), layers.Dense(2, name="a")])
    for name in ("m.keras", "m.h5", "saved"):
        model.save(folder / name)
    model.save_weights(folder / "weights" / "cp")
    return folder, model


def agrees(place, path):
    np.testing.assert_array_equal(keras.models.load_model(path)(X), place[1](X))
    return True


def test_files_are_urls_too(place, tmp_path):
    folder, model = place
    assert agrees(place, (folder / "m.keras").as_uri())
    assert agrees(place, "file://localhost" + str(folder / "m.h5"))
    assert agrees(place, pathlib.Path("file://" + str(folder / "m.keras")))
    assert agrees(place, (folder / "saved").as_uri())
    model.save((tmp_path / "a b.keras").as_uri())
    model.save_weights((tmp_path / "a b.weights.h5").as_uri())
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a b.keras", "a b.weights.h5"]
    model.load_weights((folder / "weights" / "cp").as_uri())


@pytest.mark.parametrize("url", ["gs://bucket/m.keras", "s3:/bucket/m.keras", "https://example.com/m.h5", "hf://me/m"])
def test_other_machines_are_named(place, url):
    for call in (keras.models.load_model, place[1].load_weights, place[1].save, place[1].save_weights):
        with pytest.raises(NotSupportedError, match="fetch"):
            call(url)


def test_paths_are_left_as_they_are():
    assert local_path(b"a/b.keras") == "a/b.keras"
    assert local_path("C:/m.keras") == "C:/m.keras"
    assert local_path("files:x") == "files:x"
    assert local_path("file:///a%20b%2520c") == "/a b%20c"
    assert not local_path("~/x").startswith("~")


def test_open_files_are_no_paths(place):
    folder, model = place
    with open(folder / "m.keras", "rb") as file, pytest.raises(TypeError, match=r"m\.keras"):
        keras.models.load_model(file)
    with h5py.File(folder / "m.h5") as file, pytest.raises(TypeError, match=r"m\.h5"):
        keras.models.load_model(file)
    for call in (model.save, model.save_weights, model.load_weights, keras.models.load_model):
        with pytest.raises(TypeError, match="received BytesIO"):
            call(io.BytesIO())


@pytest.mark.parametrize("form", [np.bytes_, lambda text: np.array([text]), lambda text: text.decode()])
def test_forms_of_the_stored_config(place, tmp_path, form):
    path = tmp_path / "m.h5"
    shutil.copy(place[0] / "m.h5", path)
    with h5py.File(path, "r+") as file:
        text = str(file.attrs["model_config"]).encode()
        del file.attrs["model_config"]
        file.attrs["model_config"] = form(text)
    assert agrees(place, path)


@pytest.mark.parametrize("name", ["m.keras", "m.h5"])
def test_content_counts_not_the_ending(place, tmp_path, name):
    for other in ("nothing", "x.h5", "x.keras"):
        shutil.copy(place[0] / name, tmp_path / other)
        assert agrees(place, tmp_path / other)


def write_packed(folder, path):
    kind = path.name
    if kind == "saved.zip":
        shutil.make_archive(str(path.with_suffix("")), "zip", folder, "saved")
    elif kind == "m.zip":
        with zipfile.ZipFile(path, "w") as file:
            file.write(folder / "m.keras", "inner/m.keras")
    elif kind == "m.tar":
        shutil.make_archive(str(path.with_suffix("")), "tar", folder, "saved")
    elif kind == "m.h5.gz":
        path.write_bytes(gzip.compress((folder / "m.h5").read_bytes()))
    elif kind == "m.pth":
        with zipfile.ZipFile(path, "w") as file:
            file.writestr("archive/data.pkl", b"x")
    else:
        path.write_bytes({"m.onnx": b"\x08\x07", "m.tflite": b"\x1c\0\0\0TFL3", "m.pkl": b"\x80\x04\x95..."}[kind])


@pytest.mark.parametrize(
    ("name", "word"),
    [
        ("saved.zip", r"Unpack it.*saved\)"),
        ("m.zip", r"Unpack it.*m\.keras\)"),
        ("m.tar", "unpack it"),
        ("m.h5.gz", "unpack it"),
        ("m.pth", "PyTorch"),
        ("m.onnx", "ONNX"),
        ("m.tflite", "TensorFlow Lite"),
        ("m.pkl", "pickle"),
    ],
)
def test_what_else_a_file_is(place, tmp_path, name, word):
    path = tmp_path / name
    write_packed(place[0], path)
    with pytest.raises(CorruptFileError, match=word) as found:
        keras.models.load_model(path)
    assert str(path) in str(found.value)


def test_near_names_are_shown(place):
    folder, model = place
    with pytest.raises(FileNotFoundError, match=r"There is '.*m\.h5'"):
        keras.models.load_model(folder / "m")
    with pytest.raises(CorruptFileError, match=r"load_weights\('.*variables/variables'\)"):
        keras.models.load_model(folder / "saved" / "variables")
    with pytest.raises(CorruptFileError, match=r"Give the path of the model in it: '.*m\.h5'"):
        keras.models.load_model(folder)
    model.load_weights(folder / "saved" / "variables" / "variables")


class Twice(layers.Layer):
    def call(self, x):
        return 2 * x


@pytest.mark.parametrize("name", ["m.keras", "m.h5"])
def test_registered_classes_are_passed_under_either_name(tmp_path, name):
    keras.saving.register_keras_serializable("some_package")(Twice)
    keras.Sequential([keras.Input((4,)), Twice()]).save(tmp_path / name)
    keras.saving.get_custom_objects().pop("some_package>Twice")
    with pytest.raises(Exception, match="Twice") as found:
        keras.models.load_model(tmp_path / name)
    assert str(tmp_path / name) in "".join(getattr(found.value, "__notes__", ()))
    for known in ("Twice", "some_package>Twice"):
        loaded = keras.models.load_model(tmp_path / name, custom_objects={known: Twice})
        np.testing.assert_array_equal(loaded(X), 2 * X)
