"""Shapes and diagonals: values, dtypes, gradients and symbolic shapes against ``keras.ops`` and NumPy."""

from __future__ import annotations

import math

import jax
import jax.numpy as jnp
import ml_dtypes
import numpy as np
import pytest

from hornbeam.base.errors import ShapeError, TraceError
from hornbeam.core.symbolic import KerasTensor
from hornbeam.core.tensor import Tensor, WideTensor, from_host
from hornbeam.ops.numpy import diagonal as d
from hornbeam.ops.numpy import repeat as r
from hornbeam.ops.numpy import shape as s
from tests.ops.numpy.compare import (
    Case,
    cast_case,
    same_as_keras,
    same_as_numpy,
    same_gradients,
    same_raw,
    same_symbolic,
)
from tests.ops.numpy.oracle import numbers

V = numbers("float32", (6,))
M = numbers("float32", (4, 6))
C = numbers("float32", (4, 2, 3))
ONES = numbers("float32", (4, 1, 3, 1))

CASES = [
    Case(s.reshape, M, (3, 8)),
    Case(s.reshape, M, (-1, 12)),
    Case(s.reshape, C, -1),
    Case(s.ravel, C),
    Case(s.transpose, C),
    Case(s.transpose, C, (0, 2, 1)),
    Case(s.transpose, C, [2, -3, 1]),
    Case(s.swapaxes, C, 0, -1),
    Case(s.moveaxis, C, 0, -1),
    Case(s.moveaxis, C, (0, 1), (1, 2)),
    Case(s.expand_dims, M, 1),
    Case(s.expand_dims, M, (0, -1)),
    Case(s.squeeze, ONES),
    Case(s.squeeze, ONES, -1),
    Case(s.squeeze, ONES, (1, 3)),
    Case(s.broadcast_to, M, (2, 4, 6)),
    Case(s.flip, C),
    Case(s.flip, C, 1),
    Case(s.flip, C, (0, 2)),
    Case(s.fliplr, M),
    Case(s.flipud, M),
    Case(s.roll, M, 2),
    Case(s.roll, M, -1, 0),
    Case(s.roll, M, (1, -2), (0, 1)),
    Case(s.rot90, C),
    Case(s.rot90, C, k=3, axes=(1, 2)),
    Case(r.tile, M, 2),
    Case(r.tile, M, (2, 3)),
    Case(r.tile, M, (2, 1, 3)),
    Case(r.repeat, M, 2),
    Case(r.repeat, M, 3, 1),
    Case(r.repeat, M, np.array([0, 2, 1, 3], np.int32), 0),
    Case(r.repeat, V, np.array([1, 0, 2, 3, 1, 1], np.int32)),
    Case(r.pad, M, 1),
    Case(r.pad, M, (1, 2)),
    Case(r.pad, M, ((1, 0), (2, 3))),
    Case(r.pad, M, [(1,), (2,)]),
    Case(r.pad, M, ((1, 2), (0, 1)), mode="reflect"),
    Case(r.pad, M, ((1, 2), (0, 1)), mode="edge"),
    Case(r.pad, M, ((1, 2), (0, 1)), mode="symmetric"),
    Case(r.pad, M, ((1, 2), (0, 1)), mode="wrap"),
    Case(r.pad, M, ((1, 2), (0, 1)), constant_values=5),
    Case(s.copy, M),
    Case(d.tril, C),
    Case(d.tril, M, 1),
    Case(d.triu, C, -1),
    Case(d.diag, V, 1),
    Case(d.diag, M),
    Case(d.diag, M, -2),
    Case(d.diagflat, M, 1),
    Case(d.diagonal, C),
    Case(d.diagonal, C, 1, 0, 2),
    Case(d.trace, M),
    Case(d.trace, C, -1, 0, 2),
]
IDS = [repr(case) for case in CASES]


@pytest.mark.numeric
@pytest.mark.parametrize("case", CASES, ids=IDS)
def test_equals_keras(case):
    same_as_keras(case)


@pytest.mark.numeric
@pytest.mark.parametrize("dtype", ["bool", "int8", "uint32", "float16", "bfloat16", "complex64"])
def test_dtypes_stay(dtype):
    for case in (Case(r.pad, M, 1, constant_values=2), Case(s.roll, M, 2), Case(d.triu, M), Case(d.diag, V)):
        same_as_keras(cast_case(case, getattr(ml_dtypes, dtype, dtype)))


