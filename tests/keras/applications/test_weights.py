"""Weight files: names, addresses and hashes; files in the published layout, from a local server."""

import functools
import hashlib
import http.server
import importlib
import pathlib
import re
import threading

import h5py
import keras as oracle
import numpy as np
import pytest
from keras.src.legacy.saving import legacy_h5_format

from hornbeam import keras
from hornbeam.keras.applications import mobilenet, weight_files
from tests.keras.applications.twins import build, no_random_weights

pytestmark = pytest.mark.format
SMALL = {"alpha": 0.25, "input_shape": (128, 128, 3)}
FILE = "tensorflow/keras-applications/mobilenet/mobilenet_2_5_128_tf{}.h5"


def randomized(model, seed=0):
    """The model with weights that are all different from their initial values; returns them too."""
    rng = np.random.default_rng(seed)
    weights = [rng.uniform(0.5, 1.5, weight.shape).astype("float32") for weight in model.get_weights()]
    model.set_weights(weights)
    return weights


def write_published(path, model):
    """A file in the layout of the published ones: layer and weight names as attributes of HDF5 groups."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with h5py.File(path, "w") as file:
        legacy_h5_format.save_weights_to_hdf5_group(file, model)


class _Server(http.server.SimpleHTTPRequestHandler):
    asked = []

    def do_GET(self):
        self.asked.append(self.path)
        super().do_GET()

    def log_message(self, *parts):
        """Nothing: the tests look at `asked`."""


@pytest.fixture
def host(tmp_path, monkeypatch):
    """Folder that a server at the published host's place offers; the cache is empty."""
    folder = tmp_path / "host"
    folder.mkdir()
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "home"))
    _Server.asked = []
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(_Server, directory=str(folder)))
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    monkeypatch.setattr(weight_files, "HOST", f"http://127.0.0.1:{server.server_port}/")
    yield folder
    server.shutdown()
    server.server_close()
    thread.join()


# --- published files -----------------------------------------------------------------------------
@pytest.mark.parametrize("include_top", [True, False])
def test_published_weights_come_through_the_cache(host, tmp_path, include_top):
    theirs = build(oracle, "MobileNet", include_top=include_top, **SMALL)
    weights = randomized(theirs)
    write_published(host / FILE.format("" if include_top else "_no_top"), theirs)
    for _ in range(2):  # the second time from the cache
        model = keras.applications.MobileNet(weights="imagenet", include_top=include_top, **SMALL)
        for mine, expected in zip(model.get_weights(), weights, strict=True):
            np.testing.assert_array_equal(mine, expected)
    assert len(_Server.asked) == 1
    assert [file.name for file in (tmp_path / "home" / "models").glob("*.h5")] == [
        f"mobilenet_2_5_128_tf{'' if include_top else '_no_top'}.h5"
    ]


def test_a_file_that_is_not_the_published_one_is_refused(host, monkeypatch):
    theirs = build(oracle, "MobileNet", include_top=False, **SMALL)
    path = host / FILE.format("_no_top")
    write_published(path, theirs)

    def files(digest):
        one = weight_files.WeightFile("tensorflow/keras-applications/mobilenet", path.name, digest)
        return lambda alpha, rows: weight_files.Published(one, one)

    monkeypatch.setattr(mobilenet, "_files", files("0" * 32))
    with pytest.raises(ValueError, match=r"the md5 hash 0{32}"):
        keras.applications.MobileNet(weights="imagenet", include_top=False, **SMALL)
    monkeypatch.setattr(mobilenet, "_files", files(hashlib.md5(path.read_bytes()).hexdigest()))
    assert keras.applications.MobileNet(weights="imagenet", include_top=False, **SMALL).count_params() == 218544


def published_facts():
    """Every file name and hash in Keras's sources."""
    folder = pathlib.Path(oracle.src.applications.__file__).parent
    text = "\n".join(file.read_text() for file in folder.glob("*.py") if not file.name.endswith("_test.py"))
    return set(re.findall(r'"([0-9a-f]{32}|[0-9a-f]{64})"', text))


