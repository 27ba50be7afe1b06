"""Functions of elements: compiled, vectorised, in threads, random."""

import threading
import warnings

import numpy as np
import pytest

import hornbeam as tf
from hornbeam import data, keras
from hornbeam.data.functions import Captured

Dataset = data.Dataset


@pytest.fixture
def captures(monkeypatch):
    """Counts the programs that element functions were traced to."""
    made = []
    begin = Captured.__init__

    def counted(self, *args):
        begin(self, *args)
        made.append(self)

    monkeypatch.setattr(Captured, "__init__", counted)
    return made


def test_a_numeric_function_is_traced_once_and_never_called_per_element(captures):
    calls = []

    def scale(x, y):
        calls.append(1)
        return x / 255.0, y

    x = np.random.default_rng(0).random((1000, 6), np.float32)
    dataset = Dataset.from_tensor_slices((x, np.arange(1000))).map(scale).shuffle(100, seed=1).batch(32)
    seen = 0
    for a, b in dataset.as_numpy_iterator():
        np.testing.assert_allclose(a, x[b] / 255.0, rtol=1e-6)
        seen += len(b)
    assert seen == 1000
    assert (len(calls), len(captures)) == (1, 1)


def test_batches_of_a_cheap_pipeline_come_from_few_program_calls(monkeypatch):
    runs = []
    run = Captured.run
    monkeypatch.setattr(Captured, "run", lambda self, *args: runs.append(args[1]) or run(self, *args))
    batches = list(Dataset.range(10_000).map(lambda v: v * 2).batch(10).as_numpy_iterator())
    assert len(batches) == 1000
    assert np.concatenate(batches).tolist() == list(range(0, 20_000, 2))
    assert len(runs) < 20


@pytest.mark.parametrize("threads", [None, 1, 2, 4, data.AUTOTUNE])
@pytest.mark.parametrize("shuffled", [False, True])
def test_order_is_the_same_for_any_number_of_threads(threads, shuffled):
    def slow(text):
        number = int(text.numpy())
        threading.Event().wait(0.001 * (number % 3))
        return number * 2, text

    names = Dataset.from_tensor_slices([str(number) for number in range(24)])
    names = names.shuffle(24, seed=5) if shuffled else names
    order = [int(name) for name in names.as_numpy_iterator()]
    names = Dataset.from_tensor_slices([str(number) for number in order])
    found = list(names.map(slow, num_parallel_calls=threads).batch(5).as_numpy_iterator())
    assert np.concatenate([numbers for numbers, _ in found]).tolist() == [2 * number for number in order]


def test_shuffled_parallel_map_equals_the_sequential_one():
    def pipeline(threads):
        names = Dataset.from_tensor_slices([str(number) for number in range(30)])
        mapped = names.map(lambda text: int(text.numpy()), num_parallel_calls=threads).shuffle(10, seed=2).repeat(2)
        return [int(value) for value in mapped.as_numpy_iterator()]

    assert pipeline(None) == pipeline(4)


def test_python_control_flow_runs_element_by_element_with_one_warning():
    def sign(value):
        if value > 2:
            return value * 10
        return -value

    dataset = Dataset.range(6).map(sign)
    with pytest.warns(UserWarning, match="if value > 2") as caught:
        assert [int(v) for v in dataset.as_numpy_iterator()] == [0, -1, -2, 30, 40, 50]
        assert [int(v) for v in dataset.as_numpy_iterator()] == [0, -1, -2, 30, 40, 50]
    assert len(caught) == 1


def test_random_draws_differ_between_elements_and_passes():
    keras.utils.set_random_seed(3)
    dataset = Dataset.range(64).map(lambda _: tf.random.uniform((2,)))
    first = np.stack(list(dataset.as_numpy_iterator()))
    assert len(np.unique(first)) == first.size
    assert abs(first.mean() - 0.5) < 0.1
    assert not np.array_equal(first, np.stack(list(dataset.as_numpy_iterator())))
    keras.utils.set_random_seed(3)
    again = Dataset.range(64).map(lambda _: tf.random.uniform((2,)))
    np.testing.assert_array_equal(np.stack(list(again.as_numpy_iterator())), first)


