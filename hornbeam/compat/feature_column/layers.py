"""``DenseFeatures``: one tensor of all feature columns.

Categories are looked up on the host by a layer in front (`CategoryNumbers`), since texts do not enter compiled
programs; vectors, counts and intervals are made on the device.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from hornbeam import ops
from hornbeam.base.errors import explain
from hornbeam.compat.feature_column.base import COLUMNS, CategoricalColumn, DenseColumn
from hornbeam.compat.feature_column.columns import BucketizedColumn, EmbeddingColumn, IndicatorColumn, NumericColumn
from hornbeam.compat.feature_column.entries import feature
from hornbeam.core.symbolic import KerasTensor
from hornbeam.core.tensor import from_host
from hornbeam.errors import InvalidArgumentError
from hornbeam.keras.layers.base.layer import Layer
from hornbeam.keras.saving import register_keras_serializable

_IDS, _WEIGHTS, _PLAIN = "category numbers of ", "weights of ", "feature "
"""Begin of the keys of what `CategoryNumbers` gives."""


class _ColumnsLayer(Layer):
    """Base of layers that read a dict of features by columns."""

    def __init__(self, feature_columns: Any, trainable: bool = True, name: str | None = None, **kwargs: Any) -> None:
        super().__init__(name=name, trainable=trainable, **kwargs)
        self._columns = _checked(feature_columns)

    def get_config(self) -> dict[str, Any]:
        """Arguments."""
        columns = [{"class_name": type(column).__name__, "config": column.get_config()} for column in self._columns]
        return {
            "name": self.name,
            "trainable": self.trainable,
            "dtype": self._dtype_policy.name,
            "feature_columns": columns,
        }

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> Any:
        """The layer of `get_config`."""
        found = [
            COLUMNS[entry["class_name"]].from_config(entry["config"], custom_objects)
            for entry in config["feature_columns"]
        ]
        rest = {key: value for key, value in config.items() if key not in ("feature_columns", "partitioner")}
        return cls(found, **rest)

    def _categories(self) -> list[tuple[DenseColumn, CategoricalColumn]]:
        return [
            (column, column.categorical_column)
            for column in self._columns
            if isinstance(column, (IndicatorColumn, EmbeddingColumn))
        ]


def _checked(columns: Any) -> tuple[DenseColumn, ...]:
    if isinstance(columns, DenseColumn) or not isinstance(columns, Iterable):
        columns = [columns]
    found = list(columns)
    for column in found:
        if not isinstance(column, DenseColumn):
            raise ValueError(
                explain(
                    "DenseFeatures takes columns of floats.",
                    expected="numeric, bucketized, indicator and embedding columns",
                    received=repr(column),
                    fix="wrap categorical columns in tf.feature_column.indicator_column or embedding_column",
                )
            )
    names = sorted(column.name for column in found)
    if not names or len(set(names)) < len(names):
        raise ValueError(f"DenseFeatures: some columns are needed, and each name only once. Received: {names}")
    return tuple(sorted(found, key=lambda column: column.name))


@register_keras_serializable(package="hornbeam", name="CategoryNumbers")
class CategoryNumbers(_ColumnsLayer):
    """What `DenseFeatures` needs, with category numbers in place of categories. Made by that layer.

    Args:
        feature_columns: its columns.
        trainable: without effect; there are no weights.
        name: the layer's name.
        **kwargs: as for every layer.
    """

    runs_on_host = True
    keeps_wide_integers = True

    def call(self, features: Any) -> dict[str, Any]:
        """Matrices of category numbers, -1 where a row has fewer, and numbers as they are."""
        out: dict[str, Any] = {}
        for column, categories in self._categories():
            ids = categories.entries(features)
            weights = categories.weights(features, ids)
            if isinstance(column, EmbeddingColumn):
                _check_range(ids.values, column)
            out[_IDS + column.name] = from_host(ids.matrix(-1).astype(np.int32))
            if weights is not None:
                out[_WEIGHTS + column.name] = from_host(ids._replace(values=weights).matrix(0.0))
        for key in self._plain_keys():
            out[_PLAIN + key] = feature(features, key)
        return out

    def _plain_keys(self) -> list[str]:
        found = [column for column in self._columns if isinstance(column, (NumericColumn, BucketizedColumn))]
        sources = [column.source_column if isinstance(column, BucketizedColumn) else column for column in found]
        return sorted({source.key for source in sources})

    def compute_output_spec(self, features: Any) -> dict[str, Any]:
        """Symbolic outputs."""
        out: dict[str, Any] = {}
        for column, categories in self._categories():
            inputs = [feature(features, key) for key in categories.features]
            rows = inputs[0].shape[0]
            widths = [None if getattr(item, "sparse", False) else ([*item.shape, 1])[1] for item in inputs]
            width = widths[0] if categories.weights.__func__ is not CategoricalColumn.weights else _product(widths)
            out[_IDS + column.name] = KerasTensor((rows, width), "int32")
            if categories.weights.__func__ is not CategoricalColumn.weights:
                out[_WEIGHTS + column.name] = KerasTensor((rows, width), "float32")
        for key in self._plain_keys():
            found = feature(features, key)
            shape = tuple(found.shape) if len(found.shape) > 1 else (*found.shape, 1)
            out[_PLAIN + key] = KerasTensor(shape, found.dtype)
        return out


def _product(widths: list[int | None]) -> int | None:
    return None if None in widths else int(np.prod([width or 0 for width in widths]))


def _check_range(ids: np.ndarray, column: EmbeddingColumn) -> None:
    limit = column.categorical_column.num_buckets
    lowest = -(2**31) if column.use_safe_embedding_lookup else 0
    if len(ids) and (ids.max() >= limit or ids.min() < lowest):
        raise InvalidArgumentError(
            None,
            None,
            explain(
                f"Feature column {column.name!r} has no vector for a category.",
                expected=f"category numbers from 0 to {limit - 1}",
                received=f"numbers from {ids.min()} to {ids.max()}",
                fix="give the categorical column a `default_value`, or more buckets",
            ),
        )


@register_keras_serializable(package="hornbeam", name="DenseFeatures")
class DenseFeatures(_ColumnsLayer):
    """One row of floats for each row of features: the columns side by side, ordered by name.

    Args:
        feature_columns: dense columns of ``tf.feature_column``.
        trainable: whether vectors of embedding columns are learned.
        name: the layer's name.
        partitioner: must be None.
        **kwargs: as for every layer.

    Input shape: a dict of features, each (batch,) or (batch, ...); texts are for leading layers.
    Output shape: (batch, sum of the columns' sizes).

    Example:
        >>> age = tf.feature_column.numeric_column("age")
        >>> DenseFeatures([age])({"age": np.array([3.0, 4.0])}).numpy().ravel()
        array([3., 4.], dtype=float32)

    References: Keras 2 ``layers.DenseFeatures``.
    """

    def __init__(
        self,
        feature_columns: Any,
        trainable: bool = True,
        name: str | None = None,
        partitioner: Any = None,
        **kwargs: Any,
    ) -> None:
        if partitioner is not None:
            raise ValueError("DenseFeatures: weights are not partitioned; leave `partitioner` out.")
        super().__init__(feature_columns, trainable, name, **kwargs)
        self._numbers = CategoryNumbers(self._columns, name=f"{self.name}_categories", dtype=self.dtype)
        self._vectors: dict[str, Any] = {}

    def build(self, input_shape: Any) -> None:
        """Make the vectors of the embedding columns."""
        for column in self._columns:
            if isinstance(column, EmbeddingColumn):
                self._vectors[column.name] = self.add_weight(
                    name=f"{column.name}_weights",
                    shape=(column.categorical_column.num_buckets, column.dimension),
                    initializer=column.initializer,
                    trainable=column.trainable,
                )
        self.built = True

    def __call__(self, features: Any, *args: Any, **kwargs: Any) -> Any:
        """Look categories up on the host, and the rest on the device."""
        if not isinstance(features, Mapping):
            raise ValueError(
                explain(
                    f"DenseFeatures '{self.name}' reads features by name.",
                    expected="a dict of tensors",
                    received=f"a {type(features).__name__}",
                )
            )
        parts = kwargs.pop("cols_to_output_tensors", None)
        if not _is_prepared(features):
            features = self._numbers(dict(features))
        out = super().__call__(features, *args, **kwargs)
        if parts is not None:
            ends = np.cumsum([column.size for column in self._columns]).tolist()
            for column, end in zip(self._columns, ends, strict=True):
                parts[column] = out[..., end - column.size : end]
        return out

    def call(self, features: Any) -> Any:
        """The columns side by side."""
        return ops.concatenate([self._part(column, features) for column in self._columns], axis=-1)

    def _part(self, column: DenseColumn, features: Any) -> Any:
        if isinstance(column, NumericColumn):
            return ops.reshape(_floats(column, features), (-1, column.size))
        if isinstance(column, BucketizedColumn):
            values = _floats(column.source_column, features)
            places = ops.searchsorted(np.array(column.boundaries, "float32"), ops.reshape(values, (-1,)), side="right")
            encoded = ops.one_hot(places, len(column.boundaries) + 1, dtype="float32")
            return ops.reshape(encoded, (-1, column.size))
        ids = features[_IDS + column.name]
        weights = features.get(_WEIGHTS + column.name)
        if isinstance(column, IndicatorColumn):
            counted = ops.one_hot(ids, column.size, dtype="float32")
            counted = counted if weights is None else counted * weights[..., None]
            return ops.sum(counted, axis=-2)
        assert isinstance(column, EmbeddingColumn)
        return _combined(self._vectors[column.name], ids, weights, column)

    def compute_output_shape(self, input_shape: Any) -> tuple[int | None, ...]:
        """(batch, number of floats)."""
        shapes = list(input_shape.values()) if isinstance(input_shape, Mapping) else [input_shape]
        return (next(iter(shapes[0])), sum(column.size for column in self._columns))

    def compute_output_spec(self, features: Any) -> Any:
        """Symbolic output."""
        shape = self.compute_output_shape({key: tuple(value.shape) for key, value in features.items()})
        return KerasTensor(shape, "float32")

    def variables_by_column(self) -> dict[DenseColumn, list[Any]]:
        """Weights of each column."""
        return {
            column: [self._vectors[column.name]] if column.name in self._vectors else [] for column in self._columns
        }


def _is_prepared(features: Mapping) -> bool:
    return all(str(key).startswith((_IDS, _WEIGHTS, _PLAIN)) for key in features)


def _floats(column: NumericColumn, features: Any) -> Any:
    value = features[_PLAIN + column.key]
    return ops.cast(value if column.normalizer_fn is None else column.normalizer_fn(value), "float32")


def _combined(vectors: Any, ids: Any, weights: Any, column: EmbeddingColumn) -> Any:
    """Vectors of the categories of a row as one; zeros for rows without any."""
    counts = ops.cast(ids >= 0, "float32")
    if weights is not None:
        # Sums take negative weights; means leave out what does not weigh anything.
        counts = counts * (weights if column.combiner == "sum" else ops.maximum(weights, 0.0))
    found = ops.take(vectors, ops.maximum(ids, 0), axis=0)
    if column.max_norm is not None:
        length = ops.sqrt(ops.sum(ops.square(found), axis=-1, keepdims=True))
        found = found * (column.max_norm / ops.maximum(length, column.max_norm))
    total = ops.sum(found * counts[..., None], axis=-2)
    if column.combiner == "sum":
        return total
    power = counts if column.combiner == "mean" else ops.square(counts)
    weight = ops.sum(power, axis=-1, keepdims=True)
    weight = weight if column.combiner == "mean" else ops.sqrt(weight)
    return total / ops.where(weight > 0, weight, 1.0)
