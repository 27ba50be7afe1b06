"""Categorical columns: category numbers of texts and whole numbers."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

import numpy as np

from hornbeam.base import dtypes
from hornbeam.base.errors import explain
from hornbeam.compat.feature_column.base import CategoricalColumn
from hornbeam.compat.feature_column.entries import Entries, entries_of, feature, weights_of
from hornbeam.errors import InvalidArgumentError
from hornbeam.io.parsing import VarLenFeature
from hornbeam.ops.host import hashes
from hornbeam.ragged.crossing import cross_hashed
from hornbeam.ragged.tensor import RaggedTensor
from hornbeam.sparse.tensor import SparseTensor


@dataclasses.dataclass(frozen=True)
class HashedCategoricalColumn(CategoricalColumn):
    """The fingerprint of a text, modulo a number of buckets."""

    key: str
    hash_bucket_size: int
    dtype: dtypes.DType

    @property
    def parse_example_spec(self) -> dict[str, Any]:
        """Any number of values."""
        return {self.key: VarLenFeature(self.dtype)}

    @property
    def num_buckets(self) -> int:
        """As given."""
        return self.hash_bucket_size

    def _numbers(self, found: Entries) -> Entries:
        self._check_kind(found, self.dtype)
        return found._replace(values=_buckets(found.values, self.hash_bucket_size))


def _buckets(values: np.ndarray, count: int) -> np.ndarray:
    texts = values
    if values.dtype != object:
        texts = np.empty(len(values), object)
        texts[:] = [str(number).encode() for number in values.tolist()]
    return (hashes.fingerprint64(texts) % np.uint64(count)).astype(np.int64)


class _VocabularyColumn(CategoricalColumn):
    """Places in a vocabulary; others get a fixed number, or one of the buckets behind it."""

    dtype: dtypes.DType
    default_value: int
    num_oov_buckets: int

    def words(self) -> tuple[Any, ...]:
        """The vocabulary: ``bytes`` or integers."""
        raise NotImplementedError

    @property
    def parse_example_spec(self) -> dict[str, Any]:
        """Any number of values."""
        return {self.key: VarLenFeature(self.dtype)}

    @property
    def num_buckets(self) -> int:
        """Words and buckets."""
        return len(self.words()) + self.num_oov_buckets

    def _numbers(self, found: Entries) -> Entries:
        self._check_kind(found, self.dtype)
        places = {word: place for place, word in enumerate(self.words())}
        numbers = np.array([places.get(value, -1) for value in found.values.tolist()], np.int64)
        missing = numbers < 0
        if self.num_oov_buckets:
            numbers[missing] = len(places) + _buckets(found.values[missing], self.num_oov_buckets)
        else:
            numbers[missing] = self.default_value
        return found._replace(values=numbers)


@dataclasses.dataclass(frozen=True)
class VocabularyListCategoricalColumn(_VocabularyColumn):
    """Places in a list."""

    key: str
    vocabulary_list: tuple[Any, ...]
    dtype: dtypes.DType
    default_value: int = -1
    num_oov_buckets: int = 0

    def words(self) -> tuple[Any, ...]:
        """The list."""
        return tuple(word.encode() if isinstance(word, str) else word for word in self.vocabulary_list)


@dataclasses.dataclass(frozen=True)
class VocabularyFileCategoricalColumn(_VocabularyColumn):
    """Places among the lines of a file."""

    key: str
    vocabulary_file: str
    vocabulary_size: int
    num_oov_buckets: int
    dtype: dtypes.DType
    default_value: int
    file_format: str | None = None

    def words(self) -> tuple[Any, ...]:
        """The first ``vocabulary_size`` lines."""
        kept = self.__dict__.get("_words")
        if kept is None:
            kept = lines_of(self.vocabulary_file)[: self.vocabulary_size]
            if len(kept) < self.vocabulary_size:
                raise InvalidArgumentError(
                    None,
                    None,
                    explain(
                        f"Feature column {self.key!r}: the vocabulary file is too short.",
                        expected=f"{self.vocabulary_size} lines in {self.vocabulary_file}",
                        received=f"{len(kept)} lines",
                    ),
                )
            kept = kept if self.dtype == "string" else tuple(int(word) for word in kept)
            self.__dict__["_words"] = kept
        return kept


def lines_of(path: str) -> tuple[bytes, ...]:
    """Lines of a file, without their ends."""
    with open(path, "rb") as file:
        return tuple(line.rstrip(b"\r\n") for line in file)


@dataclasses.dataclass(frozen=True)
class IdentityCategoricalColumn(CategoricalColumn):
    """Whole numbers that are category numbers already."""

    key: str
    number_buckets: int
    default_value: int | None

    @property
    def parse_example_spec(self) -> dict[str, Any]:
        """Any number of values."""
        return {self.key: VarLenFeature(dtypes.as_dtype("int64"))}

    @property
    def num_buckets(self) -> int:
        """As given."""
        return self.number_buckets

    def _numbers(self, found: Entries) -> Entries:
        self._check_kind(found, dtypes.as_dtype("int64"))
        if self.default_value is None:
            return found
        outside = (found.values < 0) | (found.values >= self.number_buckets)
        return found._replace(values=np.where(outside, self.default_value, found.values))


@dataclasses.dataclass(frozen=True)
class WeightedCategoricalColumn(CategoricalColumn):
    """Categories, each with the weight that another feature gives it."""

    categorical_column: CategoricalColumn
    weight_feature_key: str
    dtype: dtypes.DType

    @property
    def name(self) -> str:
        """Names of the categories and of the weights."""
        return f"{self.categorical_column.name}_weighted_by_{self.weight_feature_key}"

    @property
    def parse_example_spec(self) -> dict[str, Any]:
        """The categories' features, and the weights."""
        found = self.categorical_column.parse_example_spec
        return {**found, self.weight_feature_key: VarLenFeature(self.dtype)}

    @property
    def features(self) -> tuple[str, ...]:
        """The categories' features, and the weights."""
        return (*self.categorical_column.features, self.weight_feature_key)

    @property
    def num_buckets(self) -> int:
        """Number of categories."""
        return self.categorical_column.num_buckets

    def entries(self, features: Mapping) -> Entries:
        """Category numbers."""
        return self.categorical_column.entries(features)

    def weights(self, features: Mapping, ids: Entries) -> np.ndarray | None:
        """Their weights."""
        return weights_of(feature(features, self.weight_feature_key), self.weight_feature_key, ids)