@pytest.mark.parametrize("sizes", [(1, 64), (7, 10)])
def test_random_draws_do_not_depend_on_how_many_elements_are_made_at_a_time(sizes):
    def drawn(size):
        keras.utils.set_random_seed(3)
        dataset = Dataset.range(64).map(lambda _: tf.random.uniform((2,))).batch(size)
        return np.concatenate(list(dataset.as_numpy_iterator()))

    np.testing.assert_array_equal(drawn(sizes[0]), drawn(sizes[1]))


def test_random_layers_draw_per_element():
    noise = keras.layers.GaussianNoise(1.0, seed=1)
    dataset = Dataset.from_tensors(np.zeros(3, np.float32)).repeat(40).map(lambda x: noise(x, training=True))
    found = np.stack(list(dataset.as_numpy_iterator()))
    assert len(np.unique(found)) == found.size
    assert abs(found.std() - 1) < 0.2


def test_variables_are_read_when_elements_are_made():
    factor = tf.Variable(2.0)
    dataset = Dataset.from_tensor_slices([1.0, 2.0]).map(lambda x: x * factor)
    assert [float(v) for v in dataset.as_numpy_iterator()] == [2.0, 4.0]
    factor.assign(5.0)
    assert [float(v) for v in dataset.as_numpy_iterator()] == [5.0, 10.0]


def test_a_function_that_counts_in_a_variable_runs_in_order():
    counter = tf.Variable(0)

    def count(x):
        counter.assign_add(1)
        return x + counter

    assert [int(v) for v in Dataset.from_tensor_slices([10, 20, 30]).map(count).as_numpy_iterator()] == [11, 22, 33]
    assert int(counter) == 3


def test_elements_of_many_shapes_are_mapped():
    lengths = [3, 5, 2, 3, 8]
    rows = Dataset.from_generator(
        lambda: (np.arange(n, dtype="float32") for n in lengths), output_signature=tf.TensorSpec((None,), tf.float32)
    )
    assert [float(v) for v in rows.map(tf.reduce_sum).as_numpy_iterator()] == [n * (n - 1) / 2 for n in lengths]
    assert rows.map(lambda x: tf.stack([x, x])).element_spec == tf.TensorSpec((2, None), tf.float32)


def test_the_users_error_comes_through():
    def broken(x):
        raise KeyError("no such thing")

    with pytest.raises(KeyError, match="no such thing"):
        list(Dataset.range(3).map(broken))
    with pytest.raises(KeyError, match="no such thing"):
        list(Dataset.range(3).map(broken, num_parallel_calls=3).prefetch(1))
    with pytest.raises(ZeroDivisionError):
        list(Dataset.from_generator(lambda: (1 // n for n in (1, 0)), output_signature=tf.TensorSpec((), tf.int32)))


def test_reduce_and_scan():
    assert int(Dataset.range(101).reduce(np.int64(0), lambda total, x: total + x)) == 5050
    total, count = Dataset.range(5).reduce((np.int64(0), 0), lambda state, x: (state[0] + x, state[1] + 1))
    assert (int(total), int(count)) == (10, 5)
    running = Dataset.range(5).scan(np.int64(0), lambda state, x: (state + x, state + x))
    assert [int(v) for v in running.as_numpy_iterator()] == [0, 1, 3, 6, 10]


def test_a_layer_in_a_map_gives_what_it_gives_on_arrays():
    layer = keras.layers.Rescaling(1 / 127.5, offset=-1)
    x = np.random.default_rng(1).integers(0, 255, (20, 4, 4, 3)).astype("uint8")
    found = np.concatenate(list(Dataset.from_tensor_slices(x).map(layer).batch(6).as_numpy_iterator()))
    np.testing.assert_allclose(found, np.asarray(layer(x)), rtol=1e-6)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert Dataset.from_tensor_slices(x).map(layer).element_spec == tf.TensorSpec((4, 4, 3), tf.float32)
