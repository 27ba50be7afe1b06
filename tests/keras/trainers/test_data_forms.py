"""Every form of input data gives what the plain float32 array gives."""

from __future__ import annotations

import jax
import numpy as np
import pytest

import hornbeam as tf
from hornbeam import keras
from hornbeam.engine.memory import aligned_empty, is_aligned
from hornbeam.engine.pace import AHEAD
from hornbeam.keras.trainers import plan
from hornbeam.keras.trainers.feeds.arrays import ArrayFeed
from hornbeam.keras.trainers.program import StepProgram
from tests.keras.trainers.small import X, Y, model, same_weights

WHOLE = np.arange(200).reshape(50, 4) % 7


class TorchLike:
    """The methods of a torch tensor that matter, on a graph that must be left before NumPy may see it."""

    def __init__(self, array, ready=False):
        self._array, self._ready, self.shape, self.dtype = array, ready, array.shape, array.dtype

    def detach(self):
        return TorchLike(self._array, True)

    def cpu(self):
        return self

    def numpy(self):
        assert self._ready, "must be detached first"
        return self._array

    def __array__(self, dtype=None, copy=None):
        raise RuntimeError("Can't call numpy() on a tensor that requires grad.")

    def __len__(self):
        return len(self._array)

    def __getitem__(self, key):
        return TorchLike(self._array[key])


class ArrayLike:
    """An object that only knows how to become an array (as xarray, polars and pyarrow columns do)."""

    def __init__(self, array):
        self._array = array

    def __array__(self, dtype=None, copy=None):
        return self._array


def read_only(array):
    array = array.copy()
    array.flags.writeable = False
    return array


def mapped(array, tmp_path):
    path = tmp_path / "data.bin"
    array.tofile(path)
    return np.memmap(path, array.dtype, "r", shape=array.shape)


FORMS = {
    "float64": lambda a, _: a.astype("float64"),
    "big-endian": lambda a, _: a.astype(">f4"),
    "big-endian 64": lambda a, _: a.astype(">f8"),
    "fortran order": lambda a, _: np.asfortranarray(a),
    "negative strides": lambda a, _: a[::-1].copy()[::-1],
    "not contiguous": lambda a, _: np.repeat(a, 2, axis=0)[::2],
    "read-only": lambda a, _: read_only(a),
    "memory-mapped": mapped,
    "list of lists": lambda a, _: a.tolist(),
    "tuple of tuples": lambda a, _: tuple(map(tuple, a.tolist())),
    "jax array": lambda a, _: jax.numpy.asarray(a),
    "tensor": lambda a, _: tf.constant(a),
    "variable": lambda a, _: tf.Variable(a),
    "like torch": lambda a, _: TorchLike(a),
    "by __array__": lambda a, _: ArrayLike(a),
    "objects": lambda a, _: a.astype(object),
    "matrix": lambda a, _: np.ma.array(a),
}


def results(x, y):
    net = model()
    net.fit(x, y, batch_size=16, epochs=2, shuffle=False, verbose=0)
    return net.get_weights(), net.predict(x, batch_size=16, verbose=0), net.evaluate(x, y, batch_size=16, verbose=0)


@pytest.fixture(scope="module")
def expected():
    return results(X, Y)


@pytest.mark.parametrize("form", FORMS)
def test_form_equals_the_plain_array_bit_for_bit(form, tmp_path, expected):
    (tmp_path / "y").mkdir()
    weights, outputs, loss = results(FORMS[form](X, tmp_path), FORMS[form](Y, tmp_path / "y"))
    assert same_weights(weights, expected[0])
    np.testing.assert_array_equal(outputs, expected[1])
    assert loss == expected[2]


@pytest.mark.parametrize("dtype", ["int64", "int32", "int8", "uint8", "uint16", "float16", "bool", ">i8", "uint64"])
def test_dtype_equals_its_float32_copy(dtype):
    x, y = (WHOLE % 2 if dtype == "bool" else WHOLE).astype(dtype), (WHOLE[:, :1] % 2).astype(dtype)
    assert same_weights(results(x, y)[0], results(x.astype("float32"), y.astype("float32"))[0])


