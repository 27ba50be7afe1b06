"""What all feature columns share.

Categorical columns give category numbers, which are looked up on the host. Dense columns give floats: they are what
`DenseFeatures` takes. Columns are values: two with equal arguments are equal.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from typing import Any

import numpy as np

from hornbeam.base import dtypes
from hornbeam.base.errors import explain
from hornbeam.compat.feature_column.entries import Entries, entries_of, feature
from hornbeam.keras.saving import deserialize_keras_object, serialize_keras_object

COLUMNS: dict[str, type[FeatureColumn]] = {}
"""Columns by the names that stored models have for them."""


class FeatureColumn:
    """Base of all feature columns.

    References: TensorFlow `tf.feature_column`.
    """

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        COLUMNS[cls.__name__] = cls

    @property
    def name(self) -> str:
        """Name, by which columns are ordered and weights are called."""
        raise NotImplementedError

    @property
    def parse_example_spec(self) -> dict[str, Any]:
        """Features to read from ``tf.train.Example`` records."""
        raise NotImplementedError

    def get_config(self) -> dict[str, Any]:
        """Arguments, columns among them as class name and arguments."""
        fields: list[str] = [field.name for field in dataclasses.fields(self)]  # type: ignore[arg-type]
        return {field: _plain(getattr(self, field)) for field in fields}

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None, columns_by_name: Any = None) -> Any:
        """The column of `get_config`."""
        values = {key: _revived(value, custom_objects) for key, value in config.items()}
        if "dtype" in values:
            values["dtype"] = dtypes.as_dtype(values["dtype"])
        return cls(**values)


class DenseColumn(FeatureColumn):
    """A column that gives floats: ``size`` of them for each row."""

    @property
    def size(self) -> int:
        """Number of floats."""
        raise NotImplementedError


class CategoricalColumn(FeatureColumn):
    """A column that gives category numbers."""

    key: str

    @property
    def name(self) -> str:
        """Name of the feature."""
        return self.key

    @property
    def num_buckets(self) -> int:
        """Number of categories."""
        raise NotImplementedError

    @property
    def features(self) -> tuple[str, ...]:
        """Names of the features that it reads."""
        return (self.key,)

    def entries(self, features: Mapping) -> Entries:
        """Category numbers of each row."""
        return self._numbers(entries_of(feature(features, self.key), self.key))

    def weights(self, features: Mapping, ids: Entries) -> np.ndarray | None:
        """A weight for each of those; None where all count alike."""
        return None

    def _numbers(self, found: Entries) -> Entries:
        raise NotImplementedError

    def _check_kind(self, found: Entries, dtype: dtypes.DType) -> None:
        is_text = found.values.dtype == object
        if len(found.values) and is_text != (dtype == "string"):
            raise ValueError(
                explain(
                    f"Feature column {self.name!r} reads a feature of another kind.",
                    expected=f"dtype {dtype.name}",
                    received="texts" if is_text else "whole numbers",
                    fix="give the column `dtype=tf.string` or `dtype=tf.int64`",
                )
            )


def _plain(value: Any) -> Any:
    if isinstance(value, FeatureColumn):
        return {"class_name": type(value).__name__, "config": value.get_config()}
    if isinstance(value, (tuple, list)):
        return [_plain(item) for item in value]
    if value is None or isinstance(value, (str, int, float, bool)):
        return value
    if isinstance(value, dtypes.DType):
        return value.name
    return value.item() if isinstance(value, np.generic) else serialize_keras_object(value)


def _revived(value: Any, custom_objects: Any) -> Any:
    if isinstance(value, dict) and value.get("class_name") == "__tuple__":
        # The form of tuples in saved models.
        value = value["items"]
    if isinstance(value, (list, tuple)):
        return tuple(_revived(item, custom_objects) for item in value)
    if isinstance(value, dict) and value.get("class_name") in COLUMNS:
        return COLUMNS[value["class_name"]].from_config(value["config"], custom_objects)
    return deserialize_keras_object(value, custom_objects) if isinstance(value, dict) else value
