"""Checksums of files are made in one pass, also of files too large for one buffer, and find every damage."""

import io
import os
import zipfile
import zlib

import numpy as np
import pytest
from ml_dtypes import bfloat16

from hornbeam import keras
from hornbeam.base.errors import CorruptFileError
from hornbeam.saving import h5_file
from hornbeam.saving.array_formats import read_safetensors, write_safetensors
from hornbeam.saving.h5_file import atomic_h5, check_footer, open_h5, read_array, write_array
from hornbeam.saving.sums import Span, file_sum, joined, sum_beside
from hornbeam.saving.weights_h5 import entries

pytestmark = pytest.mark.format
DATA = np.random.default_rng(0).bytes(9_000_001)


@pytest.mark.parametrize("cut", [0, 1, 7, 4096, 5_000_000, len(DATA)])
def test_sums_of_two_parts_are_joined(cut):
    assert joined(zlib.crc32(DATA[:cut]), zlib.crc32(DATA[cut:]), len(DATA) - cut) == zlib.crc32(DATA)


def test_sum_beside_other_work():
    assert sum_beside(DATA)() == zlib.crc32(DATA)
    assert sum_beside(b"")() == 0


@pytest.mark.parametrize("kind", ["disk", "memory"])
def test_sum_of_a_part_of_a_file(tmp_path, kind):
    (tmp_path / "file").write_bytes(DATA)
    with open(tmp_path / "file", "rb") if kind == "disk" else io.BytesIO(DATA) as file:
        assert file_sum(file, 0, len(DATA)) == zlib.crc32(DATA)
        assert file_sum(file, 11, 8_500_000) == zlib.crc32(DATA[11:8_500_011])
        with pytest.raises(EOFError, match="2 bytes too early"):
            file_sum(file, 0, len(DATA) + 2)
        with pytest.raises(EOFError):
            file_sum(file, 8_000_000, 100_000_000)


def test_what_is_known_is_not_read_again():
    parts = [(3, 100), (103, 50), (5_000_000, 1_000_000)]
    spans = [Span(start, size, zlib.crc32(DATA[start : start + size])) for start, size in parts]
    damaged = bytearray(DATA)
    for start, size in parts:
        damaged[start : start + size] = bytes(size)
    assert file_sum(io.BytesIO(damaged), 0, len(DATA), reversed(spans)) == zlib.crc32(DATA)


DTYPES = ["float32", "float16", "float64", "bfloat16", "int8", "uint8", "int64", "bool", ">f4", "complex64"]


@pytest.mark.parametrize("dtype", DTYPES)
def test_large_arrays_of_all_types_come_back_and_fit_the_sum_of_their_file(tmp_path, dtype):
    kind = np.dtype(bfloat16 if dtype == "bfloat16" else dtype)
    array = np.random.default_rng(1).normal(0, 50, (300, 500)).astype(kind)
    path = str(tmp_path / "a.h5")
    with atomic_h5(path) as file:
        write_array(file, "small", array[0])
        write_array(file, "large", array)
        write_array(file, "turned", array.T)
    assert check_footer(path)
    with open_h5(path, path, os.path.getsize(path)) as file:
        for name, expected in {"small": array[0], "large": array, "turned": array.T}.items():
            found = read_array(file[name], name, path)
            assert found.dtype == kind.newbyteorder("=") and np.array_equal(found, expected)


def large_model():
    layers = [keras.layers.Dense(300, name="first"), keras.layers.Dense(400, name="second")]
    return keras.Sequential([keras.Input((400,)), *layers])


@pytest.mark.parametrize("name", ["m.keras", "m.h5", "w.weights.h5"])
def test_damage_within_large_arrays_is_found(tmp_path, name):
    path, model = tmp_path / name, large_model()
    (model.save_weights if name.startswith("w") else model.save)(path)
    content = path.read_bytes()
    if name.endswith(".keras"):
        assert zipfile.ZipFile(path).testzip() is None
    place = content.index(model.layers[1].kernel.numpy().tobytes()[1000:1040])
    damaged = bytearray(content)
    damaged[place] ^= 4
    path.write_bytes(damaged)
    other = large_model()
    before = other.get_weights()
    with pytest.raises(CorruptFileError):
        other.load_weights(path)
    assert all(map(np.array_equal, before, other.get_weights()))


def test_a_file_put_in_place_after_the_look_is_checked_array_by_array(tmp_path, monkeypatch):
    path, model = tmp_path / "w.weights.h5", large_model()
    model.save_weights(path)
    content = bytearray(path.read_bytes())
    content[content.index(model.layers[1].kernel.numpy().tobytes()[1000:1040])] ^= 4
    path.write_bytes(content)
    monkeypatch.setattr(h5_file, "_fitting", lambda path: (0, 0, 0, 0))
    with pytest.raises(CorruptFileError, match="checksum"):
        model.load_weights(path)


def test_values_are_those_of_the_moment_though_they_are_not_copied():
    model = large_model()
    model.compile("sgd", "mse")
    found = list(entries(model))
    before = [array.copy() for entry in found for array in entry.arrays.values()]
    x = np.ones((8, 400), "float32")
    model.fit(x, x, epochs=2, verbose=0)
    assert all(np.array_equal(a, b) for a, b in zip(before, (v for e in found for v in e.arrays.values()), strict=True))
    assert not np.array_equal(model.layers[0].kernel.numpy(), found[1].arrays["0"])


class Counting(keras.initializers.Initializer):
    """Ones, and how often it was asked."""

    calls = 0

    def __call__(self, shape, dtype=None, **kwargs):
        type(self).calls += 1
        return keras.ops.ones(shape, dtype)


@pytest.mark.parametrize("name", ["m.keras", "m.h5"])
def test_loading_runs_no_initializers_and_the_model_trains_on(tmp_path, name):
    model = keras.Sequential([keras.Input((400,)), keras.layers.Dense(300, kernel_initializer=Counting())])
    model.save(tmp_path / name)
    calls = Counting.calls
    loaded = keras.models.load_model(tmp_path / name, custom_objects={"Counting": Counting})
    assert Counting.calls == calls
    loaded.compile("sgd", "mse")
    x = np.ones((4, 400), "float32")
    for _ in range(2):
        loaded.train_on_batch(x, np.zeros((4, 300), "float32"))
    # What the file gave is not what was trained: another load has the same values again.
    again = keras.models.load_model(tmp_path / name, custom_objects={"Counting": Counting})
    np.testing.assert_array_equal(again.layers[0].kernel.numpy(), model.layers[0].kernel.numpy())
    assert not np.array_equal(loaded.layers[0].kernel.numpy(), model.layers[0].kernel.numpy())


@pytest.mark.parametrize("old, new", [(b"F32", b"I32"), (b"crc32 a/vars/0", b"crc32 a/vars/9"), (b"[2,3]", b"[3,2]")])
def test_header_of_safetensors_is_summed(tmp_path, old, new):
    """A changed type, name or shape is seen, even if the bytes of all arrays are as they were."""
    path = tmp_path / "w.safetensors"
    model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(3, name="a")])
    write_safetensors([("a/vars/0", np.ones((2, 3), "float32")), ("a/vars/1", np.zeros(3, "float32"))], str(path))
    assert set(read_safetensors(str(path))) == {"a/vars/0", "a/vars/1"}
    content = path.read_bytes()
    assert old in content
    path.write_bytes(content.replace(old, new, 1))
    before = model.get_weights()
    with pytest.raises(CorruptFileError, match="header"):
        model.load_weights(path)
    assert all(np.array_equal(one, other) for one, other in zip(before, model.get_weights(), strict=True))
