"""Dense columns: floats from numbers, and from categories."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from hornbeam.base import dtypes
from hornbeam.compat.feature_column.base import CategoricalColumn, DenseColumn
from hornbeam.compat.feature_column.entries import Entries, feature
from hornbeam.io.parsing import FixedLenFeature


@dataclasses.dataclass(frozen=True)
class NumericColumn(DenseColumn):
    """Floats as they are, or after a function of them."""

    key: str
    shape: tuple[int, ...]
    default_value: Any
    dtype: dtypes.DType
    normalizer_fn: Callable | None = None

    @property
    def name(self) -> str:
        """Name of the feature."""
        return self.key

    @property
    def parse_example_spec(self) -> dict[str, Any]:
        """A feature of fixed size."""
        default = None if self.default_value is None else list(self.default_value)
        return {self.key: FixedLenFeature(self.shape, self.dtype, default)}

    @property
    def size(self) -> int:
        """Number of floats."""
        return int(np.prod(self.shape))


@dataclasses.dataclass(frozen=True)
class BucketizedColumn(CategoricalColumn, DenseColumn):
    """Which of the intervals between boundaries a number falls into."""

    source_column: NumericColumn
    boundaries: tuple[float, ...]

    @property
    def name(self) -> str:
        """That of the numbers, marked."""
        return f"{self.source_column.name}_bucketized"

    @property
    def parse_example_spec(self) -> dict[str, Any]:
        """That of the numbers."""
        return self.source_column.parse_example_spec

    @property
    def features(self) -> tuple[str, ...]:
        """The feature with the numbers."""
        return (self.source_column.key,)

    @property
    def num_buckets(self) -> int:
        """Intervals of all numbers of a row."""
        return (len(self.boundaries) + 1) * self.source_column.shape[0]

    @property
    def size(self) -> int:
        """One float for each interval."""
        return self.num_buckets

    def entries(self, features: Mapping) -> Entries:
        """Interval of each number; those of later numbers are counted on."""
        value = feature(features, self.source_column.key)
        function = self.source_column.normalizer_fn
        array = np.asarray(value if function is None else function(value)).astype(np.float32)
        places = np.searchsorted(np.array(self.boundaries, "float32"), array, side="right")
        places = places.reshape(len(array), -1) + (len(self.boundaries) + 1) * np.arange(self.source_column.size)
        return Entries(places.ravel().astype(np.int64), np.full(len(array), places.shape[1]), places.shape[1])


@dataclasses.dataclass(frozen=True)
class IndicatorColumn(DenseColumn):
    """How often each category occurs in a row."""

    categorical_column: CategoricalColumn

    @property
    def name(self) -> str:
        """That of the categories, marked."""
        return f"{self.categorical_column.name}_indicator"

    @property
    def parse_example_spec(self) -> dict[str, Any]:
        """That of the categories."""
        return self.categorical_column.parse_example_spec

    @property
    def size(self) -> int:
        """One float for each category."""
        return self.categorical_column.num_buckets


@dataclasses.dataclass(frozen=True)
class EmbeddingColumn(DenseColumn):
    """Learned vectors of the categories of a row, combined."""

    categorical_column: CategoricalColumn
    dimension: int
    combiner: str
    initializer: Any
    ckpt_to_load_from: None
    tensor_name_in_ckpt: None
    max_norm: float | None
    trainable: bool
    use_safe_embedding_lookup: bool = True

    @property
    def name(self) -> str:
        """That of the categories, marked."""
        return f"{self.categorical_column.name}_embedding"

    @property
    def parse_example_spec(self) -> dict[str, Any]:
        """That of the categories."""
        return self.categorical_column.parse_example_spec

    @property
    def size(self) -> int:
        """Length of the vectors."""
        return self.dimension

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None, columns_by_name: Any = None) -> Any:
        """The column of `get_config`."""
        entry = config["initializer"]
        if isinstance(entry, dict) and "module" not in entry:
            # Initializers of TensorFlow 1 name the dtype of what they make; here the weight has it.
            inner = {key: value for key, value in entry["config"].items() if key != "dtype"}
            config = {**config, "initializer": {**entry, "config": inner}}
        return super().from_config(config, custom_objects)
