"""Files, records' messages, serialized tensors and encoded pictures."""

import gzip
import struct
import zlib

import numpy as np
import pytest

import hornbeam as tf
from hornbeam.io import wire

PIXELS = np.random.RandomState(0).randint(0, 256, (6, 5, 3)).astype("uint8")


def example():
    return tf.train.Example(
        features=tf.train.Features(
            feature={
                "x": tf.train.Feature(float_list=tf.train.FloatList(value=[0.5, -1.0])),
                "n": tf.train.Feature(int64_list=tf.train.Int64List(value=[3, -7, 2**40])),
                "s": tf.train.Feature(bytes_list=tf.train.BytesList(value=[b"a\0b\0", b""])),
            }
        )
    )


def test_files_come_back_as_written(tmp_path):
    path = str(tmp_path / "new" / "file.bin")
    tf.io.write_file(path, b"ends with zeros\0\0")
    assert tf.io.read_file(path).numpy() == b"ends with zeros\0\0"
    assert tf.io.matching_files(str(tmp_path / "*" / "*.bin")).numpy().tolist() == [path.encode()]
    with pytest.raises(tf.errors.NotFoundError, match="missing"):
        tf.io.read_file(str(tmp_path / "missing"))
    with pytest.raises(tf.errors.InvalidArgumentError, match="this machine"):
        tf.io.read_file("gs://bucket/file")


def test_encodings():
    text = tf.constant([b"\xff\xfe?", b"abcd"])
    for pad in (False, True):
        np.testing.assert_array_equal(tf.io.decode_base64(tf.io.encode_base64(text, pad=pad)).numpy(), text.numpy())
    assert tf.io.decode_compressed(gzip.compress(b"abc"), "GZIP").numpy() == b"abc"
    assert tf.io.decode_compressed([zlib.compress(b"abc")], "ZLIB").numpy().tolist() == [b"abc"]


def test_gfile(tmp_path):
    gfile = tf.io.gfile
    folder = gfile.join(str(tmp_path), "a", "b")
    gfile.makedirs(folder)
    gfile.makedirs(folder)
    assert gfile.isdir(folder) and gfile.exists(folder)
    with gfile.GFile(gfile.join(folder, "t.txt"), "w") as file:
        file.write("one\ntwo\n")
    with gfile.GFile(gfile.join(folder, "t.txt")) as file:
        assert file.readline() == "one\n" and file.read() == "two\n" and file.size() == 8
        file.seek(0)
        assert list(file) == ["one\n", "two\n"]
    with gfile.GFile(gfile.join(folder, "t.txt"), "rb") as file:
        assert file.read(3) == b"one" and file.tell() == 3
    gfile.copy(gfile.join(folder, "t.txt"), gfile.join(folder, "u.txt"))
    with pytest.raises(tf.errors.AlreadyExistsError, match="overwrite"):
        gfile.copy(gfile.join(folder, "t.txt"), gfile.join(folder, "u.txt"))
    assert sorted(gfile.listdir(folder)) == ["t.txt", "u.txt"]
    assert gfile.glob(gfile.join(folder, "*.txt")) == [gfile.join(folder, name) for name in ("t.txt", "u.txt")]
    assert gfile.stat(gfile.join(folder, "u.txt")).length == 8
    gfile.rename(gfile.join(folder, "u.txt"), gfile.join(folder, "v.txt"))
    gfile.remove(gfile.join(folder, "v.txt"))
    assert [names for _, _, names in gfile.walk(str(tmp_path))][-1] == ["t.txt"]
    gfile.rmtree(gfile.join(str(tmp_path), "a"))
    assert not gfile.exists(folder)
    with pytest.raises(tf.errors.NotFoundError):
        gfile.listdir(folder)
    with pytest.raises(tf.errors.NotFoundError):
        gfile.GFile(folder).read()


def test_messages_come_back_from_their_bytes():
    first = example()
    second = tf.train.Example.FromString(first.SerializeToString())
    assert second == first and repr(second) == repr(first) and 'key: "n"' in repr(first)
    assert second.features.feature["n"].int64_list.value == [3, -7, 2**40]
    assert second.features.feature["s"].WhichOneof("kind") == "bytes_list"
    assert second.features.feature["x"].HasField("float_list")
    assert not second.features.feature["x"].HasField("bytes_list")
    second.features.feature["n"].int64_list.value.append(9)
    assert second != first and second.ByteSize() == len(second.SerializeToString())
    second.CopyFrom(first)
    assert second == first
    second.Clear()
    assert second.ListFields() == []
    built = tf.train.Example()
    built.features.feature["k"].int64_list.value.extend([1, 2])
    assert tf.train.Example.FromString(built.SerializeToString()).features.feature["k"].int64_list.value == [1, 2]


