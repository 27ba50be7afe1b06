"""The data sets, from small files of the published layout in a cache of their own, against Keras's loaders."""

import gzip
import json
import os
import pickle
import struct
import tarfile
from unittest import mock

import numpy as np
import pytest

from hornbeam.base import settings
from hornbeam.base.errors import CorruptFileError, UnsafeFileError
from hornbeam.keras import datasets
from hornbeam.keras.datasets.pickles import load_npz, load_pickle

RNG = np.random.RandomState(0)


def lists(count, seed):
    rng = np.random.RandomState(seed)
    found = np.empty(count, dtype=object)
    found[:] = [[int(word) for word in rng.randint(1, 60, rng.randint(2, 15))] for _ in range(count)]
    return found


@pytest.fixture(scope="module")
def cache(tmp_path_factory):
    """A cache that both loaders read: small stand-ins in the published formats."""
    home = tmp_path_factory.mktemp("keras")
    data = home / "datasets"
    data.mkdir()
    pictures = RNG.randint(0, 255, (9, 28, 28), dtype="uint8")
    labels = RNG.randint(0, 10, 9, dtype="uint8")
    np.savez(data / "mnist.npz", x_train=pictures, y_train=labels, x_test=pictures[:3], y_test=labels[:3])
    (data / "fashion-mnist").mkdir()
    for part, count in (("train", 9), ("t10k", 4)):
        with gzip.open(data / "fashion-mnist" / f"{part}-labels-idx1-ubyte.gz", "wb") as file:
            file.write(struct.pack(">II", 2049, count) + labels[:count].tobytes())
        with gzip.open(data / "fashion-mnist" / f"{part}-images-idx3-ubyte.gz", "wb") as file:
            file.write(struct.pack(">IIII", 2051, count, 28, 28) + pictures[:count].tobytes())
    table = RNG.normal(size=(50, 13))
    np.savez(data / "boston_housing.npz", x=table, y=table[:, 0])
    rows = RNG.normal(size=(700, 8))
    np.savez(data / "california_housing.npz", x=rows, y=rows[:, 0])
    y = RNG.randint(0, 2, 40)
    np.savez(data / "imdb.npz", x_train=lists(40, 1), y_train=y, x_test=lists(30, 2), y_test=y[:30])
    np.savez(data / "reuters.npz", x=lists(50, 3), y=RNG.randint(0, 46, 50))
    for name in ("imdb", "reuters"):
        (data / f"{name}_word_index.json").write_text(json.dumps({"naïve": 1, "the": 2}))
    make_cifar(data)
    with mock.patch.dict(os.environ, {"KERAS_HOME": str(home), "HORNBEAM_VERIFY_DATASETS": "0"}):
        yield data


