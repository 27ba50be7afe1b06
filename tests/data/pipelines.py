"""Pipelines that run on Hornbeam and on TensorFlow alike: each is a function of the ``tf`` module."""

from __future__ import annotations

import numpy as np


def _ints(n, seed=0):
    return np.random.default_rng(seed).integers(0, 100, n).astype("int64")


def _lengths(tf, lengths):
    return tf.data.Dataset.from_generator(
        lambda: (np.arange(n, dtype="int32") for n in lengths), output_signature=tf.TensorSpec((None,), tf.int32)
    )


PIPELINES = {
    "slices_tuple": lambda tf: tf.data.Dataset.from_tensor_slices((np.arange(12.0).reshape(4, 3), [1, 2, 3, 4])),
    "slices_dict": lambda tf: tf.data.Dataset.from_tensor_slices({"b": [1.5, 2.5], "a": ({"c": [1, 2]}, ["x", "yy"])}),
    "slices_list_is_tensor": lambda tf: tf.data.Dataset.from_tensor_slices([[1, 2], [3, 4], [5, 6]]),
    "tensors": lambda tf: tf.data.Dataset.from_tensors(([1, 2], "a")).repeat(2),
    "range_forms": lambda tf: tf.data.Dataset.zip(
        (tf.data.Dataset.range(5), tf.data.Dataset.range(3, 10, 2), tf.data.Dataset.range(10, 0, -3))
    ),
    "range_dtype": lambda tf: tf.data.Dataset.range(4, output_type=tf.float32),
    "counter": lambda tf: tf.data.Dataset.counter(start=5, step=3).take(4),
    "map_types": lambda tf: tf.data.Dataset.range(4).map(
        lambda x: {"f": tf.cast(x, tf.float32) / 3, "sq": x * x, "const": 7, "pair": (x + 1, 2.5)}
    ),
    "map_tuple": lambda tf: tf.data.Dataset.from_tensor_slices(([1, 2, 3], [4.0, 5.0, 6.0])).map(
        lambda a, b: (b * 2, a - 1)
    ),
    "map_list_result": lambda tf: tf.data.Dataset.range(3).map(lambda x: [x, x + 1]),
    "map_batched": lambda tf: tf.data.Dataset.range(10).batch(4).map(lambda x: x * 2),
    "map_cond": lambda tf: tf.data.Dataset.range(6).map(lambda x: tf.cond(x > 2, lambda: x * 10, lambda: -x)),
    "map_autograph_if": lambda tf: tf.data.Dataset.range(6).map(_autograph),
    "map_strings": lambda tf: tf.data.Dataset.from_tensor_slices(["a", "bb", "ccc"]).map(
        lambda s: (s, tf.strings.length(s), tf.strings.upper(s))
    ),
    "map_one_hot": lambda tf: tf.data.Dataset.from_tensor_slices([0, 2, 1]).map(lambda y: tf.one_hot(y, 3)),
    "map_py_function": lambda tf: tf.data.Dataset.range(4).map(
        lambda x: tf.py_function(lambda v: v.numpy() ** 2, [x], tf.int64)
    ),
    "map_numpy_function": lambda tf: tf.data.Dataset.range(4).map(
        lambda x: tf.numpy_function(lambda v: v + 1, [x], tf.int64)
    ),
    "map_reshape": lambda tf: tf.data.Dataset.from_tensor_slices(np.arange(24.0).reshape(4, 6)).map(
        lambda x: tf.transpose(tf.reshape(x, (2, 3)))
    ),
    "filter": lambda tf: tf.data.Dataset.range(20).filter(lambda x: x % 3 == 1),
    "filter_tuple": lambda tf: tf.data.Dataset.from_tensor_slices((_ints(30), _ints(30, 1))).filter(lambda a, b: a > b),
    "take_while": lambda tf: tf.data.Dataset.range(20).map(lambda x: x * 2).take_while(lambda x: x < 9),
    "batch": lambda tf: tf.data.Dataset.range(10).batch(4),
    "batch_drop": lambda tf: tf.data.Dataset.range(10).batch(4, drop_remainder=True),
    "batch_batch": lambda tf: tf.data.Dataset.range(12).batch(2).batch(3),
    "batch_batch_uneven": lambda tf: tf.data.Dataset.range(13).batch(2, drop_remainder=True).batch(4),
    "batch_strings": lambda tf: tf.data.Dataset.from_tensor_slices((["a", "b", "c"], [1, 2, 3])).batch(2),
    "padded": lambda tf: _lengths(tf, [3, 1, 4, 0, 2]).padded_batch(2),
    "padded_shapes": lambda tf: _lengths(tf, [3, 1, 4]).padded_batch(2, padded_shapes=(5,), padding_values=-1),
    "padded_nested": lambda tf: (
        _lengths(tf, [2, 3, 1])
        .map(lambda x: (x, {"n": tf.size(x), "f": tf.cast(x, tf.float32)}))
        .padded_batch(2, padded_shapes=([None], {"n": [], "f": [4]}), padding_values=(-1, {"n": 0, "f": 0.5}))
    ),
    "unbatch": lambda tf: tf.data.Dataset.from_tensor_slices(np.arange(12).reshape(3, 4)).unbatch(),
    "unbatch_tuple": lambda tf: tf.data.Dataset.from_tensor_slices((_ints(7), _ints(7, 2))).batch(3).unbatch(),
    "rebatch": lambda tf: tf.data.Dataset.range(11).batch(4).rebatch(3),
    "rebatch_list": lambda tf: tf.data.Dataset.range(12).batch(5).rebatch([2, 3, 1]),
    "rebatch_drop": lambda tf: tf.data.Dataset.range(11).batch(4).rebatch(3, drop_remainder=True),
    "take_skip": lambda tf: tf.data.Dataset.range(10).skip(3).take(4),
    "take_all": lambda tf: tf.data.Dataset.range(3).take(-1),
    "repeat": lambda tf: tf.data.Dataset.range(3).repeat(3),
    "repeat_batch": lambda tf: tf.data.Dataset.range(5).repeat(2).batch(4),
    "repeat_take": lambda tf: tf.data.Dataset.range(3).repeat().take(8),
    "shard": lambda tf: tf.data.Dataset.range(10).shard(3, 1),
    "concatenate": lambda tf: tf.data.Dataset.range(3).concatenate(tf.data.Dataset.range(7, 9)),
    "enumerate": lambda tf: tf.data.Dataset.from_tensor_slices(["a", "b"]).enumerate(start=5),
    "zip_nested": lambda tf: tf.data.Dataset.zip(
        {"a": tf.data.Dataset.range(4), "b": (tf.data.Dataset.range(5), tf.data.Dataset.range(3))}
    ),
    "zip_star": lambda tf: tf.data.Dataset.zip(tf.data.Dataset.range(2), tf.data.Dataset.range(4)),
    "flat_map": lambda tf: tf.data.Dataset.range(1, 5).flat_map(lambda n: tf.data.Dataset.range(n)),
    "flat_map_slices": lambda tf: tf.data.Dataset.from_tensor_slices(np.arange(6).reshape(2, 3)).flat_map(
        lambda x: tf.data.Dataset.from_tensor_slices(x)
    ),
    "interleave": lambda tf: tf.data.Dataset.range(1, 6).interleave(
        lambda x: tf.data.Dataset.from_tensors(x).repeat(6), cycle_length=2, block_length=4
    ),
    "interleave_uneven": lambda tf: tf.data.Dataset.range(1, 8).interleave(
        lambda n: tf.data.Dataset.range(n).map(lambda k: 10 * n + k), cycle_length=3, block_length=2
    ),
    "interleave_block_1": lambda tf: tf.data.Dataset.range(1, 7).interleave(
        lambda n: tf.data.Dataset.range(n), cycle_length=4, block_length=1
    ),
    "interleave_parallel": lambda tf: tf.data.Dataset.range(1, 7).interleave(
        lambda n: tf.data.Dataset.range(n).map(lambda k: 10 * n + k), cycle_length=3, num_parallel_calls=2
    ),
    "window_flat": lambda tf: (
        tf.data.Dataset.range(10).window(4, shift=2, drop_remainder=True).flat_map(lambda w: w.batch(4))
    ),
    "window_rest": lambda tf: tf.data.Dataset.range(7).window(3).flat_map(lambda w: w.batch(3)),
    "window_stride": lambda tf: tf.data.Dataset.range(12).window(3, shift=1, stride=3).flat_map(lambda w: w.batch(3)),
    "window_stride_drop": lambda tf: (
        tf.data.Dataset.range(12).window(3, shift=2, stride=3, drop_remainder=True).flat_map(lambda w: w.batch(3))
    ),
    "window_shift_over": lambda tf: tf.data.Dataset.range(10).window(2, shift=4).flat_map(lambda w: w.batch(2)),
    "window_tuple": lambda tf: (
        tf.data.Dataset.from_tensor_slices((_ints(6), _ints(6, 3)))
        .window(2, shift=1, drop_remainder=True)
        .flat_map(lambda a, b: tf.data.Dataset.zip((a.batch(2), b.batch(2))))
    ),
    "group_by_window": lambda tf: tf.data.Dataset.range(14).group_by_window(
        lambda x: x % 3, lambda key, w: w.batch(4), window_size=4
    ),
    "group_by_window_func": lambda tf: tf.data.Dataset.range(14).group_by_window(
        lambda x: x % 2, lambda key, w: w.batch(8), window_size_func=lambda key: key + 2
    ),
    "buckets": lambda tf: _lengths(tf, [3, 1, 7, 4, 9, 2, 6, 5]).bucket_by_sequence_length(
        lambda x: tf.shape(x)[0], bucket_boundaries=[3, 6], bucket_batch_sizes=[2, 2, 2]
    ),
    "buckets_bound": lambda tf: _lengths(tf, [3, 1, 4, 2, 5]).bucket_by_sequence_length(
        lambda x: tf.shape(x)[0],
        bucket_boundaries=[3, 6],
        bucket_batch_sizes=[2, 2, 2],
        pad_to_bucket_boundary=True,
        padding_values=-1,
    ),
    "buckets_drop": lambda tf: _lengths(tf, [3, 1, 7, 4, 9, 2, 6]).bucket_by_sequence_length(
        lambda x: tf.shape(x)[0], bucket_boundaries=[3, 6], bucket_batch_sizes=[2, 2, 2], drop_remainder=True
    ),
    "scan": lambda tf: tf.data.Dataset.range(6).scan(np.int64(0), lambda s, x: (s + x, s * x)),
    "scan_nested": lambda tf: tf.data.Dataset.range(4).scan(
        (np.int64(1), np.float32(0)), lambda s, x: ((s[0] * 2, s[1] + 0.5), (s[0], s[1], x))
    ),
    "unique": lambda tf: tf.data.Dataset.from_tensor_slices([3, 1, 3, 2, 1, 5]).unique(),
    "choose": lambda tf: tf.data.Dataset.choose_from_datasets(
        [tf.data.Dataset.range(3), tf.data.Dataset.range(10, 20)],
        tf.data.Dataset.from_tensor_slices(np.array([1, 0, 0, 1, 0, 0, 1, 1], "int64")),
    ),
    "choose_on": lambda tf: tf.data.Dataset.choose_from_datasets(
        [tf.data.Dataset.range(2), tf.data.Dataset.range(10, 20)],
        tf.data.Dataset.from_tensor_slices(np.array([1, 0, 0, 1, 0, 0, 1, 1], "int64")),
        stop_on_empty_dataset=False,
    ),
    "sample_one_weight": lambda tf: tf.data.Dataset.sample_from_datasets(
        [tf.data.Dataset.range(3), tf.data.Dataset.range(10, 14)], weights=[0.0, 1.0], stop_on_empty_dataset=True
    ),
    "cache_repeat": lambda tf: tf.data.Dataset.range(4).map(lambda x: x + 1).cache().repeat(2),
    "prefetch": lambda tf: tf.data.Dataset.range(5).prefetch(2).map(lambda x: -x).prefetch(tf.data.AUTOTUNE),
    "generator_types": lambda tf: tf.data.Dataset.from_generator(
        lambda: ((i, [i] * i) for i in range(3)), output_types=(tf.int64, tf.float32), output_shapes=((), (None,))
    ),
    "generator_args": lambda tf: tf.data.Dataset.from_generator(
        lambda n: iter(range(n)), output_signature=tf.TensorSpec((), tf.int32), args=(4,)
    ),
    "generator_dict": lambda tf: tf.data.Dataset.from_generator(
        lambda: ({"a": i, "s": "t" * i} for i in range(3)),
        output_signature={"a": tf.TensorSpec((), tf.float32), "s": tf.TensorSpec((), tf.string)},
    ),
    "apply": lambda tf: tf.data.Dataset.range(6).apply(lambda d: d.filter(lambda x: x > 2)),
    "ignore_errors": lambda tf: (
        tf.data.Dataset.from_tensor_slices([1.0, 0.0, 4.0])
        .map(lambda x: tf.debugging.check_numerics(1.0 / x, "bad"))
        .ignore_errors()
    ),
    "ragged_batch": lambda tf: _lengths(tf, [2, 0, 3]).ragged_batch(2).map(lambda r: r.to_tensor(default_value=-1)),
}
"""Name to pipeline."""


