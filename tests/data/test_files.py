"""Records, lines and tables out of files, and data sets kept on disk."""

import gzip
import struct

import numpy as np
import pytest

import hornbeam as tf
from hornbeam import data, errors
from hornbeam.base.errors import CorruptFileError, NotSupportedError
from hornbeam.io.records import TFRecordOptions, TFRecordWriter, read_records

Dataset = data.Dataset
RECORDS = [b"", b"a", bytes(range(256)) * 40, b"end"]


def listed(dataset):
    return list(dataset.as_numpy_iterator())


@pytest.mark.parametrize("compression", ["", "GZIP", "ZLIB"])
def test_records_come_back(tmp_path, compression):
    path = tmp_path / "a.tfrecord"
    with TFRecordWriter(path, TFRecordOptions(compression_type=compression)) as writer:
        for record in RECORDS:
            writer.write(record)
    assert list(read_records(str(path), compression)) == RECORDS
    assert listed(data.TFRecordDataset(str(path), compression_type=compression)) == RECORDS
    assert listed(data.TFRecordDataset([str(path)] * 2, compression_type=compression)) == RECORDS * 2


def test_the_bytes_of_a_record_are_those_of_the_format(tmp_path):
    """Checksums of TensorFlow's writer for the record b"abc", taken down from a file of its own."""
    path = tmp_path / "a.tfrecord"
    with TFRecordWriter(str(path)) as writer:
        writer.write(b"abc")
    raw = path.read_bytes()
    assert raw[:8] == struct.pack("<Q", 3)
    assert raw[12:15] == b"abc"
    # CRC-32C of b"abc" is 0x364B3FB7; stored rotated by 15 bits plus 0xA282EAD8.
    crc = 0x364B3FB7
    assert struct.unpack("<I", raw[15:])[0] == (((crc >> 15) | (crc << 17)) + 0xA282EAD8) % 2**32


def test_damaged_records_are_named(tmp_path):
    path = tmp_path / "a.tfrecord"
    with TFRecordWriter(str(path)) as writer:
        for record in RECORDS:
            writer.write(record)
    raw = path.read_bytes()
    path.write_bytes(raw[:-2])
    with pytest.raises(errors.DataLossError, match=r"Record 3 of .*a\.tfrecord.*too early"):
        listed(data.TFRecordDataset(str(path)))
    path.write_bytes(raw[:40] + b"?" + raw[41:])
    with pytest.raises(errors.DataLossError, match="checksum"):
        listed(data.TFRecordDataset(str(path)))
    with pytest.raises(errors.NotFoundError, match=r"missing\.tfrecord"):
        listed(data.TFRecordDataset(str(tmp_path / "missing.tfrecord")))


def test_lines(tmp_path):
    (tmp_path / "a.txt").write_bytes(b"one\ntwo\r\n\nfour")
    (tmp_path / "b.txt").write_bytes(b"five\n")
    (tmp_path / "c.txt.gz").write_bytes(gzip.compress(b"six\nseven\n"))
    names = [str(tmp_path / name) for name in ("a.txt", "b.txt")]
    assert listed(data.TextLineDataset(names)) == [b"one", b"two", b"", b"four", b"five"]
    assert listed(data.TextLineDataset(Dataset.from_tensor_slices(names)).skip(4)) == [b"five"]
    assert listed(data.TextLineDataset(names, num_parallel_reads=2)) == [b"one", b"five", b"two", b"", b"four"]
    assert listed(data.TextLineDataset(str(tmp_path / "c.txt.gz"), compression_type="GZIP")) == [b"six", b"seven"]
    assert listed(data.TextLineDataset([])) == []


def test_records_of_fixed_length(tmp_path):
    path = tmp_path / "a.bin"
    path.write_bytes(b"HH" + b"abcdef" + b"F")
    found = data.FixedLengthRecordDataset(str(path), 3, header_bytes=2, footer_bytes=1)
    assert listed(found) == [b"abc", b"def"]
    with pytest.raises(ValueError, match="no multiple"):
        listed(data.FixedLengthRecordDataset(str(path), 4))


