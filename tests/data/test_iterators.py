"""Iterators: positions, threads that end, what comes out."""

import gc
import json
import threading
import time

import numpy as np
import pytest

import hornbeam as tf
from hornbeam import data, errors
from tests.data.pipelines import plain

Dataset = data.Dataset


def _words():
    return Dataset.from_tensor_slices([str(number) for number in range(23)])


RESUMED = {
    "indexed": lambda: Dataset.range(23).map(lambda v: v * 3).shuffle(5, seed=1).batch(4),
    "unseeded": lambda: Dataset.range(23).shuffle(9).repeat(2).batch(4),
    "random": lambda: Dataset.range(23).map(lambda v: tf.random.normal(())).batch(3),
    "random_python": lambda: _words().map(lambda text: tf.random.normal(()) + len(text.numpy())).batch(3),
    "filter": lambda: Dataset.range(40).filter(lambda v: v % 3 > 0).shuffle(7).batch(4),
    "threads": lambda: _words().map(lambda text: int(text.numpy()), num_parallel_calls=3).shuffle(6).prefetch(2),
    "interleave": lambda: Dataset.range(1, 6).interleave(lambda n: Dataset.range(n).shuffle(3), cycle_length=2),
    "window": lambda: Dataset.range(20).window(4, shift=2).flat_map(lambda w: w.batch(4)),
    "zip": lambda: Dataset.zip((Dataset.range(15).shuffle(4), _words())).enumerate(),
    "cache": lambda: Dataset.range(9).map(lambda v: v + 1).cache().shuffle(9).repeat(3),
    "buffer": lambda: _words().filter(lambda text: len(text.numpy()) > 0).shuffle(5).batch(4).unbatch(),
    "sample": lambda: Dataset.sample_from_datasets([Dataset.range(9), Dataset.range(20, 30)]).batch(3),
    "resampled": lambda: Dataset.range(90).rejection_resample(
        lambda v: tf.cast(v % 5 == 0, tf.int32), [0.5, 0.5], [0.8, 0.2], seed=3
    ),
    "random_source": lambda: Dataset.random().take(9),
}


