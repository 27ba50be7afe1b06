"""Branches and loops: eagerly, compiled, under a tape, on symbolic tensors, with variables inside."""

import jax
import jax.numpy as jnp
import keras
import numpy as np
import pytest

from hornbeam.base.errors import NotSupportedError
from hornbeam.core.door import op
from hornbeam.core.frame import Program
from hornbeam.core.function import function
from hornbeam.core.symbolic import KerasTensor
from hornbeam.core.tape import GradientTape
from hornbeam.core.tensor import Tensor, from_host
from hornbeam.core.variable import Variable
from hornbeam.ops.control import cond, fori_loop, switch, while_loop


@op(adapt=True)
def add(a, b):
    return jnp.add(a, b)


@op(adapt=True)
def mul(a, b):
    return jnp.multiply(a, b)


@op(adapt=True)
def less(a, b):
    return jnp.less(a, b)


def tensor(value, dtype=np.float32):
    return from_host(np.asarray(value, dtype))


def compiled(function, *values):
    """Result of a function of tensors run as one captured program; its variables get their new values."""
    arrays = [jnp.asarray(value) for value in values]
    program = Program(lambda *traced: function(*(Tensor(array) for array in traced)), arrays)
    step = jax.jit(lambda reads, args: program.pure(reads, program.consts, args))
    outputs, written = step([v._array for v in program.reads], arrays)
    for variable, array in zip(program.writes, written, strict=True):
        variable.assign(array)
    return program.unflatten(outputs)


# --- cond and switch -----------------------------------------------------------------------------
def test_eager_cond_runs_only_the_chosen_branch():
    ran = []
    out = cond(tensor(True, bool), lambda: ran.append("yes") or tensor(1.0), lambda: ran.append("no"))
    assert ran == ["yes"] and out.numpy() == 1.0
    assert cond(False, lambda: 1, lambda: {"a": 2, "b": None})["a"].numpy() == 2


@pytest.mark.parametrize("flag", [True, False])
def test_compiled_cond_chooses_and_keeps_state_right(flag):
    w, taken = Variable(3.0), Variable(0, dtype="int32", trainable=False)
    idle = Variable(np.zeros(2, np.float32))

    def run(pred, x):
        def yes():
            taken.assign_add(1)
            return {"y": mul(x, w)}

        return cond(pred, yes, lambda: {"y": add(x, 1.0)})

    first = compiled(run, np.bool_(flag), np.float32(2))
    second = compiled(run, np.bool_(flag), np.float32(5))
    assert first["y"].numpy() == (6.0 if flag else 3.0) and second["y"].numpy() == (15.0 if flag else 6.0)
    assert taken.numpy() == (2 if flag else 0)
    assert (idle.numpy() == 0).all()


def test_a_variable_first_read_inside_a_branch_can_be_read_after_it():
    w = Variable(3.0)

    def run(pred, x):
        inside = cond(pred, lambda: mul(x, w), lambda: x)
        return add(inside, w)

    assert compiled(run, np.bool_(True), np.float32(2)).numpy() == 9.0


def test_state_written_before_a_branch_is_seen_inside_it():
    w = Variable(3.0)

    def run(pred, x):
        w.assign(x)
        return cond(pred, lambda: mul(w, 2.0), lambda: w.read_value())

    assert compiled(run, np.bool_(True), np.float32(7)).numpy() == 14.0
    assert w.numpy() == 7.0


@pytest.mark.parametrize("flag", [True, False])
def test_cond_under_a_tape_eager_and_traced(flag):
    w = Variable(3.0)

    def loss_and_gradients(pred, x):
        with GradientTape() as tape:
            tape.watch(x)
            y = cond(pred, lambda: mul(mul(x, x), w), lambda: mul(x, 5.0))
        return tape.gradient(y, [x, w], unconnected_gradients="zero")

    expected = [12.0, 4.0] if flag else [5.0, 0.0]
    assert [g.numpy() for g in loss_and_gradients(tensor(flag, bool), tensor(2.0))] == expected
    assert [float(g.numpy()) for g in compiled(loss_and_gradients, np.bool_(flag), np.float32(2))] == expected


