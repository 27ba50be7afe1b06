"""What is known of a data set: ``DatasetInfo``."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field
from typing import Any

from hornbeam.base.errors import CorruptFileError, UnsupportedFileError
from hornbeam.tfds import features as kinds

__all__ = ["DatasetInfo", "SplitInfo"]


@dataclass(frozen=True)
class SplitInfo:
    """A split.

    Attributes:
        name: what it is called.
        shard_lengths: examples in each of its files.
        num_bytes: bytes of all of them.
    """

    name: str
    shard_lengths: list[int]
    num_bytes: int = 0
    template: str = ""

    @property
    def num_examples(self) -> int:
        """Examples in all files."""
        return sum(self.shard_lengths)

    @property
    def num_shards(self) -> int:
        """Number of files."""
        return len(self.shard_lengths)

    def paths(self, folder: str, dataset: str, file_format: str) -> list[str]:
        """Paths of its files."""
        template = self.template or "{DATASET}-{SPLIT}.{FILEFORMAT}-{SHARD_X_OF_Y}"
        count = self.num_shards
        found = []
        for number in range(count):
            values = {
                "DATASET": dataset,
                "SPLIT": self.name,
                "FILEFORMAT": file_format,
                "SHARD_INDEX": f"{number:05d}",
                "NUM_SHARDS": f"{count:05d}",
                "SHARD_X_OF_Y": f"{number:05d}-of-{count:05d}",
            }
            name = template
            for key, value in values.items():
                name = name.replace(f"{{{key}}}", value)
            if os.path.basename(name) != name:
                raise CorruptFileError(f"dataset_info.json of {folder} names files outside of it: {template!r}")
            found.append(os.path.join(folder, name))
        return found


@dataclass
class DatasetInfo:
    """What is known of a data set.

    Attributes:
        name: what it is called.
        version: which version.
        features: kinds of the values, by name.
        splits: the splits by name.
        supervised_keys: names of input and target, or None.
        description: what it is about.
        citation: how to cite it.
        homepage: where it is from.
        data_dir: its folder.
        file_format: of its files.

    References: TensorFlow Datasets ``tfds.core.DatasetInfo``.
    """

    name: str
    version: str
    features: kinds.FeaturesDict
    splits: dict[str, SplitInfo]
    supervised_keys: tuple[Any, ...] | None = None
    description: str = ""
    citation: str = ""
    homepage: str = ""
    data_dir: str = ""
    file_format: str = "tfrecord"
    extra: dict[str, Any] = field(default_factory=dict, repr=False)

    @property
    def full_name(self) -> str:
        """Name and version."""
        return f"{self.name}/{self.version}"

    @property
    def dataset_size(self) -> int:
        """Bytes of all splits."""
        return sum(split.num_bytes for split in self.splits.values())

    @classmethod
    def read(cls, folder: str) -> DatasetInfo:
        """What ``dataset_info.json`` and ``features.json`` of a folder say.

        Raises:
            CorruptFileError: they cannot be read.
            UnsupportedFileError: the files are not TFRecords.
        """
        given, described = (_json(os.path.join(folder, name)) for name in ("dataset_info.json", "features.json"))
        file_format = given.get("fileFormat", "tfrecord")
        if file_format != "tfrecord":
            raise UnsupportedFileError(f"{folder} holds {file_format!r} files; only 'tfrecord' is read.")
        splits = {}
        for split in given.get("splits", []):
            lengths = [int(length) for length in split.get("shardLengths", [])]
            info = SplitInfo(split["name"], lengths, int(split.get("numBytes", 0)), split.get("filepathTemplate", ""))
            splits[info.name] = info
        return cls(
            name=given.get("name", os.path.basename(os.path.dirname(folder))),
            version=str(given.get("version", os.path.basename(folder))),
            features=kinds.from_json(described, folder),
            splits=splits,
            supervised_keys=_supervised(given.get("supervisedKeys")),
            description=given.get("description", ""),
            citation=given.get("citation", ""),
            homepage=(given.get("location") or {}).get("urls", [""])[0],
            data_dir=folder,
            file_format=file_format,
        )


def _json(path: str) -> Any:
    try:
        with open(path, encoding="utf-8") as file:
            return json.load(file)
    except (OSError, ValueError) as error:
        raise CorruptFileError(
            f"{path} cannot be read ({error}); a prepared data set has dataset_info.json and features.json."
        ) from error


def _supervised(given: Any) -> tuple[Any, ...] | None:
    if not given:
        return None
    if "tuple" in given:
        return tuple(item["featureKey"] for item in given["tuple"]["items"])
    return tuple(given[name] for name in ("input", "output") if name in given) or None