@pytest.mark.parametrize("dtype", ["bfloat16", "float8_e4m3fn"])
def test_numbers_of_other_libraries(dtype):
    small = (WHOLE % 8).astype(jax.numpy.dtype(dtype))
    weights = results(small, small[:, :1])[0]
    assert same_weights(weights, results(small.astype("float32"), small[:, :1].astype("float32"))[0])


def test_converted_rows_lie_in_one_piece():
    for data in (np.asfortranarray(X.astype("float64")), np.asfortranarray(WHOLE)):
        assert ArrayFeed(data).leaves[0].flags.c_contiguous
    kept = np.asfortranarray(X)
    assert ArrayFeed(kept).leaves[0] is kept


@pytest.mark.parametrize("source", ["rows", "generator"])
def test_steps_do_not_read_memory_that_others_may_change_meanwhile(source, monkeypatch):
    """XLA would read aligned rows in place, later than a callback or a generator writes the next ones there."""
    x, read, launch = aligned_empty((48, 16), "float32"), [], StepProgram._launch
    x[:] = 1

    def launched(self, function, leaves, *rest):
        read.extend(leaves)
        return launch(self, function, leaves, *rest)

    monkeypatch.setattr(StepProgram, "_launch", launched)
    net = keras.Sequential([keras.layers.Dense(1)])
    net.compile("sgd", "mse")
    each = keras.callbacks.LambdaCallback(on_train_batch_end=lambda batch, logs: None)
    if source == "rows":
        net.fit(x, x[:, :1], batch_size=16, shuffle=False, verbose=0, callbacks=[each])
    else:
        net.fit(((x[:16], x[:16, :1]) for _ in range(3)), verbose=0)
    assert len(read) == 6
    assert not any(is_aligned(leaf) and np.shares_memory(leaf, x) for leaf in read)


def test_data_frames_and_series():
    pandas = pytest.importorskip("pandas")
    frame = pandas.DataFrame(
        {"a": X[:, 0], "b": WHOLE[:, 0], "c": X[:, 1] > 0.5, "d": X[:, 2].astype("float64")}, index=range(9, 59)
    )
    y = pandas.Series(Y[:, 0], index=range(9, 59))
    plain = np.stack([X[:, 0], WHOLE[:, 0], X[:, 1] > 0.5, X[:, 2]], axis=1).astype("float32")
    assert same_weights(results(frame, y)[0], results(plain, Y[:, 0])[0])
    net = model()
    net.fit(frame, y, validation_split=0.2, class_weight={0: 1.0}, verbose=0)
    with pytest.raises(ValueError, match="`x`: column 'c' of the data frame"):
        net.fit(frame.assign(c="red"), y, verbose=0)
    with pytest.raises(ValueError, match=r"column 'd'.*\n.*\n.*datetime"):
        net.fit(frame.assign(d=pandas.Timestamp("2020-01-01")), y, verbose=0)


def test_frames_in_a_dict():
    pandas = pytest.importorskip("pandas")
    inputs = {name: keras.Input((1,), name=name) for name in "ab"}
    net = keras.Model(inputs, keras.layers.Dense(1)(keras.layers.Concatenate()([inputs["a"], inputs["b"]])))
    net.compile("sgd", "mse")
    frame = pandas.DataFrame({"a": X[:, 0], "b": X[:, 1]})
    net.fit(dict(frame), Y, verbose=0)
    np.testing.assert_allclose(
        net.predict(dict(frame), verbose=0), net.predict({"a": X[:, 0], "b": X[:, 1]}, verbose=0)
    )


def test_wide_integers_keep_their_values():
    """Numbers that do not fit into 32 bits are passed on as they are, for layers that take them."""
    seen = []

    class Look(keras.layers.Layer):
        keeps_wide_integers = True

        def call(self, inputs):
            seen.append(str(inputs.dtype))
            return tf.cast(inputs % 1000, "float32")

    net = keras.Sequential([keras.Input((1,), dtype="int64"), Look()])
    big = np.array([[2**40 + 7], [5]])
    assert net.predict(big, verbose=0)[:, 0].tolist() == [(2**40 + 7) % 1000, 5]
    assert seen[-1] == "int64"


