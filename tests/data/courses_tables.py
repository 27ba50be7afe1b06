"""Whole pipelines as courses write them: rows of tables, series, generators and labels.

Each is a function of the ``tf`` module and a folder for files.
"""

from __future__ import annotations

import collections
import functools

import numpy as np

from tests.data.courses import courses_of, wave


def table_dict(tf, folder):
    frame = {"age": np.arange(6), "fare": np.linspace(0, 1, 6), "sex": np.array(list("mfmffm"))}
    data = tf.data.Dataset.from_tensor_slices((frame, np.arange(6) % 2)).batch(4)
    lookup = tf.keras.layers.StringLookup(vocabulary=["m", "f"], output_mode="one_hot")

    def encode(row, y):
        numbers = tf.stack([tf.cast(row["age"], tf.float32), tf.cast(row["fare"], tf.float32)], axis=1)
        return tf.concat([numbers, tf.cast(lookup(row["sex"]), tf.float32)], axis=1), y

    return data.map(encode)


def table_layers(tf, folder):
    normal = tf.keras.layers.Normalization(axis=None)
    normal.adapt(np.arange(10.0))
    bins = tf.keras.layers.Discretization(bin_boundaries=[2.0, 5.0], output_mode="one_hot")
    cross = tf.keras.layers.HashedCrossing(num_bins=7)
    hashed = tf.keras.layers.Hashing(num_bins=5)
    codes = tf.keras.layers.CategoryEncoding(num_tokens=4, output_mode="multi_hot")
    data = tf.data.Dataset.from_tensor_slices((np.arange(8.0, dtype="float32"), np.array(list("abcdabcd"))))
    return data.batch(4).map(
        lambda x, s: (
            normal(x),
            bins(x),
            hashed(s),
            cross((s, tf.cast(x, tf.int64))),
            codes(tf.cast(x, tf.int64)[:, None] % 4),
        )
    )


def table_pack(tf, folder):
    def pack(features, label):
        return tf.stack([tf.cast(v, tf.float32) for v in features.values()], axis=-1), label

    data = tf.data.Dataset.from_tensor_slices(({"b": np.arange(5), "a": np.ones(5)}, np.arange(5)))
    return data.batch(2).map(pack)


def generator_signature(tf, folder):
    def rows():
        rng = np.random.default_rng(0)
        for i in range(6):
            yield {"x": rng.random((3, 2)).astype("float32"), "id": f"row {i}"}, i % 2

    signature = (
        {"x": tf.TensorSpec((3, 2), tf.float32), "id": tf.TensorSpec((), tf.string)},
        tf.TensorSpec((), tf.int32),
    )
    data = tf.data.Dataset.from_generator(rows, output_signature=signature)
    return data.map(lambda row, y: (tf.reduce_sum(row["x"], axis=0), row["id"], y)).batch(4)


def generator_ragged(tf, folder):
    def rows():
        for i in range(5):
            yield tf.ragged.constant([[i] * k for k in range(i % 3 + 1)], dtype=tf.int32, ragged_rank=1)

    signature = tf.RaggedTensorSpec(shape=(None, None), dtype=tf.int32)
    data = tf.data.Dataset.from_generator(rows, output_signature=signature)
    return data.map(lambda r: (r.row_lengths(), tf.reduce_sum(r, axis=1), r.to_tensor(default_value=-7)))


def generator_args(tf, folder):
    def rows(stop, scale):
        for i in range(int(stop)):
            yield i * scale, [i, i + 1]

    data = tf.data.Dataset.from_generator(
        rows,
        args=(5, 2.5),
        output_types=(tf.float32, tf.int64),
        output_shapes=(tf.TensorShape([]), tf.TensorShape([2])),
    )
    return data.repeat(2).batch(3).map(lambda a, b: (a, tf.reduce_sum(b, 1)))


def nested_dicts(tf, folder):
    data = tf.data.Dataset.from_tensor_slices(
        {"in": {"a": np.arange(6), "b": (np.arange(6.0), np.arange(12).reshape(6, 2))}, "out": list("uvwxyz")}
    )
    return (
        data.map(lambda d: {**d, "sum": d["in"]["b"][1][0] + d["in"]["a"]}).filter(lambda d: d["sum"] % 2 == 1).batch(2)
    )


def zipped_models(tf, folder):
    x1, x2, y = np.arange(6.0), np.arange(12.0).reshape(6, 2), np.arange(6)
    inputs = tf.data.Dataset.from_tensor_slices({"left": x1, "right": x2})
    targets = tf.data.Dataset.from_tensor_slices({"main": y, "aux": -y})
    weights = tf.data.Dataset.from_tensors(tf.constant(0.5)).repeat()
    return tf.data.Dataset.zip((inputs, targets, weights)).batch(4)


def sliding_pairs(tf, folder):
    data = tf.data.Dataset.range(10)
    return tf.data.Dataset.zip((data, data.skip(1), data.skip(2))).map(lambda a, b, c: tf.stack([a, b, c])).batch(3)