def test_all_hashes_are_those_of_keras():
    folder = pathlib.Path(importlib.import_module("hornbeam.keras.applications").__file__).parent
    # RegNet and ResNet-RS, which Keras 3 has not, have tests of their own.
    others = ("regnet.py", "resnet_rs.py")
    text = "\n".join(file.read_text() for file in folder.glob("*.py") if file.name not in others)
    ours = set(re.findall(r'"([0-9a-f]{32}|[0-9a-f]{64})"', text))
    unused = {  # of networks that Keras knows the files of, but does not offer
        "67a5b30d522ed92f75a1f16eef299d1a",
        "62527c363bdd9ec598bed41947b379fc",
        "34fb605428fcc7aa4d62f44404c11509",
        "0f678c91647380debd923963594981b3",
    }
    assert ours == published_facts() - unused


SQUARE = {"input_shape": (224, 224, 3)}
FETCHES = [
    ("VGG16", {"include_top": False}),
    ("ResNet50", {}),
    ("ResNet50V2", {"include_top": False}),
    ("DenseNet121", {"include_top": False}),
    ("InceptionV3", {}),
    ("InceptionResNetV2", {"include_top": False}),
    ("Xception", {}),
    ("MobileNet", {"alpha": 0.75}),
    ("MobileNetV2", {"alpha": 1.4}),
    ("MobileNetV2", {"include_top": False, "alpha": 0.35, "input_shape": (96, 96, 3)}),
    ("MobileNetV3Small", {"minimalistic": True, **SQUARE}),
    ("MobileNetV3Large", {"alpha": 0.75, "include_top": False, **SQUARE}),
    ("NASNetMobile", {}),
    ("NASNetMobile", {"include_top": False}),
    ("EfficientNetB0", {}),
    ("EfficientNetB1", {"include_top": False}),
    ("EfficientNetV2B0", {}),
    ("EfficientNetV2B1", {"include_top": False}),
    ("ConvNeXtTiny", {}),
    ("ConvNeXtTiny", {"include_top": False}),
]


# The models are built before their files are asked for, so that the larger ones take long.
QUICK = {"MobileNet", "MobileNetV2", "MobileNetV3Small", "EfficientNetB0", "ResNet50V2"}


@pytest.mark.parametrize(
    ("name", "arguments"),
    [pytest.param(*one, marks=() if one[0] in QUICK else pytest.mark.slow) for one in FETCHES],
)
def test_the_same_file_is_asked_for_as_by_keras(name, arguments, monkeypatch):
    """What `get_file` is called with: name in the cache, address, subfolder, hash."""

    class Asked(Exception):
        """Ends the construction, with what was asked for."""

    def ask(fname, origin, cache_subdir, file_hash=None):
        raise Asked(fname, origin, cache_subdir, file_hash)

    monkeypatch.setattr(weight_files.utils, "get_file", ask)
    monkeypatch.setattr(oracle.src.utils.file_utils, "get_file", ask)
    asked = []
    for library in (keras, oracle):
        with no_random_weights(), pytest.raises(Asked) as caught:
            getattr(library.applications, name)(weights="imagenet", **arguments)
        asked.append(caught.value.args)
    assert asked[0] == asked[1]


# --- own files -----------------------------------------------------------------------------------
@pytest.mark.parametrize("suffix", [".h5", ".weights.h5", "own"])
def test_weights_from_a_path(tmp_path, suffix):
    arguments = {"include_top": False, "input_shape": (32, 32, 3), "alpha": 0.25}
    theirs = build(oracle, "MobileNet", **arguments)
    weights = randomized(theirs)
    path = tmp_path / "mine.h5"
    if suffix == ".h5":
        write_published(path, theirs)
    elif suffix == ".weights.h5":
        path = tmp_path / "mine.weights.h5"
        theirs.save_weights(path)
    else:
        path = tmp_path / "ours.weights.h5"
        ours = build(keras, "MobileNet", **arguments)
        ours.set_weights(weights)
        ours.save_weights(path)
    for given in (path, str(path)):
        model = keras.applications.MobileNet(weights=given, **arguments)
        for mine, expected in zip(model.get_weights(), weights, strict=True):
            np.testing.assert_array_equal(mine, expected)