@dataclasses.dataclass(frozen=True)
class CrossedColumn(CategoricalColumn):
    """Hashed combinations of several categories."""

    keys: tuple[Any, ...]
    hash_bucket_size: int
    hash_key: int | None

    def _leaves(self) -> list[Any]:
        leaves: list[Any] = []
        for key in self.keys:
            leaves += key._leaves() if isinstance(key, CrossedColumn) else [key]
        return leaves

    @property
    def name(self) -> str:
        """Names of what is crossed, sorted."""
        return "_X_".join(sorted(leaf if isinstance(leaf, str) else leaf.name for leaf in self._leaves()))

    @property
    def parse_example_spec(self) -> dict[str, Any]:
        """Those of what is crossed; features by name are texts."""
        specs: dict[str, Any] = {}
        for key in self.keys:
            specs.update(
                {key: VarLenFeature(dtypes.as_dtype("string"))} if isinstance(key, str) else key.parse_example_spec
            )
        return specs

    @property
    def features(self) -> tuple[str, ...]:
        """Features of what is crossed."""
        return tuple(name for leaf in self._leaves() for name in ((leaf,) if isinstance(leaf, str) else leaf.features))

    @property
    def num_buckets(self) -> int:
        """As given."""
        return self.hash_bucket_size

    def entries(self, features: Mapping) -> Entries:
        """Bucket of each combination."""
        sparse, dense = [], []
        for leaf in self._leaves():
            if isinstance(leaf, str):
                value = feature(features, leaf)
                is_dense = not isinstance(value, (SparseTensor, RaggedTensor))
                (dense if is_dense else sparse).append(entries_of(value, leaf, drop=False))
            else:
                sparse.append(leaf.entries(features))
        # The kernel behind these hashes takes its dense inputs last.
        parts = sparse + dense
        crossed = cross_hashed(
            [RaggedTensor.from_row_lengths(part.values, part.lengths) for part in parts],
            self.hash_bucket_size,
            self.hash_key,
        )
        widths = [part.width for part in parts]
        width = None if None in widths else int(np.prod([part.width or 0 for part in parts]))
        return Entries(crossed.values.numpy(), np.diff(crossed.row_splits.numpy()), width)