@pytest.mark.numeric
@pytest.mark.parametrize("dtype", ["bool", "uint8", "int16", "uint16", "uint32", "float16", "complex64"])
def test_dtypes_of_trace(dtype):
    same_as_keras(cast_case(Case(d.trace, M), dtype), tolerance=2e-2 if dtype == "float16" else None)


@pytest.mark.numeric
@pytest.mark.parametrize("case", [case for case in CASES if case.name != "trace"][::3], ids=repr)
def test_64_bits_equal_numpy(case):
    if case.name == "pad" and case.args[1] == [(1,), (2,)]:
        case = Case(r.pad, M, ((1, 1), (2, 2)))
    twin = {"moveaxis": np.moveaxis, "rot90": np.rot90}.get(case.name)
    same_as_numpy(case, twin)


def test_64_bit_integers_stay():
    x = from_host(np.arange(6, dtype=np.int64) + 2**40)
    assert s.reshape(x, (2, 3)).numpy()[1, 2] == 2**40 + 5
    assert type(s.reshape(x, (2, 3))) is WideTensor
    assert d.trace(s.reshape(x, (2, 3))).dtype == "int64"


@pytest.mark.numeric
@pytest.mark.parametrize("case", CASES[1::2], ids=IDS[1::2])
def test_gradients(case):
    if case.name == "pad" and case.args[1] == [(1,), (2,)]:
        case = Case(r.pad, M, ((1, 1), (2, 2)))
    same_gradients(case)


def test_gradient_of_a_padding_value():
    from hornbeam.core.tape import GradientTape

    value = from_host(np.float32(2.0))
    with GradientTape() as tape:
        tape.watch(value)
        out = r.pad(from_host(M), 1, constant_values=value)
    assert tape.gradient(out, value).numpy() == 6 * 8 - 4 * 6


# `repeat` by counts needs to know the size; Keras's symbolic `pad` changes a list that it is given.
SYMBOLIC = [
    case
    for case in CASES
    if not (case.name == "repeat" and isinstance(case.args[1], np.ndarray))
    and not (case.name == "pad" and case.args[1] == [(1,), (2,)])
]


@pytest.mark.unit
@pytest.mark.parametrize("case", SYMBOLIC, ids=repr)
@pytest.mark.parametrize("unknown", [(0,), (0, 1)], ids=["N", "NN"])
def test_symbolic_shapes(case, unknown):
    if case.name == "squeeze" and unknown == (0, 1):
        unknown = (0, 2)
    same_symbolic(case, unknown)


@pytest.mark.unit
@pytest.mark.parametrize(
    ("shape", "target", "expected"),
    [
        ((None, 3), (-1, 6), (None, 6)),
        ((None, 3), (-1, 7), (None, 7)),
        ((None, None, 3), (-1, 6), (None, 6)),
        ((None, None, 3), (-1, 3), (None, 3)),
        ((None, 12), (None, 3, -1), (None, 3, 4)),
        ((None, 12), (-1, 3, 4), (None, 3, 4)),
        ((2, 12), (-1, 3), (8, 3)),
        ((None,), (5, -1), (5, None)),
        ((None, 17), 34, (34,)),
    ],
)
def test_symbolic_reshape(shape, target, expected):
    out = s.reshape(KerasTensor(shape, "int32"), target)
    assert tuple(out.shape) == expected and out.dtype == "int32"
    assert out._keras_history.operation.name.startswith("reshape")


@pytest.mark.unit
def test_reshape_takes_sizes_from_tensors_and_shapes():
    x = from_host(M)
    assert s.reshape(x, from_host(np.array([2, 12]))).shape == (2, 12)
    assert s.reshape(x, [from_host(np.array(3)), 8]).shape == (3, 8)
    assert s.reshape(x, s.transpose(x).shape).shape == (6, 4)
    assert s.reshape(x, (None, 8)).shape == (3, 8)
    assert s.reshape(from_host(C), (None, -1)).shape == (4, 6)


@pytest.mark.unit
def test_reshape_errors():
    for target in [(-1, -1), (-2, 4), (5, 5)]:
        with pytest.raises((ValueError, TypeError)):
            s.reshape(from_host(M), target)
    with pytest.raises(ShapeError, match="number of elements"):
        s.reshape(KerasTensor((4, 6)), (5, 5))
    with pytest.raises(TraceError, match="newshape"):
        jax.jit(lambda n: s.reshape(M, (n, -1)))(jnp.int32(3))


