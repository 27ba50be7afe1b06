"""Reading a prepared data set: splits, records, examples."""

from __future__ import annotations

import importlib
import os
from typing import Any

import numpy as np

from hornbeam.base import trees
from hornbeam.base.errors import NotSupportedError
from hornbeam.data import AUTOTUNE, Dataset
from hornbeam.data.blocks import Block
from hornbeam.data.plan import Indexed, IndexedNode, Scope
from hornbeam.tfds import features as kinds
from hornbeam.tfds.example import read_example, record_places
from hornbeam.tfds.info import DatasetInfo, SplitInfo
from hornbeam.tfds.splits import Range, ranges_of

# Sets that `keras.datasets` can give: their version here and their shape of a picture.
FROM_KERAS = {
    "mnist": ("3.0.1", (28, 28, 1)),
    "fashion_mnist": ("3.0.1", (28, 28, 1)),
    "cifar10": ("3.0.2", (32, 32, 3)),
    "cifar100": ("3.0.2", (32, 32, 3)),
}
_THREADS = min(16, max(2, os.cpu_count() or 1))


class DatasetBuilder:
    """A prepared data set.

    Args:
        info: what is known of it.

    References: TensorFlow Datasets ``tfds.core.DatasetBuilder``.
    """

    def __init__(self, info: DatasetInfo) -> None:
        self.info = info
        self.name = info.name
        self.version = info.version
        self.data_dir = info.data_dir

    def download_and_prepare(self, *, download_dir: Any = None, download_config: Any = None, **_: Any) -> None:
        """Nothing is left to do: only prepared data sets have a builder here."""

    def as_dataset(
        self,
        split: Any = None,
        *,
        batch_size: int | None = None,
        shuffle_files: bool = False,
        as_supervised: bool = False,
        decoders: Any = None,
        read_config: Any = None,
    ) -> Any:
        """The examples.

        Args:
            split: ``"train"``, ``"train[:80%]"``, ``"train+test"``; a nesting of these; None for all, by name.
            batch_size: examples in a batch; None for single ones, -1 for all in one element.
            shuffle_files: read the files in another order each time.
            as_supervised: pairs of input and target instead of dictionaries.
            decoders: only None.
            read_config: only None.

        Returns:
            `tf.data.Dataset`, in the nesting of ``split``.
        """
        for name, value in (("decoders", decoders), ("read_config", read_config)):
            if value is not None:
                raise NotSupportedError(f"tfds: `{name}` is not offered; map the data set instead.")
        wanted = {name: name for name in self.info.splits} if split is None else split
        return trees.map_structure(lambda one: self._read(one, batch_size, shuffle_files, as_supervised), wanted)

    def _read(self, split: Any, batch_size: int | None, shuffle_files: bool, as_supervised: bool) -> Any:
        sizes = {name: info.num_examples for name, info in self.info.splits.items()}
        ranges = ranges_of(split, sizes)
        keys = self.info.supervised_keys if as_supervised else None
        if as_supervised and keys is None:
            raise ValueError(
                f"{self.name} does not say which feature is the target: as_supervised=True is not possible."
            )
        dataset = self._dataset(ranges, keys)
        if shuffle_files and len(dataset):
            # The order of examples stands for that of files: all are read by number.
            dataset = dataset.shuffle(len(dataset))
        if batch_size is not None:
            size = max(1, len(dataset)) if batch_size == -1 else batch_size
            dataset = dataset.batch(size)
        dataset = dataset.prefetch(AUTOTUNE)
        return dataset.get_single_element() if batch_size == -1 else dataset

    def _dataset(self, ranges: list[Range], keys: tuple[Any, ...] | None) -> Dataset:
        places = [place for one in ranges for place in self._places(one.name)[one.start : one.stop]]
        return Dataset(_ExampleNode(places, self.info.features, keys))

    def _places(self, split: str) -> list[tuple[str, int, int]]:
        info = self.info.splits[split]
        found = []
        for path in info.paths(self.info.data_dir, self.info.name.rpartition("/")[2], self.info.file_format):
            found += [(path, start, length) for start, length in record_places(path)]
        return found


class _ExampleNode(IndexedNode):
    """Examples of TFRecord files by number."""

    def __init__(
        self, places: list[tuple[str, int, int]], features: kinds.FeaturesDict, keys: tuple[Any, ...] | None
    ) -> None:
        super().__init__()
        self._features, self._keys = features, keys
        self._rows = _ExampleRows(places, self)

    def make_spec(self) -> Any:
        """Specs in the features' structure."""
        return self.chosen(self._features.spec())

    def chosen(self, example: Any) -> Any:
        """The whole example, or its input and target."""
        return example if self._keys is None else tuple(example[key] for key in self._keys)

    def decoded(self, content: bytes) -> Any:
        """One example."""
        return self.chosen(self._features.decode(read_example(content)))

    def size(self) -> int:
        """Number of examples."""
        return self._rows.size

    def indexed(self, scope: Scope) -> Indexed:
        """The examples by number."""
        return self._rows


class _ExampleRows(Indexed):
    parallel = _THREADS

    def __init__(self, places: list[tuple[str, int, int]], node: _ExampleNode) -> None:
        self._places, self._node = places, node
        self.size = len(places)

    def rows(self, places: np.ndarray) -> Block:
        """The examples of these numbers, read now."""
        found = []
        for place in places.tolist():
            path, start, length = self._places[place]
            with open(path, "rb") as file:
                file.seek(start)
                found.append(self._node.decoded(file.read(length)))
        return Block.of_elements(
            trees.map_structure(lambda _: 0, found[0]), [trees.flatten(example) for example in found]
        )


class KerasBuilder(DatasetBuilder):
    """A set that ``keras.datasets`` has."""

    def __init__(self, name: str) -> None:
        version, shape = FROM_KERAS[name]
        module = importlib.import_module(f"hornbeam.keras.datasets.{name}")
        parts = dict(zip(("train", "test"), module.load_data(), strict=True))
        self._arrays = {
            split: {"image": x.reshape(len(x), *shape), "label": y.reshape(-1).astype("int64")}
            for split, (x, y) in parts.items()
        }
        classes = 100 if name == "cifar100" else 10
        features = kinds.FeaturesDict(
            {"image": kinds.Image(shape=shape), "label": kinds.ClassLabel(num_classes=classes)}
        )
        splits = {
            split: SplitInfo(split, [len(arrays["label"])], arrays["image"].nbytes)
            for split, arrays in self._arrays.items()
        }
        super().__init__(DatasetInfo(name, version, features, splits, ("image", "label")))

    def _dataset(self, ranges: list[Range], keys: tuple[Any, ...] | None) -> Dataset:
        columns = {
            key: np.concatenate([self._arrays[one.name][key][one.start : one.stop] for one in ranges])
            for key in ("image", "label")
        }
        return Dataset.from_tensor_slices(columns if keys is None else tuple(columns[key] for key in keys))