def label_filter(tf, folder):
    data = tf.data.Dataset.from_tensor_slices((np.arange(20.0).reshape(10, 2), np.arange(10) % 4))
    data = data.filter(lambda x, y: tf.reduce_any(tf.equal(y, tf.constant([1, 3], tf.int64))))
    return data.map(lambda x, y: (x, tf.cast(y // 2, tf.float32))).batch(3)


def balanced(tf, folder):
    data = tf.data.Dataset.from_tensor_slices((np.arange(12), np.arange(12) % 3))
    parts = [data.filter(lambda x, y, k=k: y == k) for k in range(3)]
    choice = tf.data.Dataset.range(3).repeat(4)
    return tf.data.Dataset.choose_from_datasets(parts, choice).batch(5)


def split_take_skip(tf, folder):
    data = tf.data.Dataset.range(20)
    test, train = data.take(5), data.skip(5)
    valid = train.shard(3, 0)
    return tf.data.Dataset.zip((test, valid, train)).batch(2, drop_remainder=True)


def running_totals(tf, folder):
    data = tf.data.Dataset.from_tensor_slices(wave(9)).scan(
        (0.0, 0), lambda state, x: ((state[0] + x, state[1] + 1), (state[0] + x) / tf.cast(state[1] + 1, tf.float32))
    )
    return data.window(4).flat_map(lambda w: w.batch(4))


def python_inside(tf, folder):
    def scale(x, y):
        return (x.numpy() * 10).astype("float32") if hasattr(x, "numpy") else x * 10, y

    def wrapped(x, y):
        x, y = tf.py_function(scale, [x, y], [tf.float32, tf.int64])
        x.set_shape([3])
        y.set_shape([])
        return x, y

    data = tf.data.Dataset.from_tensor_slices((np.arange(12.0).reshape(4, 3), np.arange(4)))
    return data.map(wrapped).batch(3)


def numpy_inside(tf, folder):
    def order(x):
        return np.sort(x)[::-1].copy(), np.int64(len(x))

    data = tf.data.Dataset.from_tensor_slices(np.array([[3, 1, 2], [9, 8, 7], [4, 6, 5]]))

    def wrapped(x):
        found, count = tf.numpy_function(order, [x], [tf.int64, tf.int64])
        return tf.ensure_shape(found, [3]), tf.reshape(count, [])

    return data.map(wrapped).batch(2)


def one_hot_mixup(tf, folder):
    x, y = np.arange(12.0, dtype="float32").reshape(6, 2), np.arange(6) % 3
    one = tf.data.Dataset.from_tensor_slices((x, tf.one_hot(y, 3))).batch(3)
    two = tf.data.Dataset.from_tensor_slices((x[::-1].copy(), tf.one_hot(y[::-1].copy(), 3))).batch(3)

    def mix(a, b):
        (xa, ya), (xb, yb) = a, b
        share = tf.reshape(tf.constant([0.25, 0.5, 0.75]), [-1, 1])
        return share * xa + (1 - share) * xb, share * ya + (1 - share) * yb

    return tf.data.Dataset.zip((one, two)).map(mix)


def masked_language(tf, folder):
    ids = np.arange(1, 19).reshape(3, 6)

    def mask(x):
        hidden = tf.equal(x % 3, 0)
        inputs = tf.where(hidden, tf.fill(tf.shape(x), tf.constant(99, tf.int64)), x)
        return inputs, x, tf.cast(hidden, tf.float32)

    return tf.data.Dataset.from_tensor_slices(ids).batch(2).map(mask).unbatch().batch(3)


def timeseries_utility(tf, folder):
    series = wave(30)
    return tf.keras.utils.timeseries_dataset_from_array(
        series[:-5, None],
        series[5:],
        sequence_length=5,
        sequence_stride=2,
        sampling_rate=2,
        batch_size=4,
        start_index=1,
    )


def timeseries_targets_none(tf, folder):
    data = tf.keras.utils.timeseries_dataset_from_array(np.arange(12), None, sequence_length=4, batch_size=3)
    return data.map(lambda batch: (batch[:, :-1], batch[:, -1:]))


def time_split_window(tf, folder):
    data = np.stack([wave(20), np.arange(20, dtype="float32")], axis=1)
    found = tf.keras.utils.timeseries_dataset_from_array(data, None, sequence_length=6, batch_size=5)

    def split(features):
        inputs = features[:, slice(0, 4), :]
        labels = tf.stack([features[:, 4:, 1]], axis=-1)
        inputs.set_shape([None, 4, None])
        labels.set_shape([None, 2, None])
        return inputs, labels

    return found.map(split)


def date_features(tf, folder):
    data = tf.data.Dataset.from_tensor_slices(np.arange(0, 86400, 21600, dtype="int32"))

    def wave(second):
        angle = tf.cast(second, tf.float32) * (2 * np.pi / 86400)
        return tf.stack([tf.sin(angle), tf.cos(angle)]), second % 7

    return data.map(wave).batch(4)


def normalise_per_feature(tf, folder):
    data = tf.data.Dataset.from_tensor_slices(np.arange(20.0, dtype="float32").reshape(10, 2))
    total = data.reduce(tf.zeros(2), lambda a, x: a + x)
    mean = total / tf.cast(data.cardinality(), tf.float32)
    return data.map(lambda x: x - mean).batch(5)


def class_weights(tf, folder):
    weights = tf.constant([0.5, 2.0, 1.0])
    data = tf.data.Dataset.from_tensor_slices((np.arange(6.0), np.arange(6) % 3)).batch(4)
    return data.map(lambda x, y: (x, y, tf.gather(weights, y)))


def named_tuples(tf, folder):
    pair = collections.namedtuple("pair", "x y")
    data = tf.data.Dataset.from_tensor_slices(pair(np.arange(4.0), np.arange(4)))
    return data.map(lambda p: {"x": p.x, "double": 2 * p.y}).batch(3)


def function_wrapped(tf, folder):
    @tf.function
    def scale(x, y):
        return tf.cast(x, tf.float32) / 255.0, tf.one_hot(y, 3)

    return tf.data.Dataset.from_tensor_slices((np.arange(6, dtype="uint8").reshape(3, 2), [0, 2, 1])).map(scale)


def partial_and_method(tf, folder):
    class Shift:
        def __init__(self, by):
            self.by = by

        def __call__(self, x):
            return x + self.by

        def twice(self, x, power=2):
            return x**power

    shift = Shift(3)
    data = tf.data.Dataset.range(4).map(shift).map(shift.twice)
    return data.map(functools.partial(lambda x, factor: x * factor, factor=10))


def nested_windows(tf, folder):
    data = tf.data.Dataset.range(12).window(6, drop_remainder=True)
    return data.flat_map(lambda w: w.window(3, shift=1, drop_remainder=True).flat_map(lambda v: v.batch(3)))


def forecast_horizon(tf, folder):
    n_past, n_future = 4, 2
    data = tf.data.Dataset.from_tensor_slices(np.stack([wave(16), -wave(16)], 1))
    data = data.window(size=n_past + n_future, shift=1, drop_remainder=True)
    data = data.flat_map(lambda w: w.batch(n_past + n_future))
    return data.map(lambda w: (w[:n_past], w[n_past:, :1])).batch(4).prefetch(1)


def predict_windows(tf, folder):
    data = tf.data.Dataset.from_tensor_slices(wave(9)).window(5, shift=1, drop_remainder=True)
    return data.flat_map(lambda w: w.batch(5)).map(lambda w: tf.expand_dims(w, -1)).batch(2)


def mixed_types(tf, folder):
    data = tf.data.Dataset.from_tensor_slices(
        {
            "u8": np.arange(3, dtype="uint8"),
            "f16": np.arange(3, dtype="float16"),
            "f64": np.arange(3.0),
            "b": [True, False, True],
            "c": np.arange(3) + 1j,
            "i16": np.arange(3, dtype="int16"),
        }
    )
    return data.map(lambda d: {**d, "u8": d["u8"] + 250, "f16": d["f16"] / 3, "c": tf.math.abs(d["c"])}).batch(2)


def stack_of_dicts(tf, folder):
    features = {"a": np.arange(4.0), "b": np.arange(4.0) * 2, "c": np.array(list("xyxz"))}
    data = tf.data.Dataset.from_tensor_slices((features, np.arange(4))).batch(2)

    def split(row, y):
        row = dict(row)
        row.pop("c")
        return tf.stack(list(row.values()), axis=1), y

    return data.map(split)


def sample_weights(tf, folder):
    x, y = np.arange(6.0).reshape(3, 2), np.array([[0.0], [1.0], [1.0]])
    data = tf.data.Dataset.from_tensor_slices((x, y))
    return data.map(lambda a, b: (a, b, tf.where(b[0] > 0.5, 2.0, 0.5))).batch(2)


def multi_output(tf, folder):
    labels = {"digit": np.arange(4) % 3, "odd": (np.arange(4) % 2).astype("float32")}
    data = tf.data.Dataset.from_tensor_slices((np.arange(8.0).reshape(4, 2), labels))
    return data.map(lambda x, y: (x, {"digit": tf.one_hot(y["digit"], 3), "odd": y["odd"]})).batch(3)


def segments_and_positions(tf, folder):
    data = tf.data.Dataset.from_tensor_slices(np.array([[5, 6, 0, 7], [8, 0, 9, 0]]))

    def pack(ids):
        first = tf.cumsum(tf.cast(tf.equal(ids, 0), tf.int32), exclusive=True)
        return ids, first, tf.range(tf.shape(ids)[0]) * tf.cast(ids != 0, tf.int32), tf.sequence_mask(2, 4)

    return data.map(pack).batch(2)


COURSES = courses_of(globals())
"""Name to pipeline."""