@pytest.mark.unit
def test_unsuitable_arguments_are_errors():
    with pytest.raises(ShapeError, match="repeats"):
        r.repeat(from_host(M), [1, 2], 0)
    with pytest.raises(TraceError, match="repeats"):
        jax.jit(lambda n: r.repeat(M, n, 0))(jnp.array([1, 2, 1, 1]))
    with pytest.raises(ValueError, match="constant_values"):
        r.pad(from_host(M), 1, mode="edge", constant_values=2)
    with pytest.raises(ShapeError, match="pad_width"):
        r.pad(from_host(C), ((1, 1), (2, 2)))
    with pytest.raises(ShapeError, match="at least 2 axes"):
        s.rot90(from_host(V))
    with pytest.raises(ShapeError, match="two different axes"):
        s.rot90(from_host(M), axes=(1, 1))
    with pytest.raises(ValueError):
        s.squeeze(KerasTensor((None, 3)), 0)
    with pytest.raises(ShapeError, match="do not fit"):
        s.broadcast_to(KerasTensor((None, 3)), (2, 4))


@pytest.mark.numeric
def test_repeat_by_a_tensor_of_counts():
    counts = np.array([2, 0, 1, 3])
    assert r.repeat(from_host(M), [2, 0, 1, 3], 0).shape == (6, 6)
    expected = np.repeat(M, counts, 0)
    np.testing.assert_array_equal(r.repeat(from_host(M), from_host(counts), 0).numpy(), expected)
    np.testing.assert_array_equal(r.repeat(from_host(M), counts.astype(np.int32), 0).numpy(), expected)
    assert r.repeat(KerasTensor((4, None)), counts, 0).shape == (6, None)


@pytest.mark.numeric
def test_unravel_index():
    flat = np.array([[0, 5], [22, -1]], np.int32)
    same_as_keras(Case(s.unravel_index, flat, (4, 6)))
    wide = s.unravel_index(from_host(np.array([7], np.int64)), (4, 6))
    assert [part.dtype for part in wide] == ["int64", "int64"]
    assert [part.tolist() for part in wide] == [[1], [1]]
    symbols = s.unravel_index(KerasTensor((None, 2), "int32"), (4, 6))
    assert [tuple(part.shape) for part in symbols] == [(None, 2), (None, 2)]


@pytest.mark.numeric
@pytest.mark.parametrize(
    ("given", "wanted"), [("float32", "int32"), ("float32", "uint8"), ("int8", "int32"), ("float32", "float16")]
)
def test_view(given, wanted):
    x = (M * 9).astype(given)[:, :4].copy()
    same_as_keras(Case(s.view, x, dtype=wanted))
    same_as_keras(Case(s.view, x))
    wide = s.view(from_host(M), "float64")
    np.testing.assert_array_equal(wide.numpy(), M.view(np.float64))
    symbol = s.view(KerasTensor((None, 4), given), wanted)
    assert symbol.dtype == wanted and tuple(symbol.shape) == (None, x.view(wanted).shape[1])


@pytest.mark.unit
def test_facts():
    x = from_host(C)
    assert s.ndim(x) == 3 and s.size(x) == 24 and s.ndim([[1, 2]]) == 2 and s.size(3.0) == 1
    symbol = KerasTensor((None, 3))
    assert s.ndim(symbol) == 2 and s.size(KerasTensor((2, 3))) == 6
    unknown = s.size(symbol)
    assert unknown.shape == () and unknown.dtype == "int32"


@pytest.mark.unit
def test_python_numbers_give_strong_dtypes():
    for out, dtype in [(s.expand_dims(1.0, 0), "float32"), (s.reshape(3, (1, 1)), "int32"), (s.ravel([True]), "bool")]:
        assert isinstance(out, Tensor) and out.dtype == dtype and not out._value.weak_type


@pytest.mark.unit
@pytest.mark.parametrize("case", [CASES[0], Case(r.pad, M, 1), Case(r.repeat, M, 2), Case(d.trace, M)], ids=repr)
def test_jax_arrays_stay_jax_arrays(case):
    same_raw(case)


@pytest.mark.bench
def test_roll_and_repeat_do_not_recompile_for_other_values():
    x = from_host(M)
    s.roll(x, 1)
    before = s.roll.op.plain._cache_size()
    for shift in range(5):
        s.roll(x, shift)
    assert s.roll.op.plain._cache_size() == before
    picks = r._pick.op.plain
    r.repeat(x, [1, 1, 1, 1], 0)
    before = picks._cache_size()
    r.repeat(x, [2, 0, 0, 2], 0)
    assert picks._cache_size() == before and math.prod(r.repeat(x, [2, 0, 0, 2], 0).shape) == 24
