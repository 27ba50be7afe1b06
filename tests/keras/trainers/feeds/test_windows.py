"""Windows of rows: the right ones, in memory that the device uses in place."""

from __future__ import annotations

import jax
import numpy as np
import pytest

from hornbeam import keras
from hornbeam.keras.trainers.feeds import windows
from hornbeam.keras.trainers.feeds.arrays import ArrayFeed

ROWS = np.array([[3, 0], [9, 9], [1, 4]])
KINDS = ["cpu", "gpu"]


@pytest.fixture(params=KINDS)
def platform(request, monkeypatch):
    """Both ways to pick rows; JAX takes the memory of the CPU for that of an accelerator."""
    monkeypatch.setattr(jax, "default_backend", lambda: request.param)


def data(dtype="float32", order="C"):
    return np.asarray(np.arange(10 * 3 * 2).reshape(10, 3, 2), dtype, order=order)


@pytest.mark.parametrize("dtype", ["float32", "uint8", "bool", "int64", "float64", "complex64"])
@pytest.mark.parametrize("order", ["C", "F"])
def test_rows_of_each_array(dtype, order, platform):
    x, y = data(dtype, order), np.arange(10, dtype="int32")
    feed = ArrayFeed(x, y, batch_size=2)
    first, second = windows.Windows(feed, 3).take(ROWS)
    expected = x[ROWS].astype(feed.leaves[0].dtype)
    assert (first.shape, first.dtype) == ((3, 2, 3, 2), expected.dtype)
    np.testing.assert_array_equal(first, expected)
    np.testing.assert_array_equal(second, y[ROWS])


def test_wide_numbers_keep_their_digits(platform):
    feed = ArrayFeed(np.zeros((4, 1), "float32"), batch_size=2)
    feed.arrays = (np.array([2**40, 2**40 + 1, 2**40 + 2, 2**40 + 3]),)
    (found,) = windows.Windows(feed, 1).take(np.array([[3, 1]]))
    assert found.dtype == np.int64
    assert np.asarray(found).tolist() == [[2**40 + 3, 2**40 + 1]]


def test_last_window_has_the_shape_of_the_others(platform):
    feed = ArrayFeed(data(), batch_size=2)
    (found,) = windows.Windows(feed, 5).take(ROWS)
    assert found.shape == (5, 2, 3, 2)
    np.testing.assert_array_equal(found[:3], data()[ROWS])


@pytest.mark.parametrize("shape", [(10, 3, 2), (10,), (10, 0)])
@pytest.mark.parametrize("rows", [[[2, 3], [4, 5]], [[2, 4], [3, 5]], [[8, 9]], [[5, 4], [3, 2]], [[0, 0], [2, 3]]])
def test_rows_that_follow_one_another_and_others(rows, shape, platform):
    x = np.arange(np.prod(shape), dtype="float32").reshape(shape)
    for array in (x, np.asfortranarray(x), x[::-1]):
        (found,) = windows.Windows(ArrayFeed(array, batch_size=2), 3).take(np.array(rows))
        assert found.shape == (3, 2, *shape[1:])
        np.testing.assert_array_equal(found[: len(rows)], array[np.array(rows)])


def test_missing_weights_are_left_out(platform):
    feed = ArrayFeed(data(), np.arange(10), None, batch_size=2)
    assert len(windows.Windows(feed, 3).take(ROWS)) == 2


def test_windows_are_not_copied_on_the_cpu(monkeypatch):
    made = []
    make = windows.aligned_empty
    monkeypatch.setattr(windows, "aligned_empty", lambda *args: made.append(make(*args)) or made[-1])
    (found,) = windows.Windows(ArrayFeed(data(), batch_size=2), 3).take(ROWS)
    assert found.unsafe_buffer_pointer() == made[0].ctypes.data


def test_data_beyond_the_memory_of_an_accelerator_stay_on_the_host(monkeypatch):
    monkeypatch.setattr(jax, "default_backend", lambda: "gpu")
    feed = ArrayFeed(data(), batch_size=2)
    monkeypatch.setattr(windows, "RESIDENT_LIMIT_BYTES", feed.nbytes - 1)
    (found,) = windows.Windows(feed, 3).take(ROWS)
    np.testing.assert_array_equal(found, data()[ROWS])
    assert feed.resident is None
    monkeypatch.setattr(windows, "RESIDENT_LIMIT_BYTES", feed.nbytes)
    windows.Windows(feed, 3).take(ROWS)
    assert feed.resident is not None


def test_views_that_stand_for_more_than_they_hold_are_not_copied_as_a_whole(monkeypatch):
    x = np.lib.stride_tricks.sliding_window_view(np.arange(12, dtype="float32"), 3)
    feed = ArrayFeed(x, np.broadcast_to(np.float32(2), (10, 1)), batch_size=2)
    for limit, whole in ((x.nbytes, True), (0, False)):
        monkeypatch.setattr(windows, "_COPY_LIMIT_BYTES", limit)
        rows = windows.Windows(feed, 3)
        copied = [not np.shares_memory(one, two) for one, two in zip(rows._leaves, feed.leaves, strict=True)]
        assert copied == [whole, whole]
        first, second = rows.take(ROWS)
        np.testing.assert_array_equal(first, x[ROWS])
        np.testing.assert_array_equal(second, np.full((3, 2, 1), 2.0))


def test_arrays_of_an_accelerator_stay_there(monkeypatch):
    monkeypatch.setattr(jax, "default_backend", lambda: "gpu")
    monkeypatch.setattr(windows, "RESIDENT_LIMIT_BYTES", data("int32")[:, 0, 0].nbytes)
    feed = ArrayFeed(jax.numpy.asarray(data()), data("int32")[:, 0, 0], batch_size=2)
    first, second = windows.Windows(feed, 3).take(ROWS)
    assert (
        feed.resident is not None and feed.resident[0].unsafe_buffer_pointer() == feed.leaves[0].unsafe_buffer_pointer()
    )
    np.testing.assert_array_equal(first, data()[ROWS])
    np.testing.assert_array_equal(second, data("int32")[:, 0, 0][ROWS])


@pytest.mark.parametrize("kind", KINDS)
def test_what_a_callback_does_to_the_data_counts_from_the_next_epoch_on(kind, monkeypatch):
    x, seen = np.zeros((40, 1), "float32"), []
    make = windows.Windows.__init__

    def made(*args):
        with monkeypatch.context() as patch:
            patch.setattr(jax, "default_backend", lambda: kind)
            make(*args)
        seen.append(args[0]._on_host)

    monkeypatch.setattr(windows.Windows, "__init__", made)
    net = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1, kernel_initializer="ones")])
    net.compile(keras.optimizers.SGD(0.0), "mae")
    shift = keras.callbacks.LambdaCallback(on_epoch_end=lambda epoch, logs: np.add(x, 1, out=x))
    losses = net.fit(x, np.zeros((40, 1)), batch_size=2, epochs=3, verbose=0, callbacks=[shift]).history["loss"]
    assert losses == [0.0, 1.0, 2.0]
    assert seen == [kind == "cpu"] * 3
