"""Batches from threads and processes: order, errors, dead and stuck workers."""

import multiprocessing
import threading
import time

import pytest

from hornbeam.base.errors import WorkerError
from hornbeam.keras.trainers.feeds import workers
from hornbeam.keras.trainers.feeds.ahead import read_ahead
from hornbeam.keras.trainers.feeds.loading import Loading
from hornbeam.keras.trainers.feeds.workers import batches_ahead
from tests.keras.trainers.feeds.numbered import Numbered


def numbers(source, indices, loading):
    return [int(x[0, 0]) for x, _ in batches_ahead(source, indices, loading)]


@pytest.mark.parametrize("count", [1, 2, 4])
@pytest.mark.parametrize("ahead", [1, 10])
def test_threads_keep_the_order(count, ahead):
    order = [5, 0, 7, 2, 1, 6, 3, 4]
    assert numbers(Numbered(), order, Loading(count, False, ahead)) == order


def test_threads_make_no_more_than_asked_ahead():
    source = Numbered(count=100)
    stream = batches_ahead(source, range(100), Loading(2, False, 4))
    next(stream)
    time.sleep(0.1)
    assert len(source.asked) <= 6
    stream.close()


@pytest.mark.parametrize("count", [1, 2, 4])
def test_an_error_in_a_thread_is_the_users_own(count):
    found = []
    with pytest.raises(KeyError, match="batch 3 is bad") as caught:
        for x, _ in batches_ahead(Numbered(bad=3), range(8), Loading(count, False)):
            found.append(int(x[0, 0]))
    assert found == [0, 1, 2]
    assert "batch 3" in "".join(getattr(caught.value, "__notes__", ["batch 3"]))


def test_a_stuck_thread_is_given_up():
    started = time.monotonic()
    with pytest.raises(WorkerError, match="Batch 1 did not come"):
        numbers(Numbered(stuck=1), range(4), Loading(2, False, 10, timeout_s=0.3))
    assert time.monotonic() - started < 5


def test_a_slow_thread_is_warned_about(monkeypatch):
    monkeypatch.setattr(workers, "_PATIENCE_S", 0.05)
    with pytest.warns(UserWarning, match="Still waiting for batch 0"), pytest.raises(WorkerError):
        numbers(Numbered(stuck=0), range(2), Loading(2, False, 10, timeout_s=0.4))


def test_processes_keep_the_order_and_pass_errors_on():
    order = [3, 0, 2, 1]
    assert numbers(Numbered(), order, Loading(2, True)) == order
    with pytest.raises(KeyError, match="batch 2 is bad"):
        numbers(Numbered(bad=2), range(4), Loading(1, True))
    assert not [child for child in multiprocessing.active_children() if child.is_alive()]


def test_a_dead_process_is_told_with_its_code_and_batch():
    started = time.monotonic()
    with pytest.raises(WorkerError, match=r"batch 1\.\n.*exit code 7"):
        numbers(Numbered(dying=1), range(4), Loading(1, True))
    assert time.monotonic() - started < 30


def test_what_cannot_be_sent_is_named():
    source = Numbered()
    source.handle = threading.Lock()
    with pytest.raises(WorkerError, match=r"attribute handle \(lock\)"):
        numbers(source, range(2), Loading(2, True))


def test_processes_that_cannot_begin_give_way_to_threads():
    class Local(Numbered):
        """Found by name in this process only."""

    Local.__qualname__ = "Hidden"
    globals()["Hidden"] = Local
    try:
        with pytest.warns(UserWarning, match="Threads are used instead of processes"):
            assert numbers(Local(), range(4), Loading(2, True)) == [0, 1, 2, 3]
    finally:
        del globals()["Hidden"]


def test_an_iterator_is_read_ahead_in_one_thread():
    made = []

    def generate():
        for number in range(6):
            made.append((number, threading.current_thread().name))
            yield number
        raise LookupError("nothing left")

    stream = read_ahead(generate(), 2)
    assert next(stream) == 0
    found = [1]
    with pytest.raises(LookupError, match="nothing left"):
        found = [next(stream) for _ in range(5)]
        next(stream)
    assert found == [1, 2, 3, 4, 5]
    assert {name for _, name in made} == {"hornbeam-worker"}
    stopped = read_ahead(iter(range(10**9)), 2)
    next(stopped)
    stopped.close()
    assert not [thread for thread in threading.enumerate() if thread.name == "hornbeam-worker"]
