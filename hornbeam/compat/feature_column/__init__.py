"""``tf.feature_column``: numbers from tables, as they were made before preprocessing layers.

Columns say what is read from a dict of features; `DenseFeatures` (``tf.keras.layers.DenseFeatures``) makes one tensor
of them. New programs take preprocessing layers, or ``keras.utils.FeatureSpace``.
"""

from __future__ import annotations

import itertools
import math
import os
from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np

from hornbeam.base import dtypes
from hornbeam.base.errors import NotSupportedError, explain
from hornbeam.compat.feature_column.base import CategoricalColumn, FeatureColumn
from hornbeam.compat.feature_column.categories import (
    CrossedColumn,
    HashedCategoricalColumn,
    IdentityCategoricalColumn,
    VocabularyFileCategoricalColumn,
    VocabularyListCategoricalColumn,
    WeightedCategoricalColumn,
    lines_of,
)
from hornbeam.compat.feature_column.columns import BucketizedColumn, EmbeddingColumn, IndicatorColumn, NumericColumn
from hornbeam.compat.feature_column.layers import DenseFeatures
from hornbeam.keras.initializers import TruncatedNormal

__all__ = [
    "bucketized_column",
    "categorical_column_with_hash_bucket",
    "categorical_column_with_identity",
    "categorical_column_with_vocabulary_file",
    "categorical_column_with_vocabulary_list",
    "crossed_column",
    "embedding_column",
    "indicator_column",
    "input_layer",
    "make_parse_example_spec",
    "numeric_column",
    "weighted_categorical_column",
]

_LATER = ("sequence_", "shared_embedding", "linear_model")


def __getattr__(name: str) -> Any:
    if name.startswith(_LATER):
        raise AttributeError(
            f"tf.feature_column.{name} is not offered. Use preprocessing layers, with keras.layers.Embedding and RNN "
            "layers where rows are sequences.",
            name=name,
        )
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}", name=name)


def _need(holds: Any, where: str, what: str, received: Any) -> None:
    if not holds:
        raise ValueError(
            explain(f"tf.feature_column.{where}: a wrong argument.", expected=what, received=repr(received))
        )


def _key(key: Any, where: str) -> str:
    _need(isinstance(key, str), where, "the name of a feature as `key`", key)
    return key


def _kind(dtype: Any, where: str) -> dtypes.DType:
    found = dtypes.as_dtype(dtype)
    _need(found == "string" or found.is_integer, where, "a `dtype` of texts or whole numbers", dtype)
    return found


def numeric_column(
    key: str,
    shape: Any = (1,),
    default_value: Any = None,
    dtype: Any = "float32",
    normalizer_fn: Callable | None = None,
) -> NumericColumn:
    """Floats of a feature.

    Args:
        key: name of the feature.
        shape: sizes of a row.
        default_value: for records without the feature: a number, or as many as the shape has.
        dtype: of the feature in records.
        normalizer_fn: function of the feature's tensor, applied first.

    References: TensorFlow `tf.feature_column.numeric_column`.
    """
    where = "numeric_column"
    sizes = tuple(shape) if isinstance(shape, Iterable) else (shape,)
    if not all(isinstance(size, (int, np.integer)) for size in sizes):
        raise TypeError(f"tf.feature_column.{where}: sizes in `shape` are whole numbers. Received: shape={shape!r}")
    _need(all(size > 0 for size in sizes), where, "sizes above 0 in `shape`", shape)
    kind = dtypes.as_dtype(dtype)
    _need(kind.is_integer or kind.is_floating, where, "a `dtype` of numbers", dtype)
    if normalizer_fn is not None and not callable(normalizer_fn):
        raise TypeError(f"tf.feature_column.{where}: `normalizer_fn` is a function. Received: {normalizer_fn!r}")
    if default_value is not None:
        default_value = tuple(np.broadcast_to(np.asarray(default_value), sizes).ravel().tolist())
    return NumericColumn(_key(key, where), tuple(int(size) for size in sizes), default_value, kind, normalizer_fn)