def test_branches_that_differ_raise():
    for other in (lambda: (tensor(1.0),), lambda: tensor([1.0]), lambda: tensor(1, np.int32)):
        with pytest.raises(TypeError, match="cond: all branches"):
            compiled(lambda pred, other=other: cond(pred, lambda: tensor(1.0), other), np.bool_(True))
    assert compiled(lambda pred: cond(pred, lambda: 0, lambda: tensor(1.5)), np.bool_(False)).numpy() == 1.5


def test_symbolic_cond_and_switch():
    out = cond(KerasTensor((), "bool"), lambda: tensor([1.0, 2.0]), lambda: tensor([3.0, 4.0]))
    assert isinstance(out, KerasTensor) and tuple(out.shape) == (2,)
    x = KerasTensor((None, 3))
    out = switch(KerasTensor((), "int32"), [lambda x: x, lambda x: mul(x, 2.0)], x)
    assert tuple(out.shape) == (None, 3) and out.node.operation.name.startswith("switch")


@pytest.mark.parametrize("index", [-4, 0, 1, 2, 9])
def test_switch_equals_keras(index):
    branches = [lambda a, b: a + b, lambda a, b: a * b, lambda a, b: a - b]
    ours = [lambda a, b: add(a, b), lambda a, b: mul(a, b), lambda a, b: add(a, mul(b, -1.0))]
    expected = keras.ops.switch(index, branches, jnp.float32(3), jnp.float32(5))
    assert switch(index, ours, tensor(3.0), tensor(5.0)).numpy() == expected
    run = compiled(lambda i, a, b: switch(i, ours, a, b), np.int32(index), np.float32(3), np.float32(5))
    assert run.numpy() == expected


# --- loops ---------------------------------------------------------------------------------------
def test_eager_while_is_a_python_loop_under_tapes():
    seen = []

    def body(i, x):
        seen.append(int(i))
        return add(i, 1), mul(x, x)

    x = tensor(3.0)
    with GradientTape() as tape:
        tape.watch(x)
        _, y = while_loop(lambda i, x: less(i, 2), body, (0, x))
    assert seen == [0, 1] and y.numpy() == 81.0
    assert tape.gradient(y, x).numpy() == 4 * 27.0


def test_while_inside_a_program_counts_and_writes_state():
    count, limit = Variable(0, dtype="int32", trainable=False), Variable(5.0)

    def run(x):
        def body(x, total):
            count.assign_add(1)
            return add(x, 1.0), [add(total[0], x)]

        return while_loop(lambda x, total: less(x, limit), body, (x, [0.0]))

    x, total = compiled(run, np.float32(2))
    assert (x.numpy(), total[0].numpy(), int(count.numpy())) == (5.0, 9.0, 3)


@pytest.mark.parametrize("bound", [None, 0, 2, 100])
def test_maximum_iterations_equals_keras(bound):
    expected = keras.ops.while_loop(lambda i: i < 7, lambda i: i + 1, jnp.int32(3), maximum_iterations=bound)
    got = while_loop(lambda i: less(i, 7), lambda i: add(i, 1), tensor(3, np.int32), maximum_iterations=bound)
    assert got.numpy() == expected
    inside = compiled(lambda i: while_loop(lambda i: less(i, 7), lambda i: add(i, 1), (i,), bound), np.int32(3))
    assert isinstance(inside, tuple) and inside[0].numpy() == expected


def test_loop_values_must_keep_shape_and_dtype_in_programs():
    with pytest.raises(TypeError, match="shapes"):
        compiled(lambda x: while_loop(lambda x: less(x[0], 1), lambda x: tensor([1.0, 2.0]), x), np.ones(1, np.float32))
    with pytest.raises(TypeError, match="dtypes"):
        compiled(lambda x: fori_loop(0, 3, lambda i, x: mul(x, 0.5), x), np.int32(3))
    flag = Variable(0.0)
    with pytest.raises(NotSupportedError, match="cond"):
        compiled(lambda x: while_loop(lambda x: less(flag.assign(x), 1), lambda x: add(x, 1), x), np.float32(0))


