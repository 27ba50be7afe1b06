"""Random numbers: seeds, moments, dtypes, generators."""

from __future__ import annotations

import numpy as np
import pytest

import hornbeam as tf
from hornbeam import keras


def draws():
    return [
        tf.random.normal((3,)).numpy(),
        tf.random.normal((3,), seed=1).numpy(),
        tf.random.normal((3,), seed=1).numpy(),
        tf.random.uniform((3,), seed=1).numpy(),
        keras.layers.Dense(2)(np.ones((1, 2), "float32")).numpy(),
    ]


def test_the_global_seed_decides_all_draws_and_leaves_numpy_alone():
    tf.random.set_seed(3)  # imports JAX, which draws from NumPy's generator on the way
    np.random.seed(5)
    first = draws()
    assert np.random.rand() == np.random.RandomState(5).rand()
    tf.random.set_seed(3)
    for a, b in zip(first, draws(), strict=True):
        np.testing.assert_array_equal(a, b)
    tf.random.set_seed(4)
    assert all(not np.array_equal(a, b) for a, b in zip(first, draws(), strict=True))
    assert not np.array_equal(first[1], first[2])


def test_keras_seed_takes_over_again():
    tf.random.set_seed(1)
    values = []
    for _ in range(2):
        keras.utils.set_random_seed(7)
        values.append(keras.initializers.GlorotUniform()((2, 2)).numpy())
    np.testing.assert_array_equal(*values)


def test_draws_inside_a_function_move_on():
    draw = tf.function(lambda: (tf.random.normal((2,)), tf.random.normal((2,), seed=4)))
    (a, b), (c, d) = draw(), draw()
    assert not np.array_equal(a, c)
    assert not np.array_equal(b, d)


@pytest.mark.parametrize(
    ("name", "kwargs", "mean", "std"),
    [
        ("normal", {"mean": 2.0, "stddev": 3.0}, 2.0, 3.0),
        ("truncated_normal", {}, 0.0, 0.8796),
        ("uniform", {"minval": -1.0, "maxval": 3.0}, 1.0, 4 / 12**0.5),
    ],
)
def test_moments(name, kwargs, mean, std):
    for values in (
        getattr(tf.random, name)((200, 200), seed=1, **kwargs),
        getattr(tf.random, f"stateless_{name}")((200, 200), seed=[1, 2], **kwargs),
        getattr(tf.random.Generator.from_seed(1), name)((200, 200), **kwargs),
    ):
        assert values.dtype == tf.float32
        assert abs(float(tf.reduce_mean(values)) - mean) < 0.06
        assert abs(float(tf.math.reduce_std(values)) - std) < 0.06


def test_integers():
    x = tf.random.uniform((1000,), minval=-2, maxval=3, dtype=tf.int32, seed=1)
    assert x.dtype == tf.int32
    assert set(x.numpy().tolist()) == {-2, -1, 0, 1, 2}
    assert tf.random.uniform((2,), maxval=2**40, dtype=tf.int64).dtype == tf.int64
    assert tf.random.uniform((2,), maxval=tf.constant(5), dtype=tf.int32).numpy().max() < 5
    full = tf.random.stateless_uniform((1000,), [1, 2], None, None, tf.int32).numpy()
    assert full.min() < -(2**29) and full.max() > 2**29
    with pytest.raises(ValueError, match="maxval"):
        tf.random.uniform((2,), dtype=tf.int32)


def test_stateless_draws_are_functions_of_the_seed():
    for name in ("normal", "uniform", "truncated_normal"):
        function = getattr(tf.random, f"stateless_{name}")
        np.testing.assert_array_equal(function((4,), [1, 2]), function((4,), tf.constant([1, 2])))
        assert not np.array_equal(function((4,), [1, 2]), function((4,), [1, 3]))
        assert not np.array_equal(function((4,), [2**40 + 1, 2]), function((4,), [1, 2]))
    seeds = tf.random.split([1, 2], 3)
    assert (seeds.shape, seeds.dtype) == ((3, 2), tf.int32)
    assert len({tuple(row) for row in seeds.numpy().tolist()}) == 3
    assert tf.random.fold_in([1, 2], 5).shape == (2,)
    with pytest.raises(ValueError, match="seed"):
        tf.random.stateless_normal((2,), 1)


def test_categorical_shuffle_and_discrete_distributions():
    classes = tf.random.categorical(tf.math.log([[0.2, 0.8]]), 5000, seed=1)
    assert (classes.dtype, classes.shape) == (tf.int64, (1, 5000))
    assert abs(classes.numpy().mean() - 0.8) < 0.03
    assert sorted(tf.random.shuffle(tf.range(9), seed=1).numpy()) == list(range(9))
    rows = tf.random.shuffle(tf.reshape(tf.range(6), (3, 2)), seed=2).numpy()
    assert sorted(map(tuple, rows.tolist())) == [(0, 1), (2, 3), (4, 5)]
    assert abs(tf.random.poisson((5000,), 4.0, seed=1).numpy().mean() - 4.0) < 0.2
    gamma = tf.random.gamma((4000,), [2.0, 3.0], beta=2.0, seed=1)
    np.testing.assert_allclose(gamma.numpy().mean(0), [1.0, 1.5], atol=0.1)
    counts = tf.random.stateless_binomial((4000,), [1, 2], 10.0, 0.3)
    assert counts.dtype == tf.int32
    assert abs(counts.numpy().mean() - 3.0) < 0.15


def test_generators():
    one, two = tf.random.Generator.from_seed(1), tf.random.Generator.from_seed(1)
    np.testing.assert_array_equal(one.normal((3,)), two.normal((3,)))
    assert not np.array_equal(one.normal((3,)), two.uniform((3,)))
    again = tf.random.Generator(copy_from=one)
    np.testing.assert_array_equal(again.normal((3,)), one.normal((3,)))
    one.reset_from_seed(1)
    two.reset_from_seed(1)
    two.skip(1)
    assert not np.array_equal(one.normal((2,)), two.normal((2,)))
    parts = one.split(2)
    assert not np.array_equal(parts[0].normal((3,)), parts[1].normal((3,)))
    assert one.make_seeds(3).shape == (2, 3)
    assert one.uniform_full_int((2,)).dtype == tf.uint64
    tf.random.set_global_generator(tf.random.Generator.from_seed(5))
    first = tf.random.get_global_generator().normal((2,)).numpy()
    np.testing.assert_array_equal(first, tf.random.Generator.from_seed(5).normal((2,)))
    assert tf.random.Generator.from_non_deterministic_state().normal((2,)).shape == (2,)
    with pytest.raises(ValueError, match="state"):
        tf.random.Generator()
    with pytest.raises(ValueError, match="algorithm"):
        tf.random.Generator.from_seed(1, alg="dice")


def test_a_generator_moves_on_inside_functions():
    generator = tf.random.Generator.from_seed(1)
    draw = tf.function(lambda: generator.normal((2,)))
    eager = tf.random.Generator.from_seed(1)
    for _ in range(2):
        np.testing.assert_array_equal(draw(), eager.normal((2,)))


def test_dropout():
    x = tf.ones((100, 100))
    out = tf.nn.dropout(x, 0.25, seed=1).numpy()
    assert set(np.unique(out)) == {np.float32(0), np.float32(1 / 0.75)}
    assert abs((out == 0).mean() - 0.25) < 0.02
    columns = tf.nn.dropout(x, 0.5, noise_shape=[1, 100], seed=1).numpy()
    assert (columns == columns[0]).all()
    with pytest.raises(ValueError, match="rate"):
        tf.nn.dropout(x, 1.5)