def bucketized_column(source_column: NumericColumn, boundaries: Sequence[float]) -> BucketizedColumn:
    """Intervals that numbers fall into; each takes in its lower boundary.

    Args:
        source_column: a `numeric_column` with one axis.
        boundaries: rising numbers.

    References: TensorFlow `tf.feature_column.bucketized_column`.
    """
    where = "bucketized_column"
    _need(isinstance(source_column, NumericColumn), where, "a numeric_column as `source_column`", source_column)
    _need(len(source_column.shape) == 1, where, "a `source_column` with one axis", source_column.shape)
    limits = tuple(boundaries) if isinstance(boundaries, (list, tuple)) else ()
    rising = all(low < high for low, high in itertools.pairwise(limits))
    _need(limits and rising, where, "a list of rising numbers as `boundaries`", boundaries)
    return BucketizedColumn(source_column, limits)


def categorical_column_with_hash_bucket(
    key: str, hash_bucket_size: int, dtype: Any = "string"
) -> HashedCategoricalColumn:
    """Categories by the fingerprint of their texts, or of the decimal texts of whole numbers.

    Args:
        key: name of the feature.
        hash_bucket_size: number of categories.
        dtype: texts or whole numbers.

    References: TensorFlow `tf.feature_column.categorical_column_with_hash_bucket`.
    """
    where = "categorical_column_with_hash_bucket"
    _need(hash_bucket_size is not None and hash_bucket_size >= 1, where, "`hash_bucket_size` from 1", hash_bucket_size)
    return HashedCategoricalColumn(_key(key, where), int(hash_bucket_size), _kind(dtype, where))


def _check_oov(where: str, default_value: Any, num_oov_buckets: Any) -> None:
    _need(num_oov_buckets is None or num_oov_buckets >= 0, where, "`num_oov_buckets` from 0", num_oov_buckets)
    both = num_oov_buckets and default_value not in (None, -1)
    _need(not both, where, "`default_value` or `num_oov_buckets`, not both", (default_value, num_oov_buckets))


def categorical_column_with_vocabulary_list(
    key: str, vocabulary_list: Sequence[Any], dtype: Any = None, default_value: int = -1, num_oov_buckets: int = 0
) -> VocabularyListCategoricalColumn:
    """Categories by their places in a list.

    Args:
        key: name of the feature.
        vocabulary_list: texts or whole numbers, each once.
        dtype: of the feature; None for that of the list.
        default_value: number of categories that the list lacks; -1 leaves them out.
        num_oov_buckets: numbers behind the list for those, by their hash.

    References: TensorFlow `tf.feature_column.categorical_column_with_vocabulary_list`.
    """
    where = "categorical_column_with_vocabulary_list"
    words = () if vocabulary_list is None else tuple(vocabulary_list)
    _need(words and len(set(words)) == len(words), where, "some `vocabulary_list`, each word once", vocabulary_list)
    own = _kind(dtypes.from_numpy(np.array(words).dtype), where)
    kind = own if dtype is None else _kind(dtype, where)
    _need((kind == "string") == (own == "string"), where, "words of the `dtype`", (dtype, own.name))
    _check_oov(where, default_value, num_oov_buckets)
    words = tuple(word.item() if isinstance(word, np.generic) else word for word in words)
    return VocabularyListCategoricalColumn(_key(key, where), words, kind, int(default_value), int(num_oov_buckets))