# --- predict -------------------------------------------------------------------------------------
@pytest.mark.parametrize("batch_size", [1, 7, 16, 25, 50, 64, None])
def test_predict_in_any_batch_size(batch_size):
    net = model()
    whole = np.asarray(net(X))
    found = net.predict(X, batch_size=batch_size, verbose=0)
    assert type(found) is np.ndarray and found.flags.writeable
    np.testing.assert_allclose(found, whole, rtol=1e-6, atol=1e-6)


def test_predict_of_nested_outputs_and_no_rows():
    x = keras.Input((4,))
    net = keras.Model(
        x, {"p": [keras.layers.Dense(2)(x), keras.layers.Dense(3)(x)], "n": keras.layers.Reshape((2, 2))(x)}
    )
    found = net.predict(X, batch_size=16, verbose=0)
    assert [part.shape for part in found["p"]] == [(50, 2), (50, 3)] and found["n"].shape == (50, 2, 2)
    np.testing.assert_array_equal(found["n"], X.reshape(50, 2, 2))
    empty = net.predict(X[:0], verbose=0)
    assert [part.shape for part in empty["p"]] == [(0, 2), (0, 3)] and empty["n"].shape == (0, 2, 2)


def test_outputs_that_depend_on_the_batch():
    class Odd(keras.Model):
        def call(self, inputs):
            return {
                "rows": inputs * 2,
                "sum": tf.reduce_sum(inputs, axis=0, keepdims=True),
                "mean": tf.reduce_mean(inputs),
            }

    found = Odd().predict(X, batch_size=20, verbose=0)
    np.testing.assert_allclose(found["rows"], X * 2)
    parts = [X[:20], X[20:40], X[40:]]
    np.testing.assert_allclose(found["sum"], [part.sum(axis=0) for part in parts], rtol=1e-5)
    np.testing.assert_allclose(found["mean"], [part.mean() for part in parts], rtol=1e-5)


MIXERS = {
    "sum": lambda x: x - tf.reduce_sum(x, axis=0),
    "running sum": lambda x: tf.cumsum(x, axis=0),
    "order": lambda x: tf.reverse(x, axis=[0]),
    "whole numbers": lambda x: tf.cast(x > tf.reduce_mean(x), "int32"),
}


@pytest.mark.parametrize("together", [True, False])
@pytest.mark.parametrize("mixer", MIXERS)
@pytest.mark.parametrize("batch_size", [20, 30])
def test_samples_that_see_one_another_see_those_of_a_short_last_batch_only(mixer, together, batch_size, monkeypatch):
    if not together:
        monkeypatch.setattr(plan, "WINDOW_BYTES", 1)
    inputs = keras.Input((4,))
    net = keras.Model(inputs, [keras.layers.Lambda(MIXERS[mixer])(inputs), inputs * 2])
    mixed, plain = net.predict(X, batch_size=batch_size, verbose=0)
    parts = [MIXERS[mixer](tf.constant(X[first : first + batch_size])) for first in range(0, len(X), batch_size)]
    np.testing.assert_allclose(mixed, np.concatenate(parts), rtol=1e-5, atol=1e-5)
    np.testing.assert_array_equal(plain, X * 2)


@pytest.mark.parametrize("together", [True, False])
def test_an_output_that_looks_like_samples(together, monkeypatch):
    """As many rows as there are samples in a batch, but the same ones for each batch."""
    if not together:
        monkeypatch.setattr(plan, "WINDOW_BYTES", 1)
    table = np.arange(32, dtype="float32").reshape(16, 2)

    class Table(keras.Model):
        def call(self, inputs):
            return inputs, tf.constant(table) * 1.0

    rows, found = Table().predict(X, batch_size=16, verbose=0)
    np.testing.assert_array_equal(rows, X)
    np.testing.assert_array_equal(found, np.tile(table, (4, 1)))


