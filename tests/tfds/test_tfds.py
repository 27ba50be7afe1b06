"""Prepared data sets on disk, written here record by record in the published layout."""

import io
import json
import struct

import numpy as np
import pytest
from PIL import Image

from hornbeam import tfds
from hornbeam.base.errors import CorruptFileError, NotSupportedError, UnsupportedFileError
from hornbeam.tfds.example import read_example


def varint(number):
    number &= (1 << 64) - 1
    found = b""
    while number > 127:
        found += bytes([number & 127 | 128])
        number >>= 7
    return found + bytes([number])


def field(number, content):
    return varint(number << 3 | 2) + varint(len(content)) + content


def example(**values):
    entries = b""
    for name, value in values.items():
        value = value if isinstance(value, list) else [value]
        if isinstance(value[0], bytes):
            feature = field(1, b"".join(field(1, one) for one in value))
        elif isinstance(value[0], float):
            feature = field(2, field(1, struct.pack(f"<{len(value)}f", *value)))
        else:
            feature = field(3, field(1, b"".join(map(varint, value))))
        entries += field(1, field(1, name.replace("__", "/").encode()) + field(2, feature))
    return field(1, entries)


def write_records(path, records):
    with open(path, "wb") as file:
        for record in records:
            file.write(struct.pack("<Q", len(record)) + b"\0" * 4 + record + b"\0" * 4)


def png(number):
    file = io.BytesIO()
    Image.fromarray(np.full((4 + number, 5, 3), number, "uint8")).save(file, "png")
    return file.getvalue()


def feature(kind, **content):
    return {"pythonClassName": f"tensorflow_datasets.core.features.x.{kind}", **content}


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory):
    root = tmp_path_factory.mktemp("tfds")
    for version, count in (("3.2.0", 2), ("3.10.1", 7)):
        write_set(root / "pets" / version, version, count)
    return root