def categorical_column_with_vocabulary_file(
    key: str,
    vocabulary_file: Any,
    vocabulary_size: int | None = None,
    dtype: Any = "string",
    default_value: int | None = None,
    num_oov_buckets: int = 0,
    file_format: str | None = None,
) -> VocabularyFileCategoricalColumn:
    """Categories by the lines of a file.

    Args:
        key: name of the feature.
        vocabulary_file: a text file with a word in each line.
        vocabulary_size: number of lines that count; None for all.
        dtype: texts or whole numbers.
        default_value: number of categories that the file lacks; None leaves them out.
        num_oov_buckets: numbers behind the lines for those, by their hash.
        file_format: None or "text".

    Raises:
        NotSupportedError: the file holds records.

    References: TensorFlow `tf.feature_column.categorical_column_with_vocabulary_file`.
    """
    where = "categorical_column_with_vocabulary_file"
    _need(vocabulary_file, where, "the path of a file as `vocabulary_file`", vocabulary_file)
    path = os.fspath(vocabulary_file)
    if file_format == "tfrecord_gzip" or (file_format is None and path.endswith("tfrecord.gz")):
        raise NotSupportedError(f"tf.feature_column.{where}: {path} holds records; write its words into a text file.")
    _need(file_format in (None, "text"), where, "file_format 'text'", file_format)
    _need(vocabulary_size is not None or os.path.exists(path), where, "a file that exists", path)
    size = len(lines_of(path)) if vocabulary_size is None else int(vocabulary_size)
    _need(size >= 1, where, "`vocabulary_size` from 1", size)
    _check_oov(where, default_value, num_oov_buckets)
    default = -1 if default_value is None else int(default_value)
    kind = _kind(dtype, where)
    return VocabularyFileCategoricalColumn(
        _key(key, where), path, size, int(num_oov_buckets), kind, default, file_format
    )


def categorical_column_with_identity(
    key: str, num_buckets: int, default_value: int | None = None
) -> IdentityCategoricalColumn:
    """Whole numbers as category numbers.

    Args:
        key: name of the feature.
        num_buckets: number of categories.
        default_value: category of numbers outside ``0 ... num_buckets - 1``.

    References: TensorFlow `tf.feature_column.categorical_column_with_identity`.
    """
    where = "categorical_column_with_identity"
    _need(num_buckets >= 1, where, "`num_buckets` from 1", num_buckets)
    inside = default_value is None or 0 <= default_value < num_buckets
    _need(inside, where, f"`default_value` from 0 to {num_buckets - 1}", default_value)
    return IdentityCategoricalColumn(_key(key, where), int(num_buckets), default_value)


def weighted_categorical_column(
    categorical_column: CategoricalColumn, weight_feature_key: str, dtype: Any = "float32"
) -> WeightedCategoricalColumn:
    """Categories that another feature weighs.

    Args:
        categorical_column: the categories.
        weight_feature_key: name of the feature with as many numbers.
        dtype: of the weights in records.

    References: TensorFlow `tf.feature_column.weighted_categorical_column`.
    """
    where = "weighted_categorical_column"
    kind = dtypes.as_dtype(dtype)
    _need(kind.is_integer or kind.is_floating, where, "a `dtype` of numbers", dtype)
    return WeightedCategoricalColumn(_categorical(categorical_column, where), _key(weight_feature_key, where), kind)


def _categorical(column: Any, where: str) -> CategoricalColumn:
    _need(isinstance(column, CategoricalColumn), where, "a categorical column", column)
    return column


def crossed_column(keys: Sequence[Any], hash_bucket_size: int, hash_key: int | None = None) -> CrossedColumn:
    """Hashed combinations of categories.

    Args:
        keys: two or more: names of features, or categorical columns (without hash buckets).
        hash_bucket_size: number of categories.
        hash_key: start of the hash.

    References: TensorFlow `tf.feature_column.crossed_column`.
    """
    where = "crossed_column"
    _need(hash_bucket_size and hash_bucket_size >= 1, where, "`hash_bucket_size` from 1", hash_bucket_size)
    _need(keys and len(keys) >= 2, where, "two or more `keys`", keys)
    for key in keys:
        fits = isinstance(key, (str, CategoricalColumn)) and not isinstance(key, HashedCategoricalColumn)
        _need(fits, where, "names of features, or categorical columns that are not hashed yet", key)
        _need(not isinstance(key, WeightedCategoricalColumn), where, "columns without weights", key)
    return CrossedColumn(tuple(keys), int(hash_bucket_size), hash_key)


def indicator_column(categorical_column: CategoricalColumn) -> IndicatorColumn:
    """Counts of the categories of a row.

    References: TensorFlow `tf.feature_column.indicator_column`.
    """
    return IndicatorColumn(_categorical(categorical_column, "indicator_column"))