def test_a_short_last_batch_changes_the_state_by_its_own_samples():
    class Counting(keras.layers.Layer):
        def __init__(self):
            super().__init__()
            self.total = self.add_weight(shape=(4,), initializer="zeros", trainable=False)

        def call(self, inputs):
            self.total.assign_add(tf.reduce_sum(inputs, axis=0))
            return inputs

    layer = Counting()
    keras.Sequential([layer]).predict(X, batch_size=16, verbose=0)
    np.testing.assert_allclose(layer.total, X.sum(axis=0), rtol=1e-5)


def test_calls_of_predict_do_not_pile_up(monkeypatch):
    """Each waits with its rows in memory."""
    net = model()
    waited, wait = [], jax.block_until_ready
    monkeypatch.setattr(jax, "block_until_ready", lambda found: waited.append(found) or wait(found))
    monkeypatch.setattr(plan, "WINDOW_BYTES", 2 * 4 * X[0].nbytes)
    expected = net.predict_on_batch(X)
    waited.clear()
    np.testing.assert_allclose(net.predict(X, batch_size=4, verbose=0), expected, rtol=1e-6, atol=1e-6)
    calls = 7  # of two batches each
    assert [len(found) for found in waited if isinstance(found, list)] == [1] * (calls - AHEAD)


def test_predict_does_not_change_the_model_or_training():
    """The order of random numbers in training does not depend on what is called in between."""

    def train(in_between):
        keras.utils.set_random_seed(3)
        net = keras.Sequential(
            [keras.Input((4,)), keras.layers.Dense(6), keras.layers.Dropout(0.5), keras.layers.Dense(1)]
        )
        net.compile("sgd", "mse")
        for _ in range(3):
            net.fit(X, Y, batch_size=16, shuffle=False, verbose=0)
            if in_between:
                net.predict(X, verbose=0)
                net.evaluate(X, Y, verbose=0)
                net.summary(print_fn=lambda *_, **__: None)
        return net

    assert same_weights(train(False), train(True))


def test_strings_reach_the_model_as_they_are():
    class Length(keras.layers.Layer):
        def call(self, inputs):
            return tf.constant([[len(word)] for word in inputs.numpy().ravel()], dtype="float32")

        def compute_output_shape(self, input_shape):
            return input_shape

    net = keras.Sequential([keras.Input((1,), dtype="string"), Length()])
    words = np.array([["a"], ["bcd"], ["ef"]])
    assert net.predict(words, verbose=0)[:, 0].tolist() == [1.0, 3.0, 2.0]


def test_predictions_on_one_batch():
    net = model()
    assert type(net.predict_on_batch(X[:3])) is np.ndarray
    np.testing.assert_allclose(net.predict_on_batch(X[:3].tolist()), net.predict(X[:3], verbose=0))
    np.testing.assert_allclose(net.predict_on_batch(tf.constant(X[:3])), net.predict(X[:3], verbose=0))


def test_one_target_goes_to_the_only_output_with_a_loss():
    inputs = keras.Input((4,))
    hidden = keras.layers.Dense(3)(inputs)
    for outputs, loss in (([keras.layers.Dense(1)(hidden), hidden], ["mse", None]), ([hidden, inputs], [None, "mse"])):
        net = keras.Model(inputs, outputs)
        net.compile("sgd", loss)
        target = np.zeros((8, 1 if loss[0] else 4))
        found = net.evaluate(np.ones((8, 4)), target, verbose=0)
        trained = net.predict(np.ones((8, 4)), verbose=0)[0 if loss[0] else 1]
        np.testing.assert_allclose(found, np.mean(trained**2), rtol=1e-5)


def test_a_sequence_may_keep_its_number_of_batches_under_that_name():
    class Batches(keras.utils.Sequence):
        def __init__(self, num_batches):
            super().__init__()
            self.num_batches = num_batches

        def __len__(self):
            return self.num_batches

        def __getitem__(self, index):
            return X[:8] + index, Y[:8]

    batches = Batches(3)
    assert len(batches) == batches.num_batches == len(list(batches)) == 3
