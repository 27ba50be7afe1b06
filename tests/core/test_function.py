"""``tf.function``: traces, signatures, state, fallback."""

import gc
import logging
import os
import random
import signal
import threading
import time
import warnings
import weakref

import numpy as np
import pytest

from hornbeam import ops
from hornbeam.core.function import function, run_functions_eagerly
from hornbeam.core.scopes import override
from hornbeam.core.spec import TensorSpec
from hornbeam.core.tape import GradientTape
from hornbeam.core.tensor import from_host
from hornbeam.core.variable import Variable


def test_side_effects_run_once_per_trace():
    calls = []

    @function
    def f(x, k=2):
        calls.append(k)
        return x * k

    one, two = ops.ones((2,)), ops.ones((3,))
    for _ in range(3):
        np.testing.assert_allclose(f(one).numpy(), [2, 2])
    assert calls == [2]
    f(two)
    f(one, k=3)
    assert calls == [2, 2, 3] and f.experimental_get_tracing_count() == 3


def test_variables_are_inputs_not_constants():
    v = Variable(1.0)
    f = function(lambda x: x + v)
    x = ops.ones(())
    assert float(f(x)) == 2
    v.assign(5.0)
    assert float(f(x)) == 6
    assert f.experimental_get_tracing_count() == 1


def test_writes_and_variables_made_on_the_first_call():
    class Counter:
        v = None

        @function
        def __call__(self, x):
            if self.v is None:
                self.v = Variable(0.0)
            self.v.assign_add(x)
            return self.v

    c = Counter()
    assert [float(c(ops.ones(()))) for _ in range(3)] == [1, 2, 3]


def test_outputs_keep_their_structure():
    f = function(lambda x: {"b": (x, None, "text"), "a": [x + 1, 3]})
    out = f(ops.ones(()))
    assert list(out) == ["b", "a"] and out["b"][1:] == (None, "text") and out["a"][1] == 3
    assert float(out["a"][0]) == 2


def test_input_signature_casts_checks_and_traces_silently():
    f = function(lambda x: x * 2, input_signature=[TensorSpec((None, 2), "float32")])
    assert f(np.ones((3, 2))).dtype == "float32"
    assert f(np.ones((4, 2))).shape == (4, 2)
    with pytest.raises(TypeError, match="incompatible"):
        f(np.ones((4, 3)))


def test_concrete_function():
    f = function(lambda x: x + 1)
    concrete = f.get_concrete_function(TensorSpec((None,), "float32"))
    np.testing.assert_allclose(concrete(ops.ones((2,))).numpy(), [2, 2])
    assert concrete.inputs[0].shape.as_list() == [None]


def test_python_if_on_a_tensor_falls_back_to_eager_with_one_warning():
    @function
    def f(x):
        if ops.sum(x) > 0:
            return x
        return -x

    with pytest.warns(UserWarning, match="needs the value of a tensor"):
        np.testing.assert_allclose(f(from_host(np.float32([-1.0, -2.0]))).numpy(), [1, 2])
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        np.testing.assert_allclose(f(ops.ones((2,))).numpy(), [1, 1])


def test_python_if_on_a_variable_is_not_frozen_into_the_program():
    v = Variable(1.0)

    @function
    def f(x):
        return x if v > 0 else -x

    with pytest.warns(UserWarning, match="eagerly"):
        assert float(f(ops.ones(()))) == 1
    v.assign(-1.0)
    assert float(f(ops.ones(()))) == -1


def test_retracing_is_reported(caplog):
    f = function(lambda x: x)
    with caplog.at_level(logging.WARNING):
        for size in range(1, 7):
            f(ops.ones((size,)))
    assert "retracing" in caplog.text


def test_eager_switch():
    calls = []
    f = function(lambda x: calls.append(1) or x)
    run_functions_eagerly(True)
    try:
        f(ops.ones(()))
        f(ops.ones(()))
    finally:
        run_functions_eagerly(False)
    assert len(calls) == 2


def test_wide_dtypes_inside():
    f = function(lambda x: ops.sum(ops.cast(x, "float64") * 2.0))
    out = f(ops.ones((3,)))
    assert out.dtype == "float64" and float(out) == 6


def test_an_exception_in_the_body_leaves_variables_alone():
    v = Variable(1.0)

    @function
    def f(x):
        v.assign(x)
        raise RuntimeError("boom")

    with pytest.raises(RuntimeError, match="boom"):
        f(ops.ones(()))
    assert float(v) == 1


def test_zeros_and_their_signs_and_nan_are_told_apart():
    f = function(lambda x, s: x / s)
    one = ops.ones(())
    assert float(f(one, 0.0)) == float("inf") and float(f(one, -0.0)) == float("-inf")
    for _ in range(3):
        f(one, float("nan"))
    assert f.experimental_get_tracing_count() == 3


def test_variables_made_from_tensors_on_the_first_call():
    class Lazy:
        v = None

        @function
        def __call__(self, x):
            if self.v is None:
                self.v = Variable(ops.ones((2,)))
            return x + self.v

    lazy = Lazy()
    for _ in range(3):
        np.testing.assert_allclose(lazy(ops.ones((2,))).numpy(), [2, 2])


