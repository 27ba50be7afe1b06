"""Variables: values, assignment, frames, donation, copies."""

import copy
import pickle
import threading

import jax
import jax.numpy as jnp
import numpy as np
import pytest

from hornbeam import ops
from hornbeam.base.errors import ShapeError, StateError
from hornbeam.core.frame import Frame, Program, isolated
from hornbeam.core.scopes import override
from hornbeam.core.variable import Variable, commit_all, read_all, reclaim


def test_initial_values_and_dtypes():
    assert Variable(1.5).dtype == "float32"
    assert Variable([1, 2]).dtype == "int32"
    assert Variable(np.ones(2)).dtype == "float64"
    assert Variable(2**40).dtype == "int64" and int(Variable(2**40)) == 2**40
    made = Variable(lambda shape, dtype: ops.ones(shape, dtype) * 3, shape=(2, 2), dtype="float16")
    assert made.dtype == "float16" and made.numpy().tolist() == [[3, 3], [3, 3]]
    with pytest.raises(ShapeError, match="shape \\(3,\\)"):
        Variable(np.ones(2), shape=(3,))


def test_assignment_casts_and_checks():
    v = Variable(np.zeros((2,), "float32"), name="v")
    v.assign([1, 2])
    v.assign_add(np.ones(2))
    v.assign_sub(0.5 * np.ones(2))
    np.testing.assert_allclose(v.numpy(), [1.5, 2.5])
    with pytest.raises(ValueError, match=r"shape \(3,\) does not fit the variable.s shape \(2,\)"):
        v.assign(np.ones(3))
    np.testing.assert_allclose(v.numpy(), [1.5, 2.5])


def test_arithmetic_and_protocols():
    v = Variable(3.0)
    assert float(v + 1) == 4 and float(2 * v) == 6 and float(-v) == -3 and bool(v > 2)
    assert float(v.value) == 3 and float(v.value()) == 3
    assert len({v, v}) == 1
    np.testing.assert_allclose(jnp.sin(v), np.sin(3.0), rtol=1e-6)


def test_a_variable_owns_its_array():
    source = jnp.ones((3,))
    a, b = Variable(source), Variable(source)
    assert a._array is not source and a._array is not b._array
    a.assign(b)
    assert a._array is not b._array


def test_lent_arrays_survive_donation():
    v = Variable(np.ones((4,), "float32"))
    held = v.value
    reclaim([v])
    update = jax.jit(lambda a: a + 1, donate_argnums=0)
    commit_all([v], [update(v._array)])
    np.testing.assert_allclose(held.numpy(), 1)
    np.testing.assert_allclose(v.numpy(), 2)


def test_groups_are_read_whole_while_another_thread_commits():
    variables = [Variable(np.zeros((), "float32")) for _ in range(50)]
    values = [[jnp.float32(i)] * 50 for i in range(200)]
    stop, torn = threading.Event(), []

    def reader():
        while not stop.is_set():
            arrays = read_all(variables)
            if len({id(a) for a in arrays}) > 1 and any(a is not arrays[0] for a in arrays[1:]):
                torn.append(1)

    commit_all(variables, values[0])
    thread = threading.Thread(target=reader)
    thread.start()
    for row in values:
        commit_all(variables, row)
    stop.set()
    thread.join()
    assert not torn


def test_program_finds_the_variables_it_reads_and_writes():
    read, written, both = Variable(2.0), Variable(0.0), Variable(1.0)

    def step(x):
        both.assign_add(x)
        written.assign(x * read)
        return x + both

    program = Program(step, [jnp.float32(3)])
    assert set(program.reads) == {read, both} and set(program.writes) == {written, both}
    assert float(written) == 0 and float(both) == 1
    order = {read: 2.0, both: 1.0}
    outputs, new = program.pure([jnp.float32(order[v]) for v in program.reads], program.consts, [jnp.float32(3)])
    assert float(outputs[0]) == 7
    assert {v: float(a) for v, a in zip(program.writes, new, strict=True)} == {written: 6.0, both: 4.0}


def test_two_variables_that_share_an_array_stay_two_inputs():
    a, b = Variable(1.0), Variable(1.0)
    b._array = a._array
    program = Program(lambda x: x * a + b, [jnp.float32(1)])
    assert set(program.reads) == {a, b}
    assert a._array is not b._array


def test_writes_in_an_inner_frame_do_not_reach_the_outer_one():
    v = Variable(1.0)
    with Frame() as frame:
        result, written = isolated(lambda: v.assign(5.0) and v.read_array(), {})
        assert float(result) == 5 and float(written[v]) == 5
        assert v not in frame.written
    assert float(v) == 1


def test_a_traced_value_cannot_escape_into_a_variable():
    v = Variable(1.0)
    with pytest.raises(StateError, match="outlive its trace"):
        jax.jit(lambda x: v.assign(x) and x)(2.0)
    assert float(v) == 1


def test_copies_and_pickles_are_independent():
    v = Variable(np.arange(3, dtype="float32"), name="w", trainable=False)
    for twin in (copy.deepcopy(v), pickle.loads(pickle.dumps(v))):
        assert twin.name == "w" and not twin.trainable
        twin.assign([9, 9, 9])
    np.testing.assert_allclose(v.numpy(), [0, 1, 2])


def test_a_first_read_inside_control_flow_does_not_leak_its_tracer():
    v = Variable(2.0)

    def step(x):
        inside = jax.lax.scan(lambda carry, _: (carry * v.read_array(), None), x, None, length=3)[0]
        return inside + v.read_array()

    program = Program(step, [jnp.float32(1)])
    outputs, _ = program.pure([jnp.float32(2)], program.consts, [jnp.float32(1)])
    assert float(outputs[0]) == 10 and program.reads == [v]


def test_additions_from_many_threads_all_count():
    v = Variable(0.0)

    def work():
        for _ in range(100):
            v.assign_add(1.0)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert float(v) == 800


@pytest.mark.parametrize("bad", [{"aggregation": "bogus"}, {"synchronization": "bogus"}, {"layout": ("x",)}])
def test_unknown_choices_are_refused(bad):
    with pytest.raises(ValueError, match=next(iter(bad))):
        Variable(1.0, **bad)


def test_a_deferred_variable_that_no_file_had_a_value_for_is_updated_by_programs():
    """Its placeholder must not be frozen into the program as a constant."""
    with override(defer_values=True):
        variable = Variable(lambda shape, dtype: np.full(shape, 3, dtype), shape=(2,), name="v")
        eager = Variable(lambda shape, dtype: np.full(shape, 5, dtype), shape=(), name="w")
    assert float(eager) == 5.0
    step = Program(lambda: variable.assign_add([1.0, 2.0], read_value=False), [])
    assert step.reads == [variable] == step.writes
    for _ in range(2):
        commit_all(step.writes, step.pure(read_all(step.reads), step.consts, [])[1])
    np.testing.assert_array_equal(np.asarray(variable), [5.0, 7.0])