@pytest.mark.parametrize("name", RESUMED)
def test_a_pass_goes_on_where_it_was_from_any_position(name):
    iterator = RESUMED[name]().as_numpy_iterator()
    states, elements = [iterator.get_state()], []
    for element in iterator:
        elements.append(plain(element))
        states.append(iterator.get_state())
    assert elements
    for position in range(0, len(elements) + 1, 1 + len(elements) // 4):
        again = RESUMED[name]().as_numpy_iterator()
        again.set_state(json.loads(json.dumps(states[position])))
        assert [plain(element) for element in again] == elements[position:]


def test_a_state_leads_on_in_the_same_iterator_too():
    iterator = iter(Dataset.range(10).shuffle(10))
    next(iterator)
    state = iterator.get_state()
    rest = [int(value) for value in iterator]
    iterator.set_state(state)
    assert [int(value) for value in iterator] == rest
    with pytest.raises(ValueError, match="get_state"):
        iterator.set_state({"position": 3})


def test_skipping_does_not_call_the_function():
    calls = []

    def load(text):
        calls.append(text.numpy())
        return int(text.numpy())

    iterator = iter(_words().map(load).batch(2))
    iterator.set_state({"entropy": 0, "passes": {}, "position": 8})
    assert next(iterator).numpy().tolist() == [16, 17]
    assert len(calls) == 2


def test_elements_are_tensors_and_numpy_values():
    element = next(
        iter(Dataset.from_tensor_slices({"a": np.arange(3), "b": ["x", "y", "z"], "c": np.ones((3, 2), "f")}))
    )
    assert isinstance(element["a"], tf.Tensor)
    assert (element["a"].dtype, element["b"].dtype, element["c"].dtype) == (tf.int64, tf.string, tf.float32)
    element = next(Dataset.from_tensor_slices({"a": np.arange(3), "b": ["x", "y", "z"]}).as_numpy_iterator())
    assert type(element["a"]) is np.int64
    assert element["b"] == b"x"


def test_get_next_and_optionals():
    iterator = Dataset.range(1).make_one_shot_iterator()
    assert int(iterator.get_next()) == 0
    with pytest.raises(errors.OutOfRangeError):
        iterator.get_next()
    assert not iterator.get_next_as_optional().has_value()
    assert int(iter(Dataset.range(1)).get_next_as_optional().get_value()) == 0
    assert int(Dataset.range(3).skip(2).get_single_element()) == 2
    with pytest.raises(errors.InvalidArgumentError, match="more than one"):
        Dataset.range(3).get_single_element()


def _own_threads():
    return [thread for thread in threading.enumerate() if thread.name.startswith("hornbeam-")]


def test_threads_end_with_the_iterator():
    before = len(_own_threads())
    iterator = iter(Dataset.range(1000).map(lambda v: int(v.numpy()), num_parallel_calls=2).prefetch(4))
    next(iterator)
    assert len(_own_threads()) > before
    del iterator
    gc.collect()
    for _ in range(100):
        if len(_own_threads()) == before:
            break
        time.sleep(0.02)
    assert len(_own_threads()) == before


def test_prefetch_makes_elements_ahead_and_passes_errors_on():
    made = []

    def generate():
        for number in range(10):
            made.append(number)
            yield number
        raise LookupError("the tenth is missing")

    iterator = iter(Dataset.from_generator(generate, output_signature=tf.TensorSpec((), tf.int64)).prefetch(4))
    assert int(next(iterator)) == 0
    for _ in range(100):
        if len(made) >= 5:
            break
        time.sleep(0.02)
    assert 5 <= len(made) <= 7
    with pytest.raises(LookupError, match="tenth"):
        list(iterator)


def test_without_prefetch_a_generator_is_asked_for_no_more_than_is_used():
    made = []

    def generate():
        for number in range(10):
            made.append(number)
            yield number

    iterator = iter(
        Dataset.from_generator(generate, output_signature=tf.TensorSpec((), tf.int64)).batch(2).map(lambda v: v)
    )
    next(iterator)
    assert made == [0, 1]


def test_a_generator_is_closed_with_its_iterator():
    ended = []

    def generate():
        try:
            yield from range(10)
        finally:
            ended.append(True)

    iterator = iter(Dataset.from_generator(generate, output_signature=tf.TensorSpec((), tf.int64)))
    next(iterator)
    iterator.close()
    assert ended == [True]


def test_cache_makes_each_element_once():
    calls = []

    def load(text):
        calls.append(text.numpy())
        return int(text.numpy())

    cached = _words().map(load).cache().shuffle(23, seed=1).batch(5)
    first = sorted(np.concatenate(list(cached.as_numpy_iterator())).tolist())
    second = sorted(np.concatenate(list(cached.as_numpy_iterator())).tolist())
    assert first == second == list(range(23))
    assert len(calls) == 23


def test_cached_random_numbers_stay():
    cached = Dataset.range(12).map(lambda _: tf.random.uniform(())).cache()
    first = [float(value) for value in cached.as_numpy_iterator()]
    assert first == [float(value) for value in cached.as_numpy_iterator()]
    streamed = Dataset.range(12).filter(lambda v: v > 1).map(lambda _: tf.random.uniform(())).cache()
    assert list(streamed.as_numpy_iterator()) == list(streamed.as_numpy_iterator())


def test_checkpoints_hold_iterators(tmp_path):
    data = tf.data.Dataset.range(20).shuffle(8, seed=3).batch(2)
    iterator, step = iter(data), tf.Variable(0)
    checkpoint = tf.train.Checkpoint(step=step, iterator=iterator)
    for _ in range(3):
        next(iterator)
    path = checkpoint.save(str(tmp_path / "ckpt"))
    rest = [batch.numpy().tolist() for batch in iterator]
    other = iter(data)
    next(other)
    again = tf.train.Checkpoint(step=tf.Variable(5), iterator=other)
    again.restore(path).assert_consumed()
    assert [batch.numpy().tolist() for batch in other] == rest
    # Where it is now is what the next checkpoint holds.
    checkpoint.restore(path)
    assert next(iterator).numpy().tolist() == rest[0]
    newer = checkpoint.save(str(tmp_path / "ckpt"))
    again.restore(newer)
    assert next(other).numpy().tolist() == rest[1]


@pytest.mark.filterwarnings("ignore:tf.function:UserWarning")
def test_functions_take_new_elements_in_each_call():
    """Elements taken while a function is compiled would be constants of it: always the first order of a shuffle."""
    data = tf.data.Dataset.range(6).shuffle(6, seed=1).map(lambda number: tf.cast(number, tf.float32))
    weight = tf.Variable(2.0)

    @tf.function
    def epoch(rows):
        seen, total = [], 0.0
        for row in rows:
            with tf.GradientTape() as tape:
                loss = row * weight * weight
            total += tape.gradient(loss, weight)
            seen.append(row)
        return tf.stack(seen), total

    orders = []
    for _ in range(4):
        order, total = epoch(data)
        assert sorted(order.numpy().tolist()) == [0, 1, 2, 3, 4, 5] and float(total) == 15 * 2 * 2
        orders.append(order.numpy().tolist())
    assert len({tuple(order) for order in orders}) > 1
    iterator = iter(tf.data.Dataset.range(10))
    following = tf.function(lambda: next(iterator) + 1)
    assert [int(following()) for _ in range(3)] == [1, 2, 3]