def test_a_decorated_method_does_not_keep_its_object_alive():
    class Owner:
        def __init__(self):
            self.v = Variable(np.ones((3,), "float32"))

        @function
        def double(self, x):
            return x * 2 + self.v

    owner = Owner()
    owner.double(ops.ones((3,)))
    seen = weakref.ref(owner.v), weakref.ref(owner)
    del owner
    gc.collect()
    assert seen[0]() is None and seen[1]() is None
    assert len(Owner.__dict__["double"]._traces) == 0


def test_the_number_of_programs_is_bounded():
    f = function(lambda x, k: x + k, reduce_retracing=True)
    one = ops.ones(())
    for k in range(70):
        f(one, k)
    assert len(f._traces) == 64


def test_no_gradient_flows_through_an_assignment():

    v = Variable(0.0)

    def step(x):
        v.assign(x)
        return v * 2.0 + x

    x = ops.ones(()) * 3.0
    for f in (step, function(step)):
        with GradientTape() as tape:
            tape.watch(x)
            y = f(x)
        assert float(tape.gradient(y, x)) == 1.0


def adding(size=4):
    total, rate = Variable(np.zeros(size, "float32")), Variable(np.float32(2.0))

    @function
    def add(x):
        total.assign_add(rate * x)
        return total

    return total, add


def test_state_stays_in_its_memory():
    total, add = adding(1 << 16)
    ones = ops.ones((1 << 16,))
    add(ones)
    before = total._array
    places = {total._array.unsafe_buffer_pointer()}
    for _ in range(4):
        add(ones)
        places.add(total._array.unsafe_buffer_pointer())
    assert before.is_deleted() and len(places) == 1
    np.testing.assert_array_equal(total.numpy(), np.full(1 << 16, 10.0, "float32"))


def test_what_was_read_or_returned_keeps_its_value():
    total, add = adding()
    ones = ops.ones((4,))
    held = [total.value, total.read_value(), total.numpy()]
    held += [add(ones), total.value]
    held += [add(ones), add(ones)]
    assert [float(np.asarray(one)[0]) for one in held] == [0, 0, 0, 2, 2, 4, 6]
    assert float(total.numpy()[3]) == 6.0


def test_values_read_before_are_constants_of_a_function():
    """A tensor that holds the array of a variable is not the variable: it keeps its value in later calls."""
    total = Variable(np.ones(4, "float32"))
    anchors = [total.value, total.read_value(), ops.convert_to_tensor(total)]

    @function
    def distance(step):
        total.assign_add(step)
        return [ops.max(total - anchor) for anchor in anchors]

    one = ops.ones((4,))
    assert [[float(found) for found in distance(one)] for _ in range(3)] == [[1] * 3, [2] * 3, [3] * 3]
    assert [float(np.asarray(anchor)[0]) for anchor in anchors] == [1, 1, 1]


def test_a_variable_that_was_read_while_a_function_is_traced_stays_one_input():
    total = Variable(np.ones(4, "float32"))
    inner = function(lambda x: x + total)

    @function
    def outer(x):
        first = x * total
        with override(frame=None):
            held.append(total.read_value())
        return first + inner(x) * total.read_value()

    held, one = [], ops.ones((4,))
    assert float(outer(one)[0]) == 3.0
    total.assign(total + 1.0)
    assert float(outer(one)[0]) == 8.0


def test_values_given_to_another_variable_are_not_shared():
    (total, add), (other, _) = adding(), adding()
    ones = ops.ones((4,))
    for read in (lambda: other.value, lambda: other.read_value(), lambda: ops.convert_to_tensor(other), lambda: other):
        add(ones)
        total.assign(read())
        add(ones)
        assert float(other.numpy()[0]) == 0.0 and float(total.numpy()[0]) == 2.0


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")  # of the exceptions that Python drops
def test_ctrl_c_leaves_whole_steps():
    count, total = Variable(np.int32(0)), Variable(np.zeros((64, 64), "float32"))

    @function
    def step(x):
        count.assign_add(1)
        total.assign(ops.tanh(total @ x) * 0.0 + ops.cast(count, "float32"))

    def press(delay, done):
        # Python drops the exception where JAX is called back by the garbage collector: then press again.
        time.sleep(delay)
        while not done.is_set():
            os.kill(os.getpid(), signal.SIGINT)
            done.wait(5)

    x, caught = ops.ones((64, 64)), 0
    step(x)
    pause = random.Random(0)
    for _ in range(20):
        done = threading.Event()
        killer = threading.Thread(target=press, args=(pause.random() * 0.02, done))
        try:
            killer.start()
            while True:
                step(x)
        except KeyboardInterrupt:
            done.set()
            caught += 1
        killer.join()
        made = int(count.numpy())
        np.testing.assert_array_equal(total.numpy(), np.full((64, 64), made, "float32"))
        step(x)
        assert int(count.numpy()) == made + 1
    assert caught == 20


def test_threads_read_while_a_function_writes():
    total, add = adding(256)
    ones, seen, failed = ops.ones((256,)), [], []
    add(ones)

    def read():
        try:
            while len(seen) < 400:
                seen.append(total.numpy())
        except Exception as error:  # any error of a thread fails the test
            failed.append(error)

    reader = threading.Thread(target=read)
    reader.start()
    calls = 1
    while reader.is_alive():
        add(ones)
        calls += 1
        time.sleep(0)
    reader.join()
    assert not failed
    assert all((one == one[0]).all() for one in seen)
    assert float(total.numpy()[0]) == 2.0 * calls