def test_sequence_examples():
    made = tf.train.SequenceExample()
    for number in (1.0, 2.0):
        feature = tf.train.Feature(float_list=tf.train.FloatList(value=[number]))
        made.feature_lists.feature_list["frames"].feature.append(feature)
    again = tf.train.SequenceExample.FromString(made.SerializeToString())
    frames = again.feature_lists.feature_list["frames"].feature
    assert [frame.float_list.value for frame in frames] == [[1.0], [2.0]]


def test_messages_refuse_what_does_not_fit():
    with pytest.raises(TypeError, match="bytes"):
        tf.train.BytesList(value=["text"])
    with pytest.raises(TypeError, match="list"):
        tf.train.BytesList(value=b"abc")
    with pytest.raises(TypeError, match="int64"):
        tf.train.Int64List(value=[0.5])
    with pytest.raises(ValueError, match="no"):
        tf.train.Feature(int_list=3)
    with pytest.raises(tf.errors.InvalidArgumentError, match="Example"):
        tf.train.Example.FromString(b"\x0a\xff")


def test_varints():
    numbers = [0, 1, 127, 128, 300, 2**63 - 1, -1, -(2**63)]
    np.testing.assert_array_equal(wire.unpacked_varints(wire.packed_varints(numbers)), numbers)


def test_parsed_examples():
    spec = {
        "x": tf.io.FixedLenFeature([2], tf.float32),
        "n": tf.io.VarLenFeature(tf.int64),
        "s": tf.io.FixedLenFeature([2, 1], tf.string),
        "d": tf.io.FixedLenFeature([], tf.string, "none"),
        "r": tf.io.RaggedFeature(tf.int64, value_key="n"),
    }
    one = tf.io.parse_single_example(example().SerializeToString(), spec)
    assert one["x"].numpy().tolist() == [0.5, -1.0] and one["d"].numpy() == b"none"
    assert one["s"].numpy().tolist() == [[b"a\0b\0"], [b""]]
    assert one["n"].values.numpy().tolist() == [3, -7, 2**40] and one["r"].numpy().tolist() == [3, -7, 2**40]
    batch = tf.io.parse_example([example().SerializeToString()] * 2, spec)
    assert tuple(batch["x"].shape) == (2, 2) and batch["n"].values.dtype == tf.int64
    assert tuple(np.asarray(batch["n"].dense_shape)) == (2, 3)
    for bad, text in (
        ({"y": tf.io.FixedLenFeature([], tf.float32)}, "required"),
        ({"x": tf.io.FixedLenFeature([3], tf.float32)}, "fill"),
        ({"x": tf.io.FixedLenFeature([2], tf.int64)}, "float32"),
    ):
        with pytest.raises(tf.errors.InvalidArgumentError, match=text):
            tf.io.parse_single_example(example().SerializeToString(), bad)
    with pytest.raises(tf.errors.InvalidArgumentError, match="no Example"):
        tf.io.parse_single_example(b"\x0a\xff", {"x": tf.io.FixedLenFeature([2], tf.float32)})


@pytest.mark.parametrize("dtype", ["float32", "float64", "int8", "uint16", "int64", "bool", "complex64", "bfloat16"])
def test_tensors_come_back_from_their_bytes(dtype):
    given = tf.cast(tf.constant([[1, 0, 3], [4, 5, 0]]), dtype)
    again = tf.io.parse_tensor(tf.io.serialize_tensor(given), dtype)
    assert again.dtype == dtype and tuple(again.shape) == (2, 3)
    np.testing.assert_array_equal(np.asarray(again), np.asarray(given))


def test_string_tensors_and_wrong_dtypes():
    given = tf.constant([[b"a\0", b""]])
    stored = tf.io.serialize_tensor(given)
    np.testing.assert_array_equal(tf.io.parse_tensor(stored, tf.string).numpy(), given.numpy())
    with pytest.raises(tf.errors.InvalidArgumentError, match="string"):
        tf.io.parse_tensor(stored, tf.int32)
    with pytest.raises(tf.errors.InvalidArgumentError, match="not a serialized tensor"):
        tf.io.parse_tensor(b"\xff", tf.int32)


def test_csv_columns():
    numbers, texts, wanted = tf.io.decode_csv(["1,a,2.5", '2,"b,c",'], [tf.int32, [b"none"], [0.5]])
    assert numbers.numpy().tolist() == [1, 2] and texts.numpy().tolist() == [b"a", b"b,c"]
    assert wanted.numpy().tolist() == [2.5, 0.5]
    (second,) = tf.io.decode_csv(["1;NA"], [[7]], field_delim=";", na_value="NA", select_cols=[1])
    assert second.numpy().tolist() == [7]
    for line, text in (("1,2", "3 columns, but 2 fields"), (",a,1", "required"), ("x,a,1", "not a valid int32")):
        with pytest.raises(tf.errors.InvalidArgumentError, match=text):
            tf.io.decode_csv([line], [tf.int32, [b""], [0.5]])