def embedding_column(
    categorical_column: CategoricalColumn,
    dimension: int,
    combiner: str = "mean",
    initializer: Any = None,
    ckpt_to_load_from: Any = None,
    tensor_name_in_ckpt: Any = None,
    max_norm: float | None = None,
    trainable: bool = True,
    use_safe_embedding_lookup: bool = True,
) -> EmbeddingColumn:
    """Learned vectors of categories.

    Args:
        categorical_column: the categories.
        dimension: length of a vector.
        combiner: ``mean``, ``sqrtn`` or ``sum`` of a row's vectors.
        initializer: of the vectors; by default truncated normal with deviation ``1 / sqrt(dimension)``.
        ckpt_to_load_from: must be None.
        tensor_name_in_ckpt: must be None.
        max_norm: longer vectors are cut to this length.
        trainable: whether they are learned.
        use_safe_embedding_lookup: leave categories below 0 out; otherwise they are an error.

    Raises:
        NotSupportedError: a checkpoint is given.

    References: TensorFlow `tf.feature_column.embedding_column`.
    """
    where = "embedding_column"
    _need(dimension is not None and dimension >= 1, where, "`dimension` from 1", dimension)
    _need(combiner in ("mean", "sqrtn", "sum"), where, "`combiner` 'mean', 'sqrtn' or 'sum'", combiner)
    _need((ckpt_to_load_from is None) == (tensor_name_in_ckpt is None), where, "both checkpoint arguments", None)
    if ckpt_to_load_from is not None:
        raise NotSupportedError(
            f"tf.feature_column.{where}: `ckpt_to_load_from` is not offered. Read the vectors with "
            "tf.train.load_variable and give them as initializer=tf.constant_initializer(vectors)."
        )
    if initializer is not None and not callable(initializer):
        raise ValueError(f"tf.feature_column.{where}: `initializer` is no initializer: {initializer!r}")
    made = TruncatedNormal(mean=0.0, stddev=1 / math.sqrt(dimension)) if initializer is None else initializer
    return EmbeddingColumn(
        _categorical(categorical_column, where),
        int(dimension),
        combiner,
        made,
        None,
        None,
        max_norm,
        bool(trainable),
        bool(use_safe_embedding_lookup),
    )


def make_parse_example_spec(feature_columns: Iterable[FeatureColumn]) -> dict[str, Any]:
    """What ``tf.io.parse_example`` must read for columns.

    Raises:
        ValueError: two columns read one feature in different ways.

    References: TensorFlow `tf.feature_column.make_parse_example_spec`.
    """
    found: dict[str, Any] = {}
    for column in feature_columns:
        _need(isinstance(column, FeatureColumn), "make_parse_example_spec", "feature columns", column)
        for key, spec in column.parse_example_spec.items():
            same = key not in found or found[key] == spec
            _need(same, "make_parse_example_spec", f"one way to read {key!r}", (found.get(key), spec))
            found[key] = spec
    return found


def input_layer(
    features: dict[str, Any],
    feature_columns: Any,
    weight_collections: Any = None,
    trainable: bool = True,
    cols_to_vars: dict | None = None,
    cols_to_output_tensors: dict | None = None,
) -> Any:
    """The tensor that `DenseFeatures` makes of columns, with weights of its own at each call.

    Args:
        features: tensors by name.
        feature_columns: dense columns.
        weight_collections: must be None.
        trainable: whether vectors are learned.
        cols_to_vars: takes the weights of each column.
        cols_to_output_tensors: takes the part that each column made.

    References: TensorFlow `tf.compat.v1.feature_column.input_layer`.
    """
    if weight_collections is not None:
        raise NotSupportedError("tf.feature_column.input_layer: there are no collections of weights; leave them out.")
    layer = DenseFeatures(feature_columns, trainable=trainable)
    out = layer(features, cols_to_output_tensors=cols_to_output_tensors)
    if cols_to_vars is not None:
        cols_to_vars.update(layer.variables_by_column())
    return out
