"""The files of a checkpoint: tables, checksums, tensors, and what damage does to them."""

import os
from pathlib import Path

import ml_dtypes
import numpy as np
import pytest

from hornbeam.base.crc32c import crc32c, mask
from hornbeam.base.errors import CorruptFileError, FileFormatError, UnsupportedFileError
from hornbeam.saving.protos import encode, message
from hornbeam.saving.tf_checkpoint.bundle import Bundle, remove_bundle, write_bundle
from hornbeam.saving.tf_checkpoint.ordered_code import slice_key
from hornbeam.saving.tf_checkpoint.snappy import decompress
from hornbeam.saving.tf_checkpoint.state import latest_checkpoint, read_state, write_state
from hornbeam.saving.tf_checkpoint.table import read_table, write_table

pytestmark = pytest.mark.format


def test_checksum_of_the_standard():
    assert crc32c(b"123456789") == 0xE3069283
    assert crc32c(b"") == 0
    assert crc32c(bytes(32)) == 0x8A9136AA


@pytest.mark.parametrize("size", [1, 4095, 4096, 10_007, 300_001])
def test_checksum_of_any_size_goes_on(size):
    data = np.random.default_rng(size).integers(0, 256, size, np.uint8).tobytes()
    register = 0xFFFFFFFF
    for byte in data:
        register ^= byte
        for _ in range(8):
            register = (register >> 1) ^ (0x82F63B78 if register & 1 else 0)
    assert crc32c(data) == register ^ 0xFFFFFFFF
    assert crc32c(data[size // 3 :], crc32c(data[: size // 3])) == crc32c(data)


def test_snappy():
    # A literal of 8 bytes; a copy of 5 bytes from 8 back; an overlapping copy of 8 bytes from 2 back.
    packed = b"\x15" + bytes([7 << 2]) + b"hornbeam" + bytes([(1 << 2) | 1, 8]) + bytes([(7 << 2) | 2, 2, 0])
    assert decompress(packed) == b"hornbeam" + b"hornb" + b"nbnbnbnb"
    with pytest.raises(CorruptFileError):
        decompress(b"\x05\x01\x09")
    with pytest.raises(CorruptFileError):
        decompress(b"\xff\xff\xff\x7f\x00")


def test_table_of_many_keys():
    entries = {f"layer/{number:05d}/kernel".encode(): os.urandom(number % 40) for number in range(9000)}
    assert read_table(write_table(entries), "table") == entries


VALUES = {
    "a/float": np.linspace(-1, 1, 7, dtype=np.float32).reshape(7, 1),
    "b/double": np.float64(3.25),
    "c/int": np.arange(6, dtype=np.int64).reshape(2, 3),
    "d/bool": np.array([True, False]),
    "e/bfloat16": np.arange(4).astype(ml_dtypes.bfloat16),
    "f/half": np.arange(3, dtype=np.float16),
    "g/empty": np.zeros((0, 4), np.float32),
    "h/complex": np.array([1 + 2j], np.complex64),
    "i/uint8": np.arange(5, dtype=np.uint8),
}


def test_values_come_back(tmp_path):
    prefix = str(tmp_path / "deep" / "cp.ckpt")
    write_bundle(prefix, {**VALUES, "text": "naïve", "texts": np.array([b"", b"one", b"x" * 300], object)})
    bundle = Bundle(prefix)
    for name, value in VALUES.items():
        found = bundle.read(name)
        assert found.dtype == value.dtype and found.shape == value.shape
        assert found.tobytes() == value.tobytes()
    assert bundle.read("text")[()] == "naïve".encode()
    assert bundle.read("texts").tolist() == [b"", b"one", b"x" * 300]
    assert sorted(os.listdir(tmp_path / "deep")) == ["cp.ckpt.data-00000-of-00001", "cp.ckpt.index"]
    with pytest.raises(KeyError):
        bundle.read("nothing")
    remove_bundle(prefix)
    assert os.listdir(tmp_path / "deep") == []


def test_no_flipped_bit_goes_unseen(tmp_path):
    prefix = str(tmp_path / "cp")
    write_bundle(prefix, {**VALUES, "text": "text"})
    expected = {name: Bundle(prefix).read(name).tobytes() for name in VALUES}
    rng = np.random.default_rng(0)
    silent = 0
    for file in (f"{prefix}.index", f"{prefix}.data-00000-of-00001"):
        content = bytearray(Path(file).read_bytes())
        for bit in rng.choice(len(content) * 8, 150, replace=False):
            content[bit // 8] ^= 1 << (bit % 8)
            Path(file).write_bytes(content)
            try:
                bundle = Bundle(prefix)
                found = {name: bundle.read(name).tobytes() for name in VALUES}
                silent += found != expected
            except (FileFormatError, KeyError):
                pass
            content[bit // 8] ^= 1 << (bit % 8)
        Path(file).write_bytes(content)
    assert silent == 0


@pytest.mark.parametrize("keep", [0, 1, 40, 100])
def test_cut_files(tmp_path, keep):
    prefix = str(tmp_path / "cp")
    write_bundle(prefix, VALUES)
    for file in (f"{prefix}.index", f"{prefix}.data-00000-of-00001"):
        content = Path(file).read_bytes()
        Path(file).write_bytes(content[:keep])
        with pytest.raises(CorruptFileError):
            bundle = Bundle(prefix)
            for name in VALUES:
                bundle.read(name)
        Path(file).write_bytes(content)


def test_huge_claims_take_no_memory(tmp_path):
    shape = message("TensorShapeProto", dim=[message("Dim", size=1 << 40)])
    header = encode(message("BundleHeaderProto", num_shards=1))
    entry = encode(message("BundleEntryProto", dtype=1, shape=shape, size=1 << 42, crc32c=1))
    text = encode(message("BundleEntryProto", dtype=7, shape=shape, size=1 << 42, crc32c=1))
    (tmp_path / "cp.index").write_bytes(write_table({b"": header, b"w": entry, b"t": text}))
    (tmp_path / "cp.data-00000-of-00001").write_bytes(b"few")
    bundle = Bundle(str(tmp_path / "cp"))
    for name in ("w", "t"):
        with pytest.raises(CorruptFileError):
            bundle.read(name)


def test_a_crash_between_the_two_moves_loses_nothing(tmp_path):
    prefix = str(tmp_path / "cp")
    write_bundle(prefix, {"w": np.zeros(3, np.float32)})
    old = Path(f"{prefix}.data-00000-of-00001").read_bytes()
    write_bundle(prefix, {"w": np.arange(3, dtype=np.float32)})
    # As the disk looks if the process dies when the index has moved and the data has not.
    os.rename(f"{prefix}.data-00000-of-00001", tmp_path / ".cp.data-00000-of-00001.99999-0123abcd.tmp")
    Path(f"{prefix}.data-00000-of-00001").write_bytes(old)
    assert Bundle(prefix).read("w").tolist() == [0, 1, 2]


def test_partitioned_tensors(tmp_path):
    whole = np.arange(20, dtype=np.float32).reshape(5, 4)
    pieces = {((0, 3), (0, -1)): whole[:3], ((3, 2), (0, -1)): whole[3:]}
    shape = message("TensorShapeProto", dim=[message("Dim", size=size) for size in whole.shape])
    slices, entries, data = [], {b"": encode(message("BundleHeaderProto", num_shards=1))}, b""
    for piece, part in pieces.items():
        extents = [message("Extent", start=start, **({"length": n} if n >= 0 else {})) for start, n in piece]
        slices.append(message("TensorSliceProto", extent=extents))
        own = message("TensorShapeProto", dim=[message("Dim", size=size) for size in part.shape])
        entries[slice_key("w", piece)] = encode(
            message(
                "BundleEntryProto",
                dtype=1,
                shape=own,
                offset=len(data),
                size=part.nbytes,
                crc32c=mask(crc32c(part.tobytes())),
            )
        )
        data += part.tobytes()
    entries[b"w"] = encode(message("BundleEntryProto", dtype=1, shape=shape, slices=slices))
    (tmp_path / "cp.index").write_bytes(write_table(entries))
    (tmp_path / "cp.data-00000-of-00001").write_bytes(data)
    bundle = Bundle(str(tmp_path / "cp"))
    assert bundle.names() == ["w"]
    np.testing.assert_array_equal(bundle.read("w"), whole)


def test_keys_of_pieces_sort_like_their_numbers():
    keys = [slice_key("w", [(start, 5)]) for start in (0, 1, 63, 64, 8191, 8192, 1 << 30, 1 << 40)]
    assert keys == sorted(keys)
    assert slice_key("w", [(0, -1)]) == b"\x00w\x00\x01\x01\x01\x80\x7f"


def test_state_file(tmp_path):
    assert read_state(tmp_path) is None and latest_checkpoint(tmp_path) is None
    names = [str(tmp_path / name) for name in ("ckpt-1", 'odd "näme"\\2')]
    write_state(tmp_path, names[1], names, [1.5, 2.5], 1.5)
    state = read_state(tmp_path)
    assert state.model_checkpoint_path == names[1] and state.all_model_checkpoint_paths == names
    assert state.all_model_checkpoint_timestamps == [1.5, 2.5] and state.last_preserved_timestamp == 1.5
    assert str(tmp_path) not in (tmp_path / "checkpoint").read_text()
    assert latest_checkpoint(tmp_path) is None
    write_bundle(names[1], VALUES)
    assert latest_checkpoint(tmp_path) == names[1]
    (tmp_path / "checkpoint").write_text("garbage {")
    with pytest.raises(CorruptFileError):
        read_state(tmp_path)


def test_unknown_dtypes(tmp_path):
    with pytest.raises(UnsupportedFileError):
        write_bundle(str(tmp_path / "cp"), {"w": np.zeros(2, ml_dtypes.int4)})
    assert os.listdir(tmp_path) == []