def test_pictures():
    stored = tf.io.encode_png(PIXELS)
    for decode in (tf.io.decode_png, tf.io.decode_image, tf.image.decode_image, tf.io.decode_jpeg):
        np.testing.assert_array_equal(decode(stored).numpy(), PIXELS)
    assert tuple(tf.io.decode_png(stored, channels=4).shape) == (6, 5, 4)
    jpeg = tf.io.encode_jpeg(np.full((16, 16, 3), 90, "uint8"), quality=90)
    assert bool(tf.io.is_jpeg(jpeg)) and not bool(tf.io.is_jpeg(stored))
    assert np.abs(tf.io.decode_jpeg(jpeg).numpy().astype(int) - 90).max() <= 2
    assert tuple(tf.io.decode_and_crop_jpeg(jpeg, [2, 3, 4, 5]).shape) == (4, 5, 3)
    assert tuple(tf.io.decode_jpeg(jpeg, ratio=4).shape) == (4, 4, 3)
    whole = jpeg.numpy()
    with pytest.raises(tf.errors.InvalidArgumentError, match="damaged"):
        tf.io.decode_jpeg(whole[: len(whole) // 2])
    with pytest.raises(tf.errors.InvalidArgumentError, match="no picture"):
        tf.io.decode_image(b"not a picture")
    with pytest.raises(tf.errors.InvalidArgumentError, match="window"):
        tf.io.decode_and_crop_jpeg(jpeg, [2, 3, 40, 5])
    with pytest.raises(tf.errors.InvalidArgumentError, match="channels"):
        tf.io.encode_png(np.zeros((2, 2, 7), "uint8"))


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_pictures_of_16_bits(channels):
    pixels = np.random.default_rng(channels).integers(0, 65536, (9, 7, channels)).astype("uint16")
    stored = tf.io.encode_png(pixels, compression=3)
    np.testing.assert_array_equal(tf.io.decode_png(stored, dtype="uint16").numpy(), pixels)
    np.testing.assert_array_equal(tf.io.decode_png(stored).numpy(), pixels >> 8)
    np.testing.assert_array_equal(
        tf.io.decode_image(stored, dtype="float32").numpy(), np.float32(pixels) * np.float32(1 / 65535)
    )
    # libpng's share of each colour, rounded.
    luma = (pixels[..., :3].astype(int) @ [9797, 19234, 3737] + 16384) >> 15 if channels > 2 else pixels[..., 0]
    np.testing.assert_array_equal(tf.io.decode_png(stored, channels=1, dtype="uint16").numpy()[..., 0], luma)
    with pytest.raises(tf.errors.InvalidArgumentError, match="damaged"):
        tf.io.decode_png(stored.numpy()[:-30], dtype="uint16")


@pytest.mark.parametrize("kind", range(5))
def test_rows_of_16_bit_pictures_are_filtered_in_five_ways(kind):
    """Pixels from rows that were packed with each filter, by the formulas of the PNG specification."""
    pixels = np.random.default_rng(kind).integers(0, 65536, (4, 5, 3)).astype(">u2")
    raw = pixels.view("u1").reshape(4, 5, 6).astype(int)
    left, above, corner = (np.zeros_like(raw) for _ in range(3))
    left[:, 1:], above[1:], corner[1:, 1:] = raw[:, :-1], raw[:-1], raw[:-1, :-1]
    guess = left + above - corner
    order = np.stack([np.abs(guess - near) for near in (left, above, corner)]).argmin(axis=0)
    paeth = np.choose(order, [left, above, corner])
    rows = (raw - [0 * raw, left, above, (left + above) // 2, paeth][kind]) % 256
    packed = b"".join(bytes([kind]) + bytes(row.ravel().tolist()) for row in rows)
    head = struct.pack(">IIBBBBB", 5, 4, 16, 2, 0, 0, 0)
    parts = [(b"IHDR", head), (b"IDAT", zlib.compress(packed)), (b"IEND", b"")]
    chunks = [
        struct.pack(">I", len(body)) + name + body + struct.pack(">I", zlib.crc32(name + body)) for name, body in parts
    ]
    found = tf.io.decode_png(b"\x89PNG\r\n\x1a\n" + b"".join(chunks), dtype="uint16")
    np.testing.assert_array_equal(found.numpy(), pixels)