def test_list_files(tmp_path):
    for name in ("b.png", "a.png", "c.txt"):
        (tmp_path / name).write_bytes(b"")
    found = listed(Dataset.list_files(str(tmp_path / "*.png"), shuffle=False))
    assert [name.rsplit(b"/", 1)[-1] for name in found] == [b"a.png", b"b.png"]
    assert sorted(listed(Dataset.list_files([str(tmp_path / "*.png"), str(tmp_path / "*.txt")], seed=1))) == sorted(
        str(tmp_path / name).encode() for name in ("a.png", "b.png", "c.txt")
    )
    with pytest.raises(errors.InvalidArgumentError, match="no file fits"):
        Dataset.list_files(str(tmp_path / "*.jpg"))


def test_csv_rows(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text('n,f,s\n1,2.5,"a, b"\n3,,c\n')
    rows = data.experimental.CsvDataset(str(path), [tf.int32, [7.5], [""]], header=True)
    assert listed(rows) == [(1, 2.5, b"a, b"), (3, 7.5, b"c")]
    assert rows.element_spec[1] == tf.TensorSpec((), tf.float32)
    chosen = data.experimental.CsvDataset(str(path), [tf.string, tf.int64], header=True, select_cols=[2, 0][::-1])
    with pytest.raises(errors.InvalidArgumentError, match="no number"):
        listed(chosen)
    with pytest.raises(errors.InvalidArgumentError, match="empty"):
        listed(data.experimental.CsvDataset(str(path), [tf.int32, tf.float32, tf.string], header=True))
    path.write_text("1,2\n3\n")
    with pytest.raises(errors.InvalidArgumentError, match="Row 1 of"):
        listed(data.experimental.CsvDataset(str(path), [tf.int32, tf.int32]))


def test_csv_batches(tmp_path):
    path = tmp_path / "a.csv"
    path.write_text("n,f,s,label\n" + "".join(f"{i},{i / 4},t{i},{i % 2}\n" for i in range(10)))
    batches = data.experimental.make_csv_dataset(str(path), 4, label_name="label", num_epochs=1, shuffle=False)
    found = listed(batches)
    assert [len(labels) for _, labels in found] == [4, 4, 2]
    features, labels = found[0]
    assert list(features) == ["n", "f", "s"]
    assert features["n"].dtype == np.int32
    assert features["f"].tolist() == [0, 0.25, 0.5, 0.75]
    assert features["s"].tolist() == [b"t0", b"t1", b"t2", b"t3"]
    assert labels.tolist() == [0, 1, 0, 1]
    picked = data.experimental.make_csv_dataset(str(path), 5, select_columns=["f"], num_epochs=1, shuffle_seed=2)
    together = np.concatenate([batch["f"] for batch in picked.as_numpy_iterator()])
    assert sorted(together.tolist()) == [i / 4 for i in range(10)]
    with pytest.raises(ValueError, match="label_name"):
        data.experimental.make_csv_dataset(str(path), 4, label_name="nothing")


def _many_kinds():
    texts = ["a", "", "ccc", "dd"]
    pairs = Dataset.from_tensor_slices({"x": np.arange(8.0).reshape(4, 2), "t": (texts, np.array([True, False] * 2))})
    rows = Dataset.from_generator(
        lambda: (np.arange(n) for n in (2, 0, 3, 1)), output_signature=tf.TensorSpec((None,), tf.int64)
    )
    return Dataset.zip((pairs, rows))


@pytest.mark.parametrize("compression", [None, "GZIP"])
def test_saved_elements_come_back(tmp_path, compression):
    dataset = _many_kinds()
    dataset.save(str(tmp_path / "kept"), compression=compression)
    loaded = Dataset.load(str(tmp_path / "kept"))
    assert len(loaded) == 4
    assert loaded.element_spec == dataset.element_spec
    for found, expected in zip(loaded.as_numpy_iterator(), dataset.as_numpy_iterator(), strict=True):
        assert found[0]["t"] == expected[0]["t"]
        np.testing.assert_array_equal(found[0]["x"], expected[0]["x"])
        np.testing.assert_array_equal(found[1], expected[1])
    assert listed(loaded.skip(3))[0][1].tolist() == [0]


def test_shards_are_written_and_read_as_asked(tmp_path):
    path = str(tmp_path / "kept")
    Dataset.range(10).save(path, shard_func=lambda x: x % 3)
    assert [int(v) for v in Dataset.load(path).as_numpy_iterator()] == [0, 3, 6, 9, 1, 4, 7, 2, 5, 8]
    in_turn = Dataset.load(path, reader_func=lambda shards: shards.interleave(lambda d: d, cycle_length=3))
    assert [int(v) for v in in_turn.as_numpy_iterator()] == list(range(10))


def test_saving_replaces_and_empty_sets_are_kept(tmp_path):
    path = str(tmp_path / "kept")
    Dataset.range(5).save(path)
    Dataset.range(0).save(path)
    assert listed(Dataset.load(path)) == []
    assert Dataset.load(path).element_spec == tf.TensorSpec((), tf.int64)


def test_what_is_missing_or_damaged_is_named(tmp_path):
    with pytest.raises(errors.NotFoundError, match="no saved data set"):
        Dataset.load(str(tmp_path / "nothing"))
    path = tmp_path / "kept"
    Dataset.range(5).save(str(path))
    chunk = next(path.glob("shard-*/*.npz"))
    chunk.write_bytes(chunk.read_bytes()[:50])
    with pytest.raises(CorruptFileError, match="damaged"):
        listed(Dataset.load(str(path)))
    (path / "dataset.json").write_text("{}")
    with pytest.raises(CorruptFileError, match="damaged"):
        Dataset.load(str(path))
    with pytest.raises(NotSupportedError, match="compression"):
        Dataset.range(2).save(str(path), compression="SNAPPY")


@pytest.mark.parametrize("way", ["cache", "snapshot"])
def test_files_are_written_on_the_first_whole_pass_only(tmp_path, way):
    calls = []

    def load(value):
        calls.append(int(value.numpy()))
        return value * 2

    numbers = Dataset.range(6).map(load)
    path = str(tmp_path / "kept")
    kept = numbers.cache(path) if way == "cache" else numbers.snapshot(path)
    assert [int(v) for v in kept.take(3).as_numpy_iterator()] == [0, 2, 4]
    assert [int(v) for v in kept.as_numpy_iterator()] == [0, 2, 4, 6, 8, 10]
    before = len(calls)
    assert [int(v) for v in kept.as_numpy_iterator()] == [0, 2, 4, 6, 8, 10]
    assert len(calls) == before


@pytest.mark.parametrize("kind", ["rows", "batches", "sparse", "cut short"])
def test_saved_elements_keep_their_kind(tmp_path, kind):
    """Rows of ragged tensors make ragged batches again, and specs are those of the data set, not of what it held."""
    ragged = Dataset.from_tensor_slices(tf.ragged.constant([[1, 2], [3], [], [4, 5, 6]]))
    dataset = {
        "rows": ragged,
        "batches": ragged.batch(3),
        "sparse": Dataset.from_tensor_slices(tf.sparse.from_dense([[1, 0], [0, 2], [0, 0]])),
        "cut short": Dataset.range(4).map(lambda n: tf.range(n)).take(1),
    }[kind]
    dataset.save(str(tmp_path / "kept"))
    found = Dataset.load(str(tmp_path / "kept"))
    assert found.element_spec == dataset.element_spec

    def plain(data):
        dense = tf.sparse.to_dense if kind == "sparse" else lambda element: element
        return [dense(part).numpy().tolist() if kind != "batches" else part.to_list() for part in data]

    assert plain(found) == plain(dataset)
    if kind == "rows":
        assert [batch.to_list() for batch in found.batch(3)] == [[[1, 2], [3], []], [[4, 5, 6]]]


def test_windows_are_not_saved(tmp_path):
    with pytest.raises(NotSupportedError, match="DatasetSpec"):
        Dataset.range(6).window(2).save(str(tmp_path / "kept"))
    assert not (tmp_path / "kept").exists()