def write_set(folder, version, count, **more):
    folder.mkdir(parents=True)
    inner = {
        "image": feature("Image", image={"shape": {"dimensions": ["-1", "-1", "3"]}, "dtype": "uint8"}),
        "label": feature("ClassLabel", classLabel={"numClasses": "3"}),
        "name": feature("Text", text={}),
        "box": feature("BBoxFeature", tensor={"shape": {"dimensions": ["4"]}, "dtype": "float32"}),
        "table": feature("Tensor", tensor={"shape": {"dimensions": ["2", "-1"]}, "dtype": "int32"}),
        "tags": feature("Sequence", sequence={"feature": feature("Scalar", tensor={"dtype": "int64"}), "length": "-1"}),
        "where": feature(
            "FeaturesDict", featuresDict={"features": {"x": feature("Scalar", tensor={"dtype": "float32"})}}
        ),
    }
    (folder / "features.json").write_text(json.dumps(feature("FeaturesDict", featuresDict={"features": inner})))
    (folder / "label.labels.txt").write_text("ant\nbee\ncow\n")
    shards = [count - count // 2, count // 2]
    info = {
        "name": "pets",
        "version": version,
        "description": "Small pets.",
        "fileFormat": "tfrecord",
        "splits": [
            {"name": "train", "shardLengths": [str(size) for size in shards], "numBytes": "10"},
            {"name": "test", "shardLengths": ["1"], "filepathTemplate": "{SPLIT}-{SHARD_INDEX}.rec"},
        ],
        "supervisedKeys": {"tuple": {"items": [{"featureKey": "image"}, {"featureKey": "label"}]}},
        **more,
    }
    (folder / "dataset_info.json").write_text(json.dumps(info))
    records = [
        example(
            image=png(number),
            label=number % 3,
            name=f"p{number}".encode(),
            box=[0.0, 0.25, 0.5, 1.0],
            table=[number, -1, 2, 3],
            tags=list(range(number + 1)),
            where__x=number / 2,
        )
        for number in range(count + 1)
    ]
    write_records(folder / "pets-train.tfrecord-00000-of-00002", records[: shards[0]])
    write_records(folder / "pets-train.tfrecord-00001-of-00002", records[shards[0] : count])
    write_records(folder / "test-00000.rec", records[count:])


def test_examples_are_decoded(data_dir):
    dataset, info = tfds.load("pets:3.*.*", split="train", data_dir=data_dir, with_info=True)
    assert info.version == "3.10.1" and info.full_name == "pets/3.10.1" and info.dataset_size == 10
    assert info.splits["train"].num_examples == 7 and info.features["label"].num_classes == 3
    assert info.features["label"].int2str(1) == "bee" and info.features["label"].str2int("cow") == 2
    assert len(dataset) == 7 and dataset.element_spec["image"].shape.as_list() == [None, None, 3]
    for number, element in enumerate(tfds.as_numpy(dataset)):
        assert element["image"].shape == (4 + number, 5, 3) and (element["image"] == number).all()
        assert element["label"] == number % 3 and element["name"] == f"p{number}".encode()
        np.testing.assert_array_equal(element["box"], np.float32([0, 0.25, 0.5, 1]))
        np.testing.assert_array_equal(element["table"], [[number, -1], [2, 3]])
        np.testing.assert_array_equal(element["tags"], np.arange(number + 1))
        assert element["where"]["x"] == number / 2 and element["table"].dtype == np.int32


def test_splits(data_dir):
    def labels(split):
        pairs = tfds.as_numpy(tfds.load("pets", split=split, data_dir=data_dir, as_supervised=True))
        return [picture.shape[0] - 4 for picture, _ in pairs]

    assert labels("train[:3]") == [0, 1, 2] and labels("train[50%:]") == [4, 5, 6]
    assert labels("train[-2:]+test") == [5, 6, 7] and labels(tfds.Split.TEST) == [7] and labels("all") == list(range(8))
    parts = tfds.load("pets", split=["train[:2]", "test"], data_dir=data_dir)
    assert [len(part) for part in parts] == [2, 1]
    assert {name: len(part) for name, part in tfds.load("pets", data_dir=data_dir).items()} == {"train": 7, "test": 1}
    assert tfds.even_splits("train", 2) == ["train[0%:50%]", "train[50%:100%]"]
    for wrong in ("valid", "train[1]", "train[a:b]", "train[:200%]"):
        with pytest.raises(ValueError, match="plit"):
            tfds.load("pets", split=wrong, data_dir=data_dir)


def test_builders_versions_and_batches(data_dir, monkeypatch):
    old = tfds.builder("pets:3.2.0", data_dir=data_dir)
    old.download_and_prepare()
    assert old.info.splits["train"].num_examples == 2 and old.name == "pets"
    assert tfds.builder("pets", data_dir=data_dir, version="3.2.0").version == "3.2.0"
    assert (
        len(tfds.builder_from_directory(data_dir / "pets" / "3.2.0").as_dataset(split="train", shuffle_files=True)) == 2
    )
    dataset = tfds.load("pets", split="train", data_dir=data_dir).map(lambda row: row["label"]).batch(4)
    assert [batch.tolist() for batch in dataset.as_numpy_iterator()] == [[0, 1, 2, 0], [1, 2, 0]]
    monkeypatch.setenv("TFDS_DATA_DIR", str(data_dir))
    assert "pets" in tfds.list_builders() and "oxford_iiit_pet" in tfds.list_builders()
    table = tfds.as_dataframe(
        tfds.load("pets", split="train").map(lambda row: {"label": row["label"], "name": row["name"]})
    )
    assert table["label"].tolist() == [0, 1, 2, 0, 1, 2, 0]


def test_what_is_not_there_or_not_offered(data_dir, tmp_path):
    for name in ("no_such_set", "oxford_iiit_pet", "pets:9.*.*", "../pets"):
        with pytest.raises(tfds.DatasetNotFoundError, match=name.partition(":")[0].lstrip("./")):
            tfds.load(name, data_dir=data_dir)
    with pytest.raises(NotSupportedError, match="download"):
        tfds.load("pets", data_dir=data_dir, try_gcs=True)
    with pytest.raises(NotSupportedError, match="decoders"):
        tfds.load("pets", data_dir=data_dir, decoders={})
    write_set(tmp_path / "pets" / "1.0.0", "1.0.0", 1, fileFormat="riegeli")
    with pytest.raises(UnsupportedFileError, match="riegeli"):
        tfds.load("pets", data_dir=tmp_path)


def test_damaged_sets_are_named(tmp_path):
    write_set(tmp_path / "pets" / "1.0.0", "1.0.0", 2)
    path = tmp_path / "pets" / "1.0.0" / "pets-train.tfrecord-00001-of-00002"
    path.write_bytes(path.read_bytes()[:-10])
    with pytest.raises(CorruptFileError, match="00001-of-00002"):
        tfds.load("pets", split="train", data_dir=tmp_path)
    (tmp_path / "pets" / "1.0.0" / "features.json").write_text("{")
    with pytest.raises(CorruptFileError, match=r"features\.json"):
        tfds.load("pets", data_dir=tmp_path)
    with pytest.raises(CorruptFileError, match="Example"):
        read_example(b"\xff\xff\xff")


def test_numbers_in_single_fields_are_read():
    single = field(3, varint(1 << 3) + varint(5) + varint(1 << 3) + varint(-7))
    message = field(1, field(1, field(1, b"a") + field(2, single)))
    np.testing.assert_array_equal(read_example(message)["a"], [5, -7])


def test_small_sets_come_from_keras(tmp_path, monkeypatch):
    monkeypatch.setenv("KERAS_HOME", str(tmp_path))
    monkeypatch.setenv("HORNBEAM_VERIFY_DATASETS", "0")
    (tmp_path / "datasets").mkdir()
    x, y = np.arange(6 * 784, dtype="int64").reshape(6, 28, 28).astype("uint8"), np.arange(6, dtype="uint8")
    np.savez(tmp_path / "datasets" / "mnist.npz", x_train=x, y_train=y, x_test=x[:2], y_test=y[:2])
    train, info = tfds.load("mnist", split="train[2:]", as_supervised=True, with_info=True, data_dir=tmp_path)
    assert info.features["label"].num_classes == 10 and info.splits["test"].num_examples == 2
    found = list(train.as_numpy_iterator())
    assert [int(label) for _, label in found] == [2, 3, 4, 5]
    np.testing.assert_array_equal(found[0][0], x[2][..., None])