def test_symbolic_while_keeps_shapes():
    x = KerasTensor((None, 2))
    i, out = while_loop(lambda i, x: less(i, 3), lambda i, x: (add(i, 1), mul(x, 2.0)), (0, x))
    assert tuple(out.shape) == (None, 2) and tuple(i.shape) == ()


def test_fori_loop_with_python_start_takes_the_dtype_of_the_body():
    out = fori_loop(0, 4, lambda i, v: add(v, mul(i, 0.5)), 0)
    assert out.dtype == "float32" and out.numpy() == 3.0
    assert fori_loop(3, 1, lambda i, v: add(v, 1), tensor(2, np.int32)).numpy() == 2
    inside = compiled(lambda n, x: fori_loop(0, n, lambda i, v: mul(v, 2.0), x), np.int32(3), np.float32(1))
    assert inside.numpy() == 8.0


def test_fori_loop_under_a_tape_reaches_arguments_variables_and_closures():
    x, scale, w = tensor(2.0), tensor([1.0, 3.0]), Variable(0.5)
    with GradientTape() as tape:
        tape.watch([x, scale])
        doubled = mul(scale, 2.0)
        y = fori_loop(0, 3, lambda i, v: mul(mul(v, w), doubled), mul(x, tensor([1.0, 1.0])))
    got = tape.gradient(y, [x, scale, w])

    def reference(x, scale, w):
        return jnp.sum(x * (w * 2 * scale) ** 3)

    expected = jax.grad(reference, (0, 1, 2))(2.0, jnp.array([1.0, 3.0]), 0.5)
    for one, other in zip(got, expected, strict=True):
        np.testing.assert_allclose(one.numpy(), other, rtol=1e-6)


def test_second_derivatives_through_a_loop():
    x = tensor(2.0)
    with GradientTape() as outer:
        outer.watch(x)
        with GradientTape() as inner:
            inner.watch(x)
            y = fori_loop(0, 3, lambda i, v: mul(v, x), tensor(1.0))
        first = inner.gradient(y, x)
    assert first.numpy() == 12.0 and outer.gradient(first, x).numpy() == 12.0


def test_64_bit_loop_values_keep_64_bits():
    out = fori_loop(0, 2, lambda i, v: mul(v, tensor(2, np.int64)), tensor(2**40, np.int64))
    assert out.dtype == "int64" and out.numpy() == 2**42


def test_raw_arrays_in_raw_arrays_out():
    out = fori_loop(0, 3, lambda i, v: jax.lax.add(v, jnp.float32(1)), jnp.float32(0))
    assert isinstance(out, jax.Array) and out == 3


def test_eager_state_inside_a_compiled_loop():
    count = Variable(0, dtype="int32", trainable=False)
    fori_loop(0, 5, lambda i, v: (count.assign_add(i), v)[1], tensor(0.0))
    assert count.numpy() == 10


def test_bounded_while_loops_have_gradients():
    rate = Variable(1.5)

    @function
    def slope(x):
        with GradientTape() as tape:
            tape.watch(x)
            _, y = while_loop(lambda i, a: less(i, 3), lambda i, a: (add(i, 1), mul(a, rate)), (0, x), 7)
        return (y, *tape.gradient(y, [x, rate]))

    value, by_x, by_rate = slope(tensor(2.0))
    np.testing.assert_allclose([float(value), float(by_x), float(by_rate)], [6.75, 3.375, 13.5], rtol=1e-6)

    @function
    def endless(x):
        with GradientTape() as tape:
            tape.watch(x)
            y = while_loop(lambda a: less(a, 100.0), lambda a: mul(a, 2.0), (x,))[0]
        return tape.gradient(y, x)

    with pytest.raises(NotSupportedError, match="maximum_iterations"):
        endless(tensor(1.0))