def make_cifar(data):
    small = RNG.randint(0, 255, (100, 3072), dtype="uint8")
    fine = [int(label) for label in RNG.randint(0, 100, 100)]

    def write(path, repeat, extra, protocol=4):
        path.parent.mkdir(parents=True, exist_ok=True)
        content = {b"data": np.tile(small, (repeat, 1)), **{key: value * repeat for key, value in extra.items()}}
        with open(path, "wb") as file:
            pickle.dump(content, file, protocol=protocol)

    ten = data / "cifar-10-batches-py-target" / "cifar-10-batches-py"
    for name in [*(f"data_batch_{number}" for number in range(1, 6)), "test_batch"]:
        write(ten / name, 1, {b"labels": [label % 10 for label in fine]})
    hundred = data / "cifar-100-python-target" / "cifar-100-python"
    for name in ("train", "test"):
        write(hundred / name, 1, {b"fine_labels": fine, b"coarse_labels": [label // 5 for label in fine]})
    # Files as another layout has them, by an older protocol, which writes bytes as text.
    for name in ("train", "test"):
        write(data / "aside" / name, 1, {b"fine_labels": fine, b"coarse_labels": fine}, protocol=2)
    # The archives, which both loaders look for first; empty, for their content is there.
    for folder in ("cifar-10-batches-py-target", "cifar-100-python-target"):
        with tarfile.open(data / f"{folder}_archive", "w:gz"):
            pass


@pytest.fixture
def oracle(cache):
    """Keras's loaders over the same cache, without their check of the hash."""
    import keras
    from keras.src.utils import file_utils

    with (
        mock.patch.object(file_utils, "validate_file", lambda *_, **__: True),
        mock.patch("keras.src.backend.config.keras_home", lambda: str(cache.parent)),
    ):
        yield keras.datasets


def assert_same(found, expected):
    for one, other in zip(found, expected, strict=True):
        for array, reference in zip(one, other, strict=True):
            assert array.dtype == reference.dtype and array.shape == reference.shape
            if array.dtype == object:
                assert [list(row) for row in array] == [list(row) for row in reference]
            else:
                np.testing.assert_array_equal(array, reference)


@pytest.mark.numeric
@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("mnist", {}),
        ("fashion_mnist", {}),
        ("boston_housing", {}),
        ("boston_housing", {"test_split": 0.5, "seed": 3}),
        ("california_housing", {}),
        ("california_housing", {"version": "small", "test_split": 0}),
        ("imdb", {}),
        ("imdb", {"num_words": 30, "skip_top": 5, "seed": 7}),
        ("imdb", {"maxlen": 9, "start_char": None, "oov_char": None, "num_words": 20}),
        ("imdb", {"start_char": None, "index_from": 0}),
        ("reuters", {}),
        ("reuters", {"num_words": 25, "maxlen": 10, "test_split": 0.4, "oov_char": None}),
        ("reuters", {"start_char": 5, "index_from": 10, "skip_top": 12}),
        ("cifar100", {"label_mode": "coarse"}),
    ],
)
def test_loaders_equal_keras(oracle, name, options):
    found = getattr(datasets, name).load_data(**options)
    assert_same(found, getattr(oracle, name).load_data(**options))


def test_cifar10_rows_are_planes_of_red_green_and_blue(cache):
    """Keras's loader wants 10,000 rows in each file; the layout of a row is that of CIFAR-100, compared above."""
    (x, y), (x_test, y_test) = datasets.cifar10.load_data()
    assert x.shape == (500, 32, 32, 3) and y.shape == (500, 1) and x.dtype == y.dtype == np.uint8
    with open(cache / "cifar-10-batches-py-target" / "cifar-10-batches-py" / "data_batch_3", "rb") as file:
        batch = pickle.load(file)
    assert x[207, 5, 9, 2] == batch[b"data"][7, 2 * 1024 + 5 * 32 + 9] and y[207, 0] == batch[b"labels"][7]
    np.testing.assert_array_equal(x_test, x[:100])
    np.testing.assert_array_equal(y_test, y[:100])


@pytest.mark.numeric
def test_words_and_topics_equal_keras(oracle):
    for name in ("imdb", "reuters"):
        assert getattr(datasets, name).get_word_index() == getattr(oracle, name).get_word_index()
    assert datasets.reuters.get_label_names() == oracle.reuters.get_label_names()


def test_channels_first(cache):
    try:
        settings.set_image_data_format("channels_first")
        (x, _), _ = datasets.cifar100.load_data()
        assert x.shape == (100, 3, 32, 32)
    finally:
        settings.set_image_data_format("channels_last")


def test_folders_unpacked_right_into_the_cache_serve_too(cache, tmp_path, monkeypatch):
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    (tmp_path / "datasets").mkdir()
    os.rename(cache / "aside", tmp_path / "datasets" / "cifar-100-python")
    (x, y), _ = datasets.cifar100.load_data("fine")
    assert x.shape == (100, 32, 32, 3) and y.shape == (100, 1)


def test_files_of_another_hash_are_fetched_anew(cache, monkeypatch):
    monkeypatch.setenv("HORNBEAM_VERIFY_DATASETS", "1")
    asked = []

    def refuse(origin, file):
        asked.append(origin)
        raise OSError("offline")

    monkeypatch.setattr("hornbeam.keras.utils.file_utils._download", refuse)
    for name in ("mnist", "imdb", "boston_housing", "cifar10"):
        with pytest.raises(OSError, match="offline"):
            getattr(datasets, name).load_data()
    assert asked[0].endswith("tf-keras-datasets/mnist.npz") and asked[-1].endswith("/cifar-10-python.tar.gz")
    # The old file is kept until a better one is there.
    assert (cache / "mnist.npz").exists()


def test_wrong_arguments_are_refused(cache):
    with pytest.raises(ValueError, match="label_mode"):
        datasets.cifar100.load_data("rough")
    with pytest.raises(ValueError, match="version"):
        datasets.california_housing.load_data(version="medium")
    with pytest.raises(ValueError, match="test_split"):
        datasets.boston_housing.load_data(test_split=1.0)
    with pytest.raises(ValueError, match="maxlen"):
        datasets.imdb.load_data(maxlen=2)
    with pytest.raises(TypeError, match="num_wrods"):
        datasets.imdb.load_data(num_wrods=5)
    assert len(datasets.imdb.load_data(nb_words=20)[0][0]) == 40


class Attack:
    def __reduce__(self):
        return os.mkdir, ("hornbeam-was-here",)


def test_pickles_that_do_more_than_build_arrays_are_refused(tmp_path):
    for protocol in (0, 2, 4, 5):
        with open(tmp_path / "evil", "wb") as file:
            pickle.dump({b"data": Attack()}, file, protocol=protocol)
        with pytest.raises(UnsafeFileError, match="mkdir"):
            load_pickle(str(tmp_path / "evil"))
    evil = np.empty(1, dtype=object)
    evil[0] = Attack()
    np.savez(tmp_path / "evil.npz", x=evil)
    with pytest.raises(UnsafeFileError, match="mkdir"):
        load_npz(str(tmp_path / "evil.npz"))
    assert not os.path.exists("hornbeam-was-here")


def test_damaged_files_are_named(tmp_path):
    (tmp_path / "a.npz").write_bytes(b"nothing of the kind")
    with pytest.raises(CorruptFileError, match=r"a\.npz"):
        load_npz(str(tmp_path / "a.npz"))
    (tmp_path / "b").write_bytes(b"\x80\x04")
    with pytest.raises(CorruptFileError, match="b is damaged"):
        load_pickle(str(tmp_path / "b"))


def test_arrays_of_all_kinds_are_read(tmp_path):
    arrays = {"a": np.arange(3), "b": np.ones((2, 2), "float16"), "c": np.array(["x", "yz"]), "d": lists(4, 5)}
    np.savez_compressed(tmp_path / "a.npz", **arrays)
    found = load_npz(str(tmp_path / "a.npz"))
    assert list(found) == list(arrays)
    for name, array in arrays.items():
        np.testing.assert_array_equal(found[name], array)


def test_another_cache_may_be_named(cache, monkeypatch, tmp_path):
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    home = str(cache.parent)
    for name in ("mnist", "fashion_mnist", "cifar10", "cifar100", "boston_housing", "imdb", "reuters"):
        (x, y), _ = getattr(datasets, name).load_data(cache_dir=home)
        assert len(x) == len(y) > 0
    assert not os.path.exists(tmp_path / "datasets")