def _autograph(x):
    if x > 3:
        return x * 100
    return x


def plain(value):
    """An element in a form that JSON takes, dtypes included."""
    if isinstance(value, dict):
        return {key: plain(item) for key, item in sorted(value.items())}
    if isinstance(value, (tuple, list)):
        return [plain(item) for item in value]
    if isinstance(value, bytes):
        return value.decode()
    array = np.asarray(value)
    if array.dtype.kind == "O":
        return [item.decode() for item in array.reshape(-1)]
    return [str(array.dtype), list(array.shape), array.reshape(-1).tolist()]


def facts(tf, name):
    """Elements, length and specs of a pipeline."""
    dataset = PIPELINES[name](tf)
    spec = tf.nest.map_structure(
        lambda s: [list(s.shape) if s.shape.rank is not None else None, s.dtype.name], dataset.element_spec
    )
    return {
        "elements": [plain(element) for element in dataset.as_numpy_iterator()],
        "size": int(dataset.cardinality()),
        "spec": plain_spec(spec),
    }


def plain_spec(spec):
    """Specs in a form that JSON takes."""
    if isinstance(spec, dict):
        return {key: plain_spec(item) for key, item in sorted(spec.items())}
    return [plain_spec(item) for item in spec] if isinstance(spec, (tuple, list)) else spec
