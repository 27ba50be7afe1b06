"""Whole pipelines as courses write them: the steps of data sets in less common order.

Each is a function of the ``tf`` module and a folder for files.
"""

from __future__ import annotations

import numpy as np

from tests.data.courses import courses_of, wave


def autograph_loop(tf, folder):
    def collatz(n):
        steps = tf.constant(0)
        while n > 1:
            n = tf.where(n % 2 == 0, n // 2, 3 * n + 1)
            steps += 1
        return steps

    return tf.data.Dataset.range(1, 8).map(collatz)


def variable_in_map(tf, folder):
    mean = tf.Variable([1.0, 2.0])
    data = tf.data.Dataset.from_tensor_slices(np.arange(8.0, dtype="float32").reshape(4, 2))
    return data.map(lambda x: x - mean).batch(3)


def sparse_elements(tf, folder):
    sparse = tf.sparse.from_dense(np.eye(4, 3) * np.arange(1, 5)[:, None])
    data = tf.data.Dataset.from_tensor_slices(sparse)
    return data.map(lambda s: tf.sparse.to_dense(s)).batch(3)


def reduce_inside(tf, folder):
    data = tf.data.Dataset.range(12).window(5)
    return data.map(lambda w: w.reduce(np.int64(0), lambda a, b: a + b))


def options_chain(tf, folder):
    options = tf.data.Options()
    options.experimental_deterministic = True
    options.threading.private_threadpool_size = 2
    options.autotune.enabled = False
    data = (
        tf.data.Dataset.range(7).with_options(options).map(lambda x: x + 1, num_parallel_calls=3, deterministic=False)
    )
    return data.batch(3, num_parallel_calls=2, deterministic=True).prefetch(0)


def tensor_array_bits(tf, folder):
    def bits(n):
        return tf.math.floormod(tf.bitwise.right_shift(n, tf.range(4, dtype=tf.int64)), 2)

    return (
        tf.data.Dataset.range(5)
        .map(bits)
        .map(lambda b: (b, tf.reverse(b, [0]), tf.cumsum(b), tf.boolean_mask(b, b > 0)))
    )


def random_fixed_shapes(tf, folder):
    data = tf.data.Dataset.random(seed=3).take(4).map(lambda x: tf.cast(x > 0, tf.int32))
    return tf.data.Dataset.zip((data, tf.data.Dataset.range(4))).batch(2)


def interleave_generators(tf, folder):
    def make(start):
        return tf.data.Dataset.range(start, start + 4).map(lambda x: (x, tf.strings.as_string(x)))

    starts = tf.data.Dataset.from_tensor_slices(np.array([0, 10, 20]))
    return starts.interleave(make, cycle_length=3, block_length=2).batch(5)


def cond_case(tf, folder):
    def pick(x):
        return tf.case(
            [(x < 2, lambda: x * 10), (tf.equal(x % 2, 0), lambda: -x)], default=lambda: x + tf.constant(100, tf.int64)
        )

    return (
        tf.data.Dataset.range(6)
        .map(pick)
        .map(lambda x: tf.switch_case(tf.cast(x % 2, tf.int32), [lambda: x, lambda: x * 0]))
    )


def map_fn_inside(tf, folder):
    data = tf.data.Dataset.from_tensor_slices(np.arange(12.0, dtype="float32").reshape(2, 3, 2))
    return data.map(lambda m: tf.map_fn(lambda row: tf.reduce_sum(row) * row, m))


def while_loop_inside(tf, folder):
    def powers(x):
        _, total = tf.while_loop(lambda i, t: i < 4, lambda i, t: (i + 1, t + x**i), [tf.constant(0, tf.int64), x * 0])
        return total

    return tf.data.Dataset.range(5).map(powers)


def autograph_for(tf, folder):
    def count(x):
        total = tf.constant(0, tf.int64)
        for i in tf.range(x):
            if i % 2 == 0:
                total += i
            else:
                total -= 1
        return total

    return tf.data.Dataset.range(6).map(count)


def cardinality_asserted(tf, folder):
    data = tf.data.Dataset.from_generator(lambda: iter(range(5)), output_signature=tf.TensorSpec((), tf.int32))
    return data.apply(tf.data.experimental.assert_cardinality(5)).batch(2)


def enumerate_filter(tf, folder):
    data = tf.data.Dataset.from_tensor_slices(list("abcdefghij")).enumerate()
    train = data.filter(lambda i, x: i % 4 != 0).map(lambda i, x: x)
    test = data.filter(lambda i, x: i % 4 == 0).map(lambda i, x: x)
    return test.concatenate(train).batch(4)


def padded_scalar_value(tf, folder):
    data = tf.data.Dataset.range(1, 5).map(lambda n: (tf.fill([n], n), tf.range(n)))
    return data.padded_batch(4, padding_values=tf.constant(9, tf.int64))


def dense_to_ragged(tf, folder):
    data = tf.data.Dataset.range(1, 6).map(lambda n: tf.range(n))
    return data.apply(tf.data.experimental.dense_to_ragged_batch(2)).map(
        lambda r: (r.to_tensor(), tf.reduce_max(r, axis=1))
    )


def group_reducer(tf, folder):
    reducer = tf.data.experimental.Reducer(
        init_func=lambda _: (np.int64(0), np.int64(0)),
        reduce_func=lambda state, x: (state[0] + x, state[1] + 1),
        finalize_func=lambda total, count: total / count,
    )
    return tf.data.Dataset.range(9).apply(tf.data.experimental.group_by_reducer(lambda x: x % 3, reducer))


def integer_division(tf, folder):
    data = tf.data.Dataset.range(-4, 4)
    return data.map(
        lambda x: (
            x // 3,
            x % 3,
            tf.divide(x, 3),
            tf.math.floordiv(x, tf.constant(-3, tf.int64)),
            tf.cast(x, tf.int32) ** 2,
            -x,
            abs(x),
        )
    )


def tensor_methods(tf, folder):
    data = tf.data.Dataset.from_tensor_slices(np.arange(24.0).reshape(2, 3, 4))

    def pick(x):
        x = tf.cast(x, tf.float32)
        return x[..., 1], x[::-1, 2:], x[tf.newaxis], x[1, -1], tf.gather(x, [2, 0]), x[x > 5.0], tf.shape(x)[0]

    return data.map(pick)


def cache_shuffle_sorted(tf, folder):
    data = tf.data.Dataset.range(20).cache().shuffle(5, seed=1).batch(20)
    return data.map(lambda x: tf.sort(x))


def repeat_forever(tf, folder):
    data = tf.data.Dataset.from_tensor_slices(([1, 2, 3], ["a", "b", "c"])).repeat().batch(2)
    return data.take(4).map(lambda x, s: (x, tf.strings.join([s, tf.strings.as_string(x)])))


def flat_map_zip(tf, folder):
    a = tf.data.Dataset.from_tensor_slices(np.arange(6).reshape(2, 3))
    b = tf.data.Dataset.from_tensors(tf.constant([1.5, 2.5])).repeat(2)
    return tf.data.Dataset.zip((a, b)).flat_map(
        lambda x, y: tf.data.Dataset.zip(
            (tf.data.Dataset.from_tensor_slices(x), tf.data.Dataset.from_tensors(y).repeat())
        )
    )


def cross_product(tf, folder):
    a, b = tf.data.Dataset.range(3), tf.data.Dataset.from_tensor_slices(["u", "v"])
    return a.flat_map(lambda x: b.map(lambda s: (x, s))).batch(4)


def strided_time(tf, folder):
    data = tf.data.Dataset.range(20).batch(5).map(lambda x: x[::2]).unbatch().skip(1).shard(2, 0)
    return data.batch(2).map(lambda x: tf.cast(x, tf.float32) * 0.5).rebatch(3)


def py_function_dict(tf, folder):
    def load(path, size):
        return np.full((3,), len(path.numpy()), "float32"), int(size) * 2

    def wrapped(path, size):
        x, n = tf.py_function(load, inp=[path, size], Tout=(tf.float32, tf.int32))
        x.set_shape((3,))
        n.set_shape(())
        return {"x": x, "n": n}

    return tf.data.Dataset.from_tensor_slices((["a", "bbb"], [1, 2])).map(wrapped).batch(2)


def scan_average(tf, folder):
    data = tf.data.Dataset.from_tensor_slices(wave(8))
    return data.scan(tf.constant(0.0), lambda s, x: (0.9 * s + 0.1 * x, 0.9 * s + 0.1 * x)).batch(8)


def rejection_all(tf, folder):
    data = tf.data.Dataset.range(6)
    return data.rejection_resample(lambda x: tf.cast(x % 2, tf.int32), [0.5, 0.5], [0.5, 0.5], seed=1).map(
        lambda c, x: (c, x)
    )


def set_operations(tf, folder):
    data = tf.data.Dataset.from_tensor_slices(np.array([[3, 1, 3], [2, 2, 5]]))

    def facts(x):
        values, places = tf.unique(x)
        top, at = tf.math.top_k(x, 2)
        return values, places, top, at, tf.argsort(x), tf.math.bincount(tf.cast(x, tf.int32), minlength=6), tf.argmax(x)

    return data.map(facts)


COURSES = courses_of(globals())
"""Name to pipeline."""
